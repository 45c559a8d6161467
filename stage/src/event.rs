//! What happened on a stage.

use serde::{Deserialize, Serialize};

use crate::chat::Channel;
use crate::ids::{Generation, Identity, LinkId, MessageId, Millis, ParticipantId, PollId, Slot};
use crate::model::{Actor, Role};
use crate::permissions::{Ability, Allowed};
use crate::polls::{Choices, NewPoll, PollStep};
use crate::settings::{Access, Settings};

/// A fact about the stage. Events are the only way a stage changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The room was opened, or opened again after it had ended.
    Opened {
        /// As people call it.
        title: String,
        /// What it was made with.
        settings: Settings,
    },
    /// Someone came into the room, as a viewer.
    Entered {
        /// Who.
        id: ParticipantId,
        /// Across connections.
        identity: Identity,
        /// Display name.
        name: String,
        /// Role.
        role: Role,
        /// The role link they came with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<LinkId>,
    },
    /// Someone left the room; they are not on stage any more at this point.
    Left {
        /// Who.
        id: ParticipantId,
        /// Why.
        why: Leaving,
    },
    /// Someone's connection dropped; they keep what they have for the grace time.
    ConnectionLost {
        /// Whose.
        id: ParticipantId,
    },
    /// Someone is back within the grace time.
    ConnectionBack {
        /// Who.
        id: ParticipantId,
    },
    /// Someone asked to join the stage.
    Asked {
        /// Who.
        id: ParticipantId,
    },
    /// Someone took their request back.
    RequestCancelled {
        /// Who.
        id: ParticipantId,
    },
    /// A request was closed because stage access changed.
    RequestClosed {
        /// Whose.
        id: ParticipantId,
    },
    /// A moderator declined a request.
    Declined {
        /// Whose.
        id: ParticipantId,
        /// The moderator.
        by: Actor,
    },
    /// A moderator ended somebody's right to return to the stage.
    ReturnDeclined {
        /// Whose.
        id: ParticipantId,
        /// The moderator.
        by: Actor,
    },
    /// A moderator invited someone on stage, or brought someone who had asked.
    Invited {
        /// Whom.
        id: ParticipantId,
        /// The moderator.
        by: Actor,
    },
    /// A moderator took an invitation back.
    InvitationWithdrawn {
        /// Whose.
        id: ParticipantId,
        /// The moderator.
        by: Actor,
    },
    /// Someone declined an invitation.
    InvitationDeclined {
        /// Who.
        id: ParticipantId,
        /// Who had invited them.
        invited_by: Actor,
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
        by: Option<Actor>,
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
        by: Option<Actor>,
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
    /// A moderator asked someone to turn their microphone on.
    AskedToUnmute {
        /// Whom.
        id: ParticipantId,
        /// The moderator.
        by: Actor,
    },
    /// A hand was raised.
    HandRaised {
        /// Whose.
        id: ParticipantId,
    },
    /// A hand went down.
    HandLowered {
        /// Whose.
        id: ParticipantId,
        /// The moderator who did it, if it was not the owner.
        by: Option<Actor>,
    },
    /// Who may come on stage was changed.
    AccessChanged {
        /// From now on.
        access: Access,
        /// The moderator.
        by: Actor,
    },
    /// How many may be on stage was changed.
    CapacityChanged {
        /// From now on.
        capacity: usize,
        /// The moderator.
        by: Actor,
    },
    /// How many cameras are forwarded was changed.
    CameraLimitChanged {
        /// From now on.
        limit: usize,
        /// The moderator.
        by: Actor,
    },
    /// Who may do something around the stage was changed.
    PermissionChanged {
        /// What.
        ability: Ability,
        /// Who, from now on.
        allowed: Allowed,
        /// The host.
        by: Actor,
    },
    /// Nobody new enters any more but hosts and moderators.
    Locked {
        /// The moderator.
        by: Actor,
    },
    /// Anybody may enter again.
    Unlocked {
        /// The moderator.
        by: Actor,
    },
    /// A role link was made.
    LinkMade {
        /// Its number.
        link: LinkId,
        /// The role it carries.
        role: Role,
        /// End of its use.
        expires: Millis,
        /// For one person only.
        personal: bool,
        /// The moderator.
        by: Actor,
    },
    /// A role link was withdrawn.
    LinkRevoked {
        /// Which.
        link: LinkId,
        /// The moderator.
        by: Actor,
    },
    /// Something was said in the chat.
    Said {
        /// Its number.
        message: MessageId,
        /// Who.
        id: ParticipantId,
        /// To whom.
        channel: Channel,
        /// Plain text.
        text: String,
    },
    /// A chat message was deleted.
    MessageDeleted {
        /// Which.
        message: MessageId,
        /// The moderator.
        by: Actor,
    },
    /// A chat message was pinned on top, or the pinned one taken down.
    MessagePinned {
        /// Which, or none.
        message: Option<MessageId>,
        /// The moderator.
        by: Actor,
    },
    /// The chat of everyone was cleared.
    ChatCleared {
        /// The moderator.
        by: Actor,
    },
    /// Somebody was blocked from the chat.
    ChatBlocked {
        /// Whom.
        id: ParticipantId,
        /// The moderator.
        by: Actor,
    },
    /// Somebody may chat again.
    ChatUnblocked {
        /// Whom.
        id: ParticipantId,
        /// The moderator.
        by: Actor,
    },
    /// A poll or quiz was made: a draft.
    PollMade {
        /// Its number.
        poll: PollId,
        /// Who made it.
        by: Actor,
        /// A quick poll, which is open at once.
        quick: bool,
        /// What it asks.
        content: NewPoll,
    },
    /// A poll or quiz has come to another step.
    PollAdvanced {
        /// Which.
        poll: PollId,
        /// The step.
        to: PollStep,
        /// Who did it, or nobody: the time of the question was over.
        by: Option<Actor>,
    },
    /// A poll or quiz was deleted, with its answers.
    PollDeleted {
        /// Which.
        poll: PollId,
        /// Who did it.
        by: Actor,
    },
    /// Somebody answered a question, or answered it differently.
    Answered {
        /// Of which poll or quiz.
        poll: PollId,
        /// Who.
        id: ParticipantId,
        /// Which question.
        question: u8,
        /// What they chose.
        choices: Choices,
    },
    /// Somebody presents.
    PresentingStarted {
        /// Who.
        id: ParticipantId,
        /// With the sound of what they present.
        sound: bool,
        /// New generation of the screen's slots.
        generation: Generation,
    },
    /// Nobody presents any more.
    PresentingStopped {
        /// Who did.
        id: ParticipantId,
        /// Why it ended.
        end: PresentingEnd,
        /// New generation of the screen's slots.
        generation: Generation,
    },
    /// The session is over; nobody is in the room any more.
    Ended {
        /// The moderator, or nobody: the room was empty for too long.
        by: Option<Actor>,
    },
    /// The server process was started again: every connection is lost, and nobody speaks.
    Restarted,
}

/// Why somebody left the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Leaving {
    /// They wanted to.
    ByThemselves,
    /// Their connection was lost for longer than the grace time.
    ConnectionLost,
    /// A moderator removed them for good.
    Removed {
        /// The moderator.
        by: Actor,
    },
}

/// Why somebody went off the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum OffStage {
    /// A moderator removed them.
    Removed {
        /// The moderator.
        by: Actor,
    },
    /// They were silent the longest when the full stage had to admit someone.
    StageFull {
        /// The person admitted.
        admitted: ParticipantId,
    },
    /// They were silent the longest when a moderator made the stage smaller.
    StageSmaller {
        /// The moderator.
        by: Actor,
    },
    /// They left the room.
    LeftRoom,
}

/// Why somebody does not present any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum PresentingEnd {
    /// They stopped.
    ByThemselves,
    /// A moderator stopped them.
    Stopped {
        /// The moderator.
        by: Actor,
    },
    /// A moderator presents in their place.
    TakenOver {
        /// The moderator.
        by: ParticipantId,
    },
    /// They may not any more.
    NotPermitted {
        /// The host who changed that.
        by: Actor,
    },
    /// They left the room.
    LeftRoom,
}
