//! One client's task: messages from it, datagrams for it, and its relay.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use bytes::BytesMut;
use tokio::io::AsyncReadExt as _;
use tokio::net::UdpSocket;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::session::{Output, Session, Step};
use super::{Relaying, framing};
use crate::counters::{Counters, DropReason, Tally, TurnRefusal};
use crate::limits;
use crate::tcp::Waiting;
use crate::udp::{self, Port};

/// Where a client's messages come from.
pub(super) enum Incoming {
    Udp(mpsc::Receiver<Box<[u8]>>),
    Tcp { reader: OwnedReadHalf, read: BytesMut },
}

/// Where messages for a client go.
pub(super) enum Outgoing {
    Udp { socket: Arc<UdpSocket>, to: SocketAddr },
    Tcp { writer: OwnedWriteHalf, waiting: Waiting },
}

/// Why a client is served no more; for no reason of the server's if there is none.
type Over = Option<TurnRefusal>;

/// Who is served.
pub(super) struct Client {
    pub(super) local: SocketAddr,
    pub(super) from: SocketAddr,
    pub(super) relaying: Arc<Relaying>,
    pub(super) counters: Arc<Mutex<Counters>>,
}

impl Client {
    /// Serves the client until it is gone, or has no relay for too long.
    pub(super) async fn serve(self, incoming: Incoming, outgoing: Outgoing) {
        self.count(|counters| counters.turn_clients += 1);
        let Err(over) = self.serve_until(incoming, outgoing).await;
        self.count(|counters| {
            counters.turn_clients -= 1;
            over.into_iter().for_each(|why| counters.refuse(why));
        });
    }

    async fn serve_until(
        &self,
        mut incoming: Incoming,
        mut outgoing: Outgoing,
    ) -> Result<std::convert::Infallible, Over> {
        let mut now = Instant::now();
        let mut session = Session::new(Arc::clone(&self.relaying), self.local, self.from, now);
        let mut relay: Option<UdpSocket> = None;
        let mut relay_by = now + limits::TURN_PROVE_WITHIN;
        let mut datagram = [0; limits::DATAGRAM_BYTES_MAX];
        loop {
            let mut deadline = loop {
                match session.poll(now) {
                    Step::Allocate(wanted) => {
                        let socket = self.relay().ok().filter(|_| relay.is_none());
                        let port = socket.as_ref().and_then(|socket| socket.local_addr().ok()).map(|at| at.port());
                        session.allocated(&wanted, port, now);
                        if session.has_relay() && relay.is_none() {
                            self.count(|counters| counters.add(Tally::TurnAllocations, 1));
                            relay = socket;
                        }
                    }
                    Step::Close => {
                        relay = None;
                        relay_by = now + limits::TURN_PROVE_WITHIN;
                    }
                    Step::Wait(until) => break until,
                }
            };
            while let Some(message) = session.transmit(now) {
                self.send(&mut outgoing, &message);
            }
            if relay.is_none() {
                deadline = deadline.min(relay_by);
            }
            tokio::select! {
                message = incoming.next() => {
                    let message = message?;
                    now = Instant::now();
                    let (output, refused) = session.handle_client(&message, now, SystemTime::now());
                    refused.into_iter().for_each(|why| self.count(|counters| counters.refuse(why)));
                    match output {
                        Some(Output::Client(answer)) => self.send(&mut outgoing, &answer),
                        Some(Output::Worker { to, datagram }) => {
                            if let Some(relay) = &relay {
                                self.count(|counters| counters.add(Tally::TurnRelayed, 1));
                                // As over any network: what a full socket does not take is lost.
                                let _ = relay.try_send_to(&datagram, to);
                            }
                        }
                        None => {}
                    }
                }
                received = receive(relay.as_ref(), &mut datagram) => {
                    now = Instant::now();
                    // An error belongs to a datagram sent before (RFC 1122 §4.1.3.3).
                    let Ok((len, from)) = received else { continue };
                    match session.handle_worker(from, &datagram[..len], now) {
                        Some(message) => {
                            self.count(|counters| counters.add(Tally::TurnRelayed, 1));
                            self.send(&mut outgoing, &message);
                        }
                        None => self.count(|counters| counters.refuse(TurnRefusal::PeerForbidden)),
                    }
                }
                written = outgoing.write() => {
                    written.map_err(|_| None)?;
                    now = Instant::now();
                }
                () = sleep_until(deadline.into()) => {
                    now = Instant::now();
                    if relay.is_none() && now >= relay_by {
                        return Err(Some(TurnRefusal::Unproved));
                    }
                }
            }
        }
    }

    /// A socket that reaches the workers as they reach it.
    fn relay(&self) -> io::Result<UdpSocket> {
        let worker = self.relaying.workers.values().next().ok_or(io::ErrorKind::NotFound)?;
        UdpSocket::from_std(udp::bind(SocketAddr::new(worker.ip(), 0), Port::Own)?)
    }

    fn send(&self, outgoing: &mut Outgoing, message: &[u8]) {
        let sent = match outgoing {
            Outgoing::Udp { socket, to } => socket.try_send_to(message, *to).is_ok(),
            Outgoing::Tcp { waiting, .. } => waiting.push(&[message, framing::padding_of(message)]),
        };
        if !sent {
            self.count(|counters| counters.drop(DropReason::TcpQueueFull));
        }
    }

    /// Only the thread and whoever scrapes metrics hold the lock.
    fn count(&self, counted: impl FnOnce(&mut Counters)) {
        counted(&mut self.counters.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The next datagram for the relay, if there is one.
async fn receive(relay: Option<&UdpSocket>, into: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    match relay {
        Some(relay) => relay.recv_from(into).await,
        None => std::future::pending().await,
    }
}

impl Incoming {
    /// The next message. Nothing is lost when it is no longer waited for.
    async fn next(&mut self) -> Result<Box<[u8]>, Over> {
        match self {
            Self::Udp(messages) => messages.recv().await.ok_or(None),
            Self::Tcp { reader, read } => loop {
                if let Some(message) = framing::take(read).map_err(|_| Some(TurnRefusal::NotTurn))? {
                    return Ok(message.to_vec().into());
                }
                if reader.read_buf(read).await.map_err(|_| None)? == 0 {
                    return Err(None);
                }
            },
        }
    }
}

impl Outgoing {
    /// Writes some of what waits; never returns when nothing does.
    async fn write(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp { writer, waiting } if !waiting.is_empty() => waiting.write(writer).await,
            _ => std::future::pending().await,
        }
    }
}
