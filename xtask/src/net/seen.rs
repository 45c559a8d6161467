//! What was seen in a case.

use dais_line::{Entry, Passed};
use serde_json::Value;

use super::case::{Behind, Case, Length};

/// What a packet of sound lasts, ms.
const VOICE_PACKET_MS: f64 = 20.0;

/// Something that was measured, and what it must be.
#[derive(Clone, Debug)]
pub struct Check {
    /// What.
    pub what: String,
    /// As measured.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// At least, or at most.
    pub limit: Limit,
}

/// See [`Check`].
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// It must not be smaller.
    Min(f64),
    /// It must not be larger.
    Max(f64),
}

impl Check {
    /// A value that must be at least `limit`.
    pub fn min(what: &str, value: f64, limit: f64, unit: &'static str) -> Self {
        Self { what: what.to_owned(), value, unit, limit: Limit::Min(limit) }
    }

    /// A value that must be at most `limit`.
    pub fn max(what: &str, value: f64, limit: f64, unit: &'static str) -> Self {
        Self { what: what.to_owned(), value, unit, limit: Limit::Max(limit) }
    }

    /// The same, asked of a machine that others use too: half as much again, or two thirds. A limit of nothing stays.
    fn with_patience(mut self) -> Self {
        self.limit = match self.limit {
            Limit::Min(limit) => Limit::Min((limit / 1.5).floor()),
            Limit::Max(limit) => Limit::Max((limit * 1.5).ceil()),
        };
        self
    }

    /// Whether it is as it must be. What could not be measured is not.
    pub fn holds(&self) -> bool {
        match self.limit {
            Limit::Min(limit) => self.value >= limit,
            Limit::Max(limit) => self.value <= limit,
        }
    }
}

/// A viewer's step of 100 ms.
#[derive(Clone, Debug)]
pub struct Step {
    /// Seconds after the start of the line's script.
    pub at: f64,
    /// Which viewer.
    pub viewer: usize,
    /// Bytes of all kinds.
    pub bytes: f64,
    /// Freezes that ended: of which camera slot, and how long they were, ms.
    pub freezes: Vec<(u64, f64)>,
    /// Camera slots that the server says it holds back.
    pub held: Vec<u64>,
    /// Cameras that are shown.
    pub playing: usize,
    /// Frames of all of them.
    pub frames: f64,
    /// Bytes of pictures that were sent again.
    pub rtx: f64,
    /// Sound that was missing, ms.
    pub gap_ms: f64,
    /// Packets of sound.
    pub voice_packets: f64,
}

/// What passed one direction of the line in 100 ms.
#[derive(Clone, Copy, Debug)]
pub struct Passing {
    /// End of the 100 ms, s after the start of the line's script.
    pub at: f64,
    /// What passed.
    pub passed: Passed,
}

impl Passing {
    /// From the server to viewers behind the line, or from a publisher behind it to the server.
    pub fn of(entry: &Entry, behind: Behind) -> Self {
        let passed = if behind == Behind::Publisher { entry.up } else { entry.down };
        Self { at: entry.at_ms as f64 / 1_000.0, passed }
    }

    fn is_within(&self, from: f64, to: f64) -> bool {
        // It tells of the 100 ms before.
        (from..to).contains(&(self.at - 0.05))
    }
}

/// See the module.
#[derive(Default)]
pub struct Seen {
    /// What passed the line in the direction of the pictures, in steps of 100 ms.
    pub line: Vec<Passing>,
    /// The viewers that are looked at.
    pub steps: Vec<Step>,
    /// The summary of somebody who has a good line.
    pub other: Value,
    /// Bytes that TCP got beside them, by second.
    pub tcp: Vec<u64>,
}

/// How a case went.
pub struct Verdict {
    /// Its name.
    pub case: &'static str,
    /// For people.
    pub title: &'static str,
    /// What it must get.
    pub must: &'static str,
    /// What was measured.
    pub checks: Vec<Check>,
    /// Rates for the plot: seconds, and by line Mbit/s.
    pub rates: Vec<(&'static str, Vec<(f64, f64)>)>,
}

impl Verdict {
    /// Whether all is as it must be.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(Check::holds)
    }

    /// What is not as it must be, for people.
    pub fn broken(&self) -> String {
        let broken = self.checks.iter().filter(|check| !check.holds());
        let told: Vec<_> = broken.map(|check| format!("{} {:.1} {}", check.what, check.value, check.unit)).collect();
        format!("{} ({})", self.case, told.join("; "))
    }
}

impl Seen {
    /// Bits per second that came to the line (`into`), or left it, from second `from` to second `to`.
    pub fn rate(&self, into: bool, from: f64, to: f64) -> f64 {
        let within = self.line.iter().filter(|passing| passing.is_within(from, to));
        let bytes: u64 =
            within.map(|Passing { passed, .. }| if into { passed.bytes_in } else { passed.bytes_out }).sum();
        bytes as f64 * 8.0 / (to - from)
    }

    /// The lowest rate into the line over any `window` from second `from` to second `to`, bit/s.
    pub fn lowest_rate(&self, window: f64, from: f64, to: f64) -> f64 {
        let starts = (0..).map(|n| from + f64::from(n) * 0.1).take_while(|start| start + window <= to);
        starts.map(|start| self.rate(true, start, start + window)).fold(f64::INFINITY, f64::min)
    }

    /// Longest wait in the line's queue from second `from` to second `to`, ms.
    pub fn queue_ms(&self, from: f64, to: f64) -> f64 {
        let within = self.line.iter().filter(|passing| passing.is_within(from, to));
        within.map(|passing| passing.passed.queue_ms_max).fold(0.0, f64::max)
    }

    /// The longest freeze of any camera that ended from second `from` to second `to`, ms. A camera that the server said
    /// it holds back did not freeze: its viewer knows.
    pub fn longest_freeze(&self, from: f64, to: f64) -> f64 {
        let within = self.steps.iter().filter(|step| (from..to).contains(&step.at));
        let freezes = within.flat_map(|step| step.freezes.iter().map(move |(slot, ms)| (step, *slot, *ms)));
        let counted = freezes.filter(|(step, slot, ms)| !self.was_held(step, *slot, *ms));
        counted.map(|(_, _, ms)| ms).fold(0.0, f64::max)
    }

    fn was_held(&self, end: &Step, slot: u64, ms: f64) -> bool {
        let during = end.at - ms / 1_000.0..=end.at;
        let of_viewer = self.steps.iter().filter(|step| step.viewer == end.viewer);
        of_viewer.filter(|step| during.contains(&step.at)).any(|step| step.held.contains(&slot))
    }

    /// Bits per second of one viewer behind the line.
    pub fn viewer_rate(&self, viewer: usize, from: f64, to: f64) -> f64 {
        let within = self.steps.iter().filter(|step| step.viewer == viewer && (from..to).contains(&step.at));
        within.map(|step| step.bytes).sum::<f64>() * 8.0 / (to - from)
    }

    /// Steps in which fewer than `cameras` are shown, from second `from` to second `to`.
    pub fn steps_below(&self, cameras: usize, from: f64, to: f64) -> f64 {
        let within = self.steps.iter().filter(|step| (from..to).contains(&step.at) && step.playing < cameras);
        within.count() as f64
    }

    /// Frames shown a second, of all cameras.
    pub fn frames(&self, from: f64, to: f64) -> f64 {
        let within = self.steps.iter().filter(|step| (from..to).contains(&step.at));
        within.map(|step| step.frames).sum::<f64>() / (to - from)
    }

    /// Sound that was missing, ms.
    pub fn gap_ms(&self, from: f64, to: f64) -> f64 {
        self.steps.iter().filter(|step| (from..to).contains(&step.at)).map(|step| step.gap_ms).sum()
    }

    /// The part of the sound that was missing, %.
    pub fn sound_missing(&self, from: f64, to: f64) -> f64 {
        let heard_ms = self.voice_packets(from, to) * (to - from) * VOICE_PACKET_MS;
        let missing_ms = self.gap_ms(from, to);
        missing_ms / (heard_ms + missing_ms) * 100.0
    }

    /// Packets of sound a second.
    pub fn voice_packets(&self, from: f64, to: f64) -> f64 {
        let within = self.steps.iter().filter(|step| (from..to).contains(&step.at));
        within.map(|step| step.voice_packets).sum::<f64>() / (to - from)
    }

    /// The part of what viewers got that was sent to them again.
    pub fn sent_again(&self, from: f64, to: f64) -> f64 {
        let within = || self.steps.iter().filter(|step| (from..to).contains(&step.at));
        within().map(|step| step.rtx).sum::<f64>() / within().map(|step| step.bytes).sum::<f64>()
    }

    /// What is looked at in every case: the other viewer notices nothing.
    fn others(&self, case: &Case) -> Vec<Check> {
        let beside = |camera: &&Value| camera["slot"].as_u64().is_some_and(|slot| slot < case.stage.0 as u64);
        let cameras: Vec<_> = self.other["cameras"].as_array().into_iter().flatten().filter(beside).collect();
        let frozen = |camera: &&Value| camera["freezes"]["over_300_ms"].as_f64().unwrap_or(f64::INFINITY);
        let freezes: f64 = cameras.iter().map(frozen).sum();
        let shown = cameras.iter().filter(|camera| camera["shown"].as_f64() > Some(0.0)).count();
        vec![
            Check::min("another viewer: cameras shown", shown as f64, case.stage.0 as f64, ""),
            Check::max("another viewer: freezes over 300 ms", freezes, 0.0, ""),
        ]
    }

    /// What came of it.
    pub fn judged(&self, case: &Case, length: Length) -> Verdict {
        let mut checks = (case.checks)(self, length);
        if length == Length::Reduced {
            checks = checks.into_iter().map(Check::with_patience).collect();
        }
        checks.extend(self.others(case));
        Verdict { case: case.name, title: case.title, must: case.must, checks, rates: self.rates(case) }
    }

    fn rates(&self, case: &Case) -> Vec<(&'static str, Vec<(f64, f64)>)> {
        const WINDOW: usize = 5;
        let series = |value: &dyn Fn(&Passing) -> f64| {
            let windows = self.line.windows(WINDOW);
            let point = |window: &[Passing]| {
                let mean = window.iter().map(value).sum::<f64>() / WINDOW as f64;
                (window[WINDOW - 1].at, mean)
            };
            windows.map(point).collect::<Vec<_>>()
        };
        let mbits = |bytes: u64| bytes as f64 * 8.0 / 100_000.0;
        let mut rates = vec![
            ("into the line", series(&|passing| mbits(passing.passed.bytes_in))),
            ("out of the line", series(&|passing| mbits(passing.passed.bytes_out))),
        ];
        let names = ["first viewer", "second viewer"];
        let viewers = if let Behind::Viewers(viewers @ 2..) = case.behind { viewers } else { 0 };
        for viewer in 0..viewers {
            let starts = (0..).map(|n| f64::from(n) * 0.5).take_while(|at| *at < self.end());
            let points = starts.map(|at| (at + 0.5, self.viewer_rate(viewer, at, at + 0.5) / 1e6)).collect();
            rates.push((names[viewer % names.len()], points));
        }
        rates
    }

    /// The last second.
    pub fn end(&self) -> f64 {
        self.steps.last().map_or(0.0, |step| step.at)
    }
}
