//! What the control plane tells a worker.

use std::net::SocketAddr;
use std::time::Instant;

use tokio::sync::mpsc;
use tracing::debug;

use super::Worker;
use crate::ids::{ParticipantId, RoomId};
use crate::peer::{Peer, PeerConfig};
use crate::plane::{Command, RoomChange};
use crate::room::Room;

impl Worker {
    /// Carries out what was commanded. False when there is nobody left to command.
    pub(super) fn handle_commands(&mut self, now: Instant) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.handle_command(command, now),
                Err(mpsc::error::TryRecvError::Empty) => return true,
                Err(mpsc::error::TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn handle_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::OpenRoom { room, events } => {
                self.rooms.insert(room, Room::new(events));
            }
            Command::CloseRoom { room } => {
                let keys = self.rooms.remove(&room).map(|room| room.peers().collect::<Vec<_>>());
                keys.into_iter().flatten().for_each(|key| self.forget_peer(key));
            }
            Command::Connect(config) => self.connect(*config, now),
            Command::Disconnect { room, participant } => {
                if let Some(key) = self.rooms.get_mut(&room).and_then(|room| room.remove_peer(participant)) {
                    self.forget_peer(key);
                }
            }
            Command::RestartIce { room, participant, connection, ice } => {
                let key = self.rooms.get(&room).and_then(|room| room.peer(participant));
                let peer = key.and_then(|key| Some((key, self.peers.get_mut(key)?)));
                if let Some((key, peer)) = peer.filter(|(_, peer)| peer.connection == connection) {
                    self.by_ufrag.insert(ice.ufrag, key);
                    if let Some(unused) = peer.restart_ice(ice) {
                        self.by_ufrag.remove(&unused);
                    }
                }
            }
            Command::Workers { room, workers } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.workers = workers;
                }
            }
            Command::Watch { room: id, participant, wishes } => {
                let Some(room) = self.rooms.get_mut(&id) else { return };
                let peer = room.peer(participant).and_then(|key| self.peers.get_mut(key));
                let Some(peer) = peer else { return };
                peer.outbound.wishes = wishes;
                if peer.is_up() {
                    room.share(participant, &mut peer.outbound, now);
                    self.tell_taken(id);
                }
            }
            // `applied` reports back when the last worker has dropped it.
            Command::Change { room, changes, applied } => {
                // What came before the change is forwarded as it was before, and has left when the change is told.
                self.flush_room(room, now);
                self.out.flush();
                changes.iter().for_each(|change| self.change(room, *change, now));
                if self.rooms.get(&room).is_some_and(Room::is_changed) {
                    self.share_room(room, now);
                }
                drop(applied);
            }
        }
    }

    fn connect(&mut self, config: PeerConfig, now: Instant) {
        let Some(room) = self.rooms.get_mut(&config.room) else { return };
        let (room_id, participant, ufrag) = (config.room, config.participant, config.ice.ufrag);
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let profile = self.profiles.enter(&config.session);
        let mut peer = Peer::new(config, profile, &self.identity, self.speech, self.seed, now);
        for (slot, state) in room.slots().filter(|(_, state)| state.occupant == Some(participant)) {
            peer.inbound.map(slot, state.generation);
            peer.inbound.want_layers(slot.kind(), room.wanted(slot));
        }
        peer.outbound.view = peer.session.follows.then_some(room.view);
        peer.wake_at = peer.next_timeout(now);
        let wake_at = peer.wake_at;
        let key = self.peers.insert(Box::new(peer));
        self.timers.schedule(wake_at, key);
        self.by_ufrag.insert(ufrag, key);
        if let Some(replaced) = room.add_peer(participant, key) {
            self.forget_peer(replaced);
        }
        debug!(room = room_id.0, participant = participant.0, "peer added");
    }

    /// Removes a peer that its room does not list any more.
    pub(super) fn forget_peer(&mut self, key: usize) {
        let Some(mut peer) = self.peers.try_remove(key) else { return };
        if let Some(room) = self.rooms.get_mut(&peer.room) {
            room.take_back(&mut peer.outbound);
            self.tell_taken(peer.room);
        }
        for ufrag in peer.ufrags() {
            self.by_ufrag.remove(&ufrag);
        }
        self.profiles.leave(peer.profile);
        for address in peer.addresses {
            if self.by_address.get(&address) == Some(&key) {
                self.forget_address(address);
            }
        }
        self.shared.iter_mut().for_each(|shared| shared.forget_peer(key));
    }

    pub(super) fn forget_address(&mut self, address: SocketAddr) {
        self.by_address.remove(&address);
        self.shared.iter_mut().for_each(|shared| shared.release(address));
    }

    fn change(&mut self, room: RoomId, change: RoomChange, now: Instant) {
        let Some(state) = self.rooms.get_mut(&room) else { return };
        match change {
            RoomChange::Permit { participant, kind, permitted } => {
                state.permit(participant, kind, permitted);
                let Some(key) = state.peer(participant) else { return };
                if let Some(peer) = self.peers.get_mut(key) {
                    peer.inbound.permit(kind, permitted);
                    // Muted is silent at once, not when the peer is next looked after.
                    peer.report_speech(state, now);
                    self.attend_sooner(key, now);
                }
            }
            RoomChange::Show(view) => {
                state.view = view;
                state.note_change();
                for key in state.peers() {
                    let shown = self.peers.get_mut(key).and_then(|peer| peer.outbound.view.as_mut());
                    shown.into_iter().for_each(|shown| *shown = view);
                }
            }
            RoomChange::Map { slot, generation, occupant } => {
                let before = match state.map(slot, generation, occupant) {
                    Ok(before) => before,
                    Err(reason) => return self.out.counters.drop(reason),
                };
                state.expect(slot, state.workers & !(1 << self.worker.0));
                let keys = |participant: Option<ParticipantId>| state.peer(participant?);
                if let Some(peer) = keys(before).and_then(|key| self.peers.get_mut(key)) {
                    peer.inbound.unmap(slot);
                }
                if let Some(peer) = keys(occupant).and_then(|key| self.peers.get_mut(key)) {
                    peer.inbound.map(slot, generation);
                    peer.inbound.want_layers(slot.kind(), state.wanted(slot));
                    peer.inbound.want_key_frame(slot.kind(), None, now);
                }
            }
        }
    }
}
