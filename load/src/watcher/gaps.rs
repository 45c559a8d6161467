//! Freezes and pauses of a camera slot, from the times at which frames are shown.
//!
//! A freeze is what WebRTC statistics call one (W3C webrtc-stats, `freezeCount`): an interval between two shown frames of
//! at least max(3 × average, average + 150 ms), where the average is that of the last 30 intervals. Its length is the
//! interval. Unlike libwebrtc, which wants five intervals first, the average is taken of what there is.

use serde::Serialize;

const MS: u64 = 1_000_000;
/// Intervals of the average.
const INTERVALS: usize = 30;
/// An interval is a freeze when it is longer than the average by this, ns, ...
const MORE: u64 = 150 * MS;
/// ... and so many times the average.
const TIMES: u64 = 3;
/// The average before there is an interval: 30 frames a second, ns.
const AVERAGE_AT_FIRST: u64 = 33 * MS;

/// Freezes of one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Freezes {
    /// All of them.
    pub count: u32,
    /// Those longer than 300 ms.
    pub over_300_ms: u32,
    /// Those longer than 500 ms.
    pub over_500_ms: u32,
    /// Those longer than 1 s.
    pub over_1000_ms: u32,
    /// Their lengths together, ms.
    pub total_ms: u64,
}

/// What lay between two shown frames, if it was more than the usual interval. In ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) freeze: u64,
    pub(super) pause: u64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    last: Option<u64>,
    intervals: [u64; INTERVALS],
    /// Of all intervals so far.
    count: usize,
    pub(super) freezes: Freezes,
    /// Longest time between two shown frames, ns, pauses left out.
    pub(super) longest: u64,
    pub(super) pauses: u32,
    /// Together, ns.
    pub(super) paused: u64,
}

impl Gaps {
    /// When the last frame was shown.
    pub(super) fn last(&self) -> Option<u64> {
        self.last
    }

    /// Average of the last intervals, ns.
    pub(super) fn average(&self) -> u64 {
        let known = &self.intervals[..self.count.min(INTERVALS)];
        known.iter().sum::<u64>().checked_div(known.len() as u64).unwrap_or(AVERAGE_AT_FIRST)
    }

    /// From which length on an interval is a freeze, ns.
    pub(super) fn threshold(&self) -> u64 {
        (TIMES * self.average()).max(self.average() + MORE)
    }

    /// A frame is shown at `at`, not before the last one. Where the server had stopped sending on purpose and went on at
    /// `resumed`, the time until then was a pause.
    pub(super) fn shown(&mut self, at: u64, resumed: Option<u64>) -> Gap {
        let Some(last) = self.last.replace(at) else { return Gap::default() };
        let resumed = resumed.filter(|resumed| (last..=at).contains(resumed));
        let mut gap = Gap::default();
        if let Some(resumed) = resumed {
            gap.pause = resumed - last;
            (self.pauses, self.paused) = (self.pauses + 1, self.paused + gap.pause);
        }
        let interval = at - last - gap.pause;
        gap.freeze = self.judge(interval);
        if resumed.is_none() {
            self.intervals[self.count % INTERVALS] = interval;
            self.count += 1;
        }
        gap
    }

    /// Everything ends at `now`, while a frame was expected.
    pub(super) fn end(&mut self, now: u64) {
        if let Some(last) = self.last {
            self.judge(now.saturating_sub(last));
        }
    }

    /// Counts `interval` if it is a freeze, and returns its length then, else 0.
    fn judge(&mut self, interval: u64) -> u64 {
        self.longest = self.longest.max(interval);
        if interval < self.threshold() {
            return 0;
        }
        let freezes = &mut self.freezes;
        freezes.count += 1;
        freezes.over_300_ms += u32::from(interval > 300 * MS);
        freezes.over_500_ms += u32::from(interval > 500 * MS);
        freezes.over_1000_ms += u32::from(interval > 1_000 * MS);
        freezes.total_ms += interval / MS;
        interval
    }
}
