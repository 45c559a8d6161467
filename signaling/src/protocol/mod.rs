//! The messages of the protocol, as JSON objects told apart by `type`. docs/protocol.md says who may send what when.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ClientMessage {
    /// First message: who is there.
    Hello {
        /// Version of the protocol the client speaks.
        protocol: u32,
        /// Access token.
        token: String,
    },
    /// Comes into the room.
    Enter {
        /// Number of the request.
        id: u32,
        /// Display name, where the token has none.
        #[ts(optional)]
        name: Option<String>,
        /// Where to.
        place: Place,
        /// On stage: with the microphone on.
        mic: bool,
        /// On stage: with the camera on.
        camera: bool,
        /// SDP offer, to be answered with the entry.
        #[ts(optional)]
        offer: Option<String>,
    },
    /// Connects media, or connects it anew.
    Offer {
        /// Number of the request.
        id: u32,
        /// SDP offer.
        sdp: String,
    },
    /// Comes on stage.
    JoinStage {
        /// Number of the request.
        id: u32,
        /// With the microphone on.
        mic: bool,
        /// With the camera on.
        camera: bool,
    },
    /// Asks to step down. Refused to everyone who does not moderate.
    LeaveStage {
        /// Number of the request.
        id: u32,
    },
    /// Turns the own microphone on or off.
    SetMic {
        /// Number of the request.
        id: u32,
        /// On or off.
        on: bool,
    },
    /// Turns the own camera on or off.
    SetCamera {
        /// Number of the request.
        id: u32,
        /// On or off.
        on: bool,
    },
    /// Moderators: takes somebody off the stage.
    RemoveFromStage {
        /// Number of the request.
        id: u32,
        /// Whom.
        participant: u32,
    },
    /// Moderators: turns somebody's microphone off.
    Mute {
        /// Number of the request.
        id: u32,
        /// Whose.
        participant: u32,
    },
    /// Moderators: turns somebody's camera off.
    StopCamera {
        /// Number of the request.
        id: u32,
        /// Whose.
        participant: u32,
    },
    /// Leaves the room.
    Leave,
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ServerMessage {
    /// Answer to `hello`: what the entry window offers.
    Entry {
        /// Version of the protocol.
        protocol: u32,
        /// The room.
        room: RoomInfo,
        /// Role from the token.
        role: Role,
        /// Name from the token.
        name: Option<String>,
        /// Whether **Join stage** is offered.
        may_join_stage: bool,
    },
    /// Answer to `enter`: the client is in the room.
    Entered {
        /// Number of the request.
        id: u32,
        /// The client's own number.
        you: u32,
        /// The room as it is.
        state: RoomState,
        /// SDP answer, if there was an offer.
        answer: Option<String>,
    },
    /// Answer to `offer`.
    Answer {
        /// Number of the request.
        id: u32,
        /// SDP answer.
        sdp: String,
    },
    /// The request was carried out.
    Ok {
        /// Number of the request.
        id: u32,
    },
    /// The request, or a message without number, was refused; nothing changed.
    Error {
        /// Number of the request.
        id: Option<u32>,
        /// Stable code.
        code: String,
        /// A sentence for a person.
        text: String,
    },
    /// The room as it is, in place of updates the session could not keep up with.
    State {
        /// The room.
        state: RoomState,
    },
    /// What changed in the room.
    Update {
        /// Participants who came or changed, whole.
        participants: Vec<Participant>,
        /// Participants who left.
        left: Vec<u32>,
        /// Slots with another occupant.
        slots: Vec<Slot>,
        /// How many are on stage.
        on_stage: u32,
        /// How many are viewers.
        viewers: u32,
    },
    /// Something this person is told.
    Notice {
        /// What.
        notice: Notice,
    },
    /// Last message: the session is over.
    Closed {
        /// Stable code.
        code: String,
        /// A sentence for a person.
        text: String,
    },
}

/// A room, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RoomInfo {
    /// As in its address.
    pub id: String,
    /// As people call it.
    pub title: String,
}

/// A whole room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RoomState {
    /// Everyone in it.
    pub participants: Vec<Participant>,
    /// Every occupied slot.
    pub slots: Vec<Slot>,
    /// How many are on stage.
    pub on_stage: u32,
    /// How many are viewers.
    pub viewers: u32,
    /// How many may be on stage.
    pub capacity: u32,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Number within the room; the CSRC of their media.
    pub id: u32,
    /// Display name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// On stage, or a viewer.
    pub on_stage: Option<OnStage>,
}

/// Somebody on stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct OnStage {
    /// Order of coming on stage.
    pub order: u32,
    /// Microphone on.
    pub mic: bool,
    /// Speaking, by the audio levels the server sees.
    pub speaking: bool,
    /// Camera.
    pub camera: Camera,
}

/// State of a camera on stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Camera {
    /// Off.
    Off,
    /// On, and forwarded.
    Shown,
    /// On, and waiting for one of the camera places.
    Waiting,
}

/// A slot and who stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// Cameras or voices.
    pub kind: SlotKind,
    /// Index among its kind: the n-th receiving section of its media type.
    pub index: u8,
    /// Grows with each change; of two mappings the greater is valid.
    pub generation: u32,
    /// Occupant.
    pub participant: Option<u32>,
}

/// Kind of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SlotKind {
    /// A camera.
    Camera,
    /// A voice.
    Voice,
}

/// Where a person asks to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// **Join as viewer**.
    Viewer,
    /// **Join stage**.
    Stage,
}

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Moderates, and owns the room.
    Host,
    /// Moderates.
    Moderator,
    /// Has a standing invitation to the stage.
    Speaker,
    /// Everyone else.
    Participant,
}

impl From<dais_stage::Role> for Role {
    fn from(role: dais_stage::Role) -> Self {
        match role {
            dais_stage::Role::Host => Self::Host,
            dais_stage::Role::Moderator => Self::Moderator,
            dais_stage::Role::Speaker => Self::Speaker,
            dais_stage::Role::Participant => Self::Participant,
        }
    }
}

/// Something one person is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// A moderator took them off the stage.
    RemovedFromStage {
        /// Name of the moderator.
        by: String,
    },
    /// They were silent the longest when the full stage had to admit somebody.
    StageFull {
        /// Name of the person admitted.
        admitted: String,
    },
    /// A moderator turned their microphone off.
    Muted {
        /// Name of the moderator.
        by: String,
    },
    /// A moderator turned their camera off.
    CameraStopped {
        /// Name of the moderator.
        by: String,
    },
    /// Their camera waits: more recent ones have the camera places.
    CameraWaiting,
    /// Their camera is shown again.
    CameraShownAgain,
}

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
    /// A bug of ours.
    #[error("Something went wrong on the server.")]
    Internal,
}

impl SessionError {
    /// Every error.
    pub const ALL: [Self; 15] = [
        Self::MessageMalformed,
        Self::MessageUnknownType,
        Self::MessageTooLarge,
        Self::MessageBinary,
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
            Self::Internal => "internal",
        }
    }
}

/// Values of `type` in [`ClientMessage`].
const CLIENT_TYPES: [&str; 11] = [
    "hello",
    "enter",
    "offer",
    "join_stage",
    "leave_stage",
    "set_mic",
    "set_camera",
    "remove_from_stage",
    "mute",
    "stop_camera",
    "leave",
];

/// Reads a client's message.
///
/// # Errors
/// [`SessionError::MessageTooLarge`], [`SessionError::MessageUnknownType`] or [`SessionError::MessageMalformed`], with
/// the number of the request where it could be read.
pub fn parse(text: &str) -> Result<ClientMessage, (Option<u32>, SessionError)> {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "type")]
        kind: String,
        id: Option<u32>,
    }
    if text.len() > crate::limits::MESSAGE_BYTES_MAX {
        return Err((None, SessionError::MessageTooLarge));
    }
    serde_json::from_str(text).map_err(|_| match serde_json::from_str::<Envelope>(text) {
        Ok(envelope) if !CLIENT_TYPES.contains(&envelope.kind.as_str()) => {
            (envelope.id, SessionError::MessageUnknownType)
        }
        Ok(envelope) => (envelope.id, SessionError::MessageMalformed),
        Err(_) => (None, SessionError::MessageMalformed),
    })
}

/// TypeScript declarations of all messages, as they stand in `web/src/sdk/protocol.gen.ts`.
#[must_use]
pub fn typescript() -> String {
    let config = ts_rs::Config::default();
    let declarations = [
        ClientMessage::decl(&config),
        ServerMessage::decl(&config),
        RoomInfo::decl(&config),
        RoomState::decl(&config),
        Participant::decl(&config),
        OnStage::decl(&config),
        Camera::decl(&config),
        Slot::decl(&config),
        SlotKind::decl(&config),
        Place::decl(&config),
        Role::decl(&config),
        Notice::decl(&config),
    ];
    let head = "// Generated from signaling/src/protocol.rs by `cargo xtask gen`.\n";
    let version = format!("\nexport const PROTOCOL = {};\n", crate::limits::PROTOCOL);
    let body = declarations.map(|declaration| format!("\nexport {declaration}\n"));
    [head, &version].into_iter().chain(body.iter().map(String::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_message_is_known_by_its_name() {
        let samples = [
            r#"{"type":"hello","protocol":1,"token":"x"}"#,
            r#"{"type":"enter","id":1,"place":"stage","mic":true,"camera":false,"offer":"v=0"}"#,
            r#"{"type":"offer","id":2,"sdp":"v=0"}"#,
            r#"{"type":"join_stage","id":3,"mic":true,"camera":true}"#,
            r#"{"type":"leave_stage","id":4}"#,
            r#"{"type":"set_mic","id":5,"on":true}"#,
            r#"{"type":"set_camera","id":6,"on":false}"#,
            r#"{"type":"remove_from_stage","id":7,"participant":9}"#,
            r#"{"type":"mute","id":8,"participant":9}"#,
            r#"{"type":"stop_camera","id":9,"participant":9}"#,
            r#"{"type":"leave"}"#,
        ];
        assert_eq!(samples.len(), CLIENT_TYPES.len());
        for (sample, kind) in samples.iter().zip(CLIENT_TYPES) {
            let message = parse(sample).unwrap();
            let json = serde_json::to_value(&message).unwrap();
            assert_eq!(json["type"], kind);
        }
    }

    #[test]
    fn each_way_of_being_wrong_has_its_own_code() {
        let error = |text: &str| parse(text).unwrap_err();
        assert_eq!(error("{"), (None, SessionError::MessageMalformed));
        assert_eq!(error("[]"), (None, SessionError::MessageMalformed));
        assert_eq!(error(r#"{"type":"dance","id":4}"#), (Some(4), SessionError::MessageUnknownType));
        assert_eq!(error(r#"{"type":"set_mic","id":4}"#), (Some(4), SessionError::MessageMalformed));
        assert_eq!(error(r#"{"type":"set_mic","id":4,"on":true,"x":1}"#), (Some(4), SessionError::MessageMalformed));
        let long = format!(r#"{{"type":"offer","id":1,"sdp":"{}"}}"#, "a".repeat(crate::limits::MESSAGE_BYTES_MAX));
        assert_eq!(error(&long), (None, SessionError::MessageTooLarge));
    }

    #[test]
    fn codes_are_told_apart() {
        let codes: std::collections::BTreeSet<_> = SessionError::ALL.iter().map(|e| e.code()).collect();
        assert_eq!(codes.len(), SessionError::ALL.len());
    }

    #[test]
    fn the_typescript_types_are_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/src/sdk/protocol.gen.ts");
        if std::env::var_os("DAIS_UPDATE_GENERATED").is_some() {
            std::fs::write(path, typescript()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(committed, typescript(), "run `cargo xtask gen`");
    }
}
