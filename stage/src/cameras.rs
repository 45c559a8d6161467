//! The 25 cameras: everyone may have a camera on, the most recent ones have a slot.

use serde::{Deserialize, Serialize};

use crate::ids::{ParticipantId, Slot};
use crate::limits::CAMERA_SLOTS;
use crate::slots::{Occupancy, SlotRow};

/// Cameras that are on, and the slots of those shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cameras {
    limit: usize,
    /// In the order they went live, oldest first.
    live: Vec<ParticipantId>,
    slots: SlotRow,
}

impl Cameras {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit: limit.min(CAMERA_SLOTS), live: Vec::new(), slots: SlotRow::new(CAMERA_SLOTS) }
    }

    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(CAMERA_SLOTS);
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = (Slot, Occupancy)> + '_ {
        self.slots.iter()
    }

    pub(crate) fn occupant(&self, slot: Slot) -> Option<ParticipantId> {
        self.slots.get(slot).occupant
    }

    pub(crate) fn is_shown(&self, id: ParticipantId) -> bool {
        self.slots.slot_of(id).is_some()
    }

    pub(crate) fn is_on(&self, id: ParticipantId) -> bool {
        self.live.contains(&id)
    }

    pub(crate) fn switch_on(&mut self, id: ParticipantId) {
        self.live.push(id);
    }

    pub(crate) fn switch_off(&mut self, id: ParticipantId) {
        self.live.retain(|other| *other != id);
    }

    pub(crate) fn map(&mut self, slot: Slot, occupancy: Occupancy) {
        self.slots.set(slot, occupancy);
    }

    /// The one mapping still missing until the most recent cameras, and only they, have slots. Nobody else's slot
    /// moves: a slot is given only if its occupant lost the right to it or it is free.
    pub(crate) fn next_mapping(&self) -> Option<(Slot, Occupancy)> {
        let shown = &self.live[self.live.len().saturating_sub(self.limit)..];
        let unplaced = shown.iter().rev().copied().find(|id| !self.is_shown(*id));
        let vacated = self.slots().find(|(_, o)| o.occupant.is_some_and(|id| !shown.contains(&id)));
        let slot = match (vacated, unplaced) {
            (Some((slot, _)), _) => slot,
            (None, Some(_)) => self.slots.first_free()?,
            (None, None) => return None,
        };
        Some((slot, self.slots.successor(slot, unplaced)))
    }
}
