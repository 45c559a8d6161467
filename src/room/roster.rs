//! The roster: what clients know of the people in the room, and what is new of it.

use std::collections::{BTreeMap, BTreeSet};

use dais_signaling::api::RoomReport;
use dais_signaling::limits;
use dais_signaling::protocol::{self, Camera, Dominant, Relation, RoomInfo, ServerMessage, SlotKind, Waiting};
use dais_stage::{
    Actor, Claim, Event, Generation, Millis, Occupancy, Participant, ParticipantId, Queued, Screen, Slot, Stage,
};

/// With more viewers than this they are not told one by one any more, only counted: every coming and going would be a
/// message to everyone.
const VIEWERS_TOLD_MAX: usize = 250;
/// With fewer than this they are told again. The gap keeps a room from changing back and forth.
const VIEWERS_TOLD_AGAIN: usize = 200;
/// In a room where viewers are only counted, the count is told every so many ticks.
const TICKS_PER_COUNT: u32 = 10;

/// What has changed since it was told last.
#[derive(Debug)]
pub(super) struct News {
    changed: BTreeSet<ParticipantId>,
    left: BTreeSet<ParticipantId>,
    /// Those of both who came on stage or went off it: everybody is told of them.
    moved: BTreeSet<ParticipantId>,
    slots: BTreeMap<(bool, Slot), (Generation, Option<ParticipantId>)>,
    rules: bool,
    dominant: bool,
    presentation: bool,
    counts: bool,
    /// What the queue of the moderators shows has changed.
    queue: bool,
    urgent: bool,
    /// Whether viewers are told one by one.
    complete: bool,
    ticks: u32,
}

impl News {
    pub(super) fn new(stage: &Stage) -> Self {
        Self {
            changed: BTreeSet::new(),
            left: BTreeSet::new(),
            moved: BTreeSet::new(),
            slots: BTreeMap::new(),
            rules: false,
            dominant: false,
            presentation: false,
            counts: false,
            queue: false,
            urgent: false,
            complete: viewer_count(stage) <= VIEWERS_TOLD_MAX,
            ticks: 0,
        }
    }

    pub(super) fn note(&mut self, event: &Event) {
        // Who is on stage, and in which slot, is told at once; viewers' comings and goings, and who speaks, can wait
        // for the next tick.
        match *event {
            Event::Entered { id, .. } => {
                self.counts = true;
                self.changed.insert(id);
            }
            Event::Left { id, .. } => {
                self.changed.remove(&id);
                (self.counts, self.queue) = (true, true);
                self.left.insert(id);
            }
            Event::HandRaised { id } | Event::HandLowered { id, .. } => {
                self.queue = true;
                self.changed.insert(id);
            }
            Event::ChatBlocked { id, .. }
            | Event::ChatUnblocked { id, .. }
            | Event::ConnectionLost { id }
            | Event::ConnectionBack { id }
            | Event::SpeechStarted { id }
            | Event::SpeechStopped { id } => {
                self.changed.insert(id);
            }
            Event::CameraMapped { slot, generation, occupant } => {
                self.slots.insert((false, slot), (generation, occupant));
                self.urgent = true;
            }
            Event::VoiceMapped { slot, generation, occupant } => {
                self.slots.insert((true, slot), (generation, occupant));
                self.urgent = true;
            }
            Event::CameOnStage { id } | Event::WentOffStage { id, .. } => {
                self.changed.insert(id);
                self.moved.insert(id);
                (self.counts, self.queue, self.urgent) = (true, true, true);
            }
            Event::MicOn { id }
            | Event::MicOff { id, .. }
            | Event::CameraOn { id }
            | Event::CameraOff { id, .. }
            | Event::CameraWaiting { id }
            | Event::CameraShownAgain { id } => {
                self.changed.insert(id);
                self.urgent = true;
            }
            Event::Asked { .. }
            | Event::RequestCancelled { .. }
            | Event::RequestClosed { .. }
            | Event::Declined { .. }
            | Event::ReturnDeclined { .. }
            | Event::Invited { .. }
            | Event::InvitationWithdrawn { .. }
            | Event::InvitationDeclined { .. } => self.queue = true,
            Event::PresentingStarted { .. } | Event::PresentingStopped { .. } => {
                (self.presentation, self.urgent) = (true, true);
            }
            Event::AccessChanged { .. }
            | Event::CapacityChanged { .. }
            | Event::CameraLimitChanged { .. }
            | Event::PermissionChanged { .. }
            | Event::Locked { .. }
            | Event::Unlocked { .. } => (self.rules, self.urgent) = (true, true),
            Event::Opened { .. }
            | Event::AskedToUnmute { .. }
            | Event::LinkMade { .. }
            | Event::LinkRevoked { .. }
            | Event::Said { .. }
            | Event::MessageDeleted { .. }
            | Event::MessagePinned { .. }
            | Event::ChatCleared { .. }
            | Event::PollMade { .. }
            | Event::PollAdvanced { .. }
            | Event::PollDeleted { .. }
            | Event::Answered { .. }
            | Event::Ended { .. }
            | Event::Restarted => {}
        }
    }

    /// Somebody else speaks most.
    pub(super) fn note_dominant(&mut self) {
        self.dominant = true;
    }

    pub(super) fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// Whether viewers are told one by one.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Settles whether viewers are told one by one. When that changes, everybody needs the whole state.
    pub(super) fn resize(&mut self, stage: &Stage) -> bool {
        let viewers = viewer_count(stage);
        let complete = if self.complete { viewers <= VIEWERS_TOLD_MAX } else { viewers < VIEWERS_TOLD_AGAIN };
        std::mem::replace(&mut self.complete, complete) != complete
    }

    /// Whether an even number of ticks was told.
    pub(super) fn is_even_tick(&self) -> bool {
        self.ticks.is_multiple_of(2)
    }

    /// Whether the moderators' queue is to be told; once.
    pub(super) fn take_queue(&mut self) -> bool {
        std::mem::take(&mut self.queue)
    }

    /// The news as a message, if there is any, and the viewers whose own entry has changed where only they are told.
    /// Nothing is left to tell. At a `tick`, also what could wait for it.
    pub(super) fn take(
        &mut self,
        stage: &Stage,
        dominant: Option<ParticipantId>,
        tick: bool,
    ) -> (Option<ServerMessage>, Vec<ParticipantId>) {
        self.ticks = self.ticks.wrapping_add(u32::from(tick));
        let moved = std::mem::take(&mut self.moved);
        let complete = self.complete;
        let told = |id: &ParticipantId| {
            complete || moved.contains(id) || stage.participant(*id).is_some_and(|p| p.on_stage().is_some())
        };
        let (changed, own): (Vec<_>, Vec<_>) = std::mem::take(&mut self.changed).into_iter().partition(told);
        let left: Vec<_> = std::mem::take(&mut self.left).into_iter().filter(told).map(|id| id.0).collect();
        let participants: Vec<_> = changed.into_iter().filter_map(|id| stage.participant(id)).collect();
        let slots = std::mem::take(&mut self.slots);
        let rules = std::mem::take(&mut self.rules).then(|| rules(stage));
        let dominant = std::mem::take(&mut self.dominant).then(|| Dominant { participant: dominant.map(|id| id.0) });
        let presentation = std::mem::take(&mut self.presentation).then(|| presentation(stage));
        self.urgent = false;
        let counts = self.counts && (complete || tick && self.ticks.is_multiple_of(TICKS_PER_COUNT));
        let nothing = participants.is_empty() && left.is_empty() && slots.is_empty();
        if nothing && rules.is_none() && dominant.is_none() && presentation.is_none() && !counts {
            return (None, own);
        }
        self.counts = false;
        let slots = slots.into_iter().map(|((voice, slot), (generation, occupant))| {
            let kind = if voice { SlotKind::Voice } else { SlotKind::Camera };
            slot_entry(kind, slot, generation, occupant)
        });
        let update = ServerMessage::Update {
            participants: participants.into_iter().map(|p| participant(stage, p)).collect(),
            left,
            slots: slots.collect(),
            rules,
            dominant,
            presentation,
            on_stage: clamp(stage.on_stage_count()),
            viewers: clamp(viewer_count(stage)),
        };
        (Some(update), own)
    }
}

/// News for one person alone: their own entry.
pub(super) fn own_entry(stage: &Stage, id: ParticipantId) -> Option<ServerMessage> {
    Some(ServerMessage::Update {
        participants: vec![participant(stage, stage.participant(id)?)],
        left: vec![],
        slots: vec![],
        rules: None,
        dominant: None,
        presentation: None,
        on_stage: clamp(stage.on_stage_count()),
        viewers: clamp(viewer_count(stage)),
    })
}

/// The room for a client. Without `complete`, only those on stage and `you` are in it.
pub(super) fn room_state(
    stage: &Stage,
    dominant: Option<ParticipantId>,
    complete: bool,
    you: Option<ParticipantId>,
) -> protocol::RoomState {
    let cameras = stage.camera_slots().map(|(slot, o)| (SlotKind::Camera, slot, o));
    let voices = stage.voice_slots().map(|(slot, o)| (SlotKind::Voice, slot, o));
    let occupied = cameras.chain(voices).filter(|(_, _, o)| o.occupant.is_some());
    let participants = if complete {
        stage.participants().map(|p| participant(stage, p)).collect()
    } else {
        let you = you.and_then(|id| stage.participant(id)).filter(|you| you.on_stage().is_none());
        stage.people_on_stage().chain(you).map(|p| participant(stage, p)).collect()
    };
    protocol::RoomState {
        participants,
        complete,
        slots: occupied.map(|(kind, slot, o)| slot_entry(kind, slot, o.generation, o.occupant)).collect(),
        rules: rules(stage),
        dominant: dominant.map(|id| id.0),
        presentation: presentation(stage),
        on_stage: clamp(stage.on_stage_count()),
        viewers: clamp(viewer_count(stage)),
    }
}

/// What connects somebody with the stage.
pub(super) fn relation(stage: &Stage, id: ParticipantId, now: Millis) -> Relation {
    match stage.participant(id).and_then(Participant::claim) {
        None | Some(Claim::None) => Relation::None,
        Some(Claim::Asked(request)) => Relation::Asked { age: age(request.since, now) },
        Some(Claim::Invited { by, .. }) => Relation::Invited { by: stage.actor_name(*by).to_owned() },
        Some(Claim::MayReturn) => Relation::MayReturn,
    }
}

/// Who waits for a decision of the moderators.
pub(super) fn queue(stage: &Stage, now: Millis) -> ServerMessage {
    let mut requests: Vec<(Queued, &Participant)> = Vec::new();
    let mut hands: Vec<(Queued, &Participant)> = Vec::new();
    let (mut invited, mut may_return) = (Vec::new(), Vec::new());
    for person in stage.participants() {
        hands.extend(person.hand.map(|hand| (hand, person)));
        match person.claim() {
            Some(Claim::Asked(request)) => requests.push((*request, person)),
            Some(Claim::Invited { .. }) => invited.push(waiting(person, 0)),
            Some(Claim::MayReturn) => may_return.push(waiting(person, 0)),
            Some(Claim::None) | None => {}
        }
    }
    let first = |mut queue: Vec<(Queued, &Participant)>| {
        queue.sort_unstable_by_key(|(place, _)| *place);
        queue.into_iter().take(limits::PAGE).map(|(place, p)| waiting(p, age(place.since, now))).collect()
    };
    let pending = clamp(requests.len());
    invited.truncate(limits::PAGE);
    may_return.truncate(limits::PAGE);
    ServerMessage::Queue { requests: first(requests), hands: first(hands), invited, may_return, pending }
}

/// The room for the portal.
pub(super) fn report(stage: &Stage, info: RoomInfo) -> RoomReport {
    let protocol::Rules { access, capacity, camera_limit, locked, permissions } = rules(stage);
    let (on_stage, viewers) = (clamp(stage.on_stage_count()), clamp(viewer_count(stage)));
    let (mode, codec) = (stage.settings().mode.into(), stage.settings().codec.into());
    RoomReport { info, access, mode, capacity, camera_limit, locked, permissions, codec, on_stage, viewers }
}

fn waiting(person: &Participant, age: u32) -> Waiting {
    Waiting { participant: person.id.0, name: person.name.clone(), age }
}

fn age(since: Millis, now: Millis) -> u32 {
    u32::try_from(now.0.saturating_sub(since.0)).unwrap_or(u32::MAX)
}

fn presentation(stage: &Stage) -> protocol::Presentation {
    let Screen { slot: Occupancy { generation, occupant }, sound } = stage.screen();
    let name = occupant.map(|id| stage.actor_name(Actor::Person(id)).to_owned()).unwrap_or_default();
    protocol::Presentation { participant: occupant.map(|id| id.0), name, sound, generation: generation.0 }
}

fn rules(stage: &Stage) -> protocol::Rules {
    let settings = stage.settings();
    protocol::Rules {
        access: settings.access.into(),
        capacity: clamp(settings.capacity),
        camera_limit: clamp(settings.camera_limit),
        locked: stage.is_locked(),
        permissions: settings.permissions.into(),
    }
}

/// Somebody for a client.
pub(super) fn participant(stage: &Stage, participant: &Participant) -> protocol::Participant {
    let on_stage = participant.on_stage().map(|on_stage| protocol::OnStage {
        order: order(on_stage.order),
        mic: on_stage.mic,
        speaking: on_stage.speech.is_speaking(),
        camera: match (on_stage.camera, stage.camera_waits(participant.id)) {
            (false, _) => Camera::Off,
            (true, false) => Camera::Shown,
            (true, true) => Camera::Waiting,
        },
    });
    protocol::Participant {
        id: participant.id.0,
        name: participant.name.clone(),
        role: participant.role.into(),
        hand: participant.hand.map(|hand| order(hand.order)),
        lost: participant.is_lost(),
        on_stage,
        chat_blocked: stage.is_chat_blocked(participant.id),
    }
}

fn order(order: u64) -> u32 {
    u32::try_from(order).unwrap_or(u32::MAX)
}

fn slot_entry(kind: SlotKind, slot: Slot, generation: Generation, occupant: Option<ParticipantId>) -> protocol::Slot {
    protocol::Slot { kind, index: slot.0, generation: generation.0, participant: occupant.map(|id| id.0) }
}

pub(super) fn viewer_count(stage: &Stage) -> usize {
    stage.participant_count() - stage.on_stage_count()
}

pub(super) fn clamp(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
