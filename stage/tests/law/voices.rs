//! Whoever speaks is heard.

use dais_stage::{Command, Refusal};

use crate::support::Room;

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
fn whoever_speaks_most_is_heard_though_everyone_speaks() {
    let mut room = Room::with_capacity(100);
    let names: Vec<String> = (0..9).map(|n| format!("p{n}")).collect();
    names.iter().for_each(|name| room.on_stage(name));
    for name in &names {
        room.wait(1);
        room.speaks(name);
    }
    let most = |room: &mut Room| room.act(&Command::SpeaksMost { id: room.id("p8") });
    most(&mut room).unwrap();
    assert_eq!(room.heard()[7], (7, "p8"), "p7 began last");
    assert_eq!(most(&mut room), Err(Refusal::SpeechUnchanged));
    room.falls_silent("p0");
    assert_eq!(room.heard()[0], (0, "p7"), "and is heard again when somebody stops");
    room.mic("p8", false).unwrap();
    assert_eq!(most(&mut room), Err(Refusal::SpeechUnchanged));
}
