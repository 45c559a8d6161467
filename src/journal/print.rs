//! The journal in words: who did what, when.

use std::collections::HashMap;
use std::fmt::Write as _;

use dais_stage::{
    Ability, Access, Actor, Allowed, Channel, Event, Leaving, OffStage, ParticipantId, PollKind, PollStep,
    PresentingEnd, Role,
};
use time::OffsetDateTime;
use time::macros::format_description;

use super::Record;

/// One line for each record that is about people; mappings of slots are left out. Times are UTC.
#[must_use]
pub fn told(records: &[Record]) -> String {
    let mut names = Names::default();
    let mut lines = String::new();
    for record in records {
        if let Event::Entered { id, name, .. } = &record.event {
            names.0.insert(*id, name.clone());
        }
        if let Some(what) = names.line(&record.event) {
            let _ = writeln!(lines, "{}  {what}", moment(record.at.0));
        }
    }
    lines
}

/// Everybody who was ever in the room.
#[derive(Default)]
struct Names(HashMap<ParticipantId, String>);

impl Names {
    fn of(&self, id: ParticipantId) -> String {
        self.0.get(&id).map_or_else(|| format!("#{}", id.0), |name| format!("{name} (#{})", id.0))
    }

    fn by(&self, actor: Actor) -> String {
        match actor {
            Actor::Person(id) => self.of(id),
            Actor::Portal => "the portal".to_owned(),
        }
    }

    fn line(&self, event: &Event) -> Option<String> {
        let of = |id: &ParticipantId| self.of(*id);
        let by = |actor: &Actor| self.by(*actor);
        Some(match event {
            Event::Opened { title, settings } => {
                format!("\"{title}\" opened: {}, {} places on stage", access(settings.access), settings.capacity)
            }
            Event::Entered { id, role, link, .. } => {
                let link = link.map(|link| format!(" with link {}", link.0)).unwrap_or_default();
                format!("{} entered as {}{link}", of(id), role_name(*role))
            }
            Event::Left { id, why: Leaving::ByThemselves } => format!("{} left", of(id)),
            Event::Left { id, why: Leaving::ConnectionLost } => {
                format!("{} left: connection lost for too long", of(id))
            }
            Event::Left { id, why: Leaving::Removed { by: actor } } => {
                format!("{} removed {} from the room", by(actor), of(id))
            }
            Event::ConnectionLost { id } => format!("{} lost the connection", of(id)),
            Event::ConnectionBack { id } => format!("{} is back", of(id)),
            Event::Asked { id } => format!("{} asked to join the stage", of(id)),
            Event::RequestCancelled { id } => format!("{} cancelled the request", of(id)),
            Event::RequestClosed { id } => format!("the request of {} was closed", of(id)),
            Event::Declined { id, by: actor } => format!("{} declined {}", by(actor), of(id)),
            Event::ReturnDeclined { id, by: actor } => {
                format!("{} ended the right of {} to return to the stage", by(actor), of(id))
            }
            Event::Invited { id, by: actor } => format!("{} invited {} on stage", by(actor), of(id)),
            Event::InvitationWithdrawn { id, by: actor } => {
                format!("{} took back the invitation of {}", by(actor), of(id))
            }
            Event::InvitationDeclined { id, .. } => format!("{} declined the invitation", of(id)),
            Event::CameOnStage { id } => format!("{} came on stage", of(id)),
            Event::WentOffStage { id, why } => match why {
                OffStage::Removed { by: actor } => format!("{} removed {} from the stage", by(actor), of(id)),
                OffStage::StageFull { admitted } => {
                    format!("{} went off the full stage for {}: silent the longest", of(id), of(admitted))
                }
                OffStage::StageSmaller { by: actor } => {
                    format!("{} went off the stage that {} made smaller: silent the longest", of(id), by(actor))
                }
                OffStage::LeftRoom => format!("{} went off the stage", of(id)),
            },
            Event::MicOn { id } => format!("{} turned the microphone on", of(id)),
            Event::MicOff { id, by: None } => format!("the microphone of {} went off", of(id)),
            Event::MicOff { id, by: Some(actor) } => format!("{} muted {}", by(actor), of(id)),
            Event::CameraOn { id } => format!("{} turned the camera on", of(id)),
            Event::CameraOff { id, by: None } => format!("the camera of {} went off", of(id)),
            Event::CameraOff { id, by: Some(actor) } => format!("{} stopped the camera of {}", by(actor), of(id)),
            Event::CameraWaiting { id } => format!("the camera of {} waits for a place", of(id)),
            Event::CameraShownAgain { id } => format!("the camera of {} is shown again", of(id)),
            Event::SpeechStarted { id } => format!("{} speaks", of(id)),
            Event::SpeechStopped { id } => format!("{} is silent", of(id)),
            Event::AskedToUnmute { id, by: actor } => format!("{} asked {} to unmute", by(actor), of(id)),
            Event::HandRaised { id } => format!("{} raised a hand", of(id)),
            Event::HandLowered { id, by: None } => format!("the hand of {} went down", of(id)),
            Event::HandLowered { id, by: Some(actor) } => format!("{} lowered the hand of {}", by(actor), of(id)),
            Event::AccessChanged { access: now, by: actor } => {
                format!("{} changed stage access to: {}", by(actor), access(*now))
            }
            Event::CapacityChanged { capacity, by: actor } => format!("{} gave the stage {capacity} places", by(actor)),
            Event::CameraLimitChanged { limit, by: actor } => format!("{} set the cameras to {limit}", by(actor)),
            Event::PermissionChanged { ability, allowed, by: actor } => {
                format!("{} changed who may {}: {}", by(actor), ability_name(*ability), allowed_name(*allowed))
            }
            Event::PollMade { poll, by: actor, content, .. } => {
                let kind = if content.kind == PollKind::Quiz { "quiz" } else { "poll" };
                let text = content.questions.first().map_or("", |question| &question.text);
                let text = if content.title.is_empty() { text } else { &content.title };
                format!("{} made {kind} {}: {text:?}", by(actor), poll.0)
            }
            Event::PollAdvanced { poll, to, by: actor } => {
                let step = match to {
                    PollStep::Draft => "is a draft".to_owned(),
                    PollStep::Open(question) => format!("is open at question {}", question + 1),
                    PollStep::Closed(question) => format!("is closed at question {}", question + 1),
                    PollStep::Published => "shows its results".to_owned(),
                };
                let why = actor.map_or_else(|| "its time was over".to_owned(), |actor| self.by(actor));
                format!("poll {} {step}: {why}", poll.0)
            }
            Event::PollDeleted { poll, by: actor } => format!("{} deleted poll {}", by(actor), poll.0),
            // Not what: nobody is told who answered what in an anonymous poll.
            Event::Answered { poll, id, question, .. } => {
                format!("{} answered question {} of poll {}", of(id), question + 1, poll.0)
            }
            Event::Locked { by: actor } => format!("{} locked the room", by(actor)),
            Event::Unlocked { by: actor } => format!("{} unlocked the room", by(actor)),
            Event::LinkMade { link, role, by: actor, .. } => {
                format!("{} made link {} for a {}", by(actor), link.0, role_name(*role))
            }
            Event::LinkRevoked { link, by: actor } => format!("{} withdrew link {}", by(actor), link.0),
            Event::Said { message, id, channel, text } => {
                let to = if *channel == Channel::Moderators { " to the moderators" } else { "" };
                // One record is one line, whatever was typed.
                format!("{} said{to} (message {}): {text:?}", of(id), message.0)
            }
            Event::MessageDeleted { message, by: actor } => format!("{} deleted message {}", by(actor), message.0),
            Event::MessagePinned { message: Some(message), by: actor } => {
                format!("{} pinned message {}", by(actor), message.0)
            }
            Event::MessagePinned { message: None, by: actor } => format!("{} unpinned the message", by(actor)),
            Event::ChatCleared { by: actor } => format!("{} cleared the chat", by(actor)),
            Event::ChatBlocked { id, by: actor } => format!("{} blocked {} from the chat", by(actor), of(id)),
            Event::ChatUnblocked { id, by: actor } => format!("{} let {} chat again", by(actor), of(id)),
            Event::PresentingStarted { id, sound, .. } => {
                format!("{} presents{}", of(id), if *sound { ", with sound" } else { "" })
            }
            Event::PresentingStopped { id, end, .. } => match end {
                PresentingEnd::ByThemselves | PresentingEnd::LeftRoom => format!("{} stopped presenting", of(id)),
                PresentingEnd::Stopped { by: actor } => format!("{} stopped {} presenting", by(actor), of(id)),
                PresentingEnd::TakenOver { by } => format!("{} took over from {} presenting", of(by), of(id)),
                PresentingEnd::NotPermitted { by: actor } => {
                    format!("{} may not present any more: {} changed that", of(id), by(actor))
                }
            },
            Event::Ended { by: Some(actor) } => format!("{} ended the session", by(actor)),
            Event::Ended { by: None } => "the session ended: nobody was there".to_owned(),
            Event::Restarted => "the server was started again; every connection was lost".to_owned(),
            Event::CameraMapped { .. } | Event::VoiceMapped { .. } => return None,
        })
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Host => "host",
        Role::Moderator => "moderator",
        Role::Speaker => "speaker",
        Role::Participant => "participant",
    }
}

fn access(access: Access) -> &'static str {
    match access {
        Access::Everyone => "everyone on stage",
        Access::Request => "join by request",
        Access::Invite => "invite only",
    }
}

fn ability_name(ability: Ability) -> &'static str {
    match ability {
        Ability::Chat => "chat",
        Ability::React => "react",
        Ability::RaiseHand => "raise a hand",
        Ability::AnswerPolls => "answer polls",
        Ability::QuickPoll => "start a quick poll",
        Ability::Present => "present",
    }
}

fn allowed_name(allowed: Allowed) -> &'static str {
    match allowed {
        Allowed::Nobody => "nobody",
        Allowed::Moderators => "moderators",
        Allowed::Speakers => "moderators and speakers",
        Allowed::Everyone => "everyone",
    }
}

/// Milliseconds since the Unix epoch as date and time.
fn moment(ms: u64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok();
    time.and_then(|time| time.format(format).ok()).unwrap_or_else(|| format!("{ms} ms"))
}

#[cfg(test)]
mod tests {
    use dais_stage::{Identity, Millis};

    use super::*;

    #[test]
    fn the_journal_says_who_did_what_and_when() {
        let (ann, mia) = (ParticipantId(1), ParticipantId(2));
        let enter = |id, name: &str, role| {
            let (identity, name) = (Identity(name.to_owned()), name.to_owned());
            Event::Entered { id, identity, name, role, link: None }
        };
        let events = [
            enter(ann, "Ann", Role::Participant),
            enter(mia, "Mia", Role::Moderator),
            Event::Asked { id: ann },
            Event::Invited { id: ann, by: Actor::Person(mia) },
            Event::CameOnStage { id: ann },
            Event::WentOffStage { id: ann, why: OffStage::Removed { by: Actor::Person(mia) } },
        ];
        let at = Millis(1_700_000_000_123);
        let records = events.map(|event| Record { at, event });
        let lines = told(&records);
        assert_eq!(lines.lines().count(), records.len());
        assert_eq!(lines.lines().next(), Some("2023-11-14 22:13:20.123  Ann (#1) entered as participant"));
        assert!(lines.ends_with("Mia (#2) removed Ann (#1) from the stage\n"));
    }
}
