//! The media side of a client: one UDP socket with ICE, DTLS and SRTP, and losses where a test wants them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dais_media::rtp::{AudioLevel, Header};
use dais_media::srtp::{Receiver, Sender, TAG_BYTES_MAX};
use dais_media::{Handshake, Identity, Progress, Setup, Slot, Ssrc, ice, rtcp};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::PATIENCE;
use super::offer::{CAMERA_MID, LEVEL_ID, MID_ID, OPUS, RID_ID, RIDS, RTX, VP8, attribute};

/// A packet received in a slot.
#[derive(Clone, Debug)]
pub struct Received {
    pub slot: Slot,
    pub seq: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub csrc: u32,
    pub level: Option<AudioLevel>,
    pub payload: Vec<u8>,
    /// It came as a retransmission.
    pub rtx: bool,
}

/// Loses datagrams by a seeded chance, per mille.
#[derive(Default)]
pub struct Loss {
    per_mille: AtomicU32,
    /// Nothing is read any more.
    pub deaf: AtomicBool,
    state: AtomicU64,
    pub lost: AtomicU64,
}

impl Loss {
    pub fn start(&self, per_mille: u32, seed: u64) {
        self.state.store(seed, Ordering::Relaxed);
        self.per_mille.store(per_mille, Ordering::Relaxed);
    }

    fn loses(&self) -> bool {
        let next = |s: u64| s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let state = next(self.state.load(Ordering::Relaxed));
        self.state.store(state, Ordering::Relaxed);
        let loses = (state >> 33) % 1000 < u64::from(self.per_mille.load(Ordering::Relaxed));
        self.lost.fetch_add(u64::from(loses), Ordering::Relaxed);
        loses
    }
}

/// What came over RTCP, or as a packet.
pub struct Incoming {
    pub packets: mpsc::UnboundedReceiver<Received>,
    pub reports: mpsc::UnboundedReceiver<rtcp::Message>,
}

/// A connected media path. Clones send over the same path.
#[derive(Clone)]
pub struct Path {
    pub socket: Arc<UdpSocket>,
    pub server: SocketAddr,
    sender: Arc<Mutex<Sender>>,
    pub loss: Arc<Loss>,
}

/// The client's half, before it is connected.
pub struct Unconnected {
    pub identity: Identity,
    pub ufrag: String,
    socket: UdpSocket,
}

impl Unconnected {
    pub async fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Self { identity: Identity::generate().unwrap(), ufrag: "testclnt".to_owned(), socket }
    }

    /// ICE and DTLS with the server of `answer`.
    pub async fn connect(self, answer: &str) -> (Path, Incoming) {
        let socket = self.socket;
        let server = candidate(answer);
        let remote = (attribute(answer, "ice-ufrag"), attribute(answer, "ice-pwd"));
        let check = ice::binding_request(&self.ufrag, remote.0, remote.1, true).unwrap();
        let fingerprint = attribute(answer, "fingerprint").trim_start_matches("sha-256 ");
        let expected = dais_media::Fingerprint::parse(fingerprint).unwrap();
        let mut handshake = Handshake::new(&self.identity, Setup::Active, expected, Instant::now());
        let mut buf = vec![0u8; 2048];
        let deadline = Instant::now() + PATIENCE;
        let mut checked = false;
        let keys = 'connected: loop {
            assert!(Instant::now() < deadline, "not connected in time");
            if !checked {
                socket.send_to(&check, server).await.unwrap();
            }
            let mut replies = Vec::new();
            if let Ok(Ok((len, _))) = timeout(Duration::from_millis(50), socket.recv_from(&mut buf)).await {
                match buf[0] {
                    0..=3 => {
                        checked = true;
                        let start = handshake.handle_timeout(Instant::now(), |d| replies.push(d.to_vec()));
                        start.expect("the handshake starts");
                    }
                    20..=63 => {
                        let done = handshake.handle_datagram(Instant::now(), &buf[..len], |d| replies.push(d.to_vec()));
                        if let Progress::Done(keys) = done.expect("the handshake goes on") {
                            for reply in replies {
                                socket.send_to(&reply, server).await.unwrap();
                            }
                            break 'connected *keys;
                        }
                    }
                    _ => {}
                }
            } else if checked {
                let again = handshake.handle_timeout(Instant::now(), |d| replies.push(d.to_vec()));
                again.expect("the handshake goes on");
            }
            for reply in replies {
                socket.send_to(&reply, server).await.unwrap();
            }
        };
        let socket = Arc::new(socket);
        let path = Path { socket, server, sender: Arc::new(Mutex::new(keys.sender)), loss: Arc::default() };
        let incoming = receive(path.clone(), keys.receiver, handshake);
        (path, incoming)
    }
}

/// Address of the first candidate.
pub fn candidate(answer: &str) -> SocketAddr {
    let fields: Vec<_> = attribute(answer, "candidate").split(' ').collect();
    format!("{}:{}", fields[4], fields[5]).parse().unwrap()
}

fn receive(path: Path, mut keys: Receiver, mut handshake: Handshake) -> Incoming {
    let (packets, packets_out) = mpsc::unbounded_channel();
    let (reports, reports_out) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut buf = vec![0u8; 2048];
        while let Ok((len, _)) = path.socket.recv_from(&mut buf).await {
            if path.loss.deaf.load(Ordering::Relaxed) {
                // Its socket stays open, so that the sender hears of no error.
                return std::future::pending::<()>().await;
            }
            if path.loss.loses() {
                continue;
            }
            let datagram = &mut buf[..len];
            match datagram[0] {
                20..=63 => {
                    // The server did not get our last flight.
                    let mut replies = Vec::new();
                    let _ = handshake.handle_datagram(Instant::now(), datagram, |d| replies.push(d.to_vec()));
                    for reply in replies {
                        let _ = path.socket.send_to(&reply, path.server).await;
                    }
                }
                128..=191 if rtcp::is_rtcp(datagram) => {
                    let Ok(len) = keys.unprotect_rtcp(datagram) else { continue };
                    let _ = rtcp::read(&datagram[..len], |message| {
                        let _ = reports.send(message);
                    });
                }
                128..=191 => {
                    let header = Header::parse(datagram).unwrap();
                    let Ok(len) = keys.unprotect_rtp(datagram, &header) else { continue };
                    let _ = packets.send(received(&header, &datagram[..len]));
                }
                _ => {}
            }
        }
    });
    Incoming { packets: packets_out, reports: reports_out }
}

fn received(header: &Header, packet: &[u8]) -> Received {
    let level = header.extensions(packet).find(|(id, _)| *id == LEVEL_ID).and_then(|(_, data)| AudioLevel::parse(data));
    let csrc = u32::from_be_bytes(packet[12..16].try_into().unwrap());
    let len = header.payload_len(packet).expect("the server's padding fits");
    let mut payload = packet[header.len..header.len + len].to_vec();
    let media = Ssrc(header.ssrc.0 & !1);
    let rtx = header.payload_type == RTX;
    let seq = if rtx { u16::from_be_bytes([payload.remove(0), payload.remove(0)]) } else { header.seq };
    let slot = Slot::from_ssrc(if rtx { media } else { header.ssrc }).expect("the server sends in slots");
    Received { slot, seq, timestamp: header.timestamp, marker: header.marker, csrc, level, payload, rtx }
}

/// Numbers of a packet to send.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    pub ssrc: u32,
    /// Extended.
    pub seq: u64,
    pub timestamp: u32,
}

impl Path {
    pub async fn send_audio(&self, numbers: Numbers, level: AudioLevel, payload: &[u8]) {
        let extensions = [0xbe, 0xde, 0, 1, LEVEL_ID << 4, level.to_byte(), 0, 0];
        self.send(OPUS, true, numbers, &extensions, payload).await;
    }

    pub async fn send_video(&self, numbers: Numbers, marker: bool, payload: &[u8]) {
        self.send(VP8, marker, numbers, &[], payload).await;
    }

    /// Sends a frame of one packet of a layer, which its rid tells.
    pub async fn send_layer(&self, numbers: Numbers, layer: u8, payload: &[u8]) {
        let (mid, rid) = (CAMERA_MID.as_bytes()[0], RIDS[usize::from(layer)].as_bytes()[0]);
        let extensions = [0xbe, 0xde, 0, 1, MID_ID << 4, mid, RID_ID << 4, rid];
        self.send(VP8, true, numbers, &extensions, payload).await;
    }

    /// Sends a video packet again over the retransmission stream.
    pub async fn send_rtx(&self, rtx: Numbers, original: u16, payload: &[u8]) {
        self.send(RTX, false, rtx, &[], &[&original.to_be_bytes()[..], payload].concat()).await;
    }

    async fn send(&self, payload_type: u8, marker: bool, numbers: Numbers, extensions: &[u8], payload: &[u8]) {
        let extended = if extensions.is_empty() { 0x80 } else { 0x90 };
        let mut packet = vec![extended, payload_type | if marker { 0x80 } else { 0 }];
        packet.extend((numbers.seq as u16).to_be_bytes());
        packet.extend(numbers.timestamp.to_be_bytes());
        packet.extend(numbers.ssrc.to_be_bytes());
        packet.extend(extensions);
        let header_len = packet.len();
        packet.extend(payload);
        let len = packet.len();
        packet.resize(len + TAG_BYTES_MAX, 0);
        let ssrc = Ssrc(numbers.ssrc);
        let len = self.sender.lock().unwrap().protect_rtp(&mut packet, header_len, len, ssrc, numbers.seq);
        self.send_raw(&packet[..len]).await;
    }

    pub async fn send_rtcp(&self, mut compound: Vec<u8>) {
        self.sender.lock().unwrap().protect_rtcp(&mut compound);
        self.send_raw(&compound).await;
    }

    pub async fn send_raw(&self, datagram: &[u8]) {
        if !self.loss.loses() {
            self.socket.send_to(datagram, self.server).await.unwrap();
        }
    }
}

/// A VP8 payload as browsers packetise it, with `body` behind the descriptor.
pub fn vp8(key: bool, first: bool, picture_id: u16, body: &[u8]) -> Vec<u8> {
    let id = (0x8000 | picture_id).to_be_bytes();
    let descriptor = [if first { 0x90 } else { 0x80 }, 0xe0, id[0], id[1], picture_id as u8, 0x00];
    let frame_header = u8::from(!key);
    [&descriptor[..], &[frame_header], body].concat()
}

/// What the test's own pacing waits between packets of 20 ms audio.
pub async fn pause(ms: u64) {
    sleep(Duration::from_millis(ms)).await;
}
