//! Picture ids, which VP8 and VP9 write alike (RFC 7741 §4.2, RFC 9628 §4.2): where they stand, so that they can be patched
//! per viewer.

use super::{Descriptor, PayloadError, byte};

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
    /// Reads the one at `at`.
    pub(super) fn read(payload: &[u8], at: usize) -> Result<Self, PayloadError> {
        let high = byte(payload, at)?;
        let wide = high & 0x80 != 0;
        let value = if wide { u16::from_be_bytes([high & 0x7f, byte(payload, at + 1)?]) } else { u16::from(high) };
        Ok(Self { at: at as u8, wide, value })
    }

    /// Bytes it takes.
    pub(super) fn len(self) -> usize {
        if self.wide { 2 } else { 1 }
    }

    fn mask(self) -> u16 {
        if self.wide { 0x7fff } else { 0x7f }
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

    /// The shift where so many frames more have been left out.
    #[must_use]
    pub fn after(self, left_out: u16) -> Self {
        Self { picture_id: self.picture_id.wrapping_sub(left_out), ..self }
    }

    /// The shift where so many frames fewer have been left out.
    #[must_use]
    pub fn before(self, left_out: u16) -> Self {
        Self { picture_id: self.picture_id.wrapping_add(left_out), ..self }
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
    use super::super::Codec;
    use super::*;

    /// X and S, then I L T, a 15-bit picture id, TL0PICIDX, TID, and a key frame: what browsers send.
    fn browser_payload(picture_id: u16, tl0: u8) -> Vec<u8> {
        let id = (0x8000 | picture_id).to_be_bytes();
        vec![0x90, 0xe0, id[0], id[1], tl0, 0x00, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a]
    }

    #[test]
    fn numbers_continue_over_a_change_of_occupant_and_over_the_wrap() {
        let last = LastSent { picture_id: 0x7fff, tl0_pic_idx: 255 };
        let mut payload = browser_payload(1234, 99);
        let descriptor = Descriptor::parse(Codec::Vp8, &payload).unwrap();
        let shift = Shift::following(last, &descriptor);
        shift.patch(&descriptor, &mut payload);
        let patched = Descriptor::parse(Codec::Vp8, &payload).unwrap();
        assert_eq!(patched.picture_id.unwrap().value, 0);
        assert_eq!(patched.tl0_pic_idx.unwrap().1, 0);
        assert_eq!(shift.applied(&descriptor), LastSent { picture_id: 0, tl0_pic_idx: 0 });
    }

    #[test]
    fn a_short_picture_id_stays_short() {
        let mut payload = vec![0x90, 0x80, 0x7f, 0x00, 0x00];
        let descriptor = Descriptor::parse(Codec::Vp8, &payload).unwrap();
        assert_eq!(descriptor.picture_id, Some(PictureId { at: 2, wide: false, value: 127 }));
        Shift { picture_id: 1, tl0_pic_idx: 0 }.patch(&descriptor, &mut payload);
        assert_eq!(payload[2], 0);
    }
}
