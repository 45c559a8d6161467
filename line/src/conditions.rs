//! What a line does to packets, and how that changes.

use serde::{Deserialize, Serialize};

/// Both directions of a line over time. Unknown keys are errors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Seed of everything that is left to chance.
    #[serde(default)]
    pub seed: u64,
    /// From the near end to the far end, in order of time. Before the first step the line does nothing to packets.
    #[serde(default)]
    pub down: Vec<Step>,
    /// From the far end to the near end.
    #[serde(default)]
    pub up: Vec<Step>,
}

/// A change of the conditions: what it does not name stays as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// When, ms after the start of the script. Those at 0 hold before it too.
    pub at_ms: u64,
    /// Bits of IP packets per second; 0 for no limit.
    pub rate: Option<u64>,
    /// What waits for longer than this is dropped (drop-tail), ms.
    pub queue_ms: Option<u64>,
    /// One way, ms.
    pub delay_ms: Option<f64>,
    /// Added to or taken off the delay of each packet, evenly, ms. Packets overtake each other.
    pub jitter_ms: Option<f64>,
    /// Share of packets lost, each by itself, 0 to 1.
    pub loss: Option<f32>,
    /// Losses in bursts, in place of those.
    pub loss_bursts: Option<LossBursts>,
    /// Every so many packets one overtakes the one before; 0 for never.
    pub reorder_every: Option<u32>,
    /// Nothing arrives for so long, ms, and then everything at once, every [`Step::hold_every_ms`]; 0 for never.
    pub hold_ms: Option<u64>,
    /// See [`Step::hold_ms`].
    pub hold_every_ms: Option<u64>,
}

/// The model of Gilbert and Elliott: nothing is lost in one state, everything in the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossBursts {
    /// Mean number of packets between two bursts.
    pub good: f32,
    /// Mean number of packets lost in one.
    pub bad: f32,
}

/// What a direction does to packets at the moment; see [`Step`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the same as in a step")]
pub struct Conditions {
    pub rate: u64,
    pub queue_ms: u64,
    pub delay_ms: f64,
    pub jitter_ms: f64,
    pub loss: f32,
    pub loss_bursts: Option<LossBursts>,
    pub reorder_every: u32,
    pub hold_ms: u64,
    pub hold_every_ms: u64,
}

impl Default for Conditions {
    /// Nothing happens to packets; a queue, once there is a rate, is as long as routers' often are.
    fn default() -> Self {
        Self {
            rate: 0,
            queue_ms: 200,
            delay_ms: 0.0,
            jitter_ms: 0.0,
            loss: 0.0,
            loss_bursts: None,
            reorder_every: 0,
            hold_ms: 0,
            hold_every_ms: 0,
        }
    }
}

impl Conditions {
    /// These, as `step` changes them.
    #[must_use]
    pub fn after(self, step: &Step) -> Self {
        // A share that is named takes the place of bursts.
        let bursts = if step.loss.is_some() { None } else { self.loss_bursts };
        Self {
            rate: step.rate.unwrap_or(self.rate),
            queue_ms: step.queue_ms.unwrap_or(self.queue_ms),
            delay_ms: step.delay_ms.unwrap_or(self.delay_ms),
            jitter_ms: step.jitter_ms.unwrap_or(self.jitter_ms),
            loss: step.loss.unwrap_or(self.loss),
            loss_bursts: step.loss_bursts.or(bursts),
            reorder_every: step.reorder_every.unwrap_or(self.reorder_every),
            hold_ms: step.hold_ms.unwrap_or(self.hold_ms),
            hold_every_ms: step.hold_every_ms.unwrap_or(self.hold_every_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_changes_what_it_names() {
        let json = r#"{"down":[{"rate":5000000,"delay_ms":25},{"at_ms":1000,"rate":500000}]}"#;
        let script: Script = serde_json::from_str(json).unwrap();
        let end = script.down.iter().fold(Conditions::default(), Conditions::after);
        assert_eq!((end.rate, end.delay_ms, script.down[1].at_ms), (500_000, 25.0, 1_000));
        assert!(serde_json::from_str::<Script>(r#"{"down":[{"speed":1}]}"#).is_err());
    }
}
