//! The journal in an SQLite file.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::path::Path;

use async_trait::async_trait;
use dais_stage::{Millis, Stage};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use super::erase::{self, Erasure, Patience};
use super::{Journal, JournalError, Record};
use crate::sqlite::{self, BUSY, Worker};

/// Appends that wait for the journal's thread; more make their rooms wait.
const QUEUE: usize = 4_096;
/// Most appends in one transaction: what waits while the disk writes goes out together.
const GROUP: usize = 1_024;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS events (
        room TEXT NOT NULL, position INTEGER NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL,
        PRIMARY KEY (room, position)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS snapshots (
        room TEXT PRIMARY KEY, position INTEGER NOT NULL, version INTEGER NOT NULL, stage TEXT NOT NULL
    ) WITHOUT ROWID;";

/// Version of the stage's serialised form. Snapshots of another version are not read: the events are.
const SNAPSHOT_VERSION: u32 = 1;

type Reply<T> = oneshot::Sender<Result<T, JournalError>>;

enum Job {
    Append { room: String, position: u64, records: Vec<Record>, reply: Reply<()> },
    Read { room: String, position: u64, most: usize, reply: Reply<Vec<Record>> },
    End { room: String, reply: Reply<u64> },
    Rooms { reply: Reply<Vec<String>> },
    KeepSnapshot { room: String, position: u64, stage: String },
    Snapshot { room: String, reply: Reply<Option<(u64, Stage)>> },
    Erase { room: String, erasure: Erasure, reply: Reply<bool> },
}

/// A journal in the file `journal.sqlite` of a folder, in write-ahead mode and flushed to disk with every commit. One
/// thread writes; what arrives while it does is written together.
pub struct SqliteJournal(Worker<Job>);

impl SqliteJournal {
    /// Opens the journal in `folder`, which is made if it is not there. Only one server may use it.
    ///
    /// # Errors
    /// [`JournalError::InUse`] or [`JournalError::Failed`].
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        std::fs::create_dir_all(folder).map_err(failed)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock"));
        let lock = lock.map_err(failed)?;
        lock.try_lock().map_err(|_| JournalError::InUse(folder.display().to_string()))?;
        let mut connection = connect(&folder.join("journal.sqlite"))?;
        erase::prepare(&mut connection).map_err(failed)?;
        Self::start(connection, Some(lock))
    }

    /// Opens the journal in `folder` to read it, also while a server uses it.
    ///
    /// # Errors
    /// [`JournalError::Failed`].
    pub fn open_to_read(folder: &Path) -> Result<Self, JournalError> {
        let file = folder.join("journal.sqlite");
        if !file.exists() {
            return Err(JournalError::Failed(format!("{} is not there", file.display())));
        }
        Self::start(connect(&file)?, None)
    }

    /// A journal in memory: for tests, and for rooms that need not outlive the server.
    ///
    /// # Errors
    /// [`JournalError::Failed`].
    pub fn in_memory() -> Result<Self, JournalError> {
        let connection = Connection::open_in_memory().map_err(failed)?;
        connection.execute_batch(SCHEMA).and_then(|()| connection.execute_batch(erase::SCHEMA)).map_err(failed)?;
        Self::start(connection, None)
    }

    fn start(connection: Connection, lock: Option<File>) -> Result<Self, JournalError> {
        let writer = Writer { connection, ends: HashMap::new(), is_clean: true, _lock: lock };
        Worker::start("journal", QUEUE, |jobs| writer.run(jobs)).map(Self).map_err(failed)
    }

    async fn erase(&self, room: &str, erasure: Erasure) -> Result<bool, JournalError> {
        let room = room.to_owned();
        self.ask(|reply| Job::Erase { room, erasure, reply }).await
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, JournalError> {
        let gone = || JournalError::Failed("its thread is gone".to_owned());
        let (reply, answer) = oneshot::channel();
        self.0.jobs().send(job(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn append(&self, room: &str, position: u64, records: Vec<Record>) -> Result<(), JournalError> {
        let room = room.to_owned();
        self.ask(|reply| Job::Append { room, position, records, reply }).await
    }

    async fn read(&self, room: &str, position: u64, most: usize) -> Result<Vec<Record>, JournalError> {
        let room = room.to_owned();
        self.ask(|reply| Job::Read { room, position, most, reply }).await
    }

    async fn end(&self, room: &str) -> Result<u64, JournalError> {
        let room = room.to_owned();
        self.ask(|reply| Job::End { room, reply }).await
    }

    async fn rooms(&self) -> Result<Vec<String>, JournalError> {
        self.ask(|reply| Job::Rooms { reply }).await
    }

    async fn keep_snapshot(&self, room: &str, position: u64, stage: &Stage) {
        let Ok(stage) = serde_json::to_string(stage) else { return };
        let _ = self.0.jobs().send(Job::KeepSnapshot { room: room.to_owned(), position, stage }).await;
    }

    async fn snapshot(&self, room: &str) -> Result<Option<(u64, Stage)>, JournalError> {
        let room = room.to_owned();
        self.ask(|reply| Job::Snapshot { room, reply }).await
    }

    async fn delete(&self, room: &str) -> Result<(), JournalError> {
        // In parts: between them the journal writes for other rooms.
        while !self.erase(room, Erasure::Delete).await? {}
        Ok(())
    }

    async fn rewrite(&self, room: &str, records: Vec<(u64, Record)>) -> Result<(), JournalError> {
        self.erase(room, Erasure::Rewrite(records)).await.map(drop)
    }

    fn queue_length(&self) -> usize {
        self.0.jobs().max_capacity() - self.0.jobs().capacity()
    }
}

pub(super) fn failed(error: impl std::fmt::Display) -> JournalError {
    JournalError::Failed(error.to_string())
}

fn connect(file: &Path) -> Result<Connection, JournalError> {
    let connection = sqlite::connect(file).map_err(failed)?;
    connection.execute_batch(SCHEMA).and_then(|()| connection.execute_batch(erase::SCHEMA)).map_err(failed)?;
    Ok(connection)
}

/// The journal's thread.
struct Writer {
    connection: Connection,
    /// Where each room's log ends, as far as that was looked up.
    ends: HashMap<String, u64>,
    /// Nothing that was erased is left in the write-ahead log.
    is_clean: bool,
    _lock: Option<File>,
}

/// An append that was put into a transaction, waiting for its commit.
struct Appended {
    room: String,
    end: u64,
    reply: Reply<()>,
}

impl Writer {
    fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut group = Vec::new();
        while jobs.blocking_recv_many(&mut group, GROUP) > 0 {
            let erasing: Vec<_> = group.extract_if(.., |job| matches!(job, Job::Erase { .. })).collect();
            if let Err(error) = self.carry_out(&mut group) {
                warn!(%error, "the journal failed");
                self.ends.clear();
            }
            if !self.is_clean {
                self.clean(Patience::None);
            }
            for job in erasing {
                let Job::Erase { room, erasure, reply } = job else { continue };
                self.ends.remove(&room);
                let erased = erase::erase(&mut self.connection, &room, &erasure);
                if erased == Ok(true) {
                    self.clean(Patience::Some);
                    if !self.is_clean {
                        warn!("somebody reads the journal: what was deleted is in its log until they have read");
                    }
                }
                let _ = reply.send(erased);
            }
        }
    }

    fn clean(&mut self, patience: Patience) {
        self.is_clean = erase::clean(&self.connection, patience, BUSY).unwrap_or(false);
    }

    /// Writes a group in one transaction; answers when it is on disk, or with the failure of all.
    fn carry_out(&mut self, group: &mut Vec<Job>) -> Result<(), JournalError> {
        let mut appended: Vec<Appended> = Vec::new();
        let result = write_group(&mut self.connection, &mut self.ends, group.drain(..), &mut appended);
        for Appended { room, end, reply } in appended {
            if result.is_ok() {
                self.ends.insert(room, end);
            }
            let _ = reply.send(result.clone());
        }
        result
    }
}

fn write_group(
    connection: &mut Connection,
    ends: &mut HashMap<String, u64>,
    group: impl Iterator<Item = Job>,
    appended: &mut Vec<Appended>,
) -> Result<(), JournalError> {
    let transaction = connection.transaction().map_err(failed)?;
    for job in group {
        match job {
            Job::Append { room, position, records, reply } => {
                let end = match appended.iter().rev().find(|earlier| earlier.room == room) {
                    Some(earlier) => earlier.end,
                    None => end_of(&transaction, ends, &room)?,
                };
                if end != position {
                    let _ = reply.send(Err(JournalError::Moved { expected: position, found: end }));
                    continue;
                }
                let end = position + records.len() as u64;
                appended.push(Appended { room: room.clone(), end, reply });
                insert(&transaction, &room, position, &records)?;
            }
            Job::Read { room, position, most, reply } => {
                let _ = reply.send(read(&transaction, &room, position, most));
            }
            Job::End { room, reply } => {
                let end = match appended.iter().rev().find(|earlier| earlier.room == room) {
                    Some(earlier) => Ok(earlier.end),
                    None => end_of(&transaction, ends, &room),
                };
                let _ = reply.send(end);
            }
            Job::Rooms { reply } => {
                let _ = reply.send(rooms(&transaction));
            }
            Job::KeepSnapshot { room, position, stage } => {
                let sql = "INSERT OR REPLACE INTO snapshots (room, position, version, stage) VALUES (?1, ?2, ?3, ?4)";
                let values = params![room, position, SNAPSHOT_VERSION, stage];
                transaction.prepare_cached(sql).and_then(|mut insert| insert.execute(values)).map_err(failed)?;
            }
            Job::Snapshot { room, reply } => {
                let _ = reply.send(snapshot(&transaction, &room));
            }
            // In transactions of their own.
            Job::Erase { .. } => {}
        }
    }
    transaction.commit().map_err(failed)
}

fn end_of(transaction: &Transaction<'_>, ends: &HashMap<String, u64>, room: &str) -> Result<u64, JournalError> {
    if let Some(end) = ends.get(room) {
        return Ok(*end);
    }
    let sql = "SELECT COALESCE(MAX(position) + 1, 0) FROM events WHERE room = ?1";
    transaction.query_row(sql, params![room], |row| row.get(0)).map_err(failed)
}

fn insert(transaction: &Transaction<'_>, room: &str, position: u64, records: &[Record]) -> Result<(), JournalError> {
    let sql = "INSERT INTO events (room, position, at, event) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = transaction.prepare_cached(sql).map_err(failed)?;
    for (position, record) in (position..).zip(records) {
        let event = serde_json::to_string(&record.event).map_err(failed)?;
        insert.execute(params![room, position, record.at.0, event]).map_err(failed)?;
    }
    Ok(())
}

fn read(transaction: &Transaction<'_>, room: &str, position: u64, most: usize) -> Result<Vec<Record>, JournalError> {
    let sql = "SELECT at, event FROM events WHERE room = ?1 AND position >= ?2 ORDER BY position LIMIT ?3";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut select = transaction.prepare_cached(sql).map_err(failed)?;
    let mut rows = select.query(params![room, position, most]).map_err(failed)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let at = Millis(row.get(0).map_err(failed)?);
        let event = row.get_ref(1).and_then(|event| Ok(event.as_str()?)).map_err(failed)?;
        records.push(Record { at, event: serde_json::from_str(event).map_err(failed)? });
    }
    Ok(records)
}

fn rooms(transaction: &Transaction<'_>) -> Result<Vec<String>, JournalError> {
    let mut select = transaction.prepare_cached("SELECT room FROM events WHERE position = 0").map_err(failed)?;
    let rooms = select.query_map([], |row| row.get(0)).map_err(failed)?;
    rooms.collect::<Result<_, _>>().map_err(failed)
}

fn snapshot(transaction: &Transaction<'_>, room: &str) -> Result<Option<(u64, Stage)>, JournalError> {
    let sql = "SELECT position, stage FROM snapshots WHERE room = ?1 AND version = ?2";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?));
    let mut select = transaction.prepare_cached(sql).map_err(failed)?;
    let found = select.query_row(params![room, SNAPSHOT_VERSION], row).optional().map_err(failed)?;
    // A snapshot that cannot be read is one that is not there: the events are.
    Ok(found.and_then(|(position, stage)| Some((position, serde_json::from_str(&stage).ok()?))))
}

#[cfg(test)]
mod tests {
    use dais_stage::{Actor, Event, ParticipantId, Settings};

    use super::*;
    use crate::journal::rebuild;

    fn records(n: u64) -> Vec<Record> {
        let event = Event::Locked { by: Actor::Person(ParticipantId(1)) };
        (0..n).map(|at| Record { at: Millis(at), event: event.clone() }).collect()
    }

    /// A folder of this test alone, empty.
    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("dais-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    #[tokio::test]
    async fn what_was_appended_is_read_again_after_opening_anew() {
        let folder = folder("reopen");
        let journal = SqliteJournal::open(&folder).unwrap();
        journal.append("a", 0, records(3)).await.unwrap();
        journal.append("a", 3, records(2)).await.unwrap();
        journal.append("b", 0, records(1)).await.unwrap();
        assert!(matches!(SqliteJournal::open(&folder), Err(JournalError::InUse(_))), "one server at a time");
        drop(journal);
        let journal = SqliteJournal::open(&folder).unwrap();
        assert_eq!(journal.rooms().await.unwrap(), ["a", "b"]);
        assert_eq!(journal.read("a", 0, usize::MAX).await.unwrap(), [records(3), records(2)].concat());
        assert_eq!(journal.read("a", 4, usize::MAX).await.unwrap(), records(2)[1..]);
        assert_eq!(journal.read("a", 1, 2).await.unwrap(), records(3)[1..]);
        assert_eq!(journal.read("c", 0, usize::MAX).await.unwrap(), []);
        assert_eq!((journal.end("a").await, journal.end("c").await), (Ok(5), Ok(0)));
        journal.append("a", 5, records(1)).await.unwrap();
        drop(journal);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn an_append_at_another_position_is_refused_and_writes_nothing() {
        let journal = SqliteJournal::in_memory().unwrap();
        journal.append("a", 0, records(2)).await.unwrap();
        for position in [0, 1, 3] {
            let refused = JournalError::Moved { expected: position, found: 2 };
            assert_eq!(journal.append("a", position, records(1)).await, Err(refused));
        }
        assert_eq!(journal.read("a", 0, usize::MAX).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_snapshot_stands_for_the_events_before_it() {
        let journal = SqliteJournal::in_memory().unwrap();
        assert_eq!(rebuild(&journal, "a").await.unwrap(), None);
        let opened = Event::Opened { title: "A".to_owned(), settings: Settings::default() };
        journal.append("a", 0, vec![Record { at: Millis(1), event: opened }]).await.unwrap();
        journal.append("a", 1, records(1)).await.unwrap();
        let (position, stage) = rebuild(&journal, "a").await.unwrap().unwrap();
        assert!(position == 2 && stage.is_locked() && stage.title() == "A");
        journal.keep_snapshot("a", 2, &stage).await;
        let unlocked = Event::Unlocked { by: Actor::Portal };
        journal.append("a", 2, vec![Record { at: Millis(2), event: unlocked }]).await.unwrap();
        assert_eq!(journal.snapshot("a").await.unwrap(), Some((2, stage)));
        let (position, stage) = rebuild(&journal, "a").await.unwrap().unwrap();
        assert!(position == 3 && !stage.is_locked());
    }
}
