//! Who presents a screen, and whose ends.

use super::Decision;
use crate::event::PresentingEnd;
use crate::ids::ParticipantId;
use crate::model::Actor;
use crate::permissions::Ability;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::stage::Stage;

impl Stage {
    /// One person presents; a moderator takes over from anybody.
    pub(super) fn present(&self, plan: &mut Plan<'_>, id: ParticipantId, sound: bool) -> Decision {
        self.permits(id, Ability::Present)?;
        let moderates = self.sender(id)?.role.moderates();
        match self.presenter() {
            Some(presenter) if presenter == id => return Err(Refusal::PresentingAlready),
            Some(_) if !moderates => return Err(Refusal::SomebodyPresents),
            Some(_) => plan.stop_presenting(PresentingEnd::TakenOver { by: id }),
            None => {}
        }
        plan.present(id, sound);
        Ok(())
    }

    /// By the presenter, or by a moderator.
    pub(super) fn stop_presenting(&self, plan: &mut Plan<'_>, by: Actor, target: ParticipantId) -> Decision {
        let own = by == Actor::Person(target);
        let person = if own { self.sender(target)? } else { self.moderated(by, target)? };
        if self.presenter() != Some(person.id) {
            return Err(Refusal::NotPresenting);
        }
        plan.stop_presenting(if own { PresentingEnd::ByThemselves } else { PresentingEnd::Stopped { by } });
        Ok(())
    }
}
