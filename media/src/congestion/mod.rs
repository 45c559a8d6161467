//! How much a viewer's line carries, found out from when its packets arrive: send-side congestion control after Google
//! Congestion Control (draft-ietf-rmcat-gcc-02), with the constants of libwebrtc as of its branches M120 to M125, whose
//! classes the modules name. docs/congestion.md explains it.
//!
//! Deviations from libwebrtc:
//! - Losses set a bound beside the rate the delay sets; it is gone soon after the losses ([`loss`]). libwebrtc's own
//!   later replacement fits a model with inherent loss to the same end.
//! - Probes are sent while the viewer would take more, unless the line is known to be full, and not only in ALR: what an
//!   SFU sends goes by the steps of layers. One is on its way at a time; none but the first lowers the estimate; and one
//!   that filled the line does not count for a flow that uses its share ([`probe`]).
//! - A queue that grows nearly as fast as time passes lowers the rate to what arrives at the next message ([`collapse`]).
//! - Losses with a long queue are its overflow, and the rate falls to what still arrives, at once ([`loss`]).
//! - Where others keep the queue filled for seconds the flow behaves as TCP does ([`rate`]). libwebrtc has only the
//!   threshold that adapts itself, and is starved.
//! - What arrives counts only as far as it was sent, so that feedback that lies gains nothing. Where the trend lowers the rate, it does
//!   not go below what arrived while the queue was long ([`collapse`]): who lies there could as well tell of no queue.
//! - Packets are taken in the order they were sent, and not in that of arrival.
//! - A viewer nothing is heard of is sent half each second. There is no congestion window.

use std::mem::offset_of;
use std::time::{Duration, Instant};

use collapse::Collapse;
use delay::{DelayTrend, Usage};
use feedback::{Feedback, Reference};
use loss::{Counts, LossBound, Path};
pub(crate) use probe::Probe;
use probe::Prober;
use rate::RateControl;
use sent::{News, SentPackets};
use throughput::{SendRate, Throughput};

mod collapse;
mod delay;
pub(crate) mod feedback;
mod loss;
mod probe;
mod rate;
mod sent;
#[cfg(test)]
pub(crate) mod sim;
#[cfg(test)]
mod stories;
mod throughput;

/// The estimate to begin with, bit/s: small layers and sound for everybody, before anything is known.
pub(crate) const START_BITRATE: u32 = 1_500_000;
/// The estimate goes no lower, bit/s: sound must go on, and without packets nothing is heard of the line.
pub(crate) const BITRATE_MIN: u32 = 30_000;
/// Round trip assumed until one is measured (libwebrtc `kDefaultRtt`).
const DEFAULT_ROUND_TRIP: Duration = Duration::from_millis(200);
/// Longest round trip believed: decreases wait for one, and a viewer that lies must not put them off.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(2);
/// Packets were sent and nothing is heard for so long: the line is worse than known, or gone.
const FEEDBACK_TIMEOUT: Duration = Duration::from_secs(1);
/// Near the capacity that was found a probe goes at so many times the estimate,
const FACTOR_NEAR_CAPACITY: f64 = 1.4;
/// and only when the estimate has not been lowered for so long.
const NEAR_CAPACITY_AFTER: Duration = Duration::from_secs(4);
/// Nothing was heard of for so long: nothing was sent, as no picture fits.
const IDLE: Duration = Duration::from_secs(1);
/// A viewer's clock that goes wrong by this much, µs, was set (libwebrtc: 3 s).
const CLOCK_JUMP_US: i64 = 3_000_000;

/// The estimator of one viewer's path.
///
/// Call [`sent`](Self::sent) for each packet as it leaves, [`feedback`](Self::feedback) for each feedback message; at
/// [`next_timeout`](Self::next_timeout), or somewhat later, [`handle_timeout`](Self::handle_timeout) and then
/// [`poll_probe`](Self::poll_probe). Read [`bitrate`](Self::bitrate) after each.
#[derive(Debug)]
#[repr(C)] // What every packet touches comes first: see `FIRST_BYTES`.
pub(crate) struct Estimator {
    epoch: Instant,
    /// The latest moment packets were sent at, and its µs since the epoch: many leave at the same.
    sent_at: (Instant, u64),
    /// Since when packets are on their way and no arrival is reported.
    unanswered: Option<Instant>,
    sent: SentPackets,
    /// The prober may have something to say of a packet that leaves: its own memory is too far away for every packet.
    probing: bool,
    /// The estimate was halved as nothing was heard.
    silent: bool,
    sending: SendRate,
    prober: Prober,
    clock: Option<Clock>,
    delay: DelayTrend,
    collapse: Collapse,
    throughput: Throughput,
    rate: RateControl,
    loss: LossBound,
    round_trip: Duration,
    /// When packets were last reported as arrived.
    heard: Instant,
}

/// What a feedback message told. A viewer that is honest, and was sent the packets, causes `arrived` and `missing` only,
/// and after a long time out of reach `unknown`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Packets that arrived.
    pub(crate) arrived: u32,
    /// Packets missing so far.
    pub(crate) missing: u32,
    /// Packets never sent, or forgotten.
    pub(crate) unknown: u32,
    /// Packets reported before as arrived.
    pub(crate) repeated: u32,
    /// The viewer's clock went forward or back by seconds.
    pub(crate) clock_jumped: bool,
    /// Bytes in the queue of a line that has collapsed.
    pub(crate) queued: u32,
}

impl Estimator {
    /// How many of its bytes a packet that leaves touches.
    pub(crate) const FIRST_BYTES: usize = offset_of!(Self, sending) + SendRate::FIRST_BYTES;

    /// Begins at [`START_BITRATE`].
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            epoch: now,
            sent_at: (now, 0),
            sent: SentPackets::new(),
            sending: SendRate::new(START_BITRATE.into(), 0),
            clock: None,
            delay: DelayTrend::default(),
            collapse: Collapse::default(),
            throughput: Throughput::default(),
            rate: RateControl::new(now),
            loss: LossBound::new(now),
            probing: false,
            prober: Prober::new(now),
            round_trip: DEFAULT_ROUND_TRIP,
            unanswered: None,
            heard: now,
            silent: false,
        }
    }

    /// The viewer is reached over another path, of which nothing is known. Numbers go on.
    pub(crate) fn restart(&mut self, now: Instant) {
        let sent = std::mem::replace(&mut self.sent, SentPackets::new());
        let (epoch, now_us) = (self.epoch, self.micros(now));
        let sending = SendRate::new(START_BITRATE.into(), now_us);
        *self = Self { epoch, sent_at: (now, now_us), sent, sending, ..Self::new(now) };
    }

    /// For how long nothing has been heard of what is on its way.
    pub(crate) fn silent_for(&self, now: Instant) -> Duration {
        self.unanswered.map_or(Duration::ZERO, |_| now.saturating_duration_since(self.heard))
    }

    /// What the line carries, bit/s, at least [`BITRATE_MIN`].
    pub(crate) fn bitrate(&self) -> u32 {
        self.estimate() as u32
    }

    /// Whether some window lost more than a clean line loses, lately, and not by an overflow of the queue.
    pub(crate) fn is_lossy(&self) -> bool {
        self.loss.is_lossy()
    }

    /// Notes a packet of so many bytes, with what IP and UDP add, that leaves, and returns its transport-wide sequence
    /// number.
    pub(crate) fn sent(&mut self, bytes: usize, now: Instant) -> u16 {
        if self.sent_at.0 != now {
            self.sent_at = (now, self.micros(now));
        }
        let now_us = self.sent_at.1;
        self.sending.sent(bytes, now_us);
        self.unanswered.get_or_insert(now);
        let mut probe = 0;
        if self.probing {
            probe = self.prober.sent(bytes, now);
            self.probing = self.prober.is_sending();
        }
        self.sent.push(bytes, probe, now_us)
    }

    /// Asks for the memory the next packet is noted in.
    pub(crate) fn prefetch_next(&self) {
        self.sent.prefetch_next();
    }

    /// Asks for the memory of the packets feedback is expected of.
    pub(crate) fn prefetch_latest(&self) {
        self.sent.prefetch_latest();
    }

    /// Takes in a feedback message.
    pub(crate) fn feedback(&mut self, feedback: &Feedback<'_>, now: Instant) -> Told {
        let (before, usage_before) = (self.estimate(), self.delay.usage());
        let mut told = Told::default();
        let (reference_us, clock_jumped) = self.clock_at(feedback.reference(), now);
        if clock_jumped {
            told.clock_jumped = true;
            self.delay.restart();
            self.collapse = Collapse::default();
            self.throughput.restart();
        }
        let now_us = self.micros(now);
        let (mut late, mut arrived_bytes) = (0, 0);
        for status in feedback.statuses() {
            match self.sent.report(status.seq, status.arrival_us.is_some(), now_us) {
                News::Arrived(packet) => {
                    let arrival_us = reference_us + status.arrival_us.unwrap_or_default();
                    told.arrived += 1;
                    late += u32::from(packet.late);
                    arrived_bytes += u32::from(packet.bytes);
                    self.delay.arrived(packet.sent_us, arrival_us);
                    if !packet.late {
                        self.collapse.arrived(packet.bytes, arrival_us, self.delay.queue_us());
                    }
                    self.throughput.arrived(packet.bytes, arrival_us);
                    self.prober.arrived(&packet, arrival_us);
                }
                News::Missing => told.missing += 1,
                News::StillMissing => {}
                News::Repeated => told.repeated += 1,
                News::Unknown => told.unknown += 1,
            }
        }
        if told.arrived == 0 {
            return told;
        }
        (self.unanswered, self.heard) = (None, now);

        let (usage, crowded) = (self.delay.usage(), self.delay.is_queue_standing());
        // What is to be believed of growth is what was sent for a while; a decrease begins where the rate is now.
        let lately = (usage == Usage::Over && !crowded).then_some(now_us);
        let throughput = self.throughput.bitrate().map(|bitrate| bitrate.min(self.sending.at_most(lately)));
        // A layer that has just begun is sent for less than a window, but what came while it waited shows what the line carries.
        let carried = self.collapse.carried().filter(|_| lately.is_some());
        let throughput = throughput.map(|throughput| carried.map_or(throughput, |carried| carried.max(throughput)));
        self.rate.update(usage, crowded, throughput, self.round_trip, now);
        if let Some(throughput) = self.collapse.throughput(crowded) {
            told.queued = (self.delay.queue_us() as f64 * throughput / 8e6) as u32;
            self.rate.overflowed(throughput, now);
        }
        if let Some(found) = self.prober.result(now) {
            // What an application limited flow would push aside it cannot find out in another way.
            let counts = !found.filled || self.sending.is_application_limited() || self.rate.is_guessed();
            if counts {
                self.rate.proved(found.bitrate, found.filled, now);
            }
        }
        let counts = Counts { arrived: told.arrived, arrived_bytes, missing: told.missing, late };
        let (bitrate, is_queue_long) = (self.rate.bitrate(), self.delay.is_queue_long());
        let path = Path { bitrate, round_trip: self.round_trip, is_queue_long, crowded };
        if let Some(throughput) = self.loss.update(counts, path, now) {
            self.rate.overflowed(throughput, now);
        }
        self.changed(before, now);
        if let Some(before) = self.loss.take_over() {
            self.rate.forget_capacity();
            self.prober.retry(before, self.estimate(), now);
        }
        if (usage_before, usage) == (Usage::Under, Usage::Normal) || self.silent {
            self.silent = false;
            self.prober.recovered(self.estimate(), now);
        }
        told
    }

    /// The round trip time by a receiver report (RFC 3550 §6.4.1).
    pub(crate) fn round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip.min(ROUND_TRIP_MAX);
    }

    /// What the viewer would take if the line had room, bit/s. Probes go up to 1.2 times that.
    pub(crate) fn set_wanted(&mut self, bitrate: u32, now: Instant) {
        self.prober.set_wanted(f64::from(bitrate), now);
    }

    /// Padding to send at once, if a probe is due. It is to be [`sent`](Self::sent), as packets of any size, before the
    /// next is asked for; then it is asked for until there is none. A caller that cannot send padding does not ask.
    pub(crate) fn poll_probe(&mut self, now: Instant) -> Option<Probe> {
        if self.unanswered.is_none() && now.saturating_duration_since(self.heard) >= IDLE {
            // Nothing has been on its way: what was known of queue and losses is over.
            self.delay.restart();
            (self.loss, self.heard) = (LossBound::new(now), now);
            self.sending = SendRate::new(self.estimate(), self.micros(now));
        }
        // Where the estimate is tried and the queue grew at it, the line is full, or was: a little more is tried then.
        let room = self.sending.is_application_limited() || !self.rate.knows_capacity();
        let factor_max = if room { f64::INFINITY } else { FACTOR_NEAR_CAPACITY };
        let rested = room || self.rate.steady_for(now) >= NEAR_CAPACITY_AFTER;
        let allowed = rested && self.delay.usage() != Usage::Over && self.loss.bitrate().is_none();
        let probe = self.prober.poll(self.estimate(), factor_max, allowed, now);
        self.probing = self.prober.is_sending();
        probe
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    pub(crate) fn next_timeout(&self) -> Instant {
        let probe = self.prober.next_timeout();
        self.unanswered.map_or(probe, |since| probe.min(since + FEEDBACK_TIMEOUT))
    }

    /// Does what is due: backs off from a line nothing is heard of, and gives up probes.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.unanswered.is_some_and(|since| now >= since + FEEDBACK_TIMEOUT) {
            let before = self.estimate();
            self.rate.halve(now);
            self.changed(before, now);
            (self.unanswered, self.silent) = (Some(now), true);
        }
        self.prober.handle_timeout(now);
    }

    fn estimate(&self) -> f64 {
        self.loss.bitrate().map_or(self.rate.bitrate(), |bound| bound.min(self.rate.bitrate()))
    }

    /// The estimate was `before`, and may be another now.
    fn changed(&mut self, before: f64, now: Instant) {
        let estimate = self.estimate();
        self.sending.allow(estimate);
        self.prober.changed(before, estimate, now);
    }

    fn micros(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.epoch).as_micros() as u64
    }

    /// The reference time in µs of the viewer's clock, which begins at 0, and whether it jumped.
    fn clock_at(&mut self, reference: Reference, now: Instant) -> (i64, bool) {
        let Some(clock) = &mut self.clock else {
            self.clock = Some(Clock { reference, us: 0, heard: now });
            return (0, false);
        };
        let passed_us = reference.since_us(clock.reference);
        let ours_us = now.saturating_duration_since(clock.heard).as_micros() as i64;
        *clock = Clock { reference, us: clock.us + passed_us, heard: now };
        (clock.us, (passed_us - ours_us).abs() > CLOCK_JUMP_US)
    }
}

/// A viewer's clock as of its last message.
#[derive(Clone, Copy, Debug)]
struct Clock {
    reference: Reference,
    us: i64,
    heard: Instant,
}
