//! Tells one receiver, some rooms at the same time, and of each room one event after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dais_stage::Millis;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};
use url::Url;

use super::client::{Answer, Client, Message, post};
use super::cursors::{Cursors, CursorsError};
use super::event::{Hook, hook};
use super::limits;
use super::sign::{Key, fingerprint};
use crate::journal::{Journal, wall_clock};
use crate::metrics::Metrics;
use crate::store::StoreError;

/// Somebody who is told what happens in rooms.
#[derive(Clone)]
pub(crate) struct Receiver {
    /// What its cursors are kept under: made of its address, which is in no file and in no log.
    pub(crate) name: String,
    /// Its place among the receivers.
    pub(crate) index: usize,
    url: Url,
    key: Key,
    client: Client,
}

/// What telling of a room came to.
enum Told {
    /// There is nothing more.
    All,
    /// There is more, and it is somebody else's turn.
    More,
    /// An event that happened at `at` was not taken, or (without a time) could not be read; `some` were taken before.
    NotNow { at: Option<Millis>, some: bool },
    /// The receiver wants nothing any more.
    Gone,
}

/// A room there is something to tell of.
struct Pending {
    /// When it is its turn.
    due: Instant,
    /// Attempts that failed one after the other.
    failures: u32,
    /// When the event happened that was not taken.
    at: Option<Millis>,
    running: bool,
    /// Something new was written while it was running.
    news: bool,
}

/// The rooms there is something to tell of.
#[derive(Default)]
struct Work(BTreeMap<String, Pending>);

impl Receiver {
    pub(crate) fn new(index: usize, url: Url, key: Key, client: Client) -> Self {
        Self { name: fingerprint(url.as_str()), index, url, key, client }
    }

    /// Tells of the rooms that come in over `woken`, until the receiver wants nothing any more.
    pub(crate) async fn run(
        self,
        mut woken: mpsc::UnboundedReceiver<String>,
        journal: Arc<dyn Journal>,
        cursors: Arc<Cursors>,
        metrics: Arc<Metrics>,
    ) {
        let (mut work, mut running) = (Work::default(), JoinSet::new());
        let teller = Arc::new(Teller { receiver: self, journal, cursors, metrics });
        loop {
            while running.len() < limits::AT_ONCE
                && let Some(room) = work.next(Instant::now())
            {
                let teller = Arc::clone(&teller);
                let failures = work.failures(&room);
                running.spawn(async move {
                    let told = teller.tell(&room, failures).await;
                    (room, told)
                });
            }
            // With no place free, what is due waits for one that is over.
            let due = work.due().filter(|_| running.len() < limits::AT_ONCE);
            tokio::select! {
                room = woken.recv() => match room {
                    Some(room) => work.wake(room, Instant::now()),
                    None => return,
                },
                Some(done) = running.join_next() => {
                    let Ok((room, told)) = done else { continue };
                    if matches!(told, Told::Gone) {
                        return teller.end();
                    }
                    work.done(&room, &told, Instant::now());
                    teller.metrics.webhooks.waits(teller.receiver.index, work.oldest());
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }
}

impl Work {
    /// There is something new in a room's log. It makes no attempt come sooner.
    fn wake(&mut self, room: String, now: Instant) {
        let new = Pending { due: now, failures: 0, at: None, running: false, news: false };
        self.0.entry(room).or_insert(new).news = true;
    }

    /// A room to tell of now, which is running from here on: the one whose turn it has been for the longest.
    fn next(&mut self, now: Instant) -> Option<String> {
        let due = self.0.iter_mut().filter(|(_, pending)| !pending.running && pending.due <= now);
        let (room, pending) = due.min_by_key(|(_, pending)| pending.due)?;
        (pending.running, pending.news) = (true, false);
        Some(room.clone())
    }

    /// Attempts to tell of a room that failed one after the other.
    fn failures(&self, room: &str) -> u32 {
        self.0.get(room).map_or(0, |pending| pending.failures)
    }

    /// When the next room is due.
    fn due(&self) -> Option<Instant> {
        self.0.values().filter(|pending| !pending.running).map(|pending| pending.due).min()
    }

    fn done(&mut self, room: &str, told: &Told, now: Instant) {
        let Some(pending) = self.0.get_mut(room) else { return };
        pending.running = false;
        match *told {
            Told::NotNow { at, some } => {
                let before = if some { 0 } else { pending.failures };
                (pending.due, pending.at) = (now + retry_delay(before), at);
                pending.failures = before.saturating_add(1);
            }
            Told::All if !pending.news => drop(self.0.remove(room)),
            Told::All | Told::More | Told::Gone => (pending.due, pending.failures, pending.at) = (now, 0, None),
        }
    }

    /// When the oldest event happened that was not taken.
    fn oldest(&self) -> Option<Millis> {
        self.0.values().filter_map(|pending| pending.at).min()
    }
}

/// How long to wait after an attempt that failed, where `failures` failed before it.
fn retry_delay(failures: u32) -> Duration {
    let factor = 4u32.checked_pow(failures).unwrap_or(u32::MAX);
    limits::RETRY_FIRST.saturating_mul(factor).min(limits::RETRY_MAX)
}

/// A receiver with all it takes to tell it.
struct Teller {
    receiver: Receiver,
    journal: Arc<dyn Journal>,
    cursors: Arc<Cursors>,
    metrics: Arc<Metrics>,
}

impl Teller {
    /// Tells of what is next in a room's log, until an event is not taken.
    ///
    /// `failures` attempts failed before.
    async fn tell(&self, room: &str, failures: u32) -> Told {
        let told = self.tell_batch(room, failures).await;
        self.cursors.done(&self.receiver.name, room);
        told.unwrap_or_else(|error| {
            warn!(%error, "what webhooks are to tell cannot be read, or what was told not written down");
            Told::NotNow { at: None, some: false }
        })
    }

    async fn tell_batch(&self, room: &str, failures: u32) -> Result<Told, CursorsError> {
        let mut position = self.cursors.position(&self.receiver.name, room).await?;
        let records = self.journal.read(room, position, limits::BATCH).await?;
        let (mut written, mut some) = (position, false);
        for record in &records {
            if let Some(hook) = hook(room, position, record) {
                if !self.cursors.holds(&self.receiver.name, room) {
                    return Ok(Told::More);
                }
                match self.post(hook).await {
                    Answer::Taken => {
                        some = true;
                        self.metrics.webhooks.delivered.inc();
                    }
                    Answer::Gone => return Ok(Told::Gone),
                    Answer::Failed(reason) => {
                        self.metrics.webhooks.failed.inc();
                        if some || !is_over(record.at, wall_clock(), failures) {
                            info!(receiver = self.host(), reason, "a webhook was not taken");
                            self.advance(room, written, position).await?;
                            return Ok(Told::NotNow { at: Some(record.at), some });
                        }
                        warn!(receiver = self.host(), reason, "a webhook is dropped");
                        self.metrics.webhooks.dropped.inc();
                    }
                }
                self.advance(room, written, position + 1).await?;
                written = position + 1;
            }
            position += 1;
        }
        self.advance(room, written, position).await?;
        Ok(if records.len() < limits::BATCH { Told::All } else { Told::More })
    }

    /// Writes down how far the receiver was told, unless that is `written` already.
    async fn advance(&self, room: &str, written: u64, position: u64) -> Result<(), StoreError> {
        if position == written {
            return Ok(());
        }
        self.cursors.advance(&self.receiver.name, room, position).await
    }

    async fn post(&self, Hook { id, body }: Hook) -> Answer {
        let time = wall_clock().0 / 1_000;
        let signature = self.receiver.key.sign(&id, time, &body);
        post(&self.receiver.client, &self.receiver.url, Message { id, time, signature, body }).await
    }

    fn end(&self) {
        warn!(
            receiver = self.host(),
            "a receiver of webhooks answered 410 Gone: it is told nothing until the next start"
        );
        self.metrics.webhooks.gone.inc();
        self.metrics.webhooks.waits(self.receiver.index, None);
    }

    /// What of the address may be told: its path and query may be secrets.
    fn host(&self) -> &str {
        self.receiver.url.host_str().unwrap_or_default()
    }
}

/// Whether an event that was not taken is dropped, where `failures` attempts failed before.
fn is_over(at: Millis, now: Millis, failures: u32) -> bool {
    failures >= limits::DROP_FAILURES && u128::from(now.0.saturating_sub(at.0)) > limits::DROP_AFTER.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_NOW: Told = Told::NotNow { at: Some(Millis(5)), some: false };

    #[test]
    fn attempts_come_ever_more_rarely_until_the_event_is_dropped() {
        let delays: Vec<_> = (0..7).map(|failures| retry_delay(failures).as_secs()).collect();
        assert_eq!(delays, [5, 20, 80, 320, 1_280, 3_600, 3_600]);
        assert_eq!(retry_delay(u32::MAX), limits::RETRY_MAX);
        let days = |days: u64| Millis(days * 24 * 60 * 60 * 1_000);
        assert!(!is_over(days(10), days(13), limits::DROP_FAILURES));
        assert!(is_over(days(10), days(13).plus(1), limits::DROP_FAILURES));
        assert!(!is_over(days(10), days(20), 0), "the receiver may have been away as long as the server");
    }

    #[test]
    fn a_room_that_failed_waits_and_others_do_not() {
        let (mut work, now) = (Work::default(), Instant::now());
        work.wake("a".to_owned(), now);
        work.wake("a".to_owned(), now);
        assert_eq!(work.next(now).as_deref(), Some("a"));
        assert_eq!(work.next(now), None, "it is told of once at a time");
        work.done("a", &NOT_NOW, now);
        assert_eq!(work.oldest(), Some(Millis(5)));
        work.wake("a".to_owned(), now);
        assert_eq!(work.next(now), None, "something new makes no attempt come sooner");
        work.wake("b".to_owned(), now);
        assert_eq!(work.next(now).as_deref(), Some("b"));
        let due = work.due().unwrap();
        assert_eq!(due - now, limits::RETRY_FIRST);
        assert_eq!(work.next(due).as_deref(), Some("a"));
        assert_eq!(work.due(), None, "it is running");
        work.done("a", &NOT_NOW, due);
        assert_eq!(work.due().unwrap() - due, limits::RETRY_FIRST * 4);
        let due = work.due().unwrap();
        work.next(due);
        work.done("a", &Told::NotNow { at: Some(Millis(9)), some: true }, due);
        assert_eq!(work.due().unwrap() - due, limits::RETRY_FIRST, "some were taken");
    }

    #[test]
    fn what_is_written_while_a_room_is_told_of_is_not_forgotten() {
        let (mut work, now) = (Work::default(), Instant::now());
        work.wake("a".to_owned(), now);
        work.next(now);
        work.wake("a".to_owned(), now);
        assert_eq!(work.next(now), None);
        work.done("a", &Told::All, now);
        assert_eq!(work.next(now).as_deref(), Some("a"));
        work.done("a", &Told::All, now);
        assert_eq!((work.next(now), work.oldest(), work.due()), (None, None, None));
    }

    #[test]
    fn a_room_with_much_to_tell_keeps_no_other_waiting() {
        let (mut work, now) = (Work::default(), Instant::now());
        let second = now + Duration::from_millis(1);
        work.wake("a".to_owned(), now);
        work.next(now);
        work.wake("b".to_owned(), now);
        work.done("a", &Told::More, second);
        assert_eq!(work.next(second).as_deref(), Some("b"));
        assert_eq!(work.next(second).as_deref(), Some("a"));
    }
}
