//! What is forgotten, and when: what is put in place of a person, and how long sessions are kept.

use std::collections::HashSet;
use std::sync::Weak;
use std::time::Duration;

use dais_stage::{Actor, Event, Identity, Millis, ParticipantId};
use tokio::time::{MissedTickBehavior, interval};

use crate::journal::{Record, wall_clock};
use crate::rooms::Rooms;

/// The name of whoever was deleted.
const NAME: &str = "deleted person";
/// What stands for what they wrote.
const TEXT: &str = "deleted";
/// How often sessions that were kept for long enough are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What is to stand in a room's log, and where, so that nothing in it is about `identity`; nothing where they never were
/// there. Every record stays at its position, and the stage it makes is the same but for the person: they are somebody else
/// without a name, whose answers count, and whose messages are there without their text.
pub(crate) fn without_person(records: &[Record], identity: &Identity) -> Option<Vec<(u64, Record)>> {
    let (mut known, mut theirs) = (HashSet::new(), HashSet::new());
    for record in records {
        if let Event::Entered { id, identity: entered, .. } = &record.event {
            known.insert(entered);
            theirs.extend((entered == identity).then_some(*id));
        }
    }
    let nobody = (1..).map(|n| Identity(format!("{NAME} {n}"))).find(|nobody| !known.contains(nobody))?;
    let changed = (0..).zip(records).filter_map(|(position, record)| {
        let event = anonymous(&record.event, &theirs, &nobody)?;
        Some((position, Record { at: record.at, event }))
    });
    (!theirs.is_empty()).then(|| changed.collect())
}

/// `event` without what it says of those in `theirs`; nothing where it says nothing of them but their number.
fn anonymous(event: &Event, theirs: &HashSet<ParticipantId>, nobody: &Identity) -> Option<Event> {
    match event {
        Event::Entered { id, role, link, .. } if theirs.contains(id) => {
            let (identity, name) = (nobody.clone(), NAME.to_owned());
            Some(Event::Entered { id: *id, identity, name, role: *role, link: *link })
        }
        Event::Said { message, id, channel, .. } if theirs.contains(id) => {
            Some(Event::Said { message: *message, id: *id, channel: *channel, text: TEXT.to_owned() })
        }
        // Of what moderators prepare nothing is about them.
        Event::PollMade { poll, by: by @ Actor::Person(id), quick: true, content } if theirs.contains(id) => {
            let mut content = content.clone();
            let asked = content.questions.iter_mut().filter(|question| !question.text.is_empty());
            asked.for_each(|question| TEXT.clone_into(&mut question.text));
            Some(Event::PollMade { poll: *poll, by: *by, quick: true, content })
        }
        _ => None,
    }
}

/// Sessions that ended before this are not kept any more.
fn kept_since(now: Millis, days: u32) -> Millis {
    Millis(now.0.saturating_sub(u64::from(days) * DAY_MS))
}

/// Deletes sessions `days` days after they have ended: now, and from then on every hour, as long as there are rooms.
pub(crate) async fn keep_sessions(rooms: Weak<Rooms>, days: u32) {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let Some(rooms) = rooms.upgrade() else { return };
        rooms.delete_ended_before(kept_since(wall_clock(), days)).await;
    }
}

#[cfg(test)]
mod tests {
    use dais_stage::{
        Channel, Choices, Leaving, MessageId, NewPoll, PollId, PollKind, PollStep, Question, Role, Settings, Stage,
    };
    use serde_json::Value;

    use super::*;

    const ANN: &str = "ann@portal";
    const WORDS: &str = "only Ann says this";

    fn entered(id: u32, identity: &str, name: &str) -> Event {
        let (identity, name) = (Identity(identity.to_owned()), name.to_owned());
        Event::Entered { id: ParticipantId(id), identity, name, role: Role::Participant, link: None }
    }

    fn said(message: u32, id: u32, text: &str) -> Event {
        let (message, id, channel) = (MessageId(message), ParticipantId(id), Channel::Everyone);
        Event::Said { message, id, channel, text: text.to_owned() }
    }

    fn answered(id: u32, choice: u8) -> Event {
        Event::Answered {
            poll: PollId(1),
            id: ParticipantId(id),
            question: 0,
            choices: Choices::of(&[choice]).unwrap(),
        }
    }

    /// Ann is there twice, asks something herself, is blocked from the chat and removed; Ben sees it all.
    fn session() -> Vec<Record> {
        let text = |text: &str| text.to_owned();
        let question = Question {
            text: text("Which?"),
            options: vec![text("This"), text("That")],
            multiple: false,
            right: Choices::of(&[1]).unwrap(),
            seconds: 0,
            points: 10,
        };
        let asked = Question { text: text(WORDS), right: Choices::default(), points: 0, ..question.clone() };
        let quick = NewPoll { kind: PollKind::Poll, title: text(""), anonymous: false, questions: vec![asked] };
        let content =
            NewPoll { kind: PollKind::Quiz, title: text("Quiz"), anonymous: false, questions: vec![question] };
        let (poll, by) = (PollId(1), Actor::Portal);
        let events = vec![
            Event::Opened { title: text("A room"), settings: Settings::default() },
            entered(1, ANN, "Ann Example"),
            entered(2, "ben", "Ben"),
            said(1, 1, WORDS),
            said(2, 2, "hello Ann"),
            Event::MessagePinned { message: Some(MessageId(1)), by },
            Event::PollMade { poll, by, quick: false, content },
            Event::PollAdvanced { poll, to: PollStep::Open(0), by: Some(by) },
            answered(1, 1),
            answered(2, 0),
            Event::PollAdvanced { poll, to: PollStep::Closed(0), by: Some(by) },
            Event::PollMade { poll: PollId(2), by: Actor::Person(ParticipantId(1)), quick: true, content: quick },
            Event::Left { id: ParticipantId(1), why: Leaving::ByThemselves },
            entered(3, ANN, "Ann (phone)"),
            said(3, 3, WORDS),
            Event::ChatBlocked { id: ParticipantId(3), by },
            Event::Left { id: ParticipantId(3), why: Leaving::Removed { by } },
            Event::Ended { by: None },
        ];
        (1..).zip(events).map(|(at, event)| Record { at: Millis(at * 1_000), event }).collect()
    }

    fn replayed(records: &[Record]) -> Stage {
        Stage::replay(records.iter().map(|record| (record.at, &record.event)))
    }

    fn rewritten(mut records: Vec<Record>, identity: &str) -> Vec<Record> {
        for (position, record) in without_person(&records, &Identity(identity.to_owned())).unwrap() {
            records[usize::try_from(position).unwrap()] = record;
        }
        records
    }

    #[test]
    fn nothing_of_a_deleted_person_is_left_and_the_stage_is_the_same_but_for_them() {
        let rewritten = rewritten(session(), ANN);
        let text = serde_json::to_string(&replayed(&rewritten)).unwrap()
            + &rewritten.iter().map(|record| serde_json::to_string(&record.event).unwrap()).collect::<String>();
        for gone in [ANN, WORDS, "Ann Example", "Ann (phone)"] {
            assert!(!text.contains(gone), "{gone}");
        }
        let before = serde_json::to_string(&replayed(&session())).unwrap();
        let but_for_ann = before
            .replace(ANN, "deleted person 1")
            .replace(WORDS, TEXT)
            .replace("Ann Example", NAME)
            .replace("Ann (phone)", NAME);
        let (before, after): (Value, Value) =
            (serde_json::from_str(&but_for_ann).unwrap(), serde_json::to_value(replayed(&rewritten)).unwrap());
        assert_eq!(after, before);
    }

    #[test]
    fn counts_and_ranking_stay() {
        let ranking = |records: &[Record]| {
            let stage = replayed(records);
            let poll = stage.polls().get(PollId(1)).unwrap();
            let ranking = poll.ranking();
            let places = ranking.iter().map(|place| (place.rank, place.taker.name.clone(), place.points));
            (poll.counts(0), places.collect::<Vec<_>>())
        };
        let name = |name: &str| name.to_owned();
        assert_eq!(
            ranking(&rewritten(session(), ANN)),
            ((2, vec![1, 1]), vec![(1, name(NAME), 10), (2, name("Ben"), 0)])
        );
    }

    #[test]
    fn several_deleted_people_are_told_apart_and_somebody_who_never_was_there_is_unknown() {
        let both = rewritten(rewritten(session(), ANN), "ben");
        let identities: HashSet<_> = both
            .iter()
            .filter_map(|record| match &record.event {
                Event::Entered { identity, .. } => Some(identity.0.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(identities, HashSet::from(["deleted person 1", "deleted person 2"]));
        assert_eq!(without_person(&both, &Identity(ANN.to_owned())), None);
        assert_eq!(without_person(&[], &Identity(ANN.to_owned())), None);
    }

    #[test]
    fn a_session_is_kept_for_as_many_days() {
        assert_eq!(kept_since(Millis(10 * DAY_MS + 5), 3), Millis(7 * DAY_MS + 5));
        assert_eq!(kept_since(Millis(DAY_MS), 3), Millis(0));
    }
}
