//! Thresholds: what was measured against what must come out.

use crate::result::{Check, RunResult};
use crate::scenario::Threshold;

/// Everything that a threshold can be about.
pub const NAMES: [&str; 24] = [
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "lost_by_server",
    "lost_share",
    "lost_by_harness",
    "duplicates",
    "damaged",
    "joined_share",
    "joins_per_second",
    "join_p50_ms",
    "join_p95_ms",
    "join_p99_ms",
    "packets_per_second",
    "slot_switches",
    "switches_without_media",
    "removals",
    "wrong_removals",
    "cpu_us_per_packet",
    "user_us_per_packet",
    "segments_per_message",
    "memory_per_participant",
    "cpu_us_per_join",
    "forward_latency_p99_ms",
];

/// What scenarios with a changing stage find, which has no place in the result but its checks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageFindings {
    /// Changes of occupant that people were told of, without media of the new one in time.
    pub switches_without_media: Option<u64>,
    /// People who were removed because somebody else came on the full stage.
    pub removals: Option<u64>,
    /// Those of them who were not the ones silent the longest.
    pub wrong_removals: Option<u64>,
}

/// The value that a threshold called `name` is about; none when it was not measured.
fn value(name: &str, result: &RunResult, stage: StageFindings) -> Option<f64> {
    let RunResult { joins, traffic, latency, .. } = result;
    let server = result.server;
    let ms = |us: u64| (latency.count > 0).then_some(us as f64 / 1_000.0);
    let joined = |ms: f64| (joins.joined > 0).then_some(ms);
    let expected = traffic.received + traffic.lost_by_server;
    match name {
        "latency_p50_ms" => ms(latency.p50_us),
        "latency_p95_ms" => ms(latency.p95_us),
        "latency_p99_ms" => ms(latency.p99_us),
        "lost_by_server" => Some(traffic.lost_by_server as f64),
        "lost_share" => (expected > 0).then(|| traffic.lost_by_server as f64 / expected as f64),
        "lost_by_harness" => Some(traffic.lost_by_harness as f64),
        "duplicates" => Some(traffic.duplicates as f64),
        // Nothing damaged among nothing looked at proves nothing.
        "damaged" => (traffic.decrypted > 0).then_some(traffic.damaged as f64),
        "joined_share" => (joins.attempted > 0).then(|| joins.joined as f64 / joins.attempted as f64),
        "joins_per_second" => joined(joins.per_second),
        "join_p50_ms" => joined(joins.total.p50_ms),
        "join_p95_ms" => joined(joins.total.p95_ms),
        "join_p99_ms" => joined(joins.total.p99_ms),
        "packets_per_second" => Some(traffic.received as f64 / result.conditions.measured_s),
        "slot_switches" => Some(result.slot_switches as f64),
        "switches_without_media" => stage.switches_without_media.map(|count| count as f64),
        "removals" => stage.removals.map(|count| count as f64),
        "wrong_removals" => stage.wrong_removals.map(|count| count as f64),
        "cpu_us_per_packet" => server.map(|server| server.user_us_per_packet + server.system_us_per_packet),
        "user_us_per_packet" => server.map(|server| server.user_us_per_packet),
        "segments_per_message" => server?.segments_per_message,
        "memory_per_participant" => server?.memory_per_participant,
        "cpu_us_per_join" => server?.cpu_us_per_join,
        "forward_latency_p99_ms" => Some(server?.forward_latency_us?.1 / 1_000.0),
        _ => None,
    }
}

/// How a threshold went.
pub(crate) fn check(name: &str, threshold: Threshold, result: &RunResult, stage: StageFindings) -> Check {
    let value = value(name, result, stage).filter(|value| value.is_finite());
    let (min, max) = (threshold.min.unwrap_or(f64::NEG_INFINITY), threshold.max.unwrap_or(f64::INFINITY));
    let limits = [threshold.min.map(|min| format!(">= {min}")), threshold.max.map(|max| format!("<= {max}"))];
    Check {
        name: name.to_owned(),
        limit: limits.into_iter().flatten().collect::<Vec<_>>().join(" and "),
        value,
        passed: value.is_some_and(|value| (min..=max).contains(&value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::{ServerUse, Traffic};

    fn run() -> RunResult {
        let mut result = RunResult::default();
        result.conditions.measured_s = 10.0;
        result.traffic = Traffic { received: 999, lost_by_server: 1, decrypted: 10, ..Traffic::default() };
        (result.latency.count, result.latency.p99_us) = (10, 8_000);
        (result.joins.attempted, result.joins.joined) = (4, 3);
        result.server = Some(ServerUse { user_us_per_packet: 1.0, system_us_per_packet: 2.0, ..ServerUse::default() });
        result
    }

    fn checked(name: &str, min: Option<f64>, max: Option<f64>) -> Check {
        check(name, Threshold { min, max }, &run(), StageFindings::default())
    }

    #[test]
    fn both_limits_are_inclusive() {
        let at = |min, max| checked("latency_p99_ms", min, max).passed;
        assert!(at(None, Some(8.0)) && at(Some(8.0), None) && at(Some(7.0), Some(9.0)));
        assert!(!at(None, Some(7.9)) && !at(Some(8.1), None));
        assert_eq!(checked("latency_p99_ms", Some(7.0), Some(9.0)).limit, ">= 7 and <= 9");
    }

    #[test]
    fn values_are_what_their_names_say() {
        let value = |name| checked(name, None, Some(0.0)).value.unwrap();
        assert!((value("lost_share") - 0.001).abs() < 1e-9);
        assert!((value("joined_share") - 0.75).abs() < 1e-9);
        assert!((value("cpu_us_per_packet") - 3.0).abs() < 1e-9);
        assert!((value("packets_per_second") - 99.9).abs() < 1e-9);
    }

    #[test]
    fn what_was_not_measured_fails() {
        for name in ["segments_per_message", "removals", "switches_without_media", "memory_per_participant"] {
            let check = checked(name, None, Some(f64::MAX));
            assert_eq!((check.value, check.passed), (None, false), "{name}");
        }
        let empty =
            check("damaged", Threshold { min: None, max: Some(0.0) }, &RunResult::default(), StageFindings::default());
        assert!(!empty.passed);
    }

    #[test]
    fn every_name_has_a_value_when_everything_was_measured() {
        let mut result = run();
        result.server = Some(ServerUse {
            segments_per_message: Some(1.0),
            memory_per_participant: Some(1.0),
            cpu_us_per_join: Some(1.0),
            forward_latency_us: Some((1.0, 1.0)),
            ..ServerUse::default()
        });
        let stage = StageFindings { switches_without_media: Some(0), removals: Some(0), wrong_removals: Some(0) };
        assert!(NAMES.iter().all(|name| value(name, &result, stage).is_some()));
    }
}
