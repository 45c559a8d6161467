//! One throttle for key frame requests to a source: every path that wants a key frame meets here.

use std::time::Instant;

use crate::limits;

/// Whether and when to ask a source for a key frame.
#[derive(Debug, Default)]
pub(crate) struct KeyFrameThrottle {
    wanted: bool,
    asked: Option<Instant>,
    answered: bool,
}

impl KeyFrameThrottle {
    /// Somebody cannot go on without a key frame.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// A key frame came: whoever waited has it.
    pub(crate) fn satisfied(&mut self) {
        self.wanted = false;
        self.answered = true;
    }

    /// Whether to ask at `now`. True at most once per [`limits::KEY_FRAME_INTERVAL`], and once per
    /// [`limits::KEY_FRAME_RETRY`] while the source does not answer.
    pub(crate) fn ask(&mut self, now: Instant) -> bool {
        let pause = if self.answered { limits::KEY_FRAME_INTERVAL } else { limits::KEY_FRAME_RETRY };
        let due = self.wanted && self.asked.is_none_or(|asked| now - asked >= pause);
        if due {
            self.asked = Some(now);
            self.answered = false;
        }
        due
    }

    /// Nobody wants the source any more.
    pub(crate) fn clear(&mut self) {
        self.wanted = false;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn many_requests_are_one_and_silence_is_asked_again() {
        let start = Instant::now();
        let mut throttle = KeyFrameThrottle::default();
        let mut asked = Vec::new();
        for ms in (0..1200).step_by(10) {
            throttle.want();
            if throttle.ask(start + Duration::from_millis(ms)) {
                asked.push(ms);
            }
        }
        assert_eq!(asked, [0, 500, 1000]);
    }

    #[test]
    fn an_answered_request_may_be_followed_sooner() {
        let start = Instant::now();
        let mut throttle = KeyFrameThrottle::default();
        throttle.want();
        assert!(throttle.ask(start));
        throttle.satisfied();
        assert!(!throttle.ask(start + Duration::from_secs(9)));
        throttle.want();
        assert!(throttle.ask(start + Duration::from_secs(9)));
        throttle.satisfied();
        throttle.want();
        assert!(!throttle.ask(start + Duration::from_millis(9_199)));
        assert!(throttle.ask(start + Duration::from_millis(9_200)));
    }
}
