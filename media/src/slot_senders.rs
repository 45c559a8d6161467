//! A viewer's [`SlotSender`]s, one for each slot that has had something for it. Most rooms use few, and what a viewer's turn
//! touches is to lie in few places: they stand side by side.

use crate::ids::Slot;
use crate::limits::SLOTS;
use crate::prefetch::prefetch;
use crate::slot_sender::SlotSender;

/// Room is made for so many more at once.
const GROWTH: usize = 4;
/// The place of a slot that has had nothing.
const NOWHERE: u8 = u8::MAX;
const _: () = assert!(SLOTS <= NOWHERE as usize);

/// See the module.
pub(crate) struct SlotSenders {
    senders: Vec<SlotSender>,
    /// By slot, where among the senders its own stands.
    places: [u8; SLOTS],
    seed: u64,
}

impl SlotSenders {
    /// `seed` makes the first sequence numbers random (RFC 3550 §5.1).
    pub(crate) fn new(seed: u64) -> Self {
        Self { senders: Vec::new(), places: [NOWHERE; SLOTS], seed }
    }

    /// The sender of `slot`, if it has had something.
    pub(crate) fn get(&self, slot: Slot) -> Option<&SlotSender> {
        self.senders.get(usize::from(self.places[slot.index()]))
    }

    /// See [`get`](Self::get).
    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut SlotSender> {
        self.senders.get_mut(usize::from(self.places[slot.index()]))
    }

    /// The sender of `slot`.
    pub(crate) fn get_or_make(&mut self, slot: Slot) -> &mut SlotSender {
        if self.places[slot.index()] == NOWHERE {
            self.places[slot.index()] = self.senders.len() as u8;
            let first_seq = (self.seed >> 8).wrapping_mul(2 * slot.index() as u64 + 1) as u16 & 0x7fff;
            if self.senders.len() == self.senders.capacity() {
                self.senders.reserve_exact(GROWTH);
            }
            self.senders.push(SlotSender::new(slot, first_seq));
        }
        &mut self.senders[usize::from(self.places[slot.index()])]
    }

    /// All pictures go on with key frames.
    pub(crate) fn pause_pictures(&mut self) {
        for slot in Slot::all().filter(|slot| slot.kind().is_video()) {
            self.get_mut(slot).into_iter().for_each(SlotSender::pause);
        }
    }

    /// Asks for the sender of `slot`.
    pub(crate) fn prefetch(&self, slot: Slot) {
        self.get(slot).into_iter().for_each(prefetch);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_slot_has_its_own_sender_in_whatever_order_they_are_used() {
        let mut senders = SlotSenders::new(0x1234_5678_9abc);
        assert!(Slot::all().all(|slot| senders.get(slot).is_none()));
        let backwards: Vec<_> = Slot::all().collect::<Vec<_>>().into_iter().rev().collect();
        let first: BTreeSet<_> = backwards.iter().map(|slot| senders.get_or_make(*slot).next_rtx_seq()).collect();
        assert_eq!(first.len(), SLOTS, "each begins somewhere else");
        for slot in Slot::all() {
            let sent = senders.get_mut(slot).unwrap().next_rtx_seq();
            assert_eq!(senders.get_or_make(slot).next_rtx_seq(), sent + 1, "{slot:?}");
        }
    }
}
