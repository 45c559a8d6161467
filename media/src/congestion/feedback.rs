//! Transport-wide feedback of viewers, read (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).

use crate::limits;

/// Unit of arrivals, µs.
const TICK_US: i64 = 250;
/// Unit of the reference time, µs.
const REFERENCE_US: i64 = 64_000;
/// Base sequence number, status count, reference time, feedback count.
const HEADER_BYTES: usize = 8;

/// Why a message was refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// It ends within the header or the chunks.
    Short,
    /// It ends within the deltas.
    ShortDeltas,
    /// It speaks of no packet, or of more than [`limits::SENT_PACKETS_MAX`].
    PacketCount(u16),
    /// It uses the reserved status symbol.
    ReservedSymbol,
}

/// One message, checked to its end, borrowed from the datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Feedback<'a> {
    base: u16,
    count: u16,
    /// 24 bits, in units of 64 ms of the viewer's clock.
    reference: u32,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

/// What a message says of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) seq: u16,
    /// Arrival after the message's reference time, µs; negative where packets overtook others. `None`: not yet come.
    pub(crate) arrival_us: Option<i64>,
}

impl<'a> Feedback<'a> {
    /// Reads the FCI: what follows the two SSRCs of an RTCP packet of type 205 and format 15. Bytes after the last delta
    /// are padding.
    pub(crate) fn parse(fci: &'a [u8]) -> Result<Self, Malformed> {
        let Some((&[b0, b1, c0, c1, r0, r1, r2, _], rest)) = fci.split_first_chunk::<HEADER_BYTES>() else {
            return Err(Malformed::Short);
        };
        let count = u16::from_be_bytes([c0, c1]);
        if count == 0 || usize::from(count) > limits::SENT_PACKETS_MAX {
            return Err(Malformed::PacketCount(count));
        }
        let mut left = count;
        let mut chunk_bytes = 0;
        let mut delta_bytes = 0;
        while left > 0 {
            let chunk = Chunk::at(rest, chunk_bytes).ok_or(Malformed::Short)?;
            chunk_bytes += 2;
            let taken = chunk.len().min(left);
            for n in 0..taken {
                delta_bytes += Symbol::of(chunk.symbol(n))?.delta_bytes();
            }
            left -= taken;
        }
        let (chunks, deltas) = rest.split_at(chunk_bytes);
        let deltas = deltas.get(..delta_bytes).ok_or(Malformed::ShortDeltas)?;
        let reference = u32::from_be_bytes([0, r0, r1, r2]);
        Ok(Self { base: u16::from_be_bytes([b0, b1]), count, reference, chunks, deltas })
    }

    /// Each packet spoken of, in the order of sequence numbers.
    pub(crate) fn statuses(&self) -> Statuses<'a> {
        Statuses { seq: self.base, left: self.count, chunks: self.chunks, in_chunk: 0, deltas: self.deltas, at: 0 }
    }

    /// The reference time.
    pub(crate) fn reference(&self) -> Reference {
        Reference(self.reference)
    }
}

/// A viewer's clock in units of 64 ms, 24 bits: it wraps after 12 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference(u32);

impl Reference {
    /// How much later this is than `earlier`, µs; negative where it is before it.
    pub(crate) fn since_us(self, earlier: Self) -> i64 {
        let units = (self.0.wrapping_sub(earlier.0) << 8) as i32 >> 8;
        i64::from(units) * REFERENCE_US
    }
}

/// See [`Feedback::statuses`].
#[derive(Clone, Debug)]
pub(crate) struct Statuses<'a> {
    seq: u16,
    left: u16,
    chunks: &'a [u8],
    in_chunk: u16,
    deltas: &'a [u8],
    at: i64,
}

impl Statuses<'_> {
    fn next_symbol(&mut self) -> Option<Symbol> {
        let mut chunk = Chunk::at(self.chunks, 0)?;
        while self.in_chunk >= chunk.len() {
            self.in_chunk = 0;
            self.chunks = &self.chunks[2..];
            chunk = Chunk::at(self.chunks, 0)?;
        }
        self.in_chunk += 1;
        Symbol::of(chunk.symbol(self.in_chunk - 1)).ok()
    }
}

impl Iterator for Statuses<'_> {
    type Item = Status;

    fn next(&mut self) -> Option<Status> {
        self.left = self.left.checked_sub(1)?;
        let symbol = self.next_symbol()?;
        let (delta, deltas) = self.deltas.split_at_checked(symbol.delta_bytes())?;
        self.deltas = deltas;
        self.at += match *delta {
            [small] => i64::from(small),
            [high, low] => i64::from(i16::from_be_bytes([high, low])),
            _ => 0,
        };
        let seq = self.seq;
        self.seq = seq.wrapping_add(1);
        Some(Status { seq, arrival_us: (symbol != Symbol::Missing).then_some(self.at * TICK_US) })
    }
}

/// §3.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbol {
    Missing,
    SmallDelta,
    LargeDelta,
}

impl Symbol {
    fn of(bits: u16) -> Result<Self, Malformed> {
        match bits {
            0 => Ok(Self::Missing),
            1 => Ok(Self::SmallDelta),
            2 => Ok(Self::LargeDelta),
            _ => Err(Malformed::ReservedSymbol),
        }
    }

    fn delta_bytes(self) -> usize {
        self as usize
    }
}

/// §3.1.3 and §3.1.4: the statuses of consecutive packets.
#[derive(Clone, Copy, Debug)]
struct Chunk(u16);

impl Chunk {
    fn at(chunks: &[u8], offset: usize) -> Option<Self> {
        let bytes = chunks.get(offset..)?.first_chunk()?;
        Some(Self(u16::from_be_bytes(*bytes)))
    }

    fn len(self) -> u16 {
        match self.0 >> 14 {
            0b10 => 14,
            0b11 => 7,
            _ => self.0 & 0x1fff,
        }
    }

    /// The bits of symbol `n < len()`.
    fn symbol(self, n: u16) -> u16 {
        match self.0 >> 14 {
            0b10 => self.0 >> (13 - n) & 1,
            0b11 => self.0 >> (12 - 2 * n) & 3,
            _ => self.0 >> 13 & 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::congestion::sim::write_feedback;

    fn statuses(fci: &[u8]) -> Result<Vec<(u16, Option<i64>)>, Malformed> {
        Ok(Feedback::parse(fci)?.statuses().map(|status| (status.seq, status.arrival_us)).collect())
    }

    #[test]
    fn each_kind_of_chunk_is_read() {
        // A run of two small deltas, a vector of one bit each, a vector of two bits each.
        let chunks = [0x20, 0x02, 0b1010_0000, 0, 0b1110_0000, 0];
        let header = [0xff, 0xff, 0, 2 + 14 + 2, 0, 0, 1, 0];
        let message = [&header[..], &chunks, &[4, 8, 4, 0xff, 0xfc]].concat();
        let read = statuses(&message).unwrap();
        let came: Vec<_> = read.iter().filter_map(|(seq, at)| at.map(|at| (*seq, at))).collect();
        assert_eq!(came, [(0xffff, 1_000), (0, 3_000), (1, 4_000), (15, 3_000)]);
        assert_eq!(read.len(), 18);
        assert_eq!(read.last(), Some(&(16, None)));
    }

    #[test]
    fn a_message_that_ends_early_or_speaks_of_too_many_is_refused() {
        assert_eq!(statuses(&[0; 7]), Err(Malformed::Short));
        assert_eq!(statuses(&[0, 0, 0, 0, 0, 0, 0, 0]), Err(Malformed::PacketCount(0)));
        assert_eq!(statuses(&[0, 0, 0, 2, 0, 0, 0, 0, 0]), Err(Malformed::Short));
        assert_eq!(statuses(&[0, 0, 0, 2, 0, 0, 0, 0, 0x20, 2, 9]), Err(Malformed::ShortDeltas));
        assert_eq!(statuses(&[0, 0, 0, 2, 0, 0, 0, 0, 0x60, 2, 9]), Err(Malformed::ReservedSymbol));
        let runs = [0x1f, 0xff].repeat(9);
        assert_eq!(
            statuses(&[&[0, 0, 0xff, 0xff, 0, 0, 0, 0], &runs[..]].concat()),
            Err(Malformed::PacketCount(65_535))
        );
    }

    #[test]
    fn the_reference_time_wraps() {
        assert_eq!(Reference(1).since_us(Reference(0xff_ffff)), 128_000);
        assert_eq!(Reference(0xff_ffff).since_us(Reference(1)), -128_000);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(fci in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(feedback) = Feedback::parse(&fci) {
                prop_assert_eq!(feedback.statuses().count(), usize::from(feedback.count));
            }
        }

        #[test]
        fn what_was_written_is_read(
            base in any::<u16>(),
            reference in 0u32..1 << 24,
            arrivals in prop::collection::vec(prop::option::weighted(0.8, -500i64..500), 1..300),
        ) {
            let mut at = 0;
            let arrivals: Vec<_> = arrivals.iter().map(|delta| delta.map(|delta| { at += delta; at })).collect();
            let fci = write_feedback(base, reference, &arrivals);
            let expected: Vec<_> = (0u16..)
                .zip(&arrivals)
                .map(|(n, at)| (base.wrapping_add(n), at.map(|ticks| ticks * TICK_US)))
                .collect();
            prop_assert_eq!(statuses(&fci).unwrap(), expected);
            prop_assert_eq!(Feedback::parse(&fci).unwrap().reference(), Reference(reference));
        }
    }
}
