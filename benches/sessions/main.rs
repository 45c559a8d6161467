//! Thousands of sessions in one room of a real server: `cargo bench --bench sessions`. Prints what a session costs, how
//! a join storm goes, how long a command takes with the journal on disk, how soon thousands have what was said and what was
//! answered, and how long a restart takes.
//!
//! `DAIS_SESSIONS` sets the number of viewers (5,000).

mod client;
mod crowd;
mod server;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use client::{Client, PATIENCE};
use dais::journal::{Journal as _, Record, SqliteJournal};
use dais_stage::{Actor, Event, Identity, Millis, ParticipantId, Role, Settings};
use futures_util::StreamExt as _;
use serde_json::json;
use server::Server;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Mutex, mpsc};
use tokio::time::{interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

const ON_STAGE: usize = 100;
const JOINS_PER_SECOND: u32 = 500;
const COMMANDS: usize = 2_000;
const COMMANDS_PER_SECOND: u32 = 200;
const JOURNAL_EVENTS: usize = 100_000;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What all clients count.
#[derive(Default)]
struct Counts {
    dropped: AtomicU64,
    messages: AtomicU64,
    bytes: AtomicU64,
}

/// Reads until the end; answers to commands come back with the time they took.
async fn stay(
    mut client: Client,
    counts: Arc<Counts>,
    mut commands: mpsc::Receiver<u32>,
    took: mpsc::Sender<Duration>,
) {
    let mut asked = None;
    loop {
        tokio::select! {
            message = client.socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    counts.messages.fetch_add(1, Ordering::Relaxed);
                    counts.bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
                    if text.starts_with(r#"{"type":"ok""#) && let Some(at) = asked.take() {
                        let _ = took.send(Instant::elapsed(&at)).await;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => {
                    counts.dropped.fetch_add(1, Ordering::Relaxed);
                    return;
                }
            },
            Some(n) = commands.recv() => {
                asked = Some(Instant::now());
                if client.send(&json!({ "type": "set_mic", "id": n + 10, "on": n % 2 == 1 })).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(f64::NAN, Duration::as_secs_f64) * 1e3
}

fn print_times(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |percent| percentile(times, percent);
    println!("{what:<44} p50 {:.2}  p95 {:.2}  p99 {:.2}  max {:.2} ms", at(50), at(95), at(99), at(100));
}

/// The viewers share one thread. Those whose commands are timed have a thread of their own: what is measured is the
/// server, not how long thousands of clients in one process wait for each other.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<()> {
    let viewers = std::env::var("DAIS_SESSIONS").map_or(Ok(5_000), |n| n.parse())?;
    rlimit::increase_nofile_limit(u64::MAX)?;
    let data = std::env::temp_dir().join(format!("dais-bench-{}", std::process::id()));
    let timed = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let result = measure(&data, viewers, timed.handle()).await;
    timed.shutdown_background();
    let _ = std::fs::remove_dir_all(&data);
    result
}

async fn measure(data: &Path, viewers: usize, timed: &Handle) -> Result<()> {
    sessions(&data.join("sessions"), viewers, timed).await?;
    crowd::crowd(&data.join("crowd"), viewers).await?;
    restart(&data.join("restart")).await
}

async fn sessions(data: &Path, viewers: usize, timed: &Handle) -> Result<()> {
    let server = Arc::new(Server::start(data)?);
    let counts = Arc::new(Counts::default());
    let (took, mut times) = mpsc::channel(COMMANDS);
    let mut speakers = Vec::new();
    let before = server.memory()?;
    for n in 0..ON_STAGE {
        let (commands, receiver) = mpsc::channel(4);
        speakers.push(commands);
        let (server, counts, took) = (Arc::clone(&server), Arc::clone(&counts), took.clone());
        let entered = timed.spawn(async move {
            let client = Client::enter(&server, &server.token, format!("Speaker {n}"), "stage").await?;
            tokio::spawn(stay(client, counts, receiver, took));
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        });
        entered.await??;
    }

    let joined = Arc::new(Mutex::new(Vec::with_capacity(viewers)));
    let failed = Arc::new(AtomicU64::new(0));
    let storm = Instant::now();
    let mut pace = interval(Duration::from_secs(1) / JOINS_PER_SECOND);
    let mut joining = Vec::with_capacity(viewers);
    for n in 0..viewers {
        pace.tick().await;
        let (server, counts, took) = (Arc::clone(&server), Arc::clone(&counts), took.clone());
        let (joined, failed) = (Arc::clone(&joined), Arc::clone(&failed));
        joining.push(tokio::spawn(async move {
            let start = Instant::now();
            match Client::enter(&server, &server.token, format!("Viewer {n}"), "viewer").await {
                Ok(client) => {
                    joined.lock().await.push(start.elapsed());
                    tokio::spawn(stay(client, counts, mpsc::channel(1).1, took));
                }
                Err(error) => {
                    if failed.fetch_add(1, Ordering::Relaxed) == 0 {
                        println!("first failure: {error}");
                    }
                }
            }
        }));
    }
    for join in joining {
        join.await?;
    }
    let storm = storm.elapsed().as_secs_f64();
    let mut joins = joined.lock().await.clone();
    println!("{} viewers joined in {storm:.1} s ({:.0} a second)", joins.len(), joins.len() as f64 / storm);
    print_times("join: connect to entered", &mut joins);
    sleep(Duration::from_secs(3)).await;
    let each = (server.memory()? - before) / (viewers + ON_STAGE) as u64;
    println!("{:<44} {:.1} kB", "memory of the server for a session", each as f64 / 1e3);

    let mut pace = interval(Duration::from_secs(1) / COMMANDS_PER_SECOND);
    let sent = Instant::now();
    for n in 0..COMMANDS {
        pace.tick().await;
        let round = u32::try_from(n / ON_STAGE)?;
        speakers[n % ON_STAGE].send(round).await?;
    }
    let mut acknowledged = Vec::with_capacity(COMMANDS);
    while acknowledged.len() < COMMANDS {
        acknowledged.push(timeout(PATIENCE, times.recv()).await?.ok_or("no answers")?);
    }
    print_times(&format!("command to ok, {COMMANDS_PER_SECOND} a second"), &mut acknowledged);
    let messages = counts.messages.load(Ordering::Relaxed) as f64 / sent.elapsed().as_secs_f64();
    println!("{:<44} {messages:.0} a second (since the storm began, averaged)", "messages to all sessions");
    let dropped = counts.dropped.load(Ordering::Relaxed) + failed.load(Ordering::Relaxed);
    println!("{:<44} {dropped}", "sessions dropped or not let in");
    if dropped > 0 { Err("sessions were dropped".into()) } else { Ok(()) }
}

/// Starts the server on a journal of many events, with and without a snapshot near its end.
async fn restart(data: &Path) -> Result<()> {
    let journal = SqliteJournal::open(data)?;
    let mut records = vec![Record {
        at: Millis(1),
        event: Event::Opened {
            title: "Demo".to_owned(),
            settings: Settings { empty_after_ms: 0, ..Settings::default() },
        },
    }];
    for n in 0u32.. {
        if records.len() >= JOURNAL_EVENTS {
            break;
        }
        let (id, at) = (ParticipantId(n % 5_000 + 1), Millis(u64::from(n) + 2));
        let event = match n {
            0..5_000 => {
                let (identity, name) = (Identity(format!("person-{n}")), format!("Person {n}"));
                Event::Entered { id, identity, name, role: Role::Participant, link: None }
            }
            _ if n % 3 == 0 => Event::HandRaised { id },
            _ if n % 3 == 1 => Event::HandLowered { id, by: Some(Actor::Portal) },
            _ => Event::Asked { id },
        };
        records.push(Record { at, event });
    }
    for (n, portion) in records.chunks(1_000).enumerate() {
        journal.append("demo", n as u64 * 1_000, portion.to_vec()).await?;
    }
    drop(journal);
    let server = Server::start(data)?;
    let what = format!("restart with {JOURNAL_EVENTS} events, no snapshot");
    println!("{what:<44} {:.2} s", server.started_in.as_secs_f64());
    Ok(())
}
