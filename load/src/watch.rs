//! Only watching: somebody comes into a room whoever is on stage there, and says what they get.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dais_media::limits::CAMERA_SLOTS;
use dais_signaling::protocol::{ClientMessage, Place, Role, Watched};
use serde::Serialize;
use tokio::sync::watch::{Receiver, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

pub use crate::watcher::{
    Bytes, CameraStep, CameraSummary, Delay, Freezes, LayerShown, Rates, State, Step, StepDelay, Summary, VoiceStep,
    VoiceSummary,
};

use crate::engine::{Part, Settings};
use crate::error::LoadError;
use crate::join::{Guest, Venue};
use crate::limits::{LEAVE_WITHIN, WATCHERS_MAX};
use crate::random::Random;
use crate::report::ReportError;
use crate::sdp::Sections;
use crate::session::Session;
use crate::system::{SocketOptions, realtime_ns};
use crate::venue::{VenueOptions, runtime};

/// Steps are fetched this often.
const FETCH_EVERY: Duration = Duration::from_millis(100);
/// Receive buffer asked of the kernel, bytes: what comes in a second at 8 Mbit/s.
const RECEIVE_BUFFER: usize = 1 << 20;

/// Where to watch, and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server, `http://host:port`.
    pub url: String,
    /// The room.
    pub room: String,
    /// A token that everybody shares.
    pub token: Option<String>,
    /// The server's secret, to sign a token for each.
    pub token_secret: Option<String>,
    /// Addresses to receive at, in turn; empty for whichever the server is reached from.
    pub local_ips: Vec<IpAddr>,
    /// How many watch, 1 to 100.
    pub watchers: usize,
    /// How high each camera is shown, px; none for what the server gives who says nothing.
    pub height: Option<u16>,
    /// For how long, from when the last one has joined, s.
    pub seconds: u32,
    /// Where to write a line of JSON for each 100 ms and watcher, a [`Step`].
    pub log: Option<PathBuf>,
}

/// Watches, and says what each watcher found.
///
/// # Errors
/// When there is nothing to say: the server cannot be reached, somebody could not join, or the log cannot be written.
pub fn watch(options: &Options) -> Result<Vec<Summary>, LoadError> {
    if !(1..=WATCHERS_MAX).contains(&options.watchers) || options.seconds == 0 {
        return Err(LoadError::WatchInvalid(format!(
            "there must be 1 to {WATCHERS_MAX} watchers, and 1 second or more"
        )));
    }
    let log = options.log.as_deref().map(Log::create).transpose()?;
    let venue = VenueOptions {
        url: &options.url,
        room: &options.room,
        token: options.token.as_deref(),
        token_secret: options.token_secret.as_deref(),
        local_ips: &options.local_ips,
        // Each datagram by itself, as ordinary clients receive them.
        socket: SocketOptions { gro: false, receive_buffer: RECEIVE_BUFFER },
        threads: 1,
        people: options.watchers,
    };
    let settings = Settings { decrypt: 0.0, chatty: false, read_pause: None };
    let venue = venue.open(settings, &Random::new(realtime_ns()))?;
    runtime()?.block_on(watch_at(&venue, options, log))
}

async fn watch_at(venue: &Venue, options: &Options, mut log: Option<Log>) -> Result<Vec<Summary>, LoadError> {
    let (stop, stopped) = channel(false);
    let (mut present, mut held) = (JoinSet::new(), Vec::new());
    for number in 0..options.watchers {
        let failed = |text| LoadError::WatcherFailed(number, text);
        let joined = venue.join(watcher(number)).await;
        let (mut session, _) = joined.map_err(|failure| failure.of_joining(&options.url, failed))?;
        if let Some(height) = options.height {
            let cameras = (0..CAMERA_SLOTS as u8).map(|slot| Watched { slot, height }).collect();
            let id = session.id();
            let asked = session.request(id, ClientMessage::Watch { id, cameras }).await;
            asked.map_err(|failure| failure.of_joining(&options.url, |text| LoadError::WatcherFailed(number, text)))?;
        }
        held.push(Held::default());
        present.spawn(stay(number, session, stopped.clone(), Arc::clone(&held[number])));
    }
    let end = Instant::now() + Duration::from_secs(options.seconds.into());
    let mut turns = interval(FETCH_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut summaries = loop {
        turns.tick().await;
        let gone = || LoadError::Harness("a media thread".to_owned());
        let report = venue.engine.report().await.ok_or_else(gone)?;
        let mut summaries = Vec::new();
        for watched in report.watched {
            if let Some(log) = &mut log {
                let held = held.get(watched.summary.watcher).map(|held| lock(held).clone()).unwrap_or_default();
                watched.steps.iter().try_for_each(|step| log.write(step, &held))?;
            }
            summaries.push(watched.summary);
        }
        if Instant::now() >= end {
            break summaries;
        }
        if let Some(Ok(Err(lost))) = present.try_join_next() {
            return Err(lost);
        }
    };
    log.map_or(Ok(()), Log::close)?;
    let _ = stop.send(true);
    let all = async { while present.join_next().await.is_some() {} };
    // Who cannot say goodbye by then falls off.
    let _ = timeout(LEAVE_WITHIN, all).await;
    summaries.sort_by_key(|summary| summary.watcher);
    Ok(summaries)
}

/// The camera slots that the server says it holds back from a watcher, as its line does not carry them.
type Held = Arc<Mutex<Vec<u8>>>;

fn lock(held: &Held) -> MutexGuard<'_, Vec<u8>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A step as the log has it.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    step: &'a Step,
    held: &'a [u8],
}

/// Reads what the server tells until it is time to leave.
async fn stay(number: usize, mut session: Session, mut stop: Receiver<bool>, held: Held) -> Result<(), LoadError> {
    tokio::select! {
        _ = stop.changed() => {}
        failure = session.ignore_all_but_held(|cameras| *lock(&held) = cameras) => return Err(LoadError::WatcherLost(number, failure.to_string())),
    }
    session.leave().await;
    Ok(())
}

fn watcher(number: usize) -> Guest {
    Guest {
        number,
        name: format!("Watcher {number}"),
        role: Role::Participant,
        place: Place::Viewer,
        mic: false,
        camera: false,
        sections: Sections {
            mic_ssrc: None,
            camera_ssrc: None,
            layers: 1,
            cameras: CAMERA_SLOTS,
            voices: dais_media::limits::VOICE_SLOTS,
            feedback: true,
        },
        part: Part::Watch,
        // Nobody may be on stage yet.
        awaits_media: false,
    }
}

/// The time line as a file of lines.
struct Log {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Log {
    fn create(path: &Path) -> Result<Self, LoadError> {
        let file = File::create(path).map_err(|error| ReportError::Write(path.to_owned(), error))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    fn write(&mut self, step: &Step, held: &[u8]) -> Result<(), LoadError> {
        let line =
            serde_json::to_string(&Line { step, held }).map_err(|error| LoadError::Harness(error.to_string()))?;
        let written = writeln!(self.file, "{line}");
        written.map_err(|error| ReportError::Write(self.path.clone(), error).into())
    }

    fn close(mut self) -> Result<(), LoadError> {
        self.file.flush().map_err(|error| ReportError::Write(self.path, error).into())
    }
}
