//! What is kept of a session is deleted: after some days, or when the portal asks; all of it, or what is about a person.

mod support;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dais::journal::{Journal as _, Record, SqliteJournal};
use dais::{Config, Server};
use dais_signaling::token::Claims;
use dais_stage::{Channel, Event, Identity, MessageId, Millis, ParticipantId, Role, Settings};
use serde_json::{Value, json};
use support::client::Session;
use support::http::{Answer, http};
use support::process::Folder;
use support::{PATIENCE, ROOM, token, until_scraped};

const KEY: &str = "a key of thirty-two bytes or more";
const SECRET: &str = "a secret of more than thirty-two bytes";
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// What is to be in no file. The identity comes before all others, as the one in its place does: the order stays.
const NAME: &str = "Zacharias Quibble";
const IDENTITY: &str = "aq/17@portal";
const WORDS: &str = "nobody else would say xylograph";

/// A server on the journal in `folder`, which sessions are kept in for so many days.
async fn server(folder: &Path, keep_sessions_days: Option<u32>) -> Server {
    let config = Config {
        api_key: Some(KEY.to_owned()),
        token_secret: Some(SECRET.to_owned()),
        in_memory: false,
        data: folder.to_owned(),
        keep_sessions_days,
        ..Config::loopback()
    };
    Server::start(&config).await.expect("the server starts")
}

async fn call(server: &Server, method: &str, path: &str) -> Answer {
    let key = format!("Bearer {KEY}");
    http(server, method, path, &[("authorization", &key)], "").await
}

async fn delete(server: &Server, path: &str) -> Answer {
    call(server, "DELETE", &format!("/v1/rooms/{path}")).await
}

async fn summary(server: &Server) -> Value {
    let answer = call(server, "GET", &format!("/v1/rooms/{ROOM}/summary")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Somebody the portal knows.
fn quibble(server: &Server) -> String {
    let exp = (SystemTime::now() + Duration::from_secs(600)).duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = Claims::new(ROOM, Role::Participant, exp);
    server.sign(&Claims { name: Some(NAME.to_owned()), sub: Some(IDENTITY.to_owned()), ..claims }).unwrap()
}

fn advance(step: &str) -> Value {
    json!({ "type": "advance_poll", "poll": 1, "step": step, "question": 0 })
}

/// A session with a chat and a poll, as far as its end.
async fn session(server: &Server) -> Session {
    server.open_room(ROOM, "A room", Settings::default()).await.unwrap();
    let mut hal = Session::inside(server, "Hal", Role::Host, "viewer").await;
    let mut guest = Session::open(server).await;
    assert_eq!(guest.enter(&quibble(server), "viewer").await["type"], "entered");
    guest.does(json!({ "type": "say", "channel": "everyone", "text": WORDS })).await;
    hal.does(json!({ "type": "say", "channel": "everyone", "text": "kept" })).await;
    let question = json!({ "text": "Which?", "options": ["one", "two"] });
    hal.does(json!({ "type": "make_poll", "poll": { "kind": "poll", "anonymous": false, "questions": [question] } }))
        .await;
    hal.does(advance("draft")).await;
    for (session, choice) in [(&mut guest, 0), (&mut hal, 1)] {
        session.does(json!({ "type": "answer_poll", "poll": 1, "question": 0, "choices": [choice] })).await;
    }
    hal.does(advance("open")).await;
    hal.does(advance("closed")).await;
    hal
}

async fn ended(server: &Server) {
    session(server).await.does(json!({ "type": "end_session" })).await;
}

/// Which of `words` any file in `folder` has in it.
fn found<'a>(folder: &Path, words: &[&'a str]) -> Vec<&'a str> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let files: Vec<_> = files.collect();
    let holds = |word: &&&str| files.iter().any(|bytes| bytes.windows(word.len()).any(|part| part == word.as_bytes()));
    words.iter().filter(holds).copied().collect()
}

#[tokio::test]
async fn a_person_is_deleted_from_a_session_and_from_every_file_and_the_rest_stays() {
    let folder = Folder::new("person");
    let server_once = server(&folder.0, None).await;
    ended(&server_once).await;
    assert_eq!(found(&folder.0, &[NAME, IDENTITY, WORDS]), [NAME, IDENTITY, WORDS]);
    let before = summary(&server_once).await;
    let person = format!("{ROOM}/data/people/aq%2F17%40portal");
    assert_eq!(delete(&server_once, &person).await.status, 204);
    assert_eq!(found(&folder.0, &[NAME, IDENTITY, WORDS, "kept"]), ["kept"]);
    let after = summary(&server_once).await;
    let but_for_the_person = before.to_string().replace(NAME, "deleted person").replace(WORDS, "deleted");
    let but_for_the_person = but_for_the_person.replace(IDENTITY, "deleted person 1");
    assert_eq!(after, serde_json::from_str::<Value>(&but_for_the_person).unwrap());
    assert_eq!(after["polls"][0]["questions"][0]["results"], json!({ "answered": 2, "counts": [1, 1] }));
    assert_eq!(delete(&server_once, &person).await.refusal(), (404, "unknown_person".to_owned()));
    until_scraped(&server_once, &["dais_people_deleted_total 1"]).await;
    server_once.stop().await;
    // What is replayed is the same, and the room goes on.
    let server_again = server(&folder.0, None).await;
    assert_eq!(summary(&server_again).await, after);
    server_again.open_room(ROOM, "Again", Settings::default()).await.unwrap();
    let mut guest = Session::open(&server_again).await;
    assert_eq!(guest.enter(&quibble(&server_again), "viewer").await["type"], "entered");
    server_again.stop().await;
}

#[tokio::test]
async fn a_room_is_deleted_from_every_file_and_can_be_made_anew() {
    let folder = Folder::new("room");
    let server = server(&folder.0, None).await;
    ended(&server).await;
    let path = format!("{ROOM}/data");
    assert_eq!(delete(&server, &path).await.status, 204);
    assert_eq!(found(&folder.0, &[NAME, IDENTITY, WORDS, "kept"]), [""; 0]);
    for (method, path) in [("GET", ROOM.to_owned()), ("GET", format!("{ROOM}/summary")), ("DELETE", path)] {
        let answer = call(&server, method, &format!("/v1/rooms/{path}")).await;
        assert_eq!(answer.refusal(), (404, "unknown_room".to_owned()), "{method} {path}");
    }
    until_scraped(
        &server,
        &[
            "dais_rooms_deleted_total{why=\"asked\"} 1",
            "dais_rooms_deleted_total{why=\"kept\"} 0",
            "dais_refused_total{code=\"unknown_room\"} 2",
        ],
    )
    .await;
    server.open_room(ROOM, "Anew", Settings::default()).await.unwrap();
    assert_eq!(summary(&server).await["people"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn of_a_session_that_goes_on_nothing_is_deleted_and_without_the_key_of_none() {
    let folder = Folder::new("refused");
    let server = server(&folder.0, None).await;
    let mut hal = session(&server).await;
    let paths = [format!("{ROOM}/data"), format!("{ROOM}/data/people/aq%2F17%40portal")];
    for path in &paths {
        assert_eq!(delete(&server, path).await.refusal(), (409, "session_open".to_owned()));
        let elsewhere = path.replace(ROOM, "elsewhere");
        assert_eq!(delete(&server, &elsewhere).await.refusal(), (404, "unknown_room".to_owned()));
        let host = format!("Bearer {}", token(&server, Role::Host, "Hal"));
        let wrong = http(&server, "DELETE", &format!("/v1/rooms/{path}"), &[("authorization", &host)], "").await;
        assert_eq!(wrong.refusal(), (401, "api_key_invalid".to_owned()), "not even a host's token");
    }
    until_scraped(&server, &["dais_refused_total{code=\"session_open\"} 2"]).await;
    hal.does(json!({ "type": "end_session" })).await;
    let nobody = format!("{ROOM}/data/people/nobody");
    assert_eq!(delete(&server, &nobody).await.refusal(), (404, "unknown_person".to_owned()));
    assert_eq!(summary(&server).await["people"].as_array().unwrap().len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn a_link_that_was_withdrawn_stays_so_when_the_room_is_made_anew() {
    let folder = Folder::new("links");
    let server = server(&folder.0, None).await;
    let make =
        |seconds: u32| json!({ "type": "make_link", "role": "host", "validSeconds": seconds, "personal": false });
    server.open_room(ROOM, "A room", Settings::default()).await.unwrap();
    let mut hal = Session::inside(&server, "Hal", Role::Host, "viewer").await;
    let old = hal.request(make(3_600)).await;
    hal.does(json!({ "type": "revoke_link", "link": old["link"] })).await;
    hal.does(json!({ "type": "end_session" })).await;
    assert_eq!(delete(&server, &format!("{ROOM}/data")).await.status, 204);
    server.open_room(ROOM, "Anew", Settings::default()).await.unwrap();
    let mut hal = Session::inside(&server, "Hal", Role::Host, "viewer").await;
    let new = hal.request(make(7_200)).await;
    assert_eq!(new["link"], old["link"], "numbers are given again");
    let hello = async |link: &Value| Session::open(&server).await.hello(link["token"].as_str().unwrap()).await;
    assert_eq!(hello(&old).await["code"], "link_unknown");
    assert_eq!(hello(&new).await["type"], "entry");
    server.stop().await;
}

/// The log of a session in which somebody spoke, and which ended, if it did, so many days ago.
async fn write(journal: &SqliteJournal, room: &str, days: u64, has_ended: bool) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let at = Millis(now - days * DAY_MS - 60_000);
    let id = ParticipantId(1);
    // Of an open room they are there no longer, but the room does not end without them.
    let settings = Settings { empty_after_ms: 0, ..Settings::default() };
    let mut events = vec![
        Event::Opened { title: "A room".to_owned(), settings },
        Event::Entered {
            id,
            identity: Identity(format!("identity in {room}")),
            name: format!("somebody in {room}"),
            role: Role::Participant,
            link: None,
        },
        Event::Said { message: MessageId(1), id, channel: Channel::Everyone, text: format!("words in {room}") },
    ];
    if has_ended {
        events.push(Event::Ended { by: None });
    }
    let records = events.into_iter().map(|event| Record { at, event }).collect();
    journal.append(room, 0, records).await.unwrap();
}

#[tokio::test]
async fn sessions_are_deleted_after_as_many_days_as_is_set_and_open_rooms_are_left_alone() {
    let folder = Folder::new("days");
    let journal = SqliteJournal::open(&folder.0).unwrap();
    write(&journal, "month", 30, true).await;
    write(&journal, "week", 7, true).await;
    write(&journal, "yesterday", 1, true).await;
    write(&journal, "goeson", 90, false).await;
    drop(journal);
    let server = server(&folder.0, Some(7)).await;
    until_scraped(&server, &["dais_rooms_deleted_total{why=\"kept\"} 2"]).await;
    let status = async |room: &str| call(&server, "GET", &format!("/v1/rooms/{room}")).await.status;
    assert_eq!([status("month").await, status("week").await], [404, 404]);
    assert_eq!([status("yesterday").await, status("goeson").await], [410, 200]);
    let words = ["words in month", "somebody in week", "identity in month", "words in yesterday", "words in goeson"];
    assert_eq!(found(&folder.0, &words), ["words in yesterday", "words in goeson"]);
    tokio::time::timeout(PATIENCE, server.stop()).await.expect("it stops");
}
