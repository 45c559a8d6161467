//! What moderators do to those on stage, and to the room.

use super::Decision;
use crate::event::{Event, OffStage};
use crate::ids::{Millis, ParticipantId};
use crate::model::{Actor, Participant};
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::settings::{Access, checked_camera_limit, checked_capacity};
use crate::stage::Stage;

impl Stage {
    pub(super) fn remove_from_stage(&self, plan: &mut Plan<'_>, by: Actor, target: ParticipantId) -> Decision {
        let on_stage = self.moderated_on_stage(by, target)?;
        plan.take_off(target, on_stage, OffStage::Removed { by });
        Ok(())
    }

    pub(super) fn mute(&self, plan: &mut Plan<'_>, by: Actor, target: ParticipantId) -> Decision {
        if !self.moderated_on_stage(by, target)?.mic {
            return Err(Refusal::MicUnchanged);
        }
        plan.close_mic(target, Some(by));
        Ok(())
    }

    pub(super) fn stop_camera(&self, plan: &mut Plan<'_>, by: Actor, target: ParticipantId) -> Decision {
        if !self.moderated_on_stage(by, target)?.camera {
            return Err(Refusal::CameraUnchanged);
        }
        plan.stop_camera(target, Some(by));
        Ok(())
    }

    /// Whoever mutes all goes on speaking.
    pub(super) fn mute_all(&self, plan: &mut Plan<'_>, by: Actor) -> Decision {
        self.moderator(by)?;
        for person in self.others(by) {
            if person.on_stage().is_some_and(|on_stage| on_stage.mic) {
                plan.close_mic(person.id, Some(by));
            }
        }
        if plan.is_empty() { Err(Refusal::MicUnchanged) } else { Ok(()) }
    }

    pub(super) fn stop_all_cameras(&self, plan: &mut Plan<'_>, by: Actor) -> Decision {
        self.moderator(by)?;
        for person in self.others(by) {
            if person.on_stage().is_some_and(|on_stage| on_stage.camera) {
                plan.stop_camera(person.id, Some(by));
            }
        }
        if plan.is_empty() { Err(Refusal::CameraUnchanged) } else { Ok(()) }
    }

    pub(super) fn lower_all_hands(&self, plan: &mut Plan<'_>, by: Actor) -> Decision {
        self.moderator(by)?;
        for person in self.participants().filter(|person| person.hand.is_some()) {
            plan.push(Event::HandLowered { id: person.id, by: Some(by) });
        }
        if plan.is_empty() { Err(Refusal::HandUnchanged) } else { Ok(()) }
    }

    /// Everyone but the moderator.
    fn others(&self, by: Actor) -> impl Iterator<Item = &Participant> {
        self.participants().filter(move |person| Actor::Person(person.id) != by)
    }

    /// A moderator never turns on another person's microphone: they can only ask.
    pub(super) fn ask_to_unmute(&self, plan: &mut Plan<'_>, by: Actor, target: ParticipantId) -> Decision {
        if self.moderated_on_stage(by, target)?.mic {
            return Err(Refusal::MicUnchanged);
        }
        plan.push(Event::AskedToUnmute { id: target, by });
        Ok(())
    }

    pub(super) fn set_access(&self, plan: &mut Plan<'_>, by: Actor, access: Access) -> Decision {
        self.moderator(by)?;
        if self.settings.access == access {
            return Err(Refusal::AccessUnchanged);
        }
        plan.push(Event::AccessChanged { access, by });
        // Nobody can be asking in any other mode.
        let mut asking: Vec<_> = self.participants().filter_map(|p| Some((p.request()?, p.id))).collect();
        asking.sort_unstable();
        asking.into_iter().for_each(|(_, id)| plan.push(Event::RequestClosed { id }));
        Ok(())
    }

    pub(super) fn set_capacity(&self, plan: &mut Plan<'_>, now: Millis, by: Actor, capacity: usize) -> Decision {
        self.moderator(by)?;
        checked_capacity(capacity)?;
        if self.settings.capacity == capacity {
            return Err(Refusal::CapacityUnchanged);
        }
        let surplus = self.on_stage_count().saturating_sub(capacity);
        let removed: Vec<_> = self.removable(now).take(surplus).collect();
        if removed.len() < surplus {
            return Err(Refusal::TooManyProtected);
        }
        // They go first: the stage is never over its capacity.
        removed.into_iter().for_each(|(id, on_stage)| plan.take_off(id, on_stage, OffStage::StageSmaller { by }));
        plan.push(Event::CapacityChanged { capacity, by });
        Ok(())
    }

    pub(super) fn set_camera_limit(&self, plan: &mut Plan<'_>, by: Actor, limit: usize) -> Decision {
        self.moderator(by)?;
        checked_camera_limit(limit)?;
        if self.settings.camera_limit == limit {
            return Err(Refusal::CameraLimitUnchanged);
        }
        plan.set_camera_limit(limit, by);
        Ok(())
    }

    pub(super) fn set_lock(&self, plan: &mut Plan<'_>, by: Actor, locked: bool) -> Decision {
        self.moderator(by)?;
        if self.locked == locked {
            return Err(Refusal::LockUnchanged);
        }
        plan.push(if locked { Event::Locked { by } } else { Event::Unlocked { by } });
        Ok(())
    }
}
