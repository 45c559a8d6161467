//! Counting a stream by its sequence numbers alone.

/// Most packets that one may come late and still be told from one that came twice.
const WINDOW: u64 = 128;

/// What a packet is to the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Newer than all before.
    New,
    /// It was missing, or belongs before the first one.
    Late,
    /// It came before, or so late that nobody can tell.
    Again,
}

/// A stream's sequence numbers: 16 bits on the wire, extended here over their wraps. The extension is the estimate of
/// the SRTP packet index (RFC 3711 §3.3.1): streams begin with a roll-over counter of 0.
#[derive(Clone, Debug)]
pub(crate) struct SequenceCounter {
    lowest: u64,
    highest: u64,
    /// Which of the last [`WINDOW`] have come; bit 0 is `highest`.
    seen: u128,
    received: u64,
    again: u64,
}

impl SequenceCounter {
    /// A stream whose first packet is `seq`.
    pub(crate) fn new(seq: u16) -> Self {
        Self { lowest: seq.into(), highest: seq.into(), seen: 1, received: 1, again: 0 }
    }

    /// The index of `seq`: the one closest to the highest so far.
    pub(crate) fn index(&self, seq: u16) -> u64 {
        let delta = seq.wrapping_sub(self.highest as u16) as i16;
        // Before the first roll-over nothing is below zero; such a packet was sent in a round before the first.
        self.highest.checked_add_signed(delta.into()).unwrap_or(seq.into())
    }

    /// Counts the packet with `index`, which [`SequenceCounter::index`] gave.
    pub(crate) fn record(&mut self, index: u64) -> Seen {
        if index > self.highest {
            let ahead = index - self.highest;
            self.seen = if ahead < WINDOW { self.seen << ahead | 1 } else { 1 };
            self.highest = index;
            self.received += 1;
            return Seen::New;
        }
        let behind = self.highest - index;
        if behind >= WINDOW || self.seen >> behind & 1 == 1 {
            self.again += 1;
            return Seen::Again;
        }
        self.seen |= 1 << behind;
        self.lowest = self.lowest.min(index);
        self.received += 1;
        Seen::Late
    }

    /// The highest index.
    pub(crate) fn highest(&self) -> u64 {
        self.highest
    }

    /// Packets between the first and the last that have not come.
    pub(crate) fn missing(&self) -> u64 {
        self.highest - self.lowest + 1 - self.received
    }

    /// Packets that came twice.
    pub(crate) fn again(&self) -> u64 {
        self.again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(seqs: impl IntoIterator<Item = u16>) -> SequenceCounter {
        let mut seqs = seqs.into_iter();
        let mut counter = SequenceCounter::new(seqs.next().unwrap());
        for seq in seqs {
            counter.record(counter.index(seq));
        }
        counter
    }

    #[test]
    fn a_gap_is_missing_until_it_arrives_late() {
        let mut counter = count([10, 11, 14]);
        assert_eq!((counter.missing(), counter.again()), (2, 0));
        assert_eq!(counter.record(counter.index(12)), Seen::Late);
        assert_eq!((counter.missing(), counter.again()), (1, 0));
        assert_eq!(counter.record(counter.index(12)), Seen::Again);
        assert_eq!((counter.missing(), counter.again()), (1, 1));
    }

    #[test]
    fn the_wrap_is_no_gap_and_raises_the_roll_over_counter() {
        let counter = count((65_000..=u16::MAX).chain(0..=u16::MAX).chain(0..10));
        assert_eq!((counter.missing(), counter.again()), (0, 0));
        assert_eq!(counter.highest(), 2 * 65_536 + 9);
        // One from before the last wrap has the roll-over counter of its round.
        assert_eq!(counter.index(65_530), 65_536 + 65_530);
    }

    #[test]
    fn a_packet_before_the_first_moves_the_beginning() {
        let mut counter = count([100]);
        assert_eq!(counter.record(counter.index(97)), Seen::Late);
        assert_eq!(counter.missing(), 2);
    }

    #[test]
    fn a_packet_far_behind_is_not_counted_as_found() {
        let mut counter = count([1_000, 1_001, 1_003, 1_300]);
        assert_eq!(counter.missing(), 297);
        assert_eq!(counter.record(counter.index(1_002)), Seen::Again);
        assert_eq!(counter.missing(), 297);
    }

    #[test]
    fn a_stream_that_wraps_in_its_first_packets_starts_with_roll_over_counter_zero() {
        let counter = count([65_535, 0, 1]);
        assert_eq!((counter.highest(), counter.missing()), (65_537, 0));
        assert_eq!(count([0]).index(65_535), 65_535, "nothing is below zero");
    }
}
