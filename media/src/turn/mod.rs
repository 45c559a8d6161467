//! A TURN server (RFC 8656) for this server's media alone: for people whose networks let only TCP out, or only to some
//! port, and whose browsers do not manage ICE over TCP there.
//!
//! To relay is to let strangers send from inside one's network. Here a relay reaches the sockets of the workers and
//! nothing else, wherever the client asks to: that is all the clients of an SFU need, and makes an open relay impossible.
//! Each client is served by a task of its own, in one thread; no worker waits for it.

mod client;
mod credentials;
mod framing;
mod session;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tracing::warn;

use self::client::{Client, Incoming, Outgoing};
use self::credentials::Secret;
pub use self::credentials::TurnCredentials;
use crate::background::Background;
use crate::counters::{Counters, TurnRefusal};
use crate::limits;
use crate::tcp::{Places, Waiting};
use crate::udp::{self, Port};

/// How often a port is looked for that is free for both UDP and TCP, where any will do.
const PORT_TRIES: usize = 16;
/// After the system refused a connection, before the next is asked for: it has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Whom clients may relay to, and with what credentials.
struct Relaying {
    secret: Secret,
    /// By the addresses told to clients, the workers' sockets.
    workers: BTreeMap<SocketAddr, SocketAddr>,
}

impl Relaying {
    /// The worker's socket clients know as `peer`.
    fn worker(&self, peer: SocketAddr) -> Option<SocketAddr> {
        self.workers.get(&peer).copied()
    }

    fn has_ip(&self, ip: IpAddr) -> bool {
        self.workers.keys().any(|known| known.ip() == ip)
    }

    /// The address that relays are said to have.
    fn address(&self, ipv4: bool) -> Option<IpAddr> {
        self.workers.keys().map(SocketAddr::ip).find(|ip| ip.is_ipv4() == ipv4)
    }
}

/// Serves clients until it is dropped.
pub(crate) struct Server {
    port: u16,
    relaying: Arc<Relaying>,
    counters: Arc<Mutex<Counters>>,
    _thread: Background,
}

impl Server {
    /// Serves UDP and TCP at `address`, port 0 being any that is free for both. `workers` are the sockets media may be
    /// relayed to, each with the addresses clients know it as.
    ///
    /// # Errors
    /// When the address cannot be bound, or there is no thread or randomness.
    pub(crate) fn start(address: SocketAddr, workers: &[(SocketAddr, Vec<SocketAddr>)]) -> io::Result<Self> {
        let (listener, socket) = bind(address)?;
        let local = listener.local_addr()?;
        let known = workers.iter().flat_map(|(worker, known)| known.iter().map(|known| (*known, *worker)));
        let relaying = Arc::new(Relaying { secret: Secret::random()?, workers: known.collect() });
        let counters = Arc::new(Mutex::new(Counters::default()));
        let serving = Serving { local, relaying: Arc::clone(&relaying), counters: Arc::clone(&counters) };
        let run = async move {
            let serving = &serving;
            tokio::join!(serving.tcp(listener), serving.udp(socket));
        };
        let thread = Background::start("dais-media-turn", run)?;
        Ok(Self { port: local.port(), relaying, counters, _thread: thread })
    }

    /// Of UDP and TCP.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// New credentials for one client.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn credentials(&self, now: SystemTime) -> Result<TurnCredentials, getrandom::Error> {
        let mut tag = [0; 8];
        getrandom::fill(&mut tag)?;
        Ok(self.relaying.secret.issue(u64::from_ne_bytes(tag), now))
    }

    /// What happened so far.
    pub(crate) fn counters(&self) -> Counters {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A listener and a socket with one port.
fn bind(address: SocketAddr) -> io::Result<(std::net::TcpListener, std::net::UdpSocket)> {
    let mut tries = if address.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        match udp::bind(listener.local_addr()?, Port::Own) {
            Ok(socket) => return Ok((listener, socket)),
            Err(error) if tries == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

/// What clients are served with.
struct Serving {
    local: SocketAddr,
    relaying: Arc<Relaying>,
    counters: Arc<Mutex<Counters>>,
}

impl Serving {
    fn client(&self, from: SocketAddr) -> Client {
        // Where IPv4 comes over an IPv6 socket, clients know themselves by their IPv4 address.
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        Client { local: self.local, from, relaying: Arc::clone(&self.relaying), counters: Arc::clone(&self.counters) }
    }

    fn refuse(&self, why: TurnRefusal) {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).refuse(why);
    }

    async fn tcp(&self, listener: std::net::TcpListener) {
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return warn!(%error, "TURN over TCP cannot be served"),
        };
        let places = Places::default();
        loop {
            match listener.accept().await {
                Ok((stream, from)) => self.tcp_client(stream, from, &places),
                Err(error) => {
                    warn!(%error, "a TCP connection for TURN could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn tcp_client(&self, stream: TcpStream, from: SocketAddr, places: &Places) {
        let place = match places.take(from.ip()) {
            Ok(place) => place,
            Err(full) => return self.refuse(full.into()),
        };
        let client = self.client(from);
        tokio::spawn(async move {
            let _place = place;
            if crate::tcp::prepare(&stream).is_err() {
                return;
            }
            let (reader, writer) = stream.into_split();
            let incoming = Incoming::Tcp { reader, read: BytesMut::new() };
            client.serve(incoming, Outgoing::Tcp { writer, waiting: Waiting::default() }).await;
        });
    }

    async fn udp(&self, socket: std::net::UdpSocket) {
        let socket = match UdpSocket::from_std(socket) {
            Ok(socket) => Arc::new(socket),
            Err(error) => return warn!(%error, "TURN over UDP cannot be served"),
        };
        let places = Places::default();
        let mut clients: HashMap<SocketAddr, mpsc::Sender<Box<[u8]>>> = HashMap::new();
        let mut datagram = vec![0; limits::TURN_MESSAGE_BYTES_MAX];
        let mut swept = tokio::time::interval(limits::TURN_PROVE_WITHIN);
        loop {
            let received = tokio::select! {
                received = socket.recv_from(&mut datagram) => received,
                _ = swept.tick() => {
                    clients.retain(|_, client| !client.is_closed());
                    continue;
                }
            };
            // An error belongs to a datagram sent before (RFC 1122 §4.1.3.3).
            let Ok((len, from)) = received else { continue };
            if clients.get(&from).is_none_or(mpsc::Sender::is_closed) {
                match places.take(from.ip()) {
                    Err(full) => {
                        self.refuse(full.into());
                        continue;
                    }
                    Ok(place) => {
                        let (sender, messages) = mpsc::channel(limits::TURN_WAITING_MESSAGES);
                        clients.insert(from, sender);
                        let (client, socket) = (self.client(from), Arc::clone(&socket));
                        tokio::spawn(async move {
                            let _place = place;
                            client.serve(Incoming::Udp(messages), Outgoing::Udp { socket, to: from }).await;
                        });
                    }
                }
            }
            if clients.get(&from).is_some_and(|client| client.try_send(datagram[..len].into()).is_err()) {
                self.refuse(TurnRefusal::QueueFull);
            }
        }
    }
}

#[cfg(test)]
mod tests;
