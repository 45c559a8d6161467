//! Requests, invitations, moderation and notices, over the protocol.

mod support;

use dais_stage::{Access, Preset, Role, Settings};
use serde_json::{Value, json};
use support::client::Session;
use support::{server, server_with};

fn about(kind: &str, participant: u32) -> Value {
    json!({ "type": kind, "participant": participant })
}

fn join() -> Value {
    json!({ "type": "join_stage", "mic": true, "camera": true })
}

async fn queue_of(moderator: &mut Session, fits: impl Fn(&Value) -> bool) -> Value {
    moderator.until("the queue", |message| message["type"] == "queue" && fits(message)).await
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|waiting| waiting["name"].as_str().unwrap()).collect()
}

// law: join-request, told-moderators, told-participants
#[tokio::test]
async fn by_request_every_moderator_is_told_and_one_decides() {
    let server = server_with(Settings::preset(Preset::Webinar)).await;
    let mut hal = Session::inside(&server, "Hal", Role::Host, "viewer").await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let mut ben = Session::inside(&server, "Ben", Role::Participant, "viewer").await;
    assert_eq!(ann.is_refused(join()).await, "ask_first");
    ben.does(json!({ "type": "ask_to_join" })).await;
    ann.does(json!({ "type": "ask_to_join" })).await;
    for moderator in [&mut hal, &mut mia] {
        let arrived = json!({ "kind": "request_arrived", "participant": ben.you, "name": "Ben" });
        assert_eq!(moderator.notice().await, arrived);
        assert_eq!(moderator.notice().await["name"], "Ann");
    }
    let queue = queue_of(&mut mia, |queue| queue["pending"] == 2).await;
    assert_eq!(names(&queue["requests"]), ["Ben", "Ann"], "oldest first");

    mia.does(about("approve", ann.you)).await;
    assert_eq!(ann.notice().await, json!({ "kind": "invited", "by": "Mia" }));
    assert_eq!(mia.notice().await, json!({ "kind": "invitation_sent", "name": "Ann" }));
    let refused = hal.request(about("decline", ann.you)).await;
    assert_eq!((&refused["code"], &refused["text"]), (&json!("already_decided"), &json!("already decided by Mia")));
    hal.does(about("decline", ben.you)).await;
    assert_eq!(ben.notice().await, json!({ "kind": "request_declined", "by": "Hal" }));
    ben.does(json!({ "type": "ask_to_join" })).await;
    ben.does(json!({ "type": "cancel_request" })).await;
    let cancelled = hal.until("the cancelling", |message| message["notice"]["kind"] == "request_cancelled").await;
    assert_eq!(cancelled["notice"]["name"], "Ben");
    ann.does(join()).await;
    let relation = ann.until("the relation", |message| message["relation"]["kind"] == "none").await;
    assert_eq!(relation["type"], "relation");
}

// law: join-invite, invite-any-mode, told-moderators, told-participants
#[tokio::test]
async fn an_invitation_is_confirmed_declined_or_taken_back() {
    let server = server_with(Settings { access: Access::Invite, ..Settings::default() }).await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    assert_eq!(ann.is_refused(json!({ "type": "ask_to_join" })).await, "asking_closed");
    mia.does(about("invite", ann.you)).await;
    assert_eq!(mia.notice().await, json!({ "kind": "invitation_sent", "name": "Ann" }));
    assert_eq!(ann.notice().await, json!({ "kind": "invited", "by": "Mia" }));
    ann.does(json!({ "type": "decline_invitation" })).await;
    assert_eq!(mia.notice().await, json!({ "kind": "invitation_declined", "name": "Ann" }));
    mia.does(about("invite", ann.you)).await;
    ann.notice().await;
    let queue = queue_of(&mut mia, |queue| !queue["invited"].as_array().unwrap().is_empty()).await;
    assert_eq!(names(&queue["invited"]), ["Ann"]);
    mia.does(about("withdraw_invitation", ann.you)).await;
    assert_eq!(ann.notice().await, json!({ "kind": "invitation_withdrawn", "by": "Mia" }));
    assert_eq!(ann.is_refused(join()).await, "invitation_needed");
}

// law: access-change, told-participants
#[tokio::test]
async fn a_change_of_access_is_told_to_everyone_and_closes_requests() {
    let server = server_with(Settings::preset(Preset::Webinar)).await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let mut ben = Session::inside(&server, "Ben", Role::Participant, "viewer").await;
    ann.does(json!({ "type": "ask_to_join" })).await;
    mia.does(json!({ "type": "set_access", "access": "invite" })).await;
    let changed = json!({ "kind": "access_changed", "access": "invite", "by": "Mia" });
    assert_eq!(ben.notice().await, changed);
    assert_eq!(ann.notice().await, changed);
    assert_eq!(ann.notice().await, json!({ "kind": "request_closed", "access": "invite" }));
    let rules = ben.until("the rules", |message| message["rules"].is_object()).await;
    assert_eq!(rules["rules"]["access"], "invite");
}

// law: moderate-actions, full-told, edge-lowering, told-participants
#[tokio::test]
async fn everything_done_to_a_person_is_told_to_them() {
    let server = server().await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "stage").await;
    let mut ben = Session::inside(&server, "Ben", Role::Participant, "stage").await;
    for (command, told) in [("mute", "muted"), ("stop_camera", "camera_stopped"), ("ask_to_unmute", "asked_to_unmute")]
    {
        mia.does(about(command, ben.you)).await;
        assert_eq!(ben.notice().await, json!({ "kind": told, "by": "Mia" }));
    }
    ben.does(json!({ "type": "set_camera", "on": true })).await;
    mia.does(json!({ "type": "set_camera_limit", "limit": 1 })).await;
    assert_eq!(ann.notice().await, json!({ "kind": "camera_waiting" }));
    mia.does(json!({ "type": "set_camera_limit", "limit": 25 })).await;
    assert_eq!(ann.notice().await, json!({ "kind": "camera_shown_again" }));
    mia.does(json!({ "type": "set_capacity", "capacity": 1 })).await;
    assert_eq!(ann.notice().await, json!({ "kind": "stage_smaller", "by": "Mia" }));
    let relation = ann.until("the right to return", |message| message["type"] == "relation").await;
    assert_eq!(relation["relation"]["kind"], "may_return");
    ann.does(join()).await;
    assert_eq!(ben.notice().await, json!({ "kind": "stage_full", "admitted": "Ann" }));
    mia.does(about("decline", ben.you)).await;
    assert_eq!(ben.notice().await, json!({ "kind": "return_declined", "by": "Mia" }));
    mia.does(about("remove_from_stage", ann.you)).await;
    assert_eq!(ann.notice().await, json!({ "kind": "removed_from_stage", "by": "Mia" }));
    ann.does(json!({ "type": "raise_hand" })).await;
    mia.does(about("lower_hand", ann.you)).await;
    assert_eq!(ann.notice().await, json!({ "kind": "hand_lowered", "by": "Mia" }));
}

// law: viewer-hand, viewer-listed
#[tokio::test]
async fn raised_hands_are_queued_in_order_and_seen_in_the_list() {
    let server = server().await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let mut ben = Session::inside(&server, "Ben", Role::Participant, "viewer").await;
    ben.does(json!({ "type": "raise_hand" })).await;
    ann.does(json!({ "type": "raise_hand" })).await;
    let queue = queue_of(&mut mia, |queue| queue["hands"].as_array().unwrap().len() == 2).await;
    assert_eq!(names(&queue["hands"]), ["Ben", "Ann"]);
    let viewers = ann.request(json!({ "type": "list_viewers", "after": 0 })).await;
    assert_eq!(viewers["participants"].as_array().unwrap().len(), 3);
    assert_eq!(viewers["more"], false);
}

#[tokio::test]
async fn only_moderators_see_the_queue_and_the_pop_ups() {
    let server = server_with(Settings::preset(Preset::Webinar)).await;
    let _mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let mut ben = Session::inside(&server, "Ben", Role::Participant, "viewer").await;
    ben.does(json!({ "type": "ask_to_join" })).await;
    let seen = ann.settle().await;
    assert!(!seen.iter().any(|message| message["type"] == "queue" || message["type"] == "notice"), "{seen:?}");
}
