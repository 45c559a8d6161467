//! Every limit of signaling: its value, its reason, and what happens there.

use std::time::Duration;

/// Version of the protocol. A client that speaks another is refused with `protocol_version`.
pub const PROTOCOL: u32 = 2;

/// Longest message of a client, bytes: an SDP offer of 256 KiB in JSON, where every line end takes four bytes instead
/// of two. A longer one is refused with `message_too_large` and ends the session.
pub const MESSAGE_BYTES_MAX: usize = 384 * 1024;
/// Longest WebSocket message read at all, bytes. Beyond it the connection is closed without a look.
pub const FRAME_BYTES_MAX: usize = 2 * 1024 * 1024;
/// What a WebSocket reads at once, bytes: requests are small, and thousands of sessions wait. As much of a buffer made for an
/// offer is left when the offer has been read, and it is kept until what comes next has filled it.
pub const READ_BUFFER_BYTES: usize = 1_024;
/// Largest frame of a WebSocket that is written, bytes; longer messages are several. An answer has 20 kB and leaves once.
pub const WRITTEN_FRAME_BYTES: usize = 4 * 1024;
/// A session that has not said hello, or not entered the room, by then is closed with `too_slow`: long enough for
/// somebody to choose their devices.
pub const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// See [`HELLO_WITHIN`].
pub const ENTER_WITHIN: Duration = Duration::from_secs(30 * 60);
/// Interval of WebSocket pings (LiveKit: 5 s).
pub const PING_INTERVAL: Duration = Duration::from_secs(5);
/// A client that was not heard of for this long is gone (LiveKit: 15 s).
pub const SILENT_MAX: Duration = Duration::from_secs(15);
/// A session may send this many requests a second, and [`REQUESTS_AT_ONCE`] at once; more are refused with
/// `rate_limited`. A person at the page makes a few a second.
pub const REQUESTS_PER_SECOND: u32 = 20;
/// See [`REQUESTS_PER_SECOND`].
pub const REQUESTS_AT_ONCE: u32 = 100;
/// After this many refusals for sending too much, without a pause between, the session is closed with `rate_limited`.
pub const REFUSED_IN_A_ROW: u32 = 200;
/// A session may say this much in the chat a second, and [`CHAT_AT_ONCE`] at once; more is refused with `rate_limited`.
/// Each message may have 8 kB, and goes to everybody in the room: in one of 5,000 that is 320 Mbit/s.
pub const CHAT_PER_SECOND: u32 = 1;
/// See [`CHAT_PER_SECOND`].
pub const CHAT_AT_ONCE: u32 = 20;
/// A session may send this many reactions a second, and [`REACTIONS_AT_ONCE`] at once; more are refused with `rate_limited`.
/// They are told as counts, whatever their number: this is how much one person can be seen.
pub const REACTIONS_PER_SECOND: u32 = 5;
/// See [`REACTIONS_PER_SECOND`].
pub const REACTIONS_AT_ONCE: u32 = 10;
/// A session may search this often a second, and [`SEARCHES_AT_ONCE`] at once; more are refused with `rate_limited`. Each
/// looks at every name in the room. At the page people make one or two a second, and the pages of what 5,000 have in their
/// names are 50.
pub const SEARCHES_PER_SECOND: u32 = 5;
/// See [`SEARCHES_PER_SECOND`].
pub const SEARCHES_AT_ONCE: u32 = 60;
/// Longest search, in Unicode scalar values: no name is longer. A longer one is refused with `search_too_long`.
pub const SEARCH_CHARS_MAX: usize = dais_stage::limits::NAME_CHARS_MAX;
/// Places of a ranking that everyone is told; whoever stands further down is told their own.
pub const RANKS_TOLD: usize = 10;
/// A token to come back with is valid this long: longer than any session.
pub const COME_BACK_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest validity of a token or link asked for through the API or the page, seconds: a year.
pub const VALID_SECONDS_MAX: u32 = 366 * 24 * 60 * 60;
/// Longest identity (`sub`) of a token, bytes. A longer one is refused with `token_invalid`.
pub const IDENTITY_BYTES_MAX: usize = 256;
/// Longest body of a request to the HTTP API, bytes. A longer one is refused with status 413.
pub const API_BODY_BYTES_MAX: usize = 64 * 1024;
/// Longest SDP offer of a WHIP or WHEP client, bytes, as the data plane has it. A longer one is refused with status 413.
pub const SDP_BYTES_MAX: usize = 256 * 1024;
/// Longest ICE fragment (`application/trickle-ice-sdpfrag`), bytes: a hundred candidates. A longer one is refused with
/// status 413.
pub const FRAGMENT_BYTES_MAX: usize = 16 * 1024;
/// How long a browser may remember that pages of other origins may publish and play.
pub const PREFLIGHT_VALID: Duration = Duration::from_secs(24 * 60 * 60);
/// Participants in one page of a list.
pub const PAGE: usize = 100;
/// Messages in one page of the chat: each may have 8 kB.
pub const CHAT_PAGE: usize = 50;
/// How long a closed session is still read from, so that its last message arrives.
pub const LINGER: Duration = Duration::from_secs(1);
/// Media tests of the connectivity page at the same time: each is a connection that costs a handshake and receives nothing.
/// More are refused with `too_many_tests`.
pub const TESTS: usize = 64;
/// Of them, from one address: a page makes three, and some people sit together.
pub const TESTS_PER_ADDRESS: usize = 12;
/// A media test ends after this long: the page waits 10 s, and connections that never come about are given up after 20 s.
pub const TEST_LASTS: Duration = Duration::from_secs(15);
/// Longest offer of a media test, bytes: a browser's with one section has 4 kB. A longer one is refused with status 413.
pub const TEST_OFFER_BYTES_MAX: usize = 16 * 1024;
/// Messages waiting for a session. One that cannot keep up loses its updates and gets a fresh snapshot instead.
pub const QUEUE_MESSAGES: usize = 256;
/// Messages waiting for a room. More means the room is overloaded; sessions wait.
pub const ROOM_MESSAGES: usize = 1_024;

const _: () = assert!(MESSAGE_BYTES_MAX < FRAME_BYTES_MAX, "a message too large is read, so that it can be answered");
