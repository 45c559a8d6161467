//! Media that outlives its session, until another session takes it up.

mod support;

use std::time::{Duration, Instant};

use dais_media::Tally;
use serde_json::{Value, json};
use support::client::{Session, Wish};
use support::{Client, done, server};

/// Comes back to the media that goes on; the answer to `enter`.
async fn come_back(server: &dais::Server, token: &str) -> (Session, Value) {
    let mut session = Session::open(server).await;
    let entry = session.hello(token).await;
    assert_eq!(entry["present"]["lost"], true, "no other window is open: {entry}");
    let enter = json!({ "type": "enter", "place": "stage", "mic": true, "camera": true, "keepMedia": true });
    let entered = session.request(enter).await;
    (session, entered)
}

/// Whether `message` is news of somebody who is lost, or not any more.
fn tells_of_loss(message: &Value, id: u32) -> Option<bool> {
    let all = message["participants"].as_array()?;
    all.iter().find(|person| person["id"] == id)?["lost"].as_bool()
}

#[tokio::test]
async fn a_session_that_is_lost_is_taken_up_and_nobody_hears_of_it() {
    let server = server().await;
    let mut ben = Client::enter(&server, "Ben", Wish::VIEWER).await;
    let Client { you, session, mut media } = Client::enter(&server, "Ann", Wish::STAGE).await;
    media.show(true, b"before").await;
    ben.packet("a picture", |packet| packet.payload.ends_with(b"before")).await;
    let token = session.token.clone();
    drop(session);
    media.show(false, b"meanwhile").await;
    ben.packet("a picture without a session", |packet| packet.payload.ends_with(b"meanwhile")).await;

    let (mut session, entered) = come_back(&server, &token).await;
    assert_eq!((entered["type"].as_str(), entered["you"].as_u64()), (Some("entered"), Some(u64::from(you))));
    assert_eq!(entered["answer"], Value::Null);
    media.show(false, b"afterwards").await;
    ben.packet("a picture of the next session", |packet| packet.payload.ends_with(b"afterwards")).await;
    // The credentials it got are good for another path, over which it hears and is heard.
    let (ufrag, pwd) = (entered["ice"]["ufrag"].as_str().unwrap(), entered["ice"]["pwd"].as_str().unwrap());
    let before = done(&server, Tally::AddressChanges);
    let elsewhere = media.checks_from_another_address(&format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n")).await;
    support::until_counted(&server, "another address", |c| c.done(Tally::AddressChanges) > before).await;
    drop(elsewhere);

    session.does(json!({ "type": "set_mic", "on": false })).await;
    let told = ben.session.settle().await;
    assert!(!told.iter().any(|message| tells_of_loss(message, you) == Some(true)), "{told:?}");
    drop(media);
}

#[tokio::test]
async fn a_session_that_does_not_come_back_is_lost_after_a_while_and_its_media_with_it() {
    let server = server().await;
    let mut ben = Client::enter(&server, "Ben", Wish::VIEWER).await;
    let Client { you, session, media } = Client::enter(&server, "Ann", Wish::STAGE).await;
    let token = session.token.clone();
    let gone = Instant::now();
    drop(session);
    ben.session.until("news of the loss", |message| tells_of_loss(message, you) == Some(true)).await;
    assert!(gone.elapsed() >= Duration::from_secs(2), "{:?}", gone.elapsed());
    let (_, refused) = come_back(&server, &token).await;
    assert_eq!(refused["code"], "media_lost", "{refused}");
    drop(media);
}

#[tokio::test]
async fn media_that_is_not_there_cannot_be_kept() {
    let server = server().await;
    let mut stranger = Session::open(&server).await;
    stranger.hello(&support::token(&server, dais_stage::Role::Host, "Ann")).await;
    let enter = json!({ "type": "enter", "place": "stage", "mic": true, "camera": true, "keepMedia": true });
    assert_eq!(stranger.is_refused(enter.clone()).await, "media_lost");
    // They may come in with an offer, or without media.
    let entered = stranger.request(json!({ "type": "enter", "place": "viewer", "mic": false, "camera": false })).await;
    assert_eq!(entered["type"], "entered");
    assert_eq!(stranger.is_refused(json!({ "type": "restart_ice" })).await, "media_lost");
}

#[tokio::test]
async fn ice_is_restarted_over_the_session() {
    let server = server().await;
    let mut ben = Client::enter(&server, "Ben", Wish::VIEWER).await;
    let ice = ben.request(json!({ "type": "restart_ice" })).await["ice"].clone();
    let ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    let mut media = ann.media;
    let credentials =
        format!("a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", ice["ufrag"].as_str().unwrap(), ice["pwd"].as_str().unwrap());
    let elsewhere = ben.checks_from_another_address(&credentials).await;
    let picture = [7; 500];
    media.show(true, &picture).await;
    let mut datagram = [0; 2_000];
    let heard = async {
        loop {
            let len = elsewhere.recv(&mut datagram).await.unwrap();
            // The answer to the check and reports are smaller.
            if len > picture.len() {
                return;
            }
            media.show(false, &picture).await;
        }
    };
    tokio::time::timeout(support::PATIENCE, heard).await.expect("media goes the new way");
}
