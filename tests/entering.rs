//! Coming in: links, tokens, identities, phones; falling off and coming back.

mod support;

use std::time::Duration;

use dais_signaling::token::Claims;
use dais_stage::{Preset, Role, Settings};
use serde_json::{Value, json};
use support::client::{Session, Wish};
use support::{Client, ROOM, server, server_with, token};

const FAR: u64 = 4_000_000_000;

/// A token for one identity.
fn personal(server: &dais::Server, role: Role, identity: &str) -> String {
    let claims =
        Claims { name: Some(identity.to_owned()), sub: Some(identity.to_owned()), ..Claims::new(ROOM, role, FAR) };
    server.sign(&claims).unwrap()
}

async fn make_link(moderator: &mut Session, role: &str, personal: bool) -> (u64, String) {
    let link = json!({ "type": "make_link", "role": role, "validSeconds": 3600, "personal": personal });
    let made = moderator.request(link).await;
    assert_eq!(made["type"], "link_made", "{made}");
    (made["link"].as_u64().unwrap(), made["token"].as_str().unwrap().to_owned())
}

// law: entry-server-decides, entry-viewer-sends-nothing
#[tokio::test]
async fn who_asks_for_more_than_they_may_gets_a_refusal_and_is_a_viewer() {
    let server = server_with(Settings::preset(Preset::Webinar)).await;
    let mut session = Session::open(&server).await;
    let entered = session.enter(&token(&server, Role::Participant, "Ann"), "stage").await;
    assert_eq!(entered["refused"]["code"], "stage_not_at_entry");
    assert_eq!(entered["state"]["participants"][0]["onStage"], Value::Null);
    let mut speaker = Session::open(&server).await;
    let entered = speaker.enter(&token(&server, Role::Speaker, "Sue"), "stage").await;
    assert_eq!(entered["refused"], Value::Null);
}

// law: entry-phone
#[tokio::test]
async fn a_phone_is_offered_no_stage_at_entry_and_gets_none() {
    let server = server().await;
    let mut session = Session::open(&server).await;
    let token = token(&server, Role::Host, "Ann");
    session.send(&json!({ "type": "hello", "protocol": 2, "token": token, "phone": true })).await;
    assert_eq!(session.next().await.unwrap()["mayJoinStage"], false);
    let entered = session.request(json!({ "type": "enter", "place": "stage", "mic": true, "camera": true })).await;
    assert_eq!(entered["refused"]["code"], "phone_enters_as_viewer");
    session.does(json!({ "type": "join_stage", "mic": true, "camera": true })).await;
}

// law: entry-ways
#[tokio::test]
async fn a_shared_link_lets_in_many_people_and_a_personal_token_one() {
    let server = server().await;
    let shared = server.token(ROOM, Role::Participant, Some("Guest"), Duration::from_secs(60)).unwrap();
    let (mut ann, mut ben) = (Session::open(&server).await, Session::open(&server).await);
    ann.enter(&shared, "viewer").await;
    ben.enter(&shared, "viewer").await;
    assert_ne!(ann.you, ben.you);

    let token = personal(&server, Role::Participant, "cat");
    let mut cat = Session::open(&server).await;
    cat.enter(&token, "stage").await;
    let mut newer = Session::open(&server).await;
    assert_eq!(newer.hello(&token).await["present"], json!({ "onStage": true, "lost": false }));
    let entered = newer.request(json!({ "type": "enter", "place": "viewer", "mic": false, "camera": false })).await;
    assert_eq!(entered["you"], json!(cat.you), "the same person, in the same place");
    assert_eq!(cat.closed().await, "replaced");
    newer.does(json!({ "type": "set_mic", "on": false })).await;
}

#[tokio::test]
async fn of_two_sessions_of_one_person_in_the_same_instant_one_stays() {
    let server = server().await;
    for round in 0..20 {
        let token = personal(&server, Role::Participant, &format!("cat {round}"));
        let (mut first, mut second) = (Session::open(&server).await, Session::open(&server).await);
        first.hello(&token).await;
        second.hello(&token).await;
        let enter = json!({ "type": "enter", "id": 7, "place": "viewer", "mic": false, "camera": false });
        first.send(&enter).await;
        second.send(&enter).await;
        let newer = second.until("the entry", |message| message["id"] == 7).await;
        assert_eq!(newer["type"], "entered", "{newer}");
        // Whichever the server took first was replaced by the other.
        let replaced = |seen: Vec<Value>| seen.iter().any(|message| message["code"] == "replaced");
        assert!(replaced(first.settle().await) != replaced(second.settle().await), "round {round}");
    }
}

#[tokio::test]
async fn another_role_for_the_same_identity_makes_a_new_start() {
    let server = server().await;
    let mut ann = Session::open(&server).await;
    ann.enter(&personal(&server, Role::Participant, "ann"), "viewer").await;
    let mut promoted = Session::open(&server).await;
    assert_eq!(promoted.hello(&personal(&server, Role::Moderator, "ann")).await["present"], Value::Null);
    let entered = promoted.request(json!({ "type": "enter", "place": "viewer", "mic": false, "camera": false })).await;
    assert_eq!(ann.closed().await, "replaced");
    let people = entered["state"]["participants"].as_array().unwrap();
    assert_eq!((people.len(), &people[0]["role"]), (1, &json!("moderator")));
}

#[tokio::test]
async fn a_role_link_works_until_it_is_withdrawn() {
    let server = server().await;
    let mut host = Session::inside(&server, "Hal", Role::Host, "viewer").await;
    let (link, shared) = make_link(&mut host, "speaker", false).await;
    for name in ["Ann", "Ben"] {
        let mut session = Session::open(&server).await;
        assert_eq!(session.hello(&shared).await["role"], "speaker");
        let enter = json!({ "type": "enter", "place": "stage", "mic": true, "camera": true, "name": name });
        assert_eq!(session.request(enter).await["type"], "entered");
    }
    host.does(json!({ "type": "revoke_link", "link": link })).await;
    let mut late = Session::open(&server).await;
    assert_eq!(late.hello(&shared).await["code"], "link_revoked");
    let links = host.request(json!({ "type": "list_links" })).await;
    assert_eq!((&links["links"][0]["over"], &links["links"][0]["role"]), (&json!(true), &json!("speaker")));
}

#[tokio::test]
async fn a_replayed_personal_link_is_refused_but_its_owner_comes_back() {
    let server = server().await;
    let mut host = Session::inside(&server, "Hal", Role::Host, "viewer").await;
    let (_, link) = make_link(&mut host, "host", true).await;
    let mut owner = Session::open(&server).await;
    owner.hello(&link).await;
    let enter = json!({ "type": "enter", "place": "viewer", "mic": false, "camera": false, "name": "Eve" });
    let token = owner.request(enter.clone()).await["token"].as_str().unwrap().to_owned();
    let mut thief = Session::open(&server).await;
    assert_eq!(thief.hello(&link).await["code"], "link_used");
    owner.send(&json!({ "type": "leave" })).await;
    let mut again = Session::open(&server).await;
    assert_eq!(again.hello(&token).await["type"], "entry");
    let entered = again.request(enter).await;
    assert_eq!(entered["type"], "entered", "{entered}");
}

#[tokio::test]
async fn a_moderator_makes_no_link_for_a_host_and_a_participant_none_at_all() {
    let server = server().await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let link = |role: &str| json!({ "type": "make_link", "role": role, "validSeconds": 60, "personal": true });
    assert_eq!(mia.is_refused(link("host")).await, "hosts_only");
    assert_eq!(ann.is_refused(link("speaker")).await, "moderators_only");
    assert_eq!(ann.is_refused(json!({ "type": "list_links" })).await, "moderators_only");
    let none = json!({ "type": "make_link", "role": "speaker", "validSeconds": 0, "personal": true });
    assert_eq!(mia.is_refused(none).await, "link_expired");
}

// law: moderate-actions
#[tokio::test]
async fn a_removed_person_is_told_and_their_token_is_refused_from_then_on() {
    let server = server().await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "stage").await;
    mia.does(json!({ "type": "remove_from_room", "participant": ann.you })).await;
    let closed = ann.told("closed").await;
    assert_eq!(
        (&closed["code"], &closed["text"]),
        (&json!("removed_from_room"), &json!("Mia removed you from the room."))
    );
    let mut again = Session::open(&server).await;
    assert_eq!(again.hello(&ann.token).await["code"], "removed_from_room");
}

// law: back-in-time
#[tokio::test]
async fn who_falls_off_comes_back_to_their_place_with_no_new_approval() {
    let server = server_with(Settings::preset(Preset::Webinar)).await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Client::enter(&server, "Ann", Wish::VIEWER).await;
    ann.does(json!({ "type": "ask_to_join" })).await;
    mia.does(json!({ "type": "approve", "participant": ann.you })).await;
    ann.does(json!({ "type": "join_stage", "mic": true, "camera": true })).await;
    let mut ben = Session::inside(&server, "Ben", Role::Participant, "viewer").await;
    ben.does(json!({ "type": "ask_to_join" })).await;
    ben.does(json!({ "type": "raise_hand" })).await;
    let (ann_token, ben_token, ben_id) = (ann.session.token.clone(), ben.token.clone(), ben.you);
    let ann_id = ann.you;
    drop((ann, ben));

    let lost = |message: &Value| {
        let people = message["participants"].as_array().cloned().unwrap_or_default();
        people.iter().any(|person| person["id"] == json!(ben_id) && person["lost"] == json!(true))
    };
    mia.until("Ben's falling off", lost).await;
    let mut ben = Session::open(&server).await;
    assert_eq!(ben.hello(&ben_token).await["present"]["lost"], true);
    let enter = json!({ "type": "enter", "place": "viewer", "mic": false, "camera": false });
    let entered = ben.request(enter.clone()).await;
    assert_eq!((&entered["you"], &entered["relation"]["kind"]), (&json!(ben_id), &json!("asked")));
    let people = entered["state"]["participants"].as_array().unwrap();
    let me = people.iter().find(|person| person["id"] == json!(ben_id)).unwrap();
    assert!(me["hand"].is_u64() && me["lost"] == json!(false), "{me}");

    let mut ann = Client::enter_with(&server, &ann_token, Wish::VIEWER).await;
    assert_eq!(ann.you, ann_id);
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    ann.speak(20, b"I am back").await;
    viewer.packet("Ann's voice", |packet| packet.payload == b"I am back").await;
}

// law: back-too-late
#[tokio::test]
async fn after_the_grace_time_somebody_has_left() {
    let server = server_with(Settings { grace_ms: 300, ..Settings::default() }).await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let ann = Session::inside(&server, "Ann", Role::Participant, "stage").await;
    let (token, id) = (ann.token.clone(), ann.you);
    drop(ann);
    let left = |message: &Value| message["left"].as_array().is_some_and(|left| left.contains(&json!(id)));
    mia.until("Ann's leaving", left).await;
    let mut again = Session::open(&server).await;
    assert_eq!(again.hello(&token).await["present"], Value::Null);
}

// law: edge-locked
#[tokio::test]
async fn a_locked_room_turns_newcomers_away_at_the_door() {
    let server = server().await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    mia.does(json!({ "type": "set_lock", "locked": true })).await;
    let mut late = Session::open(&server).await;
    assert_eq!(late.hello(&token(&server, Role::Participant, "Ben")).await["code"], "room_locked");
    let mut host = Session::open(&server).await;
    assert_eq!(host.hello(&token(&server, Role::Host, "Hal")).await["type"], "entry");
    let back = ann.token.clone();
    drop(ann);
    let mut ann = Session::open(&server).await;
    assert_eq!(ann.enter(&back, "viewer").await["type"], "entered", "those returning are not affected");
}

// law: edge-ended
#[tokio::test]
async fn a_session_that_has_ended_refuses_everyone() {
    let server = server().await;
    let mut hal = Session::inside(&server, "Hal", Role::Host, "stage").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    hal.send(&json!({ "type": "end_session", "id": 50 })).await;
    assert_eq!((hal.closed().await, ann.closed().await), ("session_ended".to_owned(), "session_ended".to_owned()));
    for role in [Role::Host, Role::Participant] {
        let mut late = Session::open(&server).await;
        assert_eq!(late.hello(&token(&server, role, "Late")).await["code"], "session_ended");
    }
    server.open_room(ROOM, "Again", Settings::default()).await.unwrap();
    let mut again = Session::open(&server).await;
    assert_eq!(again.hello(&token(&server, Role::Host, "Hal")).await["room"]["title"], "Again");
}

#[tokio::test]
async fn ten_thousand_commands_a_second_are_limited_and_told_so() {
    let server = server().await;
    let mut flood = Session::inside(&server, "Flood", Role::Participant, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    for id in 1_000..11_000 {
        let hand = if id % 2 == 0 { "raise_hand" } else { "cancel_request" };
        if !flood.try_send(&json!({ "type": hand, "id": id })).await {
            break;
        }
    }
    let limited = flood.until("a refusal", |message| message["code"] == "rate_limited").await;
    assert!(!limited["text"].as_str().unwrap().is_empty());
    assert_eq!(flood.closed().await, "rate_limited", "whoever goes on is shown the door");
    ann.does(json!({ "type": "raise_hand" })).await;
}
