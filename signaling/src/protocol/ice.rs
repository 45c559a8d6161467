//! How clients reach the media, beside what answers say.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// A TURN server, as `RTCPeerConnection` takes it (W3C WebRTC §4.2.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct IceServer {
    /// Its addresses, best first (RFC 7065).
    pub urls: Vec<String>,
    /// Valid for a day.
    pub username: String,
    /// Its password.
    pub credential: String,
}

/// The server's half of the credentials of an ICE session (RFC 8445 §5.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct IceCredentials {
    /// User fragment.
    pub ufrag: String,
    /// Password.
    pub pwd: String,
}
