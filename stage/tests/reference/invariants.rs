//! What holds after every event and every step, whatever the commands were.

use dais_stage::{Event, Millis, OffStage, Participant, ParticipantId, Role, Speech, Stage, limits};

use super::Model;

/// Microphone and camera of everyone on stage as the events alone tell it: what the data plane lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    people: Vec<Gate>,
    /// Who presents, whether with sound, and how often the screen's slots changed.
    screen: (Option<(ParticipantId, bool)>, u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Gate {
    id: ParticipantId,
    mic: bool,
    camera: bool,
}

impl Gates {
    /// Opens and shuts as `event` says. Nothing opens twice, and nobody goes with an open gate.
    pub fn follow(&mut self, event: &Event) {
        match event {
            Event::CameOnStage { id } => {
                assert!(self.people.iter().all(|gate| gate.id != *id), "{id:?} comes on stage once");
                self.people.push(Gate { id: *id, mic: false, camera: false });
            }
            Event::WentOffStage { id, .. } => {
                let gate = self.gate(*id);
                assert!(!gate.mic && !gate.camera, "the gates of {id:?} are shut before they go");
                self.people.retain(|gate| gate.id != *id);
            }
            Event::MicOn { id } => assert!(!std::mem::replace(&mut self.gate(*id).mic, true)),
            Event::MicOff { id, .. } => assert!(std::mem::replace(&mut self.gate(*id).mic, false)),
            Event::CameraOn { id } => assert!(!std::mem::replace(&mut self.gate(*id).camera, true)),
            Event::CameraOff { id, .. } => assert!(std::mem::replace(&mut self.gate(*id).camera, false)),
            Event::PresentingStarted { id, sound, generation } => {
                assert_eq!(self.screen.0, None, "one person presents");
                self.screen = (Some((*id, *sound)), self.screen.1 + 1);
                assert_eq!(generation.0, self.screen.1, "each change has a generation");
            }
            Event::PresentingStopped { id, generation, .. } => {
                assert_eq!(self.screen.0.map(|(id, _)| id), Some(*id), "whoever stops has presented");
                self.screen = (None, self.screen.1 + 1);
                assert_eq!(generation.0, self.screen.1, "each change has a generation");
            }
            Event::Left { id, .. } => {
                assert!(self.people.iter().all(|gate| gate.id != *id), "off stage, then left");
                assert!(self.screen.0.is_none_or(|(presenter, _)| presenter != *id), "nobody presents from outside");
            }
            Event::Ended { .. } => *self = Self::default(),
            _ => {}
        }
    }

    fn gate(&mut self, id: ParticipantId) -> &mut Gate {
        self.people.iter_mut().find(|gate| gate.id == id).expect("only people on stage have gates")
    }

    /// The gates are those of the people on stage, and stand as they should.
    pub fn assert_match(&self, stage: &Stage) {
        let screen = stage.screen();
        let presents = screen.slot.occupant.map(|id| (id, screen.sound));
        assert_eq!(self.screen, (presents, screen.slot.generation.0), "the screen");
        assert_eq!(self.people.len(), stage.on_stage_count(), "a gate for everyone on stage");
        for gate in &self.people {
            let on_stage = stage.participant(gate.id).and_then(Participant::on_stage).expect("on stage");
            assert_eq!((on_stage.mic, on_stage.camera), (gate.mic, gate.camera), "gates of {:?}", gate.id);
        }
    }
}

/// After every single event. A lowered camera limit comes first and its cameras go one by one, all in one step; until
/// then the limit `before` the step holds.
pub fn after_event(stage: &Stage, camera_limit_before: usize) {
    let (settings, on_stage) = (stage.settings(), stage.on_stage_count());
    assert!(on_stage <= settings.capacity, "{on_stage} on a stage for {}", settings.capacity);
    let limit = settings.camera_limit.max(camera_limit_before).min(limits::CAMERA_SLOTS);
    let shown = cameras_shown(stage);
    assert!(shown <= limit, "{shown} cameras where {limit} are the most");
}

fn cameras_shown(stage: &Stage) -> usize {
    stage.camera_slots().filter(|(_, occupancy)| occupancy.occupant.is_some()).count()
}

/// After a step.
pub fn after_step(stage: &Stage, gates: &Gates, model: &Model) {
    gates.assert_match(stage);
    assert!(cameras_shown(stage) <= stage.settings().camera_limit);
    assert!(model.stage.len() <= model.settings.capacity);
    assert!(model.shown().len() <= model.settings.camera_limit);
    for person in &model.people {
        let relations = [person.on_stage, person.asked, person.invited_by.is_some() || person.may_return];
        let relations = relations.into_iter().filter(|holds| *holds).count();
        assert!(relations <= 1, "one relation to the stage: {person:?}");
        assert!(person.on_stage || !(person.mic || person.camera || person.speaking), "viewers send nothing");
        assert!(!person.speaking || (person.mic && !person.lost), "who speaks can be heard: {person:?}");
        assert!(!(person.on_stage && person.hand), "nobody on stage raises a hand");
    }
}

/// Everyone whom a full or smaller stage removed was the longest silent of those who may be removed, as `before` the
/// step; one person for one admission, and never the one admitted.
pub fn assert_fair(before: &Stage, now: Millis, events: &[Event]) {
    let mut gone: Vec<ParticipantId> = Vec::new();
    for event in events {
        let Event::WentOffStage { id, why } = event else { continue };
        match why {
            OffStage::StageFull { admitted } => {
                assert_ne!(id, admitted, "the person admitted is never the one removed");
                assert!(gone.is_empty(), "one admission removes one person");
                assert_eq!(before.on_stage_count(), before.settings().capacity, "only a full stage removes");
                let came = events.contains(&Event::CameOnStage { id: *admitted });
                assert!(came, "removed for somebody who comes");
            }
            OffStage::StageSmaller { .. } => {}
            OffStage::Removed { .. } | OffStage::LeftRoom => continue,
        }
        assert_eq!(longest_silent(before, now, &gone), Some(*id), "the longest silent goes");
        gone.push(*id);
    }
}

fn longest_silent(before: &Stage, now: Millis, gone: &[ParticipantId]) -> Option<ParticipantId> {
    let mut longest: Option<(u64, u64, ParticipantId)> = None;
    for person in before.participants() {
        let moderates = matches!(person.role, Role::Host | Role::Moderator);
        let exempt = before.settings().protect_moderators && moderates;
        let Some(on_stage) = person.on_stage() else { continue };
        if exempt || gone.contains(&person.id) {
            continue;
        }
        let since = match on_stage.speech {
            Speech::Silent { since } => since.0,
            // Silent for no time.
            Speech::Speaking { .. } => now.0,
        };
        if longest.is_none_or(|(other, order, _)| (since, on_stage.order) < (other, order)) {
            longest = Some((since, on_stage.order, person.id));
        }
    }
    longest.map(|(_, _, id)| id)
}
