//! A crowd that chats and answers a poll: how soon everybody has it, and what it costs the server.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{interval, sleep};
use tokio_tungstenite::tungstenite::Message;

use super::client::{Client, PATIENCE};
use super::server::Server;
use super::{JOINS_PER_SECOND, Result};

const MESSAGES: usize = 1_000;
const MESSAGES_PER_SECOND: u32 = 100;
const ANSWERS: usize = 500;
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
/// What a message begins with; the time it was sent follows, µs from the start.
const SAID: &str = "at ";

/// How many times something took so many milliseconds; the last place is of all that took longer.
struct Times(Vec<AtomicU32>);

impl Times {
    fn new() -> Self {
        Self((0..=10_000).map(|_| AtomicU32::new(0)).collect())
    }

    fn note(&self, took: Duration) {
        let place = usize::try_from(took.as_millis()).unwrap_or(usize::MAX).min(self.0.len() - 1);
        self.0[place].fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> usize {
        self.0.iter().map(|times| times.load(Ordering::Relaxed) as usize).sum()
    }

    fn percentile(&self, percent: usize) -> usize {
        let (wanted, mut seen) = (self.count() * percent / 100, 0);
        let found = self.0.iter().position(|times| {
            seen += times.load(Ordering::Relaxed) as usize;
            seen > wanted
        });
        found.unwrap_or(self.0.len() - 1)
    }

    fn print(&self, what: &str) {
        let at = |percent| self.percentile(percent);
        println!("{what:<44} p50 {}  p95 {}  p99 {} ms", at(50), at(95), at(99));
    }

    /// Waits until there are `expected`.
    async fn until(&self, expected: usize, what: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.count() < expected {
            if Instant::now() > deadline {
                return Err(format!("{what}: {} of {expected}", self.count()).into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

/// What everybody notes.
struct Seen {
    start: Instant,
    said: Times,
    answered: Times,
    results: Times,
    /// When the results were published, µs from the start.
    published: AtomicU64,
}

impl Seen {
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn since(&self, sent: u64) -> Duration {
        Duration::from_micros(self.now().saturating_sub(sent))
    }

    fn note(&self, text: &str, asked: &mut Option<Instant>) {
        if text.starts_with(r#"{"type":"chat""#) {
            for said in text.split(r#""text":"at "#).skip(1) {
                let digits = said.split('"').next().unwrap_or_default();
                self.said.note(self.since(digits.parse().unwrap_or(0)));
            }
        } else if text.starts_with(r#"{"type":"polls""#) && text.contains(r#""step":"published""#) {
            self.results.note(self.since(self.published.load(Ordering::Relaxed)));
        } else if text.starts_with(r#"{"type":"ok""#)
            && let Some(asked) = asked.take()
        {
            self.answered.note(asked.elapsed());
        }
    }
}

/// Reads until the end, and says what it is told to.
async fn take_part(mut client: Client, mut requests: mpsc::Receiver<Value>, seen: Arc<Seen>) {
    let mut asked = None;
    loop {
        tokio::select! {
            message = client.socket.next() => match message {
                Some(Ok(Message::Text(text))) => seen.note(&text, &mut asked),
                Some(Ok(_)) => {}
                // Missing in what was seen.
                Some(Err(_)) | None => return,
            },
            Some(request) = requests.recv() => {
                asked = (request["type"] == "answer_poll").then(Instant::now);
                if client.send(&request).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// `viewers` in a room: a hundred messages a second for ten seconds, then 500 answers in two, and their result.
pub async fn crowd(data: &Path, viewers: usize) -> Result<()> {
    let server = Arc::new(Server::start(data)?);
    let seen = Arc::new(Seen {
        start: Instant::now(),
        said: Times::new(),
        answered: Times::new(),
        results: Times::new(),
        published: AtomicU64::new(0),
    });
    let mut people = Vec::with_capacity(viewers);
    let mut pace = interval(Duration::from_secs(1) / JOINS_PER_SECOND);
    for n in 0..viewers {
        pace.tick().await;
        let (server, seen) = (Arc::clone(&server), Arc::clone(&seen));
        let (requests, receiver) = mpsc::channel(4);
        people.push(requests);
        tokio::spawn(async move {
            match Client::enter(&server, &server.token, format!("Viewer {n}"), "viewer").await {
                Ok(client) => take_part(client, receiver, seen).await,
                Err(error) => println!("not let in: {error}"),
            }
        });
    }
    sleep(Duration::from_secs(3)).await;

    let before = (server.processor_time()?, Instant::now());
    let mut pace = interval(Duration::from_secs(1) / MESSAGES_PER_SECOND);
    for n in 0..MESSAGES {
        pace.tick().await;
        let text = format!("{SAID}{}", seen.now());
        let say = json!({ "type": "say", "id": 2, "channel": "everyone", "text": text });
        people[n * 7 % viewers].send(say).await?;
    }
    let cores = (server.processor_time()? - before.0).as_secs_f64() / before.1.elapsed().as_secs_f64();
    seen.said.until(MESSAGES * viewers, "messages that arrived").await?;
    seen.said.print(&format!("a message to everybody, {MESSAGES_PER_SECOND} a second"));
    println!("{:<44} {cores:.2} cores", "the server meanwhile");

    let mut host = Client::enter(&server, &server.host, "Host".to_owned(), "viewer").await?;
    let question = json!({ "text": "How?", "options": ["well", "badly"], "multiple": false });
    let poll = json!({ "kind": "poll", "anonymous": true, "questions": [question] });
    ask(&mut host, &json!({ "type": "make_poll", "id": 2, "poll": poll })).await?;
    let advance =
        |step: &str, id: u32| json!({ "type": "advance_poll", "id": id, "poll": 1, "step": step, "question": 0 });
    ask(&mut host, &advance("draft", 3)).await?;
    let mut pace = interval(ANSWERED_WITHIN / u32::try_from(ANSWERS)?);
    let before = (server.processor_time()?, Instant::now());
    for n in 0..ANSWERS {
        pace.tick().await;
        let answer = json!({ "type": "answer_poll", "id": 3, "poll": 1, "question": 0, "choices": [n % 2] });
        people[n * 7 % viewers].send(answer).await?;
    }
    let cores = (server.processor_time()? - before.0).as_secs_f64() / before.1.elapsed().as_secs_f64();
    seen.answered.until(ANSWERS, "answers that were taken").await?;
    seen.answered.print(&format!("an answer to ok, {ANSWERS} in {} s", ANSWERED_WITHIN.as_secs()));
    println!("{:<44} {cores:.2} cores", "the server meanwhile");
    ask(&mut host, &advance("open", 4)).await?;
    seen.published.store(seen.now(), Ordering::Relaxed);
    host.send(&advance("closed", 5)).await?;
    let told = host.until_text(|text| text.contains(r#""step":"published""#)).await?;
    if !told.contains(&format!(r#""answered":{ANSWERS}"#)) {
        return Err(format!("answers were lost: {told}").into());
    }
    seen.results.until(viewers, "results that arrived").await?;
    seen.results.print("published to seen by everybody");
    Ok(())
}

async fn ask(host: &mut Client, request: &Value) -> Result<()> {
    host.send(request).await?;
    host.until("ok").await
}
