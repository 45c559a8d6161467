//! TURN messages in a TCP connection (RFC 8656 §12.5, RFC 8489 §6.2.2): each tells its own length, and channel data is
//! padded to a multiple of four bytes.

use bytes::{Buf as _, BytesMut};

use crate::limits;

const STUN_HEADER: usize = 20;
const CHANNEL_HEADER: usize = 4;

/// What is neither a STUN message nor channel data, or too long for either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Takes the first message out of what was read; none if it is not all there.
pub(super) fn take(read: &mut BytesMut) -> Result<Option<BytesMut>, Malformed> {
    let Some((header, _)) = read.split_first_chunk::<4>() else { return Ok(None) };
    let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    // RFC 7983 §7: the first byte.
    let (len, padding) = match header[0] {
        0..=3 => (STUN_HEADER + len, 0),
        64..=79 => (CHANNEL_HEADER + len, padding(len)),
        _ => return Err(Malformed),
    };
    if len > limits::TURN_MESSAGE_BYTES_MAX {
        return Err(Malformed);
    }
    if read.len() < len + padding {
        return Ok(None);
    }
    let message = read.split_to(len);
    read.advance(padding);
    Ok(Some(message))
}

/// Bytes that follow channel data of `len` bytes.
fn padding(len: usize) -> usize {
    len.next_multiple_of(4) - len
}

/// Bytes that follow `message` in a connection. STUN messages are multiples of four by themselves.
pub(super) fn padding_of(message: &[u8]) -> &'static [u8] {
    &[0; 3][..padding(message.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_cut_anywhere_come_out_whole() {
        let stun = [&[0, 1, 0, 8][..], &[7; 24]].concat();
        let data = [0x40, 0, 0, 5, 1, 2, 3, 4, 5];
        let messages: [&[u8]; 4] = [&data, &stun, &data, &[0x4f, 0xff, 0, 0]];
        let mut read = BytesMut::new();
        let mut taken = Vec::new();
        for byte in messages.iter().flat_map(|message| [message, padding_of(message)].concat()) {
            read.extend_from_slice(&[byte]);
            taken.extend(take(&mut read).unwrap());
        }
        assert_eq!(taken, messages);
        assert!(read.is_empty());
    }

    #[test]
    fn anything_else_is_no_message() {
        for header in [[b'G', b'E', b'T', b' '], [0x50, 0, 0, 0], [0, 1, 0xff, 0xff], [0x40, 0, 0x20, 0]] {
            assert_eq!(take(&mut BytesMut::from(&header[..])), Err(Malformed), "{header:?}");
        }
    }
}
