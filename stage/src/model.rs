//! The people in a room and where they are.

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, ParticipantId};
use crate::limits;

/// What a person may do; comes from the access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Moderates, and owns the room.
    Host,
    /// Moderates.
    Moderator,
    /// A participant with a standing invitation to the stage.
    Speaker,
    /// Everyone else.
    Participant,
}

impl Role {
    /// Hosts and moderators moderate.
    #[must_use]
    pub fn moderates(self) -> bool {
        matches!(self, Self::Host | Self::Moderator)
    }
}

/// A person in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Their number.
    pub id: ParticipantId,
    /// Display name, 1 to [`limits::NAME_CHARS_MAX`] characters.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Viewer or on stage.
    pub place: Place,
}

impl Participant {
    /// What there is to know of them as someone on stage, if they are.
    #[must_use]
    pub fn on_stage(&self) -> Option<&OnStage> {
        match &self.place {
            Place::Viewer => None,
            Place::OnStage(on_stage) => Some(on_stage),
        }
    }
}

/// Where a person is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Watches and hears; sends no media.
    Viewer,
    /// May send audio and video.
    OnStage(OnStage),
}

/// The state of someone on stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnStage {
    /// Order of coming on stage; the smaller came first.
    pub order: u64,
    /// Microphone on.
    pub mic: bool,
    /// Camera on, whether it has one of the slots or waits for one.
    pub camera: bool,
    /// Speaking or silent, and since when.
    pub speech: Speech,
}

impl OnStage {
    /// Sorts the longest-silent first: who speaks comes last, ties go to whoever came on stage first.
    pub(crate) fn eviction_rank(&self) -> (Millis, u64) {
        match self.speech {
            Speech::Silent { since } => (since, self.order),
            Speech::Speaking { .. } => (Millis(u64::MAX), self.order),
        }
    }
}

/// Measured from RTP audio levels, never from what a client says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// Silent since then; who has not spoken since coming on stage is silent since that moment.
    Silent {
        /// Start of the silence.
        since: Millis,
    },
    /// Speaking since then.
    Speaking {
        /// Start of the speech.
        since: Millis,
    },
}

/// What is set when a room is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Most people on stage at once, moderators included; at least 1.
    pub capacity: usize,
    /// Most cameras forwarded at once; at most [`limits::CAMERA_SLOTS`].
    pub camera_limit: usize,
    /// Moderators are never the ones removed from a full stage.
    pub protect_moderators: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { capacity: limits::CAPACITY_DEFAULT, camera_limit: limits::CAMERA_SLOTS, protect_moderators: false }
    }
}
