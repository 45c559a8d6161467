//! When the stage is full.

use dais_stage::{Access, Claim, EntryPlace, Event, OffStage, Refusal, Role, Settings};

use crate::support::{Room, WITH_BOTH};

fn removed(events: &[Event]) -> Vec<&Event> {
    events.iter().filter(|event| matches!(event, Event::WentOffStage { .. })).collect()
}

// law: full-longest-silent, full-told
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
    assert_eq!(room.claim("ben"), Some(Claim::MayReturn));
    let off = events.iter().position(|e| matches!(e, Event::WentOffStage { .. })).unwrap();
    let on = events.iter().position(|e| matches!(e, Event::CameOnStage { .. })).unwrap();
    assert!(off < on, "the place is free before it is taken");
}

// law: silence-never-spoken, silence-ties, full-never-the-admitted
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

// law: silence-speaking, silence-muted
#[test]
fn who_speaks_now_is_silent_for_no_time_and_mute_is_silence_at_once() {
    let mut room = Room::with_capacity(2);
    room.on_stage("ann");
    room.speaks("ann");
    room.wait(100);
    room.on_stage("ben");
    room.wait(1);
    room.mic("ann", false).unwrap();
    room.wait(1);
    room.on_stage("cat");
    assert_eq!(room.stage_names(), ["ann", "cat"], "ann fell silent a second after ben came");
    room.wait(1);
    room.on_stage("dan");
    assert_eq!(room.stage_names(), ["cat", "dan"]);
}

// law: silence-ties, silence-speaking
#[test]
fn who_speaks_and_who_came_this_moment_are_both_silent_for_no_time() {
    let mut room = Room::with_capacity(2);
    room.on_stage("ann");
    room.speaks("ann");
    room.wait(10);
    room.on_stage("ben");
    room.on_stage("cat");
    assert_eq!(room.stage_names(), ["ben", "cat"], "a tie goes to whoever came first");
}

// law: silence-ties
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

// law: full-moderators, full-all-exempt
#[test]
fn moderators_are_removed_too_unless_the_room_protects_them() {
    for protect_moderators in [false, true] {
        let mut room = Room::with(Settings { capacity: 1, protect_moderators, ..Settings::default() });
        room.enter_as("hal", Role::Host, EntryPlace::Stage { mic: false, camera: false }).unwrap();
        room.viewer("ann");
        let result = room.join("ann");
        if protect_moderators {
            assert_eq!(result, Err(Refusal::StageFull));
            assert_eq!(Refusal::StageFull.code(), "stage_full");
            assert_eq!(room.stage_names(), ["hal"]);
        } else {
            assert!(result.is_ok());
            assert_eq!(room.stage_names(), ["ann"]);
            assert!(room.join("hal").is_ok(), "a moderator returns with one click");
        }
    }
}

// law: edge-same-instant
#[test]
fn two_people_joining_in_the_same_instant_are_two_admissions() {
    let mut room = Room::with_access(Access::Everyone);
    room.set_capacity("hal", 2).unwrap();
    room.join("ann").unwrap();
    room.join("ben").unwrap();
    room.wait(1);
    let first = room.join("cat").unwrap();
    let second = room.join("sue").unwrap();
    let (ann, ben, cat, sue) = (room.id("ann"), room.id("ben"), room.id("cat"), room.id("sue"));
    assert_eq!(removed(&first), [&Event::WentOffStage { id: ann, why: OffStage::StageFull { admitted: cat } }]);
    assert_eq!(removed(&second), [&Event::WentOffStage { id: ben, why: OffStage::StageFull { admitted: sue } }]);
}

// law: edge-lowering
#[test]
fn lowering_the_capacity_removes_the_longest_silent_at_once() {
    let mut room = Room::with_access(Access::Invite);
    for name in ["hal", "mia", "sue"] {
        room.join(name).unwrap();
        room.wait(1);
    }
    room.speaks("hal");
    let events = room.set_capacity("hal", 1).unwrap();
    let by = room.by("hal");
    let smaller = |name: &str| Event::WentOffStage { id: room.id(name), why: OffStage::StageSmaller { by } };
    assert_eq!(removed(&events), [&smaller("mia"), &smaller("sue")]);
    assert_eq!(room.stage_names(), ["hal"]);
    assert_eq!(room.claim("sue"), Some(Claim::MayReturn));
    assert_eq!(room.set_capacity("hal", 1), Err(Refusal::CapacityUnchanged));
    assert_eq!(room.set_capacity("hal", 0), Err(Refusal::CapacityInvalid));
}

#[test]
fn a_capacity_below_the_number_of_protected_moderators_is_refused() {
    let mut room = Room::with(Settings { protect_moderators: true, ..Settings::default() });
    for name in ["hal", "hub"] {
        room.enter_as(name, Role::Host, WITH_BOTH).unwrap();
    }
    room.on_stage("ann");
    assert_eq!(room.set_capacity("hal", 1), Err(Refusal::TooManyProtected));
    assert_eq!(room.stage.on_stage_count(), 3, "nothing changed");
    assert!(room.set_capacity("hal", 2).is_ok());
    assert_eq!(room.stage_names(), ["hal", "hub"]);
}
