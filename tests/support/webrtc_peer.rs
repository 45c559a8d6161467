//! A peer of the `webrtc` crate, an implementation that is not ours.

use std::sync::Arc;

use bytes::Bytes;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine};
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
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

use crate::support::PATIENCE;

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

/// A track and the numbers of its next packet.
pub struct Source {
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

    pub async fn send(&mut self, payload: &[u8]) {
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

/// A connection with a microphone and a camera to send, and what it receives.
pub struct WebrtcPeer {
    pub connection: Box<dyn PeerConnection>,
    pub mic: Source,
    pub camera: Source,
    pub packets: mpsc::UnboundedReceiver<(RtpCodecKind, rtp::Packet)>,
    states: watch::Receiver<RTCPeerConnectionState>,
}

impl WebrtcPeer {
    /// A peer that offers to send, with SSRCs from `ssrc` on, and to receive one picture and one voice.
    pub async fn new(ssrc: u32, sends: bool, receives: bool) -> Self {
        let mut engine = MediaEngine::default();
        for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
            let (rtp_codec, payload_type) = codec(kind);
            let parameters = RTCRtpCodecParameters { rtp_codec, payload_type };
            engine.register_codec(parameters, kind).unwrap();
        }
        let registry = register_default_interceptors(Registry::new(), &mut engine).unwrap();
        let (state, states) = watch::channel(RTCPeerConnectionState::New);
        let (sender, packets) = mpsc::unbounded_channel();
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_handler(Arc::new(Handler { state, packets: sender }))
            .with_runtime(default_runtime().unwrap())
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build()
            .await
            .unwrap();
        let direction = |direction| Some(RTCRtpTransceiverInit { direction, streams: vec![], send_encodings: vec![] });
        let mic = Source::new(RtpCodecKind::Audio, ssrc, 65_500);
        let camera = Source::new(RtpCodecKind::Video, ssrc + 1, 65_520);
        for source in [&mic, &camera].into_iter().filter(|_| sends) {
            let track = Arc::clone(&source.track) as Arc<dyn TrackLocal>;
            let sendonly = direction(RTCRtpTransceiverDirection::Sendonly);
            connection.add_transceiver_from_track(track, sendonly).await.unwrap();
        }
        for kind in [RtpCodecKind::Video, RtpCodecKind::Audio].into_iter().filter(|_| receives) {
            let recvonly = direction(RTCRtpTransceiverDirection::Recvonly);
            connection.add_transceiver_from_kind(kind, recvonly).await.unwrap();
        }
        Self { connection: Box::new(connection), mic, camera, packets, states }
    }

    pub async fn offer(&self) -> String {
        let offer = self.connection.create_offer(None).await.unwrap();
        self.connection.set_local_description(offer).await.unwrap();
        self.connection.local_description().await.unwrap().sdp
    }

    /// Takes the answer and waits until media can flow.
    pub async fn connect(&mut self, answer: &str) {
        let answer = RTCSessionDescription::answer(answer.to_owned()).unwrap();
        self.connection.set_remote_description(answer).await.unwrap();
        let connected = self.states.wait_for(|state| *state == RTCPeerConnectionState::Connected);
        timeout(PATIENCE, connected).await.expect("connected in time").unwrap();
    }
}
