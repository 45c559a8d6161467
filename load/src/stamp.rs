//! What publishers write into each payload, so that whoever decrypts it knows who sent it when, and that it is whole.

/// Bytes of a stamp; no payload is shorter.
pub(crate) const STAMP_BYTES: usize = 24;
const MAGIC: [u8; 4] = *b"dais";

/// The head of a payload; the rest of it is filled with bytes that follow from the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The publisher's number in the room, which the server writes into the CSRC.
    pub(crate) publisher: u32,
    /// Counts the packets of the stream.
    pub(crate) number: u32,
    /// CLOCK_MONOTONIC just before the packet was given to the kernel, ns.
    pub(crate) sent_ns: u64,
    /// Which layer of the camera this is, smallest first; 0 for sound.
    pub(crate) layer: u8,
    /// Height class of the layer, lines; 0 for sound.
    pub(crate) height: u16,
}

impl Stamp {
    /// Fills `payload`, which has at least [`STAMP_BYTES`].
    pub(crate) fn write(self, payload: &mut [u8]) {
        let (head, filler) = payload.split_at_mut(STAMP_BYTES);
        head[..4].copy_from_slice(&MAGIC);
        head[4..8].copy_from_slice(&self.publisher.to_be_bytes());
        head[8..12].copy_from_slice(&self.number.to_be_bytes());
        head[12..20].copy_from_slice(&self.sent_ns.to_be_bytes());
        head[20..22].copy_from_slice(&[self.layer, 0]);
        head[22..].copy_from_slice(&self.height.to_be_bytes());
        filler.iter_mut().enumerate().for_each(|(n, byte)| *byte = self.filler(n));
    }

    /// Reads the stamp of `payload`; none when a byte is not what a publisher wrote.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let (head, filler) = payload.split_first_chunk::<STAMP_BYTES>()?;
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let sent_ns = u64::from(word(12)) << 32 | u64::from(word(16));
        let (layer, height) = (head[20], u16::from_be_bytes([head[22], head[23]]));
        let stamp = Self { publisher: word(4), number: word(8), sent_ns, layer, height };
        let whole =
            head[..4] == MAGIC && head[21] == 0 && filler.iter().enumerate().all(|(n, byte)| *byte == stamp.filler(n));
        whole.then_some(stamp)
    }

    fn filler(self, n: usize) -> u8 {
        (self.number as usize).wrapping_mul(31).wrapping_add(n) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_but_the_time_is_noticed() {
        let stamp = Stamp { publisher: 7, number: 1_000, sent_ns: u64::MAX - 5, layer: 2, height: 720 };
        let mut payload = [0; 60];
        stamp.write(&mut payload);
        assert_eq!(Stamp::read(&payload), Some(stamp));
        for at in 0..payload.len() {
            let mut changed = payload;
            changed[at] ^= 1;
            assert_ne!(Stamp::read(&changed), Some(stamp), "byte {at}");
        }
        assert_eq!(Stamp::read(&payload[..STAMP_BYTES - 1]), None);
        assert!(Stamp::read(&payload[..STAMP_BYTES]).is_some());
    }
}
