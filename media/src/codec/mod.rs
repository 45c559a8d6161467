//! Codecs of pictures: what forwarding needs to know of a payload, and what it rewrites in it. One encoding per layer, for
//! every codec (ADR 13).

mod av1;
mod h264;
mod picture;
mod vp8;
mod vp9;

pub use picture::{LastSent, PictureId, Shift};

/// A codec of cameras and screens. Voices are always Opus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// RFC 7741. Every browser has it, and it is what a room falls back to.
    #[default]
    Vp8,
    /// RFC 6184, constrained baseline, packetization mode 1.
    H264,
    /// RFC 9628, profile 0.
    Vp9,
    /// RTP Payload Format For AV1 (v1.0), main profile.
    Av1,
}

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 4] = [Self::Vp8, Self::H264, Self::Vp9, Self::Av1];

    /// As `a=rtpmap` has it (RFC 8866 §6.6), with the clock rate.
    #[must_use]
    pub fn rtpmap(self) -> &'static str {
        match self {
            Self::Vp8 => "VP8/90000",
            Self::H264 => "H264/90000",
            Self::Vp9 => "VP9/90000",
            Self::Av1 => "AV1/90000",
        }
    }
}

/// A payload that is not of its codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the payload does not parse as its codec")]
pub struct PayloadError;

/// What forwarding needs to know of a payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// The packet is the first that a decoder needs which knows nothing of the stream.
    pub starts_key_frame: bool,
    /// PictureID of VP8 and VP9, if there is one.
    pub picture_id: Option<PictureId>,
    /// Offset and value of TL0PICIDX of VP8 and VP9, if there is one.
    pub tl0_pic_idx: Option<(u8, u8)>,
    /// Its place among temporal layers; of other codecs than VP8 nothing is said.
    pub temporal: Temporal,
}

/// Frames of a higher temporal layer can be left out: those of lower ones do not need them (RFC 7741 §4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Temporal {
    /// TID; 0 is the base layer, and what has no layers.
    pub layer: u8,
    /// Y: the frame needs the base layer alone.
    pub syncs: bool,
    /// The packet is the first of its frame.
    pub begins_frame: bool,
}

impl Descriptor {
    /// Reads the start of `payload`.
    ///
    /// # Errors
    /// When the payload ends too soon, or cannot be one of `codec`.
    pub fn parse(codec: Codec, payload: &[u8]) -> Result<Self, PayloadError> {
        match codec {
            Codec::Vp8 => vp8::parse(payload),
            Codec::H264 => h264::parse(payload),
            Codec::Vp9 => vp9::parse(payload),
            Codec::Av1 => av1::parse(payload),
        }
    }
}

/// The byte of `payload` at `at`.
fn byte(payload: &[u8], at: usize) -> Result<u8, PayloadError> {
    payload.get(at).copied().ok_or(PayloadError)
}
