//! The model's chat.

use dais_stage::{Ability, Actor, ParticipantId, Role, limits};

use super::{Answer, Line, Model};

impl Model {
    pub(super) fn say(&mut self, id: ParticipantId, back_channel: bool, text: &str) -> Answer {
        let i = self.inside(id)?;
        if back_channel {
            self.moderator(Actor::Person(id))?;
        }
        if !back_channel && self.blocked.contains(&self.people[i].identity) {
            return Err("chat_blocked");
        }
        if !back_channel {
            self.permitted(self.people[i].role, Ability::Chat)?;
        }
        let text = text.trim();
        let count = text.chars().count();
        if count == 0 {
            return Err("chat_text_empty");
        }
        if count > limits::CHAT_CHARS_MAX {
            return Err("chat_text_too_long");
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err("chat_text_invalid");
        }
        self.said += 1;
        let name = self.people[i].name.clone();
        self.chat.push(Line { number: self.said, name, back_channel, text: text.to_owned() });
        Ok(())
    }

    pub(super) fn delete_message(&mut self, by: Actor, number: u32) -> Answer {
        self.moderator(by)?;
        if self.chat.iter().all(|line| line.number != number) {
            return Err("chat_message_unknown");
        }
        self.chat.retain(|line| line.number != number);
        if self.pinned == Some(number) {
            self.pinned = None;
        }
        Ok(())
    }

    pub(super) fn pin_message(&mut self, by: Actor, number: Option<u32>) -> Answer {
        self.moderator(by)?;
        if self.pinned == number {
            return Err("chat_pin_unchanged");
        }
        if let Some(number) = number
            && !self.chat.iter().any(|line| line.number == number && !line.back_channel)
        {
            return Err("chat_message_unknown");
        }
        self.pinned = number;
        Ok(())
    }

    pub(super) fn clear_chat(&mut self, by: Actor) -> Answer {
        self.moderator(by)?;
        if self.chat.iter().all(|line| line.back_channel) {
            return Err("chat_is_empty");
        }
        self.chat.retain(|line| line.back_channel);
        self.pinned = None;
        Ok(())
    }

    pub(super) fn block_from_chat(&mut self, by: Actor, target: ParticipantId, block: bool) -> Answer {
        let host = self.moderator(by)?;
        let person = &self.people[self.target(target)?];
        if person.role == Role::Host && !host {
            return Err("hosts_only");
        }
        let identity = person.identity.clone();
        if self.blocked.contains(&identity) == block {
            return Err("chat_block_unchanged");
        }
        self.blocked.retain(|other| *other != identity);
        if block {
            self.blocked.push(identity);
        }
        Ok(())
    }
}
