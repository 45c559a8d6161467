//! Media of thousands of participants: threads of their own, each with the sockets of its share.

mod counts;
mod feedback;
mod participant;
mod rtcp;
mod side;
mod thread;
mod viewer;
mod watching;

use std::io;
use std::net::UdpSocket;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use dais_media::{Fingerprint, Identity};
use tokio::sync::oneshot;

pub(crate) use counts::{Counts, Report, Switch, latencies};
use participant::Connecting;

use crate::publish::Publisher;
use crate::random::Random;
use crate::sdp::Remote;
use crate::system::{Poller, Waker};
use thread::MediaThread;

/// What all media threads keep to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Share of the packets that is decrypted.
    pub(crate) decrypt: f64,
    /// Viewers send the empty receiver reports of Chromium.
    pub(crate) chatty: bool,
    /// Threads do not read for this long, once a second.
    pub(crate) read_pause: Option<Duration>,
}

/// What somebody does in the room.
pub(crate) enum Part {
    Publish(Box<Publisher>),
    /// Counts what comes.
    View,
    /// Decrypts all that comes, and shows it as a browser would.
    Watch,
}

/// Somebody who is in the room and has an answer to their offer.
pub(crate) struct Connect {
    /// Number among all participants of the harness.
    pub(crate) number: usize,
    pub(crate) socket: UdpSocket,
    pub(crate) local_ufrag: String,
    pub(crate) remote: Remote,
    /// Number in the room.
    pub(crate) you: u32,
    pub(crate) part: Part,
    /// Reports transport-wide when packets came, if they are numbered.
    pub(crate) feedback: bool,
    /// Connecting ends with the first packet of media, not with the keys.
    pub(crate) awaits_media: bool,
    pub(crate) done: Connecting,
}

enum Command {
    Connect(Box<Connect>),
    Disconnect { number: usize },
    SetSending { number: usize, sending: bool },
    SetTalking { number: usize, talking: bool },
    Report(oneshot::Sender<Report>),
}

struct Thread {
    commands: mpsc::Sender<Command>,
    waker: Waker,
}

/// The media threads. They end when the last clone of this is gone.
pub(crate) struct Engine {
    threads: Vec<Thread>,
    handles: Vec<JoinHandle<()>>,
    fingerprint: Fingerprint,
}

impl Engine {
    /// Starts `threads` threads. All participants share one certificate: making one costs the harness, not the server.
    ///
    /// # Errors
    /// When the system gives no thread or no file, or no certificate can be made.
    pub(crate) fn start(threads: usize, settings: Settings, random: &Random) -> io::Result<Self> {
        let identity = Identity::generate().map_err(io::Error::other)?;
        let fingerprint = identity.fingerprint();
        let mut engine = Self { threads: Vec::new(), handles: Vec::new(), fingerprint };
        for n in 0..threads {
            let (commands, receiver) = mpsc::channel();
            let poller = Poller::new()?;
            engine.threads.push(Thread { commands, waker: poller.waker() });
            let random = random.fork(n as u64 + 1_000_000);
            let thread = MediaThread::new(settings, identity.clone(), receiver, poller, random);
            let name = format!("media-{n}");
            engine.handles.push(std::thread::Builder::new().name(name).spawn(move || thread.run())?);
        }
        Ok(engine)
    }

    /// Fingerprint of the certificate, for offers.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn command(&self, number: usize, command: Command) {
        let thread = &self.threads[number % self.threads.len()];
        // A thread ends before its sender only when it panicked, which the end of the run tells.
        let _ = thread.commands.send(command);
        thread.waker.wake();
    }

    pub(crate) fn connect(&self, connect: Connect) {
        self.command(connect.number, Command::Connect(Box::new(connect)));
    }

    pub(crate) fn disconnect(&self, number: usize) {
        self.command(number, Command::Disconnect { number });
    }

    /// Somebody comes on stage, or is taken off it.
    pub(crate) fn set_sending(&self, number: usize, sending: bool) {
        self.command(number, Command::SetSending { number, sending });
    }

    /// Somebody begins to speak, or ends.
    pub(crate) fn set_talking(&self, number: usize, talking: bool) {
        self.command(number, Command::SetTalking { number, talking });
    }

    /// What all threads have counted; none when one of them is gone.
    pub(crate) async fn report(&self) -> Option<Report> {
        let mut answers = Vec::new();
        for thread in &self.threads {
            let (answer, receiver) = oneshot::channel();
            thread.commands.send(Command::Report(answer)).ok()?;
            thread.waker.wake();
            answers.push(receiver);
        }
        let mut report = Report::empty();
        for answer in answers {
            report.merge(answer.await.ok()?);
        }
        Some(report)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for Thread { commands, waker } in self.threads.drain(..) {
            drop(commands);
            waker.wake();
        }
        self.handles.drain(..).for_each(|handle| drop(handle.join()));
    }
}
