//! AV1 payloads (RTP Payload Format For AV1 v1.0, §4.3 and §4.4): the aggregation header and the OBU elements behind it.

use super::{Descriptor, PayloadError, byte};

/// Reads the aggregation header of `payload` and the lengths of its OBU elements.
///
/// # Errors
/// When an element is cut short or empty, or the header contradicts itself.
pub(super) fn parse(payload: &[u8]) -> Result<Descriptor, PayloadError> {
    let header = byte(payload, 0)?;
    let (continues, elements, starts_sequence) = (header & 0x80 != 0, header >> 4 & 0x03, header & 0x08 != 0);
    if continues && starts_sequence {
        // §4.4: a new coded video sequence does not begin within an OBU.
        return Err(PayloadError);
    }
    let mut rest = &payload[1..];
    let mut element = 1;
    loop {
        // The last of a known number of elements takes what is left.
        let is_last = element == elements;
        let len = if is_last { rest.len() } else { take_leb128(&mut rest)? };
        if len == 0 {
            return Err(PayloadError);
        }
        rest = rest.split_at_checked(len).ok_or(PayloadError)?.1;
        if is_last || elements == 0 && rest.is_empty() {
            return Ok(Descriptor { starts_key_frame: starts_sequence, ..Descriptor::default() });
        }
        element += 1;
    }
}

/// An unsigned number of seven bits per byte, lowest first (AV1 specification §4.10.5), no longer than a packet can need.
fn take_leb128(rest: &mut &[u8]) -> Result<usize, PayloadError> {
    let mut value = 0;
    for shift in [0, 7, 14] {
        let (byte, behind) = rest.split_first().ok_or(PayloadError)?;
        *rest = behind;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(PayloadError)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W = 2 and N: a sequence header of three bytes, and the beginning of a frame, as browsers send them.
    const KEY_FRAME: [u8; 8] = [0x28, 3, 0x0a, 0x0b, 0x00, 0x32, 0x10, 0x00];

    fn starts(payload: &[u8]) -> bool {
        parse(payload).unwrap().starts_key_frame
    }

    #[test]
    fn a_new_coded_video_sequence_starts_a_key_frame() {
        assert!(starts(&KEY_FRAME));
        assert!(starts(&[0x18, 0x0a]), "the sequence header alone");
        assert!(!starts(&[0x10, 0x32, 0x10]), "another frame");
        assert!(!starts(&[0x90, 0x32, 0x10]), "the rest of one");
        assert_eq!(parse(&[0x98, 0x32, 0x10]), Err(PayloadError), "the rest of one is no start");
    }

    #[test]
    fn elements_of_unknown_number_all_have_lengths() {
        assert!(starts(&[0x08, 2, 0x0a, 1, 1, 0x32]));
        let long = [[0x00, 0x80, 0x01].as_slice(), &[7; 128]].concat();
        assert!(!starts(&long));
        assert_eq!(parse(&long[..100]), Err(PayloadError));
        assert_eq!(parse(&[0x00, 0x80, 0x80, 0x80, 0x00, 1]), Err(PayloadError), "longer than any packet");
    }

    #[test]
    fn every_cut_and_every_empty_element_is_an_error() {
        for len in 0..6 {
            assert_eq!(parse(&KEY_FRAME[..len]), Err(PayloadError), "cut at {len}");
        }
        assert_eq!(parse(&[0x20, 0, 7]), Err(PayloadError));
    }
}
