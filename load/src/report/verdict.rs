//! What a run comes to, in one word.

use crate::result::RunResult;

/// Loss of the harness's own sockets above which nothing else that was measured can be trusted, as a share of all
/// packets: a harness that does not keep up also delays what it does read.
pub const HARNESS_LOSS_MAX: f64 = 0.001;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every threshold is met, or the scenario has none.
    Passed,
    /// So many thresholds are not met.
    Failed(usize),
    /// The harness itself lost more than [`HARNESS_LOSS_MAX`].
    NotTrustworthy,
}

impl Verdict {
    /// The verdict on `result`.
    #[must_use]
    pub fn of(result: &RunResult) -> Self {
        let traffic = &result.traffic;
        let all = traffic.received as f64 + traffic.lost_by_harness as f64 + traffic.lost_by_server as f64;
        if traffic.lost_by_harness as f64 > HARNESS_LOSS_MAX * all {
            return Self::NotTrustworthy;
        }
        match result.checks.iter().filter(|check| !check.passed).count() {
            0 => Self::Passed,
            failed => Self::Failed(failed),
        }
    }

    /// In a word or two.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Passed => "Passed",
            Self::Failed(_) => "Failed",
            Self::NotTrustworthy => "Not trustworthy",
        }
    }

    /// Why, in a sentence.
    #[must_use]
    pub fn reason(self, result: &RunResult) -> String {
        match (self, result.checks.len()) {
            (Self::Passed, 0) => "The scenario has no thresholds.".to_owned(),
            (Self::Passed, 1) => "The threshold is met.".to_owned(),
            (Self::Passed, all) => format!("All {all} thresholds are met."),
            (Self::Failed(failed), all) => format!("{failed} of {all} thresholds not met."),
            (Self::NotTrustworthy, _) => {
                let lost = super::format::count(result.traffic.lost_by_harness);
                format!(
                    "The harness did not keep up: its own sockets dropped {lost} datagrams. Give it more processor."
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::{Check, Traffic};

    fn result(received: u64, lost_by_harness: u64, passed: &[bool]) -> RunResult {
        let check = |passed: &bool| Check { passed: *passed, ..Check::default() };
        RunResult {
            traffic: Traffic { received, lost_by_harness, ..Traffic::default() },
            checks: passed.iter().map(check).collect(),
            ..RunResult::default()
        }
    }

    #[test]
    fn thresholds_decide_unless_the_harness_did_not_keep_up() {
        assert_eq!(Verdict::of(&result(0, 0, &[])), Verdict::Passed);
        assert_eq!(Verdict::of(&result(99_900, 100, &[true, true])), Verdict::Passed);
        assert_eq!(Verdict::of(&result(99_900, 100, &[true, false, false])), Verdict::Failed(2));
        assert_eq!(Verdict::of(&result(99_899, 101, &[true, false])), Verdict::NotTrustworthy);
        assert_eq!(Verdict::of(&result(0, 1, &[])), Verdict::NotTrustworthy);
    }
}
