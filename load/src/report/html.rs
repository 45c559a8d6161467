//! The report as one page that needs nothing else: it can be mailed, kept beside the JSON file, or printed.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts::{self, COLUMNS, Moment};
use super::format::{self, BITS, BYTES, PERCENT, TIME};
use super::verdict::Verdict;
use crate::result::{RunResult, Spread};

/// Nothing the page says comes from elsewhere, and a browser is told not to look.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The page of a run. Every text of `result` is escaped.
#[must_use]
pub fn html(result: &RunResult) -> String {
    let moments = charts::moments(&result.samples);
    let verdict = Verdict::of(result);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (result.scenario) ": " (verdict.title()) " – dais-load" }
                style { (PreEscaped(include_str!("report.css"))) }
            }
            body {
                main {
                    (headline(result, verdict))
                    section aria-label="Key figures" { ul.tiles { @for tile in tiles(result) { (tile.draw()) } } }
                    div.columns {
                        section aria-labelledby="thresholds" { h2 id="thresholds" { "Thresholds" } (thresholds(result)) }
                        section aria-labelledby="conditions" { h2 id="conditions" { "Conditions" } (conditions(result)) }
                    }
                    section aria-labelledby="time" {
                        div.heading { h2 id="time" { "Over time" } (window_note(&moments)) }
                        div.plots { (charts::over_time(result, &moments)) (charts::latency(result)) }
                        (seconds_table(&moments))
                        (histogram_table(result))
                    }
                    section aria-labelledby="joins" {
                        h2 id="joins" { "Joins" }
                        div.columns { (charts::joins(result)) div { (joins_table(result)) (failures(result)) } }
                    }
                    section aria-labelledby="traffic" { h2 id="traffic" { "Traffic in the measured window" } (traffic(result)) }
                }
                footer { "Made by dais-load. Latency is one-way, from a publisher’s system call to the arrival at a viewer, of the decrypted packets." }
                script { (PreEscaped(include_str!("report.js"))) }
            }
        }
    };
    page.into_string()
}

fn headline(result: &RunResult, verdict: Verdict) -> Markup {
    let (class, sign) = match verdict {
        Verdict::Passed => ("passed", "✓"),
        Verdict::Failed(_) => ("failed", "✗"),
        Verdict::NotTrustworthy => ("doubtful", "!"),
    };
    html! {
        header {
            p.kind { "Load test" }
            h1 { (result.scenario) }
            p.description { (result.description) }
            p.verdict.(class) {
                span.sign aria-hidden="true" { (sign) }
                strong { (verdict.title()) }
                span { (verdict.reason(result)) }
            }
        }
    }
}

/// A figure that stands out.
struct Tile {
    label: &'static str,
    value: Option<(String, &'static str)>,
    note: String,
}

impl Tile {
    fn draw(&self) -> Markup {
        html! {
            li {
                span.label { (self.label) }
                span.value {
                    @match &self.value {
                        Some((number, unit)) => { (number) @if !unit.is_empty() { " " small { (unit) } } }
                        None => { span.none { "not measured" } }
                    }
                }
                span.note { (self.note) }
            }
        }
    }
}

fn tiles(result: &RunResult) -> Vec<Tile> {
    let RunResult { joins, traffic, latency, .. } = result;
    let server = result.server.as_ref();
    let seconds = result.conditions.measured_s;
    let rate = |count: u64| (seconds > 0.0).then(|| count as f64 / seconds);
    let cpu = server.map(|server| server.user_us_per_packet + server.system_us_per_packet);
    let of_server = |text: Option<String>| text.unwrap_or_else(|| "needs the server’s process".to_owned());
    let sent = traffic.received + traffic.lost_by_server + traffic.lost_by_harness;
    let of_latency = |name: &str, micros: u64| match latency.count {
        0 => "nothing was decrypted".to_owned(),
        _ => format!("{name} {}", TIME.show(micros as f64)),
    };
    vec![
        Tile {
            label: "Processor time a packet",
            value: cpu.map(|micros| TIME.split(micros)),
            note: of_server(server.map(|server| {
                let (user, system) = (server.user_us_per_packet, server.system_us_per_packet);
                format!("{} user + {} kernel", format::number(user), format::number(system))
            })),
        },
        Tile {
            label: "Latency p50",
            value: (latency.count > 0).then(|| TIME.split(latency.p50_us as f64)),
            note: of_latency("p95", latency.p95_us),
        },
        Tile {
            label: "Latency p99",
            value: (latency.count > 0).then(|| TIME.split(latency.p99_us as f64)),
            note: of_latency("largest", latency.max_us),
        },
        Tile {
            label: "Lost by the server",
            value: Some((
                format::count(traffic.lost_by_server),
                if traffic.lost_by_server == 1 { "packet" } else { "packets" },
            )),
            note: format!("{} of {}", format::share(traffic.lost_by_server, sent), format::count(sent)),
        },
        Tile {
            label: "Packets received",
            value: rate(traffic.received).map(|rate| (format::decimal(rate, 0), "a second")),
            note: rate(traffic.bytes.saturating_mul(8)).map_or_else(String::new, |bits| BITS.show(bits)),
        },
        Tile {
            label: "Joins",
            value: Some((format::number(joins.per_second), "a second")),
            note: format!("p99 {}", TIME.show(joins.total.p99_ms * 1e3)),
        },
        Tile {
            label: "Memory a participant",
            value: server.and_then(|server| server.memory_per_participant).map(|bytes| BYTES.split(bytes)),
            note: server
                .and_then(|server| server.cpu_us_per_join)
                .map_or_else(String::new, |micros| format!("{} of processor a join", TIME.show(micros))),
        },
        Tile {
            label: "Datagrams a message",
            value: server.and_then(|server| server.segments_per_message).map(|mean| (format::number(mean), "")),
            note: "UDP segmentation, mean".to_owned(),
        },
    ]
}

fn thresholds(result: &RunResult) -> Markup {
    if result.checks.is_empty() {
        return html! { p.dim { "The scenario has none." } };
    }
    html! {
        div.scroll {
            table {
                thead { tr { th { "Figure" } th.number { "Limit" } th.number { "Measured" } th { "Result" } } }
                tbody {
                    @for check in &result.checks {
                        tr {
                            th scope="row" { code { @for part in check.name.split_inclusive('_') { (part) wbr; } } }
                            td.number { (format::condition(&check.limit)) }
                            td.number { (check.value.map_or_else(|| "not measured".to_owned(), format::number)) }
                            @if check.passed { td.passed { "✓ passed" } } @else { td.failed { "✗ failed" } }
                        }
                    }
                }
            }
        }
    }
}

fn conditions(result: &RunResult) -> Markup {
    let (machine, conditions) = (&result.machine, &result.conditions);
    let cores = format::cores(machine.cores);
    let datagrams =
        if conditions.gro { "take several datagrams at once (UDP GRO)" } else { "take one datagram at a time" };
    let rows = [
        ("Started", format::moment(&result.started)),
        ("Server", conditions.url.clone()),
        (
            "Participants",
            format!(
                "{} sending, {} viewing",
                format::count(conditions.publishers as u64),
                format::count(conditions.viewers as u64)
            ),
        ),
        ("Measured", format!("{} s", format::number(conditions.measured_s))),
        ("Receivers", datagrams.to_owned()),
        ("Decrypted", PERCENT.show(conditions.decrypted_share * 100.0) + " of the packets"),
        ("Harness on", format!("{}, {cores}, kernel {}", machine.cpu, machine.kernel)),
    ];
    html! { dl { @for (name, value) in &rows { div { dt { (name) } dd { (value) } } } } }
}

fn window_note(moments: &[Moment]) -> Markup {
    let windows = charts::windows(moments);
    let spans: Vec<_> =
        windows.iter().map(|(from, to)| format!("{} to {} s", format::number(*from), format::number(*to))).collect();
    html! {
        @if spans.is_empty() {
            p.dim { "No part of this run was measured." }
        } @else {
            p.dim { span.window-swatch aria-hidden="true" {} "The measured window: " (spans.join(", ")) }
        }
    }
}

fn seconds_table(moments: &[Moment]) -> Markup {
    html! {
        details {
            summary { "Table of seconds" }
            div.scroll tabindex="0" role="region" aria-label="Table of seconds" {
                table.seconds {
                    thead { tr { @for column in COLUMNS { th.number scope="col" { (column) } } } }
                    tbody {
                        @for moment in moments {
                            tr.measured[moment.measured()] { @for cell in moment.cells() { td.number { (cell) } } }
                        }
                    }
                }
            }
        }
    }
}

fn histogram_table(result: &RunResult) -> Markup {
    let total: u64 = result.latency.histogram.iter().map(|(_, count)| count).sum();
    html! {
        details {
            summary { "Table of latencies" }
            div.scroll tabindex="0" role="region" aria-label="Table of latencies" {
                table.narrow {
                    thead { tr { th.number { "Up to" } th.number { "Values" } th.number { "Share" } } }
                    tbody {
                        @for (bound, count) in &result.latency.histogram {
                            tr {
                                td.number { (TIME.show(*bound as f64)) }
                                td.number { (format::count(*count)) }
                                td.number { (format::share(*count, total)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn joins_table(result: &RunResult) -> Markup {
    let row = |name: &str, spread: &Spread| {
        let values = [spread.p50_ms, spread.p95_ms, spread.p99_ms, spread.max_ms];
        html! { tr { th scope="row" { (name) } @for ms in values { td.number { (format::number(ms)) } } } }
    };
    html! {
        div.scroll {
            table {
                thead { tr { th { "ms" } th.number { "p50" } th.number { "p95" } th.number { "p99" } th.number { "largest" } } }
                tbody {
                    @for (name, spread) in &result.joins.parts { (row(name, spread)) }
                    (row("all of it", &result.joins.total))
                }
            }
        }
    }
}

fn failures(result: &RunResult) -> Markup {
    let joins = &result.joins;
    html! {
        p.dim {
            (format::count(joins.joined as u64)) " of " (format::count(joins.attempted as u64)) " joined, "
            (format::number(joins.per_second)) " a second. Percentiles of the parts do not add up to those of the whole."
        }
        @if !joins.failed.is_empty() {
            table.narrow {
                thead { tr { th { "Failed with" } th.number { "Times" } } }
                tbody { @for (code, count) in &joins.failed { tr { th scope="row" { code { (code) } } td.number { (format::count(*count as u64)) } } } }
            }
        }
    }
}

fn traffic(result: &RunResult) -> Markup {
    let traffic = &result.traffic;
    let sent = traffic.received + traffic.lost_by_server + traffic.lost_by_harness;
    let lost = |count: u64| format!("{} ({})", format::count(count), format::share(count, sent));
    let mut rows = vec![
        ("Sent by publishers", format::count(traffic.sent)),
        ("Received by viewers", format::count(traffic.received)),
        ("Bytes received", BYTES.show(traffic.bytes as f64)),
        ("Lost by the server", lost(traffic.lost_by_server)),
        ("Lost by the harness", lost(traffic.lost_by_harness)),
        ("Came twice", format::count(traffic.duplicates)),
        ("Decrypted and checked", format::count(traffic.decrypted)),
        ("Damaged", format::count(traffic.damaged)),
        ("Slots that changed", format::count(result.slot_switches)),
    ];
    if let Some(server) = &result.server {
        rows.push(("Forwarded a second", format::number(server.packets_per_s.round())));
        if let Some((p50, p99)) = server.forward_latency_us {
            rows.push(("Within the server", format!("p50 {}, p99 {}", TIME.show(p50), TIME.show(p99))));
        }
    }
    html! { dl.facts { @for (name, value) in &rows { div { dt { (name) } dd { (value) } } } } }
}
