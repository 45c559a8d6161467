//! What a watcher found, as a table for the terminal.

use std::fmt::Write as _;

use crate::watch::Summary;

/// The table of one watcher.
#[must_use]
pub fn watch_table(summary: &Summary) -> String {
    let mut out = String::new();
    write(&mut out, summary).expect("writing to a string does not fail");
    out
}

fn write(out: &mut String, summary: &Summary) -> std::fmt::Result {
    let kbit = |rate: f64| rate / 1e3;
    let rates = summary.bits_per_second;
    writeln!(out, "watcher {}, {:.1} s", summary.watcher, summary.seconds)?;
    writeln!(
        out,
        "  kbit/s   {:.0} (video {:.0}, audio {:.0}, rtx {:.0}, padding {:.0})",
        kbit(rates.total),
        kbit(rates.video),
        kbit(rates.audio),
        kbit(rates.rtx),
        kbit(rates.padding)
    )?;
    if let Some(delay) = summary.delay_ms {
        writeln!(
            out,
            "  delay ms p50 {:.1}, p95 {:.1}, p99 {:.1}, max {:.1}",
            delay.p50, delay.p95, delay.p99, delay.max
        )?;
    }
    let (nacked, recovered) = (summary.nacked, summary.recovered);
    writeln!(out, "  asked    {nacked} packets ({recovered} came), {} key frames", summary.key_frames_asked)?;
    if !summary.cameras.is_empty() {
        writeln!(out, "  camera  shown freezes >300 >500 >1000 ms frozen ms longest ms pauses paused ms layers")?;
    }
    for camera in &summary.cameras {
        let freezes = camera.freezes;
        let layers = camera.layers.iter().map(|shown| format!("{}p:{}", shown.height, shown.shown));
        writeln!(
            out,
            "  {:>6} {:>6} {:>7} {:>4} {:>4} {:>8} {:>9} {:>10} {:>6} {:>9} {}",
            camera.slot,
            camera.shown,
            freezes.count,
            freezes.over_300_ms,
            freezes.over_500_ms,
            freezes.over_1000_ms,
            freezes.total_ms,
            camera.longest_gap_ms,
            camera.pauses,
            camera.paused_ms,
            layers.collect::<Vec<_>>().join(" ")
        )?;
    }
    if !summary.voices.is_empty() {
        writeln!(out, "  voice  packets  lost lost % gaps gap ms longest ms")?;
    }
    for voice in &summary.voices {
        writeln!(
            out,
            "  {:>5} {:>8} {:>5} {:>6.2} {:>4} {:>6} {:>10}",
            voice.slot,
            voice.packets,
            voice.lost,
            100.0 * voice.lost_share,
            voice.gaps,
            voice.gap_ms,
            voice.longest_gap_ms
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watcher::{CameraSummary, Freezes, LayerShown, State, Watcher};

    #[test]
    fn a_table_says_what_was_seen() {
        let mut summary = Watcher::new(3, 0).summary();
        assert_eq!(watch_table(&summary).lines().next(), Some("watcher 3, 0.0 s"));
        summary.cameras.push(CameraSummary {
            slot: 7,
            shown: 900,
            first_shown_ms: Some(50),
            state: State::Playing,
            freezes: Freezes { count: 2, over_300_ms: 1, over_500_ms: 0, over_1000_ms: 0, total_ms: 612 },
            longest_gap_ms: 400,
            pauses: 0,
            paused_ms: 0,
            out_of_order: 0,
            layers: vec![LayerShown { layer: 1, height: 360, shown: 900 }],
            layer_changes: 0,
        });
        let table = watch_table(&summary);
        let words: Vec<_> = table.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(words, ["7", "900", "2", "1", "0", "0", "612", "400", "0", "0", "360p:900"]);
    }
}
