//! Attacks that hurt others elsewhere (CVE-2023-51275, CVE-2021-41105, ES2025-01 and their like) hurt nobody here.

mod support;

use std::net::UdpSocket as StdSocket;
use std::time::Instant;

use dais::Server;
use dais_media::{Counters, DropReason, Fingerprint, Handshake, Identity, Progress, Setup, Tally, ice};
use serde_json::json;
use support::client::{Session, Wish};
use support::media::{Unconnected, candidate};
use support::offer::{Ssrcs, attribute, offer};
use support::{Client, PATIENCE, server, token, until_counted, until_scraped};

/// Ann is on stage and the viewer gets her voice.
async fn a_working_pair(server: &Server) -> (Client, Client) {
    let mut ann = Client::enter(server, "Ann", Wish::STAGE).await;
    let mut viewer = Client::enter(server, "Viewer", Wish::VIEWER).await;
    still_works(&mut ann, &mut viewer, b"before").await;
    (ann, viewer)
}

async fn still_works(ann: &mut Client, viewer: &mut Client, word: &[u8]) {
    ann.speak(20, word).await;
    let packet = viewer.packet("Ann's voice", |packet| packet.payload == word).await;
    assert_eq!(packet.csrc, ann.you);
}

/// Sends from an address nobody has proved, and waits until all of it is counted under `reason`.
async fn spray(server: &Server, to: std::net::SocketAddr, datagrams: &[Vec<u8>], reason: DropReason) {
    let before = server.media_counters().dropped(reason);
    let socket = StdSocket::bind("127.0.0.1:0").unwrap();
    for datagram in datagrams {
        socket.send_to(datagram, to).unwrap();
    }
    let all = before + datagrams.len() as u64;
    until_counted(server, reason.label(), |c: &Counters| c.dropped(reason) >= all).await;
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv_from(&mut [0; 2048]).is_err(), "nothing is sent to an address that proved nothing");
}

fn client_hello() -> Vec<u8> {
    let identity = Identity::generate().unwrap();
    let mut handshake = Handshake::new(&identity, Setup::Active, Fingerprint([0; 32]), Instant::now());
    let mut hello = Vec::new();
    let _ = handshake.handle_timeout(Instant::now(), |datagram| hello = datagram.to_vec());
    assert!(!hello.is_empty());
    hello
}

#[tokio::test]
async fn client_hellos_from_elsewhere_disturb_nobody() {
    let server = server().await;
    let (mut ann, mut viewer) = a_working_pair(&server).await;
    spray(&server, ann.path.server, &vec![client_hello(); 50], DropReason::UnknownAddress).await;
    still_works(&mut ann, &mut viewer, b"after").await;
}

#[tokio::test]
async fn a_client_hello_in_a_running_session_ends_nothing() {
    let server = server().await;
    let (mut ann, mut viewer) = a_working_pair(&server).await;
    for _ in 0..20 {
        ann.path.send_raw(&client_hello()).await;
        ann.path.send_raw(&[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 0, 0]).await;
        ann.path.send_raw(&[22; 13]).await;
    }
    still_works(&mut ann, &mut viewer, b"after").await;
}

#[tokio::test]
async fn forged_checks_take_no_session_over() {
    let server = server().await;
    let (mut ann, mut viewer) = a_working_pair(&server).await;
    let unknown = ice::binding_request("attacker", "ABCDEFGH", "not the password at all", true).unwrap();
    spray(&server, ann.path.server, &vec![unknown; 10], DropReason::StunUnknownUser).await;
    spray(&server, ann.path.server, &vec![vec![0, 1, 0, 0]; 10], DropReason::StunMalformed).await;
    spray(&server, ann.path.server, &vec![vec![99; 100]; 10], DropReason::NotMultiplexed).await;
    still_works(&mut ann, &mut viewer, b"after").await;
}

async fn enter_with(server: &Server, fingerprint: Fingerprint) -> (String, Session) {
    let mut session = Session::open(server).await;
    session.hello(&token(server, dais_stage::Role::Participant, "Mallory")).await;
    let ssrcs = Ssrcs { mic: 1, camera: 2, camera_rtx: 3, ..Ssrcs::fresh() };
    let sdp = offer(fingerprint, "testclnt", Some(ssrcs), 1, 1);
    let enter = json!({ "type": "enter", "place": "viewer", "mic": false, "camera": false, "offer": sdp });
    let entered = session.request(enter).await;
    (entered["answer"].as_str().unwrap().to_owned(), session)
}

#[tokio::test]
async fn a_check_with_the_right_name_and_the_wrong_password_is_forged() {
    let server = server().await;
    let (answer, _session) = enter_with(&server, Identity::generate().unwrap().fingerprint()).await;
    let forged = ice::binding_request("attacker", attribute(&answer, "ice-ufrag"), "guess", true).unwrap();
    spray(&server, candidate(&answer), &vec![forged; 10], DropReason::StunForged).await;
}

#[tokio::test]
async fn a_certificate_other_than_the_offered_one_gets_no_media() {
    let server = server().await;
    let unconnected = Unconnected::new().await;
    let (answer, mut session) = enter_with(&server, Fingerprint([9; 32])).await;
    let identity = unconnected.identity.clone();
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = candidate(&answer);
    let (ufrag, pwd) = (attribute(&answer, "ice-ufrag"), attribute(&answer, "ice-pwd"));
    socket.send_to(&ice::binding_request("testclnt", ufrag, pwd, true).unwrap(), to).await.unwrap();
    let theirs = attribute(&answer, "fingerprint").trim_start_matches("sha-256 ");
    let mut handshake = Handshake::new(&identity, Setup::Active, Fingerprint::parse(theirs).unwrap(), Instant::now());
    let mut buf = [0; 2048];
    let (len, _) = socket.recv_from(&mut buf).await.unwrap();
    assert_eq!(buf[..2], [1, 1], "the check of {len} bytes is answered");
    let mut out = Vec::new();
    let _ = handshake.handle_timeout(Instant::now(), |datagram| out.push(datagram.to_vec()));
    let handshaking = async {
        loop {
            for datagram in out.drain(..) {
                socket.send_to(&datagram, to).await.unwrap();
            }
            let Ok((len, _)) = socket.recv_from(&mut buf).await else { return };
            let progress = handshake.handle_datagram(Instant::now(), &buf[..len], |d| out.push(d.to_vec()));
            assert!(!matches!(progress, Ok(Progress::Done(_))), "no keys without the certificate");
        }
    };
    tokio::select! {
        () = handshaking => {}
        () = until_counted(&server, "a wrong fingerprint", |c| c.dropped(DropReason::DtlsFingerprint) == 1) => {}
    }
    let closed = session.until("the end of the session", |message| message["type"] == "closed").await;
    assert_eq!(closed["code"], "media_lost");
    let ended = r#"dais_media_connections_ended_total{reason="handshake_failed"} 1"#;
    until_scraped(&server, &[ended, r#"dais_join_seconds_count{phase="connect"} 0"#]).await;
}

#[tokio::test]
async fn packets_from_an_address_that_proved_nothing_are_not_learned_from() {
    let server = server().await;
    let (mut ann, mut viewer) = a_working_pair(&server).await;
    let mut packet = vec![0x80, 111];
    packet.extend([0; 10]);
    packet.extend([1; 60]);
    spray(&server, ann.path.server, &vec![packet; 50], DropReason::UnknownAddress).await;
    still_works(&mut ann, &mut viewer, b"after").await;
}

#[tokio::test]
async fn a_flood_of_bad_srtp_does_not_end_the_session() {
    let server = server().await;
    let (mut ann, mut viewer) = a_working_pair(&server).await;
    let mut forged = vec![0x80, 111, 0, 1, 0, 0, 0, 1];
    forged.extend(ann.ssrcs.mic.to_be_bytes());
    forged.extend([7; 60]);
    for _ in 0..500 {
        ann.path.send_raw(&forged).await;
        ann.path.send_raw(&[0x80, 200, 0, 1, 0, 0, 0, 1]).await;
        ann.path.send_raw(&[0x9f, 111, 0, 1]).await;
    }
    until_counted(&server, "500 forged packets", |c| c.dropped(DropReason::SrtpForged) >= 500).await;
    still_works(&mut ann, &mut viewer, b"after").await;
}

#[tokio::test]
async fn malformed_but_authentic_rtcp_and_rtp_are_counted_and_hurt_nobody() {
    let server = server().await;
    let (mut ann, mut viewer) = a_working_pair(&server).await;
    let bad_rtcp: [&[u8]; 4] = [
        &[0x80, 205, 0, 9, 0, 0, 0, 1],
        &[0x81, 205, 0, 1, 0, 0, 0, 1],
        &[0x8f, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x40, 0],
        &[0x9f, 200, 0, 1, 0, 0, 0, 1],
    ];
    for compound in bad_rtcp {
        ann.path.send_rtcp(compound.to_vec()).await;
    }
    until_counted(&server, "malformed RTCP", |c| c.dropped(DropReason::RtcpMalformed) >= 3).await;
    ann.video(true, &[0x90]).await;
    until_counted(&server, "a VP8 descriptor cut short", |c| c.dropped(DropReason::PayloadMalformed) == 1).await;
    still_works(&mut ann, &mut viewer, b"after").await;
}

#[tokio::test]
async fn a_small_request_does_not_make_the_server_send_without_end() {
    let server = server().await;
    let (mut ann, mut viewer) = a_working_pair(&server).await;
    ann.show(true, &[7; 900]).await;
    let picture = viewer.packet("a picture", |packet| packet.slot.kind().is_video()).await;
    // The same packet 4,000 times: 24 kB that ask for 4 MB.
    let nack = dais_media::rtcp::nack(picture.slot.ssrc(), &[picture.seq]);
    for _ in 0..40 {
        viewer.path.send_rtcp(nack.repeat(100)).await;
    }
    until_counted(&server, "limited retransmissions", |c| {
        c.done(Tally::Retransmitted) + c.dropped(DropReason::RetransmitLimited) == 4_000
    })
    .await;
    let sent = server.media_counters().done(Tally::Retransmitted);
    assert!((512..2_500).contains(&sent), "{sent} packets were sent");
    viewer.drain().await;
    still_works(&mut ann, &mut viewer, b"after").await;
}

/// A laptop moves from one network to another: the same session, another address, no restart.
#[tokio::test]
async fn an_address_change_needs_no_restart() {
    let server = server().await;
    let (mut ann, viewer) = a_working_pair(&server).await;
    let moved = viewer.moves_to_another_address().await;
    until_counted(&server, "an address change", |c| c.done(Tally::AddressChanges) == 1).await;
    ann.speak(20, b"at the new address").await;
    let mut buf = [0; 2048];
    let received = tokio::time::timeout(PATIENCE, async {
        loop {
            let (len, _) = moved.recv_from(&mut buf).await.unwrap();
            if (128..=191).contains(&buf[0]) && !dais_media::rtcp::is_rtcp(&buf[..len]) {
                return len;
            }
        }
    });
    assert!(received.await.unwrap() > 18, "Ann's voice comes to the new address");
}
