//! What is said in the chat, and what moderators do about it.

use super::Decision;
use crate::chat::Channel;
use crate::event::Event;
use crate::ids::{MessageId, ParticipantId};
use crate::limits;
use crate::model::{Actor, Role};
use crate::permissions::Ability;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::stage::Stage;

impl Stage {
    pub(super) fn say(&self, plan: &mut Plan<'_>, id: ParticipantId, channel: Channel, text: &str) -> Decision {
        let person = self.sender(id)?;
        if channel == Channel::Moderators {
            self.moderator(Actor::Person(id))?;
        } else if self.chat.is_blocked(&person.identity) {
            return Err(Refusal::ChatBlocked);
        } else {
            self.permits(id, Ability::Chat)?;
        }
        let refusals = [Refusal::ChatTextEmpty, Refusal::ChatTextTooLong, Refusal::ChatTextInvalid];
        let text = checked_text(text, limits::CHAT_CHARS_MAX, refusals)?.to_owned();
        plan.push(Event::Said { message: self.chat.next_id(), id, channel, text });
        Ok(())
    }

    pub(super) fn delete_message(&self, plan: &mut Plan<'_>, by: Actor, message: MessageId) -> Decision {
        self.moderator(by)?;
        let is_pinned = self.chat.pinned().is_some_and(|pinned| pinned.id == message);
        if self.chat.message(message).is_none() && !is_pinned {
            return Err(Refusal::ChatMessageUnknown);
        }
        plan.push(Event::MessageDeleted { message, by });
        Ok(())
    }

    /// One message for everyone is on top, or none.
    pub(super) fn pin_message(&self, plan: &mut Plan<'_>, by: Actor, message: Option<MessageId>) -> Decision {
        self.moderator(by)?;
        if self.chat.pinned().map(|pinned| pinned.id) == message {
            return Err(Refusal::ChatPinUnchanged);
        }
        let found = message.map(|id| self.chat.message(id));
        if found.is_some_and(|found| found.is_none_or(|found| found.channel != Channel::Everyone)) {
            return Err(Refusal::ChatMessageUnknown);
        }
        plan.push(Event::MessagePinned { message, by });
        Ok(())
    }

    pub(super) fn clear_chat(&self, plan: &mut Plan<'_>, by: Actor) -> Decision {
        self.moderator(by)?;
        if self.chat.messages(Channel::Everyone).next().is_none() && self.chat.pinned().is_none() {
            return Err(Refusal::ChatIsEmpty);
        }
        plan.push(Event::ChatCleared { by });
        Ok(())
    }

    /// Blocks somebody from the chat, or lets them chat again. The back channel of those who moderate stays open.
    pub(super) fn block_from_chat(&self, plan: &mut Plan<'_>, by: Actor, id: ParticipantId, block: bool) -> Decision {
        let person = self.moderated(by, id)?;
        if person.role == Role::Host {
            self.host(by)?;
        }
        if self.chat.is_blocked(&person.identity) == block {
            return Err(Refusal::ChatBlockUnchanged);
        }
        if block && self.chat.blocked_count() >= limits::CHAT_BLOCKED_MAX {
            return Err(Refusal::TooManyBlocked);
        }
        plan.push(if block { Event::ChatBlocked { id, by } } else { Event::ChatUnblocked { id, by } });
        Ok(())
    }
}

/// What somebody typed, without space around it, up to `max` characters; `refusals` are for an empty text, one that is too
/// long, and one that cannot be shown. Line ends and tabs are part of a text; other control characters are not.
pub(super) fn checked_text(text: &str, max: usize, refusals: [Refusal; 3]) -> Result<&str, Refusal> {
    let [empty, too_long, invalid] = refusals;
    let text = text.trim();
    if text.is_empty() {
        return Err(empty);
    }
    if text.chars().nth(max).is_some() {
        return Err(too_long);
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(invalid);
    }
    Ok(text)
}
