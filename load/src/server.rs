//! What the server's process uses, from /proc.

use std::time::Duration;

use crate::error::LoadError;

/// The server's process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pid: u32,
}

/// Processor time of all its threads so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cpu {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Cpu {
    pub(crate) fn since(self, before: Self) -> Self {
        let (user, system) = (self.user.saturating_sub(before.user), self.system.saturating_sub(before.system));
        Self { user, system }
    }

    pub(crate) fn total(self) -> Duration {
        self.user + self.system
    }
}

/// What one tick of /proc is worth: USER_HZ is 100 on every architecture Linux runs servers on (proc_pid_stat(5)).
const TICK: Duration = Duration::from_millis(10);

impl Process {
    /// # Errors
    /// [`LoadError::PidUnknown`] when it cannot be looked at.
    pub(crate) fn new(pid: u32) -> Result<Self, LoadError> {
        let process = Self { pid };
        process.cpu().and(process.memory()).map(|_| process).ok_or(LoadError::PidUnknown(pid))
    }

    /// None when the process is gone.
    pub(crate) fn cpu(&self) -> Option<Cpu> {
        read_cpu(&std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?)
    }

    /// Resident memory, bytes.
    pub(crate) fn memory(&self) -> Option<u64> {
        read_memory(&std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?)
    }
}

fn read_cpu(stat: &str) -> Option<Cpu> {
    // The name, in parentheses, may have spaces and parentheses of its own; utime and stime are fields 14 and 15.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || Some(TICK * fields.next()?.parse().ok()?);
    Some(Cpu { user: ticks()?, system: ticks()? })
}

fn read_memory(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_proc_are_found_whatever_the_name() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 1 2 3 4 150 25 7 8 20 0 9 0 100 200 300";
        let cpu = Cpu { user: Duration::from_millis(1_500), system: Duration::from_millis(250) };
        assert_eq!(read_cpu(stat), Some(cpu));
        assert_eq!(read_cpu("nonsense"), None);
        assert_eq!(read_memory("VmPeak:\t 9 kB\nVmRSS:\t   12 kB\n"), Some(12 * 1_024));
    }

    #[test]
    fn this_process_can_be_looked_at_and_one_that_is_not_there_cannot() {
        let own = Process::new(std::process::id()).unwrap();
        assert!(own.memory().unwrap() > 100_000);
        assert_eq!(Process::new(u32::MAX).unwrap_err().code(), "pid_unknown");
    }
}
