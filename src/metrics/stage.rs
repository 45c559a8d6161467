//! What happens on stages, and who is there.

use dais_stage::{Access, Claim, Event, OffStage, Stage};
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::registrar::{Registrar, gauge_value};

/// How many there are of each in one room. A room keeps what it was counted with last, and only differences are added
/// to the metrics, so that no list of rooms is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    on_stage: i64,
    viewers: i64,
    requests: i64,
    hands: i64,
    cameras_shown: i64,
    cameras_waiting: i64,
}

impl Census {
    /// Counts everyone in a room.
    pub(crate) fn of(stage: &Stage) -> Self {
        let on_stage = stage.on_stage_count();
        let cameras = stage.people_on_stage().filter(|person| person.on_stage().is_some_and(|place| place.camera));
        let (waiting, shown): (Vec<_>, Vec<_>) = cameras.partition(|person| stage.camera_waits(person.id));
        let asked = stage.participants().filter(|person| matches!(person.claim(), Some(Claim::Asked(_))));
        Self {
            on_stage: gauge_value(on_stage),
            viewers: gauge_value(stage.participant_count() - on_stage),
            requests: gauge_value(asked.count()),
            hands: gauge_value(stage.participants().filter(|person| person.hand.is_some()).count()),
            cameras_shown: gauge_value(shown.len()),
            cameras_waiting: gauge_value(waiting.len()),
        }
    }
}

/// Metrics of all stages together.
pub(crate) struct StageMetrics {
    participants: IntGaugeVec,
    cameras: IntGaugeVec,
    requests: IntGauge,
    hands: IntGauge,
    events: IntCounterVec,
    exits: IntCounterVec,
    access_changes: IntCounterVec,
    dominant_changes: IntCounter,
    reactions: IntCounter,
}

impl StageMetrics {
    pub(super) fn new(make: &Registrar<'_>) -> Self {
        Self {
            participants: make.gauges("dais_participants", "People in all rooms", "place", ["stage", "viewer"]),
            cameras: make.gauges(
                "dais_cameras",
                "Cameras that are on: forwarded, or waiting for a slot",
                "state",
                ["forwarded", "waiting"],
            ),
            requests: make.gauge("dais_pending_requests", "Requests to join a stage that wait for a moderator"),
            hands: make.gauge("dais_raised_hands", "Hands that are up"),
            events: make.counters(
                "dais_stage_events_total",
                "Events of all stages, as journals have them",
                "event",
                KINDS,
            ),
            exits: make.counters(
                "dais_stage_exits_total",
                "People who went off a stage; stage_full is removal of the longest silent by the next to join",
                "reason",
                ["removed", "stage_full", "stage_smaller", "left_room"],
            ),
            access_changes: make.counters(
                "dais_stage_access_changes_total",
                "Changes of who may join a stage, by what it was changed to",
                "access",
                [Access::Everyone, Access::Request, Access::Invite].map(access),
            ),
            reactions: make.counter("dais_reactions_total", "Reactions that were told"),
            dominant_changes: make
                .counter("dais_dominant_speaker_changes_total", "Times somebody else came to speak most in a room"),
        }
    }

    /// Counts a room anew.
    pub(crate) fn recount(&self, counted: &mut Census, now: Census) {
        let before = std::mem::replace(counted, now);
        let people = |place: &str| self.participants.with_label_values(&[place]);
        let cameras = |state: &str| self.cameras.with_label_values(&[state]);
        people("stage").add(now.on_stage - before.on_stage);
        people("viewer").add(now.viewers - before.viewers);
        cameras("forwarded").add(now.cameras_shown - before.cameras_shown);
        cameras("waiting").add(now.cameras_waiting - before.cameras_waiting);
        self.requests.add(now.requests - before.requests);
        self.hands.add(now.hands - before.hands);
    }

    pub(crate) fn note(&self, event: &Event) {
        self.events.with_label_values(&[kind(event)]).inc();
        match event {
            Event::WentOffStage { why, .. } => self.exits.with_label_values(&[exit(*why)]).inc(),
            Event::AccessChanged { access: to, .. } => self.access_changes.with_label_values(&[access(*to)]).inc(),
            _ => {}
        }
    }

    pub(crate) fn reacted(&self) {
        self.reactions.inc();
    }

    pub(crate) fn dominant_changed(&self) {
        self.dominant_changes.inc();
    }
}

fn exit(why: OffStage) -> &'static str {
    match why {
        OffStage::Removed { .. } => "removed",
        OffStage::StageFull { .. } => "stage_full",
        OffStage::StageSmaller { .. } => "stage_smaller",
        OffStage::LeftRoom => "left_room",
    }
}

fn access(access: Access) -> &'static str {
    match access {
        Access::Everyone => "everyone",
        Access::Request => "request",
        Access::Invite => "invite",
    }
}

/// Makes `KINDS`, the names of all events, and `kind`, an event's name.
macro_rules! kinds {
    ($($variant:ident => $name:literal,)*) => {
        const KINDS: [&str; [$($name),*].len()] = [$($name),*];

        fn kind(event: &Event) -> &'static str {
            match event { $(Event::$variant { .. } => $name,)* }
        }
    };
}

kinds! {
    Opened => "opened",
    Entered => "entered",
    Left => "left",
    ConnectionLost => "connection_lost",
    ConnectionBack => "connection_back",
    Asked => "asked",
    RequestCancelled => "request_cancelled",
    RequestClosed => "request_closed",
    Declined => "declined",
    ReturnDeclined => "return_declined",
    Invited => "invited",
    InvitationWithdrawn => "invitation_withdrawn",
    InvitationDeclined => "invitation_declined",
    CameOnStage => "came_on_stage",
    WentOffStage => "went_off_stage",
    MicOn => "mic_on",
    MicOff => "mic_off",
    CameraOn => "camera_on",
    CameraOff => "camera_off",
    CameraMapped => "camera_mapped",
    CameraWaiting => "camera_waiting",
    CameraShownAgain => "camera_shown_again",
    VoiceMapped => "voice_mapped",
    SpeechStarted => "speech_started",
    SpeechStopped => "speech_stopped",
    AskedToUnmute => "asked_to_unmute",
    HandRaised => "hand_raised",
    HandLowered => "hand_lowered",
    AccessChanged => "access_changed",
    CapacityChanged => "capacity_changed",
    CameraLimitChanged => "camera_limit_changed",
    PermissionChanged => "permission_changed",
    Locked => "locked",
    Unlocked => "unlocked",
    LinkMade => "link_made",
    LinkRevoked => "link_revoked",
    Said => "said",
    MessageDeleted => "message_deleted",
    MessagePinned => "message_pinned",
    ChatCleared => "chat_cleared",
    ChatBlocked => "chat_blocked",
    ChatUnblocked => "chat_unblocked",
    PollMade => "poll_made",
    PollAdvanced => "poll_advanced",
    PollDeleted => "poll_deleted",
    Answered => "answered",
    PresentingStarted => "presenting_started",
    PresentingStopped => "presenting_stopped",
    Ended => "ended",
    Restarted => "restarted",
}

#[cfg(test)]
mod tests {
    use dais_stage::{Actor, Command, Entry, EntryPlace, Identity, Millis, ParticipantId, Role, Settings};
    use prometheus::Registry;

    use super::*;

    #[test]
    fn events_are_called_as_in_the_journal() {
        let (id, by) = (ParticipantId(1), Actor::Portal);
        for event in [
            Event::Restarted,
            Event::CameOnStage { id },
            Event::Declined { id, by },
            Event::AccessChanged { access: Access::Invite, by },
            Event::WentOffStage { id, why: OffStage::LeftRoom },
            Event::InvitationDeclined { id, invited_by: by },
        ] {
            assert_eq!(serde_json::to_value(&event).unwrap()["event"], kind(&event));
        }
    }

    /// A stage of two with one camera shown; Ann, Ben and Cat come in turn, with cameras.
    #[test]
    fn rooms_are_counted_and_no_longer_counted_when_they_close() {
        let metrics = StageMetrics::new(&Registrar(&Registry::new()));
        let mut stage = Stage::new(Settings { capacity: 2, camera_limit: 1, ..Settings::default() });
        for (n, name) in (1..).zip(["Ann", "Ben", "Cat"]) {
            let entry = Entry {
                id: ParticipantId(n),
                identity: Identity(name.to_owned()),
                name: name.to_owned(),
                role: Role::Participant,
                link: None,
                phone: false,
                place: EntryPlace::Stage { mic: true, camera: true },
            };
            let at = Millis(n.into());
            for event in stage.decide(at, &Command::Enter(entry)).unwrap() {
                stage.apply(at, &event);
                metrics.note(&event);
            }
        }
        let counted = || {
            let people = ["stage", "viewer"].map(|place| metrics.participants.with_label_values(&[place]).get());
            let cameras = ["forwarded", "waiting"].map(|state| metrics.cameras.with_label_values(&[state]).get());
            (people, cameras)
        };
        let mut census = Census::default();
        metrics.recount(&mut census, Census::of(&stage));
        metrics.recount(&mut census, Census::of(&stage));
        assert_eq!(counted(), ([2, 1], [1, 1]), "counted once");
        let mut other = Census::default();
        metrics.recount(&mut other, Census::of(&stage));
        assert_eq!(counted(), ([4, 2], [2, 2]), "two rooms");
        metrics.recount(&mut census, Census::default());
        metrics.recount(&mut other, Census::default());
        assert_eq!(counted(), ([0, 0], [0, 0]));
        assert_eq!(metrics.exits.with_label_values(&["stage_full"]).get(), 1);
        assert_eq!(metrics.events.with_label_values(&["came_on_stage"]).get(), 3);
    }
}
