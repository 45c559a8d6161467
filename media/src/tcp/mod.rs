//! ICE over TCP (RFC 6544), for people whose networks let no UDP through.
//!
//! The workers know nothing of it. Each TCP connection gets a UDP socket of its own on this machine, connected to the
//! worker that its first frame names, and datagrams are carried between the two: to the worker it is one more address
//! that proves itself with connectivity checks. All connections share one thread; no worker waits for it.

mod connection;
mod places;
mod waiting;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tracing::warn;

pub(crate) use self::places::Places;
pub(crate) use self::waiting::Waiting;
use crate::background::Background;
use crate::counters::{Counters, Tally};
use crate::limits;

/// After the system refused a connection, before the next is asked for: it has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes connections until it is dropped.
pub(crate) struct Listener {
    address: SocketAddr,
    counters: Arc<Mutex<Counters>>,
    _thread: Background,
}

impl Listener {
    /// Takes connections at `address`, port 0 being any that is free, for `workers`: where each has its UDP socket.
    ///
    /// # Errors
    /// When the address cannot be bound, or there is no thread.
    pub(crate) fn start(address: SocketAddr, workers: Vec<SocketAddr>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let counters = Arc::new(Mutex::new(Counters::default()));
        let taking = Taking { workers: workers.into(), counters: Arc::clone(&counters), places: Places::default() };
        let thread = Background::start("dais-media-tcp", taking.run(listener))?;
        Ok(Self { address, counters, _thread: thread })
    }

    /// The port connections are taken at.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// What happened so far.
    pub(crate) fn counters(&self) -> Counters {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a connection needs.
struct Taking {
    workers: Arc<[SocketAddr]>,
    counters: Arc<Mutex<Counters>>,
    places: Places,
}

impl Taking {
    async fn run(self, listener: std::net::TcpListener) {
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return warn!(%error, "media over TCP cannot be taken"),
        };
        loop {
            match listener.accept().await {
                Ok((stream, from)) => self.take(stream, from),
                Err(error) => {
                    warn!(%error, "a TCP connection for media could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, from: SocketAddr) {
        let place = match self.places.take(from.ip()) {
            Ok(place) => place,
            Err(full) => return count(&self.counters, |counters| counters.close(full.into())),
        };
        count(&self.counters, |counters| {
            counters.add(Tally::TcpConnections, 1);
            counters.tcp_connections += 1;
        });
        let (workers, counters) = (Arc::clone(&self.workers), Arc::clone(&self.counters));
        tokio::spawn(async move {
            let ended = connection::carry(stream, &workers, &counters).await;
            drop(place);
            count(&counters, |counters| {
                counters.tcp_connections -= 1;
                ended.into_iter().for_each(|why| counters.close(why));
            });
        });
    }
}

/// Makes a connection fit for media: what is written leaves at once, and little of it waits in the kernel, where it gets
/// late. The rest waits in a [`Waiting`], where it is dropped and counted.
///
/// # Errors
/// When the connection is over already.
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_notsent_lowat(limits::TCP_UNSENT_BYTES)
}

/// Only the thread and whoever scrapes metrics hold the lock.
fn count(counters: &Mutex<Counters>, counted: impl FnOnce(&mut Counters)) {
    counted(&mut counters.lock().unwrap_or_else(PoisonError::into_inner));
}

#[cfg(test)]
mod tests;
