//! Packets that leave together, made ready for everybody who is sent them: in the order in which they leave, with a header that
//! lacks only a viewer's numbers, and a payload to encrypt from.

use std::sync::Arc;
use std::time::Instant;

use crate::codec::Shift;
use crate::ids::Slot;
use crate::limits::LEAVING_PACKETS;
use crate::outbound::Occupied;
use crate::packet::Packet;
use crate::plan::{Item, Placed, Planner};
use crate::profile::{ProfileId, Profiles};
use crate::red;
use crate::rtp::{OUTGOING_HEADER_MAX, OutgoingHeader};
use crate::sdp::Receiving;
use crate::view::View;

/// A packet that waits for the tick.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) from: Occupied,
    pub(crate) packet: Arc<Packet>,
    /// Of a voice, the packet before it, which it can carry once more.
    pub(crate) before: Option<Arc<Packet>>,
    /// When it came to the server.
    pub(crate) arrived: Instant,
}

/// For whom packets are made ready together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchKind {
    pub(crate) profile: ProfileId,
    /// Packets of voices carry those before them once more.
    pub(crate) redundant: bool,
}

impl BatchKind {
    /// A small number.
    fn index(self) -> usize {
        2 * self.profile.index() + usize::from(self.redundant)
    }
}

/// A packet ready for viewers of one kind.
#[derive(Debug)]
pub(crate) struct ReadyPacket {
    /// Position among the pending packets.
    pub(crate) pending: usize,
    /// The slot it is received in.
    pub(crate) section: Slot,
    has_rtx: bool,
    /// The viewers have a format for its codec.
    pub(crate) is_decodable: bool,
    /// The header has room for a transport-wide sequence number.
    pub(crate) has_transport_seq: bool,
    /// It carries the packet before it once more, both with this payload type.
    carries_before: Option<u8>,
    header: [u8; OUTGOING_HEADER_MAX],
    header_len: usize,
    /// The payload in the batch, with padding.
    start: usize,
    end: usize,
    pub(crate) padding: usize,
    /// What the payload's picture ids are shifted by.
    shift: Shift,
}

/// A tick's packets for viewers of one kind.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    packets: Vec<ReadyPacket>,
    payloads: Vec<u8>,
    /// The tick it was made for.
    tick: u64,
}

/// A worker's workshop for batches; it keeps its memory between ticks.
#[derive(Debug, Default)]
pub(crate) struct Fanout {
    /// By kind.
    batches: Vec<Batch>,
    tick: u64,
    planner: Planner,
    items: Vec<Item>,
    placed: Vec<Placed>,
}

impl Fanout {
    /// Other packets leave from here on: batches are made anew.
    pub(crate) fn begin(&mut self) {
        self.tick += 1;
    }

    /// The pending packets for viewers of `kind` while the room shows `view`; those in slots they do not receive are left
    /// out.
    pub(crate) fn batch(
        &mut self,
        kind: BatchKind,
        profiles: &Profiles,
        view: View,
        pending: &[Pending],
    ) -> &mut Batch {
        let at = kind.index();
        if self.batches.len() <= at {
            self.batches.resize_with(at + 1, Batch::default);
        }
        let batch = &mut self.batches[at];
        if batch.tick != self.tick {
            batch.tick = self.tick;
            batch.clear();
            for (n, one) in pending.iter().enumerate() {
                let Some((section, receiving)) = profiles.receiving(kind.profile, one.from.slot, view) else {
                    continue;
                };
                batch.packets.push(ReadyPacket::new(n, section, one, receiving, kind.redundant));
            }
            let len = |ready: &ReadyPacket| ready.header_len + ready.payload_len(&pending[ready.pending]);
            self.items.clear();
            let item = |ready: &ReadyPacket| {
                // Without RTX a packet is sent again under its own number, and must then be the same, byte for byte:
                // the number is the nonce, which never encrypts two different packets.
                let resent_as_it_is = ready.section.kind().is_video() && !ready.has_rtx;
                Item {
                    slot: ready.section,
                    layer: pending[ready.pending].packet.layer,
                    len: len(ready),
                    pads: !resent_as_it_is,
                }
            };
            self.items.extend(batch.packets.iter().map(item));
            self.placed.clear();
            for (n, items) in self.items.chunks(LEAVING_PACKETS).enumerate() {
                self.planner.plan(items, n * LEAVING_PACKETS, &mut self.placed);
            }
            batch.arrange(&self.placed, pending);
        }
        batch
    }
}

impl Batch {
    fn clear(&mut self) {
        self.packets.clear();
        self.payloads.clear();
    }

    /// Brings the packets into their places and lays out their payloads.
    fn arrange(&mut self, placed: &[Placed], pending: &[Pending]) {
        for (n, Placed { padding, .. }) in placed.iter().enumerate() {
            // What stood here may have been put elsewhere already: the place of item n is found by following it.
            let mut from = placed[n].item;
            while from < n {
                from = placed[from].item;
            }
            self.packets.swap(n, from);
            let ready = &mut self.packets[n];
            let Pending { packet, before, .. } = &pending[ready.pending];
            ready.start = self.payloads.len();
            match ready.carries_before.zip(before.as_ref()) {
                Some((payload_type, before)) => red::write(&mut self.payloads, payload_type, packet, before),
                None => self.payloads.extend_from_slice(packet.payload()),
            }
            if *padding > 0 {
                // RFC 3550 §5.1: the P bit, and the count in the last byte.
                ready.header[0] |= 0x20;
                self.payloads.resize(self.payloads.len() + padding, 0);
                *self.payloads.last_mut().expect("a padded payload is not empty") = *padding as u8;
                ready.padding = *padding;
            }
            ready.end = self.payloads.len();
        }
    }

    /// Number of packets.
    pub(crate) fn len(&self) -> usize {
        self.packets.len()
    }

    /// The `n`-th packet, and the payloads it is cut from.
    pub(crate) fn packet(&mut self, n: usize) -> (&mut ReadyPacket, &mut [u8]) {
        (&mut self.packets[n], &mut self.payloads)
    }
}

impl ReadyPacket {
    fn new(n: usize, section: Slot, pending: &Pending, receiving: &Receiving, redundant: bool) -> Self {
        let Pending { from, packet, before, .. } = pending;
        let format = receiving.format(packet.codec);
        let payload_type = format.map_or(0, |format| format.payload_type);
        let red = format.and_then(|format| format.red_payload_type).filter(|_| redundant && before.is_some());
        let header = OutgoingHeader {
            marker: packet.marker,
            payload_type: red.unwrap_or(payload_type),
            seq: 0,
            timestamp: 0,
            ssrc: section.ssrc(),
            csrc: from.participant,
            transport_seq: receiving.transport_cc.map(|id| (id, 0)),
            level: receiving.audio_level.zip(packet.level),
        };
        let has_rtx = format.is_some_and(|format| format.rtx_payload_type.is_some());
        let mut bytes = [0; OUTGOING_HEADER_MAX];
        let header_len = header.write(&mut bytes);
        Self {
            pending: n,
            section,
            has_rtx,
            is_decodable: format.is_some(),
            has_transport_seq: receiving.transport_cc.is_some(),
            carries_before: red.map(|_| payload_type),
            header: bytes,
            header_len,
            start: 0,
            end: 0,
            padding: 0,
            shift: Shift::default(),
        }
    }

    /// Whether it carries the packet before it once more.
    pub(crate) fn is_redundant(&self) -> bool {
        self.carries_before.is_some()
    }

    /// Bytes of the payload of `pending`, without padding.
    fn payload_len(&self, pending: &Pending) -> usize {
        let before = pending.before.as_ref().filter(|_| self.carries_before.is_some());
        pending.packet.payload().len() + before.map_or(0, |before| red::bytes_more(before))
    }

    /// Bytes of header and payload.
    pub(crate) fn len(&self) -> usize {
        self.header_len + self.end - self.start
    }

    /// Gives the packet a transport-wide sequence number, where the receiver has them.
    pub(crate) fn number_transport(&mut self, seq: u16) {
        OutgoingHeader::renumber_transport(&mut self.header, seq);
    }

    /// Header and payload with a viewer's numbers. Most viewers share their shift with the one before.
    pub(crate) fn numbered<'a>(
        &'a mut self,
        payloads: &'a mut [u8],
        packet: &Packet,
        seq: u16,
        timestamp: u32,
        shift: Shift,
    ) -> (&'a [u8], &'a [u8]) {
        OutgoingHeader::renumber(&mut self.header, seq, timestamp);
        let payload = &mut payloads[self.start..self.end];
        if shift != self.shift {
            shift.patch(&packet.descriptor, payload);
            self.shift = shift;
        }
        (&self.header[..self.header_len], payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Codec, Descriptor, PictureId};
    use crate::dtls::Fingerprint;
    use crate::ids::{Generation, ParticipantId};
    use crate::limits::SLOTS;
    use crate::rtp::Header;
    use crate::sdp::{Format, Session};

    const PICTURE_ID: u16 = 700;

    fn pending(slot: Slot, len: usize, mark: u8) -> Pending {
        let mut packet = Packet::default();
        packet.set_payload(&[[0x90, 0x80, 0x82, 0xbc].as_slice(), &vec![mark; len - 4]].concat());
        let picture_id = Some(PictureId { at: 2, wide: true, value: PICTURE_ID });
        packet.codec = slot.kind().is_video().then_some(Codec::Vp8);
        packet.descriptor = Descriptor { picture_id, ..Descriptor::default() };
        let from = Occupied { slot, generation: Generation(1), participant: ParticipantId(5) };
        Pending { from, packet: Arc::new(packet), before: None, arrived: Instant::now() }
    }

    fn profiles(rtx: Option<u8>, receives: impl Fn(Slot) -> bool) -> (Profiles, ProfileId) {
        let mut session = Session::new(Fingerprint([0; 32]), SLOTS);
        for slot in Slot::all().filter(|slot| receives(*slot)) {
            let codec = slot.kind().is_video().then_some(Codec::Vp8);
            let red = codec.is_none().then_some(63);
            let format = Format { codec, payload_type: 96, rtx_payload_type: rtx, red_payload_type: red };
            session.set_receiving(slot, Receiving { formats: [format].into_iter().collect(), ..Receiving::default() });
        }
        let mut profiles = Profiles::default();
        let id = profiles.enter(&session);
        (profiles, id)
    }

    fn plain(profile: ProfileId) -> BatchKind {
        BatchKind { profile, redundant: false }
    }

    #[test]
    fn every_packet_keeps_its_payload_in_its_new_place_and_says_how_much_is_padding() {
        let (profiles, profile) = profiles(Some(97), |_| true);
        let slots: Vec<_> = (0..6).map(|n| Slot::camera(n).unwrap()).collect();
        let lens = [300, 700, 299, 500, 698, 60];
        let all: Vec<_> = slots.iter().zip(lens).map(|(slot, len)| pending(*slot, len, len as u8)).collect();
        let mut fanout = Fanout::default();
        fanout.begin();
        let batch = fanout.batch(plain(profile), &profiles, View::FIRST, &all);
        let mut order = Vec::new();
        for n in 0..batch.len() {
            let (ready, payloads) = batch.packet(n);
            let packet = &all[ready.pending].packet;
            order.push((packet.payload().len(), ready.padding));
            let (header, payload) = ready.numbered(payloads, packet, 9, 10, Shift::default());
            let whole = [header, payload].concat();
            let read = Header::parse(&whole).unwrap();
            assert_eq!(read.ssrc, all[ready.pending].from.slot.ssrc());
            let len = read.payload_len(&whole).unwrap();
            assert_eq!(&whole[read.len..read.len + len], packet.payload());
        }
        assert_eq!(order, [(700, 0), (698, 2), (60, 0), (500, 0), (299, 0), (300, 0)]);
    }

    #[test]
    fn a_backlog_is_planned_in_parts_and_keeps_the_order_of_each_slot() {
        let (profiles, profile) = profiles(Some(97), |_| true);
        let slots: Vec<_> = (0..3).map(|n| Slot::camera(n).unwrap()).collect();
        let all: Vec<_> = (0..200).map(|n| pending(slots[n % 3], 100 + 7 * (n % 5), n as u8)).collect();
        let mut fanout = Fanout::default();
        fanout.begin();
        let batch = fanout.batch(plain(profile), &profiles, View::FIRST, &all);
        let order: Vec<_> = (0..batch.len()).map(|n| batch.packet(n).0.pending).collect();
        for slot in 0..3 {
            let of_slot: Vec<_> = order.iter().copied().filter(|n| n % 3 == slot).collect();
            assert_eq!(of_slot, (0..200).filter(|n| n % 3 == slot).collect::<Vec<_>>());
        }
    }

    #[test]
    fn without_a_stream_for_retransmissions_pictures_are_not_padded() {
        let (profiles, profile) = profiles(None, |_| true);
        let all = [pending(Slot::camera(0).unwrap(), 700, 1), pending(Slot::camera(1).unwrap(), 699, 1)];
        let mut fanout = Fanout::default();
        fanout.begin();
        let batch = fanout.batch(plain(profile), &profiles, View::FIRST, &all);
        assert!((0..2).all(|n| batch.packet(n).0.padding == 0));
    }

    #[test]
    fn who_loses_packets_gets_those_of_voices_with_the_one_before_and_the_others_without() {
        let (profiles, profile) = profiles(Some(97), |_| true);
        let voice = |seq: u64| {
            let one = pending(Slot::voice(0).unwrap(), 40, seq as u8);
            let mut packet = Packet::clone(&one.packet);
            (packet.seq, packet.timestamp, packet.descriptor) = (seq, 960 * seq as u32, Descriptor::default());
            Pending { packet: Arc::new(packet), ..one }
        };
        let (first, second, camera) = (voice(1), voice(2), pending(Slot::camera(0).unwrap(), 700, 1));
        let all = [Pending { before: Some(Arc::clone(&first.packet)), ..second }, camera];
        let mut fanout = Fanout::default();
        fanout.begin();
        for (redundant, expected) in [(false, 96), (true, 63)] {
            let batch = fanout.batch(BatchKind { profile, redundant }, &profiles, View::FIRST, &all);
            let sent: Vec<_> = (0..2)
                .map(|n| {
                    let (ready, payloads) = batch.packet(n);
                    let (n, len) = (ready.pending, ready.len());
                    let (header, payload) = ready.numbered(payloads, &all[n].packet, 9, 10, Shift::default());
                    let whole = [header, payload].concat();
                    assert_eq!(whole.len(), len);
                    let header = Header::parse(&whole).unwrap();
                    (n, header.payload_type, whole[header.len..].to_vec())
                })
                .collect();
            let (_, payload_type, payload) = sent.iter().find(|(n, ..)| *n == 0).unwrap();
            assert_eq!(*payload_type, expected);
            let own = all[0].packet.payload();
            if redundant {
                let blocks = red::blocks(payload).unwrap();
                let read: Vec<_> = blocks.iter().map(|b| (b.payload_type, b.offset, b.payload)).collect();
                assert_eq!(read, [(96, 960, first.packet.payload()), (96, 0, own)]);
            } else {
                assert_eq!(payload, own);
            }
            let camera = sent.iter().find(|(n, ..)| *n == 1).unwrap();
            assert_eq!((camera.1, &camera.2[..]), (96, all[1].packet.payload()));
        }
    }

    #[test]
    fn viewers_with_other_numbers_share_the_batch() {
        let (profiles, profile) = profiles(Some(97), |_| true);
        let all = [pending(Slot::camera(0).unwrap(), 100, 1)];
        let mut fanout = Fanout::default();
        fanout.begin();
        for (seq, picture_id) in [(1, 0), (2, 30), (3, 30), (4, 0)] {
            let (ready, payloads) = fanout.batch(plain(profile), &profiles, View::FIRST, &all).packet(0);
            let shift = Shift { picture_id, tl0_pic_idx: 0 };
            let (header, payload) = ready.numbered(payloads, &all[0].packet, seq, u32::from(seq), shift);
            assert_eq!(Header::parse(&[header, payload].concat()).unwrap().seq, seq);
            let read = Descriptor::parse(Codec::Vp8, payload).unwrap().picture_id.unwrap();
            assert_eq!(read.value, PICTURE_ID + picture_id);
        }
    }

    #[test]
    fn slots_a_viewer_does_not_receive_are_left_out_and_a_tick_is_made_once() {
        let voices = |slot: Slot| !slot.kind().is_video();
        let (profiles, profile) = profiles(None, voices);
        let all = [pending(Slot::camera(0).unwrap(), 100, 1), pending(Slot::voice(0).unwrap(), 100, 1)];
        let mut fanout = Fanout::default();
        fanout.begin();
        assert_eq!(fanout.batch(plain(profile), &profiles, View::FIRST, &all).len(), 1);
        assert_eq!(fanout.batch(plain(profile), &profiles, View::FIRST, &[]).len(), 1, "the same tick");
        fanout.begin();
        assert_eq!(fanout.batch(plain(profile), &profiles, View::FIRST, &[]).len(), 0);
    }
}
