//! Datagrams that came in.
#![allow(unsafe_code, reason = "system calls on memory owned here")]

use std::io;
use std::mem;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;

use super::address::from_storage;
use crate::limits::{BATCH, COALESCED_BYTES_MAX, DATAGRAM_BYTES_MAX};

/// Room for the control message that tells the size of coalesced datagrams, a `c_int`.
const CONTROL: usize = 32;

/// Room for a batch of messages, each of one datagram or several coalesced ones.
pub(crate) struct Ingress {
    /// One after the other; pages the kernel never writes cost nothing.
    bufs: Box<[u8]>,
    names: Box<[libc::sockaddr_storage; BATCH]>,
    controls: Box<[Control; BATCH]>,
    iovs: Box<[libc::iovec; BATCH]>,
    messages: Box<[libc::mmsghdr; BATCH]>,
}

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

impl Ingress {
    pub(crate) fn new() -> Self {
        // SAFETY: all-zero is a valid value of these plain C structures.
        let (name, iov, message): (libc::sockaddr_storage, libc::iovec, libc::mmsghdr) =
            unsafe { (mem::zeroed(), mem::zeroed(), mem::zeroed()) };
        let mut ingress = Self {
            bufs: vec![0; BATCH * COALESCED_BYTES_MAX].into_boxed_slice(),
            names: Box::new([name; BATCH]),
            controls: Box::new([Control([0; CONTROL]); BATCH]),
            iovs: Box::new([iov; BATCH]),
            messages: Box::new([message; BATCH]),
        };
        let bufs = ingress.bufs.chunks_exact_mut(COALESCED_BYTES_MAX);
        for (iov, buf) in ingress.iovs.iter_mut().zip(bufs) {
            *iov = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() };
        }
        (0..BATCH).for_each(|n| ingress.prepare(n));
        ingress
    }

    /// Points a message at its memory, which never moves: it is boxed.
    fn prepare(&mut self, n: usize) {
        let header = &mut self.messages[n].msg_hdr;
        header.msg_name = (&raw mut self.names[n]).cast();
        header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        header.msg_iov = &raw mut self.iovs[n];
        header.msg_iovlen = 1;
        header.msg_control = self.controls[n].0.as_mut_ptr().cast();
        header.msg_controllen = CONTROL as _;
    }

    /// Reads what is there, at most a batch; returns the number of messages.
    ///
    /// # Errors
    /// Errors of the socket; nothing to read is no error.
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        // SAFETY: every pointer in `messages` points into memory owned by `self`, which is borrowed for the call.
        let count = unsafe {
            let (fd, n) = (socket.as_raw_fd(), BATCH as libc::c_uint);
            libc::recvmmsg(fd, self.messages.as_mut_ptr(), n, libc::MSG_DONTWAIT, std::ptr::null_mut())
        };
        usize::try_from(count).or_else(|_| {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::WouldBlock { Ok(0) } else { Err(error) }
        })
    }

    /// The sender of the `n`-th message.
    pub(crate) fn sender(&self, n: usize) -> Option<SocketAddr> {
        from_storage(&self.names[n])
    }

    /// The sender and the datagrams of the `n`-th message, once after each [`Ingress::receive`]. A datagram that was too
    /// long is empty.
    pub(crate) fn message(&mut self, n: usize) -> (SocketAddr, impl Iterator<Item = &mut [u8]>) {
        let from = from_storage(&self.names[n]).unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into());
        let truncated = self.messages[n].msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
        let len = if truncated { 0 } else { self.messages[n].msg_len as usize };
        let segment = self.segment(n).unwrap_or(len).clamp(1, COALESCED_BYTES_MAX);
        self.prepare(n);
        let buf = &mut self.bufs[n * COALESCED_BYTES_MAX..][..len];
        let datagrams = buf.chunks_mut(segment);
        // An empty datagram is one too: it is counted.
        let empty = (len == 0).then_some(&mut [][..]);
        (from, datagrams.map(|d| if d.len() > DATAGRAM_BYTES_MAX { &mut d[..0] } else { d }).chain(empty))
    }

    /// Length of all but the last of the coalesced datagrams.
    fn segment(&self, n: usize) -> Option<usize> {
        let header = &self.messages[n].msg_hdr;
        // SAFETY: the kernel wrote `msg_controllen` bytes of well-formed control messages into memory owned here.
        unsafe {
            let mut control = libc::CMSG_FIRSTHDR(header);
            while let Some(found) = control.as_ref() {
                if (found.cmsg_level, found.cmsg_type) == (libc::SOL_UDP, libc::UDP_GRO) {
                    let size = libc::CMSG_DATA(control).cast::<libc::c_int>().read_unaligned();
                    return usize::try_from(size).ok();
                }
                control = libc::CMSG_NXTHDR(header, control);
            }
        }
        None
    }
}
