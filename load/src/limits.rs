//! Every limit of the harness: its value, its reason, and what happens there.

use std::time::Duration;

/// Largest scenario file read, bytes: a hundred times a long one. A larger one is refused with `scenario_file`.
pub(crate) const SCENARIO_BYTES_MAX: u64 = 1 << 20;
/// Most participants of a run: each is two open files and a port, of which an address has 28,000. More are refused with
/// `scenario_invalid`.
pub(crate) const PEOPLE_MAX: usize = 50_000;

/// Longest wait for an answer of the server: far longer than a join may take. Then the join has failed.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// A participant that has no keys by then, or no media where there should be some, has failed. The server waits as long.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// How long everybody has to leave. Who has not said goodbye by then falls off.
pub(crate) const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// Longest metrics read, bytes; the rest is cut off.
pub(crate) const METRICS_BYTES_MAX: u64 = 16 << 20;
/// Longest wait for them. Then the run ends with `metrics_unreadable`.
pub(crate) const METRICS_WITHIN: Duration = Duration::from_secs(5);

/// Most receivers of the floor. More are refused with `floor_invalid`.
pub(crate) const RECEIVERS_MAX: usize = 20_000;
/// Segments every kernel takes in one message (UDP_MAX_SEGMENTS is 64 before Linux 6.9). More are refused with
/// `floor_invalid`.
pub(crate) const SEGMENTS_MAX: f64 = 64.0;
/// Bytes in one message: what fits a UDP datagram. More are refused with `floor_invalid`.
pub(crate) const MESSAGE_BYTES_MAX: usize = 65_000;

/// Most watchers of `dais-load watch`: each decrypts everything, on one thread. More are refused with `watch_invalid`.
pub(crate) const WATCHERS_MAX: usize = 100;
/// Packets a watcher keeps of a camera slot until they make frames that are shown: 2,048, as libwebrtc's packet buffer
/// does. More are all forgotten, and a key frame is asked for.
pub(crate) const WATCHED_PACKETS_MAX: usize = 2_048;
/// Numbers a watcher asks for in a slot at the same time: 1,000, as libwebrtc. More are all forgotten, and a key frame is
/// asked for; in a voice slot no more than these are gaps at once.
pub(crate) const WATCHED_MISSING_MAX: usize = 1_000;
/// How often a number is asked for: 10 times, as libwebrtc. Then it is given up.
pub(crate) const WATCHED_NACKS_MAX: u32 = 10;
/// Steps of 100 ms that wait to be fetched: a minute, where they are fetched every 100 ms. The oldest are left out.
pub(crate) const WATCHED_STEPS_MAX: usize = 600;
