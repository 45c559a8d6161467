//! Spreads what one viewer gets over time, so that a key frame does not fill the queue of a slow line.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ids::Slot;
use crate::limits;
use crate::outbound::Occupied;
use crate::packet::Packet;
use crate::slot_sender::Rewritten;

/// A packet that waits, with the numbers it has.
#[derive(Clone, Debug)]
pub(crate) struct Paced {
    pub(crate) from: Occupied,
    /// The slot it is received in.
    pub(crate) section: Slot,
    pub(crate) packet: Arc<Packet>,
    pub(crate) numbers: Rewritten,
}

impl Paced {
    fn bytes(&self) -> usize {
        self.packet.payload().len()
    }
}

/// A bucket of bytes that fills somewhat faster than the line carries them, and a queue for what finds it empty. On a
/// line that carries what it is given nothing ever waits.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// Bytes per second.
    rate: f64,
    /// Bytes that may leave at once; below zero while a packet is paid for that is larger than what there was.
    bytes: f64,
    /// Bytes that may leave before what waits, and are owed to it.
    advance: f64,
    filled: Instant,
    queue: VecDeque<Paced>,
    queued_bytes: usize,
}

impl Pacer {
    pub(crate) fn new(bits_per_second: u32, now: Instant) -> Self {
        let mut pacer =
            Self { rate: 0.0, bytes: 0.0, advance: 0.0, filled: now, queue: VecDeque::new(), queued_bytes: 0 };
        pacer.set_rate(bits_per_second);
        (pacer.bytes, pacer.advance) = (pacer.depth(), pacer.depth());
        pacer
    }

    /// The line carries so much.
    pub(crate) fn set_rate(&mut self, bits_per_second: u32) {
        let rate = f64::from(bits_per_second) / 8.0 * limits::PACE_FACTOR;
        if self.bytes < 0.0 && rate < self.rate {
            // What is owed takes no longer than it would have.
            self.bytes *= rate / self.rate;
        }
        self.rate = rate;
        self.bytes = self.bytes.min(self.depth());
    }

    /// So many bytes stand in the queue of the line at `now`: they leave it before anything else does, which can as well wait here,
    /// where it is in nobody's way, for so long `at_most`.
    pub(crate) fn owe(&mut self, bytes: u32, at_most: Duration, now: Instant) {
        self.fill(now);
        self.bytes = self.bytes.min(-f64::from(bytes).min(self.rate * at_most.as_secs_f64()));
    }

    /// What may leave at once after a pause: at least one packet.
    fn depth(&self) -> f64 {
        (self.rate / limits::PACE_FACTOR * limits::PACE_BURST.as_secs_f64()).max(limits::PAYLOAD_BYTES_MAX as f64)
    }

    /// Whether a packet may leave at `now`, with nothing in front of it.
    pub(crate) fn is_open(&mut self, now: Instant) -> bool {
        self.queue.is_empty() && self.has_bytes(now)
    }

    /// Whether the line has room at `now`, for something that does not wait.
    pub(crate) fn has_bytes(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.bytes > 0.0
    }

    /// Whether something may leave at `now` before what waits. For no more than half of the time, else what waits would never
    /// leave.
    pub(crate) fn may_go_first(&mut self, now: Instant) -> bool {
        self.fill(now);
        if self.queue.is_empty() && self.bytes > 0.0 {
            return true;
        }
        let may = self.advance > 0.0 && self.bytes > -self.depth();
        self.advance -= if may { limits::PAYLOAD_BYTES_MAX as f64 } else { 0.0 };
        may
    }

    fn fill(&mut self, now: Instant) {
        if self.filled < now {
            let elapsed = now.saturating_duration_since(self.filled);
            self.filled = now;
            let more = elapsed.as_secs_f64() * self.rate;
            self.bytes = (self.bytes + more).min(self.depth());
            self.advance = (self.advance + more / 2.0).min(self.depth());
        }
    }

    /// `bytes` have left.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.bytes -= bytes as f64;
    }

    /// Keeps a packet for later.
    pub(crate) fn keep(&mut self, paced: Paced) {
        self.queued_bytes += paced.bytes();
        self.queue.push_back(paced);
    }

    /// The next packet that may leave at `now`. Spend its bytes.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Paced> {
        if self.queue.is_empty() || !self.has_bytes(now) {
            return None;
        }
        let paced = self.queue.pop_front()?;
        self.queued_bytes -= paced.bytes();
        Some(paced)
    }

    /// Whether more waits than leaves within [`limits::PACE_QUEUE_MAX`].
    pub(crate) fn is_overfull(&self) -> bool {
        self.queued_bytes as f64 > self.rate * limits::PACE_QUEUE_MAX.as_secs_f64()
    }

    /// Gives everything that waits away.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = Paced> {
        self.queued_bytes = 0;
        self.queue.drain(..)
    }

    /// When [`Pacer::take`] has something; none while nothing waits.
    pub(crate) fn due(&self) -> Option<Instant> {
        let missing = if self.bytes > 0.0 { 0.0 } else { 1.0 - self.bytes };
        (!self.queue.is_empty()).then(|| self.filled + Duration::from_secs_f64(missing / self.rate.max(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Shift;
    use crate::ids::{Generation, ParticipantId};

    const LEN: usize = 1_000;

    fn paced(seq: u64) -> Paced {
        let mut packet = Packet::default();
        packet.set_payload(&[0; LEN]);
        let from = Occupied { slot: Slot::FIRST_CAMERA, generation: Generation(1), participant: ParticipantId(1) };
        let numbers = Rewritten { seq, timestamp: 0, shift: Shift::default() };
        Paced { from, section: Slot::FIRST_CAMERA, packet: Arc::new(packet), numbers }
    }

    /// When each of `count` packets that come at the same time leaves, ms, on a line of `kbit`.
    fn leave(kbit: u32, count: u64) -> Vec<u128> {
        let start = Instant::now();
        let mut pacer = Pacer::new(kbit * 1_000, start);
        let mut times = Vec::new();
        for seq in 0..count {
            if pacer.is_open(start) {
                pacer.spend(LEN);
                times.push(0);
            } else {
                pacer.keep(paced(seq));
            }
        }
        while let Some(due) = pacer.due() {
            while let Some(paced) = pacer.take(due) {
                assert_eq!(paced.numbers.seq, times.len() as u64, "in order");
                pacer.spend(LEN);
                times.push((due - start).as_millis());
            }
        }
        times
    }

    #[test]
    fn what_the_line_carries_never_waits() {
        assert_eq!(leave(10_000, 40), [0; 40]);
    }

    #[test]
    fn a_burst_on_a_slow_line_is_spread_out_over_somewhat_less_than_it_takes() {
        let times = leave(1_000, 30);
        assert_eq!(times.iter().filter(|at| **at == 0).count(), 6, "5,000 bytes at once, and the one begun before");
        let last = *times.last().unwrap();
        // 30 packets take 240 ms on the line.
        assert!((120..200).contains(&last), "{last}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= 8), "{times:?}");
    }

    #[test]
    fn what_stands_in_the_queue_of_the_line_leaves_it_before_anything_else_does() {
        let start = Instant::now();
        let now = start + Duration::from_millis(200);
        let wait = |pacer: &Pacer| pacer.due().map_or(0, |due| due.saturating_duration_since(now).as_millis());
        let owing = |queued: u32| {
            let mut pacer = Pacer::new(400_000, start);
            pacer.owe(queued, Duration::from_millis(500), now);
            pacer.keep(paced(0));
            assert!(!pacer.may_go_first(now), "nor is anything sent again meanwhile");
            pacer
        };
        assert!((200..=201).contains(&wait(&owing(15_000))), "15,000 bytes at 600 kbit/s");
        assert!((500..=501).contains(&wait(&owing(1_000_000))), "no longer than at most");
        let mut pacer = owing(15_000);
        pacer.set_rate(100_000);
        assert!((200..=201).contains(&wait(&pacer)), "nor where the line turns out to carry less");
    }

    #[test]
    fn one_packet_leaves_on_any_line() {
        assert_eq!(leave(0, 1), [0]);
    }

    #[test]
    fn what_goes_before_those_that_wait_keeps_them_waiting_for_a_burst_and_no_longer() {
        let now = Instant::now();
        let mut pacer = Pacer::new(1_000_000, now);
        (0..6).for_each(|_| pacer.spend(LEN));
        (6..10).for_each(|seq| pacer.keep(paced(seq)));
        assert!(!pacer.has_bytes(now), "nothing may leave beside those that wait");
        let before = pacer.due().unwrap();
        let first = |pacer: &mut Pacer, now| {
            (0..100).take_while(|_| pacer.may_go_first(now).then(|| pacer.spend(LEN)).is_some()).count()
        };
        assert_eq!(first(&mut pacer, now), 4, "5,000 bytes, of which 1,000 were owed already");
        let longer = pacer.due().unwrap() - before;
        assert!(longer <= limits::PACE_BURST, "{longer:?}");
        let mut left = [0, 0];
        for ms in 1..=1_000 {
            let now = now + Duration::from_millis(ms);
            left[0] += first(&mut pacer, now);
            while pacer.take(now).is_some() {
                left[1] += 1;
                pacer.spend(LEN);
                pacer.keep(paced(10));
            }
        }
        assert!(left[0] > 50 && left[1] > left[0] / 2, "{left:?} of 187 packets");
    }

    #[test]
    fn a_queue_that_takes_too_long_is_said_to_be_overfull() {
        let now = Instant::now();
        let mut pacer = Pacer::new(200_000, now);
        let waits = (0..100).find(|seq| {
            pacer.keep(paced(*seq));
            pacer.is_overfull()
        });
        let bytes = 200_000.0 / 8.0 * limits::PACE_FACTOR * limits::PACE_QUEUE_MAX.as_secs_f64();
        assert_eq!(waits, Some((bytes / LEN as f64) as u64));
        assert_eq!(pacer.clear().count(), waits.unwrap() as usize + 1);
        assert_eq!(pacer.due(), None);
    }
}
