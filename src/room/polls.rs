//! Polls, quizzes and reactions: what is new of them, and what each person may see.

use std::collections::{BTreeMap, BTreeSet};

use dais_signaling::limits::RANKS_TOLD;
use dais_signaling::protocol::{
    self, Channel, OwnAnswer, OwnScore, PollQuestion, PollRank, PollResults, PollStep, Reaction, ReactionCount,
    ServerMessage,
};
use dais_stage::{
    self as stage, Actor, Event, Identity, Millis, Participant, ParticipantId, Poll, PollId, PollKind, Stage,
};

/// What has changed since it was told last.
#[derive(Debug, Default)]
pub(super) struct PollNews {
    changed: BTreeSet<PollId>,
    /// Polls with new answers, which only moderators see.
    answered: BTreeSet<PollId>,
    /// Told to everyone, and to moderators.
    deleted: [Vec<u32>; 2],
    told_moderators: BTreeSet<PollId>,
    reactions: BTreeMap<Reaction, u32>,
}

impl PollNews {
    /// Takes note of `event`.
    pub(super) fn note(&mut self, event: &Event) {
        match *event {
            Event::PollMade { poll, .. } | Event::PollAdvanced { poll, .. } => {
                self.changed.insert(poll);
                self.told_moderators.insert(poll);
            }
            Event::Answered { poll, .. } => {
                self.answered.insert(poll);
            }
            Event::PollDeleted { poll, .. } => self.deleted.iter_mut().for_each(|told| told.push(poll.0)),
            _ => {}
        }
    }

    /// Somebody has reacted.
    pub(super) fn react(&mut self, reaction: Reaction) {
        *self.reactions.entry(reaction).or_default() += 1;
    }

    /// The news for everyone, if there is any; nothing of them is left to tell.
    pub(super) fn take(&mut self, stage: &Stage, now: Millis) -> impl Iterator<Item = ServerMessage> {
        let seen = |poll: &&Poll| poll.step != stage::PollStep::Draft;
        let changed = std::mem::take(&mut self.changed);
        let polls: Vec<_> = changed.into_iter().filter_map(|id| stage.polls().get(id)).filter(seen).collect();
        let polls: Vec<_> = polls.into_iter().map(|poll| shown(poll, false, now)).collect();
        let deleted = std::mem::take(&mut self.deleted[0]);
        let news = !(polls.is_empty() && deleted.is_empty());
        let news = news.then_some(ServerMessage::Polls { channel: Channel::Everyone, polls, deleted });
        let counts = std::mem::take(&mut self.reactions);
        let counts: Vec<_> = counts.into_iter().map(|(reaction, count)| ReactionCount { reaction, count }).collect();
        let reactions = (!counts.is_empty()).then_some(ServerMessage::Reactions { counts });
        news.into_iter().chain(reactions)
    }

    /// The news for moderators, if there is any; nothing of them is left to tell.
    pub(super) fn take_for_moderators(&mut self, stage: &Stage, now: Millis) -> Option<ServerMessage> {
        let mut changed = std::mem::take(&mut self.told_moderators);
        changed.append(&mut self.answered);
        let polls: Vec<_> = changed.into_iter().filter_map(|id| stage.polls().get(id)).collect();
        let polls: Vec<_> = polls.into_iter().map(|poll| shown(poll, true, now)).collect();
        let deleted = std::mem::take(&mut self.deleted[1]);
        let news = !(polls.is_empty() && deleted.is_empty());
        news.then_some(ServerMessage::Polls { channel: Channel::Moderators, polls, deleted })
    }
}

/// Everything about polls that `by` may see; answers request `id`.
pub(super) fn list(stage: &Stage, id: u32, by: &Participant, now: Millis) -> ServerMessage {
    let moderates = by.role.moderates();
    let seen = || stage.polls().all().filter(|poll| moderates || poll.step != stage::PollStep::Draft);
    ServerMessage::PollList {
        id,
        polls: seen().map(|poll| shown(poll, moderates, now)).collect(),
        answers: seen().flat_map(|poll| own_answers(poll, &by.identity)).collect(),
        scores: seen().filter_map(|poll| own_score(poll, &by.identity)).collect(),
    }
}

fn own_answers(poll: &Poll, identity: &Identity) -> impl Iterator<Item = OwnAnswer> {
    let questions = 0..u8::try_from(poll.content.questions.len()).unwrap_or(u8::MAX);
    questions.filter_map(move |question| {
        let given = poll.answer_of(identity, question)?;
        Some(OwnAnswer { poll: poll.id.0, question, choices: given.choices.indices().collect() })
    })
}

fn own_score(poll: &Poll, identity: &Identity) -> Option<OwnScore> {
    if poll.content.kind != PollKind::Quiz || poll.step != stage::PollStep::Published {
        return None;
    }
    let ranking = poll.ranking();
    let of = u32::try_from(ranking.len()).unwrap_or(u32::MAX);
    let own = ranking.into_iter().find(|ranked| ranked.identity == identity)?;
    Some(OwnScore { poll: poll.id.0, rank: own.rank, points: own.points, of })
}

/// A poll as those who moderate see it, or as everyone does.
pub(crate) fn shown(poll: &Poll, moderates: bool, now: Millis) -> protocol::Poll {
    let (step, current) = match poll.step {
        stage::PollStep::Draft => (PollStep::Draft, 0),
        stage::PollStep::Open(question) => (PollStep::Open, question),
        stage::PollStep::Closed(question) => (PollStep::Closed, question),
        stage::PollStep::Published => (PollStep::Published, 0),
    };
    let everything = moderates || step == PollStep::Published;
    let questions = poll.content.questions.iter().zip(0..=u8::MAX);
    let questions = questions.filter(|(_, index)| everything || *index == current);
    let is_quiz = poll.content.kind == PollKind::Quiz;
    let questions = questions.map(|(question, index)| PollQuestion {
        index,
        text: question.text.clone(),
        options: question.options.clone(),
        multiple: question.multiple,
        seconds: question.seconds,
        points: question.points,
        right: (everything && is_quiz).then(|| question.right.indices().collect()),
        results: everything.then(|| {
            let (answered, counts) = poll.counts(index);
            PollResults { answered, counts }
        }),
    });
    let ranked = is_quiz && step == PollStep::Published;
    let starter = match poll.by {
        Actor::Person(ParticipantId(id)) => Some(id),
        Actor::Portal => None,
    };
    protocol::Poll {
        poll: poll.id.0,
        kind: poll.content.kind.into(),
        title: poll.content.title.clone(),
        anonymous: poll.content.anonymous,
        quick: starter.filter(|_| poll.quick),
        step,
        question: current,
        count: u8::try_from(poll.content.questions.len()).unwrap_or(u8::MAX),
        questions: questions.collect(),
        left: poll.deadline().map(|deadline| clamp(deadline.0.saturating_sub(now.0))),
        ranking: ranking(poll).take(if ranked { RANKS_TOLD } else { 0 }).collect(),
    }
}

/// Everybody's place in a quiz; nobody has one in a poll.
pub(crate) fn ranking(poll: &Poll) -> impl Iterator<Item = PollRank> {
    let ranking = if poll.content.kind == PollKind::Quiz { poll.ranking() } else { Vec::new() };
    ranking.into_iter().map(|place| PollRank {
        rank: place.rank,
        participant: place.taker.id.0,
        name: place.taker.name.clone(),
        points: place.points,
        ms: clamp(place.ms),
    })
}

fn clamp(ms: u64) -> u32 {
    u32::try_from(ms).unwrap_or(u32::MAX)
}
