//! From many values to the few that tell how they are spread.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::join::JoinTimes;
use crate::result::{Joins, Latency, Spread};
use crate::session::Failure;

/// Percentile `percent` of sorted values.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).map_or(0.0, |value| value.as_secs_f64() * 1e3)
}

fn spread(mut values: Vec<Duration>) -> Spread {
    values.sort_unstable();
    let at = |percent| percentile(&values, percent);
    Spread { p50_ms: at(50), p95_ms: at(95), p99_ms: at(99), max_ms: at(100) }
}

/// Everybody's attempts to come in.
#[derive(Default)]
pub(crate) struct JoinLog {
    attempted: usize,
    times: Vec<JoinTimes>,
    failed: BTreeMap<String, usize>,
    first_failure: Option<Failure>,
    span: Option<(Instant, Instant)>,
}

impl JoinLog {
    /// Somebody tried, from `began` to now.
    pub(crate) fn add(&mut self, began: Instant, outcome: Result<JoinTimes, Failure>) {
        self.attempted += 1;
        let (first, last) = self.span.unwrap_or((began, began));
        let last = if outcome.is_ok() { last.max(Instant::now()) } else { last };
        self.span = Some((first.min(began), last));
        match outcome {
            Ok(times) => self.times.push(times),
            Err(failure) => {
                *self.failed.entry(failure.code.clone()).or_insert(0) += 1;
                self.first_failure.get_or_insert(failure);
            }
        }
    }

    pub(crate) fn joined(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn first_failure(&self) -> Option<&Failure> {
        self.first_failure.as_ref()
    }

    pub(crate) fn summary(&self) -> Joins {
        let of = |part: fn(&JoinTimes) -> Duration| spread(self.times.iter().map(part).collect());
        let first_packets: Vec<_> = self.times.iter().filter_map(|times| times.first_packet).collect();
        let mut parts = vec![
            ("websocket".to_owned(), of(|times| times.websocket)),
            ("entry".to_owned(), of(|times| times.entry)),
            ("answer".to_owned(), of(|times| times.answer)),
            ("ice".to_owned(), of(|times| times.ice)),
            ("dtls".to_owned(), of(|times| times.dtls)),
        ];
        if !first_packets.is_empty() {
            parts.push(("first_packet".to_owned(), spread(first_packets)));
        }
        let seconds = self.span.map_or(0.0, |(first, last)| (last - first).as_secs_f64());
        Joins {
            attempted: self.attempted,
            joined: self.times.len(),
            failed: self.failed.iter().map(|(code, count)| (code.clone(), *count)).collect(),
            per_second: if seconds > 0.0 { self.times.len() as f64 / seconds } else { 0.0 },
            total: of(|times| times.total),
            parts,
        }
    }
}

/// First bucket of the histogram in a result, and by how much each next one is wider.
const FIRST_BUCKET_US: f64 = 50.0;
const BUCKET_FACTOR: f64 = 1.25;

/// A histogram of µs as a result has it.
pub(crate) fn latency(histogram: &Histogram<u64>) -> Latency {
    if histogram.is_empty() {
        return Latency::default();
    }
    let at = |quantile| histogram.value_at_quantile(quantile);
    let bounds = std::iter::successors(Some(FIRST_BUCKET_US), |bound| Some(bound * BUCKET_FACTOR));
    let mut buckets: Vec<(u64, u64)> = Vec::new();
    for bound in bounds.map(|bound| bound.round() as u64) {
        buckets.push((bound, 0));
        if bound >= histogram.max() {
            break;
        }
    }
    for value in histogram.iter_recorded() {
        let bucket = buckets.partition_point(|(bound, _)| *bound < value.value_iterated_to());
        let last = buckets.len() - 1;
        buckets[bucket.min(last)].1 += value.count_at_value();
    }
    let (p50_us, p95_us, p99_us, max_us) = (at(0.5), at(0.95), at(0.99), histogram.max());
    Latency { count: histogram.len(), p50_us, p95_us, p99_us, max_us, histogram: buckets }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::latencies;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values = (1..=200).map(Duration::from_millis).collect();
        let expected = Spread { p50_ms: 100.0, p95_ms: 190.0, p99_ms: 198.0, max_ms: 200.0 };
        assert_eq!(spread(values), expected);
        assert_eq!(spread(Vec::new()), Spread::default());
    }

    #[test]
    fn a_histogram_has_every_value_once_and_its_bounds_ascend() {
        let mut histogram = latencies();
        let values = [3, 49, 51, 60, 70, 5_000, 5_001, 900_000];
        values.iter().for_each(|value| histogram.record(*value).unwrap());
        let latency = latency(&histogram);
        assert_eq!(latency.histogram.iter().map(|(_, count)| count).sum::<u64>(), 8);
        assert!(latency.histogram.windows(2).all(|pair| pair[0].0 < pair[1].0), "{:?}", latency.histogram);
        assert_eq!(latency.histogram[0], (50, 2));
        assert!((5_000..5_200).contains(&latency.p95_us) || latency.p95_us > 890_000);
        assert_eq!(super::latency(&latencies()), Latency::default());
    }

    #[test]
    fn joins_are_counted_by_how_they_ended() {
        let mut log = JoinLog::default();
        let began = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
        let times = JoinTimes { total: Duration::from_millis(40), ..JoinTimes::default() };
        (0..3).for_each(|_| log.add(began, Ok(times)));
        log.add(began, Err(Failure::new("room_full", "full")));
        let joins = log.summary();
        assert_eq!((joins.attempted, joins.joined, &joins.failed[..]), (4, 3, &[("room_full".to_owned(), 1)][..]));
        assert!((joins.per_second - 1.5).abs() < 0.1, "{}", joins.per_second);
        assert_eq!(joins.parts.len(), 5, "nobody waited for media");
    }
}
