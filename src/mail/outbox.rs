//! What is to be sent, and what became of it, in an SQLite file beside the journal.
//!
//! Addresses are kept as long as their room is open.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dais_signaling::protocol::MailState;
use dais_stage::Millis;
use rusqlite::{Connection, Row, params};

use super::invitation::{Invitation, Letter};
use super::limits;
use crate::sqlite::truncate_log;
use crate::store::{Store, StoreError};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS invitations (
        room TEXT NOT NULL, link INTEGER NOT NULL, letter TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
        queued INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL,
        PRIMARY KEY (room, link)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS due ON invitations (due) WHERE state = 'queued';";

/// The queue of mails.
pub(crate) struct Outbox {
    store: Store,
    /// Mails that wait.
    length: Arc<AtomicUsize>,
}

/// A mail whose time has come.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) room: String,
    pub(crate) link: u32,
    pub(crate) letter: Letter,
    pub(crate) queued: Millis,
    /// Those that failed.
    pub(crate) attempts: u32,
}

/// What an attempt to send has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Sent,
    Failed { reason: String },
    Again { reason: String, due: Millis },
}

impl Outbox {
    /// Opens the outbox in `folder`, or one that ends with the server. What was queued is counted with the first change.
    ///
    /// # Errors
    /// When the file cannot be opened, or no thread is to be had.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Self, StoreError> {
        let store = Store::open(folder, "outbox", SCHEMA)?;
        Ok(Self { store, length: Arc::default() })
    }

    /// How many mails wait to be sent.
    pub(crate) fn length(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    /// Writes invitations of a room, all of them or none. When this returns they outlive the process.
    pub(crate) async fn add(&self, room: &str, invitations: Vec<Invitation>, now: Millis) -> Result<(), StoreError> {
        let room = room.to_owned();
        self.ask(move |connection| {
            let transaction = connection.transaction()?;
            let sql = "INSERT INTO invitations (room, link, letter, state, queued, attempts, due)
                       VALUES (?1, ?2, ?3, ?4, ?5, 0, ?5)";
            for invitation in invitations {
                let letter = serde_json::to_string(&invitation.letter).map_err(unwritable)?;
                let values = params![room, invitation.link, letter, state_name(invitation.state), now.0];
                transaction.prepare_cached(sql)?.execute(values)?;
            }
            transaction.commit()
        })
        .await
    }

    /// Every invitation of a room, in the order they were made.
    pub(crate) async fn of_room(&self, room: &str) -> Result<Vec<Invitation>, StoreError> {
        let room = room.to_owned();
        self.ask(move |connection| {
            let sql = "SELECT link, letter, state, reason FROM invitations WHERE room = ?1 ORDER BY link";
            let mut select = connection.prepare_cached(sql)?;
            let read = |row: &Row<'_>| {
                let state: String = row.get(2)?;
                let state = state_of(&state).ok_or_else(|| unreadable(format!("state {state}")))?;
                Ok(Invitation { link: row.get(0)?, letter: letter(row, 1)?, state, reason: row.get(3)? })
            };
            select.query_map(params![room], read)?.collect()
        })
        .await
    }

    /// The mails of which it is time, the longest due first, and when the next one after them will be.
    pub(crate) async fn due(&self, now: Millis) -> Result<(Vec<Due>, Option<Millis>), StoreError> {
        self.ask(move |connection| {
            let sql = "SELECT room, link, letter, queued, attempts FROM invitations
                       WHERE state = 'queued' AND due <= ?1 ORDER BY due LIMIT ?2";
            let mut select = connection.prepare_cached(sql)?;
            let read = |row: &Row<'_>| {
                let (room, link, queued) = (row.get(0)?, row.get(1)?, Millis(row.get(3)?));
                Ok(Due { room, link, letter: letter(row, 2)?, queued, attempts: row.get(4)? })
            };
            let due: Vec<_> = select.query_map(params![now.0, limits::BATCH], read)?.collect::<Result<_, _>>()?;
            let sql = "SELECT MIN(due) FROM invitations WHERE state = 'queued'";
            let next: Option<u64> = connection.query_row(sql, [], |row| row.get(0))?;
            Ok((due, next.map(Millis)))
        })
        .await
    }

    /// Writes down what an attempt has led to, unless the invitation was withdrawn meanwhile: whether it was written.
    pub(crate) async fn settle(&self, room: &str, link: u32, outcome: Outcome) -> Result<bool, StoreError> {
        let room = room.to_owned();
        self.ask(move |connection| {
            let changed = match outcome {
                Outcome::Sent => connection.execute(
                    "UPDATE invitations SET state = 'sent', reason = NULL
                     WHERE room = ?1 AND link = ?2 AND state = 'queued'",
                    params![room, link],
                ),
                Outcome::Failed { reason } => connection.execute(
                    "UPDATE invitations SET state = 'failed', reason = ?3
                     WHERE room = ?1 AND link = ?2 AND state = 'queued'",
                    params![room, link, reason],
                ),
                Outcome::Again { reason, due } => connection.execute(
                    "UPDATE invitations SET reason = ?3, due = ?4, attempts = attempts + 1
                     WHERE room = ?1 AND link = ?2 AND state = 'queued'",
                    params![room, link, reason, due.0],
                ),
            };
            Ok(changed? > 0)
        })
        .await
    }

    /// Invitations are withdrawn: what was not sent is not sent any more.
    pub(crate) async fn withdraw(&self, room: &str, links: Vec<u32>) -> Result<(), StoreError> {
        let room = room.to_owned();
        self.ask(move |connection| {
            let transaction = connection.transaction()?;
            for link in links {
                let sql = "UPDATE invitations SET state = 'withdrawn' WHERE room = ?1 AND link = ?2";
                transaction.prepare_cached(sql)?.execute(params![room, link])?;
            }
            transaction.commit()
        })
        .await
    }

    /// Nothing is sent any more: the links are there to be copied.
    pub(crate) async fn send_nothing(&self) -> Result<(), StoreError> {
        let sql = "UPDATE invitations SET state = 'link_only' WHERE state = 'queued'";
        self.ask(|connection| connection.execute(sql, []).map(drop)).await
    }

    /// The session of a room is over: its addresses are deleted, and are in no file any more.
    pub(crate) async fn forget(&self, room: &str) -> Result<(), StoreError> {
        let room = room.to_owned();
        let sql = "DELETE FROM invitations WHERE room = ?1";
        self.ask(move |connection| {
            if connection.execute(sql, params![room])? > 0 {
                truncate_log(connection)?;
            }
            Ok(())
        })
        .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let length = Arc::clone(&self.length);
        self.store
            .ask(move |connection| {
                let result = work(connection);
                length.store(count(connection)?, Ordering::Relaxed);
                result
            })
            .await
    }
}

fn count(connection: &Connection) -> rusqlite::Result<usize> {
    let sql = "SELECT COUNT(*) FROM invitations WHERE state = 'queued'";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

fn letter(row: &Row<'_>, column: usize) -> rusqlite::Result<Letter> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| unreadable(error.to_string()))
}

fn unreadable(what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, what.into())
}

fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

const STATES: [(MailState, &str); 5] = [
    (MailState::Queued, "queued"),
    (MailState::Sent, "sent"),
    (MailState::Failed, "failed"),
    (MailState::Withdrawn, "withdrawn"),
    (MailState::LinkOnly, "link_only"),
];

fn state_name(state: MailState) -> &'static str {
    STATES.iter().find(|(known, _)| *known == state).map_or("failed", |(_, name)| name)
}

fn state_of(name: &str) -> Option<MailState> {
    STATES.iter().find(|(_, known)| *known == name).map(|(state, _)| *state)
}

#[cfg(test)]
mod tests {
    use dais_signaling::protocol::Language;
    use dais_stage::Role;

    use super::*;

    fn invitation(link: u32) -> Invitation {
        let letter = Letter {
            address: format!("ann{link}@example.org"),
            name: None,
            role: Role::Speaker,
            expires: Millis(9_000_000),
            title: "Talks".to_owned(),
            by: None,
            language: Language::En,
            appointment: None,
            message_id: link.to_string(),
        };
        Invitation { link, letter, state: MailState::Queued, reason: None }
    }

    async fn states(outbox: &Outbox) -> Vec<(u32, MailState, Option<String>)> {
        let all = outbox.of_room("a").await.unwrap();
        all.into_iter().map(|invitation| (invitation.link, invitation.state, invitation.reason)).collect()
    }

    #[tokio::test]
    async fn what_was_added_is_due_until_it_is_settled() {
        let outbox = Outbox::open(None).unwrap();
        outbox.add("a", (1..=4).map(invitation).collect(), Millis(100)).await.unwrap();
        assert_eq!((outbox.due(Millis(99)).await.unwrap().0.len(), outbox.length()), (0, 4));
        assert_eq!(outbox.due(Millis(100)).await.unwrap().0.len(), 4);
        outbox.settle("a", 1, Outcome::Sent).await.unwrap();
        outbox.settle("a", 2, Outcome::Failed { reason: "550 no".to_owned() }).await.unwrap();
        outbox.settle("a", 3, Outcome::Again { reason: "451 later".to_owned(), due: Millis(500) }).await.unwrap();
        outbox.withdraw("a", vec![4]).await.unwrap();
        assert!(!outbox.settle("a", 4, Outcome::Sent).await.unwrap(), "withdrawn is withdrawn");
        let (due, next) = outbox.due(Millis(100)).await.unwrap();
        assert_eq!((due.len(), next), (0, Some(Millis(500))));
        let (due, _) = outbox.due(Millis(500)).await.unwrap();
        assert_eq!((due[0].link, due[0].attempts, due[0].queued), (3, 1, Millis(100)));
        let expected = [
            (1, MailState::Sent, None),
            (2, MailState::Failed, Some("550 no".to_owned())),
            (3, MailState::Queued, Some("451 later".to_owned())),
            (4, MailState::Withdrawn, None),
        ];
        assert_eq!(states(&outbox).await, expected);
        assert_eq!(outbox.length(), 1);
    }

    #[tokio::test]
    async fn either_all_are_written_or_none() {
        let outbox = Outbox::open(None).unwrap();
        outbox.add("a", vec![invitation(2)], Millis(1)).await.unwrap();
        outbox.add("a", (1..=3).map(invitation).collect(), Millis(2)).await.unwrap_err();
        assert_eq!(states(&outbox).await.len(), 1);
    }

    #[tokio::test]
    async fn addresses_of_a_room_that_is_over_are_deleted_and_others_stay() {
        let outbox = Outbox::open(None).unwrap();
        outbox.add("a", vec![invitation(1)], Millis(1)).await.unwrap();
        outbox.add("b", vec![invitation(1)], Millis(1)).await.unwrap();
        outbox.forget("a").await.unwrap();
        assert_eq!((states(&outbox).await.len(), outbox.length()), (0, 1));
        outbox.send_nothing().await.unwrap();
        assert_eq!(outbox.of_room("b").await.unwrap()[0].state, MailState::LinkOnly);
    }

    #[tokio::test]
    async fn addresses_of_a_room_that_is_over_are_in_no_file_either() {
        let folder = std::env::temp_dir().join(format!("dais-{}-addresses", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let holds = || {
            let files = std::fs::read_dir(&folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
            files.into_iter().any(|bytes| bytes.windows(15).any(|part| part == b"ann1@example.or"))
        };
        let outbox = Outbox::open(Some(&folder)).unwrap();
        outbox.add("a", vec![invitation(1)], Millis(1)).await.unwrap();
        assert!(holds());
        outbox.forget("a").await.unwrap();
        assert!(!holds());
        drop(outbox);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
