//! What people say, as commands to the stage.

use dais_media::{Slot, Wish, Wishes};
use dais_signaling::limits::VALID_SECONDS_MAX;
use dais_signaling::protocol::{Channel, ClientMessage, NewInvitations, PollStep, Reaction, SessionError, Watched};
use dais_stage::{Actor, Choices, Command, LinkId, MessageId, Millis, ParticipantId, PollId, Refusal};

/// What a message from inside the room asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// To connect media anew.
    Offer(String),
    /// To restart ICE.
    RestartIce,
    /// To be sent these cameras from here on.
    Watch(Vec<Watched>),
    /// A page of the viewers, of all or of those a search finds.
    Viewers { after: ParticipantId, search: Option<String> },
    /// A page of the chat.
    Chat { channel: Channel, before: u32 },
    /// The role links.
    Links,
    /// Polls and quizzes.
    Polls,
    /// To send a sign up over the stage.
    React(Reaction),
    /// An answer that cannot be one.
    Impossible(Refusal),
    /// To invite people by e-mail.
    InviteByMail(NewInvitations),
    /// Everybody invited by e-mail.
    Invitations,
    /// Something of the stage.
    Stage(Command),
}

/// The request of `id` in `message`; nothing for the messages that sessions handle themselves.
pub(super) fn request(id: ParticipantId, message: ClientMessage, now: Millis) -> Option<Request> {
    let by = Actor::Person(id);
    let target = ParticipantId;
    Some(Request::Stage(match message {
        ClientMessage::Hello { .. } | ClientMessage::Enter { .. } | ClientMessage::Leave => return None,
        ClientMessage::Offer { sdp, .. } => return Some(Request::Offer(sdp)),
        ClientMessage::RestartIce { .. } => return Some(Request::RestartIce),
        ClientMessage::Watch { cameras, .. } => return Some(Request::Watch(cameras)),
        ClientMessage::ListViewers { after, search, .. } => {
            return Some(Request::Viewers { after: target(after), search });
        }
        ClientMessage::ListLinks { .. } => return Some(Request::Links),
        ClientMessage::InviteByMail { addresses, role, start, minutes, utc_offset, language, .. } => {
            let wanted = NewInvitations { addresses, role, start, minutes, utc_offset, language };
            return Some(Request::InviteByMail(wanted));
        }
        ClientMessage::ListInvitations { .. } => return Some(Request::Invitations),
        ClientMessage::JoinStage { mic, camera, .. } => Command::JoinStage { id, mic, camera },
        ClientMessage::LeaveStage { .. } => Command::LeaveStage { id },
        ClientMessage::AskToJoin { .. } => Command::AskToJoin { id },
        ClientMessage::CancelRequest { .. } => Command::CancelRequest { id },
        ClientMessage::DeclineInvitation { .. } => Command::DeclineInvitation { id },
        ClientMessage::RaiseHand { .. } => Command::RaiseHand { id },
        ClientMessage::LowerHand { participant, .. } => Command::LowerHand { by, target: target(participant) },
        ClientMessage::SetMic { on, .. } => Command::SetMic { id, on },
        ClientMessage::SetCamera { on, .. } => Command::SetCamera { id, on },
        ClientMessage::Approve { participant, .. } => Command::Approve { by, target: target(participant) },
        ClientMessage::Decline { participant, .. } => Command::Decline { by, target: target(participant) },
        ClientMessage::Invite { participant, .. } => Command::Invite { by, target: target(participant) },
        ClientMessage::WithdrawInvitation { participant, .. } => {
            Command::WithdrawInvitation { by, target: target(participant) }
        }
        ClientMessage::RemoveFromStage { participant, .. } => {
            Command::RemoveFromStage { by, target: target(participant) }
        }
        ClientMessage::Mute { participant, .. } => Command::Mute { by, target: target(participant) },
        ClientMessage::StopCamera { participant, .. } => Command::StopCamera { by, target: target(participant) },
        ClientMessage::AskToUnmute { participant, .. } => Command::AskToUnmute { by, target: target(participant) },
        ClientMessage::RemoveFromRoom { participant, .. } => {
            Command::RemoveFromRoom { by, target: target(participant) }
        }
        ClientMessage::MuteAll { .. } => Command::MuteAll { by },
        ClientMessage::StopAllCameras { .. } => Command::StopAllCameras { by },
        ClientMessage::LowerAllHands { .. } => Command::LowerAllHands { by },
        ClientMessage::SetAccess { access, .. } => Command::SetAccess { by, access: access.into() },
        ClientMessage::SetCapacity { capacity, .. } => Command::SetCapacity { by, capacity: capacity as usize },
        ClientMessage::SetCameraLimit { limit, .. } => Command::SetCameraLimit { by, limit: limit as usize },
        ClientMessage::SetLock { locked, .. } => Command::SetLock { by, locked },
        ClientMessage::MakeLink { role, valid_seconds, personal, .. } => {
            let expires = now.plus(u64::from(valid_seconds.min(VALID_SECONDS_MAX)) * 1_000);
            Command::MakeLink { by, role: role.into(), expires, personal }
        }
        ClientMessage::RevokeLink { link, .. } => Command::RevokeLink { by, link: LinkId(link) },
        ClientMessage::ListChat { channel, before, .. } => return Some(Request::Chat { channel, before }),
        ClientMessage::Say { channel, text, .. } => Command::Say { id, channel: channel.into(), text },
        ClientMessage::DeleteMessage { message, .. } => Command::DeleteMessage { by, message: MessageId(message) },
        ClientMessage::PinMessage { message, .. } => Command::PinMessage { by, message: message.map(MessageId) },
        ClientMessage::ClearChat { .. } => Command::ClearChat { by },
        ClientMessage::BlockFromChat { participant, .. } => {
            Command::BlockFromChat { by, target: target(participant), block: true }
        }
        ClientMessage::UnblockFromChat { participant, .. } => {
            Command::BlockFromChat { by, target: target(participant), block: false }
        }
        ClientMessage::SetPermission { ability, allowed, .. } => {
            Command::SetPermission { by, ability: ability.into(), allowed: allowed.into() }
        }
        ClientMessage::React { reaction, .. } => return Some(Request::React(reaction)),
        ClientMessage::ListPolls { .. } => return Some(Request::Polls),
        ClientMessage::MakePoll { poll, .. } => Command::MakePoll { by, content: poll.into() },
        ClientMessage::QuickPoll { kind, text, .. } => Command::QuickPoll { id, kind: kind.into(), text },
        ClientMessage::AdvancePoll { poll, step, question, .. } => {
            let from = match step {
                PollStep::Draft => dais_stage::PollStep::Draft,
                PollStep::Open => dais_stage::PollStep::Open(question),
                PollStep::Closed => dais_stage::PollStep::Closed(question),
                PollStep::Published => dais_stage::PollStep::Published,
            };
            Command::AdvancePoll { by, poll: PollId(poll), from }
        }
        ClientMessage::DeletePoll { poll, .. } => Command::DeletePoll { by, poll: PollId(poll) },
        ClientMessage::AnswerPoll { poll, question, choices, .. } => match Choices::of(&choices) {
            Some(choices) => Command::AnswerPoll { id, poll: PollId(poll), question, choices },
            None => return Some(Request::Impossible(Refusal::AnswerInvalid)),
        },
        ClientMessage::Present { sound, .. } => Command::Present { id, sound },
        ClientMessage::StopPresenting { participant, .. } => {
            Command::StopPresenting { by, target: target(participant) }
        }
        ClientMessage::EndSession { .. } => Command::End { by },
    }))
}

/// What somebody is to be sent who shows `cameras`, and the whole screen.
///
/// # Errors
/// [`SessionError::SlotUnknown`] for a slot that the layout does not have.
pub(super) fn wishes(cameras: &[Watched]) -> Result<Wishes, SessionError> {
    let mut wishes = Wishes::SCREEN_ONLY;
    for camera in cameras {
        let slot = Slot::camera(usize::from(camera.slot)).ok_or(SessionError::SlotUnknown)?;
        wishes.set(slot, Wish::Height(camera.height));
    }
    Ok(wishes)
}
