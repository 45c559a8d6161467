//! The connectivity test over HTTP: a connection for anybody, in no room.

mod support;

use dais::{Config, Server};
use dais_media::Tally;
use dais_signaling::limits::{TEST_OFFER_BYTES_MAX, TESTS};
use futures_util::StreamExt as _;
use support::http::{Answer, http};
use support::media::Unconnected;
use support::offer::offer;
use support::{until_counted, until_scraped};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

const SDP: [(&str, &str); 1] = [("content-type", "application/sdp")];

/// What the page offers: to receive one voice.
fn listening(client: &Unconnected) -> String {
    offer(client.identity.fingerprint(), &client.ufrag, None, 0, 1)
}

async fn ask(server: &Server, body: &str) -> Answer {
    http(server, "POST", "/v1/connectivity/media", &SDP, body).await
}

#[tokio::test]
async fn a_test_is_a_connection_that_ends_by_itself_and_in_which_nothing_happens() {
    let server = support::server().await;
    let client = Unconnected::new().await;
    let answer = ask(&server, &listening(&client)).await;
    assert_eq!((answer.status, answer.header("content-type")), (201, Some("application/sdp")), "{answer:?}");
    let (_path, mut incoming) = client.connect(&answer.body).await;
    until_counted(&server, "the handshake", |c| c.done(Tally::Handshakes) == 1).await;
    until_scraped(&server, &["dais_media_peers 1", r#"dais_participants{place="viewer"} 0"#]).await;
    until_counted(&server, "its end", |c| c.peers == 0).await;
    assert!(incoming.packets.try_recv().is_err(), "nothing was sent");
}

#[tokio::test]
async fn what_the_server_offers_is_told() {
    let plain = support::server().await;
    let told = http(&plain, "GET", "/v1/connectivity", &[], "").await;
    assert_eq!(told.json(), serde_json::json!({ "tcp": false, "iceServers": [] }));
    assert_eq!(told.header("cache-control"), Some("no-store"), "credentials are for one client");
    let config = Config { media_tcp_port: Some(0), turn_port: Some(0), ..Config::loopback() };
    let all = Server::start(&config).await.unwrap();
    let told = http(&all, "GET", "/v1/connectivity", &[], "").await.json();
    assert_eq!((&told["tcp"], told["iceServers"].as_array().map(Vec::len)), (&true.into(), Some(1)), "{told}");
}

#[tokio::test]
async fn a_socket_says_one_word() {
    let server = support::server().await;
    let url = format!("ws://{}/v1/connectivity/socket", server.address());
    let (mut socket, _) = connect_async(url).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("ok"));
    assert!(!matches!(socket.next().await, Some(Ok(Message::Text(_)))), "and is done");
}

#[tokio::test]
async fn what_is_no_offer_is_refused_and_counted() {
    let server = support::server().await;
    assert_eq!(ask(&server, "no offer").await.refusal(), (400, "sdp_malformed".to_owned()));
    let long = "a".repeat(TEST_OFFER_BYTES_MAX + 1);
    assert_eq!(ask(&server, &long).await.refusal(), (413, "body_too_large".to_owned()));
    let untyped = http(&server, "POST", "/v1/connectivity/media", &[], "v=0").await;
    assert_eq!(untyped.refusal(), (415, "content_type".to_owned()));
    until_scraped(&server, &[r#"dais_refused_total{code="sdp_malformed"} 1"#]).await;
}

/// More from one address, and in all, is tested beside the limit: everything here comes from this machine.
#[tokio::test]
async fn there_are_only_so_many_tests_at_a_time() {
    let server = support::server().await;
    let client = Unconnected::new().await;
    let offer = listening(&client);
    for _ in 0..TESTS {
        assert_eq!(ask(&server, &offer).await.status, 201);
    }
    assert_eq!(ask(&server, &offer).await.refusal(), (429, "too_many_tests".to_owned()));
    until_scraped(&server, &[r#"dais_refused_total{code="too_many_tests"} 1"#]).await;
}
