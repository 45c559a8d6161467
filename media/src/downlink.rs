//! One viewer's line: what it carries, by the viewer's feedback, and how pictures are spread over it.

use std::fmt;
use std::mem::offset_of;
use std::time::{Duration, Instant};

use crate::congestion::feedback::Feedback;
use crate::congestion::{Estimator, Probe};
use crate::counters::DropReason;
use crate::limits::{DRAIN_AGAIN, ESTIMATE_STEP_PERCENT, FEEDBACK_WITHIN, OUT_OF_REACH, PACE_QUEUE_MAX};
use crate::pacer::{Paced, Pacer};

/// See the module.
#[repr(C)] // What every packet touches comes first: see `FIRST_BYTES`.
pub(crate) struct Downlink {
    pacer: Pacer,
    /// The rate that layers were chosen for, bit/s.
    shared: u32,
    /// When the first packet left, for as long as no feedback has come.
    unheard: Option<Instant>,
    heard: bool,
    /// As the estimator said with the last feedback: its own memory is too far away for every packet of a voice.
    lossy: bool,
    /// No feedback came: whoever has promised it and does not send it gets everything, as somebody who promised nothing.
    says_nothing: bool,
    estimator: Estimator,
    /// Until when at most pictures wait for the queue of the line that has collapsed.
    drains_until: Option<Instant>,
}

impl fmt::Debug for Downlink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.estimator.fmt(f)
    }
}

impl Downlink {
    /// How many of its bytes a packet that leaves touches.
    pub(crate) const FIRST_BYTES: usize = offset_of!(Self, estimator) + Estimator::FIRST_BYTES;

    pub(crate) fn new(now: Instant) -> Self {
        let estimator = Estimator::new(now);
        let (pacer, shared) = (Pacer::new(estimator.bitrate(), now), estimator.bitrate());
        Self {
            estimator,
            pacer,
            shared,
            unheard: None,
            heard: false,
            lossy: false,
            says_nothing: false,
            drains_until: None,
        }
    }

    /// What the line carries, bit/s.
    pub(crate) fn bitrate(&self) -> u32 {
        if self.says_nothing { u32::MAX } else { self.estimator.bitrate() }
    }

    /// The viewer is reached over another line. Whether it was out of reach before, and has missed what was sent.
    pub(crate) fn restart(&mut self, now: Instant) -> bool {
        let missed = self.estimator.silent_for(now) >= OUT_OF_REACH;
        self.estimator.restart(now);
        self.lossy = false;
        self.pacer.set_rate(self.bitrate());
        missed
    }

    /// The viewer would take so much, bit/s, if the line carried it.
    pub(crate) fn set_wanted(&mut self, bitrate: u32, now: Instant) {
        self.estimator.set_wanted(bitrate, now);
    }

    /// Whether a packet may leave now, with nothing in front of it.
    pub(crate) fn is_open(&mut self, now: Instant) -> bool {
        self.pacer.is_open(now)
    }

    /// Whether the line has room for a packet that goes before those that wait, such as one that is sent again. If it
    /// `is_urgent` they wait longer.
    pub(crate) fn has_room(&mut self, is_urgent: bool, now: Instant) -> bool {
        if is_urgent { self.pacer.may_go_first(now) } else { self.pacer.has_bytes(now) }
    }

    /// Whether the line loses packets that are not the overflow of its queue.
    pub(crate) fn is_lossy(&self) -> bool {
        self.lossy
    }

    /// Keeps a packet until the line has room. False when more waits than should.
    pub(crate) fn keep(&mut self, paced: Paced) -> bool {
        self.pacer.keep(paced);
        !self.pacer.is_overfull()
    }

    /// The next of the packets that were kept, if it may leave now.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Paced> {
        self.pacer.take(now)
    }

    /// Gives everything that was kept away.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = Paced> {
        self.pacer.clear()
    }

    /// A packet of `bytes`, an IP packet's, leaves. Returns its transport-wide sequence number.
    pub(crate) fn send(&mut self, bytes: usize, now: Instant) -> u16 {
        if !self.heard {
            self.unheard.get_or_insert(now);
        }
        self.pacer.spend(bytes);
        self.estimator.sent(bytes, now)
    }

    /// Takes transport-wide feedback. Whether the line carries so much more or less that layers should be chosen anew.
    ///
    /// # Errors
    /// [`DropReason::FeedbackFalse`] for what does not parse, and for what tells of no packet on its way.
    pub(crate) fn feedback(&mut self, fci: &[u8], now: Instant) -> Result<bool, DropReason> {
        let feedback = Feedback::parse(fci).map_err(|_| DropReason::FeedbackFalse)?;
        (self.unheard, self.heard, self.says_nothing) = (None, true, false);
        let told = self.estimator.feedback(&feedback, now);
        self.lossy = self.estimator.is_lossy();
        self.pacer.set_rate(self.bitrate());
        self.make_room(told.queued, now);
        if told.arrived + told.missing == 0 && told.unknown + told.repeated > 0 {
            return Err(DropReason::FeedbackFalse);
        }
        let differs = self.bitrate().abs_diff(self.shared) > self.shared / 100 * ESTIMATE_STEP_PERCENT;
        if differs {
            self.shared = self.bitrate();
        }
        Ok(differs)
    }

    /// So many bytes stand in the queue of the line, if any. Pictures wait for them, but not for longer than
    /// [`PACE_QUEUE_MAX`], however often it is said.
    fn make_room(&mut self, queued: u32, now: Instant) {
        if queued > 0 {
            let is_over = |until: &Instant| now.saturating_duration_since(*until) >= DRAIN_AGAIN;
            let until = self.drains_until.filter(|until| !is_over(until)).unwrap_or(now + PACE_QUEUE_MAX);
            self.drains_until = Some(until);
            self.pacer.owe(queued, until.saturating_duration_since(now), now);
        }
    }

    /// A packet and the answer to it take so long together.
    pub(crate) fn round_trip(&mut self, round_trip: Duration) {
        self.estimator.round_trip(round_trip);
    }

    /// Asks for the memory the next packet is noted in.
    pub(crate) fn prefetch_next(&self) {
        self.estimator.prefetch_next();
    }

    /// Asks for the memory of the packets feedback is expected of.
    pub(crate) fn prefetch_latest(&self) {
        self.estimator.prefetch_latest();
    }

    /// Padding to send now.
    pub(crate) fn probe(&mut self, now: Instant) -> Option<Probe> {
        self.estimator.poll_probe(now)
    }

    /// Does what time alone brings.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.estimator.handle_timeout(now);
        self.says_nothing = self.unheard.is_some_and(|since| now.saturating_duration_since(since) >= FEEDBACK_WITHIN);
        self.pacer.set_rate(self.bitrate());
    }

    /// When packets that were kept may leave, or something else is to be done.
    pub(crate) fn next_timeout(&self) -> Instant {
        let estimator = self.estimator.next_timeout();
        self.pacer.due().map_or(estimator, |due| due.min(estimator))
    }

    /// When packets that were kept may leave.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.pacer.due()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::congestion::sim::write_feedback;

    #[test]
    fn on_a_line_that_collapses_pictures_wait_for_what_stands_in_its_queue() {
        let start = Instant::now();
        let at = |ms: i64| start + Duration::from_millis(ms as u64);
        let mut downlink = Downlink::new(start);
        // 2 Mbit/s, of which the line carries a tenth from 200 ms on.
        let arrival_ms = |n: i64| 5 * n + (n - 40).max(0) * 45;
        let (mut reported, mut waits) = (0, Vec::new());
        for n in 0..200 {
            let now = at(5 * n);
            downlink.send(1_250, now);
            if n % 20 == 19 {
                let arrivals = (reported..n).map(arrival_ms).take_while(|arrival| *arrival < 5 * n);
                let arrivals: Vec<_> = arrivals.map(|arrival| Some(arrival * 4)).collect();
                downlink.feedback(&write_feedback(reported as u16, 0, &arrivals), now).unwrap();
                reported += arrivals.len() as i64;
                waits.push(downlink.drains_until);
            }
        }
        assert_eq!(waits[..2], [None; 2]);
        let until = waits[5].expect("it has collapsed");
        assert!(until > at(600) && until < at(1_100), "{:?}", until - start);
        assert_eq!(waits[5..], [Some(until); 5], "it is said again, and they wait no longer");
    }

    #[test]
    fn pictures_wait_until_the_queue_has_drained() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut downlink = Downlink::new(start);
        assert!(downlink.is_open(start));
        // At 1.5 times 1.5 Mbit/s 56 kB take 200 ms.
        downlink.make_room(56_250, start);
        assert!(!downlink.is_open(at(190)) && downlink.is_open(at(210)));
        for ms in (300..2_000).step_by(100) {
            downlink.make_room(10_000_000, at(ms));
        }
        assert!(downlink.is_open(at(2_000)), "half a second, and then no more");
        downlink.make_room(56_250, at(3_000));
        assert!(!downlink.is_open(at(3_000)), "another time");
    }
}
