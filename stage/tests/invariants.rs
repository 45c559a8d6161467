//! Whatever people do, in whatever order, the stage keeps its promises after every single event.

mod support;

use std::collections::BTreeSet;

use dais_stage::{Command, EntryPlace, Event, Millis, ParticipantId, Role, Settings, Stage};
use proptest::prelude::*;
use support::Room;

const PEOPLE: u32 = 40;

fn command() -> impl Strategy<Value = Command> {
    let id = || (1..=PEOPLE).prop_map(ParticipantId);
    let role = prop_oneof![Just(Role::Host), Just(Role::Moderator), Just(Role::Speaker), Just(Role::Participant)];
    let place = prop_oneof![
        Just(EntryPlace::Viewer),
        (any::<bool>(), any::<bool>()).prop_map(|(mic, camera)| EntryPlace::Stage { mic, camera }),
    ];
    prop_oneof![
        4 => (role, place).prop_map(|(role, place)| Command::Enter {
            id: ParticipantId(0), name: "someone".to_owned(), role, place,
        }),
        1 => id().prop_map(|id| Command::Leave { id }),
        4 => (id(), any::<bool>(), any::<bool>()).prop_map(|(id, mic, camera)| Command::JoinStage { id, mic, camera }),
        1 => id().prop_map(|id| Command::LeaveStage { id }),
        1 => (id(), id()).prop_map(|(by, target)| Command::RemoveFromStage { by, target }),
        3 => (id(), any::<bool>()).prop_map(|(id, on)| Command::SetMic { id, on }),
        3 => (id(), any::<bool>()).prop_map(|(id, on)| Command::SetCamera { id, on }),
        1 => (id(), id()).prop_map(|(by, target)| Command::Mute { by, target }),
        1 => (id(), id()).prop_map(|(by, target)| Command::StopCamera { by, target }),
        4 => id().prop_map(|id| Command::SpeechStarted { id }),
        2 => id().prop_map(|id| Command::SpeechStopped { id }),
    ]
}

/// The cameras that are on, oldest first, kept beside the stage in the plainest way.
#[derive(Default)]
struct Model {
    cameras: Vec<ParticipantId>,
}

impl Model {
    fn note(&mut self, event: &Event) {
        match event {
            Event::CameraOn { id } => self.cameras.push(*id),
            Event::CameraOff { id, .. } => self.cameras.retain(|other| other != id),
            _ => {}
        }
    }
}

fn occupants(slots: impl Iterator<Item = (dais_stage::Slot, dais_stage::Occupancy)>) -> Vec<ParticipantId> {
    slots.filter_map(|(_, o)| o.occupant).collect()
}

fn check(stage: &Stage, settings: &Settings, model: &Model) -> Result<(), TestCaseError> {
    let shown: BTreeSet<_> = occupants(stage.camera_slots()).into_iter().collect();
    let recent = &model.cameras[model.cameras.len().saturating_sub(settings.camera_limit)..];
    prop_assert_eq!(shown, recent.iter().copied().collect::<BTreeSet<_>>());

    let heard = occupants(stage.voice_slots());
    let open = stage.participants().filter(|p| p.on_stage().is_some_and(|s| s.mic)).count();
    prop_assert_eq!(heard.len(), open.min(8));
    prop_assert_eq!(heard.iter().collect::<BTreeSet<_>>().len(), heard.len(), "nobody has two voice slots");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_hold_and_replay_gives_the_same_stage(
        commands in prop::collection::vec((command(), 0u64..5_000), 1..250),
        capacity in 1usize..12,
        camera_limit in 0usize..6,
        protect_moderators: bool,
    ) {
        let settings = Settings { capacity, camera_limit, protect_moderators };
        let mut room = Room::with(settings.clone());
        let mut model = Model::default();
        for (mut command, wait) in commands {
            room.now += wait;
            if let Command::Enter { id, .. } = &mut command {
                *id = room.stage.next_id();
            }
            let mut step = room.stage.clone();
            if let Ok(events) = room.stage.decide(Millis(room.now), &command) {
                for event in &events {
                    step.apply(Millis(room.now), event);
                    prop_assert!(step.on_stage_count() <= capacity, "over capacity after {:?}", event);
                    model.note(event);
                }
            }
            let _ = room.act(&command);
            prop_assert_eq!(&room.stage, &step);
            check(&room.stage, &settings, &model)?;
        }
        prop_assert_eq!(room.replayed(), room.stage);
    }
}
