//! The 25 cameras.

use dais_stage::{Command, Event, Refusal, Role, Settings};

use crate::support::{Room, WITH_BOTH};

// law: cameras-most-recent, cameras-oldest-out, cameras-slot-freed, cameras-slots-stay, cameras-waiting
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

// law: edge-lowering
#[test]
fn lowering_the_camera_limit_makes_the_oldest_wait() {
    let mut room = Room::with_capacity(10);
    ["ann", "ben", "cat"].iter().for_each(|name| room.on_stage(name));
    room.host("hal");
    let limit = |room: &mut Room, limit| room.act(&Command::SetCameraLimit { by: room.by("hal"), limit });
    let events = limit(&mut room, 1).unwrap();
    assert!(["ann", "ben"].iter().all(|name| events.contains(&Event::CameraWaiting { id: room.id(name) })));
    assert_eq!(room.shown(), [(2, "cat")]);
    assert_eq!(limit(&mut room, 1), Err(Refusal::CameraLimitUnchanged));
    assert_eq!(limit(&mut room, 26), Err(Refusal::CameraLimitInvalid));
    let events = limit(&mut room, 2).unwrap();
    assert!(events.contains(&Event::CameraShownAgain { id: room.id("ben") }));
    limit(&mut room, 0).unwrap();
    assert_eq!(room.shown(), []);
}

#[test]
fn an_eviction_by_somebody_with_a_camera_shows_nobody_for_a_moment() {
    let mut room = Room::with(Settings { capacity: 3, camera_limit: 1, ..Settings::default() });
    ["ann", "ben", "cat"].iter().for_each(|name| room.on_stage(name));
    assert_eq!(room.shown(), [(0, "cat")]);
    ["ann", "ben"].iter().for_each(|name| room.speaks(name));
    room.wait(1);
    let events = room.enter_as("dan", Role::Participant, WITH_BOTH).unwrap();
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
