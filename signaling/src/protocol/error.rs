//! What is refused because of the message or the token, not because of the stage.

/// A refusal or the end of a session that is about the message or the token, not about the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Not JSON, or fields that do not fit the type.
    #[error("The message could not be understood.")]
    MessageMalformed,
    /// A `type` the protocol does not have.
    #[error("The server does not know this kind of message.")]
    MessageUnknownType,
    /// Longer than the server reads.
    #[error("The message is too large.")]
    MessageTooLarge,
    /// Binary WebSocket message.
    #[error("The protocol has no binary messages.")]
    MessageBinary,
    /// A page of another origin, which the server does not list.
    #[error("This server does not let pages of this site connect to it.")]
    OriginNotAllowed,
    /// Something else before `hello`.
    #[error("The first message must be hello.")]
    HelloExpected,
    /// A second `hello` or `enter`.
    #[error("You are in the room already.")]
    AlreadyEntered,
    /// Something that needs the room before `enter`.
    #[error("Enter the room first.")]
    NotEntered,
    /// Another version of the protocol.
    #[error("This page is out of date. Load it again.")]
    ProtocolVersion,
    /// The room does not exist, or has ended.
    #[error("There is no such room.")]
    UnknownRoom,
    /// The token is not one of this server's, or not for this room.
    #[error("This link is not valid.")]
    TokenInvalid,
    /// The token was valid once.
    #[error("This link has expired. Ask for a new one.")]
    TokenExpired,
    /// Waited too long.
    #[error("The connection was idle for too long. Load the page again.")]
    TooSlow,
    /// Media of the session is gone.
    #[error("The connection for sound and pictures was lost.")]
    MediaLost,
    /// The server is shutting down.
    #[error("The server is shutting down.")]
    ShuttingDown,
    /// A slot that the layout does not have.
    #[error("There is no such slot.")]
    SlotUnknown,
    /// A search for more than a name can have.
    #[error("No name is as long as that.")]
    SearchTooLong,
    /// More searches than the room's task has time for.
    #[error("Many people are searching. Try again in a moment.")]
    TooManySearches,
    /// More requests than a person makes.
    #[error("You are sending too many requests. Wait a moment.")]
    RateLimited,
    /// As many connectivity tests run as the server takes.
    #[error("Too many connection tests are running. Try again in a moment.")]
    TooManyTests,
    /// A newer session of the same person took over.
    #[error("You came in from another window or device, so this one was closed.")]
    Replaced,
    /// The session has ended.
    #[error("The session has ended.")]
    SessionEnded,
    /// A moderator removed the person.
    #[error("A moderator removed you from the room.")]
    RemovedFromRoom,
    /// What happened could not be recorded, so it did not happen.
    #[error("The server could not save what happened. It is trying again.")]
    JournalFailed,
    /// The room stopped while it was asked: come back, and it says why.
    #[error("The room is not there at the moment. Come back in.")]
    RoomGone,
    /// A bug of ours.
    #[error("Something went wrong on the server.")]
    Internal,
}

impl SessionError {
    /// Every error.
    pub const ALL: [Self; 26] = [
        Self::MessageMalformed,
        Self::MessageUnknownType,
        Self::MessageTooLarge,
        Self::MessageBinary,
        Self::OriginNotAllowed,
        Self::HelloExpected,
        Self::AlreadyEntered,
        Self::NotEntered,
        Self::ProtocolVersion,
        Self::UnknownRoom,
        Self::TokenInvalid,
        Self::TokenExpired,
        Self::TooSlow,
        Self::MediaLost,
        Self::ShuttingDown,
        Self::SlotUnknown,
        Self::SearchTooLong,
        Self::TooManySearches,
        Self::RateLimited,
        Self::TooManyTests,
        Self::Replaced,
        Self::SessionEnded,
        Self::RemovedFromRoom,
        Self::JournalFailed,
        Self::RoomGone,
        Self::Internal,
    ];

    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::MessageMalformed => "message_malformed",
            Self::MessageUnknownType => "message_unknown_type",
            Self::MessageTooLarge => "message_too_large",
            Self::MessageBinary => "message_binary",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::HelloExpected => "hello_expected",
            Self::AlreadyEntered => "already_entered",
            Self::NotEntered => "not_entered",
            Self::ProtocolVersion => "protocol_version",
            Self::UnknownRoom => "unknown_room",
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::TooSlow => "too_slow",
            Self::MediaLost => "media_lost",
            Self::ShuttingDown => "shutting_down",
            Self::SlotUnknown => "slot_unknown",
            Self::SearchTooLong => "search_too_long",
            Self::TooManySearches => "too_many_searches",
            Self::RateLimited => "rate_limited",
            Self::TooManyTests => "too_many_tests",
            Self::Replaced => "replaced",
            Self::SessionEnded => "session_ended",
            Self::RemovedFromRoom => "removed_from_room",
            Self::JournalFailed => "journal_failed",
            Self::RoomGone => "room_gone",
            Self::Internal => "internal",
        }
    }
}
