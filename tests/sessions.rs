//! Sessions that are wrong, each in its own way: a clear code, a text, and no effect on anybody else.

mod support;

use std::time::Duration;

use dais_media::DropReason;
use dais_signaling::token::Claims;
use dais_stage::Role;
use serde_json::{Value, json};
use support::client::{Session, Wish};
use support::http::http;
use support::process::{Folder, Process, demo_token};
use support::{Client, ROOM, server, token, until_counted};
use tokio_tungstenite::tungstenite::{Bytes, Message};

fn code(message: &Value) -> &str {
    assert!(!message["text"].as_str().unwrap_or_default().is_empty(), "a code comes with a text: {message}");
    message["code"].as_str().unwrap()
}

/// Says `first` and expects the session to end with `expected`.
async fn ends_with(server: &dais::Server, room: &str, first: &Value, expected: &str) {
    let mut session = Session::open_room(server, room).await;
    session.send(first).await;
    let closed = session.next().await.expect("the reason is told");
    assert_eq!((closed["type"].as_str(), code(&closed)), (Some("closed"), expected));
    assert_eq!(session.next().await, None);
}

fn hello(token: &str) -> Value {
    json!({ "type": "hello", "protocol": 2, "token": token })
}

#[tokio::test]
async fn whoever_may_not_come_in_is_told_why() {
    let server = server().await;
    let good = token(&server, Role::Host, "Ann");
    let lost_room = server.token("nowhere", Role::Host, None, Duration::from_secs(60)).unwrap();
    let expired = server.sign(&Claims::new(ROOM, Role::Host, 1_000)).unwrap();
    ends_with(&server, ROOM, &hello("nonsense"), "token_invalid").await;
    ends_with(&server, ROOM, &hello(&expired), "token_expired").await;
    ends_with(&server, "elsewhere", &hello(&good), "token_invalid").await;
    ends_with(&server, "nowhere", &hello(&lost_room), "unknown_room").await;
    let other_version = json!({ "type": "hello", "protocol": 99, "token": good });
    ends_with(&server, ROOM, &other_version, "protocol_version").await;
    ends_with(&server, ROOM, &json!({ "type": "leave" }), "hello_expected").await;
    ends_with(&server, ROOM, &json!({ "type": "dance" }), "message_unknown_type").await;
    ends_with(&server, ROOM, &json!({ "type": "hello" }), "message_malformed").await;
}

#[tokio::test]
async fn a_message_that_is_wrong_is_refused_and_the_session_goes_on() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    let session = &mut ann.session;
    let refused = [
        (r#"{"type":"dance","id":70}"#, "message_unknown_type"),
        (r#"{"type":"set_mic","id":71}"#, "message_malformed"),
        ("not json", "message_malformed"),
        ("", "message_malformed"),
        (r#"{"type":"enter","id":72,"place":"stage","mic":true,"camera":true}"#, "already_entered"),
        (r#"{"type":"hello","protocol":2,"token":"x"}"#, "already_entered"),
        (r#"{"type":"offer","id":73,"sdp":"v=0"}"#, "sdp_malformed"),
        (r#"{"type":"mute","id":74,"participant":1}"#, "moderators_only"),
        (r#"{"type":"leave_stage","id":75}"#, "cannot_leave_stage"),
        (r#"{"type":"join_stage","id":76,"mic":true,"camera":true}"#, "already_on_stage"),
    ];
    for (text, expected) in refused {
        session.send_text(text).await;
        let error = session.until("an error", |message| message["type"] == "error").await;
        assert_eq!(code(&error), expected, "{text}");
    }
    session.send_message(Message::Binary(Bytes::from_static(&[1, 2, 3]))).await;
    let error = session.until("an error", |message| message["type"] == "error").await;
    assert_eq!(code(&error), "message_binary");
    ann.does(json!({ "type": "set_mic", "on": false })).await;
}

#[tokio::test]
async fn a_name_that_cannot_be_is_refused_and_another_one_may_follow() {
    let server = server().await;
    let nameless = server.token(ROOM, Role::Participant, None, Duration::from_secs(60)).unwrap();
    let mut session = Session::open(&server).await;
    session.hello(&nameless).await;
    let long = "é".repeat(65);
    for (name, expected) in [
        (None, "name_missing"),
        (Some("  "), "name_missing"),
        (Some(&long), "name_too_long"),
        (Some("a\u{0}"), "name_invalid"),
    ] {
        let mut enter = json!({ "type": "enter", "place": "viewer", "mic": false, "camera": false });
        if let Some(name) = name {
            enter["name"] = json!(name);
        }
        assert_eq!(code(&session.request(enter).await), expected);
    }
    let before = json!({ "type": "set_mic", "id": 99, "on": true });
    session.send(&before).await;
    assert_eq!(code(&session.next().await.unwrap()), "not_entered");
    let enter = json!({ "type": "enter", "place": "viewer", "mic": false, "camera": false, "name": "Zoë" });
    let entered = session.request(enter).await;
    assert_eq!(entered["state"]["participants"][0]["name"], "Zoë");
}

#[tokio::test]
async fn an_oversized_message_ends_the_session_and_no_other() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    let mut ben = Client::enter(&server, "Ben", Wish::VIEWER).await;
    let long = json!({ "type": "offer", "id": 1, "sdp": "x".repeat(400 * 1024) });
    ben.session.send(&long).await;
    let closed = ben.session.until("the end", |message| message["type"] == "closed").await;
    assert_eq!(code(&closed), "message_too_large");
    let is_ben = |person: &Value| person["id"] == json!(ben.you) && person["lost"] == json!(true);
    let lost = |message: &Value| message["participants"].as_array().is_some_and(|people| people.iter().any(is_ben));
    ann.session.until("Ben's falling off", lost).await;
    ann.does(json!({ "type": "set_mic", "on": false })).await;
}

#[tokio::test]
async fn offers_that_do_not_fit_say_what_is_wrong() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish::VIEWER).await;
    let identity = dais_media::Identity::generate().unwrap();
    let ssrcs = support::offer::Ssrcs { mic: 1, camera: 2, camera_rtx: 3, ..support::offer::Ssrcs::fresh() };
    let good = support::offer::offer(identity.fingerprint(), "uuuu", Some(ssrcs), 2, 2);
    let broken = [
        (good.replace("sendonly", "sendrecv"), "sdp_direction"),
        (good.replace("sha-256", "sha-1"), "sdp_no_fingerprint"),
        (good.replace("a=ice-pwd", "a=x-pwd"), "sdp_no_ice"),
        (good.replace("actpass", "passive"), "sdp_setup"),
        (good.replace("BUNDLE 0 1", "BUNDLE 0"), "sdp_not_bundled"),
        (good.replace("a=mid:3\r\n", ""), "sdp_no_mid"),
        (good.replace("VP8/90000", "H264/90000"), "sdp_codec"),
        (good.replace("m=audio", "m=application"), "sdp_media"),
        (good.replace("a=ssrc:1 ", &format!("a=ssrc:{} ", 0x0DA1_5000)), "sdp_ssrc_collision"),
        (support::offer::offer(identity.fingerprint(), "uuuu", Some(ssrcs), 27, 2), "sdp_too_many_sections"),
        (format!("{good}a=x:{}\r\n", "y".repeat(5_000)), "sdp_too_long"),
    ];
    for (sdp, expected) in broken {
        assert_eq!(ann.is_refused(json!({ "type": "offer", "sdp": sdp })).await, expected);
    }
    let answer = ann.request(json!({ "type": "offer", "sdp": good })).await;
    assert_eq!(answer["type"], "answer");
}

#[tokio::test]
async fn whoever_leaves_is_gone_for_everyone_and_so_is_their_media() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    let mut ben = Client::enter(&server, "Ben", Wish::VIEWER).await;
    ann.speak(20, b"hello").await;
    ben.packet("Ann's voice", |packet| packet.payload == b"hello").await;
    ann.session.send(&json!({ "type": "leave" })).await;
    let left = |message: &Value| message["left"].as_array().is_some_and(|left| left.contains(&json!(ann.you)));
    ben.session.until("Ann's leaving", left).await;
    ann.speak(20, b"ghost").await;
    until_counted(&server, "a packet of somebody gone", |c| c.dropped(DropReason::UnknownAddress) == 1).await;
    // A late joiner never sees what is gone.
    let cat = Client::enter(&server, "Cat", Wish::VIEWER).await;
    assert_ne!(cat.you, ann.you);
    assert!(ben.drain().await.iter().all(|packet| packet.payload != b"ghost"));
}

#[tokio::test]
async fn a_request_for_no_websocket_is_told_what_is_wanted() {
    let server = server().await;
    let answer = http(&server, "GET", &format!("/v1/rooms/{ROOM}/session"), &[], "").await;
    assert_eq!((answer.status, answer.header("upgrade")), (426, Some("websocket")));
}

/// Bytes of memory a process has.
fn resident(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

/// Browsers' offers have up to 150 kB, and come once in the hours of a session.
#[tokio::test]
async fn a_session_keeps_no_memory_of_its_offer() {
    const SESSIONS: u64 = 100;
    let folder = Folder::new("offers");
    let process = Process::start(&folder.0, &[]);
    let offer = format!("v=0\r\n{}", "a=x-nothing:0123456789\r\n".repeat(6_000));
    let enter = json!({ "type": "enter", "place": "viewer", "mic": false, "camera": false, "offer": offer });
    let cameras: Vec<_> = (0..5).map(|slot| json!({ "slot": slot, "height": 180 })).collect();
    let watch = json!({ "type": "watch", "cameras": cameras });
    let mut sessions = Vec::new();
    let mut offer_one = async || {
        let mut session = Session::connect(&process.address, "demo").await;
        let entry = session.hello(&demo_token(Role::Participant, "Ann")).await;
        assert_eq!(entry["type"], "entry", "{entry}");
        assert_eq!(session.is_refused(enter.clone()).await, "sdp_malformed");
        // As a page goes on, which says what it shows.
        for _ in 0..10 {
            assert_eq!(session.is_refused(watch.clone()).await, "not_entered");
        }
        sessions.push(session);
    };
    // What is made for the first, for all.
    for _ in 0..20 {
        offer_one().await;
    }
    let before = resident(&process);
    for _ in 0..SESSIONS {
        offer_one().await;
    }
    let each = resident(&process).saturating_sub(before) / SESSIONS;
    assert!(each < 50_000, "{each} bytes for each session, of offers of {} bytes", offer.len());
}
