//! Controller and model side by side: each command goes to both, and they must agree.

use dais_stage::{Command, Entry, EntryPlace, Event, Identity, Millis, Refusal, Role, Settings, Stage};

use super::Model;
use super::invariants::{self, Gates};
use super::same::{assert_same, assert_same_in_depth, decider};

/// What a command led to.
pub type Outcome = Result<Vec<Event>, Refusal>;

#[derive(Clone, Debug)]
pub struct Pair {
    pub stage: Stage,
    pub model: Model,
    pub gates: Gates,
    pub now: u64,
}

impl Pair {
    pub fn open(now: u64, settings: Settings) -> Self {
        let mut stage = Stage::new(Settings::default());
        stage.apply(Millis(now), &Self::opened(settings.clone()));
        let pair = Self { stage, model: Model::new(now, settings), gates: Gates::default(), now };
        assert_same(&pair.stage, &pair.model);
        pair
    }

    /// A room with numbers 1 to 4 inside: a host, a moderator, a speaker and a participant.
    pub fn with_each_role() -> Self {
        let mut pair = Self::open(1_000, Settings::default());
        for (role, name) in Role::ALL.into_iter().zip(["hal", "mia", "sue", "ann"]) {
            pair.enter(role, name);
        }
        pair
    }

    /// Somebody comes in, as a viewer.
    pub fn enter(&mut self, role: Role, name: &str) {
        let (id, identity, name) = (self.stage.next_id(), Identity(name.to_owned()), name.to_owned());
        let place = EntryPlace::Viewer;
        self.play(&Command::Enter(Entry { id, identity, name, role, link: None, phone: false, place })).unwrap();
    }

    pub fn opened(settings: Settings) -> Event {
        Event::Opened { title: "A room".to_owned(), settings }
    }

    /// Opens a room again that has ended.
    pub fn reopen(&mut self, settings: Settings) -> Event {
        let event = Self::opened(settings.clone());
        self.stage.apply(Millis(self.now), &event);
        self.model.reopen(self.now, settings);
        assert_same(&self.stage, &self.model);
        event
    }

    /// Plays `command` on both.
    pub fn play(&mut self, command: &Command) -> Outcome {
        let before = self.stage.clone();
        let outcome = self.stage.decide(Millis(self.now), command);
        assert!(self.stage == before, "deciding changes nothing: {command:?}");
        match &outcome {
            Ok(events) => self.accepted(command, events),
            Err(refusal) => {
                let before = self.model.clone();
                self.refused(command, refusal);
                assert!(self.model == before, "a refusal changes nothing in the model: {command:?}");
            }
        }
        outcome
    }

    /// Plays every row of `length` of these commands, each `pause_ms` after the one before. A refused command leads
    /// nowhere new. Answers with how many were played.
    pub fn play_rows(&self, commands: &[Command], length: u32, pause_ms: u64) -> u64 {
        let mut steps = 0;
        for command in commands {
            steps += 1;
            let mut next = self.clone();
            next.now += pause_ms;
            match next.stage.decide(Millis(next.now), command) {
                Ok(events) => {
                    next.accepted(command, &events);
                    if length > 1 {
                        steps += next.play_rows(commands, length - 1, pause_ms);
                    } else if steps.is_multiple_of(64) {
                        assert_same_in_depth(&next.stage, &next.model);
                    }
                }
                Err(refusal) => next.refused(command, &refusal),
            }
        }
        steps
    }

    /// The controller refused: so does the model, for the same reason.
    pub fn refused(&mut self, command: &Command, refusal: &Refusal) {
        let answer = self.model.act(self.now, command);
        assert_eq!(answer, Err(refusal.code()), "model left, controller right: {command:?}");
        if let (Refusal::AlreadyDecided { by }, Command::Approve { target, .. } | Command::Decline { target, .. }) =
            (refusal, command)
        {
            assert_eq!(Some(by.as_str()), decider(&self.model, *target), "the decision of whom stands");
        }
    }

    /// The controller answered with `events`: the model agrees, and the room looks the same after.
    pub fn accepted(&mut self, command: &Command, events: &[Event]) {
        assert!(!events.is_empty(), "a command that changes nothing is refused: {command:?}");
        if events.iter().any(|event| matches!(event, Event::WentOffStage { .. })) {
            invariants::assert_fair(&self.stage, Millis(self.now), events);
        }
        let camera_limit_before = self.stage.settings().camera_limit;
        for event in events {
            self.stage.apply(Millis(self.now), event);
            self.gates.follow(event);
            invariants::after_event(&self.stage, camera_limit_before);
        }
        let answer = self.model.act(self.now, command);
        assert_eq!(answer, Ok(()), "the model refuses what the controller accepts: {command:?}");
        assert_same(&self.stage, &self.model);
        invariants::after_step(&self.stage, &self.gates, &self.model);
    }
}
