//! When a frame is shown: the jitter buffer.
//!
//! A frame's *transit* is the time at which it was complete less its RTP timestamp; the smallest transit of the last 10
//! to 20 s is that of an empty line. What a frame took longer than that is how *late* it is. The target delay follows
//! the latest frame: up at once, down towards the lateness of the frames that come, by half in 5 s. It stays within 10 to
//! 500 ms. A frame is due at its timestamp, plus the smallest transit, plus the target. This is the idea of libwebrtc's
//! `VCMTiming` without its Kalman filter, and with the latest frame in place of a variance.

const MS: u64 = 1_000_000;
/// Bounds of the target delay, ns.
const TARGET_MIN: u64 = 10 * MS;
const TARGET_MAX: u64 = 500 * MS;
/// The target comes down by half in this time, ns.
const HALVED_IN: f64 = 5e9;
/// The smallest transit is that of this time and as much before, ns.
const BASE_WINDOW: u64 = 10_000 * MS;
/// A transit this far from the others is another clock, ns. libwebrtc starts anew then, too.
const OTHER_CLOCK: i64 = 10_000 * MS as i64;
const CLOCK_RATE: i64 = 90_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Playout {
    /// The last timestamp, extended over its wraps.
    last: Option<i64>,
    /// Smallest transit in the current window and in the one before, ns.
    base: (i64, i64),
    window_ends: u64,
    target: f64,
    observed_at: u64,
}

impl Playout {
    /// The extended form of `timestamp`: the closest to the last one.
    fn extend(&self, timestamp: u32) -> i64 {
        self.last.map_or(timestamp.into(), |last| last + i64::from(timestamp.wrapping_sub(last as u32) as i32))
    }

    fn base(&self) -> i64 {
        self.base.0.min(self.base.1)
    }

    /// A frame with `timestamp` was complete at `at`.
    pub(super) fn observe(&mut self, timestamp: u32, at: u64) {
        let extended = self.extend(timestamp);
        let transit = at as i64 - to_ns(extended);
        if self.last.is_none() || (transit - self.base()).abs() > OTHER_CLOCK {
            *self =
                Self { base: (transit, transit), window_ends: at + BASE_WINDOW, observed_at: at, ..Self::default() };
        }
        self.last = Some(extended);
        if self.window_ends <= at {
            (self.base, self.window_ends) = ((transit, self.base.0), at + BASE_WINDOW);
        }
        self.base.0 = self.base.0.min(transit);
        let late = (transit - self.base()) as f64;
        let passed = at.saturating_sub(self.observed_at) as f64;
        self.observed_at = self.observed_at.max(at);
        let target = late + (self.target - late).max(0.0) * (-passed / HALVED_IN).exp2();
        // What is later than the buffer can hold is not remembered as such.
        self.target = target.min(TARGET_MAX as f64);
    }

    /// When a frame with `timestamp` is to be shown.
    pub(super) fn due(&self, timestamp: u32) -> u64 {
        (self.base() + to_ns(self.extend(timestamp))).saturating_add_unsigned(self.target()).max(0) as u64
    }

    /// Target delay, ns.
    pub(super) fn target(&self) -> u64 {
        (self.target as u64).clamp(TARGET_MIN, TARGET_MAX)
    }
}

fn to_ns(ticks: i64) -> i64 {
    (i128::from(ticks) * 1_000_000_000 / i128::from(CLOCK_RATE)) as i64
}
