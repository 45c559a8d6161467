//! What is measured, for Prometheus. docs/metrics.md is generated from the registry.
//!
//! No metric has a label per room or person: every label has few values, and all of them are there from the start, so
//! that the first event of a kind is seen as an increase.

#[cfg(test)]
mod documentation;
mod listener;
mod mail;
mod media;
mod privacy;
mod registrar;
mod stage;
mod webhooks;

use std::time::Duration;

use dais_media::{Counters, Gone};
use dais_signaling::SessionEvent;
use dais_signaling::protocol::SessionError;
use prometheus::process_collector::ProcessCollector;
use prometheus::{Histogram, HistogramTimer, HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry, TextEncoder};

pub(crate) use listener::listen;
use mail::MailMetrics;
use media::MediaCollector;
use privacy::PrivacyMetrics;
use registrar::Registrar;
pub(crate) use stage::{Census, StageMetrics};
use webhooks::WebhookMetrics;

/// Seconds: what a solid-state disk needs, up to what people notice.
const JOURNAL_BUCKETS: [f64; 9] = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1.0, 5.0];

/// Seconds: from what the server needs by itself to what makes people give up.
const JOIN_BUCKETS: [f64; 13] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// A part of joining a room, as the server sees it. What people take to choose their devices is in none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinPhase {
    /// From `hello` to `entry`.
    Hello,
    /// From an offer's arrival at its room to the end of parsing it.
    Parse,
    /// Making the answer, until all workers know the connection.
    Answer,
    /// From `enter` to `entered`; parsing, the journal and the answer are in it.
    Enter,
    /// From the answer to a connected path: connectivity checks and the DTLS handshake.
    Connect,
    /// From `enter`, or an offer, to a connected path.
    Total,
}

impl JoinPhase {
    const ALL: [Self; 6] = [Self::Hello, Self::Parse, Self::Answer, Self::Enter, Self::Connect, Self::Total];

    fn label(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Parse => "parse",
            Self::Answer => "answer",
            Self::Enter => "enter",
            Self::Connect => "connect",
            Self::Total => "total",
        }
    }
}

/// What is read when somebody scrapes.
pub(crate) struct Sources {
    /// The data plane's counters.
    pub(crate) counters: Box<dyn Fn() -> Counters + Send + Sync>,
    /// Media worker threads.
    pub(crate) workers: usize,
    /// Requests that wait for the journal.
    pub(crate) journal_queue: Box<dyn Fn() -> usize + Send + Sync>,
    /// Invitations that wait to be sent.
    pub(crate) mail_queue: Box<dyn Fn() -> usize + Send + Sync>,
}

/// All metrics of the server.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) stage: StageMetrics,
    pub(crate) mail: MailMetrics,
    pub(crate) webhooks: WebhookMetrics,
    pub(crate) privacy: PrivacyMetrics,
    refused: IntCounterVec,
    joins: HistogramVec,
    connections_ended: IntCounterVec,
    sessions: IntGauge,
    messages_received: IntCounter,
    messages_sent: IntCounter,
    snapshots: IntCounter,
    journal_writes: Histogram,
    journal_failures: IntCounter,
    rooms: IntGauge,
}

impl Metrics {
    /// Everything at zero.
    pub(crate) fn new(sources: Sources) -> Self {
        let registry = Registry::new();
        let make = Registrar(&registry);
        make.collector(MediaCollector::new(sources.counters, sources.workers));
        make.collector(ProcessCollector::for_self());
        let build = make.gauges("dais_build_info", "The version that runs; always 1", "version", []);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        make.read_gauge("dais_journal_queue_length", "Requests that wait for the journal", sources.journal_queue);
        make.read_gauge("dais_mail_queue_length", "Invitations that wait to be sent", sources.mail_queue);
        let codes = SessionError::ALL.map(SessionError::code);
        Self {
            stage: StageMetrics::new(&make),
            mail: MailMetrics::new(&make),
            webhooks: WebhookMetrics::new(&make),
            privacy: PrivacyMetrics::new(&make),
            refused: make.counters("dais_refused_total", "Requests and sessions refused", "code", codes),
            joins: make.histograms(
                "dais_join_seconds",
                "Parts of joining a room, measured at the server",
                &JOIN_BUCKETS,
                "phase",
                JoinPhase::ALL.map(JoinPhase::label),
            ),
            connections_ended: make.counters(
                "dais_media_connections_ended_total",
                "Media connections that ended by themselves; handshake_failed and not_connected never came about",
                "reason",
                ENDINGS.map(ending),
            ),
            sessions: make.gauge("dais_sessions", "Open WebSockets"),
            messages_received: make.counter("dais_session_messages_received_total", "Messages read from sessions"),
            messages_sent: make.counter("dais_session_messages_sent_total", "Messages written to sessions"),
            snapshots: make.counter(
                "dais_session_snapshots_total",
                "Whole states sent in place of news: to a session that could not keep up, or to all when a room begins or \
                 ceases to list its viewers",
            ),
            journal_writes: make.histogram(
                "dais_journal_write_seconds",
                "Time to write a turn of a room to the journal, waiting included",
                &JOURNAL_BUCKETS,
            ),
            journal_failures: make.counter("dais_journal_failures_total", "Turns that could not be written"),
            rooms: make.gauge("dais_rooms", "Open rooms"),
            registry,
        }
    }

    /// The metrics in the text format of Prometheus.
    pub(crate) fn render(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }

    pub(crate) fn count_refusal(&self, code: &str) {
        self.refused.with_label_values(&[code]).inc();
    }

    pub(crate) fn count_session(&self, event: SessionEvent) {
        match event {
            SessionEvent::Opened => self.sessions.inc(),
            SessionEvent::Closed => self.sessions.dec(),
            SessionEvent::Received => self.messages_received.inc(),
            SessionEvent::Sent => self.messages_sent.inc(),
            SessionEvent::Welcomed { after } => self.joined(JoinPhase::Hello, after),
        }
    }

    pub(crate) fn count_snapshot(&self) {
        self.snapshots.inc();
    }

    pub(crate) fn joined(&self, phase: JoinPhase, took: Duration) {
        self.joins.with_label_values(&[phase.label()]).observe(took.as_secs_f64());
    }

    pub(crate) fn connection_ended(&self, why: Gone) {
        self.connections_ended.with_label_values(&[ending(why)]).inc();
    }

    /// Measures until it is dropped.
    pub(crate) fn time_journal(&self) -> HistogramTimer {
        self.journal_writes.start_timer()
    }

    pub(crate) fn journal_failed(&self) {
        self.journal_failures.inc();
    }

    pub(crate) fn set_rooms(&self, rooms: usize) {
        self.rooms.set(registrar::gauge_value(rooms));
    }
}

const ENDINGS: [Gone; 5] =
    [Gone::Closed, Gone::ConsentExpired, Gone::NotConnected, Gone::HandshakeFailed, Gone::Internal];

fn ending(why: Gone) -> &'static str {
    match why {
        Gone::Closed => "closed",
        Gone::ConsentExpired => "consent_expired",
        Gone::NotConnected => "not_connected",
        Gone::HandshakeFailed => "handshake_failed",
        Gone::Internal => "internal",
    }
}
