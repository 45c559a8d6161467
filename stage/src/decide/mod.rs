//! Commands to events: the law of the stage, as docs/stage.md states it.

mod chatting;
mod entering;
mod joining;
mod moderating;
mod permitting;
mod polling;
mod presenting;

pub use entering::checked_name;

use crate::command::Command;
use crate::event::{Event, Leaving};
use crate::ids::{Millis, ParticipantId};
use crate::model::{Actor, OnStage, Participant, Role, Speech};
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::stage::Stage;

/// What each part of the law answers with.
type Decision = Result<(), Refusal>;

impl Stage {
    /// Decides `command` at time `now`: the events it causes, in order and at least one, or the reason why not.
    ///
    /// # Errors
    /// A [`Refusal`] when the command is not allowed or changes nothing.
    pub fn decide(&self, now: Millis, command: &Command) -> Result<Vec<Event>, Refusal> {
        if self.has_ended() {
            return Err(Refusal::SessionEnded);
        }
        let mut plan = Plan::new(self, now);
        match command {
            Command::Enter(entry) => self.enter(&mut plan, now, entry)?,
            Command::Leave { id } => {
                self.sender(*id)?;
                plan.leave(*id, Leaving::ByThemselves);
            }
            Command::LoseConnection { id } => self.lose_connection(&mut plan, *id)?,
            Command::Return { id } => self.come_back(&mut plan, *id)?,
            Command::AskToJoin { id } => self.ask(&mut plan, *id)?,
            Command::CancelRequest { id } => self.cancel_request(&mut plan, *id)?,
            Command::Approve { by, target } => self.approve(&mut plan, *by, *target)?,
            Command::Decline { by, target } => self.decline(&mut plan, *by, *target)?,
            Command::Invite { by, target } => self.invite(&mut plan, *by, *target)?,
            Command::WithdrawInvitation { by, target } => self.withdraw_invitation(&mut plan, *by, *target)?,
            Command::DeclineInvitation { id } => self.decline_invitation(&mut plan, *id)?,
            Command::JoinStage { id, mic, camera } => self.join(&mut plan, *id, *mic, *camera)?,
            Command::LeaveStage { id } => self.leave_stage(&mut plan, *id)?,
            Command::RemoveFromStage { by, target } => self.remove_from_stage(&mut plan, *by, *target)?,
            Command::SetMic { id, on } => self.set_mic(&mut plan, *id, *on)?,
            Command::SetCamera { id, on } => self.set_camera(&mut plan, *id, *on)?,
            Command::Mute { by, target } => self.mute(&mut plan, *by, *target)?,
            Command::StopCamera { by, target } => self.stop_camera(&mut plan, *by, *target)?,
            Command::AskToUnmute { by, target } => self.ask_to_unmute(&mut plan, *by, *target)?,
            Command::MuteAll { by } => self.mute_all(&mut plan, *by)?,
            Command::StopAllCameras { by } => self.stop_all_cameras(&mut plan, *by)?,
            Command::LowerAllHands { by } => self.lower_all_hands(&mut plan, *by)?,
            Command::RaiseHand { id } => self.raise_hand(&mut plan, *id)?,
            Command::LowerHand { by, target } => self.lower_hand(&mut plan, *by, *target)?,
            Command::SetAccess { by, access } => self.set_access(&mut plan, *by, *access)?,
            Command::SetCapacity { by, capacity } => self.set_capacity(&mut plan, now, *by, *capacity)?,
            Command::SetCameraLimit { by, limit } => self.set_camera_limit(&mut plan, *by, *limit)?,
            Command::SetPermission { by, ability, allowed } => {
                self.set_permission(&mut plan, *by, *ability, *allowed)?;
            }
            Command::SetLock { by, locked } => self.set_lock(&mut plan, *by, *locked)?,
            Command::RemoveFromRoom { by, target } => self.remove_from_room(&mut plan, *by, *target)?,
            Command::MakeLink { by, role, expires, personal } => {
                self.make_link(&mut plan, now, *by, *role, *expires, *personal)?;
            }
            Command::RevokeLink { by, link } => self.revoke_link(&mut plan, *by, *link)?,
            Command::Say { id, channel, text } => self.say(&mut plan, *id, *channel, text)?,
            Command::DeleteMessage { by, message } => self.delete_message(&mut plan, *by, *message)?,
            Command::PinMessage { by, message } => self.pin_message(&mut plan, *by, *message)?,
            Command::ClearChat { by } => self.clear_chat(&mut plan, *by)?,
            Command::BlockFromChat { by, target, block } => self.block_from_chat(&mut plan, *by, *target, *block)?,
            Command::MakePoll { by, content } => self.make_poll(&mut plan, *by, content)?,
            Command::QuickPoll { id, kind, text } => self.quick_poll(&mut plan, *id, *kind, text)?,
            Command::AdvancePoll { by, poll, from } => self.advance_poll(&mut plan, *by, *poll, *from)?,
            Command::DeletePoll { by, poll } => self.delete_poll(&mut plan, *by, *poll)?,
            Command::AnswerPoll { id, poll, question, choices } => {
                self.answer_poll(&mut plan, now, *id, (*poll, *question), *choices)?;
            }
            Command::Present { id, sound } => self.present(&mut plan, *id, *sound)?,
            Command::StopPresenting { by, target } => self.stop_presenting(&mut plan, *by, *target)?,
            Command::End { by } => {
                self.moderator(*by)?;
                plan.push(Event::Ended { by: Some(*by) });
            }
            Command::SpeechStarted { id } => self.speech_started(&mut plan, now, *id)?,
            Command::SpeechStopped { id } => self.speech_stopped(&mut plan, now, *id)?,
            Command::SpeaksMost { id } => self.speaks_most(&mut plan, *id)?,
            Command::PassTime => self.pass_time(&mut plan, now)?,
            Command::Restart => {
                if self.lost.len() == self.people.len() {
                    return Err(Refusal::NothingDue);
                }
                plan.push(Event::Restarted);
            }
        }
        Ok(plan.finish())
    }

    fn set_mic(&self, plan: &mut Plan<'_>, id: ParticipantId, on: bool) -> Decision {
        let on_stage = self.sender(id)?.on_stage().ok_or(Refusal::NotOnStage)?;
        match (on_stage.mic, on) {
            (false, true) => plan.open_mic(id, on_stage.speech),
            (true, false) => plan.close_mic(id, None),
            _ => return Err(Refusal::MicUnchanged),
        }
        Ok(())
    }

    fn set_camera(&self, plan: &mut Plan<'_>, id: ParticipantId, on: bool) -> Decision {
        let on_stage = self.sender(id)?.on_stage().ok_or(Refusal::NotOnStage)?;
        match (on_stage.camera, on) {
            (false, true) => plan.start_camera(id),
            (true, false) => plan.stop_camera(id, None),
            _ => return Err(Refusal::CameraUnchanged),
        }
        Ok(())
    }

    fn speech_started(&self, plan: &mut Plan<'_>, now: Millis, id: ParticipantId) -> Decision {
        let person = self.sender(id)?;
        let on_stage = person.on_stage().ok_or(Refusal::NotOnStage)?;
        // Muted or disconnected is silence, whatever arrives.
        if !on_stage.mic || on_stage.speech.is_speaking() || person.is_lost() {
            return Err(Refusal::SpeechUnchanged);
        }
        plan.set_speech(id, Speech::Speaking { since: now }, Event::SpeechStarted { id });
        Ok(())
    }

    fn speech_stopped(&self, plan: &mut Plan<'_>, now: Millis, id: ParticipantId) -> Decision {
        let on_stage = self.sender(id)?.on_stage().ok_or(Refusal::NotOnStage)?;
        if !on_stage.speech.is_speaking() {
            return Err(Refusal::SpeechUnchanged);
        }
        plan.set_speech(id, Speech::Silent { since: now }, Event::SpeechStopped { id });
        Ok(())
    }

    /// With more people speaking than there are voice slots, whoever speaks most has one.
    fn speaks_most(&self, plan: &mut Plan<'_>, id: ParticipantId) -> Decision {
        self.sender(id)?.on_stage().ok_or(Refusal::NotOnStage)?;
        let (slot, next) = self.voices.mapping_for(id).ok_or(Refusal::SpeechUnchanged)?;
        plan.push(Event::VoiceMapped { slot, generation: next.generation, occupant: next.occupant });
        Ok(())
    }

    fn sender(&self, id: ParticipantId) -> Result<&Participant, Refusal> {
        self.participant(id).ok_or(Refusal::NotInRoom)
    }

    fn target(&self, id: ParticipantId) -> Result<&Participant, Refusal> {
        self.participant(id).ok_or(Refusal::UnknownParticipant)
    }

    /// Whether `by` moderates.
    fn moderator(&self, by: Actor) -> Decision {
        match by {
            Actor::Person(id) if !self.sender(id)?.role.moderates() => Err(Refusal::ModeratorsOnly),
            Actor::Person(_) | Actor::Portal => Ok(()),
        }
    }

    /// Whether `by` has the rights of a host.
    fn host(&self, by: Actor) -> Decision {
        self.moderator(by)?;
        match by {
            Actor::Person(id) if self.sender(id)?.role != Role::Host => Err(Refusal::HostsOnly),
            Actor::Person(_) | Actor::Portal => Ok(()),
        }
    }

    /// The person that moderator `by` acts on.
    fn moderated(&self, by: Actor, target: ParticipantId) -> Result<&Participant, Refusal> {
        self.moderator(by)?;
        self.target(target)
    }

    /// The person on stage that moderator `by` acts on.
    fn moderated_on_stage(&self, by: Actor, target: ParticipantId) -> Result<&OnStage, Refusal> {
        self.moderated(by, target)?.on_stage().ok_or(Refusal::NotOnStage)
    }

    /// Who gives way when the stage needs room at `now`: silent the longest first; ties go to whoever came first, and
    /// whoever speaks or came this very moment is silent for no time.
    pub(crate) fn removable(&self, now: Millis) -> impl Iterator<Item = (ParticipantId, &OnStage)> {
        let exempt = |person: &Participant| self.settings.protect_moderators && person.role.moderates();
        let nobody_yet = (now, 0, ParticipantId(0));
        let silent = self.ranks.range(..nobody_yet);
        let not_silent = std::iter::once_with(move || {
            let mut ranks: Vec<_> = self.ranks.range(nobody_yet..).collect();
            ranks.sort_unstable_by_key(|(_, order, _)| *order);
            ranks
        });
        let people = silent.chain(not_silent.flatten()).filter_map(|(_, _, id)| self.participant(*id));
        people.filter(move |person| !exempt(person)).filter_map(|p| Some((p.id, p.on_stage()?)))
    }
}
