//! Numbers of a camera slot that have not come, and when to ask for them (RFC 4585 §6.2.1), as `NackRequester` of
//! libwebrtc does: but a gap may be reordering for 10 ms, and the pause between two requests is at least 50 ms.

use crate::limits::{WATCHED_MISSING_MAX, WATCHED_NACKS_MAX};

const MS: u64 = 1_000_000;
/// A number that is missing for less than this may have been overtaken, ns.
const REORDERED: u64 = 10 * MS;
/// Shortest time between two requests for the same number, ns.
const AGAIN_MIN: u64 = 50 * MS;

#[derive(Clone, Copy, Debug)]
struct Missing {
    seq: u64,
    asked: u32,
    /// When it was asked for first.
    asked_at: u64,
    due: u64,
}

/// What an arrival is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The highest number so far.
    New,
    /// One that was missing; with the time since it was asked for first, ns, if it was.
    Recovered(Option<u64>),
    /// It came before, or was given up.
    Old,
    /// It leaves a gap too large to ask for: only a key frame helps.
    Lost,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct MissingNumbers {
    highest: Option<u64>,
    /// Ascending.
    missing: Vec<Missing>,
}

impl MissingNumbers {
    /// Notes that `seq` came at `at`.
    pub(super) fn arrived(&mut self, seq: u64, at: u64) -> Arrival {
        let Some(highest) = self.highest else {
            self.highest = Some(seq);
            return Arrival::New;
        };
        if seq <= highest {
            let Ok(found) = self.missing.binary_search_by_key(&seq, |missing| missing.seq) else { return Arrival::Old };
            let missing = self.missing.remove(found);
            // Of several requests the first one is taken to be answered. Only requests that are answered at once, which
            // Karn's algorithm (RFC 6298 §3) takes, would never tell of a round trip longer than the pause between two.
            return Arrival::Recovered((missing.asked > 0).then(|| at.saturating_sub(missing.asked_at)));
        }
        self.highest = Some(seq);
        let gap = (seq - highest - 1) as usize;
        if self.missing.len() + gap > WATCHED_MISSING_MAX {
            self.missing.clear();
            return Arrival::Lost;
        }
        let due = at + REORDERED;
        self.missing.extend((highest + 1..seq).map(|seq| Missing { seq, asked: 0, asked_at: 0, due }));
        Arrival::New
    }

    /// The highest number so far.
    pub(super) fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Numbers to ask for at `now`, ascending, while an answer takes `rtt` ns; gives up on those asked for too often.
    pub(super) fn due(&mut self, now: u64, rtt: u64) -> Vec<u16> {
        self.missing.retain(|missing| missing.due > now || missing.asked < WATCHED_NACKS_MAX);
        let due = self.missing.iter_mut().filter(|missing| missing.due <= now);
        due.map(|missing| {
            if missing.asked == 0 {
                missing.asked_at = now;
            }
            (missing.asked, missing.due) = (missing.asked + 1, now + rtt.max(AGAIN_MIN));
            missing.seq as u16
        })
        .collect()
    }

    /// Numbers below `seq` are of no use any more.
    pub(super) fn forget_below(&mut self, seq: u64) {
        self.missing.retain(|missing| missing.seq >= seq);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }
}
