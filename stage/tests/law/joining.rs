//! Coming on stage.

use dais_stage::{Access, Claim, Command, Event, OffStage, Refusal, Settings};

use crate::support::Room;

const ACCESSES: [Access; 3] = [Access::Everyone, Access::Request, Access::Invite];

// law: join-everyone
#[test]
fn with_access_for_everyone_participants_join_and_nobody_is_asked() {
    let mut room = Room::with_access(Access::Everyone);
    assert_eq!(room.ask("ann"), Err(Refusal::MayJoinAlready));
    let events = room.join("ann").unwrap();
    let ann = room.id("ann");
    assert_eq!(events[..3], [Event::CameOnStage { id: ann }, Event::MicOn { id: ann }, Event::CameraOn { id: ann }]);
    assert_eq!(room.stage_names(), ["ann"]);
}

// law: join-request
#[test]
fn by_request_a_moderator_brings_people_to_the_stage_or_declines() {
    let mut room = Room::with_access(Access::Request);
    assert_eq!(room.join("ann"), Err(Refusal::AskFirst));
    for name in ["cat", "ann", "ben"] {
        room.ask(name).unwrap();
    }
    assert_eq!(room.asking(), ["cat", "ann", "ben"], "oldest first");
    room.approve("mia", "cat").unwrap();
    assert!(room.is_invited("cat") && !room.is_on_stage("cat"), "the person comes by themselves");
    room.join("cat").unwrap();
    room.approve("hal", "ann").unwrap();
    room.decline_invitation("ann").unwrap();
    assert_eq!(room.claim("ann"), Some(Claim::None));
    room.decline("mia", "ben").unwrap();
    assert_eq!(room.join("ben"), Err(Refusal::AskFirst));
    assert!(room.ask("ben").is_ok(), "may ask again at once");
    assert_eq!((room.stage_names(), room.asking()), (vec!["cat"], vec!["ben"]));
}

// law: join-request
#[test]
fn a_request_can_be_cancelled_while_it_is_pending() {
    let mut room = Room::with_access(Access::Request);
    room.ask("ann").unwrap();
    room.cancel("ann").unwrap();
    assert!(room.asking().is_empty());
    assert_eq!(room.cancel("ann"), Err(Refusal::NoRequest));
    assert_eq!(room.approve("mia", "ann"), Err(Refusal::NoRequest));
    assert!(room.ask("ann").is_ok());
}

// law: join-invite
#[test]
fn by_invitation_nobody_asks_and_whoever_is_invited_comes_or_declines() {
    let mut room = Room::with_access(Access::Invite);
    assert_eq!(room.ask("ann"), Err(Refusal::AskingClosed));
    assert_eq!(room.join("ann"), Err(Refusal::InvitationNeeded));
    assert!(room.raise_hand("ann").is_ok(), "a hand can still be raised");
    room.invite("mia", "ann").unwrap();
    room.invite("hal", "ben").unwrap();
    room.join("ann").unwrap();
    let events = room.decline_invitation("ben").unwrap();
    assert_eq!(events, [Event::InvitationDeclined { id: room.id("ben"), invited_by: room.by("hal") }]);
    assert_eq!(room.join("ben"), Err(Refusal::InvitationNeeded));
    assert_eq!(room.stage_names(), ["ann"]);
}

// law: join-always
#[test]
fn hosts_moderators_and_speakers_join_at_all_times() {
    for access in ACCESSES {
        let mut room = Room::with_access(access);
        for name in ["hal", "mia", "sue"] {
            assert_eq!(room.ask(name), Err(Refusal::MayJoinAlready));
            room.join(name).unwrap();
        }
        assert_eq!(room.stage_names(), ["hal", "mia", "sue"]);
    }
}

/// A room of that access where ann was dropped because the stage was full.
fn ann_was_dropped(access: Access) -> Room {
    let mut room = Room::with_access(access);
    room.set_capacity("hal", 1).unwrap();
    room.invite("hal", "ann").unwrap();
    room.join("ann").unwrap();
    room.wait(1);
    let events = room.join("sue").unwrap();
    let (ann, sue) = (room.id("ann"), room.id("sue"));
    assert!(events.contains(&Event::WentOffStage { id: ann, why: OffStage::StageFull { admitted: sue } }));
    assert_eq!(room.claim("ann"), Some(Claim::MayReturn));
    room
}

// law: join-right-to-return
#[test]
fn who_was_dropped_from_a_full_stage_comes_back_without_asking() {
    for access in ACCESSES {
        let mut room = ann_was_dropped(access);
        room.wait(1_000);
        assert_eq!(room.ask("ann"), Err(Refusal::MayJoinAlready));
        room.join("ann").unwrap();
        assert_eq!(room.stage_names(), ["ann"]);
        assert_eq!(room.claim("sue"), Some(Claim::MayReturn));
    }
}

// law: join-right-to-return
#[test]
fn the_right_to_return_ends_on_stage_with_leaving_and_when_a_moderator_removes_or_declines() {
    let mut room = ann_was_dropped(Access::Invite);
    room.join("ann").unwrap();
    room.remove_from_stage("mia", "ann").unwrap();
    assert_eq!(room.join("ann"), Err(Refusal::InvitationNeeded), "removed by a moderator");

    let mut room = ann_was_dropped(Access::Request);
    let declined = Event::ReturnDeclined { id: room.id("ann"), by: room.by("mia") };
    assert_eq!(room.decline("mia", "ann").unwrap(), [declined]);
    assert_eq!(room.join("ann"), Err(Refusal::AskFirst), "declined");

    let mut room = ann_was_dropped(Access::Request);
    room.leave("ann").unwrap();
    room.viewer("ann");
    assert_eq!(room.join("ann"), Err(Refusal::AskFirst), "left the room");
}

// law: join-right-to-return, invite-any-mode
#[test]
fn an_invitation_taken_back_or_declined_leaves_the_right_to_return() {
    let mut room = ann_was_dropped(Access::Invite);
    room.invite("mia", "ann").unwrap();
    room.withdraw("hal", "ann").unwrap();
    assert_eq!(room.claim("ann"), Some(Claim::MayReturn));
    room.invite("mia", "ann").unwrap();
    room.decline_invitation("ann").unwrap();
    assert!(room.join("ann").is_ok());
}

// law: invite-any-mode
#[test]
fn a_moderator_invites_in_every_mode_and_takes_it_back() {
    for access in ACCESSES {
        let mut room = Room::with_access(access);
        room.invite("mia", "ann").unwrap();
        assert!(room.is_invited("ann"));
        room.withdraw("hal", "ann").unwrap();
        assert_eq!(room.claim("ann"), Some(Claim::None));
        assert_eq!(room.withdraw("hal", "ann"), Err(Refusal::NotInvited));
        assert_eq!(room.decline_invitation("ann"), Err(Refusal::NotInvited));
    }
}

// law: join-one-entry
#[test]
fn asking_and_inviting_twice_never_makes_two_entries() {
    let mut room = Room::with_access(Access::Request);
    room.ask("ann").unwrap();
    assert_eq!(room.ask("ann"), Err(Refusal::AlreadyAsked));
    room.invite("mia", "ann").unwrap();
    assert_eq!(room.asking(), Vec::<&str>::new(), "inviting someone who asked is an approval");
    assert_eq!(room.ask("ann"), Err(Refusal::AlreadyInvited));
    assert_eq!(room.invite("hal", "ann"), Err(Refusal::AlreadyInvited));
    room.join("ann").unwrap();
    assert_eq!(room.invite("hal", "ann"), Err(Refusal::AlreadyOnStage));
    assert_eq!(room.ask("ann"), Err(Refusal::AlreadyOnStage));
    assert_eq!(room.stage_names(), ["ann"]);
}

// law: join-decided-once
#[test]
fn of_two_moderators_the_first_decision_stands() {
    let mut room = Room::with_access(Access::Request);
    room.ask("ann").unwrap();
    room.approve("mia", "ann").unwrap();
    let decided = Refusal::AlreadyDecided { by: "mia".to_owned() };
    assert_eq!(decided.to_string(), "already decided by mia");
    assert_eq!(room.decline("hal", "ann"), Err(decided.clone()));
    assert_eq!(room.approve("hal", "ann"), Err(decided));
    assert!(room.is_invited("ann"));

    room.ask("ben").unwrap();
    room.decline("hal", "ben").unwrap();
    assert_eq!(room.approve("mia", "ben"), Err(Refusal::AlreadyDecided { by: "hal".to_owned() }));
    room.ask("ben").unwrap();
    assert!(room.approve("mia", "ben").is_ok(), "a new request is decided anew");
}

// law: join-no-right
#[test]
fn joining_without_a_right_is_refused_with_the_reason_and_changes_nothing() {
    let mut room = Room::with_access(Access::Request);
    room.ask("ben").unwrap();
    let before = room.stage.clone();
    assert_eq!(room.join("ann"), Err(Refusal::AskFirst));
    assert_eq!(room.join("ben"), Err(Refusal::RequestPending));
    assert_eq!(room.stage, before);
    room.set_access("mia", Access::Invite).unwrap();
    assert_eq!(room.join("ann"), Err(Refusal::InvitationNeeded));
}

// law: viewer-hand
#[test]
fn viewers_raise_and_lower_a_hand_in_every_mode() {
    for access in ACCESSES {
        let mut room = Room::with_access(access);
        room.raise_hand("ann").unwrap();
        room.raise_hand("ben").unwrap();
        assert!(room.person("ann").hand < room.person("ben").hand, "in the order of raising");
        assert_eq!(room.raise_hand("ann"), Err(Refusal::HandUnchanged));
        room.lower_hand("ann", "ann").unwrap();
        assert_eq!(room.lower_hand("ann", "ann"), Err(Refusal::HandUnchanged));
        assert_eq!(room.lower_hand("ann", "ben"), Err(Refusal::ModeratorsOnly));
        assert!(room.lower_hand("mia", "ben").is_ok());
    }
}

#[test]
fn a_hand_goes_down_with_coming_on_stage() {
    let mut room = Room::with(Settings::default());
    room.viewer("ann");
    room.raise_hand("ann").unwrap();
    let events = room.join("ann").unwrap();
    assert_eq!(events[0], Event::HandLowered { id: room.id("ann"), by: None });
    assert_eq!(room.raise_hand("ann"), Err(Refusal::AlreadyOnStage));
}

#[test]
fn the_portal_decides_like_a_host() {
    let mut room = Room::with_access(Access::Request);
    room.ask("ann").unwrap();
    room.act(&Command::Approve { by: dais_stage::Actor::Portal, target: room.id("ann") }).unwrap();
    assert_eq!(room.decline("mia", "ann"), Err(Refusal::AlreadyDecided { by: "the organiser".to_owned() }));
    room.act(&Command::RemoveFromRoom { by: dais_stage::Actor::Portal, target: room.id("hal") }).unwrap();
}
