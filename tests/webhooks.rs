//! Webhooks, told to real HTTP servers.

mod support;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dais::{Config, Server, WebhookConfig};
use dais_stage::{Role, Settings};
use serde_json::{Value, json};
use support::client::Session;
use support::http::http;
use support::process::{Folder, Process, demo_token};
use support::{PATIENCE, QUIET, ROOM, until_scraped};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

const SECRET: &str = "the secret that webhooks are signed with";
/// What a receiver that hangs is told to answer.
const HANG: u16 = 0;
/// What one is told that takes an event when the test says so.
const LATER: u16 = 1;
const API_KEY: &str = "a key of thirty-two bytes or more";

/// A request as the receiver had it.
#[derive(Debug)]
struct Told {
    id: String,
    event: Value,
}

impl Told {
    fn kind(&self) -> &str {
        self.event["type"].as_str().unwrap()
    }
}

/// Somebody else's server, which checks signatures.
struct Portal {
    address: SocketAddr,
    told: mpsc::UnboundedReceiver<Told>,
    answers: Arc<Answers>,
}

/// What it answers, one after the other, and then whatever is last.
struct Answers {
    script: Mutex<VecDeque<u16>>,
    /// It is time for [`LATER`].
    go: Notify,
    told: mpsc::UnboundedSender<Told>,
}

impl Portal {
    async fn start(answers: &[u16]) -> Self {
        let (sender, told) = mpsc::unbounded_channel();
        let answers = Arc::new(Answers {
            script: Mutex::new(answers.iter().copied().collect()),
            go: Notify::new(),
            told: sender,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/hooks", post(take)).with_state(Arc::clone(&answers));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, told, answers }
    }

    fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// From now on this is answered.
    fn answer(&self, status: u16) {
        *self.answers.script.lock().unwrap() = VecDeque::from([status]);
    }

    async fn next(&mut self) -> Told {
        timeout(PATIENCE, self.told.recv()).await.expect("it is told in time").expect("it runs")
    }

    /// What it is told up to an event of this kind.
    async fn until(&mut self, kind: &str) -> Vec<Told> {
        let mut told = vec![self.next().await];
        while told.last().is_some_and(|last| last.kind() != kind) {
            told.push(self.next().await);
        }
        told
    }
}

async fn take(State(answers): State<Arc<Answers>>, headers: HeaderMap, body: String) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (id, time) = (header("webhook-id"), header("webhook-timestamp"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = header("webhook-signature");
    let signature = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
    if hmac::verify(&key, format!("{id}.{time}.{body}").as_bytes(), &signature).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    assert_eq!(header("content-type"), "application/json");
    let _ = answers.told.send(Told { id, event: serde_json::from_str(&body).unwrap() });
    let status = {
        let mut script = answers.script.lock().unwrap();
        if script.len() > 1 { script.pop_front() } else { script.front().copied() }
    };
    match status.unwrap() {
        HANG => std::future::pending().await,
        LATER => {
            answers.go.notified().await;
            StatusCode::NO_CONTENT
        }
        status => StatusCode::from_u16(status).unwrap(),
    }
}

async fn server(portals: &[&Portal]) -> Server {
    let urls = portals.iter().map(|portal| portal.url()).collect();
    let webhooks = WebhookConfig { webhook_url: urls, webhook_secret: Some(SECRET.to_owned()) };
    let config = Config { webhooks, api_key: Some(API_KEY.to_owned()), ..Config::loopback() };
    let server = Server::start(&config).await.expect("the server starts");
    server.open_room(ROOM, "A room", Settings::default()).await.expect("the journal works");
    server
}

fn kinds(told: &[Told]) -> Vec<&str> {
    told.iter().map(Told::kind).collect()
}

#[tokio::test]
async fn a_portal_is_told_in_order_what_happens_and_can_tell_who_says_so() {
    let mut portal = Portal::start(&[204]).await;
    let server = server(&[&portal]).await;
    let mut host = Session::inside(&server, "Maya", Role::Host, "viewer").await;
    let mut ann = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    ann.does(json!({ "type": "say", "channel": "everyone", "text": "between us" })).await;
    ann.does(json!({ "type": "join_stage", "mic": false, "camera": false })).await;
    ann.send(&json!({ "type": "leave" })).await;
    let mut told = portal.until("participant.left").await;
    host.does(json!({ "type": "end_session" })).await;
    told.extend(portal.until("room.ended").await);
    let expected = [
        "room.opened",
        "participant.entered",
        "participant.entered",
        "stage.entered",
        "stage.left",
        "participant.left",
        "room.ended",
    ];
    assert_eq!(kinds(&told), expected, "{told:?}");
    assert_eq!(told[0].event["data"], json!({ "room": ROOM, "title": "A room" }));
    let ann = &told[2].event["data"];
    assert_eq!((&ann["name"], &ann["role"]), (&json!("Ann"), &json!("participant")));
    assert_eq!(told[3].event["data"]["participant"], ann["participant"], "the same number all along");
    assert!(!format!("{told:?}").contains("between us"), "what people write stays in the room");
    let mut ids: Vec<_> = told.iter().map(|told| &told.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), told.len(), "no two events share an id");
    until_scraped(&server, &["dais_webhook_delivered_total 7", "dais_webhook_failed_total 0"]).await;
}

#[tokio::test]
async fn a_receiver_that_hangs_or_fails_keeps_nobody_waiting_and_is_told_later() {
    let (mut hangs, mut fails, mut works) =
        (Portal::start(&[HANG, 204]).await, Portal::start(&[500, 503, 204]).await, Portal::start(&[204]).await);
    let server = server(&[&hangs, &fails, &works]).await;
    let first = fails.next().await;
    hangs.next().await;
    // Long before either is told again, the room works, and others hear of it.
    let mut host = Session::inside(&server, "Maya", Role::Host, "viewer").await;
    host.does(json!({ "type": "set_lock", "locked": true })).await;
    works.until("room.locked").await;
    let second = fails.next().await;
    assert_eq!((first.kind(), second.kind()), ("room.opened", "room.opened"), "nothing comes before what failed");
    assert_eq!(first.id, second.id, "whoever had taken it already knows it again");
    assert_eq!(kinds(&hangs.until("room.locked").await), ["room.opened", "participant.entered", "room.locked"]);
    let told = timeout(3 * PATIENCE, fails.until("room.locked")).await.unwrap();
    assert_eq!(kinds(&told), ["room.opened", "participant.entered", "room.locked"]);
    let counted = ["dais_webhook_failed_total 3", "dais_webhook_waiting_seconds 0"];
    until_scraped(&server, &counted).await;
}

#[tokio::test]
async fn a_killed_server_tells_after_the_next_start_what_was_not_taken() {
    let folder = Folder::new("webhooks");
    let mut portal = Portal::start(&[204]).await;
    let url = portal.url();
    let args = ["--webhook-url", &url, "--webhook-secret", SECRET];
    let process = Process::start(&folder.0, &args);
    let mut host = Session::connect(&process.address, "demo").await;
    host.enter(&demo_token(Role::Host, "hal"), "viewer").await;
    portal.until("participant.entered").await;
    // From here on nothing is taken.
    portal.answer(500);
    for locked in [true, false, true] {
        host.does(json!({ "type": "set_lock", "locked": locked })).await;
    }
    portal.until("room.locked").await;
    process.kill();

    // Somebody new, who is told of what happens from here on, beside the one who is told of what is missing.
    portal.answer(204);
    let mut new = Portal::start(&[204]).await;
    let both = format!("{url},{}", new.url());
    let process = Process::start(&folder.0, &["--webhook-url", &both, "--webhook-secret", SECRET]);
    let told = portal.until("room.restarted").await;
    assert_eq!(kinds(&told), ["room.locked", "room.unlocked", "room.locked", "room.restarted"]);
    assert_eq!(kinds(&new.until("room.restarted").await), ["room.restarted"]);
    process.kill();

    // What was taken is told to nobody again.
    let process = Process::start(&folder.0, &["--webhook-url", &both, "--webhook-secret", SECRET]);
    let mut host = Session::connect(&process.address, "demo").await;
    host.enter(&demo_token(Role::Host, "hal"), "viewer").await;
    host.does(json!({ "type": "set_lock", "locked": false })).await;
    for receiver in [&mut portal, &mut new] {
        let told = receiver.until("room.unlocked").await;
        assert!(!kinds(&told).contains(&"room.locked"), "{told:?}");
    }
}

#[tokio::test]
async fn whoever_answers_gone_is_told_nothing_more() {
    let mut portal = Portal::start(&[410, 204]).await;
    let server = server(&[&portal]).await;
    assert_eq!(portal.next().await.kind(), "room.opened");
    let mut host = Session::inside(&server, "Maya", Role::Host, "viewer").await;
    host.does(json!({ "type": "set_lock", "locked": true })).await;
    until_scraped(&server, &["dais_webhook_gone_total 1", "dais_webhook_delivered_total 0"]).await;
    assert!(timeout(QUIET, portal.told.recv()).await.is_err(), "it said that it wants nothing");
}

#[tokio::test]
async fn what_was_deleted_is_not_told_and_a_room_made_anew_is_told_from_its_beginning() {
    let mut portal = Portal::start(&[500, LATER, 204]).await;
    let server = server(&[&portal]).await;
    assert_eq!(portal.next().await.kind(), "room.opened");
    let mut host = Session::inside(&server, "Maya", Role::Host, "viewer").await;
    host.does(json!({ "type": "end_session" })).await;
    assert_eq!(portal.next().await.kind(), "room.opened", "told again, with all that has happened behind it");
    let key = format!("Bearer {API_KEY}");
    let deleted = http(&server, "DELETE", &format!("/v1/rooms/{ROOM}/data"), &[("authorization", &key)], "").await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    portal.answers.go.notify_one();
    assert!(timeout(QUIET, portal.told.recv()).await.is_err(), "who was there is not told any more");
    server.open_room(ROOM, "Anew", Settings::default()).await.unwrap();
    assert_eq!(portal.next().await.event["data"]["title"], "Anew");
}
