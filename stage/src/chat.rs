//! The chat of a room: to everyone, and a back channel of those who moderate.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::ids::{Identity, MessageId, Millis, ParticipantId};
use crate::limits::CHAT_KEPT;
use crate::model::Role;

/// Who reads a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Everyone in the room.
    Everyone,
    /// Hosts and moderators.
    Moderators,
}

/// Something somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its number.
    pub id: MessageId,
    /// Who said it; they may have left.
    pub from: ParticipantId,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// When.
    pub at: Millis,
    /// Who reads it.
    pub channel: Channel,
    /// Plain text, 1 to [`limits::CHAT_CHARS_MAX`](crate::limits::CHAT_CHARS_MAX) characters.
    pub text: String,
}

/// What was said, and who may not say anything. Holds the newest [`CHAT_KEPT`] messages; the journal has them all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// By number.
    messages: VecDeque<Message>,
    /// One for everyone, on top; it stays when it is too old to be kept.
    pinned: Option<Message>,
    blocked: BTreeSet<Identity>,
    said: u32,
}

impl Chat {
    /// The messages of `channel`, the oldest first.
    pub fn messages(&self, channel: Channel) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter().filter(move |message| message.channel == channel)
    }

    /// A message that is kept.
    #[must_use]
    pub fn message(&self, id: MessageId) -> Option<&Message> {
        self.position(id).map(|position| &self.messages[position])
    }

    /// The message on top.
    #[must_use]
    pub fn pinned(&self) -> Option<&Message> {
        self.pinned.as_ref()
    }

    /// Whether a moderator blocked this person from the chat.
    #[must_use]
    pub fn is_blocked(&self, identity: &Identity) -> bool {
        self.blocked.contains(identity)
    }

    pub(crate) fn blocked_count(&self) -> usize {
        self.blocked.len()
    }

    /// The number of the next message.
    pub(crate) fn next_id(&self) -> MessageId {
        MessageId(self.said.saturating_add(1))
    }

    pub(crate) fn say(&mut self, message: Message) {
        self.said = self.said.max(message.id.0);
        if self.messages.len() == CHAT_KEPT {
            self.messages.pop_front();
        }
        self.messages.push_back(message);
    }

    pub(crate) fn delete(&mut self, id: MessageId) {
        if let Some(position) = self.position(id) {
            self.messages.remove(position);
        }
        self.pinned.take_if(|pinned| pinned.id == id);
    }

    pub(crate) fn pin(&mut self, id: Option<MessageId>) {
        self.pinned = id.and_then(|id| self.message(id)).cloned();
    }

    /// Of the back channel nothing is cleared.
    pub(crate) fn clear(&mut self) {
        self.messages.retain(|message| message.channel == Channel::Moderators);
        self.pinned = None;
    }

    /// A new session: nothing was said in it. Blocked is blocked, and no number is used twice.
    pub(crate) fn begin(&mut self) {
        self.messages.clear();
        self.pinned = None;
    }

    pub(crate) fn set_blocked(&mut self, identity: Identity, blocked: bool) {
        if blocked {
            self.blocked.insert(identity);
        } else {
            self.blocked.remove(&identity);
        }
    }

    fn position(&self, id: MessageId) -> Option<usize> {
        self.messages.binary_search_by_key(&id, |message| message.id).ok()
    }
}
