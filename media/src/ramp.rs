//! How fast a viewer's pictures may grow.

use std::time::Instant;

use crate::limits::{RAMP_INTERVAL, RAMP_START, RAMP_STEP};

/// What the pictures of one viewer may take, bit/s. A line that is said to carry much more than it was given is not filled
/// with key frames of all pictures at once: nobody has seen yet that it takes them.
#[derive(Debug, Default)]
pub(crate) struct Ramp {
    limit: Option<(u32, Instant)>,
    /// Something was held back for its sake.
    holds: bool,
}

impl Ramp {
    /// The limit for pictures that take `taken` bit/s at `now`.
    pub(crate) fn limit(&mut self, taken: u32, now: Instant) -> u32 {
        let is_over = |at: Instant| now.saturating_duration_since(at) >= RAMP_INTERVAL;
        let (limit, since) = match self.limit {
            None => (RAMP_START, now),
            // What is held back may need more than twice what is taken: a picture with one large layer.
            Some((limit, at)) if is_over(at) => {
                let base = if self.holds { taken.max(limit) } else { taken };
                (base.saturating_mul(2).saturating_add(RAMP_STEP), now)
            }
            Some(limit) => limit,
        };
        self.limit = Some((limit, since));
        limit
    }

    /// Notes whether the limit has kept something back that the line is said to carry.
    pub(crate) fn note(&mut self, holds: bool) {
        self.holds = holds;
    }

    /// When the limit rises, if that makes a difference.
    pub(crate) fn rises(&self) -> Option<Instant> {
        self.limit.filter(|_| self.holds).map(|(_, since)| since + RAMP_INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_grow_by_doubling() {
        let (mut ramp, mut now) = (Ramp::default(), Instant::now());
        assert_eq!(ramp.limit(0, now), RAMP_START);
        assert_eq!(ramp.limit(RAMP_START, now), RAMP_START, "not before its time");
        now += RAMP_INTERVAL;
        assert_eq!(ramp.limit(200_000, now), 700_000, "twice what is taken, where nothing waits");
    }

    #[test]
    fn a_picture_of_one_large_layer_is_not_held_for_ever() {
        let (mut ramp, mut now) = (Ramp::default(), Instant::now());
        let mut intervals = 0;
        while ramp.limit(0, now) < 20_000_000 {
            ramp.note(true);
            assert_eq!(ramp.rises(), Some(now + RAMP_INTERVAL));
            (now, intervals) = (now + RAMP_INTERVAL, intervals + 1);
        }
        assert!(intervals <= 4, "{intervals}");
        ramp.note(false);
        assert_eq!(ramp.rises(), None);
    }
}
