//! What pictures of a room are sent in: its codec while everyone who receives pictures decodes it, else VP8.

mod support;

use dais::Server;
use dais_stage::{Codec, Role, Settings};
use serde_json::json;
use support::client::{Session, Wish};
use support::http::http;
use support::media::Unconnected;
use support::offer::{Ssrcs, VP8, offer};
use support::{Client, ROOM, server_with, token};

async fn server_of_h264() -> Server {
    server_with(Settings { codec: Codec::H264, ..Settings::default() }).await
}

/// Somebody on stage without media, who decodes whatever is sent.
async fn on_stage(server: &Server, name: &str) -> (Session, String) {
    let mut session = Session::open(server).await;
    let entry = session.hello(&token(server, Role::Host, name)).await;
    assert_eq!(entry["codec"], "h264", "the room's, whatever is sent");
    let enter = json!({ "type": "enter", "place": "stage", "mic": true, "camera": true });
    let entered = session.request(enter).await;
    // Whoever comes on stage is told, also at entry.
    assert_eq!(session.told("codec").await["codec"], entered["codec"]);
    (session, entered["codec"].as_str().unwrap().to_owned())
}

/// Somebody whose offer has VP8 alone.
async fn without_h264(server: &Server, name: &str) -> Client {
    Client::enter(server, name, Wish { cameras: 1, voices: 1, ..Wish::VIEWER }).await
}

#[tokio::test]
async fn a_room_falls_back_for_as_long_as_somebody_does_not_decode_its_codec() {
    let server = server_of_h264().await;
    let (mut ann, codec) = on_stage(&server, "Ann").await;
    assert_eq!(codec, "h264");
    let mut first = without_h264(&server, "Ben").await;
    assert_eq!(ann.told("codec").await["codec"], "vp8");
    let mut second = without_h264(&server, "Cat").await;
    first.session.send(&json!({ "type": "leave" })).await;
    let said = ann.settle().await;
    assert!(said.iter().all(|message| message["type"] != "codec"), "one of them is still there");
    second.session.send(&json!({ "type": "leave" })).await;
    assert_eq!(ann.told("codec").await["codec"], "h264");
}

#[tokio::test]
async fn who_comes_meanwhile_and_who_comes_on_stage_are_told_too() {
    let server = server_of_h264().await;
    let _without = without_h264(&server, "Ben").await;
    let (_ann, codec) = on_stage(&server, "Ann").await;
    assert_eq!(codec, "vp8");
    let mut dan = Session::inside(&server, "Dan", Role::Participant, "viewer").await;
    dan.does(json!({ "type": "join_stage", "mic": true, "camera": true })).await;
    assert_eq!(dan.told("codec").await["codec"], "vp8");
}

#[tokio::test]
async fn a_viewer_who_connects_anew_without_the_codec_counts_too() {
    let server = server_of_h264().await;
    let (mut ann, _) = on_stage(&server, "Ann").await;
    let mut ben = Session::inside(&server, "Ben", Role::Participant, "viewer").await;
    let unconnected = Unconnected::new().await;
    let sdp = offer(unconnected.identity.fingerprint(), &unconnected.ufrag, None, 1, 1);
    let answer = ben.request(json!({ "type": "offer", "sdp": sdp })).await;
    assert_eq!(answer["type"], "answer");
    assert_eq!(ann.told("codec").await["codec"], "vp8");
}

#[tokio::test]
async fn in_a_room_of_vp8_nobody_is_told_anything() {
    let server = server_with(Settings::default()).await;
    let mut ann = Session::inside(&server, "Ann", Role::Host, "stage").await;
    let _ben = without_h264(&server, "Ben").await;
    assert!(ann.settle().await.iter().all(|message| message["type"] != "codec"));
}

/// What OBS offers.
#[tokio::test]
async fn an_encoder_with_h264_alone_comes_on_stage_over_whip() {
    let server = server_of_h264().await;
    let unconnected = Unconnected::new().await;
    let sdp = offer(unconnected.identity.fingerprint(), &unconnected.ufrag, Some(Ssrcs::fresh()), 0, 0);
    let h264 = format!(
        "a=rtpmap:{VP8} H264/90000\r\na=fmtp:{VP8} profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1"
    );
    let sdp = sdp.replace(&format!("a=rtpmap:{VP8} VP8/90000"), &h264);
    let bearer = format!("Bearer {}", token(&server, Role::Speaker, "Encoder"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/sdp")];
    let created = http(&server, "POST", &format!("/v1/rooms/{ROOM}/whip"), &headers, &sdp).await;
    assert_eq!(created.status, 201, "{created:?}");
    assert!(created.body.contains("H264/90000") && !created.body.contains("VP8"), "{}", created.body);
    // It receives nothing, so nothing falls back.
    let (_ann, codec) = on_stage(&server, "Ann").await;
    assert_eq!(codec, "h264");
}
