//! What events of the stage mean for the data plane: gates and slots.

use std::collections::BTreeMap;

use dais_media::{MediaKind, RoomChange};
use dais_stage::{Event, Generation, Occupancy, Participant, ParticipantId, Stage};

/// What the data plane has to do for a batch of events, in the order it has to be done. Of several changes of one gate
/// the last one counts; but one that was closed is closed first, as what was heard before is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GateChanges {
    /// Whether each gate was closed, and whether it is open at the end.
    gates: BTreeMap<(ParticipantId, usize), (bool, bool)>,
    maps: Vec<RoomChange>,
}

impl GateChanges {
    pub(super) fn note(&mut self, event: &Event) {
        match *event {
            Event::MicOn { id } => self.gate(id, MediaKind::Mic, true),
            Event::MicOff { id, .. } => self.gate(id, MediaKind::Mic, false),
            Event::CameraOn { id } => self.gate(id, MediaKind::Camera, true),
            Event::CameraOff { id, .. } => self.gate(id, MediaKind::Camera, false),
            Event::CameraMapped { slot, generation, occupant } => {
                self.map(dais_media::Slot::camera(slot.0.into()), generation, occupant);
            }
            Event::VoiceMapped { slot, generation, occupant } => {
                self.map(dais_media::Slot::voice(slot.0.into()), generation, occupant);
            }
            Event::PresentingStarted { id, sound, generation } => {
                self.gate(id, MediaKind::Screen, true);
                self.gate(id, MediaKind::ScreenAudio, sound);
                self.map_screen(generation, Some(id));
            }
            Event::PresentingStopped { id, generation, .. } => {
                self.gate(id, MediaKind::Screen, false);
                self.gate(id, MediaKind::ScreenAudio, false);
                self.map_screen(generation, None);
            }
            _ => {}
        }
    }

    /// The slots as they are, for a data plane that knows nothing of them.
    pub(super) fn note_slots(&mut self, stage: &Stage) {
        for (slot, Occupancy { generation, occupant }) in stage.camera_slots() {
            self.map(dais_media::Slot::camera(slot.0.into()), generation, occupant);
        }
        for (slot, Occupancy { generation, occupant }) in stage.voice_slots() {
            self.map(dais_media::Slot::voice(slot.0.into()), generation, occupant);
        }
        let Occupancy { generation, occupant } = stage.screen().slot;
        self.map_screen(generation, occupant);
    }

    /// Gates to be closed and slots to be mapped, then gates to be opened: no packet may pass an opened gate before
    /// every worker knows the slots.
    pub(super) fn take(&mut self) -> [Vec<RoomChange>; 2] {
        let Self { gates, maps } = std::mem::take(self);
        let permit = |(id, kind): (ParticipantId, usize), permitted| RoomChange::Permit {
            participant: media_id(id),
            kind: MediaKind::ALL[kind],
            permitted,
        };
        let closed = gates.iter().filter(|(_, (closed, _))| *closed).map(|(gate, _)| permit(*gate, false));
        let opened = gates.iter().filter(|(_, (_, open))| *open).map(|(gate, _)| permit(*gate, true));
        [closed.chain(maps).collect(), opened.collect()]
    }

    fn gate(&mut self, id: ParticipantId, kind: MediaKind, permitted: bool) {
        let kind = MediaKind::ALL.iter().position(|known| *known == kind).expect("every kind is listed");
        let gate = self.gates.entry((id, kind)).or_default();
        *gate = (gate.0 || !permitted, permitted);
    }

    /// Picture and sound of the screen go together.
    fn map_screen(&mut self, generation: Generation, occupant: Option<ParticipantId>) {
        for slot in [dais_media::Slot::SCREEN, dais_media::Slot::SCREEN_AUDIO] {
            self.map(Some(slot), generation, occupant);
        }
    }

    fn map(&mut self, slot: Option<dais_media::Slot>, generation: Generation, occupant: Option<ParticipantId>) {
        let (generation, occupant) = (dais_media::Generation(generation.0), occupant.map(media_id));
        self.maps.extend(slot.map(|slot| RoomChange::Map { slot, generation, occupant }));
    }
}

/// The kinds a participant may send, as the stage has it.
pub(super) fn permits(stage: &Stage, participant: &Participant) -> [bool; MediaKind::ALL.len()] {
    let presents = stage.presenter() == Some(participant.id);
    MediaKind::ALL.map(|kind| match (kind, participant.on_stage()) {
        (MediaKind::Mic, Some(on_stage)) => on_stage.mic,
        (MediaKind::Camera, Some(on_stage)) => on_stage.camera,
        (MediaKind::Screen, _) => presents,
        (MediaKind::ScreenAudio, _) => presents && stage.screen().sound,
        (MediaKind::Mic | MediaKind::Camera, None) => false,
    })
}

pub(super) fn media_id(id: ParticipantId) -> dais_media::ParticipantId {
    dais_media::ParticipantId(id.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_close_before_slots_change_and_open_after_and_the_last_change_counts() {
        let (ann, ben) = (ParticipantId(1), ParticipantId(2));
        let mut changes = GateChanges::default();
        let slot = dais_stage::Slot(3);
        for event in [
            Event::MicOn { id: ann },
            Event::CameraOn { id: ben },
            Event::CameraMapped { slot, generation: Generation(7), occupant: Some(ben) },
            Event::MicOff { id: ann, by: None },
            Event::CameraOff { id: ann, by: None },
            Event::CameraOn { id: ann },
        ] {
            changes.note(&event);
        }
        let permit = |participant, kind, permitted| RoomChange::Permit { participant, kind, permitted };
        let (ann, ben) = (media_id(ann), media_id(ben));
        let map = RoomChange::Map {
            slot: dais_media::Slot::camera(3).unwrap(),
            generation: dais_media::Generation(7),
            occupant: Some(ben),
        };
        let first = vec![permit(ann, MediaKind::Mic, false), permit(ann, MediaKind::Camera, false), map];
        let then = vec![permit(ann, MediaKind::Camera, true), permit(ben, MediaKind::Camera, true)];
        assert_eq!(changes.take(), [first, then], "off and on again is off first");
        assert_eq!(changes, GateChanges::default());
    }
}
