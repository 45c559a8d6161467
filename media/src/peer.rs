//! One client's connection: ICE, DTLS, SRTP, what it sends and what it receives.

use std::mem::offset_of;
use std::net::SocketAddr;
use std::time::Instant;

use arrayvec::ArrayVec;
use tracing::debug;

use crate::counters::{Distribution, DropReason, Tally};
use crate::dominant::Activity;
use crate::dtls::{Handshake, HandshakeError, Identity, Progress, Setup, SrtpSession};
use crate::fanout::Pending;
use crate::ice::{Credentials, Request, Ufrag};
use crate::ids::{ConnectionId, Layer, MediaKind, ParticipantId, RoomId};
use crate::inbound::Inbound;
use crate::limits;
use crate::outbound::{Outbound, Viewer};
use crate::outbox::Outbox;
use crate::plane::MediaEvent;
use crate::prefetch::{prefetch, prefetch_first};
use crate::profile::ProfileId;
use crate::room::Room;
use crate::rtcp;
use crate::sdp::Session;
use crate::speech::SpeechConfig;
use crate::srtp;

/// What the control plane tells of a new client.
pub struct PeerConfig {
    /// The room it is in.
    pub room: RoomId,
    /// Its number there.
    pub participant: ParticipantId,
    /// Which of the participant's connections this is; events carry it.
    pub connection: ConnectionId,
    /// The credentials in its answer.
    pub ice: Credentials,
    /// What offer and answer agreed upon.
    pub session: Session,
    /// The kinds it may send right now.
    pub permits: [bool; MediaKind::ALL.len()],
}

/// Why a peer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The client said goodbye in DTLS.
    Closed,
    /// No valid connectivity check for [`limits::CONSENT_EXPIRES`].
    ConsentExpired,
    /// Not connected within [`limits::CONNECT_WITHIN`].
    NotConnected,
    /// The DTLS handshake failed.
    HandshakeFailed,
    /// A bug of ours; only this peer pays for it.
    Internal,
}

/// What became of a peer while it was being looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Its media can flow from now on.
    Connected,
    /// It is over.
    Gone(Gone),
}

/// See the module.
#[repr(C, align(64))] // What every packet touches comes first: see `FIRST_BYTES`.
pub(crate) struct Peer {
    /// Where we send: the pair nominated last, or before any nomination the first one proved.
    remote: Option<SocketAddr>,
    pub(crate) participant: ParticipantId,
    pub(crate) room: RoomId,
    /// What it has in common with other viewers.
    pub(crate) profile: ProfileId,
    /// When it is looked after next.
    pub(crate) wake_at: Instant,
    /// The keys for what we send: media can flow once they are there.
    sender: Option<srtp::Sender>,
    pub(crate) outbound: Outbound,
    /// The keys for what the peer sends, there with the others.
    receiver: Option<srtp::Receiver>,
    /// Last valid connectivity check.
    checked: Instant,
    pub(crate) inbound: Inbound,
    pub(crate) session: Session,
    pub(crate) connection: ConnectionId,
    pub(crate) ice: Credentials,
    /// Credentials of an ICE restart that no check has used yet.
    next_ice: Option<Credentials>,
    /// Kept after the keys are there, to answer retransmitted flights and to hear goodbye.
    handshake: Handshake,
    created: Instant,
    /// First valid connectivity check.
    first_checked: Option<Instant>,
    /// Addresses proved by a connectivity check, oldest first.
    pub(crate) addresses: ArrayVec<SocketAddr, { limits::ADDRESSES_PER_PEER }>,
    nominated: bool,
    told_speaking: bool,
    told_activity: Activity,
    told_held: (u32, u32),
}

impl Peer {
    /// How many of its bytes a packet that leaves touches.
    const FIRST_BYTES: usize = offset_of!(Self, outbound) + Outbound::FIRST_BYTES;

    pub(crate) fn new(
        config: PeerConfig,
        profile: ProfileId,
        identity: &Identity,
        speech: SpeechConfig,
        seed: u64,
        now: Instant,
    ) -> Self {
        let handshake = Handshake::new(identity, Setup::Passive, config.session.fingerprint, now);
        Self {
            room: config.room,
            participant: config.participant,
            connection: config.connection,
            ice: config.ice,
            next_ice: None,
            handshake,
            sender: None,
            receiver: None,
            created: now,
            checked: now,
            first_checked: None,
            addresses: ArrayVec::new(),
            remote: None,
            nominated: false,
            inbound: Inbound::new(&config.session, config.connection, config.permits, speech, now),
            outbound: Outbound::new(seed, &config.session, now),
            session: config.session,
            profile,
            told_speaking: false,
            told_activity: Activity::SILENCE,
            told_held: (0, 0),
            wake_at: now,
        }
    }

    /// The peer as it is when its handshake is done.
    #[cfg(feature = "bench")]
    pub(crate) fn connected(mut self, srtp: SrtpSession, remote: SocketAddr) -> Self {
        self.take_keys(srtp);
        self.remote = Some(remote);
        self
    }

    pub(crate) fn is_up(&self) -> bool {
        self.sender.is_some()
    }

    /// The user fragments it answers to.
    pub(crate) fn ufrags(&self) -> impl Iterator<Item = Ufrag> {
        [Some(&self.ice), self.next_ice.as_ref()].into_iter().flatten().map(|ice| ice.ufrag)
    }

    /// Answers to `ice` too, and to nothing else once a check has come with it. Returns the user fragment of an earlier
    /// restart that nobody has used.
    pub(crate) fn restart_ice(&mut self, ice: Credentials) -> Option<Ufrag> {
        self.next_ice.replace(ice).map(|unused| unused.ufrag)
    }

    /// Answers a connectivity check from `from` that named this peer. Returns the address that is forgotten for it.
    pub(crate) fn handle_check(
        &mut self,
        request: &Request,
        from: SocketAddr,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Option<SocketAddr>, DropReason> {
        let is_named = |ice: &Credentials| ice.ufrag == request.ufrag();
        let named = self.next_ice.as_ref().filter(|ice| is_named(ice)).unwrap_or(&self.ice);
        request.authenticate(&named.pwd)?;
        if let Some(next) = self.next_ice.take_if(|ice| is_named(ice)) {
            self.ice = next;
        }
        let response = request.response(from, &self.ice.pwd).ok_or(DropReason::StunMalformed)?;
        out.send(from, &response);
        self.checked = now;
        if self.first_checked.is_none() {
            self.first_checked = Some(now);
            let waited = now.saturating_duration_since(self.created).as_micros() as u64;
            out.counters.measure(Distribution::FirstCheck, waited, 1);
        }
        let mut forgotten = None;
        if !self.addresses.contains(&from) {
            if self.addresses.is_full() {
                let oldest = self.addresses.iter().position(|address| Some(*address) != self.remote).unwrap_or(0);
                forgotten = Some(self.addresses.remove(oldest));
            }
            self.addresses.push(from);
        }
        if request.nominates() || (self.remote.is_none() && !self.nominated) {
            self.nominated |= request.nominates();
            if self.is_up() && self.remote != Some(from) {
                out.counters.add(Tally::AddressChanges, 1);
                self.outbound.moved(now);
                self.inbound.moved(now);
            }
            self.remote = Some(from);
        }
        Ok(forgotten)
    }

    /// Takes a DTLS datagram from a proved address.
    pub(crate) fn handle_dtls(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Instant,
        out: &mut Outbox,
    ) -> Option<Change> {
        // Answers go where the question came from: before the nomination that is the only path known to work.
        let result = self.handshake.handle_datagram(now, datagram, |reply| out.send(from, reply));
        self.progressed(result, now, out)
    }

    fn progressed(
        &mut self,
        result: Result<Progress, HandshakeError>,
        now: Instant,
        out: &mut Outbox,
    ) -> Option<Change> {
        match result {
            Ok(Progress::Going) => None,
            Ok(Progress::Closed) => Some(Change::Gone(Gone::Closed)),
            Ok(Progress::Done(srtp)) => {
                out.counters.add(Tally::Handshakes, 1);
                let began = self.first_checked.unwrap_or(self.created);
                let took = now.saturating_duration_since(began).as_micros() as u64;
                out.counters.measure(Distribution::Handshake, took, 1);
                self.take_keys(*srtp);
                Some(Change::Connected)
            }
            Err(error) => {
                out.counters.drop(match error {
                    HandshakeError::WrongFingerprint => DropReason::DtlsFingerprint,
                    HandshakeError::Failed | HandshakeError::NoKeys => DropReason::DtlsRejected,
                });
                // The keys are there: what somebody injects into the association afterwards ends nothing.
                (!self.is_up()).then_some(Change::Gone(Gone::HandshakeFailed))
            }
        }
    }

    fn take_keys(&mut self, keys: SrtpSession) {
        (self.sender, self.receiver) = (Some(keys.sender), Some(keys.receiver));
    }

    /// The keys to open what the peer sends.
    pub(crate) fn srtp_receiver(&mut self) -> Result<&mut srtp::Receiver, DropReason> {
        self.receiver.as_mut().ok_or(DropReason::NoKeys)
    }

    /// Asks for the memory that a packet to a viewer touches first.
    pub(crate) fn prefetch_near(&self) {
        prefetch_first(self, Self::FIRST_BYTES);
    }

    /// Asks for what that memory leads to: the expanded key, and the senders of the slots of `pending`.
    pub(crate) fn prefetch_far(&self, pending: &[Pending]) {
        self.sender.iter().for_each(srtp::Sender::prefetch_key);
        self.outbound.prefetch(pending);
    }

    /// Asks for the memory that a message of a viewer touches first.
    pub(crate) fn prefetch_listening(&self) {
        prefetch_first(self, Self::FIRST_BYTES);
        self.outbound.prefetch_due();
        prefetch(&self.receiver);
    }

    /// Asks for what that memory leads to: the key, what feedback changes, and the packets it is expected of.
    pub(crate) fn prefetch_heard(&self) {
        self.receiver.iter().for_each(srtp::Receiver::prefetch_for_rtcp);
        prefetch(&self.outbound.downlink);
        self.outbound.downlink.iter().for_each(|downlink| downlink.prefetch_latest());
    }

    /// Where to send and with what keys, together with what is received through it.
    pub(crate) fn viewer(&mut self) -> Option<Viewer<'_>> {
        let sender = self.sender.as_mut()?;
        Some(Viewer {
            participant: self.participant,
            remote: self.remote?,
            sender,
            session: &self.session,
            profile: self.profile,
            outbound: &mut self.outbound,
        })
    }

    pub(crate) fn send_rtcp(&mut self, mut compound: Vec<u8>, out: &mut Outbox) {
        if let (Some(sender), Some(remote)) = (&mut self.sender, self.remote) {
            sender.protect_rtcp(&mut compound);
            out.send(remote, &compound);
        }
    }

    /// Tells the room when the peer started or stopped speaking since it was last told, and how active it is when that
    /// is due. Silence is told once.
    pub(crate) fn report_speech(&mut self, room: &Room, now: Instant) {
        let speaking = self.inbound.is_speaking();
        let (participant, connection) = (self.participant, self.connection);
        if speaking != self.told_speaking && room.try_tell(MediaEvent::Speech { participant, connection, speaking }) {
            self.told_speaking = speaking;
        }
        let Some(activity) = self.inbound.activity_due(now) else { return };
        let silent = activity == Activity::SILENCE && self.told_activity == Activity::SILENCE;
        if !silent && room.try_tell(MediaEvent::Activity { participant, connection, activity }) {
            self.told_activity = activity;
        }
    }

    /// Tells the room which pictures the viewer's line does not carry, and which it cannot decode, when those are others
    /// than it was told.
    pub(crate) fn report_held(&mut self, room: &Room) {
        let (participant, connection) = (self.participant, self.connection);
        let (dropped, undecodable) = (self.outbound.dropped, self.outbound.undecodable);
        let told = || room.try_tell(MediaEvent::Held { participant, connection, dropped, undecodable });
        if (dropped, undecodable) != self.told_held && told() {
            self.told_held = (dropped, undecodable);
        }
    }

    /// Tells the room which layers are to be sent, where that has changed. At most as often as viewers change what they
    /// get, and one of the two sides of a change after seconds only.
    pub(crate) fn report_demand(&mut self, room: &mut Room, now: Instant) {
        let (participant, connection) = (self.participant, self.connection);
        for (kind, layers) in self.inbound.changes_of_demand(now) {
            let layers = std::array::from_fn(|layer| layers.contains(Layer(layer as u8)));
            room.tell(MediaEvent::Demand { participant, connection, kind, layers });
        }
    }

    /// Does what is due for the viewer's line: sends what waited for it, and probes it.
    pub(crate) fn tend_downlink(&mut self, room: &Room, now: Instant, out: &mut Outbox) {
        if let Some(downlink) = &mut self.outbound.downlink {
            downlink.handle_timeout(now);
        }
        let Some(mut viewer) = self.viewer() else { return };
        viewer.send_paced(|from| room.is_allowed(from), now, out);
        viewer.send_probe(now, out);
    }

    /// Takes transport-wide feedback of the viewer. Whether its line carries something else than before.
    ///
    /// # Errors
    /// [`DropReason::FeedbackFalse`] for what cannot be, or comes from somebody who does not get the numbers.
    pub(crate) fn feedback(&mut self, fci: &[u8], now: Instant) -> Result<bool, DropReason> {
        let downlink = self.outbound.downlink.as_mut().ok_or(DropReason::FeedbackFalse)?;
        downlink.feedback(fci, now)
    }

    /// What is thought of the viewer's line, for those who look into it.
    pub(crate) fn log_downlink(&self) {
        let Outbound { downlink: Some(downlink), dropped, .. } = &self.outbound else { return };
        let (participant, bitrate) = (self.participant.0, downlink.bitrate());
        debug!(participant, bitrate, held = dropped.count_ones(), ?downlink, "line");
    }

    /// Whether it is time for sender reports.
    pub(crate) fn reports_are_due(&self, now: Instant) -> bool {
        self.is_up() && self.outbound.next_report <= now
    }

    /// Sends sender reports for the room's slots. `now` is NTP time `ntp`.
    pub(crate) fn send_sender_reports(&mut self, room: &Room, now: Instant, ntp: u64, out: &mut Outbox) {
        self.outbound.next_report = now + limits::REPORT_INTERVAL;
        let Some(mut viewer) = self.viewer() else { return };
        let reports = viewer.sender_reports(room.clocks(), now, ntp);
        if !reports.is_empty() {
            let compound = reports.iter().flat_map(rtcp::sender_report).collect();
            self.send_rtcp(compound, out);
        }
    }

    /// Does what is due at `now` for the connection and the publisher; the viewer's reports are the worker's.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Outbox) -> Option<Change> {
        if now.saturating_duration_since(self.checked) >= limits::CONSENT_EXPIRES {
            out.counters.add(Tally::ConsentExpired, 1);
            return Some(Change::Gone(Gone::ConsentExpired));
        }
        if !self.is_up() {
            if now.saturating_duration_since(self.created) >= limits::CONNECT_WITHIN {
                return Some(Change::Gone(Gone::NotConnected));
            }
            let remote = self.remote;
            let send = |reply: &[u8]| {
                if let Some(remote) = remote {
                    out.send(remote, reply);
                }
            };
            let result = self.handshake.handle_timeout(now, send);
            return self.progressed(result, now, out);
        }
        for compound in self.inbound.due(now, out) {
            self.send_rtcp(compound, out);
        }
        None
    }

    /// When [`Peer::handle_timeout`] has something to do again.
    pub(crate) fn next_timeout(&self, now: Instant) -> Instant {
        let consent = self.checked + limits::CONSENT_EXPIRES;
        if self.is_up() {
            return consent.min(self.inbound.next_timeout()).min(self.outbound.next_timeout());
        }
        let connect = self.created + limits::CONNECT_WITHIN;
        let retransmit = self.handshake.next_timeout().filter(|at| *at > now);
        retransmit.map_or(connect, |at| at.min(connect)).min(consent)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::*;
    use crate::codec::Codec;
    use crate::ice::binding_request;
    use crate::ids::WorkerId;
    use crate::profile::Profiles;
    use crate::rtp::{AudioLevel, Header};
    use crate::sdp::Offer;
    use crate::udp;

    struct World {
        peer: Peer,
        out: Outbox,
        now: Instant,
    }

    impl World {
        fn new() -> Self {
            let offer = Offer::parse(include_str!("../tests/data/chromium156-offer.sdp"), Codec::Vp8).unwrap();
            let (ice, now) = (Credentials::random(WorkerId(0)).unwrap(), Instant::now());
            let config = PeerConfig {
                room: RoomId(0),
                participant: ParticipantId(1),
                connection: ConnectionId(1),
                ice,
                session: offer.session,
                permits: [false; 4],
            };
            let socket = udp::bind("127.0.0.1:0".parse().unwrap(), udp::Port::Own).unwrap();
            let profile = Profiles::default().enter(&config.session);
            let peer = Peer::new(config, profile, &Identity::generate().unwrap(), SpeechConfig::default(), 7, now);
            Self { peer, out: Outbox::new(socket), now }
        }

        fn check(&mut self, from: &str, nominate: bool) -> Result<Option<SocketAddr>, DropReason> {
            let check = binding_request("peer", self.peer.ice.ufrag.as_str(), &self.peer.ice.pwd, nominate).unwrap();
            let request = Request::parse(&check).unwrap();
            self.peer.handle_check(&request, from.parse().unwrap(), self.now, &mut self.out)
        }

        /// Plays a second of a level into the microphone, as packets that came out of SRTP.
        fn speak(&mut self, dbov: u8, room: &Room) {
            for _ in 0..50 {
                self.now += Duration::from_millis(20);
                // The offer names extensions 1 (level) and 4 (mid) and payload type 111.
                let level = AudioLevel { dbov, voice: false }.to_byte();
                let header = [0x90, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0xbe, 0xde, 0, 1, 0x10, level, 0x40, b'0'];
                let packet = [&header[..], &[9; 60]].concat();
                let Peer { inbound, session, .. } = &mut self.peer;
                let header = Header::parse(&packet).unwrap();
                let _ = inbound.receive(session, &header, &packet, self.now, &mut self.out);
                self.peer.report_speech(room, self.now);
            }
        }

        fn after(&mut self, seconds: u64) -> Option<Change> {
            self.now += Duration::from_secs(seconds);
            self.peer.handle_timeout(self.now, &mut self.out)
        }
    }

    #[test]
    fn a_room_hears_of_voices_three_times_a_second_and_of_silence_once() {
        let mut world = World::new();
        let (events, mut told) = mpsc::channel(100);
        let room = Room::new(events);
        let mut told = || {
            let told = std::iter::from_fn(|| told.try_recv().ok());
            told.map(|event| match event {
                MediaEvent::Speech { speaking: true, .. } => "starts",
                MediaEvent::Speech { speaking: false, .. } => "stops",
                MediaEvent::Activity { activity: Activity::SILENCE, .. } => "is silent",
                MediaEvent::Activity { .. } => "is active",
                _ => "else",
            })
            .collect::<Vec<_>>()
        };
        world.speak(20, &room);
        assert_eq!(told(), [""; 0], "the gate is closed");

        world.peer.inbound.permit(MediaKind::Mic, true);
        world.speak(90, &room);
        world.speak(127, &room);
        assert_eq!(told(), [""; 0], "a quiet room costs nothing");
        world.speak(20, &room);
        assert_eq!(told(), ["is active", "is active", "starts", "is active", "is active"]);
        world.speak(127, &room);
        world.speak(127, &room);
        assert_eq!(told(), ["is active", "is active", "stops", "is active", "is silent"], "the last second fades");

        world.speak(20, &room);
        told();

        world.peer.inbound.permit(MediaKind::Mic, false);
        world.peer.report_speech(&room, world.now);
        assert_eq!(told(), ["stops", "is silent"], "muted is silent at once");
        world.speak(20, &room);
        assert_eq!(told(), [""; 0]);
    }

    #[test]
    fn the_pair_is_always_the_last_one_nominated() {
        let mut world = World::new();
        let remote = |world: &World| world.peer.remote.map(|remote| remote.port());
        world.check("127.0.0.1:1", false).unwrap();
        assert_eq!(remote(&world), Some(1), "better than nothing");
        world.check("127.0.0.1:2", true).unwrap();
        world.check("127.0.0.1:3", false).unwrap();
        assert_eq!(remote(&world), Some(2), "a check without nomination moves nothing");
        world.check("127.0.0.1:3", true).unwrap();
        assert_eq!(remote(&world), Some(3));
        world.check("127.0.0.1:2", true).unwrap();
        assert_eq!(remote(&world), Some(2), "back again");
    }

    #[test]
    fn of_many_addresses_the_oldest_is_forgotten_but_never_the_one_in_use() {
        let mut world = World::new();
        world.check("127.0.0.1:1", true).unwrap();
        let forgotten: Vec<_> =
            (2..=10).filter_map(|port| world.check(&format!("127.0.0.1:{port}"), false).unwrap()).collect();
        assert_eq!(forgotten.iter().map(SocketAddr::port).collect::<Vec<_>>(), [2, 3]);
        assert!(world.peer.addresses.iter().any(|address| address.port() == 1));
    }

    #[test]
    fn after_an_ice_restart_the_old_credentials_hold_until_the_new_ones_are_used() {
        let mut world = World::new();
        let check = |world: &mut World, ice: &Credentials, from: &str| {
            let check = binding_request("peer", ice.ufrag.as_str(), &ice.pwd, true).unwrap();
            let request = Request::parse(&check).unwrap();
            world.peer.handle_check(&request, from.parse().unwrap(), world.now, &mut world.out).is_ok()
        };
        let (old, [first, second]) =
            (world.peer.ice.clone(), [(); 2].map(|()| Credentials::random(WorkerId(0)).unwrap()));
        assert_eq!(world.peer.restart_ice(first.clone()), None);
        assert_eq!(world.peer.restart_ice(second.clone()), Some(first.ufrag), "nobody used it");
        assert_eq!(world.peer.ufrags().collect::<Vec<_>>(), [old.ufrag, second.ufrag]);
        assert!(check(&mut world, &old, "127.0.0.1:1"));
        let forged = Credentials { pwd: old.pwd.clone(), ..second.clone() };
        assert!(!check(&mut world, &forged, "127.0.0.1:2"), "who only knows the ufrag restarts nothing");
        assert!(check(&mut world, &old, "127.0.0.1:1"));
        assert!(check(&mut world, &second, "127.0.0.1:2"));
        assert!(!check(&mut world, &old, "127.0.0.1:1"));
        assert_eq!(world.peer.ufrags().collect::<Vec<_>>(), [second.ufrag]);
        assert_eq!(world.peer.remote, Some("127.0.0.1:2".parse().unwrap()), "and media goes there");
    }

    #[test]
    fn a_peer_that_never_connects_is_removed() {
        let mut world = World::new();
        assert_eq!(world.after(19), None);
        assert_eq!(world.after(1), Some(Change::Gone(Gone::NotConnected)));
    }

    #[test]
    fn consent_expires_thirty_seconds_after_the_last_check() {
        let mut world = World::new();
        // It connects so late that only consent is left to judge it by.
        world.peer.created += Duration::from_secs(600);
        world.check("127.0.0.1:1", true).unwrap();
        assert_eq!(world.after(29), None);
        world.check("127.0.0.1:1", false).unwrap();
        assert_eq!(world.after(29), None);
        assert_eq!(world.after(1), Some(Change::Gone(Gone::ConsentExpired)));
        assert_eq!(world.out.counters.done(Tally::ConsentExpired), 1);
    }
}
