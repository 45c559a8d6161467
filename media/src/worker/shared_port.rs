//! One UDP port for all workers. The kernel deals datagrams out by their addresses, so that one may reach a worker that
//! does not have the peer. Connectivity checks name their worker in the user fragment; the worker they belong to then
//! tells where they came from, and what else comes from there is handed over too. A peer that sends media gets a
//! connected socket, which the kernel prefers: its packets reach their worker directly.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use rtrb::{Consumer, Producer};
use slab::Slab;

use super::Worker;
use crate::counters::Tally;
use crate::ids::WorkerId;
use crate::limits;
use crate::udp::poll::{Poll, Waker};
use crate::udp::{self, Ingress, Port};

/// What workers that share a port tell each other.
pub(crate) enum Handover {
    /// A datagram for a peer of yours.
    Datagram { from: SocketAddr, datagram: Box<[u8]> },
    /// A peer of mine is at this address.
    Mine { address: SocketAddr },
    /// It is there no more.
    NotMine { address: SocketAddr },
}

/// Another worker on the port. The rings are other ones than those of the media: whoever floods the port with checks
/// harms no packet that is on its way to a viewer.
pub(crate) struct Sharer {
    worker: WorkerId,
    ring: Producer<Handover>,
    inbox: Consumer<Handover>,
    waker: Waker,
    /// Something was pushed and it was not woken yet.
    pushed: bool,
}

impl Sharer {
    pub(crate) fn new(worker: WorkerId, ring: Producer<Handover>, inbox: Consumer<Handover>, waker: Waker) -> Self {
        Self { worker, ring, inbox, waker, pushed: false }
    }
}

/// A connected socket of a peer.
struct Direct {
    key: usize,
    remote: SocketAddr,
    socket: UdpSocket,
}

/// See the module.
pub(crate) struct SharedPort {
    sharers: Vec<Sharer>,
    /// Addresses of other workers' peers.
    foreign: HashMap<SocketAddr, WorkerId>,
    direct: Slab<Direct>,
}

impl SharedPort {
    pub(crate) fn new(sharers: Vec<Sharer>) -> Self {
        Self { sharers, foreign: HashMap::new(), direct: Slab::new() }
    }

    /// Who has the peer at `address`, if it is known.
    pub(super) fn owner(&self, address: SocketAddr) -> Option<WorkerId> {
        self.foreign.get(&address).copied()
    }

    /// Hands a datagram over. False when `owner` is unknown or does not keep up.
    pub(super) fn hand_over(&mut self, owner: WorkerId, from: SocketAddr, datagram: &[u8]) -> bool {
        let Some(sharer) = self.sharers.iter_mut().find(|sharer| sharer.worker == owner) else { return false };
        sharer.pushed = true;
        sharer.ring.push(Handover::Datagram { from, datagram: datagram.into() }).is_ok()
    }

    /// Wakes the workers that were handed something.
    pub(super) fn wake(&mut self) {
        for sharer in self.sharers.iter_mut().filter(|sharer| sharer.pushed) {
            sharer.pushed = false;
            sharer.waker.wake();
        }
    }

    /// A valid check came from `address` over `via`: it is to hand over what else comes from there. Said with every
    /// check, so that a word lost in a full ring does no lasting harm.
    pub(super) fn claim(&mut self, address: SocketAddr, via: WorkerId) {
        self.foreign.remove(&address);
        if let Some(sharer) = self.sharers.iter_mut().find(|sharer| sharer.worker == via) {
            let _ = sharer.ring.push(Handover::Mine { address });
        }
    }

    /// A peer is at `address` no more.
    pub(super) fn release(&mut self, address: SocketAddr) {
        for sharer in &mut self.sharers {
            let _ = sharer.ring.push(Handover::NotMine { address });
        }
    }

    /// Peer `key` is gone, and its connected socket with it.
    pub(super) fn forget_peer(&mut self, key: usize) {
        self.direct.retain(|_, direct| direct.key != key);
    }

    fn note(&mut self, address: SocketAddr, owner: WorkerId) {
        // One forgotten for want of room is told again with its next check.
        if self.foreign.len() >= limits::FOREIGN_ADDRESSES
            && let Some(any) = self.foreign.keys().next().copied()
        {
            self.foreign.remove(&any);
        }
        self.foreign.insert(address, owner);
    }

    /// Opens a connected socket for peer `key` at `remote`, in place of one for where it was before. Without one, its
    /// packets go on being handed over. What is still handed over comes from before the socket was there: to open
    /// another one then would lose what the first has received.
    fn connect(&mut self, key: usize, local: SocketAddr, remote: SocketAddr, poll: &Poll) -> io::Result<()> {
        if self.direct.iter().any(|(_, direct)| direct.key == key && direct.remote == remote) {
            return Ok(());
        }
        self.forget_peer(key);
        if self.direct.len() >= limits::CONNECTED_SOCKETS {
            return Ok(());
        }
        let socket = udp::bind(local, Port::Shared)?;
        socket.connect(remote)?;
        // As with the worker's own socket: where it is refused datagrams come one by one.
        let _ = udp::coalesce(&socket);
        let entry = self.direct.vacant_entry();
        poll.add_socket(&socket, entry.key())?;
        entry.insert(Direct { key, remote, socket });
        Ok(())
    }
}

impl Worker {
    /// Takes what other workers on the port hand over.
    pub(super) fn handle_handovers(&mut self, now: Instant) {
        let count = self.shared.as_ref().map_or(0, |shared| shared.sharers.len());
        for n in 0..count {
            while let Some((from, handover)) = self.next_handover(n) {
                match handover {
                    Handover::Datagram { from: address, mut datagram } => {
                        self.out.counters.add(Tally::HandedOver, 1);
                        self.handle_guarded(address, &mut datagram, Some(from), now);
                    }
                    Handover::Mine { address } if !self.by_address.contains_key(&address) => {
                        self.shared.iter_mut().for_each(|shared| shared.note(address, from));
                    }
                    Handover::Mine { .. } => {}
                    Handover::NotMine { address } => {
                        if let Some(shared) = self.shared.as_mut().filter(|shared| shared.owner(address) == Some(from))
                        {
                            shared.foreign.remove(&address);
                        }
                    }
                }
            }
        }
    }

    fn next_handover(&mut self, n: usize) -> Option<(WorkerId, Handover)> {
        let sharer = &mut self.shared.as_mut()?.sharers[n];
        Some((sharer.worker, sharer.inbox.pop().ok()?))
    }

    /// The peer sends media that reaches this worker through another one.
    pub(super) fn connect_directly(&mut self, key: usize, remote: SocketAddr) {
        let (Some(shared), Ok(local)) = (&mut self.shared, self.out.socket().local_addr()) else { return };
        if let Err(error) = shared.connect(key, local, remote, &self.poll) {
            tracing::debug!(%error, "no connected socket");
        }
    }

    /// Reads a connected socket.
    pub(super) fn handle_direct(&mut self, name: usize, ingress: &mut Ingress) {
        let Some(direct) = self.shared.as_ref().and_then(|shared| shared.direct.get(name)) else { return };
        let count = ingress.receive(&direct.socket).unwrap_or(0);
        self.handle_batch(ingress, count);
    }
}
