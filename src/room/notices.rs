//! What people are told because of an event: each in docs/stage.md, "Everything a person is told".

use dais_signaling::protocol::Notice;
use dais_stage::{Actor, Event, OffStage, ParticipantId, PresentingEnd, Role, Stage};

/// Whom a notice goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    One(ParticipantId),
    Moderators,
    Everyone,
}

/// The notices of an event, with the stage as it is after it.
pub(super) fn notices(stage: &Stage, event: &Event) -> Vec<(To, Notice)> {
    let name = |id: ParticipantId| stage.actor_name(Actor::Person(id)).to_owned();
    let actor = |actor: Actor| stage.actor_name(actor).to_owned();
    let one = |id, notice| vec![(To::One(id), notice)];
    match *event {
        Event::Asked { id } => {
            vec![(To::Moderators, Notice::RequestArrived { participant: id.0, name: name(id) })]
        }
        Event::RequestCancelled { id } => {
            vec![(To::Moderators, Notice::RequestCancelled { participant: id.0, name: name(id) })]
        }
        Event::RequestClosed { id } => one(id, Notice::RequestClosed { access: stage.settings().access.into() }),
        Event::Declined { id, by } => one(id, Notice::RequestDeclined { by: actor(by) }),
        Event::ReturnDeclined { id, by } => one(id, Notice::ReturnDeclined { by: actor(by) }),
        Event::Invited { id, by } => {
            let mut told = one(id, Notice::Invited { by: actor(by) });
            if let Actor::Person(by) = by {
                told.push((To::One(by), Notice::InvitationSent { name: name(id) }));
            }
            told
        }
        Event::InvitationWithdrawn { id, by } => one(id, Notice::InvitationWithdrawn { by: actor(by) }),
        Event::InvitationDeclined { id, invited_by: Actor::Person(by) } => {
            one(by, Notice::InvitationDeclined { name: name(id) })
        }
        Event::WentOffStage { id, why } => match why {
            OffStage::Removed { by } => one(id, Notice::RemovedFromStage { by: actor(by) }),
            OffStage::StageFull { admitted } => one(id, Notice::StageFull { admitted: name(admitted) }),
            OffStage::StageSmaller { by } => one(id, Notice::StageSmaller { by: actor(by) }),
            OffStage::LeftRoom => vec![],
        },
        Event::MicOff { id, by: Some(by) } => one(id, Notice::Muted { by: actor(by) }),
        Event::CameraOff { id, by: Some(by) } => one(id, Notice::CameraStopped { by: actor(by) }),
        Event::AskedToUnmute { id, by } => one(id, Notice::AskedToUnmute { by: actor(by) }),
        Event::HandLowered { id, by: Some(by) } => one(id, Notice::HandLowered { by: actor(by) }),
        Event::ChatBlocked { id, by } => one(id, Notice::ChatBlocked { by: actor(by) }),
        Event::ChatUnblocked { id, by } => one(id, Notice::ChatUnblocked { by: actor(by) }),
        Event::CameraWaiting { id } => one(id, Notice::CameraWaiting),
        Event::CameraShownAgain { id } => one(id, Notice::CameraShownAgain),
        Event::PermissionChanged { ability, allowed, by } => {
            let notice = Notice::PermissionChanged { ability: ability.into(), allowed: allowed.into(), by: actor(by) };
            vec![(To::Everyone, notice)]
        }
        Event::AccessChanged { access, by } => {
            vec![(To::Everyone, Notice::AccessChanged { access: access.into(), by: actor(by) })]
        }
        Event::PresentingStarted { id, .. } => {
            vec![(To::Everyone, Notice::PresentingStarted { participant: id.0, name: name(id) })]
        }
        Event::PresentingStopped { id, end, .. } => {
            let mut told = vec![(To::Everyone, Notice::PresentingEnded { participant: id.0, name: name(id) })];
            let stopped = match end {
                PresentingEnd::ByThemselves | PresentingEnd::LeftRoom => None,
                PresentingEnd::Stopped { by } | PresentingEnd::NotPermitted { by } => Some((by, false)),
                PresentingEnd::TakenOver { by } => Some((Actor::Person(by), true)),
            };
            let stopped = stopped.map(|(by, taken_over)| Notice::PresentingStopped { by: actor(by), taken_over });
            told.extend(stopped.map(|notice| (To::One(id), notice)));
            told
        }
        _ => vec![],
    }
}

/// Whether somebody of this role is told what moderators are told.
pub(super) fn moderates(stage: &Stage, id: ParticipantId) -> bool {
    stage.participant(id).is_some_and(|person| Role::moderates(person.role))
}
