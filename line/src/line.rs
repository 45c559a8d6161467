//! One direction of a line: first the bottleneck, then the way, with its delay, losses and holds. No I/O, no clock: it is
//! given packets and told the time. Losses, jitter and reordering are those of `str0m-netem`, which has the models of the
//! kernel's netem; the bottleneck is our own, as its queue has to be known.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use str0m_netem::{GilbertElliot, Input, LossModel, Netem, NetemConfig, Output, Probability, RandomLoss};

use crate::bottleneck::Bottleneck;
use crate::conditions::{Conditions, Step};
use crate::log::Passed;

/// See the module.
pub struct Line {
    bottleneck: Bottleneck,
    way: Netem<Vec<u8>>,
    /// Packets that have come to the end of the way.
    arrived: VecDeque<Vec<u8>>,
    conditions: Conditions,
    steps: VecDeque<Step>,
    seed: u64,
    /// When the script started; the steps at 0 hold before.
    started: Option<Instant>,
    passed: Passed,
    /// Packets on the way, to know which of them were lost.
    on_the_way: u64,
}

impl Line {
    /// A direction that changes by `steps`, which are in order of time.
    #[must_use]
    pub fn new(steps: &[Step], seed: u64) -> Self {
        let mut line = Self {
            bottleneck: Bottleneck::new(),
            way: Netem::new(NetemConfig::new().seed(seed)),
            arrived: VecDeque::new(),
            conditions: Conditions::default(),
            steps: steps.iter().copied().collect(),
            seed,
            started: None,
            passed: Passed::default(),
            on_the_way: 0,
        };
        line.take_steps(Duration::ZERO);
        line
    }

    /// The script starts.
    pub fn start(&mut self, now: Instant) {
        self.started = Some(now);
    }

    /// A packet comes to the near end.
    pub fn push(&mut self, packet: Vec<u8>, now: Instant) {
        self.advance(now);
        self.passed.packets_in += 1;
        self.passed.bytes_in += packet.len() as u64;
        if !self.bottleneck.push(packet, now) {
            self.passed.dropped_by_queue += 1;
        }
        self.advance(now);
    }

    /// A packet that has come to the far end by `now`.
    pub fn poll(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.advance(now);
        if self.held_until(now).is_some() {
            return None;
        }
        let packet = self.arrived.pop_front()?;
        self.passed.packets_out += 1;
        self.passed.bytes_out += packet.len() as u64;
        Some(packet)
    }

    /// When [`Line::poll`] may have something it has not now, or conditions change.
    #[must_use]
    pub fn next_timeout(&self, now: Instant) -> Option<Instant> {
        let held = self.held_until(now).filter(|_| !self.arrived.is_empty());
        let way = (!self.way.is_empty()).then(|| self.way.poll_timeout());
        let step = self.started.zip(self.steps.front()).map(|(start, step)| start + Duration::from_millis(step.at_ms));
        [held, way, self.bottleneck.next(), step].into_iter().flatten().min()
    }

    /// What has passed since this was asked before.
    pub fn take_passed(&mut self) -> Passed {
        std::mem::take(&mut self.passed)
    }

    fn take_steps(&mut self, elapsed: Duration) {
        let is_due = |step: &Step| Duration::from_millis(step.at_ms) <= elapsed;
        let mut changed = false;
        while let Some(step) = self.steps.front().copied().filter(is_due) {
            self.conditions = self.conditions.after(&step);
            self.steps.pop_front();
            // The same seed again would lose the same packets again.
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            changed = true;
        }
        if changed {
            let Conditions { rate, queue_ms, .. } = self.conditions;
            self.bottleneck.set(rate, Duration::from_millis(queue_ms));
            self.way.set_config(way(&self.conditions, self.seed));
        }
    }

    /// Brings everything to where it is at `now`.
    fn advance(&mut self, now: Instant) {
        if let Some(start) = self.started {
            self.take_steps(now.saturating_duration_since(start));
        }
        while let Some((packet, left, waited)) = self.bottleneck.pop(now) {
            self.passed.note_wait(waited);
            self.way.handle_input(Input::Packet(left, packet));
            self.take_arrived();
            let waiting = self.way.queue_len() as u64 + self.arrived.len() as u64;
            // It went in, and is neither on the way nor has it arrived: it was lost.
            if waiting == self.on_the_way {
                self.passed.lost += 1;
            }
            self.on_the_way = waiting;
        }
        self.way.handle_input(Input::Timeout(now));
        self.take_arrived();
        self.on_the_way = self.way.queue_len() as u64 + self.arrived.len() as u64;
    }

    fn take_arrived(&mut self) {
        while let Some(output) = self.way.poll_output() {
            if let Output::Packet(packet) = output {
                self.arrived.push_back(packet);
            }
        }
    }

    /// The end of the hold that lasts at `now`.
    fn held_until(&self, now: Instant) -> Option<Instant> {
        let Conditions { hold_ms, hold_every_ms, .. } = self.conditions;
        let start = self.started.filter(|_| hold_ms > 0 && hold_every_ms > 0)?;
        let (hold, every) = (Duration::from_millis(hold_ms), Duration::from_millis(hold_every_ms));
        let into = Duration::from_nanos((now.saturating_duration_since(start).as_nanos() % every.as_nanos()) as u64);
        // A period ends with its hold.
        (into >= every.saturating_sub(hold)).then(|| now + (every - into))
    }
}

/// The way behind the bottleneck.
fn way(conditions: &Conditions, seed: u64) -> NetemConfig {
    let duration = |ms: f64| Duration::from_secs_f64(ms.max(0.0) / 1_000.0);
    let loss = match conditions.loss_bursts {
        Some(bursts) => LossModel::from(GilbertElliot::new().good_duration(bursts.good).bad_duration(bursts.bad)),
        None => LossModel::from(RandomLoss::new(Probability::new(conditions.loss))),
    };
    let config = NetemConfig::new().latency(duration(conditions.delay_ms)).jitter(duration(conditions.jitter_ms));
    let config = config.loss(loss).seed(seed);
    match conditions.reorder_every {
        0 => config,
        every => config.reorder_gap(every),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conditions::LossBursts;

    const MS: Duration = Duration::from_millis(1);

    /// Sends a packet of `bytes` every `every` for `count` times, and gives when each arrived, ms after the start.
    fn play(steps: &[Step], bytes: usize, every: Duration, count: u32) -> (Vec<f64>, Passed) {
        let (mut line, start) = (Line::new(steps, 7), Instant::now());
        line.start(start);
        let (mut arrivals, mut sent, mut now) = (Vec::new(), 0, start);
        while now < start + every * count + MS * 3_000 {
            if sent < count && now >= start + every * sent {
                line.push(vec![0; bytes], now);
                sent += 1;
            }
            while line.poll(now).is_some() {
                arrivals.push((now - start).as_secs_f64() * 1_000.0);
            }
            let next_sent = (sent < count).then(|| start + every * sent);
            let Some(next) = [line.next_timeout(now), next_sent].into_iter().flatten().min() else { break };
            now = next.max(now + Duration::from_nanos(1));
        }
        (arrivals, line.take_passed())
    }

    fn step() -> Step {
        Step { delay_ms: Some(25.0), ..Step::default() }
    }

    #[test]
    fn delay_is_added_to_what_the_rate_takes() {
        let (arrivals, passed) = play(&[Step { rate: Some(1_000_000), ..step() }], 1_250, MS * 10, 100);
        assert_eq!(arrivals.len(), 100);
        assert!(arrivals.iter().zip(0..).all(|(at, n)| (at - (n as f64 * 10.0 + 35.0)).abs() < 0.01), "{arrivals:?}");
        assert_eq!((passed.packets_out, passed.queue_ms_max), (100, 0.0));
    }

    #[test]
    fn losses_come_as_often_as_they_should_and_are_counted() {
        let (arrivals, passed) = play(&[Step { loss: Some(0.05), ..step() }], 100, MS, 20_000);
        assert_eq!(arrivals.len() as u64 + passed.lost, 20_000);
        assert!((900..1_100).contains(&passed.lost), "{}", passed.lost);
        let bursts = LossBursts { good: 95.0, bad: 5.0 };
        let (_, passed) = play(&[Step { loss_bursts: Some(bursts), ..step() }], 100, MS, 20_000);
        assert!((600..1_400).contains(&passed.lost), "{}", passed.lost);
    }

    #[test]
    fn a_queue_fills_and_drops_and_the_rate_changes_by_the_script() {
        let steps =
            [Step { rate: Some(1_000_000), ..step() }, Step { at_ms: 500, rate: Some(500_000), ..Step::default() }];
        // 1.2 Mbit/s for a second.
        let (arrivals, passed) = play(&steps, 1_500, MS * 10, 100);
        assert!(passed.dropped_by_queue > 10, "{passed:?}");
        assert!((180.0..240.0).contains(&passed.queue_ms_max), "{passed:?}");
        let gaps = |from: f64, to: f64| {
            let within: Vec<_> = arrivals.iter().filter(|at| (from..to).contains(*at)).collect();
            (within[within.len() - 1] - within[0]) / (within.len() - 1) as f64
        };
        assert!((gaps(100.0, 500.0) - 12.0).abs() < 0.1 && (gaps(700.0, 1_000.0) - 24.0).abs() < 0.1);
    }

    #[test]
    fn a_hold_keeps_everything_back_and_gives_it_at_once() {
        let (arrivals, _) =
            play(&[Step { hold_ms: Some(300), hold_every_ms: Some(1_000), ..step() }], 100, MS * 10, 200);
        assert_eq!(arrivals.len(), 200);
        assert!(!arrivals.iter().any(|at| (700.0..999.9).contains(&(at % 1_000.0))), "{arrivals:?}");
        assert_eq!(arrivals.iter().filter(|at| (*at - 1_000.0).abs() < 0.1).count(), 30);
    }

    #[test]
    fn jitter_reorders_within_its_bounds() {
        let (arrivals, _) = play(&[Step { jitter_ms: Some(20.0), ..step() }], 100, MS * 100, 100);
        let delays = arrivals.iter().zip(0..).map(|(at, n)| at - f64::from(n) * 100.0);
        let (least, most) = delays.fold((f64::MAX, 0.0f64), |(a, b), delay| (a.min(delay), b.max(delay)));
        assert!((5.0..15.0).contains(&least) && (35.0..45.0).contains(&most), "{least} to {most}");
    }
}
