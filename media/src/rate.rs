//! How much comes in a second.

use std::time::Instant;

use crate::limits::LAYER_RATE_INTERVAL;

/// Bits per second over intervals of [`LAYER_RATE_INTERVAL`], smoothed over two of them.
#[derive(Debug, Default)]
pub(crate) struct RateMeter {
    bytes: u64,
    since: Option<Instant>,
    measured: Option<u32>,
}

impl RateMeter {
    /// Counts `bytes` that came at `now`.
    pub(crate) fn count(&mut self, bytes: usize, now: Instant) {
        self.since.get_or_insert(now);
        self.bytes += bytes as u64;
    }

    /// The rate measured last, bit/s, however long ago. What comes next is measured anew.
    pub(crate) fn before(&mut self) -> Option<u32> {
        (self.bytes, self.since) = (0, None);
        self.measured
    }

    /// The rate, bit/s; none before the first interval is over.
    pub(crate) fn measured(&mut self, now: Instant) -> Option<u32> {
        let elapsed = now.saturating_duration_since(self.since?);
        if elapsed >= LAYER_RATE_INTERVAL {
            let rate = (self.bytes * 8 * 1_000_000).checked_div(elapsed.as_micros() as u64).unwrap_or(0);
            let rate = u32::try_from(rate).unwrap_or(u32::MAX);
            self.measured = Some(self.measured.map_or(rate, |before| before / 2 + rate / 2));
            (self.bytes, self.since) = (0, Some(now));
        }
        self.measured
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rate_is_known_after_an_interval_and_follows() {
        let (mut meter, mut now) = (RateMeter::default(), Instant::now());
        assert_eq!(meter.measured(now), None);
        let mut run = |bytes: usize, intervals: u32| {
            for _ in 0..intervals * 50 {
                meter.count(bytes, now);
                now += LAYER_RATE_INTERVAL / 50;
                meter.measured(now);
            }
            meter.measured(now).unwrap()
        };
        assert_eq!(LAYER_RATE_INTERVAL, Duration::from_millis(500));
        assert_eq!(run(1_000, 1), 800_000);
        assert_eq!(run(500, 1), 600_000);
        assert!(run(500, 6) < 410_000);
    }
}
