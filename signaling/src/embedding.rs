//! Pages of other origins: which of them may show the room's page within theirs, and connect to sessions.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, Uri, header};

/// The origin of a web page as browsers write it (RFC 6454 §6.2): scheme, host, and a port that is not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// What is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be https:// and a host, with a port where there is one: https://portal.example")]
pub struct NotAnOrigin;

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        // It becomes a part of a header, where other characters would say something else.
        let plain = |c: char| c.is_ascii_alphanumeric() || "/:.-_[]".contains(c);
        let uri: Uri = text.parse().map_err(|_| NotAnOrigin)?;
        let (scheme, own_port) = match uri.scheme_str() {
            Some("https") => ("https", 443),
            Some("http") => ("http", 80),
            _ => return Err(NotAnOrigin),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(NotAnOrigin)?.to_ascii_lowercase();
        if uri.path() != "/" || uri.query().is_some() || !text.chars().all(plain) {
            return Err(NotAnOrigin);
        }
        Ok(Self(match uri.port_u16() {
            Some(port) if port != own_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        }))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which pages of other origins there may be.
#[derive(Clone, Debug, Default)]
pub struct Embedding {
    /// Pages that may show the room's page, and connect to sessions.
    pub origins: Arc<[Origin]>,
    /// Where people reach this server, if that is known: a proxy may keep the name they used to itself.
    pub own: Option<Origin>,
}

impl Embedding {
    /// The pages that may show a page of this server within theirs (CSP `frame-ancestors`).
    ///
    /// # Panics
    /// Never: an [`Origin`] has only characters of a header.
    pub(crate) fn content_security_policy(&self, base: &str) -> HeaderValue {
        let ancestors: String = self.origins.iter().map(|origin| format!(" {origin}")).collect();
        let policy = format!("{base}; frame-ancestors 'self'{ancestors}");
        HeaderValue::from_str(&policy).expect("origins have plain characters")
    }

    /// Whether whoever sends these headers may open a session. A program sends no `Origin`; a browser always does (RFC 6455
    /// §4.1), and no page can change it, nor `Host` or `X-Forwarded-Host`.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        let of_this_server = |name: &HeaderValue| {
            let page = origin.split_once("://").map(|(_, authority)| authority);
            page.is_some_and(|page| name.to_str().is_ok_and(|name| name.eq_ignore_ascii_case(page)))
        };
        ["host", "x-forwarded-host"].iter().any(|name| headers.get(*name).is_some_and(of_this_server))
            || self.origins.iter().chain(&self.own).any(|Origin(known)| known == origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn an_origin_is_written_as_browsers_do() {
        assert_eq!(origin("https://Portal.example/").to_string(), "https://portal.example");
        assert_eq!(origin("https://portal.example:443").to_string(), "https://portal.example");
        assert_eq!(origin("http://127.0.0.1:8081").to_string(), "http://127.0.0.1:8081");
        assert_eq!(origin("http://[::1]:8081").to_string(), "http://[::1]:8081");
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        let paths = ["https://portal.example/page", "https://portal.example?a", "https://me@portal.example"];
        let others = ["portal.example", "ftp://portal.example", "https://", "*", "null", "https://*.example"];
        let header = ["https://a; script-src *", "https://a;b", "https://a b", "https://a,b"];
        for text in paths.iter().chain(&others).chain(&header) {
            assert_eq!(text.parse::<Origin>(), Err(NotAnOrigin), "{text}");
        }
    }

    #[test]
    fn only_listed_pages_may_be_around() {
        let alone = Embedding::default().content_security_policy("default-src 'self'");
        assert_eq!(alone, "default-src 'self'; frame-ancestors 'self'");
        let origins = [origin("https://a.example"), origin("https://b.example:8443")].into();
        let two = Embedding { origins, own: None }.content_security_policy("default-src 'self'");
        assert_eq!(two, "default-src 'self'; frame-ancestors 'self' https://a.example https://b.example:8443");
    }

    #[test]
    fn sessions_are_for_programs_and_for_pages_that_are_known() {
        let origins = [origin("https://portal.example")].into();
        let known = Embedding { origins, own: Some(origin("https://stage.example")) };
        let asks = |pairs: &[(&'static str, &'static str)]| known.admits(&headers(pairs));
        assert!(asks(&[("host", "10.0.0.1:8080")]), "a program");
        assert!(asks(&[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")]), "its own page");
        assert!(
            asks(&[("host", "Room.example"), ("origin", "https://room.example")]),
            "behind a proxy that takes TLS away"
        );
        let renamed = [("host", "10.0.0.1"), ("x-forwarded-host", "room.example"), ("origin", "https://room.example")];
        assert!(asks(&renamed), "behind a proxy that tells the name");
        assert!(asks(&[("host", "10.0.0.1"), ("origin", "https://stage.example")]), "behind one that does not");
        assert!(asks(&[("host", "10.0.0.1"), ("origin", "https://portal.example")]), "a page that is listed");
        for stranger in
            ["https://other.example", "http://portal.example", "https://portal.example.evil.example", "null"]
        {
            assert!(!asks(&[("host", "10.0.0.1"), ("origin", stranger)]), "{stranger}");
        }
    }
}
