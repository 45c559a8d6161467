//! Clients over real sockets, and a data plane for them.
#![allow(dead_code, reason = "each test uses a part")]

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use dais_media::rtp::AudioLevel;
use dais_media::sdp::Offer;
use dais_media::srtp::TAG_BYTES_MAX;
use dais_media::{
    Codec, Counters, Generation, Handshake, Identity, MediaConfig, MediaPlane, ParticipantId, Progress, RoomChange,
    RoomId, Setup, Slot, SpeechConfig, SrtpSession, Ssrc, ice,
};

pub const ROOM: RoomId = RoomId(0);
pub const MIC: u32 = 0x100;
pub const CAMERA: u32 = 0x200;
pub const OPUS: u8 = 111;
pub const RED: u8 = 63;

/// Formats a camera may have: payload type, name and parameters. Those of retransmissions follow the codec's own.
pub const VIDEO: [(u8, &str, &str); 5] = [
    (96, "VP8", ""),
    (97, "rtx", "a=fmtp:97 apt=96\r\n"),
    (98, "VP9", "a=fmtp:98 profile-id=0\r\n"),
    (102, "H264", "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"),
    (103, "rtx", "a=fmtp:103 apt=102\r\n"),
];

/// Two workers on loopback.
pub fn config() -> MediaConfig {
    MediaConfig {
        workers: 2,
        bind: "127.0.0.1".parse().unwrap(),
        port: None,
        tcp_port: None,
        turn_port: None,
        announce: vec![],
        speech: SpeechConfig::default(),
    }
}

/// A client without a runtime: a socket and keys.
pub struct Peer {
    pub socket: UdpSocket,
    pub keys: SrtpSession,
}

/// Waits for the control plane's side.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// An offer to send, or receive, one voice, plain and redundant, and one camera in the formats `video` of [`VIDEO`].
pub fn offer(fingerprint: &str, sends: bool, video: &[u8]) -> String {
    let mut sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=fingerprint:sha-256 {fingerprint}\r\n\
         a=setup:actpass\r\na=ice-ufrag:user\r\na=ice-pwd:password-of-the-test-client\r\n"
    );
    let direction = if sends { "sendonly" } else { "recvonly" };
    sdp += &format!(
        "m=audio 9 UDP/TLS/RTP/SAVPF {OPUS} {RED}\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na={direction}\r\na=ssrc:{MIC} cname:x\r\n\
         a=rtpmap:{OPUS} opus/48000/2\r\na=rtpmap:{RED} red/48000/2\r\na=fmtp:{RED} {OPUS}/{OPUS}\r\n\
         a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    );
    sdp += &format!(
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na={direction}\r\na=ssrc:{CAMERA} cname:x\r\n"
    );
    for (payload_type, name, fmtp) in VIDEO.iter().filter(|(payload_type, ..)| video.contains(payload_type)) {
        sdp += &format!("a=rtpmap:{payload_type} {name}/90000\r\n{fmtp}");
    }
    sdp
}

/// Connects somebody who sends, or receives, one voice and one camera; the camera in formats of [`VIDEO`] with these
/// payload types, in a room of `codec`.
pub fn connect(plane: &MediaPlane, participant: u32, sends: bool, (codec, video): (Codec, &[u8])) -> Peer {
    connect_with(plane, participant, sends, codec, |fingerprint| offer(fingerprint, sends, video))
}

/// The same with what `offer` makes of a fingerprint.
pub fn connect_with(
    plane: &MediaPlane,
    participant: u32,
    sends: bool,
    codec: Codec,
    offer: impl FnOnce(&str) -> String,
) -> Peer {
    connect_over(plane, participant, sends, codec, offer, 0)
}

/// The same over a line that loses so many of the first datagrams of the handshake that come from the server; the client asks for
/// none of them again.
pub fn connect_over(
    plane: &MediaPlane,
    participant: u32,
    sends: bool,
    codec: Codec,
    offer: impl FnOnce(&str) -> String,
    mut lost: usize,
) -> Peer {
    let identity = Identity::generate().unwrap();
    let offer = Offer::parse(&offer(&identity.fingerprint().to_sdp()), codec).unwrap();
    let (answer, _) =
        block_on(plane.connect(ROOM, ParticipantId(participant), offer, [sends, sends, false, false])).unwrap();
    let value = |key: &str| answer.lines().find_map(|l| l.strip_prefix(key)).unwrap().to_owned();
    let candidate = value("a=candidate:");
    let fields: Vec<_> = candidate.split(' ').collect();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(format!("{}:{}", fields[4], fields[5])).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let check = ice::binding_request("user", &value("a=ice-ufrag:"), &value("a=ice-pwd:"), true).unwrap();
    let fingerprint = value("a=fingerprint:sha-256 ");
    let expected = dais_media::Fingerprint::parse(&fingerprint).unwrap();
    let mut handshake = Handshake::new(&identity, Setup::Active, expected, Instant::now());
    let mut buf = [0; 2048];
    socket.send(&check).unwrap();
    let start = Instant::now();
    let (is_lossy, mut has_begun) = (lost > 0, false);
    loop {
        assert!(start.elapsed() < Duration::from_secs(15), "not connected");
        let mut out = Vec::new();
        let done = match socket.recv(&mut buf) {
            Ok(_) if buf[0] >= 20 && lost > 0 => {
                lost -= 1;
                continue;
            }
            Err(_) if is_lossy && has_begun => continue,
            Ok(len) if buf[0] >= 20 => handshake.handle_datagram(Instant::now(), &buf[..len], |d| out.push(d.to_vec())),
            _ => handshake.handle_timeout(Instant::now(), |d| out.push(d.to_vec())),
        };
        has_begun |= !out.is_empty();
        out.iter().for_each(|datagram| {
            socket.send(datagram).unwrap();
        });
        if let Progress::Done(keys) = done.unwrap() {
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            return Peer { socket, keys: *keys };
        }
    }
}

/// Waits until the workers have counted it.
pub fn until_counted(plane: &MediaPlane, what: &str, is_so: impl Fn(&Counters) -> bool) {
    let start = Instant::now();
    while !is_so(&plane.counters()) {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A data plane whose room of `codec` has participant 1 on stage, with a camera in these formats, in `slots`.
pub fn on_stage(codec: Codec, video: &[u8], slots: &[Slot]) -> (MediaPlane, Peer) {
    let plane = MediaPlane::start(&config()).unwrap();
    let _events = block_on(plane.open_room(ROOM));
    let (publisher, participant) = (connect(&plane, 1, true, (codec, video)), ParticipantId(1));
    for slot in slots {
        let map = RoomChange::Map { slot: *slot, generation: Generation(1), occupant: Some(participant) };
        let permit = RoomChange::Permit { participant, kind: slot.kind(), permitted: true };
        block_on(plane.change(ROOM, vec![map, permit]));
    }
    (plane, publisher)
}

/// Sends a packet.
pub fn send(peer: &mut Peer, ssrc: u32, payload_type: u8, seq: u64, payload: &[u8], level: bool) {
    let mut packet = vec![if level { 0x90 } else { 0x80 }, payload_type];
    packet.extend((seq as u16).to_be_bytes());
    packet.extend((seq as u32 * 3000).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    if level {
        let byte = AudioLevel { dbov: 90, voice: false }.to_byte();
        packet.extend([0xbe, 0xde, 0, 1, 0x10, byte, 0, 0]);
    }
    let header_len = packet.len();
    packet.extend(payload);
    let len = packet.len();
    packet.resize(len + TAG_BYTES_MAX, 0);
    let len = peer.keys.sender.protect_rtp(&mut packet, header_len, len, Ssrc(ssrc), seq);
    peer.socket.send(&packet[..len]).unwrap();
}
