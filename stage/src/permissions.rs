//! Who may do what around the stage.

use serde::{Deserialize, Serialize};

use crate::model::Role;

/// What a room can allow, or have turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// To write to everyone in the chat. The back channel of those who moderate is always open.
    Chat,
    /// To send reactions.
    React,
    /// To raise a hand.
    RaiseHand,
    /// To answer polls and quizzes.
    AnswerPolls,
    /// To start a quick poll.
    QuickPoll,
    /// To present a screen.
    Present,
}

impl Ability {
    /// Every ability.
    pub const ALL: [Self; 6] =
        [Self::Chat, Self::React, Self::RaiseHand, Self::AnswerPolls, Self::QuickPoll, Self::Present];
}

/// Who may: each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// It is turned off.
    Nobody,
    /// Hosts and moderators.
    Moderators,
    /// Speakers too.
    Speakers,
    /// Everyone in the room.
    Everyone,
}

impl Allowed {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::Nobody, Self::Moderators, Self::Speakers, Self::Everyone];

    /// Whether somebody of this role may.
    #[must_use]
    pub fn includes(self, role: Role) -> bool {
        self >= match role {
            Role::Host | Role::Moderator => Self::Moderators,
            Role::Speaker => Self::Speakers,
            Role::Participant => Self::Everyone,
        }
    }
}

/// The table of a room: for each ability, who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permissions {
    /// [`Ability::Chat`].
    pub chat: Allowed,
    /// [`Ability::React`].
    pub react: Allowed,
    /// [`Ability::RaiseHand`].
    pub raise_hand: Allowed,
    /// [`Ability::AnswerPolls`].
    pub answer_polls: Allowed,
    /// [`Ability::QuickPoll`].
    pub quick_poll: Allowed,
    /// [`Ability::Present`].
    pub present: Allowed,
}

impl Default for Permissions {
    fn default() -> Self {
        Self {
            chat: Allowed::Everyone,
            react: Allowed::Everyone,
            raise_hand: Allowed::Everyone,
            answer_polls: Allowed::Everyone,
            quick_poll: Allowed::Moderators,
            present: Allowed::Speakers,
        }
    }
}

impl Permissions {
    /// Who may.
    #[must_use]
    pub fn of(&self, ability: Ability) -> Allowed {
        match ability {
            Ability::Chat => self.chat,
            Ability::React => self.react,
            Ability::RaiseHand => self.raise_hand,
            Ability::AnswerPolls => self.answer_polls,
            Ability::QuickPoll => self.quick_poll,
            Ability::Present => self.present,
        }
    }

    /// Changes who may.
    pub fn set(&mut self, ability: Ability, allowed: Allowed) {
        *match ability {
            Ability::Chat => &mut self.chat,
            Ability::React => &mut self.react,
            Ability::RaiseHand => &mut self.raise_hand,
            Ability::AnswerPolls => &mut self.answer_polls,
            Ability::QuickPoll => &mut self.quick_poll,
            Ability::Present => &mut self.present,
        } = allowed;
    }
}
