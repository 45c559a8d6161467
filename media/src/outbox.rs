//! What a worker sends, and what it counts, in one place.

use std::net::{SocketAddr, UdpSocket};

use crate::counters::{Counters, DropReason, Tally};
use crate::limits::EGRESS_BYTES_MAX;
use crate::socket::Egress;

/// The worker's socket with the batch being filled for it. The egress tick will live here.
pub(crate) struct Outbox {
    socket: UdpSocket,
    egress: Egress,
    pub(crate) counters: Counters,
}

impl Outbox {
    pub(crate) fn new(socket: UdpSocket) -> Self {
        Self { socket, egress: Egress::new(), counters: Counters::default() }
    }

    pub(crate) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Lets `write` make a datagram for `to` in place and return its length.
    pub(crate) fn write(&mut self, to: SocketAddr, write: impl FnOnce(&mut [u8; EGRESS_BYTES_MAX]) -> usize) {
        if self.egress.is_full() {
            self.flush();
        }
        let len = write(self.egress.buffer());
        self.egress.commit(to, len);
    }

    pub(crate) fn send(&mut self, to: SocketAddr, datagram: &[u8]) {
        if datagram.len() <= EGRESS_BYTES_MAX {
            self.write(to, |buf| {
                buf[..datagram.len()].copy_from_slice(datagram);
                datagram.len()
            });
        }
    }

    pub(crate) fn flush(&mut self) {
        let (sent, bytes, refused) = self.egress.flush(&self.socket);
        self.counters.add(Tally::DatagramsOut, sent as u64);
        self.counters.add(Tally::BytesOut, bytes as u64);
        (0..refused).for_each(|_| self.counters.drop(DropReason::SendRefused));
    }
}
