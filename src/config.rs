//! What can be set when the server is started.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::{Parser, value_parser};
use dais_media::{MediaConfig, SpeechConfig};
use dais_signaling::token::{SECRET_BYTES_MIN, TokenKeys};
use dais_signaling::{Embedding, Origin};
use dais_stage::{Codec, Preset, Settings, limits};

use crate::mail::MailConfig;
use crate::webhook::WebhookConfig;

/// A WebRTC SFU with the stage built in.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Config {
    /// Address of the web server. Without a token secret it must be a loopback address.
    #[arg(long, env = "DAIS_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address of the metrics for Prometheus, or off. Default: 127.0.0.1:9464; a free port if --listen takes one.
    #[arg(long, env = "DAIS_METRICS_LISTEN")]
    pub metrics_listen: Option<MetricsListen>,
    /// Address media sockets bind to. Default: the address of --listen.
    #[arg(long, env = "DAIS_MEDIA_IP")]
    pub media_ip: Option<IpAddr>,
    /// Address clients reach the media sockets at, best first. Default: --media-ip.
    #[arg(long, env = "DAIS_ANNOUNCE_IP", value_delimiter = ',')]
    pub announce_ip: Vec<IpAddr>,
    /// Media worker threads. Default: one per core.
    #[arg(long, env = "DAIS_WORKERS")]
    pub workers: Option<usize>,
    /// The one UDP port all workers share; 0 takes any that is free. Default: each worker has a free port of its own.
    #[arg(long, env = "DAIS_UDP_PORT")]
    pub udp_port: Option<u16>,
    /// TCP port of media for people whose networks let no UDP through (ICE-TCP); 0 takes any that is free. Default: none.
    #[arg(long, env = "DAIS_MEDIA_TCP_PORT")]
    pub media_tcp_port: Option<u16>,
    /// UDP and TCP port of the TURN server, which relays to the media of this server and to nothing else; 0 takes any
    /// that is free. Default: none.
    #[arg(long, env = "DAIS_TURN_PORT")]
    pub turn_port: Option<u16>,
    /// Addresses of the TURN server told to clients before its own, such as that of a TLS proxy before its port:
    /// turns:turn.example.org:443?transport=tcp.
    #[arg(long, env = "DAIS_TURN_URL", value_delimiter = ',', requires = "turn_port", value_parser = turn_url)]
    pub turn_url: Vec<String>,
    /// Secret that access tokens are signed with, at least 32 bytes. Default: a random one, and a demo room.
    #[arg(long, env = "DAIS_TOKEN_SECRET", hide_env_values = true)]
    pub token_secret: Option<String>,
    /// Folder of the journal and, if no secret is given, of the one that was made.
    #[arg(long, env = "DAIS_DATA", default_value = "dais-data")]
    pub data: PathBuf,
    /// Keep the journal in memory: rooms end with the server.
    #[arg(long, env = "DAIS_IN_MEMORY", conflicts_with = "data")]
    pub in_memory: bool,
    /// Delete what is kept of a session so many days after it has ended: journal and report. Default: it is kept.
    #[arg(long, env = "DAIS_KEEP_SESSIONS_DAYS", value_parser = value_parser!(u32).range(1..))]
    pub keep_sessions_days: Option<u32>,
    /// Key of the HTTP API, at least 32 bytes. Without one there is no API.
    #[arg(long, env = "DAIS_API_KEY", hide_env_values = true)]
    pub api_key: Option<String>,
    /// Origins of pages that may show rooms within them, with the element dais-room, and connect to them: https://portal.example.
    /// Default: none but the server's own.
    #[arg(long, env = "DAIS_EMBED_ORIGIN", value_delimiter = ',')]
    pub embed_origin: Vec<Origin>,
    /// Invitations by e-mail.
    #[command(flatten)]
    pub mail: MailConfig,
    /// Webhooks.
    #[command(flatten)]
    pub webhooks: WebhookConfig,
    /// Preset of rooms that do not say: event, webinar or meeting.
    #[arg(long, env = "DAIS_PRESET", default_value = "event", value_parser = preset)]
    pub preset: Preset,
    /// Codec of cameras and screens in rooms that do not say: vp8, h264, vp9 or av1. Where somebody in the room does not
    /// decode it, it is VP8.
    #[arg(long, env = "DAIS_CODEC", default_value = "vp8", value_parser = codec)]
    pub codec: Codec,
    /// A packet this loud or louder may be voice, -dBov. Lower is stricter.
    #[arg(long, env = "DAIS_SPEECH_THRESHOLD", default_value_t = SpeechConfig::default().voice_dbov)]
    pub speech_threshold: u8,
    /// Speech ends this long after its last voice, ms.
    #[arg(long, env = "DAIS_SPEECH_HANGOVER", default_value_t = SpeechConfig::default().hangover.as_millis() as u64)]
    pub speech_hangover: u64,
    /// Voice is at least this far above the background noise, dB; 0 takes no notice of noise.
    #[arg(long, env = "DAIS_SPEECH_MARGIN", default_value_t = SpeechConfig::default().floor_margin_db)]
    pub speech_margin: u8,
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

/// Where metrics are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsListen {
    /// Nowhere.
    Off,
    /// At this address; with port 0, at a free port.
    At(SocketAddr),
}

impl FromStr for MetricsListen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            _ => text.parse().map(Self::At).map_err(|_| "must be an address with a port, or off"),
        }
    }
}

/// Where metrics are served unless it is said. Nobody else uses the port on a usual server, and on loopback only those
/// who are on the machine read them.
const METRICS_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

fn turn_url(text: &str) -> Result<String, String> {
    let known = ["turn:", "turns:"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    // A browser that finds one of another form makes no connection at all.
    known
        .then(|| text.to_owned())
        .ok_or_else(|| "must begin with turn: or turns: and name a host (RFC 7065)".to_owned())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|capacity| *capacity > 0).ok_or_else(|| "must be a number of at least 1".to_owned())
}

fn preset(text: &str) -> Result<Preset, String> {
    match text {
        "event" => Ok(Preset::Event),
        "webinar" => Ok(Preset::Webinar),
        "meeting" => Ok(Preset::Meeting),
        _ => Err("must be event, webinar or meeting".to_owned()),
    }
}

fn codec(text: &str) -> Result<Codec, String> {
    match text {
        "vp8" => Ok(Codec::Vp8),
        "h264" => Ok(Codec::H264),
        "vp9" => Ok(Codec::Vp9),
        "av1" => Ok(Codec::Av1),
        _ => Err("must be vp8, h264, vp9 or av1".to_owned()),
    }
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
    /// The API key can be guessed.
    #[error("the API key must have at least {SECRET_BYTES_MIN} bytes")]
    ApiKeyTooShort,
    /// The system has no randomness.
    #[error("no randomness for a token secret")]
    NoRandomness,
    /// The file of the token secret cannot be read or written.
    #[error("cannot keep the token secret in {0}: {1}")]
    SecretFile(String, String),
}

impl Config {
    /// The defaults, on free ports of the loopback interface.
    ///
    /// # Panics
    /// Never: the defaults parse.
    #[must_use]
    pub fn loopback() -> Self {
        Self::parse_from(["dais", "--listen", "127.0.0.1:0", "--workers", "2", "--in-memory"])
    }

    /// Address to serve metrics at, if they are to be served.
    pub(crate) fn metrics_address(&self) -> Option<SocketAddr> {
        match self.metrics_listen {
            Some(MetricsListen::Off) => None,
            Some(MetricsListen::At(address)) => Some(address),
            // Whoever takes any free port runs several servers on a machine.
            None if self.listen.port() == 0 => Some(SocketAddr::new(METRICS_LISTEN.ip(), 0)),
            None => Some(METRICS_LISTEN),
        }
    }

    /// Whether to make the demo room.
    #[must_use]
    pub fn makes_demo(&self) -> bool {
        self.demo || self.token_secret.is_none()
    }

    /// Settings of the demo room, which is there as long as the server is.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let (capacity, camera_limit, codec) = (self.capacity, self.camera_limit, self.codec);
        Settings { capacity, camera_limit, codec, empty_after_ms: 0, ..Settings::preset(self.preset) }
    }

    pub(crate) fn api_key(&self) -> Result<Option<Arc<str>>, ConfigError> {
        let key = self.api_key.as_deref();
        key.map(|key| if key.len() < SECRET_BYTES_MIN { Err(ConfigError::ApiKeyTooShort) } else { Ok(key.into()) })
            .transpose()
    }

    /// Which pages of other origins there may be.
    pub(crate) fn embedding(&self) -> Embedding {
        let own = self.mail.public_url.as_ref().and_then(|url| url::Url::parse(url).ok());
        // A public URL may have a path.
        let own = own.and_then(|url| url.origin().ascii_serialization().parse().ok());
        Embedding { origins: self.embed_origin.clone().into(), own }
    }

    pub(crate) fn token_keys(&self) -> Result<TokenKeys, ConfigError> {
        match &self.token_secret {
            Some(secret) => TokenKeys::from_secret(secret.as_bytes()).ok_or(ConfigError::SecretTooShort),
            None if !self.listen.ip().is_loopback() => Err(ConfigError::SecretNeeded(self.listen)),
            None => TokenKeys::from_secret(&self.kept_secret()?).ok_or(ConfigError::SecretTooShort),
        }
    }

    /// A random secret, the same one every time where there is a folder to keep it in: links outlive the server.
    fn kept_secret(&self) -> Result<Vec<u8>, ConfigError> {
        let file = self.data.join("token-secret");
        let failed = |error: std::io::Error| ConfigError::SecretFile(file.display().to_string(), error.to_string());
        if !self.in_memory && file.exists() {
            return fs::read(&file).map_err(failed);
        }
        let mut secret = vec![0u8; SECRET_BYTES_MIN];
        getrandom::fill(&mut secret).map_err(|_| ConfigError::NoRandomness)?;
        if !self.in_memory {
            fs::create_dir_all(&self.data).map_err(failed)?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            options.open(&file).and_then(|mut file| file.write_all(&secret)).map_err(failed)?;
        }
        Ok(secret)
    }

    pub(crate) fn media(&self) -> MediaConfig {
        let bind = self.media_ip.unwrap_or(match self.listen.ip() {
            ip if ip.is_unspecified() => Ipv4Addr::UNSPECIFIED.into(),
            ip => ip,
        });
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let speech = SpeechConfig {
            voice_dbov: self.speech_threshold,
            hangover: Duration::from_millis(self.speech_hangover),
            floor_margin_db: self.speech_margin,
            ..SpeechConfig::default()
        };
        MediaConfig {
            workers: self.workers.unwrap_or(cores.min(64)),
            bind,
            port: self.udp_port,
            tcp_port: self.media_tcp_port,
            turn_port: self.turn_port,
            announce: self.announce_ip.clone(),
            speech,
        }
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
        assert!(parsed(&["--in-memory"]).token_keys().is_ok());
        let open = parsed(&["--listen", "0.0.0.0:8080"]);
        assert_eq!(open.token_keys().err(), Some(ConfigError::SecretNeeded(open.listen)));
        let secret = "a secret of more than thirty-two bytes";
        assert!(parsed(&["--listen", "0.0.0.0:8080", "--token-secret", secret]).token_keys().is_ok());
        assert_eq!(parsed(&["--token-secret", "short"]).token_keys().err(), Some(ConfigError::SecretTooShort));
    }

    #[test]
    fn a_secret_that_was_made_is_kept() {
        let folder = std::env::temp_dir().join(format!("dais-{}-secret", std::process::id()));
        let config = parsed(&["--data", folder.to_str().unwrap()]);
        assert_eq!(config.kept_secret().unwrap(), config.kept_secret().unwrap());
        fs::remove_dir_all(folder).unwrap();
        let memory = parsed(&["--in-memory"]);
        assert_ne!(memory.kept_secret().unwrap(), memory.kept_secret().unwrap());
    }

    #[test]
    fn metrics_are_served_on_loopback_unless_it_is_said() {
        let address = |args: &[&str]| parsed(args).metrics_address().map(|address| address.to_string());
        assert_eq!(address(&[]).as_deref(), Some("127.0.0.1:9464"));
        assert_eq!(address(&["--listen", "127.0.0.1:0"]).as_deref(), Some("127.0.0.1:0"));
        assert_eq!(address(&["--metrics-listen", "[::1]:9100"]).as_deref(), Some("[::1]:9100"));
        assert_eq!(address(&["--metrics-listen", "off"]), None);
        let wrong = Config::try_parse_from(["dais", "--metrics-listen", "9464"]).unwrap_err().to_string();
        assert!(wrong.contains("must be an address with a port, or off"), "{wrong}");
    }

    // law: preset-default
    #[test]
    fn a_deployment_chooses_its_default_preset() {
        assert_eq!(parsed(&[]).settings().access, dais_stage::Access::Everyone);
        let webinar = parsed(&["--preset", "webinar"]);
        assert_eq!(webinar.settings().access, dais_stage::Access::Request);
        assert!(Config::try_parse_from(["dais", "--preset", "party"]).is_err());
    }

    #[test]
    fn a_turn_address_has_its_scheme() {
        let with = |url: &str| Config::try_parse_from(["dais", "--turn-port", "3478", "--turn-url", url]);
        let two = with("turns:turn.example.org:443?transport=tcp,turn:192.0.2.1").unwrap().turn_url;
        assert_eq!(two, ["turns:turn.example.org:443?transport=tcp", "turn:192.0.2.1"]);
        for wrong in ["turn.example.org", "https://turn.example.org", "turn:"] {
            assert!(with(wrong).unwrap_err().to_string().contains("must begin with turn: or turns:"), "{wrong}");
        }
        assert!(Config::try_parse_from(["dais", "--turn-url", "turn:192.0.2.1"]).is_err(), "of no server");
    }

    #[test]
    fn pages_that_may_show_rooms_are_named_by_their_origin() {
        let args = ["--embed-origin", "https://a.example,https://b.example", "--embed-origin", "https://c.example"];
        let Embedding { origins, own } = parsed(&args).embedding();
        let origins: Vec<String> = origins.iter().map(Origin::to_string).collect();
        assert_eq!(
            (&origins[..], own),
            (&["https://a.example", "https://b.example", "https://c.example"].map(str::to_owned)[..], None)
        );
        let public = parsed(&["--public-url", "https://stage.example/live"]).embedding().own;
        assert_eq!(public, Some("https://stage.example".parse().unwrap()));
        let wrong = Config::try_parse_from(["dais", "--embed-origin", "portal.example"]).unwrap_err().to_string();
        assert!(wrong.contains("must be https:// and a host"), "{wrong}");
    }

    #[test]
    fn sessions_are_kept_unless_it_is_said_for_how_many_days() {
        assert_eq!(parsed(&[]).keep_sessions_days, None);
        assert_eq!(parsed(&["--keep-sessions-days", "30"]).keep_sessions_days, Some(30));
        for wrong in ["0", "-1", "a week"] {
            assert!(Config::try_parse_from(["dais", "--keep-sessions-days", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_capacity_of_nobody_is_refused() {
        assert!(Config::try_parse_from(["dais", "--capacity", "0"]).is_err());
    }
}
