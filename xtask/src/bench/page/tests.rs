use super::*;
use crate::bench::figures::{Figure, FloorResult, Run, RunResult};
use crate::bench::plan::{Floor, Measure, SCENARIOS, Scenario};

/// What `dais-load` writes: the tests of its report keep this file to its format.
const SAMPLE: &str = include_str!("../../../../load/tests/data/sample.json");
const FLOOR: &str = r#"{"user_us_per_packet": 0.02, "system_us_per_packet": 1.18, "segments_per_message": 4.62, "packets_per_s": 81358.9}"#;

fn scenario(name: &str) -> &'static Scenario {
    SCENARIOS.iter().find(|scenario| scenario.name == name).unwrap()
}

fn run() -> Run {
    let result: RunResult = serde_json::from_str(SAMPLE).unwrap();
    let floor: FloorResult = serde_json::from_str(FLOOR).unwrap();
    Run { result, floors: vec![(Floor::Same, floor)] }
}

fn slower() -> Run {
    let mut run = run();
    run.result.server.as_mut().unwrap().user_us_per_packet += 0.1;
    run
}

fn conditions(runs: usize) -> Conditions {
    Conditions { commit: "abc1234".to_owned(), runs, note: "One core each.".to_owned() }
}

#[test]
fn a_run_is_told_with_its_targets() {
    let measured = [Measured { scenario: scenario("hd"), runs: vec![run()] }];
    let page = figures(&measured, &conditions(1));
    for line in [
        "Measured on 2026-11-02 with commit abc1234 on AMD EPYC 9354P 32-Core Processor, kernel 6.12.48+deb13-amd64. One core each. One run of each scenario.",
        "cargo xtask bench load\n",
        "| hd, 300 viewers | 1.62 | 0.41 | 1.21 | 1.20 | 0.42 | 4.6 | 0.67 | 2.26 | 72.3 | – | 0.74 |",
        "| hd, 300 viewers | CPU a packet, µs | ≤ 1.70 | 1.62 | yes |",
        "| hd, 300 viewers | over the floor, µs | ≤ 0.50 | 0.42 | yes |",
        "| hd, 300 viewers | datagrams a message | ≥ 4.0 | 4.6 | yes |",
        "| mediasoup 3.27 | 5.4 / 5.2",
        "hd, 300 viewers: the server lost 3 packets.",
    ] {
        assert!(page.contains(line), "{line}\nis not in\n{page}");
    }
    let storm = [Measured { scenario: scenario("join-storm"), runs: vec![run()] }];
    assert!(figures(&storm, &conditions(1)).contains("| 72.3 | 59 | 0.74 |"));
    // Every row of a table has as many cells as its header.
    for table in page.split("\n\n").filter(|block| block.starts_with('|')) {
        let cells: Vec<_> = table.lines().map(|line| line.matches('|').count()).collect();
        assert!(cells.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
    }
}

#[test]
fn of_several_runs_the_worst_decides() {
    let runs = vec![slower(), run(), run()];
    assert_eq!(Figure::of(Measure::Cpu, &runs).map(|figure| figure.show(2)).as_deref(), Some("1.62 (1.62 to 1.72)"));
    let measured = [Measured { scenario: scenario("hd"), runs }];
    let targets = summary::targets(&measured).to_text();
    assert!(targets.contains("≤ 1.70  1.62 (1.62 to 1.72)"), "{targets}");
    assert!(targets.lines().any(|line| line.contains("CPU a packet") && line.ends_with(" no")), "{targets}");
    let even = Figure::of(Measure::Cpu, &[run(), slower()]).unwrap();
    assert!((even.median - 1.67).abs() < 1e-9 && even.low < even.high);
}

#[test]
fn what_was_not_measured_is_not_reached() {
    let mut bare = run();
    bare.result.server = None;
    bare.floors.clear();
    let measured = [
        Measured { scenario: scenario("light"), runs: vec![bare] },
        Measured { scenario: scenario("voices"), runs: vec![] },
    ];
    let targets = summary::targets(&measured).to_text();
    assert_eq!(targets.matches("not measured").count(), 1 + scenario("voices").targets.len(), "{targets}");
    // Without the server's own figure the whole way counts: 0.67 ms are more than 0.5.
    assert!(
        targets.lines().any(|line| line.contains("added p50") && line.contains("0.67") && line.ends_with(" no")),
        "{targets}"
    );
}

#[test]
fn a_harness_that_did_not_keep_up_reaches_nothing() {
    let mut run = run();
    run.result.traffic.lost_by_harness = 50_000;
    let measured = [Measured { scenario: scenario("hd"), runs: vec![run] }];
    let targets = summary::targets(&measured).to_text();
    assert_eq!(targets.matches("not to be trusted").count(), scenario("hd").targets.len(), "{targets}");
    assert!(summary::overview(&measured).to_text().contains("the harness did not keep up"));
}

#[test]
fn what_people_wrote_stays() {
    let page = format!("# Title\n\nBefore.\n\n{BEGIN}\nold figures\n{END}\n\nAfter.\n");
    let once = with_figures(&page, "new\n").unwrap();
    assert_eq!(once, format!("# Title\n\nBefore.\n\n{BEGIN}\n\nnew\n\n{END}\n\nAfter.\n"));
    assert_eq!(with_figures(&once, "new").unwrap(), once);
    assert!(with_figures("# Title without markers\n", "new").is_err());
}

#[test]
fn the_page_of_the_repository_has_its_markers() {
    assert!(with_figures(include_str!("../../../../docs/performance.md"), "x").is_ok());
}
