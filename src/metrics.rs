//! What is measured, for Prometheus. docs/metrics.md is generated from here.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use dais_media::{Counters, DropReason, RoomId, Tally};
use dais_stage::Stage;
use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, HistogramTimer, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// All metrics of the server.
pub struct Metrics {
    registry: Registry,
    media: IntCounterVec,
    dropped: IntCounterVec,
    peers: IntGauge,
    refused: IntCounterVec,
    journal: Histogram,
    rooms: IntGauge,
    people: IntGaugeVec,
    /// What the counters of the data plane have been told so far.
    told: Mutex<Counters>,
    /// On stage and viewers, by room.
    places: Mutex<HashMap<RoomId, (i64, i64)>>,
}

/// A metric as docs/metrics.md lists it.
const DOCUMENTED: [(&str, &str, &str, &str); 7] = [
    ("dais_media_total", "counter", "what", "What the data plane did"),
    ("dais_media_dropped_total", "counter", "reason", "Datagrams and packets that went no further"),
    ("dais_media_peers", "gauge", "", "Media connections"),
    ("dais_refused_total", "counter", "code", "Requests and sessions refused, by error code"),
    ("dais_journal_seconds", "histogram", "", "Time to write a turn of a room to the journal"),
    ("dais_rooms", "gauge", "", "Open rooms"),
    ("dais_participants", "gauge", "place", "People in all rooms: stage or viewer"),
];

/// Seconds: what a solid-state disk needs, up to what people notice.
const JOURNAL_BUCKETS: [f64; 8] = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1.0];

fn opts(name: &str) -> Opts {
    let (_, _, _, help) = DOCUMENTED.iter().find(|(known, ..)| *known == name).expect("every metric is documented");
    Opts::new(name, *help)
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero.
    ///
    /// # Panics
    /// Never: the names are valid and told apart.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let counters = |name: &str, label: &str| {
            registered(&registry, IntCounterVec::new(opts(name), &[label]).expect("the name is valid"))
        };
        let gauge = |name: &str| registered(&registry, IntGauge::with_opts(opts(name)).expect("the name is valid"));
        let journal_opts =
            HistogramOpts { common_opts: opts("dais_journal_seconds"), buckets: JOURNAL_BUCKETS.to_vec() };
        let metrics = Self {
            media: counters("dais_media_total", "what"),
            dropped: counters("dais_media_dropped_total", "reason"),
            peers: gauge("dais_media_peers"),
            refused: counters("dais_refused_total", "code"),
            journal: registered(&registry, Histogram::with_opts(journal_opts).expect("the name is valid")),
            rooms: gauge("dais_rooms"),
            people: registered(
                &registry,
                IntGaugeVec::new(opts("dais_participants"), &["place"]).expect("the name is valid"),
            ),
            told: Mutex::new(Counters::default()),
            places: Mutex::default(),
            registry,
        };
        metrics.update_media(Counters::default());
        metrics.update_people();
        metrics
    }

    /// The metrics in the text format of Prometheus, with the data plane as it is in `media`.
    #[must_use]
    pub fn render(&self, media: Counters) -> String {
        self.update_media(media);
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }

    fn update_media(&self, now: Counters) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for tally in Tally::ALL {
            let more = now.done(*tally).saturating_sub(told.done(*tally));
            self.media.with_label_values(&[tally.label()]).inc_by(more);
        }
        for reason in DropReason::ALL {
            let more = now.dropped(*reason).saturating_sub(told.dropped(*reason));
            self.dropped.with_label_values(&[reason.label()]).inc_by(more);
        }
        self.peers.set(i64::try_from(now.peers).unwrap_or(i64::MAX));
        *told = now;
    }

    pub(crate) fn count_refusal(&self, code: &str) {
        self.refused.with_label_values(&[code]).inc();
    }

    /// Measures until it is dropped.
    pub(crate) fn time_journal(&self) -> HistogramTimer {
        self.journal.start_timer()
    }

    pub(crate) fn set_rooms(&self, rooms: usize) {
        self.rooms.set(i64::try_from(rooms).unwrap_or(i64::MAX));
    }

    pub(crate) fn count_people(&self, room: RoomId, stage: &Stage) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let viewers = stage.participant_count() - stage.on_stage_count();
        self.places().insert(room, (count(stage.on_stage_count()), count(viewers)));
        self.update_people();
    }

    pub(crate) fn forget_room(&self, room: RoomId) {
        self.places().remove(&room);
        self.update_people();
    }

    fn update_people(&self) {
        let (stage, viewers) = self.places().values().fold((0, 0), |(s, v), (stage, viewers)| (s + stage, v + viewers));
        self.people.with_label_values(&["stage"]).set(stage);
        self.people.with_label_values(&["viewer"]).set(viewers);
    }

    fn places(&self) -> std::sync::MutexGuard<'_, HashMap<RoomId, (i64, i64)>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// docs/metrics.md.
    #[must_use]
    pub fn documentation() -> String {
        let mut out = String::from(
            "# Metrics\n\nServed at `/metrics` in the text format of Prometheus. Generated from src/metrics.rs by \
             `cargo xtask gen`.\n\n| metric | type | label | meaning |\n|---|---|---|---|\n",
        );
        for (name, kind, label, help) in DOCUMENTED {
            let label = if label.is_empty() { String::new() } else { format!("`{label}`") };
            let _ = writeln!(out, "| `{name}` | {kind} | {label} | {help} |");
        }
        let mut list = |title: &str, labels: &mut dyn Iterator<Item = &'static str>| {
            let labels: Vec<_> = labels.map(|label| format!("`{label}`")).collect();
            let _ = writeln!(out, "\n{title}: {}.", labels.join(", "));
        };
        list("Values of `what`", &mut Tally::ALL.iter().map(|tally| tally.label()));
        list("Values of `reason`", &mut DropReason::ALL.iter().map(|reason| reason.label()));
        out.push_str("\nThe values of `code` are the error codes of [the protocol](protocol.md).\n");
        out
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> C {
    registry.register(Box::new(collector.clone())).expect("no two metrics share a name");
    collector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_metric_is_served_and_no_other() {
        let metrics = Metrics::new();
        metrics.count_refusal("x");
        let text = metrics.render(Counters::default());
        let served: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let mut documented: Vec<_> = DOCUMENTED.iter().map(|(name, kind, ..)| format!("{name} {kind}")).collect();
        documented.sort();
        assert_eq!(served, documented);
    }

    #[test]
    fn the_documentation_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        if std::env::var_os("DAIS_UPDATE_GENERATED").is_some() {
            std::fs::write(path, Metrics::documentation()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(committed, Metrics::documentation(), "run `cargo xtask gen`");
    }
}
