//! Why a stage says no.

use crate::limits;

/// A refused command. It changed nothing. The `Display` text is a sentence for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// The command needs a host.
    #[error("Only a host can do this.")]
    HostsOnly,
    /// The room has ended.
    #[error("The session has ended.")]
    SessionEnded,
    /// Somebody with this identity is in the room.
    #[error("You are in this room already.")]
    AlreadyInRoom,
    /// A moderator removed this identity from the room.
    #[error("You were removed from this room and cannot come back with this link.")]
    RemovedFromRoom,
    /// Nobody new enters a locked room but hosts and moderators.
    #[error("The room is locked. Ask a host to let you in.")]
    RoomLocked,
    /// The room holds as many people as it can.
    #[error("The room is full.")]
    RoomFull,
    /// A phone asked for the stage at entry.
    #[error("On a phone you come in as a viewer. You can join the stage from inside.")]
    PhoneEntersAsViewer,
    /// A participant asked for the stage at entry where only viewers enter.
    #[error("In this room you come in as a viewer.")]
    StageNotAtEntry,
    /// The sender, or the target, stands on the stage already.
    #[error("Already on stage.")]
    AlreadyOnStage,
    /// The command needs the sender, or its target, on stage.
    #[error("Only someone on stage has a microphone and a camera.")]
    NotOnStage,
    /// Nobody but a moderator takes a person off the stage.
    #[error("Only a host or a moderator can take someone off the stage. You can mute, or leave the room.")]
    CannotLeaveStage,
    /// Everyone on the full stage is exempt from removal.
    #[error("The stage is full and nobody on it may be removed to make room.")]
    StageFull,
    /// Joining needs an approved request.
    #[error("Ask to join the stage first.")]
    AskFirst,
    /// Joining needs a moderator's decision, which is pending.
    #[error("A moderator has not decided about your request yet.")]
    RequestPending,
    /// Joining needs an invitation.
    #[error("Only people who are invited can join the stage.")]
    InvitationNeeded,
    /// The request is pending.
    #[error("You have asked already.")]
    AlreadyAsked,
    /// The invitation is open.
    #[error("The invitation is open already.")]
    AlreadyInvited,
    /// Asking is of no use to someone who may join.
    #[error("You can join the stage without asking.")]
    MayJoinAlready,
    /// Access is by invitation.
    #[error("Only people who are invited can join the stage.")]
    AskingClosed,
    /// There is no request to cancel or decide.
    #[error("There is no request any more.")]
    NoRequest,
    /// There is no invitation to decline or withdraw.
    #[error("There is no invitation any more.")]
    NotInvited,
    /// The microphone is in that state already.
    #[error("The microphone is like that already.")]
    MicUnchanged,
    /// The camera is in that state already.
    #[error("The camera is like that already.")]
    CameraUnchanged,
    /// The speech state reported is the one known, or the person cannot be heard.
    #[error("Nothing changed.")]
    SpeechUnchanged,
    /// The hand is in that state already.
    #[error("The hand is like that already.")]
    HandUnchanged,
    /// Stage access is that already.
    #[error("Stage access is like that already.")]
    AccessUnchanged,
    /// The capacity is that already.
    #[error("The stage has this size already.")]
    CapacityUnchanged,
    /// A capacity that cannot be.
    #[error("The stage can have 1 to {} places.", limits::CAPACITY_MAX)]
    CapacityInvalid,
    /// More moderators than the new capacity are on stage, and exempt from removal.
    #[error("More moderators than that are on stage, and none of them may be removed.")]
    TooManyProtected,
    /// The camera limit is that already.
    #[error("The number of cameras is that already.")]
    CameraLimitUnchanged,
    /// A camera limit that cannot be.
    #[error("At most {} cameras can be shown.", limits::CAMERA_SLOTS)]
    CameraLimitInvalid,
    /// What is asked for is turned off in this room.
    #[error("This is turned off in this room.")]
    FeatureOff,
    /// The sender's role may not do this in this room.
    #[error("You may not do this in this room.")]
    NotPermitted,
    /// The permission is that already.
    #[error("It is like that already.")]
    PermissionUnchanged,
    /// The room is locked, or not, already.
    #[error("The room is like that already.")]
    LockUnchanged,
    /// The connection is lost, or up, already.
    #[error("Nothing changed.")]
    ConnectionUnchanged,
    /// No grace time has ended.
    #[error("Nothing changed.")]
    NothingDue,
    /// No such role link was made in this room.
    #[error("This link is not valid.")]
    LinkUnknown,
    /// The role link was withdrawn.
    #[error("This link was withdrawn. Ask for a new one.")]
    LinkRevoked,
    /// The role link is too old, or would be from the start.
    #[error("This link has expired. Ask for a new one.")]
    LinkExpired,
    /// The role link is for one person, and somebody else has it.
    #[error("This link was for one person, who has used it. Ask for your own.")]
    LinkUsed,
    /// The room has as many links as it can.
    #[error("This room has as many links as it can have.")]
    TooManyLinks,
    /// As many people as can be remembered were removed.
    #[error("Too many people were removed from this room. Lock it instead.")]
    TooManyRemoved,
    /// A name is needed.
    #[error("Please tell us your name.")]
    NameMissing,
    /// The name is too long.
    #[error("That name is too long: {} characters at most.", limits::NAME_CHARS_MAX)]
    NameTooLong,
    /// The name holds control characters.
    #[error("That name has characters that cannot be shown.")]
    NameInvalid,
    /// A moderator blocked the sender from the chat.
    #[error("A moderator has blocked you from the chat.")]
    ChatBlocked,
    /// The message says nothing.
    #[error("Write something first.")]
    ChatTextEmpty,
    /// The message is too long.
    #[error("That message is too long: {} characters at most.", limits::CHAT_CHARS_MAX)]
    ChatTextTooLong,
    /// The message holds control characters.
    #[error("That message has characters that cannot be shown.")]
    ChatTextInvalid,
    /// No such message is there, or not any more.
    #[error("That message is not there any more.")]
    ChatMessageUnknown,
    /// That message is pinned, or none is, already.
    #[error("That is pinned already.")]
    ChatPinUnchanged,
    /// There is nothing to clear.
    #[error("There is nothing in the chat.")]
    ChatIsEmpty,
    /// The person is blocked from the chat, or not, already.
    #[error("It is like that already.")]
    ChatBlockUnchanged,
    /// As many people as can be remembered are blocked from the chat.
    #[error("Too many people are blocked from this chat.")]
    TooManyBlocked,
    /// No such poll or quiz is there, or not any more.
    #[error("That poll is not there any more.")]
    PollUnknown,
    /// A question, an option or the title says nothing.
    #[error("Write every question and every option.")]
    PollTextEmpty,
    /// A question, an option or the title is too long.
    #[error(
        "A question has {} characters at most, an option {}.",
        limits::POLL_TEXT_CHARS_MAX,
        limits::POLL_OPTION_CHARS_MAX
    )]
    PollTextTooLong,
    /// A question, an option or the title holds control characters.
    #[error("A text has characters that cannot be shown.")]
    PollTextInvalid,
    /// Too few options, too many, or two that are the same.
    #[error("A question has {} to {} different options.", limits::POLL_OPTIONS_MIN, limits::POLL_OPTIONS_MAX)]
    PollOptionsInvalid,
    /// Too few questions, or too many.
    #[error("A poll has one question, a quiz 1 to {}.", limits::POLL_QUESTIONS_MAX)]
    PollQuestionsInvalid,
    /// A quiz whose question has no right answer, or a poll that has one.
    #[error("Mark the right answer of every question of a quiz.")]
    PollRightInvalid,
    /// A time that cannot be.
    #[error("A question is open for {} to {} seconds.", limits::POLL_SECONDS_MIN, limits::POLL_SECONDS_MAX)]
    PollSecondsInvalid,
    /// Points that cannot be.
    #[error("A question of a quiz is worth {} points at most.", limits::POLL_POINTS_MAX)]
    PollPointsInvalid,
    /// The session has as many polls as it can.
    #[error("This session has as many polls as it can. Delete some first.")]
    TooManyPolls,
    /// The poll is at another step already.
    #[error("Somebody was faster: it has moved on already.")]
    PollMovedOn,
    /// One question at a time is put to a room.
    #[error("Another question is open. Close it first.")]
    AnotherPollOpen,
    /// The question cannot be answered now.
    #[error("This question is closed.")]
    PollNotOpen,
    /// No such option, none, or more than one where one is asked for.
    #[error("That is no answer to this question.")]
    AnswerInvalid,
    /// The answer is that already.
    #[error("That is your answer already.")]
    AnswerUnchanged,
    /// The sender presents.
    #[error("You are presenting already.")]
    PresentingAlready,
    /// One person at a time presents, and only a moderator takes over.
    #[error("Somebody else is presenting. A host or a moderator can take over.")]
    SomebodyPresents,
    /// That person does not present, or not any more.
    #[error("Nobody is presenting any more.")]
    NotPresenting,
    /// Another moderator was faster.
    #[error("already decided by {by}")]
    AlreadyDecided {
        /// Name of the moderator whose decision stands.
        by: String,
    },
}

impl Refusal {
    /// Stable code, part of the protocol.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotInRoom => "not_in_room",
            Self::UnknownParticipant => "unknown_participant",
            Self::ModeratorsOnly => "moderators_only",
            Self::HostsOnly => "hosts_only",
            Self::SessionEnded => "session_ended",
            Self::AlreadyInRoom => "already_in_room",
            Self::RemovedFromRoom => "removed_from_room",
            Self::RoomLocked => "room_locked",
            Self::RoomFull => "room_full",
            Self::PhoneEntersAsViewer => "phone_enters_as_viewer",
            Self::StageNotAtEntry => "stage_not_at_entry",
            Self::AlreadyOnStage => "already_on_stage",
            Self::NotOnStage => "not_on_stage",
            Self::CannotLeaveStage => "cannot_leave_stage",
            Self::StageFull => "stage_full",
            Self::AskFirst => "ask_first",
            Self::RequestPending => "request_pending",
            Self::InvitationNeeded => "invitation_needed",
            Self::AlreadyAsked => "already_asked",
            Self::AlreadyInvited => "already_invited",
            Self::MayJoinAlready => "may_join_already",
            Self::AskingClosed => "asking_closed",
            Self::NoRequest => "no_request",
            Self::NotInvited => "not_invited",
            Self::MicUnchanged => "mic_unchanged",
            Self::CameraUnchanged => "camera_unchanged",
            Self::SpeechUnchanged => "speech_unchanged",
            Self::HandUnchanged => "hand_unchanged",
            Self::AccessUnchanged => "access_unchanged",
            Self::CapacityUnchanged => "capacity_unchanged",
            Self::CapacityInvalid => "capacity_invalid",
            Self::TooManyProtected => "too_many_protected",
            Self::CameraLimitUnchanged => "camera_limit_unchanged",
            Self::CameraLimitInvalid => "camera_limit_invalid",
            Self::FeatureOff => "feature_off",
            Self::NotPermitted => "not_permitted",
            Self::PermissionUnchanged => "permission_unchanged",
            Self::LockUnchanged => "lock_unchanged",
            Self::ConnectionUnchanged => "connection_unchanged",
            Self::NothingDue => "nothing_due",
            Self::LinkUnknown => "link_unknown",
            Self::LinkRevoked => "link_revoked",
            Self::LinkExpired => "link_expired",
            Self::LinkUsed => "link_used",
            Self::TooManyLinks => "too_many_links",
            Self::TooManyRemoved => "too_many_removed",
            Self::NameMissing => "name_missing",
            Self::NameTooLong => "name_too_long",
            Self::NameInvalid => "name_invalid",
            Self::ChatBlocked => "chat_blocked",
            Self::ChatTextEmpty => "chat_text_empty",
            Self::ChatTextTooLong => "chat_text_too_long",
            Self::ChatTextInvalid => "chat_text_invalid",
            Self::ChatMessageUnknown => "chat_message_unknown",
            Self::ChatPinUnchanged => "chat_pin_unchanged",
            Self::ChatIsEmpty => "chat_is_empty",
            Self::ChatBlockUnchanged => "chat_block_unchanged",
            Self::TooManyBlocked => "too_many_blocked",
            Self::PollUnknown => "poll_unknown",
            Self::PollTextEmpty => "poll_text_empty",
            Self::PollTextTooLong => "poll_text_too_long",
            Self::PollTextInvalid => "poll_text_invalid",
            Self::PollOptionsInvalid => "poll_options_invalid",
            Self::PollQuestionsInvalid => "poll_questions_invalid",
            Self::PollRightInvalid => "poll_right_invalid",
            Self::PollSecondsInvalid => "poll_seconds_invalid",
            Self::PollPointsInvalid => "poll_points_invalid",
            Self::TooManyPolls => "too_many_polls",
            Self::PollMovedOn => "poll_moved_on",
            Self::AnotherPollOpen => "another_poll_open",
            Self::PollNotOpen => "poll_not_open",
            Self::AnswerInvalid => "answer_invalid",
            Self::AnswerUnchanged => "answer_unchanged",
            Self::PresentingAlready => "presenting_already",
            Self::SomebodyPresents => "somebody_presents",
            Self::NotPresenting => "not_presenting",
            Self::AlreadyDecided { .. } => "already_decided",
        }
    }
}
