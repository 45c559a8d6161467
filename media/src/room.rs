//! A worker's copy of a room: its slots, and the peers that live here.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use slab::Slab;
use tokio::sync::mpsc;

use crate::counters::{DropReason, Tally};
use crate::fanout::{Fanout, Pending};
use crate::ids::{Generation, MediaKind, ParticipantId, Slot, SlotSet};
use crate::limits;
use crate::outbound::Occupied;
use crate::outbox::Outbox;
use crate::packet::{Packet, PacketRing};
use crate::peer::Peer;
use crate::plane::MediaEvent;
use crate::profile::Profiles;
use crate::source::ClockPoint;
use crate::tick::{Expected, Flow, Rest, Tick};
use crate::view::View;

/// A slot as every worker knows it.
pub(crate) struct SlotState {
    pub(crate) generation: Generation,
    pub(crate) occupant: Option<ParticipantId>,
    /// Packets of the occupant, for retransmission; for video slots that have had one.
    ring: Option<PacketRing>,
    /// How the occupant's RTP clock relates to ours.
    clock: Option<ClockPoint>,
    /// The occupant may not send. Its own worker drops what it sends; this one drops what was on its way.
    closed: bool,
    /// RTP timestamp of the frame of which a part was forwarded last.
    frame: Option<u32>,
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
    /// Packets that wait for the tick.
    pending: Vec<Pending>,
    /// When they leave.
    pub(crate) flush_at: Option<Instant>,
    flow: Flow,
    /// What clients that follow are shown.
    pub(crate) view: View,
    /// Peers on this worker, by participant, as keys of the worker's peers.
    pub(crate) peers: BTreeMap<ParticipantId, usize>,
    /// Workers that have peers of this room, a bit each.
    pub(crate) workers: u64,
}

impl Room {
    pub(crate) fn new(events: mpsc::Sender<MediaEvent>) -> Self {
        let empty = |_| SlotState {
            generation: Generation(0),
            occupant: None,
            ring: None,
            clock: None,
            closed: false,
            frame: None,
        };
        Self {
            events,
            untold: VecDeque::new(),
            slots: Slot::all().map(empty).collect(),
            view: View::FIRST,
            pending: Vec::new(),
            flush_at: None,
            flow: Flow::new(),
            peers: BTreeMap::new(),
            workers: 0,
        }
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
        state.closed = false;
        state.frame = None;
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

    /// `participant` may, or may not, send `kind`.
    pub(crate) fn permit(&mut self, participant: ParticipantId, kind: MediaKind, permitted: bool) {
        for (slot, state) in Slot::all().zip(&mut self.slots) {
            if slot.kind() == kind && state.occupant == Some(participant) {
                state.closed = !permitted;
            }
        }
    }

    /// Takes a packet of `slot` that came at `arrived`, to be forwarded to every peer here when its wait is over.
    /// Returns when the room is to be flushed, if that is sooner than it was.
    ///
    /// # Errors
    /// [`DropReason::StaleGeneration`] when the slot has another occupant by now, [`DropReason::GateClosed`] when the
    /// occupant may not send any more.
    pub(crate) fn queue(
        &mut self,
        slot: Slot,
        generation: Generation,
        packet: Arc<Packet>,
        arrived: Instant,
        tick: &Tick,
    ) -> Result<Option<Instant>, DropReason> {
        let state = &mut self.slots[slot.index()];
        let from = state.occupied(slot, generation).ok_or(DropReason::StaleGeneration)?;
        if state.closed {
            return Err(DropReason::GateClosed);
        }
        if slot.kind().is_video() {
            state.ring.get_or_insert_with(PacketRing::new).insert(Arc::clone(&packet));
        }
        self.flow.note(slot, arrived);
        // The beginning of a frame goes ahead; what comes after it may wait for the end, as nothing is seen before that.
        let rest = match () {
            () if !slot.kind().is_video() || packet.marker => Rest::Nothing,
            () if state.frame == Some(packet.timestamp) => Rest::Frame,
            () => Rest::Burst,
        };
        let wait = tick.wait(slot.kind(), Expected { rest, others_per_second: self.flow.others(slot) });
        self.pending.push(Pending { from, packet, arrived });
        let due = if self.pending.len() < limits::PENDING_PACKETS { arrived + wait } else { arrived };
        let sooner = self.flush_at.is_none_or(|at| due < at);
        self.flush_at = if sooner { Some(due) } else { self.flush_at };
        Ok(self.flush_at.filter(|_| sooner))
    }

    /// Forgets what waits.
    pub(crate) fn drop_pending(&mut self) {
        self.pending.clear();
        self.flush_at = None;
    }

    /// Forwards what waits to every peer here, and returns how many packets that were.
    pub(crate) fn flush(
        &mut self,
        peers: &mut Slab<Box<Peer>>,
        profiles: &Profiles,
        fanout: &mut Fanout,
        now: Instant,
        out: &mut Outbox,
    ) -> Forwarded {
        let mut forwarded = Forwarded::default();
        self.flush_at = None;
        if self.pending.is_empty() {
            return forwarded;
        }
        fanout.begin();
        let keys = fanout.line_up(self.peers.values().copied());
        for n in 0..keys.len() {
            // What the next viewers need lies in three steps of memory, each found through the one before.
            let later = |steps: usize| keys.get(n + steps).and_then(|key| peers.get(*key));
            later(3).into_iter().for_each(|peer| peer.prefetch_whereabouts());
            later(2).into_iter().for_each(|peer| peer.prefetch_contents(&self.pending));
            later(1).into_iter().for_each(|peer| peer.outbound.prefetch(&self.pending));
            let Some(mut viewer) = peers.get_mut(keys[n]).and_then(|peer| peer.viewer()) else { continue };
            let batch = fanout.batch(viewer.profile, profiles, self.view, &self.pending);
            forwarded.copies += viewer.forward(batch, &self.pending, &mut forwarded.awaiting, now, out);
        }
        fanout.dismiss(keys);
        for Pending { from, packet, arrived } in self.pending.drain(..) {
            self.slots[from.slot.index()].frame = Some(packet.timestamp);
            out.note_written(arrived);
        }
        out.counters.add(Tally::PacketsForwarded, forwarded.copies);
        forwarded
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

/// What became of a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forwarded {
    /// Packets sent, counted for each viewer.
    pub(crate) copies: u64,
    /// Slots of which somebody has no picture before the next key frame.
    pub(crate) awaiting: SlotSet,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ids::ConnectionId;
    use crate::tick::tests::loaded;

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
    fn a_packet_of_an_occupant_that_is_gone_or_may_not_send_is_not_forwarded() {
        let mut room = Room::new(mpsc::channel(1).0);
        let slot = Slot::camera(0).unwrap();
        let (ann, now) = (ParticipantId(1), Instant::now());
        let queue = |room: &mut Room, generation| {
            let packet = Arc::new(Packet::default());
            room.queue(slot, Generation(generation), packet, now, &Tick::new(now)).map(|_| ())
        };
        room.map(slot, Generation(1), Some(ann)).unwrap();
        assert_eq!(queue(&mut room, 1), Ok(()));
        room.permit(ann, MediaKind::Camera, false);
        assert_eq!(queue(&mut room, 1), Err(DropReason::GateClosed), "on its way from another worker");
        room.permit(ann, MediaKind::Camera, true);
        assert_eq!(queue(&mut room, 1), Ok(()));
        room.map(slot, Generation(2), None).unwrap();
        assert_eq!(queue(&mut room, 1), Err(DropReason::StaleGeneration));
        assert_eq!(queue(&mut room, 2), Err(DropReason::StaleGeneration), "an empty slot forwards nothing");
    }

    #[test]
    fn a_tick_ends_when_the_first_of_its_packets_must_leave() {
        let mut room = Room::new(mpsc::channel(1).0);
        let (camera, voice) = (Slot::camera(0).unwrap(), Slot::voice(0).unwrap());
        let (start, ms) = (Instant::now(), Duration::from_millis);
        for slot in [camera, voice] {
            room.map(slot, Generation(1), Some(ParticipantId(1))).unwrap();
        }
        let tick = loaded(start);
        room.slots[camera.index()].frame = Some(0);
        let mut queue = |slot, at, marker| {
            let mut packet = Packet::default();
            packet.marker = marker;
            let packet = Arc::new(packet);
            room.queue(slot, Generation(1), packet, start + ms(at), &tick).unwrap().map(|due| due - start)
        };
        assert_eq!(queue(camera, 0, false), Some(ms(6)));
        assert_eq!(queue(camera, 1, false), None);
        assert_eq!(queue(voice, 2, false), Some(ms(2)), "nothing else is expected");
        assert_eq!(queue(camera, 2, false), None);
        let dues: Vec<_> = (0..limits::PENDING_PACKETS as u64).map(|_| queue(camera, 1, false)).collect();
        assert_eq!(dues.into_iter().flatten().next(), Some(ms(1)), "so many leave at once");
    }

    #[test]
    fn the_beginning_of_a_frame_goes_ahead_and_the_middle_waits_for_the_end() {
        let mut room = Room::new(mpsc::channel(1).0);
        let camera = Slot::camera(0).unwrap();
        let (now, tick) = (Instant::now(), loaded(Instant::now()));
        let mut out = Outbox::new(crate::udp::bind("127.0.0.1:0".parse().unwrap(), crate::udp::Port::Own).unwrap());
        room.map(camera, Generation(1), Some(ParticipantId(1))).unwrap();
        let mut waits = |timestamp, marker| {
            let mut packet = Packet::default();
            (packet.timestamp, packet.marker) = (timestamp, marker);
            let due = room.queue(camera, Generation(1), Arc::new(packet), now, &tick).unwrap().unwrap();
            room.flush(&mut Slab::new(), &Profiles::default(), &mut Fanout::default(), now, &mut out);
            due - now
        };
        let ms = Duration::from_millis;
        assert!(waits(3_000, false) < ms(1), "the beginning waits for its burst");
        assert_eq!(waits(3_000, false), ms(6), "the middle");
        assert_eq!(waits(3_000, true), ms(0), "the end");
        assert!(waits(6_000, false) < ms(1), "the next beginning");
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
