//! Wall-clock time for sender reports.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

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
}
