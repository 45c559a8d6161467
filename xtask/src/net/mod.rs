//! `cargo xtask net`: what viewers behind bad lines get, and what publishers there send, with a real server and a line emulator in
//! network namespaces.

mod case;
mod cases;
mod page;
mod play;
mod seen;
mod tcp;
mod uploads;

use std::fs;
use std::path::{Path, PathBuf};

use case::{Behind, Case, Length};
use seen::Verdict;

use crate::parts;
use crate::run::{command, output, root, run};

/// Where the table and the plots are written.
const PAGE: &str = "docs/networks.md";
const PLOTS: &str = "docs/images/networks";

/// The programs that are played with.
struct Programs {
    server: PathBuf,
    load: PathBuf,
    line: PathBuf,
}

impl Programs {
    fn of(folder: &Path) -> Self {
        let program = |name| folder.join(name);
        Self { server: program("dais"), load: program("dais-load"), line: program("dais-line") }
    }
}

/// Plays every case, or those whose names begin with `only`, at full length; with all of them writes the page.
///
/// # Errors
/// When something could not be played. A case that does not hold is told in the table.
pub fn net(only: Option<&str>) -> Result<(), String> {
    let cargo = ["build", "--release", "--locked", "-p", "dais", "-p", "dais-load", "-p", "dais-line"];
    run(&mut command("", "cargo", &cargo))?;
    let verdicts = play_all(&Programs::of(&root().join("target/release")), Length::Full, only)?;
    print!("{}", page::table(&verdicts));
    if only.is_none() {
        let commit = output(&mut command("", "git", &["describe", "--always", "--dirty"]))?;
        fs::create_dir_all(root().join(PLOTS)).map_err(|error| error.to_string())?;
        for verdict in &verdicts {
            let file = root().join(PLOTS).join(format!("{}.svg", verdict.case));
            fs::write(&file, page::plot(verdict)).map_err(|error| error.to_string())?;
        }
        let path = root().join(PAGE);
        let before = fs::read_to_string(&path).map_err(|error| format!("{PAGE}: {error}"))?;
        fs::write(&path, page::with_results(&before, &verdicts, commit.trim())?).map_err(|error| error.to_string())?;
        println!("wrote {PAGE}");
    }
    Ok(())
}

/// Plays every case at a reduced length, with what the tests have built. Limits are wider than on the page by a half: the
/// page says how good it is, the tests whether it has broken.
///
/// # Errors
/// When a case does not hold.
pub fn test(only: Option<&str>) -> Result<(), String> {
    let verdicts = play_all(&Programs::of(&root().join("target/debug")), Length::Reduced, only)?;
    print!("{}", page::table(&verdicts));
    let failed: Vec<_> = verdicts.iter().filter(|verdict| !verdict.holds()).map(Verdict::broken).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("not as they must be: {}", failed.join(", "))) }
}

fn play_all(programs: &Programs, length: Length, only: Option<&str>) -> Result<Vec<Verdict>, String> {
    let cases = cases::all().into_iter().filter(|case| only.is_none_or(|only| case.name.starts_with(only)));
    let cases: Vec<_> = cases.collect();
    if cases.iter().any(|case| case.behind == Behind::Publisher) {
        parts::prepare_chromium()?;
    }
    cases.into_iter().map(|case| played(programs, &case, length)).collect()
}

fn played(programs: &Programs, case: &Case, length: Length) -> Result<Verdict, String> {
    let mut verdict = None;
    // On a shared machine a second may go missing now and then: what fails is played again, and that counts.
    for attempt in 1..=case::ATTEMPTS {
        println!("\n-- {} ({} s)", case.title, (case.seconds)(length));
        let seen = match play::play(programs, case, length) {
            Err(error) if attempt < case::ATTEMPTS => {
                println!("{}: {error}", case.name);
                continue;
            }
            played => played.map_err(|error| format!("{}: {error}", case.name))?,
        };
        let result = seen.judged(case, length);
        print!("{}", page::table(std::slice::from_ref(&result)));
        let holds = result.holds();
        verdict = Some(result);
        if holds || attempt == case::ATTEMPTS {
            break;
        }
    }
    verdict.ok_or_else(|| "no attempt".to_owned())
}
