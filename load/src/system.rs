//! System calls that the standard library does not offer: several datagrams with one call (GRO, GSO), epoll with
//! nanoseconds, pinning, clocks. The only unsafe code of the crate; all memory is owned here.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::mem;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libc::{c_int, c_uint, socklen_t};

/// Messages read with one call. Each holds up to 64 datagrams with GRO.
pub(crate) const MESSAGES: usize = 4;
/// Most bytes of a message: what GRO merges.
const MESSAGE_BYTES: usize = 65_535;
/// Room for three control messages: the segment size and the drop counter of 24 bytes each, and the time of 32.
const CONTROL_BYTES: usize = 96;

/// How a receiving socket is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SocketOptions {
    /// Take several datagrams with one message (UDP_GRO).
    pub(crate) gro: bool,
    /// Bytes asked of the kernel, which may grant less.
    pub(crate) receive_buffer: usize,
}

fn set_option(fd: RawFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the option value is a c_int that lives through the call.
    let done =
        unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), size_of_val(&value) as socklen_t) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A non-blocking UDP socket on a free port of `ip` that counts what it drops and says when datagrams came.
///
/// # Errors
/// When the address cannot be bound, no file is left, or the kernel does not know the options.
pub(crate) fn bind(ip: IpAddr, options: SocketOptions) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(SocketAddr::new(ip, 0))?;
    socket.set_nonblocking(true)?;
    let fd = socket.as_raw_fd();
    set_option(fd, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)?;
    set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
    set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, options.receive_buffer as c_int)?;
    if options.gro {
        set_option(fd, libc::SOL_UDP, libc::UDP_GRO, 1)?;
    }
    Ok(socket)
}

/// Asks for a large send buffer; the kernel may grant less.
pub(crate) fn enlarge_send_buffer(socket: &UdpSocket, bytes: usize) -> io::Result<()> {
    set_option(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_SNDBUF, bytes as c_int)
}

/// One message as it was read: one datagram or, with GRO, several.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrival {
    len: usize,
    /// Bytes of each datagram; the last one may be shorter.
    pub(crate) segment: usize,
    /// How many datagrams the socket has dropped since it was made, where it says.
    pub(crate) dropped: Option<u32>,
    /// CLOCK_REALTIME when the message came to the socket, ns: not when it was read.
    pub(crate) at_ns: Option<u64>,
}

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

/// Room for what is read with one call; used again for every socket.
pub(crate) struct Ingress {
    bufs: Vec<u8>,
    arrivals: [Arrival; MESSAGES],
}

impl Ingress {
    pub(crate) fn new() -> Self {
        Self { bufs: vec![0; MESSAGES * MESSAGE_BYTES], arrivals: [Arrival::default(); MESSAGES] }
    }

    /// Reads what is there, at most [`MESSAGES`].
    ///
    /// # Errors
    /// Errors of the socket; nothing to read is no error.
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        // SAFETY: all-zero is a valid value of these plain C structures.
        let (mut iovs, mut headers): ([libc::iovec; MESSAGES], [libc::mmsghdr; MESSAGES]) =
            unsafe { (mem::zeroed(), mem::zeroed()) };
        let mut controls = [Control([0; CONTROL_BYTES]); MESSAGES];
        let parts = iovs.iter_mut().zip(&mut headers).zip(&mut controls).zip(self.bufs.chunks_exact_mut(MESSAGE_BYTES));
        for (((iov, header), control), buf) in parts {
            *iov = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() };
            header.msg_hdr.msg_iov = iov;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = CONTROL_BYTES as _;
        }
        // SAFETY: every pointer in `headers` points into an array that lives and is not moved until after the call.
        let count = unsafe {
            let (fd, n) = (socket.as_raw_fd(), MESSAGES as c_uint);
            libc::recvmmsg(fd, headers.as_mut_ptr(), n, libc::MSG_DONTWAIT, std::ptr::null_mut())
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(0) } else { Err(error) };
        };
        for (arrival, header) in self.arrivals.iter_mut().zip(&headers).take(count) {
            let len = header.msg_len as usize;
            *arrival = Arrival { len, segment: len.max(1), dropped: None, at_ns: None };
            // SAFETY: the kernel wrote whole control messages within the length it left in the header.
            unsafe { read_control(&header.msg_hdr, arrival) };
        }
        Ok(count)
    }

    /// The `n`-th message of the last call.
    pub(crate) fn message(&mut self, n: usize) -> (&mut [u8], Arrival) {
        let arrival = self.arrivals[n];
        (&mut self.bufs[n * MESSAGE_BYTES..][..arrival.len], arrival)
    }
}

/// # Safety
/// `header` must be one that the kernel filled, whose control buffer still lives.
unsafe fn read_control(header: &libc::msghdr, arrival: &mut Arrival) {
    // SAFETY: by the contract; the macros stay within the control length.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(header);
        while !control.is_null() {
            let data = libc::CMSG_DATA(control);
            match ((*control).cmsg_level, (*control).cmsg_type) {
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    let segment = data.cast::<c_int>().read_unaligned();
                    arrival.segment = usize::try_from(segment).unwrap_or(arrival.len).max(1);
                }
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                    arrival.dropped = Some(data.cast::<u32>().read_unaligned());
                }
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    arrival.at_ns = Some(to_ns(data.cast::<libc::timespec>().read_unaligned()));
                }
                _ => {}
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
}

/// Sends messages of equal segments to many addresses, in batches, from one buffer.
pub(crate) struct Egress {
    names: Vec<libc::sockaddr_in>,
}

/// Messages handed over with one call.
const SEND_BATCH: usize = 64;

impl Egress {
    /// # Errors
    /// When an address is not IPv4: the floor is measured on loopback.
    pub(crate) fn new(to: &[SocketAddr]) -> io::Result<Self> {
        let name = |to: &SocketAddr| match to {
            SocketAddr::V4(to) => Ok(libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: to.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from(*to.ip()).to_be() },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(_) => Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(Self { names: to.iter().map(name).collect::<io::Result<_>>()? })
    }

    /// Sends `payload`, cut into segments of `segment` bytes, to every address. Returns the messages that the kernel
    /// took.
    pub(crate) fn send_to_all(&mut self, socket: &UdpSocket, payload: &[u8], segment: u16) -> usize {
        let mut sent = 0;
        // SAFETY: CMSG_SPACE only computes.
        let space = unsafe { libc::CMSG_SPACE(size_of::<u16>() as c_uint) } as usize;
        let mut control = Control([0; CONTROL_BYTES]);
        let mut iov = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
        for names in self.names.chunks_mut(SEND_BATCH) {
            // SAFETY: all-zero is a valid value of this plain C structure.
            let mut headers: [libc::mmsghdr; SEND_BATCH] = unsafe { mem::zeroed() };
            for (header, name) in headers.iter_mut().zip(names.iter_mut()) {
                let header = &mut header.msg_hdr;
                header.msg_name = std::ptr::from_mut(name).cast();
                header.msg_namelen = size_of::<libc::sockaddr_in>() as socklen_t;
                header.msg_iov = &raw mut iov;
                header.msg_iovlen = 1;
                if payload.len() > usize::from(segment) {
                    header.msg_control = control.0.as_mut_ptr().cast();
                    header.msg_controllen = space as _;
                    // SAFETY: the control buffer is aligned and holds one control message of two bytes; every message
                    // writes the same one.
                    unsafe {
                        let control = libc::CMSG_FIRSTHDR(header);
                        (*control).cmsg_level = libc::SOL_UDP;
                        (*control).cmsg_type = libc::UDP_SEGMENT;
                        (*control).cmsg_len = libc::CMSG_LEN(size_of::<u16>() as c_uint) as _;
                        libc::CMSG_DATA(control).cast::<u16>().write_unaligned(segment);
                    }
                }
            }
            let mut done = 0;
            while done < names.len() {
                let rest = &mut headers[done..names.len()];
                // SAFETY: every pointer in `rest` points into memory that lives and is not moved until after the call;
                // the kernel only reads the payload.
                let taken = unsafe {
                    libc::sendmmsg(socket.as_raw_fd(), rest.as_mut_ptr(), rest.len() as c_uint, libc::MSG_DONTWAIT)
                };
                match usize::try_from(taken) {
                    Ok(taken) if taken > 0 => {
                        done += taken;
                        sent += taken;
                    }
                    // The first of the rest is the one refused; the others may go.
                    _ => done += 1,
                }
            }
        }
        sent
    }
}

/// Wakes a thread that waits in [`Poller::wait`].
#[derive(Clone, Debug)]
pub(crate) struct Waker(Arc<File>);

impl Waker {
    pub(crate) fn wake(&self) {
        // Full means that it is about to wake anyway.
        let _ = (&*self.0).write(&1u64.to_ne_bytes());
    }
}

/// Waits for many sockets.
pub(crate) struct Poller {
    epoll: OwnedFd,
    waker: Waker,
    events: [libc::epoll_event; Self::EVENTS],
    /// Not before that is waited for sockets again.
    rested: Instant,
}

/// The key under which the waker is known.
const WAKER: u64 = u64::MAX;

impl Poller {
    /// Sockets served before timers are looked at again: 64 reads take well under a millisecond.
    const EVENTS: usize = 64;
    /// Between two looks at the sockets, as network cards do between two interrupts: on loopback it is the server's core
    /// that wakes the harness, which no server on a network does for its clients.
    const REST: Duration = Duration::from_micros(200);

    /// # Errors
    /// When no file is left.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no memory is passed; the descriptors returned are owned by nobody else.
        let (epoll, wake) =
            unsafe { (owned(libc::epoll_create1(libc::EPOLL_CLOEXEC))?, owned(libc::eventfd(0, libc::EFD_NONBLOCK))?) };
        let waker = Waker(Arc::new(File::from(wake)));
        let events = [libc::epoll_event { events: 0, u64: 0 }; Self::EVENTS];
        let poller = Self { epoll, waker, events, rested: Instant::now() };
        poller.add_fd(poller.waker.0.as_raw_fd(), WAKER)?;
        Ok(poller)
    }

    pub(crate) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// # Errors
    /// When the kernel has no memory for it.
    pub(crate) fn add(&self, socket: &UdpSocket, key: usize) -> io::Result<()> {
        self.add_fd(socket.as_raw_fd(), key as u64)
    }

    fn add_fd(&self, fd: RawFd, key: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: key };
        // SAFETY: the event lives through the call.
        let done = unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &raw mut event) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits until something can be read, the waker was used, or `timeout` is over. Returns how many sockets
    /// [`Poller::ready`] has.
    pub(crate) fn wait(&mut self, timeout: Duration) -> usize {
        let rest = self.rested.saturating_duration_since(Instant::now()).min(timeout);
        if !rest.is_zero() {
            std::thread::sleep(rest);
        }
        let timeout = timeout - rest;
        let timeout = libc::timespec {
            tv_sec: timeout.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(timeout.subsec_nanos() as i32),
        };
        // SAFETY: events and timeout live through the call; no signal mask is passed. An interrupted wait returns
        // early.
        let count = unsafe {
            let (epoll, events) = (self.epoll.as_raw_fd(), self.events.as_mut_ptr());
            let no_mask = std::ptr::null::<libc::sigset_t>();
            libc::syscall(libc::SYS_epoll_pwait2, epoll, events, Self::EVENTS, &raw const timeout, no_mask, 0)
        };
        let count = usize::try_from(count).unwrap_or(0);
        if (1..Self::EVENTS).contains(&count) {
            self.rested = Instant::now() + Self::REST;
        }
        count
    }

    /// Key of the `n`-th socket that can be read; none for the waker, which is cleared.
    pub(crate) fn ready(&self, n: usize) -> Option<usize> {
        let key = self.events[n].u64;
        if key == WAKER {
            let _ = (&*self.waker.0).read(&mut [0; 8]);
            return None;
        }
        Some(key as usize)
    }
}

/// # Safety
/// `fd` must be a descriptor nobody else owns, or negative.
unsafe fn owned(fd: c_int) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: by the contract.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Lets the calling thread, and the threads it starts, run on core `cpu` only.
///
/// # Errors
/// When there is no such core, or it is not ours.
pub(crate) fn pin(cpu: usize) -> io::Result<()> {
    // SAFETY: all-zero is the empty set; CPU_SET ignores cores beyond it; the set lives through the call.
    let done = unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        if cpu < libc::CPU_SETSIZE as usize {
            libc::CPU_SET(cpu, &mut set);
        }
        libc::sched_setaffinity(0, size_of_val(&set), &raw const set)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// CLOCK_MONOTONIC, ns: the same in every process of the machine.
pub(crate) fn monotonic_ns() -> u64 {
    clock_ns(libc::CLOCK_MONOTONIC)
}

/// CLOCK_REALTIME, ns since the Unix epoch.
pub(crate) fn realtime_ns() -> u64 {
    clock_ns(libc::CLOCK_REALTIME)
}

fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time lives through the call, and both clocks exist everywhere.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    to_ns(time)
}

fn to_ns(time: libc::timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Processor time of the calling thread so far: in user space, and in the kernel.
pub(crate) fn thread_cpu() -> (Duration, Duration) {
    // SAFETY: all-zero is a valid value of this plain C structure, which lives through the call.
    let usage = unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage);
        usage
    };
    let duration =
        |time: libc::timeval| Duration::new(time.tv_sec.unsigned_abs(), time.tv_usec.unsigned_abs() as u32 * 1_000);
    (duration(usage.ru_utime), duration(usage.ru_stime))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn receiver(gro: bool, receive_buffer: usize) -> UdpSocket {
        bind(LOOPBACK, SocketOptions { gro, receive_buffer }).unwrap()
    }

    /// Everything that can be read: length and segment of each message, and the last drop count.
    fn read_all(socket: &UdpSocket) -> (Vec<(usize, usize)>, Option<u32>) {
        let (mut ingress, mut read, mut dropped) = (Ingress::new(), Vec::new(), None);
        loop {
            let count = ingress.receive(socket).unwrap();
            if count == 0 {
                return (read, dropped);
            }
            for n in 0..count {
                let (bytes, arrival) = ingress.message(n);
                read.push((bytes.len(), arrival.segment));
                dropped = arrival.dropped.or(dropped);
            }
        }
    }

    #[test]
    fn segments_come_together_with_gro_and_singly_without() {
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (with, without) = (receiver(true, 1 << 20), receiver(false, 1 << 20));
        let mut egress = Egress::new(&[with.local_addr().unwrap(), without.local_addr().unwrap()]).unwrap();
        assert_eq!(egress.send_to_all(&sender, &[7; 3 * 1_000 + 10], 1_000), 2);
        assert_eq!(read_all(&with), (vec![(3_010, 1_000)], None));
        assert_eq!(read_all(&without), (vec![(1_000, 1_000), (1_000, 1_000), (1_000, 1_000), (10, 10)], None));
    }

    #[test]
    fn a_socket_counts_the_datagrams_it_dropped() {
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = receiver(false, 4_096);
        let to = socket.local_addr().unwrap();
        (0..200).for_each(|_| assert_eq!(sender.send_to(&[1; 1_000], to).unwrap(), 1_000));
        let (kept, _) = read_all(&socket);
        // The counter comes with the next datagram that is not dropped.
        sender.send_to(&[1; 10], to).unwrap();
        let (last, dropped) = read_all(&socket);
        assert_eq!((last.len(), dropped), (1, Some(200 - kept.len() as u32)));
        assert!(kept.len() < 200);
    }

    /// Which is why a viewer looks at the gaps that come with a drop, not at the number of drops.
    #[test]
    fn with_gro_a_dropped_message_counts_once_however_many_datagrams_it_has() {
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = receiver(true, 4_096);
        let to = socket.local_addr().unwrap();
        let mut egress = Egress::new(&[to]).unwrap();
        (0..100).for_each(|_| assert_eq!(egress.send_to_all(&sender, &[7; 5_000], 1_000), 1));
        let (kept, _) = read_all(&socket);
        sender.send_to(&[1; 10], to).unwrap();
        let (_, dropped) = read_all(&socket);
        assert_eq!(dropped, Some(100 - kept.len() as u32));
    }

    #[test]
    fn a_datagram_comes_with_the_time_it_came_not_the_time_it_was_read() {
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = receiver(true, 1 << 16);
        // The kernel may need a moment to begin to take times.
        let came = (0..100).find_map(|_| {
            let before = realtime_ns();
            sender.send_to(&[1], socket.local_addr().unwrap()).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            let mut ingress = Ingress::new();
            assert_eq!(ingress.receive(&socket).unwrap(), 1);
            let at = ingress.message(0).1.at_ns.unwrap();
            (at >= before && at + 15_000_000 < realtime_ns()).then_some(at)
        });
        assert!(came.is_some());
    }

    #[test]
    fn a_poller_tells_who_can_be_read_and_wakes_when_told_to() {
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (quiet, busy) = (receiver(true, 1 << 16), receiver(true, 1 << 16));
        let mut poller = Poller::new().unwrap();
        poller.add(&quiet, 1).unwrap();
        poller.add(&busy, 2).unwrap();
        assert_eq!(poller.wait(Duration::ZERO), 0);
        sender.send_to(&[1], busy.local_addr().unwrap()).unwrap();
        assert_eq!((poller.wait(Duration::from_secs(5)), poller.ready(0)), (1, Some(2)));
        read_all(&busy);
        poller.waker().wake();
        assert_eq!((poller.wait(Duration::from_secs(5)), poller.ready(0)), (1, None));
        assert_eq!(poller.wait(Duration::ZERO), 0);
    }

    #[test]
    fn a_thread_is_pinned_to_a_core_that_exists_and_to_no_other() {
        std::thread::spawn(|| {
            assert!(pin(100_000).is_err());
            pin(0).unwrap();
            assert_eq!(std::thread::available_parallelism().unwrap().get(), 1);
        })
        .join()
        .unwrap();
    }
}
