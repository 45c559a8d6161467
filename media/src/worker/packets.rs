//! Datagrams, from the socket to the rooms.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use arrayvec::ArrayVec;
use tracing::error;

use super::relay::Relay;
use super::{Wanted, Worker, ask_key_frame};
use crate::counters::{DropReason, Tally};
use crate::ice::Request;
use crate::ids::{Slot, WorkerId};
use crate::inbound::Forward;
use crate::limits;
use crate::peer::Gone;
use crate::room::asked_layer;
use crate::rtcp;
use crate::rtp::Header;
use crate::srtp::SrtpError;
use crate::udp::Ingress;

/// Batches read before timers get their turn.
const BATCHES_PER_ROUND: usize = 4;

impl Worker {
    /// Reads the worker's own socket.
    pub(super) fn handle_socket(&mut self, ingress: &mut Ingress) {
        for _ in 0..BATCHES_PER_ROUND {
            // An error of the socket belongs to a datagram sent before (RFC 1122 §4.1.3.3), not to those waiting.
            let count = ingress.receive(self.out.socket()).unwrap_or(0);
            self.handle_batch(ingress, count);
            if count < limits::BATCH {
                return;
            }
        }
    }

    /// Takes the first `count` messages that were read.
    pub(super) fn handle_batch(&mut self, ingress: &mut Ingress, count: usize) {
        let now = Instant::now();
        let key = |n: usize| self.by_address.get(&ingress.sender(n)?).copied();
        let keys: ArrayVec<_, { limits::BATCH }> = (0..count).map(key).collect();
        // What handling a message needs lies in steps of memory, each found through the one before.
        for step in 0..count + 2 {
            let peer = |back: usize| self.peers.get((*keys.get(step.checked_sub(back)?)?)?);
            peer(0).into_iter().for_each(|peer| peer.prefetch_listening());
            peer(1).into_iter().for_each(|peer| peer.prefetch_heard());
            let Some(n) = step.checked_sub(2) else { continue };
            let (from, datagrams) = ingress.message(n);
            for datagram in datagrams {
                self.out.counters.add(Tally::DatagramsIn, 1);
                self.out.counters.add(Tally::BytesIn, datagram.len() as u64);
                self.handle_guarded(from, datagram, None, now);
            }
        }
    }

    /// Takes a datagram that came to this worker or, first, to worker `via`. A bug met by one peer's datagram costs
    /// that peer.
    pub(super) fn handle_guarded(
        &mut self,
        from: SocketAddr,
        datagram: &mut [u8],
        via: Option<WorkerId>,
        now: Instant,
    ) {
        match catch_unwind(AssertUnwindSafe(|| self.handle_datagram(from, datagram, via, now))) {
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

    /// Tells by the first byte what a datagram is (RFC 7983 §7).
    fn handle_datagram(
        &mut self,
        from: SocketAddr,
        datagram: &mut [u8],
        via: Option<WorkerId>,
        now: Instant,
    ) -> Result<(), DropReason> {
        let kind = datagram.first().copied();
        if let Some(0..=3) = kind {
            return self.handle_stun(from, datagram, via, now);
        }
        if !matches!(kind, Some(20..=63 | 128..=191)) {
            return Err(DropReason::NotMultiplexed);
        }
        let Some(key) = self.by_address.get(&from).copied() else {
            return self.hand_over(from, datagram, via).ok_or(DropReason::UnknownAddress);
        };
        if let Some(20..=63) = kind {
            let change = self.peers[key].handle_dtls(datagram, from, now, &mut self.out);
            self.changed(key, change, now);
            return Ok(());
        }
        if rtcp::is_rtcp(datagram) {
            return self.handle_rtcp(key, datagram, now);
        }
        let handled = self.handle_rtp(key, datagram, now);
        if via.is_some() && handled.is_ok() {
            self.connect_directly(key, from);
        }
        // Its arrival is to be reported.
        self.attend_sooner(key, now);
        handled
    }

    /// Hands a datagram from an address that another worker has to that worker.
    fn hand_over(&mut self, from: SocketAddr, datagram: &[u8], via: Option<WorkerId>) -> Option<()> {
        let shared = self.shared.as_mut().filter(|_| via.is_none())?;
        let owner = shared.owner(from)?;
        shared.hand_over(owner, from, datagram).then_some(())
    }

    fn handle_stun(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        via: Option<WorkerId>,
        now: Instant,
    ) -> Result<(), DropReason> {
        let request = Request::parse(datagram)?;
        let ufrag = request.ufrag();
        let Some(key) = self.by_ufrag.get(&ufrag).copied() else {
            let shared = self.shared.as_mut().filter(|_| via.is_none()).ok_or(DropReason::StunUnknownUser)?;
            let handed = ufrag.worker().is_some_and(|owner| shared.hand_over(owner, from, datagram));
            return handed.then_some(()).ok_or(DropReason::StunUnknownUser);
        };
        let before = self.peers[key].ice.ufrag;
        let forgotten = self.peers[key].handle_check(&request, from, now, &mut self.out)?;
        if self.peers[key].ice.ufrag != before {
            self.by_ufrag.remove(&before);
        }
        if let Some(address) = forgotten.filter(|address| self.by_address.get(address) == Some(&key)) {
            self.forget_address(address);
        }
        self.by_address.insert(from, key);
        if let (Some(shared), Some(via)) = (&mut self.shared, via) {
            shared.claim(from, via);
        }
        Ok(())
    }

    fn handle_rtp(&mut self, key: usize, datagram: &mut [u8], now: Instant) -> Result<(), DropReason> {
        let Self { peers, rooms, neighbours, flushes, tick, out, .. } = self;
        let peer = &mut peers[key];
        let header = Header::parse(datagram).map_err(|_| DropReason::RtpMalformed)?;
        let len = peer.srtp_receiver()?.unprotect_rtp(datagram, &header).map_err(srtp_reason)?;
        let received = peer.inbound.receive(&peer.session, &header, &datagram[..len], now, out);
        let room_id = peer.room;
        let Some(room) = rooms.get_mut(&room_id) else { return Ok(()) };
        peer.report_speech(room, now);
        for Forward { slot, generation, packet } in received? {
            let due = room.queue(slot, generation, &packet, now, tick)?;
            due.into_iter().for_each(|at| flushes.schedule(at, room_id));
            neighbours.push(room.workers, &mut out.counters, || Relay::Packet {
                room: room_id,
                slot,
                generation,
                packet: Arc::clone(&packet),
                arrived: now,
            });
        }
        Ok(())
    }

    fn handle_rtcp(&mut self, key: usize, datagram: &mut [u8], now: Instant) -> Result<(), DropReason> {
        let Self { peers, rooms, neighbours, out, clock, .. } = self;
        let peer = &mut peers[key];
        let len = peer.srtp_receiver()?.unprotect_rtcp(datagram).map_err(srtp_reason)?;
        let room_id = peer.room;
        let Some(room) = rooms.get_mut(&room_id) else { return Ok(()) };
        let (mut wanted, mut other_rate) = (Vec::new(), false);
        let read = rtcp::read(&datagram[..len], |message| match message {
            rtcp::Message::SenderReport { ssrc, ntp, rtp } => {
                let report = peer.inbound.sender_report(ssrc, ntp, rtp, now);
                let Some((slot, generation, layer, clock)) = report else { return };
                room.set_clock(slot, generation, layer, clock);
                let relay = || Relay::Clock { room: room_id, slot, generation, layer, clock };
                neighbours.push(room.workers, &mut out.counters, relay);
            }
            rtcp::Message::Nack { ssrc, lost } => {
                if let Some(slot) = Slot::from_ssrc(ssrc).map(|slot| peer.outbound.shown(slot)) {
                    room.retransmit(peer, slot, lost, now, out);
                }
            }
            rtcp::Message::KeyFrameRequest { ssrc } => {
                let slot = Slot::from_ssrc(ssrc).map(|slot| peer.outbound.shown(slot));
                wanted.extend(slot.filter(|slot| slot.kind().is_video()));
            }
            rtcp::Message::Echo { ssrc, last_sender_report, delay } => {
                let round_trip = clock.since_report(last_sender_report, delay, now);
                match round_trip.filter(|_| Slot::from_ssrc(ssrc).is_some()) {
                    Some(round_trip) => peer.outbound.round_trip(round_trip),
                    None => out.counters.add(Tally::RtcpIgnored, 1),
                }
            }
            rtcp::Message::TransportFeedback { fci } => match peer.feedback(&datagram[fci], now) {
                Ok(other) => {
                    other_rate |= other;
                    out.counters.add(Tally::FeedbackIn, 1);
                }
                Err(reason) => out.counters.drop(reason),
            },
            rtcp::Message::Ignored => out.counters.add(Tally::RtcpIgnored, 1),
        });
        out.counters.add(Tally::KeyFramesWanted, wanted.len() as u64);
        for slot in wanted {
            let generation = room.slot(slot).generation;
            let layer = asked_layer(&peers[key].outbound, slot, generation);
            let wanted = Wanted { slot, generation, layer };
            ask_key_frame(room_id, room, peers, neighbours, &mut out.counters, wanted, now);
        }
        if other_rate {
            self.share_with(key, now);
        }
        // What it reports hastens nothing but what is due for what it receives.
        let peer = &self.peers[key];
        if peer.outbound.next_timeout() < peer.wake_at {
            self.reschedule(key, now);
        }
        read.map_err(|_| DropReason::RtcpMalformed)
    }
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
