//! What a client says.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::links::Language;
use super::polls::{NewPoll, PollStep};
use super::words::{Ability, Access, Allowed, Channel, Place, QuickPoll, Reaction, Role, Watched};

/// What a client says. Everything but `hello` and `leave` is a request with a number of the client's choice, which its
/// answer carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ClientMessage {
    /// First message: who is there.
    Hello {
        /// Version of the protocol the client speaks.
        protocol: u32,
        /// Access token.
        token: String,
        /// On a phone, which enters as a viewer.
        #[serde(default)]
        phone: bool,
    },
    /// Comes into the room, or back into it.
    Enter {
        /// Number of the request.
        id: u32,
        /// Display name, where the token has none.
        #[ts(optional)]
        name: Option<String>,
        /// Where to. Whoever comes back has their place.
        place: Place,
        /// On stage: with the microphone on.
        mic: bool,
        /// On stage: with the camera on.
        camera: bool,
        /// SDP offer, to be answered with the entry.
        #[ts(optional)]
        offer: Option<String>,
        /// Their media connection has outlived their session and goes on, in place of an offer. Refused with `media_lost`
        /// where the server has it no more.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        keep_media: bool,
    },
    /// Restarts ICE (RFC 8445 §9): the way to the server has changed, or leads nowhere.
    RestartIce {
        /// Number of the request.
        id: u32,
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
    /// **Ask to join stage**.
    AskToJoin {
        /// Number of the request.
        id: u32,
    },
    /// **Cancel request**.
    CancelRequest {
        /// Number of the request.
        id: u32,
    },
    /// **Decline invitation**.
    DeclineInvitation {
        /// Number of the request.
        id: u32,
    },
    /// Raises the own hand.
    RaiseHand {
        /// Number of the request.
        id: u32,
    },
    /// Lowers the own hand or, for moderators, somebody's.
    LowerHand {
        /// Number of the request.
        id: u32,
        /// Whose.
        participant: u32,
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
    /// What the client shows from here on, of cameras; those it leaves out are not sent to it.
    Watch {
        /// Number of the request.
        id: u32,
        /// Camera slots, at most 25.
        cameras: Vec<Watched>,
    },
    /// The viewers of a large room, a page at a time, in order of entry.
    ListViewers {
        /// Number of the request.
        id: u32,
        /// Those who entered after this one; 0 from the start. The next page is after the last of this one.
        after: u32,
        /// Only those with this in their names, in any case; up to 64 characters.
        #[ts(optional)]
        search: Option<String>,
    },
    /// Moderators: **Bring to stage**: approves a request.
    Approve {
        /// Number of the request.
        id: u32,
        /// Whose.
        participant: u32,
    },
    /// Moderators: **Decline**: declines a request, or ends the right to return.
    Decline {
        /// Number of the request.
        id: u32,
        /// Whose.
        participant: u32,
    },
    /// Moderators: **Invite on stage**.
    Invite {
        /// Number of the request.
        id: u32,
        /// Whom.
        participant: u32,
    },
    /// Moderators: takes an invitation back.
    WithdrawInvitation {
        /// Number of the request.
        id: u32,
        /// Whose.
        participant: u32,
    },
    /// Moderators: **Remove from stage**.
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
    /// Moderators: asks somebody to turn their microphone on.
    AskToUnmute {
        /// Number of the request.
        id: u32,
        /// Whom.
        participant: u32,
    },
    /// Moderators: turns every other microphone off.
    MuteAll {
        /// Number of the request.
        id: u32,
    },
    /// Moderators: turns every other camera off.
    StopAllCameras {
        /// Number of the request.
        id: u32,
    },
    /// Moderators: lowers every hand.
    LowerAllHands {
        /// Number of the request.
        id: u32,
    },
    /// Moderators: removes somebody from the room for good.
    RemoveFromRoom {
        /// Number of the request.
        id: u32,
        /// Whom.
        participant: u32,
    },
    /// Moderators: changes who may come on stage.
    SetAccess {
        /// Number of the request.
        id: u32,
        /// From now on.
        access: Access,
    },
    /// Moderators: changes how many may be on stage.
    SetCapacity {
        /// Number of the request.
        id: u32,
        /// From now on.
        capacity: u32,
    },
    /// Moderators: changes how many cameras are forwarded.
    SetCameraLimit {
        /// Number of the request.
        id: u32,
        /// From now on.
        limit: u32,
    },
    /// Moderators: locks or unlocks the room.
    SetLock {
        /// Number of the request.
        id: u32,
        /// Locked or not.
        locked: bool,
    },
    /// Moderators: makes a role link.
    MakeLink {
        /// Number of the request.
        id: u32,
        /// The role it carries.
        role: Role,
        /// How long it is of use, seconds.
        valid_seconds: u32,
        /// For one person only.
        personal: bool,
    },
    /// Moderators: withdraws a role link.
    RevokeLink {
        /// Number of the request.
        id: u32,
        /// Its number.
        link: u32,
    },
    /// Moderators: every role link made.
    ListLinks {
        /// Number of the request.
        id: u32,
    },
    /// Hosts: invites people by e-mail, each with a role link of their own.
    InviteByMail {
        /// Number of the request.
        id: u32,
        /// 1 to 100 addresses, each `ann@example.org` or `Ann Lee <ann@example.org>`.
        addresses: Vec<String>,
        /// The role the links carry.
        role: Role,
        /// When it begins, seconds since the Unix epoch: the mail says so and has a calendar file.
        #[ts(optional, type = "number")]
        start: Option<u64>,
        /// How long it lasts, minutes, 1 to 1,440. Default: an hour.
        #[ts(optional)]
        minutes: Option<u32>,
        /// Minutes that the host's clock is ahead of UTC: the mail says the start by it.
        #[ts(optional)]
        utc_offset: Option<i16>,
        /// Language of the mail. Default: English.
        #[ts(optional)]
        language: Option<Language>,
    },
    /// Hosts: everybody invited by e-mail.
    ListInvitations {
        /// Number of the request.
        id: u32,
    },
    /// Says something in the chat.
    Say {
        /// Number of the request.
        id: u32,
        /// To whom; the back channel is the moderators'.
        channel: Channel,
        /// Plain text, up to 2,000 characters.
        text: String,
    },
    /// What was said, a page at a time, the newest first.
    ListChat {
        /// Number of the request.
        id: u32,
        /// Where; the back channel is the moderators'.
        channel: Channel,
        /// What was said before this message; 0 for the newest.
        before: u32,
    },
    /// Moderators: deletes a chat message.
    DeleteMessage {
        /// Number of the request.
        id: u32,
        /// Which.
        message: u32,
    },
    /// Moderators: pins a message for everyone on top of the chat.
    PinMessage {
        /// Number of the request.
        id: u32,
        /// Which; without it, the pinned one is taken down.
        #[ts(optional)]
        message: Option<u32>,
    },
    /// Moderators: clears the chat of everyone.
    ClearChat {
        /// Number of the request.
        id: u32,
    },
    /// Moderators: blocks somebody from the chat.
    BlockFromChat {
        /// Number of the request.
        id: u32,
        /// Whom.
        participant: u32,
    },
    /// Moderators: lets somebody chat again.
    UnblockFromChat {
        /// Number of the request.
        id: u32,
        /// Whom.
        participant: u32,
    },
    /// Hosts: changes who may do something around the stage.
    SetPermission {
        /// Number of the request.
        id: u32,
        /// What.
        ability: Ability,
        /// Who, from now on.
        allowed: Allowed,
    },
    /// Sends a sign up over the stage.
    React {
        /// Number of the request.
        id: u32,
        /// Which.
        reaction: Reaction,
    },
    /// Moderators: makes a poll or quiz, a draft.
    MakePoll {
        /// Number of the request.
        id: u32,
        /// What it asks.
        poll: NewPoll,
    },
    /// Starts a quick poll, which is open at once.
    QuickPoll {
        /// Number of the request.
        id: u32,
        /// What it offers.
        kind: QuickPoll,
        /// The question; empty where it was said aloud.
        text: String,
    },
    /// Moderators, and who started a quick poll: the next step of a poll or quiz. The first opens its first question; then
    /// each is closed, and the next opened; after the last the results are published.
    AdvancePoll {
        /// Number of the request.
        id: u32,
        /// Which.
        poll: u32,
        /// The step it is to leave: if it has moved on meanwhile, this is refused with `poll_moved_on`.
        step: PollStep,
        /// The question that is open or closed.
        question: u8,
    },
    /// Moderators, and who started a quick poll: deletes a poll or quiz with its answers.
    DeletePoll {
        /// Number of the request.
        id: u32,
        /// Which.
        poll: u32,
    },
    /// Answers the open question, or answers it differently.
    AnswerPoll {
        /// Number of the request.
        id: u32,
        /// Which poll or quiz.
        poll: u32,
        /// Which question.
        question: u8,
        /// Indices of the options.
        choices: Vec<u8>,
    },
    /// Polls and quizzes as they are, and what this person has answered.
    ListPolls {
        /// Number of the request.
        id: u32,
    },
    /// Those who may: presents a screen, a window or a tab, in the second sections of video and audio that it sends.
    Present {
        /// Number of the request.
        id: u32,
        /// With sound.
        sound: bool,
    },
    /// Ends the own presentation or, moderators, somebody's.
    StopPresenting {
        /// Number of the request.
        id: u32,
        /// Who presents.
        participant: u32,
    },
    /// Moderators: ends the session for all.
    EndSession {
        /// Number of the request.
        id: u32,
    },
    /// Leaves the room.
    Leave,
}

impl ClientMessage {
    /// Number of the request, if it is one.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        match self {
            Self::Hello { .. } | Self::Leave => None,
            Self::Enter { id, .. }
            | Self::Offer { id, .. }
            | Self::RestartIce { id }
            | Self::JoinStage { id, .. }
            | Self::LeaveStage { id, .. }
            | Self::AskToJoin { id, .. }
            | Self::CancelRequest { id, .. }
            | Self::DeclineInvitation { id, .. }
            | Self::RaiseHand { id, .. }
            | Self::LowerHand { id, .. }
            | Self::SetMic { id, .. }
            | Self::SetCamera { id, .. }
            | Self::Watch { id, .. }
            | Self::ListViewers { id, .. }
            | Self::Approve { id, .. }
            | Self::Decline { id, .. }
            | Self::Invite { id, .. }
            | Self::WithdrawInvitation { id, .. }
            | Self::RemoveFromStage { id, .. }
            | Self::Mute { id, .. }
            | Self::StopCamera { id, .. }
            | Self::AskToUnmute { id, .. }
            | Self::MuteAll { id }
            | Self::StopAllCameras { id }
            | Self::LowerAllHands { id }
            | Self::RemoveFromRoom { id, .. }
            | Self::SetAccess { id, .. }
            | Self::SetCapacity { id, .. }
            | Self::SetCameraLimit { id, .. }
            | Self::SetLock { id, .. }
            | Self::MakeLink { id, .. }
            | Self::RevokeLink { id, .. }
            | Self::ListLinks { id, .. }
            | Self::InviteByMail { id, .. }
            | Self::ListInvitations { id }
            | Self::Say { id, .. }
            | Self::ListChat { id, .. }
            | Self::DeleteMessage { id, .. }
            | Self::PinMessage { id, .. }
            | Self::ClearChat { id, .. }
            | Self::BlockFromChat { id, .. }
            | Self::UnblockFromChat { id, .. }
            | Self::SetPermission { id, .. }
            | Self::React { id, .. }
            | Self::MakePoll { id, .. }
            | Self::QuickPoll { id, .. }
            | Self::AdvancePoll { id, .. }
            | Self::DeletePoll { id, .. }
            | Self::AnswerPoll { id, .. }
            | Self::ListPolls { id }
            | Self::Present { id, .. }
            | Self::StopPresenting { id, .. }
            | Self::EndSession { id, .. } => Some(*id),
        }
    }
}

/// Values of `type` in [`ClientMessage`].
pub(super) const CLIENT_TYPES: [&str; 55] = [
    "hello",
    "enter",
    "restart_ice",
    "offer",
    "join_stage",
    "leave_stage",
    "ask_to_join",
    "cancel_request",
    "decline_invitation",
    "raise_hand",
    "lower_hand",
    "set_mic",
    "set_camera",
    "watch",
    "list_viewers",
    "approve",
    "decline",
    "invite",
    "withdraw_invitation",
    "remove_from_stage",
    "mute",
    "stop_camera",
    "ask_to_unmute",
    "mute_all",
    "stop_all_cameras",
    "lower_all_hands",
    "remove_from_room",
    "set_access",
    "set_capacity",
    "set_camera_limit",
    "set_lock",
    "make_link",
    "revoke_link",
    "list_links",
    "invite_by_mail",
    "list_invitations",
    "say",
    "list_chat",
    "delete_message",
    "pin_message",
    "clear_chat",
    "block_from_chat",
    "unblock_from_chat",
    "set_permission",
    "react",
    "make_poll",
    "quick_poll",
    "advance_poll",
    "delete_poll",
    "answer_poll",
    "list_polls",
    "present",
    "stop_presenting",
    "end_session",
    "leave",
];
