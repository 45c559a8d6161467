//! A worker thread: one socket, the peers that live on it, and its share of every room.
//!
//! Per wake-up, in this order:
//! 1. commands, so that a gate closes before the next packet is looked at;
//! 2. packets and datagrams from other workers;
//! 3. datagrams in batches, one clock reading for each;
//! 4. timers;
//! 5. rooms in which something has changed: layers are shared out to their viewers anew;
//! 6. rooms whose tick is over: their packets are encrypted for some viewers, and in the next rounds for the others;
//! 7. everything written is given to the kernel.

mod clock;
mod commands;
mod packets;
mod relay;
mod shared_port;
mod sharing;

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rtrb::Consumer;
use slab::Slab;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use self::clock::Clock;
use self::relay::Neighbours;
pub(crate) use self::relay::{Neighbour, Relay};
use self::shared_port::SharedPort;
pub(crate) use self::shared_port::Sharer;
use crate::counters::{Counters, Distribution, Tally};
use crate::dtls::Identity;
use crate::fanout::Fanout;
use crate::ice::Ufrag;
use crate::ids::{Generation, Layer, RoomId, Slot, WorkerId};
use crate::limits;
use crate::outbox::Outbox;
use crate::peer::{Change, Gone, Peer};
use crate::plane::{Command, MediaEvent};
use crate::profile::Profiles;
use crate::room::Room;
use crate::speech::SpeechConfig;
use crate::tick::Tick;
use crate::timers::Timers;
use crate::udp::poll::{self, Poll, Ready, Waker};
use crate::udp::{self, Ingress};

/// What a worker is made of.
pub(crate) struct WorkerParts {
    pub(crate) worker: WorkerId,
    pub(crate) socket: UdpSocket,
    /// The others on the socket's port, if it is shared.
    pub(crate) sharers: Option<Vec<Sharer>>,
    pub(crate) waker: Waker,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) neighbours: Vec<Neighbour>,
    pub(crate) inbox: Vec<Consumer<Relay>>,
    pub(crate) published: Arc<Mutex<Counters>>,
    /// Work of the last second, per mille of a core.
    pub(crate) busy: Arc<AtomicU32>,
    pub(crate) identity: Identity,
    pub(crate) speech: SpeechConfig,
    /// Randomness for first sequence numbers.
    pub(crate) seed: u64,
}

/// Between two retries of events.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// Counters are published not later than this after they changed.
const PUBLISH_WITHIN: Duration = Duration::from_millis(10);

/// See the module.
pub(crate) struct Worker {
    worker: WorkerId,
    poll: Poll,
    commands: mpsc::Receiver<Command>,
    inbox: Vec<Consumer<Relay>>,
    published: Arc<Mutex<Counters>>,
    busy: Arc<AtomicU32>,
    /// Work noted at the last housekeeping, µs.
    busy_micros: u64,
    identity: Identity,
    speech: SpeechConfig,
    seed: u64,
    clock: Clock,
    peers: Slab<Box<Peer>>,
    by_address: HashMap<SocketAddr, usize>,
    by_ufrag: HashMap<Ufrag, usize>,
    rooms: HashMap<RoomId, Room>,
    neighbours: Neighbours,
    shared: Option<SharedPort>,
    /// When to look after which peer.
    timers: Timers<usize>,
    /// When the tick of which room is over.
    flushes: Timers<RoomId>,
    /// Rooms with packets on their way.
    sweeping: Vec<RoomId>,
    /// Rooms whose layers are to be shared out anew.
    unshared: Vec<RoomId>,
    tick: Tick,
    fanout: Fanout,
    profiles: Profiles,
    out: Outbox,
    /// When layers were shared out last in any room.
    shared_at: Instant,
    next_housekeeping: Instant,
    published_at: Instant,
}

impl Worker {
    /// # Errors
    /// When the process has no file descriptor left to wait with.
    pub(crate) fn new(parts: WorkerParts) -> io::Result<Self> {
        let now = Instant::now();
        Ok(Self {
            worker: parts.worker,
            poll: Poll::new(&parts.socket, &parts.waker)?,
            commands: parts.commands,
            inbox: parts.inbox,
            published: parts.published,
            busy: parts.busy,
            busy_micros: 0,
            identity: parts.identity,
            speech: parts.speech,
            seed: parts.seed,
            clock: Clock::new(),
            peers: Slab::new(),
            by_address: HashMap::new(),
            by_ufrag: HashMap::new(),
            rooms: HashMap::new(),
            neighbours: Neighbours::new(parts.neighbours),
            shared: parts.sharers.map(SharedPort::new),
            timers: Timers::new(),
            flushes: Timers::new(),
            sweeping: Vec::new(),
            unshared: Vec::new(),
            tick: Tick::new(now),
            fanout: Fanout::default(),
            profiles: Profiles::default(),
            out: Outbox::new(parts.socket),
            shared_at: now,
            next_housekeeping: now,
            published_at: now,
        })
    }

    /// Runs until the last command sender is gone.
    pub(crate) fn run(mut self) {
        poll::wake_in_time();
        if let Err(error) = udp::coalesce(self.out.socket()) {
            warn!(%error, "the kernel refuses UDP receive offload (GRO): datagrams are read one by one");
            self.out.counters.add(Tally::CoalescingRefused, 1);
        }
        let mut ingress = Ingress::new();
        let mut now = Instant::now();
        loop {
            let ready = self.poll.wait(self.next_deadline().saturating_duration_since(now));
            let woken = Instant::now();
            if !self.handle_commands(woken) {
                return;
            }
            self.handle_relays(woken);
            self.handle_handovers(woken);
            for source in ready {
                match source {
                    Ready::Own => self.handle_socket(&mut ingress),
                    Ready::Added(name) => self.handle_direct(name, &mut ingress),
                }
            }
            now = Instant::now();
            self.handle_timers(now);
            self.share_rooms(now);
            self.sweep_rooms(now);
            self.out.flush();
            self.settle_neighbours();
            now = Instant::now();
            let busy = now.saturating_duration_since(woken).as_micros() as u64;
            self.out.counters.add(Tally::BusyMicros, busy);
            self.out.counters.measure(Distribution::Round, busy, 1);
            self.publish(now);
        }
    }

    fn next_deadline(&self) -> Instant {
        if !self.sweeping.is_empty() {
            return self.published_at;
        }
        let sharing = (!self.unshared.is_empty()).then(|| self.shared_at + limits::ALLOCATE_INTERVAL);
        let all = [self.timers.next(), self.flushes.next(), sharing];
        all.into_iter().flatten().fold(self.next_housekeeping, Instant::min)
    }

    fn handle_relays(&mut self, now: Instant) {
        let Self { inbox, rooms, peers, flushes, tick, out, unshared, .. } = self;
        for ring in inbox {
            let waiting = ring.slots();
            if waiting > 0 {
                out.counters.measure(Distribution::RingDepth, waiting as u64, 1);
            }
            while let Ok(relay) = ring.pop() {
                match relay {
                    Relay::Packet { room: id, slot, generation, packet, arrived } => {
                        let Some(room) = rooms.get_mut(&id) else { continue };
                        match room.queue(slot, generation, &packet, arrived, tick) {
                            Ok(due) => due.into_iter().for_each(|at| flushes.schedule(at, id)),
                            Err(reason) => out.counters.drop(reason),
                        }
                    }
                    Relay::Clock { room, slot, generation, layer, clock } => {
                        if let Some(room) = rooms.get_mut(&room) {
                            room.set_clock(slot, generation, layer, clock);
                        }
                    }
                    Relay::KeyFrameWanted { room, slot, generation, layer } => {
                        let Some(room) = rooms.get(&room) else { continue };
                        want_key_frame(room, peers, Wanted { slot, generation, layer }, now);
                    }
                    Relay::Rates { room: id, slot, generation, rates } => {
                        let Some(room) = rooms.get_mut(&id) else { continue };
                        if room.set_rates(slot, generation, rates) {
                            unshared.push(id);
                        }
                    }
                    Relay::Taken { room, slot, worker, layers } => {
                        let Some(room) = rooms.get_mut(&room) else { continue };
                        room.taken_elsewhere(worker, slot, layers);
                        want_layers(room, peers, slot);
                    }
                }
            }
        }
    }

    fn handle_timers(&mut self, now: Instant) {
        while let Some((at, key)) = self.timers.expired(now) {
            let Some(peer) = self.peers.get(key).filter(|peer| peer.wake_at == at) else { continue };
            if peer.is_up() && peer.next_timeout(now) > now {
                // What it was to be looked after for has been put off since.
                self.reschedule(key, now);
                continue;
            }
            // As with datagrams: a bug met by one peer costs that peer.
            if catch_unwind(AssertUnwindSafe(|| self.attend(key, now))).is_err() {
                error!("internal error while looking after a peer");
                self.gone(key, Gone::Internal);
            }
        }
        if self.next_housekeeping <= now {
            let busy_micros = self.out.counters.done(Tally::BusyMicros);
            let period = HOUSEKEEPING + now.saturating_duration_since(self.next_housekeeping);
            let busy = (busy_micros - self.busy_micros) * 1_000 / period.as_micros() as u64;
            self.busy.store(busy as u32, Ordering::Relaxed);
            self.busy_micros = busy_micros;
            self.next_housekeeping = now + HOUSEKEEPING;
            self.rooms.values_mut().for_each(Room::tell_untold);
            self.tell_taken_again();
        }
    }

    /// Ends ticks that are over, and serves some viewers of each room.
    fn sweep_rooms(&mut self, now: Instant) {
        while let Some((at, id)) = self.flushes.expired(now) {
            let due = self.rooms.get_mut(&id).filter(|room| room.due == Some(at));
            let Some(room) = due else { continue };
            if let Some(at) = room.begin_sweeps(now) {
                self.flushes.schedule(at, id);
            }
            if !room.is_swept() && !self.sweeping.contains(&id) {
                self.sweeping.push(id);
            }
        }
        let mut sweeping = std::mem::take(&mut self.sweeping);
        sweeping.retain(|id| {
            let mut copies = 0;
            while self
                .rooms
                .get(id)
                .is_some_and(|room| room.is_crowded() || !room.is_swept() && copies < limits::SLICE_COPIES as u64)
            {
                copies += self.sweep_room(*id, now);
            }
            self.ask_awaited(*id);
            self.rooms.get(id).is_some_and(|room| !room.is_swept())
        });
        self.sweeping = sweeping;
    }

    /// Forwards everything that waits in a room or is on its way.
    fn flush_room(&mut self, id: RoomId, now: Instant) {
        self.rooms.get_mut(&id).into_iter().for_each(Room::begin_all_sweeps);
        while self.rooms.get(&id).is_some_and(|room| !room.is_swept()) {
            self.sweep_room(id, now);
        }
        self.ask_awaited(id);
    }

    /// Serves some viewers of a room, and returns how many packets they were sent.
    fn sweep_room(&mut self, id: RoomId, now: Instant) -> u64 {
        let Self { rooms, peers, profiles, fanout, out, tick, .. } = self;
        let Some(room) = rooms.get_mut(&id) else { return 0 };
        let swept = catch_unwind(AssertUnwindSafe(|| room.sweep(peers, profiles, fanout, now, out)));
        let Ok(copies) = swept else {
            // It would be met again with every tick.
            room.drop_pending();
            error!("internal error while forwarding to a room");
            return 0;
        };
        tick.note(copies, now);
        let pacing: Vec<_> = room.take_pacing().collect();
        pacing.into_iter().for_each(|key| self.attend_sooner(key, now));
        copies
    }

    /// Asks for the key frames that viewers of a room cannot go on without.
    fn ask_awaited(&mut self, id: RoomId) {
        let Self { rooms, peers, neighbours, out, .. } = self;
        let Some(room) = rooms.get_mut(&id) else { return };
        let now = Instant::now();
        for (slot, layer) in room.take_awaiting().iter() {
            let wanted = Wanted { slot, generation: room.slot(slot).generation, layer: Some(layer) };
            ask_key_frame(id, room, peers, neighbours, &mut out.counters, wanted, now);
        }
    }

    /// Wakes the workers that were given something, and asks for key frames of what could not be given to them.
    fn settle_neighbours(&mut self) {
        let Self { neighbours, shared, rooms, peers, .. } = self;
        neighbours.wake();
        shared.iter_mut().for_each(SharedPort::wake);
        let now = Instant::now();
        neighbours.recovered(|room, slot| {
            if let Some(room) = rooms.get(&room) {
                let generation = room.slot(slot).generation;
                want_key_frame(room, peers, Wanted { slot, generation, layer: None }, now);
            }
        });
    }

    fn attend(&mut self, key: usize, now: Instant) {
        let peer = &mut self.peers[key];
        let change = peer.handle_timeout(now, &mut self.out);
        let id = peer.room;
        if let Some(room) = self.rooms.get_mut(&id) {
            peer.report_speech(room, now);
            peer.report_demand(room, now);
            peer.report_held(room);
            peer.tend_downlink(room, now, &mut self.out);
            for (slot, generation, rates) in peer.inbound.rates(now) {
                if room.set_rates(slot, generation, rates) {
                    self.unshared.push(id);
                }
                let relay = || Relay::Rates { room: id, slot, generation, rates };
                self.neighbours.push(room.workers, &mut self.out.counters, relay);
            }
            let reports = peer.reports_are_due(now);
            if reports || peer.outbound.ramp.rises().is_some_and(|at| at <= now) {
                // What it does not need any more since a key frame came is let go of.
                room.share(peer.participant, &mut peer.outbound, now);
            }
            if reports {
                peer.log_downlink();
                peer.send_sender_reports(room, now, self.clock.ntp(now), &mut self.out);
            }
        }
        self.tell_taken(id);
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
        let Peer { room: room_id, participant, connection, .. } = *self.peers[key];
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        room.tell(MediaEvent::Connected { participant, connection });
        let peer = &mut self.peers[key];
        peer.tend_downlink(room, now, &mut self.out);
        let outbound = &mut peer.outbound;
        room.share(participant, outbound, now);
        let others = room.pictures().filter(|(_, _, occupant)| *occupant != participant);
        let wanted = others.filter_map(|(slot, generation, _)| {
            let layer = Some(outbound.target(slot)?.layer);
            Some(Wanted { slot, generation, layer })
        });
        let wanted: Vec<_> = wanted.collect();
        self.tell_taken(room_id);
        for wanted in wanted {
            let Self { rooms, peers, neighbours, out, .. } = self;
            let Some(room) = rooms.get(&room_id) else { continue };
            ask_key_frame(room_id, room, peers, neighbours, &mut out.counters, wanted, now);
        }
        self.reschedule(key, now);
        info!(room = room_id.0, participant = participant.0, "media connected");
    }

    fn gone(&mut self, key: usize, why: Gone) {
        let Some(peer) = self.peers.get(key) else { return };
        let Peer { room, participant, connection, .. } = **peer;
        if let Some(room) = self.rooms.get_mut(&room) {
            room.remove_peer(participant);
            room.tell(MediaEvent::Gone { participant, connection, why });
        }
        self.forget_peer(key);
        info!(room = room.0, participant = participant.0, ?why, "media gone");
    }

    /// Publishes the counters, unless there will be another round soon enough.
    fn publish(&mut self, now: Instant) {
        let due = self.published_at + PUBLISH_WITHIN;
        if now < due && self.next_deadline() < due {
            return;
        }
        self.published_at = now;
        self.out.counters.peers = self.peers.len() as u64;
        // The only other holder is the metrics scrape; a worker never waits for it.
        if let Ok(mut published) = self.published.try_lock() {
            published.clone_from(&self.out.counters);
        }
    }
}

/// A key frame that somebody needs: of a layer of the slot's occupant, or of every layer somebody gets.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    slot: Slot,
    generation: Generation,
    layer: Option<Layer>,
}

/// Asks for a key frame, wherever the slot's occupant lives.
fn ask_key_frame(
    room_id: RoomId,
    room: &Room,
    peers: &mut Slab<Box<Peer>>,
    neighbours: &mut Neighbours,
    counters: &mut Counters,
    wanted: Wanted,
    now: Instant,
) {
    if !want_key_frame(room, peers, wanted, now) {
        let Wanted { slot, generation, layer } = wanted;
        neighbours.push(room.workers, counters, || Relay::KeyFrameWanted { room: room_id, slot, generation, layer });
    }
}

/// Asks the slot's occupant for a key frame if it lives here.
fn want_key_frame(room: &Room, peers: &mut Slab<Box<Peer>>, wanted: Wanted, now: Instant) -> bool {
    let Wanted { slot, generation, layer } = wanted;
    let state = room.slot(slot);
    let Some(peer) = occupant(room, peers, slot).filter(|_| state.generation == generation) else { return false };
    peer.inbound.want_key_frame(slot.kind(), layer, now);
    true
}

/// Tells the slot's occupant which layers somebody gets, if it lives here.
fn want_layers(room: &Room, peers: &mut Slab<Box<Peer>>, slot: Slot) {
    if let Some(peer) = occupant(room, peers, slot) {
        peer.inbound.want_layers(slot.kind(), room.wanted(slot));
    }
}

/// Who stands in the slot, if it lives here.
fn occupant<'a>(room: &Room, peers: &'a mut Slab<Box<Peer>>, slot: Slot) -> Option<&'a mut Peer> {
    let key = room.slot(slot).occupant.and_then(|occupant| room.peer(occupant))?;
    peers.get_mut(key).map(Box::as_mut)
}
