//! `cargo xtask bench`: the parts, sessions, the page, and the data plane under load.

mod against;
mod figures;
mod lab;
mod page;
mod plan;
mod summary;

use std::fs;

use figures::Run;
use lab::Lab;
use page::Conditions;
use plan::{SCENARIOS, Scenario};
use summary::Measured;

use crate::parts;
use crate::run::{command, output, root, run};

/// Where the figures of the load scenarios are written, between its two markers.
const PAGE: &str = "docs/performance.md";

/// A benchmark that can be asked for by name, besides the scenarios.
struct Part {
    name: &'static str,
    run: fn() -> Result<(), String>,
}

const PARTS: [Part; 3] = [
    Part { name: "parts", run: crates },
    Part { name: "sessions", run: sessions },
    Part { name: "browser", run: browser },
];

/// All scenarios, one after the other.
const LOAD: &str = "load";

/// Runs the benchmarks, or the one named, and prints their figures. `--runs N` runs each load scenario N times. The
/// figures of all scenarios are also written into docs/performance.md. `--against REVISION` plays them in turn with that
/// revision instead.
///
/// # Errors
/// When the arguments make no sense, or something cannot be built or run.
pub fn bench(args: &[&str]) -> Result<(), String> {
    let (name, runs, revision) = parse(args)?;
    let everything = name.is_none_or(|name| name == LOAD);
    let chosen: Vec<_> = SCENARIOS.iter().filter(|scenario| everything || name == Some(scenario.name)).collect();
    if let Some(revision) = revision {
        return against::against(&chosen, runs, revision);
    }
    for part in PARTS.iter().filter(|part| name.is_none_or(|name| name == part.name)) {
        (part.run)()?;
    }
    if chosen.is_empty() { Ok(()) } else { load(&chosen, runs, everything) }
}

/// Name, runs, and revision to compare with.
type Wanted<'a> = (Option<&'a str>, usize, Option<&'a str>);

fn parse<'a>(args: &[&'a str]) -> Result<Wanted<'a>, String> {
    let (mut name, mut runs, mut revision) = (None, "1", None);
    let mut rest = args.iter().copied();
    while let Some(arg) = rest.next() {
        match (arg, name) {
            ("--runs", _) => runs = rest.next().unwrap_or_default(),
            ("--against", _) => revision = Some(rest.next().ok_or("--against: a revision of git")?),
            (_, None) if !arg.starts_with('-') => name = Some(arg),
            _ => return Err("usage: cargo xtask bench [NAME] [--runs N] [--against REVISION]".to_owned()),
        }
    }
    let runs = runs.parse().ok().filter(|runs| (1..=100).contains(runs)).ok_or("--runs: a number from 1 to 100")?;
    let names =
        || PARTS.iter().map(|part| part.name).chain([LOAD]).chain(SCENARIOS.iter().map(|scenario| scenario.name));
    match name {
        Some(name) if !names().any(|known| known == name) => {
            Err(format!("no such benchmark; there are: {}", names().collect::<Vec<_>>().join(", ")))
        }
        Some(part) if revision.is_some() && PARTS.iter().any(|known| known.name == part) => {
            Err("--against: only what is measured under load".to_owned())
        }
        _ => Ok((name, runs, revision)),
    }
}

/// Builds server and harness, as they are measured, in `folder` of the repository.
fn build(folder: &str) -> Result<(), String> {
    // The folder is named, as it is where the lab looks for them.
    let build = ["build", "--release", "--locked", "--target-dir", "target"];
    let server = ["--package", "dais", "--no-default-features", "--bin", "dais"];
    run(&mut command(folder, "cargo", &[&build[..], &server].concat()))?;
    run(&mut command(folder, "cargo", &[&build[..], &["--package", "dais-load"]].concat()))
}

fn crates() -> Result<(), String> {
    let packages = ["--package", "dais-media", "--package", "dais-stage", "--features", "dais-media/bench"];
    run(&mut command("", "cargo", &[&["bench", "--locked"][..], &packages].concat()))
}

fn sessions() -> Result<(), String> {
    run(&mut command("", "cargo", &["bench", "--locked", "--bench", "sessions"]))
}

fn browser() -> Result<(), String> {
    run(&mut command("", "cargo", &["build", "--release", "--locked", "--package", "dais", "--package", "dais-load"]))?;
    parts::prepare_browser()?;
    let mut measure = command("tests/browser", "npm", &["test"]);
    run(measure.env("DAIS_MEASURE", "1").env("DAIS_BIN", root().join("target/release/dais")))
}

fn load(scenarios: &[&'static Scenario], runs: usize, all: bool) -> Result<(), String> {
    build("")?;
    let lab = Lab::new("")?;
    let mut measured = Vec::new();
    let mut failures = Vec::new();
    for scenario in scenarios {
        let mut done: Vec<Run> = Vec::new();
        for number in 1..=runs {
            println!("\n== {}, run {number} of {runs}", scenario.name);
            match lab.run(scenario, number) {
                Ok(run) => done.push(run),
                Err(error) => failures.push(format!("{}, run {number}: {error}", scenario.name)),
            }
        }
        measured.push(Measured { scenario, runs: done });
    }
    println!("\n{}", summary::overview(&measured).to_text());
    println!("{}", summary::targets(&measured).to_text());
    if all && failures.is_empty() {
        let conditions = Conditions { commit: commit()?, runs, note: lab.note() };
        let path = root().join(PAGE);
        let page = fs::read_to_string(&path).map_err(|error| format!("{PAGE}: {error}"))?;
        let page = page::with_figures(&page, &page::figures(&measured, &conditions))?;
        fs::write(&path, page).map_err(|error| format!("{PAGE}: {error}"))?;
        println!("The figures stand in {PAGE}.");
    }
    if failures.is_empty() { Ok(()) } else { Err(format!("not measured:\n  {}", failures.join("\n  "))) }
}

/// The commit that was measured, and whether the files differ from it.
fn commit() -> Result<String, String> {
    let commit = output(&mut command("", "git", &["rev-parse", "--short", "HEAD"]))?;
    let changed = output(&mut command("", "git", &["status", "--porcelain", "--untracked-files=no"]))?;
    Ok(commit.trim().to_owned() + if changed.trim().is_empty() { "" } else { " with changes" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_chosen_by_name() {
        assert_eq!(parse(&[]), Ok((None, 1, None)));
        assert_eq!(parse(&["hd"]), Ok((Some("hd"), 1, None)));
        assert_eq!(parse(&["load", "--runs", "3"]), Ok((Some("load"), 3, None)));
        assert_eq!(parse(&["--runs", "3", "parts"]), Ok((Some("parts"), 3, None)));
        assert_eq!(parse(&["hd", "--against", "v1", "--runs", "4"]), Ok((Some("hd"), 4, Some("v1"))));
        assert!(parse(&["hp"]).unwrap_err().contains("hd-no-gro"));
        for wrong in [
            &["--runs", "0"][..],
            &["hd", "--runs", "x"],
            &["--runs"],
            &["hd", "voices"],
            &["--against"],
            &["parts", "--against", "v1"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
