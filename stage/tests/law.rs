//! The law of the stage, a story for each rule.

mod support;

use dais_stage::{Command, EntryPlace, Event, OffStage, Refusal, Role, Settings};
use support::Room;

fn removed(events: &[Event]) -> Vec<&Event> {
    events.iter().filter(|event| matches!(event, Event::WentOffStage { .. })).collect()
}

#[test]
fn a_full_stage_removes_the_longest_silent_in_the_same_step() {
    let mut room = Room::with_capacity(3);
    for name in ["ann", "ben", "cat"] {
        room.on_stage(name);
        room.wait(1);
    }
    room.speaks("ann");
    room.wait(1);
    room.falls_silent("ann");
    room.speaks("cat");
    room.wait(60);
    room.viewer("dan");
    let events = room.join("dan").unwrap();
    let (ben, dan) = (room.id("ben"), room.id("dan"));
    assert_eq!(removed(&events), [&Event::WentOffStage { id: ben, why: OffStage::StageFull { admitted: dan } }]);
    assert_eq!(room.stage_names(), ["ann", "cat", "dan"]);
    let off = events.iter().position(|e| matches!(e, Event::WentOffStage { .. })).unwrap();
    let on = events.iter().position(|e| matches!(e, Event::CameOnStage { .. })).unwrap();
    assert!(off < on, "the place is free before it is taken");
}

#[test]
fn silence_counts_from_coming_on_stage_and_ties_go_to_whoever_came_first() {
    let mut room = Room::with_capacity(2);
    room.on_stage("ann");
    room.on_stage("ben");
    room.on_stage("cat");
    assert_eq!(room.stage_names(), ["ben", "cat"]);
    room.wait(5);
    room.on_stage("dan");
    assert_eq!(room.stage_names(), ["cat", "dan"]);
}

#[test]
fn who_speaks_now_is_silent_for_no_time_and_mute_is_silence_at_once() {
    let mut room = Room::with_capacity(2);
    room.on_stage("ann");
    room.speaks("ann");
    room.wait(100);
    room.on_stage("ben");
    room.wait(1);
    room.act(&Command::SetMic { id: room.id("ann"), on: false }).unwrap();
    room.wait(1);
    room.on_stage("cat");
    assert_eq!(room.stage_names(), ["ann", "cat"], "ann fell silent a second after ben came");
    room.wait(1);
    room.on_stage("dan");
    assert_eq!(room.stage_names(), ["cat", "dan"]);
}

#[test]
fn when_all_speak_the_first_on_stage_gives_way() {
    let mut room = Room::with_capacity(2);
    room.on_stage("ann");
    room.on_stage("ben");
    room.speaks("ben");
    room.wait(1);
    room.speaks("ann");
    room.on_stage("cat");
    assert_eq!(room.stage_names(), ["ben", "cat"]);
}

#[test]
fn moderators_are_removed_too_unless_the_room_protects_them() {
    for protect_moderators in [false, true] {
        let mut room = Room::with(Settings { capacity: 1, protect_moderators, ..Settings::default() });
        room.enter_as("hal", Role::Host, EntryPlace::Stage { mic: false, camera: false }).unwrap();
        room.viewer("ann");
        let result = room.join("ann");
        if protect_moderators {
            assert_eq!(result, Err(Refusal::StageFull));
            assert_eq!(room.stage_names(), ["hal"]);
        } else {
            assert!(result.is_ok());
            assert_eq!(room.stage_names(), ["ann"]);
        }
    }
}

#[test]
fn the_26th_camera_pushes_out_the_oldest_and_the_most_recent_waiting_comes_back() {
    let mut room = Room::with_capacity(100);
    let names: Vec<String> = (0..27).map(|n| format!("p{n:02}")).collect();
    names.iter().for_each(|name| room.on_stage(name));
    let shown: Vec<_> = room.shown().into_iter().map(|(_, name)| name.to_owned()).collect();
    assert_eq!(shown.len(), 25);
    assert!(!shown.contains(&"p00".to_owned()) && !shown.contains(&"p01".to_owned()));
    assert!(room.stage.camera_waits(room.id("p00")) && room.stage.camera_waits(room.id("p01")));

    let before: Vec<_> = room.shown().into_iter().map(|(slot, name)| (slot, name.to_owned())).collect();
    let events = room.camera("p13", false);
    assert!(events.contains(&Event::CameraShownAgain { id: room.id("p01") }), "p01 is more recent than p00");
    let after = room.shown();
    let moved = before.iter().zip(&after).filter(|((_, a), (_, b))| a != b).count();
    assert_eq!((after.len(), moved), (25, 1), "nobody else's slot moves");
    assert!(!room.stage.camera_waits(room.id("p01")));

    let events = room.camera("p13", true);
    assert!(events.contains(&Event::CameraWaiting { id: room.id("p01") }), "p13 is the most recent now");
}

#[test]
fn an_eviction_by_somebody_with_a_camera_shows_nobody_for_a_moment() {
    let mut room = Room::with(Settings { capacity: 3, camera_limit: 1, ..Settings::default() });
    ["ann", "ben", "cat"].iter().for_each(|name| room.on_stage(name));
    assert_eq!(room.shown(), [(0, "cat")]);
    ["ann", "ben"].iter().for_each(|name| room.speaks(name));
    let dan = EntryPlace::Stage { mic: true, camera: true };
    let events = room.enter_as("dan", Role::Participant, dan).unwrap();
    assert_eq!((room.stage_names(), room.shown()), (vec!["ann", "ben", "dan"], vec![(0, "dan")]));
    let mappings = events.iter().filter(|event| matches!(event, Event::CameraMapped { .. })).count();
    let told = events.iter().any(|e| matches!(e, Event::CameraWaiting { .. } | Event::CameraShownAgain { .. }));
    assert_eq!((mappings, told), (1, false), "{events:?}");
}

#[test]
fn the_camera_limit_does_not_touch_voices() {
    let mut room = Room::with(Settings { camera_limit: 1, ..Settings::default() });
    ["ann", "ben", "cat"].iter().for_each(|name| room.on_stage(name));
    assert_eq!(room.shown(), [(0, "cat")]);
    assert_eq!(room.heard(), [(0, "ann"), (1, "ben"), (2, "cat")]);
}

#[test]
fn with_eight_open_microphones_nobody_is_ever_switched() {
    let mut room = Room::with_capacity(100);
    let names: Vec<String> = (0..8).map(|n| format!("p{n}")).collect();
    names.iter().for_each(|name| room.on_stage(name));
    let heard: Vec<_> = room.heard().into_iter().map(|(slot, name)| (slot, name.to_owned())).collect();
    for name in names.iter().rev() {
        room.speaks(name);
        room.wait(1);
        room.falls_silent(name);
    }
    assert!(room.heard().into_iter().eq(heard.iter().map(|(slot, name)| (*slot, name.as_str()))));
}

#[test]
fn a_ninth_speaker_takes_the_slot_of_the_longest_silent() {
    let mut room = Room::with_capacity(100);
    let names: Vec<String> = (0..9).map(|n| format!("p{n}")).collect();
    names.iter().for_each(|name| room.on_stage(name));
    for name in ["p0", "p2", "p3", "p4", "p5", "p6", "p7"] {
        room.speaks(name);
        room.wait(1);
    }
    assert!(!room.heard().iter().any(|(_, name)| *name == "p8"));
    room.speaks("p8");
    assert_eq!(room.heard()[1], (1, "p8"));
    room.wait(1);
    room.speaks("p1");
    assert!(!room.heard().iter().any(|(_, name)| *name == "p1"), "everyone heard is speaking");
    room.falls_silent("p5");
    assert_eq!(room.heard()[5], (5, "p1"), "p1 has waited for a place");
}

#[test]
fn only_moderators_take_people_off_the_stage_and_nobody_steps_down() {
    let mut room = Room::with_capacity(100);
    room.host("hal");
    room.on_stage("ann");
    room.viewer("ben");
    let (hal, ann, ben) = (room.id("hal"), room.id("ann"), room.id("ben"));
    assert_eq!(room.act(&Command::LeaveStage { id: ann }), Err(Refusal::CannotLeaveStage));
    assert_eq!(room.act(&Command::RemoveFromStage { by: ben, target: ann }), Err(Refusal::ModeratorsOnly));
    assert_eq!(room.act(&Command::RemoveFromStage { by: ann, target: ann }), Err(Refusal::ModeratorsOnly));
    assert_eq!(room.act(&Command::RemoveFromStage { by: hal, target: ben }), Err(Refusal::NotOnStage));
    let events = room.act(&Command::RemoveFromStage { by: hal, target: ann }).unwrap();
    assert_eq!(events.last(), Some(&Event::WentOffStage { id: ann, why: OffStage::Removed { by: hal } }));
    assert_eq!((room.shown(), room.heard()), (vec![], vec![]));
    assert!(room.join("ann").is_ok(), "with access for everyone they may come back");
}

#[test]
fn a_moderator_mutes_and_stops_cameras_and_says_so() {
    let mut room = Room::with_capacity(100);
    room.host("hal");
    room.on_stage("ann");
    let (by, target) = (room.id("hal"), room.id("ann"));
    let events = room.act(&Command::Mute { by, target }).unwrap();
    assert_eq!(events[0], Event::MicOff { id: target, by: Some(by) });
    let events = room.act(&Command::StopCamera { by, target }).unwrap();
    assert_eq!(events[0], Event::CameraOff { id: target, by: Some(by) });
    assert_eq!(room.act(&Command::Mute { by, target }), Err(Refusal::MicUnchanged));
    assert_eq!(room.act(&Command::StopCamera { by, target }), Err(Refusal::CameraUnchanged));
    assert_eq!(room.act(&Command::SpeechStarted { id: target }), Err(Refusal::SpeechUnchanged));
}

#[test]
fn what_changes_nothing_is_refused() {
    let mut room = Room::with_capacity(100);
    room.viewer("vic");
    room.on_stage("ann");
    let (vic, ann) = (room.id("vic"), room.id("ann"));
    assert_eq!(room.join("ann"), Err(Refusal::AlreadyOnStage));
    assert_eq!(room.act(&Command::SetMic { id: ann, on: true }), Err(Refusal::MicUnchanged));
    assert_eq!(room.act(&Command::SetCamera { id: ann, on: true }), Err(Refusal::CameraUnchanged));
    assert_eq!(room.act(&Command::SetMic { id: vic, on: true }), Err(Refusal::NotOnStage));
    assert_eq!(room.act(&Command::SetCamera { id: vic, on: true }), Err(Refusal::NotOnStage));
    room.act(&Command::Leave { id: vic }).unwrap();
    assert_eq!(room.act(&Command::Leave { id: vic }), Err(Refusal::NotInRoom));
    assert_eq!(room.join("vic"), Err(Refusal::NotInRoom));
}

#[test]
fn leaving_the_room_frees_place_and_slots() {
    let mut room = Room::with_capacity(1);
    room.on_stage("ann");
    room.act(&Command::Leave { id: room.id("ann") }).unwrap();
    assert_eq!((room.stage.on_stage_count(), room.stage.participant_count()), (0, 0));
    assert_eq!((room.shown(), room.heard()), (vec![], vec![]));
    room.on_stage("ben");
    assert_ne!(room.id("ann"), room.id("ben"), "a number is never given twice");
}

#[test]
fn names_are_checked() {
    let mut room = Room::with_capacity(100);
    let mut enter = |name: &str| room.enter_as(name, Role::Participant, EntryPlace::Viewer).map(|_| ());
    assert_eq!(enter("  "), Err(Refusal::NameMissing));
    assert_eq!(enter(&"é".repeat(65)), Err(Refusal::NameTooLong));
    assert_eq!(enter("a\u{7}b"), Err(Refusal::NameInvalid));
    assert_eq!(enter(&"é".repeat(64)), Ok(()));
    assert_eq!(enter(" Ann "), Ok(()));
    assert_eq!(room.stage.participants().last().unwrap().name, "Ann");
}
