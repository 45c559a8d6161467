//! An SQLite file beside the journal, with a thread of its own that does all the work on it.

use std::path::Path;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::sqlite::{Worker, connect, truncate_log};

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
pub(crate) struct Store(Worker<Work>);

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
        let run = move |mut jobs: mpsc::Receiver<Work>| {
            while let Some(job) = jobs.blocking_recv() {
                job(&mut connection);
            }
        };
        Worker::start(name, JOBS, run).map(Self).map_err(failed)
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
        self.0.jobs().send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?.map_err(failed)
    }
}

fn file(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    // What was deleted is not to be found in the file either.
    connection.pragma_update(None, "secure_delete", "on")?;
    truncate_log(&connection)?;
    Ok(connection)
}
