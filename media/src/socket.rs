//! UDP in batches: one system call for up to [`BATCH`](limits::BATCH) datagrams each way. The only unsafe code of the
//! crate: calls of `recvmmsg`, `sendmmsg`, `poll` and `eventfd` on memory owned here.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use crate::limits::{BATCH, DATAGRAM_BYTES_MAX, EGRESS_BYTES_MAX, SOCKET_BUFFER_BYTES};

/// A non-blocking UDP socket with large buffers.
///
/// # Errors
/// When the address cannot be bound.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(addr)?;
    socket.set_nonblocking(true)?;
    for option in [libc::SO_RCVBUF, libc::SO_SNDBUF] {
        let bytes = SOCKET_BUFFER_BYTES as libc::c_int;
        // SAFETY: the option value is a c_int that lives through the call. The kernel may grant less; that is fine.
        unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                (&raw const bytes).cast(),
                size_of_val(&bytes) as libc::socklen_t,
            );
        }
    }
    Ok(socket)
}

/// Room for a batch of received datagrams.
pub(crate) struct Ingress {
    bufs: Box<[[u8; DATAGRAM_BYTES_MAX]; BATCH]>,
    received: Vec<(SocketAddr, usize)>,
}

impl Ingress {
    pub(crate) fn new() -> Self {
        Self { bufs: boxed([0; DATAGRAM_BYTES_MAX]), received: Vec::with_capacity(BATCH) }
    }

    /// Reads what is there, at most a batch.
    ///
    /// # Errors
    /// Errors of the socket; nothing to read is no error.
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        self.received.clear();
        // SAFETY: all-zero is a valid value of these plain C structures.
        let (mut names, mut iovs, mut messages): (
            [libc::sockaddr_storage; BATCH],
            [libc::iovec; BATCH],
            [libc::mmsghdr; BATCH],
        ) = unsafe { (mem::zeroed(), mem::zeroed(), mem::zeroed()) };
        for (((name, iov), message), buf) in
            names.iter_mut().zip(&mut iovs).zip(&mut messages).zip(self.bufs.iter_mut())
        {
            *iov = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() };
            message.msg_hdr.msg_name = (&raw mut *name).cast();
            message.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            message.msg_hdr.msg_iov = iov;
            message.msg_hdr.msg_iovlen = 1;
        }
        // SAFETY: every pointer in `messages` points into an array that lives and is not moved until after the call.
        let count = unsafe {
            let (fd, n) = (socket.as_raw_fd(), BATCH as libc::c_uint);
            libc::recvmmsg(fd, messages.as_mut_ptr(), n, libc::MSG_DONTWAIT, std::ptr::null_mut())
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(0) } else { Err(error) };
        };
        for (name, message) in names.iter().zip(&messages).take(count) {
            let unspecified = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
            let truncated = message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            let len = if truncated { 0 } else { message.msg_len as usize };
            self.received.push((from_storage(name).unwrap_or(unspecified), len));
        }
        Ok(count)
    }

    /// The `n`-th datagram of the last batch. A datagram that was too long is empty.
    pub(crate) fn datagram(&mut self, n: usize) -> (SocketAddr, &mut [u8]) {
        let (from, len) = self.received[n];
        (from, &mut self.bufs[n][..len])
    }
}

/// Datagrams waiting to be sent together.
pub(crate) struct Egress {
    bufs: Box<[[u8; EGRESS_BYTES_MAX]; BATCH]>,
    waiting: Vec<(SocketAddr, usize)>,
}

impl Egress {
    pub(crate) fn new() -> Self {
        Self { bufs: boxed([0; EGRESS_BYTES_MAX]), waiting: Vec::with_capacity(BATCH) }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() == BATCH
    }

    /// Where to write the next datagram.
    ///
    /// # Panics
    /// When [`Egress::is_full`].
    pub(crate) fn buffer(&mut self) -> &mut [u8; EGRESS_BYTES_MAX] {
        &mut self.bufs[self.waiting.len()]
    }

    /// The buffer holds a datagram of `len` bytes for `to`.
    pub(crate) fn commit(&mut self, to: SocketAddr, len: usize) {
        self.waiting.push((to, len));
    }

    /// Sends everything. Returns datagrams and bytes sent, and datagrams the kernel refused.
    pub(crate) fn flush(&mut self, socket: &UdpSocket) -> (usize, usize, usize) {
        if self.waiting.is_empty() {
            return (0, 0, 0);
        }
        // SAFETY: all-zero is a valid value of these plain C structures.
        let (mut names, mut iovs, mut messages): (
            [libc::sockaddr_storage; BATCH],
            [libc::iovec; BATCH],
            [libc::mmsghdr; BATCH],
        ) = unsafe { (mem::zeroed(), mem::zeroed(), mem::zeroed()) };
        let all = self.waiting.len();
        for (n, (to, len)) in self.waiting.iter().enumerate() {
            let namelen = to_storage(*to, &mut names[n]);
            iovs[n] = libc::iovec { iov_base: self.bufs[n].as_mut_ptr().cast(), iov_len: *len };
            messages[n].msg_hdr.msg_name = (&raw mut names[n]).cast();
            messages[n].msg_hdr.msg_namelen = namelen;
            messages[n].msg_hdr.msg_iov = &raw mut iovs[n];
            messages[n].msg_hdr.msg_iovlen = 1;
        }
        let (mut done, mut refused) = (0, 0);
        while done + refused < all {
            let rest = &mut messages[done + refused..all];
            // SAFETY: every pointer in `rest` points into an array that lives and is not moved until after the call.
            let sent = unsafe {
                let (fd, n) = (socket.as_raw_fd(), rest.len() as libc::c_uint);
                libc::sendmmsg(fd, rest.as_mut_ptr(), n, libc::MSG_DONTWAIT)
            };
            match usize::try_from(sent) {
                Ok(sent) if sent > 0 => done += sent,
                // The first datagram of the rest is the one refused; the others may go.
                _ => refused += 1,
            }
        }
        let bytes = self.waiting.iter().map(|(_, len)| len).sum();
        self.waiting.clear();
        (done, bytes, refused)
    }
}

fn boxed<const LEN: usize>(element: [u8; LEN]) -> Box<[[u8; LEN]; BATCH]> {
    vec![element; BATCH].into_boxed_slice().try_into().expect("the vector has BATCH elements")
}

fn to_storage(addr: SocketAddr, storage: &mut libc::sockaddr_storage) -> libc::socklen_t {
    let at: *mut libc::sockaddr_storage = storage;
    match addr {
        SocketAddr::V4(addr) => {
            let name = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: addr.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from(*addr.ip()).to_be() },
                sin_zero: [0; 8],
            };
            // SAFETY: sockaddr_storage is large enough and aligned for every address family.
            unsafe { at.cast::<libc::sockaddr_in>().write(name) };
            size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        SocketAddr::V6(addr) => {
            let name = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: addr.port().to_be(),
                sin6_flowinfo: addr.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: addr.ip().octets() },
                sin6_scope_id: addr.scope_id(),
            };
            // SAFETY: as above.
            unsafe { at.cast::<libc::sockaddr_in6>().write(name) };
            size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

fn from_storage(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let at: *const libc::sockaddr_storage = storage;
    match libc::c_int::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which structure the kernel wrote; the storage is aligned for it.
            let name = unsafe { at.cast::<libc::sockaddr_in>().read() };
            let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(name.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let name = unsafe { at.cast::<libc::sockaddr_in6>().read() };
            let (ip, port) = (Ipv6Addr::from(name.sin6_addr.s6_addr), u16::from_be(name.sin6_port));
            Some(SocketAddrV6::new(ip, port, name.sin6_flowinfo, name.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// Wakes a worker that waits in [`wait`].
#[derive(Clone, Debug)]
pub(crate) struct Waker(Arc<File>);

impl Waker {
    /// # Errors
    /// When the process has no file descriptor left.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no memory is passed; the descriptor returned is owned by nobody else.
        let fd = unsafe {
            let fd = libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(fd)
        };
        Ok(Self(Arc::new(File::from(fd))))
    }

    pub(crate) fn wake(&self) {
        // Full means that it is about to wake anyway.
        let _ = (&*self.0).write(&1u64.to_ne_bytes());
    }

    fn clear(&self) {
        let _ = (&*self.0).read(&mut [0u8; 8]);
    }
}

/// Waits until the socket has datagrams, the waker was used, or `timeout` is over.
pub(crate) fn wait(socket: &UdpSocket, waker: &Waker, timeout: Duration) {
    let poll_in = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let mut fds = [poll_in(socket.as_raw_fd()), poll_in(waker.0.as_raw_fd())];
    let timeout = libc::timespec {
        tv_sec: timeout.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(timeout.subsec_nanos() as i32),
    };
    // SAFETY: `fds` and `timeout` live through the call. An interrupted wait is an early return.
    unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, &raw const timeout, std::ptr::null()) };
    if fds[1].revents != 0 {
        waker.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_go_both_ways_over_both_families() {
        for ip in ["127.0.0.1:0", "[::1]:0"] {
            let (a, b) = (bind(ip.parse().unwrap()).unwrap(), bind(ip.parse().unwrap()).unwrap());
            let (mut egress, mut ingress) = (Egress::new(), Ingress::new());
            for n in 0..BATCH {
                egress.buffer()[0] = n as u8;
                egress.commit(b.local_addr().unwrap(), n + 1);
            }
            assert!(egress.is_full());
            assert_eq!(egress.flush(&a), (BATCH, BATCH * (BATCH + 1) / 2, 0));
            wait(&b, &Waker::new().unwrap(), Duration::from_secs(5));
            assert_eq!(ingress.receive(&b).unwrap(), BATCH);
            for n in 0..BATCH {
                let (from, datagram) = ingress.datagram(n);
                assert_eq!((from, datagram.len(), datagram[0]), (a.local_addr().unwrap(), n + 1, n as u8));
            }
            assert_eq!(ingress.receive(&b).unwrap(), 0);
        }
    }

    #[test]
    fn an_address_nobody_can_reach_refuses_one_datagram_and_no_other() {
        let (a, b) = (bind("127.0.0.1:0".parse().unwrap()).unwrap(), bind("127.0.0.1:0".parse().unwrap()).unwrap());
        let mut egress = Egress::new();
        egress.commit("255.255.255.255:9".parse().unwrap(), 1);
        egress.commit(b.local_addr().unwrap(), 1);
        let (sent, _, refused) = egress.flush(&a);
        assert_eq!((sent, refused), (1, 1));
    }

    #[test]
    fn a_datagram_too_long_is_empty_and_a_waker_wakes() {
        let (a, b) = (bind("127.0.0.1:0".parse().unwrap()).unwrap(), bind("127.0.0.1:0".parse().unwrap()).unwrap());
        a.send_to(&[1; DATAGRAM_BYTES_MAX + 1], b.local_addr().unwrap()).unwrap();
        let waker = Waker::new().unwrap();
        waker.wake();
        wait(&b, &waker, Duration::from_secs(5));
        wait(&b, &waker, Duration::from_secs(5));
        let mut ingress = Ingress::new();
        assert_eq!(ingress.receive(&b).unwrap(), 1);
        assert_eq!(ingress.datagram(0).1.len(), 0);
    }
}
