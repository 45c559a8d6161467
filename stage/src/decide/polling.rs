//! Polls and quizzes: who makes them, how they go on, and whose answers count.

use super::Decision;
use super::chatting::checked_text;
use crate::event::Event;
use crate::ids::{Millis, ParticipantId, PollId};
use crate::limits;
use crate::model::Actor;
use crate::permissions::Ability;
use crate::plan::Plan;
use crate::polls::{Choices, NewPoll, Poll, PollKind, PollStep, Question, QuickPoll};
use crate::refusal::Refusal;
use crate::stage::Stage;

impl Stage {
    pub(super) fn make_poll(&self, plan: &mut Plan<'_>, by: Actor, content: &NewPoll) -> Decision {
        self.moderator(by)?;
        let content = checked_poll(content)?;
        self.room_for_a_poll()?;
        plan.push(Event::PollMade { poll: self.polls.next_id(), by, quick: false, content });
        Ok(())
    }

    /// A poll that is open at once.
    pub(super) fn quick_poll(&self, plan: &mut Plan<'_>, id: ParticipantId, kind: QuickPoll, text: &str) -> Decision {
        self.permits(id, Ability::QuickPoll)?;
        let text =
            if text.trim().is_empty() { String::new() } else { checked_words(text, limits::POLL_TEXT_CHARS_MAX)? };
        self.none_is_open()?;
        self.room_for_a_poll()?;
        let options = kind.options().iter().map(|&option| option.to_owned()).collect();
        let question = Question { text, options, multiple: false, right: Choices::default(), seconds: 0, points: 0 };
        let content =
            NewPoll { kind: PollKind::Poll, title: String::new(), anonymous: true, questions: vec![question] };
        let poll = self.polls.next_id();
        plan.push(Event::PollMade { poll, by: Actor::Person(id), quick: true, content });
        plan.push(Event::PollAdvanced { poll, to: PollStep::Open(0), by: Some(Actor::Person(id)) });
        Ok(())
    }

    /// To the next step. Of two who do this at once, the second is refused.
    pub(super) fn advance_poll(&self, plan: &mut Plan<'_>, by: Actor, poll: PollId, from: PollStep) -> Decision {
        let poll = self.led_poll(by, poll)?;
        if poll.step != from {
            return Err(Refusal::PollMovedOn);
        }
        let to = poll.next_step().ok_or(Refusal::PollMovedOn)?;
        if let PollStep::Open(_) = to {
            self.none_is_open()?;
        }
        plan.push(Event::PollAdvanced { poll: poll.id, to, by: Some(by) });
        Ok(())
    }

    pub(super) fn delete_poll(&self, plan: &mut Plan<'_>, by: Actor, poll: PollId) -> Decision {
        let poll = self.led_poll(by, poll)?.id;
        plan.push(Event::PollDeleted { poll, by });
        Ok(())
    }

    /// An answer in place of the one before, until the question is closed.
    pub(super) fn answer_poll(
        &self,
        plan: &mut Plan<'_>,
        now: Millis,
        id: ParticipantId,
        (poll, question): (PollId, u8),
        choices: Choices,
    ) -> Decision {
        self.permits(id, Ability::AnswerPolls)?;
        let identity = &self.sender(id)?.identity;
        let poll = self.polls.get(poll).ok_or(Refusal::PollUnknown)?;
        if poll.open_question() != Some(question) || poll.deadline().is_some_and(|deadline| deadline <= now) {
            return Err(Refusal::PollNotOpen);
        }
        let asked = poll.content.questions.get(usize::from(question)).ok_or(Refusal::PollNotOpen)?;
        let count = choices.count();
        if count == 0 || count > 1 && !asked.multiple || !choices.fits(asked.options.len()) {
            return Err(Refusal::AnswerInvalid);
        }
        if poll.answer_of(identity, question).is_some_and(|given| given.choices == choices) {
            return Err(Refusal::AnswerUnchanged);
        }
        plan.push(Event::Answered { poll: poll.id, id, question, choices });
        Ok(())
    }

    /// A question whose time is over closes.
    pub(super) fn close_due_polls(&self, plan: &mut Plan<'_>, now: Millis) {
        for poll in self.polls.all().filter(|poll| poll.deadline().is_some_and(|deadline| deadline <= now)) {
            if let Some(to) = poll.next_step() {
                plan.push(Event::PollAdvanced { poll: poll.id, to, by: None });
            }
        }
    }

    /// The poll that `by` leads: all of them for those who moderate, for others the quick polls they started.
    fn led_poll(&self, by: Actor, poll: PollId) -> Result<&Poll, Refusal> {
        let found = self.polls.get(poll);
        if let Actor::Person(id) = by {
            let moderates = self.sender(id)?.role.moderates();
            if !moderates && found.is_none_or(|poll| !poll.quick || poll.by != by) {
                return Err(Refusal::ModeratorsOnly);
            }
        }
        found.ok_or(Refusal::PollUnknown)
    }

    /// One question at a time is put to a room.
    fn none_is_open(&self) -> Decision {
        if self.polls.open().is_some() { Err(Refusal::AnotherPollOpen) } else { Ok(()) }
    }

    fn room_for_a_poll(&self) -> Decision {
        if self.polls.count() >= limits::POLLS_MAX { Err(Refusal::TooManyPolls) } else { Ok(()) }
    }
}

fn checked_poll(content: &NewPoll) -> Result<NewPoll, Refusal> {
    let &NewPoll { kind, ref title, anonymous, ref questions } = content;
    let (title, most) = match kind {
        PollKind::Poll => (String::new(), 1),
        PollKind::Quiz => (checked_words(title, limits::POLL_TEXT_CHARS_MAX)?, limits::POLL_QUESTIONS_MAX),
    };
    if !(1..=most).contains(&questions.len()) {
        return Err(Refusal::PollQuestionsInvalid);
    }
    let questions = questions.iter().map(|question| checked_question(kind, question)).collect::<Result<_, _>>()?;
    Ok(NewPoll { kind, title, anonymous, questions })
}

fn checked_question(kind: PollKind, question: &Question) -> Result<Question, Refusal> {
    let &Question { ref text, ref options, multiple, right, seconds, points } = question;
    let text = checked_words(text, limits::POLL_TEXT_CHARS_MAX)?;
    if !(limits::POLL_OPTIONS_MIN..=limits::POLL_OPTIONS_MAX).contains(&options.len()) {
        return Err(Refusal::PollOptionsInvalid);
    }
    let options = options.iter().map(|option| checked_words(option, limits::POLL_OPTION_CHARS_MAX));
    let options: Vec<String> = options.collect::<Result<_, _>>()?;
    if options.iter().enumerate().any(|(n, option)| options[..n].contains(option)) {
        return Err(Refusal::PollOptionsInvalid);
    }
    let fits = match kind {
        PollKind::Poll => right.count() == 0,
        PollKind::Quiz => (1..=if multiple { u32::MAX } else { 1 }).contains(&right.count()),
    };
    if !fits || !right.fits(options.len()) {
        return Err(Refusal::PollRightInvalid);
    }
    if seconds != 0 && !(limits::POLL_SECONDS_MIN..=limits::POLL_SECONDS_MAX).contains(&seconds) {
        return Err(Refusal::PollSecondsInvalid);
    }
    if points > limits::POLL_POINTS_MAX || kind == PollKind::Poll && points != 0 {
        return Err(Refusal::PollPointsInvalid);
    }
    Ok(Question { text, options, multiple, right, seconds, points })
}

fn checked_words(text: &str, max: usize) -> Result<String, Refusal> {
    let words = checked_text(text, max, [Refusal::PollTextEmpty, Refusal::PollTextTooLong, Refusal::PollTextInvalid])?;
    Ok(words.to_owned())
}
