//! Falling off and coming back.

use dais_stage::{Access, Claim, Command, Event, Leaving, Refusal, Settings, Stage};

use crate::support::Room;

/// Somebody of each kind: ann on stage and speaking, ben asking with a raised hand, cat invited.
fn busy() -> Room {
    let mut room = Room::with_access(Access::Request);
    room.invite("mia", "ann").unwrap();
    room.join("ann").unwrap();
    room.speaks("ann");
    room.ask("ben").unwrap();
    room.raise_hand("ben").unwrap();
    room.invite("mia", "cat").unwrap();
    room
}

fn keeps_everything(room: &Room) {
    assert!(room.is_on_stage("ann") && room.person("ben").hand.is_some() && room.is_invited("cat"));
    assert!(matches!(room.claim("ben"), Some(Claim::Asked(_))));
    assert_eq!((room.shown(), room.heard()), (vec![(0, "ann")], vec![(0, "ann")]));
}

// law: back-in-time
#[test]
fn a_dropped_connection_keeps_place_request_invitation_and_hand_for_the_grace_time() {
    let mut room = busy();
    ["ann", "ben", "cat"].iter().for_each(|name| room.drops(name));
    room.wait(29);
    assert_eq!(room.pass_time(), Err(Refusal::NothingDue));
    keeps_everything(&room);
    for name in ["ann", "ben", "cat"] {
        assert_eq!(room.returns(name).unwrap(), [Event::ConnectionBack { id: room.id(name) }]);
    }
    room.wait(60);
    assert_eq!(room.pass_time(), Err(Refusal::NothingDue), "back is back");
    keeps_everything(&room);
    assert_eq!(room.returns("ann"), Err(Refusal::ConnectionUnchanged));
}

// law: back-too-late
#[test]
fn after_the_grace_time_the_person_has_left() {
    let mut room = busy();
    room.drops("ann");
    room.wait(10);
    room.drops("ben");
    room.wait(20);
    assert_eq!(room.stage.next_deadline().map(|at| at.0), Some(room.now));
    let events = room.pass_time().unwrap();
    assert!(events.contains(&Event::Left { id: room.id("ann"), why: Leaving::ConnectionLost }));
    assert_eq!((room.stage_names(), room.shown(), room.heard()), (vec![], vec![], vec![]));
    assert_eq!(room.returns("ann"), Err(Refusal::NotInRoom));
    assert!(room.returns("ben").is_ok());

    let mut brief = Room::with(Settings { grace_ms: 1_000, ..Settings::default() });
    brief.viewer("ann");
    brief.drops("ann");
    brief.wait(1);
    assert!(brief.pass_time().is_ok(), "the grace time is a setting of the room");
}

// law: edge-disconnected, silence-muted
#[test]
fn someone_disconnected_is_on_stage_and_silent_and_may_be_the_one_removed() {
    let mut room = Room::with_capacity(2);
    room.on_stage("ann");
    room.on_stage("ben");
    room.speaks("ann");
    room.wait(5);
    room.drops("ann");
    assert_eq!(room.stage.on_stage_count(), 2);
    assert_eq!(room.act(&Command::SpeechStarted { id: room.id("ann") }), Err(Refusal::SpeechUnchanged));
    room.wait(1);
    room.speaks("ben");
    room.viewer("cat");
    room.join("cat").unwrap();
    assert_eq!(room.stage_names(), ["ben", "cat"]);
    room.returns("ann").unwrap();
    assert_eq!(room.claim("ann"), Some(Claim::MayReturn));
}

// law: back-restart
#[test]
fn a_restarted_server_has_the_same_stage_with_every_connection_lost() {
    let mut room = busy();
    room.stage = room.replayed();
    keeps_everything(&room);
    room.wait(3);
    room.act(&Command::Restart).unwrap();
    keeps_everything(&room);
    assert!(room.stage.participants().all(|person| person.is_lost()));
    assert_eq!(room.act(&Command::Restart), Err(Refusal::NothingDue));
    let people = ["hal", "mia", "sue", "ann", "ben", "cat"];
    people.iter().for_each(|name| assert!(room.returns(name).is_ok()));
    keeps_everything(&room);
    assert!(room.join("cat").is_ok(), "nobody asks anew");
}

#[test]
fn a_snapshot_is_the_stage() {
    let mut room = busy();
    room.make_link("hal", dais_stage::Role::Speaker, true).unwrap();
    room.remove_from_room("hal", "sue").unwrap();
    room.drops("cat");
    let json = serde_json::to_string(&room.stage).unwrap();
    assert_eq!(serde_json::from_str::<Stage>(&json).unwrap(), room.stage);
}
