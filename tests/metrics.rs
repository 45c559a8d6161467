//! What the server measures of itself, as somebody who scrapes it sees it.

mod support;

use dais::{Config, MetricsListen, Server};
use dais_stage::{Role, Settings};
use serde_json::json;
use support::client::{Session, Wish};
use support::media::pause;
use support::process::Folder;
use support::{Client, PATIENCE, ROOM, http, server, server_with, token, until_scraped};
use tokio::time::timeout;

#[tokio::test]
async fn metrics_are_at_an_address_of_their_own() {
    let server = server().await;
    let metrics = server.metrics_address().unwrap();
    assert_ne!(metrics.port(), server.address().port());
    let (status, body) = http::get(&server.address().to_string(), "/metrics").await;
    assert!(status != 200 && !body.contains("dais_"), "people see nothing of them: {status} {body}");
    assert_eq!(http::get(&metrics.to_string(), "/v1/rooms/room").await.0, 404, "and Prometheus sees nothing else");
    until_scraped(&server, &["dais_rooms 1", r#"dais_build_info{version="0.1.0"} 1"#]).await;

    let off = Server::start(&Config { metrics_listen: Some(MetricsListen::Off), ..Config::loopback() }).await.unwrap();
    assert_eq!(off.metrics_address(), None);
    let taken = Config { metrics_listen: Some(MetricsListen::At(metrics)), ..Config::loopback() };
    let error = Server::start(&taken).await.err().expect("two servers cannot have one address").to_string();
    assert!(error.starts_with(&format!("cannot serve metrics on {metrics}")), "{error}");
}

#[tokio::test]
async fn refusals_are_counted_by_code() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish::VIEWER).await;
    ann.is_refused(json!({ "type": "set_mic", "on": true })).await;
    let mut ben = Session::open(&server).await;
    ben.send(&json!({ "type": "hello", "protocol": 2, "token": "nonsense" })).await;
    assert_eq!(ben.closed().await, "token_invalid");
    until_scraped(
        &server,
        &[
            r#"dais_refused_total{code="not_on_stage"} 1"#,
            r#"dais_refused_total{code="token_invalid"} 1"#,
            r#"dais_refused_total{code="internal"} 0"#,
        ],
    )
    .await;
}

/// Ann and Ben fill a stage with one camera slot; Cat's coming removes Ann, who raises her hand.
#[tokio::test]
async fn a_room_is_counted_while_it_changes_and_when_everyone_has_left() {
    let server = server_with(Settings { capacity: 2, camera_limit: 1, ..Settings::default() }).await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let mut ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    let mut ben = Client::enter(&server, "Ben", Wish::STAGE).await;
    let mut cat = Client::enter(&server, "Cat", Wish::STAGE).await;
    for _ in 0..50 {
        ben.speak(20, &[0; 60]).await;
        pause(20).await;
    }
    mia.does(json!({ "type": "set_access", "access": "request" })).await;
    ann.does(json!({ "type": "raise_hand" })).await;
    mia.does(json!({ "type": "remove_from_stage", "participant": ben.you })).await;
    ben.does(json!({ "type": "ask_to_join" })).await;
    until_scraped(
        &server,
        &[
            r#"dais_participants{place="stage"} 1"#,
            r#"dais_participants{place="viewer"} 3"#,
            r#"dais_cameras{state="forwarded"} 1"#,
            r#"dais_cameras{state="waiting"} 0"#,
            "dais_pending_requests 1",
            "dais_raised_hands 1",
            "dais_sessions 4",
            "dais_media_peers 3",
            "dais_media_handshakes_total 3",
            r#"dais_stage_exits_total{reason="stage_full"} 1"#,
            r#"dais_stage_exits_total{reason="removed"} 1"#,
            r#"dais_stage_access_changes_total{access="request"} 1"#,
            r#"dais_stage_events_total{event="came_on_stage"} 3"#,
            r#"dais_stage_events_total{event="camera_waiting"} 2"#,
            r#"dais_stage_events_total{event="speech_started"} 1"#,
            "dais_dominant_speaker_changes_total 1",
            // Mia came without media.
            r#"dais_join_seconds_count{phase="hello"} 4"#,
            r#"dais_join_seconds_count{phase="enter"} 4"#,
            r#"dais_join_seconds_count{phase="parse"} 3"#,
            r#"dais_join_seconds_count{phase="answer"} 3"#,
            r#"dais_join_seconds_count{phase="connect"} 3"#,
            r#"dais_join_seconds_count{phase="total"} 3"#,
        ],
    )
    .await;

    for session in [&mut mia, &mut ann.session, &mut ben.session, &mut cat.session] {
        session.send(&json!({ "type": "leave" })).await;
    }
    until_scraped(
        &server,
        &[
            r#"dais_participants{place="stage"} 0"#,
            r#"dais_participants{place="viewer"} 0"#,
            r#"dais_cameras{state="forwarded"} 0"#,
            "dais_pending_requests 0",
            "dais_raised_hands 0",
            "dais_sessions 0",
            "dais_rooms 1",
        ],
    )
    .await;
}

/// Somebody else writes to the journal's file for longer than the server waits for that.
#[tokio::test]
async fn a_journal_that_cannot_be_written_is_counted_and_the_room_comes_back() {
    let folder = Folder::new("journal-fails");
    let config = Config { in_memory: false, data: folder.0.clone(), ..Config::loopback() };
    let server = Server::start(&config).await.unwrap();
    server.open_room(ROOM, "A room", Settings::default()).await.unwrap();
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    until_scraped(&server, &["dais_journal_failures_total 0", "dais_journal_queue_length 0"]).await;

    let other = rusqlite::Connection::open(folder.0.join("journal.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    mia.send(&json!({ "type": "set_lock", "id": 7, "locked": true })).await;
    assert_eq!(mia.closed().await, "journal_failed");
    until_scraped(&server, &["dais_journal_failures_total 1", r#"dais_participants{place="viewer"} 0"#]).await;

    other.execute_batch("ROLLBACK").unwrap();
    let back = async {
        loop {
            let mut session = Session::open(&server).await;
            if session.hello(&token(&server, Role::Moderator, "Mia")).await["type"] == "entry" {
                return;
            }
            pause(100).await;
        }
    };
    timeout(PATIENCE, back).await.expect("the room comes back");
}
