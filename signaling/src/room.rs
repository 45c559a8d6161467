//! How a session and its room talk to each other.

use axum::extract::ws::Utf8Bytes;
use dais_stage::{ParticipantId, Role};
use tokio::sync::{mpsc, oneshot, watch};

use crate::protocol::{ClientMessage, Place, RoomInfo, ServerMessage, SessionError};

/// Finds rooms.
pub trait Directory: Send + Sync + 'static {
    /// The room with this id, if it exists.
    fn find(&self, room: &str) -> Option<RoomHandle>;

    /// Something was refused; counted by its stable code.
    fn count_refusal(&self, code: &'static str);
}

/// A room, as sessions see it.
#[derive(Clone, Debug)]
pub struct RoomHandle {
    /// For people.
    pub info: RoomInfo,
    /// To the room.
    pub messages: mpsc::Sender<RoomMessage>,
}

/// What a session tells its room.
#[derive(Debug)]
pub enum RoomMessage {
    /// Somebody comes in.
    Enter(Box<Entering>),
    /// Somebody inside says something; the answer goes through their queue.
    Said {
        /// Who.
        participant: ParticipantId,
        /// What.
        message: ClientMessage,
    },
    /// A session is over.
    Gone {
        /// Whose.
        participant: ParticipantId,
    },
    /// The room ends; everyone in it is told.
    End,
}

/// Somebody who comes in.
#[derive(Debug)]
pub struct Entering {
    /// Number of the request.
    pub id: u32,
    /// From the token, or what they typed.
    pub name: String,
    /// From the token.
    pub role: Role,
    /// Where to.
    pub place: Place,
    /// On stage: with the microphone on.
    pub mic: bool,
    /// On stage: with the camera on.
    pub camera: bool,
    /// SDP offer.
    pub offer: Option<String>,
    /// The session's queue.
    pub queue: SessionQueue,
    /// Their number, if they are let in; the answer itself goes through the queue.
    pub entered: oneshot::Sender<Option<ParticipantId>>,
}

/// A message to a session, serialised once for everyone it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing(pub(crate) Utf8Bytes);

impl Outgoing {
    /// Serialises a message.
    #[must_use]
    pub fn message(message: &ServerMessage) -> Self {
        let json = serde_json::to_string(message).expect("a message of ours is JSON");
        Self(json.into())
    }
}

/// The bounded queue to a session. It never blocks the room.
#[derive(Clone, Debug)]
pub struct SessionQueue {
    messages: mpsc::Sender<Outgoing>,
    end: watch::Sender<Option<SessionError>>,
}

/// What the writer of a session takes from.
#[derive(Debug)]
pub(crate) struct QueueEnd {
    pub(crate) messages: mpsc::Receiver<Outgoing>,
    pub(crate) end: watch::Receiver<Option<SessionError>>,
}

/// Why a message was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotQueued {
    /// The session cannot keep up.
    Full,
    /// The session is over.
    Over,
}

impl SessionQueue {
    pub(crate) fn new() -> (Self, QueueEnd) {
        let (messages, receiver) = mpsc::channel(crate::limits::QUEUE_MESSAGES);
        let (end, ended) = watch::channel(None);
        (Self { messages, end }, QueueEnd { messages: receiver, end: ended })
    }

    /// Queues `outgoing`.
    ///
    /// # Errors
    /// When the session cannot keep up, or is over.
    pub fn push(&self, outgoing: Outgoing) -> Result<(), NotQueued> {
        self.messages.try_send(outgoing).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotQueued::Full,
            mpsc::error::TrySendError::Closed(_) => NotQueued::Over,
        })
    }

    /// Whether the session has taken everything that was queued.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.capacity() == self.messages.max_capacity()
    }

    /// Ends the session with a reason, after what is queued. The first reason stands.
    pub fn close(&self, error: SessionError) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            end.get_or_insert(error);
            first
        });
    }
}
