//! The model's permissions: for each ability, a list of the roles that may.

use dais_stage::{Ability, Actor, Allowed, Role};

use super::{Answer, Model};

impl Model {
    pub fn permitted(&self, role: Role, ability: Ability) -> Answer {
        let table = &self.settings.permissions;
        let allowed = match ability {
            Ability::Chat => table.chat,
            Ability::React => table.react,
            Ability::RaiseHand => table.raise_hand,
            Ability::AnswerPolls => table.answer_polls,
            Ability::QuickPoll => table.quick_poll,
            Ability::Present => table.present,
        };
        let who: &[Role] = match allowed {
            Allowed::Nobody => return Err("feature_off"),
            Allowed::Moderators => &[Role::Host, Role::Moderator],
            Allowed::Speakers => &[Role::Host, Role::Moderator, Role::Speaker],
            Allowed::Everyone => &Role::ALL,
        };
        if who.contains(&role) { Ok(()) } else { Err("not_permitted") }
    }

    pub(super) fn set_permission(&mut self, by: Actor, ability: Ability, allowed: Allowed) -> Answer {
        if !self.moderator(by)? {
            return Err("hosts_only");
        }
        let table = &mut self.settings.permissions;
        let entry = match ability {
            Ability::Chat => &mut table.chat,
            Ability::React => &mut table.react,
            Ability::RaiseHand => &mut table.raise_hand,
            Ability::AnswerPolls => &mut table.answer_polls,
            Ability::QuickPoll => &mut table.quick_poll,
            Ability::Present => &mut table.present,
        };
        if *entry == allowed {
            return Err("permission_unchanged");
        }
        *entry = allowed;
        if ability == Ability::RaiseHand {
            for i in 0..self.people.len() {
                if self.permitted(self.people[i].role, Ability::RaiseHand).is_err() {
                    self.hand_is_down(i);
                }
            }
        }
        if ability == Ability::Present
            && let Some((presenter, _)) = self.presenting
            && self.permitted(self.person(presenter).role, Ability::Present).is_err()
        {
            self.presenting = None;
        }
        Ok(())
    }
}
