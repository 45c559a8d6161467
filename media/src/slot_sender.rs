//! One slot as one viewer receives it: continuous sequence numbers, timestamps and picture ids over any number of
//! occupants and layers, each of which starts with a key frame.

use std::time::Instant;

use arrayvec::ArrayVec;

use crate::codec::{LastSent, Shift};
use crate::ids::{Generation, Layer, MediaKind, Slot, StreamId};
use crate::packet::Packet;

/// Occupants and layers remembered for retransmission, the current one included.
const SEGMENTS: usize = 4;

/// A stretch of what the viewer gets that comes from one stream of one occupant.
#[derive(Clone, Copy, Debug)]
struct Segment {
    generation: Generation,
    stream: StreamId,
    layer: Layer,
    /// First sequence number of the source that belongs to it.
    first_in: u64,
    /// Added to the source's extended sequence number.
    seq_delta: u64,
    /// Added to the source's timestamp.
    timestamp_delta: u32,
    shift: Shift,
}

impl Segment {
    fn rewrite(&self, packet: &Packet) -> Rewritten {
        Rewritten {
            seq: packet.seq.wrapping_add(self.seq_delta),
            timestamp: packet.timestamp.wrapping_add(self.timestamp_delta),
            shift: self.shift,
        }
    }

    fn first_out(&self) -> u64 {
        self.first_in.wrapping_add(self.seq_delta)
    }
}

/// A packet's numbers as the viewer sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    /// Extended sequence number, the SRTP packet index.
    pub(crate) seq: u64,
    pub(crate) timestamp: u32,
    pub(crate) shift: Shift,
}

/// The highest numbers sent.
#[derive(Clone, Copy, Debug)]
struct Last {
    seq: u64,
    timestamp: u32,
    picture: LastSent,
    at: Instant,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct SlotSender {
    slot: Slot,
    /// The current segment is the last one, if it is of the slot's current generation and the picture is not paused.
    segments: ArrayVec<Segment, SEGMENTS>,
    /// Nothing is sent until the next key frame.
    paused: bool,
    last: Option<Last>,
    first_seq: u16,
    rtx_seq: u64,
    packets: u32,
    octets: u32,
}

impl SlotSender {
    /// A sender whose stream starts at sequence number `first_seq`, which is random (RFC 3550 §5.1).
    pub(crate) fn new(slot: Slot, first_seq: u16) -> Self {
        let rtx_seq = u64::from(first_seq);
        Self { slot, segments: ArrayVec::new(), paused: false, last: None, first_seq, rtx_seq, packets: 0, octets: 0 }
    }

    /// Numbers for `packet` of the slot's occupant `generation`, where the viewer is to get layer `target`; none while it
    /// waits for a key frame, for a packet from before its key frame, and for one of a layer it does not get.
    pub(crate) fn forward(
        &mut self,
        generation: Generation,
        packet: &Packet,
        target: Option<Layer>,
        now: Instant,
    ) -> Option<Rewritten> {
        let target = target?;
        let current = self.current(generation).filter(|current| current.stream == packet.stream);
        let segment = match current {
            Some(segment) if packet.seq < segment.first_in => return None,
            Some(segment) => *segment,
            None => self.start_segment(generation, packet, target, now)?,
        };
        let rewritten = segment.rewrite(packet);
        if self.last.is_none_or(|last| rewritten.seq > last.seq) {
            let picture = segment.shift.applied(&packet.descriptor);
            self.last = Some(Last { seq: rewritten.seq, timestamp: rewritten.timestamp, picture, at: now });
        }
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(packet.payload().len() as u32);
        Some(rewritten)
    }

    /// Nothing is sent before the next key frame, whose numbers continue what was sent.
    pub(crate) fn pause(&mut self) {
        self.paused = true;
    }

    /// `packet` is of a codec the viewer does not have: what it gets of the same stream ends here, and goes on with a key
    /// frame, without a gap. Whether the viewer, which is to get layer `target`, misses something.
    pub(crate) fn leave_out(&mut self, generation: Generation, packet: &Packet, target: Option<Layer>) -> bool {
        let Some(target) = target else { return false };
        let Some(current) = self.current(generation) else { return packet.layer <= target };
        let ends = current.stream == packet.stream;
        self.paused |= ends;
        ends
    }

    /// Whether the viewer, which is to get layer `target`, needs a key frame before it can have `packet`, and then would.
    pub(crate) fn awaits_key_frame(&self, generation: Generation, packet: &Packet, target: Option<Layer>) -> bool {
        target.is_some_and(|target| self.takes(generation, packet, target))
    }

    /// The layer of occupant `generation` that is being sent.
    pub(crate) fn layer(&self, generation: Generation) -> Option<Layer> {
        self.current(generation).map(|segment| segment.layer)
    }

    fn current(&self, generation: Generation) -> Option<&Segment> {
        self.segments.last().filter(|segment| segment.generation == generation && !self.paused)
    }

    /// Whether the viewer is better off with the stream of `packet` than with what it gets: on its way to `target` from
    /// below and from above, but never beyond it.
    fn takes(&self, generation: Generation, packet: &Packet, target: Layer) -> bool {
        if !self.slot.kind().is_video() {
            return false;
        }
        let Some(current) = self.current(generation) else { return packet.layer <= target };
        if current.stream == packet.stream {
            return false;
        }
        let (from, layer) = (current.layer, packet.layer);
        // The same layer with another SSRC or over another connection.
        let replaced = layer == from;
        let upwards = from < layer && layer <= target;
        let downwards = from > layer && layer >= target;
        replaced || upwards || downwards
    }

    fn start_segment(
        &mut self,
        generation: Generation,
        packet: &Packet,
        target: Layer,
        now: Instant,
    ) -> Option<Segment> {
        let video = self.slot.kind().is_video();
        if video && !(packet.descriptor.starts_key_frame && self.takes(generation, packet, target)) {
            return None;
        }
        let (first_out, timestamp, shift) = match self.last {
            None => (u64::from(self.first_seq), packet.timestamp, Shift::default()),
            Some(last) => {
                let elapsed = ticks(self.slot.kind(), last.at, now).max(1);
                (last.seq + 1, last.timestamp.wrapping_add(elapsed), Shift::following(last.picture, &packet.descriptor))
            }
        };
        let segment = Segment {
            generation,
            stream: packet.stream,
            layer: packet.layer,
            first_in: packet.seq,
            seq_delta: first_out.wrapping_sub(packet.seq),
            timestamp_delta: timestamp.wrapping_sub(packet.timestamp),
            shift,
        };
        if self.segments.is_full() {
            self.segments.remove(0);
        }
        self.segments.push(segment);
        self.paused = false;
        Some(segment)
    }

    /// Which packet of occupant `generation` the viewer knows as `seq`: its stream and number there, and the
    /// numbers it was sent with. What was sent before the last key frame that another layer began with, or before a
    /// pause, is of no use any more.
    pub(crate) fn sent_as(&self, generation: Generation, seq: u16) -> Option<(StreamId, u64, u64)> {
        let last = self.last?;
        let delta = seq.wrapping_sub(last.seq as u16) as i16;
        let out = last.seq.checked_add_signed(i64::from(delta)).filter(|out| *out <= last.seq)?;
        let segment = self.current(generation).filter(|segment| segment.first_out() <= out)?;
        Some((segment.stream, out.wrapping_sub(segment.seq_delta), out))
    }

    /// The numbers `packet` was sent with before; used when it is sent again.
    pub(crate) fn resend(&self, generation: Generation, packet: &Packet) -> Option<Rewritten> {
        let of = |segment: &&Segment| segment.generation == generation && segment.stream == packet.stream;
        let segment = self.segments.iter().rev().find(|s| of(s) && s.first_in <= packet.seq)?;
        Some(segment.rewrite(packet))
    }

    /// The next sequence number of the retransmission stream (RFC 4588 §4), extended.
    pub(crate) fn next_rtx_seq(&mut self) -> u64 {
        self.rtx_seq += 1;
        self.rtx_seq
    }

    /// RTP timestamp the viewer would see for the source's `timestamp`, with packets and payload octets sent so far;
    /// none while `stream` of occupant `generation` is not being sent.
    pub(crate) fn report(&self, generation: Generation, stream: StreamId, timestamp: u32) -> Option<(u32, u32, u32)> {
        let segment = self.current(generation).filter(|segment| segment.stream == stream)?;
        Some((timestamp.wrapping_add(segment.timestamp_delta), self.packets, self.octets))
    }
}

/// Time between two instants in ticks of the RTP clock.
pub(crate) fn ticks(kind: MediaKind, from: Instant, to: Instant) -> u32 {
    let micros = to.saturating_duration_since(from).as_micros() as u64;
    (micros * u64::from(kind.clock_rate()) / 1_000_000) as u32
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::codec::{Descriptor, PictureId};
    use crate::ids::ConnectionId;

    fn video(layer: u8, seq: u64, timestamp: u32, key: bool) -> Packet {
        let picture_id = Some(PictureId { at: 2, wide: true, value: (seq % 0x8000) as u16 });
        let descriptor = Descriptor { starts_key_frame: key, picture_id, tl0_pic_idx: Some((4, seq as u8)) };
        let mut packet = Packet::default();
        (packet.stream, packet.layer) = (stream(layer), Layer(layer));
        (packet.seq, packet.timestamp, packet.descriptor) = (seq, timestamp, descriptor);
        packet
    }

    const ALL: Option<Layer> = Some(Layer(2));

    fn stream(n: u8) -> StreamId {
        StreamId::of(ConnectionId(1), u16::from(n))
    }

    fn sender() -> SlotSender {
        SlotSender::new(Slot::camera(3).unwrap(), 65_530)
    }

    #[test]
    fn a_new_occupant_waits_for_its_key_frame_and_then_continues_all_numbers() {
        let (mut sender, start) = (sender(), Instant::now());
        let (a, b) = (Generation(1), Generation(2));
        assert!(sender.forward(a, &video(0, 99, 500, false), ALL, start).is_none());
        assert!(sender.awaits_key_frame(a, &video(0, 99, 500, false), ALL));
        let first = sender.forward(a, &video(0, 100, 3_500, true), ALL, start).unwrap();
        assert_eq!((first.seq, first.timestamp), (65_530, 3_500));
        let second = sender.forward(a, &video(0, 101, 6_500, false), ALL, start).unwrap();
        assert_eq!((second.seq, second.timestamp), (65_531, 6_500));

        let later = start + Duration::from_millis(100);
        assert!(sender.forward(b, &video(0, 7, 40, false), ALL, later).is_none());
        let next = sender.forward(b, &video(0, 8, 90, true), ALL, later).unwrap();
        assert_eq!((next.seq, next.timestamp), (65_532, 6_500 + 9_000));
        assert_eq!(
            next.shift.applied(&video(0, 8, 0, true).descriptor),
            LastSent { picture_id: 102, tl0_pic_idx: 102 }
        );
        assert!(sender.forward(a, &video(0, 102, 9_500, false), ALL, later).is_none(), "the old occupant is over");
    }

    #[test]
    fn a_late_packet_keeps_its_place_but_not_before_the_key_frame() {
        let (mut sender, now) = (sender(), Instant::now());
        let generation = Generation(1);
        sender.forward(generation, &video(0, 100, 0, true), ALL, now).unwrap();
        sender.forward(generation, &video(0, 103, 0, false), ALL, now).unwrap();
        assert_eq!(sender.forward(generation, &video(0, 101, 0, false), ALL, now).unwrap().seq, 65_531);
        assert!(sender.forward(generation, &video(0, 99, 0, false), ALL, now).is_none());
        assert_eq!(sender.forward(generation, &video(0, 104, 0, false), ALL, now).unwrap().seq, 65_534);
    }

    #[test]
    fn a_lost_number_leads_back_to_the_packet_of_the_layer_that_is_sent_over_the_wrap() {
        let (mut sender, now) = (sender(), Instant::now());
        let generation = Generation(1);
        for seq in 100..110 {
            sender.forward(generation, &video(0, seq, 0, seq == 100), ALL, now).unwrap();
        }
        for seq in 5_000..5_010 {
            sender.forward(generation, &video(1, seq, 0, seq == 5_000), ALL, now).unwrap();
        }
        let sent = |wire: u64| sender.sent_as(generation, wire as u16).map(|(stream, seq, _)| (stream, seq));
        assert_eq!(sent(65_539), None, "a key frame has come since");
        assert_eq!(sent(65_540), Some((stream(1), 5_000)));
        assert_eq!(sent(65_549), Some((stream(1), 5_009)));
        assert_eq!(sent(65_550), None, "not sent yet");
        assert_eq!(sent(65_529), None, "before the first");
        assert!(sender.sent_as(Generation(2), 65_535).is_none(), "another occupant's packets are never resent");
    }

    /// Somebody who connects anew, or changes the SSRC, starts numbering wherever they like.
    #[test]
    fn another_stream_of_the_same_occupant_continues_the_numbers_after_a_key_frame() {
        let (mut sender, now) = (sender(), Instant::now());
        let generation = Generation(1);
        sender.forward(generation, &video(0, 70_000, 0, true), ALL, now).unwrap();
        assert!(!sender.awaits_key_frame(generation, &video(0, 70_001, 0, false), ALL));
        assert!(sender.awaits_key_frame(generation, &video(1, 90, 0, false), ALL));
        assert!(sender.forward(generation, &video(1, 90, 0, false), ALL, now).is_none());
        assert_eq!(sender.forward(generation, &video(1, 91, 0, true), ALL, now).unwrap().seq, 65_531);
    }

    #[test]
    fn audio_needs_no_key_frame() {
        let mut sender = SlotSender::new(Slot::voice(0).unwrap(), 7);
        assert!(!sender.awaits_key_frame(Generation(1), &video(0, 1, 0, false), ALL));
        assert!(sender.forward(Generation(1), &video(0, 1, 0, false), ALL, Instant::now()).is_some());
    }

    /// What is sent of packets of layers, each a key frame or not, to somebody who is to get `target`.
    fn sent(sender: &mut SlotSender, target: Option<u8>, packets: &[(u8, u64, bool)]) -> Vec<u64> {
        let (target, now) = (target.map(Layer), Instant::now());
        let numbers = |packet: &(u8, u64, bool)| {
            let (layer, seq, key) = *packet;
            let sent = sender.forward(Generation(1), &video(layer, seq, 0, key), target, now)?;
            Some(sent.seq - 65_530)
        };
        packets.iter().filter_map(numbers).collect()
    }

    #[test]
    fn a_higher_layer_takes_over_at_its_key_frame_without_a_gap() {
        let mut sender = sender();
        assert_eq!(sent(&mut sender, Some(0), &[(0, 10, true), (0, 11, false), (2, 70, true)]), [0, 1]);
        let target = Some(Layer(2));
        assert!(sender.awaits_key_frame(Generation(1), &video(2, 71, 0, false), target));
        assert!(!sender.awaits_key_frame(Generation(1), &video(0, 12, 0, false), target));
        assert_eq!(
            sent(&mut sender, Some(2), &[(0, 12, false), (2, 71, false), (2, 72, true), (0, 13, false)]),
            [2, 3]
        );
        assert_eq!(sender.layer(Generation(1)), target);
    }

    #[test]
    fn the_first_picture_is_any_layer_up_to_the_target_and_what_is_closer_replaces_it() {
        let mut sender = sender();
        let packets = [(2, 1, true), (0, 1, true), (1, 1, true), (0, 2, true), (1, 2, false)];
        assert_eq!(sent(&mut sender, Some(1), &packets), [0, 1, 2]);
        assert_eq!(sender.layer(Generation(1)), Some(Layer(1)));
    }

    #[test]
    fn a_lower_layer_takes_over_at_its_key_frame() {
        let mut sender = sender();
        sent(&mut sender, Some(2), &[(2, 1, true)]);
        assert!(sender.awaits_key_frame(Generation(1), &video(0, 7, 0, false), Some(Layer(0))));
        let packets = [(2, 2, false), (0, 7, false), (1, 7, true), (2, 3, true), (0, 8, true), (1, 8, false)];
        assert_eq!(sent(&mut sender, Some(0), &packets), [1, 2, 3], "by way of the middle");
        assert_eq!(sender.layer(Generation(1)), Some(Layer(0)));
    }

    #[test]
    fn a_picture_that_was_paused_goes_on_with_a_key_frame_and_the_next_number() {
        let mut sender = sender();
        sent(&mut sender, Some(0), &[(0, 1, true), (0, 2, false)]);
        sender.pause();
        assert_eq!(sent(&mut sender, None, &[(0, 3, false)]), [0u64; 0]);
        assert_eq!(sender.layer(Generation(1)), None);
        assert!(sender.awaits_key_frame(Generation(1), &video(0, 9, 0, false), Some(Layer(0))));
        assert_eq!(sent(&mut sender, Some(0), &[(0, 9, false), (0, 10, true), (0, 11, false)]), [2, 3]);
        let lost = |wire: u64| sender.sent_as(Generation(1), wire as u16).map(|(_, seq, _)| seq);
        assert_eq!([65_531, 65_532, 65_533].map(lost), [None, Some(10), Some(11)]);
    }
}
