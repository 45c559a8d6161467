//! The TURN server as clients are told of it. What it relays, and to whom it does not, is tested in `media/src/turn`.

mod support;

use dais::{Config, Server};
use dais_stage::{Role, Settings};
use serde_json::Value;
use support::client::Session;
use support::{ROOM, token};

async fn server(config: Config) -> Server {
    let server = Server::start(&config).await.expect("the server starts");
    server.open_room(ROOM, "A room", Settings::default()).await.expect("the journal works");
    server
}

async fn ice_servers(server: &Server, name: &str) -> Value {
    let mut session = Session::open(server).await;
    session.hello(&token(server, Role::Participant, name)).await["iceServers"].clone()
}

#[tokio::test]
async fn everybody_is_told_the_relay_with_credentials_of_their_own_before_they_make_an_offer() {
    let turn_url = vec!["turns:turn.example.org:443?transport=tcp".to_owned()];
    let server = server(Config { turn_port: Some(0), turn_url, ..Config::loopback() }).await;
    let (anns, bens) = (ice_servers(&server, "Ann").await, ice_servers(&server, "Ben").await);
    let urls: Vec<_> = anns[0]["urls"].as_array().unwrap().iter().map(|url| url.as_str().unwrap()).collect();
    assert_eq!(urls[0], "turns:turn.example.org:443?transport=tcp", "what the operator says goes first");
    let own = urls[1].strip_prefix("turn:127.0.0.1:").and_then(|rest| rest.strip_suffix("?transport=udp"));
    let port: u16 = own.expect("the server's own address").parse().unwrap();
    assert_eq!(urls[2..], [format!("turn:127.0.0.1:{port}?transport=tcp")]);
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok(), "it is there");
    assert_ne!(anns[0]["username"], bens[0]["username"]);
    assert_ne!(anns[0]["credential"], bens[0]["credential"]);
}

#[tokio::test]
async fn without_the_option_there_is_none() {
    let server = support::server().await;
    assert_eq!(ice_servers(&server, "Ann").await, serde_json::json!([]));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Server::start(&Config { turn_port: Some(port), ..Config::loopback() }).await.err().unwrap();
    assert!(error.to_string().starts_with(&format!("cannot serve TURN at 127.0.0.1:{port}")), "{error}");
}
