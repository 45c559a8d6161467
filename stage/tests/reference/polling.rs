//! The model's polls: flat lists, and answers as lists of indices.

use dais_stage::{Ability, Actor, Choices, NewPoll, ParticipantId, PollKind, PollStep, QuickPoll, limits};

use super::{Answer, Model};

/// A poll or quiz, and everything answered to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPoll {
    pub number: u32,
    pub by: Actor,
    pub quick: bool,
    pub content: NewPoll,
    /// How many steps it has made: 0 is a draft, then two for each question, and one more when it is published.
    pub steps: usize,
    pub since: u64,
    pub answers: Vec<ModelAnswer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelAnswer {
    pub identity: String,
    pub question: usize,
    pub choices: Vec<u8>,
    pub after: u64,
}

impl ModelPoll {
    pub fn step(&self) -> PollStep {
        let published = 2 * self.content.questions.len() + 1;
        match self.steps {
            0 => PollStep::Draft,
            n if n == published => PollStep::Published,
            n if n % 2 == 1 => PollStep::Open((n / 2) as u8),
            n => PollStep::Closed((n / 2 - 1) as u8),
        }
    }

    fn is_open(&self) -> bool {
        self.steps % 2 == 1 && self.step() != PollStep::Published
    }

    /// When the open question closes by itself.
    pub fn closes(&self) -> Option<u64> {
        if !self.is_open() {
            return None;
        }
        let seconds = u64::from(self.content.questions[self.steps / 2].seconds);
        if seconds == 0 { None } else { Some(self.since + 1_000 * seconds) }
    }

    /// Points of somebody, and the time of their right answers.
    pub fn score(&self, identity: &str) -> (u32, u64) {
        let (mut points, mut time) = (0, 0);
        for answer in self.answers.iter().filter(|answer| answer.identity == identity) {
            let question = &self.content.questions[answer.question];
            if question.right.indices().collect::<Vec<_>>() == answer.choices {
                points += question.points;
                time += answer.after;
            }
        }
        (points, time)
    }
}

impl Model {
    pub(super) fn make_poll(&mut self, by: Actor, now: u64, content: &NewPoll) -> Answer {
        self.moderator(by)?;
        let quiz = content.kind == PollKind::Quiz;
        let title = if quiz { words(&content.title, limits::POLL_TEXT_CHARS_MAX)? } else { String::new() };
        let questions = content.questions.len();
        if questions == 0 || questions > limits::POLL_QUESTIONS_MAX || !quiz && questions > 1 {
            return Err("poll_questions_invalid");
        }
        let mut content = content.clone();
        content.title = title;
        for question in &mut content.questions {
            question.text = words(&question.text, limits::POLL_TEXT_CHARS_MAX)?;
            let options = question.options.len();
            if !(2..=limits::POLL_OPTIONS_MAX).contains(&options) {
                return Err("poll_options_invalid");
            }
            for option in &mut question.options {
                *option = words(option, limits::POLL_OPTION_CHARS_MAX)?;
            }
            let mut different = question.options.clone();
            different.sort();
            different.dedup();
            if different.len() < options {
                return Err("poll_options_invalid");
            }
            let right: Vec<_> = question.right.indices().collect();
            let count_fits = match (quiz, question.multiple) {
                (false, _) => right.is_empty(),
                (true, false) => right.len() == 1,
                (true, true) => !right.is_empty(),
            };
            if !count_fits || right.iter().any(|index| usize::from(*index) >= options) {
                return Err("poll_right_invalid");
            }
            if question.seconds != 0 && (question.seconds < 5 || question.seconds > 3_600) {
                return Err("poll_seconds_invalid");
            }
            if question.points > 1_000 || !quiz && question.points > 0 {
                return Err("poll_points_invalid");
            }
        }
        self.add_poll(by, now, false, content)
    }

    pub(super) fn quick_poll(&mut self, id: ParticipantId, now: u64, kind: QuickPoll, text: &str) -> Answer {
        let i = self.inside(id)?;
        self.permitted(self.people[i].role, Ability::QuickPoll)?;
        let text = if text.trim().is_empty() { String::new() } else { words(text, limits::POLL_TEXT_CHARS_MAX)? };
        self.nothing_open()?;
        let options = kind.options().iter().map(|option| (*option).to_owned()).collect();
        let right = Choices::of(&[]).expect("nothing is right");
        let question = dais_stage::Question { text, options, multiple: false, right, seconds: 0, points: 0 };
        let questions = vec![question];
        let content = NewPoll { kind: PollKind::Poll, title: String::new(), anonymous: true, questions };
        self.add_poll(Actor::Person(id), now, true, content)?;
        self.polls.last_mut().expect("it was made").steps = 1;
        Ok(())
    }

    fn add_poll(&mut self, by: Actor, since: u64, quick: bool, content: NewPoll) -> Answer {
        if self.polls.len() >= limits::POLLS_MAX {
            return Err("too_many_polls");
        }
        self.polls_made += 1;
        let (number, answers) = (self.polls_made, Vec::new());
        self.polls.push(ModelPoll { number, by, quick, content, steps: 0, since, answers });
        Ok(())
    }

    fn nothing_open(&self) -> Answer {
        if self.polls.iter().any(ModelPoll::is_open) { Err("another_poll_open") } else { Ok(()) }
    }

    /// Where the poll is that `by` leads.
    fn led(&self, by: Actor, number: u32) -> Result<usize, &'static str> {
        let at = self.polls.iter().position(|poll| poll.number == number);
        if let Actor::Person(id) = by {
            self.inside(id)?;
            let started = at.is_some_and(|at| self.polls[at].quick && self.polls[at].by == by);
            if self.moderator(by).is_err() && !started {
                return Err("moderators_only");
            }
        }
        at.ok_or("poll_unknown")
    }

    pub(super) fn advance_poll(&mut self, by: Actor, now: u64, number: u32, from: PollStep) -> Answer {
        let at = self.led(by, number)?;
        if self.polls[at].step() != from || from == PollStep::Published {
            return Err("poll_moved_on");
        }
        let ModelPoll { steps, ref content, .. } = self.polls[at];
        let opens = steps.is_multiple_of(2) && steps < 2 * content.questions.len();
        if opens {
            self.nothing_open()?;
        }
        self.polls[at].steps += 1;
        self.polls[at].since = now;
        Ok(())
    }

    pub(super) fn delete_poll(&mut self, by: Actor, number: u32) -> Answer {
        let at = self.led(by, number)?;
        self.polls.remove(at);
        Ok(())
    }

    pub(super) fn answer_poll(
        &mut self,
        id: ParticipantId,
        now: u64,
        (number, question): (u32, usize),
        choices: Choices,
    ) -> Answer {
        let i = self.inside(id)?;
        self.permitted(self.people[i].role, Ability::AnswerPolls)?;
        let identity = self.people[i].identity.clone();
        let poll = self.polls.iter_mut().find(|poll| poll.number == number).ok_or("poll_unknown")?;
        let late = poll.closes().is_some_and(|end| now >= end);
        if !poll.is_open() || poll.steps / 2 != question || late {
            return Err("poll_not_open");
        }
        let choices: Vec<u8> = choices.indices().collect();
        let asked = &poll.content.questions[question];
        let most = if asked.multiple { asked.options.len() } else { 1 };
        if choices.is_empty() || choices.len() > most || choices.iter().any(|i| usize::from(*i) >= asked.options.len())
        {
            return Err("answer_invalid");
        }
        let own = |answer: &ModelAnswer| answer.identity == identity && answer.question == question;
        if poll.answers.iter().any(|answer| own(answer) && answer.choices == choices) {
            return Err("answer_unchanged");
        }
        poll.answers.retain(|answer| !own(answer));
        let after = now - poll.since;
        poll.answers.push(ModelAnswer { identity, question, choices, after });
        Ok(())
    }

    /// Closes the question whose time is over.
    pub(super) fn close_due(&mut self, now: u64) -> bool {
        let mut some = false;
        for poll in &mut self.polls {
            if poll.closes().is_some_and(|end| end <= now) {
                poll.steps += 1;
                poll.since = now;
                some = true;
            }
        }
        some
    }
}

fn words(text: &str, max: usize) -> Result<String, &'static str> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("poll_text_empty"),
        count if count > max => Err("poll_text_too_long"),
        _ if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') => Err("poll_text_invalid"),
        _ => Ok(text.to_owned()),
    }
}
