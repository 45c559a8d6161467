//! The state of a stage and how events change it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::cameras::Cameras;
use crate::chat::{Chat, Message};
use crate::event::{Event, Leaving, OffStage};
use crate::ids::{Identity, LinkId, Millis, ParticipantId, Slot};
use crate::links::Link;
use crate::model::{Actor, Claim, Connection, OnStage, Participant, Place, Queued, Speech};
use crate::polls::{Poll, Polls};
use crate::presenting::Screen;
use crate::settings::Settings;
use crate::slots::Occupancy;
use crate::voices::Voices;

/// One room's stage. See the crate's documentation for how it is driven. Its serialised form is a snapshot: the state
/// that the events so far have made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    title: String,
    pub(crate) settings: Settings,
    pub(crate) people: BTreeMap<ParticipantId, Participant>,
    pub(crate) identities: BTreeMap<Identity, ParticipantId>,
    /// Everyone on stage by eviction rank, the longest-silent first.
    pub(crate) ranks: BTreeSet<(Millis, u64, ParticipantId)>,
    /// Everyone whose connection is lost, the longest first.
    pub(crate) lost: BTreeSet<(Millis, ParticipantId)>,
    pub(crate) removed: BTreeSet<Identity>,
    /// By number, the first one being 1.
    pub(crate) links: Vec<Link>,
    pub(crate) locked: bool,
    pub(crate) ended: Option<Millis>,
    /// Since when nobody is in the room.
    pub(crate) empty_since: Option<Millis>,
    pub(crate) cameras: Cameras,
    pub(crate) voices: Voices,
    #[serde(default)]
    pub(crate) screen: Screen,
    #[serde(default)]
    pub(crate) chat: Chat,
    #[serde(default)]
    pub(crate) polls: Polls,
    entries: u32,
    orders: u64,
}

impl Stage {
    /// An empty stage that [`Event::Opened`] makes a room's.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            title: String::new(),
            cameras: Cameras::new(settings.camera_limit),
            settings,
            people: BTreeMap::new(),
            identities: BTreeMap::new(),
            ranks: BTreeSet::new(),
            lost: BTreeSet::new(),
            removed: BTreeSet::new(),
            links: Vec::new(),
            locked: false,
            ended: None,
            empty_since: None,
            voices: Voices::new(),
            screen: Screen::default(),
            chat: Chat::default(),
            polls: Polls::default(),
            entries: 0,
            orders: 0,
        }
    }

    /// The stage that `events` make, each with the time it happened.
    pub fn replay<'a>(events: impl IntoIterator<Item = (Millis, &'a Event)>) -> Self {
        let mut stage = Self::new(Settings::default());
        events.into_iter().for_each(|(at, event)| stage.apply(at, event));
        stage
    }

    /// The room's title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What is set, as it is.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether nobody new enters but hosts and moderators.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// Whether the session is over.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// When the session was over.
    #[must_use]
    pub fn ended(&self) -> Option<Millis> {
        self.ended
    }

    /// The number the next person to enter gets.
    #[must_use]
    pub fn next_id(&self) -> ParticipantId {
        ParticipantId(self.entries + 1)
    }

    /// A person in the room.
    #[must_use]
    pub fn participant(&self, id: ParticipantId) -> Option<&Participant> {
        self.people.get(&id)
    }

    /// The person in the room with this identity.
    #[must_use]
    pub fn find(&self, identity: &Identity) -> Option<&Participant> {
        self.participant(*self.identities.get(identity)?)
    }

    /// Everyone in the room, in order of entry.
    pub fn participants(&self) -> impl DoubleEndedIterator<Item = &Participant> {
        self.people.values()
    }

    /// Everyone in the room who entered after `after`, in order of entry.
    pub fn participants_after(&self, after: ParticipantId) -> impl Iterator<Item = &Participant> {
        self.people.range(ParticipantId(after.0.saturating_add(1))..).map(|(_, person)| person)
    }

    /// Everyone on stage, the longest-silent first.
    pub fn people_on_stage(&self) -> impl Iterator<Item = &Participant> {
        self.ranks.iter().filter_map(|(_, _, id)| self.people.get(id))
    }

    /// How many people are in the room.
    #[must_use]
    pub fn participant_count(&self) -> usize {
        self.people.len()
    }

    /// How many people are on stage.
    #[must_use]
    pub fn on_stage_count(&self) -> usize {
        self.ranks.len()
    }

    /// The camera slots in order.
    pub fn camera_slots(&self) -> impl Iterator<Item = (Slot, Occupancy)> + '_ {
        self.cameras.slots()
    }

    /// The voice slots in order.
    pub fn voice_slots(&self) -> impl Iterator<Item = (Slot, Occupancy)> + '_ {
        self.voices.slots()
    }

    /// The screen's slot.
    #[must_use]
    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// Who presents.
    #[must_use]
    pub fn presenter(&self) -> Option<ParticipantId> {
        self.screen.slot.occupant
    }

    /// Whether a camera that is on has no slot.
    #[must_use]
    pub fn camera_waits(&self, id: ParticipantId) -> bool {
        let on = self.participant(id).and_then(Participant::on_stage).is_some_and(|on_stage| on_stage.camera);
        on && !self.cameras.is_shown(id)
    }

    /// Every role link made, in order.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// What was said in this session.
    #[must_use]
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// Polls and quizzes of this session.
    #[must_use]
    pub fn polls(&self) -> &Polls {
        &self.polls
    }

    /// Whether somebody in the room is blocked from the chat.
    #[must_use]
    pub fn is_chat_blocked(&self, id: ParticipantId) -> bool {
        self.participant(id).is_some_and(|person| self.chat.is_blocked(&person.identity))
    }

    /// Name of somebody who moderates, for texts.
    #[must_use]
    pub fn actor_name(&self, actor: Actor) -> &str {
        match actor {
            Actor::Person(id) => self.people.get(&id).map_or("somebody", |person| &person.name),
            Actor::Portal => "the organiser",
        }
    }

    /// When [`Command::PassTime`](crate::Command::PassTime) will have something to do next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        if self.has_ended() {
            return None;
        }
        let grace = self.lost.first().map(|(since, _)| since.plus(self.settings.grace_ms));
        let empty = self.empty_since.filter(|_| self.settings.empty_after_ms > 0);
        let end = empty.map(|since| since.plus(self.settings.empty_after_ms));
        let question = self.polls.open().and_then(Poll::deadline);
        grace.into_iter().chain(end).chain(question).min()
    }

    pub(crate) fn link(&self, id: LinkId) -> Option<&Link> {
        self.links.get(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }

    pub(crate) fn next_link(&self) -> LinkId {
        LinkId(u32::try_from(self.links.len() + 1).expect("links are limited"))
    }

    /// Makes `event`, which happened at `at`, part of the state. Events come from [`Stage::decide`] on this very
    /// state; one about a person who is not there changes nothing.
    pub fn apply(&mut self, at: Millis, event: &Event) {
        match event {
            Event::Opened { title, settings } => {
                self.title.clone_from(title);
                self.cameras = Cameras::new(settings.camera_limit);
                self.settings = settings.clone();
                self.chat.begin();
                self.polls.begin();
                (self.ended, self.empty_since, self.locked) = (None, Some(at), false);
            }
            Event::Entered { id, identity, name, role, link } => {
                self.entries = self.entries.max(id.0);
                self.identities.insert(identity.clone(), *id);
                if let Some(link) = link.and_then(|link| self.link_mut(link)).filter(|link| link.personal) {
                    link.used_by = Some(identity.clone());
                }
                let person = Participant {
                    id: *id,
                    identity: identity.clone(),
                    name: name.clone(),
                    role: *role,
                    place: Place::Viewer(Claim::None),
                    hand: None,
                    connection: Connection::Up,
                    decided_by: None,
                };
                self.people.insert(*id, person);
                self.empty_since = None;
            }
            Event::Left { id, why } => self.leave(at, *id, *why),
            Event::ConnectionLost { id } => self.lose(at, *id),
            Event::ConnectionBack { id } => {
                if let Some(person) = self.people.get_mut(id)
                    && let Connection::Lost { since } = std::mem::replace(&mut person.connection, Connection::Up)
                {
                    self.lost.remove(&(since, *id));
                }
            }
            Event::Asked { id } => {
                let request = self.queue_up(at);
                self.set_claim(*id, Claim::Asked(request));
                if let Some(person) = self.people.get_mut(id) {
                    person.decided_by = None;
                }
            }
            Event::RequestCancelled { id } | Event::RequestClosed { id } => self.set_claim(*id, Claim::None),
            Event::Declined { id, by } | Event::ReturnDeclined { id, by } => {
                self.note_decision(*id, *by);
                self.set_claim(*id, Claim::None);
            }
            Event::Invited { id, by } => {
                let claim = self.people.get(id).and_then(Participant::claim).copied().unwrap_or_default();
                if matches!(claim, Claim::Asked(_)) {
                    self.note_decision(*id, *by);
                }
                self.set_claim(*id, Claim::Invited { by: *by, may_return: claim == Claim::MayReturn });
            }
            Event::InvitationWithdrawn { id, .. } | Event::InvitationDeclined { id, .. } => {
                let claim = self.people.get(id).and_then(Participant::claim);
                let may_return = matches!(claim, Some(Claim::Invited { may_return: true, .. }));
                self.set_claim(*id, if may_return { Claim::MayReturn } else { Claim::None });
            }
            Event::CameOnStage { id } => {
                let Queued { order, .. } = self.queue_up(at);
                if let Some(person) = self.people.get_mut(id) {
                    let on_stage = OnStage { order, mic: false, camera: false, speech: Speech::Silent { since: at } };
                    let (since, order) = on_stage.eviction_rank();
                    self.ranks.insert((since, order, *id));
                    person.place = Place::OnStage(on_stage);
                }
            }
            Event::WentOffStage { id, why } => {
                if let Some(on_stage) = self.people.get(id).and_then(Participant::on_stage) {
                    let (since, order) = on_stage.eviction_rank();
                    self.ranks.remove(&(since, order, *id));
                }
                self.set_claim(
                    *id,
                    match why {
                        OffStage::StageFull { .. } | OffStage::StageSmaller { .. } => Claim::MayReturn,
                        OffStage::Removed { .. } | OffStage::LeftRoom => Claim::None,
                    },
                );
            }
            Event::MicOn { id } => {
                if let Some(on_stage) = self.on_stage_mut(*id) {
                    on_stage.mic = true;
                    let speech = on_stage.speech;
                    self.voices.open(*id, speech);
                }
            }
            Event::MicOff { id, .. } => {
                let speaking = self.on_stage_mut(*id).is_some_and(|on_stage| {
                    on_stage.mic = false;
                    on_stage.speech.is_speaking()
                });
                if speaking {
                    self.set_speech(*id, Speech::Silent { since: at });
                }
                self.voices.close(*id);
            }
            Event::CameraOn { id } => {
                if let Some(on_stage) = self.on_stage_mut(*id) {
                    on_stage.camera = true;
                    self.cameras.switch_on(*id);
                }
            }
            Event::CameraOff { id, .. } => {
                if let Some(on_stage) = self.on_stage_mut(*id) {
                    on_stage.camera = false;
                }
                self.cameras.switch_off(*id);
            }
            Event::CameraMapped { slot, generation, occupant } => {
                self.cameras.map(*slot, Occupancy { generation: *generation, occupant: *occupant });
            }
            Event::VoiceMapped { slot, generation, occupant } => {
                self.voices.map(*slot, Occupancy { generation: *generation, occupant: *occupant });
            }
            Event::SpeechStarted { id } => self.set_speech(*id, Speech::Speaking { since: at }),
            Event::SpeechStopped { id } => self.set_speech(*id, Speech::Silent { since: at }),
            Event::HandRaised { id } => {
                let hand = self.queue_up(at);
                if let Some(person) = self.people.get_mut(id) {
                    person.hand = Some(hand);
                }
            }
            Event::HandLowered { id, .. } => {
                if let Some(person) = self.people.get_mut(id) {
                    person.hand = None;
                }
            }
            Event::AccessChanged { access, .. } => self.settings.access = *access,
            Event::CapacityChanged { capacity, .. } => self.settings.capacity = *capacity,
            Event::CameraLimitChanged { limit, .. } => {
                self.settings.camera_limit = *limit;
                self.cameras.set_limit(*limit);
            }
            Event::PermissionChanged { ability, allowed, .. } => self.settings.permissions.set(*ability, *allowed),
            Event::Locked { .. } => self.locked = true,
            Event::Unlocked { .. } => self.locked = false,
            Event::LinkMade { link, role, expires, personal, .. } => {
                let (id, role, expires, personal) = (*link, *role, *expires, *personal);
                self.links.push(Link { id, role, expires, personal, revoked: false, used_by: None });
            }
            Event::LinkRevoked { link, .. } => {
                if let Some(link) = self.link_mut(*link) {
                    link.revoked = true;
                }
            }
            Event::Said { message, id, channel, text } => {
                if let Some(Participant { name, role, .. }) = self.people.get(id) {
                    let (id, from, name, role, text) = (*message, *id, name.clone(), *role, text.clone());
                    self.chat.say(Message { id, from, name, role, at, channel: *channel, text });
                }
            }
            Event::MessageDeleted { message, .. } => self.chat.delete(*message),
            Event::MessagePinned { message, .. } => self.chat.pin(*message),
            Event::ChatCleared { .. } => self.chat.clear(),
            Event::ChatBlocked { id, .. } => self.set_chat_blocked(*id, true),
            Event::ChatUnblocked { id, .. } => self.set_chat_blocked(*id, false),
            Event::PollMade { poll, by, quick, content } => self.polls.make(at, *poll, *by, *quick, content.clone()),
            Event::PollAdvanced { poll, to, .. } => self.polls.advance(at, *poll, *to),
            Event::PollDeleted { poll, .. } => self.polls.delete(*poll),
            Event::Answered { poll, id, question, choices } => {
                if let Some(person) = self.people.get(id) {
                    let who = (person.identity.clone(), *id, person.name.clone());
                    self.polls.answer(at, *poll, who, *question, *choices);
                }
            }
            Event::PresentingStarted { id, sound, generation } => {
                self.screen =
                    Screen { slot: Occupancy { generation: *generation, occupant: Some(*id) }, sound: *sound };
            }
            Event::PresentingStopped { generation, .. } => {
                self.screen = Screen { slot: Occupancy { generation: *generation, occupant: None }, sound: false };
            }
            Event::Ended { .. } => {
                self.people.clear();
                self.identities.clear();
                self.ranks.clear();
                self.lost.clear();
                self.cameras = Cameras::new(self.settings.camera_limit);
                self.voices = Voices::new();
                self.screen = Screen::default();
                (self.ended, self.empty_since) = (Some(at), None);
            }
            Event::Restarted => {
                let up = |person: &&Participant| person.connection == Connection::Up;
                let up: Vec<_> = self.people.values().filter(up).map(|person| person.id).collect();
                for id in up {
                    if self.on_stage_mut(id).is_some_and(|on_stage| on_stage.speech.is_speaking()) {
                        self.set_speech(id, Speech::Silent { since: at });
                    }
                    self.lose(at, id);
                }
            }
            // Told to people; the state they describe is in the mappings, or nowhere.
            Event::CameraWaiting { .. } | Event::CameraShownAgain { .. } | Event::AskedToUnmute { .. } => {}
        }
    }

    fn leave(&mut self, at: Millis, id: ParticipantId, why: Leaving) {
        let Some(person) = self.people.remove(&id) else { return };
        self.identities.remove(&person.identity);
        if let Connection::Lost { since } = person.connection {
            self.lost.remove(&(since, id));
        }
        if matches!(why, Leaving::Removed { .. }) {
            self.removed.insert(person.identity);
        }
        if self.people.is_empty() {
            self.empty_since = Some(at);
        }
    }

    fn lose(&mut self, at: Millis, id: ParticipantId) {
        if let Some(person) = self.people.get_mut(&id) {
            person.connection = Connection::Lost { since: at };
            self.lost.insert((at, id));
        }
    }

    fn set_chat_blocked(&mut self, id: ParticipantId, blocked: bool) {
        if let Some(person) = self.people.get(&id) {
            self.chat.set_blocked(person.identity.clone(), blocked);
        }
    }

    fn set_claim(&mut self, id: ParticipantId, claim: Claim) {
        if let Some(person) = self.people.get_mut(&id) {
            person.place = Place::Viewer(claim);
        }
    }

    fn note_decision(&mut self, id: ParticipantId, by: Actor) {
        let name = self.actor_name(by).to_owned();
        if let Some(person) = self.people.get_mut(&id) {
            person.decided_by = Some(name);
        }
    }

    /// The next place in a queue. Stage, requests and hands count together: only their order matters.
    fn queue_up(&mut self, since: Millis) -> Queued {
        self.orders += 1;
        Queued { order: self.orders, since }
    }

    fn set_speech(&mut self, id: ParticipantId, speech: Speech) {
        let Some(on_stage) = self.on_stage_mut(id) else { return };
        let (before, order) = on_stage.eviction_rank();
        on_stage.speech = speech;
        let (now, _) = on_stage.eviction_rank();
        self.ranks.remove(&(before, order, id));
        self.ranks.insert((now, order, id));
        self.voices.set_speech(id, speech);
    }

    fn on_stage_mut(&mut self, id: ParticipantId) -> Option<&mut OnStage> {
        match &mut self.people.get_mut(&id)?.place {
            Place::OnStage(on_stage) => Some(on_stage),
            Place::Viewer(_) => None,
        }
    }

    fn link_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.links.get_mut(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }
}
