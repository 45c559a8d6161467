//! What follows from events of the stage: gates and slots of the data plane, news for the roster, and notices.

use std::collections::{BTreeMap, BTreeSet};

use dais_media::{MediaKind, RoomChange};
use dais_signaling::protocol::{self, Camera, Notice, SlotKind};
use dais_stage::{Event, Generation, OffStage, Participant, ParticipantId, Slot, Speech, Stage};

/// What the data plane has to do, in the order it has to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MediaChanges {
    /// Gates closed and slots mapped. No packet may pass an opened gate before every worker knows the slots.
    pub(crate) first: Vec<RoomChange>,
    /// Gates opened.
    pub(crate) then: Vec<RoomChange>,
}

impl MediaChanges {
    pub(crate) fn of(events: &[Event]) -> Self {
        let mut changes = Self::default();
        for event in events {
            match *event {
                Event::MicOff { id, .. } => changes.first.push(permit(id, MediaKind::Mic, false)),
                Event::CameraOff { id, .. } => changes.first.push(permit(id, MediaKind::Camera, false)),
                Event::CameraMapped { slot, generation, occupant } => {
                    changes.first.extend(map(dais_media::Slot::camera(slot.0.into()), generation, occupant));
                }
                Event::VoiceMapped { slot, generation, occupant } => {
                    changes.first.extend(map(dais_media::Slot::voice(slot.0.into()), generation, occupant));
                }
                Event::MicOn { id } => changes.then.push(permit(id, MediaKind::Mic, true)),
                Event::CameraOn { id } => changes.then.push(permit(id, MediaKind::Camera, true)),
                Event::Entered { .. }
                | Event::Left { .. }
                | Event::CameOnStage { .. }
                | Event::WentOffStage { .. }
                | Event::CameraWaiting { .. }
                | Event::CameraShownAgain { .. }
                | Event::SpeechStarted { .. }
                | Event::SpeechStopped { .. } => {}
            }
        }
        changes
    }
}

/// The kinds a participant may send, as the stage has it.
pub(crate) fn permits(participant: &Participant) -> [bool; MediaKind::ALL.len()] {
    MediaKind::ALL.map(|kind| match (kind, participant.on_stage()) {
        (MediaKind::Mic, Some(on_stage)) => on_stage.mic,
        (MediaKind::Camera, Some(on_stage)) => on_stage.camera,
        (MediaKind::Screen | MediaKind::ScreenAudio, _) | (_, None) => false,
    })
}

fn permit(id: ParticipantId, kind: MediaKind, permitted: bool) -> RoomChange {
    RoomChange::Permit { participant: media_id(id), kind, permitted }
}

fn map(slot: Option<dais_media::Slot>, generation: Generation, occupant: Option<ParticipantId>) -> Option<RoomChange> {
    let (generation, occupant) = (dais_media::Generation(generation.0), occupant.map(media_id));
    Some(RoomChange::Map { slot: slot?, generation, occupant })
}

pub(crate) fn media_id(id: ParticipantId) -> dais_media::ParticipantId {
    dais_media::ParticipantId(id.0)
}

/// What one person is told because of an event.
pub(crate) fn notice(stage: &Stage, event: &Event) -> Option<(ParticipantId, Notice)> {
    let name = |id| stage.participant(id).map(|p| p.name.clone()).unwrap_or_default();
    match *event {
        Event::WentOffStage { id, why: OffStage::Removed { by } } => {
            Some((id, Notice::RemovedFromStage { by: name(by) }))
        }
        Event::WentOffStage { id, why: OffStage::StageFull { admitted } } => {
            Some((id, Notice::StageFull { admitted: name(admitted) }))
        }
        Event::MicOff { id, by: Some(by) } => Some((id, Notice::Muted { by: name(by) })),
        Event::CameraOff { id, by: Some(by) } => Some((id, Notice::CameraStopped { by: name(by) })),
        Event::CameraWaiting { id } => Some((id, Notice::CameraWaiting)),
        Event::CameraShownAgain { id } => Some((id, Notice::CameraShownAgain)),
        _ => None,
    }
}

/// Changes of the roster not told yet.
#[derive(Debug, Default)]
pub(crate) struct News {
    changed: BTreeSet<ParticipantId>,
    left: BTreeSet<ParticipantId>,
    slots: BTreeMap<(bool, Slot), (Generation, Option<ParticipantId>)>,
    urgent: bool,
}

impl News {
    pub(crate) fn note(&mut self, event: &Event) {
        // Who is on stage, and in which slot, is told at once; viewers' comings and goings, and who speaks, can wait
        // for the next tick.
        match *event {
            Event::Entered { id, .. } | Event::SpeechStarted { id } | Event::SpeechStopped { id } => {
                self.changed.insert(id);
            }
            Event::Left { id } => {
                self.changed.remove(&id);
                self.left.insert(id);
            }
            Event::CameraMapped { slot, generation, occupant } => {
                self.slots.insert((false, slot), (generation, occupant));
                self.urgent = true;
            }
            Event::VoiceMapped { slot, generation, occupant } => {
                self.slots.insert((true, slot), (generation, occupant));
                self.urgent = true;
            }
            Event::CameOnStage { id }
            | Event::WentOffStage { id, .. }
            | Event::MicOn { id }
            | Event::MicOff { id, .. }
            | Event::CameraOn { id }
            | Event::CameraOff { id, .. }
            | Event::CameraWaiting { id }
            | Event::CameraShownAgain { id } => {
                self.changed.insert(id);
                self.urgent = true;
            }
        }
    }

    pub(crate) fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// The news as a message, if there is any; nothing is left to tell.
    pub(crate) fn take(&mut self, stage: &Stage) -> Option<protocol::ServerMessage> {
        let news = std::mem::take(self);
        if news.changed.is_empty() && news.left.is_empty() && news.slots.is_empty() {
            return None;
        }
        let changed = news.changed.iter().filter_map(|id| stage.participant(*id));
        let slots = news.slots.into_iter().map(|((voice, slot), (generation, occupant))| {
            let kind = if voice { SlotKind::Voice } else { SlotKind::Camera };
            slot_entry(kind, slot, generation, occupant)
        });
        Some(protocol::ServerMessage::Update {
            participants: changed.map(|p| participant(stage, p)).collect(),
            left: news.left.iter().map(|id| id.0).collect(),
            slots: slots.collect(),
            on_stage: on_stage_count(stage),
            viewers: viewer_count(stage),
        })
    }
}

/// The whole room for a client.
pub(crate) fn room_state(stage: &Stage) -> protocol::RoomState {
    let cameras = stage.camera_slots().map(|(slot, o)| (SlotKind::Camera, slot, o));
    let voices = stage.voice_slots().map(|(slot, o)| (SlotKind::Voice, slot, o));
    let occupied = cameras.chain(voices).filter(|(_, _, o)| o.occupant.is_some());
    protocol::RoomState {
        participants: stage.participants().map(|p| participant(stage, p)).collect(),
        slots: occupied.map(|(kind, slot, o)| slot_entry(kind, slot, o.generation, o.occupant)).collect(),
        on_stage: on_stage_count(stage),
        viewers: viewer_count(stage),
        capacity: clamp(stage.settings().capacity),
    }
}

fn participant(stage: &Stage, participant: &Participant) -> protocol::Participant {
    let on_stage = participant.on_stage().map(|on_stage| protocol::OnStage {
        order: u32::try_from(on_stage.order).unwrap_or(u32::MAX),
        mic: on_stage.mic,
        speaking: matches!(on_stage.speech, Speech::Speaking { .. }),
        camera: match (on_stage.camera, stage.camera_waits(participant.id)) {
            (false, _) => Camera::Off,
            (true, false) => Camera::Shown,
            (true, true) => Camera::Waiting,
        },
    });
    let name = participant.name.clone();
    protocol::Participant { id: participant.id.0, name, role: participant.role.into(), on_stage }
}

fn slot_entry(kind: SlotKind, slot: Slot, generation: Generation, occupant: Option<ParticipantId>) -> protocol::Slot {
    protocol::Slot { kind, index: slot.0, generation: generation.0, participant: occupant.map(|id| id.0) }
}

fn on_stage_count(stage: &Stage) -> u32 {
    clamp(stage.on_stage_count())
}

fn viewer_count(stage: &Stage) -> u32 {
    clamp(stage.participant_count() - stage.on_stage_count())
}

fn clamp(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
