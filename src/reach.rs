//! How clients reach the media, told to them by signaling.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use async_trait::async_trait;
use dais_media::sdp::Offer;
use dais_media::{Codec, MediaKind, MediaPlane, ParticipantId, RoomId};
use dais_signaling::limits::TEST_LASTS;
use dais_signaling::protocol::{IceServer, SessionError};
use dais_signaling::{Reach, Reason};

/// The room of connectivity tests. Real ones are numbered from 0.
const TESTS: RoomId = RoomId(u32::MAX);

/// The data plane, and what the configuration says of the way to it.
pub(crate) struct MediaReach {
    media: Arc<MediaPlane>,
    /// Addresses of the TURN server that it does not know itself, best first.
    turn_urls: Vec<String>,
    tests: AtomicU32,
}

impl MediaReach {
    pub(crate) async fn new(media: Arc<MediaPlane>, turn_urls: Vec<String>) -> Self {
        // Nobody hears of what happens in it: whether a test succeeds, its client knows.
        drop(media.open_room(TESTS).await);
        Self { media, turn_urls, tests: AtomicU32::new(0) }
    }
}

#[async_trait]
impl Reach for MediaReach {
    fn takes_tcp(&self) -> bool {
        self.media.takes_tcp()
    }

    fn ice_servers(&self) -> Result<Vec<IceServer>, SessionError> {
        let turn = self.media.turn(SystemTime::now()).map_err(|_| SessionError::Internal)?;
        let Some((addresses, credentials)) = turn else { return Ok(Vec::new()) };
        let own = addresses.iter().flat_map(|address| ["udp", "tcp"].map(|transport| url(*address, transport)));
        let urls = self.turn_urls.iter().cloned().chain(own).collect();
        Ok(vec![IceServer { urls, username: credentials.username, credential: credentials.password }])
    }

    async fn test(&self, offer: String) -> Result<String, Reason> {
        let offer = Offer::parse_player(&offer, Codec::Vp8)
            .map_err(|error| Reason { code: error.code(), text: error.to_string() })?;
        let participant = ParticipantId(self.tests.fetch_add(1, Ordering::Relaxed));
        let connecting = self.media.connect(TESTS, participant, offer, [false; MediaKind::ALL.len()]);
        let (answer, _) = connecting.await.map_err(|_| SessionError::Internal)?;
        let media = Arc::downgrade(&self.media);
        tokio::spawn(async move {
            tokio::time::sleep(TEST_LASTS).await;
            if let Some(media) = media.upgrade() {
                media.disconnect(TESTS, participant).await;
            }
        });
        Ok(answer)
    }
}

/// RFC 7065 §3.1; an IPv6 address has its brackets.
fn url(address: SocketAddr, transport: &str) -> String {
    format!("turn:{address}?transport={transport}")
}
