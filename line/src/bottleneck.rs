//! The slowest link of a line: packets leave it one after the other, and what would wait too long is dropped.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A packet that waits.
#[derive(Debug)]
struct Waiting {
    packet: Vec<u8>,
    came: Instant,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Bottleneck {
    queue: VecDeque<Waiting>,
    queued_bytes: usize,
    /// When the packet at the head has left; none while it has not begun to.
    head_leaves: Option<Instant>,
    /// Bits per second; 0 for no limit.
    rate: u64,
    /// Longest wait.
    wait_max: Duration,
}

impl Bottleneck {
    pub(crate) fn new() -> Self {
        Self { queue: VecDeque::new(), queued_bytes: 0, head_leaves: None, rate: 0, wait_max: Duration::MAX }
    }

    /// From here on packets leave at `rate`; the one that is leaving goes on as it has begun.
    pub(crate) fn set(&mut self, rate: u64, wait_max: Duration) {
        (self.rate, self.wait_max) = (rate, wait_max);
    }

    fn takes(&self, bytes: usize) -> Duration {
        let nanos = (bytes as u64 * 8 * 1_000_000_000).checked_div(self.rate).unwrap_or(0);
        Duration::from_nanos(nanos)
    }

    /// A packet comes. False when it is dropped.
    pub(crate) fn push(&mut self, packet: Vec<u8>, now: Instant) -> bool {
        if !self.queue.is_empty() && self.takes(self.queued_bytes) > self.wait_max {
            return false;
        }
        self.queued_bytes += packet.len();
        self.queue.push_back(Waiting { packet, came: now });
        self.begin(now);
        true
    }

    /// The head begins to leave at `at`.
    fn begin(&mut self, at: Instant) {
        if let Some(head) = self.queue.front().filter(|_| self.head_leaves.is_none()) {
            self.head_leaves = Some(at + self.takes(head.packet.len()));
        }
    }

    /// When a packet has left.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.head_leaves
    }

    /// A packet that has left by `now`: when that was, and how long it had waited before it began to.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(Vec<u8>, Instant, Duration)> {
        let left = self.head_leaves.filter(|at| *at <= now)?;
        let Waiting { packet, came } = self.queue.pop_front()?;
        self.queued_bytes -= packet.len();
        self.head_leaves = None;
        self.begin(left);
        let waited = left.saturating_duration_since(came).saturating_sub(self.takes(packet.len()));
        Some((packet, left, waited))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn packets_leave_at_the_rate_however_they_come() {
        let (mut link, start) = (Bottleneck::new(), Instant::now());
        link.set(1_000_000, ms(1_000));
        (0..10).for_each(|_| assert!(link.push(vec![0; 1_250], start)));
        let left: Vec<_> = (0..10).map(|_| link.pop(start + ms(100)).unwrap()).collect();
        let times: Vec<_> = left.iter().map(|(_, at, _)| at.duration_since(start).as_millis()).collect();
        assert_eq!(times, (1..=10).map(|n| n * 10).collect::<Vec<_>>());
        assert_eq!(left[9].2, ms(90));
        assert!(link.pop(start + ms(1_000)).is_none());
    }

    #[test]
    fn what_would_wait_too_long_is_dropped() {
        let (mut link, start) = (Bottleneck::new(), Instant::now());
        link.set(1_000_000, ms(50));
        let taken = (0..20).filter(|_| link.push(vec![0; 1_250], start)).count();
        assert_eq!(taken, 6, "one is leaving, and the queue is 50 ms long");
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let (mut link, start) = (Bottleneck::new(), Instant::now());
        (0..100).for_each(|_| assert!(link.push(vec![0; 1_500], start)));
        assert_eq!(std::iter::from_fn(|| link.pop(start)).count(), 100);
    }
}
