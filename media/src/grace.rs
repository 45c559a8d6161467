//! Whether a publisher is told of what its line loses. Browsers answer heavy losses by sending less at once, and come back by 8 % a
//! second: half a minute for three seconds of bad radio. See `docs/congestion.md`, *The other way*.

use std::time::{Duration, Instant};

use crate::limits;

/// What of the past is left at the next feedback: half a second counts.
const MEMORY: f32 = 0.9;
/// Losses up to this share of what is sent change nothing at the sender, and are always told.
const SHARE_MIN: f32 = 0.02;
/// One packet says nothing: a voice alone is 50 a second.
const LOST_MIN: f32 = 1.5;
/// Of more a line has no room for what is sent.
const SHARE_MAX: f32 = 1.0 / 3.0;
/// Losses last until so long after the last.
const LASTING: Duration = Duration::from_millis(300);
/// The time between two feedbacks counts up to here: behind it nothing was sent.
const STEP_MAX: Duration = Duration::from_millis(200);

/// For how long nothing is said of losses that came from nowhere.
#[derive(Debug)]
pub(crate) struct Grace {
    sent: f32,
    lost: f32,
    left: Duration,
    judged: Instant,
    lost_at: Instant,
}

impl Grace {
    /// All of it is left.
    pub(crate) fn new(now: Instant) -> Self {
        Self { sent: 0.0, lost: 0.0, left: limits::GRACE, judged: now, lost_at: now }
    }

    /// Whether nothing is said of the `lost` of `sent` packets since the last feedback.
    pub(crate) fn covers(&mut self, sent: usize, lost: usize, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.judged).min(STEP_MAX);
        self.judged = now;
        self.sent = self.sent * MEMORY + sent as f32;
        self.lost = self.lost * MEMORY + lost as f32;
        let share = self.lost / self.sent.max(1.0);
        if share <= SHARE_MIN || self.lost < LOST_MIN {
            let earned = since.mul_f32(limits::GRACE.div_duration_f32(limits::GRACE_AGAIN));
            self.left = (self.left + earned).min(limits::GRACE);
            return false;
        }
        if lost > 0 {
            self.lost_at = now;
        }
        if now.saturating_duration_since(self.lost_at) <= LASTING {
            self.left = self.left.saturating_sub(since);
        }
        share <= SHARE_MAX && !self.left.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that sends 300 packets a second and loses so many of each 20.
    struct Line {
        grace: Grace,
        now: Instant,
    }

    impl Line {
        fn new() -> Self {
            let now = Instant::now();
            Self { grace: Grace::new(now), now }
        }

        /// For how long nothing was said of `lost` of every 20 packets, in so many seconds of them.
        fn untold(&mut self, lost: usize, seconds: u64) -> Duration {
            let mut untold = Duration::ZERO;
            let end = self.now + Duration::from_secs(seconds);
            while self.now < end {
                self.now += limits::FEEDBACK_INTERVAL;
                if self.grace.covers(20, lost, self.now) {
                    untold += limits::FEEDBACK_INTERVAL;
                }
            }
            untold
        }
    }

    fn about(measured: Duration, expected: Duration) -> bool {
        measured.abs_diff(expected) < Duration::from_millis(700)
    }

    #[test]
    fn losses_of_a_moment_are_not_told_and_lasting_ones_are() {
        let mut line = Line::new();
        assert_eq!(line.untold(0, 10), Duration::ZERO);
        assert!(about(line.untold(4, 3), Duration::from_secs(3)));
        assert!(about(line.untold(4, 20), limits::GRACE - Duration::from_secs(3)));
        assert_eq!(line.untold(4, 20), Duration::ZERO);
    }

    #[test]
    fn grace_is_earned_by_a_line_that_loses_nothing() {
        let mut line = Line::new();
        line.untold(4, 20);
        line.untold(0, limits::GRACE_AGAIN.as_secs() / 2);
        assert!(about(line.untold(4, 10), limits::GRACE / 2));
        line.untold(0, limits::GRACE_AGAIN.as_secs() * 3);
        assert!(about(line.untold(4, 10), limits::GRACE));
    }

    #[test]
    fn a_line_without_room_is_told_at_once() {
        let mut line = Line::new();
        line.untold(0, 10);
        assert!(line.untold(10, 10) < Duration::from_secs(1), "only while the share grows");
    }

    #[test]
    fn a_voice_that_misses_a_packet_now_and_then_spends_nothing() {
        let mut line = Line::new();
        for _ in 0..100 {
            line.now += Duration::from_millis(900);
            assert!(!line.grace.covers(3, 1, line.now));
            line.untold(0, 1);
        }
        assert!(about(line.untold(4, 3), Duration::from_secs(3)));
    }

    #[test]
    fn on_a_thin_line_it_lasts_no_longer() {
        let mut line = Line::new();
        let mut untold = Duration::ZERO;
        // Four packets at a time, and one of ten is lost.
        for n in 0..400 {
            line.now += limits::FEEDBACK_INTERVAL;
            if line.grace.covers(4, usize::from(n % 5 == 0 || n % 5 == 2), line.now) {
                untold += limits::FEEDBACK_INTERVAL;
            }
        }
        assert!(about(untold, limits::GRACE), "{untold:?}");
    }

    #[test]
    fn what_is_over_is_spent_once() {
        let mut line = Line::new();
        line.untold(20, 1);
        line.untold(0, 3);
        assert!(about(line.untold(4, 10), limits::GRACE - Duration::from_secs(1)));
    }

    #[test]
    fn silence_takes_nothing() {
        let mut line = Line::new();
        line.untold(0, 10);
        line.now += Duration::from_secs(60);
        assert!(about(line.untold(4, 3), Duration::from_secs(3)));
    }
}
