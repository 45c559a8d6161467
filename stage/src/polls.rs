//! Polls and quizzes: questions that a room answers.
//!
//! Both go the same way: a draft, then each question open and closed in turn, then the results for all. A poll has one
//! question and no right answer; a quiz has several, each with right answers, points and, mostly, a time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{Identity, Millis, ParticipantId, PollId};
use crate::limits;
use crate::model::Actor;

/// Whether answers are right or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PollKind {
    /// One question without a right answer.
    Poll,
    /// Questions with right answers and points, and a ranking at the end.
    Quiz,
}

/// What a quick poll offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuickPoll {
    /// Yes or no.
    YesNo,
    /// A mark from 1 to 5.
    OneToFive,
}

impl QuickPoll {
    /// The options, in order.
    #[must_use]
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Self::YesNo => &["Yes", "No"],
            Self::OneToFive => &["1", "2", "3", "4", "5"],
        }
    }
}

/// A set of options of one question: bit n stands for the n-th.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices(u16);

impl Choices {
    /// Every option there can be.
    pub const ALL: Self = Self((1 << limits::POLL_OPTIONS_MAX) - 1);

    /// The options with these indices, or nothing where one cannot be.
    #[must_use]
    pub fn of(indices: &[u8]) -> Option<Self> {
        indices.iter().try_fold(Self(0), |Self(bits), index| {
            (usize::from(*index) < limits::POLL_OPTIONS_MAX).then(|| Self(bits | 1 << index))
        })
    }

    /// Indices of the options, in order.
    pub fn indices(self) -> impl Iterator<Item = u8> {
        (0..limits::POLL_OPTIONS_MAX as u8).filter(move |index| self.0 >> index & 1 == 1)
    }

    pub(crate) fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether all are among the first `options`.
    pub(crate) fn fits(self, options: usize) -> bool {
        self.indices().all(|index| usize::from(index) < options)
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Plain text, 1 to [`limits::POLL_TEXT_CHARS_MAX`] characters.
    pub text: String,
    /// 2 to [`limits::POLL_OPTIONS_MAX`], all different.
    pub options: Vec<String>,
    /// Several options may be chosen.
    pub multiple: bool,
    /// In a quiz, the options that are right, all of which must be chosen; in a poll none.
    pub right: Choices,
    /// It closes by itself after so many seconds; 0 means when somebody closes it.
    pub seconds: u32,
    /// In a quiz, points for the right answer; at most [`limits::POLL_POINTS_MAX`].
    pub points: u32,
}

/// A poll or quiz to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPoll {
    /// Poll or quiz.
    pub kind: PollKind,
    /// Of a quiz; a poll has none.
    pub title: String,
    /// Nobody is told who answered what, not even afterwards.
    pub anonymous: bool,
    /// One of a poll, 1 to [`limits::POLL_QUESTIONS_MAX`] of a quiz.
    pub questions: Vec<Question>,
}

/// How far a poll or quiz has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "step", content = "question", rename_all = "snake_case")]
pub enum PollStep {
    /// Only those who moderate see it.
    Draft,
    /// This question can be answered.
    Open(u8),
    /// This question is closed.
    Closed(u8),
    /// Everyone sees the results.
    Published,
}

/// What somebody answered to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// What they chose.
    pub choices: Choices,
    /// How long after the question was opened, ms.
    pub after_ms: u32,
}

/// Somebody who has answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taker {
    /// Their number when they last answered.
    pub id: ParticipantId,
    /// Their name.
    pub name: String,
    /// By question, as far as they have come.
    pub given: Vec<Option<Given>>,
}

/// A place in the ranking of a quiz.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked<'a> {
    /// 1 is the best; those with equal points and times share one.
    pub rank: u32,
    /// Across connections.
    pub identity: &'a Identity,
    /// Who.
    pub taker: &'a Taker,
    /// Of all right answers.
    pub points: u32,
    /// How long the right answers took together, ms.
    pub ms: u64,
}

/// A poll or quiz of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// Its number.
    pub id: PollId,
    /// Who made it.
    pub by: Actor,
    /// A quick poll: whoever started it may also close it and show the results.
    pub quick: bool,
    /// What it was made of.
    pub content: NewPoll,
    /// How far it has come.
    pub step: PollStep,
    /// Since when it is there.
    pub since: Millis,
    takers: BTreeMap<Identity, Taker>,
}

impl Poll {
    /// The question that can be answered.
    #[must_use]
    pub fn open_question(&self) -> Option<u8> {
        match self.step {
            PollStep::Open(question) => Some(question),
            _ => None,
        }
    }

    /// When the open question closes by itself.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        let question = self.content.questions.get(usize::from(self.open_question()?))?;
        (question.seconds > 0).then(|| self.since.plus(u64::from(question.seconds) * 1_000))
    }

    /// The step after this one.
    #[must_use]
    pub fn next_step(&self) -> Option<PollStep> {
        match self.step {
            PollStep::Draft => Some(PollStep::Open(0)),
            PollStep::Open(question) => Some(PollStep::Closed(question)),
            PollStep::Closed(question) if usize::from(question) + 1 < self.content.questions.len() => {
                Some(PollStep::Open(question + 1))
            }
            PollStep::Closed(_) => Some(PollStep::Published),
            PollStep::Published => None,
        }
    }

    /// Everyone who has answered, by identity.
    pub fn takers(&self) -> impl Iterator<Item = (&Identity, &Taker)> {
        self.takers.iter()
    }

    /// What somebody answered to a question.
    #[must_use]
    pub fn answer_of(&self, identity: &Identity, question: u8) -> Option<Given> {
        *self.takers.get(identity)?.given.get(usize::from(question))?
    }

    /// How many have answered a question, and how many chose each option.
    #[must_use]
    pub fn counts(&self, question: u8) -> (u32, Vec<u32>) {
        let options = self.content.questions.get(usize::from(question)).map_or(0, |q| q.options.len());
        let (mut answered, mut counts) = (0, vec![0; options]);
        for given in self.takers.values().filter_map(|taker| taker.given.get(usize::from(question)).copied().flatten())
        {
            answered += 1;
            given.choices.indices().filter_map(|i| counts.get_mut(usize::from(i)).map(|n: &mut u32| *n += 1)).count();
        }
        (answered, counts)
    }

    /// Everyone who has answered, the best first: most points, then the shortest time.
    #[must_use]
    pub fn ranking(&self) -> Vec<Ranked<'_>> {
        let score = |taker: &Taker| {
            let answers = self.content.questions.iter().zip(&taker.given);
            let right = answers.filter_map(|(question, given)| Some((question, (*given)?)));
            let right = right.filter(|(question, given)| question.right == given.choices);
            right.fold((0, 0), |(points, ms), (question, given)| {
                (points + question.points, ms + u64::from(given.after_ms))
            })
        };
        let mut ranking: Vec<_> = self.takers.iter().map(|(identity, taker)| (score(taker), identity, taker)).collect();
        ranking.sort_by_key(|((points, ms), _, _)| (std::cmp::Reverse(*points), *ms));
        let (mut rank, mut last) = (0, None);
        let place = |(n, (score, identity, taker)): (usize, ((u32, u64), _, _))| {
            if last.replace(score) != Some(score) {
                rank = u32::try_from(n + 1).unwrap_or(u32::MAX);
            }
            let (points, ms) = score;
            Ranked { rank, identity, taker, points, ms }
        };
        ranking.into_iter().enumerate().map(place).collect()
    }

    fn answer(
        &mut self,
        at: Millis,
        (identity, id, name): (Identity, ParticipantId, String),
        question: u8,
        choices: Choices,
    ) {
        let after_ms = u32::try_from(at.0.saturating_sub(self.since.0)).unwrap_or(u32::MAX);
        let taker = self.takers.entry(identity).or_insert_with(|| Taker { id, name: String::new(), given: Vec::new() });
        (taker.id, taker.name) = (id, name);
        let question = usize::from(question);
        if taker.given.len() <= question {
            taker.given.resize(question + 1, None);
        }
        taker.given[question] = Some(Given { choices, after_ms });
    }
}

/// The polls and quizzes of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Polls {
    polls: BTreeMap<PollId, Poll>,
    made: u32,
}

impl Polls {
    /// All, in the order they were made.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Poll> {
        self.polls.values()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: PollId) -> Option<&Poll> {
        self.polls.get(&id)
    }

    /// The one with an open question, if there is one.
    #[must_use]
    pub fn open(&self) -> Option<&Poll> {
        self.polls.values().find(|poll| poll.open_question().is_some())
    }

    pub(crate) fn count(&self) -> usize {
        self.polls.len()
    }

    pub(crate) fn next_id(&self) -> PollId {
        PollId(self.made.saturating_add(1))
    }

    pub(crate) fn make(&mut self, at: Millis, id: PollId, by: Actor, quick: bool, content: NewPoll) {
        self.made = self.made.max(id.0);
        self.polls
            .insert(id, Poll { id, by, quick, content, step: PollStep::Draft, since: at, takers: BTreeMap::new() });
    }

    pub(crate) fn advance(&mut self, at: Millis, id: PollId, to: PollStep) {
        if let Some(poll) = self.polls.get_mut(&id) {
            (poll.step, poll.since) = (to, at);
        }
    }

    pub(crate) fn delete(&mut self, id: PollId) {
        self.polls.remove(&id);
    }

    pub(crate) fn answer(
        &mut self,
        at: Millis,
        id: PollId,
        who: (Identity, ParticipantId, String),
        question: u8,
        choices: Choices,
    ) {
        if let Some(poll) = self.polls.get_mut(&id) {
            poll.answer(at, who, question, choices);
        }
    }

    /// A new session begins without any. No number is used twice.
    pub(crate) fn begin(&mut self) {
        self.polls.clear();
    }
}
