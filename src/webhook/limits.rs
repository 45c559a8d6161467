//! Every limit of webhooks: its value, its reason, and what happens there.

use std::time::Duration;

/// Most receivers. A server with more does not start: whoever has more to tell has a receiver that passes on.
pub(crate) const RECEIVERS: usize = 16;
/// Rooms that one receiver is told of at the same time: a busy server is not told through a straw, and a small receiver is
/// not run over. More wait for their turn.
pub(crate) const AT_ONCE: usize = 8;
/// Records taken from the journal at a time: its thread, which rooms wait for, is busy for well under a millisecond.
pub(crate) const BATCH: usize = 64;
/// A receiver that has not answered by then has failed. Standard Webhooks: 15 to 30 s at most; one that has more to do than
/// to write the event down does it afterwards.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// An attempt that failed is repeated after this long, then after four times as long with each attempt.
pub(crate) const RETRY_FIRST: Duration = Duration::from_secs(5);
/// Longest time between two attempts.
pub(crate) const RETRY_MAX: Duration = Duration::from_secs(60 * 60);
/// An event that was not taken this long after it happened is dropped, and counted: a weekend without anybody in the office
/// loses none.
pub(crate) const DROP_AFTER: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// None is dropped before so many attempts have failed one after the other, half an hour after the first: both servers may
/// have been away, and the receiver be back a little later.
pub(crate) const DROP_FAILURES: u32 = 5;
/// Shortest key that events are signed with, bytes (Standard Webhooks: 24 to 64).
pub(crate) const KEY_BYTES: usize = 24;
/// Shortest secret that is a text, bytes.
pub(crate) const SECRET_BYTES: usize = dais_signaling::token::SECRET_BYTES_MIN;
