//! Media over TCP (ICE-TCP, RFC 6544), for people whose networks let no UDP through.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use dais::{Config, Server};
use dais_media::{Tally, TcpEnd};
use dais_stage::{Role, Settings};
use serde_json::json;
use support::client::{Media, Session, Wish};
use support::media::{Unconnected, candidate};
use support::offer::{Ssrcs, offer};
use support::{Client, ROOM, done, token, until_counted, until_scraped};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

async fn server(udp_port: Option<u16>) -> Server {
    let config = Config { udp_port, media_tcp_port: Some(0), ..Config::loopback() };
    let server = Server::start(&config).await.expect("the server starts");
    server.open_room(ROOM, "A room", Settings::default()).await.expect("the journal works");
    server
}

/// Address of the TCP candidate.
fn tcp_candidate(answer: &str) -> SocketAddr {
    let line = answer.lines().find(|line| line.ends_with("typ host tcptype passive")).expect("a TCP candidate");
    let fields: Vec<_> = line.split(' ').collect();
    assert_eq!(fields[2], "tcp");
    format!("{}:{}", fields[4], fields[5]).parse().unwrap()
}

/// A UDP address of this machine whose datagrams go through a TCP connection to `server`, and theirs back.
async fn tunnel(server: SocketAddr) -> SocketAddr {
    let (mut reader, mut writer) = TcpStream::connect(server).await.unwrap().into_split();
    let near = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = near.local_addr().unwrap();
    tokio::spawn(async move {
        let mut datagram = [0; 2_048];
        let (len, client) = near.recv_from(&mut datagram).await.unwrap();
        near.connect(client).await.unwrap();
        let back = Arc::clone(&near);
        tokio::spawn(async move {
            let mut datagram = [0; 2_048];
            while let Ok(len) = reader.read_u16().await {
                reader.read_exact(&mut datagram[..len.into()]).await.unwrap();
                let _ = back.send(&datagram[..len.into()]).await;
            }
        });
        let mut next = Ok(len);
        while let Ok(len) = next {
            let frame = [&(len as u16).to_be_bytes()[..], &datagram[..len]].concat();
            if writer.write_all(&frame).await.is_err() {
                return;
            }
            next = near.recv(&mut datagram).await;
        }
    });
    address
}

/// Somebody whose media goes through TCP.
async fn enters_over_tcp(server: &Server, name: &str, stage: bool) -> Client {
    let mut session = Session::open(server).await;
    assert_eq!(session.hello(&token(server, Role::Participant, name)).await["type"], "entry");
    let (unconnected, ssrcs) = (Unconnected::new().await, Ssrcs::fresh());
    let sdp = offer(unconnected.identity.fingerprint(), &unconnected.ufrag, Some(ssrcs), 25, 8);
    let place = if stage { "stage" } else { "viewer" };
    let enter = json!({ "type": "enter", "place": place, "mic": stage, "camera": stage, "offer": sdp });
    let entered = session.request(enter).await;
    let answer = entered["answer"].as_str().unwrap();
    let (udp, near) = (candidate(answer), tunnel(tcp_candidate(answer)).await);
    let answer = answer.replace(&format!("{} {}", udp.ip(), udp.port()), &format!("{} {}", near.ip(), near.port()));
    let media = Media::connect(unconnected, ssrcs, &answer).await;
    Client { you: entered["you"].as_u64().unwrap() as u32, session, media }
}

/// Pictures and voices both ways between somebody on TCP and somebody on UDP.
async fn see_and_hear_each_other(server: &Server) {
    let mut ann = enters_over_tcp(server, "Ann", true).await;
    let mut ben = Client::enter(server, "Ben", Wish::STAGE).await;
    let (on_tcp, on_udp) = (ann.you, ben.you);
    ann.speak(20, b"Ann's voice").await;
    ben.packet("Ann's voice", |packet| packet.payload == b"Ann's voice" && packet.csrc == on_tcp).await;
    ben.speak(20, b"Ben's voice").await;
    ann.packet("Ben's voice", |packet| packet.payload == b"Ben's voice" && packet.csrc == on_udp).await;
    ann.show(true, &[7; 1_000]).await;
    ben.packet("Ann's picture", |packet| packet.csrc == on_tcp && packet.payload.len() > 1_000).await;
    ben.show(true, &[8; 1_000]).await;
    ann.packet("Ben's picture", |packet| packet.csrc == on_udp && packet.payload.len() > 1_000).await;
}

#[tokio::test]
async fn somebody_on_tcp_and_somebody_on_udp_see_and_hear_each_other() {
    let server = server(None).await;
    see_and_hear_each_other(&server).await;
    until_scraped(&server, &["dais_media_tcp_connections 1", "dais_media_tcp_connections_total 1"]).await;
}

#[tokio::test]
async fn so_do_they_where_all_workers_share_a_port() {
    let server = server(Some(0)).await;
    // Both workers have somebody on TCP.
    see_and_hear_each_other(&server).await;
    see_and_hear_each_other(&server).await;
    assert_eq!(done(&server, Tally::TcpConnections), 2);
}

/// Without the option nothing is offered, and nothing listens.
#[tokio::test]
async fn tcp_is_offered_only_where_it_is_asked_for() {
    let server = support::server().await;
    let ann = Client::enter(&server, "Ann", Wish::VIEWER).await;
    assert!(!ann.answer.contains(" tcp "), "{}", ann.answer);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Server::start(&Config { media_tcp_port: Some(port), ..Config::loopback() }).await.err().unwrap();
    assert!(error.to_string().starts_with(&format!("cannot take media over TCP at 127.0.0.1:{port}")), "{error}");
}

#[tokio::test]
async fn whoever_does_not_know_the_password_is_closed_and_nobody_is_harmed() {
    let server = server(None).await;
    let mut ann = enters_over_tcp(&server, "Ann", true).await;
    let ben = Client::enter(&server, "Ben", Wish::VIEWER).await;
    // Ben's user fragment, and a password that is not his.
    let ufrag = support::offer::attribute(&ben.answer, "ice-ufrag");
    let check = dais_media::ice::binding_request("attacker", ufrag, "not the password at all", true).unwrap();
    let mut attacker = TcpStream::connect(tcp_candidate(&ben.answer)).await.unwrap();
    attacker.write_all(&(check.len() as u16).to_be_bytes()).await.unwrap();
    attacker.write_all(&check).await.unwrap();
    assert_eq!(attacker.read(&mut [0; 8]).await.unwrap_or(0), 0, "it is closed, and told nothing");
    until_counted(&server, "it was not proved", |c| c.closed(TcpEnd::Unproved) == 1).await;
    let mut cat = Client::enter(&server, "Cat", Wish::VIEWER).await;
    ann.speak(20, b"still here").await;
    cat.packet("Ann's voice", |packet| packet.payload == b"still here").await;
}
