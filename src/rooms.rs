//! The rooms of this server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use dais_media::RoomId;
use dais_signaling::api::SessionSummary;
use dais_signaling::protocol::{RoomInfo, SessionError};
use dais_signaling::{Directory, Reason, RoomHandle, RoomMessage, SessionEvent, limits};
use dais_stage::{Event, Settings, Stage};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::journal::{self, JournalError, Record, wall_clock};
use crate::room::{Over, Room, Shared};
use crate::summary;

/// A room the journal knows.
enum Known {
    Open { handle: RoomHandle, task: Option<JoinHandle<()>> },
    Ended,
}

/// Rooms by their id in addresses.
pub(crate) struct Rooms {
    rooms: RwLock<HashMap<String, Known>>,
    /// Held while a room is being opened: two requests for one id are two, one after the other.
    opening: Mutex<()>,
    numbers: AtomicU32,
    shared: Arc<Shared>,
}

/// Why a room cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("There is a room with this id already.")]
    Exists,
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Rooms {
    /// Builds every room that the journal has.
    pub(crate) async fn load(shared: Shared) -> Result<Arc<Self>, JournalError> {
        let (shared, numbers) = (Arc::new(shared), AtomicU32::new(0));
        let rooms = Arc::new(Self { rooms: RwLock::default(), opening: Mutex::default(), numbers, shared });
        for id in rooms.shared.journal.rooms().await? {
            let Some((position, stage)) = journal::rebuild(&*rooms.shared.journal, &id).await? else { continue };
            // Not all of it may have been told when the server ended.
            rooms.shared.hooks.wake(&id);
            if stage.has_ended() {
                rooms.forget_invitations(&id).await;
                rooms.write().insert(id, Known::Ended);
            } else {
                info!(room = id, position, participants = stage.participant_count(), "room is back");
                rooms.withdraw_invitations(&id, &stage).await;
                rooms.start(&id, stage, position);
            }
        }
        Ok(rooms)
    }

    /// Opens a room. One that has ended is opened again.
    pub(crate) async fn open(self: &Arc<Self>, id: &str, title: &str, settings: Settings) -> Result<(), OpenError> {
        let _opening = self.opening.lock().await;
        if matches!(self.read().get(id), Some(Known::Open { .. })) {
            return Err(OpenError::Exists);
        }
        let journal = &self.shared.journal;
        let (position, mut stage) =
            journal::rebuild(&**journal, id).await?.unwrap_or_else(|| (0, Stage::new(settings.clone())));
        let record = Record { at: wall_clock(), event: Event::Opened { title: title.to_owned(), settings } };
        stage.apply(record.at, &record.event);
        journal.append(id, position, vec![record]).await?;
        self.shared.hooks.wake(id);
        self.start(id, stage, position + 1);
        Ok(())
    }

    fn start(self: &Arc<Self>, id: &str, stage: Stage, position: u64) {
        let number = RoomId(self.numbers.fetch_add(1, Ordering::Relaxed));
        let (messages, receiver) = mpsc::channel(limits::ROOM_MESSAGES);
        let info = RoomInfo { id: id.to_owned(), title: stage.title().to_owned() };
        let room = Room::new(number, info.clone(), stage, position, Arc::clone(&self.shared));
        let rooms = Arc::downgrade(self);
        let key = id.to_owned();
        // Locked until the room is listed: its task may be over sooner, and says so in the list.
        let mut list = self.write();
        let task = tokio::spawn(async move {
            if room.run(receiver).await == Over::Ended
                && let Some(rooms) = rooms.upgrade()
            {
                rooms.forget_invitations(&key).await;
                rooms.write().insert(key, Known::Ended);
                rooms.count();
            }
        });
        list.insert(id.to_owned(), Known::Open { handle: RoomHandle { info, messages }, task: Some(task) });
        drop(list);
        self.count();
    }

    /// Stops all rooms and waits until their sessions have been told. They go on when the server is started again.
    pub(crate) async fn stop_all(&self) {
        // They stay in the list: whoever comes meanwhile is told to come back, not that there is no such room.
        let mut tasks = Vec::new();
        for known in self.write().values_mut() {
            if let Known::Open { handle, task } = known {
                tasks.extend(task.take().map(|task| (handle.messages.clone(), task)));
            }
        }
        for (messages, _) in &tasks {
            let _ = messages.send(RoomMessage::Stop).await;
        }
        for (_, task) in tasks {
            let _ = task.await;
        }
    }

    /// Before anything is sent: what was withdrawn just before the server was killed may not be known to the outbox.
    async fn withdraw_invitations(&self, room: &str, stage: &Stage) {
        let outbox = &self.shared.mail.outbox;
        let live = |link: u32| stage.links().iter().any(|known| known.id.0 == link && !known.revoked);
        let withdrawn = async {
            let invitations = outbox.of_room(room).await?;
            let withdrawn = invitations.iter().map(|invitation| invitation.link).filter(|link| !live(*link)).collect();
            outbox.withdraw(room, withdrawn).await
        };
        if let Err(error) = withdrawn.await {
            warn!(%error, "withdrawn invitations may still be sent");
        }
    }

    /// A session is over: whoever was invited to it is not kept, and gets no mail any more.
    async fn forget_invitations(&self, room: &str) {
        if let Err(error) = self.shared.mail.forget(room).await {
            warn!(%error, "the invitations of a room that has ended cannot be deleted");
        }
    }

    fn count(&self) {
        let open = self.read().values().filter(|known| matches!(known, Known::Open { .. })).count();
        self.shared.metrics.set_rooms(open);
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<String, Known>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<String, Known>> {
        self.rooms.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rooms for sessions and the HTTP API.
pub(crate) struct RoomDirectory(pub(crate) Arc<Rooms>);

#[async_trait]
impl Directory for RoomDirectory {
    fn find(&self, room: &str) -> Result<RoomHandle, SessionError> {
        match self.0.read().get(room) {
            Some(Known::Open { handle, .. }) => Ok(handle.clone()),
            Some(Known::Ended) => Err(SessionError::SessionEnded),
            None => Err(SessionError::UnknownRoom),
        }
    }

    async fn create(&self, info: RoomInfo, settings: Settings) -> Result<(), Reason> {
        self.0.open(&info.id, &info.title, settings).await.map_err(|error| match error {
            OpenError::Exists => Reason { code: "room_exists", text: error.to_string() },
            OpenError::Journal(_) => SessionError::JournalFailed.into(),
        })
    }

    async fn summary(&self, room: &str) -> Result<SessionSummary, Reason> {
        if !self.0.read().contains_key(room) {
            return Err(SessionError::UnknownRoom.into());
        }
        let records = self.0.shared.journal.read(room, 0, usize::MAX).await.map_err(|_| SessionError::JournalFailed)?;
        let id = room.to_owned();
        // A long session has hundreds of thousands of records.
        let made = tokio::task::spawn_blocking(move || summary::of(&id, &records, wall_clock())).await;
        made.map_err(|_| SessionError::Internal)?.ok_or_else(|| SessionError::UnknownRoom.into())
    }

    fn count_refusal(&self, code: &'static str) {
        self.0.shared.metrics.count_refusal(code);
    }

    fn count_session(&self, event: SessionEvent) {
        self.0.shared.metrics.count_session(event);
    }
}
