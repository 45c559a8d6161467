//! One client of the TURN server, without I/O. The protocol is `turn-server-proto`'s, which takes any user it is told of
//! and any peer; decided here is who may relay, and that it is to this server's media and to nothing else.
//!
//! In go [`Session::handle_client`] and [`Session::handle_worker`]; after each, [`Session::poll`] until it says to wait,
//! then [`Session::transmit`] until there is nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use turn_server_proto::api::{SocketAllocateError, Transmit, TurnServerApi as _, TurnServerPollRet};
use turn_server_proto::server::TurnServer;
use turn_server_proto::types::attribute::XorPeerAddress;
use turn_server_proto::types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, SEND};
use turn_server_proto::types::stun::attribute::{ErrorCode, Username};
use turn_server_proto::types::stun::message::{
    BINDING, LongTermKeyCredentials, Message, MessageIntegrityCredentials, MessageWriteVec,
};
use turn_server_proto::types::stun::prelude::{
    Attribute as _, AttributeFromRaw as _, AttributeStaticType as _, MessageWrite as _, MessageWriteExt as _,
};
use turn_server_proto::types::{AddressFamily, Instant as TurnInstant, TransportType};

use super::Relaying;
use crate::counters::TurnRefusal;
use crate::limits;

/// Realm of the credentials (RFC 8489 §9.2): any word; short, as refusals carry it to addresses that are not proved yet.
const REALM: &str = "dais";

/// Where a message goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Output {
    Client(Vec<u8>),
    /// To the socket of a worker, from the client's relay.
    Worker {
        to: SocketAddr,
        datagram: Vec<u8>,
    },
}

/// What the session needs done, or how long it needs nothing.
pub(super) enum Step {
    /// A relay; [`Session::allocated`] takes its port.
    Allocate(Wanted),
    /// The relay is of no more use.
    Close,
    Wait(Instant),
}

/// A relay that is asked for.
pub(super) struct Wanted {
    family: AddressFamily,
}

/// See the module.
pub(super) struct Session {
    server: TurnServer,
    relaying: Arc<Relaying>,
    /// Where the client is served.
    local: SocketAddr,
    client: SocketAddr,
    /// When the session began: what the protocol counts time from.
    base: Instant,
    /// The client's proved credentials.
    user: Option<LongTermKeyCredentials>,
    relayed: Option<SocketAddr>,
    /// As which of its addresses the client knows a worker's socket.
    known: Vec<(SocketAddr, SocketAddr)>,
    /// What an unproved client may still be answered.
    answers: u8,
}

impl Session {
    pub(super) fn new(relaying: Arc<Relaying>, local: SocketAddr, client: SocketAddr, now: Instant) -> Self {
        // Whatever the client comes over: framing and TCP are not the protocol's here, and relays over TCP (RFC 6062)
        // are refused to clients on UDP.
        let server = TurnServer::new(TransportType::Udp, local, REALM.to_owned());
        let answers = limits::TURN_UNPROVED_ANSWERS;
        Self { server, relaying, local, client, base: now, user: None, relayed: None, known: Vec::new(), answers }
    }

    /// Whether the client has a relay.
    pub(super) fn has_relay(&self) -> bool {
        self.relayed.is_some()
    }

    /// Takes a message of the client.
    ///
    /// # Errors
    /// The reason it is refused, to be counted; an answer may tell the client, too.
    pub(super) fn handle_client(
        &mut self,
        message: &[u8],
        now: Instant,
        wall: SystemTime,
    ) -> (Option<Output>, Option<TurnRefusal>) {
        let mut refused = None;
        if let Ok(message) = Message::from_bytes(message) {
            match self.examine(&message, wall) {
                Ok(()) => {}
                // The protocol itself answers these, and how.
                Err(TurnRefusal::Credentials) => refused = Some(TurnRefusal::Credentials),
                Err(refusal) => return (self.forbidden(&message).map(Output::Client), Some(refusal)),
            }
        }
        let transmit = Transmit::new(message, TransportType::Udp, self.client, self.local);
        let Some(answer) = self.server.recv(transmit, self.turn_time(now)).map(|answer| answer.build()) else {
            return (None, refused);
        };
        if answer.from == self.local {
            return (self.answer(answer.data).map(Output::Client), refused);
        }
        let Some(worker) = self.relaying.worker(answer.to) else { return (None, Some(TurnRefusal::PeerForbidden)) };
        if !self.known.contains(&(worker, answer.to)) {
            self.known.retain(|(known, _)| *known != worker);
            self.known.push((worker, answer.to));
        }
        (Some(Output::Worker { to: worker, datagram: answer.data }), refused)
    }

    /// Takes a datagram that came to the relay, and returns what the client gets of it.
    pub(super) fn handle_worker(&mut self, from: SocketAddr, datagram: &[u8], now: Instant) -> Option<Vec<u8>> {
        let (_, known_as) = self.known.iter().find(|(worker, _)| *worker == from)?;
        let transmit = Transmit::new(datagram, TransportType::Udp, *known_as, self.relayed?);
        Some(self.server.recv(transmit, self.turn_time(now))?.build().data)
    }

    /// What is to be done next.
    pub(super) fn poll(&mut self, now: Instant) -> Step {
        loop {
            match self.server.poll(self.turn_time(now)) {
                TurnServerPollRet::AllocateSocket { family, .. } => return Step::Allocate(Wanted { family }),
                TurnServerPollRet::SocketClose { .. } => {
                    self.relayed = None;
                    return Step::Close;
                }
                TurnServerPollRet::WaitUntil(at) => {
                    return Step::Wait(self.base + at.duration_since(TurnInstant::from_nanos(0)));
                }
                TurnServerPollRet::TcpConnect { .. } | TurnServerPollRet::TcpClose { .. } => {}
            }
        }
    }

    /// The relay that was asked for has this port, or there is none.
    pub(super) fn allocated(&mut self, wanted: &Wanted, port: Option<u16>, now: Instant) {
        let address = self.relaying.address(wanted.family == AddressFamily::IPV4);
        // One relay is all a client of this server needs.
        let relayed = match (address, port.filter(|_| self.relayed.is_none())) {
            (None, _) => Err(SocketAllocateError::AddressFamilyNotSupported),
            (_, None) => Err(SocketAllocateError::InsufficientCapacity),
            (Some(ip), Some(port)) => Ok(SocketAddr::new(ip, port)),
        };
        self.relayed = self.relayed.or(relayed.ok());
        let (udp, now) = (TransportType::Udp, self.turn_time(now));
        self.server.allocated_socket(udp, self.local, self.client, udp, wanted.family, relayed, now);
    }

    /// The next message for the client.
    pub(super) fn transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        Some(self.server.poll_transmit(self.turn_time(now))?.data)
    }

    /// Whether `message` may be taken by the protocol.
    fn examine(&mut self, message: &Message<'_>, wall: SystemTime) -> Result<(), TurnRefusal> {
        let method = message.method();
        if method == BINDING {
            return Err(TurnRefusal::NotTurn);
        }
        if method == ALLOCATE && !self.has_relay() && message.attribute::<Username>().is_ok() {
            self.prove(message, wall)?;
        }
        if [CREATE_PERMISSION, CHANNEL_BIND, SEND].contains(&method) {
            // RFC 8656 §9.1: permissions are for addresses, whatever the port.
            let allowed = |peer: SocketAddr| match method {
                CREATE_PERMISSION => self.relaying.has_ip(peer.ip()),
                _ => self.relaying.worker(peer).is_some(),
            };
            let mut peers =
                message.iter_attributes().filter(|(_, attribute)| attribute.get_type() == XorPeerAddress::TYPE);
            let allowed = peers.all(|(_, attribute)| {
                let peer = XorPeerAddress::from_raw(attribute).ok();
                peer.is_none_or(|peer| allowed(peer.addr(message.transaction_id())))
            });
            return if allowed { Ok(()) } else { Err(TurnRefusal::PeerForbidden) };
        }
        Ok(())
    }

    /// Tells the protocol of the user who sent `message`, if they have a password of this server.
    fn prove(&mut self, message: &Message<'_>, wall: SystemTime) -> Result<(), TurnRefusal> {
        let username = message.attribute::<Username>().map_err(|_| TurnRefusal::Credentials)?;
        let username = username.username();
        let password = self.relaying.secret.password_if_valid(username, wall).ok_or(TurnRefusal::Credentials)?;
        let user = LongTermKeyCredentials::new(username.to_owned(), password.clone(), REALM.to_owned());
        // Only who proves it: else anybody could have it remember any number of users.
        message
            .validate_integrity(&MessageIntegrityCredentials::LongTerm(user.clone()))
            .map_err(|_| TurnRefusal::Credentials)?;
        self.server.add_user(username.to_owned(), password);
        self.user = Some(user);
        Ok(())
    }

    /// The answer to a proved request that is refused (RFC 8656 §10.2: 403 Forbidden). Others are told nothing.
    fn forbidden(&self, message: &Message<'_>) -> Option<Vec<u8>> {
        use turn_server_proto::types::stun::message::MessageClass;

        let user = MessageIntegrityCredentials::LongTerm(self.user.clone()?);
        let algorithm = message.validate_integrity(&user).ok()?;
        if !message.has_class(MessageClass::Request) {
            return None;
        }
        let mut answer = Message::builder_error(message, MessageWriteVec::new());
        answer.add_attribute(&ErrorCode::builder(ErrorCode::FORBIDDEN).build().ok()?).ok()?;
        answer.add_message_integrity(&user, algorithm).ok()?;
        Some(answer.finish())
    }

    /// An answer of the protocol, unless the client is unproved and has had enough of them: it may not be where it says.
    fn answer(&mut self, answer: Vec<u8>) -> Option<Vec<u8>> {
        if self.user.is_none() {
            self.answers = self.answers.checked_sub(1)?;
        }
        Some(answer)
    }

    fn turn_time(&self, now: Instant) -> TurnInstant {
        let passed = now.saturating_duration_since(self.base);
        TurnInstant::from_nanos(i64::try_from(passed.as_nanos()).unwrap_or(i64::MAX))
    }
}
