//! A fixed row of slots with an occupant each: the part cameras and voices share.

use serde::{Deserialize, Serialize};

use crate::ids::{Generation, ParticipantId, Slot};

/// A slot's occupant and the number of changes it has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupancy {
    /// Grows with each change of occupant.
    pub generation: Generation,
    /// Who has the slot.
    pub occupant: Option<ParticipantId>,
}

/// Slots `0..n`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SlotRow(Vec<Occupancy>);

impl SlotRow {
    pub(crate) fn new(slots: usize) -> Self {
        Self(vec![Occupancy::default(); slots])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, Occupancy)> + '_ {
        self.0.iter().enumerate().map(|(index, occupancy)| (slot(index), *occupancy))
    }

    pub(crate) fn get(&self, slot: Slot) -> Occupancy {
        self.0[usize::from(slot.0)]
    }

    pub(crate) fn slot_of(&self, id: ParticipantId) -> Option<Slot> {
        self.0.iter().position(|o| o.occupant == Some(id)).map(slot)
    }

    pub(crate) fn first_free(&self) -> Option<Slot> {
        self.0.iter().position(|o| o.occupant.is_none()).map(slot)
    }

    /// What mapping `occupant` to `slot` next would make of the slot.
    pub(crate) fn successor(&self, slot: Slot, occupant: Option<ParticipantId>) -> Occupancy {
        let generation = self.0[usize::from(slot.0)].generation.next();
        Occupancy { generation, occupant }
    }

    pub(crate) fn set(&mut self, slot: Slot, occupancy: Occupancy) {
        self.0[usize::from(slot.0)] = occupancy;
    }
}

fn slot(index: usize) -> Slot {
    Slot(u8::try_from(index).expect("a row has fewer than 256 slots"))
}
