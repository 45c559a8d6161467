//! Edges.

use dais_stage::{Access, Command, EntryPlace, Event, Refusal, Role, Settings};

use crate::support::{Room, WITH_BOTH};

// law: edge-nothing-changes
#[test]
fn what_changes_nothing_is_refused_with_its_own_code() {
    let mut room = Room::with_access(Access::Request);
    room.join("sue").unwrap();
    room.ask("ann").unwrap();
    room.invite("mia", "ben").unwrap();
    let (by, sue, cat) = (room.by("mia"), room.id("sue"), room.id("cat"));
    assert_eq!(room.join("sue"), Err(Refusal::AlreadyOnStage));
    assert_eq!(room.ask("ann"), Err(Refusal::AlreadyAsked));
    assert_eq!(room.ask("ben"), Err(Refusal::AlreadyInvited));
    assert_eq!(room.invite("mia", "sue"), Err(Refusal::AlreadyOnStage));
    assert_eq!(room.invite("mia", "ben"), Err(Refusal::AlreadyInvited));
    assert_eq!(room.mic("sue", true), Err(Refusal::MicUnchanged));
    assert_eq!(room.act(&Command::SetCamera { id: sue, on: true }), Err(Refusal::CameraUnchanged));
    room.act(&Command::Mute { by, target: sue }).unwrap();
    assert_eq!(room.act(&Command::Mute { by, target: sue }), Err(Refusal::MicUnchanged));
    assert_eq!(room.mic("cat", true), Err(Refusal::NotOnStage));
    assert_eq!(room.act(&Command::StopCamera { by, target: cat }), Err(Refusal::NotOnStage));
    assert_eq!(room.set_access("mia", Access::Request), Err(Refusal::AccessUnchanged));
    assert_eq!(room.lock("mia", false), Err(Refusal::LockUnchanged));
    assert_eq!(room.pass_time(), Err(Refusal::NothingDue));
    room.leave("cat").unwrap();
    assert_eq!(room.leave("cat"), Err(Refusal::NotInRoom));
    assert_eq!(room.join("cat"), Err(Refusal::NotInRoom));
}

// law: edge-removed-may-join
#[test]
fn who_was_removed_by_a_moderator_may_join_again_where_access_is_for_everyone() {
    let mut room = Room::with_access(Access::Everyone);
    room.join("ann").unwrap();
    room.remove_from_stage("mia", "ann").unwrap();
    assert!(room.join("ann").is_ok());
    room.remove_from_stage("mia", "ann").unwrap();
    room.set_access("mia", Access::Invite).unwrap();
    assert_eq!(room.join("ann"), Err(Refusal::InvitationNeeded), "moderators who mean it change the mode");
}

// law: edge-locked
#[test]
fn a_locked_room_lets_in_only_hosts_and_moderators_and_those_who_return() {
    let mut room = Room::with_access(Access::Everyone);
    room.drops("ann");
    room.lock("mia", true).unwrap();
    for role in [Role::Speaker, Role::Participant] {
        assert_eq!(room.enter_as("new", role, EntryPlace::Viewer), Err(Refusal::RoomLocked));
    }
    assert!(room.enter_as("hub", Role::Host, EntryPlace::Viewer).is_ok());
    assert!(room.enter_as("max", Role::Moderator, WITH_BOTH).is_ok());
    assert!(room.returns("ann").is_ok() && room.join("ben").is_ok(), "those inside are not affected");
    room.lock("hal", false).unwrap();
    room.viewer("new");
}

// law: edge-empty
#[test]
fn a_room_that_is_empty_for_five_minutes_ends() {
    let mut room = Room::with(Settings::default());
    room.wait(299);
    assert_eq!(room.pass_time(), Err(Refusal::NothingDue), "a room that was just opened is given the same time");
    room.viewer("ann");
    room.wait(1_000);
    assert_eq!(room.stage.next_deadline(), None);
    room.leave("ann").unwrap();
    room.wait(300);
    assert_eq!(room.stage.next_deadline().map(|at| at.0), Some(room.now));
    assert_eq!(room.pass_time().unwrap(), [Event::Ended { by: None }]);

    let mut room = Room::with(Settings { empty_after_ms: 0, ..Settings::default() });
    room.wait(1_000_000);
    assert_eq!((room.stage.next_deadline(), room.pass_time()), (None, Err(Refusal::NothingDue)), "0 means never");
}

// law: edge-ended
#[test]
fn a_room_that_has_ended_refuses_everything_until_it_is_opened_again() {
    let mut room = Room::with_access(Access::Everyone);
    room.remove_from_room("mia", "cat").unwrap();
    room.act(&Command::End { by: room.by("mia") }).unwrap();
    assert_eq!(Refusal::SessionEnded.code(), "session_ended");
    assert_eq!(room.enter_as("eve", Role::Host, EntryPlace::Viewer), Err(Refusal::SessionEnded));
    for name in ["hal", "ann"] {
        assert_eq!(room.join(name), Err(Refusal::SessionEnded));
        assert_eq!(room.leave(name), Err(Refusal::SessionEnded));
    }
    assert_eq!(room.pass_time(), Err(Refusal::SessionEnded));
    let opened = Event::Opened { title: "Again".to_owned(), settings: Settings::default() };
    room.stage.apply(dais_stage::Millis(room.now), &opened);
    room.viewer("ann");
    let cat = room.enter_as("cat", Role::Participant, EntryPlace::Viewer);
    assert_eq!(cat, Err(Refusal::RemovedFromRoom), "removed is removed");
}

// law: stage-leaving-frees
#[test]
fn leaving_the_room_frees_place_and_slots() {
    let mut room = Room::with_capacity(1);
    room.on_stage("ann");
    room.leave("ann").unwrap();
    assert_eq!((room.stage.on_stage_count(), room.stage.participant_count()), (0, 0));
    assert_eq!((room.shown(), room.heard()), (vec![], vec![]));
    room.on_stage("ben");
    assert_eq!(room.stage_names(), ["ben"]);
}
