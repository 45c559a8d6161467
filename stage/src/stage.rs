//! The state of a stage and how events change it.

use std::collections::BTreeMap;

use crate::cameras::Cameras;
use crate::event::Event;
use crate::ids::{Millis, ParticipantId, Slot};
use crate::model::{OnStage, Participant, Place, Settings, Speech};
use crate::slots::Occupancy;
use crate::voices::Voices;

/// One room's stage. See the crate's documentation for how it is driven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    pub(crate) settings: Settings,
    pub(crate) people: BTreeMap<ParticipantId, Participant>,
    pub(crate) on_stage: usize,
    pub(crate) cameras: Cameras,
    pub(crate) voices: Voices,
    entries: u32,
    admissions: u64,
}

impl Stage {
    /// An empty stage.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            cameras: Cameras::new(settings.camera_limit),
            settings,
            people: BTreeMap::new(),
            on_stage: 0,
            voices: Voices::new(),
            entries: 0,
            admissions: 0,
        }
    }

    /// What was set when the room was made.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The number the next person to enter gets.
    #[must_use]
    pub fn next_id(&self) -> ParticipantId {
        ParticipantId(self.entries + 1)
    }

    /// A person in the room.
    #[must_use]
    pub fn participant(&self, id: ParticipantId) -> Option<&Participant> {
        self.people.get(&id)
    }

    /// Everyone in the room, in order of entry.
    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.people.values()
    }

    /// How many people are in the room.
    #[must_use]
    pub fn participant_count(&self) -> usize {
        self.people.len()
    }

    /// How many people are on stage.
    #[must_use]
    pub fn on_stage_count(&self) -> usize {
        self.on_stage
    }

    /// The camera slots in order.
    pub fn camera_slots(&self) -> impl Iterator<Item = (Slot, Occupancy)> + '_ {
        self.cameras.slots()
    }

    /// The voice slots in order.
    pub fn voice_slots(&self) -> impl Iterator<Item = (Slot, Occupancy)> + '_ {
        self.voices.slots()
    }

    /// Whether a camera that is on has no slot.
    #[must_use]
    pub fn camera_waits(&self, id: ParticipantId) -> bool {
        let on = self.participant(id).and_then(Participant::on_stage).is_some_and(|on_stage| on_stage.camera);
        on && !self.cameras.is_shown(id)
    }

    /// Makes `event`, which happened at `at`, part of the state. Events come from [`Stage::decide`] on this very
    /// state; one about a person who is not there changes nothing.
    pub fn apply(&mut self, at: Millis, event: &Event) {
        match event {
            Event::Entered { id, name, role } => {
                self.entries = self.entries.max(id.0);
                let person = Participant { id: *id, name: name.clone(), role: *role, place: Place::Viewer };
                self.people.insert(*id, person);
            }
            Event::Left { id } => {
                self.people.remove(id);
            }
            Event::CameOnStage { id } => {
                self.admissions += 1;
                let order = self.admissions;
                if let Some(person) = self.people.get_mut(id) {
                    let speech = Speech::Silent { since: at };
                    person.place = Place::OnStage(OnStage { order, mic: false, camera: false, speech });
                    self.on_stage += 1;
                }
            }
            Event::WentOffStage { id, .. } => {
                if let Some(person) = self.people.get_mut(id) {
                    person.place = Place::Viewer;
                    self.on_stage -= 1;
                }
            }
            Event::MicOn { id } => {
                if let Some(on_stage) = self.on_stage_mut(*id) {
                    on_stage.mic = true;
                    let speech = on_stage.speech;
                    self.voices.open(*id, speech);
                }
            }
            Event::MicOff { id, .. } => {
                if let Some(on_stage) = self.on_stage_mut(*id) {
                    on_stage.mic = false;
                    if matches!(on_stage.speech, Speech::Speaking { .. }) {
                        on_stage.speech = Speech::Silent { since: at };
                    }
                }
                self.voices.close(*id);
            }
            Event::CameraOn { id } => {
                if let Some(on_stage) = self.on_stage_mut(*id) {
                    on_stage.camera = true;
                    self.cameras.switch_on(*id);
                }
            }
            Event::CameraOff { id, .. } => {
                if let Some(on_stage) = self.on_stage_mut(*id) {
                    on_stage.camera = false;
                }
                self.cameras.switch_off(*id);
            }
            Event::CameraMapped { slot, generation, occupant } => {
                self.cameras.map(*slot, Occupancy { generation: *generation, occupant: *occupant });
            }
            Event::VoiceMapped { slot, generation, occupant } => {
                self.voices.map(*slot, Occupancy { generation: *generation, occupant: *occupant });
            }
            Event::SpeechStarted { id } => self.set_speech(*id, Speech::Speaking { since: at }),
            Event::SpeechStopped { id } => self.set_speech(*id, Speech::Silent { since: at }),
            // Told to people; the state they describe is in the mappings.
            Event::CameraWaiting { .. } | Event::CameraShownAgain { .. } => {}
        }
    }

    fn set_speech(&mut self, id: ParticipantId, speech: Speech) {
        if let Some(on_stage) = self.on_stage_mut(id) {
            on_stage.speech = speech;
            self.voices.set_speech(id, speech);
        }
    }

    fn on_stage_mut(&mut self, id: ParticipantId) -> Option<&mut OnStage> {
        match &mut self.people.get_mut(&id)?.place {
            Place::OnStage(on_stage) => Some(on_stage),
            Place::Viewer => None,
        }
    }
}
