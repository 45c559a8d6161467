//! An SQLite file beside the journal, with a thread of its own that does all the work on it.

use std::path::Path;
use std::sync::Mutex;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

/// How long a write waits for somebody who reads the file.
const BUSY: Duration = Duration::from_secs(5);
/// Requests that wait for the thread; more make their tasks wait, never a room.
const JOBS: usize = 1_024;

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// A store could not be opened, read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StoreError(String);

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError(error.to_string())
}

/// An SQLite database, asked from any task.
pub(crate) struct Store {
    work: mpsc::Sender<Work>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the file `name`.sqlite in `folder`, which must be there and be this server's; in memory without a folder.
    /// It is in write-ahead mode and flushed to disk with every change: what was acknowledged outlives a crash.
    ///
    /// # Errors
    /// When the file cannot be opened, or no thread is to be had.
    pub(crate) fn open(folder: Option<&Path>, name: &str, schema: &str) -> Result<Self, StoreError> {
        let mut connection = match folder {
            None => Connection::open_in_memory().map_err(failed)?,
            Some(folder) => file(&folder.join(format!("{name}.sqlite"))).map_err(failed)?,
        };
        connection.execute_batch(schema).map_err(failed)?;
        let (work, mut jobs) = mpsc::channel::<Work>(JOBS);
        let run = move || {
            while let Some(job) = jobs.blocking_recv() {
                job(&mut connection);
            }
        };
        let thread = thread::Builder::new().name(format!("dais-{name}")).spawn(run).map_err(failed)?;
        Ok(Self { work, thread: Mutex::new(Some(thread)) })
    }

    /// What `work` comes to, done on the store's thread.
    ///
    /// # Errors
    /// Those of `work`.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let gone = || failed("its thread is gone");
        let (reply, answer) = oneshot::channel();
        let job: Work = Box::new(move |connection| drop(reply.send(work(connection))));
        self.work.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?.map_err(failed)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Closing the channel ends the thread, after what is queued.
        let (closed, _) = mpsc::channel(1);
        self.work = closed;
        if let Some(thread) = self.thread.get_mut().ok().and_then(Option::take) {
            let _ = thread.join();
        }
    }
}

/// Writes the write-ahead log into the file, and cuts it: what was deleted is in neither then. False where somebody reads
/// the file, and it has to be tried again.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn truncate_log(connection: &Connection) -> rusqlite::Result<bool> {
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}

fn file(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    // What was deleted is not to be found in the file either.
    connection.pragma_update(None, "secure_delete", "on")?;
    truncate_log(&connection)?;
    Ok(connection)
}
