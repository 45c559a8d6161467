//! Every row of poll commands, of every role, controller and reference model side by side.

mod reference;

use dais_stage::{
    Ability, Actor, Allowed, Choices, Command, Millis, NewPoll, ParticipantId, PollId, PollKind, PollStep, Question,
    QuickPoll, Role, Settings, Stage, limits,
};
use reference::pair::Pair;

const LENGTH: u32 = 5;

fn choices(indices: &[u8]) -> Choices {
    Choices::of(indices).unwrap()
}

fn question(right: &[u8], seconds: u32, points: u32) -> Question {
    let options = ["one", "two", "three"].map(str::to_owned).to_vec();
    Question { text: "How many?".to_owned(), options, multiple: false, right: choices(right), seconds, points }
}

fn poll() -> NewPoll {
    NewPoll { kind: PollKind::Poll, title: String::new(), anonymous: false, questions: vec![question(&[], 0, 0)] }
}

fn quiz() -> NewPoll {
    let questions = vec![question(&[1], 20, 100), question(&[2], 0, 50)];
    NewPoll { kind: PollKind::Quiz, title: "Numbers".to_owned(), anonymous: false, questions }
}

fn answer(id: u32, question: u8, indices: &[u8]) -> Command {
    Command::AnswerPoll { id: ParticipantId(id), poll: PollId(1), question, choices: choices(indices) }
}

fn advance(by: Actor, from: PollStep) -> Command {
    Command::AdvancePoll { by, poll: PollId(1), from }
}

/// Each command by each of the four and by somebody who is not there; the portal's rights are a host's.
fn alphabet() -> Vec<Command> {
    let mut commands = vec![Command::PassTime];
    for id in [1, 2, 3, 4, 9].map(ParticipantId) {
        let by = Actor::Person(id);
        commands.push(Command::MakePoll { by, content: quiz() });
        commands.push(Command::QuickPoll { id, kind: QuickPoll::YesNo, text: String::new() });
        commands.push(Command::DeletePoll { by, poll: PollId(1) });
        for from in [PollStep::Draft, PollStep::Open(0), PollStep::Closed(0), PollStep::Open(1)] {
            commands.push(advance(by, from));
        }
        commands.push(answer(id.0, 0, &[0]));
        commands.push(answer(id.0, 0, &[1]));
    }
    let all = Allowed::Everyone;
    commands.push(Command::SetPermission { by: Actor::Portal, ability: Ability::QuickPoll, allowed: all });
    let off = Allowed::Speakers;
    commands.push(Command::SetPermission { by: Actor::Portal, ability: Ability::AnswerPolls, allowed: off });
    commands
}

// law: polls-steps, polls-answers, polls-quick, permissions-table
#[test]
fn in_every_row_of_poll_commands_controller_and_model_agree() {
    let commands = alphabet();
    // A question of 20 seconds is open for three commands.
    let steps = Pair::with_each_role().play_rows(&commands, LENGTH, 6_000);
    println!("{} commands, {steps} steps", commands.len());
    assert!(steps > 100_000);
}

// law: polls-answers
#[test]
fn one_answer_a_person_which_can_be_changed_until_the_poll_is_closed() {
    let mut pair = Pair::with_each_role();
    let by = Actor::Person(ParticipantId(2));
    pair.play(&Command::MakePoll { by, content: poll() }).unwrap();
    assert_eq!(pair.play(&answer(4, 0, &[0])).unwrap_err().code(), "poll_not_open");
    pair.play(&advance(by, PollStep::Draft)).unwrap();
    pair.play(&answer(4, 0, &[0])).unwrap();
    assert_eq!(pair.play(&answer(4, 0, &[0])).unwrap_err().code(), "answer_unchanged");
    for wrong in [&[][..], &[0, 1], &[3]] {
        assert_eq!(pair.play(&answer(4, 0, wrong)).unwrap_err().code(), "answer_invalid");
    }
    pair.play(&answer(4, 0, &[2])).unwrap();
    // Somebody who leaves and comes again is the same person.
    pair.play(&Command::Leave { id: ParticipantId(4) }).unwrap();
    pair.enter(Role::Participant, "ann");
    pair.play(&answer(5, 0, &[1])).unwrap();
    assert_eq!(pair.stage.polls().get(PollId(1)).unwrap().counts(0), (1, vec![0, 1, 0]));
    pair.play(&advance(by, PollStep::Open(0))).unwrap();
    assert_eq!(pair.play(&answer(5, 0, &[0])).unwrap_err().code(), "poll_not_open");
    assert_eq!(pair.play(&advance(Actor::Portal, PollStep::Open(0))).unwrap_err().code(), "poll_moved_on");
    pair.play(&advance(by, PollStep::Closed(0))).unwrap();
    assert_eq!(pair.stage.polls().get(PollId(1)).unwrap().step, PollStep::Published);
}

// law: polls-quiz
#[test]
fn a_question_closes_when_its_time_is_over_and_the_fastest_right_answers_rank_first() {
    let mut pair = Pair::with_each_role();
    let by = Actor::Person(ParticipantId(1));
    pair.play(&Command::MakePoll { by, content: quiz() }).unwrap();
    pair.play(&advance(by, PollStep::Draft)).unwrap();
    assert_eq!(pair.stage.next_deadline(), Some(Millis(21_000)));
    pair.now += 4_000;
    pair.play(&answer(4, 0, &[1])).unwrap();
    pair.now += 5_000;
    pair.play(&answer(3, 0, &[1])).unwrap();
    pair.play(&answer(2, 0, &[0])).unwrap();
    pair.now += 11_000;
    // Too late, whether or not anybody has noticed.
    assert_eq!(pair.play(&answer(1, 0, &[1])).unwrap_err().code(), "poll_not_open");
    pair.play(&Command::PassTime).unwrap();
    assert_eq!(pair.stage.polls().get(PollId(1)).unwrap().step, PollStep::Closed(0));
    pair.play(&advance(by, PollStep::Closed(0))).unwrap();
    pair.play(&answer(2, 1, &[2])).unwrap();
    pair.play(&answer(1, 1, &[2])).unwrap();
    pair.play(&advance(by, PollStep::Open(1))).unwrap();
    pair.play(&advance(by, PollStep::Closed(1))).unwrap();
    let poll = pair.stage.polls().get(PollId(1)).unwrap();
    assert_eq!(poll.step, PollStep::Published);
    let ranking: Vec<_> = poll.ranking().iter().map(|r| (r.rank, r.taker.name.clone(), r.points)).collect();
    let place = |rank, name: &str, points| (rank, name.to_owned(), points);
    let expected = [place(1, "ann", 100), place(2, "sue", 100), place(3, "hal", 50), place(3, "mia", 50)];
    assert_eq!(ranking, expected);
}

// law: polls-one-open
#[test]
fn one_question_at_a_time_is_put_to_a_room() {
    let mut pair = Pair::with_each_role();
    let by = Actor::Person(ParticipantId(1));
    pair.play(&Command::MakePoll { by, content: poll() }).unwrap();
    let quick = Command::QuickPoll { id: ParticipantId(1), kind: QuickPoll::OneToFive, text: "How was it?".to_owned() };
    pair.play(&quick).unwrap();
    assert_eq!(pair.play(&advance(by, PollStep::Draft)).unwrap_err().code(), "another_poll_open");
    assert_eq!(pair.play(&quick).unwrap_err().code(), "another_poll_open");
    pair.play(&Command::DeletePoll { by, poll: PollId(2) }).unwrap();
    pair.play(&advance(by, PollStep::Draft)).unwrap();
}

// law: polls-new-session
#[test]
fn a_session_has_so_many_polls_at_most_and_the_next_begins_without_any() {
    let mut pair = Pair::with_each_role();
    let by = Actor::Portal;
    let make = Command::MakePoll { by, content: poll() };
    (0..limits::POLLS_MAX).for_each(|_| drop(pair.play(&make).unwrap()));
    assert_eq!(pair.play(&make).unwrap_err().code(), "too_many_polls");
    pair.play(&Command::DeletePoll { by, poll: PollId(7) }).unwrap();
    pair.play(&make).unwrap();
    pair.play(&Command::End { by }).unwrap();
    pair.reopen(Settings::default());
    assert_eq!(pair.stage.polls().all().count(), 0);
    pair.play(&make).unwrap();
    let last = PollId(limits::POLLS_MAX as u32 + 2);
    assert!(pair.stage.polls().get(last).is_some(), "no number is given twice");
}

#[test]
fn a_snapshot_has_polls_and_answers() {
    let mut pair = Pair::with_each_role();
    pair.play(&Command::MakePoll { by: Actor::Portal, content: quiz() }).unwrap();
    pair.play(&advance(Actor::Portal, PollStep::Draft)).unwrap();
    pair.play(&answer(4, 0, &[1])).unwrap();
    let snapshot = serde_json::to_string(&pair.stage).unwrap();
    let stage: Stage = serde_json::from_str(&snapshot).unwrap();
    assert_eq!(stage, pair.stage);
}
