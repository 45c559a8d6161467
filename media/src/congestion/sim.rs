//! A bottleneck in virtual time, and flows that share it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::feedback::Feedback;
use super::{Estimator, Told};
pub(crate) use tcp::Tcp;

mod tcp;

/// Writes the FCI of a feedback message: arrivals in ticks of 250 µs after the reference time, `None` for missing ones.
/// All chunks are vectors of two bits each.
pub(crate) fn write_feedback(base: u16, reference: u32, arrivals: &[Option<i64>]) -> Vec<u8> {
    let mut fci = [base.to_be_bytes(), (arrivals.len() as u16).to_be_bytes()].concat();
    fci.extend(&reference.to_be_bytes()[1..]);
    fci.push(0);
    let (mut symbols, mut deltas, mut last) = (Vec::new(), Vec::new(), 0);
    for arrival in arrivals {
        let Some(at) = arrival else {
            symbols.push(0);
            continue;
        };
        let delta = at - std::mem::replace(&mut last, *at);
        if let Ok(small) = u8::try_from(delta) {
            symbols.push(1);
            deltas.push(small);
        } else {
            symbols.push(2);
            deltas.extend(i16::try_from(delta).unwrap().to_be_bytes());
        }
    }
    for seven in symbols.chunks(7) {
        let chunk = seven.iter().enumerate().fold(0xc000, |chunk, (n, symbol)| chunk | symbol << (12 - 2 * n));
        fci.extend(u16::to_be_bytes(chunk));
    }
    fci.extend(deltas);
    fci
}

/// A drop-tail queue in front of a line, the same for all flows.
#[derive(Debug)]
pub(crate) struct Line {
    /// bit/s.
    pub(crate) rate: f64,
    /// Round trip with the queue empty; half of it is before the viewer.
    pub(crate) round_trip_ms: f64,
    /// Most the queue delays.
    pub(crate) queue_ms: f64,
    /// Part of the packets lost, whatever the queue.
    pub(crate) loss: f64,
    /// Nothing arrives before this time; what was held back comes at once.
    pub(crate) held_until_ms: f64,
    queue: VecDeque<(usize, usize, u64)>,
    queued_bytes: usize,
    free_ms: f64,
    pub(crate) seed: u64,
    /// On their way back, or known to be lost: when, flow, number.
    flying: VecDeque<Delivery>,
    /// The longest delay of the queue by tenth of a second.
    delays_ms: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    at_ms: f64,
    flow: usize,
    number: u64,
    bytes: usize,
}

impl Line {
    pub(crate) fn new(rate: f64, round_trip_ms: f64) -> Self {
        Self {
            rate,
            round_trip_ms,
            queue_ms: 300.0,
            loss: 0.0,
            held_until_ms: 0.0,
            queue: VecDeque::new(),
            queued_bytes: 0,
            free_ms: 0.0,
            seed: 0x9e37_79b9_7f4a_7c15,
            flying: VecDeque::new(),
            delays_ms: Vec::new(),
        }
    }

    /// So many packets of others come at once.
    pub(crate) fn burst(&mut self, packets: usize, bytes: usize) {
        self.queue.extend(std::iter::repeat_n((usize::MAX, bytes, 0), packets));
        self.queued_bytes += packets * bytes;
    }

    fn chance(&mut self) -> f64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The delay of the queue, ms.
    pub(crate) fn delay_ms(&self) -> f64 {
        self.queued_bytes as f64 * 8e3 / self.rate
    }

    /// The longest delay of the queue from one time to another, ms.
    pub(crate) fn longest_delay_ms(&self, from_s: f64, to_s: f64) -> f64 {
        self.delays_ms[(from_s * 10.0) as usize..(to_s * 10.0) as usize].iter().copied().fold(0.0, f64::max)
    }

    /// Whether the packet was taken; else it is lost.
    fn push(&mut self, now_ms: f64, flow: usize, number: u64, bytes: usize) -> bool {
        if self.queue.is_empty() {
            self.free_ms = self.free_ms.max(now_ms);
        }
        if self.chance() < self.loss || self.delay_ms() > self.queue_ms {
            return false;
        }
        self.queue.push_back((flow, bytes, number));
        self.queued_bytes += bytes;
        true
    }

    /// Lets packets go until `now_ms`, and returns those that arrived at the far end.
    fn run(&mut self, now_ms: f64) -> Vec<Delivery> {
        while let Some(&(flow, bytes, number)) = self.queue.front() {
            let done = self.free_ms + bytes as f64 * 8e3 / self.rate;
            if done > now_ms {
                break;
            }
            self.free_ms = done;
            self.queue.pop_front();
            self.queued_bytes -= bytes;
            let at_ms = (done + self.round_trip_ms / 2.0).max(self.held_until_ms);
            self.flying.push_back(Delivery { at_ms, flow, number, bytes });
        }
        let come = self.flying.iter().take_while(|delivery| delivery.at_ms <= now_ms).count();
        self.delays_ms.resize(now_ms as usize / 100 + 1, 0.0);
        let delay_ms = self.delay_ms();
        let slot = self.delays_ms.last_mut().unwrap();
        *slot = slot.max(delay_ms);
        self.flying.drain(..come).collect()
    }
}

/// What sends.
#[derive(Debug)]
pub(crate) enum Source {
    /// The largest of these layers that fits, bit/s, and sound.
    Layers([f64; 3]),
    /// As much as the estimate.
    Elastic,
    /// So much, evenly, bit/s.
    Even(f64),
}

/// bit/s of sound, with overhead.
const SOUND: f64 = 50e3;
const SOUND_BYTES: usize = 125;
const FRAME_MS: u64 = 40;

/// A viewer under the estimator.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) estimator: Estimator,
    pub(crate) source: Source,
    /// Layers that are sent: none, the smallest, up to the largest in place of the others.
    layer: usize,
    feedback_ms: u64,
    /// Packets of the frame to be sent, paced.
    pacer: VecDeque<usize>,
    pace_ms: f64,
    /// By packet number: sequence numbers are its low bits.
    reported: u64,
    sent: u64,
    arrivals: VecDeque<(u64, f64)>,
    /// On their way to the sender.
    messages: VecDeque<(f64, Vec<u8>)>,
    /// Nothing of the viewer's feedback arrives.
    pub(crate) mute: bool,
    /// Bytes that arrived, by tenth of a second.
    received: Vec<usize>,
    /// The estimate at the end of each.
    estimates: Vec<f64>,
}

pub(crate) const LAYERS: Source = Source::Layers([150e3, 500e3, 2.5e6]);
pub(crate) const WANTED: u32 = 2_550_000;

impl Flow {
    pub(crate) fn new(source: Source, feedback_ms: u64, wanted: u32, start: Instant) -> Self {
        let mut estimator = Estimator::new(start);
        estimator.set_wanted(wanted, start);
        Self {
            estimator,
            source,
            layer: 0,
            feedback_ms,
            pacer: VecDeque::new(),
            pace_ms: 0.0,
            reported: 0,
            sent: 0,
            arrivals: VecDeque::new(),
            messages: VecDeque::new(),
            mute: false,
            received: Vec::new(),
            estimates: Vec::new(),
        }
    }

    /// The rate of what it has to send; a frame that begins a higher layer is four times as large.
    fn frame_bytes(&mut self) -> usize {
        let estimate = f64::from(self.estimator.bitrate());
        let (total, key) = match &self.source {
            Source::Elastic => (estimate, false),
            Source::Even(rate) => (*rate + SOUND, false),
            Source::Layers(layers) => {
                let fits = |spare: f64| layers.iter().take_while(|rate| **rate * spare + SOUND <= estimate).count();
                let layer = if self.layer > fits(1.0) { fits(1.0) } else { self.layer.max(fits(1.15)) };
                let key = layer != self.layer;
                self.layer = layer;
                (SOUND + layer.checked_sub(1).map_or(0.0, |top| layers[top]), key)
            }
        };
        let payload = (total - SOUND).max(0.0) * 1_200.0 / 1_244.0;
        (payload * FRAME_MS as f64 / 8e3) as usize * if key { 4 } else { 1 }
    }

    fn send(&mut self, bytes: usize, me: usize, line: &mut Line, now_ms: u64, now: Instant) {
        let seq = self.estimator.sent(bytes, now);
        assert_eq!(seq, self.sent as u16);
        line.push(now_ms as f64, me, self.sent, bytes);
        self.sent += 1;
    }

    fn step(&mut self, me: usize, line: &mut Line, now_ms: u64, now: Instant) {
        while self.messages.front().is_some_and(|(at, _)| *at <= now_ms as f64) {
            let (_, fci) = self.messages.pop_front().unwrap();
            self.told(&fci, now);
        }
        if now_ms.is_multiple_of(1_000) {
            let delay_ms = line.round_trip_ms + line.delay_ms();
            self.estimator.round_trip(Duration::from_secs_f64(delay_ms / 1e3));
        }
        if now_ms.is_multiple_of(FRAME_MS) {
            let bytes = self.frame_bytes();
            self.pacer.extend((0..bytes).step_by(1_200).map(|at| 1_200.min(bytes - at) + 44));
            let within_ms = if let Source::Even(_) = self.source { FRAME_MS as f64 } else { 20.0 };
            self.pace_ms = within_ms / self.pacer.len().max(1) as f64;
        }
        if now_ms.is_multiple_of(20) {
            self.send(SOUND_BYTES, me, line, now_ms, now);
        }
        let tick_ms = if let Source::Even(_) = self.source { 1 } else { 5 };
        let mut budget_ms = if now_ms.is_multiple_of(tick_ms) { tick_ms as f64 } else { 0.0 };
        while budget_ms > 0.0 {
            budget_ms -= self.pace_ms;
            let Some(bytes) = self.pacer.pop_front() else { break };
            self.send(bytes, me, line, now_ms, now);
        }
        if self.estimator.next_timeout() <= now {
            self.estimator.handle_timeout(now);
            while let Some(probe) = self.estimator.poll_probe(now) {
                for at in (0..probe.bytes).step_by(300) {
                    self.send(300.min(probe.bytes - at), me, line, now_ms, now);
                }
            }
        }
        if now_ms.is_multiple_of(self.feedback_ms) && !self.arrivals.is_empty() {
            let newest = self.arrivals.iter().map(|(number, _)| *number).max().unwrap();
            let first_ms = self.arrivals[0].1;
            let reference = (first_ms / 64.0) as u32;
            let mut ticks = vec![None; (newest + 1 - self.reported) as usize];
            for (number, at_ms) in self.arrivals.drain(..) {
                let at = (number - self.reported) as usize;
                ticks[at] = Some(((at_ms - f64::from(reference) * 64.0) * 4.0) as i64);
            }
            let fci = write_feedback(self.reported as u16, reference, &ticks);
            self.reported = newest + 1;
            if !self.mute {
                self.messages.push_back((now_ms as f64 + line.round_trip_ms / 2.0, fci));
            }
        }
        let tenth = (now_ms / 100) as usize;
        self.received.resize(tenth + 1, 0);
        self.estimates.resize(tenth + 1, 0.0);
        self.estimates[tenth] = f64::from(self.estimator.bitrate());
    }

    fn told(&mut self, fci: &[u8], now: Instant) {
        let feedback = Feedback::parse(fci).unwrap();
        let told = self.estimator.feedback(&feedback, now);
        let Told { arrived, missing, queued, .. } = told;
        assert_eq!(told, Told { arrived, missing, queued, ..Told::default() });
    }

    fn delivered(&mut self, delivery: Delivery) {
        self.received[(delivery.at_ms / 100.0) as usize] += delivery.bytes;
        self.arrivals.push_back((delivery.number, delivery.at_ms));
    }

    /// What arrived from one time to another, bit/s.
    pub(crate) fn received(&self, from_s: f64, to_s: f64) -> f64 {
        let bytes: usize = self.received[(from_s * 10.0) as usize..(to_s * 10.0) as usize].iter().sum();
        bytes as f64 * 8.0 / (to_s - from_s)
    }

    /// The lowest and the highest estimate from one time to another, bit/s.
    pub(crate) fn estimated(&self, from_s: f64, to_s: f64) -> (f64, f64) {
        let estimates = self.estimates[(from_s * 10.0) as usize..(to_s * 10.0) as usize].iter().copied();
        estimates.fold((f64::MAX, 0.0), |(low, high), estimate| (low.min(estimate), high.max(estimate)))
    }
}

/// Flows on a line.
#[derive(Debug)]
pub(crate) struct World {
    start: Instant,
    pub(crate) now_ms: u64,
    pub(crate) line: Line,
    pub(crate) flows: Vec<Flow>,
    pub(crate) tcp: Option<Tcp>,
}

impl World {
    pub(crate) fn new(line: Line) -> Self {
        Self { start: Instant::now(), now_ms: 0, line, flows: Vec::new(), tcp: None }
    }

    /// Adds a viewer that would take `wanted` bit/s.
    pub(crate) fn with(mut self, source: Source, feedback_ms: u64, wanted: u32) -> Self {
        let now = self.now();
        self.flows.push(Flow::new(source, feedback_ms, wanted, now));
        self
    }

    pub(crate) fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.now_ms)
    }

    /// Goes on until so many seconds after the start.
    pub(crate) fn run_until(&mut self, seconds: f64) -> &mut Self {
        while (self.now_ms as f64) < seconds * 1e3 {
            let now = self.now();
            for (n, flow) in self.flows.iter_mut().enumerate() {
                flow.step(n, &mut self.line, self.now_ms, now);
            }
            if let Some(tcp) = &mut self.tcp {
                tcp.step(self.flows.len(), &mut self.line, self.now_ms);
            }
            for delivery in self.line.run(self.now_ms as f64) {
                if let Some(flow) = self.flows.get_mut(delivery.flow) {
                    flow.delivered(delivery);
                } else if let Some(tcp) = &mut self.tcp {
                    tcp.delivered(delivery, &self.line);
                }
            }
            self.now_ms += 1;
        }
        self
    }
}
