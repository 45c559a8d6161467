//! A worker's copy of a room: its slots, and the peers that live here.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use crate::counters::{DropReason, Tally};
use crate::ids::{Generation, ParticipantId, Slot};
use crate::outbound::Occupied;
use crate::outbox::Outbox;
use crate::packet::{Packet, PacketRing};
use crate::peer::Peer;
use crate::plane::MediaEvent;
use crate::source::ClockPoint;

/// A slot as every worker knows it.
pub(crate) struct SlotState {
    pub(crate) generation: Generation,
    pub(crate) occupant: Option<ParticipantId>,
    /// Packets of the occupant, for retransmission; for video slots that have had one.
    ring: Option<PacketRing>,
    /// How the occupant's RTP clock relates to ours.
    clock: Option<ClockPoint>,
}

impl SlotState {
    /// The occupant, if `generation` is the slot's current one.
    fn occupied(&self, slot: Slot, generation: Generation) -> Option<Occupied> {
        let participant = self.occupant.filter(|_| self.generation == generation)?;
        Some(Occupied { slot, generation, participant })
    }
}

/// See the module.
pub(crate) struct Room {
    events: mpsc::Sender<MediaEvent>,
    /// Events the control plane had no room for yet. At most two for each peer.
    untold: VecDeque<MediaEvent>,
    slots: Vec<SlotState>,
    /// Peers on this worker, by participant, as keys of the worker's peers.
    pub(crate) peers: BTreeMap<ParticipantId, usize>,
    /// Workers that have peers of this room, a bit each.
    pub(crate) workers: u64,
}

impl Room {
    pub(crate) fn new(events: mpsc::Sender<MediaEvent>) -> Self {
        let empty = |_| SlotState { generation: Generation(0), occupant: None, ring: None, clock: None };
        let (slots, peers) = (Slot::all().map(empty).collect(), BTreeMap::new());
        Self { events, untold: VecDeque::new(), slots, peers, workers: 0 }
    }

    /// Tells the control plane, at once or when it has caught up.
    pub(crate) fn tell(&mut self, event: MediaEvent) {
        self.untold.push_back(event);
        self.tell_untold();
    }

    /// Tells what the control plane had no room for.
    pub(crate) fn tell_untold(&mut self) {
        while let Some(event) = self.untold.front() {
            if !self.try_tell(*event) {
                return;
            }
            self.untold.pop_front();
        }
    }

    /// Tells a state that can be told again. False when the control plane has no room for it.
    pub(crate) fn try_tell(&self, event: MediaEvent) -> bool {
        !matches!(self.events.try_send(event), Err(mpsc::error::TrySendError::Full(_)))
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = (Slot, &SlotState)> {
        Slot::all().zip(&self.slots)
    }

    pub(crate) fn slot(&self, slot: Slot) -> &SlotState {
        &self.slots[slot.index()]
    }

    /// Gives the slot to `occupant`. Returns the one before; an error when the mapping is older than the slot's.
    pub(crate) fn map(
        &mut self,
        slot: Slot,
        generation: Generation,
        occupant: Option<ParticipantId>,
    ) -> Result<Option<ParticipantId>, DropReason> {
        let state = &mut self.slots[slot.index()];
        if generation <= state.generation {
            return Err(DropReason::StaleGeneration);
        }
        state.generation = generation;
        state.clock = None;
        // Nothing of the old occupant is sent again.
        if let Some(ring) = &mut state.ring {
            ring.clear();
        }
        Ok(std::mem::replace(&mut state.occupant, occupant))
    }

    pub(crate) fn set_clock(&mut self, slot: Slot, generation: Generation, clock: ClockPoint) {
        let state = &mut self.slots[slot.index()];
        if state.generation == generation {
            state.clock = Some(clock);
        }
    }

    /// Forwards a packet of `slot` to every peer here.
    ///
    /// # Errors
    /// [`DropReason::StaleGeneration`] when the slot has another occupant by now.
    pub(crate) fn fan_out(
        &mut self,
        peers: &mut slab::Slab<Peer>,
        slot: Slot,
        generation: Generation,
        packet: &Arc<Packet>,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Served, DropReason> {
        let state = &mut self.slots[slot.index()];
        let from = state.occupied(slot, generation).ok_or(DropReason::StaleGeneration)?;
        if slot.kind().is_video() {
            state.ring.get_or_insert_with(PacketRing::new).insert(Arc::clone(packet));
        }
        let (mut forwarded, mut served) = (0, Served::All);
        for (participant, key) in &self.peers {
            if *participant == from.participant {
                continue;
            }
            let Some(mut viewer) = peers.get_mut(*key).and_then(Peer::viewer) else { continue };
            if viewer.forward(from, packet, now, out) {
                forwarded += 1;
            } else if viewer.awaits_key_frame(from, packet.stream) {
                served = Served::SomeAwaitKeyFrame;
            }
        }
        out.counters.add(Tally::PacketsForwarded, forwarded);
        Ok(served)
    }

    /// Answers a NACK of `peer` for packets of `slot`.
    pub(crate) fn retransmit(&self, peer: &mut Peer, slot: Slot, lost: &[u16], now: Instant, out: &mut Outbox) {
        let state = self.slot(slot);
        let (Some(from), Some(ring)) = (state.occupied(slot, state.generation), &state.ring) else { return };
        let Some(mut viewer) = peer.viewer() else { return };
        for seq in lost {
            if !viewer.may_resend(now) {
                out.counters.drop(DropReason::RetransmitLimited);
                continue;
            }
            let find = |stream, seq| ring.get(stream, seq).map(Arc::as_ref);
            let sent = viewer.retransmit(from, *seq, find, out);
            out.counters.add(if sent { Tally::Retransmitted } else { Tally::RetransmitMissed }, 1);
        }
    }

    /// Slots whose occupant's clock is known.
    pub(crate) fn clocks(&self) -> impl Iterator<Item = (Slot, Generation, ClockPoint)> {
        self.slots().filter_map(|(slot, state)| Some((slot, state.generation, state.clock?)))
    }

    /// Occupied video slots, with their occupants.
    pub(crate) fn pictures(&self) -> impl Iterator<Item = (Slot, Generation, ParticipantId)> {
        let video = self.slots().filter(|(slot, _)| slot.kind().is_video());
        video.filter_map(|(slot, state)| Some((slot, state.generation, state.occupant?)))
    }
}

/// Whether everyone can go on after a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// Everyone who receives the slot got the packet.
    All,
    /// Somebody has no picture of the occupant yet.
    SomeAwaitKeyFrame,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ConnectionId;

    #[test]
    fn of_two_mappings_the_greater_generation_stands_whatever_order_they_come_in() {
        let mut room = Room::new(mpsc::channel(1).0);
        let slot = Slot::camera(3).unwrap();
        let (ann, ben) = (Some(ParticipantId(1)), Some(ParticipantId(2)));
        assert_eq!(room.map(slot, Generation(1), ann), Ok(None));
        assert_eq!(room.map(slot, Generation(3), ben), Ok(ann));
        assert_eq!(room.map(slot, Generation(2), ann), Err(DropReason::StaleGeneration));
        assert_eq!(room.map(slot, Generation(3), ann), Err(DropReason::StaleGeneration));
        assert_eq!(room.slot(slot).occupant, ben);
    }

    #[test]
    fn a_packet_of_an_occupant_that_is_gone_is_not_forwarded() {
        let mut room = Room::new(mpsc::channel(1).0);
        let slot = Slot::camera(0).unwrap();
        let mut out = Outbox::new(crate::socket::bind("127.0.0.1:0".parse().unwrap()).unwrap());
        let (packet, now) = (Arc::new(Packet::default()), Instant::now());
        let mut forward = |room: &mut Room, generation| {
            room.fan_out(&mut slab::Slab::new(), slot, Generation(generation), &packet, now, &mut out)
        };
        room.map(slot, Generation(1), Some(ParticipantId(1))).unwrap();
        assert_eq!(forward(&mut room, 1), Ok(Served::All));
        room.map(slot, Generation(2), None).unwrap();
        assert_eq!(forward(&mut room, 1), Err(DropReason::StaleGeneration));
        assert_eq!(forward(&mut room, 2), Err(DropReason::StaleGeneration), "an empty slot forwards nothing");
    }

    #[test]
    fn what_the_control_plane_had_no_room_for_is_told_later_and_in_order() {
        let (events, mut told) = mpsc::channel(1);
        let mut room = Room::new(events);
        let connected = |n| MediaEvent::Connected { participant: ParticipantId(n), connection: ConnectionId(1) };
        (1..=3).for_each(|n| room.tell(connected(n)));
        for n in 1..=3 {
            assert_eq!(told.try_recv(), Ok(connected(n)));
            room.tell_untold();
        }
    }
}
