//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::error::LoadError;
use crate::floor::Floor;
use crate::report::{self, ReportError, Verdict};
use crate::run::{Options, run};
use crate::scenario::{Publishers, SHIPPED, Scenario};
use crate::{publishing, watch};

/// Loads a dais server with real participants and says what it found.
///
/// Exit code: 0 all thresholds met, 1 a threshold not met, 2 no result, 3 the harness itself lost more than 0.1 % of the
/// packets, so that the result cannot be trusted.
#[derive(Clone, Debug, Parser)]
#[command(name = "dais-load", version)]
pub struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Clone, Debug, Subcommand)]
enum Task {
    /// Play a scenario on a server.
    Run(Box<RunArgs>),
    /// Measure the bare loop that no server can be faster than.
    Floor(FloorArgs),
    /// Only publish: people come on stage and stay for so long.
    Publish(PublishArgs),
    /// Only watch: say what somebody gets who looks at all cameras and hears all voices.
    Watch(WatchArgs),
    /// Make the page of a run from the JSON file that it left.
    Report(ReportArgs),
    /// List the scenarios that come with the harness.
    Scenarios,
}

/// Where to go.
#[derive(Clone, Debug, Args)]
struct Access {
    /// The server.
    #[arg(long, env = "DAIS_LOAD_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Access token that everybody shares: one without `sub`.
    #[arg(long, env = "DAIS_LOAD_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The server's token secret: each participant gets a token of their own.
    #[arg(long, env = "DAIS_TOKEN_SECRET", hide_env_values = true)]
    token_secret: Option<String>,
    /// The room.
    #[arg(long, default_value = "demo")]
    room: String,
    /// Addresses to send from, in turn: more than 28,000 participants need more than one.
    #[arg(long, value_delimiter = ',')]
    local_ip: Vec<IpAddr>,
}

#[derive(Clone, Debug, Args)]
struct RunArgs {
    /// A scenario file, or the name of one that comes with the harness.
    scenario: String,
    #[command(flatten)]
    access: Access,
    /// Process id of the server, on the same machine, to see what it uses.
    #[arg(long)]
    pid: Option<u32>,
    /// Address of the server's metrics, such as http://127.0.0.1:9464/metrics.
    #[arg(long)]
    metrics: Option<String>,
    /// Receive each datagram by itself, as ordinary clients do, instead of several at once.
    #[arg(long)]
    no_gro: bool,
    /// Number of viewers, instead of the scenario's.
    #[arg(long)]
    viewers: Option<usize>,
    /// Let every viewer report what came when, as browsers do, so that the server estimates each one's line.
    #[arg(long)]
    feedback: bool,
    /// Length of the measured window in seconds, instead of the scenario's.
    #[arg(long)]
    seconds: Option<u32>,
    /// Seed of what is left to chance, instead of the scenario's.
    #[arg(long)]
    seed: Option<u64>,
    /// Media threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Core to run on.
    #[arg(long)]
    cpu: Option<usize>,
    /// Write the result as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write the result as a page with plots.
    #[arg(long)]
    html: Option<PathBuf>,
    /// Print nothing while it runs.
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Debug, Args)]
struct FloorArgs {
    /// Take receivers, rate, size, segments and GRO from the result of a run; options given beside it count.
    #[arg(long)]
    from: Option<PathBuf>,
    /// Receiving sockets [default: 300].
    #[arg(long)]
    receivers: Option<usize>,
    /// Bytes of a datagram [default: 1200].
    #[arg(long)]
    size: Option<usize>,
    /// Datagrams a message on the average [default: 1].
    #[arg(long)]
    segments: Option<f64>,
    /// Datagrams a second, to all receivers together [default: 81000].
    #[arg(long)]
    packets_per_second: Option<f64>,
    /// How long, in seconds [default: 5].
    #[arg(long)]
    seconds: Option<f64>,
    /// Receive each datagram by itself.
    #[arg(long)]
    no_gro: bool,
    /// Core of the sender.
    #[arg(long)]
    sender_cpu: Option<usize>,
    /// Core of the receivers.
    #[arg(long)]
    receiver_cpu: Option<usize>,
    /// Write the result as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Exit codes.
mod exit {
    pub(super) const PASSED: u8 = 0;
    pub(super) const THRESHOLD: u8 = 1;
    pub(super) const NO_RESULT: u8 = 2;
    pub(super) const NOT_TRUSTED: u8 = 3;
}

impl Cli {
    /// Does what is asked for and returns the exit code.
    #[must_use]
    pub fn perform(self) -> u8 {
        let outcome = match self.task {
            Task::Run(args) => args.perform(),
            Task::Floor(args) => args.perform(),
            Task::Publish(args) => args.perform(),
            Task::Watch(args) => args.perform(),
            Task::Report(args) => args.perform(),
            Task::Scenarios => list_scenarios(),
        };
        outcome.unwrap_or_else(|error| {
            eprintln!("error ({}): {error}", error.code());
            exit::NO_RESULT
        })
    }
}

fn list_scenarios() -> Result<u8, LoadError> {
    for shipped in SHIPPED {
        let scenario = Scenario::load(shipped.name)?;
        println!("{:<12} {}", shipped.name, scenario.description);
    }
    Ok(exit::PASSED)
}

impl RunArgs {
    fn perform(self) -> Result<u8, LoadError> {
        let mut scenario = Scenario::load(&self.scenario)?;
        scenario.viewers.count = self.viewers.unwrap_or(scenario.viewers.count);
        scenario.viewers.feedback |= self.feedback;
        scenario.timing.measured_s = self.seconds.unwrap_or(scenario.timing.measured_s);
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        let options = Options {
            url: self.access.url,
            room: self.access.room,
            token: self.access.token,
            token_secret: self.access.token_secret,
            pid: self.pid,
            metrics: self.metrics,
            gro: !self.no_gro,
            threads: self.threads,
            local_ips: self.access.local_ip,
            cpu: self.cpu,
            progress: !self.quiet,
        };
        if !self.quiet {
            eprintln!("{}: {} (seed {})", scenario.name, scenario.description, scenario.seed);
        }
        let result = run(&scenario, &options)?;
        if let Some(path) = &self.json {
            report::write_json(path, &result)?;
        }
        if let Some(path) = &self.html {
            report::write_html(path, &result)?;
        }
        print!("{}", report::table(&result));
        Ok(match Verdict::of(&result) {
            Verdict::Passed => exit::PASSED,
            Verdict::Failed(_) => exit::THRESHOLD,
            Verdict::NotTrustworthy => exit::NOT_TRUSTED,
        })
    }
}

#[derive(Clone, Debug, Args)]
struct PublishArgs {
    #[command(flatten)]
    access: Access,
    /// People with a camera.
    #[arg(long, default_value_t = 1)]
    cameras: usize,
    /// People with a microphone; the first ones have both.
    #[arg(long, default_value_t = 0)]
    microphones: usize,
    /// Bits per second of each layer of a camera, smallest first; one layer is no simulcast.
    #[arg(long, value_delimiter = ',', default_value = "1000000")]
    layers: Vec<u32>,
    /// Temporal layers of each of those. Chromium makes three of a simulcast camera.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    temporal_layers: u8,
    /// Frames per second of a camera.
    #[arg(long, default_value_t = 30)]
    frames_per_second: u32,
    /// Share of the time each of them speaks.
    #[arg(long, default_value_t = 1.0)]
    speech_share: f64,
    /// For how long, in seconds, from when the last one is on stage.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Seed of what is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl PublishArgs {
    fn perform(self) -> Result<u8, LoadError> {
        let Self { access, cameras, microphones, layers, temporal_layers, .. } = self;
        let Self { frames_per_second, speech_share, seconds, seed, .. } = self;
        let publishers = Publishers {
            cameras,
            layers,
            temporal_layers,
            frames_per_second,
            microphones,
            speech_share,
            ..Publishers::default()
        };
        let scenario = Scenario::of_publishers(publishers, seed);
        let options = publishing::Options {
            url: access.url,
            room: access.room,
            token: access.token,
            token_secret: access.token_secret,
            local_ips: access.local_ip,
            seconds,
        };
        publishing::publish(&scenario, &options, || println!("publishing"))?;
        Ok(exit::PASSED)
    }
}

#[derive(Clone, Debug, Args)]
struct WatchArgs {
    #[command(flatten)]
    access: Access,
    /// How many watch.
    #[arg(long, default_value_t = 1)]
    watchers: usize,
    /// How high each camera is shown, in pixels; without it they say nothing, and get the middle layer at most.
    #[arg(long)]
    height: Option<u16>,
    /// For how long, in seconds, from when the last one has joined.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// Write a line of JSON for each 100 ms and watcher.
    #[arg(long)]
    log: Option<PathBuf>,
    /// Print the summary as JSON, not as a table.
    #[arg(long)]
    json: bool,
}

impl WatchArgs {
    fn perform(self) -> Result<u8, LoadError> {
        let Self { access, watchers, height, seconds, log, json } = self;
        let summaries = watch::watch(&watch::Options {
            url: access.url,
            room: access.room,
            token: access.token,
            token_secret: access.token_secret,
            local_ips: access.local_ip,
            watchers,
            height,
            seconds,
            log,
        })?;
        if json {
            let text = serde_json::to_string_pretty(&summaries);
            println!("{}", text.map_err(|error| LoadError::Harness(error.to_string()))?);
        } else {
            summaries.iter().for_each(|summary| print!("{}", report::watch_table(summary)));
        }
        Ok(exit::PASSED)
    }
}

#[derive(Clone, Debug, Args)]
struct ReportArgs {
    /// What `dais-load run --json` wrote.
    result: PathBuf,
    /// The page to write.
    #[arg(long)]
    html: PathBuf,
}

impl ReportArgs {
    fn perform(self) -> Result<u8, LoadError> {
        print!("{}", report::table(&report::convert(&self.result, &self.html)?));
        Ok(exit::PASSED)
    }
}

impl FloorArgs {
    fn perform(self) -> Result<u8, LoadError> {
        let run = self.from.as_deref().map(report::read_json).transpose()?;
        let base = match &run {
            Some(run) => Floor::under(run)?,
            None => Floor::default(),
        };
        let floor = Floor {
            receivers: self.receivers.unwrap_or(base.receivers),
            size: self.size.unwrap_or(base.size),
            segments: self.segments.unwrap_or(base.segments),
            packets_per_second: self.packets_per_second.unwrap_or(base.packets_per_second),
            seconds: self.seconds.unwrap_or(base.seconds),
            gro: base.gro && !self.no_gro,
            sender_cpu: self.sender_cpu,
            receiver_cpu: self.receiver_cpu,
        };
        let result = floor.measure()?;
        let json = serde_json::to_string_pretty(&result).map_err(|error| LoadError::Harness(error.to_string()))?;
        match &self.json {
            Some(path) => std::fs::write(path, json + "\n").map_err(|error| ReportError::Write(path.clone(), error))?,
            None => println!("{json}"),
        }
        Ok(exit::PASSED)
    }
}
