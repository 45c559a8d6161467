//! What a client may cause in a time: a token bucket.

use std::time::Instant;

/// See the module. Counts whatever its owner counts.
#[derive(Debug)]
pub(crate) struct Budget {
    per_second: u32,
    burst: u32,
    left: u32,
    filled: Instant,
}

impl Budget {
    /// A budget that is full at `now`: `burst` at once, `per_second` in the long run.
    pub(crate) fn full(per_second: u32, burst: u32, now: Instant) -> Self {
        Self { per_second, burst, left: burst, filled: now }
    }

    /// Takes `amount` if there is that much.
    pub(crate) fn take(&mut self, amount: u32, now: Instant) -> bool {
        let micros = now.saturating_duration_since(self.filled).as_micros();
        let more = micros * u128::from(self.per_second) / 1_000_000;
        if more > 0 {
            self.left = u32::try_from(more).unwrap_or(u32::MAX).saturating_add(self.left).min(self.burst);
            self.filled = now;
        }
        let allowed = self.left >= amount;
        self.left -= if allowed { amount } else { 0 };
        allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_only_the_rate() {
        let start = Instant::now();
        let mut budget = Budget::full(1_000, 50, start);
        let allowed = |budget: &mut Budget, ms| {
            let now = start + Duration::from_millis(ms);
            (0..200).filter(|_| budget.take(1, now)).count()
        };
        assert_eq!(allowed(&mut budget, 0), 50);
        assert_eq!(allowed(&mut budget, 20), 20);
        assert_eq!(allowed(&mut budget, 9_000), 50);
        assert!(!budget.take(51, start + Duration::from_secs(60)));
        assert!(budget.take(50, start + Duration::from_secs(60)));
    }
}
