//! What a worker sends, and what it counts, in one place.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use tracing::warn;

use crate::counters::{Counters, Distribution, DropReason, Tally};
use crate::limits::EGRESS_BYTES_MAX;
use crate::udp::Egress;

/// Segments are tried again this long after the kernel refused them: the path may be another one.
const SEGMENTS_RETRY: Duration = Duration::from_secs(10);

/// The worker's socket with the datagrams being collected for it.
pub(crate) struct Outbox {
    socket: UdpSocket,
    egress: Egress,
    pub(crate) counters: Counters,
    /// When the packets came whose last copies have been written since the last flush; see [`Outbox::note_written`].
    written: Vec<Instant>,
    /// When segments are tried again.
    segments_again: Option<Instant>,
    told_refusal: bool,
}

impl Outbox {
    pub(crate) fn new(socket: UdpSocket) -> Self {
        Self {
            socket,
            egress: Egress::new(),
            counters: Counters::default(),
            written: Vec::new(),
            segments_again: None,
            told_refusal: false,
        }
    }

    /// An outbox that sends nothing.
    #[cfg(feature = "bench")]
    pub(crate) fn unsent(socket: UdpSocket) -> Self {
        Self { egress: Egress::unsent(), ..Self::new(socket) }
    }

    pub(crate) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Lets `write` make a datagram for `to` in place and return its length. Datagrams written for one address one after
    /// the other leave in one message, as long as they are as long as the first.
    pub(crate) fn write(&mut self, to: SocketAddr, write: impl FnOnce(&mut [u8; EGRESS_BYTES_MAX]) -> usize) {
        if self.egress.is_full() {
            self.flush();
        }
        let len = write(self.egress.datagram());
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

    /// All copies of a packet that came at `arrived` have been written.
    pub(crate) fn note_written(&mut self, arrived: Instant) {
        self.written.push(arrived);
    }

    /// Gives everything to the kernel.
    pub(crate) fn flush(&mut self) {
        let mut messages = 0;
        for segments in self.egress.runs() {
            self.counters.measure(Distribution::SegmentsPerMessage, segments as u64, 1);
            messages += 1;
        }
        if messages == 0 && self.written.is_empty() {
            return;
        }
        let flushed = self.egress.flush(&self.socket);
        let now = Instant::now();
        self.counters.add(Tally::MessagesOut, messages);
        self.counters.add(Tally::DatagramsOut, flushed.datagrams as u64);
        self.counters.add(Tally::BytesOut, flushed.bytes as u64);
        self.counters.drop_many(DropReason::SendRefused, flushed.refused as u64);
        self.counters.drop_many(DropReason::SocketFull, flushed.socket_full as u64);
        for arrived in self.written.drain(..) {
            let micros = now.saturating_duration_since(arrived).as_micros() as u64;
            self.counters.measure(Distribution::ForwardLatency, micros, 1);
        }
        if flushed.segmentation_refused > 0 {
            self.counters.add(Tally::SegmentationRefused, flushed.segmentation_refused as u64);
            self.segments_again = Some(now + SEGMENTS_RETRY);
            if !std::mem::replace(&mut self.told_refusal, true) {
                warn!("the kernel refuses UDP segmentation (GSO) on a path to clients: datagrams are sent one by one");
            }
        } else if self.segments_again.is_some_and(|at| at <= now) {
            self.segments_again = None;
            self.egress.try_segments_again();
        }
    }
}
