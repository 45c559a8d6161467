//! Coming into the room.

use dais_stage::{Access, EntryPlace, Identity, Millis, Preset, Refusal, Role, RoomMode, Settings, limits};

use crate::support::{Room, WITH_BOTH};

// law: word-room, word-place
#[test]
fn a_room_has_one_stage_and_everyone_is_a_viewer_or_on_it() {
    let mut room = Room::with(Settings::default());
    room.viewer("ann");
    room.on_stage("ben");
    assert_eq!((room.stage.participant_count(), room.stage.on_stage_count()), (2, 1));
    assert!(room.person("ann").claim().is_some() && room.person("ann").on_stage().is_none());
    assert!(room.person("ben").claim().is_none() && room.person("ben").on_stage().is_some());
}

// law: word-role
#[test]
fn hosts_and_moderators_moderate_and_all_but_participants_join_at_all_times() {
    let rights = Role::ALL.map(|role| (role.moderates(), role.always_joins()));
    assert_eq!(rights, [(true, true), (true, true), (false, true), (false, false)]);
}

// law: word-capacity, word-camera-limit
#[test]
fn a_room_has_100_places_on_stage_and_25_cameras_unless_it_is_made_with_others() {
    assert_eq!((Settings::default().capacity, Settings::default().camera_limit), (100, 25));
    let settings = Settings { capacity: 7, camera_limit: 3, ..Settings::default() };
    assert_eq!(settings.check(), Ok(()));
    assert_eq!(Settings { capacity: 0, ..Settings::default() }.check(), Err(Refusal::CapacityInvalid));
    assert_eq!(Settings { camera_limit: 26, ..Settings::default() }.check(), Err(Refusal::CameraLimitInvalid));
}

// law: preset-values
#[test]
fn presets_set_access_and_mode() {
    let of = |preset| (Settings::preset(preset).access, Settings::preset(preset).mode);
    assert_eq!(of(Preset::Event), (Access::Everyone, RoomMode::Interactive));
    assert_eq!(of(Preset::Webinar), (Access::Request, RoomMode::Panel));
    assert_eq!(of(Preset::Meeting), (Access::Everyone, RoomMode::Interactive));
}

const MODES: [(Access, RoomMode); 6] = [
    (Access::Everyone, RoomMode::Interactive),
    (Access::Everyone, RoomMode::Panel),
    (Access::Request, RoomMode::Interactive),
    (Access::Request, RoomMode::Panel),
    (Access::Invite, RoomMode::Interactive),
    (Access::Invite, RoomMode::Panel),
];

// law: entry-moderators-speakers
#[test]
fn hosts_moderators_and_speakers_join_the_stage_at_entry_in_every_mode() {
    for (access, mode) in MODES {
        for role in [Role::Host, Role::Moderator, Role::Speaker] {
            let mut room = Room::with(Settings { access, mode, ..Settings::default() });
            assert!(room.enter_as("ann", role, WITH_BOTH).is_ok(), "{role:?} with {access:?} and {mode:?}");
            assert!(room.is_on_stage("ann"));
            assert!(room.enter_as("ben", role, EntryPlace::Viewer).is_ok());
        }
    }
}

// law: entry-participants, word-access
#[test]
fn participants_join_the_stage_at_entry_only_with_everyone_and_interactive() {
    for (access, mode) in MODES {
        let mut room = Room::with(Settings { access, mode, ..Settings::default() });
        let open = (access, mode) == (Access::Everyone, RoomMode::Interactive);
        let result = room.enter_as("ann", Role::Participant, WITH_BOTH).map(|_| ());
        assert_eq!(result, if open { Ok(()) } else { Err(Refusal::StageNotAtEntry) }, "{access:?} and {mode:?}");
        assert_eq!(room.stage.may_join_at_entry(Role::Participant, false).is_ok(), open);
        assert!(room.enter_as("ben", Role::Participant, EntryPlace::Viewer).is_ok(), "everyone may watch");
    }
}

// law: word-mode
#[test]
fn the_room_mode_changes_only_what_the_entry_window_offers() {
    let mut room = Room::with(Settings { mode: RoomMode::Panel, ..Settings::default() });
    room.viewer("ann");
    assert!(room.join("ann").is_ok(), "once inside, access decides");
}

// law: entry-phone
#[test]
fn a_phone_enters_as_a_viewer_and_may_join_once_inside() {
    let mut room = Room::with(Settings::default());
    for role in Role::ALL {
        let name = format!("{role:?}");
        let mut entry = room.entry(&name, role, WITH_BOTH);
        entry.phone = true;
        assert_eq!(room.enter(entry.clone()), Err(Refusal::PhoneEntersAsViewer));
        entry.place = EntryPlace::Viewer;
        assert!(room.enter(entry).is_ok());
        assert!(room.join(&name).is_ok());
    }
}

// law: entry-server-decides
#[test]
fn a_refused_entry_changes_nothing_and_entering_as_a_viewer_remains() {
    let mut room = Room::with(Settings::preset(Preset::Webinar));
    let before = room.stage.clone();
    assert_eq!(room.enter_as("ann", Role::Participant, WITH_BOTH), Err(Refusal::StageNotAtEntry));
    assert_eq!(room.stage, before);
    room.viewer("ann");
    assert!(!room.is_on_stage("ann"));
}

#[test]
fn names_are_checked() {
    let mut room = Room::with_capacity(100);
    let mut enter = |identity: &str, name: &str| {
        let mut entry = room.entry(name, Role::Participant, EntryPlace::Viewer);
        entry.identity = Identity(identity.to_owned());
        room.enter(entry).map(|_| ())
    };
    assert_eq!(enter("a", "  "), Err(Refusal::NameMissing));
    assert_eq!(enter("a", &"é".repeat(65)), Err(Refusal::NameTooLong));
    assert_eq!(enter("a", "a\u{7}b"), Err(Refusal::NameInvalid));
    assert_eq!(enter("a", &"é".repeat(64)), Ok(()));
    assert_eq!(enter("b", " Ann "), Ok(()));
    assert_eq!(room.stage.participants().last().unwrap().name, "Ann");
}

#[test]
fn one_identity_is_in_the_room_once() {
    let mut room = Room::with_capacity(100);
    room.viewer("ann");
    assert_eq!(room.enter_as("ann", Role::Host, EntryPlace::Viewer), Err(Refusal::AlreadyInRoom));
    let identity = Identity("ann".to_owned());
    assert_eq!(room.stage.find(&identity).map(|person| person.id), Some(room.id("ann")));
    room.leave("ann").unwrap();
    assert!(room.stage.find(&identity).is_none());
    let first = room.id("ann");
    room.viewer("ann");
    assert_ne!(room.id("ann"), first, "a number is never given twice");
}

#[test]
fn a_room_holds_so_many_people_and_no_more() {
    let mut room = Room::with_capacity(1);
    for n in 0..limits::PARTICIPANTS_MAX {
        let entry = room.entry(&n.to_string(), Role::Participant, EntryPlace::Viewer);
        let events = room.stage.decide(Millis(room.now), &dais_stage::Command::Enter(entry)).unwrap();
        events.iter().for_each(|event| room.stage.apply(Millis(room.now), event));
    }
    assert_eq!(room.enter_as("late", Role::Participant, EntryPlace::Viewer), Err(Refusal::RoomFull));
}

// law: entry-ways
#[test]
fn a_role_link_lets_people_in_until_it_expires_or_is_withdrawn() {
    let mut room = Room::with_access(Access::Everyone);
    let link = room.make_link("mia", Role::Speaker, false).unwrap();
    let enter = |room: &mut Room, name: &str, link| {
        let mut entry = room.entry(name, Role::Speaker, EntryPlace::Viewer);
        entry.link = Some(link);
        room.enter(entry).map(|_| ())
    };
    assert_eq!(enter(&mut room, "dan", link), Ok(()));
    assert_eq!(enter(&mut room, "eve", link), Ok(()), "a shared link is for anybody");
    assert_eq!(enter(&mut room, "fay", dais_stage::LinkId(99)), Err(Refusal::LinkUnknown));
    room.act(&dais_stage::Command::RevokeLink { by: room.by("mia"), link }).unwrap();
    assert_eq!(enter(&mut room, "fay", link), Err(Refusal::LinkRevoked));
    assert!(!room.person("dan").is_lost(), "whoever is inside stays");
    let brief = room.make_link("mia", Role::Speaker, false).unwrap();
    room.wait(3_600);
    assert_eq!(enter(&mut room, "gus", brief), Err(Refusal::LinkExpired));
}

#[test]
fn a_personal_link_belongs_to_whoever_entered_first() {
    let mut room = Room::with_access(Access::Everyone);
    let link = room.make_link("hal", Role::Host, true).unwrap();
    let enter = |room: &mut Room, name: &str| {
        let mut entry = room.entry(name, Role::Host, EntryPlace::Viewer);
        entry.link = Some(link);
        room.enter(entry).map(|_| ())
    };
    assert_eq!(enter(&mut room, "dan"), Ok(()));
    assert_eq!(enter(&mut room, "eve"), Err(Refusal::LinkUsed));
    room.leave("dan").unwrap();
    assert_eq!(enter(&mut room, "eve"), Err(Refusal::LinkUsed));
    assert_eq!(enter(&mut room, "dan"), Ok(()));
}
