//! The machine the harness runs on.

use crate::result::Machine;

/// What /proc tells of it; empty where it tells nothing.
pub(crate) fn machine() -> Machine {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    Machine {
        cpu: model.map(|(_, model)| model.trim().to_owned()).unwrap_or_default(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
    }
}

/// Now, RFC 3339 in UTC.
pub(crate) fn now() -> String {
    let now = time::OffsetDateTime::now_utc();
    let now = now.replace_nanosecond(0).unwrap_or(now);
    now.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_machine_has_a_core_and_a_kernel_and_a_time() {
        let machine = super::machine();
        assert!(machine.cores > 0 && machine.kernel.contains('.'), "{machine:?}");
        assert!(super::now().ends_with('Z') && super::now().len() == 20, "{}", super::now());
    }
}
