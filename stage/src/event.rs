//! What happened on a stage.

use serde::{Deserialize, Serialize};

use crate::ids::{Generation, ParticipantId, Slot};
use crate::model::Role;

/// A fact about the stage. Events are the only way a stage changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Someone came into the room, as a viewer.
    Entered {
        /// Who.
        id: ParticipantId,
        /// Display name.
        name: String,
        /// Role.
        role: Role,
    },
    /// Someone left the room; they are not on stage any more at this point.
    Left {
        /// Who.
        id: ParticipantId,
    },
    /// A viewer came on stage, silent, with microphone and camera off.
    CameOnStage {
        /// Who.
        id: ParticipantId,
    },
    /// Someone is a viewer again; their microphone and camera went off just before.
    WentOffStage {
        /// Who.
        id: ParticipantId,
        /// Why.
        why: OffStage,
    },
    /// A microphone went on.
    MicOn {
        /// Whose.
        id: ParticipantId,
    },
    /// A microphone went off; its owner is silent from now on.
    MicOff {
        /// Whose.
        id: ParticipantId,
        /// The moderator who did it, if it was not the owner.
        by: Option<ParticipantId>,
    },
    /// A camera went live; it is the most recent one.
    CameraOn {
        /// Whose.
        id: ParticipantId,
    },
    /// A camera went off.
    CameraOff {
        /// Whose.
        id: ParticipantId,
        /// The moderator who did it, if it was not the owner.
        by: Option<ParticipantId>,
    },
    /// A camera slot has a new occupant, or none.
    CameraMapped {
        /// The slot.
        slot: Slot,
        /// Its new generation.
        generation: Generation,
        /// Whose camera.
        occupant: Option<ParticipantId>,
    },
    /// A camera that is on lost its slot to a more recent one and waits.
    CameraWaiting {
        /// Whose.
        id: ParticipantId,
    },
    /// A waiting camera has a slot again.
    CameraShownAgain {
        /// Whose.
        id: ParticipantId,
    },
    /// A voice slot has a new occupant, or none.
    VoiceMapped {
        /// The slot.
        slot: Slot,
        /// Its new generation.
        generation: Generation,
        /// Whose voice.
        occupant: Option<ParticipantId>,
    },
    /// Someone started to speak.
    SpeechStarted {
        /// Who.
        id: ParticipantId,
    },
    /// Someone stopped speaking.
    SpeechStopped {
        /// Who.
        id: ParticipantId,
    },
}

/// Why somebody went off the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum OffStage {
    /// A moderator removed them.
    Removed {
        /// The moderator.
        by: ParticipantId,
    },
    /// They were silent the longest when the full stage had to admit someone.
    StageFull {
        /// The person admitted.
        admitted: ParticipantId,
    },
    /// They left the room.
    LeftRoom,
}
