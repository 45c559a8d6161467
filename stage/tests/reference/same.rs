//! Whether controller and model show the same room.

use dais_stage::{
    Channel, Claim, Connection, Identity, Millis, Participant, ParticipantId, Place, Queued, Role, Speech, Stage,
};

use super::{Model, Person};

/// Panics where the two differ in anything that people can see.
pub fn assert_same(stage: &Stage, model: &Model) {
    assert_eq!(stage.has_ended(), model.ended, "ended");
    assert_eq!(stage.next_deadline(), model.next_deadline().map(Millis), "the next deadline");
    assert_eq!(stage.next_id().0, model.entries + 1, "the next number");
    assert_eq!(stage.is_locked(), model.locked, "locked");
    assert_eq!(*stage.settings(), model.settings);
    assert_eq!(stage.participant_count(), model.people.len(), "people in the room");
    for (person, reference) in stage.participants().zip(&model.people) {
        assert_same_person(stage, person, reference, model);
    }
    let silence = model.by_silence(u64::MAX);
    assert_eq!(stage.on_stage_count(), silence.len(), "people on stage");
    assert!(stage.people_on_stage().map(|p| p.id.0).eq(silence), "the longest silent first");
    assert_in_order("requests", stage, &model.requests, |person| Some(person.request()?.order));
    assert_in_order("hands", stage, &model.hands, |person| Some(person.hand?.order));
    assert_in_order("stage", stage, &model.stage, |person| Some(person.on_stage()?.order));
    assert_same_slots(stage, model);
    let screen = stage.screen();
    assert_eq!(screen.slot.occupant.map(|id| (id.0, screen.sound)), model.presenting, "who presents");
    assert_same_links(stage, model);
    assert_same_chat(stage, model);
    assert_same_polls(stage, model);
}

fn assert_same_polls(stage: &Stage, model: &Model) {
    assert!(stage.polls().all().map(|poll| poll.id.0).eq(model.polls.iter().map(|poll| poll.number)), "polls");
    for (poll, reference) in stage.polls().all().zip(&model.polls) {
        let same = (poll.by, poll.quick, poll.step, poll.since.0);
        assert_eq!(same, (reference.by, reference.quick, reference.step(), reference.since));
        assert_eq!(poll.content, reference.content);
        let given: usize = poll.takers().map(|(_, taker)| taker.given.iter().flatten().count()).sum();
        assert_eq!(given, reference.answers.len(), "one answer a person and question");
        for answer in &reference.answers {
            let identity = Identity(answer.identity.clone());
            let given = poll.answer_of(&identity, answer.question as u8).expect("an answer that counts");
            assert!(given.choices.indices().eq(answer.choices.iter().copied()));
            assert_eq!(u64::from(given.after_ms), answer.after);
        }
        for (index, question) in reference.content.questions.iter().enumerate() {
            let answers: Vec<_> = reference.answers.iter().filter(|answer| answer.question == index).collect();
            let chose =
                |option: usize| answers.iter().filter(|answer| answer.choices.contains(&(option as u8))).count();
            let counts = (0..question.options.len()).map(|option| chose(option) as u32).collect();
            assert_eq!(poll.counts(index as u8), (answers.len() as u32, counts));
        }
        for ranked in poll.ranking() {
            let score = reference.score(&ranked.identity.0);
            assert_eq!((ranked.points, ranked.ms), score);
            let better = |(points, ms): (u32, u64)| points > score.0 || points == score.0 && ms < score.1;
            let others = poll.takers().filter(|(identity, _)| better(reference.score(&identity.0))).count();
            assert_eq!(ranked.rank as usize, others + 1, "as many are better");
        }
    }
}

fn assert_same_person(stage: &Stage, person: &Participant, reference: &Person, model: &Model) {
    let id = person.id;
    assert_eq!(id.0, reference.id, "numbers in order of entry");
    assert_eq!(person.identity.0, reference.identity);
    assert_eq!(person.name, reference.name);
    assert_eq!(person.role, reference.role);
    assert_eq!(stage.find(&person.identity).map(|found| found.id), Some(id), "found by identity");
    let lost = Connection::Lost { since: Millis(reference.lost_at) };
    assert_eq!(person.connection, if reference.lost { lost } else { Connection::Up }, "connection of {id:?}");
    let hand = person.hand.map(|hand| hand.since.0);
    assert_eq!(hand, reference.hand.then_some(reference.hand_at), "hand of {id:?}");
    match &person.place {
        Place::OnStage(on_stage) => {
            assert!(reference.on_stage, "{id:?} is a viewer in the model");
            assert_eq!(on_stage.mic, reference.mic, "microphone of {id:?}");
            assert_eq!(on_stage.camera, reference.camera, "camera of {id:?}");
            let since = Millis(reference.since);
            let speech = if reference.speaking { Speech::Speaking { since } } else { Speech::Silent { since } };
            assert_eq!(on_stage.speech, speech, "speech of {id:?}");
            let waits = reference.camera && !model.shown().contains(&id.0);
            assert_eq!(stage.camera_waits(id), waits, "whether the camera of {id:?} waits");
        }
        Place::Viewer(claim) => {
            assert!(!reference.on_stage, "{id:?} is on stage in the model");
            assert!(!stage.camera_waits(id), "a viewer has no camera");
            assert_same_claim(*claim, reference);
        }
    }
}

fn assert_same_claim(claim: Claim, reference: &Person) {
    let shown = match claim {
        Claim::None => (None, None, false),
        Claim::Asked(Queued { since, .. }) => (Some(since.0), None, false),
        Claim::Invited { by, may_return } => (None, Some(by), may_return),
        Claim::MayReturn => (None, None, true),
    };
    let asked_at = reference.asked.then_some(reference.asked_at);
    assert_eq!(shown, (asked_at, reference.invited_by, reference.may_return), "claim of {}", reference.id);
}

/// The people of `list`, and nobody else, have an order, which grows.
fn assert_in_order(what: &str, stage: &Stage, list: &[u32], order: impl Fn(&Participant) -> Option<u64>) {
    let orders = list.iter().map(|id| stage.participant(ParticipantId(*id)).and_then(&order).expect(what));
    assert!(orders.is_sorted_by(|a, b| a < b), "order of {what}");
    assert_eq!(stage.participants().filter_map(order).count(), list.len(), "{what}");
}

fn assert_same_slots(stage: &Stage, model: &Model) {
    let shown = || stage.camera_slots().filter_map(|(_, occupancy)| occupancy.occupant);
    assert_eq!(shown().count(), model.shown().len(), "cameras shown");
    assert!(shown().all(|id| model.shown().contains(&id.0)), "the cameras shown are the most recent");
    let heard = || stage.voice_slots().filter_map(|(_, occupancy)| occupancy.occupant);
    assert_eq!(heard().count(), model.heard(), "voices heard");
    let is_open = |id: ParticipantId| model.people.iter().any(|person| person.id == id.0 && person.mic);
    assert!(heard().all(is_open), "only open microphones are heard");
}

fn assert_same_chat(stage: &Stage, model: &Model) {
    for channel in [Channel::Everyone, Channel::Moderators] {
        let said = stage.chat().messages(channel).map(|m| (m.id.0, m.name.as_str(), m.text.as_str()));
        let lines = model.chat.iter().filter(|line| line.back_channel == (channel == Channel::Moderators));
        let lines = lines.map(|line| (line.number, line.name.as_str(), line.text.as_str()));
        assert!(said.eq(lines), "{channel:?} read the same");
    }
    assert_eq!(stage.chat().pinned().map(|message| message.id.0), model.pinned, "pinned");
    for person in &model.people {
        let blocked = model.blocked.contains(&person.identity);
        assert_eq!(stage.is_chat_blocked(ParticipantId(person.id)), blocked, "{} may chat", person.name);
    }
}

fn assert_same_links(stage: &Stage, model: &Model) {
    assert_eq!(stage.links().len(), model.links.len(), "links");
    for (n, (link, reference)) in stage.links().iter().zip(&model.links).enumerate() {
        assert_eq!(link.id.0 as usize, n + 1);
        assert_eq!(
            (link.role, link.expires.0, link.personal, link.revoked, link.used_by.as_ref().map(|owner| &owner.0)),
            (reference.role, reference.expires, reference.personal, reference.revoked, reference.used_by.as_ref()),
            "link {n}"
        );
    }
}

/// What is slower to ask: the entry window, and who was removed, which only the snapshot shows. The snapshot is read
/// back as well.
pub fn assert_same_in_depth(stage: &Stage, model: &Model) {
    for role in Role::ALL {
        for phone in [false, true] {
            let offered = stage.may_join_at_entry(role, phone).map_err(|refusal| refusal.code());
            assert_eq!(offered, model.may_join_at_entry(role, phone), "{role:?} at entry");
        }
    }
    let json = serde_json::to_string(stage).expect("a stage is written");
    assert_eq!(serde_json::from_str::<Stage>(&json).expect("a stage is read"), *stage, "a snapshot is the stage");
    let snapshot: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let removed = snapshot["removed"].as_array().expect("a list").iter();
    let mut removed: Vec<&str> = removed.map(|identity| identity.as_str().expect("an identity")).collect();
    let mut reference: Vec<&str> = model.removed.iter().map(String::as_str).collect();
    removed.sort_unstable();
    reference.sort_unstable();
    assert_eq!(removed, reference, "removed for good");
}

/// Name of the moderator who decided about `target`, which `already_decided` carries.
pub fn decider(model: &Model, target: ParticipantId) -> Option<&str> {
    let i = model.find(target.0)?;
    model.people[i].decided_by.as_deref()
}
