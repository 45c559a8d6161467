//! Addresses of the form `http://host:port/path`.

use std::fmt;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpUrl {
    /// Host and port.
    pub(crate) authority: String,
    /// From the slash on.
    pub(crate) path: String,
}

impl HttpUrl {
    /// None for anything else, `https` included: TLS is a proxy's, which is not what is measured.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let (host, port) = authority.rsplit_once(':').map_or((authority, "80"), |(host, port)| (host, port));
        let right = !host.is_empty() && port.parse::<u16>().is_ok() && !text.contains([' ', '#', '@', '?']);
        right.then(|| Self { authority: format!("{host}:{port}"), path: path.to_owned() })
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_and_others_refused() {
        let parsed = |text| HttpUrl::parse(text).map(|url| url.to_string());
        assert_eq!(parsed("http://a:1/m").as_deref(), Some("http://a:1/m"));
        assert_eq!(parsed("http://[::1]:8080").as_deref(), Some("http://[::1]:8080/"));
        assert_eq!(parsed("http://example.org").as_deref(), Some("http://example.org:80/"));
        for wrong in ["https://a:1", "a:1", "http://", "http://a:b", "http://a:1/r/demo#token=x", "http://:1"] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
