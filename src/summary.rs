//! What a session was, made from its room's journal.

use std::collections::BTreeMap;

use dais_signaling::api::{AnswerLine, Attendance, ChatLine, PollSummary, SessionSummary, Visit};
use dais_stage::{Channel, Event, Identity, MessageId, Millis, ParticipantId, PollStep, Role, Stage};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::journal::Record;
use crate::room::polls;

/// The last session in `records`, which are all of room `room`; nothing without one. `now` is when it is looked at.
pub(crate) fn of(room: &str, records: &[Record], now: Millis) -> Option<SessionSummary> {
    let start = records.iter().rposition(|record| matches!(record.event, Event::Opened { .. }))?;
    let records = &records[start..];
    let stage = Stage::replay(records.iter().map(|record| (record.at, &record.event)));
    let mut told = Told::default();
    records.iter().for_each(|record| told.note(record.at, &record.event));
    let ended = records.last().filter(|_| stage.has_ended()).map(|record| record.at);
    told.end(ended.unwrap_or(now), ended.is_some());
    Some(SessionSummary {
        room: room.to_owned(),
        title: stage.title().to_owned(),
        opened: rfc3339(records[0].at),
        ended: ended.map(rfc3339),
        most: told.most,
        people: told.people.into_iter().map(|(identity, person)| person.attendance(identity)).collect(),
        chat: told.chat.into_values().collect(),
        polls: polls_of(&stage, ended.unwrap_or(now)),
    })
}

/// Somebody, over all their visits.
struct Person {
    name: String,
    role: Role,
    visits: Vec<(Millis, Option<Millis>)>,
    on_stage_since: Option<Millis>,
    speaking_since: Option<Millis>,
    stage_ms: u64,
    speaking_ms: u64,
    present_ms: u64,
}

impl Person {
    fn leaves_stage(&mut self, at: Millis) {
        self.falls_silent(at);
        self.stage_ms += self.on_stage_since.take().map_or(0, |since| at.0.saturating_sub(since.0));
    }

    fn falls_silent(&mut self, at: Millis) {
        self.speaking_ms += self.speaking_since.take().map_or(0, |since| at.0.saturating_sub(since.0));
    }

    fn attendance(self, identity: Identity) -> Attendance {
        let seconds = |ms: u64| u32::try_from(ms / 1_000).unwrap_or(u32::MAX);
        let visits = self.visits.iter();
        Attendance {
            identity: identity.0,
            name: self.name,
            role: self.role.into(),
            visits: visits
                .map(|(entered, left)| Visit { entered: rfc3339(*entered), left: left.map(rfc3339) })
                .collect(),
            present_seconds: seconds(self.present_ms),
            stage_seconds: seconds(self.stage_ms),
            speaking_seconds: seconds(self.speaking_ms),
        }
    }
}

/// What the events so far have told.
#[derive(Default)]
struct Told {
    /// In order of first entry.
    people: Vec<(Identity, Person)>,
    index: BTreeMap<Identity, usize>,
    /// Who is in the room.
    inside: BTreeMap<ParticipantId, usize>,
    chat: BTreeMap<MessageId, ChatLine>,
    most: u32,
}

impl Told {
    fn person(&mut self, id: ParticipantId) -> Option<&mut Person> {
        let at = *self.inside.get(&id)?;
        self.people.get_mut(at).map(|(_, person)| person)
    }

    fn note(&mut self, at: Millis, event: &Event) {
        match event {
            Event::Entered { id, identity, name, role, .. } => {
                let known = self.index.get(identity).copied().unwrap_or_else(|| {
                    let person = Person {
                        name: String::new(),
                        role: *role,
                        visits: Vec::new(),
                        on_stage_since: None,
                        speaking_since: None,
                        stage_ms: 0,
                        speaking_ms: 0,
                        present_ms: 0,
                    };
                    self.people.push((identity.clone(), person));
                    self.index.insert(identity.clone(), self.people.len() - 1);
                    self.people.len() - 1
                });
                self.inside.insert(*id, known);
                self.most = self.most.max(u32::try_from(self.inside.len()).unwrap_or(u32::MAX));
                let person = &mut self.people[known].1;
                (person.name, person.role) = (name.clone(), *role);
                person.visits.push((at, None));
            }
            Event::Left { id, .. } => self.leaves(at, *id, true),
            Event::CameOnStage { id } => self.person(*id).into_iter().for_each(|p| p.on_stage_since = Some(at)),
            Event::WentOffStage { id, .. } => self.person(*id).into_iter().for_each(|p| p.leaves_stage(at)),
            Event::SpeechStarted { id } => self.person(*id).into_iter().for_each(|p| p.speaking_since = Some(at)),
            Event::SpeechStopped { id } | Event::MicOff { id, .. } => {
                self.person(*id).into_iter().for_each(|person| person.falls_silent(at));
            }
            Event::Restarted => self.people.iter_mut().for_each(|(_, person)| person.falls_silent(at)),
            Event::Said { message, id, channel, text } => {
                if let Some(Person { name, role, .. }) = self.person(*id) {
                    let (name, role) = (name.clone(), (*role).into());
                    let line = ChatLine { at: rfc3339(at), name, role, channel: (*channel).into(), text: text.clone() };
                    self.chat.insert(*message, line);
                }
            }
            Event::MessageDeleted { message, .. } => drop(self.chat.remove(message)),
            Event::ChatCleared { .. } => {
                self.chat.retain(|_, line| line.channel == Channel::Moderators.into());
            }
            _ => {}
        }
    }

    /// `gone` says whether they have left, or are only counted up to now.
    fn leaves(&mut self, at: Millis, id: ParticipantId, gone: bool) {
        let Some(person) = self.person(id) else { return };
        person.leaves_stage(at);
        if let Some((entered, left)) = person.visits.last_mut() {
            person.present_ms += at.0.saturating_sub(entered.0);
            *left = gone.then_some(at);
        }
        self.inside.remove(&id);
    }

    fn end(&mut self, at: Millis, gone: bool) {
        let inside: Vec<_> = self.inside.keys().copied().collect();
        inside.into_iter().for_each(|id| self.leaves(at, id, gone));
    }
}

fn polls_of(stage: &Stage, now: Millis) -> Vec<PollSummary> {
    let opened = stage.polls().all().filter(|poll| poll.step != PollStep::Draft);
    let summaries = opened.map(|poll| {
        let shown = polls::shown(poll, true, now);
        let poll_with_all = dais_signaling::protocol::Poll { ranking: polls::ranking(poll).collect(), ..shown };
        let mut answers = Vec::new();
        if !poll.content.anonymous {
            for (_, taker) in poll.takers() {
                let given = taker.given.iter().zip(0..).filter_map(|(given, question)| Some(((*given)?, question)));
                answers.extend(given.map(|(given, question)| AnswerLine {
                    name: taker.name.clone(),
                    question,
                    choices: given.choices.indices().collect(),
                }));
            }
        }
        PollSummary { poll: poll_with_all, answers }
    });
    summaries.collect()
}

/// RFC 3339.
pub(crate) fn rfc3339(at: Millis) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000).ok();
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use dais_stage::{Actor, Settings};

    use super::*;

    fn record(at: u64, event: Event) -> Record {
        Record { at: Millis(at * 1_000), event }
    }

    fn entered(id: u32, name: &str) -> Event {
        let (identity, name) = (Identity(name.to_lowercase()), name.to_owned());
        Event::Entered { id: ParticipantId(id), identity, name, role: Role::Participant, link: None }
    }

    #[test]
    fn attendance_is_of_people_not_of_visits_and_of_the_last_session() {
        let opened = || Event::Opened { title: "A room".to_owned(), settings: Settings::default() };
        let (one, two) = (ParticipantId(1), ParticipantId(2));
        let left = |id| Event::Left { id, why: dais_stage::Leaving::ByThemselves };
        let said = |n, id, text: &str| Event::Said {
            message: MessageId(n),
            id,
            channel: Channel::Everyone,
            text: text.to_owned(),
        };
        let records = [
            record(0, opened()),
            record(1, entered(9, "Old")),
            record(2, Event::Ended { by: None }),
            record(100, opened()),
            record(110, entered(1, "Ann")),
            record(115, Event::CameOnStage { id: one }),
            record(116, Event::MicOn { id: one }),
            record(117, Event::SpeechStarted { id: one }),
            record(120, Event::SpeechStopped { id: one }),
            record(121, entered(2, "Ben")),
            record(122, said(1, two, "hello")),
            record(123, said(2, two, "deleted")),
            record(124, Event::MessageDeleted { message: MessageId(2), by: Actor::Portal }),
            record(130, left(one)),
            record(140, entered(3, "Ann")),
            record(150, Event::Ended { by: Some(Actor::Portal) }),
        ];
        let summary = of("demo", &records, Millis(999_000)).unwrap();
        assert_eq!(
            (summary.opened.as_str(), summary.ended.as_deref()),
            ("1970-01-01T00:01:40Z", Some("1970-01-01T00:02:30Z"))
        );
        assert_eq!(summary.most, 2);
        let [ann, ben] = &summary.people[..] else { panic!("two people") };
        assert_eq!((ann.name.as_str(), ann.visits.len(), ann.present_seconds), ("Ann", 2, 30));
        assert_eq!((ann.stage_seconds, ann.speaking_seconds), (15, 3));
        assert_eq!((ben.present_seconds, ben.stage_seconds), (29, 0));
        let texts: Vec<_> = summary.chat.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["hello"]);
        assert!(of("demo", &[], Millis(0)).is_none());
    }
}
