//! What clients talk to: the WebSocket protocol ([`protocol`], described in docs/protocol.md), access tokens
//! ([`token`]), the HTTP API ([`api`]), publishing and playing over HTTP (WHIP and WHEP, described in docs/whip.md), and
//! the embedded web client.
//!
//! A session authenticates with a token, is told what it may do, enters the room, and from then on is a queue of
//! messages each way. The room itself lives elsewhere, behind [`RoomHandle`] and [`Directory`].
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr))]

pub mod api;
#[cfg(feature = "client")]
mod client;
mod connectivity;
mod embedding;
pub mod limits;
pub mod protocol;
mod rate;
mod reach;
mod room;
mod server;
mod session;
mod socket;
pub mod token;
mod whip;

pub use embedding::{Embedding, NotAnOrigin, Origin};
pub use reach::Reach;
pub use room::{
    Admitted, Directory, Entering, NotQueued, Outgoing, Reason, RoomHandle, RoomMessage, SessionEvent, SessionId,
    SessionQueue, Visitor, Welcome, Wish,
};
pub use server::{Signaling, router};
