//! The journal: every event of every room with its time, written before anybody is told.
//!
//! A room's log is a row of [`Record`]s, told apart by their position from 0 on. [`Journal`] is small so that a
//! replicated log can take the place of [`SqliteJournal`].

mod erase;
mod print;
mod sqlite;

use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use dais_stage::{Event, Millis, Stage};

pub use print::told;
pub use sqlite::SqliteJournal;

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Wall-clock time.
    pub at: Millis,
    /// What.
    pub event: Event,
}

/// Where every room's log is kept.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Writes `records` at the end of a room's log, if that is at `position`: all of them or none. When this returns,
    /// they outlive a crash of the process and of the machine.
    ///
    /// # Errors
    /// [`JournalError::Moved`] if the log ends elsewhere, [`JournalError::Failed`] if it could not be written.
    async fn append(&self, room: &str, position: u64, records: Vec<Record>) -> Result<(), JournalError>;

    /// A room's records from `position` on, the first `most` of them; none if there are none.
    ///
    /// # Errors
    /// [`JournalError::Failed`].
    async fn read(&self, room: &str, position: u64, most: usize) -> Result<Vec<Record>, JournalError>;

    /// How many records a room's log has.
    ///
    /// # Errors
    /// [`JournalError::Failed`].
    async fn end(&self, room: &str) -> Result<u64, JournalError>;

    /// Every room that has a log.
    ///
    /// # Errors
    /// [`JournalError::Failed`].
    async fn rooms(&self) -> Result<Vec<String>, JournalError>;

    /// Keeps the stage that the first `position` records made, in place of older ones. It may be lost.
    async fn keep_snapshot(&self, room: &str, position: u64, stage: &Stage);

    /// The latest snapshot: how many records are in it, and the stage they made.
    ///
    /// # Errors
    /// [`JournalError::Failed`].
    async fn snapshot(&self, room: &str) -> Result<Option<(u64, Stage)>, JournalError>;

    /// Deletes a room's log and its snapshot; the log begins anew. When this returns, they are overwritten in the
    /// journal's files, unless somebody else is reading those: then with the first write after they have read. Nobody may
    /// write to the log meanwhile.
    ///
    /// # Errors
    /// [`JournalError::Failed`]; it may be deleted in part, and has to be deleted once more.
    async fn delete(&self, room: &str) -> Result<(), JournalError>;

    /// Puts other records in place of those at these positions of a room's log, all of them or none, and deletes its
    /// snapshot. What was there before is overwritten, as with [`Journal::delete`].
    ///
    /// # Errors
    /// [`JournalError::Failed`], also where there is no record at a position.
    async fn rewrite(&self, room: &str, records: Vec<(u64, Record)>) -> Result<(), JournalError>;

    /// How many requests wait for it.
    fn queue_length(&self) -> usize;
}

/// Why the journal could not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Somebody else has written to the log.
    #[error("the log ends at {found}, not at {expected}")]
    Moved {
        /// Where it was thought to end.
        expected: u64,
        /// Where it ends.
        found: u64,
    },
    /// Another server uses these files.
    #[error("{0} is in use by another dais")]
    InUse(String),
    /// The store failed.
    #[error("the journal failed: {0}")]
    Failed(String),
}

/// The stage as the journal has it, and how many records made it; nothing for a room without a log.
///
/// # Errors
/// [`JournalError::Failed`].
pub async fn rebuild(journal: &dyn Journal, room: &str) -> Result<Option<(u64, Stage)>, JournalError> {
    let snapshot = journal.snapshot(room).await?;
    let (position, mut stage) = snapshot.unwrap_or_else(|| (0, Stage::new(dais_stage::Settings::default())));
    let records = journal.read(room, position, usize::MAX).await?;
    records.iter().for_each(|record| stage.apply(record.at, &record.event));
    let position = position + records.len() as u64;
    Ok((position > 0).then_some((position, stage)))
}

/// The time of what happens now.
pub(crate) fn wall_clock() -> Millis {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
