//! Wall-clock time for sender reports.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What takes longer is no round trip of a call.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(10);

/// Relates the monotonic clock to NTP time.
pub(super) struct Clock {
    start: Instant,
    ntp_at_start: u64,
}

impl Clock {
    pub(super) fn new() -> Self {
        // RFC 3550 §4: seconds since 1900, 32.32 bits.
        const UNIX_TO_NTP: u64 = 2_208_988_800;
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
        let ntp = ((unix.as_secs() + UNIX_TO_NTP) << 32) | fraction;
        Self { start: Instant::now(), ntp_at_start: ntp }
    }

    /// NTP time at `now`, 32.32 bits.
    pub(super) fn ntp(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.start);
        let fraction = ((elapsed.as_nanos() << 32) / 1_000_000_000) as u64;
        self.ntp_at_start.wrapping_add(fraction)
    }

    /// The round trip of a sender report whose middle 32 bits are `report`, which was answered `delay` (1/65,536 s) after
    /// it came (RFC 3550 §6.4.1); none where that cannot be.
    pub(super) fn since_report(&self, report: u32, delay: u32, now: Instant) -> Option<Duration> {
        let units = ((self.ntp(now) >> 16) as u32).wrapping_sub(report).wrapping_sub(delay);
        let round_trip = Duration::from_micros(u64::from(units) * 1_000_000 / 65_536);
        (round_trip < ROUND_TRIP_MAX).then_some(round_trip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_is_answered_tells_the_round_trip() {
        let clock = Clock::new();
        let sent = clock.start + Duration::from_secs(100);
        let report = (clock.ntp(sent) >> 16) as u32;
        let now = sent + Duration::from_millis(300);
        let round_trip = |delay| clock.since_report(report, delay, now);
        let ms = round_trip(65_536 / 4).unwrap().as_millis();
        assert!((49..=51).contains(&ms), "{ms}");
        assert_eq!(round_trip(65_536), None, "answered before it came");
        assert_eq!(clock.since_report(1, 0, now), None, "of another time");
    }
}
