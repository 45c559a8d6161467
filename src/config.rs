//! What can be set when the server is started.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread;

use clap::Parser;
use dais_media::MediaConfig;
use dais_signaling::token::{SECRET_BYTES_MIN, TokenKeys};
use dais_stage::{Settings, limits};

/// A WebRTC SFU with the stage built in.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Config {
    /// Address of the web server. Without a token secret it must be a loopback address.
    #[arg(long, env = "DAIS_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address media sockets bind to. Default: the address of --listen.
    #[arg(long, env = "DAIS_MEDIA_IP")]
    pub media_ip: Option<IpAddr>,
    /// Address clients reach the media sockets at, best first. Default: --media-ip.
    #[arg(long, env = "DAIS_ANNOUNCE_IP", value_delimiter = ',')]
    pub announce_ip: Vec<IpAddr>,
    /// Media worker threads, each with a UDP port of its own. Default: one per core.
    #[arg(long, env = "DAIS_WORKERS")]
    pub workers: Option<usize>,
    /// Secret that access tokens are signed with, at least 32 bytes. Default: a random one, and a demo room.
    #[arg(long, env = "DAIS_TOKEN_SECRET", hide_env_values = true)]
    pub token_secret: Option<String>,
    /// Make the demo room and print its links although a token secret is set.
    #[arg(long)]
    pub demo: bool,
    /// Most people on stage in the demo room.
    #[arg(long, default_value_t = limits::CAPACITY_DEFAULT, value_parser = at_least_one)]
    pub capacity: usize,
    /// Most cameras shown in the demo room.
    #[arg(long, default_value_t = limits::CAMERA_SLOTS)]
    pub camera_limit: usize,
    /// Log as JSON.
    #[arg(long, env = "DAIS_LOG_JSON")]
    pub log_json: bool,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|capacity| *capacity > 0).ok_or_else(|| "must be a number of at least 1".to_owned())
}

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Open to the network with a secret nobody knows.
    #[error("--listen {0} is open to the network: set a token secret (--token-secret or DAIS_TOKEN_SECRET)")]
    SecretNeeded(SocketAddr),
    /// The secret can be guessed.
    #[error("the token secret must have at least {SECRET_BYTES_MIN} bytes")]
    SecretTooShort,
    /// The system has no randomness.
    #[error("no randomness for a token secret")]
    NoRandomness,
}

impl Config {
    /// The defaults, on free ports of the loopback interface.
    ///
    /// # Panics
    /// Never: the defaults parse.
    #[must_use]
    pub fn loopback() -> Self {
        Self::parse_from(["dais", "--listen", "127.0.0.1:0", "--workers", "2"])
    }

    /// Whether to make the demo room.
    #[must_use]
    pub fn makes_demo(&self) -> bool {
        self.demo || self.token_secret.is_none()
    }

    /// Settings of the demo room.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings { capacity: self.capacity, camera_limit: self.camera_limit, ..Settings::default() }
    }

    pub(crate) fn token_keys(&self) -> Result<TokenKeys, ConfigError> {
        match &self.token_secret {
            Some(secret) => TokenKeys::from_secret(secret.as_bytes()).ok_or(ConfigError::SecretTooShort),
            None if !self.listen.ip().is_loopback() => Err(ConfigError::SecretNeeded(self.listen)),
            None => {
                let mut secret = [0u8; SECRET_BYTES_MIN];
                getrandom::fill(&mut secret).map_err(|_| ConfigError::NoRandomness)?;
                TokenKeys::from_secret(&secret).ok_or(ConfigError::SecretTooShort)
            }
        }
    }

    pub(crate) fn media(&self) -> MediaConfig {
        let bind = self.media_ip.unwrap_or(match self.listen.ip() {
            ip if ip.is_unspecified() => Ipv4Addr::UNSPECIFIED.into(),
            ip => ip,
        });
        let cores = thread::available_parallelism().map_or(1, usize::from);
        MediaConfig { workers: self.workers.unwrap_or(cores.min(64)), bind, announce: self.announce_ip.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Config {
        Config::parse_from(["dais"].iter().chain(args))
    }

    #[test]
    fn without_a_secret_only_loopback_is_served() {
        assert!(parsed(&[]).token_keys().is_ok());
        let open = parsed(&["--listen", "0.0.0.0:8080"]);
        assert_eq!(open.token_keys().err(), Some(ConfigError::SecretNeeded(open.listen)));
        let secret = "a secret of more than thirty-two bytes";
        assert!(parsed(&["--listen", "0.0.0.0:8080", "--token-secret", secret]).token_keys().is_ok());
        assert_eq!(parsed(&["--token-secret", "short"]).token_keys().err(), Some(ConfigError::SecretTooShort));
    }

    #[test]
    fn a_capacity_of_nobody_is_refused() {
        assert!(Config::try_parse_from(["dais", "--capacity", "0"]).is_err());
    }
}
