//! The round in which viewers are served.
//!
//! Viewers stand in a ring. A packet that leaves goes to each of them, from whoever is next on; whoever is served
//! gets all packets that leave at that moment. The round stops in between, so that the worker sees what has come
//! meanwhile: in a large room that leaves together with what is still on its way, instead of one round later.

use crate::fanout::Pending;
use crate::limits;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    /// Keys of the viewers.
    ring: Vec<usize>,
    /// Who is next.
    at: usize,
    packets: Vec<Pending>,
    /// Of each packet, the viewers it still has to get to. The oldest has the fewest.
    left: Vec<usize>,
}

impl Sweep {
    /// Somebody who is to be served; after everybody else, so that what is on its way does not have to get there.
    pub(crate) fn join(&mut self, key: usize) {
        self.ring.insert(self.at, key);
        self.at += 1;
    }

    /// Nobody serves `key` any more.
    pub(crate) fn leave(&mut self, key: usize) {
        let Some(place) = self.ring.iter().position(|other| *other == key) else { return };
        let turn = (place + self.ring.len() - self.at) % self.ring.len();
        self.ring.remove(place);
        if place < self.at {
            self.at -= 1;
        }
        self.left.iter_mut().filter(|left| turn < **left).for_each(|left| *left -= 1);
    }

    /// Number of viewers.
    pub(crate) fn viewers(&self) -> usize {
        self.ring.len()
    }

    /// `packets` set out.
    pub(crate) fn begin(&mut self, packets: impl Iterator<Item = Pending>) {
        self.packets.extend(packets);
        self.left.resize(self.packets.len(), self.ring.len());
    }

    /// What is on its way, oldest first.
    pub(crate) fn packets(&self) -> &[Pending] {
        &self.packets
    }

    /// Whether everything has arrived.
    pub(crate) fn is_over(&self) -> bool {
        self.packets.is_empty()
    }

    /// So much is on its way that nothing more may come before some of it has arrived.
    pub(crate) fn is_crowded(&self) -> bool {
        self.packets.len() >= limits::LEAVING_PACKETS
    }

    /// How many viewers are served before the worker looks around again: all of them get all packets.
    pub(crate) fn turns(&self) -> usize {
        let oldest = self.left.first().copied().unwrap_or(0);
        oldest.min((limits::SLICE_COPIES / self.packets.len().max(1)).max(1))
    }

    /// The key of whoever is served `turns` after the next one.
    pub(crate) fn key(&self, turns: usize) -> Option<usize> {
        self.ring.get((self.at + turns).checked_rem(self.ring.len())?).copied()
    }

    /// So many viewers have been served. Gives the packets that everybody has.
    pub(crate) fn served(&mut self, turns: usize) -> impl Iterator<Item = Pending> {
        self.at = (self.at + turns).checked_rem(self.ring.len()).unwrap_or(0);
        self.left.iter_mut().for_each(|left| *left -= turns);
        let done = self.left.iter().take_while(|left| **left == 0).count();
        self.left.drain(..done);
        self.packets.drain(..done)
    }

    /// Forgets what is on its way.
    pub(crate) fn stop(&mut self) {
        self.packets.clear();
        self.left.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;
    use crate::ids::{Generation, ParticipantId, Slot};
    use crate::outbound::Occupied;
    use crate::packet::Packet;

    fn packet(seq: u64) -> Pending {
        let mut packet = Packet::default();
        packet.seq = seq;
        let from = Occupied { slot: Slot::FIRST_CAMERA, generation: Generation(1), participant: ParticipantId(1) };
        Pending { from, packet: Arc::new(packet), before: None, arrived: Instant::now() }
    }

    /// A sweep, and what each viewer has been given.
    #[derive(Default)]
    struct Room {
        sweep: Sweep,
        given: BTreeMap<usize, Vec<u64>>,
        arrived: Vec<u64>,
    }

    impl Room {
        fn of(viewers: usize) -> Self {
            let mut room = Self::default();
            (0..viewers).for_each(|key| room.sweep.join(key));
            room
        }

        fn begin(&mut self, seqs: impl IntoIterator<Item = u64>) {
            self.sweep.begin(seqs.into_iter().map(packet));
        }

        fn serve(&mut self, turns: usize) {
            let seqs: Vec<_> = self.sweep.packets().iter().map(|pending| pending.packet.seq).collect();
            for turn in 0..turns {
                let key = self.sweep.key(turn).unwrap();
                self.given.entry(key).or_default().extend(&seqs);
            }
            self.arrived.extend(self.sweep.served(turns).map(|pending| pending.packet.seq));
        }

        fn given(&self, key: usize) -> &[u64] {
            self.given.get(&key).map(Vec::as_slice).unwrap_or_default()
        }
    }

    #[test]
    fn what_comes_in_the_middle_of_a_round_leaves_with_it_and_gets_to_those_before_in_the_next() {
        let mut room = Room::of(4);
        room.begin([1]);
        room.serve(2);
        room.begin([2]);
        assert_eq!(room.sweep.turns(), 2, "then the first packet has arrived");
        room.serve(2);
        assert_eq!(room.arrived, [1]);
        room.serve(room.sweep.turns());
        assert_eq!(room.arrived, [1, 2]);
        assert!(room.sweep.is_over());
        for key in 0..4 {
            assert_eq!(room.given(key), [1, 2]);
        }
    }

    #[test]
    fn a_slice_ends_after_so_many_copies() {
        let mut room = Room::of(10_000);
        room.begin(0..4);
        assert_eq!(room.sweep.turns(), limits::SLICE_COPIES / 4);
        room.begin(4..4 + limits::LEAVING_PACKETS as u64);
        assert!(room.sweep.is_crowded() && room.sweep.turns() >= 1);
    }

    #[test]
    fn a_room_without_viewers_is_served_at_once() {
        let mut room = Room::of(0);
        room.begin([1]);
        assert_eq!(room.sweep.turns(), 0);
        room.serve(0);
        assert_eq!(room.arrived, [1]);
    }

    proptest! {
        /// Whoever is there when a packet sets out gets it once, and in order, unless they leave.
        #[test]
        fn everybody_gets_everything_once_whoever_comes_and_goes(
            steps in prop::collection::vec((0u8..4, 0usize..40), 1..120),
        ) {
            let mut room = Room::of(7);
            let (mut next_key, mut next_seq) = (7, 0);
            let mut due: BTreeMap<usize, Vec<u64>> = (0..7).map(|key| (key, Vec::new())).collect();
            for (step, n) in steps {
                match step {
                    0 => {
                        room.begin([next_seq]);
                        due.values_mut().for_each(|seqs| seqs.push(next_seq));
                        next_seq += 1;
                    }
                    1 => {
                        room.sweep.join(next_key);
                        due.insert(next_key, Vec::new());
                        next_key += 1;
                    }
                    2 if !due.is_empty() => {
                        let key = *due.keys().nth(n % due.len()).unwrap();
                        room.sweep.leave(key);
                        due.remove(&key);
                        room.given.remove(&key);
                    }
                    _ => room.serve(n.min(room.sweep.turns())),
                }
            }
            while !room.sweep.is_over() {
                room.serve(room.sweep.turns());
            }
            for (key, seqs) in due {
                prop_assert_eq!(room.given(key), seqs);
            }
            prop_assert_eq!(room.arrived, (0..next_seq).collect::<Vec<_>>());
        }
    }
}
