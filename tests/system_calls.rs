//! A worker makes no system call per packet and viewer: the system counts them (`strace -c`) while a camera is shown.

mod support;

use std::process::Command;
use std::thread;
use std::time::Duration;

use dais_load::run::{Options, run};
use dais_load::scenario::Scenario;
use support::http;
use support::process::{Folder, Process, SECRET};

const VIEWERS: usize = 100;
/// Seconds the system calls are counted.
const COUNTED_S: u32 = 10;

fn forwarded(server: &Process) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (status, text) = runtime.block_on(http::get(&server.metrics, "/metrics"));
    assert_eq!(status, 200);
    let value = text.lines().find_map(|line| line.strip_prefix("dais_media_forwarded_packets_total "));
    value.and_then(|value| value.parse().ok()).expect("the server counts what it forwards")
}

/// The thread `name` of a process.
fn thread_of(process: u32, name: &str) -> String {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("the process runs");
    let mut tasks = tasks.map(|task| task.expect("a task").path());
    let named =
        |task: &std::path::PathBuf| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name);
    let task = tasks.find(named).expect("there is this thread");
    task.file_name().expect("it has a number").to_string_lossy().into_owned()
}

/// System calls of a thread within [`COUNTED_S`].
fn system_calls(thread: &str) -> u64 {
    let args = ["-s", "INT", &COUNTED_S.to_string(), "strace", "-c", "-p", thread].map(str::to_owned);
    let traced = Command::new("timeout").args(args).output().expect("timeout (coreutils) is needed");
    let summary = String::from_utf8_lossy(&traced.stderr);
    // "100.00    0.071830          13      5321       102 total"; the errors may be missing.
    let total = summary.lines().find(|line| line.trim_end().ends_with("total"));
    let total = total.unwrap_or_else(|| panic!("strace is needed: {summary}"));
    total.split_whitespace().nth(3).and_then(|calls| calls.parse().ok()).expect("a number of calls")
}

#[test]
fn a_worker_makes_far_fewer_system_calls_than_it_forwards_packets() {
    let data = Folder::new("system-calls");
    let server = Process::start(&data.0, &[]);
    let mut scenario = Scenario::load("hd").expect("the scenario is there");
    scenario.viewers.count = VIEWERS;
    (scenario.timing.warm_up_s, scenario.timing.measured_s) = (0, COUNTED_S + 12);
    let options = Options {
        url: format!("http://{}", server.address),
        token_secret: Some(SECRET.to_owned()),
        ..Options::default()
    };
    let load = thread::spawn(move || run(&scenario, &options));
    // Everybody has come when 20,000 packets a second are forwarded: 100 viewers get 270 each.
    let rate = || {
        let before = forwarded(&server);
        thread::sleep(Duration::from_millis(500));
        (forwarded(&server) - before) * 2
    };
    let mut waited = 0;
    while rate() < 20_000 {
        waited += 1;
        assert!(waited < 40, "the viewers never came");
    }
    let before = forwarded(&server);
    let calls = system_calls(&thread_of(server.id(), "dais-media-0"));
    let packets = forwarded(&server) - before;
    println!("{calls} system calls while {packets} packets were forwarded");
    assert!(packets > 50_000 && calls > 100, "{calls} calls, {packets} packets");
    assert!(calls * 10 < packets, "{calls} system calls for {packets} packets");
    load.join().expect("no panic").expect("the harness plays the scenario");
}
