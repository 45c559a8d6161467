//! What a media thread has counted, and tells when it is asked.

use hdrhistogram::Histogram;

use crate::watcher::{Step, Summary};

/// Counted since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) bytes: u64,
    pub(crate) lost_by_server: u64,
    pub(crate) lost_by_harness: u64,
    pub(crate) duplicates: u64,
    pub(crate) decrypted: u64,
    pub(crate) damaged: u64,
}

impl Counts {
    fn zip(self, other: Self, with: fn(u64, u64) -> u64) -> Self {
        Self {
            sent: with(self.sent, other.sent),
            received: with(self.received, other.received),
            bytes: with(self.bytes, other.bytes),
            lost_by_server: with(self.lost_by_server, other.lost_by_server),
            lost_by_harness: with(self.lost_by_harness, other.lost_by_harness),
            duplicates: with(self.duplicates, other.duplicates),
            decrypted: with(self.decrypted, other.decrypted),
            damaged: with(self.damaged, other.damaged),
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    /// What came after `before`. A packet that was missing then and has come since makes no negative loss.
    pub(crate) fn since(self, before: Self) -> Self {
        self.zip(before, u64::saturating_sub)
    }
}

/// A slot had another occupant, as a viewer saw it in the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switch {
    /// Number of the viewer among all participants of the harness.
    pub(crate) viewer: usize,
    /// SSRC of the slot.
    pub(crate) slot_ssrc: u32,
    /// The participant whose packets come from then on.
    pub(crate) occupant: u32,
    /// Nobody's packets came in the slot before.
    pub(crate) first: bool,
    /// CLOCK_MONOTONIC, ns.
    pub(crate) at_ns: u64,
}

/// Longest latency told apart, µs.
const LATENCY_MAX_US: u64 = 60_000_000;

/// An empty histogram of latencies in µs, exact to 1 %.
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_MAX_US, 2).expect("the bounds are in order")
}

/// What a thread tells.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Participants with keys.
    pub(crate) connected: usize,
    pub(crate) counts: Counts,
    /// Since the report before.
    pub(crate) latency: Histogram<u64>,
    /// Since the report before.
    pub(crate) switches: Vec<Switch>,
    /// Those who have keys.
    pub(crate) watched: Vec<Watched>,
}

/// What a watcher tells.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// Since the report before.
    pub(crate) steps: Vec<Step>,
    /// Since the start.
    pub(crate) summary: Summary,
}

impl Report {
    pub(crate) fn empty() -> Self {
        Self {
            connected: 0,
            counts: Counts::default(),
            latency: latencies(),
            switches: Vec::new(),
            watched: Vec::new(),
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.connected += other.connected;
        self.counts = self.counts.plus(other.counts);
        self.latency.add(&other.latency).expect("the bounds are the same");
        self.switches.extend(other.switches);
        self.watched.extend(other.watched);
    }
}
