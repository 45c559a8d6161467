//! Forwarding allocates nothing per packet and viewer: a counting allocator watches the worker threads.
#![allow(unsafe_code, reason = "a global allocator is unsafe by nature")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dais_media::rtp::{AudioLevel, Header};
use dais_media::sdp::Offer;
use dais_media::srtp::TAG_BYTES_MAX;
use dais_media::{
    Generation, Handshake, Identity, MediaConfig, MediaKind, MediaPlane, ParticipantId, Progress, RoomChange, RoomId,
    Setup, Slot, SpeechConfig, SrtpSession, Ssrc, ice,
};

/// Counts the allocations of threads that are not the test's own.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
thread_local! {
    static MINE: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !MINE.try_with(Cell::get).unwrap_or(true) {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROOM: RoomId = RoomId(0);
const VIEWERS: u32 = 20;
const MIC: u32 = 0x100;
const CAMERA: u32 = 0x200;

/// A client without a runtime: a socket and keys.
struct Peer {
    socket: UdpSocket,
    keys: SrtpSession,
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn offer(fingerprint: &str, sends: bool) -> String {
    let mut sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=fingerprint:sha-256 {fingerprint}\r\n\
         a=setup:actpass\r\na=ice-ufrag:user\r\na=ice-pwd:password-of-the-test-client\r\n"
    );
    let direction = if sends { "sendonly" } else { "recvonly" };
    sdp += &format!(
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na={direction}\r\na=ssrc:{MIC} cname:x\r\na=rtpmap:111 opus/48000/2\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    );
    sdp += &format!(
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na={direction}\r\na=ssrc:{CAMERA} cname:x\r\na=rtpmap:96 VP8/90000\r\n"
    );
    sdp
}

fn connect(plane: &MediaPlane, participant: u32, sends: bool) -> Peer {
    let identity = Identity::generate().unwrap();
    let offer = Offer::parse(&offer(&identity.fingerprint().to_sdp(), sends)).unwrap();
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
    loop {
        let mut out = Vec::new();
        let done = match socket.recv(&mut buf) {
            Ok(len) if buf[0] >= 20 => handshake.handle_datagram(Instant::now(), &buf[..len], |d| out.push(d.to_vec())),
            _ => handshake.handle_timeout(Instant::now(), |d| out.push(d.to_vec())),
        };
        out.iter().for_each(|datagram| {
            socket.send(datagram).unwrap();
        });
        if let Progress::Done(keys) = done.unwrap() {
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            return Peer { socket, keys: *keys };
        }
    }
}

/// Sends a packet with a payload of 1,000 bytes.
fn send(peer: &mut Peer, ssrc: u32, payload_type: u8, seq: u64, payload: &[u8], level: bool) {
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

/// Sends `count` packets of each kind and reads them at every viewer, so that no buffer overflows.
fn forward(publisher: &mut Peer, viewers: &mut [Peer], from: u64, count: u64) -> u64 {
    let mut received = 0;
    let mut video = vec![0x10, 1];
    video.resize(1_000, 7);
    for seq in from..from + count {
        video[1] = u8::from(seq != 1);
        send(publisher, CAMERA, 96, seq, &video, false);
        send(publisher, MIC, 111, seq, &[9; 80], true);
        for viewer in viewers.iter_mut() {
            for _ in 0..2 {
                let mut buf = [0; 2048];
                while let Ok(len) = viewer.socket.recv(&mut buf) {
                    if dais_media::rtcp::is_rtcp(&buf[..len]) || buf[0] < 128 {
                        continue;
                    }
                    let header = Header::parse(&buf[..len]).unwrap();
                    viewer.keys.receiver.unprotect_rtp(&mut buf[..len], &header).unwrap();
                    received += 1;
                    break;
                }
            }
        }
    }
    received
}

#[test]
fn forwarding_allocates_nothing_per_packet_and_viewer() {
    MINE.with(|mine| mine.set(true));
    let config = MediaConfig {
        workers: 2,
        bind: "127.0.0.1".parse().unwrap(),
        port: None,
        tcp_port: None,
        turn_port: None,
        announce: vec![],
        speech: SpeechConfig::default(),
    };
    let plane = MediaPlane::start(&config).unwrap();
    let _events = block_on(plane.open_room(ROOM));
    let mut publisher = connect(&plane, 1, true);
    let mut viewers: Vec<_> = (0..VIEWERS).map(|n| connect(&plane, 2 + n, false)).collect();
    let occupant = Some(ParticipantId(1));
    let changes = [Slot::camera(0), Slot::voice(0)].map(|slot| RoomChange::Map {
        slot: slot.unwrap(),
        generation: Generation(1),
        occupant,
    });
    block_on(plane.change(ROOM, changes.to_vec()));
    let permits = [MediaKind::Mic, MediaKind::Camera];
    let permits = permits.map(|kind| RoomChange::Permit { participant: ParticipantId(1), kind, permitted: true });
    block_on(plane.change(ROOM, permits.to_vec()));

    // Until the rings are full every packet takes a new buffer.
    forward(&mut publisher, &mut viewers, 1, 700);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let count = 2_000;
    let forwarded = forward(&mut publisher, &mut viewers, 701, count);
    assert_eq!(forwarded, 2 * count * u64::from(VIEWERS), "every packet came to every viewer");
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    // What remains belongs to the clock, not to the packets: reports and requests of 22 peers once a second each.
    println!("{allocations} allocations while {forwarded} packets were forwarded");
    assert!(allocations * 50 < forwarded, "{allocations} allocations for {forwarded} packets");
    assert!(allocations < 2 * count, "fewer than one for each packet that came in: {allocations}");
}
