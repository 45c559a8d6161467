//! The load harness against a server in another process: every scenario in a small size, with its thresholds on.

mod support;

use dais_load::LoadError;
use dais_load::report::Verdict;
use dais_load::result::{Check, RunResult};
use dais_load::run::{Options, run};
use dais_load::scenario::{Publishers, Scenario, Threshold};
use dais_load::{publishing, watch};
use dais_stage::Role;
use support::process::{Folder, Process, SECRET, demo_token, shared_token};

/// Plays a scenario on a server of its own; `change` makes it small, or wrong.
fn play(name: &str, change: impl FnOnce(&mut Scenario, &mut Options)) -> Result<RunResult, LoadError> {
    play_on(&[], name, change)
}

fn play_on(
    args: &[&str],
    name: &str,
    change: impl FnOnce(&mut Scenario, &mut Options),
) -> Result<RunResult, LoadError> {
    let data = Folder::new(&format!("load-{name}-{:?}", std::thread::current().id()));
    let server = Process::start(&data.0, args);
    let mut scenario = Scenario::load(name)?;
    (scenario.timing.warm_up_s, scenario.timing.measured_s) = (0, 2);
    // A machine that builds something else at the same time says nothing about latency.
    scenario.thresholds.remove("latency_p99_ms");
    let mut options = Options {
        url: format!("http://{}", server.address),
        token_secret: Some(SECRET.to_owned()),
        pid: Some(server.id()),
        metrics: Some(format!("http://{}/metrics", server.metrics)),
        ..Options::default()
    };
    change(&mut scenario, &mut options);
    run(&scenario, &options)
}

/// Plays a scenario in which everything must be as it should.
fn passes(name: &str, change: impl FnOnce(&mut Scenario)) -> RunResult {
    let result = play(name, |scenario, _| change(scenario)).unwrap_or_else(|error| panic!("{error}"));
    let failed: Vec<&Check> = result.checks.iter().filter(|check| !check.passed).collect();
    assert!(failed.is_empty() && !result.checks.is_empty(), "{failed:?} {:?}", result.joins.failed);
    assert_eq!(Verdict::of(&result), Verdict::Passed, "{:?}", result.traffic);
    let Some(server) = result.server else { panic!("the server's process was given") };
    assert!(server.packets_per_s > 0.0 && server.memory_per_participant.is_some(), "{server:?}");
    assert!(result.samples.iter().any(|sample| sample.measured && sample.packets > 0));
    result
}

/// Packets that each viewer received per second.
fn rate(result: &RunResult) -> f64 {
    result.traffic.received as f64 / result.conditions.measured_s / result.conditions.viewers as f64
}

#[test]
fn hd() {
    let result = passes("hd", |scenario| scenario.viewers.count = 10);
    // 2.5 Mbit/s in packets of up to 1,200 bytes are 260 to 290 a second.
    assert!((240.0..310.0).contains(&rate(&result)), "{}", rate(&result));
    assert!(result.latency.count > 0 && result.traffic.decrypted > 0);
    assert_eq!(result.joins.parts.len(), 6);
}

/// An answer is several frames: Nagle's algorithm would keep the last of them until the first is acknowledged, 40 ms later.
#[test]
fn answers_come_at_once() {
    let half_come_within_ms = || {
        let result = passes("hd", |scenario| scenario.viewers.count = 10);
        let answer = result.joins.parts.iter().find(|(name, _)| name == "answer").map(|(_, times)| times.p50_ms);
        answer.expect("answers are timed")
    };
    // A busy machine can be as slow, but not each time.
    let times: Vec<_> = (0..3).map(|_| half_come_within_ms()).take_while(|ms| *ms >= 30.0).collect();
    assert!(times.len() < 3, "{times:?}");
}

#[test]
fn stage25() {
    let result = passes("stage25", |scenario| scenario.viewers.count = 5);
    // 25 cameras of 30 packets and 3 voices of 50.
    assert!((800.0..950.0).contains(&rate(&result)), "{}", rate(&result));
}

#[test]
fn webinar() {
    let result = passes("webinar", |scenario| scenario.viewers.count = 10);
    // One layer of each camera is forwarded: 450 kbit/s are 60 packets a second; and 3 voices.
    assert!((260.0..420.0).contains(&rate(&result)), "{}", rate(&result));
}

#[test]
fn voices() {
    let result = passes("voices", |scenario| scenario.viewers.count = 20);
    assert!(rate(&result) > 5.0, "{}", rate(&result));
}

#[test]
fn join_storm() {
    let result = passes("join-storm", |scenario| {
        scenario.viewers.count = 60;
        // What a machine that builds something else at the same time can do.
        scenario.thresholds.insert("joins_per_second".to_owned(), Threshold { min: Some(5.0), max: None });
        scenario.thresholds.insert("join_p99_ms".to_owned(), Threshold { min: None, max: Some(15_000.0) });
    });
    assert_eq!(result.joins.joined, 60);
}

#[test]
fn churn() {
    let result = passes("churn", |scenario| {
        scenario.viewers.count = 4;
        scenario.timing.measured_s = 6;
        scenario.churn.as_mut().unwrap().joins_per_second = 2.0;
        scenario.thresholds.insert("slot_switches".to_owned(), Threshold { min: Some(5.0), max: None });
    });
    assert!(result.slot_switches >= 5);
}

#[test]
fn talk() {
    passes("talk", |scenario| scenario.timing.measured_s = 10);
}

/// A server that hears nobody removes whoever came first, which is not what the script says.
#[test]
fn a_removal_of_somebody_else_than_the_script_says_is_wrong() {
    let deaf = ["--speech-threshold", "1"];
    let result = play_on(&deaf, "talk", |scenario, _| scenario.timing.measured_s = 10).unwrap();
    let failed: Vec<_> = result.checks.iter().filter(|check| !check.passed).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!((failed[0].name.as_str(), failed[0].value), ("wrong_removals", Some(1.0)));
}

#[test]
fn a_threshold_that_cannot_be_met_fails() {
    let result = play("hd", |scenario, _| {
        scenario.viewers.count = 2;
        scenario.thresholds.insert("latency_p50_ms".to_owned(), Threshold { min: None, max: Some(0.000_1) });
    });
    let failed = |check: &&Check| !check.passed;
    let result = result.unwrap();
    let failed: Vec<_> = result.checks.iter().filter(failed).map(|check| check.name.as_str()).collect();
    assert_eq!(failed, ["latency_p50_ms"]);
}

/// Receivers that sleep on tiny buffers lose packets themselves; none of that is said of the server.
#[test]
fn own_loss_is_told_apart_from_the_servers() {
    for gro in [true, false] {
        let result = play("hd", |scenario, options| {
            scenario.viewers.count = 5;
            (scenario.viewers.receive_buffer, scenario.viewers.read_pause_ms) = (8_192, 300);
            options.gro = gro;
        });
        let result = result.unwrap();
        assert!(result.traffic.lost_by_harness > 100, "{:?}", result.traffic);
        assert_eq!(result.traffic.lost_by_server, 0, "{:?}", result.traffic);
        assert_eq!(Verdict::of(&result), Verdict::NotTrustworthy);
    }
}

#[test]
fn one_shared_token_is_enough_for_everybody() {
    let result = play("hd", |scenario, options| {
        scenario.viewers.count = 3;
        (options.token_secret, options.token) = (None, Some(shared_token(Role::Participant)));
    });
    assert_eq!(result.unwrap().joins.joined, 3);
}

/// Everything a user can do wrong, with the code it has.
#[test]
fn what_is_wrong_is_said_with_a_code() {
    let data = Folder::new("load-wrong");
    let server = Process::start(&data.0, &[]);
    let right = Options {
        url: format!("http://{}", server.address),
        token_secret: Some(SECRET.to_owned()),
        ..Options::default()
    };
    let code = |name: &str, options: Options| run(&Scenario::load(name).unwrap(), &options).unwrap_err().code();
    let url = |url: &str| Options { url: url.to_owned(), ..right.clone() };
    assert_eq!(code("hd", url("http://127.0.0.1:9")), "unreachable");
    assert_eq!(code("hd", url("https://127.0.0.1")), "url_invalid");
    let secret = |secret: Option<&str>| Options { token_secret: secret.map(str::to_owned), ..right.clone() };
    assert_eq!(code("hd", secret(None)), "token_needed");
    assert_eq!(code("hd", secret(Some("short"))), "secret_too_short");
    assert_eq!(code("hd", secret(Some("another secret of at least 32 bytes"))), "publisher_failed");
    assert_eq!(code("hd", Options { room: "nowhere".to_owned(), ..right.clone() }), "publisher_failed");
    assert_eq!(code("hd", Options { pid: Some(u32::MAX), ..right.clone() }), "pid_unknown");
    assert_eq!(code("hd", Options { metrics: Some("nonsense".to_owned()), ..right.clone() }), "metrics_invalid");
    let elsewhere = Some(format!("http://{}/nowhere", server.address));
    assert_eq!(code("hd", Options { metrics: elsewhere, ..right.clone() }), "metrics_unreadable");
    assert_eq!(code("hd", Options { cpu: Some(9_999), ..right.clone() }), "cpu_unknown");
    let foreign = vec!["192.0.2.1".parse().unwrap()];
    assert_eq!(code("hd", Options { local_ips: foreign, ..right.clone() }), "local_ip");
    let shared = Some(shared_token(Role::Participant));
    assert_eq!(code("churn", Options { token: shared, ..secret(None) }), "host_needed");
}

/// The token of one person lets one person in: the others are told why not.
#[test]
fn a_token_that_names_a_person_is_no_shared_token() {
    let result = play("hd", |scenario, options| {
        (scenario.publishers.cameras, scenario.viewers.count) = (0, 2);
        (options.token_secret, options.token) = (None, Some(demo_token(Role::Participant, "ann")));
    });
    assert_eq!(result.unwrap().joins.failed, [("token_of_one_person".to_owned(), 1)]);
}

/// Publishers of one process, and watchers of another.
#[test]
fn who_watches_over_a_good_line_sees_every_camera_without_a_freeze_and_hears_every_word() {
    let data = Folder::new("load-watch");
    let server = Process::start(&data.0, &[]);
    let (url, token_secret) = (format!("http://{}", server.address), Some(SECRET.to_owned()));
    let publishers = Publishers { cameras: 3, microphones: 2, layers: vec![150_000, 450_000], ..Publishers::default() };
    let publishing = publishing::Options {
        url: url.clone(),
        room: "demo".to_owned(),
        token: None,
        token_secret: token_secret.clone(),
        local_ips: Vec::new(),
        seconds: 8,
    };
    let (ready, on_stage) = std::sync::mpsc::channel();
    let publishers = std::thread::spawn(move || {
        publishing::publish(&Scenario::of_publishers(publishers, 1), &publishing, || ready.send(()).unwrap())
    });
    on_stage.recv().expect("they come on stage");
    let log = data.0.join("watch.jsonl");
    let watching = watch::Options {
        url,
        room: "demo".to_owned(),
        token: None,
        token_secret,
        local_ips: Vec::new(),
        watchers: 2,
        height: None,
        seconds: 4,
        log: Some(log.clone()),
    };
    let summaries = watch::watch(&watching).unwrap();
    publishers.join().unwrap().unwrap();

    assert_eq!(summaries.iter().map(|summary| summary.watcher).collect::<Vec<_>>(), [0, 1]);
    for summary in &summaries {
        assert_eq!((summary.cameras.len(), summary.voices.len(), summary.damaged), (3, 2, 0), "{summary:?}");
        for camera in &summary.cameras {
            assert!(camera.shown > 80 && camera.state == watch::State::Playing, "{camera:?}");
            assert_eq!((camera.freezes.count, camera.pauses, camera.out_of_order), (0, 0, 0), "{camera:?}");
            assert!(camera.layers.iter().all(|shown| [360, 720].contains(&shown.height)), "{camera:?}");
        }
        for voice in &summary.voices {
            assert!(voice.packets > 150 && voice.gap_ms == 0 && voice.lost == 0, "{voice:?}");
        }
        assert!(summary.delay_ms.is_some_and(|delay| delay.p50 < 100.0), "{summary:?}");
    }
    let lines = std::fs::read_to_string(log).unwrap();
    let bytes = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["bytes"]["video"].as_u64();
    let video: u64 = lines.lines().map(|line| bytes(line).unwrap()).sum();
    let all: u64 = summaries.iter().map(|summary| summary.bytes.video).sum();
    assert!(lines.lines().count() >= 70 && video <= all && video > all * 9 / 10, "{video} of {all}");
}

/// What a user can do wrong who watches or publishes, with the code it has.
#[test]
fn what_is_wrong_with_watching_is_said_with_a_code() {
    let data = Folder::new("load-watch-wrong");
    let server = Process::start(&data.0, &[]);
    let right = watch::Options {
        url: format!("http://{}", server.address),
        room: "demo".to_owned(),
        token: None,
        token_secret: Some(SECRET.to_owned()),
        local_ips: Vec::new(),
        watchers: 1,
        height: None,
        seconds: 1,
        log: None,
    };
    let code = |options: &watch::Options| watch::watch(options).unwrap_err().code();
    assert_eq!(code(&watch::Options { watchers: 0, ..right.clone() }), "watch_invalid");
    assert_eq!(code(&watch::Options { watchers: 1_000, ..right.clone() }), "watch_invalid");
    assert_eq!(code(&watch::Options { url: "http://127.0.0.1:9".to_owned(), ..right.clone() }), "unreachable");
    assert_eq!(code(&watch::Options { token_secret: None, ..right.clone() }), "token_needed");
    assert_eq!(code(&watch::Options { room: "nowhere".to_owned(), ..right.clone() }), "watcher_failed");
    let nowhere = Some(data.0.join("nowhere/watch.jsonl"));
    assert_eq!(code(&watch::Options { log: nowhere, ..right.clone() }), "report_unwritable");
    // A room in which nobody is on stage is nothing wrong.
    let summaries = watch::watch(&right).unwrap();
    assert_eq!((summaries[0].bytes.total(), summaries[0].cameras.len()), (0, 0));

    let nobody = Scenario::of_publishers(Publishers::default(), 1);
    let publishing = publishing::Options {
        url: right.url.clone(),
        room: "nowhere".to_owned(),
        token: None,
        token_secret: right.token_secret.clone(),
        local_ips: Vec::new(),
        seconds: 1,
    };
    let code = |scenario: &Scenario| publishing::publish(scenario, &publishing, || ()).unwrap_err().code();
    assert_eq!(code(&nobody), "scenario_invalid");
    assert_eq!(
        code(&Scenario::of_publishers(Publishers { cameras: 1, ..Publishers::default() }, 1)),
        "publisher_failed"
    );
}
