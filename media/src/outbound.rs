//! What one client receives: its slots, with the numbers it sees.

use std::net::SocketAddr;
use std::time::Instant;

use crate::budget::Budget;
use crate::counters::Tally;
use crate::fanout::{Batch, Pending};
use crate::ids::{Generation, MediaKind, ParticipantId, Slot, SlotSet, StreamId};
use crate::limits;
use crate::outbox::Outbox;
use crate::packet::Packet;
use crate::prefetch::prefetch;
use crate::profile::ProfileId;
use crate::rtcp::SlotReport;
use crate::rtp::OutgoingHeader;
use crate::sdp::{Receiving, Session};
use crate::slot_sender::{Rewritten, SlotSender};
use crate::source::ClockPoint;
use crate::srtp;
use crate::view::View;

/// The slots of one viewer.
pub(crate) struct Outbound {
    /// By slot, once something was sent in it: most rooms use few.
    senders: Box<[Option<Box<SlotSender>>]>,
    seed: u64,
    /// Retransmissions it may still ask for: a small request must not make the server send without end.
    resends: Budget,
    /// What it is shown, if it follows.
    pub(crate) view: Option<View>,
    /// When sender reports are due.
    pub(crate) next_report: Instant,
}

impl Outbound {
    /// `seed` makes the first sequence numbers random (RFC 3550 §5.1).
    pub(crate) fn new(seed: u64, now: Instant) -> Self {
        Self {
            senders: Slot::all().map(|_| None).collect(),
            seed,
            resends: Budget::full(limits::RETRANSMITS_PER_SECOND, limits::RETRANSMIT_BURST, now),
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

    /// Asks for what says where the senders of the slots of `pending` are.
    pub(crate) fn prefetch_places(&self, pending: &[Pending]) {
        pending.iter().for_each(|pending| prefetch(&self.senders[pending.from.slot.index()]));
    }

    /// Asks for the senders of the slots of `pending`.
    pub(crate) fn prefetch(&self, pending: &[Pending]) {
        for sender in pending.iter().filter_map(|pending| self.senders[pending.from.slot.index()].as_deref()) {
            prefetch(sender);
        }
    }

    pub(crate) fn sender(&mut self, slot: Slot) -> &mut SlotSender {
        self.senders[slot.index()].get_or_insert_with(|| {
            let first_seq = (self.seed >> 8).wrapping_mul(2 * slot.index() as u64 + 1) as u16 & 0x7fff;
            Box::new(SlotSender::new(slot, first_seq))
        })
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
    /// Forwards a tick's packets, all but the viewer's own and those it cannot have before a key frame: their slots are
    /// added to `awaiting`. Returns how many packets were sent.
    pub(crate) fn forward(
        &mut self,
        batch: &mut Batch,
        pending: &[Pending],
        awaiting: &mut SlotSet,
        now: Instant,
        out: &mut Outbox,
    ) -> u64 {
        let (mut sent, mut padding) = (0, 0);
        for n in 0..batch.len() {
            let (ready, payloads) = batch.packet(n);
            let Pending { from, packet, .. } = &pending[ready.pending];
            if from.participant == self.participant {
                continue;
            }
            let slot = self.outbound.sender(ready.section);
            let Some(numbers) = slot.forward(from.generation, packet, now) else {
                if slot.awaits_key_frame(from.generation, packet.stream) {
                    awaiting.insert(from.slot);
                }
                continue;
            };
            padding += ready.padding as u64;
            let Rewritten { seq, timestamp, shift } = numbers;
            let ssrc = ready.section.ssrc();
            let (header, payload) = ready.numbered(payloads, packet, seq as u16, timestamp, shift);
            out.write(self.remote, |buf| self.sender.seal_rtp(header, payload, ssrc, seq, buf));
            sent += 1;
        }
        out.counters.add(Tally::PaddingOut, padding);
        sent
    }

    /// Whether this viewer may be sent one more packet again.
    pub(crate) fn may_resend(&mut self, now: Instant) -> bool {
        self.outbound.resends.take(1, now)
    }

    /// Sends again what the viewer knows as sequence number `seq` of the slot, if `find` still has it.
    pub(crate) fn retransmit<'p>(
        &mut self,
        from: Occupied,
        seq: u16,
        find: impl FnOnce(StreamId, u64) -> Option<&'p Packet>,
        out: &mut Outbox,
    ) -> bool {
        let Some(from) = self.outbound.seen(from) else { return false };
        let Some(receiving) = self.session.receiving(from.slot) else { return false };
        let sender = self.outbound.sender(from.slot);
        let Some((stream, source_seq, sent_seq)) = sender.sent_as(from.generation, seq) else { return false };
        let Some(packet) = find(stream, source_seq) else { return false };
        let Some(numbers) = sender.resend(from.generation, packet) else { return false };
        debug_assert_eq!(numbers.seq, sent_seq, "a packet is resent under the number it was sent with");
        let goes_into = match receiving.rtx_payload_type {
            Some(payload_type) => Stream::Rtx { payload_type, seq: sender.next_rtx_seq() },
            None => Stream::Media { payload_type: receiving.payload_type },
        };
        self.write(from, receiving, packet, numbers, goes_into, out);
        true
    }

    fn write(
        &mut self,
        from: Occupied,
        receiving: &Receiving,
        packet: &Packet,
        numbers: Rewritten,
        stream: Stream,
        out: &mut Outbox,
    ) {
        let (payload_type, ssrc, index) = match stream {
            Stream::Media { payload_type } => (payload_type, from.slot.ssrc(), numbers.seq),
            Stream::Rtx { payload_type, seq } => (payload_type, from.slot.rtx_ssrc(), seq),
        };
        let header = OutgoingHeader {
            marker: packet.marker,
            payload_type,
            seq: index as u16,
            timestamp: numbers.timestamp,
            ssrc,
            csrc: from.participant,
            level: receiving.audio_level.zip(packet.level),
        };
        let video = from.slot.kind().is_video();
        out.write(self.remote, |buf| {
            let header_len = header.write(buf);
            let mut at = header_len;
            if matches!(stream, Stream::Rtx { .. }) {
                // RFC 4588 §4: the original sequence number.
                buf[at..at + 2].copy_from_slice(&(numbers.seq as u16).to_be_bytes());
                at += 2;
            }
            let payload = &mut buf[at..at + packet.payload().len()];
            payload.copy_from_slice(packet.payload());
            if video {
                numbers.shift.patch(&packet.vp8, payload);
            }
            let len = at + packet.payload().len();
            self.sender.protect_rtp(buf, header_len, len, ssrc, index)
        });
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

/// Which of the slot's streams a packet goes into.
#[derive(Clone, Copy, Debug)]
enum Stream {
    Media { payload_type: u8 },
    Rtx { payload_type: u8, seq: u64 },
}

/// The source's RTP timestamp at `now`.
fn extrapolated(kind: MediaKind, clock: ClockPoint, now: Instant) -> u32 {
    let ticks = crate::slot_sender::ticks;
    clock.timestamp.wrapping_add(ticks(kind, clock.at, now)).wrapping_sub(ticks(kind, now, clock.at))
}
