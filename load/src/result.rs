//! What a run found: one structure behind the table, the JSON file and the HTML report.

use serde::{Deserialize, Serialize};

/// Everything about one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// Name of the scenario.
    pub scenario: String,
    /// What it does, in a sentence.
    pub description: String,
    /// When the run began, RFC 3339 in UTC.
    pub started: String,
    /// Where the harness ran.
    pub machine: Machine,
    /// What was asked for.
    pub conditions: Conditions,
    /// One entry for each second of the run, from its very start, joins included.
    pub samples: Vec<Sample>,
    /// How participants came in.
    pub joins: Joins,
    /// What arrived in the measured window.
    pub traffic: Traffic,
    /// One-way, from the moment a publisher's packet was handed to the kernel to its arrival at a viewer, in the
    /// measured window. Of the decrypted sample.
    pub latency: Latency,
    /// How often a slot had another occupant, and a viewer saw it; in the measured window.
    pub slot_switches: u64,
    /// What the server used in the measured window, where its process id or its metrics were given.
    pub server: Option<ServerUse>,
    /// The thresholds of the scenario.
    pub checks: Vec<Check>,
}

/// The machine a run was made on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Model name of the processor.
    pub cpu: String,
    /// Cores the harness may use.
    pub cores: usize,
    /// Release of the kernel.
    pub kernel: String,
}

/// The conditions of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    /// The server's address.
    pub url: String,
    /// People who send.
    pub publishers: usize,
    /// People who only receive.
    pub viewers: usize,
    /// Whether the receivers take several datagrams at once (UDP GRO).
    pub gro: bool,
    /// Length of the measured window, s.
    pub measured_s: f64,
    /// Share of the packets that is decrypted, 0 to 1; the others are counted by SSRC and sequence number.
    pub decrypted_share: f64,
}

/// One second of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// End of the second, from the start of the run, s.
    pub at_s: f64,
    /// It lies in the measured window.
    pub measured: bool,
    /// Participants that are connected.
    pub connected: usize,
    /// RTP packets received by all viewers in this second.
    pub packets: u64,
    /// Bits of the datagrams they came in.
    pub bits: u64,
    /// Packets that never came and that no socket of the harness dropped.
    pub lost_by_server: u64,
    /// Datagrams that sockets of the harness dropped because it did not read in time.
    pub lost_by_harness: u64,
    /// Median one-way latency, µs; none when nothing was decrypted.
    pub latency_p50_us: Option<u64>,
    /// 99th percentile.
    pub latency_p99_us: Option<u64>,
    /// Processor time of the server in this second, µs.
    pub server_cpu_us: Option<u64>,
    /// Resident memory of the server, bytes.
    pub server_memory: Option<u64>,
}

/// How participants came in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Joins {
    /// Tried.
    pub attempted: usize,
    /// In the room with media.
    pub joined: usize,
    /// Refusals and failures by code.
    pub failed: Vec<(String, usize)>,
    /// Joins completed per second, from the first attempt to the last completion.
    pub per_second: f64,
    /// The whole of it, from the WebSocket's connection to the first media packet or, with nobody on stage, to the keys.
    pub total: Spread,
    /// Its parts in order, by name: `websocket`, `entry`, `answer`, `ice`, `dtls`, `first_packet`.
    pub parts: Vec<(String, Spread)>,
}

/// How values are spread, in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Median.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// Largest.
    pub max_ms: f64,
}

/// What arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// RTP packets sent by the publishers.
    pub sent: u64,
    /// RTP packets received by all viewers.
    pub received: u64,
    /// Bytes of the datagrams they came in.
    pub bytes: u64,
    /// Packets missing from the sequence numbers that no socket of the harness dropped.
    pub lost_by_server: u64,
    /// Datagrams that sockets of the harness dropped (SO_RXQ_OVFL).
    pub lost_by_harness: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets decrypted.
    pub decrypted: u64,
    /// Packets that did not authenticate or whose payload was not what was sent.
    pub damaged: u64,
}

/// One-way latency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Values measured.
    pub count: u64,
    /// Median, µs.
    pub p50_us: u64,
    /// 95th percentile, µs.
    pub p95_us: u64,
    /// 99th percentile, µs.
    pub p99_us: u64,
    /// Largest, µs.
    pub max_us: u64,
    /// Upper bound of each bucket in µs, ascending, and how many values fell into it.
    pub histogram: Vec<(u64, u64)>,
}

/// What the server used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerUse {
    /// Processor time in user space per forwarded packet, µs.
    pub user_us_per_packet: f64,
    /// Processor time in the kernel per forwarded packet, µs.
    pub system_us_per_packet: f64,
    /// Of one core, 0 to 1 and above with more cores.
    pub cores_used: f64,
    /// Packets forwarded per second, by the server's metrics or, without them, by what the viewers received and lost.
    pub packets_per_s: f64,
    /// Datagrams per message to the kernel, mean; from the metrics.
    pub segments_per_message: Option<f64>,
    /// Resident memory beyond what the server had before the first join, by participant, bytes.
    pub memory_per_participant: Option<f64>,
    /// Processor time of the join phase by join, µs.
    pub cpu_us_per_join: Option<f64>,
    /// Median and 99th percentile of the forward latency the server measured itself, µs; from the metrics.
    pub forward_latency_us: Option<(f64, f64)>,
}

/// A threshold and how it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was measured, such as `latency_p99_ms`.
    pub name: String,
    /// The limit as a condition, such as `<= 8`.
    pub limit: String,
    /// What it was; none when it could not be measured, which fails.
    pub value: Option<f64>,
    /// Within the limit.
    pub passed: bool,
}
