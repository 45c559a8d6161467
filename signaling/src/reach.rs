//! How clients reach the media: what rooms and the connectivity test need to know of the data plane.

use crate::protocol::{IceServer, SessionError};

/// The data plane, as far as clients have to find it.
pub trait Reach: Send + Sync {
    /// TURN servers with credentials of their own for one client, best first; empty where there are none.
    ///
    /// # Errors
    /// `internal` when the system has no randomness.
    fn ice_servers(&self) -> Result<Vec<IceServer>, SessionError>;
}
