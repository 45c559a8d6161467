//! The bound losses set (libwebrtc `SendSideBandwidthEstimation`; draft-ietf-rmcat-gcc-02 §6), beside the rate that keeps
//! the queue short.

use std::time::{Duration, Instant};

use super::BITRATE_MIN;

/// Losses up to this part are what radio links do: no reason to slow down.
const TOLERATED: f64 = 0.1;
/// Up to this part the line counts as clean.
const CLEAN: f64 = 0.02;
/// Weight of what was in the part that is lost lately, where it falls, with each window: half of it is forgotten in seven.
const FORGETTING: f64 = 0.9;
/// Losses are measured over at least this long, and so many packets.
const WINDOW: Duration = Duration::from_millis(200);
/// See [`WINDOW`].
const WINDOW_PACKETS: u32 = 20;
/// After nothing was heard for so long a new window begins: the time between says nothing of the rate.
const PAUSE: Duration = Duration::from_secs(1);
/// After a decrease so long and a round trip passes until the next: the first must have been felt.
const DECREASE_AFTER: Duration = Duration::from_millis(300);
/// How fast the bound rises while losses are tolerated, per second.
const GROWTH_PER_SECOND: f64 = 1.08;
/// By how much it rises with each clean window: losses are over, and the delay says whether there is room.
const CLEAN_GROWTH: f64 = 2.0;

/// Losses that lasted longer tell nothing of what the line carried before.
const OVER_WITHIN: Duration = Duration::from_secs(5);

/// Whether losses are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    No,
    Now,
    Told,
    /// It was no chance of one clean window between others.
    Settled,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct LossBound {
    /// bit/s; `None` when losses set no bound.
    bound: Option<f64>,
    since: Instant,
    heard: Instant,
    decreased: Option<Instant>,
    arrived: u32,
    lost: u32,
    arrived_bytes: u32,
    /// When the bound was set, and the rate then, bit/s; within [`OVER_WITHIN`] of that a bound set anew goes on from it.
    set: Option<(Instant, f32)>,
    over: Over,
    /// Windows in a row without losses.
    clean: u8,
    /// Part lost lately, without what an overflow of the queue loses: that of the worst window, slowly forgotten.
    lately: f64,
}

impl LossBound {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            bound: None,
            since: now,
            heard: now,
            decreased: None,
            arrived: 0,
            lost: 0,
            arrived_bytes: 0,
            set: None,
            over: Over::No,
            clean: 0,
            lately: 0.0,
        }
    }

    pub(crate) fn bitrate(&self) -> Option<f64> {
        self.bound
    }

    /// The rate before losses set a bound, bit/s, where they are over soon after. Says so once.
    pub(crate) fn take_over(&mut self) -> Option<f64> {
        let (_, before) = self.set.filter(|_| self.over == Over::Now)?;
        self.over = Over::Told;
        Some(before.into())
    }

    /// Whether some window lost more than a clean line loses, lately, and not by an overflow of the queue.
    pub(crate) fn is_lossy(&self) -> bool {
        self.lately > CLEAN
    }

    /// Takes in how many packets a feedback message said to have arrived and to be missing, and how many of the arrived
    /// had been told missing before.
    ///
    /// Where the queue is long, losses are its overflow and no bound is set: what arrives is all the line carries, and
    /// is returned, bit/s.
    pub(crate) fn update(&mut self, counts: Counts, path: Path, now: Instant) -> Option<f64> {
        let rate = path.bitrate;
        if now.saturating_duration_since(std::mem::replace(&mut self.heard, now)) > PAUSE {
            (self.since, self.arrived, self.lost, self.arrived_bytes) = (now, 0, 0, 0);
            return None;
        }
        self.arrived += counts.arrived;
        self.arrived_bytes = self.arrived_bytes.saturating_add(counts.arrived_bytes);
        self.lost = (self.lost + counts.missing).saturating_sub(counts.late);
        let packets = self.arrived + self.lost;
        let passed = now.saturating_duration_since(self.since);
        if passed < WINDOW || packets < WINDOW_PACKETS {
            return None;
        }
        let loss = f64::from(self.lost) / f64::from(packets);
        let throughput = f64::from(self.arrived_bytes) * 8.0 / passed.as_secs_f64();
        let lost = self.lost;
        (self.since, self.arrived, self.lost, self.arrived_bytes) = (now, 0, 0, 0);

        let clean_before = self.clean;
        self.clean = if loss <= CLEAN { self.clean.saturating_add(1) } else { 0 };
        if self.over == Over::Told {
            let was_chance = clean_before == 1 && loss > TOLERATED;
            self.over = if was_chance { Over::No } else { Over::Settled };
        }
        let overflow = path.is_queue_long || path.crowded;
        let fallen = self.lately * FORGETTING;
        // One packet says nothing of a window of 20.
        self.lately = if overflow || lost < 2 { fallen } else { loss.max(fallen) };

        let bound = self.bound.unwrap_or(rate).min(rate);
        if loss > if path.crowded { CLEAN } else { TOLERATED } {
            let felt_after = DECREASE_AFTER + path.round_trip;
            if self.decreased.is_some_and(|at| now.saturating_duration_since(at) < felt_after) {
                return None;
            }
            self.decreased = Some(now);
            if overflow {
                self.bound = None;
                return Some(throughput);
            }
            if self.bound.is_none() && self.set.is_none_or(|(at, _)| now.saturating_duration_since(at) >= OVER_WITHIN) {
                (self.set, self.over) = (Some((now, rate as f32)), Over::No);
            }
            self.bound = Some((bound * (1.0 - loss / 2.0)).max(f64::from(BITRATE_MIN)));
        } else if self.bound.is_some() {
            let seconds = passed.as_secs_f64().min(1.0);
            let grown = bound * if loss <= CLEAN { CLEAN_GROWTH } else { GROWTH_PER_SECOND.powf(seconds) };
            self.bound = (grown < rate).then_some(grown);
            let soon = self.set.is_some_and(|(at, _)| now.saturating_duration_since(at) < OVER_WITHIN);
            if self.bound.is_none() && loss <= CLEAN && soon && self.over == Over::No {
                self.over = Over::Now;
            }
        }
        None
    }
}

/// What else is known of the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    /// The estimate without the bound, bit/s.
    pub(crate) bitrate: f64,
    pub(crate) round_trip: Duration,
    pub(crate) is_queue_long: bool,
    /// Others keep the queue filled: any loss is its overflow.
    pub(crate) crowded: bool,
}

/// Packets a feedback message told something new of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) arrived: u32,
    pub(crate) arrived_bytes: u32,
    pub(crate) missing: u32,
    /// Of the arrived: told missing before.
    pub(crate) late: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 2e6;
    const PATH: Path =
        Path { bitrate: RATE, round_trip: Duration::from_millis(100), is_queue_long: false, crowded: false };

    /// Reports ten times a second for so many tenths; returns the bound then.
    fn run(loss: &mut LossBound, now: &mut Instant, tenths: u32, arrived: u32, missing: u32) -> Option<f64> {
        for _ in 0..tenths {
            *now += Duration::from_millis(100);
            loss.update(Counts { arrived, missing, ..Counts::default() }, PATH, *now);
        }
        loss.bitrate()
    }

    #[test]
    fn a_tenth_lost_is_tolerated_and_more_is_not() {
        let mut now = Instant::now();
        let mut loss = LossBound::new(now);
        assert_eq!(run(&mut loss, &mut now, 100, 18, 2), None);
        let bound = run(&mut loss, &mut now, 30, 16, 4).unwrap();
        assert!((0.4 * RATE..0.6 * RATE).contains(&bound), "{bound}");
    }

    #[test]
    fn the_bound_is_gone_soon_after_the_losses() {
        let mut now = Instant::now();
        let mut loss = LossBound::new(now);
        run(&mut loss, &mut now, 30, 16, 4).unwrap();
        assert_eq!(loss.take_over(), None);
        assert_eq!(run(&mut loss, &mut now, 6, 20, 0), None);
        assert_eq!((loss.take_over(), loss.take_over()), (Some(RATE), None));
    }

    #[test]
    fn losses_that_come_and_go_are_over_once_in_5_s_and_lasting_ones_never() {
        let mut now = Instant::now();
        let mut loss = LossBound::new(now);
        let mut over = 0;
        for _ in 0..20 {
            run(&mut loss, &mut now, 3, 16, 4);
            run(&mut loss, &mut now, 7, 20, 0);
            over += usize::from(loss.take_over().is_some());
        }
        assert!((3..=5).contains(&over), "{over} in 20 s");
        run(&mut loss, &mut now, 100, 16, 4);
        run(&mut loss, &mut now, 20, 20, 0);
        assert_eq!(loss.take_over(), None);
    }

    #[test]
    fn an_overflow_ends_the_bound_and_no_losses() {
        let mut now = Instant::now();
        let mut loss = LossBound::new(now);
        run(&mut loss, &mut now, 10, 16, 4).unwrap();
        for _ in 0..5 {
            now += Duration::from_millis(200);
            let counts = Counts { arrived: 20, arrived_bytes: 25_000, missing: 10, late: 0 };
            loss.update(counts, Path { is_queue_long: true, ..PATH }, now);
        }
        assert_eq!((loss.bitrate(), loss.take_over()), (None, None));
    }

    #[test]
    fn what_arrives_when_the_queue_overflows_is_measured_and_a_pause_is_not() {
        let mut now = Instant::now();
        let mut loss = LossBound::new(now);
        let path = Path { is_queue_long: true, ..PATH };
        let counts = Counts { arrived: 20, arrived_bytes: 25_000, missing: 10, late: 0 };
        now += Duration::from_secs(9);
        assert_eq!(loss.update(counts, path, now), None);
        let mut throughput = || {
            now += Duration::from_millis(100);
            loss.update(counts, path, now)
        };
        assert_eq!((throughput(), throughput()), (None, Some(2e6)));
        assert_eq!(loss.bitrate(), None);
    }

    #[test]
    fn a_line_is_lossy_from_the_first_losses_until_seconds_after_the_last_unless_its_queue_overflows() {
        let mut now = Instant::now();
        let mut loss = LossBound::new(now);
        run(&mut loss, &mut now, 20, 20, 0);
        assert!(!loss.is_lossy());
        run(&mut loss, &mut now, 3, 19, 1);
        assert!(loss.is_lossy());
        run(&mut loss, &mut now, 10, 20, 0);
        assert!(loss.is_lossy());
        run(&mut loss, &mut now, 20, 20, 0);
        assert!(!loss.is_lossy());
        for _ in 0..50 {
            now += Duration::from_millis(100);
            let counts = Counts { arrived: 10, missing: 10, ..Counts::default() };
            loss.update(counts, Path { is_queue_long: true, ..PATH }, now);
        }
        assert!(!loss.is_lossy());
    }

    #[test]
    fn reordered_packets_are_no_losses() {
        let mut now = Instant::now();
        let mut loss = LossBound::new(now);
        for _ in 0..50 {
            now += Duration::from_millis(100);
            let counts = Counts { arrived: 20, missing: 10, late: 10, ..Counts::default() };
            loss.update(counts, PATH, now);
        }
        assert_eq!(loss.bitrate(), None);
    }
}
