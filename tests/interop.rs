//! Clients of the `webrtc` crate, an implementation that is not ours, publish and receive through a real server.

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dais_stage::Settings;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine};
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use serde_json::json;
use support::client::{Session, Wish};
use support::media::vp8;
use support::{PATIENCE, QUIET, server_with, token};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder, RTCPeerConnectionState,
    RTCSessionDescription, Registry, register_default_interceptors,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use webrtc::runtime::default_runtime;

/// Changes of occupant.
const CHANGES: usize = 10;
/// Packets each occupant sends.
const PACKETS: usize = 30;

/// Passes on what a connection receives.
struct Handler {
    state: watch::Sender<RTCPeerConnectionState>,
    packets: mpsc::UnboundedSender<(RtpCodecKind, rtp::Packet)>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let _ = self.state.send(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let packets = self.packets.clone();
        tokio::spawn(async move {
            let kind = track.kind().await;
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let _ = packets.send((kind, packet));
                }
            }
        });
    }
}

/// A client of the crate, in the room.
struct Peer {
    session: Session,
    connection: Box<dyn PeerConnection>,
    mic: Source,
    camera: Source,
    packets: mpsc::UnboundedReceiver<(RtpCodecKind, rtp::Packet)>,
}

/// A track and the numbers of its next packet.
struct Source {
    track: Arc<TrackLocalStaticRTP>,
    payload_type: u8,
    ssrc: u32,
    seq: u16,
    timestamp: u32,
}

impl Source {
    fn new(kind: RtpCodecKind, ssrc: u32, seq: u16) -> Self {
        let (codec, payload_type) = codec(kind);
        let coding = RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() };
        let encoding = RTCRtpEncodingParameters { rtp_coding_parameters: coding, codec, ..Default::default() };
        let name = format!("{kind}-{ssrc}");
        let track = MediaStreamTrack::new(name.clone(), name.clone(), name, kind, vec![encoding]);
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        Self { track, payload_type, ssrc, seq, timestamp: 7_000 }
    }

    async fn send(&mut self, payload: &[u8]) {
        self.seq = self.seq.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(960);
        let header = rtp::header::Header {
            version: 2,
            marker: true,
            payload_type: self.payload_type,
            sequence_number: self.seq,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            ..Default::default()
        };
        let packet = rtp::Packet { header, payload: Bytes::copy_from_slice(payload) };
        self.track.write_rtp(packet).await.expect("the track is bound");
    }
}

fn codec(kind: RtpCodecKind) -> (RTCRtpCodec, u8) {
    let video = kind == RtpCodecKind::Video;
    let feedback = |typ: &str, parameter: &str| RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() };
    let codec = RTCRtpCodec {
        mime_type: if video { MIME_TYPE_VP8 } else { MIME_TYPE_OPUS }.to_owned(),
        clock_rate: if video { 90_000 } else { 48_000 },
        channels: if video { 0 } else { 2 },
        sdp_fmtp_line: String::new(),
        rtcp_feedback: if video { vec![feedback("nack", ""), feedback("nack", "pli")] } else { vec![] },
    };
    (codec, if video { 96 } else { 111 })
}

impl Peer {
    async fn enter(server: &dais::Server, name: &str, ssrc: u32) -> Self {
        let mut session = Session::open(server).await;
        session.hello(&token(server, Wish::STAGE.role, name)).await;

        let mut engine = MediaEngine::default();
        for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
            let (rtp_codec, payload_type) = codec(kind);
            let parameters = RTCRtpCodecParameters { rtp_codec, payload_type };
            engine.register_codec(parameters, kind).unwrap();
        }
        let registry = register_default_interceptors(Registry::new(), &mut engine).unwrap();
        let (state, mut states) = watch::channel(RTCPeerConnectionState::New);
        let (packets, received) = mpsc::unbounded_channel();
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_handler(Arc::new(Handler { state, packets }))
            .with_runtime(default_runtime().unwrap())
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build()
            .await
            .unwrap();
        let direction = |direction| Some(RTCRtpTransceiverInit { direction, streams: vec![], send_encodings: vec![] });
        let mic = Source::new(RtpCodecKind::Audio, ssrc, 65_500);
        let camera = Source::new(RtpCodecKind::Video, ssrc + 1, 65_520);
        for source in [&mic, &camera] {
            let track = Arc::clone(&source.track) as Arc<dyn TrackLocal>;
            let sendonly = direction(RTCRtpTransceiverDirection::Sendonly);
            connection.add_transceiver_from_track(track, sendonly).await.unwrap();
        }
        for kind in [RtpCodecKind::Video, RtpCodecKind::Audio] {
            let recvonly = direction(RTCRtpTransceiverDirection::Recvonly);
            connection.add_transceiver_from_kind(kind, recvonly).await.unwrap();
        }
        let offer = connection.create_offer(None).await.unwrap();
        connection.set_local_description(offer).await.unwrap();
        let sdp = connection.local_description().await.unwrap().sdp;
        let enter = json!({ "type": "enter", "place": "stage", "mic": false, "camera": false, "offer": sdp });
        let entered = session.request(enter).await;
        assert_eq!(entered["type"], "entered", "{entered}");
        let answer = RTCSessionDescription::answer(entered["answer"].as_str().unwrap().to_owned()).unwrap();
        connection.set_remote_description(answer).await.unwrap();
        let connected = states.wait_for(|state| *state == RTCPeerConnectionState::Connected);
        timeout(PATIENCE, connected).await.expect("connected in time").unwrap();
        Self { session, connection: Box::new(connection), mic, camera, packets: received }
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
            self.mic.send(&voice).await;
            self.camera.send(&picture).await;
            voices.push(voice);
            pictures.push(picture);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        (voices, pictures)
    }

    /// The next packet of each kind, until there are as many as were sent.
    async fn receive(&mut self, voices: &mut Vec<rtp::Packet>, pictures: &mut Vec<rtp::Packet>, count: usize) {
        while voices.len() < count || pictures.len() < count {
            let next = timeout(PATIENCE, self.packets.recv()).await;
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
    assert!(timeout(QUIET, viewer.packets.recv()).await.is_err(), "nothing more than was sent arrives");

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
        peer.connection.close().await.unwrap();
    }
}
