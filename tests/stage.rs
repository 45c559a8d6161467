//! The stage decides, and the packets obey: eviction by silence, and the 25 cameras.

mod support;

use std::collections::BTreeSet;

use dais::Server;
use dais_media::DropReason;
use dais_stage::Settings;
use serde_json::{Value, json};
use support::client::Wish;
use support::media::pause;
use support::{Client, server, server_with, until_counted};

/// A recorded trace: one level per 20 ms.
fn trace(text: &str) -> Vec<u8> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.parse().unwrap()).collect()
}

/// Plays levels into a client's microphone in real time, as RTP.
async fn play(client: &mut Client, levels: &[u8]) {
    for level in levels {
        client.speak(*level, &[0; 60]).await;
        pause(20).await;
    }
}

fn on_stage(messages: &[Value], you: u32) -> Option<bool> {
    let updates = messages.iter().filter(|message| message["type"] == "update");
    let people = updates.flat_map(|update| update["participants"].as_array().unwrap().clone());
    people.rev().find(|person| person["id"] == you).map(|person| !person["onStage"].is_null())
}

fn is_speaking(message: &Value, you: u32, speaking: bool) -> bool {
    let people = message["participants"].as_array().into_iter().flatten();
    people.into_iter().any(|person| person["id"] == you && person["onStage"]["speaking"] == speaking)
}

async fn until_speaking(watcher: &mut Client, you: u32, speaking: bool) {
    if watcher.session.seen.iter().any(|message| is_speaking(message, you, speaking)) {
        watcher.session.seen.clear();
        return;
    }
    watcher.session.until("a speaking mark", |message| is_speaking(message, you, speaking)).await;
    watcher.session.seen.clear();
}

/// Three people are on a stage of three. Ann and Cat speak, with levels recorded from spoken sentences; Ben's client
/// sends packets too, but silent ones, while it claims again and again to be active. The fourth join removes Ben.
// law: silence-measured, full-longest-silent
#[tokio::test]
async fn a_fourth_join_removes_who_was_silent_longest_by_the_levels_in_the_packets() {
    let server = server_with(Settings { capacity: 3, ..Settings::default() }).await;
    let wish = Wish { camera: false, ..Wish::STAGE };
    let mut ann = Client::enter(&server, "Ann", wish.clone()).await;
    let mut ben = Client::enter(&server, "Ben", wish.clone()).await;
    let mut cat = Client::enter(&server, "Cat", wish.clone()).await;
    let mut dan = Client::enter(&server, "Dan", Wish::VIEWER).await;
    let mut watcher = Client::enter(&server, "Watcher", Wish::VIEWER).await;

    let sentence = trace(include_str!("data/levels/host_opens.txt"));
    let question = trace(include_str!("data/levels/a_question.txt"));
    play(&mut ann, &sentence[..100]).await;
    until_speaking(&mut watcher, ann.you, true).await;
    // Signaling noise is no speech: Ben switches his microphone off and on, and stays silent in RTP.
    for on in [false, true] {
        ben.does(json!({ "type": "set_mic", "on": on })).await;
    }
    play(&mut ben, &[127; 30]).await;
    play(&mut cat, &question[..100]).await;
    until_speaking(&mut watcher, cat.you, true).await;
    play(&mut ann, &[127; 50]).await;

    watcher.session.settle().await;
    dan.does(json!({ "type": "join_stage", "mic": true, "camera": false })).await;
    assert_eq!(ben.notice().await, json!({ "kind": "stage_full", "admitted": "Dan" }));
    let told = watcher.session.settle().await;
    let places = [ann.you, ben.you, cat.you, dan.you].map(|you| on_stage(&told, you));
    assert_eq!(places, [None, Some(false), None, Some(true)], "only Ben and Dan changed places");

    // Ben's packets stop at the gate, whatever his client believes.
    ben.speak(10, b"I am still here").await;
    until_counted(&server, "Ben at the closed gate", |c| c.dropped(DropReason::GateClosed) >= 1).await;

    // The next to join removes Ann: she fell silent before Cat did, and Dan only just came.
    let mut eve = Client::enter(&server, "Eve", wish).await;
    assert_eq!(ann.notice().await, json!({ "kind": "stage_full", "admitted": "Eve" }));
    eve.speak(20, b"hello").await;
    dan.packet("Eve's voice", |packet| packet.payload == b"hello").await;
}

// law: silence-muted
#[tokio::test]
async fn silence_ends_a_speaking_mark_and_mute_ends_it_at_once() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish { camera: false, ..Wish::STAGE }).await;
    let mut watcher = Client::enter(&server, "Watcher", Wish::VIEWER).await;
    play(&mut ann, &[25; 30]).await;
    until_speaking(&mut watcher, ann.you, true).await;
    play(&mut ann, &[127; 60]).await;
    until_speaking(&mut watcher, ann.you, false).await;
    play(&mut ann, &[25; 30]).await;
    until_speaking(&mut watcher, ann.you, true).await;
    ann.does(json!({ "type": "set_mic", "on": false })).await;
    until_speaking(&mut watcher, ann.you, false).await;
}

/// Connecting anew is no way to count as speaking for ever, and everyone's slots go on without a gap.
#[tokio::test]
async fn who_connects_anew_is_silent_and_goes_on_in_the_same_slot() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    let mut watcher = Client::enter(&server, "Watcher", Wish::VIEWER).await;
    play(&mut ann, &[25; 30]).await;
    until_speaking(&mut watcher, ann.you, true).await;
    ann.show(true, b"before").await;
    let before = watcher.packet("a picture", |packet| packet.payload.ends_with(b"before")).await;

    ann.connect_anew().await;
    until_speaking(&mut watcher, ann.you, false).await;
    ann.show(false, b"no key frame").await;
    ann.show(true, b"after").await;
    let after = watcher.packet("a picture again", |packet| packet.slot.kind().is_video()).await;
    assert!(after.payload.ends_with(b"after"), "nothing comes before the key frame");
    assert_eq!((after.slot, after.seq), (before.slot, before.seq.wrapping_add(1)));
    ann.does(json!({ "type": "set_camera", "on": false })).await;
}

/// Sends a key frame from every camera and returns whose arrived at the viewer, by slot.
async fn seen(server: &Server, cameras: &mut [Client], viewer: &mut Client, round: u8) -> BTreeSet<u32> {
    let dropped = support::dropped(server, DropReason::GateClosed);
    let waiting = cameras.len() as u64 - 25.min(cameras.len() as u64);
    for camera in cameras.iter_mut() {
        camera.show(true, &[round; 50]).await;
    }
    until_counted(server, "the waiting cameras", |c| c.dropped(DropReason::GateClosed) >= dropped + waiting).await;
    let packets = viewer.drain().await;
    let this_round: Vec<_> = packets.iter().filter(|packet| packet.payload.ends_with(&[round; 50])).collect();
    let slots: BTreeSet<_> = this_round.iter().map(|packet| packet.slot).collect();
    assert_eq!(slots.len(), this_round.len(), "one camera to a slot");
    this_round.iter().map(|packet| packet.csrc).collect()
}

// law: cameras-enforced, cameras-most-recent
#[tokio::test]
async fn of_27_cameras_exactly_the_25_most_recent_are_forwarded() {
    let server = server().await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    let mut cameras = Vec::new();
    for n in 0..27 {
        cameras.push(Client::enter(&server, &format!("Camera {n}"), Wish { mic: false, ..Wish::STAGE }).await);
    }
    let ids: Vec<u32> = cameras.iter().map(|camera| camera.you).collect();
    let recent: BTreeSet<u32> = ids[2..].iter().copied().collect();
    assert_eq!(seen(&server, &mut cameras, &mut viewer, 1).await, recent);
    assert_eq!(cameras[0].notice().await, json!({ "kind": "camera_waiting" }));
    assert_eq!(cameras[1].notice().await, json!({ "kind": "camera_waiting" }));

    // One goes off: of the two that wait the more recent one comes back.
    cameras[9].does(json!({ "type": "set_camera", "on": false })).await;
    assert_eq!(cameras[1].notice().await, json!({ "kind": "camera_shown_again" }));
    let mut expected = recent.clone();
    expected.remove(&ids[9]);
    expected.insert(ids[1]);
    assert_eq!(seen(&server, &mut cameras, &mut viewer, 2).await, expected);

    // It goes on again, as the most recent one; the oldest shown gives way.
    cameras[9].does(json!({ "type": "set_camera", "on": true })).await;
    assert_eq!(seen(&server, &mut cameras, &mut viewer, 3).await, recent);
}
