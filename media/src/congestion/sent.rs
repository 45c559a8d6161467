//! Packets on their way to a viewer, until its feedback says what became of them.

use crate::limits;
use crate::prefetch::prefetch;

/// A ring that is full of packets younger than this grows, µs: feedback comes after a round trip and its interval.
const KEEP_US: u32 = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Unknown,
    Missing,
    Arrived,
}

/// Which probe a packet belongs to; 0 is none.
pub(crate) type ProbeId = u8;

/// 8 bytes, as there are thousands for each of thousands of viewers.
#[derive(Clone, Copy, Debug)]
struct Packet {
    /// The low 32 bits of µs: they wrap after 71 minutes, and packets are remembered for seconds.
    sent_us: u32,
    bytes: u16,
    probe: ProbeId,
    fate: Fate,
}

const _: () = assert!(size_of::<Packet>() == 8, "the ring is as small as it can be");

/// What a status in a feedback message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It arrived.
    Arrived(Arrived),
    /// It is missing so far.
    Missing,
    /// It is still missing, which had been told.
    StillMissing,
    /// It had been reported before as arrived.
    Repeated,
    /// It was never sent, or so long ago that it is forgotten.
    Unknown,
}

/// A packet that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// µs since the epoch of the caller's clock.
    pub(crate) sent_us: i64,
    pub(crate) bytes: u16,
    pub(crate) probe: ProbeId,
    /// It had been reported missing before.
    pub(crate) late: bool,
}

/// Packets in a line of memory.
const LINE: u16 = (64 / size_of::<Packet>()) as u16;

/// See the module. Sequence numbers are given out without gaps.
#[derive(Debug)]
pub(crate) struct SentPackets {
    /// Sequence number `seq` is at `seq % ring.len()`.
    ring: Vec<Packet>,
    next: u16,
    len: u16,
}

impl SentPackets {
    pub(crate) fn new() -> Self {
        let empty = Packet { sent_us: 0, bytes: 0, probe: 0, fate: Fate::Unknown };
        Self { ring: vec![empty; limits::SENT_PACKETS_MIN], next: 0, len: 0 }
    }

    /// Remembers a packet and returns its sequence number.
    pub(crate) fn push(&mut self, bytes: usize, probe: ProbeId, now_us: u64) -> u16 {
        let sent_us = now_us as u32;
        let mut at = self.index(self.next);
        if usize::from(self.len) == self.ring.len() {
            let oldest = self.ring[at].sent_us;
            if sent_us.wrapping_sub(oldest) < KEEP_US && self.ring.len() < limits::SENT_PACKETS_MAX {
                self.grow();
                at = self.index(self.next);
            } else {
                self.len -= 1;
            }
        }
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        self.ring[at] = Packet { sent_us, bytes, probe, fate: Fate::Unknown };
        self.len += 1;
        let seq = self.next;
        self.next = seq.wrapping_add(1);
        seq
    }

    /// Asks for the memory of the next packets: as many as a line of it holds are in two.
    pub(crate) fn prefetch_next(&self) {
        [0, LINE].into_iter().for_each(|n| prefetch(&self.ring[self.index(self.next.wrapping_add(n))]));
    }

    /// Asks for the memory of the latest packets: a tenth of a second of 4 Mbit/s.
    pub(crate) fn prefetch_latest(&self) {
        (0..=5).for_each(|n| prefetch(&self.ring[self.index(self.next.wrapping_sub(n * LINE + 1))]));
    }

    /// Takes in what feedback says of packet `seq`.
    pub(crate) fn report(&mut self, seq: u16, arrived: bool, now_us: u64) -> News {
        if !(1..=self.len).contains(&self.next.wrapping_sub(seq)) {
            return News::Unknown;
        }
        let at = self.index(seq);
        let packet = &mut self.ring[at];
        match (packet.fate, arrived) {
            (Fate::Arrived, _) => News::Repeated,
            (Fate::Missing, false) => News::StillMissing,
            (Fate::Unknown, false) => {
                packet.fate = Fate::Missing;
                News::Missing
            }
            (fate, true) => {
                packet.fate = Fate::Arrived;
                let age_us = (now_us as u32).wrapping_sub(packet.sent_us);
                News::Arrived(Arrived {
                    sent_us: now_us as i64 - i64::from(age_us),
                    bytes: packet.bytes,
                    probe: packet.probe,
                    late: fate == Fate::Missing,
                })
            }
        }
    }

    fn index(&self, seq: u16) -> usize {
        usize::from(seq) & (self.ring.len() - 1)
    }

    /// Doubles the ring. Each packet goes to one of the two places its number may have then; the other is filled with
    /// a copy nobody finds, as it is outside of `len`.
    fn grow(&mut self) {
        self.ring.extend_from_within(..);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_reported_once() {
        let mut sent = SentPackets::new();
        assert_eq!(sent.push(1_000, 3, 5_000_000_000), 0);
        assert_eq!(sent.report(0, false, 5_000_100_000), News::Missing);
        assert_eq!(sent.report(0, false, 5_000_100_000), News::StillMissing);
        let arrived = Arrived { sent_us: 5_000_000_000, bytes: 1_000, probe: 3, late: true };
        assert_eq!(sent.report(0, true, 5_000_200_000), News::Arrived(arrived));
        assert_eq!(sent.report(0, true, 5_000_200_000), News::Repeated);
        assert_eq!(sent.report(0, false, 5_000_200_000), News::Repeated);
    }

    #[test]
    fn what_was_never_sent_is_unknown() {
        let mut sent = SentPackets::new();
        assert_eq!(sent.report(0, true, 0), News::Unknown);
        sent.push(1_000, 0, 0);
        assert_eq!(sent.report(1, true, 0), News::Unknown);
        assert_eq!(sent.report(0xffff, true, 0), News::Unknown);
    }

    #[test]
    fn a_fast_viewer_has_more_remembered_and_a_slow_one_has_not() {
        for (gap_us, ring) in [(10_000, limits::SENT_PACKETS_MIN), (400, 4_096), (10, limits::SENT_PACKETS_MAX)] {
            let mut sent = SentPackets::new();
            for n in 0..70_000 {
                let seq = sent.push(1, 0, n * gap_us);
                // The one of half a second ago is still known, whatever the number and the size of the ring.
                let back = (500_000 / gap_us).min(ring as u64 - 1);
                if n >= back {
                    let now = n * gap_us;
                    let News::Arrived(arrived) = sent.report(seq.wrapping_sub(back as u16), true, now) else {
                        panic!()
                    };
                    assert_eq!(arrived.sent_us as u64, now - back * gap_us);
                }
            }
            assert_eq!(sent.ring.len(), ring);
        }
    }
}
