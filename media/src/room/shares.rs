//! What each viewer of a room gets: layers are shared out anew when something has changed, and their publishers are told
//! which of them somebody gets.

use std::time::Instant;

use slab::Slab;

use super::Room;
use crate::allocation::{Allocation, Candidate, Meanwhile, Rank, allocate, ended_at_once};
use crate::ids::{Generation, Layer, ParticipantId, Slot, WorkerId};
use crate::layers::{LayerSet, PICTURES, Rates};
use crate::limits;
use crate::outbound::Outbound;
use crate::peer::Peer;

/// Whether and when a room's layers are shared out anew.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    since_change: bool,
    shared: Option<Instant>,
}

impl Room {
    /// Something has changed that all viewers' shares depend on.
    pub(crate) fn note_change(&mut self) {
        self.dirty.since_change = true;
    }

    /// Whether something has changed since layers were shared out.
    pub(crate) fn is_changed(&self) -> bool {
        self.dirty.since_change
    }

    /// Pictures that viewers get no more because their lines do not carry them, since this was asked before.
    pub(crate) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Whether layers are to be shared out anew now.
    pub(crate) fn is_to_share(&self, now: Instant) -> bool {
        let rested = |at: Instant| now.saturating_duration_since(at) >= limits::ALLOCATE_INTERVAL;
        self.dirty.since_change && self.dirty.shared.is_none_or(rested)
    }

    /// Shares the layers out to everybody here.
    pub(crate) fn share_all(&mut self, peers: &mut Slab<Box<Peer>>, now: Instant) {
        self.dirty = Dirty { since_change: false, shared: Some(now) };
        let keys: Vec<_> = self.peers().collect();
        for key in keys {
            if let Some(peer) = peers.get_mut(key).filter(|peer| peer.is_up()) {
                self.share(peer.participant, &mut peer.outbound, now);
            }
        }
    }

    /// Shares the layers out to one viewer.
    pub(crate) fn share(&mut self, participant: ParticipantId, outbound: &mut Outbound, now: Instant) {
        let budget = outbound.budget(self.voices.measured(now).unwrap_or(0));
        let mut candidates = arrayvec::ArrayVec::<Candidate, PICTURES>::new();
        for (slot, state) in Slot::all().zip(&self.slots).take(PICTURES) {
            let others = state.occupant.is_some_and(|occupant| occupant != participant);
            let shown = outbound.section(slot).is_some();
            let Some(layer_max) = outbound.wishes.of(slot).layer_max().filter(|_| others && shown) else { continue };
            let rank = match slot {
                Slot::SCREEN => Rank::Screen,
                slot if slot == self.view.camera => Rank::Speaker,
                _ => Rank::Other,
            };
            let (entered, before) = (state.entered, outbound.target(slot));
            candidates.push(Candidate { slot, rank, entered, layer_max, rates: state.rates.or_nominal(), before });
        }
        let taken = candidates.iter().filter_map(|candidate| Some(candidate.rates.of(candidate.before?)));
        let taken = taken.fold(0, u32::saturating_add);
        let ramp = if outbound.downlink.is_some() { outbound.ramp.limit(taken, now) } else { u32::MAX };
        let allocation = allocate(budget.min(ramp), &mut candidates);
        outbound.ramp.note(ramp < budget.min(allocation.wanted));
        self.give(outbound, &allocation, budget, now);
    }

    /// Notes what a viewer gets from here on, and what it has until the key frames of that have come.
    fn give(&mut self, outbound: &mut Outbound, allocation: &Allocation, budget: u32, now: Instant) {
        self.dropped += u64::from(outbound.note_wanted(allocation.wanted, allocation.dropped, now));
        let qualities = || Slot::all().zip(allocation.qualities);
        qualities().for_each(|(slot, quality)| outbound.set_target(slot, quality));
        self.end_what_is_too_large(outbound, budget);
        for (slot, quality) in qualities() {
            let state = &mut self.slots[slot.index()];
            let has = outbound.layer(slot, state.generation);
            let takes = quality.into_iter().flat_map(|quality| [Some(quality.layer), has]).flatten();
            let takes = LayerSet::of(takes);
            state.take(outbound.set_takes(slot, takes), takes);
        }
    }

    /// Ends larger layers before the key frames of smaller ones have come, where these would wait behind them.
    fn end_what_is_too_large(&self, outbound: &mut Outbound, budget: u32) {
        let sent = Slot::all().zip(&self.slots).take(PICTURES).filter_map(|(slot, state)| {
            let (layer, target) = (outbound.layer(slot, state.generation)?, outbound.target(slot)?);
            Some(Meanwhile { slot, layer, target, rates: state.rates.or_nominal() })
        });
        let sent: arrayvec::ArrayVec<_, PICTURES> = sent.collect();
        let ended = ended_at_once(budget, &sent);
        let slots = Slot::all().take(PICTURES).filter(|slot| ended >> slot.index() & 1 == 1);
        slots.for_each(|slot| outbound.pause(slot));
    }

    /// A viewer gets nothing any more.
    pub(crate) fn take_back(&mut self, outbound: &mut Outbound) {
        for (slot, state) in Slot::all().zip(&mut self.slots).take(PICTURES) {
            outbound.set_target(slot, None);
            state.take(outbound.set_takes(slot, LayerSet::default()), LayerSet::default());
        }
    }

    /// Pictures with the layers that viewers here get.
    pub(crate) fn taken(&self) -> impl Iterator<Item = (Slot, LayerSet)> {
        Slot::all().zip(&self.slots).take(PICTURES).map(|(slot, state)| (slot, state.taken()))
    }

    /// Pictures of which viewers here get other layers than at the last call.
    pub(crate) fn taken_news(&mut self) -> impl Iterator<Item = (Slot, LayerSet)> {
        let pictures = Slot::all().zip(&mut self.slots).take(PICTURES);
        pictures.filter_map(|(slot, state)| Some((slot, state.news()?)))
    }

    /// The occupant of the picture in `slot` is new: viewers on `workers`, a bit each, may get anything until they say.
    pub(crate) fn expect(&mut self, slot: Slot, workers: u64) {
        if slot.kind().is_video() {
            self.slots[slot.index()].expect(workers);
        }
    }

    /// Viewers on another worker get `layers` of the picture in `slot`.
    pub(crate) fn taken_elsewhere(&mut self, worker: WorkerId, slot: Slot, layers: LayerSet) {
        self.slots[slot.index()].taken_elsewhere(worker, layers);
    }

    /// Layers of the picture in `slot` that somebody gets, wherever.
    pub(crate) fn wanted(&self, slot: Slot) -> LayerSet {
        if slot.kind().is_video() { self.slots[slot.index()].wanted() } else { LayerSet::default() }
    }

    /// The layers of the slot's occupant take `rates`. Whether that makes a difference to viewers.
    pub(crate) fn set_rates(&mut self, slot: Slot, generation: Generation, rates: Rates) -> bool {
        let state = &mut self.slots[slot.index()];
        let differ = state.generation == generation && rates.differ(state.rates);
        if differ {
            state.rates = rates;
            self.note_change();
        }
        differ
    }
}

/// The layer of a picture that is asked for a key frame when a viewer comes, or says that it cannot decode.
pub(crate) fn asked_layer(outbound: &Outbound, slot: Slot, generation: Generation) -> Option<Layer> {
    outbound.layer(slot, generation).or_else(|| Some(outbound.target(slot)?.layer))
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::codec::Codec;
    use crate::layers::Quality;
    use crate::packet::Packet;
    use crate::sdp::Offer;

    #[test]
    fn a_layer_that_the_line_does_not_carry_ends_before_the_smaller_one_has_come() {
        let offer = Offer::parse(include_str!("../../tests/data/chromium156-offer.sdp"), Codec::Vp8).unwrap();
        let (mut room, now) = (Room::new(mpsc::channel(1).0), Instant::now());
        let (slot, generation) = (Slot::camera(0).unwrap(), Generation(1));
        room.map(slot, generation, Some(ParticipantId(1))).unwrap();
        let mut outbound = Outbound::new(7, &offer.session, now);
        let [smallest, largest] = [Layer(0), Layer(2)].map(Quality::all_of);
        let mut qualities = [None; PICTURES];
        qualities[slot.index()] = Some(smallest);
        let allocation = Allocation { qualities, dropped: 0, wanted: 0 };
        // It sends the largest layer of 2.5 Mbit/s, and is to have the smallest.
        let mut meanwhile = |budget| {
            let mut key_frame = Packet::default();
            (key_frame.layer, key_frame.descriptor.starts_key_frame) = (largest.layer, true);
            outbound.sender(slot).forward(generation, &key_frame, Some(largest), now).unwrap();
            room.give(&mut outbound, &allocation, budget, now);
            (outbound.layer(slot, generation), room.wanted(slot))
        };
        let both = LayerSet::of([smallest.layer, largest.layer]);
        assert_eq!(meanwhile(2_000_000), (Some(largest.layer), both), "it goes on until the key frame");
        assert_eq!(meanwhile(500_000), (None, LayerSet::of([smallest.layer])), "that would wait behind it");
    }
}
