//! One WebSocket: hello, enter, then messages both ways until one side is gone.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dais_stage::{Identity, LinkId, ParticipantId};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::oneshot;
use tokio::time::{Instant, interval, timeout, timeout_at};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

use crate::limits;
use crate::protocol::{self, ClientMessage, ServerMessage, SessionError};
use crate::rate::{Pace, Rate};
use crate::room::{
    Directory, Entering, NotQueued, Outgoing, QueueEnd, Reason, RoomHandle, RoomMessage, SessionEvent, SessionId,
    SessionQueue, Visitor, Wish,
};
use crate::server::Signaling;
use crate::socket::{Incoming, Socket, send_text};
use crate::token::{Claims, TokenKeys};

/// What can be read from a session.
enum Read {
    Message(ClientMessage),
    /// A message that is refused; the session goes on.
    Refused(Option<u32>, SessionError),
    /// Pings and pongs: somebody is there.
    Alive,
    Gone,
}

/// Reads from the socket and tells apart what can be gone on with.
struct Reader {
    incoming: Incoming,
    directory: Arc<dyn Directory>,
}

impl Reader {
    async fn next(&mut self) -> Read {
        let read = self.incoming.next().await;
        if let Some(Ok(Message::Text(_) | Message::Binary(_))) = read {
            self.directory.count_session(SessionEvent::Received);
        }
        match read {
            Some(Ok(Message::Text(text))) => match protocol::parse(text) {
                Ok(message) => Read::Message(message),
                Err((id, error)) => Read::Refused(id, error),
            },
            Some(Ok(Message::Binary(_))) => Read::Refused(None, SessionError::MessageBinary),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Read::Alive,
            Some(Ok(Message::Close(_)) | Err(_)) | None => Read::Gone,
        }
    }

    /// Reads until the other side has closed.
    async fn drain(&mut self) {
        while let Some(Ok(_)) = self.incoming.next().await {}
    }

    /// The next message before `deadline`.
    async fn message(&mut self, deadline: Instant) -> Result<ClientMessage, Ended> {
        loop {
            match timeout_at(deadline, self.next()).await {
                Err(_) => return Err(SessionError::TooSlow.into()),
                Ok(Read::Message(message)) => return Ok(message),
                Ok(Read::Refused(_, error)) => return Err(error.into()),
                Ok(Read::Alive) => {}
                Ok(Read::Gone) => return Err(Ended::Gone),
            }
        }
    }
}

/// Why a session did not get to the room, or left it.
enum Ended {
    /// They said so.
    Left,
    Gone,
    Refused(Reason),
}

impl From<Reason> for Ended {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<SessionError> for Ended {
    fn from(error: SessionError) -> Self {
        Self::Refused(error.into())
    }
}

/// Counts a session as open for as long as it lives, however it ends.
struct Open(Arc<dyn Directory>);

impl Open {
    fn new(directory: Arc<dyn Directory>) -> Self {
        directory.count_session(SessionEvent::Opened);
        Self(directory)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.count_session(SessionEvent::Closed);
    }
}

/// Runs a session for room `room` to its end, which comes at once where the page it is for is not `admitted`.
pub(crate) async fn run(socket: Socket, signaling: Signaling, room: String, admitted: bool) {
    let id = SessionId::next();
    let _open = Open::new(Arc::clone(&signaling.directory));
    let (sink, stream) = socket.split();
    let (queue, outgoing) = SessionQueue::new();
    let mut writer = tokio::spawn(write(sink, outgoing, Arc::clone(&signaling.directory)));
    let reader = Reader { incoming: Incoming::new(stream), directory: Arc::clone(&signaling.directory) };
    let mut session = Session { id, reader, queue, signaling, inside: None };
    // A session that cannot be written to, or whose end has been written, is over however much it says.
    let Err(ended) = tokio::select! {
        ended = session.run(&room, admitted) => ended,
        _ = &mut writer => Err(Ended::Gone),
    };
    let Session { queue, signaling, inside, mut reader, .. } = session;
    if let Some((room, participant)) = inside {
        let left = matches!(ended, Ended::Left);
        let _ = room.messages.send(RoomMessage::Gone { session: id, participant, left }).await;
    }
    if let Ended::Refused(reason) = ended {
        signaling.directory.count_refusal(reason.code);
        queue.close(reason);
    }
    drop(queue);
    if !writer.is_finished() {
        let _ = writer.await;
    }
    // What is left unread when a socket is closed makes TCP reset the connection, and the reason never arrives.
    let _ = timeout(limits::LINGER, reader.drain()).await;
}

struct Session {
    id: SessionId,
    reader: Reader,
    queue: SessionQueue,
    signaling: Signaling,
    /// The room, and who this is there, once they are in.
    inside: Option<(RoomHandle, ParticipantId)>,
}

/// Somebody whose token was checked.
pub(crate) struct Known {
    pub(crate) claims: Claims,
    pub(crate) visitor: Visitor,
    /// Token to come back with.
    pub(crate) token: String,
}

impl Known {
    /// Whoever comes with `token` into `room`.
    pub(crate) fn by_token(keys: &TokenKeys, token: &str, room: &str, phone: bool) -> Result<Self, SessionError> {
        let claims = keys.check(token, room)?;
        // Without a subject, whoever comes with this token is somebody new.
        let subject = claims.sub.clone().map_or_else(random_identity, Ok)?;
        if subject.len() > limits::IDENTITY_BYTES_MAX {
            return Err(SessionError::TokenInvalid);
        }
        let now = unix_seconds();
        let token = keys.sign(&claims.to_come_back(&subject, now))?;
        let visitor = Visitor {
            identity: Identity(subject),
            role: claims.role,
            link: claims.link.map(LinkId),
            until: claims.enter_until.unwrap_or(claims.exp),
            phone,
            may_enter: claims.lets_in(now),
        };
        Ok(Self { claims, visitor, token })
    }
}

impl Session {
    async fn run(&mut self, room: &str, admitted: bool) -> Result<Infallible, Ended> {
        if !admitted {
            return Err(SessionError::OriginNotAllowed.into());
        }
        let (known, room) = self.hello(room).await?;
        let participant = self.enter(&known, &room).await?;
        self.inside = Some((room.clone(), participant));
        self.converse(participant, &room).await
    }

    /// Who is there, and what may they do?
    async fn hello(&mut self, room: &str) -> Result<(Known, RoomHandle), Ended> {
        let message = self.reader.message(Instant::now() + limits::HELLO_WITHIN).await?;
        let asked = Instant::now();
        let ClientMessage::Hello { protocol, token, phone } = message else {
            return Err(SessionError::HelloExpected.into());
        };
        if protocol != limits::PROTOCOL {
            return Err(SessionError::ProtocolVersion.into());
        }
        let known = Known::by_token(&self.signaling.keys, &token, room, phone)?;
        let room = self.signaling.directory.find(room)?;
        let (answer, welcome) = oneshot::channel();
        let hello = RoomMessage::Hello { visitor: known.visitor.clone(), answer };
        room.messages.send(hello).await.map_err(|_| SessionError::RoomGone)?;
        let welcome = welcome.await.map_err(|_| SessionError::RoomGone)??;
        let entry = ServerMessage::Entry {
            protocol: limits::PROTOCOL,
            room: room.info.clone(),
            role: known.claims.role.into(),
            name: known.claims.name.clone(),
            may_join_stage: welcome.may_join_stage,
            present: welcome.present,
            ice_servers: self.signaling.reach.ice_servers()?,
            codec: welcome.codec,
        };
        self.say(&entry);
        self.signaling.directory.count_session(SessionEvent::Welcomed { after: asked.elapsed() });
        Ok((known, room))
    }

    /// Until they are in: a refused entry, a name too long for one, can be tried again.
    async fn enter(&mut self, known: &Known, room: &RoomHandle) -> Result<ParticipantId, Ended> {
        let deadline = Instant::now() + limits::ENTER_WITHIN;
        let mut rate = Rate::new(Instant::now());
        loop {
            let read = timeout_at(deadline, self.reader.next()).await.map_err(|_| SessionError::TooSlow)?;
            let Some(message) = self.received(read, &mut rate)? else { continue };
            let ClientMessage::Enter { id, name, place, mic, camera, offer, keep_media } = message else {
                match message {
                    ClientMessage::Leave => return Err(Ended::Left),
                    ClientMessage::Hello { .. } => self.refuse(None, SessionError::AlreadyEntered),
                    other => self.refuse(other.id(), SessionError::NotEntered),
                }
                continue;
            };
            let name = known.claims.name.clone().or(name);
            let (entered, answer) = oneshot::channel();
            let (session, visitor, queue, token) =
                (self.id, known.visitor.clone(), self.queue.clone(), known.token.clone());
            let wish = Wish::Visit { place, mic, camera, offer, keep_media };
            let asked = Instant::now();
            let entering = Entering { id, asked, session, visitor, name, wish, token, queue, entered };
            let sent = room.messages.send(RoomMessage::Enter(Box::new(entering))).await;
            sent.map_err(|_| SessionError::RoomGone)?;
            if let Ok(admitted) = answer.await.map_err(|_| SessionError::RoomGone)? {
                return Ok(admitted.participant);
            }
        }
    }

    async fn converse(&mut self, participant: ParticipantId, room: &RoomHandle) -> Result<Infallible, Ended> {
        let now = Instant::now();
        let (mut rate, mut searches) = (Rate::new(now), Rate::searches(now));
        let (mut chat, mut reactions) = (Rate::chat(now), Rate::reactions(now));
        loop {
            let read = timeout(limits::SILENT_MAX, self.reader.next()).await.map_err(|_| Ended::Gone)?;
            let Some(message) = self.received(read, &mut rate)? else { continue };
            match message {
                ClientMessage::Leave => return Err(Ended::Left),
                ClientMessage::Hello { .. } => self.refuse(None, SessionError::AlreadyEntered),
                ClientMessage::Enter { id, .. } => self.refuse(Some(id), SessionError::AlreadyEntered),
                ClientMessage::Say { id, .. } if chat.request(Instant::now()) != Pace::Fine => {
                    self.refuse(Some(id), SessionError::RateLimited);
                }
                ClientMessage::React { id, .. } if reactions.request(Instant::now()) != Pace::Fine => {
                    self.refuse(Some(id), SessionError::RateLimited);
                }
                ClientMessage::ListViewers { id, search: Some(_), .. }
                    if searches.request(Instant::now()) != Pace::Fine =>
                {
                    self.refuse(Some(id), SessionError::RateLimited);
                }
                message => {
                    let said = RoomMessage::Said { session: self.id, participant, message };
                    room.messages.send(said).await.map_err(|_| SessionError::RoomGone)?;
                }
            }
        }
    }

    /// The message in what was read, if there is one that is not refused here.
    fn received(&self, read: Read, rate: &mut Rate) -> Result<Option<ClientMessage>, Ended> {
        let (id, result) = match read {
            Read::Alive => return Ok(None),
            Read::Gone => return Err(Ended::Gone),
            Read::Refused(_, SessionError::MessageTooLarge) => return Err(SessionError::MessageTooLarge.into()),
            Read::Refused(id, error) => (id, Err(error)),
            Read::Message(ClientMessage::Leave) => return Ok(Some(ClientMessage::Leave)),
            Read::Message(message) => (message.id(), Ok(message)),
        };
        match rate.request(Instant::now()) {
            Pace::Fine => {}
            Pace::TooFast => {
                self.refuse(id, SessionError::RateLimited);
                return Ok(None);
            }
            Pace::Flooding => return Err(SessionError::RateLimited.into()),
        }
        Ok(result.map_err(|error| self.refuse(id, error)).ok())
    }

    fn refuse(&self, id: Option<u32>, error: SessionError) {
        self.signaling.directory.count_refusal(error.code());
        self.say(&ServerMessage::Error { id, code: error.code().to_owned(), text: error.to_string() });
    }

    fn say(&self, message: &ServerMessage) {
        // Before it is in, nothing else is queued; inside, an answer that does not fit ends the session.
        if self.queue.push(Outgoing::message(message)) == Err(NotQueued::Full) {
            self.queue.close(SessionError::TooSlow);
        }
    }
}

fn random_identity() -> Result<String, SessionError> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| SessionError::Internal)?;
    Ok(format!("guest-{:032x}", u128::from_be_bytes(bytes)))
}

/// Seconds since the Unix epoch.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// How long a message may take to be written before the client counts as gone.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// Writes what is queued, and pings, until the session or the socket ends.
async fn write(mut sink: SplitSink<Socket, Message>, mut outgoing: QueueEnd, directory: Arc<dyn Directory>) {
    let mut pings = interval(limits::PING_INTERVAL);
    loop {
        tokio::select! {
            biased;
            next = outgoing.messages.recv() => match next {
                Some(Outgoing(text)) => if !said(&mut sink, text, &directory).await {
                    return;
                },
                None => break,
            },
            changed = outgoing.end.changed() => match changed {
                Ok(()) => break,
                // Whoever could end the session is gone; what is queued still goes out.
                Err(_) => continue,
            },
            _ = pings.tick() => if !written(sink.send(Message::Ping(Bytes::new()))).await {
                return;
            },
        }
    }
    if let Some(Reason { code, text }) = outgoing.reason() {
        let Outgoing(text) = Outgoing::message(&ServerMessage::Closed { code: code.to_owned(), text });
        if !said(&mut sink, text, &directory).await {
            return;
        }
    }
    let close = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    written(sink.send(Message::Close(Some(close)))).await;
}

/// Says something, and counts it. Whether the client can be written to.
async fn said(sink: &mut SplitSink<Socket, Message>, text: Utf8Bytes, directory: &Arc<dyn Directory>) -> bool {
    let written = written(send_text(sink, text)).await;
    if written {
        directory.count_session(SessionEvent::Sent);
    }
    written
}

/// Whether something was written in time.
async fn written(writing: impl Future<Output = Result<(), Error>>) -> bool {
    matches!(timeout(WRITE_WITHIN, writing).await, Ok(Ok(())))
}
