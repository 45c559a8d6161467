//! Invitations by e-mail: each address gets a role link of its own, by a mail that waits in an outbox on disk until the
//! mail server has taken it.
//!
//! A room makes the links and writes invitations into the [`Outbox`]; the [`Sender`], a task of its own, sends them and
//! tells the room what became of each. No room waits for either. Where no mail server is set, the invitations are there all
//! the same, as links to be copied.

mod address;
mod calendar;
mod invitation;
pub(crate) mod limits;
mod message;
mod outbox;
mod sender;
mod settings;
mod texts;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dais_signaling::Reason;
use dais_signaling::protocol::MailState;
use tokio::sync::{Notify, mpsc};

pub(crate) use invitation::{Invitation, check};
pub(crate) use outbox::Outbox;
pub(crate) use sender::Sender;
pub use settings::{MailConfig, MailConfigError};

use crate::store::StoreError;

/// Something new about an invitation's mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) link: u32,
    pub(crate) state: MailState,
    pub(crate) reason: Option<String>,
}

/// The outbox, as rooms and the sender share it.
pub(crate) struct Mail {
    pub(crate) outbox: std::sync::Arc<Outbox>,
    /// Mails are sent; else links are there to be copied.
    pub(crate) sends: bool,
    /// There is something to send.
    wake: Notify,
    /// Where each room hears of its invitations.
    rooms: Mutex<HashMap<String, mpsc::UnboundedSender<Change>>>,
}

impl Mail {
    pub(crate) fn new(outbox: std::sync::Arc<Outbox>, sends: bool) -> Self {
        Self { outbox, sends, wake: Notify::new(), rooms: Mutex::default() }
    }

    /// There is something new in the outbox.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// From here on `room` hears what becomes of its invitations: at most one thing for each attempt.
    pub(crate) fn listen(&self, room: &str) -> mpsc::UnboundedReceiver<Change> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.rooms().insert(room.to_owned(), sender);
        receiver
    }

    /// The session of a room is over: nothing more is sent, and its addresses are deleted.
    ///
    /// # Errors
    /// When the outbox fails.
    pub(crate) async fn forget(&self, room: &str) -> Result<(), StoreError> {
        self.rooms().remove(room);
        self.outbox.forget(room).await
    }

    fn tell(&self, room: &str, change: Change) {
        if let Some(listener) = self.rooms().get(room) {
            // A room that is not there any more needs to know nothing.
            let _ = listener.send(change);
        }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<String, mpsc::UnboundedSender<Change>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// More people than can be invited.
pub(crate) fn too_many(text: String) -> Reason {
    Reason { code: "too_many_invitations", text }
}
