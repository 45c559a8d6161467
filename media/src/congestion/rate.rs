//! The rate that keeps the queue short: additive increase, multiplicative decrease (libwebrtc `AimdRateControl`,
//! `LinkCapacityEstimator`; draft-ietf-rmcat-gcc-02 §5.5).

use std::time::{Duration, Instant};

use super::delay::Usage;
use super::{BITRATE_MIN, START_BITRATE};

/// Part of the throughput that is kept when the queue grows (draft §5.5: β).
const BETA: f64 = 0.85;
/// Growth per second while the line's capacity is not known.
const GROWTH_PER_SECOND: f64 = 1.08;
/// The estimate is not raised beyond this much of what arrives, and a little: what was not tried is not known.
const UNTRIED: (f64, f64) = (1.5, 10_000.0);
/// Near the capacity the rate grows by a packet per response time, which is the round trip and this.
const RESPONSE_TIME: Duration = Duration::from_millis(100);
/// Growth near the capacity is at least this, bit/s per second.
const NEAR_GROWTH_MIN: f64 = 4_000.0;
/// Among others that fill the queue the window grows by so many packets per round trip, as CUBIC's does where it is
/// friendly to Reno (RFC 9438 §4.3: α). CUBIC falls to 0.7 then, and grows faster elsewhere; simulated, both take half.
const CROWDED_PACKETS: f64 = 0.53;
/// Frames per second and packet size assumed for the size of a packet.
const FRAMES_PER_SECOND: f64 = 30.0;
/// See [`FRAMES_PER_SECOND`]; bits.
const PACKET_BITS: f64 = 1_200.0 * 8.0;
/// Shortest and longest time between two decreases, else the round trip: the first must have been felt.
const REDUCE_AFTER: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// See the module. Rates in bit/s.
#[derive(Debug)]
pub(crate) struct RateControl {
    bitrate: f64,
    state: State,
    capacity: LinkCapacity,
    changed: Instant,
    lowered: Instant,
    /// Nothing is known of the line yet.
    guessed: bool,
    /// Others keep the queue filled.
    crowded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The queue drains, or has just been given time to.
    Hold,
    Increase,
}

impl RateControl {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            bitrate: f64::from(START_BITRATE),
            state: State::Hold,
            capacity: LinkCapacity::default(),
            changed: now,
            lowered: now,
            guessed: true,
            crowded: false,
        }
    }

    pub(crate) fn bitrate(&self) -> f64 {
        self.bitrate
    }

    /// Whether nothing is known of the line yet.
    pub(crate) fn is_guessed(&self) -> bool {
        self.guessed
    }

    /// Whether the queue grew, or a probe arrived, at about the present rate.
    pub(crate) fn knows_capacity(&self) -> bool {
        self.capacity.estimate.is_some()
    }

    /// Adjusts the rate after a feedback message: `throughput` is what arrives, `None` where that is not known yet.
    /// Where it is `crowded`, others fill the queue whatever this flow does: then its overflow counts, and not its growth.
    pub(crate) fn update(
        &mut self,
        usage: Usage,
        crowded: bool,
        throughput: Option<f64>,
        round_trip: Duration,
        now: Instant,
    ) {
        self.crowded = crowded;
        match if crowded { Usage::Normal } else { usage } {
            Usage::Over => self.decrease(throughput, round_trip, now),
            Usage::Under => self.state = State::Hold,
            Usage::Normal if self.state == State::Hold => (self.state, self.changed) = (State::Increase, now),
            Usage::Normal => self.increase(throughput, round_trip, now),
        }
    }

    /// A probe arrived at this rate: the line has room for it. It lowers the rate only where that was guessed, as a
    /// single packet that comes late does the same to a probe.
    /// One that did not fill the line tells nothing of where its capacity ends.
    pub(crate) fn proved(&mut self, bitrate: f64, filled: bool, now: Instant) {
        if filled {
            self.capacity.sample(bitrate, LinkCapacity::PROBE_WEIGHT);
        } else if bitrate > self.capacity.upper() {
            self.capacity = LinkCapacity::default();
        }
        if bitrate > self.bitrate || self.guessed {
            self.bitrate = bitrate.max(f64::from(BITRATE_MIN));
            (self.changed, self.guessed) = (now, false);
        }
    }

    /// What was found meanwhile is no capacity: packets were lost that the line had room for.
    pub(crate) fn forget_capacity(&mut self) {
        self.capacity = LinkCapacity::default();
    }

    /// For how long the rate has not been lowered.
    pub(crate) fn steady_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.lowered)
    }

    /// Nothing is heard from the viewer.
    pub(crate) fn halve(&mut self, now: Instant) {
        self.bitrate = (self.bitrate / 2.0).max(f64::from(BITRATE_MIN));
        self.changed = now;
    }

    fn increase(&mut self, throughput: Option<f64>, round_trip: Duration, now: Instant) {
        let since = now.saturating_duration_since(self.changed).as_secs_f64().min(1.0);
        self.changed = now;
        let Some(throughput) = throughput else { return };
        if throughput > self.capacity.upper() {
            self.capacity = LinkCapacity::default();
        }
        let limit = throughput * UNTRIED.0 + UNTRIED.1;
        if self.bitrate < limit {
            let grown = if self.crowded {
                self.bitrate + crowded_growth(round_trip) * since
            } else if self.capacity.estimate.is_some() {
                self.bitrate + near_growth(self.bitrate, round_trip) * since
            } else {
                self.bitrate * GROWTH_PER_SECOND.powf(since)
            };
            self.bitrate = grown.min(limit);
        }
    }

    fn decrease(&mut self, throughput: Option<f64>, round_trip: Duration, now: Instant) {
        let since = now.saturating_duration_since(self.changed);
        let felt = since >= round_trip.clamp(REDUCE_AFTER.0, REDUCE_AFTER.1);
        let Some(throughput) = throughput else {
            if felt {
                self.halve(now);
            }
            return;
        };
        if !felt && throughput >= self.bitrate / 2.0 {
            return;
        }
        self.reduce(throughput, now);
    }

    /// The queue overflows: `throughput` is what still arrives. Others that fill it reduce what they send; so does this.
    pub(crate) fn overflowed(&mut self, throughput: f64, now: Instant) {
        self.reduce(if self.crowded { self.bitrate } else { throughput }, now);
    }

    /// Takes the rate below what arrives.
    fn reduce(&mut self, throughput: f64, now: Instant) {
        let mut decreased = throughput * BETA;
        if decreased > self.bitrate {
            decreased = self.capacity.estimate.map_or(decreased, |capacity| capacity * BETA);
        }
        self.bitrate = decreased.min(self.bitrate).max(f64::from(BITRATE_MIN));
        if throughput < self.capacity.lower() {
            self.capacity = LinkCapacity::default();
        }
        self.capacity.sample(throughput, LinkCapacity::OVERUSE_WEIGHT);
        (self.state, self.changed, self.guessed) = (State::Hold, now, false);
        self.lowered = now;
    }
}

/// So many packets per round trip, each round trip, bit/s per second.
fn crowded_growth(round_trip: Duration) -> f64 {
    let seconds = round_trip.max(REDUCE_AFTER.0).as_secs_f64();
    CROWDED_PACKETS * PACKET_BITS / (seconds * seconds)
}

/// One packet per response time, bit/s per second.
fn near_growth(bitrate: f64, round_trip: Duration) -> f64 {
    let frame_bits = bitrate / FRAMES_PER_SECOND;
    let packet_bits = frame_bits / (frame_bits / PACKET_BITS).ceil();
    (packet_bits / (round_trip + RESPONSE_TIME).as_secs_f64()).max(NEAR_GROWTH_MIN)
}

/// What the line carried when its queue grew.
#[derive(Debug, Default)]
struct LinkCapacity {
    /// bit/s.
    estimate: Option<f64>,
    /// Variance over the estimate, kbit/s.
    deviation: f64,
}

impl LinkCapacity {
    const OVERUSE_WEIGHT: f64 = 0.05;
    const PROBE_WEIGHT: f64 = 0.5;
    const DEVIATION: (f64, f64) = (0.4, 2.5);
    /// The throughput is another line's when it is so many standard deviations away.
    const SIGMAS: f64 = 3.0;

    fn sample(&mut self, bitrate: f64, weight: f64) {
        let estimate = self.estimate.map_or(bitrate, |estimate| (1.0 - weight) * estimate + weight * bitrate);
        let error_kbps = (estimate - bitrate) / 1e3;
        let deviation = (1.0 - weight) * self.deviation + weight * error_kbps * error_kbps / (estimate / 1e3).max(1.0);
        self.deviation = deviation.clamp(Self::DEVIATION.0, Self::DEVIATION.1);
        self.estimate = Some(estimate);
    }

    fn spread(&self, estimate: f64) -> f64 {
        Self::SIGMAS * (self.deviation * estimate / 1e3).sqrt() * 1e3
    }

    fn upper(&self) -> f64 {
        self.estimate.map_or(f64::INFINITY, |estimate| estimate + self.spread(estimate))
    }

    fn lower(&self) -> f64 {
        self.estimate.map_or(0.0, |estimate| (estimate - self.spread(estimate)).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(100);

    /// Updates ten times a second for so many seconds.
    fn run(rate: &mut RateControl, now: &mut Instant, seconds: u32, usage: Usage, throughput: f64) -> f64 {
        for _ in 0..10 * seconds {
            *now += Duration::from_millis(100);
            rate.update(usage, false, Some(throughput), ROUND_TRIP, *now);
        }
        rate.bitrate()
    }

    #[test]
    fn what_was_not_tried_does_not_grow_and_is_not_taken_away() {
        let mut now = Instant::now();
        let mut rate = RateControl::new(now);
        assert_eq!(run(&mut rate, &mut now, 60, Usage::Normal, 500e3), 1.5e6);
        assert!((run(&mut rate, &mut now, 60, Usage::Normal, 1.2e6) - 1.81e6).abs() < 1.0);
    }

    #[test]
    fn a_growing_queue_takes_the_rate_below_what_arrives_and_then_it_grows_by_packets() {
        let mut now = Instant::now();
        let mut rate = RateControl::new(now);
        now += Duration::from_secs(1);
        rate.update(Usage::Over, false, Some(1e6), ROUND_TRIP, now);
        assert_eq!(rate.bitrate(), 0.85e6);
        assert_eq!(run(&mut rate, &mut now, 1, Usage::Under, 1e6), 0.85e6);
        let grown = run(&mut rate, &mut now, 2, Usage::Normal, 0.95e6);
        assert!((0.90e6..0.95e6).contains(&grown), "{grown}");
    }

    #[test]
    fn among_others_that_fill_the_queue_its_growth_is_ignored_and_its_overflow_is_not() {
        let mut now = Instant::now();
        let mut rate = RateControl::new(now);
        for _ in 0..10 {
            now += Duration::from_millis(100);
            rate.update(Usage::Over, true, Some(1.4e6), 2 * ROUND_TRIP, now);
        }
        // 0.53 packets of 9,600 bits per 200 ms, each 200 ms.
        assert!((rate.bitrate() - 1.5e6 - 0.9 * 127e3).abs() < 15e3, "{}", rate.bitrate());
        let before = rate.bitrate();
        rate.overflowed(1.2e6, now);
        assert_eq!(rate.bitrate(), 0.85 * before);
    }

    #[test]
    fn a_probe_raises_the_rate_and_never_lowers_it() {
        let now = Instant::now();
        let mut rate = RateControl::new(now);
        rate.proved(3e6, false, now);
        rate.proved(1e6, false, now);
        assert_eq!(rate.bitrate(), 3e6);
    }
}
