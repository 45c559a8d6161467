//! The result as plain text for a terminal.

use std::fmt::Write as _;

use super::format::{self, BITS, BYTES, PERCENT, TIME};
use super::verdict::Verdict;
use crate::result::{RunResult, Spread};

/// The table printed at the end of a run. It ends with a line feed.
#[must_use]
pub fn table(result: &RunResult) -> String {
    let mut out = String::new();
    let RunResult { conditions, machine, .. } = result;
    let _ = writeln!(out, "{}: {}", result.scenario, result.description);
    let gro = if conditions.gro { "GRO" } else { "no GRO" };
    let _ = writeln!(
        out,
        "{}, {}, {} sending, {} viewing, {gro}, {} s measured",
        format::moment(&result.started),
        conditions.url,
        format::count(conditions.publishers as u64),
        format::count(conditions.viewers as u64),
        format::number(conditions.measured_s),
    );
    let _ = writeln!(out, "{}, {}, kernel {}", machine.cpu, format::cores(machine.cores), machine.kernel);
    section(&mut out, "", &facts(result));
    let mut rows = vec![["join, ms", "p50", "p95", "p99", "largest"].map(str::to_owned).to_vec()];
    rows.extend(result.joins.parts.iter().map(|(name, spread)| spread_row(name, spread)));
    rows.push(spread_row("all of it", &result.joins.total));
    section(&mut out, "", &rows);
    let failed = result.joins.failed.iter().map(|(code, times)| vec![code.clone(), format::count(*times as u64)]);
    section(&mut out, "joins failed with", &failed.collect::<Vec<_>>());
    let checks = result.checks.iter().map(|check| {
        vec![
            format!("{} {}", if check.passed { "passed" } else { "FAILED" }, check.name),
            check.value.map_or_else(|| "not measured".to_owned(), format::number),
            check.limit.clone(),
        ]
    });
    section(&mut out, "thresholds", &checks.collect::<Vec<_>>());
    let verdict = Verdict::of(result);
    let _ = writeln!(out, "\n{}. {}", verdict.title(), verdict.reason(result));
    out
}

/// Figures of the measured window, name and value.
fn facts(result: &RunResult) -> Vec<Vec<String>> {
    let RunResult { joins, traffic, latency, conditions, .. } = result;
    let rate = |count: u64| if conditions.measured_s > 0.0 { count as f64 / conditions.measured_s } else { f64::NAN };
    let sent = traffic.received + traffic.lost_by_server + traffic.lost_by_harness;
    let lost = |count: u64| format!("{} ({})", format::count(count), format::share(count, sent));
    let (joined, attempted) = (format::count(joins.joined as u64), format::count(joins.attempted as u64));
    let mut rows = vec![
        ("joined", format!("{joined} of {attempted}, {} a second", format::number(joins.per_second))),
        (
            "received",
            format!(
                "{} packets, {} a second, {}",
                format::count(traffic.received),
                format::number(rate(traffic.received).round()),
                BITS.show(rate(traffic.bytes.saturating_mul(8)))
            ),
        ),
        ("lost by the server", lost(traffic.lost_by_server)),
        ("lost by the harness", lost(traffic.lost_by_harness)),
        ("came twice, damaged", format!("{}, {}", format::count(traffic.duplicates), format::count(traffic.damaged))),
    ];
    if latency.count > 0 {
        let values = [latency.p50_us, latency.p95_us, latency.p99_us, latency.max_us].map(|us| TIME.show(us as f64));
        let [p50, p95, p99, max] = values;
        rows.push(("one-way latency", format!("p50 {p50}, p95 {p95}, p99 {p99}, largest {max}")));
    }
    if result.slot_switches > 0 {
        rows.push(("slots that changed", format::count(result.slot_switches)));
    }
    if let Some(server) = &result.server {
        let (user, system) = (server.user_us_per_packet, server.system_us_per_packet);
        let (user, system, both) = (TIME.show(user), TIME.show(system), TIME.show(user + system));
        rows.push(("server, a packet", format!("{both} ({user} user, {system} kernel)")));
        let (cores, packets) = (PERCENT.show(server.cores_used * 100.0), format::number(server.packets_per_s.round()));
        rows.push(("server, a second", format!("{cores} of a core for {packets} packets")));
        let mut optional = |name, text: Option<String>| rows.extend(text.map(|text| (name, text)));
        optional(
            "server, a message",
            server.segments_per_message.map(|mean| format!("{} datagrams", format::number(mean))),
        );
        optional("server, a participant", server.memory_per_participant.map(|bytes| BYTES.show(bytes)));
        optional("server, a join", server.cpu_us_per_join.map(|micros| format!("{} of processor", TIME.show(micros))));
        let forward = |(p50, p99)| format!("p50 {}, p99 {}", TIME.show(p50), TIME.show(p99));
        optional("within the server", server.forward_latency_us.map(forward));
    }
    rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect()
}

fn spread_row(name: &str, spread: &Spread) -> Vec<String> {
    let values = [spread.p50_ms, spread.p95_ms, spread.p99_ms, spread.max_ms].map(format::number);
    [name.to_owned()].into_iter().chain(values).collect()
}

/// Rows with their columns aligned: the first and, of two, the second to the left, others to the right.
fn section(out: &mut String, title: &str, rows: &[Vec<String>]) {
    let Some(columns) = rows.iter().map(Vec::len).max() else { return };
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    out.push('\n');
    if !title.is_empty() {
        let _ = writeln!(out, "{title}");
    }
    for row in rows {
        let mut line = String::from("  ");
        for (n, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match n {
                0 => write!(line, "{cell:<width$}"),
                1 if columns == 2 => write!(line, "  {cell}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
}
