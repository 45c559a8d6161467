//! Coming into the room, leaving it, falling off and coming back.

use super::Decision;
use crate::command::{Entry, EntryPlace};
use crate::event::{Event, Leaving};
use crate::ids::{Identity, LinkId, Millis, ParticipantId};
use crate::limits;
use crate::model::{Actor, Role};
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::settings::{Access, RoomMode};
use crate::stage::Stage;

impl Stage {
    /// Whether somebody with these rights may come in now, as a viewer at least.
    ///
    /// # Errors
    /// The reason why they may not. Whoever is in the room already may always come back: see [`Stage::find`].
    pub fn may_enter(&self, now: Millis, identity: &Identity, role: Role, link: Option<LinkId>) -> Result<(), Refusal> {
        if self.has_ended() {
            return Err(Refusal::SessionEnded);
        }
        if self.removed.contains(identity) {
            return Err(Refusal::RemovedFromRoom);
        }
        if let Some(link) = link {
            self.link(link).ok_or(Refusal::LinkUnknown)?.check(now, identity)?;
        }
        if self.locked && !role.moderates() {
            return Err(Refusal::RoomLocked);
        }
        if self.participant_count() >= limits::PARTICIPANTS_MAX {
            return Err(Refusal::RoomFull);
        }
        Ok(())
    }

    /// Whether **Join stage** is offered at entry.
    ///
    /// # Errors
    /// The reason why it is not.
    pub fn may_join_at_entry(&self, role: Role, phone: bool) -> Result<(), Refusal> {
        let open = (self.settings.access, self.settings.mode) == (Access::Everyone, RoomMode::Interactive);
        if phone {
            Err(Refusal::PhoneEntersAsViewer)
        } else if role.always_joins() || open {
            Ok(())
        } else {
            Err(Refusal::StageNotAtEntry)
        }
    }

    pub(super) fn enter(&self, plan: &mut Plan<'_>, now: Millis, entry: &Entry) -> Decision {
        let Entry { id, identity, role, link, phone, place, .. } = entry;
        self.may_enter(now, identity, *role, *link)?;
        if self.find(identity).is_some() {
            return Err(Refusal::AlreadyInRoom);
        }
        let name = checked_name(&entry.name)?;
        plan.push(Event::Entered { id: *id, identity: identity.clone(), name, role: *role, link: *link });
        if let EntryPlace::Stage { mic, camera } = *place {
            self.may_join_at_entry(*role, *phone)?;
            plan.admit(*id, mic, camera)?;
        }
        Ok(())
    }

    pub(super) fn lose_connection(&self, plan: &mut Plan<'_>, id: ParticipantId) -> Decision {
        let person = self.sender(id)?;
        if person.is_lost() {
            return Err(Refusal::ConnectionUnchanged);
        }
        plan.hush(id);
        plan.push(Event::ConnectionLost { id });
        Ok(())
    }

    pub(super) fn come_back(&self, plan: &mut Plan<'_>, id: ParticipantId) -> Decision {
        if !self.sender(id)?.is_lost() {
            return Err(Refusal::ConnectionUnchanged);
        }
        plan.push(Event::ConnectionBack { id });
        Ok(())
    }

    pub(super) fn pass_time(&self, plan: &mut Plan<'_>, now: Millis) -> Decision {
        for (since, id) in &self.lost {
            if since.plus(self.settings.grace_ms) <= now {
                plan.leave(*id, Leaving::ConnectionLost);
            }
        }
        self.close_due_polls(plan, now);
        let end_after = self.settings.empty_after_ms;
        if end_after > 0 && self.empty_since.is_some_and(|since| since.plus(end_after) <= now) {
            plan.push(Event::Ended { by: None });
        }
        if plan.is_empty() { Err(Refusal::NothingDue) } else { Ok(()) }
    }

    pub(super) fn remove_from_room(&self, plan: &mut Plan<'_>, by: Actor, target: ParticipantId) -> Decision {
        if self.moderated(by, target)?.role == Role::Host {
            self.host(by)?;
        }
        if self.removed.len() >= limits::REMOVED_MAX {
            return Err(Refusal::TooManyRemoved);
        }
        plan.leave(target, Leaving::Removed { by });
        Ok(())
    }

    pub(super) fn make_link(
        &self,
        plan: &mut Plan<'_>,
        now: Millis,
        by: Actor,
        role: Role,
        expires: Millis,
        personal: bool,
    ) -> Decision {
        self.moderator(by)?;
        if role == Role::Host {
            self.host(by)?;
        }
        if expires <= now {
            return Err(Refusal::LinkExpired);
        }
        if self.links.len() >= limits::LINKS_MAX {
            return Err(Refusal::TooManyLinks);
        }
        plan.push(Event::LinkMade { link: self.next_link(), role, expires, personal, by });
        Ok(())
    }

    pub(super) fn revoke_link(&self, plan: &mut Plan<'_>, by: Actor, link: LinkId) -> Decision {
        self.moderator(by)?;
        let known = self.link(link).ok_or(Refusal::LinkUnknown)?;
        if known.role == Role::Host {
            self.host(by)?;
        }
        if known.revoked {
            return Err(Refusal::LinkRevoked);
        }
        plan.push(Event::LinkRevoked { link, by });
        Ok(())
    }
}

/// A display name, trimmed, and fit to be shown to everyone.
///
/// # Errors
/// [`Refusal::NameMissing`], [`Refusal::NameTooLong`] or [`Refusal::NameInvalid`].
pub fn checked_name(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Refusal::NameMissing);
    }
    if name.chars().count() > limits::NAME_CHARS_MAX {
        return Err(Refusal::NameTooLong);
    }
    if name.chars().any(char::is_control) {
        return Err(Refusal::NameInvalid);
    }
    Ok(name.to_owned())
}
