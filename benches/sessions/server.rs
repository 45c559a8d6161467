//! The server as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Result;

/// The server, ended with the value.
pub struct Server {
    process: Child,
    pub address: String,
    /// Of a participant.
    pub token: String,
    /// Of a host.
    pub host: String,
    /// From its start to the line that says that it runs.
    pub started_in: Duration,
}

impl Server {
    /// Starts it on the journal in `data`.
    pub fn start(data: &Path) -> Result<Self> {
        let start = Instant::now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_dais"))
            .args(["--listen", "127.0.0.1:0", "--capacity", "100", "--data"])
            .arg(data)
            .env("DAIS_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()?;
        let printed = process.stdout.take().ok_or("no output")?;
        let mut host = None;
        for line in BufReader::new(printed).lines() {
            let line = line?;
            let Some((before, link)) = line.split_once("http://") else { continue };
            let Some((address, token)) = link.trim().split_once("/r/demo#token=") else { continue };
            let (address, token) = (address.to_owned(), token.to_owned());
            match before.trim() {
                "Host" => host = Some(token),
                "Participant" => {
                    let (host, started_in) = (host.ok_or("no host's link")?, start.elapsed());
                    return Ok(Self { process, address, token, host, started_in });
                }
                _ => {}
            }
        }
        Err("the server did not start".into())
    }

    /// Resident memory, bytes.
    pub fn memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse::<u64>()? * 1024)
    }

    /// Processor time it has taken, in user space and in the kernel.
    pub fn processor_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // After the name, which may have spaces in it: utime and stime are fields 14 and 15 (proc_pid_stat(5)).
        let fields: Vec<_> = stat.rsplit_once(')').ok_or("no name")?.1.split_whitespace().collect();
        let ticks: u64 =
            fields.get(11..13).ok_or("too few fields")?.iter().map(|n| n.parse::<u64>().unwrap_or(0)).sum();
        Ok(Duration::from_millis(ticks * 10))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
