//! The program between two hosts.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::conditions::Script;
use crate::host::Host;
use crate::log::Entry;

/// Where a line begins and ends.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'a> {
    /// The near end's host and its address there, with the prefix length.
    pub near: (&'a Host, &'a str),
    /// The far end's.
    pub far: (&'a Host, &'a str),
}

/// A line that is up. It ends with this.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: std::path::PathBuf,
}

impl Running {
    /// Starts `program`, which is `dais-line`, in `folder`, and waits until the line is up.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn new(program: &Path, folder: &Path, ends: Ends<'_>, script: &Script) -> io::Result<Self> {
        let (script_file, log) = (folder.join("line.json"), folder.join("line.log"));
        fs::write(&script_file, serde_json::to_vec(script)?)?;
        let mut child = Command::new(program)
            .args(["--near", ends.near.0.name(), "--near-address", ends.near.1])
            .args(["--far", ends.far.0.name(), "--far-address", ends.far.1])
            .arg("--script")
            .arg(&script_file)
            .arg("--log")
            .arg(&log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        BufReader::new(stdout).read_line(&mut said)?;
        let running = Self { child, log };
        if said.trim() != "ready" {
            return Err(io::Error::other("the line does not come up"));
        }
        Ok(running)
    }

    /// Starts the script.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn start(&mut self) -> io::Result<()> {
        let stdin = self.child.stdin.as_mut().ok_or_else(|| io::Error::other("no standard input"))?;
        stdin.write_all(b"start\n")
    }

    /// What has been written down since the start of the script.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        let text = fs::read_to_string(&self.log)?;
        let entries = text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
        Ok(entries.filter(|entry| entry.at_ms >= 0).collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The end of its standard input ends it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
