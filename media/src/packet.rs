//! Packets as they are shared: decrypted once, referenced by everyone they are forwarded to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::codec::{Codec, Descriptor};
use crate::ids::{Layer, StreamId};
use crate::layers::Frames;
use crate::limits;
use crate::rtp::AudioLevel;
use crate::thinning::Thinned;

/// A decrypted RTP packet of a source, without its header.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packet {
    /// The stream it belongs to.
    pub(crate) stream: StreamId,
    /// Of video.
    pub(crate) layer: Layer,
    /// Extended sequence number within the stream, with the gaps of padding-only packets closed.
    pub(crate) seq: u64,
    /// Of the source, in ticks.
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    /// Of video; none of audio.
    pub(crate) codec: Option<Codec>,
    /// For video.
    pub(crate) descriptor: Descriptor,
    /// Where it stands in its stream when that is thinned; of video that came in time.
    pub(crate) thinned: Option<Thinned>,
    /// For audio.
    pub(crate) level: Option<AudioLevel>,
    payload: Vec<u8>,
}

impl Packet {
    /// Its number in its stream, where that has so many `frames`; none where it is left out.
    pub(crate) fn seq_with(&self, frames: Frames) -> Option<u64> {
        match frames {
            Frames::All => Some(self.seq),
            Frames::Half => self.thinned.filter(|thinned| !thinned.is_left_out).map(|thinned| thinned.seq),
        }
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(crate) fn set_payload(&mut self, payload: &[u8]) {
        self.payload.clear();
        self.payload.extend_from_slice(payload);
    }
}

/// Packets of one source, used again when nobody holds them any more, so that a running source allocates nothing.
/// Packets are let go in the order in which they were made, because every ring forgets the oldest first.
#[derive(Debug, Default)]
pub(crate) struct PacketPool {
    made: VecDeque<Arc<Packet>>,
    allocated: u64,
}

impl PacketPool {
    /// A packet filled by `fill`.
    pub(crate) fn make(&mut self, fill: impl FnOnce(&mut Packet)) -> Arc<Packet> {
        let reusable = self.made.front_mut().is_some_and(|oldest| Arc::get_mut(oldest).is_some());
        let over_full = self.made.len() >= 2 * limits::RETRANSMIT_PACKETS;
        let oldest = if reusable || over_full { self.made.pop_front() } else { None };
        let mut packet = oldest.filter(|packet| Arc::strong_count(packet) == 1).unwrap_or_else(|| {
            self.allocated += 1;
            Arc::new(Packet { payload: Vec::with_capacity(limits::PAYLOAD_BYTES_MAX), ..Packet::default() })
        });
        fill(Arc::get_mut(&mut packet).expect("nobody else holds this packet"));
        self.made.push_back(Arc::clone(&packet));
        packet
    }

    /// Buffers allocated since the last call.
    pub(crate) fn take_allocated(&mut self) -> u64 {
        std::mem::take(&mut self.allocated)
    }
}

#[derive(Clone, Debug)]
struct Kept {
    packet: Arc<Packet>,
    arrived: Instant,
}

/// The last packets of a slot's occupant, for retransmission to all viewers.
#[derive(Debug)]
pub(crate) struct PacketRing {
    packets: Box<[Option<Kept>]>,
    /// By number in the thinned stream, the place of the packet that had it last.
    thinned: Box<[u16]>,
    /// When something came, and to which place; oldest first. The place may have been taken by another since.
    arrivals: VecDeque<(Instant, usize)>,
}

impl PacketRing {
    pub(crate) fn new() -> Self {
        let packets = vec![None; limits::RETRANSMIT_PACKETS].into_boxed_slice();
        let thinned = vec![0; limits::RETRANSMIT_PACKETS].into_boxed_slice();
        Self { packets, thinned, arrivals: VecDeque::with_capacity(limits::RETRANSMIT_PACKETS) }
    }

    /// Remembers a packet that came at `now`, and forgets those that are too old.
    pub(crate) fn insert(&mut self, packet: Arc<Packet>, now: Instant) {
        let is_old = |at: Instant| now.saturating_duration_since(at) > limits::RETRANSMIT_WITHIN;
        while let Some((at, place)) = self.arrivals.front().copied() {
            if !is_old(at) && self.arrivals.len() < limits::RETRANSMIT_PACKETS {
                break;
            }
            self.arrivals.pop_front();
            self.packets[place].take_if(|kept| kept.arrived == at);
        }
        let place = Self::place(packet.seq);
        if let Some(thinned) = packet.thinned.filter(|thinned| !thinned.is_left_out) {
            self.thinned[Self::place(thinned.seq)] = place as u16;
        }
        self.packets[place] = Some(Kept { packet, arrived: now });
        self.arrivals.push_back((now, place));
    }

    /// The packet that has number `seq` in `stream`, where that has so many `frames`.
    pub(crate) fn get(&self, stream: StreamId, frames: Frames, seq: u64) -> Option<&Arc<Packet>> {
        let place = match frames {
            Frames::All => Self::place(seq),
            Frames::Half => usize::from(self.thinned[Self::place(seq)]),
        };
        let Kept { packet, .. } = self.packets[place].as_ref()?;
        (packet.seq_with(frames) == Some(seq) && packet.stream == stream).then_some(packet)
    }

    pub(crate) fn clear(&mut self) {
        self.packets.fill(None);
        self.arrivals.clear();
    }

    fn place(seq: u64) -> usize {
        seq as usize % limits::RETRANSMIT_PACKETS
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ids::ConnectionId;

    fn packet(seq: u64) -> impl FnOnce(&mut Packet) {
        move |packet| {
            packet.seq = seq;
            packet.set_payload(&seq.to_be_bytes());
        }
    }

    #[test]
    fn a_running_source_allocates_only_until_its_ring_is_full() {
        let (mut pool, mut ring, now) = (PacketPool::default(), PacketRing::new(), Instant::now());
        for seq in 0..5_000 {
            ring.insert(pool.make(packet(seq)), now);
        }
        let allocated = pool.take_allocated();
        assert!((512..=514).contains(&allocated), "{allocated}");
        for seq in 5_000 - 512..5_000 {
            assert_eq!(ring.get(StreamId::default(), Frames::All, seq).unwrap().payload(), seq.to_be_bytes());
        }
        assert!(ring.get(StreamId::default(), Frames::All, 5_000 - 513).is_none());
        assert!(ring.get(StreamId::of(ConnectionId(1), 1), Frames::All, 4_999).is_none());
    }

    #[test]
    fn a_small_camera_keeps_two_seconds_and_no_more() {
        let (mut pool, mut ring, start) = (PacketPool::default(), PacketRing::new(), Instant::now());
        let at = |seq: u64| start + Duration::from_millis(33 * seq);
        for seq in 0..500 {
            ring.insert(pool.make(packet(seq)), at(seq));
        }
        let allocated = pool.take_allocated();
        assert!((60..=64).contains(&allocated), "{allocated}");
        assert!(ring.get(StreamId::default(), Frames::All, 440).is_some());
        assert!(ring.get(StreamId::default(), Frames::All, 430).is_none());
    }

    #[test]
    fn a_packet_is_found_by_its_number_among_half_of_the_frames_too() {
        let (mut pool, mut ring, now) = (PacketPool::default(), PacketRing::new(), Instant::now());
        for seq in 0..2_000 {
            let packet = pool.make(|packet| {
                packet.seq = seq;
                // Every second one stays.
                packet.thinned = Some(Thinned { seq: seq.div_ceil(2), skipped: 0, is_left_out: seq % 2 == 1 });
            });
            ring.insert(packet, now);
        }
        let half = |seq| ring.get(StreamId::default(), Frames::Half, seq).map(|packet| packet.seq);
        assert_eq!([999, 744, 743, 1_000].map(half), [Some(1_998), Some(1_488), None, None]);
        assert!(ring.get(StreamId::default(), Frames::All, 1_999).is_some(), "it is kept for those who get all");
    }

    #[test]
    fn a_packet_somebody_keeps_is_never_overwritten() {
        let mut pool = PacketPool::default();
        let kept = pool.make(packet(1));
        for seq in 2..5_000 {
            pool.make(packet(seq));
        }
        assert_eq!(kept.payload(), 1u64.to_be_bytes());
    }
}
