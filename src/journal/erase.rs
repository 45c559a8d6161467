//! Deleting for good: what is erased is in none of the journal's files when that is acknowledged.
//!
//! Deleted rows are overwritten where they stood (`secure_delete`); the write-ahead log, which has what the file had before,
//! is written into the file and cut to nothing.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::sqlite::failed;
use super::{JournalError, Record};
use crate::sqlite::truncate_log;

/// Rooms whose deletion has begun: it is finished at the next start where the server was killed.
pub(super) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS deleting (room TEXT PRIMARY KEY) WITHOUT ROWID;";

/// Records deleted in one transaction, during which every room waits: some 10 ms.
const CHUNK: u64 = 10_000;
/// How long cutting the log waits for somebody who reads the file, once. All rooms wait too.
const READERS: Duration = Duration::from_millis(200);

/// Version of a file in whose unused parts nothing is that was erased; any other is rewritten when it is opened.
const CLEAN: u32 = 1;

/// What is done to a room's log.
pub(super) enum Erasure {
    /// It is deleted, with its snapshot.
    Delete,
    /// Other records are put in place of those at these positions; the snapshot, which had them, is deleted.
    Rewrite(Vec<(u64, Record)>),
}

/// Carries out a part of `erasure`, in one transaction: whether that was all of it.
pub(super) fn erase(connection: &mut Connection, room: &str, erasure: &Erasure) -> Result<bool, JournalError> {
    // Where pages were split, SQLite may have left a copy of what stood in them, which it does not overwrite.
    connection.pragma_update(None, "user_version", CLEAN + 1).map_err(failed)?;
    match erasure {
        Erasure::Delete => delete_some(connection, room).map_err(failed),
        Erasure::Rewrite(records) => rewrite(connection, room, records).map(|()| true),
    }
}

/// From the front: without its first record a room is none that the journal knows.
fn delete_some(connection: &mut Connection, room: &str) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    transaction.execute("INSERT OR IGNORE INTO deleting (room) VALUES (?1)", params![room])?;
    transaction.execute("DELETE FROM snapshots WHERE room = ?1", params![room])?;
    let sql = "SELECT MIN(position), MAX(position) FROM events WHERE room = ?1";
    let (first, last): (Option<u64>, Option<u64>) =
        transaction.query_row(sql, params![room], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let end = first.unwrap_or(0) + CHUNK;
    transaction.execute("DELETE FROM events WHERE room = ?1 AND position < ?2", params![room, end])?;
    let all = last.is_none_or(|last| last < end);
    if all {
        transaction.execute("DELETE FROM deleting WHERE room = ?1", params![room])?;
    }
    transaction.commit()?;
    Ok(all)
}

fn rewrite(connection: &mut Connection, room: &str, records: &[(u64, Record)]) -> Result<(), JournalError> {
    let transaction = connection.transaction().map_err(failed)?;
    transaction.execute("DELETE FROM snapshots WHERE room = ?1", params![room]).map_err(failed)?;
    for (position, Record { at, event }) in records {
        let event = serde_json::to_string(event).map_err(failed)?;
        let sql = "UPDATE events SET at = ?3, event = ?4 WHERE room = ?1 AND position = ?2";
        let mut update = transaction.prepare_cached(sql).map_err(failed)?;
        if update.execute(params![room, position, at.0, event]).map_err(failed)? != 1 {
            return Err(JournalError::Failed(format!("there is no record {position} to rewrite")));
        }
    }
    transaction.commit().map_err(failed)
}

/// How long cutting the log waits for somebody who reads the file: all rooms wait too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// A moment, after something was erased.
    Some,
    /// Not at all: it is tried again with every write.
    None,
}

/// Cuts the write-ahead log: false where somebody reads the file, and it has to be tried again.
pub(super) fn clean(connection: &Connection, patience: Patience, busy: Duration) -> rusqlite::Result<bool> {
    connection.busy_timeout(if patience == Patience::Some { READERS } else { Duration::ZERO })?;
    let clean = truncate_log(connection);
    connection.busy_timeout(busy)?;
    clean
}

/// Makes the file one that nothing deleted stays in, and finishes what a killed server had begun to delete.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "secure_delete", "on")?;
    while let Some(room) = begun(connection)? {
        while !delete_some(connection, &room)? {}
    }
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != CLEAN {
        connection.execute_batch("VACUUM")?;
        connection.pragma_update(None, "user_version", CLEAN)?;
    }
    truncate_log(connection).map(drop)
}

fn begun(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT room FROM deleting LIMIT 1", [], |row| row.get(0)).optional()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use dais_stage::{Channel, Event, MessageId, Millis, ParticipantId, Settings, Stage};

    use super::*;
    use crate::journal::{Journal as _, SqliteJournal, rebuild};

    const SECRET: &str = "a word nobody else says";

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("dais-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    fn opened(title: &str) -> Record {
        Record { at: Millis(1), event: Event::Opened { title: title.to_owned(), settings: Settings::default() } }
    }

    fn said(n: u32, text: &str) -> Record {
        let (message, id, channel) = (MessageId(n), ParticipantId(1), Channel::Everyone);
        Record { at: Millis(2), event: Event::Said { message, id, channel, text: text.to_owned() } }
    }

    /// Whether any file in `folder` has `text` in it.
    fn holds(folder: &Path, text: &str) -> bool {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
    }

    #[tokio::test]
    async fn a_deleted_log_is_in_no_file_and_begins_anew_and_others_stay() {
        let folder = folder("delete");
        let journal = SqliteJournal::open(&folder).unwrap();
        // More than one transaction deletes.
        let long: Vec<_> = (0..2 * CHUNK as u32 + 5).map(|n| said(n + 1, SECRET)).collect();
        journal.append("a", 0, vec![opened("A")]).await.unwrap();
        journal.append("a", 1, long).await.unwrap();
        journal.append("b", 0, vec![opened("B"), said(1, "kept")]).await.unwrap();
        journal.keep_snapshot("a", 1, &Stage::new(Settings::default())).await;
        assert!(holds(&folder, SECRET));
        journal.delete("a").await.unwrap();
        assert!(!holds(&folder, SECRET));
        assert_eq!((journal.end("a").await, journal.rooms().await), (Ok(0), Ok(vec!["b".to_owned()])));
        assert_eq!(journal.snapshot("a").await.unwrap(), None);
        assert_eq!(journal.read("b", 1, 9).await.unwrap(), [said(1, "kept")]);
        journal.append("a", 0, vec![opened("anew")]).await.unwrap();
        assert_eq!(rebuild(&journal, "a").await.unwrap().unwrap().1.title(), "anew");
        journal.delete("never there").await.unwrap();
        drop(journal);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_deletion_that_a_kill_cut_short_is_finished_at_the_next_start() {
        let folder = folder("cut-short");
        let journal = SqliteJournal::open(&folder).unwrap();
        let long: Vec<_> = (0..CHUNK as u32 + 5).map(|n| said(n + 1, SECRET)).collect();
        journal.append("a", 0, long).await.unwrap();
        drop(journal);
        let mut connection = Connection::open(folder.join("journal.sqlite")).unwrap();
        connection.pragma_update(None, "secure_delete", "on").unwrap();
        assert!(!delete_some(&mut connection, "a").unwrap(), "there is more");
        drop(connection);
        let journal = SqliteJournal::open(&folder).unwrap();
        assert_eq!((journal.end("a").await, holds(&folder, SECRET)), (Ok(0), false));
        drop(journal);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn rewritten_records_stand_in_place_of_the_others_all_of_them_or_none() {
        let folder = folder("rewrite");
        let journal = SqliteJournal::open(&folder).unwrap();
        journal.append("a", 0, vec![opened("A"), said(1, SECRET), said(2, "kept")]).await.unwrap();
        let stage = rebuild(&journal, "a").await.unwrap().unwrap().1;
        journal.keep_snapshot("a", 3, &stage).await;
        let beyond = vec![(1, said(1, "half done")), (3, said(3, "beyond the end"))];
        assert!(matches!(journal.rewrite("a", beyond).await, Err(JournalError::Failed(_))));
        assert_eq!(journal.read("a", 1, 1).await.unwrap(), [said(1, SECRET)]);
        journal.rewrite("a", vec![(1, said(1, "gone"))]).await.unwrap();
        assert!(!holds(&folder, SECRET));
        assert_eq!(journal.snapshot("a").await.unwrap(), None);
        assert_eq!(journal.read("a", 1, 9).await.unwrap(), [said(1, "gone"), said(2, "kept")]);
        journal.append("a", 3, vec![said(3, "and on")]).await.unwrap();
        drop(journal);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn somebody_who_reads_delays_the_cleaning_and_nothing_else() {
        let folder = folder("reader");
        let journal = SqliteJournal::open(&folder).unwrap();
        journal.append("a", 0, vec![opened("A"), said(1, SECRET)]).await.unwrap();
        let reader = Connection::open(folder.join("journal.sqlite")).unwrap();
        reader.execute_batch("BEGIN; SELECT COUNT(*) FROM events;").unwrap();
        journal.delete("a").await.unwrap();
        assert_eq!(journal.end("a").await, Ok(0));
        assert!(holds(&folder, SECRET), "the reader still sees it");
        reader.execute_batch("COMMIT").unwrap();
        // Whatever is asked next.
        journal.rooms().await.unwrap();
        journal.rooms().await.unwrap();
        assert!(!holds(&folder, SECRET));
        drop((journal, reader));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn what_split_pages_may_have_kept_is_gone_with_the_next_start() {
        let folder = folder("split");
        let journal = SqliteJournal::open(&folder).unwrap();
        for n in 0..400u32 {
            for room in ["a", "b", "c"] {
                let text =
                    format!("{} {}", if room == "b" { SECRET } else { "others" }, "x".repeat((n * 37 % 500) as usize));
                journal.append(room, n.into(), vec![said(n + 1, &text)]).await.unwrap();
            }
        }
        let records = (0..400u32).map(|n| (n.into(), said(n + 1, "gone"))).collect();
        journal.rewrite("b", records).await.unwrap();
        drop(journal);
        drop(SqliteJournal::open(&folder).unwrap());
        assert!(!holds(&folder, SECRET));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn what_an_older_version_left_in_unused_parts_of_the_file_is_gone_with_the_first_start() {
        let folder = folder("upgrade");
        std::fs::create_dir_all(&folder).unwrap();
        let connection = Connection::open(folder.join("journal.sqlite")).unwrap();
        connection.pragma_update(None, "secure_delete", "off").unwrap();
        let fill = format!("CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('{}'); DELETE FROM t;", SECRET.repeat(999));
        connection.execute_batch(&fill).unwrap();
        drop(connection);
        assert!(holds(&folder, SECRET));
        drop(SqliteJournal::open(&folder).unwrap());
        assert!(!holds(&folder, SECRET));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
