//! A room in words: people by name, time in seconds.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;

use dais_stage::{Command, EntryPlace, Event, Millis, ParticipantId, Refusal, Role, Settings, Stage};

pub struct Room {
    pub stage: Stage,
    pub now: u64,
    names: BTreeMap<String, ParticipantId>,
    journal: Vec<(Millis, Event)>,
    settings: Settings,
}

impl Room {
    pub fn with(settings: Settings) -> Self {
        let stage = Stage::new(settings.clone());
        Self { stage, now: 1_000, names: BTreeMap::new(), journal: Vec::new(), settings }
    }

    pub fn with_capacity(capacity: usize) -> Self {
        Self::with(Settings { capacity, ..Settings::default() })
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now += seconds * 1_000;
    }

    pub fn id(&self, name: &str) -> ParticipantId {
        self.names[name]
    }

    pub fn name(&self, id: ParticipantId) -> &str {
        self.names.iter().find(|(_, known)| **known == id).map_or("nobody", |(name, _)| name)
    }

    /// Decides and applies; the events that came of it.
    pub fn act(&mut self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let before = self.stage.clone();
        let decided = self.stage.decide(Millis(self.now), command);
        assert_eq!(self.stage, before, "deciding changes nothing");
        let events = decided?;
        assert!(!events.is_empty(), "a command that changes nothing is refused");
        for event in &events {
            self.stage.apply(Millis(self.now), event);
            self.journal.push((Millis(self.now), event.clone()));
        }
        Ok(events)
    }

    pub fn enter_as(&mut self, name: &str, role: Role, place: EntryPlace) -> Result<Vec<Event>, Refusal> {
        let id = self.stage.next_id();
        let events = self.act(&Command::Enter { id, name: name.to_owned(), role, place })?;
        self.names.insert(name.to_owned(), id);
        Ok(events)
    }

    /// Enters as a viewer.
    pub fn viewer(&mut self, name: &str) {
        self.enter_as(name, Role::Participant, EntryPlace::Viewer).unwrap();
    }

    /// Enters on stage with microphone and camera on.
    pub fn on_stage(&mut self, name: &str) {
        self.enter_as(name, Role::Participant, EntryPlace::Stage { mic: true, camera: true }).unwrap();
    }

    pub fn host(&mut self, name: &str) {
        self.enter_as(name, Role::Host, EntryPlace::Viewer).unwrap();
    }

    pub fn join(&mut self, name: &str) -> Result<Vec<Event>, Refusal> {
        self.act(&Command::JoinStage { id: self.id(name), mic: true, camera: true })
    }

    pub fn speaks(&mut self, name: &str) {
        self.act(&Command::SpeechStarted { id: self.id(name) }).unwrap();
    }

    pub fn falls_silent(&mut self, name: &str) {
        self.act(&Command::SpeechStopped { id: self.id(name) }).unwrap();
    }

    pub fn camera(&mut self, name: &str, on: bool) -> Vec<Event> {
        self.act(&Command::SetCamera { id: self.id(name), on }).unwrap()
    }

    /// Names of those on stage, in order of entry.
    pub fn stage_names(&self) -> Vec<&str> {
        let on_stage = self.stage.participants().filter(|p| p.on_stage().is_some());
        on_stage.map(|p| p.name.as_str()).collect()
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
        let mut stage = Stage::new(self.settings.clone());
        self.journal.iter().for_each(|(at, event)| stage.apply(*at, event));
        stage
    }
}
