//! Playing a case: two hosts, a line between them, a server at the near one, and whoever is behind the line at the far one.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use dais_line::{Ends, Host, Running};
use serde_json::Value;

use super::Programs;
use super::case::{Behind, Besides, Case, Length};
use super::seen::{Passing, Seen, Step};
use super::tcp::TcpFlow;
use crate::run::root;

const SERVER: &str = "10.90.0.1";
/// Of whoever is behind the line.
const FAR: &str = "10.90.0.2";
const SECRET: &str = "a secret for the networks, of 32 bytes";
/// People come on stage, and viewers join, within this time.
const JOIN_WITHIN: u32 = 15;
/// A program is ready within this time.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A process that is ended when this is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that is there as long as this.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Plays `case`, and says what was seen.
pub fn play(programs: &Programs, case: &Case, length: Length) -> Result<Seen, String> {
    let text = |error: std::io::Error| error.to_string();
    let folder = std::env::temp_dir().join(format!("dais-net-{}-{}", case.name, std::process::id()));
    fs::create_dir_all(&folder).map_err(text)?;
    let folder = Folder(folder);
    let (near, far) = (Host::new("near").map_err(text)?, Host::new("far").map_err(text)?);
    let ends = Ends { near: (&near, &format!("{SERVER}/24")), far: (&far, &format!("{FAR}/24")) };
    let script = case.script(length);
    let mut line = Running::new(&programs.line, &folder.0, ends, &script).map_err(text)?;

    let seconds = (case.seconds)(length);
    let (server, link) = serve(programs, &near, &folder.0)?;
    let publishers = publish(programs, &near, case, seconds + 3 * JOIN_WITHIN)?;
    let browser = match case.behind {
        Behind::Publisher => Some(Browser::enter(&far, &link, &folder.0)?),
        Behind::Viewers(_) => None,
    };
    let other = watch(programs, &near, 1, seconds + 2, 360, &folder.0.join("other.jsonl"));
    let started = monotonic_ms();
    line.start().map_err(text)?;
    let tcp = (case.besides == Besides::Tcp).then(|| TcpFlow::start(&near, &far, FAR));
    let log = folder.0.join("watch.jsonl");
    let looked_at = match case.behind {
        Behind::Viewers(viewers) => watch(programs, &far, viewers, seconds, case.height, &log),
        Behind::Publisher => watch(programs, &near, 1, seconds, case.height, &log),
    };
    summaries(&looked_at?.wait_with_output().map_err(text)?)?;
    let tcp = tcp.map(TcpFlow::stop).unwrap_or_default();
    let other = summaries(&other?.wait_with_output().map_err(text)?)?;
    browser.map_or(Ok(()), Browser::leave)?;
    drop((publishers, server));
    let steps = fs::read_to_string(&log).map_err(text)?;
    let steps = steps.lines().filter_map(|line| step(line, started, case)).collect();
    let other = other.first().cloned().unwrap_or_default();
    let line = line.entries().map_err(text)?.iter().map(|entry| Passing::of(entry, case.behind)).collect();
    Ok(Seen { line, steps, other, tcp })
}

/// Milliseconds of CLOCK_MONOTONIC, which the steps of viewers carry.
fn monotonic_ms() -> f64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    now.map_or(0.0, |now| now.tv_sec() as f64 * 1_000.0 + now.tv_nsec() as f64 / 1e6)
}

/// The server, and a link for hosts of its room.
fn serve(programs: &Programs, host: &Host, folder: &Path) -> Result<(Ended, String), String> {
    let mut command = host.command(&programs.server.to_string_lossy());
    command.args(["--listen", &format!("{SERVER}:8080"), "--metrics-listen", "127.0.0.1:9464", "--demo"]);
    command.args(["--token-secret", SECRET, "--in-memory"]).current_dir(folder);
    let Started { process, said, .. } = until_said(&mut command, "Ctrl-C")?;
    let link = said.iter().find_map(|line| line.trim().strip_prefix("Host")).ok_or("no link for hosts")?;
    Ok((process, link.trim().to_owned()))
}

fn publish(programs: &Programs, host: &Host, case: &Case, seconds: u32) -> Result<Ended, String> {
    let (cameras, microphones) = case.stage;
    let layers = case.layers.map(|layer| layer.to_string()).join(",");
    let mut command = load(programs, host);
    // As the page has a Chromium do it.
    command.arg("publish").args(access()).args(["--layers", &layers, "--temporal-layers", "3"]);
    command.args(["--cameras", &cameras.to_string(), "--microphones", &microphones.to_string()]);
    command.args(["--seconds", &seconds.to_string()]);
    Ok(until_said(&mut command, "publishing")?.process)
}

/// Somebody on stage with a Chromium.
struct Browser {
    playwright: Started,
    film: PathBuf,
}

impl Browser {
    /// They come with a link, and with a film before the camera that is made in `folder`.
    fn enter(host: &Host, link: &str, folder: &Path) -> Result<Self, String> {
        // Whoever failed before must not find it.
        let film = folder.join(format!("{}.y4m", monotonic_ms()));
        let mut command = host.command("node_modules/.bin/playwright");
        command.args(["test", "--retries", "0", "--output"]).arg(folder.join("results"));
        command.current_dir(root().join("tests/browser")).env("DAIS_LINK", link).env("DAIS_FILM", &film);
        Ok(Self { playwright: until_said(&mut command, "publishing")?, film })
    }

    /// They leave when there is no film any more.
    fn leave(mut self) -> Result<(), String> {
        fs::remove_file(&self.film).map_err(|error| error.to_string())?;
        let status = self.playwright.process.0.wait().map_err(|error| error.to_string())?;
        let more = || self.playwright.lines.try_iter().collect::<Vec<_>>().join("; ");
        if status.success() { Ok(()) } else { Err(format!("the browser on stage failed, {status}: {}", more())) }
    }
}

fn watch(
    programs: &Programs,
    host: &Host,
    viewers: usize,
    seconds: u32,
    height: u16,
    log: &Path,
) -> Result<Child, String> {
    let mut command = load(programs, host);
    command.arg("watch").args(access()).args(["--watchers", &viewers.to_string(), "--seconds", &seconds.to_string()]);
    command.args(["--height", &height.to_string(), "--json"]).arg("--log").arg(log).stdout(Stdio::piped());
    command.spawn().map_err(|error| error.to_string())
}

fn load(programs: &Programs, host: &Host) -> Command {
    host.command(&programs.load.to_string_lossy())
}

fn access() -> [String; 4] {
    ["--url".to_owned(), format!("http://{SERVER}:8080"), "--token-secret".to_owned(), SECRET.to_owned()]
}

/// A program that is ready.
struct Started {
    process: Ended,
    /// What it said until it was.
    said: Vec<String>,
    /// What it says after that.
    lines: Receiver<String>,
}

/// Starts a program and waits until it says that it is ready.
fn until_said(command: &mut Command, ready: &str) -> Result<Started, String> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
    let stdout = child.stdout.take().ok_or("no standard output")?;
    let process = Ended(child);
    let (say, lines) = mpsc::channel();
    thread::spawn(move || {
        // Where nobody listens any more it is read all the same: the program would stop.
        BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(say.send(line)));
    });
    let (deadline, mut said) = (Instant::now() + READY_WITHIN, Vec::new());
    while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        let done = line.contains(ready);
        said.push(line);
        if done {
            return Ok(Started { process, said, lines });
        }
    }
    Err(format!("{:?} is not ready: {}", command.get_args().collect::<Vec<_>>(), said.join("; ")))
}

fn summaries(output: &Output) -> Result<Vec<Value>, String> {
    if !output.status.success() {
        return Err(format!("a viewer failed: {}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// A line of a viewer's log; `started` is when the line's script started. Where a publisher is behind the line it tells of their
/// camera only: it comes after those of the others.
fn step(line: &str, started: f64, case: &Case) -> Option<Step> {
    let value: Value = serde_json::from_str(line).ok()?;
    let first = if case.behind == Behind::Publisher { case.stage.0 as u64 } else { 0 };
    let cameras = value["cameras"].as_array()?.iter().filter(|camera| camera["slot"].as_u64() >= Some(first));
    let bytes: f64 = value["bytes"].as_object()?.values().filter_map(Value::as_f64).sum();
    Some(Step {
        at: (value["monotonic_ms"].as_f64()? - started) / 1_000.0,
        viewer: value["watcher"].as_u64()? as usize,
        bytes,
        freezes: cameras
            .clone()
            .filter_map(|camera| Some((camera["slot"].as_u64()?, camera["freeze_ms"].as_f64()?)))
            .filter(|(_, ms)| *ms > 0.0)
            .collect(),
        held: value["held"].as_array()?.iter().filter_map(Value::as_u64).collect(),
        frames: cameras.clone().filter_map(|camera| camera["shown"].as_f64()).sum(),
        playing: cameras.filter(|camera| camera["state"] == "playing").count(),
        rtx: value["bytes"]["rtx"].as_f64()?,
        gap_ms: value["voices"].as_array()?.iter().filter_map(|voice| voice["gap_ms"].as_f64()).sum(),
        voice_packets: value["voices"].as_array()?.iter().filter_map(|voice| voice["packets"].as_f64()).sum(),
    })
}
