//! VP8 payload descriptor (RFC 7741 §4.2).

use super::{Descriptor, PayloadError, PictureId, byte};

/// Reads the descriptor at the start of `payload`.
///
/// # Errors
/// When the payload ends inside the descriptor or has nothing behind it.
pub(super) fn parse(payload: &[u8]) -> Result<Descriptor, PayloadError> {
    let byte = |at: usize| byte(payload, at);
    let first = byte(0)?;
    let mut descriptor = Descriptor::default();
    let mut at = 1;
    if first & 0x80 != 0 {
        let flags = byte(1)?;
        at = 2;
        if flags & 0x80 != 0 {
            let picture_id = PictureId::read(payload, at)?;
            descriptor.picture_id = Some(picture_id);
            at += picture_id.len();
        }
        if flags & 0x40 != 0 {
            descriptor.tl0_pic_idx = Some((at as u8, byte(at)?));
            at += 1;
        }
        // T and K share one byte: TID, Y, KEYIDX.
        if flags & 0x30 != 0 {
            let layer = byte(at)?;
            if flags & 0x20 != 0 {
                (descriptor.temporal.layer, descriptor.temporal.syncs) = (layer >> 6, layer & 0x20 != 0);
            }
            at += 1;
        }
    }
    let frame_header = byte(at)?;
    let starts_frame = first & 0x10 != 0 && first & 0x07 == 0;
    // RFC 7741 §4.3: the inverse key frame flag P.
    descriptor.starts_key_frame = starts_frame && frame_header & 0x01 == 0;
    descriptor.temporal.begins_frame = starts_frame;
    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Temporal;

    /// X and S, then I L T, a 15-bit picture id, TL0PICIDX, TID, and a key frame: what browsers send.
    fn browser_payload(picture_id: u16, tl0: u8) -> Vec<u8> {
        let id = (0x8000 | picture_id).to_be_bytes();
        vec![0x90, 0xe0, id[0], id[1], tl0, 0x00, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a]
    }

    #[test]
    fn a_browser_descriptor_is_read() {
        let descriptor = parse(&browser_payload(300, 7)).unwrap();
        assert!(descriptor.starts_key_frame);
        assert_eq!(descriptor.picture_id, Some(PictureId { at: 2, wide: true, value: 300 }));
        assert_eq!(descriptor.tl0_pic_idx, Some((4, 7)));
    }

    #[test]
    fn the_temporal_layer_of_a_frame_is_read() {
        let mut payload = browser_payload(1, 1);
        payload[5] = 0xa3;
        let read = |payload: &[u8]| parse(payload).unwrap().temporal;
        assert_eq!(read(&payload), Temporal { layer: 2, syncs: true, begins_frame: true });
        payload[0] &= !0x10;
        payload[5] = 0x43;
        assert_eq!(read(&payload), Temporal { layer: 1, syncs: false, begins_frame: false });
        payload[1] = 0xd0;
        assert_eq!(read(&payload), Temporal::default(), "KEYIDX alone");
    }

    #[test]
    fn only_the_first_packet_of_the_first_partition_starts_a_key_frame() {
        let mut payload = browser_payload(1, 1);
        payload[0] &= !0x10;
        assert!(!parse(&payload).unwrap().starts_key_frame);
        let mut payload = browser_payload(1, 1);
        payload[6] |= 0x01;
        assert!(!parse(&payload).unwrap().starts_key_frame);
        assert!(parse(&[0x10, 0x00]).unwrap().starts_key_frame);
    }

    #[test]
    fn every_cut_is_an_error() {
        let payload = browser_payload(1, 1);
        for len in 0..7 {
            assert_eq!(parse(&payload[..len]), Err(PayloadError), "cut at {len}");
        }
    }
}
