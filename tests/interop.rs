//! Clients of the `webrtc` crate, an implementation that is not ours, publish and receive through a real server.

mod support;
#[path = "support/webrtc_peer.rs"]
mod webrtc_peer;

use std::time::Duration;

use dais_stage::Settings;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use serde_json::json;
use support::client::{Session, Wish};
use support::media::vp8;
use support::{PATIENCE, QUIET, server_with, token};
use tokio::time::timeout;
use webrtc_peer::WebrtcPeer;

/// Changes of occupant.
const CHANGES: usize = 10;
/// Packets each occupant sends.
const PACKETS: usize = 30;

/// A client of the crate, in the room.
struct Peer {
    session: Session,
    media: WebrtcPeer,
}

impl Peer {
    async fn enter(server: &dais::Server, name: &str, ssrc: u32) -> Self {
        let mut session = Session::open(server).await;
        session.hello(&token(server, Wish::STAGE.role, name)).await;

        let mut media = WebrtcPeer::new(ssrc, true, true).await;
        let sdp = media.offer().await;
        let enter = json!({ "type": "enter", "place": "stage", "mic": false, "camera": false, "offer": sdp });
        let entered = session.request(enter).await;
        assert_eq!(entered["type"], "entered", "{entered}");
        media.connect(entered["answer"].as_str().unwrap()).await;
        Self { session, media }
    }

    async fn switch(&mut self, what: &str, on: bool) {
        let answer = self.session.request(json!({ "type": what, "on": on })).await;
        assert_eq!(answer["type"], "ok", "{answer}");
    }

    /// Sends pictures and voice, numbered, and returns the payloads.
    async fn perform(&mut self, turn: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let (mut voices, mut pictures) = (Vec::new(), Vec::new());
        for n in 0..PACKETS {
            let voice: Vec<u8> = (0..80).map(|at| (turn * 31 + n * 7 + at) as u8).collect();
            let body: Vec<u8> = (0..900).map(|at| (turn * 13 + n * 5 + at) as u8).collect();
            let picture = vp8(n == 0, true, (100 * turn + n) as u16, &body);
            self.media.mic.send(&voice).await;
            self.media.camera.send(&picture).await;
            voices.push(voice);
            pictures.push(picture);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        (voices, pictures)
    }

    /// The next packet of each kind, until there are as many as were sent.
    async fn receive(&mut self, voices: &mut Vec<rtp::Packet>, pictures: &mut Vec<rtp::Packet>, count: usize) {
        while voices.len() < count || pictures.len() < count {
            let next = timeout(PATIENCE, self.media.packets.recv()).await;
            let what = || format!("{} voices and {} pictures of {count} arrived", voices.len(), pictures.len());
            let (kind, packet) = next.unwrap_or_else(|_| panic!("{}", what())).expect("the connection is open");
            if kind == RtpCodecKind::Video { pictures.push(packet) } else { voices.push(packet) }
        }
    }
}

/// Bytes of the VP8 descriptor as `vp8` writes it; what stands behind must arrive untouched.
const DESCRIPTOR: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_arrives_identical_and_without_a_gap_over_ten_changes_of_occupant() {
    // One camera place, so that every camera that goes live takes the slot of the one before.
    let server = server_with(Settings { camera_limit: 1, ..Settings::default() }).await;
    let mut publishers = [Peer::enter(&server, "Ann", 0x1000).await, Peer::enter(&server, "Ben", 0x2000).await];
    let mut viewer = Peer::enter(&server, "Viewer", 0x3000).await;

    let (mut voices, mut pictures) = (Vec::new(), Vec::new());
    let (mut sent_voices, mut sent_pictures) = (Vec::new(), Vec::new());
    for turn in 0..=CHANGES {
        let publisher = &mut publishers[turn % 2];
        publisher.switch("set_mic", true).await;
        publisher.switch("set_camera", true).await;
        let (spoken, shown) = publisher.perform(turn).await;
        sent_voices.extend(spoken);
        sent_pictures.extend(shown);
        viewer.receive(&mut voices, &mut pictures, sent_voices.len()).await;
        publisher.switch("set_mic", false).await;
        publisher.switch("set_camera", false).await;
    }
    assert!(timeout(QUIET, viewer.media.packets.recv()).await.is_err(), "nothing more than was sent arrives");

    for (what, packets) in [("voice", &voices), ("picture", &pictures)] {
        let gaps = packets
            .windows(2)
            .filter(|pair| pair[1].header.sequence_number != pair[0].header.sequence_number.wrapping_add(1));
        assert_eq!(gaps.count(), 0, "{what}: sequence numbers follow each other");
        let ssrcs: std::collections::BTreeSet<_> = packets.iter().map(|packet| packet.header.ssrc).collect();
        assert_eq!(ssrcs.len(), 1, "{what}: the slot keeps its SSRC");
        let forward = packets
            .windows(2)
            .all(|pair| pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp) < 90_000 * 60);
        assert!(forward, "{what}: time does not run backwards");
        let occupants: std::collections::BTreeSet<_> =
            packets.iter().map(|packet| packet.header.csrc.clone()).collect();
        assert_eq!(occupants.len(), 2, "{what}: the CSRC tells whose it is");
    }
    assert!(voices.iter().map(|packet| &packet.payload[..]).eq(sent_voices.iter().map(Vec::as_slice)));
    let behind = |payload: &[u8]| payload[DESCRIPTOR..].to_vec();
    assert!(pictures.iter().map(|p| behind(&p.payload)).eq(sent_pictures.iter().map(|payload| behind(payload))));
    let ids: Vec<u16> = pictures.iter().map(|p| u16::from_be_bytes([p.payload[2] & 0x7f, p.payload[3]])).collect();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "picture ids follow each other");
    for peer in publishers.iter().chain([&viewer]) {
        peer.media.connection.close().await.unwrap();
    }
}
