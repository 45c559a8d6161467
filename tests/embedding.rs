//! Pages of other origins: which may show rooms and connect to them.

mod support;

use dais::{Config, Server};
use dais_stage::Role;
use serde_json::json;
use support::client::Session;
use support::http::http;
use support::{ROOM, token, until_scraped};

const PORTAL: &str = "https://portal.example";

async fn server() -> Server {
    let config = Config { embed_origin: vec![PORTAL.parse().unwrap()], ..Config::loopback() };
    let server = Server::start(&config).await.expect("the server starts");
    server.open_room(ROOM, "Room", config.settings()).await.unwrap();
    server
}

#[tokio::test]
async fn a_page_of_an_origin_that_is_not_listed_is_told_so_and_nobody_else_notices() {
    let server = server().await;
    let mut inside = Session::inside(&server, "Ann", Role::Participant, "viewer").await;
    for stranger in ["https://other.example", "https://portal.example.other.example", "http://portal.example", "null"] {
        let mut refused = Session::from_page(&server, stranger).await;
        let closed = refused.next().await.expect("a page is told why");
        assert_eq!((&closed["type"], &closed["code"]), (&json!("closed"), &json!("origin_not_allowed")), "{stranger}");
        assert!(!closed["text"].as_str().unwrap().is_empty());
        assert_eq!(refused.next().await, None, "and that is all");
    }
    until_scraped(&server, &[r#"dais_refused_total{code="origin_not_allowed"} 4"#]).await;
    inside.does(json!({ "type": "raise_hand" })).await;
}

#[tokio::test]
async fn the_servers_own_page_a_listed_one_and_a_program_come_in() {
    let server = server().await;
    let own = format!("http://{}", server.address());
    for origin in [own.as_str(), PORTAL] {
        let mut session = Session::from_page(&server, origin).await;
        let entered = session.enter(&token(&server, Role::Participant, "Ann"), "viewer").await;
        assert_eq!(entered["type"], "entered", "{origin}: {entered}");
    }
    Session::inside(&server, "Ben", Role::Participant, "viewer").await;
    until_scraped(&server, &[r#"dais_refused_total{code="origin_not_allowed"} 0"#]).await;
}

#[tokio::test]
async fn only_listed_pages_may_show_the_rooms_page() {
    let policy = async |server: &Server| {
        let page = http(server, "GET", "/r/demo", &[], "").await;
        let permissions = page.header("permissions-policy").unwrap();
        for feature in ["camera", "microphone", "display-capture", "autoplay", "fullscreen"] {
            assert!(permissions.contains(&format!("{feature}=(self)")), "{permissions}");
        }
        page.header("content-security-policy").unwrap().to_owned()
    };
    assert!(policy(&server().await).await.ends_with("frame-ancestors 'self' https://portal.example"));
    assert!(policy(&support::server().await).await.ends_with("frame-ancestors 'self'"));
}
