//! Server and harness, each on a core of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::figures::{self, Run};
use super::plan::{Floor, Scenario};
use crate::run::{command, exists, root, run_status};

/// Signs the tokens of a server on loopback that lives as long as a run.
const SECRET: &str = "signs the tokens of a benchmark's server";

/// `dais-load` leaves a result and this status: all is well, a threshold of the scenario is not met, or the harness did
/// not keep up. The figures say which.
const MEASURED: [i32; 3] = [0, 1, 3];

/// The machine, divided.
pub struct Lab {
    /// Core of the server, and of the bare loop's sender.
    server: usize,
    /// Core of the harness, and of the bare loop's receivers.
    harness: usize,
    /// Where server and harness are.
    programs: PathBuf,
    /// Where results go.
    results: PathBuf,
}

impl Lab {
    /// A lab for the programs that were built in `folder` of the repository.
    ///
    /// # Errors
    /// When the machine cannot be divided, or nothing can be written.
    pub fn new(folder: &str) -> Result<Self, String> {
        if !exists("taskset", &["--version"]) {
            return Err("taskset is needed to give server and harness a core each: install util-linux".to_owned());
        }
        let status = fs::read_to_string("/proc/self/status").map_err(|error| format!("/proc/self/status: {error}"))?;
        let cores = allowed_cores(&status);
        let server = *cores.first().ok_or("/proc/self/status does not say which cores may be used")?;
        let target = root().join(folder).join("target");
        let (programs, results) = (target.join("release"), target.join("bench"));
        fs::create_dir_all(&results).map_err(|error| format!("{}: {error}", results.display()))?;
        let lab = Self { server, harness: cores.get(1).copied().unwrap_or(server), programs, results };
        println!("{}", lab.note());
        Ok(lab)
    }

    /// How the machine is divided, in a sentence.
    pub fn note(&self) -> String {
        let Self { server, harness, .. } = self;
        if server == harness {
            return format!(
                "Server and harness share core {server}, the only one there is: latency and joins are worse than they would \
                 be on two, and figures do not compare."
            );
        }
        format!("The server, with one worker, has core {server} to itself, the harness core {harness}.")
    }

    /// Runs `scenario` against a fresh server, and then the bare loops.
    ///
    /// # Errors
    /// When a program fails or leaves no figures.
    pub fn run(&self, scenario: &Scenario, number: usize) -> Result<Run, String> {
        let file = |what: &str| self.results.join(format!("{}-{number}{what}.json", scenario.name));
        let path = file("");
        // What another run has left would be taken for this one's.
        let _ = fs::remove_file(&path);
        let json = path.to_str().ok_or("the path of the repository is not UTF-8")?;
        let gro: &[&str] = if scenario.gro { &[] } else { &["--no-gro"] };
        let server = Server::start(&self.programs.join("dais"), self.server)?;
        let pid = server.process.id().to_string();
        let to = ["--url", &server.url, "--token-secret", SECRET, "--pid", &pid, "--metrics", &server.metrics];
        self.dais_load(&[&["run"], scenario.args, &to, &["--json", json], gro].concat(), Some(self.harness))?;
        let result = figures::read(&path)?;
        drop(server);
        let mut floors = Vec::new();
        for floor in scenario.floors {
            let (what, segments): (_, &[&str]) = match floor {
                Floor::Same => ("-floor", &[]),
                Floor::Single => ("-single", &["--segments", "1"]),
            };
            let path = file(what);
            let _ = fs::remove_file(&path);
            let floor_json = path.to_str().ok_or("the path of the repository is not UTF-8")?;
            let (sender, receiver) = (self.server.to_string(), self.harness.to_string());
            let cores = ["--sender-cpu", &sender, "--receiver-cpu", &receiver, "--json", floor_json];
            self.dais_load(&[&["floor", "--from", json], segments, gro, &cores].concat(), None)?;
            floors.push((*floor, figures::read(&path)?));
        }
        Ok(Run { result, floors })
    }

    /// Runs the harness; with `core`, all its threads have that core alone.
    fn dais_load(&self, args: &[&str], core: Option<usize>) -> Result<(), String> {
        let program = self.programs.join("dais-load");
        let program = program.to_str().ok_or("the path of the repository is not UTF-8")?;
        let core = core.map(|core| core.to_string());
        let mut command = match &core {
            Some(core) => command("", "taskset", &[&["-c", core, program], args].concat()),
            None => command("", program, args),
        };
        match run_status(&mut command)? {
            Some(code) if MEASURED.contains(&code) => Ok(()),
            Some(code) => Err(format!("dais-load ended with {code}")),
            None => Err("dais-load was ended by a signal".to_owned()),
        }
    }
}

/// A server pinned to a core, ended with the value.
struct Server {
    process: Child,
    url: String,
    metrics: String,
}

impl Server {
    fn start(program: &Path, core: usize) -> Result<Self, String> {
        let program = program.to_str().ok_or("the path of the repository is not UTF-8")?;
        let core = core.to_string();
        // taskset becomes the server: the process id is the server's.
        let mut server = command("", "taskset", &["-c", &core, program, "--listen", "127.0.0.1:0", "--workers", "1"]);
        server.args(["--in-memory", "--demo", "--token-secret", SECRET]).env("DAIS_LOG", "warn").stdout(Stdio::piped());
        let mut process = server.spawn().map_err(|error| format!("the server cannot be started: {error}"))?;
        let output = process.stdout.take().map(BufReader::new);
        let mut server = Self { process, url: String::new(), metrics: String::new() };
        for line in output.into_iter().flat_map(|output| output.lines()).map_while(Result::ok) {
            server.read(&line);
            if line.contains("Ctrl-C") && !server.url.is_empty() {
                return Ok(server);
            }
        }
        Err("the server did not start".to_owned())
    }

    /// Takes the addresses from a line of what the server prints for people.
    fn read(&mut self, line: &str) {
        if let Some((_, metrics)) = line.split_once("Metrics: ") {
            self.metrics = metrics.trim().to_owned();
        } else if let Some((before, _)) = line.split_once("/r/demo#") {
            self.url = before.split_whitespace().last().unwrap_or_default().to_owned();
            if self.metrics.is_empty() {
                self.metrics = format!("{}/metrics", self.url);
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The cores in `Cpus_allowed_list`, such as `0-1,4`, of a `/proc/PID/status`.
fn allowed_cores(status: &str) -> Vec<usize> {
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse::<usize>().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cores_that_may_be_used_are_read() {
        let cores = |list: &str| allowed_cores(&format!("Name:\tx\nCpus_allowed_list:\t{list}\nMems:\t0\n"));
        assert_eq!(cores("0-1"), [0, 1]);
        assert_eq!(cores("3"), [3]);
        assert_eq!(cores("1,4-6"), [1, 4, 5, 6]);
        assert!(allowed_cores("").is_empty());
    }

    #[test]
    fn one_core_is_told() {
        let lab = |harness| Lab { server: 0, harness, programs: PathBuf::new(), results: PathBuf::new() };
        assert!(lab(0).note().contains("share core 0"));
        assert!(lab(1).note().contains("the harness core 1"));
    }
}
