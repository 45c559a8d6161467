//! What ends a run before it has a result, each with a stable code.

use crate::report::ReportError;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Neither a shipped scenario nor a file.
    #[error("there is no scenario {0:?}: neither a file nor one of those that `dais-load scenarios` lists")]
    ScenarioUnknown(String),
    /// A file that cannot be read.
    #[error("cannot read the scenario {0}: {1}")]
    ScenarioFile(String, String),
    /// Not TOML, or keys that do not fit.
    #[error("the scenario {0} is malformed: {1}")]
    ScenarioMalformed(String, String),
    /// Numbers that make no sense.
    #[error("the scenario {0} is wrong: {1}")]
    ScenarioInvalid(String, String),
    /// Not an address of the form `http://host:port`.
    #[error("--url {0:?} must be http://HOST:PORT; where TLS ends in a proxy, give the server's own address")]
    UrlInvalid(String),
    /// Not an address of the form `http://host:port/path`.
    #[error("--metrics {0:?} must be http://HOST:PORT/PATH")]
    MetricsInvalid(String),
    /// Neither token nor secret.
    #[error("the server lets nobody in without a token: give --token, or the server's --token-secret")]
    TokenNeeded,
    /// A secret that no server takes.
    #[error("--token-secret must be the server's secret, of at least 32 bytes")]
    SecretTooShort,
    /// No such process, or not ours to see.
    #[error("cannot read /proc/{0}: no such process, or not ours to see")]
    PidUnknown(u32),
    /// No such core.
    #[error("cannot pin to core {0}: {1}")]
    CpuUnknown(usize, String),
    /// An address that is not ours.
    #[error("cannot open a UDP socket on {0}: {1}")]
    LocalIp(String, String),
    /// The limit of open files.
    #[error("{needed} open files are needed and {allowed} allowed: raise the limit (ulimit -n) or take fewer viewers")]
    TooFewFiles {
        /// Two for each participant, and some.
        needed: u64,
        /// The hard limit.
        allowed: u64,
    },
    /// The server does not answer, or not as a dais server.
    #[error("cannot connect to {0}: {1}")]
    Unreachable(String, String),
    /// The metrics cannot be read.
    #[error("cannot read the metrics at {0}: {1}")]
    MetricsUnreadable(String, String),
    /// Somebody who has to be on stage could not come.
    #[error("publisher {0} could not come on stage: {1}")]
    PublisherFailed(usize, String),
    /// Who should change the room may not.
    #[error(
        "the scenario sets the capacity of the stage, which is refused ({0}): give --token-secret, or a host's --token"
    )]
    HostNeeded(String),
    /// Others are on stage.
    #[error("{0} people are on stage already: the scenario needs the stage for itself")]
    StageInUse(u32),
    /// Numbers with which there is nothing to watch.
    #[error("{0}")]
    WatchInvalid(String),
    /// A watcher could not come in.
    #[error("watcher {0} could not join: {1}")]
    WatcherFailed(usize, String),
    /// A watcher's session ended before its time.
    #[error("the session of watcher {0} ended: {1}")]
    WatcherLost(usize, String),
    /// Not one viewer came in.
    #[error("no viewer could join: {0}")]
    NobodyJoined(String),
    /// A thread of the harness ended.
    #[error("a thread of the harness ended: {0}")]
    Harness(String),
    /// A result that cannot be read or written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Numbers that the floor cannot be measured with.
    #[error("{0}")]
    FloorInvalid(String),
}

impl LoadError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ScenarioUnknown(_) => "scenario_unknown",
            Self::ScenarioFile(..) => "scenario_file",
            Self::ScenarioMalformed(..) => "scenario_malformed",
            Self::ScenarioInvalid(..) => "scenario_invalid",
            Self::UrlInvalid(_) => "url_invalid",
            Self::MetricsInvalid(_) => "metrics_invalid",
            Self::TokenNeeded => "token_needed",
            Self::SecretTooShort => "secret_too_short",
            Self::PidUnknown(_) => "pid_unknown",
            Self::CpuUnknown(..) => "cpu_unknown",
            Self::LocalIp(..) => "local_ip",
            Self::TooFewFiles { .. } => "too_few_files",
            Self::Unreachable(..) => "unreachable",
            Self::MetricsUnreadable(..) => "metrics_unreadable",
            Self::PublisherFailed(..) => "publisher_failed",
            Self::HostNeeded(_) => "host_needed",
            Self::StageInUse(_) => "stage_in_use",
            Self::WatchInvalid(_) => "watch_invalid",
            Self::WatcherFailed(..) => "watcher_failed",
            Self::WatcherLost(..) => "watcher_lost",
            Self::NobodyJoined(_) => "nobody_joined",
            Self::Harness(_) => "harness",
            Self::Report(error) => error.code(),
            Self::FloorInvalid(_) => "floor_invalid",
        }
    }
}
