//! Names for the things the data plane counts. All of them are what their RFC calls them.

use std::fmt;

use crate::limits::{CAMERA_SLOTS, SLOTS, VOICE_SLOTS};

/// Synchronisation source of an RTP stream (RFC 3550 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ssrc(pub u32);

/// A room on this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub u32);

/// A participant's number within the room; the CSRC of everything forwarded from them (RFC 3550 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParticipantId(pub u32);

/// Counts the connections of the whole server: what is told about an older one of a participant is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Index of a worker thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub u8);

/// Counts the occupants of a slot; it only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation(pub u32);

/// What a participant can send. Also the index of the sending m-section in the offer, within its media type: the first
/// audio section is the microphone, the second the screen's sound; the first video section is the camera, the second
/// the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MediaKind {
    /// Microphone.
    Mic,
    /// Camera.
    Camera,
    /// Screen, window or tab.
    Screen,
    /// Sound of the screen, window or tab.
    ScreenAudio,
}

impl MediaKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Mic, Self::Camera, Self::Screen, Self::ScreenAudio];

    /// Whether it is video (the others are Opus).
    #[must_use]
    pub fn is_video(self) -> bool {
        matches!(self, Self::Camera | Self::Screen)
    }

    /// RTP clock rate in Hz (RFC 7587 §4.1 for Opus; every codec of video has 90 kHz).
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        if self.is_video() { 90_000 } else { 48_000 }
    }
}

/// A simulcast layer of a camera, smallest first: the rids `q`, `h` and `f`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Layer(pub u8);

/// One run of sequence numbers of a source: another layer, SSRC or connection is another stream. Never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StreamId(u64);

impl StreamId {
    /// The `n`-th stream of a connection.
    pub(crate) fn of(connection: ConnectionId, n: u16) -> Self {
        Self(connection.0 << 16 | u64::from(n))
    }
}

/// A slot of the room's fixed layout: cameras first, then the screen, its sound, and the voices.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(u8);

impl Slot {
    /// The screen's picture.
    pub const SCREEN: Self = Self(CAMERA_SLOTS as u8);
    /// The screen's sound.
    pub const SCREEN_AUDIO: Self = Self(CAMERA_SLOTS as u8 + 1);
    pub(crate) const FIRST_CAMERA: Self = Self(0);
    pub(crate) const FIRST_VOICE: Self = Self(CAMERA_SLOTS as u8 + 2);

    /// The camera slot with `index`, if there is one.
    #[must_use]
    pub fn camera(index: usize) -> Option<Self> {
        (index < CAMERA_SLOTS).then_some(Self(index as u8))
    }

    /// The voice slot with `index`, if there is one.
    #[must_use]
    pub fn voice(index: usize) -> Option<Self> {
        (index < VOICE_SLOTS).then_some(Self(Self::FIRST_VOICE.0 + index as u8))
    }

    /// Every slot in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SLOTS as u8).map(Self)
    }

    /// Position among all slots, `0..SLOTS`.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// What may stand in the slot.
    #[must_use]
    pub fn kind(self) -> MediaKind {
        match self {
            Self::SCREEN => MediaKind::Screen,
            Self::SCREEN_AUDIO => MediaKind::ScreenAudio,
            Self(index) if index < Self::SCREEN.0 => MediaKind::Camera,
            Self(_) => MediaKind::Mic,
        }
    }

    /// The SSRC every viewer receives this slot's media with, for the life of the connection.
    #[must_use]
    pub fn ssrc(self) -> Ssrc {
        Ssrc(SLOT_SSRC_BASE + 2 * u32::from(self.0))
    }

    /// The SSRC of the slot's retransmissions (RFC 4588 §4).
    #[must_use]
    pub fn rtx_ssrc(self) -> Ssrc {
        Ssrc(SLOT_SSRC_BASE + 2 * u32::from(self.0) + 1)
    }

    /// The slot that `ssrc` is the media SSRC of.
    #[must_use]
    pub fn from_ssrc(ssrc: Ssrc) -> Option<Self> {
        let offset = ssrc.0.checked_sub(SLOT_SSRC_BASE)?;
        let index = u8::try_from(offset / 2).ok()?;
        (offset % 2 == 0 && usize::from(index) < SLOTS).then_some(Self(index))
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            MediaKind::Camera => write!(f, "camera slot {}", self.0),
            MediaKind::Screen => write!(f, "screen slot"),
            MediaKind::ScreenAudio => write!(f, "screen audio slot"),
            MediaKind::Mic => write!(f, "voice slot {}", self.0 - Self::FIRST_VOICE.0),
        }
    }
}

/// SSRCs of slots stand in one block, so that they mean the same to every viewer. A client whose own random SSRC
/// falls into the block (1 in 60 million) is refused and offers again with another.
const SLOT_SSRC_BASE: u32 = 0x0DA1_5000;

/// Whether `ssrc` lies in the block of the slots.
#[must_use]
pub(crate) fn is_slot_ssrc(ssrc: Ssrc) -> bool {
    (SLOT_SSRC_BASE..SLOT_SSRC_BASE + 2 * SLOTS as u32).contains(&ssrc.0)
}

/// The SSRC the server reports with in RTCP, beside the slots'.
pub(crate) const REPORTER_SSRC: Ssrc = Ssrc(SLOT_SSRC_BASE + 2 * SLOTS as u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_found_by_its_ssrc_and_no_other() {
        for slot in Slot::all() {
            assert_eq!(Slot::from_ssrc(slot.ssrc()), Some(slot));
            assert_eq!(Slot::from_ssrc(slot.rtx_ssrc()), None);
        }
        assert_eq!(Slot::from_ssrc(REPORTER_SSRC), None);
        assert_eq!(Slot::from_ssrc(Ssrc(0)), None);
    }

    #[test]
    fn the_layout_is_cameras_screen_and_voices() {
        let kinds: Vec<_> = Slot::all().map(Slot::kind).collect();
        assert_eq!(kinds.iter().filter(|k| **k == MediaKind::Camera).count(), CAMERA_SLOTS);
        assert_eq!(kinds[25], MediaKind::Screen);
        assert_eq!(kinds[26], MediaKind::ScreenAudio);
        assert_eq!(kinds.iter().filter(|k| **k == MediaKind::Mic).count(), VOICE_SLOTS);
        assert_eq!(Slot::camera(25), None);
        assert_eq!(Slot::voice(8), None);
    }
}
