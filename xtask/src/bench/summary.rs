//! The tables of the load benchmarks.

use super::figures::{Figure, Run};
use super::plan::{Limit, Measure, Scenario, Target};

/// A scenario and its runs.
pub struct Measured {
    /// Which.
    pub scenario: &'static Scenario,
    /// All of them; empty when none succeeded.
    pub runs: Vec<Run>,
}

impl Measured {
    /// A figure with its range, or that it was not measured.
    fn show(&self, measure: Measure) -> String {
        let figure = Figure::of(measure, &self.runs);
        figure.map_or_else(|| "–".to_owned(), |figure| figure.show(measure.decimals()))
    }

    /// What else the reader of the figures must know.
    fn remarks(&self) -> Option<String> {
        let lost: u64 = self.runs.iter().map(|run| run.result.traffic.lost_by_server).sum();
        let mut remarks = Vec::new();
        if lost > 0 {
            remarks.push(format!("the server lost {lost} packets"));
        }
        if !self.runs.iter().all(Run::is_trustworthy) {
            remarks.push("the harness did not keep up, so its figures are not to be trusted".to_owned());
        }
        (!remarks.is_empty()).then(|| remarks.join("; "))
    }
}

/// A table for a terminal or for a page.
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Sentences below it.
    notes: Vec<String>,
}

impl Table {
    /// Plain text with aligned columns, the first to the left.
    pub fn to_text(&self) -> String {
        let lines = || [&self.header].into_iter().chain(&self.rows);
        let width = |column: usize| lines().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..self.header.len()).map(width).collect();
        let mut text = String::new();
        for row in lines() {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            text += cells.collect::<Vec<_>>().join("  ").trim_end();
            text.push('\n');
        }
        self.notes.iter().for_each(|note| text += &format!("{note}\n"));
        text
    }

    /// Markdown, numbers to the right.
    pub fn to_markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = ["---"].into_iter().chain(self.header.iter().skip(1).map(|_| "---:")).collect::<Vec<_>>();
        let mut text = line(&self.header) + &format!("|{}|\n", rule.join("|"));
        self.rows.iter().for_each(|row| text += &line(row));
        self.notes.iter().for_each(|note| text += &format!("\n{note}\n"));
        text
    }
}

const OVERVIEW: [Measure; 11] = [
    Measure::Cpu,
    Measure::User,
    Measure::Kernel,
    Measure::SameFloor,
    Measure::OverSame,
    Measure::Segments,
    Measure::AddedP50,
    Measure::AddedP99,
    Measure::Memory,
    Measure::Joins,
    Measure::CpuPerJoin,
];

/// Every scenario's figures.
pub fn overview(measured: &[Measured]) -> Table {
    let header = ["scenario"].into_iter().chain(OVERVIEW.map(Measure::title)).map(str::to_owned).collect();
    let row = |measured: &Measured| {
        // Where nobody asks for speed, joins come as fast as the scenario lets them.
        let paced = |measure| {
            measure == Measure::Joins && !measured.scenario.targets.iter().any(|target| target.measure == measure)
        };
        let figures = OVERVIEW.map(|measure| if paced(measure) { "–".to_owned() } else { measured.show(measure) });
        [measured.scenario.title.to_owned()].into_iter().chain(figures).collect()
    };
    let remark = |measured: &Measured| Some(format!("{}: {}.", measured.scenario.title, measured.remarks()?));
    Table { header, rows: measured.iter().map(row).collect(), notes: measured.iter().filter_map(remark).collect() }
}

/// What is told of two revisions side by side.
const COMPARED: [Measure; 7] = [
    Measure::Cpu,
    Measure::User,
    Measure::OverSame,
    Measure::AddedP50,
    Measure::AddedP99,
    Measure::Memory,
    Measure::CpuPerJoin,
];

/// The figures of `before`, which is revision `name`, beside those of `now`, the same scenarios.
pub fn beside(name: &str, before: &[Measured], now: &[Measured]) -> Table {
    let header = ["scenario", "figure", name, "now", "now of before"].map(str::to_owned).to_vec();
    let row = |before: &Measured, now: &Measured, measure: Measure| {
        let figures = [before, now].map(|measured| Figure::of(measure, &measured.runs).map(|figure| figure.median));
        let share = match figures {
            [Some(before), Some(now)] if before > 0.0 => format!("{:.0} %", now / before * 100.0),
            _ => "–".to_owned(),
        };
        let title = now.scenario.title.to_owned();
        vec![title, measure.title().to_owned(), before.show(measure), now.show(measure), share]
    };
    let rows = before.iter().zip(now).flat_map(|(before, now)| COMPARED.map(|measure| row(before, now, measure)));
    let remark = |(name, measured): (&str, &Measured)| {
        Some(format!("{}, {name}: {}.", measured.scenario.title, measured.remarks()?))
    };
    let sides = before.iter().map(|one| (name, one)).chain(now.iter().map(|one| ("now", one)));
    Table { header, rows: rows.collect(), notes: sides.filter_map(remark).collect() }
}

/// Every target, and whether it was reached in each run.
pub fn targets(measured: &[Measured]) -> Table {
    let header = ["scenario", "figure", "target", "measured", "reached"].map(str::to_owned).to_vec();
    let row = |measured: &Measured, target: &Target| {
        let decimals = target.measure.decimals();
        let limit = match target.limit {
            Limit::AtMost(limit) => format!("≤ {limit:.decimals$}"),
            Limit::AtLeast(limit) => format!("≥ {limit:.decimals$}"),
        };
        let title = target.measure.title().to_owned();
        let reached = reached(measured, target).to_owned();
        vec![measured.scenario.title.to_owned(), title, limit, measured.show(target.measure), reached]
    };
    let rows = measured.iter().flat_map(|one| one.scenario.targets.iter().map(move |target| row(one, target)));
    Table { header, rows: rows.collect(), notes: Vec::new() }
}

/// Not on average: a target that is reached in two of three runs is not reached.
fn reached(measured: &Measured, target: &Target) -> &'static str {
    let Some(figure) = Figure::of(target.measure, &measured.runs) else { return "not measured" };
    let holds = target.limit.holds(figure.low) && target.limit.holds(figure.high);
    match (holds, measured.runs.iter().all(Run::is_trustworthy)) {
        (false, _) => "no",
        (true, true) => "yes",
        (true, false) => "not to be trusted",
    }
}
