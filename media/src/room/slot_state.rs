//! A slot as every worker knows it.

use std::sync::Arc;
use std::time::Instant;

use crate::ids::{Generation, Layer, ParticipantId, Slot, WorkerId};
use crate::lane::Bursts;
use crate::layers::{self, LAYERS, LayerSet, Rates};
use crate::outbound::Occupied;
use crate::packet::{Packet, PacketRing};
use crate::red;
use crate::slot_sender::Known;
use crate::source::ClockPoint;

/// One layer of a slot's occupant.
#[derive(Default)]
struct LayerState {
    /// Its last packets, for retransmission; for pictures that have had one.
    ring: Option<Box<PacketRing>>,
    /// How its RTP clock relates to ours.
    clock: Option<ClockPoint>,
    /// Of the frame that came last.
    bursts: Option<Bursts>,
    /// The newest packet; of voices.
    newest: Option<Arc<Packet>>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct SlotState {
    pub(crate) generation: Generation,
    pub(crate) occupant: Option<ParticipantId>,
    /// The occupant may not send. Its own worker drops what it sends; this one drops what was on its way.
    pub(super) closed: bool,
    /// Grows with each occupant of a slot of the room.
    pub(super) entered: u64,
    /// What the occupant's layers take.
    pub(super) rates: Rates,
    layers: [LayerState; LAYERS],
    /// Viewers here that get a layer.
    takers: [u32; LAYERS],
    /// Layers that viewers here get, as the publisher and the other workers were told of this occupant.
    told: Option<LayerSet>,
    /// Layers that viewers elsewhere get, by worker.
    elsewhere: Vec<LayerSet>,
}

impl SlotState {
    /// The occupant, if `generation` is the slot's current one.
    pub(crate) fn occupied(&self, slot: Slot, generation: Generation) -> Option<Occupied> {
        let participant = self.occupant.filter(|_| self.generation == generation)?;
        Some(Occupied { slot, generation, participant })
    }

    /// Whether packets of `from` may still be forwarded.
    pub(super) fn is_allowed(&self, from: Occupied) -> bool {
        self.generation == from.generation && self.occupant == Some(from.participant) && !self.closed
    }

    /// The occupant may not send any more. Nothing of what it said is sent once more.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.layers.iter_mut().for_each(|layer| layer.newest = None);
    }

    /// `occupant` stands here, as `generation`. Returns the one before.
    pub(super) fn enter(
        &mut self,
        generation: Generation,
        occupant: Option<ParticipantId>,
        entered: u64,
    ) -> Option<ParticipantId> {
        (self.generation, self.closed, self.entered, self.rates) = (generation, false, entered, Rates::default());
        self.told = None;
        for layer in &mut self.layers {
            (layer.clock, layer.bursts, layer.newest) = (None, None, None);
            // Nothing of the old occupant is sent again.
            layer.ring.iter_mut().for_each(|ring| ring.clear());
        }
        std::mem::replace(&mut self.occupant, occupant)
    }

    /// Remembers a packet of a picture for retransmission.
    pub(super) fn remember(&mut self, packet: &Arc<Packet>, arrived: Instant) {
        let ring = &mut self.layers[usize::from(packet.layer.0)].ring;
        ring.get_or_insert_with(|| Box::new(PacketRing::new())).insert(Arc::clone(packet), arrived);
    }

    /// Takes `packet` of a voice as the newest, and gives the one right before it, if that can be sent once more with it.
    pub(super) fn follow(&mut self, packet: &Arc<Packet>) -> Option<Arc<Packet>> {
        let newest = &mut self.layers[usize::from(packet.layer.0)].newest;
        let before = newest.clone().filter(|before| red::can_carry(packet, before));
        if newest.as_ref().is_none_or(|newest| newest.stream != packet.stream || newest.seq < packet.seq) {
            *newest = Some(Arc::clone(packet));
        }
        before
    }

    /// A packet that can be sent again.
    pub(super) fn find(&self, known: Known) -> Option<&Packet> {
        let Known { stream, frames, seq, .. } = known;
        let rings = self.layers.iter().filter_map(|layer| layer.ring.as_ref());
        rings.filter_map(|ring| ring.get(stream, frames, seq)).map(Arc::as_ref).next()
    }

    /// Where the frame of `packet` is in its bursts.
    pub(super) fn burst(&mut self, packet: &Packet, arrived: Instant) -> Bursts {
        let bursts = &mut self.layers[usize::from(packet.layer.0)].bursts;
        *bursts.insert(Bursts::following(*bursts, packet.timestamp, arrived))
    }

    pub(super) fn set_clock(&mut self, layer: Layer, clock: ClockPoint) {
        self.layers[usize::from(layer.0)].clock = Some(clock);
    }

    /// The clocks of the occupant's layers that are known.
    pub(super) fn clocks(&self) -> impl Iterator<Item = ClockPoint> {
        self.layers.iter().filter_map(|layer| layer.clock)
    }

    /// A viewer here that got the layers `before` gets `after`.
    pub(super) fn take(&mut self, before: LayerSet, after: LayerSet) {
        for layer in after.without(before).iter() {
            self.takers[usize::from(layer.0)] += 1;
        }
        for layer in before.without(after).iter() {
            self.takers[usize::from(layer.0)] -= 1;
        }
    }

    /// Layers that somebody here gets, if that is not what was told.
    pub(super) fn news(&mut self) -> Option<LayerSet> {
        let taken = self.taken();
        (self.told.replace(taken) != Some(taken)).then_some(taken)
    }

    /// Layers that somebody here gets.
    pub(super) fn taken(&self) -> LayerSet {
        LayerSet::of((0..LAYERS as u8).map(Layer).filter(|layer| self.takers[usize::from(layer.0)] > 0))
    }

    /// Until they have said what they get of this occupant, viewers on these workers, a bit each, may get anything: the
    /// first picture does not wait for what they say.
    pub(super) fn expect(&mut self, workers: u64) {
        let worker = |n: u64| WorkerId(n as u8);
        (0..u64::from(u64::BITS)).filter(|n| workers >> n & 1 == 1).for_each(|n| {
            self.taken_elsewhere(worker(n), LayerSet::of(layers::all()));
        });
    }

    /// Viewers on another worker get `layers`.
    pub(super) fn taken_elsewhere(&mut self, worker: WorkerId, layers: LayerSet) {
        let worker = usize::from(worker.0);
        if self.elsewhere.len() <= worker {
            self.elsewhere.resize(worker + 1, LayerSet::default());
        }
        self.elsewhere[worker] = layers;
    }

    /// Layers that somebody gets, wherever.
    pub(super) fn wanted(&self) -> LayerSet {
        self.elsewhere.iter().fold(self.taken(), |all, layers| all.union(*layers))
    }
}
