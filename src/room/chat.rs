//! The chat: what is new in it, and pages of what was said.

use dais_signaling::limits::CHAT_PAGE;
use dais_signaling::protocol::{self, Channel, ServerMessage};
use dais_stage::{Event, Message, MessageId, Millis, Refusal, Stage};

/// What has changed since it was told last, of each channel.
#[derive(Debug, Default)]
pub(super) struct ChatNews {
    everyone: Batch,
    moderators: Batch,
}

#[derive(Debug, Default)]
struct Batch {
    said: Vec<MessageId>,
    deleted: Vec<MessageId>,
    cleared: bool,
    pin: bool,
}

impl ChatNews {
    /// Takes note of `event`.
    pub(super) fn note(&mut self, event: &Event) {
        match *event {
            Event::Said { message, channel, .. } => self.of(channel.into()).said.push(message),
            // Whose channel it was is not known any more. A number nobody has says nothing.
            Event::MessageDeleted { message, .. } => {
                self.everyone.deleted.push(message);
                self.moderators.deleted.push(message);
                self.everyone.pin = true;
            }
            Event::MessagePinned { .. } => self.everyone.pin = true,
            Event::ChatCleared { .. } => self.everyone = Batch { cleared: true, pin: true, ..Batch::default() },
            _ => {}
        }
    }

    /// The news of a channel, if there is any; nothing is left to tell.
    pub(super) fn take(&mut self, stage: &Stage, channel: Channel, now: Millis) -> Option<ServerMessage> {
        let Batch { said, deleted, cleared, pin } = std::mem::take(self.of(channel));
        if said.is_empty() && deleted.is_empty() && !cleared && !pin {
            return None;
        }
        let messages = said.into_iter().filter_map(|id| stage.chat().message(id)).map(|m| entry(m, now)).collect();
        let deleted = deleted.into_iter().map(|id| id.0).collect();
        let pin = pin.then(|| protocol::Pin { message: pinned(stage, now) });
        Some(ServerMessage::Chat { channel, messages, deleted, cleared, pin })
    }

    fn of(&mut self, channel: Channel) -> &mut Batch {
        match channel {
            Channel::Everyone => &mut self.everyone,
            Channel::Moderators => &mut self.moderators,
        }
    }
}

/// The messages of `channel` before number `before`, or the newest for 0; answers request `id` of somebody who may read
/// the back channel if they moderate.
///
/// # Errors
/// [`Refusal::ModeratorsOnly`].
pub(super) fn page(
    stage: &Stage,
    id: u32,
    (channel, before): (Channel, u32),
    moderates: bool,
    now: Millis,
) -> Result<ServerMessage, Refusal> {
    if channel == Channel::Moderators && !moderates {
        return Err(Refusal::ModeratorsOnly);
    }
    let before = if before == 0 { u32::MAX } else { before };
    let mut older = stage.chat().messages(channel.into()).rev().skip_while(|message| message.id.0 >= before);
    let mut messages: Vec<_> = older.by_ref().take(CHAT_PAGE).map(|message| entry(message, now)).collect();
    messages.reverse();
    let pinned = pinned(stage, now).filter(|_| channel == Channel::Everyone);
    Ok(ServerMessage::ChatPage { id, channel, messages, more: older.next().is_some(), pinned })
}

fn pinned(stage: &Stage, now: Millis) -> Option<protocol::ChatMessage> {
    stage.chat().pinned().map(|message| entry(message, now))
}

fn entry(message: &Message, now: Millis) -> protocol::ChatMessage {
    protocol::ChatMessage {
        message: message.id.0,
        participant: message.from.0,
        name: message.name.clone(),
        role: message.role.into(),
        age: u32::try_from(now.0.saturating_sub(message.at.0)).unwrap_or(u32::MAX),
        text: message.text.clone(),
    }
}
