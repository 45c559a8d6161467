//! Whether the queue in front of a viewer grows: groups of packets, how much more their arrivals are apart than their
//! departures, and the trend of that (libwebrtc `InterArrivalDelta`, `TrendlineEstimator`; draft-ietf-rmcat-gcc-02 §5).

/// Packets sent within this time of the first are one group (draft §5.2: `burst_time`), µs.
const GROUP_US: i64 = 5_000;
/// Packets that arrive together after a pause are one group for at most so long, µs.
const BURST_US_MAX: i64 = 100_000;
/// Arrivals that went back in time before all is begun anew.
const REORDERED_MAX: u8 = 3;

/// Groups the line is fitted through.
const WINDOW: usize = 20;
/// Weight of what was in the smoothed delay.
const SMOOTHING: f64 = 0.9;
/// The slope is small; this brings it to the scale of the threshold.
const THRESHOLD_GAIN: f64 = 4.0;
/// Groups after which a slope counts in full.
const DELTAS_MAX: u32 = 60;
/// Threshold to begin with, and its bounds, ms.
const THRESHOLD_MS: (f64, f64, f64) = (6.0, 12.5, 600.0);
/// How fast the threshold follows a trend beyond it, and one within it, per ms (draft §5.4: `K_u`, `K_d`; the values
/// are libwebrtc's). It rises so that flows that fill queues, such as TCP, do not starve this one.
const THRESHOLD_UP: f64 = 0.0087;
/// See [`THRESHOLD_UP`].
const THRESHOLD_DOWN: f64 = 0.039;
/// A trend this far beyond the threshold is a jump of the route's delay, and does not move it, ms.
const ADAPT_OFFSET_MS: f64 = 15.0;
/// Most time one step of the threshold stands for, ms.
const ADAPT_MS_MAX: f64 = 100.0;
/// The trend must be beyond the threshold for longer than this, ms.
const OVERUSE_MS: f64 = 10.0;

/// The shortest delay is looked for in the last so many µs, and up to twice that: clocks drift apart by 10 ms meanwhile.
const SHORTEST_WITHIN_US: i64 = 120_000_000;
/// The same while the queue stands, so that a TCP flow, which fills it for minutes, is not taken for the line. A route that
/// has become longer is taken for such a flow for as long.
const SHORTEST_WITHIN_STANDING_US: i64 = 600_000_000;
/// A queue that has not been short for so many µs stands: a thin line takes nearly as long to empty one of half a second,
const STANDING_US: i64 = 5_000_000;
/// and within [`STOOD_US`] of that one that has not for so many: TCP lets it drain when it has lost a packet, and fills it again.
const STANDING_AGAIN_US: i64 = 1_000_000;
/// See [`STANDING_AGAIN_US`].
const STOOD_US: i64 = 10_000_000;
/// It stands until it has been short for so many µs.
const DRAINED_US: i64 = 1_000_000;
/// After nothing has arrived for so many µs nothing is known of the queue.
const PAUSE_US: i64 = 1_000_000;
/// A queue longer than this is long, µs: one flow under this control does not keep it so.
const LONG_US: i64 = 60_000;
/// One longer than this is not put up with, µs, whoever fills it: nobody can talk over it, and where a route has become
/// longer all of it is this flow's own.
const TOO_LONG_US: i64 = 400_000;

/// What the trend says of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Usage {
    /// The queue stays as it is.
    #[default]
    Normal,
    /// The queue grows.
    Over,
    /// The queue drains.
    Under,
}

/// Packets sent at about the same time.
#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent_us: i64,
    last_sent_us: i64,
    first_arrival_us: i64,
    last_arrival_us: i64,
}

impl Group {
    fn of(sent_us: i64, arrival_us: i64) -> Self {
        Self {
            first_sent_us: sent_us,
            last_sent_us: sent_us,
            first_arrival_us: arrival_us,
            last_arrival_us: arrival_us,
        }
    }

    fn takes(&self, sent_us: i64, arrival_us: i64) -> bool {
        let sent_after = sent_us - self.last_sent_us;
        let arrived_after = arrival_us - self.last_arrival_us;
        // What a radio link held back comes all at once. It says nothing of the queue.
        let burst = sent_after == 0
            || (arrived_after < sent_after
                && arrived_after <= GROUP_US
                && arrival_us - self.first_arrival_us < BURST_US_MAX);
        burst || sent_us - self.first_sent_us <= GROUP_US
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct DelayTrend {
    previous: Option<Group>,
    current: Option<Group>,
    reordered: u8,
    /// One-way delays, by two clocks that differ by any constant: the latest, and the shortest.
    latest_us: i64,
    shortest: Shortest,
    standing: Standing,
    slope: Slope,
    detector: Detector,
}

impl DelayTrend {
    /// Takes in a packet that arrived. Packets come in the order they were sent; ones that do not are left out.
    pub(crate) fn arrived(&mut self, sent_us: i64, arrival_us: i64) {
        let delay_us = arrival_us - sent_us;
        self.latest_us = delay_us;
        let within_us = if self.is_queue_standing() { SHORTEST_WITHIN_STANDING_US } else { SHORTEST_WITHIN_US };
        self.shortest.update(sent_us, delay_us, within_us);
        self.standing.update(sent_us, self.is_queue_long());
        let Some(current) = &mut self.current else {
            self.current = Some(Group::of(sent_us, arrival_us));
            return;
        };
        if sent_us < current.first_sent_us {
            return;
        }
        if current.takes(sent_us, arrival_us) {
            current.last_sent_us = current.last_sent_us.max(sent_us);
            current.last_arrival_us = current.last_arrival_us.max(arrival_us);
            return;
        }
        let complete = *current;
        self.current = Some(Group::of(sent_us, arrival_us));
        let Some(previous) = self.previous.replace(complete) else { return };
        let arrival_delta_us = complete.last_arrival_us - previous.last_arrival_us;
        if arrival_delta_us < 0 {
            self.reordered += 1;
            if self.reordered >= REORDERED_MAX {
                self.forget_groups();
            }
            return;
        }
        self.reordered = 0;
        let sent_delta_ms = (complete.last_sent_us - previous.last_sent_us) as f64 / 1e3;
        let delay_delta_ms = arrival_delta_us as f64 / 1e3 - sent_delta_ms;
        let slope = self.slope.update(delay_delta_ms, complete.last_arrival_us);
        self.detector.update(slope, self.slope.deltas, sent_delta_ms, complete.last_arrival_us);
    }

    pub(crate) fn usage(&self) -> Usage {
        self.detector.usage
    }

    /// Whether the latest packets waited long.
    pub(crate) fn is_queue_long(&self) -> bool {
        self.queue_us() > LONG_US
    }

    /// Whether the packets of the last seconds waited long, but not too long: others keep the queue filled.
    pub(crate) fn is_queue_standing(&self) -> bool {
        self.standing.stands && self.queue_us() < TOO_LONG_US
    }

    /// How much longer than the shortest the latest packet took.
    pub(crate) fn queue_us(&self) -> i64 {
        self.latest_us - self.shortest.us()
    }

    /// The viewer's clock jumped: arrivals before are not to be compared with those after.
    pub(crate) fn restart(&mut self) {
        self.forget_groups();
        (self.shortest, self.standing) = (Shortest::default(), Standing::default());
        self.slope = Slope::default();
        self.detector = Detector { threshold_ms: self.detector.threshold_ms, ..Detector::default() };
    }

    fn forget_groups(&mut self) {
        (self.previous, self.current, self.reordered) = (None, None, 0);
    }
}

/// The shortest delay of this window of time and the one before.
#[derive(Debug, Default)]
struct Shortest {
    windows_us: [i64; 2],
    since_us: Option<i64>,
}

impl Shortest {
    fn us(&self) -> i64 {
        self.windows_us[0].min(self.windows_us[1])
    }

    fn update(&mut self, sent_us: i64, delay_us: i64, within_us: i64) {
        let first = self.since_us.is_none();
        if first || self.since_us.is_some_and(|since_us| sent_us - since_us > within_us) {
            self.since_us = Some(sent_us);
            self.windows_us = [delay_us, if first { delay_us } else { self.windows_us[0] }];
        }
        self.windows_us[0] = self.windows_us[0].min(delay_us);
    }
}

/// Whether the queue stands, by when packets were sent that waited long and that did not, µs.
#[derive(Debug, Default)]
struct Standing {
    stands: bool,
    /// When it was last long for [`STANDING_US`].
    stood_us: Option<i64>,
    /// The last packet that did not wait long, and the last one that did.
    short_us: i64,
    long_us: i64,
}

impl Standing {
    fn update(&mut self, sent_us: i64, long: bool) {
        let known_us = self.short_us.max(self.long_us);
        // Others may have overtaken it.
        let sent_us = sent_us.max(known_us);
        if sent_us - known_us > PAUSE_US {
            *self = Self { short_us: sent_us, ..Self::default() };
        }
        *(if long { &mut self.long_us } else { &mut self.short_us }) = sent_us;
        let long_for_us = sent_us - self.short_us;
        if long_for_us >= STANDING_US {
            self.stood_us = Some(sent_us);
        }
        let stood = self.stood_us.is_some_and(|stood_us| sent_us - stood_us < STOOD_US);
        self.stands = if self.stands {
            sent_us - self.long_us < DRAINED_US
        } else {
            long_for_us >= if stood { STANDING_AGAIN_US } else { STANDING_US }
        };
    }
}

/// Slope of the smoothed one-way delay over time: above 0 the queue grows. Without unit.
#[derive(Debug, Default)]
struct Slope {
    /// Arrivals of the latest groups after `first_us`; `at` is the oldest once full.
    x_ms: [f64; WINDOW],
    /// Their smoothed delays.
    y_ms: [f64; WINDOW],
    at: usize,
    first_us: Option<i64>,
    deltas: u32,
    delay_ms: f64,
    smoothed_ms: f64,
    slope: f64,
}

impl Slope {
    fn update(&mut self, delay_delta_ms: f64, arrival_us: i64) -> f64 {
        let first_us = *self.first_us.get_or_insert(arrival_us);
        self.deltas = self.deltas.saturating_add(1);
        self.delay_ms += delay_delta_ms;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.delay_ms;
        (self.x_ms[self.at], self.y_ms[self.at]) = ((arrival_us - first_us) as f64 / 1e3, self.smoothed_ms);
        self.at = (self.at + 1) % WINDOW;
        if self.deltas as usize >= WINDOW {
            self.slope = least_squares_slope(&self.x_ms, &self.y_ms).unwrap_or(self.slope);
        }
        self.slope
    }
}

/// `None` where all points have the same x.
fn least_squares_slope(x: &[f64; WINDOW], y: &[f64; WINDOW]) -> Option<f64> {
    let mean = |values: &[f64; WINDOW]| sum(|n| values[n]) / WINDOW as f64;
    let (x_mean, y_mean) = (mean(x), mean(y));
    let up = sum(|n| (x[n] - x_mean) * (y[n] - y_mean));
    let down = sum(|n| (x[n] - x_mean) * (x[n] - x_mean));
    (down > 0.0).then(|| up / down)
}

/// Adds up the values of all points, four at a time: each addition would wait for the one before.
fn sum(of: impl Fn(usize) -> f64) -> f64 {
    let mut sums = [0.0; 4];
    for n in (0..WINDOW).step_by(sums.len()) {
        sums.iter_mut().enumerate().for_each(|(lane, sum)| *sum += of(n + lane));
    }
    sums.iter().sum()
}

const _: () = assert!(WINDOW.is_multiple_of(4), "all points are added up");

/// Compares the trend with a threshold that adapts itself (draft §5.4).
#[derive(Debug)]
struct Detector {
    usage: Usage,
    threshold_ms: f64,
    adapted_us: Option<i64>,
    /// How long the trend has been beyond the threshold, ms of departures, and in how many groups.
    over_ms: Option<f64>,
    over_groups: u32,
    last_slope: f64,
}

impl Default for Detector {
    fn default() -> Self {
        let (usage, threshold_ms) = (Usage::Normal, THRESHOLD_MS.1);
        Self { usage, threshold_ms, adapted_us: None, over_ms: None, over_groups: 0, last_slope: 0.0 }
    }
}

impl Detector {
    fn update(&mut self, slope: f64, deltas: u32, sent_delta_ms: f64, arrival_us: i64) {
        let trend_ms = f64::from(deltas.min(DELTAS_MAX)) * slope * THRESHOLD_GAIN;
        if trend_ms > self.threshold_ms {
            // The queue began to grow somewhere between the last two groups.
            let over_ms = self.over_ms.map_or(sent_delta_ms / 2.0, |over_ms| over_ms + sent_delta_ms);
            self.over_groups += 1;
            self.over_ms = Some(over_ms);
            if over_ms > OVERUSE_MS && self.over_groups > 1 && slope >= self.last_slope {
                (self.over_ms, self.over_groups) = (Some(0.0), 0);
                self.usage = Usage::Over;
            }
        } else {
            (self.over_ms, self.over_groups) = (None, 0);
            self.usage = if trend_ms < -self.threshold_ms { Usage::Under } else { Usage::Normal };
        }
        self.last_slope = slope;
        self.adapt(trend_ms.abs(), arrival_us);
    }

    fn adapt(&mut self, trend_ms: f64, arrival_us: i64) {
        let since_us = arrival_us - self.adapted_us.replace(arrival_us).unwrap_or(arrival_us);
        if trend_ms > self.threshold_ms + ADAPT_OFFSET_MS {
            return;
        }
        let gain = if trend_ms < self.threshold_ms { THRESHOLD_DOWN } else { THRESHOLD_UP };
        let ms = (since_us as f64 / 1e3).clamp(0.0, ADAPT_MS_MAX);
        self.threshold_ms += gain * (trend_ms - self.threshold_ms) * ms;
        self.threshold_ms = self.threshold_ms.clamp(THRESHOLD_MS.0, THRESHOLD_MS.2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a packet every 10 ms for `packets` and returns each usage said, where `delay_us` is each one's delay.
    fn usages(packets: i64, delay_us: impl Fn(i64) -> i64) -> Vec<Usage> {
        let mut trend = DelayTrend::default();
        let sent = (0..packets).map(|n| n * 10_000);
        sent.map(|sent_us| {
            let arrival_us = sent_us + delay_us(sent_us);
            trend.arrived(sent_us, arrival_us);
            trend.usage()
        })
        .collect()
    }

    #[test]
    fn a_steady_delay_is_normal_whatever_it_is() {
        for delay_us in [0, 500_000] {
            assert!(usages(500, |_| delay_us).iter().all(|usage| *usage == Usage::Normal));
        }
    }

    #[test]
    fn a_queue_that_grows_is_overuse_within_half_a_second_and_one_that_drains_is_not() {
        let grows = usages(200, |sent_us| 20_000 + (sent_us - 1_000_000).max(0) / 5);
        assert_eq!(grows[..100].iter().position(|usage| *usage == Usage::Over), None);
        assert!(grows[100..150].contains(&Usage::Over));
        let drains = usages(200, |sent_us| 500_000 - (sent_us - 1_000_000).clamp(0, 500_000) / 5);
        assert!(drains.contains(&Usage::Under));
        assert!(!drains.contains(&Usage::Over));
    }

    #[test]
    fn a_line_that_holds_packets_back_and_lets_them_go_at_once_is_not_overuse() {
        let held =
            usages(1_000, |sent_us| if sent_us % 2_000_000 < 300_000 { 300_000 - sent_us % 2_000_000 } else { 0 });
        assert!(!held.contains(&Usage::Over));
    }

    /// Nothing is sent for so many ms.
    const PAUSE: (i64, i64) = (-1, 2_000);

    /// Seconds after which the queue is said to stand, and after which no more, by turns, where each of `queues` is as long
    /// for so many ms. A packet is sent every 10 ms, and the first second tells how short the delay can be.
    fn turns(queues: &[(i64, i64)]) -> Vec<f64> {
        let mut trend = DelayTrend::default();
        let (mut sent_us, mut turns) = (0, Vec::new());
        for (queue_ms, for_ms) in [&[(0, 1_000)], queues].concat() {
            if queue_ms == PAUSE.0 {
                sent_us += PAUSE.1 * 1_000;
                continue;
            }
            for _ in 0..for_ms / 10 {
                let stood = trend.is_queue_standing();
                trend.arrived(sent_us, sent_us + queue_ms * 1_000);
                if trend.is_queue_standing() != stood {
                    turns.push(sent_us as f64 / 1e6);
                }
                sent_us += 10_000;
            }
        }
        turns
    }

    #[test]
    fn a_queue_stands_after_5_s_and_sooner_when_it_is_filled_again_until_it_is_short_for_1_s() {
        let tcp = [(150, 5_100), (20, 800), (150, 2_000), (20, 1_500), (150, 1_500), (0, 10_000), (150, 4_900)];
        assert_eq!(turns(&tcp), [5.99, 9.89, 11.39, 12.89]);
        // Nobody needs to put up with a queue of half a second, and what is short every two seconds stands not at all.
        assert_eq!(turns(&[(500, 10_000)]), [0.0; 0]);
        // What was before a pause is forgotten.
        assert_eq!(turns(&[(150, 5_100), PAUSE, (150, 4_900)]), [5.99, 8.1]);
        assert_eq!(turns(&[(150, 2_000), (0, 100), (150, 2_000), (0, 100), (150, 2_000)]), [0.0; 0]);
    }
}
