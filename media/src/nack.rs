//! What is missing from a publisher, and when to ask for it (RFC 4585 §6.2.1).

use std::time::Instant;

use arrayvec::ArrayVec;

use crate::limits;

#[derive(Clone, Copy, Debug)]
struct Missing {
    seq: u64,
    asked: Option<Instant>,
    retries: u8,
}

/// The packets of one stream that have not come.
#[derive(Debug, Default)]
pub(crate) struct MissingPackets {
    highest: Option<u64>,
    /// The next packet above the highest leaves no gap: what is between them was not waited for.
    anew: bool,
    missing: ArrayVec<Missing, { limits::NACK_PACKETS }>,
}

/// What the arrival of a packet means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The next one, or one that leaves a gap to ask for.
    New,
    /// One that was missing.
    Recovered,
    /// One that had come before, or was given up.
    Old,
    /// It leaves a gap too large to ask for: only a key frame helps.
    Lost,
}

impl MissingPackets {
    /// Notes the arrival of extended sequence number `seq`.
    pub(crate) fn arrived(&mut self, seq: u64) -> Arrival {
        let Some(highest) = self.highest else {
            self.highest = Some(seq);
            return Arrival::New;
        };
        if seq <= highest {
            let found = self.missing.iter().position(|m| m.seq == seq);
            return found.map_or(Arrival::Old, |at| {
                self.missing.remove(at);
                Arrival::Recovered
            });
        }
        self.highest = Some(seq);
        if std::mem::take(&mut self.anew) {
            return Arrival::New;
        }
        let gap = (seq - highest - 1) as usize;
        if gap > self.missing.remaining_capacity() {
            self.missing.clear();
            return Arrival::Lost;
        }
        self.missing.extend((highest + 1..seq).map(|seq| Missing { seq, asked: None, retries: 0 }));
        Arrival::New
    }

    /// Sequence numbers to ask for at `now`, ascending; gives up on those asked for too often.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<u16> {
        self.missing.retain(|m| m.retries < limits::NACK_RETRIES);
        let due = self.missing.iter_mut().filter(|m| m.asked.is_none_or(|asked| now - asked >= limits::NACK_RETRY));
        due.map(|m| {
            m.asked = Some(now);
            m.retries += 1;
            m.seq as u16
        })
        .collect()
    }

    /// Whether the packet with the low 16 bits `seq` of its number is missing.
    pub(crate) fn has(&self, seq: u16) -> bool {
        self.missing.iter().any(|missing| missing.seq as u16 == seq)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }

    /// Gives up what comes before `seq`.
    pub(crate) fn give_up_before(&mut self, seq: u64) {
        self.missing.retain(|missing| missing.seq >= seq);
    }

    /// The packet of extended sequence number `seq` was refused: it, and what was sent before it, must not come in another way.
    pub(crate) fn refuse(&mut self, seq: u64) {
        self.highest = self.highest.max(Some(seq));
        self.reset();
    }

    /// Starts anew: of what was sent up to here nothing is missing, and nothing comes any more. A number that was forwarded must
    /// never be taken again, whether it came first or was recovered: it is the nonce of what viewers are sent.
    pub(crate) fn reset(&mut self) {
        self.anew = true;
        self.missing.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_asked_for_until_it_is_filled() {
        let mut missing = MissingPackets::default();
        let start = Instant::now();
        assert_eq!(missing.arrived(10), Arrival::New);
        assert_eq!(missing.arrived(13), Arrival::New);
        assert_eq!(missing.due(start), [11, 12]);
        assert_eq!(missing.due(start), [0u16; 0]);
        assert!(missing.has(12) && !missing.has(10) && !missing.has(99));
        assert_eq!(missing.arrived(12), Arrival::Recovered);
        assert_eq!(missing.arrived(12), Arrival::Old);
        assert_eq!(missing.due(start + limits::NACK_RETRY), [11]);
        assert_eq!(missing.arrived(11), Arrival::Recovered);
        assert!(missing.is_empty());
    }

    #[test]
    fn what_never_comes_is_given_up() {
        let mut missing = MissingPackets::default();
        missing.arrived(1);
        missing.arrived(3);
        let mut now = Instant::now();
        let mut asked = 0;
        while !missing.is_empty() {
            asked += missing.due(now).len();
            now += limits::NACK_RETRY;
        }
        assert_eq!(asked, usize::from(limits::NACK_RETRIES));
    }

    #[test]
    fn a_gap_too_large_is_lost() {
        let mut missing = MissingPackets::default();
        missing.arrived(1);
        assert_eq!(missing.arrived(2 + limits::NACK_PACKETS as u64), Arrival::New);
        assert_eq!(missing.arrived(9_000), Arrival::Lost);
        assert!(missing.is_empty());
    }
}
