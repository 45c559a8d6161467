//! Datagrams to go out: runs of equal size for one address leave as one message.
#![allow(unsafe_code, reason = "system calls on memory owned here")]

use std::io;
use std::mem;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use super::address::to_storage;
use super::poll::wait_writable;
use crate::limits::{BATCH, EGRESS_BYTES, EGRESS_BYTES_MAX, RUN_BYTES_MAX, RUN_SEGMENTS_MAX};

/// Longest wait for a full socket buffer, once in each flush: what the others may feel of it.
const SOCKET_FULL_WAIT: Duration = Duration::from_micros(500);

/// Datagrams for one address, all of the length of the first but the last, which may be shorter.
#[derive(Clone, Copy, Debug)]
struct Run {
    to: SocketAddr,
    start: usize,
    len: usize,
    /// Length of each datagram but perhaps the last.
    segment: usize,
    segments: usize,
}

impl Run {
    /// Whether a datagram of `len` bytes for `to` that is written behind it may be part of it.
    fn takes(&self, to: SocketAddr, len: usize) -> bool {
        let whole = self.len == self.segments * self.segment;
        let fits = self.segments < RUN_SEGMENTS_MAX && self.len + len <= RUN_BYTES_MAX;
        whole && fits && len <= self.segment && self.to == to
    }
}

/// What became of the datagrams of a flush.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flushed {
    /// Datagrams the kernel took.
    pub(crate) datagrams: usize,
    /// Bytes of all datagrams.
    pub(crate) bytes: usize,
    /// Datagrams the kernel refused.
    pub(crate) refused: usize,
    /// Datagrams that found the socket's buffer full.
    pub(crate) socket_full: usize,
    /// Runs refused as such; their datagrams were sent one by one.
    pub(crate) segmentation_refused: usize,
}

/// Room for the control message with the segment size, a `u16`.
const CONTROL: usize = 24;

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

/// Datagrams waiting to be sent together.
pub(crate) struct Egress {
    buf: Box<[u8]>,
    used: usize,
    runs: Vec<Run>,
    /// False after a refusal: every datagram is a run of its own.
    segments: bool,
    /// For benches: nothing is given to the kernel.
    #[cfg(feature = "bench")]
    unsent: bool,
    names: Box<[libc::sockaddr_storage; BATCH]>,
    controls: Box<[Control; BATCH]>,
    iovs: Box<[libc::iovec; BATCH]>,
    messages: Box<[libc::mmsghdr; BATCH]>,
}

impl Egress {
    pub(crate) fn new() -> Self {
        // SAFETY: all-zero is a valid value of these plain C structures.
        let (name, iov, message): (libc::sockaddr_storage, libc::iovec, libc::mmsghdr) =
            unsafe { (mem::zeroed(), mem::zeroed(), mem::zeroed()) };
        Self {
            buf: vec![0; EGRESS_BYTES].into_boxed_slice(),
            used: 0,
            runs: Vec::with_capacity(BATCH),
            segments: true,
            #[cfg(feature = "bench")]
            unsent: false,
            names: Box::new([name; BATCH]),
            controls: Box::new([Control([0; CONTROL]); BATCH]),
            iovs: Box::new([iov; BATCH]),
            messages: Box::new([message; BATCH]),
        }
    }

    #[cfg(feature = "bench")]
    pub(crate) fn unsent() -> Self {
        Self { unsent: true, ..Self::new() }
    }

    /// Whether it has to be flushed before the next datagram is written.
    pub(crate) fn is_full(&self) -> bool {
        self.used + EGRESS_BYTES_MAX > self.buf.len() || self.runs.len() == BATCH
    }

    /// Where to write the next datagram.
    ///
    /// # Panics
    /// When [`Egress::is_full`].
    pub(crate) fn datagram(&mut self) -> &mut [u8; EGRESS_BYTES_MAX] {
        self.buf[self.used..].first_chunk_mut().expect("the buffer has room for one more datagram")
    }

    /// The datagram just written has `len` bytes and goes to `to`. It joins the run before it where it can.
    pub(crate) fn commit(&mut self, to: SocketAddr, len: usize) {
        match self.runs.last_mut() {
            Some(run) if self.segments && run.takes(to, len) => {
                run.len += len;
                run.segments += 1;
            }
            _ => self.runs.push(Run { to, start: self.used, len, segment: len, segments: 1 }),
        }
        self.used += len;
    }

    /// Datagrams in each run that waits.
    pub(crate) fn runs(&self) -> impl Iterator<Item = usize> {
        self.runs.iter().map(|run| run.segments)
    }

    /// Makes runs again after a refusal.
    pub(crate) fn try_segments_again(&mut self) {
        self.segments = true;
    }

    /// Sends everything.
    pub(crate) fn flush(&mut self, socket: &UdpSocket) -> Flushed {
        let mut flushed = Flushed { bytes: self.used, ..Flushed::default() };
        let mut patience = Some(SOCKET_FULL_WAIT);
        let mut next = 0;
        while next < self.runs.len() {
            match self.send(socket, next) {
                Ok(sent) => {
                    flushed.datagrams += self.runs[next..next + sent].iter().map(|run| run.segments).sum::<usize>();
                    next += sent;
                }
                Err(error) => {
                    let run = self.runs[next];
                    match error.raw_os_error() {
                        Some(libc::EAGAIN | libc::ENOBUFS) => {
                            if patience.take().is_some_and(|patience| wait_writable(socket, patience)) {
                                continue;
                            }
                            flushed.socket_full += run.segments;
                            next += 1;
                        }
                        Some(libc::EINVAL | libc::EIO | libc::EMSGSIZE | libc::EOPNOTSUPP) if run.segments > 1 => {
                            flushed.segmentation_refused += 1;
                            self.segments = false;
                            self.split(next);
                        }
                        _ => {
                            flushed.refused += run.segments;
                            next += 1;
                        }
                    }
                }
            }
        }
        self.runs.clear();
        self.used = 0;
        flushed
    }

    /// Makes a run of each datagram of run `n`.
    fn split(&mut self, n: usize) {
        let run = self.runs[n];
        let single =
            |start: usize| Run { start, len: run.segment.min(run.start + run.len - start), segments: 1, ..run };
        let singles = (0..run.segments).map(|segment| single(run.start + segment * run.segment));
        self.runs.splice(n..=n, singles);
    }

    /// Hands runs from `first` on to the kernel, at most a batch, and returns how many it took. An error is that of
    /// the first.
    fn send(&mut self, socket: &UdpSocket, first: usize) -> io::Result<usize> {
        let runs = &self.runs[first..self.runs.len().min(first + BATCH)];
        for (n, run) in runs.iter().enumerate() {
            let bytes = &mut self.buf[run.start..run.start + run.len];
            self.iovs[n] = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
            let header = &mut self.messages[n].msg_hdr;
            header.msg_namelen = to_storage(run.to, &mut self.names[n]);
            header.msg_name = (&raw mut self.names[n]).cast();
            header.msg_iov = &raw mut self.iovs[n];
            header.msg_iovlen = 1;
            if run.segments == 1 {
                header.msg_control = std::ptr::null_mut();
                header.msg_controllen = 0;
            } else {
                header.msg_control = self.controls[n].0.as_mut_ptr().cast();
                header.msg_controllen = CONTROL as _;
                // SAFETY: the control buffer is aligned and has room for one message with a u16.
                unsafe {
                    let control = libc::CMSG_FIRSTHDR(header);
                    (*control).cmsg_level = libc::SOL_UDP;
                    (*control).cmsg_type = libc::UDP_SEGMENT;
                    (*control).cmsg_len = libc::CMSG_LEN(size_of::<u16>() as libc::c_uint) as _;
                    libc::CMSG_DATA(control).cast::<u16>().write_unaligned(run.segment as u16);
                }
            }
        }
        #[cfg(feature = "bench")]
        if self.unsent {
            return Ok(runs.len());
        }
        // SAFETY: every pointer in `messages` points into memory owned by `self`, which is borrowed for the call.
        let sent = unsafe {
            let (fd, n) = (socket.as_raw_fd(), runs.len() as libc::c_uint);
            libc::sendmmsg(fd, self.messages.as_mut_ptr(), n, libc::MSG_DONTWAIT)
        };
        match usize::try_from(sent) {
            Ok(sent) if sent > 0 => Ok(sent),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
