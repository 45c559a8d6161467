//! A room in words: people by name, time in seconds.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;

use dais_stage::{
    Access, Actor, Claim, Command, Entry, EntryPlace, Event, Identity, LinkId, Millis, Participant, ParticipantId,
    Refusal, Role, Settings, Stage,
};

/// What a command led to.
pub type Outcome = Result<Vec<Event>, Refusal>;

pub const WITH_BOTH: EntryPlace = EntryPlace::Stage { mic: true, camera: true };

pub struct Room {
    pub stage: Stage,
    pub now: u64,
    names: BTreeMap<String, ParticipantId>,
    pub journal: Vec<(Millis, Event)>,
}

impl Room {
    pub fn with(settings: Settings) -> Self {
        let mut room =
            Self { stage: Stage::new(Settings::default()), now: 1_000, names: BTreeMap::new(), journal: Vec::new() };
        room.record(&[Event::Opened { title: "A room".to_owned(), settings }]);
        room
    }

    pub fn with_capacity(capacity: usize) -> Self {
        Self::with(Settings { capacity, ..Settings::default() })
    }

    /// A room with a host called hal, a moderator called mia, a speaker called sue, and ann, ben and cat, all viewers.
    pub fn with_access(access: Access) -> Self {
        let mut room = Self::with(Settings { access, ..Settings::default() });
        for (name, role) in [("hal", Role::Host), ("mia", Role::Moderator), ("sue", Role::Speaker)] {
            room.enter_as(name, role, EntryPlace::Viewer).unwrap();
        }
        ["ann", "ben", "cat"].iter().for_each(|name| room.viewer(name));
        room
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now += seconds * 1_000;
    }

    pub fn id(&self, name: &str) -> ParticipantId {
        self.names[name]
    }

    pub fn by(&self, name: &str) -> Actor {
        Actor::Person(self.id(name))
    }

    pub fn name(&self, id: ParticipantId) -> &str {
        self.names.iter().find(|(_, known)| **known == id).map_or("nobody", |(name, _)| name)
    }

    pub fn person(&self, name: &str) -> &Participant {
        self.stage.participant(self.id(name)).unwrap_or_else(|| panic!("{name} is in the room"))
    }

    pub fn claim(&self, name: &str) -> Option<Claim> {
        self.person(name).claim().copied()
    }

    pub fn is_on_stage(&self, name: &str) -> bool {
        self.person(name).on_stage().is_some()
    }

    pub fn is_invited(&self, name: &str) -> bool {
        matches!(self.claim(name), Some(Claim::Invited { .. }))
    }

    fn record(&mut self, events: &[Event]) {
        for event in events {
            self.stage.apply(Millis(self.now), event);
            self.journal.push((Millis(self.now), event.clone()));
        }
    }

    /// Decides and applies; the events that came of it.
    pub fn act(&mut self, command: &Command) -> Outcome {
        let before = self.stage.clone();
        let decided = self.stage.decide(Millis(self.now), command);
        assert_eq!(self.stage, before, "deciding changes nothing");
        let events = decided?;
        assert!(!events.is_empty(), "a command that changes nothing is refused");
        self.record(&events);
        Ok(events)
    }

    pub fn entry(&self, name: &str, role: Role, place: EntryPlace) -> Entry {
        let (id, identity, name) = (self.stage.next_id(), Identity(name.to_owned()), name.to_owned());
        Entry { id, identity, name, role, link: None, phone: false, place }
    }

    pub fn enter(&mut self, entry: Entry) -> Outcome {
        let (id, name) = (entry.id, entry.name.clone());
        let events = self.act(&Command::Enter(entry))?;
        self.names.insert(name, id);
        Ok(events)
    }

    pub fn enter_as(&mut self, name: &str, role: Role, place: EntryPlace) -> Outcome {
        self.enter(self.entry(name, role, place))
    }

    /// Enters as a viewer.
    pub fn viewer(&mut self, name: &str) {
        self.enter_as(name, Role::Participant, EntryPlace::Viewer).unwrap();
    }

    /// Enters on stage with microphone and camera on.
    pub fn on_stage(&mut self, name: &str) {
        self.enter_as(name, Role::Participant, WITH_BOTH).unwrap();
    }

    pub fn host(&mut self, name: &str) {
        self.enter_as(name, Role::Host, EntryPlace::Viewer).unwrap();
    }

    pub fn leave(&mut self, name: &str) -> Outcome {
        self.act(&Command::Leave { id: self.id(name) })
    }

    pub fn join(&mut self, name: &str) -> Outcome {
        self.act(&Command::JoinStage { id: self.id(name), mic: true, camera: true })
    }

    pub fn ask(&mut self, name: &str) -> Outcome {
        self.act(&Command::AskToJoin { id: self.id(name) })
    }

    pub fn cancel(&mut self, name: &str) -> Outcome {
        self.act(&Command::CancelRequest { id: self.id(name) })
    }

    pub fn approve(&mut self, by: &str, target: &str) -> Outcome {
        self.act(&Command::Approve { by: self.by(by), target: self.id(target) })
    }

    pub fn decline(&mut self, by: &str, target: &str) -> Outcome {
        self.act(&Command::Decline { by: self.by(by), target: self.id(target) })
    }

    pub fn invite(&mut self, by: &str, target: &str) -> Outcome {
        self.act(&Command::Invite { by: self.by(by), target: self.id(target) })
    }

    pub fn withdraw(&mut self, by: &str, target: &str) -> Outcome {
        self.act(&Command::WithdrawInvitation { by: self.by(by), target: self.id(target) })
    }

    pub fn decline_invitation(&mut self, name: &str) -> Outcome {
        self.act(&Command::DeclineInvitation { id: self.id(name) })
    }

    pub fn remove_from_stage(&mut self, by: &str, target: &str) -> Outcome {
        self.act(&Command::RemoveFromStage { by: self.by(by), target: self.id(target) })
    }

    pub fn remove_from_room(&mut self, by: &str, target: &str) -> Outcome {
        self.act(&Command::RemoveFromRoom { by: self.by(by), target: self.id(target) })
    }

    pub fn raise_hand(&mut self, name: &str) -> Outcome {
        self.act(&Command::RaiseHand { id: self.id(name) })
    }

    pub fn lower_hand(&mut self, by: &str, target: &str) -> Outcome {
        self.act(&Command::LowerHand { by: self.by(by), target: self.id(target) })
    }

    pub fn set_access(&mut self, by: &str, access: Access) -> Outcome {
        self.act(&Command::SetAccess { by: self.by(by), access })
    }

    pub fn set_capacity(&mut self, by: &str, capacity: usize) -> Outcome {
        self.act(&Command::SetCapacity { by: self.by(by), capacity })
    }

    pub fn lock(&mut self, by: &str, locked: bool) -> Outcome {
        self.act(&Command::SetLock { by: self.by(by), locked })
    }

    /// Makes a link that is valid for an hour.
    pub fn make_link(&mut self, by: &str, role: Role, personal: bool) -> Result<LinkId, Refusal> {
        let expires = Millis(self.now + 3_600_000);
        self.act(&Command::MakeLink { by: self.by(by), role, expires, personal })?;
        Ok(self.stage.links().last().expect("the link was made").id)
    }

    pub fn speaks(&mut self, name: &str) {
        self.act(&Command::SpeechStarted { id: self.id(name) }).unwrap();
    }

    pub fn falls_silent(&mut self, name: &str) {
        self.act(&Command::SpeechStopped { id: self.id(name) }).unwrap();
    }

    pub fn mic(&mut self, name: &str, on: bool) -> Outcome {
        self.act(&Command::SetMic { id: self.id(name), on })
    }

    pub fn camera(&mut self, name: &str, on: bool) -> Vec<Event> {
        self.act(&Command::SetCamera { id: self.id(name), on }).unwrap()
    }

    pub fn drops(&mut self, name: &str) {
        self.act(&Command::LoseConnection { id: self.id(name) }).unwrap();
    }

    pub fn returns(&mut self, name: &str) -> Outcome {
        self.act(&Command::Return { id: self.id(name) })
    }

    /// Lets what is due happen.
    pub fn pass_time(&mut self) -> Outcome {
        self.act(&Command::PassTime)
    }

    /// Names of those on stage, in order of entry.
    pub fn stage_names(&self) -> Vec<&str> {
        let on_stage = self.stage.participants().filter(|p| p.on_stage().is_some());
        on_stage.map(|p| p.name.as_str()).collect()
    }

    /// Names of those who ask, oldest first.
    pub fn asking(&self) -> Vec<&str> {
        let mut asking: Vec<_> =
            self.stage.participants().filter_map(|p| Some((p.request()?, p.name.as_str()))).collect();
        asking.sort_unstable();
        asking.into_iter().map(|(_, name)| name).collect()
    }

    pub fn shown(&self) -> Vec<(u8, &str)> {
        let slots = self.stage.camera_slots();
        slots.filter_map(|(slot, o)| Some((slot.0, self.name(o.occupant?)))).collect()
    }

    pub fn heard(&self) -> Vec<(u8, &str)> {
        let slots = self.stage.voice_slots();
        slots.filter_map(|(slot, o)| Some((slot.0, self.name(o.occupant?)))).collect()
    }

    /// The stage that the same events make of an empty one.
    pub fn replayed(&self) -> Stage {
        Stage::replay(self.journal.iter().map(|(at, event)| (*at, event)))
    }
}
