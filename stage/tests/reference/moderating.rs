//! The model's microphones, cameras, speech and hands, and what moderators set.

use dais_stage::{Ability, Access, Actor, ParticipantId, Role, limits};

use super::{Answer, Model, RoleLink};

impl Model {
    pub(super) fn falls_silent(&mut self, now: u64, i: usize) {
        if self.people[i].speaking {
            self.people[i].speaking = false;
            self.people[i].since = now;
        }
    }

    pub(super) fn set_mic(&mut self, now: u64, i: usize, on: bool) -> Answer {
        if self.people[i].mic == on {
            return Err("mic_unchanged");
        }
        self.people[i].mic = on;
        if !on {
            self.falls_silent(now, i);
        }
        Ok(())
    }

    pub(super) fn set_camera(&mut self, i: usize, on: bool) -> Answer {
        if self.people[i].camera == on {
            return Err("camera_unchanged");
        }
        self.people[i].camera = on;
        let id = self.people[i].id;
        if on {
            self.cameras.push(id);
        } else {
            self.cameras.retain(|other| *other != id);
        }
        Ok(())
    }

    /// Numbers of those whose camera is shown: the most recent, as many as the limit allows.
    pub fn shown(&self) -> &[u32] {
        let waiting = self.cameras.len().saturating_sub(self.settings.camera_limit);
        &self.cameras[waiting..]
    }

    /// How many are heard.
    pub fn heard(&self) -> usize {
        self.people.iter().filter(|person| person.mic).count().min(limits::VOICE_SLOTS)
    }

    pub(super) fn speech_started(&mut self, now: u64, id: ParticipantId) -> Answer {
        let i = self.inside_on_stage(id)?;
        let person = &mut self.people[i];
        if !person.mic || person.lost || person.speaking {
            return Err("speech_unchanged");
        }
        person.speaking = true;
        person.since = now;
        Ok(())
    }

    pub(super) fn speech_stopped(&mut self, now: u64, id: ParticipantId) -> Answer {
        let i = self.inside_on_stage(id)?;
        if !self.people[i].speaking {
            return Err("speech_unchanged");
        }
        self.falls_silent(now, i);
        Ok(())
    }

    pub(super) fn raise_hand(&mut self, now: u64, id: ParticipantId) -> Answer {
        let i = self.inside(id)?;
        let person = &mut self.people[i];
        if person.on_stage {
            return Err("already_on_stage");
        }
        if person.hand {
            return Err("hand_unchanged");
        }
        let role = person.role;
        self.permitted(role, Ability::RaiseHand)?;
        let person = &mut self.people[i];
        person.hand = true;
        person.hand_at = now;
        self.hands.push(id.0);
        Ok(())
    }

    pub(super) fn lower_hand(&mut self, by: Actor, target: ParticipantId) -> Answer {
        if by == Actor::Person(target) {
            self.inside(target)?;
        } else {
            self.moderator(by)?;
        }
        let i = self.target(target)?;
        if !self.people[i].hand {
            return Err("hand_unchanged");
        }
        self.hand_is_down(i);
        Ok(())
    }

    pub(super) fn mute_all(&mut self, now: u64, by: Actor) -> Answer {
        self.moderator(by)?;
        let mut some = false;
        for i in 0..self.people.len() {
            if self.people[i].mic && by != Actor::Person(ParticipantId(self.people[i].id)) {
                self.set_mic(now, i, false)?;
                some = true;
            }
        }
        if some { Ok(()) } else { Err("mic_unchanged") }
    }

    pub(super) fn stop_all_cameras(&mut self, by: Actor) -> Answer {
        self.moderator(by)?;
        let mut some = false;
        for i in 0..self.people.len() {
            if self.people[i].camera && by != Actor::Person(ParticipantId(self.people[i].id)) {
                self.set_camera(i, false)?;
                some = true;
            }
        }
        if some { Ok(()) } else { Err("camera_unchanged") }
    }

    pub(super) fn lower_all_hands(&mut self, by: Actor) -> Answer {
        self.moderator(by)?;
        if self.hands.is_empty() {
            return Err("hand_unchanged");
        }
        for i in 0..self.people.len() {
            self.hand_is_down(i);
        }
        Ok(())
    }

    pub(super) fn hand_is_down(&mut self, i: usize) {
        let id = self.people[i].id;
        self.people[i].hand = false;
        self.people[i].hand_at = 0;
        self.hands.retain(|other| *other != id);
    }

    // Settings and links.

    pub(super) fn set_access(&mut self, by: Actor, access: Access) -> Answer {
        self.moderator(by)?;
        if self.settings.access == access {
            return Err("access_unchanged");
        }
        self.settings.access = access;
        if access != Access::Request {
            for i in 0..self.people.len() {
                self.request_is_gone(i);
            }
        }
        Ok(())
    }

    pub(super) fn set_capacity(&mut self, now: u64, by: Actor, capacity: usize) -> Answer {
        self.moderator(by)?;
        if capacity == 0 || capacity > limits::CAPACITY_MAX {
            return Err("capacity_invalid");
        }
        if capacity == self.settings.capacity {
            return Err("capacity_unchanged");
        }
        if self.stage.iter().filter(|id| self.is_exempt(**id)).count() > capacity {
            return Err("too_many_protected");
        }
        while self.stage.len() > capacity {
            self.one_gives_way(now);
        }
        self.settings.capacity = capacity;
        Ok(())
    }

    pub(super) fn set_camera_limit(&mut self, by: Actor, limit: usize) -> Answer {
        self.moderator(by)?;
        if limit > limits::CAMERA_SLOTS {
            return Err("camera_limit_invalid");
        }
        if limit == self.settings.camera_limit {
            return Err("camera_limit_unchanged");
        }
        self.settings.camera_limit = limit;
        Ok(())
    }

    pub(super) fn make_link(&mut self, now: u64, by: Actor, role: Role, expires: u64, personal: bool) -> Answer {
        let host = self.moderator(by)?;
        if role == Role::Host && !host {
            return Err("hosts_only");
        }
        if expires <= now {
            return Err("link_expired");
        }
        if self.links.len() >= limits::LINKS_MAX {
            return Err("too_many_links");
        }
        self.links.push(RoleLink { role, expires, personal, revoked: false, used_by: None });
        Ok(())
    }

    pub(super) fn revoke_link(&mut self, by: Actor, link: u32) -> Answer {
        let host = self.moderator(by)?;
        let n = link as usize;
        if n == 0 || n > self.links.len() {
            return Err("link_unknown");
        }
        let link = &mut self.links[n - 1];
        if link.role == Role::Host && !host {
            return Err("hosts_only");
        }
        if link.revoked {
            return Err("link_revoked");
        }
        link.revoked = true;
        Ok(())
    }
}
