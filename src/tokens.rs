//! Role links as tokens.

use dais_signaling::protocol::SessionError;
use dais_signaling::token::{Claims, TokenKeys};
use dais_stage::{Millis, Role};

/// The token of role link number `link` of `room`. It is the same each time: it is not kept.
///
/// # Errors
/// [`SessionError::Internal`] when it cannot be signed.
pub(crate) fn sign_link(
    keys: &TokenKeys,
    room: &str,
    link: u32,
    role: Role,
    expires: Millis,
) -> Result<String, SessionError> {
    keys.sign(&Claims { link: Some(link), ..Claims::new(room, role, expires.0 / 1_000) })
}
