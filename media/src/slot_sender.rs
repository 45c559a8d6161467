//! One slot as one viewer receives it: continuous sequence numbers, timestamps and picture ids over any number of
//! occupants and layers, each of which starts with a key frame, with all of their frames or half of them.

use std::time::Instant;

use arrayvec::ArrayVec;

use crate::codec::{LastSent, Shift};
use crate::ids::{Generation, Layer, MediaKind, Slot, StreamId};
use crate::layers::{Frames, Quality};
use crate::packet::Packet;

/// Segments remembered for retransmission, the current one included.
const SEGMENTS: usize = 4;

/// A stretch of what the viewer gets that comes from one stream of one occupant, with all of its frames or half of them.
#[derive(Clone, Copy, Debug)]
struct Segment {
    generation: Generation,
    stream: StreamId,
    layer: Layer,
    frames: Frames,
    /// It goes on with the stream of the segment before: what is still to come of that belongs there. Else it began with a key
    /// frame, or is of a voice.
    continues: bool,
    /// First sequence number of the source that belongs to it.
    first_in: u64,
    /// The number of that one as the viewer sees it.
    first_out: u64,
    /// Added to the extended sequence number in the stream with these frames.
    seq_delta: u64,
    /// Added to the source's timestamp.
    timestamp_delta: u32,
    shift: Shift,
}

impl Segment {
    /// The numbers of `packet`, which belongs to the segment; none where it is left out.
    fn rewrite(&self, packet: &Packet) -> Option<Rewritten> {
        packet.seq_with(self.frames)?;
        self.place(packet)
    }

    /// The numbers of `packet`, or of the next that is not left out.
    fn place(&self, packet: &Packet) -> Option<Rewritten> {
        let (seq, left_out) = place_in(packet, self.frames)?;
        Some(Rewritten {
            seq: seq.wrapping_add(self.seq_delta),
            timestamp: packet.timestamp.wrapping_add(self.timestamp_delta),
            shift: self.shift.after(left_out),
        })
    }
}

/// The number of `packet` in its stream with so many `frames`, and how many of those before it are left out.
fn place_in(packet: &Packet, frames: Frames) -> Option<(u64, u16)> {
    match frames {
        Frames::All => Some((packet.seq, 0)),
        Frames::Half => packet.thinned.map(|thinned| (thinned.seq, thinned.skipped)),
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

/// A packet by a number that the viewer knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) stream: StreamId,
    /// How many frames of the stream the viewer was sent: see `seq`.
    pub(crate) frames: Frames,
    /// Its number in the stream with so many frames.
    pub(crate) seq: u64,
    /// The extended number it was sent with.
    pub(crate) sent: u64,
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

    /// Numbers for `packet` of the slot's occupant `generation`, where the viewer is to get `target`; none while it waits for
    /// a key frame, for a packet from before its key frame, and for one of a layer or of frames that it does not get.
    pub(crate) fn forward(
        &mut self,
        generation: Generation,
        packet: &Packet,
        target: Option<Quality>,
        now: Instant,
    ) -> Option<Rewritten> {
        let target = target?;
        let rewritten = match self.current(generation).filter(|current| current.stream == packet.stream) {
            Some(current) if packet.seq < current.first_in => self.earlier(packet)?.rewrite(packet)?,
            Some(current) => match target.frames_of(current.layer) {
                frames if frames == current.frames => current.rewrite(packet)?,
                frames => self.change_frames(*current, frames, packet).rewrite(packet)?,
            },
            None => self.start_segment(generation, packet, target, now)?.rewrite(packet)?,
        };
        if self.last.is_none_or(|last| rewritten.seq > last.seq) {
            let picture = rewritten.shift.applied(&packet.descriptor);
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
    /// frame, without a gap. Whether the viewer, which is to get `target`, misses something.
    pub(crate) fn leave_out(&mut self, generation: Generation, packet: &Packet, target: Option<Quality>) -> bool {
        let Some(target) = target else { return false };
        let Some(current) = self.current(generation) else { return packet.layer <= target.layer };
        let ends = current.stream == packet.stream;
        self.paused |= ends;
        ends
    }

    /// Whether the viewer, which is to get `target`, needs a key frame before it can have `packet`, and then would.
    pub(crate) fn awaits_key_frame(&self, generation: Generation, packet: &Packet, target: Option<Quality>) -> bool {
        target.is_some_and(|target| self.takes(generation, packet, target.layer))
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
        target: Quality,
        now: Instant,
    ) -> Option<Segment> {
        let video = self.slot.kind().is_video();
        if video && !(packet.descriptor.starts_key_frame && self.takes(generation, packet, target.layer)) {
            return None;
        }
        // One that comes too late, or that would be left out, has no place among half of the frames.
        let has_half = packet.seq_with(Frames::Half).is_some();
        let frames = if has_half { target.frames_of(packet.layer) } else { Frames::All };
        let (seq, left_out) = place_in(packet, frames)?;
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
            frames,
            continues: false,
            first_in: packet.seq,
            first_out,
            seq_delta: first_out.wrapping_sub(seq),
            timestamp_delta: timestamp.wrapping_sub(packet.timestamp),
            shift: shift.before(left_out),
        };
        self.paused = false;
        Some(self.begin(segment))
    }

    fn begin(&mut self, segment: Segment) -> Segment {
        if self.segments.is_full() {
            self.segments.remove(0);
        }
        self.segments.push(segment);
        segment
    }

    /// The segment of `packet` where `current` is to go on with other `frames`.
    fn change_frames(&mut self, current: Segment, frames: Frames, packet: &Packet) -> Segment {
        match self.with_frames(current, frames, packet) {
            Some(changed) => self.begin(changed),
            None => current,
        }
    }

    /// `current` with other `frames` of the same layer, if `packet` begins a frame that allows it: with half of them where one
    /// stays, with all of them where one of those left out needs none of the others.
    fn with_frames(&self, current: Segment, frames: Frames, packet: &Packet) -> Option<Segment> {
        let (temporal, thinned) = (packet.descriptor.temporal, packet.thinned?);
        let allows = match frames {
            Frames::Half => !thinned.is_left_out,
            Frames::All => thinned.is_left_out && temporal.syncs || packet.descriptor.starts_key_frame,
        };
        // Its place as things are. What is missing before it may come yet, and keeps its own.
        let Rewritten { seq: first_out, shift, .. } = current.place(packet)?;
        let is_newest = self.last.is_some_and(|last| last.seq < first_out);
        if !(temporal.begins_frame && allows && is_newest) {
            return None;
        }
        let (seq, left_out) = place_in(packet, frames)?;
        let (first_in, seq_delta) = (packet.seq, first_out.wrapping_sub(seq));
        let (shift, continues) = (shift.before(left_out), true);
        Some(Segment { frames, continues, first_in, first_out, seq_delta, shift, ..current })
    }

    /// The segment before the current one, of the same stream, to which a late `packet` belongs.
    fn earlier(&self, packet: &Packet) -> Option<&Segment> {
        self.continued().find(|segment| segment.first_in <= packet.seq)
    }

    /// The current segment, and those before that it goes on with, newest first.
    fn continued(&self) -> impl Iterator<Item = &Segment> {
        let mut more = true;
        self.segments.iter().rev().take_while(move |segment| std::mem::replace(&mut more, segment.continues))
    }

    /// Which packet of occupant `generation` the viewer knows as `seq`. What was sent before the last key frame that another
    /// layer began with, or before a pause, is of no use any more.
    pub(crate) fn sent_as(&self, generation: Generation, seq: u16) -> Option<Known> {
        let last = self.last?;
        let delta = seq.wrapping_sub(last.seq as u16) as i16;
        let out = last.seq.checked_add_signed(i64::from(delta)).filter(|out| *out <= last.seq)?;
        self.current(generation)?;
        let segment = self.continued().find(|segment| segment.first_out <= out)?;
        let Segment { stream, frames, seq_delta, .. } = *segment;
        Some(Known { stream, frames, seq: out.wrapping_sub(seq_delta), sent: out })
    }

    /// The numbers `packet` was sent with before; used when it is sent again.
    pub(crate) fn resend(&self, generation: Generation, packet: &Packet) -> Option<Rewritten> {
        let of = |segment: &&Segment| segment.generation == generation && segment.stream == packet.stream;
        self.segments.iter().rev().find(|s| of(s) && s.first_in <= packet.seq)?.rewrite(packet)
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
mod tests;
