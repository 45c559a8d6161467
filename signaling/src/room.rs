//! How a session, or the HTTP API, and its room talk to each other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dais_stage::{Command, Identity, LinkId, ParticipantId, Refusal, Role, Settings};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::api::{RoomReport, SessionSummary, ViewersPage};
use crate::protocol::{
    ClientMessage, Codec, IceCredentials, Invitation, NewInvitations, Place, Presence, RoomInfo, ServerMessage,
    SessionError,
};

/// Finds and makes rooms.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// The room with this id.
    ///
    /// # Errors
    /// [`SessionError::UnknownRoom`], or [`SessionError::SessionEnded`] when it was there.
    fn find(&self, room: &str) -> Result<RoomHandle, SessionError>;

    /// Opens a room; one that has ended is opened again.
    ///
    /// # Errors
    /// `room_exists`, `journal_failed`, or what is wrong with the settings.
    async fn create(&self, info: RoomInfo, settings: Settings) -> Result<(), Reason>;

    /// Waits while a session that was ended is being wound up: afterwards [`Directory::find`] says that it has ended.
    async fn until_over(&self, room: &str);

    /// What the last session of a room was, going on or over.
    ///
    /// # Errors
    /// [`SessionError::UnknownRoom`] or [`SessionError::JournalFailed`].
    async fn summary(&self, room: &str) -> Result<SessionSummary, Reason>;

    /// Deletes everything that is kept of a room whose session is over. When this returns it is in no file any more, and
    /// the room is unknown.
    ///
    /// # Errors
    /// [`SessionError::UnknownRoom`], `session_open` or [`SessionError::JournalFailed`].
    async fn delete_room(&self, room: &str) -> Result<(), Reason>;

    /// Deletes what is kept of one person in a room whose session is over.
    ///
    /// # Errors
    /// As with [`Directory::delete_room`], and `unknown_person`.
    async fn delete_person(&self, room: &str, identity: Identity) -> Result<(), Reason>;

    /// Something was refused; counted by its stable code.
    fn count_refusal(&self, code: &'static str);

    /// Something happened to a session, whichever room it is for. Called for every message: it must be quick.
    fn count_session(&self, event: SessionEvent);
}

/// What is counted of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// A WebSocket was opened.
    Opened,
    /// It is over. Comes once after each [`SessionEvent::Opened`].
    Closed,
    /// A message was read, whatever became of it.
    Received,
    /// A message was written.
    Sent,
    /// `hello` was answered with `entry`.
    Welcomed {
        /// Since it was read.
        after: Duration,
    },
}

/// Why something is refused, or over: a stable code and a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Part of the protocol.
    pub code: &'static str,
    /// For a person.
    pub text: String,
}

impl From<SessionError> for Reason {
    fn from(error: SessionError) -> Self {
        Self { code: error.code(), text: error.to_string() }
    }
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code(), text: refusal.to_string() }
    }
}

/// A room, as sessions see it.
#[derive(Clone, Debug)]
pub struct RoomHandle {
    /// For people.
    pub info: RoomInfo,
    /// To the room.
    pub messages: mpsc::Sender<RoomMessage>,
}

/// Tells the sessions of one person apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

impl SessionId {
    /// The next one; each is used once.
    pub(crate) fn next() -> Self {
        static SESSIONS: AtomicU64 = AtomicU64::new(0);
        Self(SESSIONS.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a session or the HTTP API tells a room.
#[derive(Debug)]
pub enum RoomMessage {
    /// Somebody is at the door: what may they do?
    Hello {
        /// Who.
        visitor: Visitor,
        /// Whether and how they may come in.
        answer: oneshot::Sender<Result<Welcome, Reason>>,
    },
    /// Somebody comes in, or back.
    Enter(Box<Entering>),
    /// Somebody inside says something; the answer goes through their queue.
    Said {
        /// Through which session.
        session: SessionId,
        /// Who.
        participant: ParticipantId,
        /// What.
        message: ClientMessage,
    },
    /// A session is over.
    Gone {
        /// Which.
        session: SessionId,
        /// Whose.
        participant: ParticipantId,
        /// They said that they leave; else they may come back within the grace time.
        left: bool,
    },
    /// A WHIP or WHEP client restarts ICE.
    RestartIce {
        /// Through which session.
        session: SessionId,
        /// Who.
        participant: ParticipantId,
        /// The server's new credentials.
        answer: oneshot::Sender<Result<IceCredentials, Reason>>,
    },
    /// The portal does something.
    Portal {
        /// What.
        command: Box<Command>,
        /// Whether it was done.
        answer: oneshot::Sender<Result<(), Reason>>,
    },
    /// The portal looks at the room.
    PortalLooks {
        /// The room as it is.
        answer: oneshot::Sender<RoomReport>,
    },
    /// The portal reads the list of participants.
    PortalLists {
        /// Those who entered after this one.
        after: ParticipantId,
        /// A page of them.
        answer: oneshot::Sender<ViewersPage>,
    },
    /// The portal invites people by e-mail.
    PortalInvites {
        /// Whom, and to what.
        wanted: NewInvitations,
        /// Those invited, in the order of their addresses.
        answer: oneshot::Sender<Result<Vec<Invitation>, Reason>>,
    },
    /// The portal reads the list of those invited by e-mail.
    PortalListsInvitations {
        /// In the order they were made.
        answer: oneshot::Sender<Vec<Invitation>>,
    },
    /// The server stops; everyone in the room is told.
    Stop,
}

/// Somebody with a valid token.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Who they are across connections.
    pub identity: Identity,
    /// From the token.
    pub role: Role,
    /// The role link the token came with.
    pub link: Option<LinkId>,
    /// Until when the token they first came with lets in people who are new, seconds since the Unix epoch.
    pub until: u64,
    /// On a phone.
    pub phone: bool,
    /// The token lets in people who are new; else only those who come back.
    pub may_enter: bool,
}

/// What somebody at the door may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// **Join stage** is offered.
    pub may_join_stage: bool,
    /// They are in the room already.
    pub present: Option<Presence>,
    /// Of the room's pictures.
    pub codec: Codec,
}

/// Somebody who comes in, or back.
#[derive(Debug)]
pub struct Entering {
    /// Number of the request.
    pub id: u32,
    /// When the request was read.
    pub asked: Instant,
    /// Through which session.
    pub session: SessionId,
    /// Who.
    pub visitor: Visitor,
    /// From the token, or what they typed.
    pub name: Option<String>,
    /// What they ask for.
    pub wish: Wish,
    /// Token to come back with.
    pub token: String,
    /// The session's queue.
    pub queue: SessionQueue,
    /// Whether they are let in. The protocol's answer goes through the queue as well; dropped, the queue's end says why.
    pub entered: oneshot::Sender<Result<Admitted, Reason>>,
}

/// What somebody who comes in asks for.
#[derive(Debug)]
pub enum Wish {
    /// The page: a place. Who may not go on stage is let in as a viewer. Whoever comes back has their place.
    Visit {
        /// Where to.
        place: Place,
        /// On stage: with the microphone on.
        mic: bool,
        /// On stage: with the camera on.
        camera: bool,
        /// SDP offer.
        offer: Option<String>,
        /// In place of an offer: the media connection they have goes on.
        keep_media: bool,
    },
    /// WHIP: the stage, with microphone and camera on as they are offered, also for somebody who comes back. Who may not
    /// go there is not let in.
    Publish {
        /// SDP offer.
        offer: String,
    },
    /// WHEP: to watch. Whoever comes back has their place.
    Play {
        /// SDP offer.
        offer: String,
    },
}

/// Somebody who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Their number.
    pub participant: ParticipantId,
    /// SDP answer, if there was an offer.
    pub answer: Option<String>,
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
    end: watch::Sender<Option<Reason>>,
}

/// What the writer of a session takes from.
#[derive(Debug)]
pub(crate) struct QueueEnd {
    pub(crate) messages: mpsc::Receiver<Outgoing>,
    pub(crate) end: watch::Receiver<Option<Reason>>,
}

impl QueueEnd {
    /// Why the session is over, if it is.
    pub(crate) fn reason(&self) -> Option<Reason> {
        self.end.borrow().clone()
    }

    /// Lets pass whatever is told, for a client that nothing can be told, until the session is over.
    pub(crate) async fn drain(mut self) {
        loop {
            tokio::select! {
                message = self.messages.recv() => if message.is_none() { return },
                _ = self.end.changed() => return,
            }
        }
    }
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

    /// Whether nobody takes from it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.messages.is_closed()
    }

    /// Ends the session with a reason, after what is queued. The first reason stands.
    pub fn close(&self, reason: impl Into<Reason>) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            end.get_or_insert_with(|| reason.into());
            first
        });
    }
}
