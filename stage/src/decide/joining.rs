//! Coming on stage: requests, invitations, the right to return; and raised hands.

use super::Decision;
use crate::event::{Event, OffStage};
use crate::ids::ParticipantId;
use crate::model::{Actor, Claim, Participant, Place};
use crate::permissions::Ability;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::settings::Access;
use crate::stage::Stage;

impl Stage {
    /// Whether a viewer may come on stage now.
    ///
    /// # Errors
    /// The reason why they may not.
    pub fn may_join(&self, person: &Participant) -> Result<(), Refusal> {
        let Place::Viewer(claim) = &person.place else { return Err(Refusal::AlreadyOnStage) };
        if person.role.always_joins() || claim.admits() {
            return Ok(());
        }
        match (self.settings.access, claim) {
            (Access::Everyone, _) => Ok(()),
            (Access::Request, Claim::Asked(_)) => Err(Refusal::RequestPending),
            (Access::Request, _) => Err(Refusal::AskFirst),
            (Access::Invite, _) => Err(Refusal::InvitationNeeded),
        }
    }

    pub(super) fn join(&self, plan: &mut Plan<'_>, id: ParticipantId, mic: bool, camera: bool) -> Decision {
        self.may_join(self.sender(id)?)?;
        plan.admit(id, mic, camera)
    }

    pub(super) fn leave_stage(&self, plan: &mut Plan<'_>, id: ParticipantId) -> Decision {
        let person = self.sender(id)?;
        let on_stage = person.on_stage().ok_or(Refusal::NotOnStage)?;
        if !person.role.moderates() {
            return Err(Refusal::CannotLeaveStage);
        }
        plan.take_off(id, on_stage, OffStage::Removed { by: id.into() });
        Ok(())
    }

    pub(super) fn ask(&self, plan: &mut Plan<'_>, id: ParticipantId) -> Decision {
        let person = self.sender(id)?;
        match person.claim() {
            None => return Err(Refusal::AlreadyOnStage),
            Some(Claim::Asked(_)) => return Err(Refusal::AlreadyAsked),
            Some(Claim::Invited { .. }) => return Err(Refusal::AlreadyInvited),
            Some(Claim::None | Claim::MayReturn) => {}
        }
        match self.may_join(person) {
            Ok(()) => Err(Refusal::MayJoinAlready),
            Err(Refusal::AskFirst) => {
                plan.push(Event::Asked { id });
                Ok(())
            }
            Err(_) => Err(Refusal::AskingClosed),
        }
    }

    pub(super) fn cancel_request(&self, plan: &mut Plan<'_>, id: ParticipantId) -> Decision {
        self.sender(id)?.request().ok_or(Refusal::NoRequest)?;
        plan.push(Event::RequestCancelled { id });
        Ok(())
    }

    pub(super) fn approve(&self, plan: &mut Plan<'_>, by: Actor, target: ParticipantId) -> Decision {
        let person = self.moderated(by, target)?;
        person.request().ok_or_else(|| no_request(person))?;
        plan.push(Event::Invited { id: target, by });
        Ok(())
    }

    pub(super) fn decline(&self, plan: &mut Plan<'_>, by: Actor, target: ParticipantId) -> Decision {
        let person = self.moderated(by, target)?;
        match person.claim() {
            Some(Claim::Asked(_)) => {
                plan.push(Event::Declined { id: target, by });
                Ok(())
            }
            Some(Claim::MayReturn) => {
                plan.push(Event::ReturnDeclined { id: target, by });
                Ok(())
            }
            _ => Err(no_request(person)),
        }
    }

    pub(super) fn invite(&self, plan: &mut Plan<'_>, by: Actor, target: ParticipantId) -> Decision {
        match self.moderated(by, target)?.claim() {
            None => Err(Refusal::AlreadyOnStage),
            Some(Claim::Invited { .. }) => Err(Refusal::AlreadyInvited),
            // Inviting somebody who asked is an approval.
            Some(Claim::None | Claim::Asked(_) | Claim::MayReturn) => {
                plan.push(Event::Invited { id: target, by });
                Ok(())
            }
        }
    }

    pub(super) fn withdraw_invitation(&self, plan: &mut Plan<'_>, by: Actor, target: ParticipantId) -> Decision {
        invited_by(self.moderated(by, target)?)?;
        plan.push(Event::InvitationWithdrawn { id: target, by });
        Ok(())
    }

    pub(super) fn decline_invitation(&self, plan: &mut Plan<'_>, id: ParticipantId) -> Decision {
        let invited_by = invited_by(self.sender(id)?)?;
        plan.push(Event::InvitationDeclined { id, invited_by });
        Ok(())
    }

    pub(super) fn raise_hand(&self, plan: &mut Plan<'_>, id: ParticipantId) -> Decision {
        let person = self.sender(id)?;
        if person.on_stage().is_some() {
            return Err(Refusal::AlreadyOnStage);
        }
        if person.hand.is_some() {
            return Err(Refusal::HandUnchanged);
        }
        self.permits(id, Ability::RaiseHand)?;
        plan.push(Event::HandRaised { id });
        Ok(())
    }

    pub(super) fn lower_hand(&self, plan: &mut Plan<'_>, by: Actor, target: ParticipantId) -> Decision {
        let own = by == Actor::Person(target);
        let person = if own { self.sender(target)? } else { self.moderated(by, target)? };
        if person.hand.is_none() {
            return Err(Refusal::HandUnchanged);
        }
        plan.push(Event::HandLowered { id: target, by: (!own).then_some(by) });
        Ok(())
    }
}

fn invited_by(person: &Participant) -> Result<Actor, Refusal> {
    match person.claim() {
        Some(Claim::Invited { by, .. }) => Ok(*by),
        _ => Err(Refusal::NotInvited),
    }
}

/// There is nothing to decide: somebody else was faster, or the request is gone.
fn no_request(person: &Participant) -> Refusal {
    person.decided_by.clone().map_or(Refusal::NoRequest, |by| Refusal::AlreadyDecided { by })
}
