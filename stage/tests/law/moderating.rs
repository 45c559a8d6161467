//! On stage, and what moderators do.

use dais_stage::{Access, Actor, Command, EntryPlace, Event, OffStage, ParticipantId, Refusal, Role, Settings};

use crate::support::{Outcome, Room};

// law: stage-no-leaving
#[test]
fn participants_and_speakers_cannot_step_down() {
    let mut room = Room::with_access(Access::Everyone);
    for name in ["hal", "mia", "sue", "ann"] {
        room.join(name).unwrap();
    }
    let step_down = |room: &mut Room, name: &str| room.act(&Command::LeaveStage { id: room.id(name) });
    assert_eq!(step_down(&mut room, "sue"), Err(Refusal::CannotLeaveStage));
    assert_eq!(step_down(&mut room, "ann"), Err(Refusal::CannotLeaveStage));
    assert_eq!(step_down(&mut room, "ben"), Err(Refusal::NotOnStage));
    assert_eq!(room.remove_from_stage("ann", "ann"), Err(Refusal::ModeratorsOnly));
    assert!(step_down(&mut room, "hal").is_ok() && step_down(&mut room, "mia").is_ok());
    assert_eq!(room.stage_names(), ["sue", "ann"]);
}

// law: stage-moderators-remove, moderate-hosts
#[test]
fn on_the_stage_a_moderator_acts_on_anyone_themselves_included() {
    let mut room = Room::with_access(Access::Everyone);
    for name in ["hal", "mia", "sue", "ann"] {
        room.join(name).unwrap();
    }
    for name in ["hal", "sue", "ann", "mia"] {
        let (by, target) = (room.by("mia"), room.id(name));
        room.act(&Command::Mute { by, target }).unwrap();
        room.act(&Command::StopCamera { by, target }).unwrap();
        let events = room.remove_from_stage("mia", name).unwrap();
        assert_eq!(events.last(), Some(&Event::WentOffStage { id: target, why: OffStage::Removed { by } }));
    }
    assert_eq!((room.stage_names(), room.shown(), room.heard()), (vec![], vec![], vec![]));
}

// law: moderate-hosts
#[test]
fn only_a_host_removes_a_host_from_the_room_or_withdraws_a_hosts_link() {
    let mut room = Room::with_access(Access::Everyone);
    assert_eq!(room.remove_from_room("mia", "hal"), Err(Refusal::HostsOnly));
    assert_eq!(room.make_link("mia", Role::Host, true), Err(Refusal::HostsOnly));
    let hosts = room.make_link("hal", Role::Host, true).unwrap();
    let speakers = room.make_link("hal", Role::Speaker, true).unwrap();
    assert_eq!(room.act(&Command::RevokeLink { by: room.by("mia"), link: hosts }), Err(Refusal::HostsOnly));
    room.act(&Command::RevokeLink { by: room.by("mia"), link: speakers }).unwrap();
    room.act(&Command::RevokeLink { by: room.by("hal"), link: hosts }).unwrap();
    assert_eq!(room.act(&Command::RevokeLink { by: room.by("hal"), link: hosts }), Err(Refusal::LinkRevoked));
    assert!(room.remove_from_room("mia", "sue").is_ok() && room.remove_from_room("hal", "hal").is_ok());
}

// law: moderate-actions
#[test]
fn a_moderator_mutes_stops_cameras_and_asks_to_unmute_but_turns_nothing_on() {
    let mut room = Room::with_access(Access::Everyone);
    room.join("ann").unwrap();
    let (by, id) = (room.by("mia"), room.id("ann"));
    assert_eq!(room.act(&Command::AskToUnmute { by, target: id }), Err(Refusal::MicUnchanged));
    assert_eq!(room.act(&Command::Mute { by, target: id }).unwrap()[0], Event::MicOff { id, by: Some(by) });
    assert_eq!(room.act(&Command::StopCamera { by, target: id }).unwrap()[0], Event::CameraOff { id, by: Some(by) });
    assert_eq!(room.act(&Command::AskToUnmute { by, target: id }).unwrap(), [Event::AskedToUnmute { id, by }]);
    assert!(!room.person("ann").on_stage().unwrap().mic, "ann is only asked");
    assert_eq!(room.act(&Command::SpeechStarted { id }), Err(Refusal::SpeechUnchanged));
    room.mic("ann", true).unwrap();
}

// law: moderate-actions
#[test]
fn whoever_is_removed_from_the_room_does_not_come_back_with_the_same_token() {
    let mut room = Room::with_access(Access::Everyone);
    room.join("ann").unwrap();
    let events = room.remove_from_room("mia", "ann").unwrap();
    assert!(matches!(events[..], [.., Event::WentOffStage { .. }, Event::Left { .. }, _, _]), "{events:?}");
    for _ in 0..2 {
        let back = room.enter_as("ann", Role::Participant, EntryPlace::Viewer);
        assert_eq!(back, Err(Refusal::RemovedFromRoom));
        room.lock("hal", true).unwrap();
        room.lock("hal", false).unwrap();
    }
}

// law: moderate-actions
#[test]
fn ending_the_session_ends_it_for_all() {
    let mut room = Room::with_access(Access::Everyone);
    room.join("ann").unwrap();
    room.act(&Command::End { by: room.by("hal") }).unwrap();
    assert_eq!((room.stage.participant_count(), room.stage.on_stage_count()), (0, 0));
    assert_eq!((room.shown(), room.heard()), (vec![], vec![]));
}

/// Every command that needs a moderator.
fn moderators_commands(by: Actor, target: ParticipantId) -> Vec<Command> {
    vec![
        Command::Approve { by, target },
        Command::Decline { by, target },
        Command::Invite { by, target },
        Command::WithdrawInvitation { by, target },
        Command::RemoveFromStage { by, target },
        Command::Mute { by, target },
        Command::StopCamera { by, target },
        Command::AskToUnmute { by, target },
        Command::LowerHand { by, target },
        Command::SetAccess { by, access: Access::Invite },
        Command::SetCapacity { by, capacity: 5 },
        Command::SetCameraLimit { by, limit: 5 },
        Command::SetLock { by, locked: true },
        Command::RemoveFromRoom { by, target },
        Command::MakeLink { by, role: Role::Speaker, expires: dais_stage::Millis(u64::MAX), personal: true },
        Command::RevokeLink { by, link: dais_stage::LinkId(1) },
        Command::End { by },
    ]
}

#[test]
fn nobody_else_moderates() {
    let mut room = Room::with_access(Access::Request);
    for name in ["sue", "ann"] {
        for command in moderators_commands(room.by(name), room.id("ben")) {
            assert_eq!(room.act(&command), Err(Refusal::ModeratorsOnly), "{name}: {command:?}");
        }
    }
    let gone = Actor::Person(ParticipantId(99));
    for command in moderators_commands(gone, room.id("ben")) {
        assert_eq!(room.act(&command), Err(Refusal::NotInRoom), "{command:?}");
    }
}

#[test]
fn a_target_that_is_gone_is_named_as_such() {
    let mut room = Room::with_access(Access::Request);
    for command in moderators_commands(room.by("mia"), ParticipantId(99)).into_iter().take(9) {
        assert_eq!(room.act(&command), Err(Refusal::UnknownParticipant), "{command:?}");
    }
}

fn closed(outcome: Outcome) -> Vec<ParticipantId> {
    let events = outcome.unwrap().into_iter();
    events.filter_map(|event| if let Event::RequestClosed { id } = event { Some(id) } else { None }).collect()
}

// law: access-change
#[test]
fn a_change_of_access_keeps_the_stage_and_invitations_and_closes_requests() {
    for access in [Access::Everyone, Access::Invite] {
        let mut room = Room::with_access(Access::Request);
        room.join("sue").unwrap();
        room.invite("mia", "cat").unwrap();
        room.ask("ben").unwrap();
        room.ask("ann").unwrap();
        let (ann, ben) = (room.id("ann"), room.id("ben"));
        assert_eq!(closed(room.set_access("mia", access)), [ben, ann], "told, oldest first");
        assert_eq!((room.stage_names(), room.asking()), (vec!["sue"], vec![]));
        assert!(room.is_invited("cat"));
        assert_eq!(room.join("ann").is_ok(), access == Access::Everyone);
        assert_eq!(closed(room.set_access("hal", Access::Request)), []);
        assert!(room.join("cat").is_ok());
    }
}

#[test]
fn leaving_the_stage_to_others_keeps_roles() {
    // A speaker dropped, removed or declined is still a speaker.
    let mut room = Room::with(Settings { capacity: 1, ..Settings::default() });
    room.host("hal");
    room.enter_as("sue", Role::Speaker, EntryPlace::Viewer).unwrap();
    room.join("sue").unwrap();
    room.remove_from_stage("hal", "sue").unwrap();
    assert!(room.join("sue").is_ok());
}

// law: moderate-all
#[test]
fn a_moderator_mutes_all_others_stops_all_other_cameras_and_lowers_all_hands() {
    let mut room = Room::with_access(Access::Everyone);
    ["mia", "sue", "ann"].iter().for_each(|name| drop(room.join(name).unwrap()));
    ["ben", "cat"].iter().for_each(|name| drop(room.raise_hand(name).unwrap()));
    let all = |by| [Command::MuteAll { by }, Command::StopAllCameras { by }, Command::LowerAllHands { by }];
    for command in all(room.by("sue")) {
        assert_eq!(room.act(&command), Err(Refusal::ModeratorsOnly));
    }
    let by = room.by("mia");
    for command in all(by) {
        room.act(&command).unwrap();
    }
    let on = |name: &str| room.person(name).on_stage().map(|on_stage| (on_stage.mic, on_stage.camera));
    assert_eq!(["mia", "sue", "ann"].map(on), [Some((true, true)), Some((false, false)), Some((false, false))]);
    assert!(["ben", "cat"].iter().all(|name| room.person(name).hand.is_none()));
    let refused = [Refusal::MicUnchanged, Refusal::CameraUnchanged, Refusal::HandUnchanged];
    assert_eq!(all(by).map(|command| room.act(&command).unwrap_err()), refused);
}
