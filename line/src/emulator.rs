//! The shell: two TUN devices, the clock, and the log.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use tun_rs::SyncDevice;

use crate::conditions::Script;
use crate::line::Line;
use crate::log::Entry;

/// Interval of the log.
const LOG_EVERY: Duration = Duration::from_millis(100);
/// Packets read from one end before the other gets its turn.
const BATCH: usize = 64;
/// What the kernel says of a device that is not there any more.
const GONE: PollFlags = PollFlags::POLLERR.union(PollFlags::POLLHUP).union(PollFlags::POLLNVAL);
const PACKET_BYTES_MAX: usize = 65_536;

/// One end of the line.
pub struct End {
    device: SyncDevice,
}

impl End {
    /// Makes the TUN device `name`, still in this process's namespace.
    ///
    /// # Errors
    /// Without the right to, or without /dev/net/tun.
    pub fn new(name: &str) -> io::Result<Self> {
        let device = tun_rs::DeviceBuilder::new().name(name).mtu(1_500).build_sync()?;
        let flags = OFlag::from_bits_retain(fcntl(&device, FcntlArg::F_GETFL)?);
        fcntl(&device, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        Ok(Self { device })
    }

    /// Gives `take` packets that wait, at most a batch.
    fn read(&self, buf: &mut [u8], mut take: impl FnMut(&[u8])) {
        for _ in 0..BATCH {
            // An error is that nothing waits, or that the device is down: packets of that time are lost.
            let Ok(len) = self.device.recv(buf) else { return };
            take(&buf[..len]);
        }
    }
}

/// Carries packets between the ends, `near` and `far`, by `script`, until standard input ends. A line `start` there
/// starts the script.
///
/// # Errors
/// When the log cannot be written.
pub fn emulate(near: &End, far: &End, script: &Script, log: &mut BufWriter<File>) -> io::Result<()> {
    // Without it the kernel may wake us 50 µs late.
    let _ = nix::sys::prctl::set_timerslack(1);
    let mut down = Line::new(&script.down, script.seed);
    let mut up = Line::new(&script.up, script.seed ^ 0x5555);
    let (opened, mut started, mut buf) = (Instant::now(), None, vec![0; PACKET_BYTES_MAX]);
    let mut next_log = opened + LOG_EVERY;
    loop {
        let now = Instant::now();
        near.read(&mut buf, |packet| down.push(packet.to_vec(), now));
        far.read(&mut buf, |packet| up.push(packet.to_vec(), now));
        // A device that is not up takes nothing: the packet is lost, as on any line.
        while let Some(packet) = down.poll(now) {
            let _ = far.device.send(&packet);
        }
        while let Some(packet) = up.poll(now) {
            let _ = near.device.send(&packet);
        }
        if next_log <= now {
            next_log += LOG_EVERY;
            let since = started.map_or_else(
                || -((now - opened).as_millis() as i64),
                |start: Instant| now.saturating_duration_since(start).as_millis() as i64,
            );
            let entry = Entry { at_ms: since, down: down.take_passed(), up: up.take_passed() };
            serde_json::to_writer(&mut *log, &entry)?;
            log.write_all(b"\n")?;
            log.flush()?;
        }
        let timeouts = [down.next_timeout(now), up.next_timeout(now), Some(next_log)];
        let next = timeouts.into_iter().flatten().min().unwrap_or(next_log);
        let wait = TimeSpec::from_duration(next.saturating_duration_since(Instant::now()));
        let stdin = io::stdin();
        let mut ready = [
            PollFd::new(near.device.as_fd(), PollFlags::POLLIN),
            PollFd::new(far.device.as_fd(), PollFlags::POLLIN),
            PollFd::new(stdin.as_fd(), PollFlags::POLLIN),
        ];
        ppoll(&mut ready, Some(wait), None)?;
        let gone = |end: &PollFd<'_>| end.revents().is_some_and(|events| events.intersects(GONE));
        if ready[..2].iter().any(gone) {
            return Err(io::Error::other("a TUN device is gone: its namespace has ended"));
        }
        if ready[2].any().unwrap_or(false) {
            let mut said = [0; 64];
            let len = stdin.lock().read(&mut said)?;
            if len == 0 {
                return Ok(());
            }
            if said[..len].starts_with(b"start") && started.is_none() {
                let now = Instant::now();
                started = Some(now);
                down.start(now);
                up.start(now);
                // Entries are counted from here.
                down.take_passed();
                up.take_passed();
                next_log = now + LOG_EVERY;
            }
        }
    }
}
