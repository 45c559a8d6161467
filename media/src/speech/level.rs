//! Loudness the way round that speech is judged by.

use crate::rtp::AudioLevel;

/// 0 (silence) to 127 (loudest), in dB: the RFC 6464 level turned over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Loudness(pub(super) u8);

impl Loudness {
    pub(super) const SILENCE: Self = Self(0);

    pub(super) fn from_dbov(dbov: u8) -> Self {
        Self(127u8.saturating_sub(dbov))
    }
}

impl From<AudioLevel> for Loudness {
    fn from(level: AudioLevel) -> Self {
        Self::from_dbov(level.dbov)
    }
}
