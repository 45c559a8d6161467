//! Short bursts of padding that find out whether the line has room for more than is sent (libwebrtc `ProbeController`,
//! `ProbeBitrateEstimator`).

use std::time::{Duration, Instant};

use super::sent::{Arrived, ProbeId};

/// A probe lasts this long, and has at least so many bytes: five packets of padding as long as RTP allows.
const DURATION: Duration = Duration::from_millis(15);
/// See [`DURATION`].
const BYTES_MIN: f64 = 1_500.0;
/// Padding is sent in chunks this far apart.
const CHUNK: Duration = Duration::from_millis(5);
/// A chunk has at least so many bytes: one packet of padding.
const CHUNK_BYTES_MIN: f64 = 300.0;
/// Packets sent within this time are one chunk, µs.
const CHUNK_US: i64 = 1_000;

/// First probe of a viewer, in times of the estimate; the next is twice its result, which makes libwebrtc's 3 and 6.
const FIRST_FACTOR: f64 = 3.0;
/// All others.
const FACTOR: f64 = 2.0;
/// A probe that arrived at more than this part of its rate is followed by a faster one at once.
const FURTHER_ABOVE: f64 = 0.7;
/// Only if that is faster by so much.
const FURTHER_FACTOR_MIN: f64 = 1.1;
/// How far above what the viewer would take is probed: layers vary.
const WANTED_FACTOR: f64 = 1.2;
/// Between probes while the viewer would take more.
const INTERVAL: Duration = Duration::from_secs(5);
/// A probe that was not allowed is tried again after this; and soonest after what is wanted changed.
const RETRY: Duration = Duration::from_secs(1);

/// A drop of the estimate to less than this part is probed after.
const DROP: f64 = 0.66;
/// At this part of the rate before.
const DROP_FACTOR: f64 = 0.85;
/// A drop that long ago tells nothing of the line as it is.
const DROP_WITHIN: Duration = Duration::from_secs(5);

/// A probe whose padding was not sent by then is given up.
const SEND_WITHIN: Duration = Duration::from_millis(100);
/// One that nothing, or too little, was heard of is given up.
const HEAR_WITHIN: Duration = Duration::from_secs(1);
/// Least part of a probe's bytes that must have arrived.
const ARRIVED_MIN: f64 = 0.8;
/// Arrivals faster than departures by more than this were held back on the way, and tell nothing.
const RATIO_MAX: f64 = 2.0;
/// A probe that arrived slower than this part of its rate has filled the line,
const FILLED: f64 = 0.9;
/// of which this part is to be used, so that the queue drains.
const UTILIZATION: f64 = 0.95;

/// Padding to send at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Probe {
    pub(crate) bytes: usize,
    /// The rate the whole probe goes at, bit/s.
    pub(crate) bitrate: u32,
}

/// What a probe told of the line's room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found {
    /// bit/s.
    pub(crate) bitrate: f64,
    /// It arrived slower than it was sent: the line was full. Then it has pushed others aside, if there were any, and
    /// the rate is more than a fair share.
    pub(crate) filled: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Prober {
    state: State,
    /// bit/s.
    wanted: f64,
    last_id: ProbeId,
    /// The estimate before its last drop, and when that was.
    dropped: Option<(f64, Instant)>,
}

#[derive(Debug)]
enum State {
    /// The next probe is to be sent then, at so many times the estimate.
    Idle { due: Instant, factor: f64 },
    /// So many bytes of it have been sent.
    Sending { cluster: Cluster, since: Instant, bytes: usize },
    /// All of it is on its way.
    Waiting { cluster: Cluster, until: Instant },
}

impl Prober {
    pub(crate) fn new(now: Instant) -> Self {
        let state = State::Idle { due: now, factor: FIRST_FACTOR };
        Self { state, wanted: 0.0, last_id: 0, dropped: None }
    }

    /// The viewer would take `wanted` bit/s. More than before is probed for within a second.
    pub(crate) fn set_wanted(&mut self, wanted: f64, now: Instant) {
        if let State::Idle { due, .. } = &mut self.state
            && wanted > self.wanted * FURTHER_FACTOR_MIN
        {
            *due = (*due).min(now + RETRY);
        }
        self.wanted = wanted;
    }

    /// Padding to send, if it is time. `estimate` in bit/s; not `allowed`: the line is known to be full.
    /// It goes at `factor_max` times the estimate at most.
    pub(crate) fn poll(&mut self, estimate: f64, factor_max: f64, allowed: bool, now: Instant) -> Option<Probe> {
        if let State::Idle { due, factor } = self.state
            && due <= now
        {
            if estimate >= self.wanted || !allowed {
                let wait = if allowed { INTERVAL } else { RETRY };
                self.state = State::Idle { due: now + wait, factor };
                return None;
            }
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            let cluster =
                Cluster::new(self.last_id, (estimate * factor.min(factor_max)).min(self.wanted * WANTED_FACTOR));
            self.state = State::Sending { cluster, since: now, bytes: 0 };
        }
        let State::Sending { cluster, since, bytes } = &self.state else { return None };
        if cluster.chunk_due(*since, *bytes) > now {
            return None;
        }
        let due_until = (now.saturating_duration_since(*since) + CHUNK).as_secs_f64() * cluster.bitrate / 8.0;
        let chunk = (due_until.min(cluster.bytes) - *bytes as f64).max(CHUNK_BYTES_MIN);
        Some(Probe { bytes: chunk as usize, bitrate: cluster.bitrate as u32 })
    }

    /// Notes a packet sent, and returns the probe it belongs to: while a probe is being sent, media are part of it.
    pub(crate) fn sent(&mut self, sent_bytes: usize, now: Instant) -> ProbeId {
        let State::Sending { cluster, since, bytes } = &mut self.state else { return 0 };
        *bytes += sent_bytes;
        let (id, passed) = (cluster.id, now.saturating_duration_since(*since));
        if *bytes as f64 >= cluster.bytes && passed + CHUNK >= cluster.duration() {
            self.state = State::Waiting { cluster: *cluster, until: now + HEAR_WITHIN };
        }
        id
    }

    /// Whether packets that leave are part of a probe.
    pub(crate) fn is_sending(&self) -> bool {
        matches!(self.state, State::Sending { .. })
    }

    /// Takes in a packet that arrived.
    pub(crate) fn arrived(&mut self, packet: &Arrived, arrival_us: i64) {
        if let State::Sending { cluster, .. } | State::Waiting { cluster, .. } = &mut self.state
            && packet.probe == cluster.id
        {
            cluster.arrived(packet, arrival_us);
        }
    }

    /// What the probe on its way tells, once enough of it arrived.
    pub(crate) fn result(&mut self, now: Instant) -> Option<Found> {
        let State::Waiting { cluster, .. } = &self.state else { return None };
        if cluster.arrived_bytes < ARRIVED_MIN * cluster.bytes {
            return None;
        }
        let (result, probed) = (cluster.result(), cluster.bitrate);
        let further = result.is_some_and(|found| {
            let next = (found.bitrate * FACTOR).min(self.wanted * WANTED_FACTOR);
            found.bitrate > FURTHER_ABOVE * probed && next > FURTHER_FACTOR_MIN * probed
        });
        self.state = State::Idle { due: if further { now } else { now + INTERVAL }, factor: FACTOR };
        result
    }

    /// The estimate changed.
    pub(crate) fn changed(&mut self, before: f64, after: f64, now: Instant) {
        if after < DROP * before && self.dropped.is_none_or(|(bitrate, _)| before > bitrate) {
            self.dropped = Some((before, now));
        }
    }

    /// The queue has drained, or the viewer is heard again: whether a drop is over is found out at once.
    pub(crate) fn recovered(&mut self, estimate: f64, now: Instant) {
        let Some((before, at)) = self.dropped.take() else { return };
        if now.saturating_duration_since(at) < DROP_WITHIN {
            self.retry(before, estimate, now);
        }
    }

    /// Whether the line carries as much as `before` again, bit/s, is found out at once.
    pub(crate) fn retry(&mut self, before: f64, estimate: f64, now: Instant) {
        if let State::Idle { due, factor } = &mut self.state {
            (*due, *factor) = (now, (before * DROP_FACTOR / estimate).max(1.0));
        }
    }

    /// When [`poll`](Self::poll) or [`handle_timeout`](Self::handle_timeout) have something to do.
    pub(crate) fn next_timeout(&self) -> Instant {
        match &self.state {
            State::Idle { due, .. } => *due,
            State::Sending { cluster, since, bytes } => {
                cluster.chunk_due(*since, *bytes).min(*since + cluster.duration() + SEND_WITHIN)
            }
            State::Waiting { until, .. } => *until,
        }
    }

    /// Gives up a probe that was not sent, or not heard of.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let until = match &self.state {
            State::Idle { .. } => return,
            State::Sending { cluster, since, .. } => *since + cluster.duration() + SEND_WITHIN,
            State::Waiting { until, .. } => *until,
        };
        if until <= now {
            self.state = State::Idle { due: now + INTERVAL, factor: FACTOR };
        }
    }
}

/// The packets of one probe.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    id: ProbeId,
    /// bit/s.
    bitrate: f64,
    bytes: f64,
    arrived_bytes: f64,
    /// When its first and its last chunk were sent, of those that arrived, µs, and the bytes before the last.
    sent_us: Option<(i64, i64)>,
    bytes_before_last: f64,
    /// First and last arrival, µs, and the bytes of the first.
    arrival_us: (i64, i64),
    first_bytes: f64,
}

impl Cluster {
    fn new(id: ProbeId, bitrate: f64) -> Self {
        let bytes = (bitrate * DURATION.as_secs_f64() / 8.0).max(BYTES_MIN);
        Self {
            id,
            bitrate,
            bytes,
            arrived_bytes: 0.0,
            sent_us: None,
            bytes_before_last: 0.0,
            arrival_us: (0, 0),
            first_bytes: 0.0,
        }
    }

    fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.bytes * 8.0 / self.bitrate)
    }

    /// When the chunk after `bytes` is to be sent. The last is sent even where media made up for it, as it tells when
    /// the probe ended.
    fn chunk_due(&self, since: Instant, bytes: usize) -> Instant {
        let at = Duration::from_secs_f64(bytes as f64 * 8.0 / self.bitrate);
        since + at.min(self.duration().saturating_sub(CHUNK))
    }

    fn arrived(&mut self, packet: &Arrived, arrival_us: i64) {
        let bytes = f64::from(packet.bytes);
        match &mut self.sent_us {
            None => {
                self.sent_us = Some((packet.sent_us, packet.sent_us));
                (self.arrival_us, self.first_bytes) = ((arrival_us, arrival_us), bytes);
            }
            Some((_, last_us)) => {
                if packet.sent_us > *last_us + CHUNK_US {
                    (*last_us, self.bytes_before_last) = (packet.sent_us, self.arrived_bytes);
                }
                if arrival_us < self.arrival_us.0 {
                    (self.arrival_us.0, self.first_bytes) = (arrival_us, bytes);
                }
                self.arrival_us.1 = self.arrival_us.1.max(arrival_us);
            }
        }
        self.arrived_bytes += bytes;
    }

    /// `None` where the times tell nothing.
    fn result(&self) -> Option<Found> {
        let (first_us, last_us) = self.sent_us?;
        let rate = |bytes: f64, from_us, to_us| (to_us > from_us).then(|| bytes * 8e6 / (to_us - from_us) as f64);
        let sent = rate(self.bytes_before_last, first_us, last_us)?;
        let received = rate(self.arrived_bytes - self.first_bytes, self.arrival_us.0, self.arrival_us.1)?;
        if received > sent * RATIO_MAX {
            return None;
        }
        let filled = received < FILLED * sent;
        let bitrate = if filled { UTILIZATION * received } else { sent.min(received) };
        Some(Found { bitrate: bitrate.min(self.bitrate), filled })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends what the prober asks for over a line of `line` bit/s; returns the result and the rate probed at.
    fn probe(prober: &mut Prober, estimate: f64, line: f64, now: &mut Instant) -> Option<(f64, u32)> {
        let (start, mut free_us, mut bitrate) = (*now, 0, None);
        for ms in 0..100 {
            *now = start + Duration::from_millis(ms);
            while let Some(chunk) = prober.poll(estimate, f64::INFINITY, true, *now) {
                bitrate = Some(chunk.bitrate);
                for bytes in std::iter::repeat_n(300, chunk.bytes.div_ceil(300)) {
                    let (id, sent_us) = (prober.sent(bytes, *now), ms as i64 * 1_000);
                    free_us = sent_us.max(free_us) + (bytes as f64 * 8e6 / line) as i64;
                    let packet = Arrived { sent_us, bytes: bytes as u16, probe: id, late: false };
                    prober.arrived(&packet, 7_000_000 + free_us);
                }
            }
        }
        prober.result(*now).map(|found| found.bitrate).zip(bitrate)
    }

    #[test]
    fn probes_go_on_until_the_line_is_filled() {
        let mut now = Instant::now();
        let mut prober = Prober::new(now);
        prober.set_wanted(50e6, now);
        let (first, rate) = probe(&mut prober, 1.5e6, 12e6, &mut now).unwrap();
        assert_eq!(rate, 4_500_000);
        assert!((4.2e6..=4.5e6).contains(&first), "{first}");
        let (second, _) = probe(&mut prober, first, 12e6, &mut now).unwrap();
        let (third, _) = probe(&mut prober, second, 12e6, &mut now).unwrap();
        assert!((10.5e6..12e6).contains(&third), "{third}");
        let fourth = probe(&mut prober, third, 12e6, &mut now).map(|(result, _)| result);
        assert!(fourth.is_none_or(|result| (10e6..12e6).contains(&result)), "{fourth:?}");
        assert_eq!(probe(&mut prober, third, 12e6, &mut now), None);
    }

    #[test]
    fn nothing_is_probed_beyond_what_is_wanted() {
        let mut now = Instant::now();
        let mut prober = Prober::new(now);
        assert_eq!(probe(&mut prober, 1.5e6, 12e6, &mut now), None);
        prober.set_wanted(2e6, now);
        now += RETRY;
        let (result, rate) = probe(&mut prober, 1.5e6, 12e6, &mut now).unwrap();
        assert_eq!(rate, 2_400_000);
        assert_eq!(probe(&mut prober, result, 12e6, &mut now), None);
    }

    #[test]
    fn a_probe_that_was_held_back_tells_nothing() {
        let mut cluster = Cluster::new(1, 2e6);
        for n in 0..10 {
            cluster.arrived(&Arrived { sent_us: n * 2_000, bytes: 400, probe: 1, late: false }, 300_000 + n * 10);
        }
        assert_eq!(cluster.result(), None);
    }

    #[test]
    fn a_drop_is_probed_after_once_it_is_over() {
        let mut now = Instant::now();
        let mut prober = Prober::new(now);
        prober.set_wanted(5e6, now);
        probe(&mut prober, 4e6, 50e6, &mut now).unwrap();
        while probe(&mut prober, 5e6, 50e6, &mut now).is_some() {}
        prober.changed(4e6, 1e6, now);
        assert_eq!(probe(&mut prober, 1e6, 50e6, &mut now), None);
        prober.recovered(1e6, now);
        assert_eq!(probe(&mut prober, 1e6, 50e6, &mut now).unwrap().1, 3_400_000);
    }
}
