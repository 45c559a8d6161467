//! How clients reach the media: what rooms and the connectivity test need to know of the data plane.

use async_trait::async_trait;

use crate::protocol::{IceServer, SessionError};
use crate::room::Reason;

/// The data plane, as far as clients have to find it.
#[async_trait]
pub trait Reach: Send + Sync {
    /// Whether media is taken over TCP.
    fn takes_tcp(&self) -> bool;

    /// TURN servers with credentials of their own for one client, best first; empty where there are none.
    ///
    /// # Errors
    /// `internal` when the system has no randomness.
    fn ice_servers(&self) -> Result<Vec<IceServer>, SessionError>;

    /// Answers the SDP offer of a connection that is made to see whether it can be: it is in no room anybody is in,
    /// sends to nobody and receives nothing, and ends after [`TEST_LASTS`](crate::limits::TEST_LASTS).
    ///
    /// # Errors
    /// The code of the offer's error, or `internal`.
    async fn test(&self, offer: String) -> Result<String, Reason>;
}
