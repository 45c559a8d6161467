//! The people in a room and where they are.

use serde::{Deserialize, Serialize};

use crate::ids::{Identity, Millis, ParticipantId};

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
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Host, Self::Moderator, Self::Speaker, Self::Participant];

    /// Hosts and moderators moderate.
    #[must_use]
    pub fn moderates(self) -> bool {
        matches!(self, Self::Host | Self::Moderator)
    }

    /// All but participants may join the stage at all times.
    #[must_use]
    pub fn always_joins(self) -> bool {
        self != Self::Participant
    }
}

/// Who does something as a moderator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Somebody in the room.
    Person(ParticipantId),
    /// The portal the room belongs to, through the HTTP API; it has every right of a host.
    Portal,
}

impl From<ParticipantId> for Actor {
    fn from(id: ParticipantId) -> Self {
        Self::Person(id)
    }
}

/// A person in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Their number.
    pub id: ParticipantId,
    /// Who they are across connections.
    pub identity: Identity,
    /// Display name, 1 to [`limits::NAME_CHARS_MAX`](crate::limits::NAME_CHARS_MAX) characters.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Viewer or on stage.
    pub place: Place,
    /// Their raised hand.
    pub hand: Option<Queued>,
    /// There, or gone for a moment.
    pub connection: Connection,
    /// Name of the moderator who decided their last request.
    pub(crate) decided_by: Option<String>,
}

impl Participant {
    /// What there is to know of them as someone on stage, if they are.
    #[must_use]
    pub fn on_stage(&self) -> Option<&OnStage> {
        match &self.place {
            Place::Viewer(_) => None,
            Place::OnStage(on_stage) => Some(on_stage),
        }
    }

    /// Whether their connection is lost, and the grace time runs.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(self.connection, Connection::Lost { .. })
    }

    /// What connects a viewer with the stage.
    #[must_use]
    pub fn claim(&self) -> Option<&Claim> {
        match &self.place {
            Place::Viewer(claim) => Some(claim),
            Place::OnStage(_) => None,
        }
    }

    /// When they asked to join the stage, while that is pending.
    #[must_use]
    pub fn request(&self) -> Option<Queued> {
        match self.place {
            Place::Viewer(Claim::Asked(request)) => Some(request),
            _ => None,
        }
    }
}

/// Where a person is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Watches and hears; sends no media.
    Viewer(Claim),
    /// May send audio and video.
    OnStage(OnStage),
}

/// What connects a viewer with the stage: one thing at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// Nothing.
    #[default]
    None,
    /// Asked, and not decided.
    Asked(Queued),
    /// Invited, and not answered.
    Invited {
        /// By whom.
        by: Actor,
        /// Had the right to return before, and has it again when the invitation is gone.
        may_return: bool,
    },
    /// Dropped because the stage was full: may join.
    MayReturn,
}

impl Claim {
    /// Whether this alone lets somebody join.
    #[must_use]
    pub fn admits(self) -> bool {
        matches!(self, Self::Invited { .. } | Self::MayReturn)
    }
}

/// A place in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Queued {
    /// Grows; the smaller came first.
    pub order: u64,
    /// Since when.
    pub since: Millis,
}

/// Whether a person's client is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// It is.
    Up,
    /// It is not; they have left when the grace time is over.
    Lost {
        /// Since when.
        since: Millis,
    },
}

/// The state of someone on stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Sorts the longest-silent first, and whoever speaks last; ties by order of coming on stage.
    pub(crate) fn eviction_rank(&self) -> (Millis, u64) {
        match self.speech {
            Speech::Silent { since } => (since, self.order),
            Speech::Speaking { .. } => (Millis(u64::MAX), self.order),
        }
    }
}

/// Measured from RTP audio levels, never from what a client says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

impl Speech {
    /// Speaking, rather than silent.
    #[must_use]
    pub fn is_speaking(self) -> bool {
        matches!(self, Self::Speaking { .. })
    }
}
