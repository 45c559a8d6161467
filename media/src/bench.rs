//! The inside of a worker for `media/benches/fan_out.rs`: a room of connected viewers, without sockets in use. Time is made up:
//! a tick every [`TICK`].
#![allow(missing_docs, reason = "for one bench of this crate")]

use std::time::{Duration, Instant};

use slab::Slab;
use tokio::sync::mpsc;

use crate::codec::{Codec, Descriptor};
use crate::dtls::{Identity, SrtpSession};
use crate::fanout::Fanout;
use crate::ice::Credentials;
use crate::ids::{ConnectionId, Generation, Layer, ParticipantId, RoomId, Slot, Ssrc, StreamId, WorkerId};
use crate::layers::Quality;
use crate::outbox::Outbox;
use crate::packet::{Packet, PacketPool};
use crate::peer::{Peer, PeerConfig};
use crate::profile::Profiles;
use crate::room::Room;
use crate::sdp::Offer;
use crate::speech::SpeechConfig;
use crate::srtp::{self, Profile};
use crate::tick::Tick;
use crate::twcc::FeedbackRecorder;
use crate::udp;

/// Far enough apart that nothing waits for a line of which nothing is known yet.
const TICK: Duration = Duration::from_millis(50);
/// Bytes of RTCP before the part of feedback that is read.
const FEEDBACK_HEADER_BYTES: usize = 12;

pub struct Audience {
    room: Room,
    peers: Slab<Box<Peer>>,
    profiles: Profiles,
    fanout: Fanout,
    out: Outbox,
    pool: PacketPool,
    seq: u64,
    tick: Tick,
    now: Instant,
    /// What everybody got, as all get the same; none where nothing is told.
    arrivals: Option<FeedbackRecorder>,
}

impl Audience {
    /// `estimated` viewers tell how packets arrive.
    ///
    /// # Panics
    /// When the machine has no socket or no randomness for it.
    #[must_use]
    pub fn new(viewers: u32, estimated: bool) -> Self {
        let chromium = include_str!("../tests/data/chromium156-offer.sdp");
        let is_said = |line: &&str| estimated || !line.contains("transport-cc") && !line.contains("transport-wide-cc");
        let offer: String = chromium.split_inclusive('\n').filter(is_said).collect();
        let offer = Offer::parse(&offer, Codec::Vp8).expect("the offer is good");
        let identity = Identity::generate().expect("a certificate");
        let (mut peers, mut profiles, now) = (Slab::new(), Profiles::default(), Instant::now());
        let mut room = Room::new(mpsc::channel(1).0);
        for n in 1..=viewers {
            let (participant, session) = (ParticipantId(n), offer.session.clone());
            let profile = profiles.enter(&session);
            let ice = Credentials::random(WorkerId(0)).expect("randomness");
            let (room_id, connection, permits) = (RoomId(0), ConnectionId(1), [false; 4]);
            let config = PeerConfig { room: room_id, participant, connection, ice, session, permits };
            let mut peer = Peer::new(config, profile, &identity, SpeechConfig::default(), u64::from(n), now);
            peer.outbound.set_target(Slot::FIRST_CAMERA, Some(Quality::all_of(Layer(0))));
            let remote = ([127, 0, 0, 1], 9).into();
            room.add_peer(participant, peers.insert(Box::new(peer.connected(keys(n), remote))));
        }
        let slot = Slot::FIRST_CAMERA;
        room.map(slot, Generation(1), Some(ParticipantId(0))).expect("the slot is new");
        let socket = udp::bind(([127, 0, 0, 1], 0).into(), udp::Port::Own).expect("a socket");
        let (fanout, pool) = (Fanout::default(), PacketPool::default());
        let (out, arrivals) = (Outbox::unsent(socket), estimated.then(|| FeedbackRecorder::new(now)));
        Self { room, peers, profiles, fanout, out, pool, seq: 0, tick: Tick::new(now), now, arrivals }
    }

    /// Forwards a tick of `packets` packets with `len` bytes of payload to every viewer. Returns how many that makes.
    ///
    /// # Panics
    /// Never: the slot is occupied.
    pub fn tick(&mut self, packets: u64, len: usize) -> u64 {
        self.now += TICK;
        let (now, slot) = (self.now, Slot::FIRST_CAMERA);
        for _ in 0..packets {
            self.arrivals.iter_mut().for_each(|arrivals| arrivals.record(self.seq as u16, now));
            self.seq += 1;
            let fill = |packet: &mut Packet| {
                packet.stream = StreamId::of(ConnectionId(0), 0);
                packet.seq = self.seq;
                packet.codec = Some(Codec::Vp8);
                packet.descriptor = Descriptor { starts_key_frame: self.seq == 1, ..Descriptor::default() };
                packet.set_payload(&[7; 1_500][..len]);
            };
            let packet = self.pool.make(fill);
            let queued = self.room.queue(slot, Generation(1), &packet, now, &self.tick);
            queued.expect("the slot is occupied");
        }
        let Self { room, peers, profiles, fanout, out, .. } = self;
        let mut copies = 0;
        room.begin_all_sweeps();
        while !room.is_swept() {
            copies += room.sweep(peers, profiles, fanout, now, out);
            out.flush();
        }
        copies
    }

    /// Takes everybody's feedback of what was sent since the last. Returns how many packets that is about.
    ///
    /// # Panics
    /// Never: what was sent has arrived.
    pub fn hear(&mut self) -> u64 {
        let Self { peers, arrivals, now, .. } = self;
        let Some(feedback) = arrivals.as_mut().and_then(|arrivals| arrivals.feedback(Ssrc(1))) else { return 0 };
        let fci = &feedback[FEEDBACK_HEADER_BYTES..];
        for step in 0..peers.len() + 2 {
            let at = |back: usize| step.checked_sub(back).filter(|key| *key < peers.len());
            // As when a batch is read.
            at(0).into_iter().for_each(|key| peers[key].prefetch_listening());
            at(1).into_iter().for_each(|key| peers[key].prefetch_heard());
            let Some(key) = at(2) else { continue };
            peers[key].feedback(fci, *now).expect("what was sent is reported");
        }
        u64::from(u16::from_be_bytes([fci[2], fci[3]])) * peers.len() as u64
    }
}

fn keys(n: u32) -> SrtpSession {
    let material = [n as u8; 88];
    let (ours, theirs) = srtp::split_material(Profile::Aes256Gcm, &material).expect("the material is long enough");
    let (sender, receiver) = (srtp::Sender::new(&ours), srtp::Receiver::new(&theirs));
    let (sender, receiver) = (sender.expect("a key"), receiver.expect("a key"));
    SrtpSession { sender, receiver, profile: Profile::Aes256Gcm }
}
