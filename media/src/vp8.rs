//! VP8 payload descriptor (RFC 7741 §4.2): where its numbers stand, so that they can be patched per viewer.

/// A payload that is not VP8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("VP8 payload descriptor is cut short")]
pub struct Vp8Error;

/// The picture id and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureId {
    /// Offset of its first byte in the payload.
    pub at: u8,
    /// 15 bits where true, else 7.
    pub wide: bool,
    /// Its value.
    pub value: u16,
}

impl PictureId {
    fn mask(self) -> u16 {
        if self.wide { 0x7fff } else { 0x7f }
    }
}

/// What forwarding needs to know of a VP8 payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// The packet is the first of a key frame.
    pub starts_key_frame: bool,
    /// PictureID, if there is one.
    pub picture_id: Option<PictureId>,
    /// Offset and value of TL0PICIDX, if there is one.
    pub tl0_pic_idx: Option<(u8, u8)>,
}

impl Descriptor {
    /// Reads the descriptor at the start of `payload`.
    ///
    /// # Errors
    /// When the payload ends inside the descriptor or has nothing behind it.
    pub fn parse(payload: &[u8]) -> Result<Self, Vp8Error> {
        let byte = |at: usize| payload.get(at).copied().ok_or(Vp8Error);
        let first = byte(0)?;
        let mut descriptor = Self::default();
        let mut at = 1;
        if first & 0x80 != 0 {
            let flags = byte(1)?;
            at = 2;
            if flags & 0x80 != 0 {
                let high = byte(at)?;
                let wide = high & 0x80 != 0;
                let value = if wide { u16::from_be_bytes([high & 0x7f, byte(at + 1)?]) } else { u16::from(high) };
                descriptor.picture_id = Some(PictureId { at: at as u8, wide, value });
                at += if wide { 2 } else { 1 };
            }
            if flags & 0x40 != 0 {
                descriptor.tl0_pic_idx = Some((at as u8, byte(at)?));
                at += 1;
            }
            // T and K share one byte.
            if flags & 0x30 != 0 {
                at += 1;
            }
        }
        let frame_header = byte(at)?;
        let starts_frame = first & 0x10 != 0 && first & 0x07 == 0;
        // RFC 7741 §4.3: the inverse key frame flag P.
        descriptor.starts_key_frame = starts_frame && frame_header & 0x01 == 0;
        Ok(descriptor)
    }
}

/// What is added to a source's numbers so that they continue those of the slot's occupant before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// Added to the picture id.
    pub picture_id: u16,
    /// Added to TL0PICIDX.
    pub tl0_pic_idx: u8,
}

/// The last numbers sent in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastSent {
    /// Highest picture id, 15 bits.
    pub picture_id: u16,
    /// Highest TL0PICIDX.
    pub tl0_pic_idx: u8,
}

impl Shift {
    /// The shift with which `first`, the start of a key frame, follows `last`.
    #[must_use]
    pub fn following(last: LastSent, first: &Descriptor) -> Self {
        let picture_id = first.picture_id.map_or(0, |id| last.picture_id.wrapping_add(1).wrapping_sub(id.value));
        let tl0_pic_idx =
            first.tl0_pic_idx.map_or(0, |(_, value)| last.tl0_pic_idx.wrapping_add(1).wrapping_sub(value));
        Self { picture_id, tl0_pic_idx }
    }

    /// Patches a copy of the payload that `descriptor` was read from.
    pub fn patch(self, descriptor: &Descriptor, payload: &mut [u8]) {
        if let Some(id) = descriptor.picture_id {
            let value = id.value.wrapping_add(self.picture_id) & id.mask();
            let at = usize::from(id.at);
            if id.wide {
                payload[at..at + 2].copy_from_slice(&(0x8000 | value).to_be_bytes());
            } else {
                payload[at] = value as u8;
            }
        }
        if let Some((at, value)) = descriptor.tl0_pic_idx {
            payload[usize::from(at)] = value.wrapping_add(self.tl0_pic_idx);
        }
    }

    /// The numbers a viewer sees for `descriptor`.
    #[must_use]
    pub fn applied(self, descriptor: &Descriptor) -> LastSent {
        LastSent {
            picture_id: descriptor.picture_id.map_or(0, |id| id.value.wrapping_add(self.picture_id) & 0x7fff),
            tl0_pic_idx: descriptor.tl0_pic_idx.map_or(0, |(_, value)| value.wrapping_add(self.tl0_pic_idx)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// X and S, then I L T, a 15-bit picture id, TL0PICIDX, TID, and a key frame: what browsers send.
    fn browser_payload(picture_id: u16, tl0: u8) -> Vec<u8> {
        let id = (0x8000 | picture_id).to_be_bytes();
        vec![0x90, 0xe0, id[0], id[1], tl0, 0x00, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a]
    }

    #[test]
    fn a_browser_descriptor_is_read() {
        let descriptor = Descriptor::parse(&browser_payload(300, 7)).unwrap();
        assert!(descriptor.starts_key_frame);
        assert_eq!(descriptor.picture_id, Some(PictureId { at: 2, wide: true, value: 300 }));
        assert_eq!(descriptor.tl0_pic_idx, Some((4, 7)));
    }

    #[test]
    fn only_the_first_packet_of_the_first_partition_starts_a_key_frame() {
        let mut payload = browser_payload(1, 1);
        payload[0] &= !0x10;
        assert!(!Descriptor::parse(&payload).unwrap().starts_key_frame);
        let mut payload = browser_payload(1, 1);
        payload[6] |= 0x01;
        assert!(!Descriptor::parse(&payload).unwrap().starts_key_frame);
        assert!(Descriptor::parse(&[0x10, 0x00]).unwrap().starts_key_frame);
    }

    #[test]
    fn every_cut_is_an_error() {
        let payload = browser_payload(1, 1);
        for len in 0..7 {
            assert_eq!(Descriptor::parse(&payload[..len]), Err(Vp8Error), "cut at {len}");
        }
    }

    #[test]
    fn numbers_continue_over_a_change_of_occupant_and_over_the_wrap() {
        let last = LastSent { picture_id: 0x7fff, tl0_pic_idx: 255 };
        let mut payload = browser_payload(1234, 99);
        let descriptor = Descriptor::parse(&payload).unwrap();
        let shift = Shift::following(last, &descriptor);
        shift.patch(&descriptor, &mut payload);
        let patched = Descriptor::parse(&payload).unwrap();
        assert_eq!(patched.picture_id.unwrap().value, 0);
        assert_eq!(patched.tl0_pic_idx.unwrap().1, 0);
        assert_eq!(shift.applied(&descriptor), LastSent { picture_id: 0, tl0_pic_idx: 0 });
    }

    #[test]
    fn a_short_picture_id_stays_short() {
        let mut payload = vec![0x90, 0x80, 0x7f, 0x00, 0x00];
        let descriptor = Descriptor::parse(&payload).unwrap();
        assert_eq!(descriptor.picture_id, Some(PictureId { at: 2, wide: false, value: 127 }));
        Shift { picture_id: 1, tl0_pic_idx: 0 }.patch(&descriptor, &mut payload);
        assert_eq!(payload[2], 0);
    }
}
