//! The task of one room. It owns the stage and the sessions, and is the only one that changes either.
//!
//! For every command: decide, apply, let the data plane carry it out on all workers, and only then tell people. What
//! a person has been told is true of every packet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dais_media::sdp::{Offer, SdpError};
use dais_media::{ConnectionId, MediaEvent, MediaPlane, RoomId};
use dais_signaling::protocol::{ClientMessage, Place, ServerMessage, SessionError};
use dais_signaling::{Entering, NotQueued, Outgoing, RoomMessage, SessionQueue};
use dais_stage::{Command, EntryPlace, Event, Millis, ParticipantId, Refusal, Settings, Stage};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{Instrument as _, debug, info_span};

use crate::effects::{MediaChanges, News, media_id, notice, permits, room_state};
use crate::metrics::Metrics;

/// What changes fast is told this often.
const TICK: Duration = Duration::from_millis(100);

/// Somebody's session, as the room sees it.
struct Session {
    queue: SessionQueue,
    /// Which of its media connections is the current one.
    connection: Option<ConnectionId>,
    /// It could not take an update: it gets the whole state when it has taken what is queued.
    lagging: bool,
}

impl Session {
    /// Queues what must not be lost: an answer, a notice. A session that cannot even take these is over.
    fn say(&self, outgoing: Outgoing) {
        if self.queue.push(outgoing) == Err(NotQueued::Full) {
            self.queue.close(SessionError::TooSlow);
        }
    }

    /// Queues news, which a whole state makes up for.
    fn update(&mut self, outgoing: Outgoing) {
        self.lagging = self.queue.push(outgoing) == Err(NotQueued::Full);
    }
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Stage(#[from] Refusal),
    #[error(transparent)]
    Sdp(#[from] SdpError),
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl Refused {
    fn code(&self) -> &'static str {
        match self {
            Self::Stage(refusal) => refusal.code(),
            Self::Sdp(error) => error.code(),
            Self::Session(error) => error.code(),
        }
    }
}

/// An SDP answer, and the connection it is for.
type Connected = (String, ConnectionId);

/// See the module.
pub(crate) struct Room {
    id: RoomId,
    stage: Stage,
    sessions: BTreeMap<ParticipantId, Session>,
    news: News,
    media: Arc<MediaPlane>,
    metrics: Arc<Metrics>,
}

impl Room {
    pub(crate) fn new(id: RoomId, settings: Settings, media: Arc<MediaPlane>, metrics: Arc<Metrics>) -> Self {
        Self { id, stage: Stage::new(settings), sessions: BTreeMap::new(), news: News::default(), media, metrics }
    }

    /// Runs until it is told to end.
    pub(crate) async fn run(self, messages: mpsc::Receiver<RoomMessage>) {
        let span = info_span!("room", id = self.id.0);
        self.serve(messages).instrument(span).await;
    }

    async fn serve(mut self, mut messages: mpsc::Receiver<RoomMessage>) {
        let mut media = self.media.open_room(self.id).await;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                // Ticks and media are few and bounded: no amount of commands keeps them waiting.
                _ = ticks.tick() => self.tell_news(),
                Some(event) = media.recv() => self.handle_media(event).await,
                message = messages.recv() => match message {
                    Some(RoomMessage::Enter(entering)) => self.enter(*entering).await,
                    Some(RoomMessage::Said { participant, message }) => self.handle_said(participant, message).await,
                    Some(RoomMessage::Gone { participant }) => self.leave(participant).await,
                    Some(RoomMessage::End) | None => break,
                },
            }
        }
        self.sessions.values().for_each(|session| session.queue.close(SessionError::ShuttingDown));
        self.media.close_room(self.id).await;
        self.metrics.forget_room(self.id);
    }

    async fn handle_media(&mut self, event: MediaEvent) {
        let (MediaEvent::Connected { participant, connection }
        | MediaEvent::Gone { participant, connection, .. }
        | MediaEvent::Speech { participant, connection, .. }) = event;
        let id = ParticipantId(participant.0);
        let Some(session) = self.sessions.get(&id).filter(|session| session.connection == Some(connection)) else {
            return debug!(participant = id.0, "news of a connection that was replaced");
        };
        match event {
            MediaEvent::Connected { .. } => debug!(participant = id.0, "media connected"),
            MediaEvent::Gone { .. } => {
                session.queue.close(SessionError::MediaLost);
                self.leave(id).await;
            }
            MediaEvent::Speech { speaking, .. } => {
                let command = if speaking { Command::SpeechStarted { id } } else { Command::SpeechStopped { id } };
                // A refusal says that the person was muted or removed in between.
                if let Err(refusal) = self.enact(&command).await {
                    debug!(code = refusal.code(), "speech came too late");
                }
            }
        }
    }

    async fn enter(&mut self, entering: Entering) {
        let Entering { id: request, queue, .. } = &entering;
        let request = *request;
        match self.admit(&entering).await {
            Ok((you, media)) => {
                let state = room_state(&self.stage);
                let (answer, connection) = media.unzip();
                let message = ServerMessage::Entered { id: request, you: you.0, state, answer };
                let session = Session { queue: queue.clone(), connection, lagging: false };
                session.say(Outgoing::message(&message));
                self.tell_news();
                self.sessions.insert(you, session);
                if entering.entered.send(Some(you)).is_err() {
                    // The session ended while it was coming in.
                    self.leave(you).await;
                }
            }
            Err(refused) => {
                let _ = queue.push(self.refusal(request, &refused));
                let _ = entering.entered.send(None);
            }
        }
    }

    async fn admit(&mut self, entering: &Entering) -> Result<(ParticipantId, Option<Connected>), Refused> {
        let offer = entering.offer.as_deref().map(Offer::parse).transpose()?;
        let place = match entering.place {
            Place::Viewer => EntryPlace::Viewer,
            Place::Stage => EntryPlace::Stage { mic: entering.mic, camera: entering.camera },
        };
        let id = self.stage.next_id();
        let command = Command::Enter { id, name: entering.name.clone(), role: entering.role, place };
        let events = self.decide(&command)?;
        let media = match offer {
            Some(offer) => Some(self.connect(id, offer).await?),
            None => None,
        };
        self.carry_out(&events).await;
        Ok((id, media))
    }

    async fn leave(&mut self, id: ParticipantId) {
        self.sessions.remove(&id);
        self.media.disconnect(self.id, media_id(id)).await;
        // Whoever's media was lost has left when their session notices.
        let _ = self.enact(&Command::Leave { id }).await;
    }

    async fn handle_said(&mut self, by: ParticipantId, message: ClientMessage) {
        let target = ParticipantId;
        let (request, command) = match message {
            ClientMessage::Offer { id, sdp } => {
                let answer = self.reconnect(by, &sdp).await.map(|sdp| ServerMessage::Answer { id, sdp });
                return self.answer(by, id, answer);
            }
            ClientMessage::JoinStage { id, mic, camera } => (id, Command::JoinStage { id: by, mic, camera }),
            ClientMessage::LeaveStage { id } => (id, Command::LeaveStage { id: by }),
            ClientMessage::SetMic { id, on } => (id, Command::SetMic { id: by, on }),
            ClientMessage::SetCamera { id, on } => (id, Command::SetCamera { id: by, on }),
            ClientMessage::RemoveFromStage { id, participant } => {
                (id, Command::RemoveFromStage { by, target: target(participant) })
            }
            ClientMessage::Mute { id, participant } => (id, Command::Mute { by, target: target(participant) }),
            ClientMessage::StopCamera { id, participant } => {
                (id, Command::StopCamera { by, target: target(participant) })
            }
            // The session handles these itself.
            ClientMessage::Hello { .. } | ClientMessage::Enter { .. } | ClientMessage::Leave => return,
        };
        let result = self.enact(&command).await.map(|()| ServerMessage::Ok { id: request });
        self.answer(by, request, result.map_err(Refused::Stage));
    }

    fn answer(&mut self, to: ParticipantId, request: u32, result: Result<ServerMessage, Refused>) {
        let outgoing = match result {
            Ok(message) => Outgoing::message(&message),
            Err(refused) => self.refusal(request, &refused),
        };
        if let Some(session) = self.sessions.get(&to) {
            session.say(outgoing);
        }
    }

    fn refusal(&self, request: u32, refused: &Refused) -> Outgoing {
        let (code, text) = (refused.code(), refused.to_string());
        self.metrics.count_refusal(code);
        Outgoing::message(&ServerMessage::Error { id: Some(request), code: code.to_owned(), text })
    }

    /// Decides, applies, carries out and tells.
    async fn enact(&mut self, command: &Command) -> Result<(), Refusal> {
        let events = self.decide(command)?;
        self.carry_out(&events).await;
        Ok(())
    }

    /// Makes what a command causes part of the stage. Nobody has been told, and no packet knows of it yet.
    fn decide(&mut self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let now = wall_clock();
        let events = self.stage.decide(now, command)?;
        events.iter().for_each(|event| self.stage.apply(now, event));
        Ok(events)
    }

    async fn carry_out(&mut self, events: &[Event]) {
        let changes = MediaChanges::of(events);
        for changes in [changes.first, changes.then] {
            if !changes.is_empty() {
                self.media.change(self.id, changes).await;
            }
        }
        for event in events {
            self.news.note(event);
            if let Some((id, notice)) = notice(&self.stage, event)
                && let Some(session) = self.sessions.get(&id)
            {
                session.say(Outgoing::message(&ServerMessage::Notice { notice }));
            }
        }
        if self.news.is_urgent() {
            self.tell_news();
        }
        self.metrics.count_people(self.id, &self.stage);
    }

    async fn connect(&self, id: ParticipantId, offer: Offer) -> Result<Connected, Refused> {
        let permits = self.stage.participant(id).map(permits).unwrap_or_default();
        let connected = self.media.connect(self.id, media_id(id), offer, permits).await;
        connected.map_err(|_| Refused::Session(SessionError::Internal))
    }

    async fn reconnect(&mut self, id: ParticipantId, sdp: &str) -> Result<String, Refused> {
        let (answer, connection) = self.connect(id, Offer::parse(sdp)?).await?;
        if let Some(session) = self.sessions.get_mut(&id) {
            session.connection = Some(connection);
        }
        // The new connection has sent nothing yet, and sending nothing is silence. Refused to who was silent before.
        let _ = self.enact(&Command::SpeechStopped { id }).await;
        Ok(answer)
    }

    /// Tells everyone what is new, and those who could not keep up everything.
    fn tell_news(&mut self) {
        let news = self.news.take(&self.stage).map(|message| Outgoing::message(&message));
        let mut state = None;
        for session in self.sessions.values_mut() {
            if !session.lagging {
                if let Some(news) = &news {
                    session.update(news.clone());
                }
            } else if session.queue.is_empty() {
                let whole = || Outgoing::message(&ServerMessage::State { state: room_state(&self.stage) });
                session.update(state.get_or_insert_with(whole).clone());
            }
        }
    }
}

fn wall_clock() -> Millis {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
