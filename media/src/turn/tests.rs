//! Clients that relay, and clients that try what they may not.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::thread;
use std::time::{Instant, UNIX_EPOCH};

use turn_server_proto::types::attribute::{ChannelNumber, Data, RequestedTransport, XorPeerAddress, XorRelayedAddress};
use turn_server_proto::types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, SEND};
use turn_server_proto::types::stun::attribute::{ErrorCode, Nonce, Realm, Username};
use turn_server_proto::types::stun::message::{
    IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageIntegrityCredentials, MessageType,
    MessageWriteVec, Method, TransactionId,
};
use turn_server_proto::types::stun::prelude::{AttributeWrite, MessageWrite as _, MessageWriteExt as _};

use super::*;
use crate::counters::Tally;

/// Longest a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// How clients know the worker, which is on this machine: behind address translation.
const ANNOUNCED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)), 5_000);

/// A server, and a socket in place of its one worker.
fn server() -> (Server, UdpSocket) {
    let worker = UdpSocket::bind("127.0.0.1:0").unwrap();
    worker.set_read_timeout(Some(PATIENCE)).unwrap();
    let known = [(worker.local_addr().unwrap(), vec![ANNOUNCED])];
    (Server::start("127.0.0.1:0".parse().unwrap(), &known).unwrap(), worker)
}

fn until(server: &Server, what: &str, holds: impl Fn(&Counters) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds(&server.counters()) {
        assert!(Instant::now() < deadline, "never counted: {what}");
        thread::yield_now();
    }
}

enum Wire {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

/// A TURN client.
struct Turn {
    wire: Wire,
    credentials: TurnCredentials,
    challenge: Option<(String, String)>,
}

impl Turn {
    fn over_udp(server: &Server) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(("127.0.0.1", server.port())).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::new(server, Wire::Udp(socket))
    }

    fn over_tcp(server: &Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::new(server, Wire::Tcp(stream))
    }

    fn new(server: &Server, wire: Wire) -> Self {
        Self { wire, credentials: server.credentials(SystemTime::now()).unwrap(), challenge: None }
    }

    fn send(&mut self, message: &[u8]) {
        match &mut self.wire {
            Wire::Udp(socket) => assert_eq!(socket.send(message).unwrap(), message.len()),
            Wire::Tcp(stream) => {
                let padding = message.len().next_multiple_of(4) - message.len();
                stream.write_all(&[message, &[0; 3][..padding]].concat()).unwrap();
            }
        }
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut message = vec![0; 4_096];
        match &mut self.wire {
            Wire::Udp(socket) => {
                let len = socket.recv(&mut message).unwrap();
                message.truncate(len);
            }
            Wire::Tcp(stream) => {
                stream.read_exact(&mut message[..4]).unwrap();
                let len = usize::from(u16::from_be_bytes([message[2], message[3]]));
                let len = if message[0] < 4 { 20 + len } else { 4 + len };
                stream.read_exact(&mut message[4..len.next_multiple_of(4)]).unwrap();
                message.truncate(len);
            }
        }
        message
    }

    /// Makes a request, about `peer` where there is one, and returns its answer, or the error code in it.
    fn request(
        &mut self,
        method: Method,
        peer: Option<SocketAddr>,
        attributes: &[&dyn AttributeWrite],
    ) -> Result<Vec<u8>, u16> {
        let mut request = Message::builder_request(method, MessageWriteVec::new());
        if let Some(peer) = peer {
            let peer = XorPeerAddress::new(peer, request.transaction_id());
            request.add_attribute(&peer).unwrap();
        }
        for attribute in attributes {
            request.add_attribute(*attribute).unwrap();
        }
        if let Some((realm, nonce)) = &self.challenge {
            let TurnCredentials { username, password } = self.credentials.clone();
            request.add_attribute(&Username::new(&username).unwrap()).unwrap();
            request.add_attribute(&Realm::new(realm).unwrap()).unwrap();
            request.add_attribute(&Nonce::new(nonce).unwrap()).unwrap();
            let key = LongTermKeyCredentials::new(username, password, realm.clone());
            let key = MessageIntegrityCredentials::LongTerm(key);
            request.add_message_integrity(&key, IntegrityAlgorithm::Sha1).unwrap();
        }
        self.send(&request.finish());
        let answer = self.receive();
        let message = Message::from_bytes(&answer).unwrap();
        match message.attribute::<ErrorCode>() {
            Ok(error) => {
                if error.code() == ErrorCode::UNAUTHORIZED {
                    let realm = message.attribute::<Realm>().unwrap().realm().to_owned();
                    self.challenge = Some((realm, message.attribute::<Nonce>().unwrap().nonce().to_owned()));
                }
                Err(error.code())
            }
            Err(_) => Ok(answer.clone()),
        }
    }

    /// Allocates a relay; its address.
    fn allocate(&mut self) -> Result<SocketAddr, u16> {
        let udp = RequestedTransport::new(RequestedTransport::UDP);
        assert_eq!(self.request(ALLOCATE, None, &[&udp]), Err(401), "the first request asks for the challenge");
        let answer = self.request(ALLOCATE, None, &[&udp])?;
        let message = Message::from_bytes(&answer).unwrap();
        Ok(message.attribute::<XorRelayedAddress>().unwrap().addr(message.transaction_id()))
    }

    fn permit(&mut self, peer: SocketAddr) -> Result<(), u16> {
        self.request(CREATE_PERMISSION, Some(peer), &[]).map(drop)
    }

    fn bind_channel(&mut self, channel: u16, peer: SocketAddr) -> Result<(), u16> {
        self.request(CHANNEL_BIND, Some(peer), &[&ChannelNumber::new(channel)]).map(drop)
    }

    /// Sends to a peer without a channel.
    fn indicate(&mut self, peer: SocketAddr, data: &[u8]) {
        let indication = MessageType::from_class_method(MessageClass::Indication, SEND);
        let mut message = Message::builder(indication, TransactionId::generate(), MessageWriteVec::new());
        let peer = XorPeerAddress::new(peer, message.transaction_id());
        message.add_attribute(&peer).unwrap();
        message.add_attribute(&Data::new(data)).unwrap();
        self.send(&message.finish());
    }
}

fn channel_data(channel: u16, data: &[u8]) -> Vec<u8> {
    [&channel.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat()
}

/// Data of any length, over UDP and over TCP, where it is padded.
#[test]
fn media_is_relayed_both_ways_over_udp_and_tcp() {
    let (server, worker) = server();
    for mut client in [Turn::over_udp(&server), Turn::over_tcp(&server)] {
        let relayed = client.allocate().unwrap();
        assert_eq!(relayed.ip(), ANNOUNCED.ip(), "it is told as an address of this server");
        client.permit(ANNOUNCED).unwrap();
        client.indicate(ANNOUNCED, b"a check");
        let mut datagram = [0; 2_048];
        let (len, relay) = worker.recv_from(&mut datagram).unwrap();
        assert_eq!(&datagram[..len], b"a check");

        worker.send_to(b"an answer", relay).unwrap();
        let indication = client.receive();
        let message = Message::from_bytes(&indication).unwrap();
        let from = message.attribute::<XorPeerAddress>().unwrap().addr(message.transaction_id());
        assert_eq!(from, ANNOUNCED, "from where the client sent to");
        assert_eq!(message.attribute::<Data>().unwrap().data(), b"an answer");

        client.bind_channel(0x4001, ANNOUNCED).unwrap();
        for data in [vec![1; 1_201], vec![2; 1], vec![3; 1_200], vec![]] {
            client.send(&channel_data(0x4001, &data));
            let len = worker.recv(&mut datagram).unwrap();
            assert_eq!(&datagram[..len], data);
            worker.send_to(&data, relay).unwrap();
            assert_eq!(client.receive(), channel_data(0x4001, &data));
        }
    }
    let counters = server.counters();
    assert_eq!((counters.done(Tally::TurnAllocations), counters.done(Tally::TurnRelayed)), (2, 20));
    assert!(TurnRefusal::ALL.iter().all(|why| counters.refused(*why) == 0));
}

/// Whatever a client asks to relay to, but for the media of this server, is refused, and counted each time.
#[test]
fn nothing_is_relayed_to_anybody_else() {
    let (server, worker) = server();
    let mut client = Turn::over_tcp(&server);
    client.allocate().unwrap();
    // The worker's own address among them: clients know it by another.
    let local = worker.local_addr().unwrap();
    let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    worker.set_nonblocking(true).unwrap();
    let peers = [
        elsewhere.local_addr().unwrap(),
        local,
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), ANNOUNCED.port()),
        "0.0.0.0:5000".parse().unwrap(),
        "10.0.0.1:5000".parse().unwrap(),
        "172.16.0.1:5000".parse().unwrap(),
        "192.168.1.1:80".parse().unwrap(),
        "169.254.169.254:80".parse().unwrap(),
        "100.64.0.1:5000".parse().unwrap(),
        "203.0.113.8:5000".parse().unwrap(),
        "8.8.8.8:53".parse().unwrap(),
        "[::1]:5000".parse().unwrap(),
        "[fe80::1]:5000".parse().unwrap(),
        "[fd00::1]:5000".parse().unwrap(),
        "[::ffff:127.0.0.1]:5000".parse().unwrap(),
        "[::ffff:203.0.113.7]:5000".parse().unwrap(),
    ];
    let mut refused = 0;
    for peer in peers {
        assert_eq!(client.permit(peer), Err(403), "{peer}");
        assert_eq!(client.bind_channel(0x4001, peer), Err(403), "{peer}");
        client.indicate(peer, b"let me in");
        refused += 3;
        until(&server, "three refusals", |c| c.refused(TurnRefusal::PeerForbidden) == refused);
    }
    // A permission is for an address (RFC 8656 §9.1): another port of this server is refused when it is used.
    let foreign_port = SocketAddr::new(ANNOUNCED.ip(), ANNOUNCED.port() + 1);
    client.permit(foreign_port).unwrap();
    assert_eq!(client.bind_channel(0x4001, foreign_port), Err(403));
    client.indicate(foreign_port, b"let me in");
    until(&server, "two more", |c| c.refused(TurnRefusal::PeerForbidden) == refused + 2);
    for socket in [elsewhere, worker] {
        assert!(socket.recv(&mut [0; 64]).is_err(), "nothing was relayed");
    }
    assert_eq!(server.counters().done(Tally::TurnRelayed), 0);
}

/// What comes to a relay from anywhere else goes no further.
#[test]
fn a_relay_takes_nothing_from_strangers() {
    let (server, worker) = server();
    let mut client = Turn::over_udp(&server);
    client.allocate().unwrap();
    client.permit(ANNOUNCED).unwrap();
    client.indicate(ANNOUNCED, b"a check");
    let (_, relay) = worker.recv_from(&mut [0; 64]).unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.send_to(b"from a stranger", relay).unwrap();
    until(&server, "a stranger", |c| c.refused(TurnRefusal::PeerForbidden) == 1);
    worker.send_to(b"from the worker", relay).unwrap();
    assert!(client.receive().ends_with(b"from the worker\0"), "and that is the first to arrive");
}

#[test]
fn only_credentials_of_this_server_that_are_still_valid_allocate() {
    let (server, _worker) = server();
    let good = server.credentials(SystemTime::now()).unwrap();
    let wrong = TurnCredentials { password: "not the password".to_owned(), ..good.clone() };
    let of_another = self::server().0.credentials(SystemTime::now()).unwrap();
    let ended = server.credentials(UNIX_EPOCH).unwrap();
    let longer = TurnCredentials { username: good.username.replacen('1', "9", 1), ..good };
    for (n, credentials) in [wrong, of_another, ended, longer].into_iter().enumerate() {
        let mut client = Turn { credentials, ..Turn::over_udp(&server) };
        assert_eq!(client.allocate(), Err(401));
        until(&server, "a refusal", |c| c.refused(TurnRefusal::Credentials) == n as u64 + 1);
    }
    assert_eq!(server.counters().done(Tally::TurnAllocations), 0);
}

/// Addresses can be forged: whoever proves nothing gets few answers, and none to what needs no proof elsewhere (STUN).
#[test]
fn a_client_that_proves_nothing_is_hardly_answered_and_soon_forgotten() {
    let (server, _worker) = server();
    let mut client = Turn::over_udp(&server);
    let udp = RequestedTransport::new(RequestedTransport::UDP);
    for _ in 0..limits::TURN_UNPROVED_ANSWERS {
        client.challenge = None;
        assert_eq!(client.request(ALLOCATE, None, &[&udp]), Err(401));
    }
    let binding = turn_server_proto::types::stun::message::BINDING;
    let message = Message::builder_request(binding, MessageWriteVec::new()).finish();
    client.send(&message);
    until(&server, "no TURN", |c| c.refused(TurnRefusal::NotTurn) == 1);
    let mut allocate = Message::builder_request(ALLOCATE, MessageWriteVec::new());
    allocate.add_attribute(&udp).unwrap();
    client.send(&allocate.finish());
    until(&server, "it is forgotten", |c| c.refused(TurnRefusal::Unproved) == 1 && c.turn_clients == 0);
    let Wire::Udp(socket) = client.wire else { unreachable!("it is on UDP") };
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0; 2_048]).is_err(), "neither was answered");
}

#[test]
fn what_is_no_turn_ends_a_tcp_connection() {
    let (server, _worker) = server();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The beginning of TLS.
    stream.write_all(&[22, 3, 1, 2, 0]).unwrap();
    assert_eq!(stream.read(&mut [0; 64]).unwrap_or(0), 0, "it is closed, and told nothing");
    until(&server, "no TURN", |c| c.refused(TurnRefusal::NotTurn) == 1 && c.turn_clients == 0);
}

/// Nothing waits for a client that goes: its relay ends with its connection.
#[test]
fn a_client_that_goes_takes_its_relay_along() {
    let (server, worker) = server();
    let mut client = Turn::over_tcp(&server);
    client.allocate().unwrap();
    client.permit(ANNOUNCED).unwrap();
    client.indicate(ANNOUNCED, b"a check");
    let (_, relay) = worker.recv_from(&mut [0; 64]).unwrap();
    drop(client);
    until(&server, "its end", |c| c.turn_clients == 0);
    UdpSocket::bind(relay).expect("the relay's port is free again");
}
