//! Waiting for sockets, and being woken.
#![allow(unsafe_code, reason = "system calls on memory owned here")]

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use arrayvec::ArrayVec;

/// Wakes a worker that waits in [`Poll::wait`].
#[derive(Clone, Debug)]
pub(crate) struct Waker(Arc<File>);

impl Waker {
    /// # Errors
    /// When the process has no file descriptor left.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no memory is passed.
        let fd = owned(unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) })?;
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

/// What a worker waits for.
pub(crate) struct Poll {
    epoll: OwnedFd,
    waker: Waker,
}

/// Something that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// The worker's own socket has datagrams.
    Own,
    /// A socket added later has, by its name.
    Added(usize),
}

/// Names of the worker's own socket and of the waker; sockets added later have smaller ones.
const OWN: u64 = u64::MAX;
const WAKER: u64 = u64::MAX - 1;
/// Most that is told of one wait; the rest is ready at the next.
const EVENTS: usize = 64;

impl Poll {
    /// Waits for datagrams in `socket`, and for `waker`.
    ///
    /// # Errors
    /// When the process has no file descriptor left.
    pub(crate) fn new(socket: &UdpSocket, waker: &Waker) -> io::Result<Self> {
        // SAFETY: no memory is passed.
        let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        let poll = Self { epoll, waker: waker.clone() };
        poll.add(socket.as_raw_fd(), OWN)?;
        poll.add(waker.0.as_raw_fd(), WAKER)?;
        Ok(poll)
    }

    /// Waits for datagrams in `socket` too, until it is closed.
    ///
    /// # Errors
    /// When the system has no memory for it.
    pub(crate) fn add_socket(&self, socket: &UdpSocket, name: usize) -> io::Result<()> {
        self.add(socket.as_raw_fd(), name as u64)
    }

    fn add(&self, fd: RawFd, name: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: name };
        // SAFETY: the event lives through the call.
        let result = unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &raw mut event) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Waits until there are datagrams, the waker was used, or `timeout` is over. Returns which sockets have datagrams.
    pub(crate) fn wait(&self, timeout: Duration) -> ArrayVec<Ready, EVENTS> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        let timeout = timespec(timeout);
        // SAFETY: events and timeout live through the call. An interrupted wait is an early return.
        let count = unsafe {
            let (fd, at) = (self.epoll.as_raw_fd(), events.as_mut_ptr());
            libc::epoll_pwait2(fd, at, EVENTS as libc::c_int, &raw const timeout, std::ptr::null())
        };
        let names = events[..usize::try_from(count).unwrap_or(0)].iter().map(|event| event.u64);
        names
            .filter_map(|name| match name {
                OWN => Some(Ready::Own),
                WAKER => {
                    self.waker.clear();
                    None
                }
                name => Some(Ready::Added(name as usize)),
            })
            .collect()
    }
}

/// Waits until `socket` takes datagrams again; false when it does not within `timeout`.
pub(super) fn wait_writable(socket: &UdpSocket, timeout: Duration) -> bool {
    let mut fd = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    let timeout = timespec(timeout);
    // SAFETY: both live through the call.
    unsafe { libc::ppoll(&raw mut fd, 1, &raw const timeout, std::ptr::null()) > 0 }
}

/// Lets this thread's waits end when they should: the system may add 50 µs to each, to save wake-ups.
pub(crate) fn wake_in_time() {
    // SAFETY: no memory is passed.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
}

fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: duration.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(duration.subsec_nanos() as i32),
    }
}

fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the system call that returned the descriptor gave it to nobody else.
    if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(unsafe { OwnedFd::from_raw_fd(fd) }) }
}
