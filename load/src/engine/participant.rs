//! One participant's connection: ICE, then DTLS, then media, over a socket of its own.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use dais_media::{Handshake, Identity, Progress, Setup, SrtpSession, ice};
use tokio::sync::oneshot;

use super::feedback::Feedback;
use super::side::Side;
use crate::limits::CONNECT_WITHIN;
use crate::random::Random;
use crate::sdp::Remote;
use crate::system::monotonic_ns;

/// A connectivity check that is not answered is sent again after this long, and then after twice as long (RFC 8489
/// §6.2.1).
const CHECK_RETRY: Duration = Duration::from_millis(100);

/// How long the parts of connecting took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Connected {
    pub(crate) ice: Duration,
    pub(crate) dtls: Duration,
    /// From the keys to the first packet of media, if there was to be any.
    pub(crate) first_packet: Option<Duration>,
}

/// What ends connecting; a failure by its code.
pub(crate) type Connecting = oneshot::Sender<Result<Connected, &'static str>>;

pub(super) enum State {
    /// Until the server answers a connectivity check.
    Checking {
        next: Instant,
        pause: Duration,
    },
    Handshaking {
        handshake: Box<Handshake>,
        since: Instant,
    },
    /// The handshake is kept for a while: the server may not have got its last flight.
    Connected {
        keys: Box<SrtpSession>,
        handshake: Option<Box<Handshake>>,
        since: Instant,
    },
}

/// What is known of connecting so far.
pub(super) struct Progressing {
    done: Connecting,
    began: Instant,
    times: Connected,
    awaits_media: bool,
}

/// See the module.
pub(super) struct Participant {
    pub(super) socket: UdpSocket,
    local_ufrag: String,
    remote: Remote,
    /// The participant's number in the room.
    you: u32,
    pub(super) side: Side,
    pub(super) state: State,
    pub(super) feedback: Option<Box<Feedback>>,
    progress: Option<Progressing>,
    /// Counts the visits of the thread, one a second.
    pub(super) visits: u64,
}

/// What a participant starts from.
pub(super) struct Start {
    pub(super) socket: UdpSocket,
    pub(super) local_ufrag: String,
    pub(super) remote: Remote,
    pub(super) you: u32,
    pub(super) side: Side,
    pub(super) feedback: bool,
    pub(super) awaits_media: bool,
    pub(super) done: Connecting,
}

impl Participant {
    pub(super) fn new(start: Start, now: Instant) -> Self {
        let Start { socket, local_ufrag, remote, you, side, feedback, awaits_media, done } = start;
        let progress = Progressing { done, began: now, times: Connected::default(), awaits_media };
        let mut participant = Self {
            socket,
            local_ufrag,
            remote,
            you,
            side,
            state: State::Checking { next: now, pause: CHECK_RETRY },
            feedback: feedback.then(|| Box::new(Feedback::new(now))),
            progress: Some(progress),
            visits: 0,
        };
        participant.tend(&now);
        participant
    }

    /// Begins to publish, or to watch: there are keys.
    pub(super) fn begin(&mut self, random: &mut Random) {
        match &mut self.side {
            Side::Publisher(publisher) => {
                publisher.start(monotonic_ns(), self.you, self.remote.transport_cc, random);
            }
            Side::Watcher(watching) => watching.start(monotonic_ns()),
            Side::Viewer(_) => {}
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected { .. })
    }

    /// Whether it is still on its way in; then it wants [`Participant::tend`] often.
    pub(super) fn is_connecting(&self) -> bool {
        self.progress.is_some()
    }

    /// Sends a connectivity check, which also keeps the consent (RFC 7675 §5.1).
    pub(super) fn check(&self) {
        let check = ice::binding_request(&self.local_ufrag, &self.remote.ufrag, &self.remote.pwd, true);
        // A datagram the kernel refuses is a lost one: it is sent again.
        let _ = check.map(|check| self.socket.send(&check));
    }

    /// Sends again what was lost while connecting, and gives up in the end.
    pub(super) fn tend(&mut self, now: &Instant) {
        match &mut self.state {
            State::Checking { next, pause } if *next <= *now => {
                (*next, *pause) = (*now + *pause, *pause * 2);
                self.check();
            }
            State::Handshaking { handshake, .. } if handshake.next_timeout().is_some_and(|at| at <= *now) => {
                let again = handshake.handle_timeout(*now, |datagram| drop(self.socket.send(datagram)));
                if again.is_err() {
                    self.fail("dtls_failed");
                }
            }
            _ => {}
        }
        if self.progress.as_ref().is_some_and(|progress| *now > progress.began + CONNECT_WITHIN) {
            self.fail(match self.state {
                State::Checking { .. } => "ice_timeout",
                State::Handshaking { .. } => "dtls_timeout",
                State::Connected { .. } => "no_media",
            });
        }
    }

    fn fail(&mut self, code: &'static str) {
        if let Some(progress) = self.progress.take() {
            let _ = progress.done.send(Err(code));
        }
    }

    /// Takes a STUN message: an answer to a check begins the handshake.
    pub(super) fn handle_stun(&mut self, datagram: &[u8], identity: &Identity) {
        // RFC 8489 §5: a success response to a binding request has type 0x0101.
        if !matches!(self.state, State::Checking { .. }) || !datagram.starts_with(&[1, 1]) {
            return;
        }
        let now = Instant::now();
        if let Some(progress) = &mut self.progress {
            progress.times.ice = now - progress.began;
        }
        let mut handshake = Box::new(Handshake::new(identity, Setup::Active, self.remote.fingerprint, now));
        if handshake.handle_timeout(now, |datagram| drop(self.socket.send(datagram))).is_err() {
            self.fail("dtls_failed");
        }
        self.state = State::Handshaking { handshake, since: now };
    }

    /// Takes a DTLS datagram. Returns true when it brought the keys.
    pub(super) fn handle_dtls(&mut self, datagram: &[u8]) -> bool {
        let now = Instant::now();
        let socket = &self.socket;
        let send = |datagram: &[u8]| drop(socket.send(datagram));
        match &mut self.state {
            State::Handshaking { handshake, since } => {
                let since = *since;
                match handshake.handle_datagram(now, datagram, send) {
                    Ok(Progress::Done(keys)) => {
                        self.connect(keys, since, now);
                        return true;
                    }
                    Ok(_) => {}
                    Err(_) => self.fail("dtls_failed"),
                }
            }
            State::Connected { handshake: Some(handshake), .. } => {
                let _ = handshake.handle_datagram(now, datagram, send);
            }
            _ => {}
        }
        false
    }

    fn connect(&mut self, keys: Box<SrtpSession>, began: Instant, now: Instant) {
        let connected = State::Connected { keys, handshake: None, since: now };
        if let State::Handshaking { handshake: kept, .. } = std::mem::replace(&mut self.state, connected)
            && let State::Connected { handshake, .. } = &mut self.state
        {
            *handshake = Some(kept);
        }
        if let Some(progress) = &mut self.progress {
            progress.times.dtls = now - began;
            if !progress.awaits_media {
                self.succeed();
            }
        }
    }

    /// Media has come.
    pub(super) fn note_media(&mut self) {
        let State::Connected { since, .. } = self.state else { return };
        if let Some(progress) = &mut self.progress {
            progress.times.first_packet = Some(since.elapsed());
            self.succeed();
        }
    }

    fn succeed(&mut self) {
        if let Some(progress) = self.progress.take() {
            let _ = progress.done.send(Ok(progress.times));
        }
    }
}
