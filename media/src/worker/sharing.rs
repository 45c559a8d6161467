//! Who gets which layers: shared out where something has changed, and told to publishers.

use std::time::Instant;

use arrayvec::ArrayVec;

use super::relay::Relay;
use super::{Worker, want_layers};
use crate::counters::Tally;
use crate::ids::RoomId;
use crate::layers::PICTURES;

impl Worker {
    /// Shares the layers out in rooms where something has changed.
    pub(super) fn share_rooms(&mut self, now: Instant) {
        if self.unshared.is_empty() {
            return;
        }
        let mut unshared = std::mem::take(&mut self.unshared);
        unshared.sort_unstable();
        unshared.dedup();
        unshared.retain(|id| {
            let Some(room) = self.rooms.get(id) else { return false };
            let due = room.is_to_share(now);
            if due {
                self.share_room(*id, now);
            }
            !due
        });
        self.unshared = unshared;
    }

    /// Shares the layers of a room out to everybody here.
    pub(super) fn share_room(&mut self, id: RoomId, now: Instant) {
        let Self { rooms, peers, .. } = self;
        let Some(room) = rooms.get_mut(&id) else { return };
        self.shared_at = now;
        room.share_all(peers, now);
        self.tell_taken(id);
    }

    /// Shares the layers of its room out to one viewer.
    pub(super) fn share_with(&mut self, key: usize, now: Instant) {
        let Self { rooms, peers, .. } = self;
        let Some(peer) = peers.get_mut(key).filter(|peer| peer.is_up()) else { return };
        let id = peer.room;
        if let Some(room) = rooms.get_mut(&id) {
            room.share(peer.participant, &mut peer.outbound, now);
        }
        self.tell_taken(id);
    }

    /// Tells publishers and other workers where viewers here get other layers than before.
    pub(super) fn tell_taken(&mut self, id: RoomId) {
        let Self { rooms, peers, neighbours, out, worker, .. } = self;
        let Some(room) = rooms.get_mut(&id) else { return };
        out.counters.add(Tally::PicturesDropped, room.take_dropped());
        let news: ArrayVec<_, PICTURES> = room.taken_news().collect();
        for (slot, layers) in news {
            want_layers(room, peers, slot);
            let relay = || Relay::Taken { room: id, slot, worker: *worker, layers };
            neighbours.push(room.workers, &mut out.counters, relay);
        }
    }

    /// Tells other workers once more what viewers here get: a full ring may have lost it.
    pub(super) fn tell_taken_again(&mut self) {
        let Self { rooms, neighbours, out, worker, .. } = self;
        let mine = 1u64 << worker.0;
        for (id, room) in rooms.iter().filter(|(_, room)| room.workers & !mine != 0) {
            for (slot, layers) in room.taken().filter(|(slot, _)| room.slot(*slot).occupant.is_some()) {
                let relay = || Relay::Taken { room: *id, slot, worker: *worker, layers };
                neighbours.push(room.workers, &mut out.counters, relay);
            }
        }
    }
}
