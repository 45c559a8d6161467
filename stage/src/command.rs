//! What people, and the data plane, ask of a stage.

use crate::ids::ParticipantId;
use crate::model::Role;

/// A request to the stage. Commands of people name them in `by` or `id`; the owner of the stage has checked that the
/// session belongs to that participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A new person comes in.
    Enter {
        /// Must be [`Stage::next_id`](crate::Stage::next_id).
        id: ParticipantId,
        /// Display name.
        name: String,
        /// Role from the token.
        role: Role,
        /// Where they want to be.
        place: EntryPlace,
    },
    /// A person leaves the room, or is gone.
    Leave {
        /// Who.
        id: ParticipantId,
    },
    /// A viewer comes on stage.
    JoinStage {
        /// Who.
        id: ParticipantId,
        /// With the microphone on.
        mic: bool,
        /// With the camera on.
        camera: bool,
    },
    /// Someone asks to step down by themselves: always refused to those who do not moderate.
    LeaveStage {
        /// Who.
        id: ParticipantId,
    },
    /// A moderator takes a person off the stage.
    RemoveFromStage {
        /// The moderator.
        by: ParticipantId,
        /// The person on stage.
        target: ParticipantId,
    },
    /// A person on stage turns their own microphone on or off.
    SetMic {
        /// Who.
        id: ParticipantId,
        /// On or off.
        on: bool,
    },
    /// A person on stage turns their own camera on or off.
    SetCamera {
        /// Who.
        id: ParticipantId,
        /// On or off.
        on: bool,
    },
    /// A moderator turns a person's microphone off.
    Mute {
        /// The moderator.
        by: ParticipantId,
        /// The person on stage.
        target: ParticipantId,
    },
    /// A moderator turns a person's camera off.
    StopCamera {
        /// The moderator.
        by: ParticipantId,
        /// The person on stage.
        target: ParticipantId,
    },
    /// The data plane found that a person has started to speak.
    SpeechStarted {
        /// Who.
        id: ParticipantId,
    },
    /// The data plane found that a person has stopped speaking.
    SpeechStopped {
        /// Who.
        id: ParticipantId,
    },
}

/// What a person asks for in the entry window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryPlace {
    /// **Join as viewer**.
    Viewer,
    /// **Join stage**.
    Stage {
        /// With the microphone on.
        mic: bool,
        /// With the camera on.
        camera: bool,
    },
}
