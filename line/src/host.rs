//! A host of a test: a network namespace of its own.

use std::io;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A network namespace that is there as long as this is. Needs root and iproute2.
#[derive(Debug)]
pub struct Host {
    name: String,
}

impl Host {
    /// Makes a host; `what` is part of its name, which nobody else on the machine has.
    ///
    /// # Errors
    /// When `ip` is missing or refuses.
    pub fn new(what: &str) -> io::Result<Self> {
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let host = Self { name: format!("dais-{what}-{}-{n}", std::process::id()) };
        ip(&["netns", "add", &host.name])?;
        host.ip(&["link", "set", "lo", "up"])?;
        Ok(host)
    }

    /// Name of the namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `ip` in here.
    ///
    /// # Errors
    /// When it fails.
    pub fn ip(&self, args: &[&str]) -> io::Result<()> {
        ip(&[&["-n", &self.name], args].concat())
    }

    /// A command that will run in here.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.name]);
    }
}

fn ip(args: &[&str]) -> io::Result<()> {
    let output = Command::new("ip").args(args).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("ip {}: {}", args.join(" "), said.trim())))
}
