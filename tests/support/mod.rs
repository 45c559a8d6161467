//! A server on loopback and clients with real sockets: WebSocket, ICE, DTLS, SRTP.
#![allow(dead_code, unused_imports, reason = "each test file uses its part")]

pub mod client;
pub mod http;
pub mod mail;
pub mod media;
pub mod offer;
pub mod process;
pub mod prometheus;

use std::time::Duration;

use dais::{Config, Server};
use dais_media::{DropReason, Tally};
use dais_stage::{Role, Settings};

pub use client::Client;

/// Longest a test waits for anything: far more than it ever takes.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How long a test watches to be sure that nothing comes.
pub const QUIET: Duration = Duration::from_millis(400);

pub const ROOM: &str = "room";

/// A server with one room.
pub async fn server_with(settings: Settings) -> Server {
    let server = Server::start(&Config::loopback()).await.expect("the server starts");
    server.open_room(ROOM, "A room", settings).await.expect("the journal works");
    server
}

pub async fn server() -> Server {
    server_with(Settings::default()).await
}

pub fn token(server: &Server, role: Role, name: &str) -> String {
    server.token(ROOM, role, Some(name), Duration::from_secs(600)).expect("a token can be signed")
}

/// Waits until the counters satisfy `holds`.
pub async fn until_counted(server: &Server, what: &str, holds: impl Fn(&dais_media::Counters) -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !holds(&server.media_counters()) {
        assert!(tokio::time::Instant::now() < deadline, "never counted: {what}");
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Scrapes the metrics until they have all of `lines`.
pub async fn until_scraped(server: &Server, lines: &[&str]) {
    let address = server.metrics_address().expect("metrics are served").to_string();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let (status, metrics) = http::get(&address, "/metrics").await;
        assert_eq!(status, 200, "{metrics}");
        let missing: Vec<_> = lines.iter().filter(|line| !metrics.lines().any(|found| found == **line)).collect();
        if missing.is_empty() {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "never scraped: {missing:?} in\n{metrics}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn dropped(server: &Server, reason: DropReason) -> u64 {
    server.media_counters().dropped(reason)
}

pub fn done(server: &Server, tally: Tally) -> u64 {
    server.media_counters().done(tally)
}
