//! One TCP connection: frames (RFC 4571 §2: two bytes of length, then the datagram) to and from a worker.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;

use tokio::io::{AsyncRead, AsyncReadExt as _, BufReader};
use tokio::net::tcp::WriteHalf;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Waiting, count, prepare};
use crate::counters::{Counters, DropReason, TcpEnd};
use crate::ice::Request;
use crate::limits;
use crate::udp::{self, Port};

type Datagram = [u8; limits::DATAGRAM_BYTES_MAX];

/// Why a connection is over.
enum Over {
    /// The client closed it, or the path to it is gone.
    Client,
    Server(TcpEnd),
}

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Self::Client
    }
}

/// Carries datagrams both ways until the client goes, or has to; then the result says why.
pub(super) async fn carry(mut stream: TcpStream, workers: &[SocketAddr], counters: &Mutex<Counters>) -> Option<TcpEnd> {
    let Err(over) = carry_until(&mut stream, workers, counters).await;
    match over {
        Over::Client => None,
        Over::Server(why) => Some(why),
    }
}

async fn carry_until(
    stream: &mut TcpStream,
    workers: &[SocketAddr],
    counters: &Mutex<Counters>,
) -> Result<Infallible, Over> {
    let deadline = Instant::now() + limits::TCP_PROVE_WITHIN;
    prepare(stream)?;
    let (reader, writer) = stream.split();
    let mut reader = BufReader::new(reader);
    let mut datagram = [0; limits::DATAGRAM_BYTES_MAX];
    let first = timeout_at(deadline, read_frame(&mut reader, &mut datagram)).await;
    let first = first.map_err(|_| Over::Server(TcpEnd::Unproved))??;
    // No socket for whoever does not at least speak the language.
    let check = Request::parse(first).map_err(|_| Over::Server(TcpEnd::NotACheck))?;
    let worker = check.ufrag().worker().and_then(|worker| workers.get(usize::from(worker.0)));
    let worker = *worker.ok_or(Over::Server(TcpEnd::UnknownWorker))?;
    let udp = connected(worker).map_err(|_| Over::Server(TcpEnd::NoSocket))?;
    let _ = udp.send(first).await;
    // Only an authenticated check is answered.
    let (proved, proof) = oneshot::channel();
    tokio::select! {
        over = to_worker(&mut reader, &udp, &mut datagram) => over,
        over = to_client(&udp, writer, proved, counters) => over,
        over = unproved(proof, deadline) => over,
    }
}

/// A socket that exchanges datagrams with `worker` and with nobody else.
fn connected(worker: SocketAddr) -> io::Result<UdpSocket> {
    // Without GRO: however the worker sends, the kernel gives its datagrams one by one.
    let socket = udp::bind(SocketAddr::new(worker.ip(), 0), Port::Own)?;
    socket.connect(worker)?;
    UdpSocket::from_std(socket)
}

async fn unproved(proof: oneshot::Receiver<()>, deadline: Instant) -> Result<Infallible, Over> {
    match timeout_at(deadline, proof).await {
        Ok(_) => std::future::pending().await,
        Err(_) => Err(Over::Server(TcpEnd::Unproved)),
    }
}

async fn to_worker(
    reader: &mut (impl AsyncRead + Unpin),
    udp: &UdpSocket,
    datagram: &mut Datagram,
) -> Result<Infallible, Over> {
    loop {
        let frame = timeout(limits::TCP_IDLE, read_frame(reader, datagram)).await;
        let frame = frame.map_err(|_| Over::Server(TcpEnd::Idle))??;
        // An error belongs to a datagram sent before (RFC 1122 §4.1.3.3): to the worker it is one that was lost.
        let _ = udp.send(frame).await;
    }
}

/// A slow client makes nobody wait: what comes from the worker is always read, and dropped where too much waits.
async fn to_client(
    udp: &UdpSocket,
    mut writer: WriteHalf<'_>,
    proved: oneshot::Sender<()>,
    counters: &Mutex<Counters>,
) -> Result<Infallible, Over> {
    let mut proved = Some(proved);
    let mut waiting = Waiting::default();
    let mut datagram = [0; limits::DATAGRAM_BYTES_MAX];
    loop {
        tokio::select! {
            received = udp.recv(&mut datagram) => {
                // As in `to_worker`.
                let Ok(len) = received else { continue };
                proved.take().map(|proved| proved.send(()));
                let mut read = len;
                loop {
                    if !waiting.push(&[&(read as u16).to_be_bytes(), &datagram[..read]]) {
                        count(counters, |counters| counters.drop(DropReason::TcpQueueFull));
                    }
                    let Ok(len) = udp.try_recv(&mut datagram) else { break };
                    read = len;
                }
            }
            written = waiting.write(&mut writer), if !waiting.is_empty() => written?,
        }
    }
}

/// The next frame's datagram.
async fn read_frame<'a>(reader: &mut (impl AsyncRead + Unpin), into: &'a mut Datagram) -> Result<&'a [u8], Over> {
    let len = usize::from(reader.read_u16().await?);
    let datagram = into.get_mut(..len).ok_or(Over::Server(TcpEnd::FrameTooLong))?;
    reader.read_exact(datagram).await?;
    Ok(datagram)
}
