//! What can be set of invitations by e-mail.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use lettre::message::Mailbox;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use url::Url;

use super::limits;

/// Settings of invitations by e-mail.
#[derive(Clone, Debug, Default, Args)]
pub struct MailConfig {
    /// The mail server that invitations are sent by: smtps://USER:PASSWORD@HOST, or smtp://USER:PASSWORD@HOST?tls=required
    /// for STARTTLS; smtp://HOST to this machine alone. Default: none; invitations are links to be copied.
    #[arg(long, env = "DAIS_SMTP_URL", hide_env_values = true, requires = "mail_from")]
    pub smtp_url: Option<String>,
    /// File with the certificates (PEM) that the mail server's is signed with, in place of the system's.
    #[arg(long, env = "DAIS_SMTP_CA", requires = "smtp_url")]
    pub smtp_ca: Option<PathBuf>,
    /// Who mails are from: stage@example.org, or The stage <stage@example.org>.
    #[arg(long, env = "DAIS_MAIL_FROM", requires = "smtp_url")]
    pub mail_from: Option<Mailbox>,
    /// Address people reach the web server at, for the links in mails: https://stage.example.org. Default: --listen, if that is
    /// a loopback address.
    #[arg(long, env = "DAIS_PUBLIC_URL", value_parser = public_url)]
    pub public_url: Option<String>,
}

/// A setting of invitations by e-mail that cannot be. No text has the URL in it: it holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailConfigError {
    /// Not an SMTP URL.
    #[error("--smtp-url must be smtps://USER:PASSWORD@HOST:PORT or smtp://USER:PASSWORD@HOST:PORT?tls=required: {0}")]
    Url(String),
    /// Passwords and links would be readable on the way.
    #[error("--smtp-url without TLS is for a mail server on this machine alone: use smtps:// or ?tls=required")]
    Clear,
    /// The certificates cannot be read.
    #[error("cannot take certificates from --smtp-ca {0}: {1}")]
    Certificates(String, String),
    /// Nobody is the sender.
    #[error("--smtp-url needs --mail-from: who the mails are from")]
    NoSender,
    /// Links would lead nowhere.
    #[error("--smtp-url needs --public-url: the address people reach this server at, for the links in mails")]
    NoPublicUrl,
}

fn public_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let fits = matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    if fits && url.fragment().is_none() {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("must be https:// and a host".to_owned())
    }
}

/// To the mail server.
pub(crate) type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// How mails are sent.
pub(crate) struct MailServer {
    pub(crate) transport: Transport,
    pub(crate) from: Mailbox,
}

impl MailConfig {
    /// How mails are sent; nothing where they are not.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(crate) fn server(&self) -> Result<Option<MailServer>, MailConfigError> {
        let Some(url) = &self.smtp_url else { return Ok(None) };
        let from = self.mail_from.clone().ok_or(MailConfigError::NoSender)?;
        Ok(Some(MailServer { transport: self.transport(url)?, from }))
    }

    /// The address of the web server in links, where it listens at `listen`.
    ///
    /// # Errors
    /// [`MailConfigError::NoPublicUrl`] where others cannot reach that.
    pub(crate) fn base(&self, listen: std::net::SocketAddr) -> Result<String, MailConfigError> {
        match &self.public_url {
            Some(url) => Ok(url.clone()),
            None if listen.ip().is_loopback() => Ok(format!("http://{listen}")),
            None => Err(MailConfigError::NoPublicUrl),
        }
    }

    fn transport(&self, url: &str) -> Result<Transport, MailConfigError> {
        let wrong = |what: &str| MailConfigError::Url(what.to_owned());
        let mut url = Url::parse(url).map_err(|error| MailConfigError::Url(error.to_string()))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it has no host"))?.to_owned();
        let (tls, port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (Tls::Wrapper(self.tls(&host)?), 465),
            ("smtp", Some("tls=required")) => (Tls::Required(self.tls(&host)?), 587),
            ("smtp", None) if is_here(&host) => (Tls::None, 25),
            ("smtp", None) => return Err(MailConfigError::Clear),
            ("smtp" | "smtps", Some(_)) => return Err(wrong("it has an unknown parameter")),
            _ => return Err(wrong("it has another scheme")),
        };
        let port = url.port().unwrap_or(port);
        // Where lettre finds no TLS in it, it takes the name and the password, and leaves TLS to what is set here.
        url.set_query(None);
        url.set_scheme("smtp").map_err(|()| wrong("it has another scheme"))?;
        let builder = Transport::from_url(url.as_str()).map_err(|_| wrong("the name or the password is not UTF-8"))?;
        let builder = builder.port(port).tls(tls).timeout(Some(limits::ANSWER_WITHIN));
        // Mails go one after the other.
        Ok(builder.pool_config(PoolConfig::new().max_size(1)).build())
    }

    fn tls(&self, host: &str) -> Result<TlsParameters, MailConfigError> {
        let parameters = TlsParameters::builder(host.trim_matches(['[', ']']).to_owned());
        let Some(file) = &self.smtp_ca else {
            return parameters.build().map_err(|error| MailConfigError::Url(error.to_string()));
        };
        let failed = |error: String| MailConfigError::Certificates(file.display().to_string(), error);
        let pem = fs::read(file).map_err(|error| failed(error.to_string()))?;
        let certificates = Certificate::from_pem(&pem).map_err(|error| failed(error.to_string()))?;
        let parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(certificates);
        parameters.build().map_err(|error| failed(error.to_string()))
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str) -> Option<MailConfigError> {
        let from = "a@example.org".parse().ok();
        MailConfig { smtp_url: Some(url.to_owned()), mail_from: from, ..MailConfig::default() }.server().err()
    }

    // The transport keeps its connections in a task.
    #[tokio::test]
    async fn passwords_go_to_no_other_machine_in_clear() {
        assert_eq!(error("smtp://127.0.0.1:2525"), None);
        assert_eq!(error("smtp://[::1]:2525"), None);
        assert_eq!(error("smtp://ann:secret@localhost"), None);
        assert_eq!(error("smtp://mail.example.org"), Some(MailConfigError::Clear));
        assert_eq!(error("smtp://ann:secret@127.0.0.1.example.org"), Some(MailConfigError::Clear));
    }

    #[test]
    fn no_error_tells_the_password() {
        for url in [
            "http://ann:secret@mail.example.org",
            "smtp://ann:secret@mail.example.org?tls=opportunistic",
            "smtps://ann:secret@mail.example.org?tls=none",
            "smtp:ann:secret",
            "secret",
            "smtp://ann:secret@mail.example.org:port",
        ] {
            let error = error(url).unwrap();
            assert!(matches!(error, MailConfigError::Url(_)), "{url}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn certificates_that_are_none_are_told() {
        let file = std::env::temp_dir().join("dais-there-is-no-such-certificate");
        let config = MailConfig {
            smtp_url: Some("smtps://mail.example.org".to_owned()),
            smtp_ca: Some(file),
            mail_from: "a@example.org".parse().ok(),
            public_url: None,
        };
        assert!(matches!(config.server().err(), Some(MailConfigError::Certificates(..))));
    }

    #[test]
    fn links_need_an_address_that_others_reach() {
        let config = |public: &str| MailConfig { public_url: public_url(public).ok(), ..MailConfig::default() };
        let (here, open) = ("127.0.0.1:8080".parse().unwrap(), "0.0.0.0:8080".parse().unwrap());
        assert_eq!(config("-").base(here).unwrap(), "http://127.0.0.1:8080");
        assert_eq!(config("-").base(open), Err(MailConfigError::NoPublicUrl));
        assert_eq!(config("https://example.org/").base(open).unwrap(), "https://example.org");
        for wrong in ["example.org", "ftp://example.org", "https://example.org/#a", "https://example.org/?a=b"] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}
