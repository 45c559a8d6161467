//! The task of one room. It owns the stage and the sessions, and is the only one that changes either.
//!
//! It works in turns. A turn takes what has arrived, and for each command decides and applies. Then, for the whole turn:
//!
//! 1. the events are written to the journal,
//! 2. the data plane carries them out, on all workers,
//! 3. people are answered and told.
//!
//! So what a person has been told is on disk, and is true of every packet. If the journal fails, nobody is told, and
//! the room is built again from what the journal has.

mod chat;
mod codec;
mod entering;
mod feature;
mod gates;
mod inviting;
mod listing;
mod notices;
pub(crate) mod polls;
mod requests;
mod roster;
mod sessions;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use dais_media::limits::CAMERA_SLOTS;
use dais_media::sdp::{Offer, SdpError};
use dais_media::{DECIDE_EVERY, DominantSpeaker, MediaEvent, MediaKind, MediaPlane, RoomId, Slot, View};
use dais_signaling::protocol::{ClientMessage, RoomInfo, ServerMessage, SessionError};
use dais_signaling::token::TokenKeys;
use dais_signaling::{Entering, Outgoing, Reason, RoomMessage, SessionId, Wish};
use dais_stage::{Ability, Codec, Command, Link, Millis, Participant, ParticipantId, Refusal, Stage};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use tracing::{Instrument as _, debug, info_span, warn};

use crate::journal::{self, Journal, JournalError, wall_clock};
use crate::mail::Mail;
use crate::metrics::{Census, JoinPhase, Metrics};
use crate::store::StoreError;
use crate::tokens::sign_link;
use crate::webhook::{Cursors, Hooks};
use chat::ChatNews;
use entering::parsed_offer;
use inviting::{Invitations, Inviter, Inviting};
use listing::Searches;
use polls::PollNews;
use requests::Request;
use roster::News;
use sessions::{BROADCAST_PAUSE, Sessions};
use turn::{Deed, Turn};

/// What changes fast is told this often.
const TICK: Duration = Duration::from_millis(100);
/// Most messages in one turn. What waits while the journal writes is written together next.
const TURN_MESSAGES: usize = 256;
/// How long a room whose journal has failed waits before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What all rooms of the server use.
pub(crate) struct Shared {
    pub(crate) media: Arc<MediaPlane>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) mail: Arc<Mail>,
    pub(crate) hooks: Hooks,
    pub(crate) cursors: Arc<Cursors>,
    pub(crate) keys: TokenKeys,
}

/// Why a room's task is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The session ended.
    Ended,
    /// The server stops.
    Stopped,
}

/// What was done outside of the room's task.
enum Done {
    Enter(Box<Entering>, Result<Option<Offer>, SdpError>),
    Offer {
        session: SessionId,
        participant: ParticipantId,
        request: u32,
        asked: Instant,
        offer: Result<Offer, SdpError>,
    },
    /// Invitations were written to the outbox, or not.
    Invited(Inviting, Result<(), StoreError>),
}

/// See the module.
pub(crate) struct Room {
    id: RoomId,
    info: RoomInfo,
    stage: Stage,
    /// How many records the journal has.
    position: u64,
    sessions: Sessions,
    news: News,
    chat_news: ChatNews,
    poll_news: PollNews,
    invitations: Invitations,
    searches: Searches,
    /// Finds who speaks most.
    loudness: DominantSpeaker,
    /// What players with one picture and one voice are shown.
    view: View,
    turn: Turn,
    /// What people on stage were told to send pictures in.
    codec_told: Codec,
    /// What the metrics have of this room, and whether there has been a change since.
    census: Census,
    census_is_old: bool,
    done: (mpsc::UnboundedSender<Done>, mpsc::UnboundedReceiver<Done>),
    shared: Arc<Shared>,
}

impl Room {
    /// A room with the stage that `position` records of its journal have made.
    pub(crate) fn new(id: RoomId, info: RoomInfo, stage: Stage, position: u64, shared: Arc<Shared>) -> Self {
        let (news, chat_news, poll_news) = (News::new(&stage), ChatNews::default(), PollNews::default());
        let done = mpsc::unbounded_channel();
        let turn = Turn::default();
        let invitations = Invitations::new(shared.mail.listen(&info.id));
        let (sessions, loudness, view) = (Sessions::default(), DominantSpeaker::new(), View::FIRST);
        let (census, census_is_old, codec_told) = (Census::default(), true, stage.settings().codec);
        Self {
            id,
            info,
            stage,
            position,
            sessions,
            news,
            chat_news,
            poll_news,
            invitations,
            searches: Searches::new(),
            loudness,
            view,
            codec_told,
            turn,
            census,
            census_is_old,
            done,
            shared,
        }
    }

    /// Runs until the session has ended or the server stops.
    pub(crate) async fn run(mut self, mut messages: mpsc::Receiver<RoomMessage>) -> Over {
        let span = info_span!("room", id = self.id.0);
        async {
            loop {
                match self.serve(&mut messages).await {
                    Ok(over) => {
                        let reason = match over {
                            Over::Ended => SessionError::SessionEnded,
                            Over::Stopped => SessionError::ShuttingDown,
                        };
                        self.close(reason).await;
                        messages.close();
                        while let Some(message) = messages.recv().await {
                            turn_away(message, reason);
                        }
                        return over;
                    }
                    Err(error) => {
                        warn!(%error, "the journal failed: building the room again");
                        self.close(SessionError::JournalFailed).await;
                        if self.rebuild(&mut messages).await == Some(Over::Stopped) {
                            return Over::Stopped;
                        }
                    }
                }
            }
        }
        .instrument(span)
        .await
    }

    async fn serve(&mut self, messages: &mut mpsc::Receiver<RoomMessage>) -> Result<Over, JournalError> {
        let mut media = self.shared.media.open_room(self.id).await;
        self.view = View::FIRST;
        self.turn.gates.note_slots(&self.stage);
        self.read_invitations().await;
        // Whoever is in the journal was connected to a process that is gone.
        let _ = self.enact(&Command::Restart);
        self.finish_turn().await?;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut decisions = interval(DECIDE_EVERY);
        decisions.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut portions = interval(BROADCAST_PAUSE);
        portions.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard, mut done, mut arrived) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            tokio::select! {
                biased;
                // Ticks and media are few and bounded: no amount of commands keeps them waiting.
                _ = ticks.tick() => self.tick(),
                _ = decisions.tick() => self.decide_dominant(),
                _ = portions.tick(), if self.sessions.is_broadcasting() => self.sessions.broadcast_portion(),
                1.. = media.recv_many(&mut heard, TURN_MESSAGES) => {
                    heard.drain(..).for_each(|event| self.handle_media(event));
                }
                1.. = self.done.1.recv_many(&mut done, TURN_MESSAGES) => {
                    done.drain(..).for_each(|done| self.handle_done(done));
                }
                Some(change) = self.invitations.changes.recv() => self.invitations.note_change(change),
                count = messages.recv_many(&mut arrived, TURN_MESSAGES) => {
                    if count == 0 {
                        return Ok(Over::Stopped);
                    }
                    let mut arrived = arrived.drain(..);
                    while let Some(message) = arrived.next() {
                        if matches!(message, RoomMessage::Stop) {
                            // Whatever the journal says: what it has not is not done.
                            let _ = self.finish_turn().await;
                            arrived.for_each(|message| turn_away(message, SessionError::ShuttingDown));
                            return Ok(Over::Stopped);
                        }
                        self.handle(message);
                    }
                }
            }
            self.finish_turn().await?;
            if self.stage.has_ended() {
                return Ok(Over::Ended);
            }
        }
    }

    /// Ends all sessions, also of those on their way in, and media.
    async fn close(&mut self, reason: SessionError) {
        self.sessions.close(reason);
        while let Ok(parsed) = self.done.1.try_recv() {
            if let Done::Enter(entering, _) = parsed {
                entering.queue.close(reason);
            }
        }
        self.shared.media.close_room(self.id).await;
        self.shared.metrics.stage.recount(&mut self.census, Census::default());
    }

    /// Takes the stage from the journal, as soon as that can be read. Nobody comes in meanwhile.
    async fn rebuild(&mut self, messages: &mut mpsc::Receiver<RoomMessage>) -> Option<Over> {
        self.turn = Turn::default();
        loop {
            let retry = Instant::now() + RETRY_AFTER;
            while let Ok(message) = timeout_at(retry, messages.recv()).await {
                match message {
                    None | Some(RoomMessage::Stop) => return Some(Over::Stopped),
                    Some(message) => turn_away(message, SessionError::JournalFailed),
                }
            }
            match journal::rebuild(&*self.shared.journal, &self.info.id).await {
                Ok(Some((position, stage))) => {
                    (self.position, self.stage) = (position, stage);
                    (self.news, self.loudness) = (News::new(&self.stage), DominantSpeaker::new());
                    (self.chat_news, self.poll_news) = (ChatNews::default(), PollNews::default());
                    return None;
                }
                Ok(None) => warn!("the journal knows nothing of this room"),
                Err(error) => warn!(%error, "the journal still fails"),
            }
        }
    }

    /// Who speaks most.
    fn dominant(&self) -> Option<ParticipantId> {
        self.loudness.dominant().map(|id| ParticipantId(id.0))
    }

    fn decide_dominant(&mut self) {
        if let Some(id) = self.loudness.decide().map(|id| ParticipantId(id.0)) {
            self.news.note_dominant();
            self.shared.metrics.stage.dominant_changed();
            // Refused to whoever is heard already.
            let _ = self.enact(&Command::SpeaksMost { id });
        }
    }

    fn tick(&mut self) {
        self.pass_time();
        if std::mem::take(&mut self.census_is_old) {
            self.shared.metrics.stage.recount(&mut self.census, Census::of(&self.stage));
        }
        for id in self.sessions.over() {
            self.lose(id);
        }
        self.searches = Searches::new();
        self.turn.tick = true;
    }

    /// Whoever's grace time is over has left, also for those who are about to ask.
    fn pass_time(&mut self) {
        if self.stage.next_deadline().is_some_and(|due| due <= wall_clock()) {
            let _ = self.enact(&Command::PassTime);
        }
    }

    fn handle_media(&mut self, event: MediaEvent) {
        let (MediaEvent::Connected { participant, connection }
        | MediaEvent::Gone { participant, connection, .. }
        | MediaEvent::Speech { participant, connection, .. }
        | MediaEvent::Activity { participant, connection, .. }
        | MediaEvent::Demand { participant, connection, .. }
        | MediaEvent::Held { participant, connection, .. }) = event;
        let id = ParticipantId(participant.0);
        if let MediaEvent::Gone { why, .. } = event {
            self.shared.metrics.connection_ended(why);
        }
        let session = self.sessions.get_mut(id).filter(|session| session.connection == Some(connection));
        let Some(session) = session else {
            return debug!(participant = id.0, "news of a connection that was replaced");
        };
        match event {
            MediaEvent::Connected { .. } => {
                if let Some(joining) = session.joining.take() {
                    self.shared.metrics.joined(JoinPhase::Connect, joining.answered.elapsed());
                    self.shared.metrics.joined(JoinPhase::Total, joining.asked.elapsed());
                }
                debug!(participant = id.0, "media connected");
            }
            MediaEvent::Gone { .. } => {
                session.queue.close(SessionError::MediaLost);
                self.lose(id);
            }
            MediaEvent::Demand { kind, layers, .. } => {
                let screen = kind == MediaKind::Screen;
                let demand = Outgoing::message(&ServerMessage::Demand { screen, layers });
                let last = if screen { &mut session.last.screen } else { &mut session.last.camera };
                *last = Some(demand.clone());
                session.say(demand);
            }
            MediaEvent::Held { dropped, undecodable, .. } => {
                let slots = |bits: u32| (0..CAMERA_SLOTS as u8).filter(|slot| bits >> slot & 1 == 1).collect();
                let screen = (dropped | undecodable) >> Slot::SCREEN.index() & 1 == 1;
                let (cameras, undecodable) = (slots(dropped), slots(undecodable));
                let held = Outgoing::message(&ServerMessage::Held { cameras, undecodable, screen });
                session.last.held = Some(held.clone());
                session.say(held);
            }
            MediaEvent::Activity { activity, .. } => {
                // One of somebody just muted may have been on its way.
                if self.stage.participant(id).and_then(Participant::on_stage).is_some_and(|on_stage| on_stage.mic) {
                    self.loudness.report(participant, activity);
                }
            }
            MediaEvent::Speech { speaking, .. } => {
                let command = if speaking { Command::SpeechStarted { id } } else { Command::SpeechStopped { id } };
                // A refusal says that the person was muted or removed in between.
                if let Err(refusal) = self.enact(&command) {
                    debug!(code = refusal.code(), "speech came too late");
                }
            }
        }
    }

    fn handle(&mut self, message: RoomMessage) {
        match message {
            RoomMessage::Hello { visitor, answer } => {
                self.pass_time();
                let _ = answer.send(self.welcome(&visitor));
            }
            RoomMessage::Enter(entering) => match &entering.wish {
                Wish::Visit { offer: None, .. } => self.enter(*entering, None),
                _ => {
                    let codec = self.codec();
                    self.parse(move || {
                        let offer = parsed_offer(&entering.wish, codec);
                        Done::Enter(entering, offer)
                    });
                }
            },
            RoomMessage::Said { session, participant, message } => self.said(session, participant, message),
            RoomMessage::Gone { session, participant, left } => {
                match self.sessions.get_mut(participant).filter(|current| current.id == session) {
                    None => {}
                    Some(current) if !left && current.has_media() => current.gone = Some(Instant::now()),
                    Some(_) if !left => self.lose(participant),
                    Some(_) => {
                        self.sessions.remove(participant, None);
                        let _ = self.enact(&Command::Leave { id: participant });
                    }
                }
            }
            RoomMessage::RestartIce { session, participant, answer } => {
                let current = self.sessions.get(participant).filter(|current| current.id == session);
                let connection = current.and_then(|current| current.connection);
                self.turn.deeds.push(Deed::RestartIce { id: participant, connection, answer });
            }
            RoomMessage::Portal { command, answer } => {
                let result = self.enact(&command).map_err(|refusal| self.counted(refusal.into()));
                self.turn.deeds.push(Deed::Portal { answer, result });
            }
            RoomMessage::PortalLooks { answer } => {
                let _ = answer.send(roster::report(&self.stage, self.info.clone()));
            }
            RoomMessage::PortalLists { after, answer } => {
                let _ = answer.send(listing::everyone(&self.stage, after));
            }
            RoomMessage::PortalInvites { wanted, answer } => self.invite_by_mail(Inviter::Portal(answer), &wanted),
            RoomMessage::PortalListsInvitations { answer } => {
                let _ = answer.send(self.all_invitations());
            }
            RoomMessage::Stop => {}
        }
    }

    /// Parses an offer, which takes longer than everything else here, on another thread.
    fn parse(&self, parse: impl FnOnce() -> Done + Send + 'static) {
        let (done, shared, start) = (self.done.0.clone(), Arc::clone(&self.shared), Instant::now());
        tokio::spawn(async move {
            let parsed = parse();
            shared.metrics.joined(JoinPhase::Parse, start.elapsed());
            // The room may be gone by then.
            let _ = done.send(parsed);
        });
    }

    fn handle_done(&mut self, done: Done) {
        match done {
            Done::Enter(entering, Ok(offer)) => self.enter(*entering, offer),
            Done::Enter(entering, Err(error)) => self.turn_back(*entering, sdp_reason(&error)),
            Done::Offer { session, participant, request, asked, offer } => {
                if self.sessions.get(participant).is_none_or(|current| current.id != session) {
                    return;
                }
                match offer {
                    Ok(offer) => {
                        // The new connection has sent nothing yet, and sending nothing is silence. Refused to who was
                        // silent before.
                        let _ = self.enact(&Command::SpeechStopped { id: participant });
                        self.turn.deeds.push(Deed::Connect { id: participant, request, asked, offer });
                    }
                    Err(error) => self.refuse(participant, request, sdp_reason(&error)),
                }
            }
            Done::Invited(inviting, result) => self.invitations_saved(inviting, result),
        }
    }

    /// A connection is lost: the person keeps what they have for the grace time, and their media ends.
    fn lose(&mut self, id: ParticipantId) {
        self.sessions.remove(id, None);
        let _ = self.enact(&Command::LoseConnection { id });
    }

    fn said(&mut self, session: SessionId, by: ParticipantId, message: ClientMessage) {
        if self.sessions.get(by).is_none_or(|current| current.id != session) {
            return;
        }
        let Some(id) = message.id() else { return };
        let now = wall_clock();
        let answer = match requests::request(by, message, now) {
            None => return,
            Some(Request::Offer(sdp)) => {
                let (asked, codec) = (Instant::now(), self.codec());
                return self.parse(move || Done::Offer {
                    session,
                    participant: by,
                    request: id,
                    asked,
                    offer: Offer::parse(&sdp, codec),
                });
            }
            Some(Request::RestartIce) => {
                let connection = self.sessions.get(by).and_then(|current| current.connection);
                self.turn.deeds.push(Deed::NewPath { id: by, request: id, connection });
                return;
            }
            Some(Request::Watch(cameras)) => match requests::wishes(&cameras) {
                Ok(wishes) => {
                    self.turn.deeds.push(Deed::Watch { id: by, wishes });
                    Ok(ServerMessage::Ok { id })
                }
                Err(error) => Err(error.into()),
            },
            Some(Request::Viewers { after, search }) => {
                self.list_viewers(id, after, search.as_deref()).map_err(Reason::from)
            }
            Some(Request::Chat { channel, before }) => {
                let moderates = notices::moderates(&self.stage, by);
                chat::page(&self.stage, id, (channel, before), moderates, now).map_err(Reason::from)
            }
            Some(Request::Polls) => match self.stage.participant(by) {
                Some(person) => Ok(polls::list(&self.stage, id, person, now)),
                None => Err(Refusal::NotInRoom.into()),
            },
            Some(Request::React(reaction)) => self.stage.permits(by, Ability::React).map_err(Reason::from).map(|()| {
                self.poll_news.react(reaction);
                self.shared.metrics.stage.reacted();
                ServerMessage::Ok { id }
            }),
            Some(Request::Impossible(refusal)) => Err(refusal.into()),
            Some(Request::InviteByMail(wanted)) => {
                return self.invite_by_mail(Inviter::Host { id: by, request: id }, &wanted);
            }
            Some(Request::Invitations) => self.list_invitations(by, id),
            Some(Request::Links) => self.list_links(by, id, now),
            Some(Request::Stage(command)) => self.enact(&command).map_err(Reason::from).and_then(|()| match command {
                Command::MakeLink { .. } => self.sign_newest_link(id),
                _ => Ok(ServerMessage::Ok { id }),
            }),
        };
        match answer {
            Ok(message) => self.turn.deeds.push(Deed::Answer { to: by, message }),
            Err(reason) => self.refuse(by, id, reason),
        }
    }

    fn refuse(&mut self, to: ParticipantId, request: u32, reason: Reason) {
        let Reason { code, text } = self.counted(reason);
        let message = ServerMessage::Error { id: Some(request), code: code.to_owned(), text };
        self.turn.deeds.push(Deed::Answer { to, message });
    }

    fn counted(&self, reason: Reason) -> Reason {
        self.shared.metrics.count_refusal(reason.code);
        reason
    }

    fn list_links(&self, by: ParticipantId, id: u32, now: Millis) -> Result<ServerMessage, Reason> {
        if !notices::moderates(&self.stage, by) {
            return Err(Refusal::ModeratorsOnly.into());
        }
        let links = self.stage.links().iter().map(|link| link_entry(link, now));
        Ok(ServerMessage::Links { id, links: links.collect() })
    }

    fn sign_newest_link(&self, id: u32) -> Result<ServerMessage, Reason> {
        let link = self.stage.links().last().ok_or(SessionError::Internal)?;
        let token = sign_link(&self.shared.keys, &self.info.id, link.id.0, link.role, link.expires)?;
        Ok(ServerMessage::LinkMade { id, link: link.id.0, token })
    }
}

fn link_entry(link: &Link, now: Millis) -> dais_signaling::protocol::Link {
    let left = link.expires.0.saturating_sub(now.0) / 1_000;
    dais_signaling::protocol::Link {
        link: link.id.0,
        role: link.role.into(),
        personal: link.personal,
        used: link.used_by.is_some(),
        over: link.revoked || left == 0,
        valid_seconds: u32::try_from(left).unwrap_or(u32::MAX),
    }
}

fn sdp_reason(error: &SdpError) -> Reason {
    Reason { code: error.code(), text: error.to_string() }
}

/// Answers what was sent to a room that cannot take it.
fn turn_away(message: RoomMessage, reason: SessionError) {
    match message {
        RoomMessage::Hello { answer, .. } => drop(answer.send(Err(reason.into()))),
        RoomMessage::Enter(entering) => entering.queue.close(reason),
        RoomMessage::RestartIce { answer, .. } => drop(answer.send(Err(reason.into()))),
        RoomMessage::Portal { answer, .. } => drop(answer.send(Err(reason.into()))),
        RoomMessage::PortalInvites { answer, .. } => drop(answer.send(Err(reason.into()))),
        RoomMessage::Said { .. }
        | RoomMessage::Gone { .. }
        | RoomMessage::PortalLooks { .. }
        | RoomMessage::PortalLists { .. }
        | RoomMessage::PortalListsInvitations { .. }
        | RoomMessage::Stop => {}
    }
}
