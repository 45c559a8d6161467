//! Where everybody goes, made ready: address, tokens, sockets, media threads.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use crate::engine::{Engine, Settings};
use crate::error::LoadError;
use crate::join::{Tokens, Venue};
use crate::random::Random;
use crate::system::{SocketOptions, bind};
use crate::url::HttpUrl;

/// What the command line says of it.
pub(crate) struct VenueOptions<'a> {
    /// The server, `http://host:port`.
    pub(crate) url: &'a str,
    pub(crate) room: &'a str,
    /// A token that everybody shares.
    pub(crate) token: Option<&'a str>,
    /// The server's secret, to sign a token for each.
    pub(crate) token_secret: Option<&'a str>,
    /// Addresses to send from, in turn; empty for whichever the server is reached from.
    pub(crate) local_ips: &'a [IpAddr],
    pub(crate) socket: SocketOptions,
    /// Media threads.
    pub(crate) threads: usize,
    /// How many come.
    pub(crate) people: usize,
}

impl VenueOptions<'_> {
    /// Starts the media threads.
    ///
    /// # Errors
    /// When an option makes no sense, or the system does not give what is needed.
    pub(crate) fn open(&self, settings: Settings, random: &Random) -> Result<Arc<Venue>, LoadError> {
        let url = HttpUrl::parse(self.url).ok_or_else(|| LoadError::UrlInvalid(self.url.to_owned()))?;
        let tokens = Tokens::new(self.token_secret, self.token)?;
        raise_files(self.people)?;
        let local_ips = match self.local_ips {
            [] => vec![local_ip(&url)],
            given => given.to_vec(),
        };
        for ip in &local_ips {
            bind(*ip, self.socket).map_err(|error| LoadError::LocalIp(ip.to_string(), error.to_string()))?;
        }
        let engine = Engine::start(self.threads.max(1), settings, random).map_err(|error| harness(&error))?;
        Ok(Arc::new(Venue {
            authority: url.authority,
            room: self.room.to_owned(),
            tokens,
            engine: Arc::new(engine),
            local_ips,
            socket: self.socket,
        }))
    }
}

/// What sessions run on: one thread.
pub(crate) fn runtime() -> Result<Runtime, LoadError> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(|error| harness(&error))
}

fn harness(error: &std::io::Error) -> LoadError {
    LoadError::Harness(error.to_string())
}

/// Two files for each participant, and some for the rest.
fn raise_files(people: usize) -> Result<(), LoadError> {
    let needed = 2 * people as u64 + 200;
    let allowed = rlimit::increase_nofile_limit(needed.max(1_024)).unwrap_or(0);
    if allowed < needed { Err(LoadError::TooFewFiles { needed, allowed }) } else { Ok(()) }
}

/// The address from which `url` is reached: loopback for loopback, else any.
fn local_ip(url: &HttpUrl) -> IpAddr {
    let host = url.authority.rsplit_once(':').map_or("", |(host, _)| host);
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => ip,
        Ok(IpAddr::V6(_)) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        _ if host == "localhost" => Ipv4Addr::LOCALHOST.into(),
        _ => Ipv4Addr::UNSPECIFIED.into(),
    }
}
