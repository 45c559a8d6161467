//! Writes docs/metrics.md from what a registry gathers, and checks that it is up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use prometheus::proto::{MetricFamily, MetricType};

use super::*;

/// Labels whose values are not listed, and what they are instead.
const OPEN_LABELS: [(&str, &str); 2] = [
    ("code", "the error codes of [the protocol](protocol.md); those of sessions are there from the start"),
    ("version", "of the server"),
];

fn metrics() -> Metrics {
    Metrics::new(Sources {
        counters: Box::new(Counters::default),
        workers: 1,
        journal_queue: Box::new(|| 0),
        mail_queue: Box::new(|| 0),
    })
}

fn type_name(family: &MetricFamily) -> &'static str {
    match family.get_field_type() {
        MetricType::COUNTER => "counter",
        MetricType::GAUGE => "gauge",
        MetricType::HISTOGRAM => "histogram",
        MetricType::SUMMARY => "summary",
        MetricType::UNTYPED => "untyped",
    }
}

/// The labels of a metric with their values.
fn labels(family: &MetricFamily) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut labels = BTreeMap::<_, BTreeSet<_>>::new();
    for label in family.get_metric().iter().flat_map(prometheus::proto::Metric::get_label) {
        labels.entry(label.name()).or_default().insert(label.value());
    }
    labels
}

fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn documentation(families: &[MetricFamily]) -> String {
    let mut out = String::from(
        "# Metrics\n\nServed at `/metrics` of `--metrics-listen` in the text format of Prometheus. \
         [operations.md](operations.md) says what to watch. Generated from the registry by `cargo xtask gen`.\n\n\
         | metric | type | label | meaning |\n|---|---|---|---|\n",
    );
    for family in families {
        let labels = quoted(labels(family).into_keys());
        let _ = writeln!(out, "| `{}` | {} | {labels} | {} |", family.name(), type_name(family), family.help());
    }
    out.push_str("\n## Values of labels\n\n| metric | label | values |\n|---|---|---|\n");
    for family in families {
        for (label, values) in labels(family) {
            let open = OPEN_LABELS.iter().find(|(open, _)| *open == label);
            let values = open.map_or_else(|| quoted(values), |(_, what)| (*what).to_owned());
            let _ = writeln!(out, "| `{}` | `{label}` | {values} |", family.name());
        }
    }
    out.push_str("\n## Buckets of histograms\n\n| metric | upper bounds |\n|---|---|\n");
    for family in families.iter().filter(|family| family.get_field_type() == MetricType::HISTOGRAM) {
        let buckets = family.get_metric()[0].get_histogram().get_bucket();
        let bounds: Vec<_> = buckets.iter().map(|bucket| bucket.upper_bound().to_string()).collect();
        let _ = writeln!(out, "| `{}` | {} |", family.name(), bounds.join(", "));
    }
    out
}

#[test]
fn the_documentation_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let documentation = documentation(&metrics().registry.gather());
    if std::env::var_os("DAIS_UPDATE_GENERATED").is_some() {
        std::fs::write(path, &documentation).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(committed, documentation, "run `cargo xtask gen`");
}

#[test]
fn every_metric_is_ours_or_of_the_process_and_says_what_it_is() {
    for family in metrics().registry.gather() {
        let name = family.name();
        assert!(name.starts_with("dais_") || name.starts_with("process_"), "{name}");
        assert!(!family.help().is_empty(), "{name}");
        let counts = family.get_field_type() == MetricType::COUNTER;
        assert_eq!(name.ends_with("_total"), counts, "{name}: counters, and no others, end in _total");
    }
}
