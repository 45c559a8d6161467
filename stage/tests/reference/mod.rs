//! A second stage, written from docs/stage.md alone and without a look at how the controller does it: flat lists, plain
//! flags and loops. Tests play the same commands on both and compare.
//!
//! It knows nothing of events, slots or generations. What it has is what people can see: who is where, in what order.
#![allow(dead_code, reason = "each test file uses its part")]

mod chatting;
pub mod invariants;
mod joining;
mod moderating;
pub mod names;
pub mod pair;
mod permitting;
mod polling;
mod presenting;
pub mod same;

use dais_stage::{Access, Actor, Channel, Command, Entry, EntryPlace, ParticipantId, Role, RoomMode, Settings, limits};

/// What the model says to a command: yes, or no with the refusal's code.
pub type Answer = Result<(), &'static str>;

/// A person in the room, everything there is to know of them side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: u32,
    pub identity: String,
    pub name: String,
    pub role: Role,
    pub on_stage: bool,

    // Of somebody on stage.
    pub mic: bool,
    pub camera: bool,
    pub speaking: bool,
    /// Silent since then, or speaking since then.
    pub since: u64,

    // Of a viewer.
    pub asked: bool,
    pub asked_at: u64,
    pub invited_by: Option<Actor>,
    pub may_return: bool,
    /// Name of the moderator who decided their last request.
    pub decided_by: Option<String>,

    pub hand: bool,
    pub hand_at: u64,
    pub lost: bool,
    pub lost_at: u64,
}

/// A role link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleLink {
    pub role: Role,
    pub expires: u64,
    pub personal: bool,
    pub revoked: bool,
    pub used_by: Option<String>,
}

/// Something said in the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub number: u32,
    pub name: String,
    pub back_channel: bool,
    pub text: String,
}

/// The whole room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    pub settings: Settings,
    pub locked: bool,
    pub ended: bool,
    pub empty_since: Option<u64>,
    /// How many people ever entered; the last number given.
    pub entries: u32,
    /// In order of entry.
    pub people: Vec<Person>,
    /// Numbers of those who ask, oldest first.
    pub requests: Vec<u32>,
    /// Numbers of those with a raised hand, oldest first.
    pub hands: Vec<u32>,
    /// Numbers of those on stage, in the order they came.
    pub stage: Vec<u32>,
    /// Numbers of those whose camera is on, in the order the cameras went live.
    pub cameras: Vec<u32>,
    /// Who presents, and whether with sound.
    pub presenting: Option<(u32, bool)>,
    pub removed: Vec<String>,
    pub links: Vec<RoleLink>,
    /// Oldest first.
    pub chat: Vec<Line>,
    pub pinned: Option<u32>,
    /// How many things were ever said.
    pub said: u32,
    pub blocked: Vec<String>,
    /// In the order they were made.
    pub polls: Vec<polling::ModelPoll>,
    /// How many polls were ever made.
    pub polls_made: u32,
}

impl Model {
    pub fn new(now: u64, settings: Settings) -> Self {
        Self {
            settings,
            locked: false,
            ended: false,
            empty_since: Some(now),
            entries: 0,
            people: Vec::new(),
            requests: Vec::new(),
            hands: Vec::new(),
            stage: Vec::new(),
            cameras: Vec::new(),
            presenting: None,
            removed: Vec::new(),
            links: Vec::new(),
            chat: Vec::new(),
            pinned: None,
            said: 0,
            blocked: Vec::new(),
            polls: Vec::new(),
            polls_made: 0,
        }
    }

    /// The room is opened again after it had ended. Removed is removed, a link is a link.
    pub fn reopen(&mut self, now: u64, settings: Settings) {
        *self = Self {
            entries: self.entries,
            removed: self.removed.clone(),
            links: self.links.clone(),
            said: self.said,
            blocked: self.blocked.clone(),
            polls_made: self.polls_made,
            ..Self::new(now, settings)
        };
    }

    pub fn act(&mut self, now: u64, command: &Command) -> Answer {
        if self.ended {
            return Err("session_ended");
        }
        match command {
            Command::Enter(entry) => self.enter(now, entry),
            Command::Leave { id } => self.inside(*id).map(|i| self.goes(now, i)),
            Command::LoseConnection { id } => self.lose_connection(now, *id),
            Command::Return { id } => self.comes_back(*id),
            Command::AskToJoin { id } => self.ask(now, *id),
            Command::CancelRequest { id } => self.cancel(*id),
            Command::Approve { by, target } => self.approve(*by, *target),
            Command::Decline { by, target } => self.decline(*by, *target),
            Command::Invite { by, target } => self.invite(*by, *target),
            Command::WithdrawInvitation { by, target } => {
                self.moderator(*by)?;
                let i = self.target(*target)?;
                self.drop_invitation(i)
            }
            Command::DeclineInvitation { id } => {
                let i = self.inside(*id)?;
                self.drop_invitation(i)
            }
            Command::JoinStage { id, mic, camera } => self.join(now, *id, *mic, *camera),
            Command::LeaveStage { id } => self.leave_stage(*id),
            Command::RemoveFromStage { by, target } => {
                let i = self.target_on_stage(*by, *target)?;
                self.off_stage(i);
                Ok(())
            }
            Command::SetMic { id, on } => {
                let i = self.inside_on_stage(*id)?;
                self.set_mic(now, i, *on)
            }
            Command::SetCamera { id, on } => {
                let i = self.inside_on_stage(*id)?;
                self.set_camera(i, *on)
            }
            Command::Mute { by, target } => {
                let i = self.target_on_stage(*by, *target)?;
                self.set_mic(now, i, false)
            }
            Command::StopCamera { by, target } => {
                let i = self.target_on_stage(*by, *target)?;
                self.set_camera(i, false)
            }
            Command::AskToUnmute { by, target } => {
                let i = self.target_on_stage(*by, *target)?;
                if self.people[i].mic { Err("mic_unchanged") } else { Ok(()) }
            }
            Command::MuteAll { by } => self.mute_all(now, *by),
            Command::StopAllCameras { by } => self.stop_all_cameras(*by),
            Command::LowerAllHands { by } => self.lower_all_hands(*by),
            Command::RaiseHand { id } => self.raise_hand(now, *id),
            Command::LowerHand { by, target } => self.lower_hand(*by, *target),
            Command::SetAccess { by, access } => self.set_access(*by, *access),
            Command::SetCapacity { by, capacity } => self.set_capacity(now, *by, *capacity),
            Command::SetCameraLimit { by, limit } => self.set_camera_limit(*by, *limit),
            Command::SetPermission { by, ability, allowed } => self.set_permission(*by, *ability, *allowed),
            Command::SetLock { by, locked } => {
                self.moderator(*by)?;
                if self.locked == *locked {
                    return Err("lock_unchanged");
                }
                self.locked = *locked;
                Ok(())
            }
            Command::RemoveFromRoom { by, target } => self.remove_from_room(now, *by, *target),
            Command::MakeLink { by, role, expires, personal } => self.make_link(now, *by, *role, expires.0, *personal),
            Command::RevokeLink { by, link } => self.revoke_link(*by, link.0),
            Command::Say { id, channel, text } => self.say(*id, *channel == Channel::Moderators, text),
            Command::DeleteMessage { by, message } => self.delete_message(*by, message.0),
            Command::PinMessage { by, message } => self.pin_message(*by, message.map(|message| message.0)),
            Command::ClearChat { by } => self.clear_chat(*by),
            Command::BlockFromChat { by, target, block } => self.block_from_chat(*by, *target, *block),
            Command::MakePoll { by, content } => self.make_poll(*by, now, content),
            Command::QuickPoll { id, kind, text } => self.quick_poll(*id, now, *kind, text),
            Command::AdvancePoll { by, poll, from } => self.advance_poll(*by, now, poll.0, *from),
            Command::DeletePoll { by, poll } => self.delete_poll(*by, poll.0),
            Command::AnswerPoll { id, poll, question, choices } => {
                self.answer_poll(*id, now, (poll.0, usize::from(*question)), *choices)
            }
            Command::Present { id, sound } => self.present(*id, *sound),
            Command::StopPresenting { by, target } => self.stop_presenting(*by, *target),
            Command::End { by } => {
                self.moderator(*by)?;
                self.end();
                Ok(())
            }
            Command::SpeechStarted { id } => self.speech_started(now, *id),
            Command::SpeechStopped { id } => self.speech_stopped(now, *id),
            // Fewer people than voice slots: everybody is heard already.
            Command::SpeaksMost { id } => self.inside_on_stage(*id).and(Err("speech_unchanged")),
            Command::PassTime => self.pass_time(now),
            Command::Restart => self.restart(now),
        }
    }

    // Who is asked for.

    pub fn find(&self, id: u32) -> Option<usize> {
        self.people.iter().position(|person| person.id == id)
    }

    fn person(&self, id: u32) -> &Person {
        &self.people[self.find(id).expect("whoever is in a list is in the room")]
    }

    /// The sender.
    fn inside(&self, id: ParticipantId) -> Result<usize, &'static str> {
        self.find(id.0).ok_or("not_in_room")
    }

    fn inside_on_stage(&self, id: ParticipantId) -> Result<usize, &'static str> {
        let i = self.inside(id)?;
        if self.people[i].on_stage { Ok(i) } else { Err("not_on_stage") }
    }

    /// Whether the sender may moderate, and if so whether as a host.
    fn moderator(&self, by: Actor) -> Result<bool, &'static str> {
        let Actor::Person(id) = by else { return Ok(true) };
        let role = self.people[self.inside(id)?].role;
        match role {
            Role::Host => Ok(true),
            Role::Moderator => Ok(false),
            Role::Speaker | Role::Participant => Err("moderators_only"),
        }
    }

    fn target(&self, id: ParticipantId) -> Result<usize, &'static str> {
        self.find(id.0).ok_or("unknown_participant")
    }

    fn target_on_stage(&self, by: Actor, target: ParticipantId) -> Result<usize, &'static str> {
        self.moderator(by)?;
        let i = self.target(target)?;
        if self.people[i].on_stage { Ok(i) } else { Err("not_on_stage") }
    }

    fn name_of(&self, by: Actor) -> String {
        match by {
            Actor::Portal => "the organiser".to_owned(),
            Actor::Person(id) => self.person(id.0).name.clone(),
        }
    }

    // Entering and leaving.

    fn enter(&mut self, now: u64, entry: &Entry) -> Answer {
        let identity = &entry.identity.0;
        if self.removed.contains(identity) {
            return Err("removed_from_room");
        }
        if let Some(link) = entry.link {
            let n = link.0 as usize;
            if n == 0 || n > self.links.len() {
                return Err("link_unknown");
            }
            let link = &self.links[n - 1];
            if link.revoked {
                return Err("link_revoked");
            }
            if now >= link.expires {
                return Err("link_expired");
            }
            if link.used_by.is_some() && link.used_by.as_ref() != Some(identity) {
                return Err("link_used");
            }
        }
        let moderates = entry.role == Role::Host || entry.role == Role::Moderator;
        if self.locked && !moderates {
            return Err("room_locked");
        }
        if self.people.len() >= limits::PARTICIPANTS_MAX {
            return Err("room_full");
        }
        if self.people.iter().any(|person| person.identity == *identity) {
            return Err("already_in_room");
        }
        let name = entry.name.trim();
        if name.is_empty() {
            return Err("name_missing");
        }
        if name.chars().count() > limits::NAME_CHARS_MAX {
            return Err("name_too_long");
        }
        if name.chars().any(char::is_control) {
            return Err("name_invalid");
        }
        if entry.place != EntryPlace::Viewer {
            self.may_join_at_entry(entry.role, entry.phone)?;
            self.place_for_one_more()?;
        }

        assert_eq!(entry.id.0, self.entries + 1, "the tests give the next number");
        self.entries += 1;
        self.empty_since = None;
        if let Some(link) = entry.link
            && self.links[link.0 as usize - 1].personal
        {
            self.links[link.0 as usize - 1].used_by = Some(identity.clone());
        }
        self.people.push(Person {
            id: entry.id.0,
            identity: identity.clone(),
            name: name.to_owned(),
            role: entry.role,
            on_stage: false,
            mic: false,
            camera: false,
            speaking: false,
            since: 0,
            asked: false,
            asked_at: 0,
            invited_by: None,
            may_return: false,
            decided_by: None,
            hand: false,
            hand_at: 0,
            lost: false,
            lost_at: 0,
        });
        if let EntryPlace::Stage { mic, camera } = entry.place {
            self.come_on_stage(now, self.people.len() - 1, mic, camera);
        }
        Ok(())
    }

    pub fn may_join_at_entry(&self, role: Role, phone: bool) -> Answer {
        if phone {
            return Err("phone_enters_as_viewer");
        }
        let open = self.settings.access == Access::Everyone && self.settings.mode == RoomMode::Interactive;
        if role == Role::Participant && !open { Err("stage_not_at_entry") } else { Ok(()) }
    }

    /// A person is gone, with everything they had.
    fn goes(&mut self, now: u64, i: usize) {
        let id = self.people[i].id;
        self.people.remove(i);
        self.presenting = self.presenting.filter(|(presenter, _)| *presenter != id);
        for list in [&mut self.requests, &mut self.hands, &mut self.stage, &mut self.cameras] {
            list.retain(|other| *other != id);
        }
        if self.people.is_empty() {
            self.empty_since = Some(now);
        }
    }

    fn remove_from_room(&mut self, now: u64, by: Actor, target: ParticipantId) -> Answer {
        let host = self.moderator(by)?;
        let i = self.target(target)?;
        if self.people[i].role == Role::Host && !host {
            return Err("hosts_only");
        }
        if self.removed.len() >= limits::REMOVED_MAX {
            return Err("too_many_removed");
        }
        self.removed.push(self.people[i].identity.clone());
        self.goes(now, i);
        Ok(())
    }

    fn end(&mut self) {
        self.ended = true;
        self.people.clear();
        self.presenting = None;
        for list in [&mut self.requests, &mut self.hands, &mut self.stage, &mut self.cameras] {
            list.clear();
        }
    }

    // Connections and time.

    fn lose_connection(&mut self, now: u64, id: ParticipantId) -> Answer {
        let i = self.inside(id)?;
        if self.people[i].lost {
            return Err("connection_unchanged");
        }
        self.connection_is_lost(now, i);
        Ok(())
    }

    fn connection_is_lost(&mut self, now: u64, i: usize) {
        self.people[i].lost = true;
        self.people[i].lost_at = now;
        self.falls_silent(now, i);
    }

    fn comes_back(&mut self, id: ParticipantId) -> Answer {
        let i = self.inside(id)?;
        if !self.people[i].lost {
            return Err("connection_unchanged");
        }
        self.people[i].lost = false;
        self.people[i].lost_at = 0;
        Ok(())
    }

    fn restart(&mut self, now: u64) -> Answer {
        if self.people.iter().all(|person| person.lost) {
            return Err("nothing_due");
        }
        for i in 0..self.people.len() {
            if !self.people[i].lost {
                self.connection_is_lost(now, i);
            }
        }
        Ok(())
    }

    fn pass_time(&mut self, now: u64) -> Answer {
        let mut due = self.close_due(now);
        while let Some(i) = self.people.iter().position(|p| p.lost && p.lost_at + self.settings.grace_ms <= now) {
            self.goes(now, i);
            due = true;
        }
        if let Some(since) = self.empty_since
            && self.settings.empty_after_ms > 0
            && since + self.settings.empty_after_ms <= now
        {
            self.end();
            due = true;
        }
        if due { Ok(()) } else { Err("nothing_due") }
    }

    pub fn next_deadline(&self) -> Option<u64> {
        if self.ended {
            return None;
        }
        let mut deadlines = Vec::new();
        for person in &self.people {
            if person.lost {
                deadlines.push(person.lost_at + self.settings.grace_ms);
            }
        }
        deadlines.extend(self.polls.iter().filter_map(polling::ModelPoll::closes));
        if let Some(since) = self.empty_since
            && self.settings.empty_after_ms > 0
        {
            deadlines.push(since + self.settings.empty_after_ms);
        }
        deadlines.into_iter().min()
    }
}
