//! How clients reach the media, told to them by signaling.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use dais_media::MediaPlane;
use dais_signaling::Reach;
use dais_signaling::protocol::{IceServer, SessionError};

/// The data plane, and what the configuration says of the way to it.
pub(crate) struct MediaReach {
    pub(crate) media: Arc<MediaPlane>,
    /// Addresses of the TURN server that it does not know itself, best first.
    pub(crate) turn_urls: Vec<String>,
}

impl Reach for MediaReach {
    fn ice_servers(&self) -> Result<Vec<IceServer>, SessionError> {
        let turn = self.media.turn(SystemTime::now()).map_err(|_| SessionError::Internal)?;
        let Some((addresses, credentials)) = turn else { return Ok(Vec::new()) };
        let own = addresses.iter().flat_map(|address| ["udp", "tcp"].map(|transport| url(*address, transport)));
        let urls = self.turn_urls.iter().cloned().chain(own).collect();
        Ok(vec![IceServer { urls, username: credentials.username, credential: credentials.password }])
    }
}

/// RFC 7065 §3.1; an IPv6 address has its brackets.
fn url(address: SocketAddr, transport: &str) -> String {
    format!("turn:{address}?transport={transport}")
}
