//! Coming into the room: WebSocket, entry, offer and answer, then media; each part timed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dais_signaling::protocol::{Place, Role};
use dais_signaling::token::{Claims, TokenKeys};
use tokio::sync::oneshot;

use crate::engine::{Connect, Engine, Part};
use crate::error::LoadError;
use crate::sdp::{Remote, Sections, offer};
use crate::session::{Entered, Entry, Failure, Session};
use crate::system::{SocketOptions, bind, realtime_ns};

/// Tokens for everybody: one that all share, or one signed for each.
pub(crate) enum Tokens {
    Shared(String),
    Signed { keys: Box<TokenKeys>, run: u64 },
}

/// Signed tokens are valid for a day, which is longer than any run.
const VALID: Duration = Duration::from_secs(24 * 60 * 60);

impl Tokens {
    /// # Errors
    /// When there is neither, or the secret is too short.
    pub(crate) fn new(secret: Option<&str>, token: Option<&str>) -> Result<Self, LoadError> {
        match (secret, token) {
            (Some(secret), _) => {
                let keys = TokenKeys::from_secret(secret.as_bytes()).ok_or(LoadError::SecretTooShort)?;
                Ok(Self::Signed { keys: Box::new(keys), run: realtime_ns() })
            }
            (None, Some(token)) => Ok(Self::Shared(token.to_owned())),
            (None, None) => Err(LoadError::TokenNeeded),
        }
    }

    fn of(&self, room: &str, role: Role, number: usize) -> Result<String, Failure> {
        match self {
            Self::Shared(token) => Ok(token.clone()),
            Self::Signed { keys, run } => {
                let exp = realtime_ns() / 1_000_000_000 + VALID.as_secs();
                // A run of its own identities: those of the run before may be in the room for their grace time.
                // Clocks of some machines stand still for milliseconds, in which two runs may begin.
                let sub = Some(format!("load-{run}-{}-{number}", std::process::id()));
                let claims = Claims { sub, ..Claims::new(room, role.into(), exp) };
                keys.sign(&claims).map_err(|error| Failure::new("harness", error.to_string()))
            }
        }
    }
}

/// Where everybody goes.
pub(crate) struct Venue {
    pub(crate) authority: String,
    pub(crate) room: String,
    pub(crate) tokens: Tokens,
    pub(crate) engine: Arc<Engine>,
    /// Addresses the sockets are bound to, in turn.
    pub(crate) local_ips: Vec<IpAddr>,
    pub(crate) socket: SocketOptions,
}

/// Who comes.
pub(crate) struct Guest {
    /// Among all participants of the harness.
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) place: Place,
    pub(crate) mic: bool,
    pub(crate) camera: bool,
    pub(crate) sections: Sections,
    pub(crate) part: Part,
    pub(crate) awaits_media: bool,
}

/// How long the parts of joining took, in order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JoinTimes {
    pub(crate) websocket: Duration,
    pub(crate) entry: Duration,
    pub(crate) answer: Duration,
    pub(crate) ice: Duration,
    pub(crate) dtls: Duration,
    pub(crate) first_packet: Option<Duration>,
    pub(crate) total: Duration,
}

impl Venue {
    /// A session in the room's hall: it has said hello.
    async fn greet(
        &self,
        role: Role,
        number: usize,
        lap: &mut impl FnMut() -> Duration,
    ) -> Result<(Session, [Duration; 2]), Failure> {
        let token = self.tokens.of(&self.room, role, number)?;
        let mut session = Session::connect(&self.authority, &self.room).await?;
        let websocket = lap();
        session.hello(&token).await?;
        Ok((session, [websocket, lap()]))
    }

    /// Somebody who only has a WebSocket, as a viewer.
    pub(crate) async fn join_without_media(
        &self,
        name: &str,
        role: Role,
        number: usize,
    ) -> Result<(Session, Entered), Failure> {
        let (mut session, _) = self.greet(role, number, &mut || Duration::ZERO).await?;
        let (name, place) = (name.to_owned(), Place::Viewer);
        let entered = session.enter(Entry { name, place, mic: false, camera: false, offer: None }).await?;
        Ok((session, entered))
    }

    /// Brings `guest` into the room with media.
    pub(crate) async fn join(&self, guest: Guest) -> Result<(Session, JoinTimes), Failure> {
        let begin = Instant::now();
        let mut last = begin;
        let mut lap = || {
            let now = Instant::now();
            now - std::mem::replace(&mut last, now)
        };
        let number = guest.number;
        let ip = self.local_ips[number % self.local_ips.len()];
        let socket = bind(ip, self.socket).map_err(|error| Failure::new("socket", error.to_string()))?;
        let (mut session, [websocket, entry]) = self.greet(guest.role, number, &mut lap).await?;
        let local_ufrag = format!("L{number:07x}");
        let feedback = guest.sections.feedback;
        let sdp = offer(self.engine.fingerprint(), &local_ufrag, guest.sections);
        let Guest { name, place, mic, camera, part, awaits_media, .. } = guest;
        let entered = session.enter(Entry { name, place, mic, camera, offer: Some(sdp) }).await?;
        let answer = entered.answer.ok_or_else(|| Failure::new("no_answer", "the offer was not answered"))?;
        let remote = Remote::parse(&answer).ok_or_else(|| Failure::new("answer_malformed", "not an SDP answer"))?;
        let answered = lap();

        let (done, connected) = oneshot::channel();
        let you = entered.you;
        self.engine.connect(Connect { number, socket, local_ufrag, remote, you, part, feedback, awaits_media, done });
        let connected = connected.await.unwrap_or(Err("harness"));
        let connected = connected.map_err(|code| {
            self.engine.disconnect(number);
            Failure::new(code, "media did not connect")
        })?;
        let times = JoinTimes {
            websocket,
            entry,
            answer: answered,
            ice: connected.ice,
            dtls: connected.dtls,
            first_packet: connected.first_packet,
            total: begin.elapsed(),
        };
        Ok((session, times))
    }
}
