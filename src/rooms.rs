//! The rooms of this server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use dais_media::RoomId;
use dais_signaling::api::SessionSummary;
use dais_signaling::protocol::{RoomInfo, SessionError};
use dais_signaling::{Directory, Reason, RoomHandle, RoomMessage, SessionEvent, limits};
use dais_stage::{Event, Identity, Millis, Settings, Stage};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::journal::{self, JournalError, Record, wall_clock};
use crate::room::{Over, Room, Shared};
use crate::{privacy, summary};

/// A room the journal knows.
enum Known {
    Open { handle: RoomHandle, task: Option<JoinHandle<()>> },
    Ended { at: Millis },
}

/// Why what is kept of a room is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// It was kept for as long as it is to be.
    Kept,
    /// Somebody asked.
    Asked,
}

/// For how long, and how often, a room that answers nothing is looked at: it ends within milliseconds.
const ENDING_WITHIN: Duration = Duration::from_secs(1);
const ENDING_PAUSE: Duration = Duration::from_millis(10);

/// Rooms by their id in addresses.
pub(crate) struct Rooms {
    rooms: RwLock<HashMap<String, Known>>,
    /// Held while a room is opened, or what is kept of it deleted: one after the other.
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
            if let Some(at) = stage.ended() {
                rooms.forget_invitations(&id).await;
                rooms.write().insert(id, Known::Ended { at });
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
        if position == 0
            && let Err(error) = self.shared.cursors.forget(id).await
        {
            warn!(%error, "receivers may not be told of a room from its beginning");
        }
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
                rooms.write().insert(key, Known::Ended { at: wall_clock() });
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

    /// Deletes rooms whose session ended before `moment`. One that is open again is none of them.
    pub(crate) async fn delete_ended_before(&self, moment: Millis) {
        let is_old = |known: &Known| matches!(known, Known::Ended { at } if *at < moment);
        let old: Vec<_> = self.read().iter().filter(|(_, known)| is_old(known)).map(|(id, _)| id.clone()).collect();
        for id in old {
            // Opened again meanwhile, or deleted, it is left alone.
            match self.delete(&id, Deletion::Kept, is_old).await {
                Err(reason) if reason.code == SessionError::JournalFailed.code() => {
                    warn!(room = id, "a session that was kept for long enough cannot be deleted");
                }
                _ => {}
            }
        }
    }

    /// Deletes everything that is kept of a room whose session is over, and for which `is_due` holds.
    async fn delete(&self, id: &str, why: Deletion, is_due: impl Fn(&Known) -> bool) -> Result<(), Reason> {
        let _opening = self.opening.lock().await;
        self.check_over(id)?;
        if !self.read().get(id).is_some_and(is_due) {
            return Ok(());
        }
        // The log first: without cursors it would be told from its beginning.
        self.shared.journal.delete(id).await.map_err(not_deleted)?;
        self.shared.cursors.forget(id).await.map_err(not_deleted)?;
        self.shared.mail.forget(id).await.map_err(not_deleted)?;
        self.write().remove(id);
        self.shared.metrics.privacy.room_deleted(why);
        info!(room = id, ?why, "a session was deleted");
        Ok(())
    }

    /// Deletes what is kept of a person in a room whose session is over.
    async fn delete_person(&self, id: &str, identity: Identity) -> Result<(), Reason> {
        let _opening = self.opening.lock().await;
        self.check_over(id)?;
        let journal = &self.shared.journal;
        let mut records = journal.read(id, 0, usize::MAX).await.map_err(not_deleted)?;
        let rewritten = spawn_blocking(move || {
            let changed = privacy::without_person(&records, &identity)?;
            for (position, record) in &changed {
                // Positions are indices of `records`.
                let place = usize::try_from(*position).ok().and_then(|index| records.get_mut(index));
                place.into_iter().for_each(|place| place.clone_from(record));
            }
            let stage = Stage::replay(records.iter().map(|record| (record.at, &record.event)));
            Some((changed, records.len() as u64, stage))
        });
        let rewritten = rewritten.await.map_err(|_| SessionError::Internal)?;
        let (changed, end, stage) = rewritten.ok_or_else(|| Reason {
            code: "unknown_person",
            text: "Nobody of this identity was in the room.".to_owned(),
        })?;
        journal.rewrite(id, changed).await.map_err(not_deleted)?;
        self.shared.cursors.read_anew(id);
        journal.keep_snapshot(id, end, &stage).await;
        self.shared.metrics.privacy.person_deleted();
        info!(room = id, "a person was deleted from a session");
        Ok(())
    }

    /// Waits while a session is about to be over: whoever has just ended it need not ask twice.
    pub(crate) async fn until_over(&self, id: &str) {
        // A room that stands still is not about to be over.
        let _ = timeout(ENDING_WITHIN, self.looks_until_over(id)).await;
    }

    async fn looks_until_over(&self, id: &str) {
        loop {
            let messages = match self.read().get(id) {
                Some(Known::Open { handle, .. }) => handle.messages.clone(),
                Some(Known::Ended { .. }) | None => return,
            };
            let (answer, looked) = oneshot::channel();
            // One that ends answers nothing any more.
            if messages.send(RoomMessage::PortalLooks { answer }).await.is_ok() && looked.await.is_ok() {
                return;
            }
            sleep(ENDING_PAUSE).await;
        }
    }

    /// Whether the session of a room is over: of one that goes on nothing is deleted.
    fn check_over(&self, id: &str) -> Result<(), Reason> {
        match self.read().get(id) {
            Some(Known::Ended { .. }) => Ok(()),
            Some(Known::Open { .. }) => {
                Err(Reason { code: "session_open", text: "The session goes on: end it first.".to_owned() })
            }
            None => Err(SessionError::UnknownRoom.into()),
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

fn not_deleted(error: impl std::error::Error) -> Reason {
    warn!(%error, "what is to be deleted cannot be");
    SessionError::JournalFailed.into()
}

/// Deletes to the end, also where whoever asked is gone: what is deleted in part could come back.
async fn to_its_end(deletion: impl Future<Output = Result<(), Reason>> + Send + 'static) -> Result<(), Reason> {
    tokio::spawn(deletion).await.map_err(|_| SessionError::Internal)?
}

/// The rooms for sessions and the HTTP API.
pub(crate) struct RoomDirectory(pub(crate) Arc<Rooms>);

#[async_trait]
impl Directory for RoomDirectory {
    fn find(&self, room: &str) -> Result<RoomHandle, SessionError> {
        match self.0.read().get(room) {
            // It is being wound up.
            Some(Known::Open { handle, task: Some(task) }) if handle.messages.is_closed() && !task.is_finished() => {
                Err(SessionError::SessionEnded)
            }
            Some(Known::Open { handle, .. }) => Ok(handle.clone()),
            Some(Known::Ended { .. }) => Err(SessionError::SessionEnded),
            None => Err(SessionError::UnknownRoom),
        }
    }

    async fn create(&self, info: RoomInfo, settings: Settings) -> Result<(), Reason> {
        self.0.until_over(&info.id).await;
        self.0.open(&info.id, &info.title, settings).await.map_err(|error| match error {
            OpenError::Exists => Reason { code: "room_exists", text: error.to_string() },
            OpenError::Journal(_) => SessionError::JournalFailed.into(),
        })
    }

    async fn until_over(&self, room: &str) {
        self.0.until_over(room).await;
    }

    async fn summary(&self, room: &str) -> Result<SessionSummary, Reason> {
        if !self.0.read().contains_key(room) {
            return Err(SessionError::UnknownRoom.into());
        }
        let records = self.0.shared.journal.read(room, 0, usize::MAX).await.map_err(|_| SessionError::JournalFailed)?;
        let id = room.to_owned();
        // A long session has hundreds of thousands of records.
        let made = spawn_blocking(move || summary::of(&id, &records, wall_clock())).await;
        made.map_err(|_| SessionError::Internal)?.ok_or_else(|| SessionError::UnknownRoom.into())
    }

    async fn delete_room(&self, room: &str) -> Result<(), Reason> {
        let (rooms, room) = (Arc::clone(&self.0), room.to_owned());
        to_its_end(async move {
            rooms.until_over(&room).await;
            rooms.delete(&room, Deletion::Asked, |_| true).await
        })
        .await
    }

    async fn delete_person(&self, room: &str, identity: Identity) -> Result<(), Reason> {
        let (rooms, room) = (Arc::clone(&self.0), room.to_owned());
        to_its_end(async move {
            rooms.until_over(&room).await;
            rooms.delete_person(&room, identity).await
        })
        .await
    }

    fn count_refusal(&self, code: &'static str) {
        self.0.shared.metrics.count_refusal(code);
    }

    fn count_session(&self, event: SessionEvent) {
        self.0.shared.metrics.count_session(event);
    }
}
