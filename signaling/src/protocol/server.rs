//! What the server says.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::ice::{IceCredentials, IceServer};
use super::links::{Invitation, Link};
use super::notice::Notice;
use super::polls::{OwnAnswer, OwnScore, Poll, ReactionCount};
use super::words::{Access, Allowed, Channel, Codec, Role};

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
        /// This person is in the room: from another window, or they fell off a moment ago. `enter` takes them back to
        /// their place and ends the other session.
        present: Option<Presence>,
        /// TURN servers for the media connection, which is made after this.
        ice_servers: Vec<IceServer>,
        /// The room's codec of pictures. Sections of video offer it, and VP8 behind it.
        codec: Codec,
    },
    /// Answer to `enter`: the client is in the room.
    Entered {
        /// Number of the request.
        id: u32,
        /// The client's own number.
        you: u32,
        /// Token to come back with; the page keeps it.
        token: String,
        /// What connects this person with the stage, as a viewer.
        relation: Relation,
        /// The room as it is.
        state: RoomState,
        /// SDP answer, if there was an offer.
        answer: Option<String>,
        /// Where media was kept: the server's credentials for an ICE restart, should the way to it have changed. Until the
        /// first check with them, those from before are good.
        ice: Option<IceCredentials>,
        /// They asked for the stage and may not go there: they are a viewer, and this says why.
        refused: Option<Refused>,
        /// What pictures are to be sent in, until `codec` says otherwise.
        codec: Codec,
    },
    /// Answer to `offer`.
    Answer {
        /// Number of the request.
        id: u32,
        /// SDP answer.
        sdp: String,
    },
    /// Answer to `restart_ice`.
    Ice {
        /// Number of the request.
        id: u32,
        /// The server's new credentials; the rest of its answer stays as it was.
        ice: IceCredentials,
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
    /// Answer to `list_viewers`.
    Viewers {
        /// Number of the request.
        id: u32,
        /// In order of entry.
        participants: Vec<Participant>,
        /// There are more after the last one.
        more: bool,
        /// How many viewers there are in all with what was searched for in their names.
        matching: u32,
    },
    /// Answer to `make_link`.
    LinkMade {
        /// Number of the request.
        id: u32,
        /// Number of the link.
        link: u32,
        /// The token it carries.
        token: String,
    },
    /// Answer to `list_links`.
    Links {
        /// Number of the request.
        id: u32,
        /// In the order they were made.
        links: Vec<Link>,
    },
    /// Answer to `invite_by_mail`, with those just invited, and to `list_invitations`.
    Invitations {
        /// Number of the request.
        id: u32,
        /// In the order they were made.
        invitations: Vec<Invitation>,
        /// This server sends mail; else links are there to be copied.
        sends_mail: bool,
    },
    /// To hosts: invitations by e-mail that are new, or of which something has changed; collected for up to 100 ms.
    InvitationsChanged {
        /// Whole, in the order they were made.
        invitations: Vec<Invitation>,
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
        /// The rules, if they changed.
        rules: Option<Rules>,
        /// Who speaks most, if that changed.
        dominant: Option<Dominant>,
        /// Who presents, if that changed.
        presentation: Option<Presentation>,
        /// How many are on stage.
        on_stage: u32,
        /// How many are viewers.
        viewers: u32,
    },
    /// Which layers of the own picture somebody gets: the others need not be sent. Before it says so, all are to be.
    Demand {
        /// Of the screen; else of the camera.
        screen: bool,
        /// By layer, smallest first; without simulcast the first counts.
        layers: [bool; 3],
    },
    /// To people on stage: what pictures are to be sent in, the room's codec while everyone decodes it, else VP8.
    Codec {
        /// As said. Who cannot encode it goes on with VP8.
        codec: Codec,
    },
    /// Cameras that this client shows, and the screen, where it is not sent them. Before it says so, none.
    Held {
        /// Camera slots its line does not carry, in order.
        cameras: Vec<u8>,
        /// Camera slots whose codec its offer does not have, in order.
        undecodable: Vec<u8>,
        /// The screen is presented and not sent, for one reason or the other.
        screen: bool,
    },
    /// What connects this person with the stage has changed.
    Relation {
        /// As it is.
        relation: Relation,
    },
    /// To moderators: who waits for a decision. Each list holds the first 100.
    Queue {
        /// Pending requests, oldest first.
        requests: Vec<Waiting>,
        /// Raised hands, in order of raising.
        hands: Vec<Waiting>,
        /// Open invitations.
        invited: Vec<Waiting>,
        /// Those who were dropped because the stage was full.
        may_return: Vec<Waiting>,
        /// How many requests there are.
        pending: u32,
    },
    /// What is new in the chat; collected for up to 100 ms.
    Chat {
        /// Where.
        channel: Channel,
        /// What was said, the oldest first.
        messages: Vec<ChatMessage>,
        /// Numbers of messages that were deleted.
        deleted: Vec<u32>,
        /// Everything said before is gone.
        cleared: bool,
        /// The message on top, if that changed.
        pin: Option<Pin>,
    },
    /// Answer to `list_chat`.
    ChatPage {
        /// Number of the request.
        id: u32,
        /// Where.
        channel: Channel,
        /// What was said, the oldest first.
        messages: Vec<ChatMessage>,
        /// There is more before the first one.
        more: bool,
        /// The message on top.
        pinned: Option<ChatMessage>,
    },
    /// Polls and quizzes that changed; collected for up to 100 ms.
    Polls {
        /// Who sees them so. To moderators both are told; what is for them counts.
        channel: Channel,
        /// Those that changed, whole.
        polls: Vec<Poll>,
        /// Numbers of those that were deleted.
        deleted: Vec<u32>,
    },
    /// Answer to `list_polls`.
    PollList {
        /// Number of the request.
        id: u32,
        /// In the order they were made.
        polls: Vec<Poll>,
        /// What this person has answered.
        answers: Vec<OwnAnswer>,
        /// How they did in quizzes that are published.
        scores: Vec<OwnScore>,
    },
    /// Reactions of everyone, collected for 100 ms.
    Reactions {
        /// How often each came.
        counts: Vec<ReactionCount>,
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

/// Something said in the chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChatMessage {
    /// Its number, which grows.
    pub message: u32,
    /// Who said it; they may have left.
    pub participant: u32,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Milliseconds since then.
    pub age: u32,
    /// Plain text.
    pub text: String,
}

/// The message on top of the chat, wrapped so that "none" can be told too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Pin {
    /// Which, or none.
    pub message: Option<ChatMessage>,
}

/// A room, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct RoomInfo {
    /// As in its address.
    pub id: String,
    /// As people call it.
    pub title: String,
}

/// Where somebody is who comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// On stage, rather than a viewer.
    pub on_stage: bool,
    /// Their connection is lost: they fell off, and no other window is open.
    pub lost: bool,
}

/// Why something was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Refused {
    /// Stable code.
    pub code: String,
    /// A sentence for a person.
    pub text: String,
}

/// What connects a viewer with the stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Relation {
    /// Nothing, or they are on stage.
    None,
    /// They asked, and nobody has decided.
    Asked {
        /// Milliseconds since then.
        age: u32,
    },
    /// They are invited.
    Invited {
        /// Name of the moderator.
        by: String,
    },
    /// They were dropped because the stage was full, and may come back.
    MayReturn,
}

/// A whole room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RoomState {
    /// Everyone on stage and, if `complete`, everyone else; else only this person besides.
    pub participants: Vec<Participant>,
    /// Whether viewers are told as they come and go. In a large room only their number is; `list_viewers` has them.
    pub complete: bool,
    /// Every occupied slot.
    pub slots: Vec<Slot>,
    /// The rules.
    pub rules: Rules,
    /// Who speaks most.
    pub dominant: Option<u32>,
    /// Who presents.
    pub presentation: Presentation,
    /// How many are on stage.
    pub on_stage: u32,
    /// How many are viewers.
    pub viewers: u32,
}

/// What moderators can change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    /// Who may come on stage.
    pub access: Access,
    /// How many may be on stage.
    pub capacity: u32,
    /// How many cameras are forwarded.
    pub camera_limit: u32,
    /// Nobody new enters but hosts and moderators.
    pub locked: bool,
    /// Who may do what around the stage.
    pub permissions: Permissions,
}

/// Who may do what around the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    /// Write to everyone in the chat.
    pub chat: Allowed,
    /// Send reactions.
    pub react: Allowed,
    /// Raise a hand.
    pub raise_hand: Allowed,
    /// Answer polls and quizzes.
    pub answer_polls: Allowed,
    /// Start a quick poll.
    pub quick_poll: Allowed,
    /// Present a screen.
    pub present: Allowed,
}

impl From<dais_stage::Permissions> for Permissions {
    fn from(permissions: dais_stage::Permissions) -> Self {
        let dais_stage::Permissions { chat, react, raise_hand, answer_polls, quick_poll, present } = permissions;
        Self {
            chat: chat.into(),
            react: react.into(),
            raise_hand: raise_hand.into(),
            answer_polls: answer_polls.into(),
            quick_poll: quick_poll.into(),
            present: present.into(),
        }
    }
}

/// Who speaks most, wrapped so that "nobody" can be told too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Dominant {
    /// Who, or nobody.
    pub participant: Option<u32>,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Number within the room; the CSRC of their media.
    pub id: u32,
    /// Display name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// A raised hand: its place in the order of raising.
    pub hand: Option<u32>,
    /// Their connection is lost, for the grace time.
    pub lost: bool,
    /// On stage, or a viewer.
    pub on_stage: Option<OnStage>,
    /// A moderator blocked them from the chat; left out where not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub chat_blocked: bool,
}

/// Somebody on stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Camera {
    /// Off.
    Off,
    /// On, and forwarded.
    Shown,
    /// On, and waiting for one of the camera places.
    Waiting,
}

/// Somebody who waits for a moderator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Waiting {
    /// Who.
    pub participant: u32,
    /// Name.
    pub name: String,
    /// How long they have waited, milliseconds.
    pub age: u32,
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

/// What the slots of the screen show: its picture is the last receiving section of video, its sound that of audio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Presentation {
    /// Who presents; they need not be on stage.
    pub participant: Option<u32>,
    /// Their name.
    pub name: String,
    /// With the sound of what they present.
    pub sound: bool,
    /// Grows with each change; of two the greater is valid.
    pub generation: u32,
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
