//! Who may do what around the stage, and how hosts change it.

use super::Decision;
use crate::event::{Event, PresentingEnd};
use crate::ids::ParticipantId;
use crate::model::Actor;
use crate::permissions::{Ability, Allowed};
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::stage::Stage;

impl Stage {
    /// Whether somebody in the room may do something around the stage, as the room's permissions are.
    ///
    /// # Errors
    /// [`Refusal::SessionEnded`], [`Refusal::NotInRoom`], [`Refusal::FeatureOff`] or [`Refusal::NotPermitted`].
    pub fn permits(&self, id: ParticipantId, ability: Ability) -> Result<(), Refusal> {
        if self.has_ended() {
            return Err(Refusal::SessionEnded);
        }
        let person = self.sender(id)?;
        match self.settings.permissions.of(ability) {
            Allowed::Nobody => Err(Refusal::FeatureOff),
            allowed if allowed.includes(person.role) => Ok(()),
            _ => Err(Refusal::NotPermitted),
        }
    }

    pub(super) fn set_permission(
        &self,
        plan: &mut Plan<'_>,
        by: Actor,
        ability: Ability,
        allowed: Allowed,
    ) -> Decision {
        self.host(by)?;
        if self.settings.permissions.of(ability) == allowed {
            return Err(Refusal::PermissionUnchanged);
        }
        plan.push(Event::PermissionChanged { ability, allowed, by });
        if ability == Ability::RaiseHand {
            for person in self.participants().filter(|person| person.hand.is_some() && !allowed.includes(person.role)) {
                plan.push(Event::HandLowered { id: person.id, by: Some(by) });
            }
        }
        if ability == Ability::Present
            && self.presenter().and_then(|id| self.participant(id)).is_some_and(|person| !allowed.includes(person.role))
        {
            plan.stop_presenting(PresentingEnd::NotPermitted { by });
        }
        Ok(())
    }
}
