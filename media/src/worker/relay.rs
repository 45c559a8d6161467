//! What workers tell each other, over a ring for each pair.

use std::sync::Arc;
use std::time::Instant;

use rtrb::Producer;

use crate::counters::{Counters, DropReason};
use crate::ids::{Generation, Layer, RoomId, Slot, WorkerId};
use crate::layers::{LayerSet, Rates};
use crate::packet::Packet;
use crate::source::ClockPoint;
use crate::udp::poll::Waker;

/// What one worker tells another.
pub(crate) enum Relay {
    /// A packet for the slot's viewers.
    Packet { room: RoomId, slot: Slot, generation: Generation, packet: Arc<Packet>, arrived: Instant },
    /// How the occupant's RTP clock relates to ours.
    Clock { room: RoomId, slot: Slot, generation: Generation, layer: Layer, clock: ClockPoint },
    /// A viewer needs a key frame of a layer of the slot's occupant, or of every layer somebody gets.
    KeyFrameWanted { room: RoomId, slot: Slot, generation: Generation, layer: Option<Layer> },
    /// What the layers of the slot's occupant take.
    Rates { room: RoomId, slot: Slot, generation: Generation, rates: Rates },
    /// The layers that the viewers of a worker get of the picture in the slot.
    Taken { room: RoomId, slot: Slot, worker: WorkerId, layers: LayerSet },
}

/// The ring to another worker, and how to wake it.
pub(crate) struct Neighbour {
    worker: WorkerId,
    ring: Producer<Relay>,
    waker: Waker,
    pushed: bool,
    /// Pictures it missed packets of, because its ring was full.
    missed: Vec<(RoomId, Slot)>,
}

impl Neighbour {
    pub(crate) fn new(worker: WorkerId, ring: Producer<Relay>, waker: Waker) -> Self {
        Self { worker, ring, waker, pushed: false, missed: Vec::new() }
    }

    /// Room for this many more packets means that the worker works again.
    fn has_caught_up(&self) -> bool {
        self.ring.slots() >= self.ring.buffer().capacity() / 2
    }
}

/// All other workers.
pub(crate) struct Neighbours(Vec<Neighbour>);

impl Neighbours {
    pub(super) fn new(neighbours: Vec<Neighbour>) -> Self {
        Self(neighbours)
    }

    /// Gives `relay` to every other one of `workers`. One whose ring is full does not get it: it is slow, and nobody
    /// waits for it.
    pub(super) fn push(&mut self, workers: u64, counters: &mut Counters, relay: impl Fn() -> Relay) {
        for neighbour in self.0.iter_mut().filter(|neighbour| workers >> neighbour.worker.0 & 1 == 1) {
            neighbour.pushed = true;
            let Err(rtrb::PushError::Full(refused)) = neighbour.ring.push(relay()) else { continue };
            counters.drop(DropReason::RingFull);
            if let Relay::Packet { room, slot, .. } = refused
                && slot.kind().is_video()
                && !neighbour.missed.contains(&(room, slot))
            {
                neighbour.missed.push((room, slot));
            }
        }
    }

    /// Wakes those that were given something.
    pub(super) fn wake(&mut self) {
        for neighbour in self.0.iter_mut().filter(|neighbour| neighbour.pushed) {
            neighbour.pushed = false;
            neighbour.waker.wake();
        }
    }

    /// Gives `want` the pictures that need a key frame, as a worker that missed packets of them has caught up.
    pub(super) fn recovered(&mut self, mut want: impl FnMut(RoomId, Slot)) {
        for neighbour in self.0.iter_mut().filter(|neighbour| !neighbour.missed.is_empty()) {
            if neighbour.has_caught_up() {
                neighbour.missed.drain(..).for_each(|(room, slot)| want(room, slot));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rtrb::RingBuffer;

    use super::*;
    use crate::limits::RING_PACKETS;

    #[test]
    fn a_worker_that_stands_still_misses_packets_and_gets_key_frames_when_it_goes_on() {
        let (ring, mut consumer) = RingBuffer::new(RING_PACKETS);
        let neighbour = Neighbour::new(WorkerId(1), ring, Waker::new().unwrap());
        let (mut neighbours, mut counters) = (Neighbours::new(vec![neighbour]), Counters::default());
        let (room, camera, voice) = (RoomId(7), Slot::camera(3).unwrap(), Slot::voice(0).unwrap());
        for n in 0..RING_PACKETS + 10 {
            let slot = if n % 2 == 0 { camera } else { voice };
            let (packet, arrived) = (Arc::new(Packet::default()), Instant::now());
            neighbours.push(0b10, &mut counters, || Relay::Packet {
                room,
                slot,
                generation: Generation(1),
                packet: Arc::clone(&packet),
                arrived,
            });
        }
        assert_eq!(counters.dropped(DropReason::RingFull), 10);
        let recovered = |neighbours: &mut Neighbours| {
            let mut all = Vec::new();
            neighbours.recovered(|room, slot| all.push((room, slot)));
            all
        };
        assert_eq!(recovered(&mut neighbours), [], "it still stands");
        while consumer.pop().is_ok() {}
        assert_eq!(recovered(&mut neighbours), [(room, camera)], "a voice needs none");
        assert_eq!(recovered(&mut neighbours), []);
    }
}
