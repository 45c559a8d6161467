//! One WebSocket: hello, enter, then messages both ways until one side is gone.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use dais_stage::{ParticipantId, Refusal};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::oneshot;
use tokio::time::{Instant, interval, timeout, timeout_at};

use crate::limits;
use crate::protocol::{self, ClientMessage, ServerMessage, SessionError};
use crate::room::{Entering, NotQueued, Outgoing, QueueEnd, RoomHandle, RoomMessage, SessionQueue};
use crate::server::Signaling;
use crate::token::Claims;

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
struct Reader(SplitStream<WebSocket>);

impl Reader {
    async fn next(&mut self) -> Read {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => match protocol::parse(&text) {
                Ok(message) => Read::Message(message),
                Err((id, error)) => Read::Refused(id, error),
            },
            Some(Ok(Message::Binary(_))) => Read::Refused(None, SessionError::MessageBinary),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Read::Alive,
            Some(Ok(Message::Close(_)) | Err(_)) | None => Read::Gone,
        }
    }

    /// The next message before `deadline`.
    async fn message(&mut self, deadline: Instant) -> Result<ClientMessage, Ended> {
        loop {
            match timeout_at(deadline, self.next()).await {
                Err(_) => return Err(Ended::Refused(SessionError::TooSlow)),
                Ok(Read::Message(message)) => return Ok(message),
                Ok(Read::Refused(_, error)) => return Err(Ended::Refused(error)),
                Ok(Read::Alive) => {}
                Ok(Read::Gone) => return Err(Ended::Gone),
            }
        }
    }
}

/// Why a session did not get to the room, or left it.
enum Ended {
    Gone,
    Refused(SessionError),
}

/// Runs a session for room `room` to its end.
pub(crate) async fn run(socket: WebSocket, signaling: Signaling, room: String) {
    let (sink, stream) = socket.split();
    let (queue, outgoing) = SessionQueue::new();
    let mut writer = tokio::spawn(write(sink, outgoing));
    let mut session = Session { reader: Reader(stream), queue, signaling, inside: None };
    // A session that cannot be written to, or whose end has been written, is over however much it says.
    let ended = tokio::select! {
        ended = session.run(&room) => ended,
        _ = &mut writer => Err(Ended::Gone),
    };
    let Session { queue, signaling, inside, .. } = session;
    if let Some((room, participant)) = inside {
        let _ = room.messages.send(RoomMessage::Gone { participant }).await;
    }
    if let Err(Ended::Refused(error)) = ended {
        signaling.directory.count_refusal(error.code());
        queue.close(error);
    }
    drop(queue);
    if !writer.is_finished() {
        let _ = writer.await;
    }
}

struct Session {
    reader: Reader,
    queue: SessionQueue,
    signaling: Signaling,
    /// The room, and who this is there, once they are in.
    inside: Option<(RoomHandle, ParticipantId)>,
}

impl Session {
    async fn run(&mut self, room: &str) -> Result<(), Ended> {
        let (claims, room) = self.hello(room).await?;
        let participant = self.enter(&claims, &room).await?;
        self.inside = Some((room.clone(), participant));
        self.converse(participant, &room).await
    }

    /// Who is there, and what may they do?
    async fn hello(&mut self, room: &str) -> Result<(Claims, RoomHandle), Ended> {
        let message = self.reader.message(Instant::now() + limits::HELLO_WITHIN).await?;
        let ClientMessage::Hello { protocol, token } = message else {
            return Err(Ended::Refused(SessionError::HelloExpected));
        };
        if protocol != limits::PROTOCOL {
            return Err(Ended::Refused(SessionError::ProtocolVersion));
        }
        let claims = self.signaling.keys.check(&token, room).map_err(Ended::Refused)?;
        let room = self.signaling.directory.find(room).ok_or(Ended::Refused(SessionError::UnknownRoom))?;
        let entry = ServerMessage::Entry {
            protocol: limits::PROTOCOL,
            room: room.info.clone(),
            role: claims.role.into(),
            name: claims.name.clone(),
            may_join_stage: true,
        };
        self.say(&entry);
        Ok((claims, room))
    }

    /// Until they are in: a refused entry, a name too long for one, can be tried again.
    async fn enter(&mut self, claims: &Claims, room: &RoomHandle) -> Result<ParticipantId, Ended> {
        let deadline = Instant::now() + limits::ENTER_WITHIN;
        loop {
            let message = match timeout_at(deadline, self.reader.next()).await {
                Err(_) => return Err(Ended::Refused(SessionError::TooSlow)),
                Ok(Read::Message(message)) => message,
                Ok(Read::Refused(_, SessionError::MessageTooLarge)) => {
                    return Err(Ended::Refused(SessionError::MessageTooLarge));
                }
                Ok(Read::Refused(id, error)) => {
                    self.refuse(id, error);
                    continue;
                }
                Ok(Read::Alive) => continue,
                Ok(Read::Gone) => return Err(Ended::Gone),
            };
            let ClientMessage::Enter { id, name, place, mic, camera, offer } = message else {
                match message {
                    ClientMessage::Leave => return Err(Ended::Gone),
                    ClientMessage::Hello { .. } => self.refuse(None, SessionError::AlreadyEntered),
                    _ => self.refuse(None, SessionError::NotEntered),
                }
                continue;
            };
            let Some(name) = claims.name.clone().or(name) else {
                let error = Refusal::NameMissing;
                self.signaling.directory.count_refusal(error.code());
                self.say(&ServerMessage::Error { id: Some(id), code: error.code().into(), text: error.to_string() });
                continue;
            };
            let (entered, answer) = oneshot::channel();
            let (role, queue) = (claims.role, self.queue.clone());
            let entering = Entering { id, name, role, place, mic, camera, offer, queue, entered };
            let sent = room.messages.send(RoomMessage::Enter(Box::new(entering))).await;
            sent.map_err(|_| Ended::Refused(SessionError::UnknownRoom))?;
            match answer.await {
                Ok(Some(participant)) => return Ok(participant),
                Ok(None) => {}
                Err(_) => return Err(Ended::Refused(SessionError::UnknownRoom)),
            }
        }
    }

    async fn converse(&mut self, participant: ParticipantId, room: &RoomHandle) -> Result<(), Ended> {
        loop {
            let message = match timeout(limits::SILENT_MAX, self.reader.next()).await {
                Err(_) | Ok(Read::Gone) => return Err(Ended::Gone),
                Ok(Read::Alive) => continue,
                Ok(Read::Refused(_, SessionError::MessageTooLarge)) => {
                    return Err(Ended::Refused(SessionError::MessageTooLarge));
                }
                Ok(Read::Refused(id, error)) => {
                    self.refuse(id, error);
                    continue;
                }
                Ok(Read::Message(message)) => message,
            };
            match message {
                ClientMessage::Leave => return Ok(()),
                ClientMessage::Hello { .. } => self.refuse(None, SessionError::AlreadyEntered),
                ClientMessage::Enter { id, .. } => self.refuse(Some(id), SessionError::AlreadyEntered),
                message => {
                    let said = RoomMessage::Said { participant, message };
                    let sent = room.messages.send(said).await;
                    sent.map_err(|_| Ended::Refused(SessionError::UnknownRoom))?;
                }
            }
        }
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

/// How long a message may take to be written before the client counts as gone.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// Writes what is queued, and pings, until the session or the socket ends.
async fn write(mut sink: SplitSink<WebSocket, Message>, mut outgoing: QueueEnd) {
    let mut pings = interval(limits::PING_INTERVAL);
    loop {
        let message = tokio::select! {
            biased;
            next = outgoing.messages.recv() => match next {
                Some(Outgoing(text)) => Message::Text(text),
                None => break,
            },
            changed = outgoing.end.changed() => match changed {
                Ok(()) => break,
                // Whoever could end the session is gone; what is queued still goes out.
                Err(_) => continue,
            },
            _ = pings.tick() => Message::Ping(Bytes::new()),
        };
        if !written(&mut sink, message).await {
            return;
        }
    }
    let end = *outgoing.end.borrow();
    if let Some(error) = end {
        let closed = ServerMessage::Closed { code: error.code().to_owned(), text: error.to_string() };
        let Outgoing(text) = Outgoing::message(&closed);
        if !written(&mut sink, Message::Text(text)).await {
            return;
        }
    }
    let close = CloseFrame { code: close_code::NORMAL, reason: "".into() };
    written(&mut sink, Message::Close(Some(close))).await;
}

async fn written(sink: &mut SplitSink<WebSocket, Message>, message: Message) -> bool {
    matches!(timeout(WRITE_WITHIN, sink.send(message)).await, Ok(Ok(())))
}
