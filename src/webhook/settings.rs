//! What can be set of webhooks.

use clap::Args;
use url::Url;

use super::receiver::Receiver;
use super::sign::Key;
use super::{client, limits};

/// Settings of webhooks.
#[derive(Clone, Debug, Default, Args)]
pub struct WebhookConfig {
    /// Addresses that are told what happens in rooms: https://portal.example/hooks. Default: none.
    #[arg(long, env = "DAIS_WEBHOOK_URL", value_delimiter = ',', requires = "webhook_secret", hide_env_values = true)]
    pub webhook_url: Vec<String>,
    /// Secret that webhooks are signed with: at least 32 bytes, or whsec_ and the Base64 of at least 24.
    #[arg(long, env = "DAIS_WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,
}

/// A setting of webhooks that cannot be. No text has a URL in it: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookConfigError {
    /// Not an HTTP URL.
    #[error("--webhook-url must be http:// or https:// with a host and without a password: {0}")]
    Url(&'static str),
    /// More than there may be.
    #[error("there can be {} addresses in --webhook-url", limits::RECEIVERS)]
    TooMany,
    /// Nobody could tell whether an event is from this server.
    #[error(
        "--webhook-url needs --webhook-secret: at least {} bytes, or whsec_ and the Base64 of at least {}",
        limits::SECRET_BYTES,
        limits::KEY_BYTES
    )]
    Secret,
    /// Nobody could be told apart from others over TLS.
    #[error("webhooks over TLS are not to be had: {0}")]
    Tls(String),
}

impl WebhookConfig {
    /// Those who are told.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(crate) fn receivers(&self) -> Result<Vec<Receiver>, WebhookConfigError> {
        if self.webhook_url.is_empty() {
            return Ok(Vec::new());
        }
        if self.webhook_url.len() > limits::RECEIVERS {
            return Err(WebhookConfigError::TooMany);
        }
        let key = self.webhook_secret.as_deref().and_then(Key::new).ok_or(WebhookConfigError::Secret)?;
        let mut urls: Vec<_> = self.webhook_url.iter().map(|url| address(url)).collect::<Result<_, _>>()?;
        urls.sort_unstable();
        // However it is written, an address is told once.
        urls.dedup();
        let secure = urls.iter().any(|url| url.scheme() == "https");
        let client = client::client(secure).map_err(|error| WebhookConfigError::Tls(error.to_string()))?;
        let receiver = |(index, url)| Receiver::new(index, url, key.clone(), client.clone());
        Ok(urls.into_iter().enumerate().map(receiver).collect())
    }
}

fn address(text: &str) -> Result<Url, WebhookConfigError> {
    let url = Url::parse(text).map_err(|_| WebhookConfigError::Url("it is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(WebhookConfigError::Url("it has another scheme"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(WebhookConfigError::Url("requests are signed, and carry no password"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(urls: &[&str], secret: Option<&str>) -> Option<WebhookConfigError> {
        let config = WebhookConfig {
            webhook_url: urls.iter().map(|url| (*url).to_owned()).collect(),
            webhook_secret: secret.map(str::to_owned),
        };
        config.receivers().err()
    }

    #[test]
    fn one_address_is_one_receiver_however_it_is_written() {
        let urls = ["http://portal.example", "http://Portal.example:80/", "http://portal.example/hooks"];
        let config = WebhookConfig {
            webhook_url: urls.map(str::to_owned).to_vec(),
            webhook_secret: Some("a secret of more than thirty-two bytes".to_owned()),
        };
        assert_eq!(config.receivers().unwrap().len(), 2);
    }

    #[test]
    fn what_cannot_be_is_told_without_its_secrets() {
        const SECRET: Option<&str> = Some("a secret of more than thirty-two bytes");
        assert_eq!(error(&[], None), None);
        assert_eq!(error(&["https://portal.example/hooks?room=1", "http://10.0.0.1:9000"], SECRET), None);
        assert_eq!(error(&["https://portal.example"], None), Some(WebhookConfigError::Secret));
        assert_eq!(error(&["https://portal.example"], Some("short")), Some(WebhookConfigError::Secret));
        assert_eq!(
            error(&["https://portal.example"; limits::RECEIVERS + 1], SECRET),
            Some(WebhookConfigError::TooMany)
        );
        for wrong in ["portal.example/secret", "ftp://portal.example/secret", "https://ann:secret@portal.example"] {
            let error = error(&[wrong], SECRET).unwrap();
            assert!(matches!(error, WebhookConfigError::Url(_)), "{wrong}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
