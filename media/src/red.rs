//! Redundant audio (RFC 2198): packets that carry those before them once more, so that a loss costs nothing but bytes.
//!
//! It stays between neighbours. What a publisher sends is taken apart when it comes, and fills what was lost on its way;
//! what viewers get, whose lines lose packets, is put together for them, whatever the publisher sent.

use arrayvec::ArrayVec;

use crate::limits::{self, RED_BLOCKS};
use crate::packet::Packet;

/// Head of every block but the last: its format, how long before the packet it was, and its length.
const HEAD_BYTES: usize = 4;
/// Head of the last block: its format.
const LAST_HEAD_BYTES: usize = 1;
/// First length, in bytes, a head has no room for.
const LEN_END: usize = 1 << 10;
/// First time before the packet, in ticks, a head has no room for.
const OFFSET_END: u32 = 1 << 14;

/// A payload that is not redundant audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedError {
    /// Shorter than its heads say.
    #[error("redundant audio is too short")]
    TooShort,
    /// More blocks than [`limits::RED_BLOCKS`].
    #[error("redundant audio has too many blocks")]
    TooManyBlocks,
}

/// What was the payload of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Of its format, 7 bits.
    pub payload_type: u8,
    /// Ticks before the timestamp of the packet that carries it; nothing for the last.
    pub offset: u32,
    /// As it was sent in a packet of its own.
    pub payload: &'a [u8],
}

/// The blocks of `payload`, oldest first; the last is the packet's own. At least one.
///
/// # Errors
/// When it is not redundant audio.
pub fn blocks(payload: &[u8]) -> Result<ArrayVec<Block<'_>, RED_BLOCKS>, RedError> {
    let (mut heads, mut rest) = (ArrayVec::<(u8, u32, usize), RED_BLOCKS>::new(), payload);
    let last = loop {
        let (first, after) = rest.split_first().ok_or(RedError::TooShort)?;
        if first & 0x80 == 0 {
            rest = after;
            break *first;
        }
        let (head, after) = rest.split_first_chunk::<HEAD_BYTES>().ok_or(RedError::TooShort)?;
        rest = after;
        // RFC 2198 §3: 1 bit that more follow, 7 of payload type, 14 of offset, 10 of length.
        let head = u32::from_be_bytes(*head);
        let offset_and_len = (head >> 10 & (OFFSET_END - 1), head as usize & (LEN_END - 1));
        heads.try_push((first & 0x7f, offset_and_len.0, offset_and_len.1)).map_err(|_| RedError::TooManyBlocks)?;
    };
    let mut blocks = ArrayVec::new();
    for (payload_type, offset, len) in heads {
        let (payload, after) = rest.split_at_checked(len).ok_or(RedError::TooShort)?;
        rest = after;
        blocks.push(Block { payload_type, offset, payload });
    }
    blocks.try_push(Block { payload_type: last, offset: 0, payload: rest }).map_err(|_| RedError::TooManyBlocks)?;
    Ok(blocks)
}

/// Whether `packet` can carry `before`: the packet right before it, not too long ago, and both of them no longer than one.
pub(crate) fn can_carry(packet: &Packet, before: &Packet) -> bool {
    let follows = before.stream == packet.stream && before.seq + 1 == packet.seq;
    let fits = packet.payload().len() + bytes_more(before) <= limits::PAYLOAD_BYTES_MAX;
    follows && fits && (1..OFFSET_END).contains(&offset(packet, before)) && before.payload().len() < LEN_END
}

fn offset(packet: &Packet, before: &Packet) -> u32 {
    packet.timestamp.wrapping_sub(before.timestamp)
}

/// Bytes that `packet` has more when it carries `before`.
pub(crate) fn bytes_more(before: &Packet) -> usize {
    HEAD_BYTES + LAST_HEAD_BYTES + before.payload().len()
}

/// Appends the payload of `packet` that carries `before`, both of format `payload_type`.
pub(crate) fn write(out: &mut Vec<u8>, payload_type: u8, packet: &Packet, before: &Packet) {
    let head = 1 << 31 | u32::from(payload_type) << 24 | offset(packet, before) << 10 | before.payload().len() as u32;
    out.extend_from_slice(&head.to_be_bytes());
    out.push(payload_type);
    out.extend_from_slice(before.payload());
    out.extend_from_slice(packet.payload());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::{ConnectionId, StreamId};

    const OPUS: u8 = 111;

    fn packet(seq: u64, timestamp: u32, payload: &[u8]) -> Packet {
        let mut packet = Packet::default();
        (packet.seq, packet.timestamp) = (seq, timestamp);
        packet.set_payload(payload);
        packet
    }

    fn block(offset: u32, payload: &[u8]) -> Block<'_> {
        Block { payload_type: OPUS, offset, payload }
    }

    #[test]
    fn a_packet_of_chromium_is_its_blocks() {
        // Two blocks before, of 3 and 2 bytes, 40 and 20 ms ago.
        let payload = [0xef, 0x1e, 0x00, 0x03, 0xef, 0x0f, 0x00, 0x02, 0x6f, 1, 2, 3, 4, 5, 6, 7];
        let read = blocks(&payload).unwrap();
        assert_eq!(read[..], [block(1_920, &[1, 2, 3]), block(960, &[4, 5]), block(0, &[6, 7])]);
        assert_eq!(blocks(&[0x6f, 9]).unwrap()[..], [block(0, &[9])], "nothing before it");
    }

    #[test]
    fn what_is_written_is_read() {
        let (before, packet) = (packet(7, 4_000_000_000, &[1; 300]), packet(8, 4_000_000_960, &[2; 40]));
        assert!(can_carry(&packet, &before));
        let mut out = vec![0xaa];
        write(&mut out, OPUS, &packet, &before);
        assert_eq!(out.len(), 1 + packet.payload().len() + bytes_more(&before));
        assert_eq!(blocks(&out[1..]).unwrap()[..], [block(960, &[1; 300]), block(0, &[2; 40])]);
    }

    #[test]
    fn only_the_packet_right_before_is_carried_and_not_one_from_long_ago() {
        let current = packet(8, 100_000, &[2; 40]);
        let can = |before: &Packet| can_carry(&current, before);
        assert!(can(&packet(7, 99_040, &[1])));
        assert!(!can(&packet(6, 98_080, &[1])), "one is missing between them");
        assert!(!can(&packet(8, 99_040, &[1])), "itself");
        assert!(!can(&packet(7, 100_000, &[1])), "at the same time");
        assert!(!can(&packet(7, 100_000 - OFFSET_END, &[1])), "before a silence");
        assert!(!can(&packet(7, 100_960, &[1])), "later");
        assert!(!can(&packet(7, 99_040, &[1; LEN_END])), "too long");
        let long = packet(8, 100_000, &[2; 800]);
        assert!(!can_carry(&long, &packet(7, 99_040, &[1; 800])), "too long together");
        assert!(can_carry(&long, &packet(7, 99_040, &[1; 400])));
        let mut other = packet(7, 99_040, &[1]);
        other.stream = StreamId::of(ConnectionId(1), 1);
        assert!(!can(&other), "of another stream");
    }

    #[test]
    fn what_is_no_redundant_audio_is_refused() {
        assert_eq!(blocks(&[]), Err(RedError::TooShort));
        assert_eq!(blocks(&[0xef, 0, 0]), Err(RedError::TooShort), "a head is cut");
        assert_eq!(blocks(&[0xef, 0x0f, 0x00, 0x02]), Err(RedError::TooShort), "no last head");
        assert_eq!(blocks(&[0xef, 0x0f, 0x00, 0x02, 0x6f, 1]), Err(RedError::TooShort), "a block is cut");
        let many = [[0xef, 0x0f, 0x00, 0x00].repeat(RED_BLOCKS), vec![0x6f]].concat();
        assert_eq!(blocks(&many), Err(RedError::TooManyBlocks));
        assert_eq!(blocks(&many[4..]).unwrap().len(), RED_BLOCKS);
        assert_eq!(blocks(&[0xef; 400]), Err(RedError::TooManyBlocks));
    }

    proptest! {
        #[test]
        fn blocks_are_never_more_than_the_payload(payload in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(blocks) = blocks(&payload) {
                let bytes: usize = blocks.iter().map(|block| block.payload.len()).sum();
                prop_assert_eq!(bytes + HEAD_BYTES * (blocks.len() - 1) + LAST_HEAD_BYTES, payload.len());
            }
        }
    }
}
