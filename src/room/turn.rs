//! A turn of a room: what was decided, and what is done about it once that is in the journal.

use std::collections::BTreeSet;

use dais_media::sdp::Offer;
use dais_media::{ConnectionId, RoomChange, Wishes};
use dais_signaling::protocol::{Channel, IceCredentials, Notice, Refused, ServerMessage, SessionError};
use dais_signaling::{Admitted, Entering, Outgoing, Reason, SessionQueue, Wish};
use dais_stage::{Codec, Command, Event, Leaving, ParticipantId, Refusal};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::gates::{GateChanges, media_id, permits};
use super::inviting::Inviting;
use super::notices::{To, notices};
use super::sessions::{Joining, LastOfMedia, Session};
use super::{Room, feature, roster};
use crate::journal::{JournalError, Record, wall_clock};
use crate::metrics::JoinPhase;

/// A snapshot is kept after so many records: what a restart has to replay.
const RECORDS_PER_SNAPSHOT: u64 = 10_000;

/// Where there are more sessions than this, what people write is told at every second tick: each telling is a write to
/// everybody, and a chat that goes that fast cannot be read anyway.
const CROWD: usize = 1_000;

/// What has been decided and applied, and is not in the journal yet.
#[derive(Default)]
pub(super) struct Turn {
    records: Vec<Record>,
    pub(super) gates: GateChanges,
    /// Whose media ends.
    disconnects: BTreeSet<ParticipantId>,
    /// Viewers whose relation to the stage has changed.
    relations: BTreeSet<ParticipantId>,
    /// In the order they are done.
    pub(super) deeds: Vec<Deed>,
    /// It is time to tell what could wait.
    pub(super) tick: bool,
}

/// Something that is done when the turn is in the journal and in force.
pub(super) enum Deed {
    Answer { to: ParticipantId, message: ServerMessage },
    Notice { to: To, notice: Notice },
    Enter { id: ParticipantId, entering: Box<Entering>, offer: Option<Offer>, refused: Option<Reason> },
    TurnBack { request: u32, queue: SessionQueue, entered: oneshot::Sender<Result<Admitted, Reason>>, reason: Reason },
    Connect { id: ParticipantId, request: u32, asked: Instant, offer: Offer },
    RestartIce { id: ParticipantId, connection: Option<ConnectionId>, answer: oneshot::Sender<Restarted> },
    NewPath { id: ParticipantId, request: u32, connection: Option<ConnectionId> },
    Watch { id: ParticipantId, wishes: Wishes },
    Close { queue: SessionQueue, reason: Reason },
    Portal { answer: oneshot::Sender<Result<(), Reason>>, result: Result<(), Reason> },
    Invite(Inviting),
    WithdrawMail(u32),
}

/// What somebody sends and receives over, who comes in.
#[derive(Default)]
struct Media {
    answer: Option<String>,
    connection: Option<ConnectionId>,
    /// Where it is the one from before.
    ice: Option<IceCredentials>,
}

/// The server's credentials after an ICE restart.
type Restarted = Result<IceCredentials, Reason>;

impl Deed {
    /// It could not be written, so it is not done. Nobody is left waiting for it.
    fn undone(self) {
        let reason = SessionError::JournalFailed;
        match self {
            Self::Enter { entering, .. } => entering.queue.close(reason),
            Self::TurnBack { queue, .. } | Self::Close { queue, .. } => queue.close(reason),
            Self::Portal { answer, .. } => drop(answer.send(Err(reason.into()))),
            Self::Invite(inviting) => inviting.undone(),
            Self::RestartIce { answer, .. } => drop(answer.send(Err(reason.into()))),
            Self::Answer { .. }
            | Self::Notice { .. }
            | Self::Connect { .. }
            | Self::NewPath { .. }
            | Self::Watch { .. }
            | Self::WithdrawMail(_) => {}
        }
    }
}

impl Room {
    /// Decides, and makes what comes of it part of the stage. Nobody has been told, and no packet knows of it, until
    /// the turn is finished.
    pub(super) fn enact(&mut self, command: &Command) -> Result<(), Refusal> {
        let at = wall_clock();
        let events = self.stage.decide(at, command)?;
        for event in events {
            self.stage.apply(at, &event);
            self.note(&event);
            self.turn.records.push(Record { at, event });
        }
        Ok(())
    }

    fn note(&mut self, event: &Event) {
        self.shared.metrics.stage.note(event);
        self.turn.gates.note(event);
        self.news.note(event);
        self.chat_news.note(event);
        self.poll_news.note(event);
        if let Some(link) = self.invitations.note(event) {
            self.turn.deeds.push(Deed::WithdrawMail(link));
        }
        for (to, notice) in notices(&self.stage, event) {
            self.turn.deeds.push(Deed::Notice { to, notice });
        }
        // Whoever cannot be heard does not speak most.
        if let Event::MicOff { id, .. } | Event::ConnectionLost { id } = *event
            && self.loudness.forget(media_id(id))
        {
            self.news.note_dominant();
        }
        match *event {
            Event::Left { id, why } => {
                self.turn.disconnects.insert(id);
                if let Leaving::Removed { by } = why
                    && let Some(session) = self.sessions.remove(id, None)
                {
                    let text = format!("{} removed you from the room.", self.stage.actor_name(by));
                    let reason = Reason { text, ..SessionError::RemovedFromRoom.into() };
                    self.turn.deeds.push(Deed::Close { queue: session.queue, reason });
                }
            }
            Event::ConnectionLost { id } => {
                self.turn.disconnects.insert(id);
            }
            Event::Asked { id }
            | Event::RequestCancelled { id }
            | Event::RequestClosed { id }
            | Event::Declined { id, .. }
            | Event::ReturnDeclined { id, .. }
            | Event::Invited { id, .. }
            | Event::InvitationWithdrawn { id, .. }
            | Event::InvitationDeclined { id, .. }
            | Event::CameOnStage { id }
            | Event::WentOffStage { id, .. } => {
                self.turn.relations.insert(id);
            }
            _ => {}
        }
    }

    /// Writes the turn to the journal, puts it in force, and then answers and tells.
    pub(super) async fn finish_turn(&mut self) -> Result<(), JournalError> {
        loop {
            let Turn { records, mut gates, disconnects, relations, deeds, tick } = std::mem::take(&mut self.turn);
            if !records.is_empty()
                && let Err(error) = self.write(records).await
            {
                self.shared.metrics.journal_failed();
                deeds.into_iter().for_each(Deed::undone);
                return Err(error);
            }
            for id in disconnects {
                self.shared.media.disconnect(self.id, media_id(id)).await;
            }
            let [closing, mut opening] = gates.take();
            let view = feature::view(&self.stage, self.dominant(), self.view);
            if std::mem::replace(&mut self.view, view) != view {
                opening.push(RoomChange::Show(view));
            }
            for changes in [closing, opening] {
                if !changes.is_empty() {
                    self.shared.media.change(self.id, changes).await;
                }
            }
            for deed in deeds {
                self.carry_out(deed).await;
            }
            let now = wall_clock();
            for id in &relations {
                let relation = roster::relation(&self.stage, *id, now);
                self.sessions.tell(To::One(*id), &ServerMessage::Relation { relation });
            }
            self.tell_codec(relations.into_iter());
            self.tell_news(tick);
            // A session that was over before it was in makes for another round.
            if self.turn.records.is_empty() && self.turn.deeds.is_empty() {
                return Ok(());
            }
        }
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<(), JournalError> {
        let (shared, count) = (&self.shared, records.len() as u64);
        let timer = shared.metrics.time_journal();
        shared.journal.append(&self.info.id, self.position, records).await?;
        drop(timer);
        let before = self.position;
        self.position += count;
        shared.hooks.wake(&self.info.id);
        if before / RECORDS_PER_SNAPSHOT != self.position / RECORDS_PER_SNAPSHOT {
            shared.journal.keep_snapshot(&self.info.id, self.position, &self.stage).await;
        }
        self.census_is_old = true;
        Ok(())
    }

    async fn carry_out(&mut self, deed: Deed) {
        match deed {
            Deed::Answer { to, message } => self.sessions.tell(To::One(to), &message),
            Deed::Notice { to, notice } => self.sessions.tell(to, &ServerMessage::Notice { notice }),
            Deed::Enter { id, entering, offer, refused } => self.let_in(id, *entering, offer, refused).await,
            Deed::TurnBack { request, queue, entered, reason } => {
                let Reason { code, text } = reason.clone();
                let error = ServerMessage::Error { id: Some(request), code: code.to_owned(), text };
                let _ = queue.push(Outgoing::message(&error));
                let _ = entered.send(Err(reason));
            }
            // Media without a session would go on after its person fell off.
            Deed::Connect { id, .. } if self.sessions.get(id).is_none() => {}
            Deed::Connect { id, request, asked, offer } => {
                let decodes = offer.session.decodes(self.codec());
                let message = match self.connect(id, offer).await {
                    Ok((sdp, connection)) => {
                        if let Some(mut session) = self.sessions.remove(id, None) {
                            (session.connection, session.decodes) = (Some(connection), decodes);
                            session.joining = Some(Joining { asked, answered: Instant::now() });
                            self.sessions.insert(id, session);
                        }
                        ServerMessage::Answer { id: request, sdp }
                    }
                    Err(Reason { code, text }) => {
                        ServerMessage::Error { id: Some(request), code: code.to_owned(), text }
                    }
                };
                self.sessions.tell(To::One(id), &message);
            }
            Deed::RestartIce { id, connection, answer } => {
                let _ = answer.send(self.restart_ice(id, connection).await);
            }
            Deed::NewPath { id, request, connection } => {
                let message = match self.restart_ice(id, connection).await {
                    Ok(ice) => ServerMessage::Ice { id: request, ice },
                    Err(Reason { code, text }) => {
                        ServerMessage::Error { id: Some(request), code: code.to_owned(), text }
                    }
                };
                self.sessions.tell(To::One(id), &message);
            }
            Deed::Watch { id, wishes } => self.shared.media.watch(self.id, media_id(id), wishes).await,
            Deed::Close { queue, reason } => queue.close(reason),
            Deed::Invite(inviting) => self.save_invitations(inviting),
            Deed::WithdrawMail(link) => self.withdraw_mail(vec![link]),
            Deed::Portal { answer, result } => {
                let _ = answer.send(result);
            }
        }
    }

    async fn let_in(&mut self, id: ParticipantId, entering: Entering, offer: Option<Offer>, refused: Option<Reason>) {
        let Some(person) = self.stage.participant(id) else {
            // Removed in the same turn.
            return entering.queue.close(SessionError::RemovedFromRoom);
        };
        let moderates = person.role.moderates();
        let (asked, codec) = (entering.asked, self.codec());
        let keeps_media = matches!(entering.wish, Wish::Visit { keep_media: true, .. });
        let decodes = match &offer {
            _ if keeps_media => self.sessions.get(id).is_none_or(|older| older.decodes),
            offer => offer.as_ref().is_none_or(|offer| offer.session.decodes(codec)),
        };
        let media = match offer {
            _ if keeps_media => self.kept(id).await,
            None => Ok(Media::default()),
            Some(offer) => self.connect(id, offer).await.map(|(answer, connection)| Media {
                answer: Some(answer),
                connection: Some(connection),
                ..Media::default()
            }),
        };
        let Media { answer, connection, ice } = match media {
            Ok(media) => media,
            Err(reason) => {
                entering.queue.close(reason);
                return self.lose(id);
            }
        };
        let complete = self.news.is_complete();
        let entered = ServerMessage::Entered {
            id: entering.id,
            you: id.0,
            token: entering.token,
            relation: roster::relation(&self.stage, id, wall_clock()),
            state: roster::room_state(&self.stage, self.dominant(), complete, Some(id)),
            answer: answer.clone(),
            ice: ice.clone(),
            refused: refused.map(|Reason { code, text }| Refused { code: code.to_owned(), text }),
            codec: if decodes { self.codec_in_use() } else { Codec::Vp8 }.into(),
        };
        let knows = self.sessions.broadcasts();
        let mut session = Session {
            id: entering.session,
            queue: entering.queue,
            connection,
            decodes,
            joining: answer.as_ref().map(|_| Joining { asked, answered: Instant::now() }),
            moderates,
            lagging: false,
            knows,
            over: false,
            gone: None,
            last: LastOfMedia::default(),
        };
        session.say(Outgoing::message(&entered));
        self.shared.metrics.joined(JoinPhase::Enter, asked.elapsed());
        if moderates {
            session.say(Outgoing::message(&roster::queue(&self.stage, wall_clock())));
        }
        if let Some(older) = self.sessions.remove(id, None) {
            // Its media go on, or both came in with this turn.
            older.queue.close(SessionError::Replaced);
            if older.connection == session.connection {
                session.last = older.last;
                let LastOfMedia { camera, screen, held } = session.last.clone();
                [camera, screen, held].into_iter().flatten().for_each(|message| session.say(message));
            }
        }
        let goes_on = session.has_media();
        // A session that ended while it was coming in.
        if entering.entered.send(Ok(Admitted { participant: id, answer })).is_err() {
            session.gone = Some(Instant::now());
        }
        let is_over = session.gone.is_some() && !goes_on;
        self.sessions.insert(id, session);
        if is_over {
            self.lose(id);
        }
    }

    async fn connect(&self, id: ParticipantId, offer: Offer) -> Result<(String, ConnectionId), Reason> {
        let permits = self.stage.participant(id).map(|person| permits(&self.stage, person)).unwrap_or_default();
        let start = Instant::now();
        let connected = self.shared.media.connect(self.id, media_id(id), offer, permits).await;
        self.shared.metrics.joined(JoinPhase::Answer, start.elapsed());
        connected.map_err(|_| SessionError::Internal.into())
    }

    /// The media connection of somebody who comes back to it.
    async fn kept(&self, id: ParticipantId) -> Result<Media, Reason> {
        let connection = self.sessions.get(id).and_then(|session| session.connection);
        let ice = self.restart_ice(id, connection).await?;
        Ok(Media { connection, ice: Some(ice), ..Media::default() })
    }

    async fn restart_ice(&self, id: ParticipantId, connection: Option<ConnectionId>) -> Restarted {
        let connection = connection.ok_or(SessionError::MediaLost)?;
        let restarted = self.shared.media.restart_ice(self.id, media_id(id), connection).await;
        let ice = restarted.map_err(|_| SessionError::Internal)?.ok_or(SessionError::MediaLost)?;
        Ok(IceCredentials { ufrag: ice.ufrag.as_str().to_owned(), pwd: ice.pwd })
    }

    /// Tells everyone what is new, and those who could not keep up everything. What is new while a broadcast is on its
    /// way waits, and is told together; in a large room it waits for the next tick.
    fn tell_news(&mut self, tick: bool) {
        if self.sessions.is_broadcasting() || !(tick || self.news.is_urgent() && self.news.is_complete()) {
            return;
        }
        let everybody_anew = self.news.resize(&self.stage);
        let dominant = self.dominant();
        let (news, own) = self.news.take(&self.stage, dominant, tick);
        let now = wall_clock();
        // Hundreds of people may write at once: what they say is told together.
        let chats = tick && (self.sessions.count() <= CROWD || self.news.is_even_tick());
        let said = chats.then(|| self.chat_news.take(&self.stage, Channel::Everyone, now)).flatten();
        let polls: Vec<_> = if tick { self.poll_news.take(&self.stage, now).collect() } else { Vec::new() };
        let told: Vec<_> = news.iter().chain(&said).chain(&polls).map(Outgoing::message).collect();
        if !told.is_empty() {
            self.sessions.broadcast(told);
        }
        if tick && let Some(said) = self.chat_news.take(&self.stage, Channel::Moderators, now) {
            self.sessions.tell(To::Moderators, &said);
        }
        if tick && let Some(polls) = self.poll_news.take_for_moderators(&self.stage, now) {
            self.sessions.tell(To::Moderators, &polls);
        }
        let (complete, stage, knows) = (self.news.is_complete(), &self.stage, self.sessions.broadcasts());
        let state = |you| {
            let state = roster::room_state(stage, dominant, complete, you);
            Outgoing::message(&ServerMessage::State { state })
        };
        let mut shared_state = None;
        for (id, session) in self.sessions.all_mut() {
            session.lagging |= everybody_anew;
            if session.lagging && session.queue.is_empty() {
                let you = (!complete).then_some(id);
                let whole = match you {
                    Some(_) => state(you),
                    None => shared_state.get_or_insert_with(|| state(None)).clone(),
                };
                session.knows = knows;
                session.update(whole);
                self.shared.metrics.count_snapshot();
            }
        }
        for id in own {
            // Whoever lags has their entry in the state that is to come.
            if let Some(session) = self.sessions.get_mut(id).filter(|session| !session.lagging)
                && let Some(entry) = roster::own_entry(stage, id)
            {
                session.update(Outgoing::message(&entry));
            }
        }
        if tick {
            self.tell_invitations();
        }
        if tick && self.news.take_queue() {
            self.sessions.tell(To::Moderators, &roster::queue(&self.stage, now));
        }
    }
}
