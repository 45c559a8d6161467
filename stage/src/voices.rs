//! The voice slots: whoever speaks is heard, and nobody is switched without need.

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, ParticipantId, Slot};
use crate::limits::VOICE_SLOTS;
use crate::model::Speech;
use crate::slots::{Occupancy, SlotRow};

/// An open microphone on stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Voice {
    id: ParticipantId,
    speech: Speech,
}

/// Open microphones and the slots of those heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Voices {
    /// In the order the microphones were opened.
    open: Vec<Voice>,
    slots: SlotRow,
}

impl Voices {
    pub(crate) fn new() -> Self {
        Self { open: Vec::new(), slots: SlotRow::new(VOICE_SLOTS) }
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = (Slot, Occupancy)> + '_ {
        self.slots.iter()
    }

    pub(crate) fn open(&mut self, id: ParticipantId, speech: Speech) {
        self.open.push(Voice { id, speech });
    }

    pub(crate) fn close(&mut self, id: ParticipantId) {
        self.open.retain(|voice| voice.id != id);
    }

    pub(crate) fn set_speech(&mut self, id: ParticipantId, speech: Speech) {
        if let Some(voice) = self.open.iter_mut().find(|voice| voice.id == id) {
            voice.speech = speech;
        }
    }

    pub(crate) fn map(&mut self, slot: Slot, occupancy: Occupancy) {
        self.slots.set(slot, occupancy);
    }

    /// The one mapping still missing until every slot has an open microphone and, as far as the slots go, every
    /// speaker has a slot. Slots are sticky: only a silent occupant gives way, the longest-silent first, and only to
    /// someone who speaks.
    pub(crate) fn next_mapping(&self) -> Option<(Slot, Occupancy)> {
        if let Some((slot, _)) = self.slots().find(|(_, o)| o.occupant.is_some_and(|id| self.voice(id).is_none())) {
            return Some((slot, self.slots.successor(slot, None)));
        }
        let waiting = self.open.iter().filter(|voice| self.slots.slot_of(voice.id).is_none());
        let next = waiting.min_by_key(|voice| urgency(voice.speech))?;
        let slot = match self.slots.first_free() {
            Some(slot) => slot,
            None if matches!(next.speech, Speech::Speaking { .. }) => self.longest_silent_slot()?,
            None => return None,
        };
        Some((slot, self.slots.successor(slot, Some(next.id))))
    }

    /// The mapping that lets `id` be heard, if their microphone is open and has no slot: in place of whoever was silent
    /// the longest, or else of whoever began to speak last.
    pub(crate) fn mapping_for(&self, id: ParticipantId) -> Option<(Slot, Occupancy)> {
        self.voice(id)?;
        if self.slots.slot_of(id).is_some() {
            return None;
        }
        let spoken_since = |(slot, o): (Slot, Occupancy)| match self.voice(o.occupant?)?.speech {
            Speech::Speaking { since } => Some((since, slot)),
            Speech::Silent { .. } => None,
        };
        let latest = || self.slots().filter_map(spoken_since).max().map(|(_, slot)| slot);
        let slot = self.slots.first_free().or_else(|| self.longest_silent_slot()).or_else(latest)?;
        Some((slot, self.slots.successor(slot, Some(id))))
    }

    fn voice(&self, id: ParticipantId) -> Option<&Voice> {
        self.open.iter().find(|voice| voice.id == id)
    }

    fn longest_silent_slot(&self) -> Option<Slot> {
        let silent = self.slots().filter_map(|(slot, o)| match self.voice(o.occupant?)?.speech {
            Speech::Silent { since } => Some((since, slot)),
            Speech::Speaking { .. } => None,
        });
        silent.min().map(|(_, slot)| slot)
    }
}

/// Speakers first, in the order they began; then the silent, the most recently heard first.
fn urgency(speech: Speech) -> (bool, u64) {
    match speech {
        Speech::Speaking { since: Millis(since) } => (false, since),
        Speech::Silent { since: Millis(since) } => (true, u64::MAX - since),
    }
}
