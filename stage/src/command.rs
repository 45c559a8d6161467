//! What people, the portal and the data plane ask of a stage.

use crate::chat::Channel;
use crate::ids::{Identity, LinkId, MessageId, Millis, ParticipantId, PollId};
use crate::model::{Actor, Role};
use crate::permissions::{Ability, Allowed};
use crate::polls::{Choices, NewPoll, PollStep, QuickPoll};
use crate::settings::Access;

/// A request to the stage. Commands of people name them in `id` or `by`; the owner of the stage has checked that the
/// session belongs to that participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A new person comes in.
    Enter(Entry),
    /// A person leaves the room.
    Leave {
        /// Who.
        id: ParticipantId,
    },
    /// A person's connection dropped.
    LoseConnection {
        /// Who.
        id: ParticipantId,
    },
    /// A person is back within the grace time.
    Return {
        /// Who.
        id: ParticipantId,
    },
    /// **Ask to join stage**.
    AskToJoin {
        /// Who.
        id: ParticipantId,
    },
    /// **Cancel request**.
    CancelRequest {
        /// Who.
        id: ParticipantId,
    },
    /// **Bring to stage**: a moderator approves a request.
    Approve {
        /// The moderator.
        by: Actor,
        /// Who asked.
        target: ParticipantId,
    },
    /// **Decline**: a moderator declines a request, or ends the right to return.
    Decline {
        /// The moderator.
        by: Actor,
        /// Who asked.
        target: ParticipantId,
    },
    /// **Invite on stage**.
    Invite {
        /// The moderator.
        by: Actor,
        /// The viewer.
        target: ParticipantId,
    },
    /// A moderator takes an invitation back.
    WithdrawInvitation {
        /// The moderator.
        by: Actor,
        /// Who was invited.
        target: ParticipantId,
    },
    /// **Decline invitation**.
    DeclineInvitation {
        /// Who was invited.
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
    /// **Remove from stage**.
    RemoveFromStage {
        /// The moderator.
        by: Actor,
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
        by: Actor,
        /// The person on stage.
        target: ParticipantId,
    },
    /// A moderator turns a person's camera off.
    StopCamera {
        /// The moderator.
        by: Actor,
        /// The person on stage.
        target: ParticipantId,
    },
    /// A moderator asks a person to turn their microphone on.
    AskToUnmute {
        /// The moderator.
        by: Actor,
        /// The person on stage.
        target: ParticipantId,
    },
    /// A moderator turns off every other microphone.
    MuteAll {
        /// The moderator; theirs stays as it is.
        by: Actor,
    },
    /// A moderator turns off every other camera.
    StopAllCameras {
        /// The moderator; theirs stays as it is.
        by: Actor,
    },
    /// A moderator lowers every hand.
    LowerAllHands {
        /// The moderator.
        by: Actor,
    },
    /// A viewer raises a hand.
    RaiseHand {
        /// Who.
        id: ParticipantId,
    },
    /// A hand goes down: one's own, or by a moderator.
    LowerHand {
        /// Who does it.
        by: Actor,
        /// Whose hand.
        target: ParticipantId,
    },
    /// A moderator changes who may come on stage.
    SetAccess {
        /// The moderator.
        by: Actor,
        /// From now on.
        access: Access,
    },
    /// A moderator changes how many may be on stage.
    SetCapacity {
        /// The moderator.
        by: Actor,
        /// From now on; 1 to [`limits::CAPACITY_MAX`](crate::limits::CAPACITY_MAX).
        capacity: usize,
    },
    /// A moderator changes how many cameras are forwarded.
    SetCameraLimit {
        /// The moderator.
        by: Actor,
        /// From now on; at most [`limits::CAMERA_SLOTS`](crate::limits::CAMERA_SLOTS).
        limit: usize,
    },
    /// A host changes who may do something around the stage.
    SetPermission {
        /// The host.
        by: Actor,
        /// What.
        ability: Ability,
        /// Who, from now on.
        allowed: Allowed,
    },
    /// A moderator locks or unlocks the room.
    SetLock {
        /// The moderator.
        by: Actor,
        /// Locked or not.
        locked: bool,
    },
    /// A moderator removes a person from the room for good.
    RemoveFromRoom {
        /// The moderator.
        by: Actor,
        /// Whom.
        target: ParticipantId,
    },
    /// A moderator makes a role link.
    MakeLink {
        /// The moderator.
        by: Actor,
        /// The role it carries.
        role: Role,
        /// End of its use.
        expires: Millis,
        /// For one person only.
        personal: bool,
    },
    /// A moderator withdraws a role link.
    RevokeLink {
        /// The moderator.
        by: Actor,
        /// Which.
        link: LinkId,
    },
    /// A person says something in the chat.
    Say {
        /// Who.
        id: ParticipantId,
        /// To whom.
        channel: Channel,
        /// 1 to [`limits::CHAT_CHARS_MAX`](crate::limits::CHAT_CHARS_MAX) characters.
        text: String,
    },
    /// A moderator deletes a message.
    DeleteMessage {
        /// The moderator.
        by: Actor,
        /// Which.
        message: MessageId,
    },
    /// A moderator pins a message for everyone on top of the chat, or takes it down.
    PinMessage {
        /// The moderator.
        by: Actor,
        /// Which, or none.
        message: Option<MessageId>,
    },
    /// A moderator clears the chat of everyone; the back channel stays.
    ClearChat {
        /// The moderator.
        by: Actor,
    },
    /// A moderator blocks a person from the chat, or lets them chat again.
    BlockFromChat {
        /// The moderator.
        by: Actor,
        /// Whom.
        target: ParticipantId,
        /// Blocked or not.
        block: bool,
    },
    /// A moderator makes a poll or quiz: a draft.
    MakePoll {
        /// The moderator.
        by: Actor,
        /// What it asks.
        content: NewPoll,
    },
    /// Somebody starts a quick poll, which is open at once.
    QuickPoll {
        /// Who.
        id: ParticipantId,
        /// What it offers.
        kind: QuickPoll,
        /// The question, or nothing: it was said aloud.
        text: String,
    },
    /// A poll or quiz goes on to its next step, by a moderator or whoever started the quick poll.
    AdvancePoll {
        /// Who does it.
        by: Actor,
        /// Which.
        poll: PollId,
        /// The step it is to leave.
        from: PollStep,
    },
    /// A poll or quiz is deleted, by a moderator or whoever started the quick poll.
    DeletePoll {
        /// Who does it.
        by: Actor,
        /// Which.
        poll: PollId,
    },
    /// A person answers the open question, or answers it differently.
    AnswerPoll {
        /// Who.
        id: ParticipantId,
        /// Which poll or quiz.
        poll: PollId,
        /// Which question.
        question: u8,
        /// What they choose.
        choices: Choices,
    },
    /// A person presents a screen, a window or a tab.
    Present {
        /// Who.
        id: ParticipantId,
        /// With its sound.
        sound: bool,
    },
    /// A presentation ends: one's own, or by a moderator.
    StopPresenting {
        /// Who does it.
        by: Actor,
        /// Who presents.
        target: ParticipantId,
    },
    /// A moderator ends the session for all.
    End {
        /// The moderator.
        by: Actor,
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
    /// The data plane found that a person speaks more than anybody else: they are heard.
    SpeaksMost {
        /// Who.
        id: ParticipantId,
    },
    /// Time has passed: grace times end, and an empty room.
    PassTime,
    /// The server process was started again: every connection is lost.
    Restart,
}

/// A new person and what they ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Must be [`Stage::next_id`](crate::Stage::next_id).
    pub id: ParticipantId,
    /// From the token.
    pub identity: Identity,
    /// Display name.
    pub name: String,
    /// From the token.
    pub role: Role,
    /// The role link they come with, if it is one.
    pub link: Option<LinkId>,
    /// On a phone, which enters as a viewer.
    pub phone: bool,
    /// Where they want to be.
    pub place: EntryPlace,
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
