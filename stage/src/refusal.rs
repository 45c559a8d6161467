//! Why a stage says no.

use crate::limits;

/// A refused command. It changed nothing. The `Display` text is a sentence for the person who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The sender is not in the room.
    #[error("You are not in this room.")]
    NotInRoom,
    /// The person the command is about is not in the room.
    #[error("That person is not in the room any more.")]
    UnknownParticipant,
    /// The command needs a moderator.
    #[error("Only a host or a moderator can do this.")]
    ModeratorsOnly,
    /// The sender stands on the stage already.
    #[error("You are on stage already.")]
    AlreadyOnStage,
    /// The command needs the sender, or its target, on stage.
    #[error("Only someone on stage has a microphone and a camera.")]
    NotOnStage,
    /// Nobody but a moderator takes a person off the stage.
    #[error("Only a host or a moderator can take someone off the stage. You can mute, or leave the room.")]
    CannotLeaveStage,
    /// The microphone is in that state already.
    #[error("The microphone is like that already.")]
    MicUnchanged,
    /// The camera is in that state already.
    #[error("The camera is like that already.")]
    CameraUnchanged,
    /// The speech state reported is the one known, or the person is muted.
    #[error("Nothing changed.")]
    SpeechUnchanged,
    /// Everyone on the full stage is exempt from removal.
    #[error("The stage is full and nobody on it may be removed to make room.")]
    StageFull,
    /// The room holds as many people as it can.
    #[error("The room is full.")]
    RoomFull,
    /// A name is needed.
    #[error("Please tell us your name.")]
    NameMissing,
    /// The name is too long.
    #[error("That name is too long: {} characters at most.", limits::NAME_CHARS_MAX)]
    NameTooLong,
    /// The name holds control characters.
    #[error("That name has characters that cannot be shown.")]
    NameInvalid,
}

impl Refusal {
    /// Stable code, part of the protocol.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotInRoom => "not_in_room",
            Self::UnknownParticipant => "unknown_participant",
            Self::ModeratorsOnly => "moderators_only",
            Self::AlreadyOnStage => "already_on_stage",
            Self::NotOnStage => "not_on_stage",
            Self::CannotLeaveStage => "cannot_leave_stage",
            Self::MicUnchanged => "mic_unchanged",
            Self::CameraUnchanged => "camera_unchanged",
            Self::SpeechUnchanged => "speech_unchanged",
            Self::StageFull => "stage_full",
            Self::RoomFull => "room_full",
            Self::NameMissing => "name_missing",
            Self::NameTooLong => "name_too_long",
            Self::NameInvalid => "name_invalid",
        }
    }
}
