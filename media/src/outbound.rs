//! What one client receives: its slots, with the numbers it sees.

use std::net::SocketAddr;
use std::time::Instant;

use crate::ids::{Generation, MediaKind, ParticipantId, Slot, StreamId};
use crate::limits;
use crate::outbox::Outbox;
use crate::packet::Packet;
use crate::rtcp::SlotReport;
use crate::rtp::OutgoingHeader;
use crate::sdp::{Receiving, Session};
use crate::slot_sender::{Rewritten, SlotSender};
use crate::source::ClockPoint;
use crate::srtp;

/// The slots of one viewer.
pub(crate) struct Outbound {
    senders: Box<[SlotSender]>,
    resends: Budget,
    /// When sender reports are due.
    pub(crate) next_report: Instant,
}

impl Outbound {
    /// `seed` makes the first sequence numbers random (RFC 3550 §5.1).
    pub(crate) fn new(seed: u64, now: Instant) -> Self {
        let first_seq = |slot: Slot| (seed >> 8).wrapping_mul(2 * slot.index() as u64 + 1) as u16 & 0x7fff;
        let senders = Slot::all().map(|slot| SlotSender::new(slot, first_seq(slot))).collect();
        Self { senders, resends: Budget::full(now), next_report: now + limits::REPORT_INTERVAL }
    }

    pub(crate) fn sender(&mut self, slot: Slot) -> &mut SlotSender {
        &mut self.senders[slot.index()]
    }
}

/// Retransmissions a viewer may still ask for: a small request must not make the server send without end.
struct Budget {
    left: u32,
    filled: Instant,
}

impl Budget {
    fn full(now: Instant) -> Self {
        Self { left: limits::RETRANSMIT_BURST, filled: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let micros = now.saturating_duration_since(self.filled).as_micros();
        let more = micros * u128::from(limits::RETRANSMITS_PER_SECOND) / 1_000_000;
        if more > 0 {
            self.left = u32::try_from(more).unwrap_or(u32::MAX).saturating_add(self.left).min(limits::RETRANSMIT_BURST);
            self.filled = now;
        }
        let allowed = self.left > 0;
        self.left -= u32::from(allowed);
        allowed
    }
}

/// A client that can be sent to.
pub(crate) struct Viewer<'a> {
    pub(crate) remote: SocketAddr,
    pub(crate) sender: &'a mut srtp::Sender,
    pub(crate) session: &'a Session,
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
    /// Forwards `packet` of the slot's occupant. False when this viewer does not get it: it has no such slot, or waits
    /// for a key frame.
    pub(crate) fn forward(&mut self, from: Occupied, packet: &Packet, now: Instant, out: &mut Outbox) -> bool {
        let Some(receiving) = self.session.receiving(from.slot) else { return false };
        let Some(numbers) = self.outbound.sender(from.slot).forward(from.generation, packet, now) else { return false };
        let payload_type = receiving.payload_type;
        self.write(from, receiving, packet, numbers, Stream::Media { payload_type }, out);
        true
    }

    /// Whether this viewer needs a key frame before it can have `stream` of the slot's occupant.
    pub(crate) fn awaits_key_frame(&mut self, from: Occupied, stream: StreamId) -> bool {
        let receives = self.session.receiving(from.slot).is_some();
        receives && self.outbound.sender(from.slot).awaits_key_frame(from.generation, stream)
    }

    /// Whether this viewer may be sent one more packet again.
    pub(crate) fn may_resend(&mut self, now: Instant) -> bool {
        self.outbound.resends.take(now)
    }

    /// Sends again what the viewer knows as sequence number `seq` of the slot, if `find` still has it.
    pub(crate) fn retransmit<'p>(
        &mut self,
        from: Occupied,
        seq: u16,
        find: impl FnOnce(StreamId, u64) -> Option<&'p Packet>,
        out: &mut Outbox,
    ) -> bool {
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
