//! This commit beside an earlier one. The speed of a machine that others share changes by the hour: only what is measured in
//! turn, on the same day, compares.

use super::figures::Run;
use super::lab::Lab;
use super::plan::Scenario;
use super::summary::{self, Measured};
use super::{build, commit};
use crate::run::{command, output, root, run};

/// Plays each of `scenarios` so many times with the server and the harness of `revision`, and with those of the files as they
/// are, always one after the other.
///
/// # Errors
/// When `revision` is none, or something cannot be built. What one of the two cannot play has no figures.
pub fn against(scenarios: &[&'static Scenario], runs: usize, revision: &str) -> Result<(), String> {
    let name =
        output(&mut command("", "git", &["rev-parse", "--short", "--verify", &format!("{revision}^{{commit}}")]))?;
    let name = name.trim();
    let folder = format!("target/against/{name}");
    if root().join(&folder).join(".git").exists() {
        run(&mut command(&folder, "git", &["checkout", "--quiet", "--force", "--detach", name]))?;
    } else {
        run(&mut command("", "git", &["worktree", "add", "--force", "--detach", &folder, name]))?;
    }
    build(&folder)?;
    build("")?;
    let labs = [Lab::new(&folder)?, Lab::new("")?];
    let [mut before, mut now] = [Vec::new(), Vec::new()];
    for scenario in scenarios {
        let mut done: [Vec<Run>; 2] = Default::default();
        for number in 1..=runs {
            for ((lab, which), done) in labs.iter().zip([name, "now"]).zip(&mut done) {
                println!("\n== {}, {which}, run {number} of {runs}", scenario.name);
                match lab.run(scenario, number) {
                    Ok(run) => done.push(run),
                    Err(error) => println!("not measured: {error}"),
                }
            }
        }
        let [done_before, done_now] = done;
        before.push(Measured { scenario, runs: done_before });
        now.push(Measured { scenario, runs: done_now });
    }
    println!("\n{} beside {name}, {runs} runs of each in turn:\n", commit()?);
    println!("{}", summary::beside(name, &before, &now).to_markdown());
    let is_measured = |measured: &Measured| !measured.runs.is_empty();
    if before.iter().any(is_measured) && now.iter().all(is_measured) { Ok(()) } else { Err("not measured".to_owned()) }
}
