//! The HTTP API: what the portal of a room does.

mod support;

use std::collections::BTreeSet;

use dais::{Config, Server};
use serde_json::{Value, json};
use support::client::Session;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const KEY: &str = "a key of thirty-two bytes or more";

async fn server() -> Server {
    let config = Config { api_key: Some(KEY.to_owned()), ..Config::loopback() };
    Server::start(&config).await.expect("the server starts")
}

/// A request, as any HTTP/1.1 client writes it: status and body.
async fn call_with(server: &Server, key: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: dais\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

async fn call(server: &Server, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    call_with(server, KEY, method, path, &body).await
}

async fn room(server: &Server, body: Value) {
    let (status, answer) = call(server, "POST", "/v1/rooms", body).await;
    assert_eq!(status, 201, "{answer}");
}

async fn guest(server: &Server, role: &str, name: &str) -> Session {
    let (status, token) = call(server, "POST", "/v1/rooms/class/tokens", json!({ "role": role, "name": name })).await;
    assert_eq!(status, 201, "{token}");
    let mut session = Session::open_room(server, "class").await;
    let entered = session.enter(token["token"].as_str().unwrap(), "viewer").await;
    assert_eq!(entered["type"], "entered", "{entered}");
    session
}

#[tokio::test]
async fn a_room_has_the_codec_it_was_made_with_or_the_servers() {
    let config = Config { api_key: Some(KEY.to_owned()), codec: dais_stage::Codec::Vp9, ..Config::loopback() };
    let server = Server::start(&config).await.expect("the server starts");
    room(&server, json!({ "id": "own", "title": "Own", "codec": "av1" })).await;
    room(&server, json!({ "id": "default", "title": "Default" })).await;
    for (id, codec) in [("own", "av1"), ("default", "vp9")] {
        let (_, report) = call(&server, "GET", &format!("/v1/rooms/{id}"), Value::Null).await;
        assert_eq!(report["codec"], codec, "{report}");
    }
    let (status, _) = call(&server, "POST", "/v1/rooms", json!({ "title": "Old", "codec": "h261" })).await;
    assert_eq!(status, 422);
}

// law: entry-ways, preset-values, preset-default
#[tokio::test]
async fn a_portal_makes_a_room_lets_people_in_and_moderates() {
    let server = server().await;
    room(&server, json!({ "id": "class", "title": "Class", "preset": "webinar", "capacity": 3 })).await;
    let (_, report) = call(&server, "GET", "/v1/rooms/class", Value::Null).await;
    let of = |key: &str| report[key].clone();
    assert_eq!((of("access"), of("mode"), of("capacity")), (json!("request"), json!("panel"), json!(3)));
    let mut ann = guest(&server, "participant", "Ann").await;
    ann.does(json!({ "type": "ask_to_join" })).await;
    let act = |action: &str| format!("/v1/rooms/class/participants/{}/{action}", ann.you);
    assert_eq!(call(&server, "POST", &act("approve"), Value::Null).await.0, 204);
    assert_eq!(call(&server, "POST", &act("approve"), Value::Null).await.1["text"], "already decided by the organiser");
    assert_eq!(ann.notice().await, json!({ "kind": "invited", "by": "the organiser" }));
    ann.does(json!({ "type": "join_stage", "mic": true, "camera": true })).await;
    for action in ["mute", "stop-camera", "ask-to-unmute", "remove-from-stage", "invite", "withdraw-invitation"] {
        let path = format!("/v1/rooms/class/participants/{}/{action}", ann.you);
        assert_eq!(call(&server, "POST", &path, Value::Null).await.0, 204, "{action}");
    }
    let (_, people) = call(&server, "GET", "/v1/rooms/class/participants?after=0", Value::Null).await;
    assert_eq!((&people["participants"][0]["name"], &people["more"]), (&json!("Ann"), &json!(false)));
    let (status, changed) =
        call(&server, "PATCH", "/v1/rooms/class", json!({ "access": "invite", "locked": true, "capacity": 3 })).await;
    assert_eq!((status, &changed["access"], &changed["locked"]), (200, &json!("invite"), &json!(true)));
    let removed = format!("/v1/rooms/class/participants/{}", ann.you);
    assert_eq!(call(&server, "DELETE", &removed, Value::Null).await.0, 204);
    assert_eq!(ann.closed().await, "removed_from_room");
    assert_eq!(call(&server, "DELETE", "/v1/rooms/class", Value::Null).await.0, 204);
    assert_eq!(call(&server, "GET", "/v1/rooms/class", Value::Null).await.0, 410);
    room(&server, json!({ "id": "class", "title": "Class again" })).await;
}

/// Whoever is told that a session is over need not ask twice: it is over for every request that follows.
#[tokio::test]
async fn a_session_that_was_ended_is_over_at_once() {
    let server = server().await;
    for session in 0..100 {
        room(&server, json!({ "id": "class", "title": "Class" })).await;
        assert_eq!(call(&server, "DELETE", "/v1/rooms/class", Value::Null).await.0, 204);
        let (status, answer) = call(&server, "GET", "/v1/rooms/class", Value::Null).await;
        assert_eq!((status, &answer["code"]), (410, &json!("session_ended")), "session {session}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_with_a_code() {
    let server = server().await;
    room(&server, json!({ "id": "class", "title": "Class" })).await;
    let code = async |method: &str, path: &str, body: Value| {
        let (status, answer) = call(&server, method, path, body).await;
        assert!(!answer["text"].as_str().unwrap_or_default().is_empty(), "{answer}");
        (status, answer["code"].as_str().unwrap().to_owned())
    };
    let is = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(code("POST", "/v1/rooms", json!({ "id": "class", "title": "B" })).await, is(409, "room_exists"));
    assert_eq!(code("POST", "/v1/rooms", json!({ "id": "a/b", "title": "B" })).await, is(400, "room_id_invalid"));
    assert_eq!(code("POST", "/v1/rooms", json!({ "title": " " })).await, is(400, "title_invalid"));
    assert_eq!(code("POST", "/v1/rooms", json!({ "title": "B", "capacity": 0 })).await, is(400, "capacity_invalid"));
    let odd = json!({ "title": "B", "cameraLimit": 26 });
    assert_eq!(code("POST", "/v1/rooms", odd).await, is(400, "camera_limit_invalid"));
    assert_eq!(code("POST", "/v1/rooms", json!({ "name": "B" })).await.1, "body_malformed");
    let king = json!({ "role": "king" });
    assert_eq!(code("POST", "/v1/rooms/class/tokens", king).await.1, "body_malformed");
    let long = json!({ "role": "host", "validSeconds": 0 });
    assert_eq!(code("POST", "/v1/rooms/class/tokens", long).await, is(400, "valid_seconds_invalid"));
    let path = "/v1/rooms/class/invitations";
    let inviting = |addresses: &[&str]| json!({ "role": "speaker", "addresses": addresses });
    assert_eq!(code("POST", path, inviting(&[])).await, is(400, "addresses_missing"));
    assert_eq!(code("POST", path, inviting(&["a@example.org\r\nb"])).await, is(400, "address_invalid"));
    let past = json!({ "role": "speaker", "addresses": ["a@example.org"], "start": 1 });
    assert_eq!(code("POST", path, past).await, is(400, "start_invalid"));
    assert_eq!(code("GET", "/v1/rooms/none", Value::Null).await, is(404, "unknown_room"));
    let path = "/v1/rooms/class/participants/9/mute";
    assert_eq!(code("POST", path, Value::Null).await, is(404, "unknown_participant"));
    let path = "/v1/rooms/class/participants/9/tickle";
    assert_eq!(code("POST", path, Value::Null).await, is(404, "unknown_action"));
    let (status, answer) = call_with(&server, "guess", "GET", "/v1/rooms/class", "").await;
    assert_eq!((status, &answer["code"]), (401, &json!("api_key_invalid")));
    let closed = support::server().await;
    let (status, answer) = call_with(&closed, KEY, "GET", "/v1/rooms/room", "").await;
    assert_eq!((status, &answer["code"]), (403, &json!("api_disabled")));
}

/// Every operation of the served document is answered by a route, and none of its answers is unlisted.
#[tokio::test]
async fn the_openapi_document_is_true() {
    let server = server().await;
    room(&server, json!({ "id": "class", "title": "Class" })).await;
    let (status, document) = call_with(&server, "", "GET", "/v1/openapi.json", "").await;
    assert_eq!(status, 200, "anybody may read it");
    let mut seen = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let concrete = path.replace("{room}", "class").replace("{participant}", "7").replace("{action}", "mute");
            let body = match (method.as_str(), path.as_str()) {
                ("post", "/v1/rooms") => json!({ "title": "Another" }),
                ("post", "/v1/rooms/{room}/invitations") => {
                    json!({ "role": "speaker", "addresses": ["a@example.org"] })
                }
                ("post", "/v1/rooms/{room}/tokens") => json!({ "role": "speaker" }),
                ("patch", _) => json!({ "access": "request" }),
                ("delete", "/v1/rooms/{room}") => continue,
                _ => Value::Null,
            };
            let (status, answer) = call(&server, &method.to_uppercase(), &concrete, body).await;
            let listed = operation["responses"].as_object().unwrap();
            assert!(listed.contains_key(&status.to_string()), "{method} {path} answered {status} {answer}");
            seen.insert(format!("{method} {path}"));
        }
    }
    assert_eq!(seen.len(), 13, "{seen:?}");
}
