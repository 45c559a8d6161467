//! How fast one session may talk.

use tokio::time::Instant;

use crate::limits;

/// A token bucket: it holds what may be sent at once and fills with what may be sent a second.
#[derive(Debug)]
pub(crate) struct Rate {
    /// Requests left, in thousandths; at most `full`.
    left: u64,
    full: u64,
    per_second: u64,
    filled: Instant,
    /// Requests refused since one was let through.
    refused: u32,
}

/// Whether a request may go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Fine,
    TooFast,
    /// Too fast for too long.
    Flooding,
}

impl Rate {
    /// Of all requests.
    pub(crate) fn new(now: Instant) -> Self {
        Self::of(limits::REQUESTS_PER_SECOND, limits::REQUESTS_AT_ONCE, now)
    }

    /// Of chat messages, each of which goes to everybody.
    pub(crate) fn chat(now: Instant) -> Self {
        Self::of(limits::CHAT_PER_SECOND, limits::CHAT_AT_ONCE, now)
    }

    /// Of reactions, which everybody sees.
    pub(crate) fn reactions(now: Instant) -> Self {
        Self::of(limits::REACTIONS_PER_SECOND, limits::REACTIONS_AT_ONCE, now)
    }

    /// Of searches, each of which looks at everybody's names.
    pub(crate) fn searches(now: Instant) -> Self {
        Self::of(limits::SEARCHES_PER_SECOND, limits::SEARCHES_AT_ONCE, now)
    }

    fn of(per_second: u32, at_once: u32, now: Instant) -> Self {
        let full = u64::from(at_once) * 1_000;
        Self { left: full, full, per_second: per_second.into(), filled: now, refused: 0 }
    }

    /// Takes a request into account that arrived at `now`.
    pub(crate) fn request(&mut self, now: Instant) -> Pace {
        // A thousandth of a request for each millisecond and each request a second.
        let passed = u64::try_from(now.saturating_duration_since(self.filled).as_millis()).unwrap_or(u64::MAX);
        if passed > 0 {
            self.left = self.left.saturating_add(passed.saturating_mul(self.per_second)).min(self.full);
            self.filled = now;
        }
        if let Some(left) = self.left.checked_sub(1_000) {
            (self.left, self.refused) = (left, 0);
            return Pace::Fine;
        }
        self.refused += 1;
        if self.refused >= limits::REFUSED_IN_A_ROW { Pace::Flooding } else { Pace::TooFast }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_goes_through_then_the_steady_rate_and_a_flood_ends() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let burst = (0..limits::REQUESTS_AT_ONCE).map(|_| rate.request(start));
        assert!(burst.into_iter().all(|pace| pace == Pace::Fine));
        assert_eq!(rate.request(start), Pace::TooFast);
        let later = start + Duration::from_secs(1);
        let fine = (0..100).filter(|_| rate.request(later) == Pace::Fine).count();
        assert_eq!(fine, limits::REQUESTS_PER_SECOND as usize);
        let last = (0..limits::REFUSED_IN_A_ROW).map(|_| rate.request(later)).last();
        assert_eq!(last, Some(Pace::Flooding));
    }
}
