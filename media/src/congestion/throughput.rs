//! How much arrives at a viewer, and how much is sent to it.

use std::mem::offset_of;

/// Length of a measurement, and of the first, µs (libwebrtc `BitrateEstimator`).
const WINDOW_US: i64 = 150_000;
/// See [`WINDOW_US`].
const FIRST_WINDOW_US: i64 = 500_000;
/// How much a measurement that differs is distrusted, (kbit/s)² for a difference of 100 %.
const UNCERTAINTY: f32 = 10.0;
/// Variance of the first estimate, and how much it grows with each window: the true rate moves.
const VARIANCE: (f32, f32) = (50.0, 5.0);
/// What is sent is measured in so long windows, and so many of them are remembered: what arrives was sent before, and may
/// have waited in a queue.
const SENT_WINDOW_US: u64 = 500_000;
/// See [`SENT_WINDOW_US`].
const SENT_WINDOWS: usize = 4;
/// When less than this part of the estimate is sent, something else than the line sets the rate. libwebrtc's `AlrDetector`
/// has 0.65; with layers three to five times apart the room for one more is missed at more than that.
const APPLICATION_LIMITED: f64 = 0.85;

/// The rate at which packets arrive by the viewer's clock (libwebrtc `AcknowledgedBitrateEstimator`).
#[derive(Debug, Default)]
pub(crate) struct Throughput {
    estimate: Option<Normal>,
    /// Of the last window by itself, kbit/s.
    latest_kbps: f32,
    last_arrival_us: Option<i64>,
    window_us: i64,
    bytes: u32,
}

/// A rate as a normal distribution: kbit/s, and (kbit/s)² scaled as libwebrtc's.
#[derive(Clone, Copy, Debug)]
struct Normal {
    kbps: f32,
    variance: f32,
}

impl Throughput {
    /// Takes in a packet that arrived.
    pub(crate) fn arrived(&mut self, bytes: u16, arrival_us: i64) {
        let window_us = if self.estimate.is_some() { WINDOW_US } else { FIRST_WINDOW_US };
        if let Some(last) = self.last_arrival_us {
            let since = arrival_us - last;
            if since < 0 {
                // Overtaken by others: it counts where those are.
                self.bytes = self.bytes.saturating_add(u32::from(bytes));
                return;
            }
            self.window_us += since;
            if since > window_us {
                (self.bytes, self.window_us) = (0, self.window_us % window_us);
            }
        }
        self.last_arrival_us = Some(arrival_us);
        if self.window_us >= window_us {
            self.window_us -= window_us;
            let kbps = (f64::from(std::mem::take(&mut self.bytes)) * 8e3 / window_us as f64) as f32;
            self.latest_kbps = kbps;
            self.estimate = Some(match self.estimate {
                None => Normal { kbps, variance: VARIANCE.0 },
                Some(estimate) => estimate.with(kbps),
            });
        }
        // Arrival times that stand still would let it grow for ever.
        self.bytes = self.bytes.saturating_add(u32::from(bytes));
    }

    /// bit/s; `None` until the first half second is over. Not less than in the last window: layers are steps, and the
    /// estimate takes a second to follow one; a line that carries the larger one would be thought to carry the smaller.
    pub(crate) fn bitrate(&self) -> Option<f64> {
        self.estimate.map(|estimate| f64::from(estimate.kbps.max(self.latest_kbps)) * 1e3)
    }

    /// The viewer's clock jumped: what arrives begins a new window.
    pub(crate) fn restart(&mut self) {
        (self.last_arrival_us, self.window_us, self.bytes) = (None, 0, 0);
    }
}

impl Normal {
    /// Bayes' update of a normal prior by a measurement whose uncertainty grows with its distance.
    fn with(self, sample_kbps: f32) -> Self {
        let uncertainty = UNCERTAINTY * (self.kbps - sample_kbps).abs() / self.kbps.max(1.0);
        let (sample_variance, variance) = (uncertainty * uncertainty, self.variance + VARIANCE.1);
        let both = sample_variance + variance;
        Self {
            kbps: (sample_variance * self.kbps + variance * sample_kbps) / both,
            variance: sample_variance * variance / both,
        }
    }
}

/// The rate at which packets are sent, by our clock.
#[derive(Debug)]
#[repr(C)] // What each packet touches comes first.
pub(crate) struct SendRate {
    since_us: u64,
    bytes: u32,
    application_limited: bool,
    /// The estimate, and the lowest one in the current window, bit/s.
    estimate: f64,
    allowed: f64,
    /// The latest windows, newest first, bit/s.
    windows: [f32; SENT_WINDOWS],
}

impl SendRate {
    /// How many of its bytes a packet that leaves touches, most times.
    pub(crate) const FIRST_BYTES: usize = offset_of!(Self, estimate);

    pub(crate) fn new(estimate: f64, now_us: u64) -> Self {
        Self {
            since_us: now_us,
            bytes: 0,
            application_limited: true,
            estimate,
            allowed: estimate,
            windows: [0.0; SENT_WINDOWS],
        }
    }

    /// The estimate is so many bit/s from here on.
    pub(crate) fn allow(&mut self, estimate: f64) {
        (self.estimate, self.allowed) = (estimate, self.allowed.min(estimate));
    }

    /// Notes a packet sent.
    pub(crate) fn sent(&mut self, bytes: usize, now_us: u64) {
        let passed_us = now_us.saturating_sub(self.since_us);
        if passed_us >= SENT_WINDOW_US {
            let sent = f64::from(self.bytes) * 8e6 / passed_us as f64;
            self.windows.rotate_right(1);
            self.windows[0] = sent as f32;
            self.application_limited = sent < APPLICATION_LIMITED * self.allowed;
            (self.since_us, self.bytes, self.allowed) = (now_us, 0, self.estimate);
        }
        self.bytes = self.bytes.saturating_add(bytes as u32);
    }

    /// Whether what is sent does not try the estimate: layers are steps.
    pub(crate) fn is_application_limited(&self) -> bool {
        self.application_limited
    }

    /// The most that was sent in one of the latest windows, bit/s. With the present time the present window counts by what was sent
    /// in it so far: layers are steps, and what a larger one adds is not to be taken for less than it is.
    pub(crate) fn at_most(&self, now_us: Option<u64>) -> f64 {
        let passed_us = now_us.map_or(SENT_WINDOW_US, |now_us| {
            now_us.saturating_sub(self.since_us).clamp(SENT_WINDOW_US / 3, SENT_WINDOW_US)
        });
        let current = f64::from(self.bytes) * 8e6 / passed_us as f64;
        self.windows.iter().copied().map(f64::from).fold(current, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of 1,250 bytes every `gap_us` from `from_us` for a second.
    fn second(throughput: &mut Throughput, from_us: i64, gap_us: usize) -> f64 {
        (from_us..from_us + 1_000_000).step_by(gap_us).for_each(|at| throughput.arrived(1_250, at));
        throughput.bitrate().unwrap()
    }

    #[test]
    fn the_rate_is_followed_in_seconds_and_a_pause_is_no_measurement() {
        let mut throughput = Throughput::default();
        assert!((second(&mut throughput, 0, 10_000) - 1e6).abs() < 2e4);
        assert!((second(&mut throughput, 9_000_000, 10_000) - 1e6).abs() < 5e4);
        for n in 10..15 {
            second(&mut throughput, n * 1_000_000, 20_000);
        }
        assert!((throughput.bitrate().unwrap() - 5e5).abs() < 5e4);
    }

    #[test]
    fn what_is_sent_is_measured_by_our_clock() {
        let mut rate = SendRate::new(2e6, 7);
        (0..200).for_each(|n| rate.sent(1_250, 7 + 10_000 * n));
        assert!((rate.at_most(None) - 1e6).abs() < 3e4);
        assert!(rate.is_application_limited());
        rate.allow(1.1e6);
        (200..300).for_each(|n| rate.sent(1_250, 7 + 10_000 * n));
        assert!(!rate.is_application_limited());
        // Twice as much, for less than a window.
        (0..40).for_each(|n| rate.sent(1_250, 3_000_000 + 5_000 * n));
        assert!(rate.at_most(Some(3_200_000)) > 1.5e6 && rate.at_most(None) < 1.1e6);
    }
}
