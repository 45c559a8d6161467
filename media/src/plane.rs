//! The data plane as the control plane sees it: rooms, peers, and changes that hold once they are applied.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use rtrb::RingBuffer;
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use crate::allocation::Wishes;
use crate::counters::Counters;
use crate::dominant::Activity;
use crate::dtls::{Identity, IdentityError};
use crate::ice::Credentials;
use crate::ids::{ConnectionId, Generation, MediaKind, ParticipantId, RoomId, Slot, WorkerId};
use crate::layers::LAYERS;
use crate::limits;
use crate::peer::{Gone, PeerConfig};
use crate::sdp::{AnswerParams, Candidates, Offer, answer};
use crate::speech::{SpeechConfig, SpeechConfigError};
use crate::tcp::Listener;
use crate::turn::{self, TurnCredentials};
use crate::udp::poll::Waker;
use crate::udp::{self, Port};
use crate::view::View;
use crate::worker::{Neighbour, Sharer, Worker, WorkerParts};

/// How to start the data plane.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Worker threads, 1 to 64; one per core is right.
    pub workers: usize,
    /// Address the workers' sockets bind to.
    pub bind: IpAddr,
    /// The UDP port all workers share; 0 takes any that is free. None: each worker takes a port of its own.
    pub port: Option<u16>,
    /// The TCP port for clients that UDP does not reach; 0 takes any that is free. None: there is none.
    pub tcp_port: Option<u16>,
    /// The port of the TURN server, UDP and TCP; 0 takes any that is free for both. None: there is none.
    pub turn_port: Option<u16>,
    /// Addresses told to clients, best first; empty means `bind`.
    pub announce: Vec<IpAddr>,
    /// What counts as speech.
    pub speech: SpeechConfig,
}

/// Why the data plane does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A socket or thread could not be made.
    #[error("cannot start a media worker: {0}")]
    Io(#[from] io::Error),
    /// The port for media over TCP could not be had.
    #[error("cannot take media over TCP at {0}: {1}")]
    Tcp(SocketAddr, io::Error),
    /// The port of the TURN server could not be had.
    #[error("cannot serve TURN at {0}: {1}")]
    Turn(SocketAddr, io::Error),
    /// No certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The system has no randomness.
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// A number of workers that cannot be.
    #[error("the number of workers must be 1 to 64")]
    Workers,
    /// Speech that cannot be detected.
    #[error(transparent)]
    Speech(#[from] SpeechConfigError),
}

/// What the data plane tells a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// Media can flow.
    Connected {
        /// Whose.
        participant: ParticipantId,
        /// Over which connection.
        connection: ConnectionId,
    },
    /// The connection is over.
    Gone {
        /// Whose.
        participant: ParticipantId,
        /// Which connection.
        connection: ConnectionId,
        /// Why.
        why: Gone,
    },
    /// Speech started or stopped, by the audio levels in the RTP headers.
    Speech {
        /// Whose.
        participant: ParticipantId,
        /// Over which connection.
        connection: ConnectionId,
        /// Started or stopped.
        speaking: bool,
    },
    /// How active a microphone is, for [`DominantSpeaker`](crate::DominantSpeaker). Told every
    /// [`DECIDE_EVERY`](crate::DECIDE_EVERY) while it is not silent, and once when it has fallen silent.
    Activity {
        /// Whose.
        participant: ParticipantId,
        /// Over which connection.
        connection: ConnectionId,
        /// By the audio levels in the RTP headers.
        activity: Activity,
    },
    /// A viewer's line carries, or the viewer decodes, other pictures than before.
    Held {
        /// Whose line.
        participant: ParticipantId,
        /// Over which connection.
        connection: ConnectionId,
        /// Pictures that it shows and does not get, as their line does not carry them; a bit for each slot, by index.
        dropped: u32,
        /// The same, as it does not have their codec.
        undecodable: u32,
    },
    /// Somebody gets other layers of a picture than before: only these need to be sent.
    Demand {
        /// Whose picture.
        participant: ParticipantId,
        /// Over which connection.
        connection: ConnectionId,
        /// Camera or screen.
        kind: MediaKind,
        /// By layer, smallest first.
        layers: [bool; LAYERS],
    },
}

/// A change of what is forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomChange {
    /// A participant may, or may not, send a kind of media.
    Permit {
        /// Who.
        participant: ParticipantId,
        /// What.
        kind: MediaKind,
        /// May or may not.
        permitted: bool,
    },
    /// A slot has a new occupant. Ignored when the slot's generation is not older.
    Map {
        /// The slot.
        slot: Slot,
        /// Its new generation.
        generation: Generation,
        /// The occupant, or nobody.
        occupant: Option<ParticipantId>,
    },
    /// Clients that follow are shown this from here on.
    Show(View),
}

/// What a worker is told.
pub(crate) enum Command {
    OpenRoom { room: RoomId, events: mpsc::Sender<MediaEvent> },
    CloseRoom { room: RoomId },
    Connect(Box<PeerConfig>),
    Disconnect { room: RoomId, participant: ParticipantId },
    RestartIce { room: RoomId, participant: ParticipantId, connection: ConnectionId, ice: Credentials },
    Workers { room: RoomId, workers: u64 },
    Watch { room: RoomId, participant: ParticipantId, wishes: Wishes },
    Change { room: RoomId, changes: Arc<[RoomChange]>, applied: Arc<Applied> },
}

/// Shared by the workers a change goes to; tells when the last of them has let go of it.
pub(crate) struct Applied(Option<oneshot::Sender<()>>);

impl Drop for Applied {
    fn drop(&mut self) {
        if let Some(waiting) = self.0.take() {
            let _ = waiting.send(());
        }
    }
}

struct Handle {
    commands: mpsc::Sender<Command>,
    waker: Waker,
    candidates: Vec<SocketAddr>,
    counters: Arc<Mutex<Counters>>,
    busy: Arc<AtomicU32>,
    thread: JoinHandle<()>,
}

impl Handle {
    async fn send(&self, command: Command) {
        // A worker ends only after all its handles: the command arrives.
        let _ = self.commands.send(command).await;
        self.waker.wake();
    }
}

/// Where participants live, and how many of each room on each worker.
#[derive(Default)]
struct Homes {
    homes: HashMap<(RoomId, ParticipantId), usize>,
    load: Vec<usize>,
    rooms: HashMap<RoomId, Vec<usize>>,
    connections: u64,
}

impl Homes {
    /// Finds a home: the least busy worker, and of those about equally busy the one with the fewest peers. `busy` is per
    /// mille of a core, by worker.
    fn add(&mut self, room: RoomId, participant: ParticipantId, busy: impl Fn(usize) -> u32) -> usize {
        let load = |(worker, peers): &(usize, &usize)| (busy(*worker) / ABOUT_EQUAL, **peers);
        let least = self.load.iter().enumerate().min_by_key(load).map_or(0, |(worker, _)| worker);
        self.homes.insert((room, participant), least);
        self.load[least] += 1;
        let workers = self.load.len();
        self.rooms.entry(room).or_insert_with(|| vec![0; workers])[least] += 1;
        least
    }

    fn remove(&mut self, room: RoomId, participant: ParticipantId) -> Option<usize> {
        let worker = self.homes.remove(&(room, participant))?;
        self.load[worker] -= 1;
        if let Some(members) = self.rooms.get_mut(&room) {
            members[worker] -= 1;
        }
        Some(worker)
    }

    /// A bit for each worker that has peers of the room.
    fn mask(&self, room: RoomId) -> u64 {
        let members = self.rooms.get(&room).map(Vec::as_slice).unwrap_or_default();
        members.iter().enumerate().fold(0, |mask, (n, count)| mask | u64::from(*count > 0) << n)
    }
}

/// Workers whose load differs by less than this, per mille of a core, are about equally busy.
const ABOUT_EQUAL: u32 = 50;

/// The running data plane. Dropping it ends the workers.
pub struct MediaPlane {
    workers: Vec<Handle>,
    tcp: Option<Listener>,
    /// Where `tcp` can be reached, best first.
    tcp_candidates: Vec<SocketAddr>,
    turn: Option<turn::Server>,
    /// Where clients reach this machine, best first.
    announce: Vec<IpAddr>,
    identity: Identity,
    homes: Mutex<Homes>,
}

impl MediaPlane {
    /// Starts the workers.
    ///
    /// # Errors
    /// When the configuration makes no sense, or a socket, a thread or the certificate cannot be made.
    pub fn start(config: &MediaConfig) -> Result<Self, StartError> {
        if !(1..=64).contains(&config.workers) {
            return Err(StartError::Workers);
        }
        config.speech.check()?;
        let identity = Identity::generate()?;
        let wakers = (0..config.workers).map(|_| Waker::new()).collect::<io::Result<Vec<_>>>()?;
        let (mut neighbours, mut inboxes) = rings(&wakers);
        let mut sharers = config.port.map(|_| handover_rings(&wakers));
        let mut port = config.port.unwrap_or(0);
        let announce = if config.announce.is_empty() { vec![config.bind] } else { config.announce.clone() };
        let mut sockets = Vec::with_capacity(config.workers);
        let mut workers = Vec::with_capacity(config.workers);
        for (n, waker) in wakers.into_iter().enumerate() {
            let sharing = if config.port.is_some() { Port::Shared } else { Port::Own };
            let socket = udp::bind(SocketAddr::new(config.bind, port), sharing)?;
            let bound = socket.local_addr()?.port();
            if config.port.is_some() {
                port = bound;
            }
            sockets.push(SocketAddr::new(reached_at(config.bind), bound));
            let (sender, commands) = mpsc::channel(limits::COMMANDS);
            let published = Arc::new(Mutex::new(Counters::default()));
            let busy = Arc::new(AtomicU32::new(0));
            let mut seed = [0u8; 8];
            getrandom::fill(&mut seed)?;
            let parts = WorkerParts {
                worker: WorkerId(n as u8),
                socket,
                sharers: sharers.as_mut().map(|sharers| std::mem::take(&mut sharers[n])),
                waker: waker.clone(),
                commands,
                neighbours: std::mem::take(&mut neighbours[n]),
                inbox: std::mem::take(&mut inboxes[n]),
                published: Arc::clone(&published),
                busy: Arc::clone(&busy),
                identity: identity.clone(),
                speech: config.speech,
                seed: u64::from_ne_bytes(seed),
            };
            let thread = thread::Builder::new().name(format!("dais-media-{n}")).spawn(|| match Worker::new(parts) {
                Ok(worker) => worker.run(),
                Err(error) => error!(%error, "a media worker cannot run"),
            })?;
            let candidates = announce.iter().map(|ip| SocketAddr::new(*ip, bound)).collect();
            workers.push(Handle { commands: sender, waker, candidates, counters: published, busy, thread });
        }
        let turn = config.turn_port.map(|port| {
            let at = SocketAddr::new(config.bind, port);
            let known = workers.iter().map(|worker: &Handle| worker.candidates.clone());
            let relayed: Vec<_> = sockets.iter().copied().zip(known).collect();
            turn::Server::start(at, &relayed).map_err(|error| StartError::Turn(at, error))
        });
        let tcp = config.tcp_port.map(|port| {
            let at = SocketAddr::new(config.bind, port);
            Listener::start(at, sockets).map_err(|error| StartError::Tcp(at, error))
        });
        let tcp = tcp.transpose()?;
        let tcp_candidates = tcp.iter().flat_map(|tcp| announce.iter().map(|ip| SocketAddr::new(*ip, tcp.port())));
        let tcp_candidates = tcp_candidates.collect();
        let turn = turn.transpose()?;
        let homes = Homes { load: vec![0; config.workers], ..Homes::default() };
        Ok(Self { workers, tcp, tcp_candidates, turn, announce, identity, homes: Mutex::new(homes) })
    }

    /// Opens a room on all workers. What happens in it arrives through the receiver.
    pub async fn open_room(&self, room: RoomId) -> mpsc::Receiver<MediaEvent> {
        let (events, receiver) = mpsc::channel(limits::ROOM_EVENTS);
        for worker in &self.workers {
            worker.send(Command::OpenRoom { room, events: events.clone() }).await;
        }
        receiver
    }

    /// Closes a room; its peers are disconnected.
    pub async fn close_room(&self, room: RoomId) {
        {
            let mut homes = self.homes();
            let peers: Vec<_> = homes.homes.keys().filter(|(of, _)| *of == room).copied().collect();
            peers.into_iter().for_each(|(room, participant)| {
                homes.remove(room, participant);
            });
            homes.rooms.remove(&room);
        }
        for worker in &self.workers {
            worker.send(Command::CloseRoom { room }).await;
        }
    }

    /// Takes a participant's offer and returns the answer, with the number of the connection. A connection it had
    /// before is replaced; it tells nothing any more but what is on its way already.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub async fn connect(
        &self,
        room: RoomId,
        participant: ParticipantId,
        offer: Offer,
        permits: [bool; MediaKind::ALL.len()],
    ) -> Result<(String, ConnectionId), getrandom::Error> {
        self.disconnect(room, participant).await;
        let (worker, mask, connection) = {
            let mut homes = self.homes();
            homes.connections += 1;
            let busy = |worker: usize| self.workers[worker].busy.load(Ordering::Relaxed);
            (homes.add(room, participant, busy), homes.mask(room), ConnectionId(homes.connections))
        };
        let ice = Credentials::random(WorkerId(worker as u8))?;
        let worker = &self.workers[worker];
        let fingerprint = self.identity.fingerprint();
        let candidates = Candidates { udp: &worker.candidates, tcp: &self.tcp_candidates };
        let answer = answer(&offer, &AnswerParams { ice: &ice, fingerprint, candidates });
        let config = PeerConfig { room, participant, connection, ice, session: offer.session, permits };
        worker.send(Command::Connect(Box::new(config))).await;
        self.tell_workers(room, mask).await;
        Ok((answer, connection))
    }

    /// Ends a participant's connection, if there is one.
    pub async fn disconnect(&self, room: RoomId, participant: ParticipantId) {
        let (worker, mask) = {
            let mut homes = self.homes();
            (homes.remove(room, participant), homes.mask(room))
        };
        if let Some(worker) = worker {
            self.workers[worker].send(Command::Disconnect { room, participant }).await;
            self.tell_workers(room, mask).await;
        }
    }

    /// Gives a connection new ICE credentials (RFC 8445 §9), which it returns; none if the participant has no
    /// connection. Checks with the old ones are answered until the first with the new ones, and media never stops.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub async fn restart_ice(
        &self,
        room: RoomId,
        participant: ParticipantId,
        connection: ConnectionId,
    ) -> Result<Option<Credentials>, getrandom::Error> {
        let worker = self.homes().homes.get(&(room, participant)).copied();
        let Some(worker) = worker else { return Ok(None) };
        let ice = Credentials::random(WorkerId(worker as u8))?;
        self.workers[worker].send(Command::RestartIce { room, participant, connection, ice: ice.clone() }).await;
        Ok(Some(ice))
    }

    /// What a participant wants to see from here on; nothing happens if it has no connection.
    pub async fn watch(&self, room: RoomId, participant: ParticipantId, wishes: Wishes) {
        let worker = self.homes().homes.get(&(room, participant)).copied();
        if let Some(worker) = worker {
            self.workers[worker].send(Command::Watch { room, participant, wishes }).await;
        }
    }

    async fn tell_workers(&self, room: RoomId, workers: u64) {
        for worker in &self.workers {
            worker.send(Command::Workers { room, workers }).await;
        }
    }

    /// Changes what is forwarded in a room, in order. When this returns every worker has applied all of it: no packet
    /// that a change forbids is forwarded after that.
    pub async fn change(&self, room: RoomId, changes: Vec<RoomChange>) {
        let (applied, all_applied) = oneshot::channel();
        let applied = Arc::new(Applied(Some(applied)));
        let changes: Arc<[RoomChange]> = changes.into();
        for worker in &self.workers {
            let (changes, applied) = (Arc::clone(&changes), Arc::clone(&applied));
            worker.send(Command::Change { room, changes, applied }).await;
        }
        drop(applied);
        let _ = all_applied.await;
    }

    /// Addresses of the TURN server, best first, and new credentials for one client; none if there is no such server.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn turn(&self, now: SystemTime) -> Result<Option<(Vec<SocketAddr>, TurnCredentials)>, getrandom::Error> {
        let Some(turn) = &self.turn else { return Ok(None) };
        let addresses = self.announce.iter().map(|ip| SocketAddr::new(*ip, turn.port())).collect();
        Ok(Some((addresses, turn.credentials(now)?)))
    }

    /// Whether media is taken over TCP.
    #[must_use]
    pub fn takes_tcp(&self) -> bool {
        self.tcp.is_some()
    }

    /// The workers' counters, added up; at most a wake-up old.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut beside = self.tcp.as_ref().map(Listener::counters).unwrap_or_default();
        self.turn.iter().for_each(|turn| beside.merge(&turn.counters()));
        self.workers.iter().fold(beside, |mut sum, worker| {
            sum.merge(&worker.counters.lock().unwrap_or_else(PoisonError::into_inner));
            sum
        })
    }

    fn homes(&self) -> std::sync::MutexGuard<'_, Homes> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for MediaPlane {
    fn drop(&mut self) {
        for Handle { commands, waker, thread, .. } in self.workers.drain(..) {
            drop(commands);
            waker.wake();
            // A worker that panicked has said so itself.
            let _ = thread.join();
        }
    }
}

/// Where this machine reaches a socket bound to `ip`.
fn reached_at(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// A ring from every worker to every other.
fn rings(wakers: &[Waker]) -> (Vec<Vec<Neighbour>>, Vec<Vec<rtrb::Consumer<crate::worker::Relay>>>) {
    let mut neighbours: Vec<Vec<Neighbour>> = wakers.iter().map(|_| Vec::new()).collect();
    let mut inboxes: Vec<Vec<_>> = wakers.iter().map(|_| Vec::new()).collect();
    for (from, neighbours) in neighbours.iter_mut().enumerate() {
        for (to, waker) in wakers.iter().enumerate().filter(|(to, _)| *to != from) {
            let (ring, consumer) = RingBuffer::new(limits::RING_PACKETS);
            neighbours.push(Neighbour::new(WorkerId(to as u8), ring, waker.clone()));
            inboxes[to].push(consumer);
        }
    }
    (neighbours, inboxes)
}

/// A pair of rings between every two workers on one port.
fn handover_rings(wakers: &[Waker]) -> Vec<Vec<Sharer>> {
    let mut sharers: Vec<Vec<Sharer>> = wakers.iter().map(|_| Vec::new()).collect();
    for a in 0..wakers.len() {
        for b in a + 1..wakers.len() {
            let (to_b, at_b) = RingBuffer::new(limits::HANDOVER_DATAGRAMS);
            let (to_a, at_a) = RingBuffer::new(limits::HANDOVER_DATAGRAMS);
            sharers[a].push(Sharer::new(WorkerId(b as u8), to_b, at_a, wakers[b].clone()));
            sharers[b].push(Sharer::new(WorkerId(a as u8), to_a, at_b, wakers[a].clone()));
        }
    }
    sharers
}
