//! The controller against the reference model on a million random sequences of commands.
//!
//! A sequence is a list of codes. The first chooses the room; each of the others waits a moment and plays one command
//! of five people of different roles, or of somebody who is gone. `DAIS_SEED=<number>` plays the sequences of that seed
//! again, `DAIS_SEQUENCES=<number>` plays more or fewer.

mod reference;

use std::cell::RefCell;
use std::collections::BTreeMap;

use dais_stage::{
    Ability, Access, Actor, Allowed, Channel, Choices, Codec, Command, Entry, EntryPlace, Event, Identity, LinkId,
    MessageId, Millis, NewPoll, ParticipantId, Permissions, Poll, PollId, PollKind, PollStep, Question, QuickPoll,
    Refusal, Role, RoomMode, Settings, Stage,
};
use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use reference::names::{EVENTS, REFUSALS, event_name};
use reference::pair::Pair;
use reference::same::assert_same_in_depth;

/// Of each of the two tests.
const SEQUENCES: u32 = 500_000;

/// One sequence in so many is looked at in depth.
const IN_DEPTH: u64 = 64;

const ROLES: [Role; 5] = [Role::Host, Role::Moderator, Role::Speaker, Role::Participant, Role::Participant];
const NAMES: [&str; 5] = ["hal", "mia", "sue", "ann", "ben"];
const ACCESSES: [Access; 3] = [Access::Everyone, Access::Request, Access::Invite];

#[test]
fn with_everyone_inside_controller_and_model_agree() {
    play_many("everyone inside", Start::EveryoneInside);
}

#[test]
fn from_an_empty_room_on_controller_and_model_agree() {
    play_many("empty room", Start::Empty);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    EveryoneInside,
    Empty,
}

/// How often each refusal and each event came.
#[derive(Default)]
struct Seen {
    sequences: u64,
    commands: u64,
    accepted: u64,
    refusals: BTreeMap<&'static str, u64>,
    events: BTreeMap<&'static str, u64>,
}

fn play_many(title: &str, start: Start) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let since_epoch = std::time::UNIX_EPOCH.elapsed().expect("the clock is past 1970");
    let seed = number("DAIS_SEED").unwrap_or(since_epoch.as_micros() as u64);
    let cases = number("DAIS_SEQUENCES").map_or(SEQUENCES, |n| u32::try_from(n).expect("fewer sequences"));
    println!("{title}: DAIS_SEED={seed}");
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..].copy_from_slice(&[start as u8 + 1; 8]);
    let rng = TestRng::from_seed(RngAlgorithm::XorShift, &bytes);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let seen = RefCell::new(Seen::default());
    let result = TestRunner::new_with_rng(config, rng).run(&vec(0..=u32::MAX, 1..=16), |codes| {
        Room::open(start, codes[0]).play(&codes[1..], &mut seen.borrow_mut());
        Ok::<(), TestCaseError>(())
    });
    let seen = seen.into_inner();
    println!("{title}: {} sequences, {} commands, {} accepted", seen.sequences, seen.commands, seen.accepted);
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, codes)) => {
            panic!("DAIS_SEED={seed}: {reason}\n{codes:?}\n{}", story(start, &codes));
        }
        Err(TestError::Abort(reason)) => panic!("DAIS_SEED={seed}: {reason}"),
    }
    if cases >= SEQUENCES {
        let missing: Vec<_> = REFUSALS.iter().filter(|code| !seen.refusals.contains_key(*code)).collect();
        assert!(missing.is_empty(), "DAIS_SEED={seed}: never refused with {missing:?}");
        let missing: Vec<_> = EVENTS.iter().filter(|name| !seen.events.contains_key(*name)).collect();
        assert!(missing.is_empty(), "DAIS_SEED={seed}: never happened: {missing:?}");
        let unknown: Vec<_> = seen.refusals.keys().filter(|code| !REFUSALS.contains(*code)).collect();
        assert!(unknown.is_empty(), "not in the list of refusals: {unknown:?}");
    }
}

/// The commands of a failing sequence, to read.
fn story(start: Start, codes: &[u32]) -> String {
    let mut room = Room::open(start, codes[0]);
    let mut story = format!("{:?}\n", room.pair.stage.settings());
    for code in &codes[1..] {
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let (step, outcome) = room.step(*code);
            format!("{} {step:?}\n    {outcome:?}\n", room.pair.now)
        }));
        let Ok(line) = played else {
            story += &format!("{} {:?} and they differ", room.pair.now, room.decode(*code));
            break;
        };
        story += &line;
    }
    story
}

struct Room {
    pair: Pair,
    /// Number each person had last; 0 before they ever came.
    ids: [ParticipantId; 5],
    journal: Vec<(Millis, Event)>,
}

#[derive(Debug)]
enum Step {
    Command(Command),
    /// The portal opens the room again, if it has ended.
    Open(Settings),
}

impl Room {
    fn open(start: Start, code: u32) -> Self {
        let settings = settings(code);
        let pair = Pair::open(1_000, settings.clone());
        let journal = vec![(Millis(1_000), Pair::opened(settings))];
        let mut room = Self { pair, ids: [ParticipantId(0); 5], journal };
        if start == Start::EveryoneInside {
            for who in 0..5 {
                let entered = room.act(&room.entry(who, 0));
                assert!(entered.is_ok(), "{entered:?}");
            }
        }
        room
    }

    fn play(&mut self, codes: &[u32], seen: &mut Seen) {
        self.journal.iter().for_each(|(_, event)| *seen.events.entry(event_name(event)).or_default() += 1);
        for code in codes {
            let (_, outcome) = self.step(*code);
            seen.commands += 1;
            match outcome {
                Ok(events) => {
                    seen.accepted += 1;
                    events.iter().for_each(|event| *seen.events.entry(event_name(event)).or_default() += 1);
                }
                Err(refusal) => *seen.refusals.entry(refusal.code()).or_default() += 1,
            }
        }
        let replayed = Stage::replay(self.journal.iter().map(|(at, event)| (*at, event)));
        assert!(replayed == self.pair.stage, "the same events make the same stage");
        if seen.sequences.is_multiple_of(IN_DEPTH) {
            assert_same_in_depth(&self.pair.stage, &self.pair.model);
        }
        seen.sequences += 1;
    }

    fn step(&mut self, code: u32) -> (Step, Result<Vec<Event>, Refusal>) {
        self.pair.now += [0, 0, 1, 1_000][(code >> 30) as usize];
        let step = self.decode(code);
        if let Step::Command(Command::PassTime) = step {
            self.pair.now += [0, 1_000, 30_000, 300_000][bits(code, 10, 4)];
        }
        let outcome = match &step {
            Step::Command(command) => self.act(command),
            Step::Open(settings) => {
                let event = self.pair.reopen(settings.clone());
                self.journal.push((Millis(self.pair.now), event.clone()));
                Ok(vec![event])
            }
        };
        (step, outcome)
    }

    fn act(&mut self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let events = self.pair.play(command)?;
        if let Command::Enter(entry) = command {
            let who = NAMES.iter().position(|name| *name == entry.identity.0).expect("one of the five");
            self.ids[who] = entry.id;
        }
        self.journal.extend(events.iter().map(|event| (Millis(self.pair.now), event.clone())));
        Ok(events)
    }

    /// A person's number, now and then one that was never given.
    fn id(&self, bits: usize) -> ParticipantId {
        if bits == 31 { ParticipantId(99) } else { self.ids[bits % 5] }
    }

    /// Mostly somebody who moderates.
    fn by(&self, bits: usize) -> Actor {
        match bits {
            0..=8 => Actor::Person(self.ids[0]),
            9..=20 => Actor::Person(self.ids[1]),
            21..=29 => Actor::Person(self.ids[bits % 5]),
            30 => Actor::Portal,
            _ => Actor::Person(ParticipantId(99)),
        }
    }

    fn entry(&self, who: usize, code: u32) -> Command {
        let name = match bits(code, 15, 16) {
            0 if code > 0 => " ".to_owned(),
            1 => "a\u{7}b".to_owned(),
            2 => "é".repeat(65),
            3 => format!(" {} ", NAMES[who]),
            _ => NAMES[who].to_owned(),
        };
        let links = self.pair.stage.links().len();
        let link = bits(code, 19, 4).checked_sub(1).map(|n| n % (links + 1));
        let place = match bits(code, 21, 8) {
            0..=2 => EntryPlace::Viewer,
            flags => EntryPlace::Stage { mic: flags & 1 == 1, camera: flags & 2 == 2 },
        };
        Command::Enter(Entry {
            id: self.pair.stage.next_id(),
            identity: Identity(NAMES[who].to_owned()),
            name,
            role: ROLES[who],
            // Most people come without a link; number `links + 1` was never made.
            link: link.filter(|_| links > 0 || bits(code, 24, 8) == 0).map(|n| LinkId(n as u32 + 1)),
            phone: bits(code, 27, 8) == 1,
            place,
        })
    }

    fn decode(&self, code: u32) -> Step {
        let (by, target) = (self.by(bits(code, 15, 32)), self.id(bits(code, 10, 32)));
        let (id, flag) = (target, bits(code, 20, 2) == 1);
        // Two of three commands of somebody who is outside are an entry, or an empty room would stay empty.
        if self.pair.stage.participant(id).is_none()
            && !self.pair.stage.has_ended()
            && !bits(code, 25, 32).is_multiple_of(3)
        {
            return Step::Command(self.entry(bits(code, 10, 32) % 5, code | 1));
        }
        Step::Command(match bits(code, 0, 64) {
            0..=4 => self.entry(bits(code, 10, 32) % 5, code | 1),
            7 => Command::Leave { id },
            8 | 9 => Command::LoseConnection { id },
            10 | 11 => Command::Return { id },
            12..=14 => Command::AskToJoin { id },
            15 | 62 => self.chat(by, target, code),
            60 if flag => self.poll(by, target, code),
            5 | 6 | 32 | 33 => self.poll(by, target, code),
            34 if flag => Command::Present { id, sound: bits(code, 21, 2) == 1 },
            16 if flag => {
                let by = if bits(code, 21, 4) == 0 { Actor::Person(target) } else { by };
                Command::StopPresenting { by, target: self.pair.stage.presenter().unwrap_or(target) }
            }
            16 => Command::CancelRequest { id },
            17..=19 => Command::Approve { by, target },
            20 | 21 => Command::Decline { by, target },
            22 | 23 => Command::Invite { by, target },
            24 => Command::WithdrawInvitation { by, target },
            25 => Command::DeclineInvitation { id },
            26..=31 => Command::JoinStage { id, mic: bits(code, 20, 4) > 0, camera: bits(code, 22, 4) > 0 },
            34 => Command::LeaveStage { id },
            35 => Command::RemoveFromStage { by, target },
            36 | 37 => Command::SetMic { id, on: flag },
            38..=40 => Command::SetCamera { id, on: flag },
            41 if flag => Command::MuteAll { by },
            41 => Command::Mute { by, target },
            42 if flag => Command::StopAllCameras { by },
            42 => Command::StopCamera { by, target },
            43 => Command::AskToUnmute { by, target },
            44 => Command::RaiseHand { id },
            45 if bits(code, 21, 4) == 0 => Command::LowerAllHands { by },
            45 => Command::LowerHand { by: if flag { Actor::Person(id) } else { by }, target },
            46 | 47 => Command::SetAccess { by, access: ACCESSES[bits(code, 20, 16) % 3] },
            48 if flag => {
                let (ability, allowed) = (Ability::ALL[bits(code, 21, 8) % 6], Allowed::ALL[bits(code, 24, 4)]);
                Command::SetPermission { by, ability, allowed }
            }
            48 => Command::SetCapacity { by, capacity: [0, 1, 1, 1, 2, 2, 3, 1_001][bits(code, 21, 8)] },
            49 => Command::SetCameraLimit { by, limit: [0, 1, 2, 26][bits(code, 20, 4)] },
            50 => Command::SetLock { by, locked: bits(code, 20, 4) > 0 },
            51 => Command::RemoveFromRoom { by, target },
            52 => self.make_link(by, code),
            53 => Command::RevokeLink { by, link: LinkId(bits(code, 20, 4) as u32) },
            54 if bits(code, 20, 4) == 0 => Command::End { by },
            54 | 55 => match self.pair.stage.has_ended() {
                true => return Step::Open(settings(code)),
                false => Command::Enter(self.somebody_new_with_a_link(code)),
            },
            56..=58 => Command::SpeechStarted { id },
            59 => Command::SpeechStopped { id },
            60 | 61 => Command::PassTime,
            _ => Command::Restart,
        })
    }

    fn chat(&self, by: Actor, target: ParticipantId, code: u32) -> Command {
        let message = MessageId(bits(code, 23, 4) as u32);
        match bits(code, 20, 8) {
            0..=2 => {
                let text = match bits(code, 23, 8) {
                    0 => " \n".to_owned(),
                    1 => "é".repeat(2_001),
                    2 => "a\u{7}b".to_owned(),
                    _ => " <b>hello</b>\n".to_owned(),
                };
                let channel = if bits(code, 26, 4) == 0 { Channel::Moderators } else { Channel::Everyone };
                Command::Say { id: target, channel, text }
            }
            3 => Command::DeleteMessage { by, message },
            4 => Command::PinMessage { by, message: Some(message).filter(|message| message.0 > 0) },
            5 => Command::ClearChat { by },
            6 => Command::BlockFromChat { by, target, block: true },
            // Somebody who is blocked, or that would hardly ever come.
            _ => {
                let stage = &self.pair.stage;
                let is_blocked = |id: &&ParticipantId| {
                    stage.participant(**id).is_some_and(|person| stage.chat().is_blocked(&person.identity))
                };
                let target = self.ids.iter().find(is_blocked).copied().unwrap_or(target);
                Command::BlockFromChat { by, target, block: false }
            }
        }
    }

    fn poll(&self, by: Actor, id: ParticipantId, code: u32) -> Command {
        let polls = self.pair.stage.polls();
        let some = polls.all().nth(bits(code, 21, 2)).map_or(PollId(9), |poll| poll.id);
        let poll = polls.open().map_or(some, |poll| poll.id);
        match bits(code, 22, 8) {
            0 => Command::MakePoll { by, content: new_poll(code) },
            1 => {
                let text = ["", "Shall we?", "a\u{7}b", " "][bits(code, 25, 4)].to_owned();
                let kind = if bits(code, 27, 2) == 0 { QuickPoll::YesNo } else { QuickPoll::OneToFive };
                let id = if let Actor::Person(by) = by { by } else { id };
                Command::QuickPoll { id, kind, text }
            }
            2 | 3 => {
                let step = polls.get(poll).map_or(PollStep::Draft, |poll| poll.step);
                let by = if bits(code, 25, 4) == 0 { Actor::Person(id) } else { by };
                Command::AdvancePoll { by, poll, from: if bits(code, 27, 8) == 0 { PollStep::Open(0) } else { step } }
            }
            4 if bits(code, 25, 4) == 0 => Command::DeletePoll { by, poll },
            _ => {
                let choices: [&[u8]; 8] = [&[0], &[1], &[0, 1], &[], &[9], &[0], &[1], &[0]];
                let choices = choices[bits(code, 25, 8)];
                let choices = Choices::of(choices).expect("options that can be");
                let question = polls.open().and_then(Poll::open_question).unwrap_or(0) + u8::from(code >> 28 == 0);
                let inside = self.pair.stage.participants().nth(bits(code, 27, 2));
                let id = inside.map_or(id, |person| if bits(code, 25, 4) == 0 { id } else { person.id });
                // The same answer again, or that would hardly ever come.
                let last = polls.open().and_then(|poll| poll.takers().last()).filter(|_| bits(code, 25, 2) == 1);
                if let Some((given, taker)) = last.and_then(|(_, taker)| Some(((*taker.given.last()?)?, taker))) {
                    return Command::AnswerPoll { id: taker.id, poll, question, choices: given.choices };
                }
                Command::AnswerPoll { id, poll, question, choices }
            }
        }
    }

    fn make_link(&self, by: Actor, code: u32) -> Command {
        let expires = Millis(self.pair.now + [0, 1, 30_000, 1_000_000][bits(code, 20, 4)]);
        Command::MakeLink { by, role: Role::ALL[bits(code, 22, 4)], expires, personal: bits(code, 24, 2) == 1 }
    }

    /// One of the participants with a link, whether it is there or not.
    fn somebody_new_with_a_link(&self, code: u32) -> Entry {
        let Command::Enter(mut entry) = self.entry(3 + bits(code, 10, 2), 0) else { unreachable!() };
        entry.link = Some(LinkId(bits(code, 12, 4) as u32));
        entry
    }
}

/// A poll or a quiz, mostly one that can be made.
fn new_poll(code: u32) -> NewPoll {
    let quiz = bits(code, 25, 2) == 1;
    let right = Choices::of(if quiz { &[0] } else { &[] }).expect("options that can be");
    let options = vec!["one".to_owned(), " two".to_owned()];
    let (seconds, points) = ([0, 30][bits(code, 26, 2)], if quiz { 10 } else { 0 });
    let question = Question { text: "How many?".to_owned(), options, multiple: false, right, seconds, points };
    let (mut questions, title) = (vec![question; if quiz { 2 } else { 1 }], "A quiz".to_owned());
    let first = &mut questions[0];
    match bits(code, 27, 32) {
        0 => first.text = " ".to_owned(),
        1 => first.text = "é".repeat(301),
        2 => first.text = "a\u{7}b".to_owned(),
        3 => first.options.truncate(1),
        4 => first.options = vec!["same".to_owned(); 2],
        5 => first.right = Choices::of(if quiz { &[] } else { &[0] }).expect("options that can be"),
        6 => first.seconds = 4,
        7 => first.points = 1_001,
        8 => questions.clear(),
        9 => {
            (first.multiple, first.right) = (true, Choices::of(if quiz { &[0, 1] } else { &[] }).expect("two options"));
        }
        _ => {}
    }
    let kind = if quiz { PollKind::Quiz } else { PollKind::Poll };
    NewPoll { kind, title, anonymous: false, questions }
}

/// `below` is a power of two.
fn bits(code: u32, from: u32, below: u32) -> usize {
    ((code >> from) & (below - 1)) as usize
}

fn settings(code: u32) -> Settings {
    Settings {
        access: ACCESSES[bits(code, 0, 64) % 3],
        mode: if bits(code, 6, 4) == 3 { RoomMode::Panel } else { RoomMode::Interactive },
        capacity: 1 + bits(code, 8, 64) % 3,
        camera_limit: bits(code, 14, 64) % 3,
        protect_moderators: bits(code, 20, 2) == 1,
        grace_ms: 30_000,
        empty_after_ms: [300_000, 300_000, 300_000, 0][bits(code, 21, 4)],
        permissions: Permissions::default(),
        codec: Codec::default(),
    }
}
