//! What one client receives: its slots, with the numbers it sees.

use std::mem::offset_of;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::allocation::Wishes;
use crate::budget::Budget;
use crate::counters::{DropReason, Tally};
use crate::downlink::Downlink;
use crate::fanout::{Batch, Pending};
use crate::ids::{Generation, Layer, MediaKind, ParticipantId, Slot};
use crate::layers::{LayerSet, PICTURES, Quality, StreamSet};
use crate::limits::{self, DATAGRAM_OVERHEAD_BYTES, PADDING_BYTES_MAX};
use crate::outbox::Outbox;
use crate::pacer::Paced;
use crate::packet::Packet;
use crate::prefetch::prefetch;
use crate::profile::ProfileId;
use crate::ramp::Ramp;
use crate::rtcp::SlotReport;
use crate::rtp::{OUTGOING_HEADER_MAX, OutgoingHeader};
use crate::sdp::{Receiving, Session};
use crate::slot_sender::{Known, Rewritten, SlotSender};
use crate::slot_senders::SlotSenders;
use crate::source::ClockPoint;
use crate::srtp;
use crate::view::View;

/// The slots of one viewer.
#[repr(C)] // What every packet touches comes first: see `FIRST_BYTES`.
pub(crate) struct Outbound {
    /// What it is to get of each picture; none where it gets nothing.
    targets: [Option<Quality>; PICTURES],
    /// Pictures it is to get and has no format for, a bit for each slot.
    pub(crate) undecodable: u32,
    /// It takes voices in packets that carry those before them once more.
    takes_redundancy: bool,
    /// What it is shown, if it follows.
    pub(crate) view: Option<View>,
    senders: SlotSenders,
    /// Its line, if it tells how packets arrive.
    pub(crate) downlink: Option<Downlink>,
    /// When sender reports are due.
    pub(crate) next_report: Instant,
    /// What its pictures may take at most.
    pub(crate) ramp: Ramp,
    /// Pictures that do not fit its line, a bit for each slot.
    pub(crate) dropped: u32,
    /// Layers it is counted for: the target, and what it has until a key frame of that has come.
    takes: [LayerSet; PICTURES],
    /// What it wants to see.
    pub(crate) wishes: Wishes,
    /// Retransmissions it may still ask for: a small request must not make the server send without end.
    resends: Budget,
    /// Voices count in what the line carries.
    numbers_voices: bool,
}

impl Outbound {
    /// How many of its bytes a packet that leaves touches.
    pub(crate) const FIRST_BYTES: usize = offset_of!(Self, downlink) + Downlink::FIRST_BYTES;

    /// What a client with `session` receives; `seed` makes the first sequence numbers random (RFC 3550 §5.1).
    pub(crate) fn new(seed: u64, session: &Session, now: Instant) -> Self {
        Self {
            senders: SlotSenders::new(seed),
            wishes: Wishes::UNSAID,
            targets: [None; PICTURES],
            takes: [LayerSet::default(); PICTURES],
            resends: Budget::full(limits::RETRANSMITS_PER_SECOND, limits::RETRANSMIT_BURST, now),
            downlink: session.has_feedback().then(|| Downlink::new(now)),
            ramp: Ramp::default(),
            numbers_voices: session.has_feedback_on_voices(),
            takes_redundancy: session.has_redundant_voices(),
            dropped: 0,
            undecodable: 0,
            view: None,
            next_report: now + limits::REPORT_INTERVAL,
        }
    }

    /// The slot in whose section `slot` is received; none when it is not.
    pub(crate) fn section(&self, slot: Slot) -> Option<Slot> {
        self.view.map_or(Some(slot), |view| view.section(slot))
    }

    /// The slot that is received in the section of `section`.
    pub(crate) fn shown(&self, section: Slot) -> Slot {
        self.view.map_or(section, |view| view.shown(section))
    }

    /// `from` as it is received.
    fn seen(&self, from: Occupied) -> Option<Occupied> {
        Some(Occupied { slot: self.section(from.slot)?, ..from })
    }

    /// When something is due for what it receives: reports, larger layers, or something of its line.
    pub(crate) fn next_timeout(&self) -> Instant {
        let downlink = self.downlink.as_ref().map(|downlink| downlink.next_timeout());
        [downlink, self.ramp.rises()].into_iter().flatten().fold(self.next_report, Instant::min)
    }

    /// Asks for the memory that says what is due.
    pub(crate) fn prefetch_due(&self) {
        prefetch(&self.next_report);
        prefetch(&self.ramp);
    }

    /// Asks for the senders of the slots of `pending`, and for where the next packet is noted.
    pub(crate) fn prefetch(&self, pending: &[Pending]) {
        self.downlink.iter().for_each(Downlink::prefetch_next);
        let sections = pending.iter().filter_map(|pending| self.section(pending.from.slot));
        sections.for_each(|section| self.senders.prefetch(section));
    }

    /// Whether packets of voices carry those before them once more: where the line loses some, and has room for it. A thin line
    /// would lose more by it.
    pub(crate) fn is_sent_redundancy(&self) -> bool {
        let has_room = |downlink: &Downlink| downlink.bitrate() >= limits::REDUNDANCY_BITRATE_MIN;
        self.takes_redundancy && self.is_lossy() && self.downlink.as_ref().is_some_and(has_room)
    }

    fn is_lossy(&self) -> bool {
        self.downlink.as_ref().is_some_and(|downlink| downlink.is_lossy())
    }

    /// What the line carries of pictures, bit/s, where voices take `voices`.
    pub(crate) fn budget(&self, voices: u32) -> u32 {
        let times = if self.is_sent_redundancy() { 2 } else { 1 };
        let taken = if self.numbers_voices { voices.saturating_mul(times) } else { 0 };
        self.downlink.as_ref().map_or(u32::MAX, |downlink| downlink.bitrate().saturating_sub(taken))
    }

    /// It is reached at another address. Pictures it has missed go on with key frames.
    pub(crate) fn moved(&mut self, now: Instant) {
        let Self { downlink, senders, .. } = self;
        let Some(downlink) = downlink.as_mut() else { return };
        if downlink.restart(now) {
            drop(downlink.clear());
            senders.pause_pictures();
        }
    }

    /// Notes what it would take if its line carried everything, and which pictures do not fit. Returns how many of those
    /// did before.
    pub(crate) fn note_wanted(&mut self, wanted: u32, dropped: u32, now: Instant) -> u32 {
        self.downlink.iter_mut().for_each(|downlink| downlink.set_wanted(wanted, now));
        (dropped & !std::mem::replace(&mut self.dropped, dropped)).count_ones()
    }

    /// A packet and the answer to it take so long together.
    pub(crate) fn round_trip(&mut self, round_trip: Duration) {
        self.downlink.iter_mut().for_each(|downlink| downlink.round_trip(round_trip));
    }

    /// What it is to get of the picture in `slot`.
    pub(crate) fn target(&self, slot: Slot) -> Option<Quality> {
        self.targets.get(slot.index()).copied().flatten()
    }

    /// From here on it is to get `target`. Where that is nothing, the packets that it does not get leave no gap.
    pub(crate) fn set_target(&mut self, slot: Slot, target: Option<Quality>) {
        self.targets[slot.index()] = target;
        if target.is_none() {
            self.pause(slot);
        }
    }

    /// Nothing more of the picture in `slot` is forwarded before its next key frame, which leaves no gap.
    pub(crate) fn pause(&mut self, slot: Slot) {
        if let Some(sender) = self.section(slot).and_then(|section| self.senders.get_mut(section)) {
            sender.pause();
        }
    }

    /// Notes the layers it is counted for, and returns those from before.
    pub(crate) fn set_takes(&mut self, slot: Slot, takes: LayerSet) -> LayerSet {
        std::mem::replace(&mut self.takes[slot.index()], takes)
    }

    /// The layer it is being sent of the picture in `slot`, whose occupant is `generation`.
    pub(crate) fn layer(&self, slot: Slot, generation: Generation) -> Option<Layer> {
        self.senders.get(self.section(slot)?)?.layer(generation)
    }

    pub(crate) fn sender(&mut self, slot: Slot) -> &mut SlotSender {
        self.senders.get_or_make(slot)
    }
}

/// A client that can be sent to.
pub(crate) struct Viewer<'a> {
    pub(crate) participant: ParticipantId,
    pub(crate) remote: SocketAddr,
    pub(crate) sender: &'a mut srtp::Sender,
    pub(crate) session: &'a Session,
    pub(crate) profile: ProfileId,
    pub(crate) outbound: &'a mut Outbound,
}

/// Who stands in a slot, as far as a viewer's packets are concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occupied {
    pub(crate) slot: Slot,
    pub(crate) generation: Generation,
    pub(crate) participant: ParticipantId,
}

impl Viewer<'_> {
    /// Forwards a tick's packets, all but the viewer's own, those of layers it does not get, those of a codec it does
    /// not have, and those it cannot have before a key frame: their layers are added to `awaiting`. Returns how many packets were sent.
    pub(crate) fn forward(
        &mut self,
        batch: &mut Batch,
        pending: &[Pending],
        awaiting: &mut StreamSet,
        now: Instant,
        out: &mut Outbox,
    ) -> u64 {
        let (mut sent, mut padding, mut redundant) = (0, 0, 0);
        for n in 0..batch.len() {
            let (ready, payloads) = batch.packet(n);
            let Pending { from, packet, .. } = &pending[ready.pending];
            if from.participant == self.participant {
                continue;
            }
            // A voice has one layer, and everybody gets it.
            let target =
                self.outbound.targets.get(from.slot.index()).copied().unwrap_or(Some(Quality::all_of(packet.layer)));
            let slot = self.outbound.sender(ready.section);
            if !ready.is_decodable {
                if slot.leave_out(from.generation, packet, target) {
                    self.outbound.undecodable |= bit(from.slot);
                    out.counters.add(Tally::Undecodable, 1);
                }
                continue;
            }
            let Some(numbers) = slot.forward(from.generation, packet, target, now) else {
                if slot.awaits_key_frame(from.generation, packet, target) {
                    awaiting.insert(from.slot, packet.layer);
                }
                continue;
            };
            self.outbound.undecodable &= !bit(from.slot);
            if let Some(downlink) = self.outbound.downlink.as_mut().filter(|_| ready.has_transport_seq) {
                // A voice never waits.
                if from.slot.kind().is_video() && !downlink.is_open(now) {
                    let (from, section, packet) = (*from, ready.section, Arc::clone(packet));
                    let fits = downlink.keep(Paced { from, section, packet, numbers });
                    out.counters.add(Tally::Paced, 1);
                    if !fits {
                        self.drop_paced(awaiting, out);
                    }
                    continue;
                }
                let bytes = ready.len() + DATAGRAM_OVERHEAD_BYTES;
                ready.number_transport(downlink.send(bytes, now));
            }
            padding += ready.padding as u64;
            redundant += u64::from(ready.is_redundant());
            let Rewritten { seq, timestamp, shift } = numbers;
            let ssrc = ready.section.ssrc();
            let (header, payload) = ready.numbered(payloads, packet, seq as u16, timestamp, shift);
            out.write(self.remote, |buf| self.sender.seal_rtp(header, payload, ssrc, seq, buf));
            sent += 1;
        }
        out.counters.add(Tally::PaddingOut, padding);
        out.counters.add(Tally::RedundantOut, redundant);
        sent
    }

    /// Drops what waits: the pictures go on with key frames.
    fn drop_paced(&mut self, awaiting: &mut StreamSet, out: &mut Outbox) {
        let Outbound { downlink, senders, .. } = &mut *self.outbound;
        for paced in downlink.iter_mut().flat_map(|downlink| downlink.clear()) {
            out.counters.drop(DropReason::PacerFull);
            senders.get_mut(paced.section).into_iter().for_each(SlotSender::pause);
            awaiting.insert(paced.from.slot, paced.packet.layer);
        }
    }

    /// Sends what waited and may leave now, as far as `is_allowed` still holds for whom it comes from.
    pub(crate) fn send_paced(&mut self, is_allowed: impl Fn(Occupied) -> bool, now: Instant, out: &mut Outbox) {
        while let Some(paced) = self.outbound.downlink.as_mut().and_then(|downlink| downlink.take(now)) {
            let Paced { from, section, packet, numbers } = paced;
            if is_allowed(from)
                && self.write(Occupied { slot: section, ..from }, &packet, numbers, Sent::First, now, out)
            {
                out.counters.add(Tally::PacketsForwarded, 1);
            }
        }
    }

    /// Sends padding that finds out what the line carries, where a picture is received with a stream for
    /// retransmissions: receivers take no notice of it there.
    pub(crate) fn send_probe(&mut self, now: Instant, out: &mut Outbox) {
        let slot = Slot::FIRST_CAMERA;
        let receiving = self.session.receiving(slot);
        let Some((payload_type, id)) = receiving.and_then(|r| Some((r.any_rtx()?, r.transport_cc?))) else {
            return;
        };
        let Some(probe) = self.outbound.downlink.as_mut().and_then(|downlink| downlink.probe(now)) else { return };
        let mut left = probe.bytes;
        while left > 0 {
            let len = PROBE_HEADER_BYTES + PADDING_BYTES_MAX;
            let bytes = len + DATAGRAM_OVERHEAD_BYTES;
            left = left.saturating_sub(bytes);
            let index = self.outbound.sender(slot).next_rtx_seq();
            let Some(downlink) = &mut self.outbound.downlink else { return };
            let transport_seq = downlink.send(bytes, now);
            let header = OutgoingHeader {
                marker: false,
                payload_type,
                seq: index as u16,
                timestamp: 0,
                ssrc: slot.rtx_ssrc(),
                csrc: self.participant,
                transport_seq: Some((id, transport_seq)),
                level: None,
            };
            out.counters.add(Tally::ProbeOut, bytes as u64);
            out.write(self.remote, |buf| {
                let header_len = header.write(buf);
                debug_assert_eq!(header_len, PROBE_HEADER_BYTES, "what is no padding would be taken for a packet");
                // RFC 3550 §5.1: the P bit, and the count in the last byte.
                buf[0] |= 0x20;
                buf[header_len..len].fill(0);
                buf[len - 1] = PADDING_BYTES_MAX as u8;
                self.sender.protect_rtp(buf, header_len, len, slot.rtx_ssrc(), index)
            });
        }
    }

    /// Whether this viewer may be sent one more packet of `from` again: within its budget, and where its line has room, for
    /// which packets that wait have to wait longer. Not so for a second `copy`, nor where a smaller layer is about to take over:
    /// a line that loses packets because too much is sent gets no better by sending more.
    pub(crate) fn may_resend(&mut self, from: Occupied, copy: usize, now: Instant) -> bool {
        let target = self.outbound.target(from.slot).map(|target| target.layer);
        let stays = self.outbound.layer(from.slot, from.generation) <= target;
        let is_urgent = copy == 0 && stays;
        let room = self.outbound.downlink.as_mut().is_none_or(|downlink| downlink.has_room(is_urgent, now));
        room && self.outbound.resends.take(1, now)
    }

    /// How often a packet is sent that is asked for again. Where one in 20 is lost, so is every 20th of those sent again,
    /// and the picture stands still for a second round trip: sending it twice makes that one of 400. Without a stream for
    /// retransmissions the second would be a replay.
    pub(crate) fn copies(&self, slot: Slot) -> usize {
        let receiving = self.outbound.section(slot).and_then(|section| self.session.receiving(section));
        let rtx = receiving.and_then(Receiving::any_rtx);
        if self.outbound.is_lossy() && rtx.is_some() { 2 } else { 1 }
    }

    /// Sends again what the viewer knows as sequence number `seq` of the slot, if `find` still has it.
    pub(crate) fn retransmit<'p>(
        &mut self,
        from: Occupied,
        seq: u16,
        find: impl FnOnce(Known) -> Option<&'p Packet>,
        now: Instant,
        out: &mut Outbox,
    ) -> bool {
        let Some(from) = self.outbound.seen(from) else { return false };
        let sender = self.outbound.sender(from.slot);
        let Some(known) = sender.sent_as(from.generation, seq) else { return false };
        let Some(packet) = find(known) else { return false };
        // Never under another number than before. A gap left by what came too late to be left out has none.
        let numbers = sender.resend(from.generation, packet).filter(|numbers| numbers.seq == known.sent);
        let Some(numbers) = numbers else { return false };
        self.write(from, packet, numbers, Sent::Again, now, out)
    }

    /// Sends `packet` in the format of its codec. False where its slot is not received, or not in that codec.
    fn write(
        &mut self,
        from: Occupied,
        packet: &Packet,
        numbers: Rewritten,
        sent: Sent,
        now: Instant,
        out: &mut Outbox,
    ) -> bool {
        let Some(receiving) = self.session.receiving(from.slot) else { return false };
        let Some(format) = receiving.format(packet.codec) else { return false };
        let rtx = format.rtx_payload_type.filter(|_| sent == Sent::Again);
        let (payload_type, ssrc, index) = match rtx {
            Some(rtx) => (rtx, from.slot.rtx_ssrc(), self.outbound.sender(from.slot).next_rtx_seq()),
            None => (format.payload_type, from.slot.ssrc(), numbers.seq),
        };
        let bytes = OUTGOING_HEADER_MAX + packet.payload().len() + DATAGRAM_OVERHEAD_BYTES;
        let numbered = receiving.transport_cc.zip(self.outbound.downlink.as_mut());
        let header = OutgoingHeader {
            marker: packet.marker,
            payload_type,
            seq: index as u16,
            timestamp: numbers.timestamp,
            ssrc,
            csrc: from.participant,
            transport_seq: numbered.map(|(id, downlink)| (id, downlink.send(bytes, now))),
            level: receiving.audio_level.zip(packet.level),
        };
        let video = from.slot.kind().is_video();
        out.write(self.remote, |buf| {
            let header_len = header.write(buf);
            let mut at = header_len;
            if rtx.is_some() {
                // RFC 4588 §4: the original sequence number.
                buf[at..at + 2].copy_from_slice(&(numbers.seq as u16).to_be_bytes());
                at += 2;
            }
            let payload = &mut buf[at..at + packet.payload().len()];
            payload.copy_from_slice(packet.payload());
            if video {
                numbers.shift.patch(&packet.descriptor, payload);
            }
            let len = at + packet.payload().len();
            self.sender.protect_rtp(buf, header_len, len, ssrc, index)
        });
        true
    }

    /// Sender reports for `slots`, whose occupants' clocks are known, as of `now`, which is NTP time `ntp`.
    pub(crate) fn sender_reports(
        &mut self,
        slots: impl Iterator<Item = (Slot, Generation, ClockPoint)>,
        now: Instant,
        ntp: u64,
    ) -> Vec<SlotReport> {
        slots
            .filter_map(|(slot, generation, clock)| {
                let slot = self.outbound.section(slot)?;
                let timestamp = extrapolated(slot.kind(), clock, now);
                let (rtp, packets, octets) = self.outbound.sender(slot).report(generation, clock.stream, timestamp)?;
                Some(SlotReport { ssrc: slot.ssrc(), ntp, rtp, packets, octets })
            })
            .collect()
    }
}

/// The header of a probe: with a transport-wide number, and without the level of a voice.
const PROBE_HEADER_BYTES: usize = OUTGOING_HEADER_MAX - 4;

/// The bit of a picture's slot; voices beyond the bits have none.
fn bit(slot: Slot) -> u32 {
    1u32.checked_shl(slot.index() as u32).unwrap_or(0)
}

/// Whether a packet was sent before: then it goes into the slot's stream for retransmissions, where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    First,
    Again,
}

/// The source's RTP timestamp at `now`.
fn extrapolated(kind: MediaKind, clock: ClockPoint, now: Instant) -> u32 {
    let ticks = crate::slot_sender::ticks;
    clock.timestamp.wrapping_add(ticks(kind, clock.at, now)).wrapping_sub(ticks(kind, now, clock.at))
}
