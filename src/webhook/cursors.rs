//! How far each receiver has been told of each room, in an SQLite file beside the journal.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{OptionalExtension as _, params};

use crate::journal::{Journal, JournalError};
use crate::store::{Store, StoreError};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS receivers (receiver TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS cursors (
        receiver TEXT NOT NULL, room TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (receiver, room)
    ) WITHOUT ROWID;";

/// The cursors of all receivers: the position in a room's log of the first record that is yet to be told.
pub(crate) struct Cursors {
    store: Store,
    /// Receivers and rooms whose cursor was looked up, and whose log was not deleted since.
    told: Arc<Mutex<HashSet<(String, String)>>>,
}

/// Cursors or the journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CursorsError {
    /// The cursors.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Cursors {
    /// Those in `folder`, or some that end with the server.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Self, StoreError> {
        Ok(Self { store: Store::open(folder, "webhooks", SCHEMA)?, told: Arc::default() })
    }

    /// Makes a receiver known. One that is new is told of what happens from now on; one that was known goes on where it
    /// was.
    ///
    /// # Errors
    /// When the journal or the cursors cannot be read or written.
    pub(crate) async fn know(&self, receiver: &str, journal: &dyn Journal) -> Result<(), CursorsError> {
        let name = receiver.to_owned();
        let sql = "SELECT 1 FROM receivers WHERE receiver = ?1";
        let known =
            self.store.ask(move |connection| connection.query_row(sql, params![name], |_| Ok(())).optional()).await?;
        if known.is_some() {
            return Ok(());
        }
        let mut ends = Vec::new();
        for room in journal.rooms().await? {
            let end = journal.end(&room).await?;
            ends.push((room, end));
        }
        let receiver = receiver.to_owned();
        let written = self.store.ask(move |connection| {
            let transaction = connection.transaction()?;
            transaction.execute("INSERT INTO receivers (receiver) VALUES (?1)", params![receiver])?;
            for (room, end) in ends {
                transaction.prepare_cached(SET)?.execute(params![receiver, room, end])?;
            }
            transaction.commit()
        });
        Ok(written.await?)
    }

    /// Where a receiver is in a room's log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn position(&self, receiver: &str, room: &str) -> Result<u64, StoreError> {
        let (receiver, room) = (receiver.to_owned(), room.to_owned());
        let sql = "SELECT position FROM cursors WHERE receiver = ?1 AND room = ?2";
        let told = Arc::clone(&self.told);
        let position = self.store.ask(move |connection| {
            lock(&told).insert((receiver.clone(), room.clone()));
            connection.prepare_cached(sql)?.query_row(params![receiver, room], |row| row.get(0)).optional()
        });
        Ok(position.await?.unwrap_or(0))
    }

    /// Whether what was read from a room's log is still in it: since the cursor was looked up nothing of it was deleted.
    pub(crate) fn holds(&self, receiver: &str, room: &str) -> bool {
        lock(&self.told).contains(&(receiver.to_owned(), room.to_owned()))
    }

    /// Something in the log of a room was deleted: what was read of it before is not to be told.
    pub(crate) fn read_anew(&self, room: &str) {
        lock(&self.told).retain(|(_, known)| known != room);
    }

    /// Nothing that was read of a room's log is to be told any more.
    pub(crate) fn done(&self, receiver: &str, room: &str) {
        lock(&self.told).remove(&(receiver.to_owned(), room.to_owned()));
    }

    /// Moves a receiver's cursor. One of a log that was deleted since it was looked up stays forgotten: what is told at
    /// that moment was of the old log.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) async fn advance(&self, receiver: &str, room: &str, position: u64) -> Result<(), StoreError> {
        let (receiver, room) = (receiver.to_owned(), room.to_owned());
        let told = Arc::clone(&self.told);
        let moved = self.store.ask(move |connection| {
            let key = (receiver, room);
            if lock(&told).contains(&key) {
                connection.prepare_cached(SET)?.execute(params![key.0, key.1, position])?;
            }
            Ok(())
        });
        moved.await
    }

    /// The log of a room was deleted: one that begins anew is told from its beginning.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) async fn forget(&self, room: &str) -> Result<(), StoreError> {
        let (room, told) = (room.to_owned(), Arc::clone(&self.told));
        let forgotten = self.store.ask(move |connection| {
            lock(&told).retain(|(_, known)| *known != room);
            connection.execute("DELETE FROM cursors WHERE room = ?1", params![room]).map(drop)
        });
        forgotten.await
    }

    /// Forgets rooms that have no log: a server that was killed had deleted it.
    ///
    /// # Errors
    /// When the journal or the cursors cannot be read or written.
    pub(crate) async fn forget_deleted(&self, journal: &dyn Journal) -> Result<(), CursorsError> {
        let known = self.store.ask(|connection| {
            let mut select = connection.prepare("SELECT DISTINCT room FROM cursors")?;
            select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
        });
        let (known, rooms) = (known.await?, journal.rooms().await?);
        let rooms: HashSet<_> = rooms.into_iter().collect();
        for room in known.iter().filter(|room| !rooms.contains(*room)) {
            self.forget(room).await?;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const SET: &str = "INSERT OR REPLACE INTO cursors (receiver, room, position) VALUES (?1, ?2, ?3)";

#[cfg(test)]
mod tests {
    use dais_stage::{Event, Millis};

    use super::*;
    use crate::journal::{Record, SqliteJournal};

    #[tokio::test]
    async fn a_new_receiver_begins_at_the_end_of_what_there_is_and_a_known_one_where_it_was() {
        let (journal, cursors) = (SqliteJournal::in_memory().unwrap(), Cursors::open(None).unwrap());
        let records = |n: usize| vec![Record { at: Millis(1), event: Event::Restarted }; n];
        journal.append("a", 0, records(3)).await.unwrap();
        cursors.know("portal", &journal).await.unwrap();
        assert_eq!(cursors.position("portal", "a").await, Ok(3));
        assert_eq!(cursors.position("portal", "b").await, Ok(0), "a room that is opened later is told whole");
        journal.append("a", 3, records(2)).await.unwrap();
        cursors.advance("portal", "a", 4).await.unwrap();
        cursors.know("portal", &journal).await.unwrap();
        assert_eq!(cursors.position("portal", "a").await, Ok(4));
        cursors.know("archive", &journal).await.unwrap();
        assert_eq!(cursors.position("archive", "a").await, Ok(5), "each has a cursor of its own");
    }

    #[tokio::test]
    async fn a_log_that_was_deleted_and_begins_anew_is_told_from_its_beginning() {
        let (journal, cursors) = (SqliteJournal::in_memory().unwrap(), Cursors::open(None).unwrap());
        for room in ["a", "b"] {
            assert_eq!(cursors.position("portal", room).await, Ok(0));
            cursors.advance("portal", room, 3).await.unwrap();
        }
        cursors.forget("a").await.unwrap();
        // A request that was on its way when the log was deleted.
        cursors.advance("portal", "a", 4).await.unwrap();
        assert_eq!(cursors.position("portal", "a").await, Ok(0));
        cursors.advance("portal", "a", 1).await.unwrap();
        assert_eq!(cursors.position("portal", "a").await, Ok(1));
        assert_eq!(cursors.position("portal", "b").await, Ok(3));
        let record = Record { at: Millis(1), event: Event::Restarted };
        journal.append("a", 0, vec![record]).await.unwrap();
        cursors.forget_deleted(&journal).await.unwrap();
        assert_eq!(cursors.position("portal", "a").await, Ok(1));
        assert_eq!(cursors.position("portal", "b").await, Ok(0), "it has no log");
    }
}
