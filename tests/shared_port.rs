//! All workers on one UDP port: a datagram that reaches the wrong one is handed over.

mod support;

use std::collections::BTreeSet;

use dais::{Config, Server};
use dais_media::{Counters, DropReason, Tally};
use dais_stage::Settings;
use support::client::Wish;
use support::media::candidate;
use support::offer::attribute;
use support::{Client, PATIENCE, ROOM, done, until_counted};

const VIEWERS: usize = 12;

async fn server() -> Server {
    let server = Server::start(&Config { udp_port: Some(0), ..Config::loopback() }).await.expect("the server starts");
    server.open_room(ROOM, "A room", Settings::default()).await.expect("the journal works");
    server
}

/// Two workers, and twelve viewers whose addresses the kernel deals out as it likes: with one chance in 4,096 all of
/// them reach their own worker at once.
#[tokio::test]
async fn everybody_is_reached_over_one_port_wherever_they_live() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    let mut viewers = Vec::new();
    for n in 0..VIEWERS {
        viewers.push(Client::enter(&server, &format!("Viewer {n}"), Wish::VIEWER).await);
    }
    let everybody = || viewers.iter().chain([&ann]);
    let ports: BTreeSet<_> = everybody().map(|client| candidate(&client.answer).port()).collect();
    assert_eq!(ports.len(), 1, "one port is told to everybody");
    let workers: BTreeSet<_> = everybody().map(|client| &attribute(&client.answer, "ice-ufrag")[..1]).collect();
    assert_eq!(workers.len(), 2, "they live on both workers");
    assert!(done(&server, Tally::HandedOver) > 0, "some came to the wrong worker first");

    for word in [&b"one"[..], b"two", b"three"] {
        ann.speak(20, word).await;
        for viewer in &mut viewers {
            let packet = viewer.packet("Ann's voice", |packet| packet.payload == word).await;
            assert_eq!(packet.csrc, ann.you);
        }
    }
    assert_eq!(server.media_counters().dropped(DropReason::UnknownAddress), 0);
}

/// Whoever sends media gets a connected socket: after its first packets nothing of it is handed over.
#[tokio::test]
async fn a_publisher_reaches_its_worker_directly_after_a_moment() {
    let server = server().await;
    let mut people = Vec::new();
    for n in 0..8 {
        people.push(Client::enter(&server, &format!("Person {n}"), Wish { camera: false, ..Wish::STAGE }).await);
    }
    for round in 0..30u8 {
        for person in &mut people {
            person.speak(20, &[round; 20]).await;
        }
        support::media::pause(5).await;
    }
    // Between its `bind` and its `connect` a socket may be dealt packets of somebody else. Where that one's worker is not known, as
    // all of its own came to the right one, they are lost: a few, and only while somebody is new.
    let sent = 30 * people.len() as u64;
    let seen = |c: &Counters| c.done(Tally::PacketsIn) + c.dropped(DropReason::UnknownAddress);
    until_counted(&server, "every packet, or that it was dealt to another", |c| seen(c) == sent).await;
    let all = done(&server, Tally::PacketsIn);
    assert!(all >= sent / 4 * 3, "{all} of {sent}");
    let before = done(&server, Tally::HandedOver);
    for person in &mut people {
        for n in 0..50u8 {
            person.speak(20, &[n; 20]).await;
        }
    }
    let all = all + 50 * people.len() as u64;
    until_counted(&server, "every packet", |c| c.done(Tally::PacketsIn) == all).await;
    let handed = done(&server, Tally::HandedOver) - before;
    assert!(handed < 10, "{handed} of 400 packets were handed over");
}

#[tokio::test]
async fn an_address_change_is_followed_on_a_shared_port() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    for n in 0..6 {
        let viewer = Client::enter(&server, &format!("Viewer {n}"), Wish::VIEWER).await;
        let moved = viewer.moves_to_another_address().await;
        until_counted(&server, "an address change", |c| c.done(Tally::AddressChanges) == n + 1).await;
        ann.speak(20, b"at the new address").await;
        let mut buf = [0; 2048];
        let heard = tokio::time::timeout(PATIENCE, async {
            loop {
                let (len, _) = moved.recv_from(&mut buf).await.unwrap();
                if (128..=191).contains(&buf[0]) && !dais_media::rtcp::is_rtcp(&buf[..len]) {
                    return len;
                }
            }
        });
        assert!(heard.await.unwrap() > 18);
    }
}

#[tokio::test]
async fn checks_for_nobody_are_counted_and_end_there() {
    let server = server().await;
    let ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    // One for each of the two workers, and one for a worker that does not exist.
    for ufrag in ["ABCDEFGH", "BBCDEFGH", "zBCDEFGH"] {
        let check = dais_media::ice::binding_request("attacker", ufrag, "not the password at all", true).unwrap();
        socket.send_to(&check, ann.path.server).unwrap();
    }
    until_counted(&server, "three checks", |c| c.dropped(DropReason::StunUnknownUser) == 3).await;
}
