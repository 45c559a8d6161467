//! A worker's copy of a room: its slots, and the peers that live here.

mod shares;
mod slot_state;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use slab::Slab;
use tokio::sync::mpsc;

use crate::counters::{DropReason, Tally};
use crate::fanout::{BatchKind, Fanout, Pending};
use crate::ids::{Generation, Layer, MediaKind, ParticipantId, Slot};
use crate::lane::{LANES, Lane};
use crate::layers::StreamSet;
use crate::limits::DATAGRAM_OVERHEAD_BYTES;
use crate::outbound::Occupied;
use crate::outbox::Outbox;
use crate::packet::Packet;
use crate::peer::Peer;
use crate::plane::MediaEvent;
use crate::profile::Profiles;
use crate::rate::RateMeter;
use crate::rtp::OUTGOING_HEADER_MAX;
use crate::source::ClockPoint;
use crate::tick::{Expected, Flow, Rest, Tick};
use crate::view::View;

use self::shares::Dirty;
pub(crate) use self::shares::asked_layer;
pub(crate) use self::slot_state::SlotState;

/// See the module.
pub(crate) struct Room {
    events: mpsc::Sender<MediaEvent>,
    /// Events the control plane had no room for yet. At most two for each peer.
    untold: VecDeque<MediaEvent>,
    slots: Vec<SlotState>,
    lanes: [Lane; LANES],
    /// When the first of the packets that wait set out.
    pub(crate) due: Option<Instant>,
    /// Layers of which somebody has no picture before the next key frame.
    awaiting: StreamSet,
    /// Mappings so far.
    entered: u64,
    /// Keys of viewers some of whose packets wait for their line.
    pacing: Vec<usize>,
    dirty: Dirty,
    /// What all voices take, bit/s.
    voices: RateMeter,
    /// See [`Room::take_dropped`].
    dropped: u64,
    flow: Flow,
    /// What clients that follow are shown.
    pub(crate) view: View,
    /// Peers on this worker, by participant, as keys of the worker's peers.
    peers: BTreeMap<ParticipantId, usize>,
    /// Workers that have peers of this room, a bit each.
    pub(crate) workers: u64,
}

impl Room {
    pub(crate) fn new(events: mpsc::Sender<MediaEvent>) -> Self {
        Self {
            events,
            untold: VecDeque::new(),
            slots: Slot::all().map(|_| SlotState::default()).collect(),
            view: View::FIRST,
            lanes: Default::default(),
            due: None,
            awaiting: StreamSet::default(),
            entered: 0,
            pacing: Vec::new(),
            dirty: Dirty::default(),
            voices: RateMeter::default(),
            dropped: 0,
            flow: Flow::new(),
            peers: BTreeMap::new(),
            workers: 0,
        }
    }

    /// `participant` lives here, as `key`. Returns the key of the peer it replaces.
    pub(crate) fn add_peer(&mut self, participant: ParticipantId, key: usize) -> Option<usize> {
        let replaced = self.remove_peer(participant);
        self.peers.insert(participant, key);
        let fewest = self.lanes.iter_mut().min_by_key(|lane| lane.sweep.viewers());
        fewest.expect("a room has lanes").sweep.join(key);
        replaced
    }

    /// `participant` lives here no more. Returns its key.
    pub(crate) fn remove_peer(&mut self, participant: ParticipantId) -> Option<usize> {
        let key = self.peers.remove(&participant)?;
        self.lanes.iter_mut().for_each(|lane| lane.sweep.leave(key));
        Some(key)
    }

    /// The key of `participant`, if it lives here.
    pub(crate) fn peer(&self, participant: ParticipantId) -> Option<usize> {
        self.peers.get(&participant).copied()
    }

    /// Keys of everybody who lives here.
    pub(crate) fn peers(&self) -> impl Iterator<Item = usize> {
        self.peers.values().copied()
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

    /// Whether packets of `from` may still be forwarded.
    pub(crate) fn is_allowed(&self, from: Occupied) -> bool {
        self.slot(from.slot).is_allowed(from)
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
        self.entered += 1;
        let before = state.enter(generation, occupant, self.entered);
        self.note_change();
        Ok(before)
    }

    pub(crate) fn set_clock(&mut self, slot: Slot, generation: Generation, layer: Layer, clock: ClockPoint) {
        let state = &mut self.slots[slot.index()];
        if state.generation == generation {
            state.set_clock(layer, clock);
        }
    }

    /// `participant` may, or may not, send `kind`.
    pub(crate) fn permit(&mut self, participant: ParticipantId, kind: MediaKind, permitted: bool) {
        for (slot, state) in Slot::all().zip(&mut self.slots) {
            if slot.kind() == kind && state.occupant == Some(participant) {
                if permitted { state.closed = false } else { state.close() }
            }
        }
    }

    /// Takes a packet of `slot` that came at `arrived`, to be forwarded to every peer here when its wait is over.
    /// Returns when the first packets that wait set out, if that is sooner than it was.
    ///
    /// # Errors
    /// [`DropReason::StaleGeneration`] when the slot has another occupant by now, [`DropReason::GateClosed`] when the
    /// occupant may not send any more.
    pub(crate) fn queue(
        &mut self,
        slot: Slot,
        generation: Generation,
        packet: &Arc<Packet>,
        arrived: Instant,
        tick: &Tick,
    ) -> Result<Option<Instant>, DropReason> {
        let state = &mut self.slots[slot.index()];
        let from = state.occupied(slot, generation).ok_or(DropReason::StaleGeneration)?;
        if state.closed {
            return Err(DropReason::GateClosed);
        }
        let mut carried = None;
        if slot.kind().is_video() {
            state.remember(packet, arrived);
        } else {
            carried = state.follow(packet);
            let bytes = packet.payload().len() + OUTGOING_HEADER_MAX + DATAGRAM_OVERHEAD_BYTES;
            self.voices.count(bytes, arrived);
        }
        self.flow.note(slot, arrived);
        let others_per_second = self.flow.others(slot);
        let bursts = state.burst(packet, arrived);
        for (n, lane) in self.lanes.iter_mut().enumerate().filter(|(_, lane)| lane.sweep.viewers() > 0) {
            let ends = !slot.kind().is_video() || packet.marker;
            let rest = if ends { Rest::Nothing } else { bursts.rest(n) };
            let wait = tick.wait(slot.kind(), Expected { rest, others_per_second });
            lane.queue(Pending { from, packet: Arc::clone(packet), before: carried.clone(), arrived }, arrived + wait);
        }
        let first = self.first_due();
        let before = std::mem::replace(&mut self.due, first);
        Ok(self.due.filter(|due| before.is_none_or(|before| *due < before)))
    }

    fn first_due(&self) -> Option<Instant> {
        self.lanes.iter().filter_map(Lane::due).min()
    }

    /// Forgets what waits and what is on its way.
    pub(crate) fn drop_pending(&mut self) {
        self.lanes.iter_mut().for_each(Lane::stop);
        self.due = None;
    }

    /// Ends the ticks that are over at `now`: what waits sets out. Returns when the next one is over.
    pub(crate) fn begin_sweeps(&mut self, now: Instant) -> Option<Instant> {
        self.lanes.iter_mut().filter(|lane| lane.due().is_some_and(|due| due <= now)).for_each(Lane::begin);
        self.due = self.first_due();
        self.due
    }

    /// Ends all ticks.
    pub(crate) fn begin_all_sweeps(&mut self) {
        self.lanes.iter_mut().for_each(Lane::begin);
        self.due = None;
    }

    /// Whether nothing is on its way.
    pub(crate) fn is_swept(&self) -> bool {
        self.lanes.iter().all(|lane| lane.sweep.is_over())
    }

    /// Whether so much is on its way that nothing more should come.
    pub(crate) fn is_crowded(&self) -> bool {
        self.lanes.iter().any(|lane| lane.sweep.is_crowded())
    }

    /// Forwards what is on its way to some peers, and returns how many packets that were.
    pub(crate) fn sweep(
        &mut self,
        peers: &mut Slab<Box<Peer>>,
        profiles: &Profiles,
        fanout: &mut Fanout,
        now: Instant,
        out: &mut Outbox,
    ) -> u64 {
        let (mut copies, mut awaiting) = (0, StreamSet::default());
        // Whose oldest packet has waited longest: new packets for one lane do not keep the other waiting.
        let oldest = |lane: &&mut Lane| lane.sweep.packets().first().map(|packet| packet.arrived);
        let lanes = self.lanes.iter_mut().filter(|lane| !lane.sweep.is_over());
        let Some(Lane { sweep, .. }) = lanes.min_by_key(oldest) else { return 0 };
        fanout.begin();
        let (turns, packets) = (sweep.turns(), sweep.packets());
        let carries = packets.iter().any(|pending| pending.before.is_some());
        for n in 0..turns {
            // What the next viewers need lies in two steps of memory, the second found through the first.
            let later = |steps: usize| peers.get(sweep.key(n + steps)?);
            later(2).into_iter().for_each(|peer| peer.prefetch_near());
            later(1).into_iter().for_each(|peer| peer.prefetch_far(packets));
            let key = sweep.key(n);
            let Some(mut viewer) = key.and_then(|key| peers.get_mut(key)?.viewer()) else { continue };
            let kind =
                BatchKind { profile: viewer.profile, redundant: carries && viewer.outbound.is_sent_redundancy() };
            let batch = fanout.batch(kind, profiles, self.view, packets);
            copies += viewer.forward(batch, packets, &mut awaiting, now, out);
            if viewer.outbound.downlink.as_ref().is_some_and(|downlink| downlink.due().is_some()) {
                self.pacing.extend(key);
            }
        }
        sweep.served(turns).for_each(|Pending { arrived, .. }| out.note_written(arrived));
        out.counters.add(Tally::PacketsForwarded, copies);
        self.awaiting.merge(awaiting);
        copies
    }

    /// Keys of viewers some of whose packets wait for their line, since this was asked before.
    pub(crate) fn take_pacing(&mut self) -> impl Iterator<Item = usize> {
        self.pacing.drain(..)
    }

    /// Layers of which somebody has had no key frame yet, since this was asked before.
    pub(crate) fn take_awaiting(&mut self) -> StreamSet {
        std::mem::take(&mut self.awaiting)
    }

    /// Answers a NACK of `peer` for packets of `slot`: all of them, and then all once more where the line loses some.
    pub(crate) fn retransmit(&self, peer: &mut Peer, slot: Slot, mut lost: Vec<u16>, now: Instant, out: &mut Outbox) {
        let state = self.slot(slot);
        let Some(from) = state.occupied(slot, state.generation) else { return };
        let Some(mut viewer) = peer.viewer() else { return };
        for copy in 0..viewer.copies(from.slot) {
            lost.retain(|seq| {
                if !viewer.may_resend(from, copy, now) {
                    if copy == 0 {
                        out.counters.drop(DropReason::RetransmitLimited);
                    }
                    return false;
                }
                let sent = viewer.retransmit(from, *seq, |known| state.find(known), now, out);
                out.counters.add(if sent { Tally::Retransmitted } else { Tally::RetransmitMissed }, 1);
                sent
            });
        }
    }

    /// Slots whose occupant's clock is known.
    pub(crate) fn clocks(&self) -> impl Iterator<Item = (Slot, Generation, ClockPoint)> {
        self.slots().flat_map(|(slot, state)| state.clocks().map(move |clock| (slot, state.generation, clock)))
    }

    /// Occupied video slots, with their occupants.
    pub(crate) fn pictures(&self) -> impl Iterator<Item = (Slot, Generation, ParticipantId)> {
        let video = self.slots().filter(|(slot, _)| slot.kind().is_video());
        video.filter_map(|(slot, state)| Some((slot, state.generation, state.occupant?)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ids::ConnectionId;
    use crate::limits;
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
            room.queue(slot, Generation(generation), &packet, now, &Tick::new(now)).map(|_| ())
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
    fn what_a_voice_said_goes_with_what_it_says_next_but_not_past_a_gate_or_another_occupant() {
        let mut room = Room::new(mpsc::channel(1).0);
        let (slot, ann, now) = (Slot::voice(0).unwrap(), ParticipantId(1), Instant::now());
        room.add_peer(ParticipantId(2), 0);
        let carried = |room: &mut Room, generation: u32, seq: u64| {
            let mut packet = Packet::default();
            (packet.seq, packet.timestamp) = (seq, 960 * seq as u32);
            packet.set_payload(b"opus");
            room.queue(slot, Generation(generation), &Arc::new(packet), now, &Tick::new(now)).unwrap();
            room.begin_all_sweeps();
            let pending = room.lanes.iter().find_map(|lane| lane.sweep.packets().last()).unwrap();
            let before = pending.before.as_ref().map(|before| before.seq);
            room.drop_pending();
            before
        };
        room.map(slot, Generation(1), Some(ann)).unwrap();
        assert_eq!(
            [1, 2, 3, 5, 4, 6].map(|seq| carried(&mut room, 1, seq)),
            [None, Some(1), Some(2), None, None, Some(5)]
        );
        room.permit(ann, MediaKind::Mic, false);
        room.permit(ann, MediaKind::Mic, true);
        assert_eq!([7, 8].map(|seq| carried(&mut room, 1, seq)), [None, Some(7)]);
        room.map(slot, Generation(2), Some(ann)).unwrap();
        assert_eq!([9, 10].map(|seq| carried(&mut room, 2, seq)), [None, Some(9)]);
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
        room.add_peer(ParticipantId(2), 0);
        let mut queue = |slot, at, marker| {
            let mut packet = Packet::default();
            packet.marker = marker;
            let packet = Arc::new(packet);
            room.queue(slot, Generation(1), &packet, start + ms(at), &tick).unwrap().map(|due| due - start)
        };
        assert_eq!(queue(camera, 0, false), Some(limits::BURST_WAIT));
        assert_eq!(queue(camera, 0, false), None);
        assert_eq!(queue(voice, 0, false), Some(ms(0)), "nothing else is expected");
        assert_eq!(room.begin_sweeps(start), None);
        let mut queue = |at| {
            let packet = Arc::new(Packet::default());
            room.queue(camera, Generation(1), &packet, start + ms(at), &tick).unwrap().map(|due| due - start)
        };
        assert_eq!(queue(5), Some(ms(11)), "the second burst waits for the third");
        let dues: Vec<_> = (0..limits::PENDING_PACKETS as u64).map(|_| queue(6)).collect();
        assert_eq!(dues.into_iter().flatten().next(), Some(ms(6)), "so many leave at once");
    }

    #[test]
    fn a_room_without_viewers_here_keeps_nothing() {
        let mut room = Room::new(mpsc::channel(1).0);
        let (camera, now) = (Slot::camera(0).unwrap(), Instant::now());
        room.map(camera, Generation(1), Some(ParticipantId(1))).unwrap();
        let queued = room.queue(camera, Generation(1), &Arc::new(Packet::default()), now, &Tick::new(now));
        assert_eq!(queued, Ok(None));
        room.begin_all_sweeps();
        assert!(room.is_swept());
    }

    #[test]
    fn two_viewers_are_in_different_lanes_and_get_the_bursts_of_a_frame_in_different_pairs() {
        let mut room = Room::new(mpsc::channel(1).0);
        let (camera, start, ms) = (Slot::camera(0).unwrap(), Instant::now(), Duration::from_millis);
        let tick = loaded(start);
        room.map(camera, Generation(1), Some(ParticipantId(1))).unwrap();
        room.add_peer(ParticipantId(2), 0);
        room.add_peer(ParticipantId(3), 1);
        let mut sweeps = Vec::new();
        for (at, marker) in [(0, false), (5, false), (10, true)] {
            let mut packet = Packet::default();
            (packet.seq, packet.marker) = (at, marker);
            let now = start + ms(at);
            room.queue(camera, Generation(1), &Arc::new(packet), now, &tick).unwrap();
            room.begin_sweeps(now + limits::BURST_WAIT);
            for (n, lane) in room.lanes.iter_mut().enumerate() {
                let seqs: Vec<_> = lane.sweep.packets().iter().map(|pending| pending.packet.seq).collect();
                sweeps.extend((!seqs.is_empty()).then_some((n, seqs)));
                lane.sweep.stop();
            }
        }
        assert_eq!(sweeps, [(0, vec![0]), (1, vec![0, 5]), (0, vec![5, 10]), (1, vec![10])]);
    }

    #[test]
    fn new_packets_for_one_lane_do_not_keep_the_other_waiting() {
        let mut room = Room::new(mpsc::channel(1).0);
        let (voice, start, ms) = (Slot::voice(0).unwrap(), Instant::now(), Duration::from_millis);
        let (mut peers, profiles, tick) = (Slab::new(), Profiles::default(), Tick::new(start));
        let mut out = Outbox::new(crate::udp::bind("127.0.0.1:0".parse().unwrap(), crate::udp::Port::Own).unwrap());
        room.map(voice, Generation(1), Some(ParticipantId(1))).unwrap();
        room.add_peer(ParticipantId(2), 0);
        room.add_peer(ParticipantId(3), 1);
        let mut swept = Vec::new();
        for at in 0..3 {
            room.queue(voice, Generation(1), &Arc::new(Packet::default()), start + ms(at), &tick).unwrap();
            room.begin_sweeps(start + ms(at));
            room.sweep(&mut peers, &profiles, &mut Fanout::default(), start, &mut out);
            swept.push(room.lanes.each_ref().map(|lane| lane.sweep.packets().len()));
        }
        assert_eq!(swept, [[0, 1], [1, 0], [0, 1]]);
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
