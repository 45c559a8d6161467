//! VP9 payload descriptor (RFC 9628 §4.2), in flexible and non-flexible mode.

use super::{Descriptor, PayloadError, PictureId, byte};

/// Most reference indices of a frame (RFC 9628 §4.2.2).
const P_DIFFS_MAX: usize = 3;

/// Reads the descriptor at the start of `payload`.
///
/// # Errors
/// When the payload ends inside the descriptor or has nothing behind it, or names more references than there may be.
pub(super) fn parse(payload: &[u8]) -> Result<Descriptor, PayloadError> {
    let byte = |at: usize| byte(payload, at);
    let first = byte(0)?;
    let has = |bit: u8| first & bit != 0;
    let (inter_predicted, flexible, begins_frame) = (has(0x40), has(0x10), has(0x08));
    let mut descriptor = Descriptor::default();
    let mut at = 1;
    if has(0x80) {
        let picture_id = PictureId::read(payload, at)?;
        descriptor.picture_id = Some(picture_id);
        at += picture_id.len();
    }
    let mut spatial_layer = 0;
    if has(0x20) {
        spatial_layer = byte(at)? >> 1 & 0x07;
        at += 1;
        if !flexible {
            descriptor.tl0_pic_idx = Some((at as u8, byte(at)?));
            at += 1;
        }
    }
    if flexible && inter_predicted {
        let mut references = 1;
        // The last bit says that another one follows.
        while byte(at)? & 0x01 != 0 {
            at += 1;
            references += 1;
            if references > P_DIFFS_MAX {
                return Err(PayloadError);
            }
        }
        at += 1;
    }
    if has(0x02) {
        at = end_of_scalability_structure(payload, at)?;
    }
    byte(at)?;
    descriptor.starts_key_frame = !inter_predicted && begins_frame && spatial_layer == 0;
    Ok(descriptor)
}

/// Where the scalability structure at `at` ends (RFC 9628 §4.2.1).
fn end_of_scalability_structure(payload: &[u8], mut at: usize) -> Result<usize, PayloadError> {
    let first = byte(payload, at)?;
    at += 1;
    if first & 0x10 != 0 {
        let spatial_layers = usize::from(first >> 5) + 1;
        at += 4 * spatial_layers;
    }
    if first & 0x08 != 0 {
        let pictures = byte(payload, at)?;
        at += 1;
        for _ in 0..pictures {
            let references = usize::from(byte(payload, at)? >> 2 & 0x03);
            at += 1 + references;
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key frame as Chromium begins it: I, L, B, E, V; a 15-bit picture id, TL0PICIDX, and a structure of one layer.
    const KEY_FRAME: [u8; 12] = [0xae, 0x81, 0x2c, 0x00, 0x07, 0x10, 0x02, 0x80, 0x01, 0x68, 0x82, 0x49];
    const PICTURE_ID: PictureId = PictureId { at: 1, wide: true, value: 300 };

    #[test]
    fn a_browsers_key_frame_is_read() {
        let (picture_id, tl0_pic_idx) = (Some(PICTURE_ID), Some((4, 7)));
        let expected = Descriptor { starts_key_frame: true, picture_id, tl0_pic_idx, ..Descriptor::default() };
        assert_eq!(parse(&KEY_FRAME), Ok(expected));
    }

    #[test]
    fn only_the_first_packet_of_a_frame_that_needs_no_other_starts_a_key_frame() {
        let starts = |payload: &[u8]| parse(payload).unwrap().starts_key_frame;
        let (continued, predicted) = ([0xa0, 1, 0, 7, 9], [0xec, 1, 0, 7, 9]);
        assert!(!starts(&continued) && !starts(&predicted));
        assert!(starts(&[0x08, 0x82]), "without anything optional");
        assert!(!starts(&[0x28, 0x02, 7, 0x82]), "the second spatial layer of a key frame");
    }

    #[test]
    fn in_flexible_mode_references_stand_in_place_of_tl0picidx() {
        let read = parse(&[0xf8, 0x81, 0x2c, 0x00, 0x03, 0x04, 0x99]).unwrap();
        assert_eq!(read, Descriptor { picture_id: Some(PICTURE_ID), ..Descriptor::default() });
        assert_eq!(parse(&[0xf8, 5, 0x00, 3, 3, 3, 2, 0x99]), Err(PayloadError), "four references");
    }

    #[test]
    fn a_structure_with_groups_of_pictures_is_passed_over() {
        let structure = [0x08, 2, 0x04, 1, 0x08, 1, 2];
        let payload = [[0x0a].as_slice(), &structure, &[0x82]].concat();
        assert!(parse(&payload).unwrap().starts_key_frame);
        assert_eq!(parse(&payload[..payload.len() - 1]), Err(PayloadError));
    }

    #[test]
    fn every_cut_is_an_error() {
        for len in 0..10 {
            assert_eq!(parse(&KEY_FRAME[..len]), Err(PayloadError), "cut at {len}");
        }
    }
}
