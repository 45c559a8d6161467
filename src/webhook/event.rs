//! What of a room's log is told, and how: docs/webhooks.md lists it. Nothing that somebody wrote, answered or said is in it.

use dais_signaling::protocol::{Access, Role};
use dais_stage::{Actor, Event, Leaving, OffStage, PollStep, PresentingEnd};
use serde_json::{Value, json};

use super::sign::fingerprint;
use crate::journal::Record;
use crate::summary::rfc3339;

/// An event as receivers get it.
pub(crate) struct Hook {
    /// The same at every attempt, and of no other event.
    pub(crate) id: String,
    /// JSON.
    pub(crate) body: String,
}

/// What receivers are told of the record at `position` of a room's log; nothing of most.
pub(crate) fn hook(room: &str, position: u64, record: &Record) -> Option<Hook> {
    let (name, mut data) = told(&record.event)?;
    data["room"] = room.into();
    let at = record.at.0;
    let body = json!({ "type": name, "timestamp": rfc3339(record.at), "data": data }).to_string();
    Some(Hook { id: format!("msg_{}", fingerprint(&format!("{room}\n{position}\n{at}"))), body })
}

fn told(event: &Event) -> Option<(&'static str, Value)> {
    Some(match event {
        Event::Opened { title, .. } => ("room.opened", json!({ "title": title })),
        Event::Ended { by } => ("room.ended", json!({ "by": by.map(actor) })),
        Event::Locked { by } => ("room.locked", json!({ "by": actor(*by) })),
        Event::Unlocked { by } => ("room.unlocked", json!({ "by": actor(*by) })),
        Event::AccessChanged { access, by } => {
            ("room.access_changed", json!({ "access": Access::from(*access), "by": actor(*by) }))
        }
        Event::CapacityChanged { capacity, by } => {
            ("room.capacity_changed", json!({ "capacity": capacity, "by": actor(*by) }))
        }
        Event::Entered { id, identity, name, role, .. } => {
            let role = Role::from(*role);
            ("participant.entered", json!({ "participant": id, "identity": identity, "name": name, "role": role }))
        }
        Event::Left { id, why } => ("participant.left", left(id.0, *why)),
        Event::ConnectionLost { id } => ("participant.lost", json!({ "participant": id })),
        Event::ConnectionBack { id } => ("participant.back", json!({ "participant": id })),
        Event::Asked { id } => ("stage.requested", json!({ "participant": id })),
        Event::RequestCancelled { id } => {
            ("stage.request_ended", json!({ "participant": id, "why": "cancelled", "by": null }))
        }
        Event::RequestClosed { id } => {
            ("stage.request_ended", json!({ "participant": id, "why": "access_changed", "by": null }))
        }
        Event::Declined { id, by } => {
            ("stage.request_ended", json!({ "participant": id, "why": "declined", "by": actor(*by) }))
        }
        Event::Invited { id, by } => ("stage.invited", json!({ "participant": id, "by": actor(*by) })),
        Event::InvitationWithdrawn { id, by } => {
            ("stage.invitation_ended", json!({ "participant": id, "why": "withdrawn", "by": actor(*by) }))
        }
        Event::InvitationDeclined { id, .. } => {
            ("stage.invitation_ended", json!({ "participant": id, "why": "declined", "by": null }))
        }
        Event::CameOnStage { id } => ("stage.entered", json!({ "participant": id })),
        Event::WentOffStage { id, why } => ("stage.left", off_stage(id.0, *why)),
        Event::HandRaised { id } => ("hand.raised", json!({ "participant": id })),
        Event::HandLowered { id, by } => ("hand.lowered", json!({ "participant": id, "by": by.map(actor) })),
        Event::PresentingStarted { id, sound, .. } => {
            ("presenting.started", json!({ "participant": id, "sound": sound }))
        }
        Event::PresentingStopped { id, end, .. } => ("presenting.stopped", presented(id.0, *end)),
        Event::PollMade { poll, by, quick, .. } => {
            ("poll.made", json!({ "poll": poll, "quick": quick, "by": actor(*by) }))
        }
        Event::PollAdvanced { poll, to, by } => {
            let (step, question) = step(*to);
            let by = by.map(actor);
            ("poll.advanced", json!({ "poll": poll, "step": step, "question": question, "by": by }))
        }
        Event::PollDeleted { poll, by } => ("poll.deleted", json!({ "poll": poll, "by": actor(*by) })),
        Event::Restarted => ("room.restarted", json!({})),
        _ => return None,
    })
}

/// A participant's number, or `"portal"`.
fn actor(actor: Actor) -> Value {
    match actor {
        Actor::Person(id) => id.0.into(),
        Actor::Portal => "portal".into(),
    }
}

fn left(id: u32, why: Leaving) -> Value {
    let (why, by) = match why {
        Leaving::ByThemselves => ("by_themselves", None),
        Leaving::ConnectionLost => ("connection_lost", None),
        Leaving::Removed { by } => ("removed", Some(actor(by))),
    };
    json!({ "participant": id, "why": why, "by": by })
}

fn off_stage(id: u32, why: OffStage) -> Value {
    let (why, by, admitted) = match why {
        OffStage::Removed { by } => ("removed", Some(actor(by)), None),
        OffStage::StageFull { admitted } => ("stage_full", None, Some(admitted)),
        OffStage::StageSmaller { by } => ("stage_smaller", Some(actor(by)), None),
        OffStage::LeftRoom => ("left_room", None, None),
    };
    json!({ "participant": id, "why": why, "by": by, "admitted": admitted })
}

fn presented(id: u32, end: PresentingEnd) -> Value {
    let (why, by) = match end {
        PresentingEnd::ByThemselves => ("by_themselves", None),
        PresentingEnd::Stopped { by } => ("stopped", Some(actor(by))),
        PresentingEnd::TakenOver { by } => ("taken_over", Some(actor(by.into()))),
        PresentingEnd::NotPermitted { by } => ("not_permitted", Some(actor(by))),
        PresentingEnd::LeftRoom => ("left_room", None),
    };
    json!({ "participant": id, "why": why, "by": by })
}

fn step(step: PollStep) -> (&'static str, Option<u8>) {
    match step {
        PollStep::Draft => ("draft", None),
        PollStep::Open(question) => ("open", Some(question)),
        PollStep::Closed(question) => ("closed", Some(question)),
        PollStep::Published => ("published", None),
    }
}

#[cfg(test)]
mod tests {
    use dais_stage::{Channel, Identity, MessageId, Millis, ParticipantId, Slot};

    use super::*;

    const AT: Millis = Millis(1_764_230_400_123);

    fn body(event: Event) -> Value {
        let hook = hook("talks", 7, &Record { at: AT, event }).expect("it is told");
        serde_json::from_str(&hook.body).unwrap()
    }

    #[test]
    fn an_event_says_where_when_what_and_who() {
        let entered = Event::Entered {
            id: ParticipantId(3),
            identity: Identity("user-17".to_owned()),
            name: "Maya".to_owned(),
            role: dais_stage::Role::Host,
            link: None,
        };
        assert_eq!(
            body(entered),
            json!({
                "type": "participant.entered",
                "timestamp": "2025-11-27T08:00:00.123Z",
                "data": { "room": "talks", "participant": 3, "identity": "user-17", "name": "Maya", "role": "host" },
            })
        );
    }

    #[test]
    fn why_somebody_is_not_there_any_more_is_said_with_who_did_it() {
        let id = ParticipantId(3);
        let data = |event| body(event)["data"].clone();
        let by = Actor::Person(ParticipantId(1));
        assert_eq!(
            data(Event::WentOffStage { id, why: OffStage::StageFull { admitted: ParticipantId(9) } }),
            json!({ "room": "talks", "participant": 3, "why": "stage_full", "by": null, "admitted": 9 })
        );
        assert_eq!(
            data(Event::WentOffStage { id, why: OffStage::Removed { by } }),
            json!({ "room": "talks", "participant": 3, "why": "removed", "by": 1, "admitted": null })
        );
        assert_eq!(
            data(Event::Left { id, why: Leaving::Removed { by: Actor::Portal } }),
            json!({ "room": "talks", "participant": 3, "why": "removed", "by": "portal" })
        );
    }

    #[test]
    fn what_people_write_and_how_media_are_laid_out_is_told_to_nobody() {
        let id = ParticipantId(3);
        let said = Event::Said { message: MessageId(1), id, channel: Channel::Everyone, text: "between us".to_owned() };
        let mapped = Event::CameraMapped { slot: Slot(0), generation: dais_stage::Generation(1), occupant: Some(id) };
        for event in [said, mapped, Event::MicOn { id }] {
            assert!(hook("talks", 7, &Record { at: AT, event: event.clone() }).is_none(), "{event:?}");
        }
    }

    #[test]
    fn an_id_is_that_of_one_record_however_often_it_is_told() {
        let id = |room: &str, position, at| {
            let record = Record { at: Millis(at), event: Event::HandRaised { id: ParticipantId(3) } };
            hook(room, position, &record).unwrap().id
        };
        assert_eq!(id("talks", 7, 1), id("talks", 7, 1));
        assert!(id("talks", 7, 1).starts_with("msg_"));
        // The last one is of a room whose log was deleted and begun anew.
        for other in [id("talk", 7, 1), id("talks", 8, 1), id("talks", 7, 2)] {
            assert_ne!(id("talks", 7, 1), other);
        }
    }
}
