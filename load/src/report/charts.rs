//! Which plots a report has, and what is in them.

use maud::{Markup, html};

use super::format::{self, BITS, BYTES, PACKETS, PARTICIPANTS, PERCENT, TIME};
use super::plot::{Series, Style, TimePlot, histogram, spreads};
use crate::result::{RunResult, Sample};

/// Most points of a line. A longer run is drawn and listed in longer steps, so that the report of a day is no larger
/// than that of a quarter of an hour.
pub const POINTS_MAX: usize = 900;

/// Why a plot of the server is empty.
const NO_SERVER: &str = "The server’s process was not given";

/// Headings of the table of seconds. [`Moment::cells`] has the cells in the same order.
pub const COLUMNS: [&str; 10] = [
    "Time, s",
    "Connected",
    "Packets/s",
    "Bit rate",
    "Lost by the server",
    "Lost by the harness",
    "Latency p50",
    "Latency p99",
    "Server, of a core",
    "Server, memory",
];

/// One or more seconds of a run, as they are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    from_s: f64,
    sample: Sample,
}

impl Moment {
    fn seconds(&self) -> f64 {
        let seconds = self.sample.at_s - self.from_s;
        if seconds > 0.0 { seconds } else { 1.0 }
    }

    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.seconds()
    }

    fn core_percent(&self) -> Option<f64> {
        self.sample.server_cpu_us.map(|cpu| self.per_second(cpu) / 1e6 * 100.0)
    }

    /// It lies in the measured window.
    #[must_use]
    pub fn measured(&self) -> bool {
        self.sample.measured
    }

    /// Its row of the table.
    #[must_use]
    pub fn cells(&self) -> [String; COLUMNS.len()] {
        let Sample { at_s, connected, packets, bits, lost_by_server, lost_by_harness, .. } = self.sample;
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let micros = |value: Option<u64>| or_dash(value.map(|micros| TIME.show(micros as f64)));
        [
            format::number(at_s),
            format::count(connected as u64),
            format::decimal(self.per_second(packets), 0),
            BITS.show(self.per_second(bits)),
            format::count(lost_by_server),
            format::count(lost_by_harness),
            micros(self.sample.latency_p50_us),
            micros(self.sample.latency_p99_us),
            or_dash(self.core_percent().map(|percent| PERCENT.show(percent))),
            or_dash(self.sample.server_memory.map(|bytes| BYTES.show(bytes as f64))),
        ]
    }
}

/// The samples, in steps of as many seconds as [`POINTS_MAX`] asks for: counts are added up, of percentiles the worst
/// second counts, of the others the last.
#[must_use]
pub fn moments(samples: &[Sample]) -> Vec<Moment> {
    let step = samples.len().div_ceil(POINTS_MAX).max(1);
    let mut from_s = 0.0;
    let fold = |group: &[Sample]| {
        let worst = |of: fn(&Sample) -> Option<u64>| group.iter().filter_map(of).max();
        let sum = |of: fn(&Sample) -> u64| group.iter().map(of).fold(0, u64::saturating_add);
        let last = group[group.len() - 1];
        let cpu = group.iter().filter_map(|sample| sample.server_cpu_us).reduce(u64::saturating_add);
        let sample = Sample {
            packets: sum(|sample| sample.packets),
            bits: sum(|sample| sample.bits),
            lost_by_server: sum(|sample| sample.lost_by_server),
            lost_by_harness: sum(|sample| sample.lost_by_harness),
            latency_p50_us: worst(|sample| sample.latency_p50_us),
            latency_p99_us: worst(|sample| sample.latency_p99_us),
            server_cpu_us: cpu,
            ..last
        };
        let moment = Moment { from_s, sample };
        from_s = last.at_s;
        moment
    };
    samples.chunks(step).map(fold).collect()
}

/// Begin and end of each stretch of measured moments, s.
#[must_use]
pub fn windows(moments: &[Moment]) -> Vec<(f64, f64)> {
    let stretches = moments.chunk_by(|one, next| one.measured() == next.measured());
    let ends = |stretch: &[Moment]| (stretch[0].from_s, stretch[stretch.len() - 1].sample.at_s);
    stretches.filter(|stretch| stretch[0].measured()).map(ends).collect()
}

/// Everything over time.
#[must_use]
pub fn over_time(result: &RunResult, moments: &[Moment]) -> Markup {
    let times: Vec<_> = moments.iter().map(|moment| moment.sample.at_s).collect();
    let windows = windows(moments);
    let seconds: f64 = windows.iter().map(|(from, to)| to - from).sum();
    let mean = |of: &dyn Fn(&Moment) -> u64| {
        let sum: f64 = moments.iter().filter(|moment| moment.measured()).map(|moment| of(moment) as f64).sum();
        if seconds > 0.0 { sum / seconds } else { f64::NAN }
    };
    let mean_of =
        |text: String, value: f64| if value.is_finite() { format!("{text} on average") } else { String::new() };
    let series = |name, style, column, summary, of: &dyn Fn(&Moment) -> Option<f64>| Series {
        name,
        style,
        values: moments.iter().map(of).collect(),
        column,
        summary,
    };
    let plot = |title, unit, empty, series| TimePlot {
        title,
        unit,
        whole: false,
        may_be_log: false,
        times: &times,
        windows: &windows,
        series,
        empty,
    };
    let filled = Style::Filled;
    let nothing = "Nothing was received";
    let packets = mean(&|moment| moment.sample.packets);
    let bits = mean(&|moment| moment.sample.bits);
    let server = result.server.as_ref();
    let cores =
        server.map_or_else(String::new, |server| format!("{} on average", PERCENT.show(server.cores_used * 100.0)));
    let memory = server.and_then(|server| server.memory_per_participant);
    let memory = memory.map_or_else(String::new, |bytes| format!("{} a participant", BYTES.show(bytes)));
    let (latency, traffic) = (&result.latency, &result.traffic);
    let lost = |count| format!("{} in the window", format::count(count));
    let joined = format!(
        "{} of {} joined",
        format::count(result.joins.joined as u64),
        format::count(result.joins.attempted as u64)
    );
    let plots = [
        plot(
            "Packets received",
            PACKETS,
            nothing,
            vec![series("All viewers", filled, 2, mean_of(format::decimal(packets, 0), packets), &|moment| {
                Some(moment.per_second(moment.sample.packets))
            })],
        ),
        plot(
            "Bit rate received",
            BITS,
            nothing,
            vec![series("All viewers", filled, 3, mean_of(BITS.show(bits), bits), &|moment| {
                Some(moment.per_second(moment.sample.bits))
            })],
        ),
        TimePlot {
            may_be_log: true,
            ..plot(
                "One-way latency",
                TIME,
                "Nothing was decrypted",
                vec![
                    series("p50", Style::Solid, 6, TIME.show(latency.p50_us as f64), &|moment| {
                        moment.sample.latency_p50_us.map(|micros| micros as f64)
                    }),
                    series("p99", Style::Dashed, 7, TIME.show(latency.p99_us as f64), &|moment| {
                        moment.sample.latency_p99_us.map(|micros| micros as f64)
                    }),
                ],
            )
        },
        TimePlot {
            whole: true,
            ..plot(
                "Packets lost",
                PACKETS,
                nothing,
                vec![
                    series("by the server", Style::Solid, 4, lost(traffic.lost_by_server), &|moment| {
                        Some(moment.per_second(moment.sample.lost_by_server))
                    }),
                    series("by the harness", Style::Dashed, 5, lost(traffic.lost_by_harness), &|moment| {
                        Some(moment.per_second(moment.sample.lost_by_harness))
                    }),
                ],
            )
        },
        plot(
            "Processor time of the server",
            PERCENT,
            NO_SERVER,
            vec![series("Of one core", filled, 8, cores, &Moment::core_percent)],
        ),
        plot(
            "Memory of the server",
            BYTES,
            NO_SERVER,
            vec![series("Resident", filled, 9, memory, &|moment| {
                moment.sample.server_memory.map(|bytes| bytes as f64)
            })],
        ),
        TimePlot {
            whole: true,
            ..plot(
                "Participants connected",
                PARTICIPANTS,
                "Nobody joined",
                vec![series("Publishers and viewers", filled, 1, joined, &|moment| {
                    Some(moment.sample.connected as f64)
                })],
            )
        },
    ];
    html! { @for plot in &plots { (plot.draw()) } }
}

/// How one-way latency is spread.
#[must_use]
pub fn latency(result: &RunResult) -> Markup {
    let latency = &result.latency;
    let marks = [("p50", latency.p50_us), ("p95", latency.p95_us), ("p99", latency.p99_us)];
    histogram("How latency is spread", TIME, &latency.histogram, &marks, "Nothing was decrypted")
}

/// How long joining took, whole and in parts.
#[must_use]
pub fn joins(result: &RunResult) -> Markup {
    let joins = &result.joins;
    let mut rows: Vec<_> = joins.parts.iter().map(|(name, spread)| (name.as_str(), *spread)).collect();
    rows.push(("all of it", joins.total));
    if joins.joined == 0 {
        rows.clear();
    }
    spreads("How long joining took", &rows, "Nobody joined")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u32) -> Vec<Sample> {
        let second = |n: u32| Sample {
            at_s: f64::from(n),
            measured: (11..=20).contains(&n),
            packets: 100,
            latency_p99_us: (n != 3).then_some(u64::from(n)),
            ..Sample::default()
        };
        (1..=count).map(second).collect()
    }

    #[test]
    fn a_short_run_is_drawn_second_by_second() {
        let moments = moments(&seconds(30));
        assert_eq!(moments.len(), 30);
        assert_eq!(windows(&moments), [(10.0, 20.0)]);
        assert_eq!(moments[2].cells()[7], "–");
    }

    #[test]
    fn a_day_is_drawn_in_longer_steps_and_nothing_is_lost() {
        let samples = seconds(86_400);
        let moments = moments(&samples);
        assert_eq!(moments.len(), POINTS_MAX);
        assert_eq!(moments.iter().map(|moment| moment.sample.packets).sum::<u64>(), 8_640_000);
        assert_eq!(moments[0].per_second(moments[0].sample.packets), 100.0);
        assert_eq!(moments[0].sample.latency_p99_us, Some(96));
        assert_eq!(moments[899].sample.at_s, 86_400.0);
    }

    #[test]
    fn no_samples_are_no_moments() {
        assert!(moments(&[]).is_empty());
        assert!(windows(&[]).is_empty());
    }
}
