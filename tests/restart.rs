//! The server is killed, again and again, and comes back with the same stage.

mod support;

use std::collections::BTreeMap;
use std::process::Command as Run;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dais::journal::{Journal as _, SqliteJournal};
use dais_signaling::limits::CHAT_PAGE;
use dais_stage::{
    Actor, Channel, Choices, Claim, Command, Entry, EntryPlace, Event, Identity, Millis, NewPoll, ParticipantId,
    PollId, PollKind, PollStep, Preset, Question, Role, Settings, Stage,
};
use serde_json::{Value, json};
use support::client::Session;
use support::process::{Folder, Process, demo_token};

/// Kills in one run of the test.
const KILLS: u32 = 50;
const ARGS: [&str; 4] = ["--capacity", "2", "--preset", "webinar"];
const PEOPLE: [(&str, Role); 5] = [
    ("hal", Role::Host),
    ("mia", Role::Moderator),
    ("ann", Role::Participant),
    ("ben", Role::Participant),
    ("sue", Role::Speaker),
];

/// A small seeded generator (Knuth's constants).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What there is to see of a person, as the protocol tells it.
type Seen = BTreeMap<String, Value>;

/// A stage beside the server's, which knows only what was acknowledged.
#[derive(Clone)]
struct Replica(Stage, u64);

impl Replica {
    fn new() -> Self {
        let settings = Settings { capacity: 2, empty_after_ms: 0, ..Settings::preset(Preset::Webinar) };
        let opened = Event::Opened { title: "Demo".to_owned(), settings };
        Self(Stage::replay([(Millis(1), &opened)]), 1)
    }

    fn enact(&mut self, command: &Command) -> bool {
        // Time orders events; how much of it passed does not matter here.
        self.1 += 1;
        let Ok(events) = self.0.decide(Millis(self.1), command) else { return false };
        events.iter().for_each(|event| self.0.apply(Millis(self.1), event));
        true
    }

    fn seen(&self) -> Seen {
        let mut seen = Seen::new();
        for person in self.0.participants() {
            let relation = match person.claim() {
                None | Some(Claim::None) => "none",
                Some(Claim::Asked(_)) => "asked",
                Some(Claim::Invited { .. }) => "invited",
                Some(Claim::MayReturn) => "may_return",
            };
            let on_stage = person.on_stage().map(|on_stage| (on_stage.mic, on_stage.camera));
            let value = json!({ "relation": relation, "hand": person.hand.is_some(), "stage": on_stage });
            seen.insert(person.name.clone(), value);
        }
        seen.insert("access".to_owned(), json!(self.0.settings().access));
        let mut newest: Vec<_> = self.0.chat().messages(Channel::Everyone).rev().take(CHAT_PAGE).collect();
        newest.reverse();
        seen.insert("chat".to_owned(), newest.iter().map(|message| json!(message.text)).collect());
        let polls = self.0.polls().all().map(|poll| {
            let (step, question) = match poll.step {
                PollStep::Draft => ("draft", 0),
                PollStep::Open(question) => ("open", question),
                PollStep::Closed(question) => ("closed", question),
                PollStep::Published => ("published", 0),
            };
            json!([poll.id.0, step, question, [poll.counts(0), poll.counts(1)]])
        });
        seen.insert("polls".to_owned(), polls.collect());
        seen
    }
}

/// The command of person `by` in the words of the protocol and of the stage.
fn command(chance: &mut Chance, ids: &BTreeMap<&str, u32>) -> (&'static str, Value, Command) {
    let (by, _) = PEOPLE[chance.below(5) as usize];
    let (whom, _) = PEOPLE[chance.below(5) as usize];
    let (id, target) = (ParticipantId(ids[by]), ParticipantId(ids[whom]));
    let actor = Actor::Person(id);
    let on = chance.below(2) == 1;
    let about = |kind: &str| json!({ "type": kind, "participant": target.0 });
    let (said, command) = match chance.below(30) {
        0 => (json!({ "type": "ask_to_join" }), Command::AskToJoin { id }),
        1 => (json!({ "type": "cancel_request" }), Command::CancelRequest { id }),
        2 => (about("approve"), Command::Approve { by: actor, target }),
        3 => (about("decline"), Command::Decline { by: actor, target }),
        4 => (about("invite"), Command::Invite { by: actor, target }),
        5 => (about("withdraw_invitation"), Command::WithdrawInvitation { by: actor, target }),
        6 => (json!({ "type": "decline_invitation" }), Command::DeclineInvitation { id }),
        7 | 8 => {
            let join = json!({ "type": "join_stage", "mic": on, "camera": !on });
            (join, Command::JoinStage { id, mic: on, camera: !on })
        }
        9 => (about("remove_from_stage"), Command::RemoveFromStage { by: actor, target }),
        10 => (json!({ "type": "set_mic", "on": on }), Command::SetMic { id, on }),
        11 => (json!({ "type": "set_camera", "on": on }), Command::SetCamera { id, on }),
        12..=15 => {
            let text = format!("{by} says {}", chance.below(1 << 30));
            let say = json!({ "type": "say", "channel": "everyone", "text": text });
            (say, Command::Say { id, channel: Channel::Everyone, text })
        }
        16 => {
            let questions = vec![question(0), question(1)];
            let asked = questions.iter().map(|one| json!({ "text": one.text, "options": one.options, "right": [0] }));
            let poll = json!({ "kind": "quiz", "title": "Numbers", "questions": asked.collect::<Value>() });
            let content = NewPoll { kind: PollKind::Quiz, title: "Numbers".to_owned(), anonymous: false, questions };
            (json!({ "type": "make_poll", "poll": poll }), Command::MakePoll { by: actor, content })
        }
        17..=20 => {
            let poll = 1 + chance.below(2) as u32;
            let steps = [
                ("draft", PollStep::Draft, 0),
                ("open", PollStep::Open(0), 0),
                ("closed", PollStep::Closed(0), 0),
                ("open", PollStep::Open(1), 1),
                ("closed", PollStep::Closed(1), 1),
            ];
            let (step, from, question) = steps[chance.below(5) as usize];
            let advance = json!({ "type": "advance_poll", "poll": poll, "step": step, "question": question });
            (advance, Command::AdvancePoll { by: actor, poll: PollId(poll), from })
        }
        21..=28 => {
            let (poll, question) = (1 + chance.below(2) as u32, chance.below(2) as u8);
            let choice = chance.below(3) as u8;
            let answer = json!({ "type": "answer_poll", "poll": poll, "question": question, "choices": [choice] });
            let choices = Choices::of(&[choice]).unwrap();
            (answer, Command::AnswerPoll { id, poll: PollId(poll), question, choices })
        }
        _ => (json!({ "type": "raise_hand" }), Command::RaiseHand { id }),
    };
    (by, said, command)
}

/// A question of the quiz: without a time, as time in the replica is its own.
fn question(index: u8) -> Question {
    let options = ["one", "two", "three"].map(str::to_owned).to_vec();
    let right = Choices::of(&[0]).unwrap();
    Question { text: format!("How many, {index}?"), options, multiple: false, right, seconds: 0, points: 0 }
}

/// Everybody comes in, or back, and says what they see of themselves.
async fn everybody(process: &Process) -> (BTreeMap<&'static str, Session>, Seen) {
    let (mut sessions, mut seen) = (BTreeMap::new(), Seen::new());
    for (name, role) in PEOPLE {
        let mut session = Session::connect(&process.address, "demo").await;
        let entered = session.enter(&demo_token(role, name), "viewer").await;
        assert_eq!(entered["type"], "entered", "{entered}");
        let people = entered["state"]["participants"].as_array().unwrap();
        let me = people.iter().find(|person| person["id"] == entered["you"]).unwrap();
        let stage = me["onStage"].as_object().map(|stage| (stage["mic"] == true, stage["camera"] != "off"));
        let relation = &entered["relation"]["kind"];
        seen.insert(name.to_owned(), json!({ "relation": relation, "hand": me["hand"].is_u64(), "stage": stage }));
        seen.insert("access".to_owned(), entered["state"]["rules"]["access"].clone());
        let page = session.request(json!({ "type": "list_chat", "channel": "everyone", "before": 0 })).await;
        let messages = page["messages"].as_array().unwrap();
        seen.insert("chat".to_owned(), messages.iter().map(|message| message["text"].clone()).collect());
        if name == "hal" {
            let list = session.request(json!({ "type": "list_polls" })).await;
            let polls = list["polls"].as_array().unwrap().iter().map(|poll| {
                let results = [0, 1].map(|index| &poll["questions"][index]["results"]);
                let counts = results.map(|results| json!([results["answered"], results["counts"]]));
                json!([poll["poll"], poll["step"], poll["question"], counts])
            });
            seen.insert("polls".to_owned(), polls.collect());
        }
        sessions.insert(name, session);
    }
    (sessions, seen)
}

// law: back-restart, polls-restart
#[tokio::test]
async fn killed_at_fifty_random_moments_every_acknowledged_change_is_there() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = std::env::var("DAIS_SEED").map_or(now, |seed| seed.parse().expect("DAIS_SEED is a number"));
    println!("DAIS_SEED={seed}");
    let mut chance = Chance(seed);
    let folder = Folder::new("kills");
    let mut replica = Replica::new();
    for (name, role) in PEOPLE {
        let entry = Entry {
            id: replica.0.next_id(),
            identity: Identity(name.to_owned()),
            name: name.to_owned(),
            role,
            link: None,
            phone: false,
            place: EntryPlace::Viewer,
        };
        assert!(replica.enact(&Command::Enter(entry)));
    }
    let mut in_flight: Option<Command> = None;
    let (mut acknowledged, mut refused) = (0, 0);
    for kill in 0..KILLS {
        let process = Process::start(&folder.0, &ARGS);
        let (mut sessions, seen) = everybody(&process).await;
        let mut with_last = replica.clone();
        if in_flight.take().is_some_and(|command| with_last.enact(&command)) && seen != replica.seen() {
            replica = with_last;
        }
        assert_eq!(seen, replica.seen(), "after kill {kill} with DAIS_SEED={seed}");

        let ids: BTreeMap<&str, u32> = sessions.iter().map(|(name, session)| (*name, session.you)).collect();
        let alive = Duration::from_micros(500 + chance.below(150_000));
        let deadline = tokio::time::Instant::now() + alive;
        let killer = tokio::spawn(async move {
            tokio::time::sleep_until(deadline).await;
            process.kill();
        });
        loop {
            let (by, said, command) = command(&mut chance, &ids);
            in_flight = Some(command.clone());
            let Some(answer) = sessions.get_mut(by).unwrap().try_request(said).await else { break };
            match answer["type"].as_str() {
                Some("ok") => {
                    assert!(replica.enact(&command), "the replica refuses {command:?}");
                    acknowledged += 1;
                }
                _ if answer["code"] == "rate_limited" => {}
                _ => {
                    assert!(!replica.enact(&command), "{answer}, but the replica allows {command:?}");
                    refused += 1;
                }
            }
        }
        killer.await.unwrap();
    }
    println!("{KILLS} kills, {acknowledged} changes acknowledged, {refused} refused");
    assert!(acknowledged > KILLS, "something happened between the kills");

    let printed = Run::new(env!("CARGO_BIN_EXE_dais")).arg("journal").arg("demo").arg("--data").arg(&folder.0).output();
    let lines = String::from_utf8(printed.unwrap().stdout).unwrap();
    for line in ["mia (#2) entered as moderator", "the server was started again; every connection was lost"] {
        assert!(lines.contains(line), "the journal says: {line}");
    }
    let journal = SqliteJournal::open_to_read(&folder.0).unwrap();
    let records = journal.read("demo", 0, usize::MAX).await.unwrap();
    let replayed = Stage::replay(records.iter().map(|record| (record.at, &record.event)));
    assert_eq!(replayed.participant_count(), PEOPLE.len(), "each person is one, however often they came back");
    let answers = records.iter().filter(|record| matches!(record.event, Event::Answered { .. })).count();
    assert!(answers > 5, "answers were given between the kills");
}

// law: edge-empty, told-everywhere
#[tokio::test]
async fn a_room_that_ended_keeps_its_journal() {
    let folder = Folder::new("ended");
    let process = Process::start(&folder.0, &[]);
    let mut hal = Session::connect(&process.address, "demo").await;
    hal.enter(&demo_token(Role::Host, "hal"), "stage").await;
    hal.send(&json!({ "type": "end_session", "id": 9 })).await;
    assert_eq!(hal.closed().await, "session_ended");
    process.kill();
    let journal = SqliteJournal::open_to_read(&folder.0).unwrap();
    let records = journal.read("demo", 0, usize::MAX).await.unwrap();
    let told = dais::journal::told(&records);
    for line in ["hal (#1) came on stage", "hal (#1) ended the session"] {
        assert!(told.contains(line), "{told}");
    }
}
