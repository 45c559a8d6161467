//! The model's requests, invitations, and who comes on stage and goes.

use dais_stage::{Access, Actor, ParticipantId, Role};

use super::{Answer, Model};

impl Model {
    pub(super) fn ask(&mut self, now: u64, id: ParticipantId) -> Answer {
        let i = self.inside(id)?;
        let person = &self.people[i];
        if person.on_stage {
            return Err("already_on_stage");
        }
        if person.asked {
            return Err("already_asked");
        }
        if person.invited_by.is_some() {
            return Err("already_invited");
        }
        if person.role != Role::Participant || person.may_return || self.settings.access == Access::Everyone {
            return Err("may_join_already");
        }
        if self.settings.access == Access::Invite {
            return Err("asking_closed");
        }
        let person = &mut self.people[i];
        person.asked = true;
        person.asked_at = now;
        person.decided_by = None;
        self.requests.push(id.0);
        Ok(())
    }

    pub(super) fn request_is_gone(&mut self, i: usize) {
        let id = self.people[i].id;
        self.people[i].asked = false;
        self.people[i].asked_at = 0;
        self.requests.retain(|other| *other != id);
    }

    pub(super) fn cancel(&mut self, id: ParticipantId) -> Answer {
        let i = self.inside(id)?;
        if !self.people[i].asked {
            return Err("no_request");
        }
        self.request_is_gone(i);
        Ok(())
    }

    pub(super) fn nothing_to_decide(&self, i: usize) -> Answer {
        Err(if self.people[i].decided_by.is_some() { "already_decided" } else { "no_request" })
    }

    pub(super) fn approve(&mut self, by: Actor, target: ParticipantId) -> Answer {
        self.moderator(by)?;
        let i = self.target(target)?;
        if !self.people[i].asked {
            return self.nothing_to_decide(i);
        }
        self.request_is_gone(i);
        self.people[i].decided_by = Some(self.name_of(by));
        self.people[i].invited_by = Some(by);
        Ok(())
    }

    pub(super) fn decline(&mut self, by: Actor, target: ParticipantId) -> Answer {
        self.moderator(by)?;
        let i = self.target(target)?;
        let person = &self.people[i];
        if person.asked {
            self.request_is_gone(i);
        } else if person.may_return && person.invited_by.is_none() {
            self.people[i].may_return = false;
        } else {
            return self.nothing_to_decide(i);
        }
        self.people[i].decided_by = Some(self.name_of(by));
        Ok(())
    }

    pub(super) fn invite(&mut self, by: Actor, target: ParticipantId) -> Answer {
        self.moderator(by)?;
        let i = self.target(target)?;
        if self.people[i].on_stage {
            return Err("already_on_stage");
        }
        if self.people[i].invited_by.is_some() {
            return Err("already_invited");
        }
        if self.people[i].asked {
            return self.approve(by, target);
        }
        self.people[i].invited_by = Some(by);
        Ok(())
    }

    /// Taken back or declined; a right to return that was there before is there still.
    pub(super) fn drop_invitation(&mut self, i: usize) -> Answer {
        if self.people[i].invited_by.is_none() {
            return Err("not_invited");
        }
        self.people[i].invited_by = None;
        Ok(())
    }

    // Coming on stage and going.

    pub(super) fn join(&mut self, now: u64, id: ParticipantId, mic: bool, camera: bool) -> Answer {
        let i = self.inside(id)?;
        let person = &self.people[i];
        if person.on_stage {
            return Err("already_on_stage");
        }
        let standing = person.role != Role::Participant;
        let personal = person.invited_by.is_some() || person.may_return;
        if !standing && !personal {
            match self.settings.access {
                Access::Everyone => {}
                _ if person.asked => return Err("request_pending"),
                Access::Request => return Err("ask_first"),
                Access::Invite => return Err("invitation_needed"),
            }
        }
        self.place_for_one_more()?;
        self.come_on_stage(now, i, mic, camera);
        Ok(())
    }

    pub(super) fn is_exempt(&self, id: u32) -> bool {
        let role = self.person(id).role;
        self.settings.protect_moderators && (role == Role::Host || role == Role::Moderator)
    }

    pub(super) fn place_for_one_more(&self) -> Answer {
        let full = self.stage.len() >= self.settings.capacity;
        if full && self.stage.iter().all(|id| self.is_exempt(*id)) { Err("stage_full") } else { Ok(()) }
    }

    /// Everyone on stage, the longest-silent at `now` first.
    pub fn by_silence(&self, now: u64) -> Vec<u32> {
        let mut left = self.stage.clone();
        let mut sorted = Vec::new();
        while !left.is_empty() {
            let mut longest = 0;
            for n in 1..left.len() {
                // Strictly: ties go to whoever came on stage first, and `stage` is in that order.
                if self.silent_for(left[n], now) > self.silent_for(left[longest], now) {
                    longest = n;
                }
            }
            sorted.push(left.remove(longest));
        }
        sorted
    }

    fn silent_for(&self, id: u32, now: u64) -> u64 {
        let person = self.person(id);
        if person.speaking { 0 } else { now - person.since }
    }

    /// The longest-silent person who may be removed gives way.
    pub(super) fn one_gives_way(&mut self, now: u64) {
        let order = self.by_silence(now);
        let id = *order.iter().find(|id| !self.is_exempt(**id)).expect("asked before");
        let i = self.find(id).expect("on stage");
        self.off_stage(i);
        self.people[i].may_return = true;
    }

    pub(super) fn come_on_stage(&mut self, now: u64, i: usize, mic: bool, camera: bool) {
        if self.stage.len() >= self.settings.capacity {
            self.one_gives_way(now);
        }
        self.request_is_gone(i);
        self.hand_is_down(i);
        let person = &mut self.people[i];
        person.invited_by = None;
        person.may_return = false;
        person.on_stage = true;
        person.mic = mic;
        person.camera = camera;
        person.speaking = false;
        person.since = now;
        self.stage.push(person.id);
        if camera {
            self.cameras.push(person.id);
        }
    }

    pub(super) fn off_stage(&mut self, i: usize) {
        let person = &mut self.people[i];
        person.on_stage = false;
        person.mic = false;
        person.camera = false;
        person.speaking = false;
        person.since = 0;
        let id = person.id;
        self.stage.retain(|other| *other != id);
        self.cameras.retain(|other| *other != id);
    }

    pub(super) fn leave_stage(&mut self, id: ParticipantId) -> Answer {
        let i = self.inside_on_stage(id)?;
        if self.people[i].role != Role::Host && self.people[i].role != Role::Moderator {
            return Err("cannot_leave_stage");
        }
        self.off_stage(i);
        Ok(())
    }
}
