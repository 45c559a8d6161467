//! The report of a run, from the file that the run left.

use std::fs;
use std::path::{Path, PathBuf};

use dais_load::report::{self, ReportError};
use dais_load::result::{Check, RunResult};

const SAMPLE: &str = "tests/data/sample.json";

fn sample() -> RunResult {
    report::read_json(Path::new(SAMPLE)).unwrap()
}

/// A file of this test alone, deleted with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_result_is_the_same_after_it_was_written_and_read() {
    let file = Scratch::new("same.json");
    report::write_json(&file.0, &sample()).unwrap();
    assert_eq!(fs::read_to_string(&file.0).unwrap(), fs::read_to_string(SAMPLE).unwrap());
    assert_eq!(report::read_json(&file.0).unwrap(), sample());
}

#[test]
fn what_is_no_result_is_told_with_a_code() {
    let file = Scratch::new("malformed.json");
    let code = |result: Result<RunResult, ReportError>| result.unwrap_err().code();
    assert_eq!(code(report::read_json(&file.0)), "result_unreadable");
    fs::write(&file.0, "{\"scenario\": 7}").unwrap();
    assert_eq!(code(report::read_json(&file.0)), "result_malformed");
    assert_eq!(code(report::convert(Path::new(SAMPLE), Path::new("no/such/folder/report.html"))), "report_unwritable");
}

#[test]
fn the_table_is_aligned_and_tells_what_failed() {
    let table = report::table(&sample());
    assert!(table.contains("  lost by the harness    212 (0.00521 %)\n"), "{table}");
    assert!(table.contains("  server, a packet       1.62 µs (0.41 µs user, 1.21 µs kernel)\n"), "{table}");
    assert!(table.contains("  passed latency_p99_ms            2.26      <= 8\n"), "{table}");
    assert!(table.contains("  FAILED lost_by_server               3      <= 0\n"), "{table}");
    assert!(table.ends_with("\nFailed. 1 of 7 thresholds not met.\n"), "{table}");
    let joins: Vec<_> = table.lines().filter(|line| line.starts_with("  dtls") || line.contains("join, ms")).collect();
    assert!(joins.len() == 2 && joins[0].chars().count() == joins[1].chars().count(), "{table}");
}

#[test]
fn a_run_that_measured_nothing_has_a_report_all_the_same() {
    let nothing = RunResult::default();
    let table = report::table(&nothing);
    assert!(table.contains("Passed. The scenario has no thresholds."), "{table}");
    let page = report::html(&nothing);
    for why in ["Nothing was decrypted", "process was not given", "Nobody joined", "No part of this run was measured"] {
        assert!(page.contains(why), "{why}");
    }
    assert!(!page.contains("NaN") && !table.contains("NaN"));
}

#[test]
fn text_of_the_result_is_never_markup() {
    let evil = "</title></style><script>alert(1)</script>\"'&";
    let mut result = sample();
    result.scenario = evil.to_owned();
    result.description = evil.to_owned();
    result.started = evil.to_owned();
    result.machine.cpu = evil.to_owned();
    result.machine.kernel = evil.to_owned();
    result.conditions.url = evil.to_owned();
    result.joins.failed = vec![(evil.to_owned(), 1)];
    result.joins.parts[0].0 = evil.to_owned();
    result.checks.push(Check { name: evil.to_owned(), limit: evil.to_owned(), value: None, passed: false });
    let page = report::html(&result);
    assert!(!page.contains("<script>alert"));
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(page.matches("&lt;script&gt;alert(1)").count() >= 11);
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let page = report::html(&sample());
    for outside in ["src=", "href=", "url(", "@import", "fetch("] {
        assert!(!page.contains(outside), "{outside}");
    }
}
