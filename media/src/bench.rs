//! The inside of a worker for `media/benches/fan_out.rs`: a room of connected viewers, without sockets in use.
#![allow(missing_docs, reason = "for one bench of this crate")]

use std::time::Instant;

use slab::Slab;
use tokio::sync::mpsc;

use crate::codec::{Codec, Descriptor};
use crate::dtls::{Identity, SrtpSession};
use crate::fanout::Fanout;
use crate::ice::Credentials;
use crate::ids::{ConnectionId, Generation, ParticipantId, RoomId, Slot, StreamId, WorkerId};
use crate::outbox::Outbox;
use crate::packet::{Packet, PacketPool};
use crate::peer::{Peer, PeerConfig};
use crate::profile::Profiles;
use crate::room::Room;
use crate::sdp::Offer;
use crate::speech::SpeechConfig;
use crate::srtp::{self, Profile};
use crate::tick::Tick;
use crate::udp;

pub struct Audience {
    room: Room,
    peers: Slab<Box<Peer>>,
    profiles: Profiles,
    fanout: Fanout,
    out: Outbox,
    pool: PacketPool,
    seq: u64,
    tick: Tick,
}

impl Audience {
    /// # Panics
    /// When the machine has no socket or no randomness for it.
    #[must_use]
    pub fn new(viewers: u32) -> Self {
        let offer =
            Offer::parse(include_str!("../tests/data/chromium156-offer.sdp"), Codec::Vp8).expect("the offer is good");
        let identity = Identity::generate().expect("a certificate");
        let (mut peers, mut profiles, now) = (Slab::new(), Profiles::default(), Instant::now());
        let mut room = Room::new(mpsc::channel(1).0);
        for n in 1..=viewers {
            let (participant, session) = (ParticipantId(n), offer.session.clone());
            let profile = profiles.enter(&session);
            let ice = Credentials::random(WorkerId(0)).expect("randomness");
            let (room_id, connection, permits) = (RoomId(0), ConnectionId(1), [false; 4]);
            let config = PeerConfig { room: room_id, participant, connection, ice, session, permits };
            let peer = Peer::new(config, profile, &identity, SpeechConfig::default(), u64::from(n), now);
            let remote = ([127, 0, 0, 1], 9).into();
            room.add_peer(participant, peers.insert(Box::new(peer.connected(keys(n), remote))));
        }
        let slot = Slot::camera(0).expect("there is a first camera slot");
        room.map(slot, Generation(1), Some(ParticipantId(0))).expect("the slot is new");
        let socket = udp::bind(([127, 0, 0, 1], 0).into(), udp::Port::Own).expect("a socket");
        let (fanout, pool) = (Fanout::default(), PacketPool::default());
        Self { room, peers, profiles, fanout, out: Outbox::unsent(socket), pool, seq: 0, tick: Tick::new(now) }
    }

    /// Forwards a tick of `packets` packets with `len` bytes of payload to every viewer. Returns how many that makes.
    ///
    /// # Panics
    /// Never: the slot is occupied.
    pub fn tick(&mut self, packets: u64, len: usize) -> u64 {
        let (now, slot) = (Instant::now(), Slot::camera(0).expect("there is a first camera slot"));
        for _ in 0..packets {
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
}

fn keys(n: u32) -> SrtpSession {
    let material = [n as u8; 88];
    let (ours, theirs) = srtp::split_material(Profile::Aes256Gcm, &material).expect("the material is long enough");
    let (sender, receiver) = (srtp::Sender::new(&ours), srtp::Receiver::new(&theirs));
    let (sender, receiver) = (sender.expect("a key"), receiver.expect("a key"));
    SrtpSession { sender, receiver, profile: Profile::Aes256Gcm }
}
