//! A TCP flow over the line, with the kernel's congestion control.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dais_line::Host;
use nix::sched::{CloneFlags, setns};

const PORT: u16 = 5_100;

/// Sends as fast as it may from the near host to the far one.
pub struct TcpFlow {
    stopped: Arc<AtomicBool>,
    received: Arc<AtomicU64>,
    counting: JoinHandle<Vec<u64>>,
}

impl TcpFlow {
    /// Starts it.
    pub fn start(near: &Host, far: &Host, far_ip: &'static str) -> Self {
        let (stopped, received) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (at_far, count) = (path(far), Arc::clone(&received));
        thread::spawn(move || {
            let Some(listener) = inside(&at_far, || TcpListener::bind((far_ip, PORT))) else { return };
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut buf = [0; 16_384];
            while let Ok(len @ 1..) = stream.read(&mut buf) {
                count.fetch_add(len as u64, Ordering::Relaxed);
            }
        });
        let (at_near, stop) = (path(near), Arc::clone(&stopped));
        thread::spawn(move || {
            let address: SocketAddr = format!("{far_ip}:{PORT}").parse().expect("an address");
            let connected = (0..100).find_map(|_| {
                let stream = inside(&at_near, || TcpStream::connect_timeout(&address, Duration::from_secs(2)));
                if stream.is_none() {
                    thread::sleep(Duration::from_millis(50));
                }
                stream
            });
            let Some(mut stream) = connected else { return };
            while !stop.load(Ordering::Relaxed) && stream.write_all(&[0; 16_384]).is_ok() {}
        });
        let (stop, count) = (Arc::clone(&stopped), Arc::clone(&received));
        let counting = thread::spawn(move || {
            let (start, mut seconds, mut before) = (Instant::now(), Vec::new(), 0);
            while !stop.load(Ordering::Relaxed) {
                let next = start + Duration::from_secs(seconds.len() as u64 + 1);
                thread::sleep(next.saturating_duration_since(Instant::now()));
                let now = count.load(Ordering::Relaxed);
                seconds.push(now - before);
                before = now;
            }
            seconds
        });
        Self { stopped, received, counting }
    }

    /// Ends it, and says how many bytes came in each second.
    pub fn stop(self) -> Vec<u64> {
        self.stopped.store(true, Ordering::Relaxed);
        let seconds = self.counting.join().unwrap_or_default();
        println!("TCP got {} bytes", self.received.load(Ordering::Relaxed));
        seconds
    }
}

fn path(host: &Host) -> String {
    format!("/run/netns/{}", host.name())
}

/// Makes a socket on a host: it stays in the namespace of the thread that made it, and that thread ends.
fn inside<T: Send>(path: &str, make: impl FnOnce() -> std::io::Result<T> + Send) -> Option<T> {
    thread::scope(|scope| {
        let made = scope.spawn(|| {
            setns(File::open(path).ok()?, CloneFlags::CLONE_NEWNET).ok()?;
            make().ok()
        });
        made.join().ok().flatten()
    })
}
