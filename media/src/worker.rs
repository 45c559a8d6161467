//! A worker thread: one socket, the peers that live on it, and its share of every room.
//!
//! Per wake-up, in this order: commands (so that a gate closes before the next packet is looked at), packets from
//! other workers, datagrams in batches (one clock reading for each batch), timers; then everything collected is sent.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rtrb::{Consumer, Producer};
use slab::Slab;
use tokio::sync::mpsc;
use tracing::{debug, error, info};

use crate::counters::{Counters, DropReason, Tally};
use crate::dtls::Identity;
use crate::ice::{Request, Ufrag};
use crate::ids::{Generation, ParticipantId, RoomId, Slot, WorkerId};
use crate::inbound::Forward;
use crate::limits;
use crate::outbox::Outbox;
use crate::packet::Packet;
use crate::peer::{Change, Gone, Peer, PeerConfig};
use crate::plane::{Command, MediaEvent, RoomChange};
use crate::room::{Room, Served};
use crate::rtcp;
use crate::rtp::Header;
use crate::socket::{Ingress, Waker, wait};
use crate::source::ClockPoint;
use crate::speech::SpeechConfig;
use crate::srtp::SrtpError;
use crate::timers::Timers;

/// What one worker tells another.
pub(crate) enum Relay {
    /// A packet for the slot's viewers.
    Packet { room: RoomId, slot: Slot, generation: Generation, packet: Arc<Packet> },
    /// How the occupant's RTP clock relates to ours.
    Clock { room: RoomId, slot: Slot, generation: Generation, clock: ClockPoint },
    /// A viewer needs a key frame of the slot's occupant.
    KeyFrameWanted { room: RoomId, slot: Slot, generation: Generation },
}

/// The ring to another worker, and how to wake it.
pub(crate) struct Neighbour {
    pub(crate) worker: WorkerId,
    pub(crate) ring: Producer<Relay>,
    pub(crate) waker: Waker,
    pub(crate) pushed: bool,
}

/// What a worker is made of.
pub(crate) struct WorkerParts {
    pub(crate) socket: UdpSocket,
    pub(crate) waker: Waker,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) neighbours: Vec<Neighbour>,
    pub(crate) inbox: Vec<Consumer<Relay>>,
    pub(crate) published: Arc<Mutex<Counters>>,
    pub(crate) identity: Identity,
    pub(crate) speech: SpeechConfig,
    /// Randomness for first sequence numbers.
    pub(crate) seed: u64,
}

/// Between two publications of counters, and retries of events.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// Batches read before timers get their turn.
const BATCHES_PER_ROUND: usize = 4;

/// See the module.
pub(crate) struct Worker {
    waker: Waker,
    commands: mpsc::Receiver<Command>,
    inbox: Vec<Consumer<Relay>>,
    published: Arc<Mutex<Counters>>,
    identity: Identity,
    speech: SpeechConfig,
    seed: u64,
    clock: Clock,
    peers: Slab<Peer>,
    by_address: HashMap<SocketAddr, usize>,
    by_ufrag: HashMap<Ufrag, usize>,
    rooms: HashMap<RoomId, Room>,
    neighbours: Vec<Neighbour>,
    timers: Timers,
    out: Outbox,
    next_housekeeping: Instant,
}

/// Relates the monotonic clock to NTP time.
struct Clock {
    start: Instant,
    ntp_at_start: u64,
}

impl Clock {
    fn new() -> Self {
        // RFC 3550 §4: seconds since 1900, 32.32 bits.
        const UNIX_TO_NTP: u64 = 2_208_988_800;
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
        let ntp = ((unix.as_secs() + UNIX_TO_NTP) << 32) | fraction;
        Self { start: Instant::now(), ntp_at_start: ntp }
    }

    fn ntp(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.start);
        let fraction = ((elapsed.as_nanos() << 32) / 1_000_000_000) as u64;
        self.ntp_at_start.wrapping_add(fraction)
    }
}

impl Worker {
    pub(crate) fn new(parts: WorkerParts) -> Self {
        Self {
            waker: parts.waker,
            commands: parts.commands,
            inbox: parts.inbox,
            published: parts.published,
            identity: parts.identity,
            speech: parts.speech,
            seed: parts.seed,
            clock: Clock::new(),
            peers: Slab::new(),
            by_address: HashMap::new(),
            by_ufrag: HashMap::new(),
            rooms: HashMap::new(),
            neighbours: parts.neighbours,
            timers: Timers::default(),
            out: Outbox::new(parts.socket),
            next_housekeeping: Instant::now(),
        }
    }

    /// Runs until the last command sender is gone.
    pub(crate) fn run(mut self) {
        let mut ingress = Ingress::new();
        loop {
            let now = Instant::now();
            let deadline = self.timers.next().map_or(self.next_housekeeping, |at| at.min(self.next_housekeeping));
            wait(self.out.socket(), &self.waker, deadline.saturating_duration_since(now));
            if !self.handle_commands(Instant::now()) {
                return;
            }
            self.handle_relays(Instant::now());
            self.handle_socket(&mut ingress);
            self.handle_timers(Instant::now());
            self.out.flush();
            self.wake_neighbours();
        }
    }

    fn handle_commands(&mut self, now: Instant) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.handle_command(command, now),
                Err(mpsc::error::TryRecvError::Empty) => return true,
                Err(mpsc::error::TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn handle_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::OpenRoom { room, events } => {
                self.rooms.insert(room, Room::new(events));
            }
            Command::CloseRoom { room } => {
                let keys = self.rooms.remove(&room).map(|room| room.peers.into_values().collect::<Vec<_>>());
                keys.into_iter().flatten().for_each(|key| self.forget_peer(key));
            }
            Command::Connect(config) => self.connect(*config, now),
            Command::Disconnect { room, participant } => {
                if let Some(key) = self.rooms.get_mut(&room).and_then(|room| room.peers.remove(&participant)) {
                    self.forget_peer(key);
                }
            }
            Command::Workers { room, workers } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.workers = workers;
                }
            }
            // `applied` reports back when the last worker has dropped it.
            Command::Change { room, changes, applied } => {
                changes.iter().for_each(|change| self.change(room, *change, now));
                drop(applied);
            }
        }
    }

    fn connect(&mut self, config: PeerConfig, now: Instant) {
        let Some(room) = self.rooms.get_mut(&config.room) else { return };
        let (room_id, participant, ufrag) = (config.room, config.participant, config.ice.ufrag);
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut peer = Peer::new(config, &self.identity, self.speech, self.seed, now);
        for (slot, state) in room.slots().filter(|(_, state)| state.occupant == Some(participant)) {
            peer.inbound.map(slot, state.generation);
        }
        peer.wake_at = peer.next_timeout(now);
        let wake_at = peer.wake_at;
        let key = self.peers.insert(peer);
        self.timers.schedule(wake_at, key);
        self.by_ufrag.insert(ufrag, key);
        if let Some(replaced) = room.peers.insert(participant, key) {
            self.forget_peer(replaced);
        }
        debug!(room = room_id.0, participant = participant.0, "peer added");
    }

    /// Removes a peer that its room does not list any more.
    fn forget_peer(&mut self, key: usize) {
        let Some(peer) = self.peers.try_remove(key) else { return };
        self.by_ufrag.remove(&peer.ice.ufrag);
        for address in &peer.addresses {
            if self.by_address.get(address) == Some(&key) {
                self.by_address.remove(address);
            }
        }
    }

    fn change(&mut self, room: RoomId, change: RoomChange, now: Instant) {
        let Some(state) = self.rooms.get_mut(&room) else { return };
        match change {
            RoomChange::Permit { participant, kind, permitted } => {
                let Some(key) = state.peers.get(&participant).copied() else { return };
                if let Some(peer) = self.peers.get_mut(key) {
                    peer.inbound.permit(kind, permitted);
                    // Muted is silent at once, not when the peer is next looked after.
                    peer.report_speech(state, now);
                    self.attend_sooner(key, now);
                }
            }
            RoomChange::Map { slot, generation, occupant } => {
                let before = match state.map(slot, generation, occupant) {
                    Ok(before) => before,
                    Err(reason) => return self.out.counters.drop(reason),
                };
                let keys = |participant: Option<ParticipantId>| state.peers.get(&participant?).copied();
                if let Some(peer) = keys(before).and_then(|key| self.peers.get_mut(key)) {
                    peer.inbound.unmap(slot);
                }
                if let Some(peer) = keys(occupant).and_then(|key| self.peers.get_mut(key)) {
                    peer.inbound.map(slot, generation);
                }
            }
        }
    }

    fn handle_relays(&mut self, now: Instant) {
        let Self { inbox, rooms, peers, neighbours, out, .. } = self;
        for ring in inbox {
            while let Ok(relay) = ring.pop() {
                match relay {
                    Relay::Packet { room: id, slot, generation, packet } => {
                        let Some(room) = rooms.get_mut(&id) else { continue };
                        match room.fan_out(peers, slot, generation, &packet, now, out) {
                            Ok(Served::All) => {}
                            Ok(Served::SomeAwaitKeyFrame) => {
                                let relay = || Relay::KeyFrameWanted { room: id, slot, generation };
                                push(neighbours, room.workers, &mut out.counters, relay);
                            }
                            Err(reason) => out.counters.drop(reason),
                        }
                    }
                    Relay::Clock { room, slot, generation, clock } => {
                        if let Some(room) = rooms.get_mut(&room) {
                            room.set_clock(slot, generation, clock);
                        }
                    }
                    Relay::KeyFrameWanted { room, slot, generation } => {
                        let Some(room) = rooms.get(&room) else { continue };
                        want_key_frame(room, peers, slot, generation);
                    }
                }
            }
        }
    }

    fn handle_socket(&mut self, ingress: &mut Ingress) {
        for _ in 0..BATCHES_PER_ROUND {
            // An error of the socket belongs to a datagram sent before (RFC 1122 §4.1.3.3), not to those waiting.
            let count = ingress.receive(self.out.socket()).unwrap_or(0);
            let now = Instant::now();
            for n in 0..count {
                let (from, datagram) = ingress.datagram(n);
                self.out.counters.add(Tally::DatagramsIn, 1);
                self.out.counters.add(Tally::BytesIn, datagram.len() as u64);
                // A bug met by one peer's datagram costs that peer.
                match catch_unwind(AssertUnwindSafe(|| self.handle_datagram(from, datagram, now))) {
                    Ok(Ok(())) => {}
                    Ok(Err(reason)) => self.out.counters.drop(reason),
                    Err(_) => {
                        error!("internal error while handling a datagram");
                        if let Some(key) = self.by_address.get(&from).copied() {
                            self.gone(key, Gone::Internal);
                        }
                    }
                }
            }
            if count < limits::BATCH {
                return;
            }
        }
    }

    /// Tells by the first byte what a datagram is (RFC 7983 §7).
    fn handle_datagram(&mut self, from: SocketAddr, datagram: &mut [u8], now: Instant) -> Result<(), DropReason> {
        match datagram.first() {
            Some(0..=3) => self.handle_stun(from, datagram, now),
            Some(20..=63) => {
                let key = *self.by_address.get(&from).ok_or(DropReason::UnknownAddress)?;
                let change = self.peers[key].handle_dtls(datagram, from, now, &mut self.out);
                self.changed(key, change, now);
                Ok(())
            }
            Some(128..=191) => {
                let key = *self.by_address.get(&from).ok_or(DropReason::UnknownAddress)?;
                if rtcp::is_rtcp(datagram) {
                    return self.handle_rtcp(key, datagram, now);
                }
                let handled = self.handle_rtp(key, datagram, now);
                // Its arrival is to be reported.
                self.attend_sooner(key, now);
                handled
            }
            _ => Err(DropReason::NotMultiplexed),
        }
    }

    fn handle_stun(&mut self, from: SocketAddr, datagram: &[u8], now: Instant) -> Result<(), DropReason> {
        let request = Request::parse(datagram)?;
        let key = *self.by_ufrag.get(&request.ufrag()).ok_or(DropReason::StunUnknownUser)?;
        let forgotten = self.peers[key].handle_check(&request, from, now, &mut self.out)?;
        if let Some(address) = forgotten.filter(|address| self.by_address.get(address) == Some(&key)) {
            self.by_address.remove(&address);
        }
        self.by_address.insert(from, key);
        Ok(())
    }

    fn handle_rtp(&mut self, key: usize, datagram: &mut [u8], now: Instant) -> Result<(), DropReason> {
        let Self { peers, rooms, neighbours, out, .. } = self;
        let peer = &mut peers[key];
        let header = Header::parse(datagram).map_err(|_| DropReason::RtpMalformed)?;
        let len = peer.srtp_receiver()?.unprotect_rtp(datagram, &header).map_err(srtp_reason)?;
        let received = peer.inbound.receive(&peer.session, &header, &datagram[..len], now, out);
        let room_id = peer.room;
        let Some(room) = rooms.get_mut(&room_id) else { return Ok(()) };
        peer.report_speech(room, now);
        let Some(Forward { slot, generation, packet }) = received? else { return Ok(()) };
        if room.fan_out(peers, slot, generation, &packet, now, out)? == Served::SomeAwaitKeyFrame {
            peers[key].inbound.want_key_frame(slot.kind());
        }
        let relay = || Relay::Packet { room: room_id, slot, generation, packet: Arc::clone(&packet) };
        push(neighbours, room.workers, &mut out.counters, relay);
        Ok(())
    }

    fn handle_rtcp(&mut self, key: usize, datagram: &mut [u8], now: Instant) -> Result<(), DropReason> {
        let Self { peers, rooms, neighbours, out, .. } = self;
        let peer = &mut peers[key];
        let len = peer.srtp_receiver()?.unprotect_rtcp(datagram).map_err(srtp_reason)?;
        let room_id = peer.room;
        let Some(room) = rooms.get_mut(&room_id) else { return Ok(()) };
        let mut wanted = Vec::new();
        let read = rtcp::read(&datagram[..len], |message| match message {
            rtcp::Message::SenderReport { ssrc, ntp, rtp } => {
                let Some((slot, generation, clock)) = peer.inbound.sender_report(ssrc, ntp, rtp, now) else { return };
                room.set_clock(slot, generation, clock);
                let relay = || Relay::Clock { room: room_id, slot, generation, clock };
                push(neighbours, room.workers, &mut out.counters, relay);
            }
            rtcp::Message::Nack { ssrc, lost } => {
                if let Some(slot) = Slot::from_ssrc(ssrc) {
                    room.retransmit(peer, slot, &lost, now, out);
                }
            }
            rtcp::Message::KeyFrameRequest { ssrc } => wanted.extend(Slot::from_ssrc(ssrc)),
        });
        for slot in wanted {
            let generation = room.slot(slot).generation;
            ask_key_frame(room_id, room, peers, neighbours, &mut out.counters, slot, generation);
        }
        read.map_err(|_| DropReason::RtcpMalformed)
    }

    fn handle_timers(&mut self, now: Instant) {
        while let Some((at, key)) = self.timers.expired(now) {
            if self.peers.get(key).is_none_or(|peer| peer.wake_at != at) {
                continue;
            }
            // As with datagrams: a bug met by one peer costs that peer.
            if catch_unwind(AssertUnwindSafe(|| self.attend(key, now))).is_err() {
                error!("internal error while looking after a peer");
                self.gone(key, Gone::Internal);
            }
        }
        if self.next_housekeeping <= now {
            self.next_housekeeping = now + HOUSEKEEPING;
            self.rooms.values_mut().for_each(Room::tell_untold);
        }
        self.publish();
    }

    fn attend(&mut self, key: usize, now: Instant) {
        let peer = &mut self.peers[key];
        let change = peer.handle_timeout(now, &mut self.out);
        if let Some(room) = self.rooms.get(&peer.room) {
            peer.report_speech(room, now);
            peer.send_sender_reports(room, now, self.clock.ntp(now), &mut self.out);
        }
        self.changed(key, change, now);
        self.reschedule(key, now);
    }

    fn reschedule(&mut self, key: usize, now: Instant) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.wake_at = peer.next_timeout(now);
        self.timers.schedule(peer.wake_at, key);
    }

    fn changed(&mut self, key: usize, change: Option<Change>, now: Instant) {
        match change {
            Some(Change::Connected) => self.connected(key, now),
            Some(Change::Gone(why)) => self.gone(key, why),
            None => self.attend_sooner(key, now),
        }
    }

    /// Looks after a peer sooner than planned, if what just happened asks for it.
    fn attend_sooner(&mut self, key: usize, now: Instant) {
        if self.peers.get(key).is_some_and(|peer| peer.next_timeout(now) < peer.wake_at) {
            self.reschedule(key, now);
        }
    }

    /// A peer's media can flow: it needs a key frame of every picture on stage.
    fn connected(&mut self, key: usize, now: Instant) {
        let Peer { room: room_id, participant, connection, .. } = self.peers[key];
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        room.tell(MediaEvent::Connected { participant, connection });
        let pictures: Vec<_> = room.pictures().filter(|(_, _, occupant)| *occupant != participant).collect();
        for (slot, generation, _) in pictures {
            let Self { rooms, peers, neighbours, out, .. } = self;
            let Some(room) = rooms.get(&room_id) else { continue };
            ask_key_frame(room_id, room, peers, neighbours, &mut out.counters, slot, generation);
        }
        self.reschedule(key, now);
        info!(room = room_id.0, participant = participant.0, "media connected");
    }

    fn gone(&mut self, key: usize, why: Gone) {
        let Some(peer) = self.peers.get(key) else { return };
        let Peer { room, participant, connection, .. } = *peer;
        if let Some(room) = self.rooms.get_mut(&room) {
            room.peers.remove(&participant);
            room.tell(MediaEvent::Gone { participant, connection, why });
        }
        self.forget_peer(key);
        info!(room = room.0, participant = participant.0, ?why, "media gone");
    }

    fn publish(&mut self) {
        self.out.counters.peers = self.peers.len() as u64;
        // The only other holder is the metrics scrape; a worker never waits for it.
        if let Ok(mut published) = self.published.try_lock() {
            published.clone_from(&self.out.counters);
        }
    }

    fn wake_neighbours(&mut self) {
        for neighbour in self.neighbours.iter_mut().filter(|neighbour| neighbour.pushed) {
            neighbour.pushed = false;
            neighbour.waker.wake();
        }
    }
}

/// Gives a relay to every other worker that has peers of the room.
fn push(neighbours: &mut [Neighbour], workers: u64, counters: &mut Counters, relay: impl Fn() -> Relay) {
    for neighbour in neighbours.iter_mut().filter(|neighbour| workers >> neighbour.worker.0 & 1 == 1) {
        neighbour.pushed = true;
        if neighbour.ring.push(relay()).is_err() {
            counters.drop(DropReason::RingFull);
        }
    }
}

/// Asks for a key frame of a slot, wherever its occupant lives.
fn ask_key_frame(
    room_id: RoomId,
    room: &Room,
    peers: &mut Slab<Peer>,
    neighbours: &mut [Neighbour],
    counters: &mut Counters,
    slot: Slot,
    generation: Generation,
) {
    if !want_key_frame(room, peers, slot, generation) {
        push(neighbours, room.workers, counters, || Relay::KeyFrameWanted { room: room_id, slot, generation });
    }
}

/// Asks the slot's occupant for a key frame if it lives here.
fn want_key_frame(room: &Room, peers: &mut Slab<Peer>, slot: Slot, generation: Generation) -> bool {
    let state = room.slot(slot);
    let occupant = state.occupant.filter(|_| state.generation == generation);
    let key = occupant.and_then(|occupant| room.peers.get(&occupant));
    let Some(peer) = key.and_then(|key| peers.get_mut(*key)) else { return false };
    peer.inbound.want_key_frame(slot.kind());
    true
}

fn srtp_reason(error: SrtpError) -> DropReason {
    match error {
        SrtpError::TooShort => DropReason::RtpMalformed,
        SrtpError::Forged => DropReason::SrtpForged,
        SrtpError::Replayed => DropReason::SrtpReplayed,
        SrtpError::TooManySources => DropReason::RtpUnknownStream,
        SrtpError::Keys => DropReason::NoKeys,
    }
}
