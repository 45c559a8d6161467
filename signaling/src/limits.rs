//! Every limit of signaling: its value, its reason, and what happens there.

use std::time::Duration;

/// Version of the protocol. A client that speaks another is refused with `protocol_version`.
pub const PROTOCOL: u32 = 1;

/// Longest message of a client, bytes: an SDP offer of 256 KiB in JSON, where every line end takes four bytes instead
/// of two. A longer one is refused with `message_too_large` and ends the session.
pub const MESSAGE_BYTES_MAX: usize = 384 * 1024;
/// Longest WebSocket message read at all, bytes. Beyond it the connection is closed without a look.
pub const FRAME_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A session that has not said hello, or not entered the room, by then is closed with `too_slow`: long enough for
/// somebody to choose their devices.
pub const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// See [`HELLO_WITHIN`].
pub const ENTER_WITHIN: Duration = Duration::from_secs(30 * 60);
/// Interval of WebSocket pings (LiveKit: 5 s).
pub const PING_INTERVAL: Duration = Duration::from_secs(5);
/// A client that was not heard of for this long is gone (LiveKit: 15 s).
pub const SILENT_MAX: Duration = Duration::from_secs(15);
/// Messages waiting for a session. One that cannot keep up loses its updates and gets a fresh snapshot instead.
pub const QUEUE_MESSAGES: usize = 256;
/// Messages waiting for a room. More means the room is overloaded; sessions wait.
pub const ROOM_MESSAGES: usize = 1_024;

const _: () = assert!(MESSAGE_BYTES_MAX < FRAME_BYTES_MAX, "a message too large is read, so that it can be answered");
