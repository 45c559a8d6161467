//! What viewers share their lines with.

use std::collections::VecDeque;

use super::{Delivery, Line};

/// A TCP flow with CUBIC (RFC 9438) that always has something to send.
#[derive(Debug, Default)]
pub(crate) struct Tcp {
    window: f64,
    flying: VecDeque<u64>,
    next: u64,
    slow_start: bool,
    /// The window before the last loss, and when that was.
    window_max: f64,
    reduced_ms: f64,
    /// Acknowledgements on their way.
    acks: VecDeque<(f64, u64)>,
}

impl Tcp {
    const BYTES: usize = 1_500;

    pub(crate) fn new() -> Self {
        Self { window: 10.0, slow_start: true, ..Self::default() }
    }

    pub(super) fn step(&mut self, me: usize, line: &mut Line, now_ms: u64) {
        let now = now_ms as f64;
        while self.acks.front().is_some_and(|(at, _)| *at <= now) {
            let (_, number) = self.acks.pop_front().unwrap();
            let round_trip_ms = line.round_trip_ms + line.delay_ms();
            // Those sent before the acknowledged one are lost.
            let lost = self.flying.iter().take_while(|flying| **flying < number).count();
            self.flying.drain(..=lost);
            if lost > 0 && now - self.reduced_ms > round_trip_ms {
                self.window_max = self.window;
                self.window = (self.window * 0.7).max(2.0);
                (self.slow_start, self.reduced_ms) = (false, now);
            } else if self.slow_start {
                self.window += 1.0;
            } else {
                let (t, r) = ((now - self.reduced_ms) / 1e3, round_trip_ms / 1e3);
                let k = (self.window_max * 0.3 / 0.4).cbrt();
                let cubic = 0.4 * (t + r - k).powi(3) + self.window_max;
                let reno = self.window_max * 0.7 + 0.53 * t / r;
                let target = cubic.max(reno).clamp(self.window, self.window * 1.5);
                self.window += (target - self.window) / self.window;
            }
        }
        while (self.flying.len() as f64) < self.window {
            self.flying.push_back(self.next);
            line.push(now, me, self.next, Self::BYTES);
            self.next += 1;
            // When all of a window was lost nothing would come back.
            if self.flying.len() > 10_000 {
                break;
            }
        }
    }

    pub(super) fn delivered(&mut self, delivery: Delivery, line: &Line) {
        self.acks.push_back((delivery.at_ms + line.round_trip_ms / 2.0, delivery.number));
    }
}
