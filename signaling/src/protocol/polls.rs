//! Polls and quizzes, as the protocol has them.

use dais_stage::Choices;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::words::{PollKind, Reaction};

/// A poll or quiz to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPoll {
    /// Poll or quiz.
    pub kind: PollKind,
    /// Of a quiz, up to 300 characters.
    #[serde(default)]
    pub title: String,
    /// Nobody is told who answered what.
    #[serde(default)]
    pub anonymous: bool,
    /// One of a poll, up to 50 of a quiz.
    pub questions: Vec<NewQuestion>,
}

/// A question of a poll or quiz to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewQuestion {
    /// Up to 300 characters.
    pub text: String,
    /// 2 to 10, all different, up to 100 characters each.
    pub options: Vec<String>,
    /// Several may be chosen.
    #[serde(default)]
    pub multiple: bool,
    /// Of a quiz: indices of the right options.
    #[serde(default)]
    pub right: Vec<u8>,
    /// It closes by itself after so many seconds, 5 to 3,600; 0 means when somebody closes it.
    #[serde(default)]
    pub seconds: u32,
    /// Of a quiz: points for the right answer, up to 1,000.
    #[serde(default)]
    pub points: u32,
}

impl From<NewPoll> for dais_stage::NewPoll {
    fn from(poll: NewPoll) -> Self {
        let NewPoll { kind, title, anonymous, questions } = poll;
        let questions = questions.into_iter().map(|question| {
            let NewQuestion { text, options, multiple, right, seconds, points } = question;
            // Where an index cannot be, all options are right: a set that no question takes.
            let right = Choices::of(&right).unwrap_or(Choices::ALL);
            dais_stage::Question { text, options, multiple, right, seconds, points }
        });
        Self { kind: kind.into(), title, anonymous, questions: questions.collect() }
    }
}

/// How far a poll or quiz has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PollStep {
    /// Only moderators see it.
    Draft,
    /// A question can be answered.
    Open,
    /// A question is closed.
    Closed,
    /// Everyone sees the results.
    Published,
}

/// A poll or quiz, as somebody may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    /// Its number.
    pub poll: u32,
    /// Poll or quiz.
    pub kind: PollKind,
    /// Of a quiz.
    pub title: String,
    /// Nobody is told who answered what.
    pub anonymous: bool,
    /// A quick poll: who started it, who may also close it and show the results.
    pub quick: Option<u32>,
    /// How far it has come.
    pub step: PollStep,
    /// Index of the question that is open, or was closed last.
    pub question: u8,
    /// How many questions it has.
    pub count: u8,
    /// What may be seen of its questions: everything by moderators, and by everyone when it is published; before that,
    /// the question that is open or was closed last.
    pub questions: Vec<PollQuestion>,
    /// Until the open question closes by itself, milliseconds.
    pub left: Option<u32>,
    /// Of a quiz that is published: the first ten.
    pub ranking: Vec<PollRank>,
}

/// A question of a poll or quiz.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PollQuestion {
    /// Its index.
    pub index: u8,
    /// What is asked; empty in a quick poll whose question was said aloud.
    pub text: String,
    /// What can be chosen.
    pub options: Vec<String>,
    /// Several may be chosen.
    pub multiple: bool,
    /// It closes by itself after so many seconds; 0 means when somebody closes it.
    pub seconds: u32,
    /// Of a quiz: points for the right answer.
    pub points: u32,
    /// Of a quiz: indices of the right options, for moderators and once it is published.
    pub right: Option<Vec<u8>>,
    /// For moderators and once it is published.
    pub results: Option<PollResults>,
}

/// How a question was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct PollResults {
    /// By how many people.
    pub answered: u32,
    /// By option, how many chose it.
    pub counts: Vec<u32>,
}

/// A place in the ranking of a quiz.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct PollRank {
    /// 1 is the best; equals share one.
    pub rank: u32,
    /// Who; they may have left.
    pub participant: u32,
    /// Their name.
    pub name: String,
    /// Of all right answers.
    pub points: u32,
    /// How long the right answers took together, milliseconds.
    pub ms: u32,
}

/// What this person answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OwnAnswer {
    /// To which poll or quiz.
    pub poll: u32,
    /// To which question.
    pub question: u8,
    /// Indices of the options.
    pub choices: Vec<u8>,
}

/// This person's place in a quiz that is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OwnScore {
    /// In which quiz.
    pub poll: u32,
    /// Their rank.
    pub rank: u32,
    /// Their points.
    pub points: u32,
    /// How many people answered.
    pub of: u32,
}

/// How often a reaction came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReactionCount {
    /// Which.
    pub reaction: Reaction,
    /// How often.
    pub count: u32,
}
