//! Connections of clients that do as they like.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::thread;

use super::*;
use crate::counters::{DropReason, TcpEnd};
use crate::ice::{Credentials, binding_request};
use crate::ids::WorkerId;
use crate::{limits, udp};

/// Longest a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// A listener, and a socket in place of its one worker.
fn listener() -> (Listener, UdpSocket) {
    let worker = UdpSocket::bind("127.0.0.1:0").unwrap();
    worker.set_read_timeout(Some(PATIENCE)).unwrap();
    let listener = Listener::start("127.0.0.1:0".parse().unwrap(), vec![worker.local_addr().unwrap()]).unwrap();
    (listener, worker)
}

fn connect(listener: &Listener) -> TcpStream {
    let stream = TcpStream::connect(listener.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn check(worker: u8) -> Vec<u8> {
    let ice = Credentials::random(WorkerId(worker)).unwrap();
    binding_request("peer", ice.ufrag.as_str(), &ice.pwd, true).unwrap()
}

fn frame(datagram: &[u8]) -> Vec<u8> {
    [&(datagram.len() as u16).to_be_bytes()[..], datagram].concat()
}

fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut len = [0; 2];
    stream.read_exact(&mut len).unwrap();
    let mut datagram = vec![0; u16::from_be_bytes(len).into()];
    stream.read_exact(&mut datagram).unwrap();
    datagram
}

fn until(listener: &Listener, what: &str, holds: impl Fn(&Counters) -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !holds(&listener.counters()) {
        assert!(std::time::Instant::now() < deadline, "never counted: {what}");
        thread::yield_now();
    }
}

/// The client is closed, and the reason counted.
fn is_closed(listener: &Listener, mut stream: TcpStream, why: TcpEnd) {
    // A reset is as good: the server had not read everything.
    assert_eq!(stream.read(&mut [0; 8]).unwrap_or(0), 0);
    until(listener, why.label(), |counters| counters.closed(why) == 1 && counters.tcp_connections == 0);
}

/// Frames cut anywhere, and runs of segments: what arrives are the datagrams that were sent.
#[test]
fn datagrams_keep_their_borders_both_ways() {
    let (listener, worker) = listener();
    let mut client = connect(&listener);
    let first = check(0);
    let sent = [first, vec![22; 1_200], vec![128], vec![129; limits::DATAGRAM_BYTES_MAX]];
    for byte in sent.iter().flat_map(|datagram| frame(datagram)) {
        client.write_all(&[byte]).unwrap();
    }
    let mut datagram = [0; 4_096];
    let mut from = None;
    for sent in &sent {
        let (len, address) = worker.recv_from(&mut datagram).unwrap();
        assert_eq!(&datagram[..len], sent);
        assert_eq!(*from.get_or_insert(address), address, "one connection is one address");
    }
    // As workers send: segments of one message (UDP GSO).
    let mut egress = udp::Egress::new();
    for n in 0..5u8 {
        egress.datagram()[..700].fill(n);
        egress.commit(from.unwrap(), 700);
    }
    assert_eq!(egress.flush(&worker).datagrams, 5);
    for n in 0..5u8 {
        assert_eq!(read_frame(&mut client), vec![n; 700]);
    }
    drop(client);
    until(&listener, "its end", |c| c.tcp_connections == 0 && c.done(Tally::TcpConnections) == 1);
    assert!(TcpEnd::ALL.iter().all(|why| listener.counters().closed(*why) == 0), "the client went by itself");
}

#[test]
fn whoever_begins_with_anything_but_a_check_is_closed() {
    let (listener, worker) = listener();
    worker.set_nonblocking(true).unwrap();
    let mut client = connect(&listener);
    client.write_all(&frame(b"GET / HTTP/1.1")).unwrap();
    is_closed(&listener, client, TcpEnd::NotACheck);
    let mut client = connect(&listener);
    client.write_all(&frame(&check(1))).unwrap();
    is_closed(&listener, client, TcpEnd::UnknownWorker);
    assert!(worker.recv(&mut [0; 2_048]).is_err(), "the worker hears of neither");
}

#[test]
fn a_frame_longer_than_any_datagram_ends_the_connection() {
    let (listener, _worker) = listener();
    let mut client = connect(&listener);
    client.write_all(&frame(&check(0))).unwrap();
    client.write_all(&(limits::DATAGRAM_BYTES_MAX as u16 + 1).to_be_bytes()).unwrap();
    is_closed(&listener, client, TcpEnd::FrameTooLong);
}

/// The worker answers nothing that is not authenticated.
#[test]
fn whoever_proves_nothing_is_closed() {
    let (listener, _worker) = listener();
    let mut client = connect(&listener);
    client.write_all(&frame(&check(0))).unwrap();
    is_closed(&listener, client, TcpEnd::Unproved);
}

/// What it does not read in time is lost, as it would be with UDP; nobody waits for it.
#[test]
fn a_slow_reader_loses_datagrams_and_goes_on() {
    let (listener, worker) = listener();
    let mut slow = connect(&listener);
    slow.write_all(&frame(&check(0))).unwrap();
    let (_, from) = worker.recv_from(&mut [0; 2_048]).unwrap();
    let mut sent = 0u64;
    while listener.counters().dropped(DropReason::TcpQueueFull) == 0 {
        worker.send_to(&[7; 1_200], from).unwrap();
        sent += 1;
        assert!(sent < 100_000, "120 MB wait for a client that reads nothing");
    }
    let mut other = connect(&listener);
    other.write_all(&frame(&check(0))).unwrap();
    let (_, of_other) = worker.recv_from(&mut [0; 2_048]).unwrap();
    worker.send_to(b"for the other", of_other).unwrap();
    assert_eq!(read_frame(&mut other), b"for the other");
    // When it reads again it gets whole datagrams, and new ones too.
    let end = b"the end";
    let mut read = 0;
    loop {
        let datagram = read_frame(&mut slow);
        if datagram == end {
            break;
        }
        assert_eq!(datagram, [7; 1_200]);
        read += 1;
        if read % 100 == 0 {
            worker.send_to(end, from).unwrap();
        }
    }
    assert!(read < sent);
}
