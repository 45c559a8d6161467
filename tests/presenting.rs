//! Presenting, packet by packet: a screen and its sound are forwarded while its owner presents, and no longer.

mod support;

use dais_media::{DropReason, Slot};
use dais_stage::Role;
use serde_json::json;
use support::client::{Session, Wish};
use support::{Client, dropped, server, token, until_counted};

/// On stage or not, with the screen's sections, and receiving every slot.
const PRESENTER: Wish = Wish { role: Role::Speaker, presents: true, cameras: 26, voices: 9, ..Wish::VIEWER };
const VIEWER: Wish = Wish { cameras: 26, voices: 9, ..Wish::VIEWER };

// law: present-who, present-stop
#[tokio::test]
async fn a_screen_is_forwarded_while_it_is_presented_and_not_a_packet_longer() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", PRESENTER).await;
    let mut host = Client::enter(&server, "Host", Wish::HOST).await;
    let mut viewer = Client::enter(&server, "Viewer", VIEWER).await;
    let gated = async |n: u64| until_counted(&server, "the gate", |c| c.dropped(DropReason::GateClosed) == n).await;

    ann.present(true, b"before").await;
    gated(2).await;
    assert_eq!(viewer.is_refused(json!({ "type": "present", "sound": true })).await, "not_permitted");

    ann.does(json!({ "type": "present", "sound": true })).await;
    let update = viewer.session.until("who presents", |message| message["presentation"].is_object()).await;
    let presentation = &update["presentation"];
    let told = (&presentation["participant"], &presentation["name"], &presentation["sound"]);
    assert_eq!(told, (&json!(ann.you), &json!("Ann"), &json!(true)));
    ann.present(true, b"shown").await;
    let mut shown = viewer.drain().await;
    assert!(shown.iter().all(|packet| packet.payload.ends_with(b"shown") && packet.csrc == ann.you));
    shown.sort_by_key(|packet| packet.slot);
    assert!(shown.iter().map(|packet| packet.slot).eq([Slot::SCREEN, Slot::SCREEN_AUDIO]), "{shown:?}");
    let mut late = Session::open(&server).await;
    let entered = late.enter(&token(&server, Role::Participant, "Late"), "viewer").await;
    assert_eq!(entered["state"]["presentation"]["participant"], ann.you, "who comes later knows");

    host.does(json!({ "type": "stop_presenting", "participant": ann.you })).await;
    ann.present(true, b"after").await;
    gated(4).await;
    assert!(viewer.drain().await.is_empty(), "nothing after it was stopped");
    // Everyone is told of the beginning and the end, Ann of who ended it.
    let mut told = [ann.notice().await, ann.notice().await, ann.notice().await];
    told.sort_by_key(|notice| notice["kind"].to_string());
    let kinds = told.iter().map(|notice| notice["kind"].as_str().unwrap());
    assert!(kinds.eq(["presenting_ended", "presenting_started", "presenting_stopped"]), "{told:?}");
    assert_eq!((&told[2]["by"], &told[2]["takenOver"]), (&json!("Host"), &json!(false)));

    ann.does(json!({ "type": "present", "sound": false })).await;
    ann.present(true, b"mute").await;
    gated(5).await;
    viewer.packet("the screen", |packet| packet.slot == Slot::SCREEN && packet.payload.ends_with(b"mute")).await;
    assert_eq!(dropped(&server, DropReason::GateClosed), 5, "no sound where none was asked for");
}

// law: present-one
#[tokio::test]
async fn whoever_takes_over_is_shown_from_their_first_packet_and_the_other_from_none_after() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", PRESENTER).await;
    let mut host = Client::enter(&server, "Host", Wish { role: Role::Host, ..PRESENTER }).await;
    let mut viewer = Client::enter(&server, "Viewer", VIEWER).await;
    ann.does(json!({ "type": "present", "sound": false })).await;
    ann.present(true, b"ann").await;
    viewer.packet("Ann's screen", |packet| packet.csrc == ann.you).await;
    host.does(json!({ "type": "present", "sound": false })).await;
    assert_eq!(ann.is_refused(json!({ "type": "present", "sound": false })).await, "somebody_presents");
    for n in 0..10 {
        ann.present(true, b"ann").await;
        host.present(n == 0, b"host").await;
    }
    let first = viewer.packet("the host's screen", |packet| packet.slot == Slot::SCREEN).await;
    assert_eq!(first.csrc, host.you);
    let rest = viewer.drain().await;
    assert_eq!(rest.iter().filter(|packet| packet.csrc == host.you).count(), 9);
    assert!(rest.iter().all(|packet| packet.csrc == host.you));
}
