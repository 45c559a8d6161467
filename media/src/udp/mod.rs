//! UDP in batches: one system call for many datagrams each way, and many datagrams of one peer in one message (UDP
//! GSO and GRO). Unsafe code for system calls on memory owned here.

mod address;
mod egress;
mod ingress;
pub(crate) mod poll;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

pub(crate) use egress::Egress;
pub(crate) use ingress::Ingress;

use crate::limits::SOCKET_BUFFER_BYTES;

/// Whether a port belongs to one socket or to many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    /// One socket has it.
    Own,
    /// Sockets share it; the kernel chooses one by the addresses of each datagram (SO_REUSEPORT).
    Shared,
}

/// A non-blocking UDP socket with large buffers.
///
/// # Errors
/// When the address cannot be bound.
pub(crate) fn bind(addr: SocketAddr, port: Port) -> io::Result<UdpSocket> {
    let socket = open(addr)?;
    if port == Port::Shared {
        set(&socket, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
    }
    address::bind(&socket, addr)?;
    // Root may have what it asks for; everybody else gets what the system grants, which is fine.
    for (force, option) in [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)] {
        let bytes = SOCKET_BUFFER_BYTES as libc::c_int;
        let _ = set(&socket, libc::SOL_SOCKET, force, bytes).or_else(|_| set(&socket, libc::SOL_SOCKET, option, bytes));
    }
    Ok(socket)
}

/// Lets the kernel give several datagrams of one peer at once (UDP GRO).
///
/// # Errors
/// When it cannot.
pub(crate) fn coalesce(socket: &UdpSocket) -> io::Result<()> {
    set(socket, libc::SOL_UDP, libc::UDP_GRO, 1)
}

#[allow(unsafe_code, reason = "a system call")]
fn open(addr: SocketAddr) -> io::Result<UdpSocket> {
    let family = if addr.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // SAFETY: no memory is passed; the descriptor returned is owned by nobody else.
    unsafe {
        let fd = libc::socket(family, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(UdpSocket::from(OwnedFd::from_raw_fd(fd))) }
    }
}

#[allow(unsafe_code, reason = "a system call")]
fn set(socket: &UdpSocket, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let len = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the option value is a c_int that lives through the call.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::egress::Flushed;
    use super::poll::{Poll, Waker};
    use super::*;
    use crate::limits::DATAGRAM_BYTES_MAX;

    fn pair(ip: &str) -> (UdpSocket, UdpSocket) {
        (bind(ip.parse().unwrap(), Port::Own).unwrap(), bind(ip.parse().unwrap(), Port::Own).unwrap())
    }

    fn wait_for(socket: &UdpSocket) {
        let poll = Poll::new(socket, &Waker::new().unwrap()).unwrap();
        poll.wait(Duration::from_secs(5));
    }

    /// Everything that waits in `socket`.
    fn received(socket: &UdpSocket, count: usize) -> Vec<(SocketAddr, Vec<u8>)> {
        let (mut ingress, mut all) = (Ingress::new(), Vec::new());
        while all.len() < count {
            wait_for(socket);
            let messages = ingress.receive(socket).unwrap();
            for n in 0..messages {
                let (from, datagrams) = ingress.message(n);
                all.extend(datagrams.map(|datagram| (from, datagram.to_vec())));
            }
        }
        all
    }

    #[test]
    fn runs_of_segments_go_both_ways_over_both_families() {
        for ip in ["127.0.0.1:0", "[::1]:0"] {
            for gro in [false, true] {
                let (a, b) = pair(ip);
                if gro {
                    coalesce(&b).unwrap();
                }
                let (mut egress, to) = (Egress::new(), b.local_addr().unwrap());
                // Runs of 3, 2 and 1: a shorter datagram ends a run, a longer one begins the next.
                let lens = [900, 900, 40, 700, 700, 800];
                for (n, len) in lens.into_iter().enumerate() {
                    egress.datagram()[..len].fill(n as u8);
                    egress.commit(to, len);
                }
                let runs: Vec<_> = egress.runs().collect();
                assert_eq!(runs, [3, 2, 1]);
                let sent = egress.flush(&a);
                let bytes = lens.iter().sum();
                assert_eq!(sent, Flushed { datagrams: 6, bytes, ..Flushed::default() });
                let expected = lens.iter().enumerate().map(|(n, len)| (a.local_addr().unwrap(), vec![n as u8; *len]));
                assert_eq!(received(&b, 6), expected.collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn datagrams_for_others_never_share_a_message() {
        let (a, b) = pair("127.0.0.1:0");
        let c = bind("127.0.0.1:0".parse().unwrap(), Port::Own).unwrap();
        let mut egress = Egress::new();
        for to in [&b, &c, &b] {
            let to = to.local_addr().unwrap();
            egress.datagram()[..10].fill(1);
            egress.commit(to, 10);
        }
        assert_eq!(egress.runs().collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!(egress.flush(&a).datagrams, 3);
        assert_eq!((received(&b, 2).len(), received(&c, 1).len()), (2, 1));
    }

    #[test]
    fn an_address_nobody_can_reach_refuses_one_datagram_and_no_other() {
        let (a, b) = pair("127.0.0.1:0");
        let mut egress = Egress::new();
        for to in ["255.255.255.255:9".parse().unwrap(), b.local_addr().unwrap()] {
            egress.datagram()[0] = 1;
            egress.commit(to, 1);
        }
        let sent = egress.flush(&a);
        assert_eq!((sent.datagrams, sent.refused), (1, 1));
    }

    /// The kernel makes no segments of datagrams without a checksum: the same refusal as from a path that cannot.
    #[test]
    fn segments_refused_in_mid_run_are_sent_one_by_one_and_tried_again_later() {
        let (a, b) = pair("127.0.0.1:0");
        let (mut egress, to) = (Egress::new(), b.local_addr().unwrap());
        let fill = |egress: &mut Egress| {
            for n in 0..5u8 {
                egress.datagram()[..300].fill(n);
                egress.commit(to, 300);
            }
        };
        fill(&mut egress);
        assert_eq!(egress.flush(&a).segmentation_refused, 0);
        set(&a, libc::SOL_SOCKET, libc::SO_NO_CHECK, 1).unwrap();
        fill(&mut egress);
        let sent = egress.flush(&a);
        assert_eq!((sent.datagrams, sent.refused, sent.segmentation_refused), (5, 0, 1));
        fill(&mut egress);
        assert_eq!(egress.runs().collect::<Vec<_>>(), [1; 5], "it is not asked for again at once");
        assert_eq!(egress.flush(&a).datagrams, 5);
        assert_eq!(received(&b, 15).len(), 15);

        set(&a, libc::SOL_SOCKET, libc::SO_NO_CHECK, 0).unwrap();
        egress.try_segments_again();
        fill(&mut egress);
        assert_eq!(egress.runs().collect::<Vec<_>>(), [5]);
        assert_eq!(egress.flush(&a).segmentation_refused, 0);
    }

    /// Names the network namespace this process runs a test in.
    const IN_NAMESPACE: &str = "DAIS_TEST_NAMESPACE";

    /// Runs this test again in a network namespace whose loopback interface passes 8 kB a second.
    fn on_a_slow_line(test: &str) {
        let line = "ip link set lo up && tc qdisc add dev lo root tbf rate 64kbit burst 3kb limit 100mb";
        let binary = std::env::current_exe().unwrap();
        let run = format!("{line} && exec {} --exact {test} --nocapture", binary.display());
        let unshare = std::process::Command::new("unshare")
            .args(["--user", "--map-root-user", "--net", "--", "sh", "-c", &run])
            .env(IN_NAMESPACE, "slow")
            .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
            .output()
            .expect("unshare (util-linux), ip and tc (iproute2) are needed");
        let said = String::from_utf8_lossy(&unshare.stdout);
        assert!(said.contains("test result: ok. 1 passed"), "{said}{}", String::from_utf8_lossy(&unshare.stderr));
    }

    #[test]
    fn a_full_socket_buffer_costs_datagrams_and_hardly_any_time() {
        if std::env::var_os(IN_NAMESPACE).is_none() {
            return on_a_slow_line("udp::tests::a_full_socket_buffer_costs_datagrams_and_hardly_any_time");
        }
        let (a, b) = pair("127.0.0.1:0");
        let (mut egress, to) = (Egress::new(), b.local_addr().unwrap());
        let (mut full, mut sent) = (0, 0);
        for _ in 0..400 {
            while !egress.is_full() {
                egress.datagram()[..1_000].fill(7);
                egress.commit(to, 1_000);
            }
            let start = std::time::Instant::now();
            let flushed = egress.flush(&a);
            assert!(start.elapsed() < Duration::from_millis(100), "a hundred times the wait that is allowed");
            (full, sent) = (full + flushed.socket_full, sent + flushed.datagrams);
        }
        println!("{sent} sent, {full} found the buffer full");
        assert!(full > 0 && sent > 0, "{full} of {sent}");
    }

    #[test]
    fn a_datagram_too_long_is_empty() {
        let (a, b) = pair("127.0.0.1:0");
        a.send_to(&[1; DATAGRAM_BYTES_MAX + 1], b.local_addr().unwrap()).unwrap();
        a.send_to(&[1; DATAGRAM_BYTES_MAX], b.local_addr().unwrap()).unwrap();
        let lens: Vec<_> = received(&b, 2).iter().map(|(_, datagram)| datagram.len()).collect();
        assert_eq!(lens, [0, DATAGRAM_BYTES_MAX]);
    }

    #[test]
    fn a_waker_wakes_again_and_again() {
        let (a, _) = pair("127.0.0.1:0");
        let waker = Waker::new().unwrap();
        let poll = Poll::new(&a, &waker).unwrap();
        for _ in 0..3 {
            waker.wake();
            poll.wait(Duration::from_secs(5));
        }
    }
}
