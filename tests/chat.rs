//! The chat, over the protocol.

mod support;

use dais_stage::{Role, Settings};
use serde_json::{Value, json};
use support::client::Session;
use support::{server, server_with};

fn say(text: &str) -> Value {
    json!({ "type": "say", "channel": "everyone", "text": text })
}

fn list(channel: &str, before: u64) -> Value {
    json!({ "type": "list_chat", "channel": channel, "before": before })
}

/// Reads the chat until it says `text`, and answers with that message.
async fn hears(session: &mut Session, channel: &str, text: &str) -> Value {
    loop {
        let chat = session.told("chat").await;
        let messages = chat["messages"].as_array().unwrap();
        if let Some(message) = messages.iter().find(|message| message["text"] == text) {
            assert_eq!(chat["channel"], channel);
            return message.clone();
        }
    }
}

// law: chat-channels, chat-text
#[tokio::test]
async fn everyone_reads_what_is_said_to_everyone_and_moderators_alone_the_back_channel() {
    let server = server().await;
    let mut hal = Session::inside(&server, "Hal", Role::Host, "viewer").await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let hush = json!({ "type": "say", "channel": "moderators", "text": "Shall we begin?" });
    hal.does(hush.clone()).await;
    hears(&mut mia, "moderators", "Shall we begin?").await;
    let script = "<script>alert(1)</script>";
    ann.does(say(script)).await;
    for session in [&mut hal, &mut mia, &mut ann] {
        let message = hears(session, "everyone", script).await;
        assert_eq!((&message["name"], &message["role"]), (&json!("Ann"), &json!("participant")), "as it was typed");
    }
    assert_eq!(ann.is_refused(hush).await, "moderators_only");
    assert_eq!(ann.is_refused(list("moderators", 0)).await, "moderators_only");
    for (text, code) in [(" \n", "chat_text_empty"), ("a\u{0}b", "chat_text_invalid")] {
        assert_eq!(ann.is_refused(say(text)).await, code);
    }
    assert_eq!(ann.is_refused(say(&"é".repeat(2_001))).await, "chat_text_too_long");
    ann.does(say(&"é".repeat(2_000))).await;
    let heard = ann.settle().await;
    assert!(heard.iter().all(|message| message["channel"] != "moderators"), "{heard:?}");
}

// law: chat-history
#[tokio::test]
async fn whoever_comes_later_reads_what_was_said_page_by_page() {
    let server = server().await;
    for n in 0..7 {
        let mut session = Session::inside(&server, &format!("Hal {n}"), Role::Participant, "viewer").await;
        for message in 1..=10 {
            session.does(say(&format!("message {}", n * 10 + message))).await;
        }
    }
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let mut read = Vec::new();
    let mut before = 0;
    loop {
        let page = ann.request(list("everyone", before)).await;
        let messages = page["messages"].as_array().unwrap();
        read.splice(0..0, messages.iter().map(|message| message["text"].as_str().unwrap().to_owned()));
        before = messages[0]["message"].as_u64().unwrap();
        if page["more"] == false {
            break;
        }
        assert_eq!(messages.len(), 50);
    }
    let said: Vec<_> = (1..=70).map(|n| format!("message {n}")).collect();
    assert_eq!(read, said);
}

// law: chat-moderate, chat-block, told-participants
#[tokio::test]
async fn a_moderator_pins_deletes_clears_and_blocks_and_everyone_is_told() {
    let server = server().await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    ann.does(say("one")).await;
    let one = hears(&mut mia, "everyone", "one").await["message"].clone();
    hears(&mut ann, "everyone", "one").await;
    let pin = json!({ "type": "pin_message", "message": one });
    assert_eq!(ann.is_refused(pin.clone()).await, "moderators_only");
    mia.does(pin.clone()).await;
    assert_eq!(ann.told("chat").await["pin"]["message"]["text"], "one");
    assert_eq!(mia.is_refused(pin).await, "chat_pin_unchanged");
    let delete = json!({ "type": "delete_message", "message": one });
    mia.does(delete.clone()).await;
    let told = ann.told("chat").await;
    assert_eq!((&told["deleted"], &told["pin"]), (&json!([one]), &json!({ "message": null })));
    assert_eq!(mia.is_refused(delete).await, "chat_message_unknown");

    ann.does(say("two")).await;
    hears(&mut ann, "everyone", "two").await;
    mia.does(json!({ "type": "clear_chat" })).await;
    assert_eq!(ann.told("chat").await["cleared"], true);
    assert_eq!(ann.request(list("everyone", 0)).await["messages"], json!([]));
    assert_eq!(mia.is_refused(json!({ "type": "clear_chat" })).await, "chat_is_empty");

    let block = json!({ "type": "block_from_chat", "participant": ann.you });
    mia.does(block.clone()).await;
    assert_eq!(ann.notice().await, json!({ "kind": "chat_blocked", "by": "Mia" }));
    assert_eq!(ann.is_refused(say("three")).await, "chat_blocked");
    assert_eq!(mia.is_refused(block).await, "chat_block_unchanged");
    mia.does(json!({ "type": "unblock_from_chat", "participant": ann.you })).await;
    assert_eq!(ann.notice().await, json!({ "kind": "chat_unblocked", "by": "Mia" }));
    ann.does(say("four")).await;
}

#[tokio::test]
async fn whoever_writes_too_fast_is_refused_and_can_do_everything_else() {
    let server = server().await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let mut said = 0;
    let code = loop {
        let answer = ann.request(say("again")).await;
        if answer["type"] != "ok" {
            break answer["code"].clone();
        }
        said += 1;
        assert!(said < 60, "nothing refuses it");
    };
    assert_eq!(code, "rate_limited");
    assert!(said >= 20, "{said} at once");
    assert_eq!(ann.request(list("everyone", 0)).await["messages"].as_array().unwrap().len(), said.min(50));
    ann.does(json!({ "type": "raise_hand" })).await;
}

#[tokio::test]
async fn of_ten_thousand_messages_at_once_what_was_acknowledged_is_there_and_nobody_else_waits() {
    let server = server_with(Settings::default()).await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    let mut ben = Session::inside(&server, "Ben", Role::Participant, "viewer").await;
    let mut sent = 0_u32;
    while sent < 10_000 {
        let mut message = say(&format!("flood {sent}"));
        message["id"] = json!(100_000 + sent);
        if !ann.try_send(&message).await {
            break;
        }
        sent += 1;
    }
    // Whoever reads no answers meanwhile may be too slow before they are too fast.
    let code = ann.closed().await;
    assert!(["rate_limited", "too_slow"].contains(&code.as_str()), "{code}");
    let acknowledged = ann.seen.iter().filter(|message| message["type"] == "ok").count();
    ben.does(say("calm")).await;
    hears(&mut ben, "everyone", "calm").await;
    let (mut read, mut before) = (0, 0);
    loop {
        let page = ben.request(list("everyone", before)).await;
        let messages = page["messages"].as_array().unwrap();
        read += messages.iter().filter(|message| message["name"] == "Ann").count();
        before = messages[0]["message"].as_u64().unwrap();
        if page["more"] == false {
            break;
        }
    }
    assert!(read >= acknowledged, "{read} are there of {acknowledged} acknowledged");
    assert!((1..100).contains(&read), "{read} are there of {sent} sent");
}
