//! Once a second: what the media threads counted, and what the server used.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use crate::engine::{Counts, Engine, Report, Switch};
use crate::error::LoadError;
use crate::result::Sample;
use crate::server::{Cpu, Process};

/// Where things stand at the end of a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) at: Instant,
    pub(crate) counts: Counts,
    pub(crate) cpu: Option<Cpu>,
    pub(crate) memory: Option<u64>,
}

/// See the module.
pub(crate) struct Sampler {
    engine: Arc<Engine>,
    process: Option<Process>,
    interval: Interval,
    began: Instant,
    last: Mark,
    progress: bool,
    pub(crate) samples: Vec<Sample>,
    /// Latencies of the measured window.
    pub(crate) latency: Histogram<u64>,
    /// Every change of occupant seen so far.
    pub(crate) switches: Vec<Switch>,
}

const SECOND: Duration = Duration::from_secs(1);

impl Sampler {
    /// Begins now. With `progress` each second is printed on stderr.
    pub(crate) fn new(engine: Arc<Engine>, process: Option<Process>, progress: bool) -> Self {
        let began = Instant::now();
        let mut interval = interval_at((began + SECOND).into(), SECOND);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (cpu, memory) = (process.and_then(|process| process.cpu()), None);
        let last = Mark { at: began, counts: Counts::default(), cpu, memory };
        let Report { latency, .. } = Report::empty();
        Self { engine, process, interval, began, last, progress, samples: Vec::new(), latency, switches: Vec::new() }
    }

    /// Waits for the end of the second.
    pub(crate) async fn tick(&mut self, measured: bool) -> Result<Mark, LoadError> {
        self.interval.tick().await;
        self.sample(measured).await
    }

    async fn sample(&mut self, measured: bool) -> Result<Mark, LoadError> {
        let report = self.engine.report().await;
        let report = report.ok_or_else(|| LoadError::Harness("a media thread is gone".to_owned()))?;
        let (cpu, memory) = match self.process {
            Some(process) => (process.cpu(), process.memory()),
            None => (None, None),
        };
        let mark = Mark { at: Instant::now(), counts: report.counts, cpu, memory };
        let counts = mark.counts.since(self.last.counts);
        let latency = |quantile| (!report.latency.is_empty()).then(|| report.latency.value_at_quantile(quantile));
        let used = self.last.cpu.zip(cpu).map(|(before, now)| now.since(before).total());
        let sample = Sample {
            at_s: (mark.at - self.began).as_secs_f64(),
            measured,
            connected: report.connected,
            packets: counts.received,
            bits: counts.bytes * 8,
            lost_by_server: counts.lost_by_server,
            lost_by_harness: counts.lost_by_harness,
            latency_p50_us: latency(0.5),
            latency_p99_us: latency(0.99),
            server_cpu_us: used.map(|used| used.as_micros() as u64),
            server_memory: memory,
        };
        if self.progress {
            print_progress(&sample, mark.at - self.last.at);
        }
        self.samples.push(sample);
        self.last = mark;
        self.switches.extend(report.switches);
        if measured {
            self.latency.add(&report.latency).expect("the bounds are the same");
        }
        Ok(mark)
    }
}

fn print_progress(sample: &Sample, second: Duration) {
    let rate = |count: u64| count as f64 / second.as_secs_f64();
    let (packets, megabits) = (rate(sample.packets), rate(sample.bits) / 1e6);
    let mut line =
        format!("{:5.0} s  {} connected  {packets:.0} packets/s  {megabits:.1} Mbit/s", sample.at_s, sample.connected);
    line += &format!("  lost {} (own {})", sample.lost_by_server, sample.lost_by_harness);
    if let (Some(p50), Some(p99)) = (sample.latency_p50_us, sample.latency_p99_us) {
        line += &format!("  latency {:.1} / {:.1} ms", p50 as f64 / 1e3, p99 as f64 / 1e3);
    }
    if let Some(used) = sample.server_cpu_us {
        line += &format!("  server {:.0} %", rate(used) / 1e4);
    }
    if sample.measured {
        line += "  *";
    }
    eprintln!("{line}");
}
