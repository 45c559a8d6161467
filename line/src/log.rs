//! What the program writes down of a line.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What passed one direction in a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Passed {
    /// IP packets that came.
    pub packets_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// IP packets that arrived.
    pub packets_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
    /// Packets lost on the way.
    pub lost: u64,
    /// Packets the queue had no room for.
    pub dropped_by_queue: u64,
    /// Longest wait of a packet that left the queue, ms; what the rate takes for the packet itself is not in it.
    pub queue_ms_max: f64,
}

impl Passed {
    pub(crate) fn note_wait(&mut self, waited: Duration) {
        self.queue_ms_max = self.queue_ms_max.max(waited.as_secs_f64() * 1_000.0);
    }
}

/// One line of the log: 100 ms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// End of the 100 ms, ms after the start of the script; negative before it.
    pub at_ms: i64,
    /// From the near end to the far end.
    pub down: Passed,
    /// From the far end to the near end.
    pub up: Passed,
}
