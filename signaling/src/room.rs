//! How a session and its room talk to each other.

use axum::extract::ws::Utf8Bytes;
use dais_stage::{ParticipantId, Role};
use tokio::sync::{mpsc, oneshot};

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

/// What goes out to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A message, serialised once for everyone it goes to.
    Message(Utf8Bytes),
    /// The end.
    Close,
}

impl Outgoing {
    /// Serialises a message.
    #[must_use]
    pub fn message(message: &ServerMessage) -> Self {
        let json = serde_json::to_string(message).expect("a message of ours is JSON");
        Self::Message(json.into())
    }
}

/// The bounded queue to a session. It never blocks the room.
#[derive(Clone, Debug)]
pub struct SessionQueue(mpsc::Sender<Outgoing>);

impl SessionQueue {
    /// A queue and its other end.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Outgoing>) {
        let (sender, receiver) = mpsc::channel(crate::limits::QUEUE_MESSAGES);
        (Self(sender), receiver)
    }

    /// Queues `outgoing`. False when the session cannot keep up, or is gone.
    #[must_use]
    pub fn push(&self, outgoing: Outgoing) -> bool {
        self.0.try_send(outgoing).is_ok()
    }

    /// Ends the session with a reason.
    pub fn close(&self, error: SessionError) {
        let (code, text) = (error.code().to_owned(), error.to_string());
        // A session that does not even take this is ended by its silence.
        let _ = self.push(Outgoing::message(&ServerMessage::Closed { code, text })) && self.push(Outgoing::Close);
    }
}
