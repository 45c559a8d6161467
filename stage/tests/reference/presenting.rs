//! The model's screen: a number, or nobody's.

use dais_stage::{Ability, Actor, ParticipantId, Role};

use super::{Answer, Model};

impl Model {
    pub(super) fn present(&mut self, id: ParticipantId, sound: bool) -> Answer {
        let i = self.inside(id)?;
        let role = self.people[i].role;
        self.permitted(role, Ability::Present)?;
        if let Some((presenter, _)) = self.presenting {
            if presenter == id.0 {
                return Err("presenting_already");
            }
            if role != Role::Host && role != Role::Moderator {
                return Err("somebody_presents");
            }
        }
        self.presenting = Some((id.0, sound));
        Ok(())
    }

    pub(super) fn stop_presenting(&mut self, by: Actor, target: ParticipantId) -> Answer {
        if by == Actor::Person(target) {
            self.inside(target)?;
        } else {
            self.moderator(by)?;
            self.target(target)?;
        }
        if self.presenting.is_none_or(|(presenter, _)| presenter != target.0) {
            return Err("not_presenting");
        }
        self.presenting = None;
        Ok(())
    }
}
