//! SQLite files, and the threads that work on them.

use std::io;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::mpsc;

/// How long a write waits for somebody who reads the file.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// Opens a file, or makes it, in write-ahead mode. Every commit reaches the disk: what was acknowledged outlives a power
/// failure.
///
/// # Errors
/// When it cannot be opened.
pub(crate) fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
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

/// A thread that is given jobs. When this is dropped it does what is queued, and ends.
pub(crate) struct Worker<J> {
    jobs: mpsc::Sender<J>,
    thread: Option<JoinHandle<()>>,
}

impl<J: Send + 'static> Worker<J> {
    /// Starts the thread dais-`name` with `run`, which takes jobs until the channel is closed. With `most` jobs waiting,
    /// further ones make those who send them wait.
    ///
    /// # Errors
    /// When no thread is to be had.
    pub(crate) fn start(
        name: &str,
        most: usize,
        run: impl FnOnce(mpsc::Receiver<J>) + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, receiver) = mpsc::channel(most);
        let thread = thread::Builder::new().name(format!("dais-{name}")).spawn(|| run(receiver))?;
        Ok(Self { jobs, thread: Some(thread) })
    }
}

impl<J> Worker<J> {
    /// Where jobs are sent.
    pub(crate) fn jobs(&self) -> &mpsc::Sender<J> {
        &self.jobs
    }
}

impl<J> Drop for Worker<J> {
    fn drop(&mut self) {
        // Closes the channel.
        (self.jobs, _) = mpsc::channel(1);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
