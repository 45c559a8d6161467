//! Events being collected, with the slots as those events will leave them.

use crate::cameras::Cameras;
use crate::event::{Event, Leaving, OffStage, PresentingEnd};
use crate::ids::{Millis, ParticipantId};
use crate::model::{Actor, OnStage, Participant, Speech};
use crate::refusal::Refusal;
use crate::slots::Occupancy;
use crate::stage::Stage;
use crate::voices::Voices;

/// See the module. Slots are settled once, at the end: nobody is shown or heard just for a moment.
pub(crate) struct Plan<'a> {
    stage: &'a Stage,
    now: Millis,
    events: Vec<Event>,
    /// Copied when the first camera changes.
    cameras: Option<Cameras>,
    /// Copied when the first voice changes.
    voices: Option<Voices>,
    /// The screen's slot, as these events will leave it.
    screen: Occupancy,
    /// Whose camera goes live with this plan.
    fresh_camera: Option<ParticipantId>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(stage: &'a Stage, now: Millis) -> Self {
        let screen = stage.screen.slot;
        Self { stage, now, events: Vec::new(), cameras: None, voices: None, screen, fresh_camera: None }
    }

    pub(crate) fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// All events, with the mappings that put the right people into the slots.
    pub(crate) fn finish(mut self) -> Vec<Event> {
        self.settle_cameras();
        self.settle_voices();
        self.events
    }

    /// Brings somebody on stage, after whoever has to make room for them went off.
    pub(crate) fn admit(&mut self, id: ParticipantId, mic: bool, camera: bool) -> Result<(), Refusal> {
        if self.stage.on_stage_count() >= self.stage.settings.capacity {
            let (evicted, on_stage) = self.stage.removable(self.now).next().ok_or(Refusal::StageFull)?;
            self.take_off(evicted, on_stage, OffStage::StageFull { admitted: id });
        }
        if self.stage.participant(id).is_some_and(|person| person.hand.is_some()) {
            self.push(Event::HandLowered { id, by: None });
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

    pub(crate) fn take_off(&mut self, id: ParticipantId, on_stage: &OnStage, why: OffStage) {
        if on_stage.mic {
            self.close_mic(id, None);
        }
        if on_stage.camera {
            self.stop_camera(id, None);
        }
        self.push(Event::WentOffStage { id, why });
    }

    /// Takes somebody out of the room, off the stage first.
    pub(crate) fn leave(&mut self, id: ParticipantId, why: Leaving) {
        if let Some(on_stage) = self.stage.participant(id).and_then(Participant::on_stage) {
            self.take_off(id, on_stage, OffStage::LeftRoom);
        }
        if self.screen.occupant == Some(id) {
            self.stop_presenting(PresentingEnd::LeftRoom);
        }
        self.push(Event::Left { id, why });
    }

    /// Somebody is not heard any more.
    pub(crate) fn hush(&mut self, id: ParticipantId) {
        let on_stage = self.stage.participant(id).and_then(Participant::on_stage);
        if on_stage.is_some_and(|on_stage| on_stage.speech.is_speaking()) {
            self.set_speech(id, Speech::Silent { since: self.now }, Event::SpeechStopped { id });
        }
    }

    pub(crate) fn open_mic(&mut self, id: ParticipantId, speech: Speech) {
        self.push(Event::MicOn { id });
        self.voices().open(id, speech);
    }

    pub(crate) fn close_mic(&mut self, id: ParticipantId, by: Option<Actor>) {
        self.push(Event::MicOff { id, by });
        self.voices().close(id);
    }

    pub(crate) fn set_speech(&mut self, id: ParticipantId, speech: Speech, event: Event) {
        self.push(event);
        self.voices().set_speech(id, speech);
    }

    pub(crate) fn start_camera(&mut self, id: ParticipantId) {
        self.push(Event::CameraOn { id });
        self.cameras().switch_on(id);
        self.fresh_camera = Some(id);
    }

    pub(crate) fn stop_camera(&mut self, id: ParticipantId, by: Option<Actor>) {
        self.push(Event::CameraOff { id, by });
        self.cameras().switch_off(id);
    }

    pub(crate) fn present(&mut self, id: ParticipantId, sound: bool) {
        let generation = self.screen.generation.next();
        self.screen = Occupancy { generation, occupant: Some(id) };
        self.push(Event::PresentingStarted { id, sound, generation });
    }

    /// Whoever presents does not any more.
    pub(crate) fn stop_presenting(&mut self, end: PresentingEnd) {
        if let Some(id) = self.screen.occupant {
            let generation = self.screen.generation.next();
            self.screen = Occupancy { generation, occupant: None };
            self.push(Event::PresentingStopped { id, end, generation });
        }
    }

    pub(crate) fn set_camera_limit(&mut self, limit: usize, by: Actor) {
        self.push(Event::CameraLimitChanged { limit, by });
        self.cameras().set_limit(limit);
    }

    /// Maps slots until the right cameras are shown, and tells who waits and who is back.
    fn settle_cameras(&mut self) {
        let Some(mut cameras) = self.cameras.take() else { return };
        while let Some((slot, next)) = cameras.next_mapping() {
            let before = cameras.occupant(slot);
            cameras.map(slot, next);
            self.push(Event::CameraMapped { slot, generation: next.generation, occupant: next.occupant });
            if let Some(id) = before.filter(|id| cameras.is_on(*id)) {
                self.push(Event::CameraWaiting { id });
            }
            if let Some(id) = next.occupant.filter(|id| Some(*id) != self.fresh_camera) {
                self.push(Event::CameraShownAgain { id });
            }
        }
    }

    fn settle_voices(&mut self) {
        let Some(mut voices) = self.voices.take() else { return };
        while let Some((slot, next)) = voices.next_mapping() {
            voices.map(slot, next);
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
