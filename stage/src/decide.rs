//! Commands to events: the law of the stage.

use crate::cameras::Cameras;
use crate::command::{Command, EntryPlace};
use crate::event::{Event, OffStage};
use crate::ids::{Millis, ParticipantId};
use crate::limits;
use crate::model::{OnStage, Participant, Speech};
use crate::refusal::Refusal;
use crate::stage::Stage;
use crate::voices::Voices;

impl Stage {
    /// Decides `command` at time `now`: the events it causes, in order and at least one, or the reason why not.
    ///
    /// # Errors
    /// A [`Refusal`] when the command is not allowed or changes nothing.
    pub fn decide(&self, now: Millis, command: &Command) -> Result<Vec<Event>, Refusal> {
        let mut plan = Plan::new(self, now);
        match command {
            Command::Enter { id, name, role, place } => {
                let name = checked_name(name)?;
                if self.participant_count() >= limits::PARTICIPANTS_MAX {
                    return Err(Refusal::RoomFull);
                }
                plan.push(Event::Entered { id: *id, name, role: *role });
                if let EntryPlace::Stage { mic, camera } = *place {
                    plan.admit(*id, mic, camera)?;
                }
            }
            Command::Leave { id } => {
                let person = self.sender(*id)?;
                if let Some(on_stage) = person.on_stage() {
                    plan.take_off(*id, on_stage, OffStage::LeftRoom);
                }
                plan.push(Event::Left { id: *id });
            }
            Command::JoinStage { id, mic, camera } => {
                if self.sender(*id)?.on_stage().is_some() {
                    return Err(Refusal::AlreadyOnStage);
                }
                plan.admit(*id, *mic, *camera)?;
            }
            Command::LeaveStage { id } => {
                let person = self.sender(*id)?;
                let on_stage = person.on_stage().ok_or(Refusal::NotOnStage)?;
                if !person.role.moderates() {
                    return Err(Refusal::CannotLeaveStage);
                }
                plan.take_off(*id, on_stage, OffStage::Removed { by: *id });
            }
            Command::RemoveFromStage { by, target } => {
                let on_stage = self.moderated(*by, *target)?;
                plan.take_off(*target, on_stage, OffStage::Removed { by: *by });
            }
            Command::SetMic { id, on } => {
                let on_stage = self.sender(*id)?.on_stage().ok_or(Refusal::NotOnStage)?;
                match (on_stage.mic, *on) {
                    (false, true) => plan.open_mic(*id, on_stage.speech),
                    (true, false) => plan.close_mic(*id, None),
                    _ => return Err(Refusal::MicUnchanged),
                }
            }
            Command::SetCamera { id, on } => {
                let on_stage = self.sender(*id)?.on_stage().ok_or(Refusal::NotOnStage)?;
                match (on_stage.camera, *on) {
                    (false, true) => plan.start_camera(*id),
                    (true, false) => plan.stop_camera(*id, None),
                    _ => return Err(Refusal::CameraUnchanged),
                }
            }
            Command::Mute { by, target } => {
                if !self.moderated(*by, *target)?.mic {
                    return Err(Refusal::MicUnchanged);
                }
                plan.close_mic(*target, Some(*by));
            }
            Command::StopCamera { by, target } => {
                if !self.moderated(*by, *target)?.camera {
                    return Err(Refusal::CameraUnchanged);
                }
                plan.stop_camera(*target, Some(*by));
            }
            Command::SpeechStarted { id } => {
                let on_stage = self.sender(*id)?.on_stage().ok_or(Refusal::NotOnStage)?;
                if !on_stage.mic || matches!(on_stage.speech, Speech::Speaking { .. }) {
                    return Err(Refusal::SpeechUnchanged);
                }
                plan.set_speech(*id, Speech::Speaking { since: now }, Event::SpeechStarted { id: *id });
            }
            Command::SpeechStopped { id } => {
                let on_stage = self.sender(*id)?.on_stage().ok_or(Refusal::NotOnStage)?;
                if matches!(on_stage.speech, Speech::Silent { .. }) {
                    return Err(Refusal::SpeechUnchanged);
                }
                plan.set_speech(*id, Speech::Silent { since: now }, Event::SpeechStopped { id: *id });
            }
        }
        Ok(plan.events)
    }

    fn sender(&self, id: ParticipantId) -> Result<&Participant, Refusal> {
        self.participant(id).ok_or(Refusal::NotInRoom)
    }

    /// The person on stage that moderator `by` acts on.
    fn moderated(&self, by: ParticipantId, target: ParticipantId) -> Result<&OnStage, Refusal> {
        if !self.sender(by)?.role.moderates() {
            return Err(Refusal::ModeratorsOnly);
        }
        let target = self.participant(target).ok_or(Refusal::UnknownParticipant)?;
        target.on_stage().ok_or(Refusal::NotOnStage)
    }

    /// Who gives way when the full stage admits one more: silent the longest; ties go to whoever came first.
    fn longest_silent(&self) -> Option<(ParticipantId, &OnStage)> {
        let candidates = self.people.values().filter(|p| !(self.settings.protect_moderators && p.role.moderates()));
        let on_stage = candidates.filter_map(|p| Some((p.id, p.on_stage()?)));
        on_stage.min_by_key(|(_, on_stage)| on_stage.eviction_rank())
    }
}

/// Trimmed, and fit to be shown to everyone.
fn checked_name(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Refusal::NameMissing);
    }
    if name.chars().count() > limits::NAME_CHARS_MAX {
        return Err(Refusal::NameTooLong);
    }
    if name.chars().any(char::is_control) {
        return Err(Refusal::NameInvalid);
    }
    Ok(name.to_owned())
}

/// Events being collected, with the slots as those events will leave them.
struct Plan<'a> {
    stage: &'a Stage,
    now: Millis,
    events: Vec<Event>,
    cameras: Option<Cameras>,
    voices: Option<Voices>,
}

impl<'a> Plan<'a> {
    fn new(stage: &'a Stage, now: Millis) -> Self {
        Self { stage, now, events: Vec::new(), cameras: None, voices: None }
    }

    fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    fn admit(&mut self, id: ParticipantId, mic: bool, camera: bool) -> Result<(), Refusal> {
        if self.stage.on_stage_count() >= self.stage.settings.capacity {
            let (evicted, on_stage) = self.stage.longest_silent().ok_or(Refusal::StageFull)?;
            // The admitted camera settles the slots below, once: nobody is shown just for a moment.
            self.vacate(evicted, on_stage, !camera);
            self.push(Event::WentOffStage { id: evicted, why: OffStage::StageFull { admitted: id } });
        }
        self.push(Event::CameOnStage { id });
        if mic {
            self.open_mic(id, Speech::Silent { since: self.now });
        }
        if camera {
            self.start_camera(id);
        }
        Ok(())
    }

    fn take_off(&mut self, id: ParticipantId, on_stage: &OnStage, why: OffStage) {
        self.vacate(id, on_stage, true);
        self.push(Event::WentOffStage { id, why });
    }

    /// Turns off what somebody on stage has on, and settles the camera slots if nothing that follows does.
    fn vacate(&mut self, id: ParticipantId, on_stage: &OnStage, settle_cameras: bool) {
        if on_stage.mic {
            self.close_mic(id, None);
        }
        if on_stage.camera {
            self.push(Event::CameraOff { id, by: None });
            self.cameras().switch_off(id);
            if settle_cameras {
                self.settle_cameras(None);
            }
        }
    }

    fn open_mic(&mut self, id: ParticipantId, speech: Speech) {
        self.push(Event::MicOn { id });
        self.voices().open(id, speech);
        self.settle_voices();
    }

    fn close_mic(&mut self, id: ParticipantId, by: Option<ParticipantId>) {
        self.push(Event::MicOff { id, by });
        self.voices().close(id);
        self.settle_voices();
    }

    fn set_speech(&mut self, id: ParticipantId, speech: Speech, event: Event) {
        self.push(event);
        self.voices().set_speech(id, speech);
        self.settle_voices();
    }

    fn start_camera(&mut self, id: ParticipantId) {
        self.push(Event::CameraOn { id });
        self.cameras().switch_on(id);
        self.settle_cameras(Some(id));
    }

    fn stop_camera(&mut self, id: ParticipantId, by: Option<ParticipantId>) {
        self.push(Event::CameraOff { id, by });
        self.cameras().switch_off(id);
        self.settle_cameras(None);
    }

    /// Maps slots until the right cameras are shown, and tells who waits and who is back. `fresh` just went live.
    fn settle_cameras(&mut self, fresh: Option<ParticipantId>) {
        while let Some((slot, next)) = self.cameras().next_mapping() {
            let before = self.cameras().slots().find(|(s, _)| *s == slot).and_then(|(_, o)| o.occupant);
            self.cameras().map(slot, next);
            self.push(Event::CameraMapped { slot, generation: next.generation, occupant: next.occupant });
            if let Some(id) = before.filter(|id| self.cameras().is_on(*id)) {
                self.push(Event::CameraWaiting { id });
            }
            if let Some(id) = next.occupant.filter(|id| Some(*id) != fresh) {
                self.push(Event::CameraShownAgain { id });
            }
        }
    }

    fn settle_voices(&mut self) {
        while let Some((slot, next)) = self.voices().next_mapping() {
            self.voices().map(slot, next);
            self.push(Event::VoiceMapped { slot, generation: next.generation, occupant: next.occupant });
        }
    }

    fn cameras(&mut self) -> &mut Cameras {
        self.cameras.get_or_insert_with(|| self.stage.cameras.clone())
    }

    fn voices(&mut self) -> &mut Voices {
        self.voices.get_or_insert_with(|| self.stage.voices.clone())
    }
}
