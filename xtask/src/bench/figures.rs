//! What a run of `dais-load` left in its JSON files, as far as the tables need it.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::plan::{Floor, Measure};

/// Loss of the harness's own sockets above which `dais-load` calls a run not trustworthy, as a share.
const HARNESS_LOSS_MAX: f64 = 0.001;

/// One run of a scenario, with the bare loops of the same run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What `dais-load run` found.
    pub result: RunResult,
    /// What `dais-load floor` found.
    pub floors: Vec<(Floor, FloorResult)>,
}

/// The fields of a `dais-load run` that are used here.
#[derive(Clone, Debug, Deserialize)]
pub struct RunResult {
    /// RFC 3339, UTC.
    pub started: String,
    /// Where it ran.
    pub machine: Machine,
    /// How participants came in.
    pub joins: Joins,
    /// What arrived.
    pub traffic: Traffic,
    /// One-way, publisher to viewer.
    pub latency: Latency,
    /// What the server used.
    pub server: Option<ServerUse>,
}

/// Where a run was made.
#[derive(Clone, Debug, Deserialize)]
pub struct Machine {
    /// Model name.
    pub cpu: String,
    /// Release.
    pub kernel: String,
}

/// Joins of a run.
#[derive(Clone, Debug, Deserialize)]
pub struct Joins {
    /// Completed in a second.
    pub per_second: f64,
    /// The whole of it.
    pub total: Spread,
}

/// Percentiles.
#[derive(Clone, Debug, Deserialize)]
pub struct Spread {
    /// 99th percentile.
    pub p99_ms: f64,
}

/// Packets of a run.
#[derive(Clone, Debug, Deserialize)]
pub struct Traffic {
    /// By all viewers.
    pub received: u64,
    /// Sent to a viewer or due to one, and not received.
    pub lost_by_server: u64,
    /// Dropped by sockets of the harness.
    pub lost_by_harness: u64,
}

/// One-way latency.
#[derive(Clone, Debug, Deserialize)]
pub struct Latency {
    /// Values measured.
    pub count: u64,
    /// Median.
    pub p50_us: f64,
    /// 99th percentile.
    pub p99_us: f64,
}

/// The server's share.
#[derive(Clone, Debug, Deserialize)]
pub struct ServerUse {
    /// In user space.
    pub user_us_per_packet: f64,
    /// In the kernel.
    pub system_us_per_packet: f64,
    /// Mean.
    pub segments_per_message: Option<f64>,
    /// Bytes.
    pub memory_per_participant: Option<f64>,
    /// In the join phase.
    pub cpu_us_per_join: Option<f64>,
}

/// What a bare loop used.
#[derive(Clone, Debug, Deserialize)]
pub struct FloorResult {
    /// In user space.
    pub user_us_per_packet: f64,
    /// In the kernel.
    pub system_us_per_packet: f64,
}

impl Run {
    /// Processor time a packet of the bare loop, µs.
    pub fn floor_us(&self, which: Floor) -> Option<f64> {
        let (_, floor) = self.floors.iter().find(|(floor, _)| *floor == which)?;
        Some(floor.user_us_per_packet + floor.system_us_per_packet)
    }

    /// Latency on the way through the server, median and 99th percentile, µs, over all viewers. On loopback hardly
    /// anything else is in it.
    pub fn added_us(&self) -> Option<(f64, f64)> {
        let latency = &self.result.latency;
        (latency.count > 0).then_some((latency.p50_us, latency.p99_us))
    }

    /// The harness kept up.
    pub fn is_trustworthy(&self) -> bool {
        let traffic = &self.result.traffic;
        let all = traffic.received as f64 + traffic.lost_by_harness as f64 + traffic.lost_by_server as f64;
        traffic.lost_by_harness as f64 <= HARNESS_LOSS_MAX * all
    }
}

/// A figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Of an even number of runs the mean of the two in the middle.
    pub median: f64,
    /// Smallest.
    pub low: f64,
    /// Largest.
    pub high: f64,
}

impl Figure {
    /// The figure of `measure`; none when a run did not measure it.
    pub fn of(measure: Measure, runs: &[Run]) -> Option<Self> {
        let mut values = runs.iter().map(|run| measure.of(run)).collect::<Option<Vec<_>>>()?;
        values.sort_by(f64::total_cmp);
        let (low, high) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 { values[middle] } else { values[middle - 1].midpoint(values[middle]) };
        Some(Self { median, low, high })
    }

    /// The median and, where runs differ, the range.
    pub fn show(&self, decimals: usize) -> String {
        let [median, low, high] = [self.median, self.low, self.high].map(|value| format!("{value:.decimals$}"));
        if low == high { median } else { format!("{median} ({low} to {high})") }
    }
}

/// Reads a JSON file.
///
/// # Errors
/// When it cannot be read or has not the fields that are used.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
}
