//! Polls, quizzes, permissions and reactions, over the protocol.

mod support;

use std::time::Duration;

use dais_stage::Role;
use serde_json::{Value, json};
use support::client::Session;
use support::server;

fn question(text: &str, right: &[u8], seconds: u32) -> Value {
    json!({ "text": text, "options": ["one", "two", "three"], "right": right, "seconds": seconds, "points": 10 })
}

fn poll(anonymous: bool) -> Value {
    let question = json!({ "text": "How <b>many</b>?", "options": ["one", "two"], "multiple": true });
    json!({ "type": "make_poll", "poll": { "kind": "poll", "anonymous": anonymous, "questions": [question] } })
}

fn advance(step: &str, question: u8) -> Value {
    json!({ "type": "advance_poll", "poll": 1, "step": step, "question": question })
}

fn answer(question: u8, choices: &[u8]) -> Value {
    json!({ "type": "answer_poll", "poll": 1, "question": question, "choices": choices })
}

/// Waits until poll 1 is told at `step` in `channel`.
async fn sees(session: &mut Session, channel: &str, step: &str) -> Value {
    let first = |message: &Value| message["polls"][0].clone();
    let fits =
        |message: &Value| message["type"] == "polls" && message["channel"] == channel && first(message)["step"] == step;
    first(&session.until("a poll", fits).await)
}

// law: polls-steps, polls-answers, polls-results
#[tokio::test]
async fn everybody_answers_moderators_see_how_and_everyone_the_results_at_the_end() {
    let server = server().await;
    let mut hal = Session::inside(&server, "Hal", Role::Host, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    assert_eq!(ann.is_refused(poll(true)).await, "moderators_only");
    hal.does(poll(true)).await;
    assert_eq!(sees(&mut hal, "moderators", "draft").await["questions"][0]["text"], "How <b>many</b>?");
    assert_eq!(ann.request(json!({ "type": "list_polls" })).await["polls"], json!([]), "a draft is the moderators'");
    assert_eq!(ann.is_refused(answer(0, &[0])).await, "poll_not_open");
    hal.does(advance("draft", 0)).await;
    let shown = sees(&mut ann, "everyone", "open").await;
    assert_eq!((&shown["anonymous"], &shown["questions"][0]["results"]), (&json!(true), &Value::Null));
    assert_eq!(ann.is_refused(answer(0, &[])).await, "answer_invalid");
    assert_eq!(ann.is_refused(answer(0, &[200])).await, "answer_invalid");
    ann.does(answer(0, &[0])).await;
    ann.does(answer(0, &[0, 1])).await;
    assert_eq!(ann.is_refused(answer(0, &[1, 0])).await, "answer_unchanged");
    let live =
        |message: &Value| message["polls"][0]["questions"][0]["results"] == json!({ "answered": 1, "counts": [1, 1] });
    hal.until("the result so far", live).await;
    let own = ann.request(json!({ "type": "list_polls" })).await;
    assert_eq!(own["answers"], json!([{ "poll": 1, "question": 0, "choices": [0, 1] }]));
    hal.does(advance("open", 0)).await;
    assert_eq!(hal.is_refused(advance("open", 0)).await, "poll_moved_on");
    assert_eq!(ann.is_refused(answer(0, &[0])).await, "poll_not_open");
    hal.does(advance("closed", 0)).await;
    let results = &sees(&mut ann, "everyone", "published").await["questions"][0]["results"];
    assert_eq!(results, &json!({ "answered": 1, "counts": [1, 1] }));
    assert_eq!(ann.is_refused(json!({ "type": "delete_poll", "poll": 1 })).await, "moderators_only");
    hal.does(json!({ "type": "delete_poll", "poll": 1 })).await;
    ann.until("the end of the poll", |message| message["deleted"] == json!([1])).await;
    let told = ann.seen.iter().filter(|message| message["type"] == "polls");
    assert!(told.into_iter().all(|message| message["channel"] == "everyone"));
}

// law: polls-quiz
#[tokio::test]
async fn a_quiz_hides_what_is_right_until_its_end_closes_by_time_and_ranks() {
    let server = server().await;
    let mut hal = Session::inside(&server, "Hal", Role::Host, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let quiz = |questions: Value| json!({ "type": "make_poll", "poll": { "kind": "quiz", "title": "Q", "questions": questions } });
    assert_eq!(hal.is_refused(quiz(json!([question("no right answer", &[], 0)]))).await, "poll_right_invalid");
    assert_eq!(hal.is_refused(quiz(json!([question("one that is not there", &[99], 0)]))).await, "poll_right_invalid");
    hal.does(quiz(json!([question("first", &[1], 5), question("second", &[2], 0)]))).await;
    hal.does(advance("draft", 0)).await;
    let first = sees(&mut ann, "everyone", "open").await;
    assert_eq!(first["questions"].as_array().unwrap().len(), 1, "no look ahead");
    assert_eq!((&first["questions"][0]["right"], &first["count"]), (&Value::Null, &json!(2)));
    assert!((1..=5_000).contains(&first["left"].as_u64().unwrap()), "{first}");
    ann.does(answer(0, &[1])).await;
    // Closed by nobody.
    sees(&mut ann, "everyone", "closed").await;
    hal.does(advance("closed", 0)).await;
    assert_eq!(ann.is_refused(answer(0, &[0])).await, "poll_not_open");
    hal.does(answer(1, &[2])).await;
    hal.does(answer(1, &[0])).await;
    hal.does(advance("open", 1)).await;
    hal.does(advance("closed", 1)).await;
    let end = sees(&mut ann, "everyone", "published").await;
    assert_eq!(end["questions"][0]["right"], json!([1]));
    let ranking: Vec<_> = end["ranking"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| (&place["rank"], &place["name"], &place["points"]))
        .collect();
    assert_eq!(ranking, [(&json!(1), &json!("Ann"), &json!(10)), (&json!(2), &json!("Hal"), &json!(0))]);
    let own = ann.request(json!({ "type": "list_polls" })).await;
    assert_eq!(own["scores"], json!([{ "poll": 1, "rank": 1, "points": 10, "of": 2 }]));
}

// law: permissions-table, permissions-hosts, permissions-hands, polls-quick
#[tokio::test]
async fn a_host_changes_who_may_and_everyone_is_told() {
    let server = server().await;
    let mut hal = Session::inside(&server, "Hal", Role::Host, "viewer").await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let permit =
        |ability: &str, allowed: &str| json!({ "type": "set_permission", "ability": ability, "allowed": allowed });
    assert_eq!(mia.is_refused(permit("chat", "nobody")).await, "hosts_only");
    assert_eq!(hal.is_refused(permit("chat", "everyone")).await, "permission_unchanged");
    ann.does(json!({ "type": "raise_hand" })).await;
    hal.does(permit("raise_hand", "moderators")).await;
    let told = json!({ "kind": "permission_changed", "ability": "raise_hand", "allowed": "moderators", "by": "Hal" });
    assert_eq!(ann.notice().await, told);
    assert_eq!(ann.notice().await, json!({ "kind": "hand_lowered", "by": "Hal" }));
    ann.until("the table", |message| message["rules"]["permissions"]["raiseHand"] == "moderators").await;
    assert_eq!(ann.is_refused(json!({ "type": "raise_hand" })).await, "not_permitted");
    hal.does(permit("chat", "nobody")).await;
    assert_eq!(ann.is_refused(json!({ "type": "say", "channel": "everyone", "text": "hello" })).await, "feature_off");
    let quick = json!({ "type": "quick_poll", "kind": "yes_no", "text": "" });
    assert_eq!(ann.is_refused(quick.clone()).await, "not_permitted");
    hal.does(permit("quick_poll", "everyone")).await;
    ann.does(quick.clone()).await;
    assert_eq!(sees(&mut hal, "moderators", "open").await["quick"], ann.you);
    assert_eq!(hal.is_refused(quick).await, "another_poll_open");
    hal.does(permit("answer_polls", "nobody")).await;
    assert_eq!(mia.is_refused(answer(0, &[0])).await, "feature_off");
    ann.does(advance("open", 0)).await;
    ann.does(advance("closed", 0)).await;
}

// law: reactions
#[tokio::test]
async fn reactions_are_told_as_counts_and_ten_thousand_of_one_client_hurt_nobody() {
    let server = server().await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let mut ben = Session::inside(&server, "Ben", Role::Participant, "viewer").await;
    ann.does(json!({ "type": "react", "reaction": "applause" })).await;
    ben.until("a reaction", |message| message["counts"] == json!([{ "reaction": "applause", "count": 1 }])).await;
    let mut flood = Session::inside(&server, "Flood", Role::Participant, "viewer").await;
    for id in 1_000..11_000 {
        if !flood.try_send(&json!({ "type": "react", "id": id, "reaction": "wow" })).await {
            break;
        }
    }
    let closed = flood.closed().await;
    assert!(["rate_limited", "too_slow"].contains(&closed.as_str()), "{closed}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    ann.does(json!({ "type": "react", "reaction": "love" })).await;
    ben.until("a reaction", |message| message["counts"] == json!([{ "reaction": "love", "count": 1 }])).await;
    let wows = ben.seen.iter().filter_map(|message| message["counts"].as_array()).flatten();
    let wows: u64 = wows.filter(|count| count["reaction"] == "wow").filter_map(|count| count["count"].as_u64()).sum();
    assert!(wows <= 20, "{wows} of 10,000");
}
