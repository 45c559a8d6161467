//! What players with one picture and one voice are shown: whoever speaks most, and whoever is heard.

use dais_media::View;
use dais_stage::{Participant, ParticipantId, Speech, Stage};

/// The view of the stage as it is, where `before` is shown. It changes for somebody who speaks, or when nobody stands
/// any more in what is shown: not for somebody who falls silent.
pub(super) fn view(stage: &Stage, dominant: Option<ParticipantId>, before: View) -> View {
    View {
        camera: camera(stage, dominant, before.camera).unwrap_or(before.camera),
        screen: stage.presenter().is_some(),
        voice: voice(stage, dominant, before.voice).unwrap_or(before.voice),
    }
}

/// The camera of whoever speaks most; else the one that is shown, else the first.
fn camera(stage: &Stage, dominant: Option<ParticipantId>, before: dais_media::Slot) -> Option<dais_media::Slot> {
    let occupied = stage
        .camera_slots()
        .filter_map(|(slot, occupancy)| Some((dais_media::Slot::camera(slot.0.into())?, occupancy.occupant?)));
    let occupied: Vec<_> = occupied.collect();
    let found = |wanted: &dyn Fn(&(dais_media::Slot, ParticipantId)) -> bool| occupied.iter().find(|of| wanted(of));
    let dominants = found(&|(_, occupant)| Some(*occupant) == dominant);
    let shown = dominants.or_else(|| found(&|(slot, _)| *slot == before)).or(occupied.first());
    shown.map(|(slot, _)| *slot)
}

/// The voice of whoever speaks most, while they speak; else the one that is heard, if it speaks; else whoever began to
/// speak last. While nobody speaks it stays, and of silent voices nobody has heard yet the last to fall silent is next.
fn voice(stage: &Stage, dominant: Option<ParticipantId>, before: dais_media::Slot) -> Option<dais_media::Slot> {
    let voices = stage.voice_slots().filter_map(|(slot, occupancy)| {
        let id = occupancy.occupant?;
        let speech = stage.participant(id).and_then(Participant::on_stage)?.speech;
        let slot = dais_media::Slot::voice(slot.0.into())?;
        let (speaks, Speech::Speaking { since } | Speech::Silent { since }) = (speech.is_speaking(), speech);
        let (most, heard) = (speaks && Some(id) == dominant, slot == before);
        Some(((most, speaks && heard, speaks, heard, since), slot))
    });
    voices.max_by_key(|(rank, _)| *rank).map(|(_, slot)| slot)
}

#[cfg(test)]
mod tests {
    use dais_stage::{Command, Entry, EntryPlace, Identity, Millis, Role, Settings};

    use super::*;

    struct World {
        stage: Stage,
        now: u64,
        view: View,
    }

    impl World {
        fn new() -> Self {
            Self { stage: Stage::new(Settings::default()), now: 0, view: View::FIRST }
        }

        fn enact(&mut self, command: &Command) {
            self.now += 1_000;
            for event in self.stage.decide(Millis(self.now), command).unwrap() {
                self.stage.apply(Millis(self.now), &event);
            }
        }

        fn enter(&mut self, name: &str, camera: bool) -> ParticipantId {
            let id = self.stage.next_id();
            let place = EntryPlace::Stage { mic: true, camera };
            let (identity, name) = (Identity(name.to_owned()), name.to_owned());
            let entry = Entry { id, identity, name, role: Role::Speaker, link: None, phone: false, place };
            self.enact(&Command::Enter(entry));
            id
        }

        /// Whose camera is shown, and whose voice is heard, when `dominant` speaks most.
        fn shown(&mut self, dominant: Option<ParticipantId>) -> [Option<ParticipantId>; 2] {
            self.view = view(&self.stage, dominant, self.view);
            let View { camera, voice, .. } = self.view;
            let mut cameras = self.stage.camera_slots();
            let mut voices = self.stage.voice_slots();
            let camera = cameras.find(|(slot, _)| dais_media::Slot::camera(slot.0.into()) == Some(camera));
            let voice = voices.find(|(slot, _)| dais_media::Slot::voice(slot.0.into()) == Some(voice));
            [camera, voice].map(|found| found.unwrap().1.occupant)
        }
    }

    #[test]
    fn an_empty_stage_shows_the_first_slots() {
        assert_eq!(World::new().shown(None), [None, None]);
        assert_eq!(view(&Stage::new(Settings::default()), None, View::FIRST), View::FIRST);
    }

    #[test]
    fn whoever_speaks_most_is_shown_and_stays_until_somebody_else_does() {
        let mut world = World::new();
        let (ann, ben) = (world.enter("Ann", true), world.enter("Ben", true));
        world.enact(&Command::SpeechStarted { id: ben });
        assert_eq!(world.shown(None), [Some(ann), Some(ben)], "heard as soon as they speak, seen when it is sure");
        assert_eq!(world.shown(Some(ben)), [Some(ben), Some(ben)]);
        world.enact(&Command::SpeechStopped { id: ben });
        assert_eq!(world.shown(Some(ben)), [Some(ben), Some(ben)], "a pause is no reason to go");
        world.enact(&Command::SpeechStarted { id: ann });
        assert_eq!(world.shown(Some(ben)), [Some(ben), Some(ann)], "whoever is silent keeps nobody from being heard");
        world.enact(&Command::SpeechStarted { id: ben });
        assert_eq!(world.shown(Some(ben)), [Some(ben), Some(ben)]);
        assert_eq!(world.shown(Some(ann)), [Some(ann), Some(ann)]);
        assert_eq!(world.shown(None), [Some(ann), Some(ann)], "forgotten, and nobody else has taken over");
    }

    #[test]
    fn what_is_presented_is_shown_and_whoever_speaks_is_in_front_behind_it() {
        let mut world = World::new();
        let (ann, ben) = (world.enter("Ann", true), world.enter("Ben", true));
        world.enact(&Command::SpeechStarted { id: ben });
        world.enact(&Command::Present { id: ann, sound: false });
        assert_eq!(world.shown(Some(ben)), [Some(ben), Some(ben)]);
        assert!(world.view.screen);
        world.enact(&Command::StopPresenting { by: ann.into(), target: ann });
        assert_eq!(world.shown(None), [Some(ben), Some(ben)]);
        assert!(!world.view.screen);
    }

    #[test]
    fn a_dominant_speaker_without_a_camera_is_heard_and_the_picture_stays() {
        let mut world = World::new();
        let [ann, ben, cat] = [("Ann", true), ("Ben", true), ("Cat", false)].map(|(name, on)| world.enter(name, on));
        world.enact(&Command::SpeechStarted { id: ben });
        world.shown(Some(ben));
        world.enact(&Command::SpeechStarted { id: cat });
        assert_eq!(world.shown(Some(cat)), [Some(ben), Some(cat)]);
        world.enact(&Command::SetCamera { id: ben, on: false });
        assert_eq!(world.shown(Some(cat)), [Some(ann), Some(cat)], "the first camera there is");
        world.enact(&Command::SetMic { id: cat, on: false });
        assert_eq!(world.shown(None), [Some(ann), Some(ben)], "whoever speaks");
    }
}
