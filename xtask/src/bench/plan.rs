//! What is measured under load, and how good it must be.

use super::figures::Run;

/// A scenario of `dais-load` with its targets.
pub struct Scenario {
    /// How it is asked for.
    pub name: &'static str,
    /// What it is, for tables.
    pub title: &'static str,
    /// Arguments of `dais-load run`.
    pub args: &'static [&'static str],
    /// Whether receivers take several datagrams at once; `--no-gro` otherwise.
    pub gro: bool,
    /// What it is compared with in the same run.
    pub floors: &'static [Floor],
    /// What it must reach.
    pub targets: &'static [Target],
}

/// A bare loop that sends what the server sent, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    /// With as many datagrams to a message as the server had.
    Same,
    /// With one datagram to a message.
    Single,
}

/// A figure and its limit.
pub struct Target {
    /// What is measured.
    pub measure: Measure,
    /// In the unit of the measure.
    pub limit: Limit,
}

/// How good a figure must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Inclusive.
    AtMost(f64),
    /// Inclusive.
    AtLeast(f64),
}

/// What is measured in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Processor time a forwarded packet, user and kernel, µs.
    Cpu,
    /// Its part in user space, µs.
    User,
    /// Its part in the kernel, µs.
    Kernel,
    /// Processor time a packet of the bare loop with as many datagrams to a message, µs.
    SameFloor,
    /// Processor time a packet above that loop, µs.
    OverSame,
    /// Processor time a packet above the bare loop with single sends, µs.
    OverSingle,
    /// Datagrams a message to the kernel, mean.
    Segments,
    /// Median of the latency added by the server, ms.
    AddedP50,
    /// Its 99th percentile, ms.
    AddedP99,
    /// Resident memory a participant, kB.
    Memory,
    /// Joins completed in a second.
    Joins,
    /// Processor time a join, ms.
    CpuPerJoin,
    /// 99th percentile of the time to join, ms.
    JoinP99,
}

impl Measure {
    /// Name for tables, with the unit.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cpu => "CPU a packet, µs",
            Self::User => "of that user, µs",
            Self::Kernel => "of that kernel, µs",
            Self::SameFloor => "floor, µs",
            Self::OverSame => "over the floor, µs",
            Self::OverSingle => "over single sends, µs",
            Self::Segments => "datagrams a message",
            Self::AddedP50 => "added p50, ms",
            Self::AddedP99 => "added p99, ms",
            Self::Memory => "memory a viewer, kB",
            Self::Joins => "joins a second",
            Self::CpuPerJoin => "CPU a join, ms",
            Self::JoinP99 => "join p99, ms",
        }
    }

    /// Decimals that say something.
    pub fn decimals(self) -> usize {
        match self {
            Self::Joins | Self::JoinP99 => 0,
            Self::Memory | Self::Segments => 1,
            _ => 2,
        }
    }

    /// Its value in `run`, if it was measured.
    pub fn of(self, run: &Run) -> Option<f64> {
        let server = run.result.server.as_ref();
        let cpu = server.map(|server| server.user_us_per_packet + server.system_us_per_packet);
        let above = |floor: Option<f64>| Some(cpu? - floor?);
        match self {
            Self::Cpu => cpu,
            Self::User => server.map(|server| server.user_us_per_packet),
            Self::Kernel => server.map(|server| server.system_us_per_packet),
            Self::SameFloor => run.floor_us(Floor::Same),
            Self::OverSame => above(run.floor_us(Floor::Same)),
            Self::OverSingle => above(run.floor_us(Floor::Single)),
            Self::Segments => server?.segments_per_message,
            Self::AddedP50 => run.added_us().map(|(p50, _)| p50 / 1e3),
            Self::AddedP99 => run.added_us().map(|(_, p99)| p99 / 1e3),
            Self::Memory => server?.memory_per_participant.map(|bytes| bytes / 1e3),
            Self::Joins => Some(run.result.joins.per_second),
            Self::CpuPerJoin => server?.cpu_us_per_join.map(|micros| micros / 1e3),
            Self::JoinP99 => Some(run.result.joins.total.p99_ms),
        }
    }
}

impl Limit {
    /// Whether `value` is within it.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

const fn at_most(measure: Measure, limit: f64) -> Target {
    Target { measure, limit: Limit::AtMost(limit) }
}

const fn at_least(measure: Measure, limit: f64) -> Target {
    Target { measure, limit: Limit::AtLeast(limit) }
}

/// Of `hd`, with estimation for every viewer or without.
const HD: &[Target] = &[
    at_most(Measure::Cpu, 1.7),
    at_most(Measure::OverSame, 0.5),
    at_most(Measure::User, 0.45),
    at_least(Measure::Segments, 4.0),
    at_most(Measure::AddedP50, 3.0),
    at_most(Measure::AddedP99, 8.0),
    at_most(Measure::Memory, 80.0),
];

/// Of `stage25`, with estimation for every viewer or without.
const STAGE25: &[Target] = &[
    at_most(Measure::OverSame, 0.6),
    at_least(Measure::Segments, 2.0),
    at_most(Measure::AddedP50, 4.0),
    at_most(Measure::AddedP99, 9.0),
    at_most(Measure::Memory, 100.0),
];

/// Everything that is measured, in order. A server of its own for each run, so that memory is of that run alone.
pub const SCENARIOS: [Scenario; 9] = [
    Scenario {
        name: "hd",
        title: "hd, 300 viewers",
        args: &["hd", "--viewers", "300"],
        gro: true,
        floors: &[Floor::Same],
        targets: HD,
    },
    Scenario {
        name: "hd-no-gro",
        title: "hd, 300 viewers without GRO",
        args: &["hd", "--viewers", "300"],
        gro: false,
        floors: &[Floor::Same],
        targets: &[
            at_most(Measure::Cpu, 2.5),
            at_most(Measure::OverSame, 0.5),
            at_most(Measure::User, 0.45),
            at_least(Measure::Segments, 4.0),
            at_most(Measure::AddedP50, 3.0),
            at_most(Measure::AddedP99, 8.0),
            at_most(Measure::Memory, 80.0),
        ],
    },
    Scenario {
        name: "stage25",
        title: "stage25, 150 viewers",
        args: &["stage25", "--viewers", "150"],
        gro: true,
        floors: &[Floor::Same],
        targets: STAGE25,
    },
    Scenario {
        name: "stage25-no-gro",
        title: "stage25, 150 viewers without GRO",
        args: &["stage25", "--viewers", "150"],
        gro: false,
        floors: &[Floor::Same],
        targets: &[
            at_most(Measure::Cpu, 3.3),
            at_most(Measure::OverSame, 0.6),
            at_least(Measure::Segments, 2.0),
            at_most(Measure::AddedP50, 4.0),
            at_most(Measure::AddedP99, 9.0),
            at_most(Measure::Memory, 100.0),
        ],
    },
    Scenario {
        name: "hd-estimated",
        title: "hd, 300 viewers with estimation",
        args: &["hd", "--viewers", "300", "--feedback"],
        gro: true,
        floors: &[Floor::Same],
        targets: HD,
    },
    Scenario {
        name: "stage25-estimated",
        title: "stage25, 150 viewers with estimation",
        args: &["stage25", "--viewers", "150", "--feedback"],
        gro: true,
        floors: &[Floor::Same],
        targets: STAGE25,
    },
    Scenario {
        name: "voices",
        title: "voices, 1,000 listeners",
        args: &["voices", "--viewers", "1000"],
        gro: true,
        floors: &[Floor::Same, Floor::Single],
        targets: &[
            at_most(Measure::OverSingle, 0.7),
            at_most(Measure::AddedP50, 2.0),
            at_most(Measure::AddedP99, 6.0),
            at_most(Measure::Memory, 80.0),
        ],
    },
    // At about 5 % of a core. No worse than single sends: what segmentation saves must pay for the work of an SFU.
    Scenario {
        name: "light",
        title: "hd, 20 viewers",
        args: &["hd", "--viewers", "20"],
        gro: true,
        floors: &[Floor::Same, Floor::Single],
        targets: &[at_most(Measure::OverSingle, 0.0), at_most(Measure::AddedP50, 0.5), at_most(Measure::AddedP99, 2.0)],
    },
    Scenario {
        name: "join-storm",
        title: "join-storm, 3,000 viewers",
        args: &["join-storm"],
        gro: true,
        floors: &[],
        targets: &[
            at_least(Measure::Joins, 500.0),
            at_most(Measure::CpuPerJoin, 0.6),
            at_most(Measure::JoinP99, 1_000.0),
        ],
    },
];
