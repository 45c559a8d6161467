//! Who needs key frames, and one throttle for the requests to a source: every path that wants a key frame meets here.

use std::time::Instant;

use crate::ids::{Generation, Layer, Slot};
use crate::layers::StreamSet;
use crate::limits;

/// What somebody needs a key frame for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// The first picture they get in a slot. Many come one after the other, and everybody else pays.
    First,
    /// To go on, with another layer or after a loss.
    Next,
}

/// A key frame that somebody needs: of a layer of the slot's occupant, or of every layer somebody gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) slot: Slot,
    pub(crate) generation: Generation,
    pub(crate) layer: Option<Layer>,
    pub(crate) need: Need,
}

/// Layers of which viewers need a key frame.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Awaiting {
    first: StreamSet,
    next: StreamSet,
}

impl Awaiting {
    /// Adds a layer of the picture in `slot`.
    pub(crate) fn insert(&mut self, slot: Slot, layer: Layer, need: Need) {
        match need {
            Need::First => self.first.insert(slot, layer),
            Need::Next => self.next.insert(slot, layer),
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: Self) {
        self.first.merge(other.first);
        self.next.merge(other.next);
    }

    /// Each layer, once for each need.
    pub(crate) fn iter(self) -> impl Iterator<Item = (Slot, Layer, Need)> {
        let of = |set: StreamSet, need| set.iter().map(move |(slot, layer)| (slot, layer, need));
        of(self.first, Need::First).chain(of(self.next, Need::Next))
    }
}

/// Whether and when to ask a source for a key frame.
#[derive(Debug, Default)]
pub(crate) struct KeyFrameThrottle {
    /// The more urgent need.
    wanted: Option<Need>,
    asked: Option<Instant>,
    answered: bool,
}

impl KeyFrameThrottle {
    /// Somebody has no picture without a key frame.
    pub(crate) fn want(&mut self, need: Need) {
        self.wanted = self.wanted.max(Some(need));
    }

    /// A key frame came: whoever waited has it.
    pub(crate) fn satisfied(&mut self) {
        self.wanted = None;
        self.answered = true;
    }

    /// Whether to ask at `now`. True at most once per [`limits::KEY_FRAME_INTERVAL`], or
    /// [`limits::FIRST_KEY_FRAME_INTERVAL`] where only first pictures need it, and once per [`limits::KEY_FRAME_RETRY`] while the
    /// source does not answer.
    pub(crate) fn ask(&mut self, now: Instant) -> bool {
        let Some(need) = self.wanted else { return false };
        let pause = match need {
            _ if !self.answered => limits::KEY_FRAME_RETRY,
            Need::First => limits::FIRST_KEY_FRAME_INTERVAL,
            Need::Next => limits::KEY_FRAME_INTERVAL,
        };
        let due = self.asked.is_none_or(|asked| now - asked >= pause);
        if due {
            self.asked = Some(now);
            self.answered = false;
        }
        due
    }

    /// Nobody wants the source any more.
    pub(crate) fn clear(&mut self) {
        self.wanted = None;
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
            throttle.want(Need::Next);
            if throttle.ask(start + Duration::from_millis(ms)) {
                asked.push(ms);
            }
        }
        assert_eq!(asked, [0, 500, 1000]);
    }

    /// When a source is asked that answers at once, in ms, where it is wanted every 10 ms.
    fn asked(needs: impl Fn(u64) -> Need) -> Vec<u64> {
        let (start, mut throttle) = (Instant::now(), KeyFrameThrottle::default());
        let is_asked = |ms: &u64| {
            throttle.want(needs(*ms));
            let asks = throttle.ask(start + Duration::from_millis(*ms));
            if asks {
                throttle.satisfied();
            }
            asks
        };
        (0..1_200).step_by(10).filter(is_asked).collect()
    }

    #[test]
    fn an_answered_request_may_be_followed_sooner_but_not_for_each_who_comes() {
        assert_eq!(asked(|_| Need::Next), [0, 200, 400, 600, 800, 1_000]);
        assert_eq!(asked(|_| Need::First), [0, 500, 1_000]);
        assert_eq!(asked(|ms| if ms == 250 { Need::Next } else { Need::First }), [0, 250, 750]);
    }

    #[test]
    fn what_came_is_wanted_no_more() {
        let (start, mut throttle) = (Instant::now(), KeyFrameThrottle::default());
        throttle.want(Need::Next);
        throttle.satisfied();
        assert!(!throttle.ask(start));
    }

    #[test]
    fn layers_are_awaited_for_each_need() {
        let (slot, mut awaiting, mut more) = (Slot::FIRST_CAMERA, Awaiting::default(), Awaiting::default());
        awaiting.insert(slot, Layer(1), Need::Next);
        more.insert(slot, Layer(1), Need::First);
        awaiting.merge(more);
        let all: Vec<_> = awaiting.iter().collect();
        assert_eq!(all, [(slot, Layer(1), Need::First), (slot, Layer(1), Need::Next)]);
    }
}
