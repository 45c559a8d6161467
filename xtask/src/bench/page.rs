//! The figures as they stand in docs/performance.md, between words that people write.

use super::summary::{self, Measured};

const BEGIN: &str = "<!-- figures: written by cargo xtask bench -->";
const END: &str = "<!-- end of figures -->";

/// What the figures were measured under.
pub struct Conditions {
    /// Of the repository.
    pub commit: String,
    /// Of each scenario.
    pub runs: usize,
    /// How the machine was divided.
    pub note: String,
}

/// What others need for the same, measured with one video of 2.5 Mbit/s in bursts of 4 packets each 5 ms.
const PEERS: &str = "\
Others under the same conditions: a machine with 2 cores, the server alone on one of them, the load on the other, loopback,
every viewer a real ICE, DTLS and SRTP peer that drains its socket without GRO. CPU µs a forwarded packet, user and kernel:

| server | one video of 2.5 Mbit/s, 150 / 300 viewers | ten of 150 kbit/s, 50 viewers | Opus alone, 300 viewers |
|---|---:|---:|---:|
| mediasoup 3.27 | 5.4 / 5.2 (1.9 user + 3.4 kernel) | 6.2 | 9.6 |
| a minimal SFU on str0m 0.25 | 5.7 / 5.3 | 6.4 | 7.0 |
| Pion | 8.1 / 7.1 | 10.6 | – |
| Janus, at its best setting | 10.3 / 8.1 | 8.3 | – |
| a minimal SFU on webrtc 0.21 | 10.1 / 8.9 | 11.0 | – |

mediasoup takes 120 kB a viewer and 0.7 to 0.9 ms of CPU a join; 500 viewers of the one video fill a core. Compare with
hd without GRO; stage25 and voices have other sizes and rates than the two columns on the right.
";

/// The part of the page that is written anew.
pub fn figures(measured: &[Measured], conditions: &Conditions) -> String {
    let first = measured.iter().find_map(|measured| measured.runs.first());
    let machine = first.map(|run| &run.result.machine);
    let (cpu, kernel) = machine.map_or(("?", "?"), |machine| (machine.cpu.as_str(), machine.kernel.as_str()));
    let day = first.map_or("?", |run| run.result.started.get(..10).unwrap_or(&run.result.started));
    let Conditions { commit, runs, note } = conditions;
    let times = match runs {
        1 => "One run of each scenario.".to_owned(),
        runs => format!("{runs} runs of each scenario: the median, and in brackets the range."),
    };
    let command =
        if *runs == 1 { "cargo xtask bench load".to_owned() } else { format!("cargo xtask bench load --runs {runs}") };
    format!(
        "Measured on {day} with commit {commit} on {cpu}, kernel {kernel}. {note} {times} To repeat:\n\n\
         ```\n{command}\n```\n\n{}\n{}\n{PEERS}",
        summary::overview(measured).to_markdown(),
        summary::targets(measured).to_markdown(),
    )
}

/// `page` with `figures` in place of what stands between the markers.
///
/// # Errors
/// When a marker is missing: nothing that people wrote is overwritten.
pub fn with_figures(page: &str, figures: &str) -> Result<String, String> {
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("the page needs the lines {BEGIN} and {END}"))?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", figures.trim()))
}

#[cfg(test)]
mod tests;
