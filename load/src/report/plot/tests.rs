use super::*;
use crate::report::format::{PACKETS, TIME};

fn drawn(times: &[f64], series: &[&[Option<f64>]], may_be_log: bool) -> String {
    let series = series.iter().map(|values| Series {
        name: "p50",
        style: Style::Filled,
        values: values.to_vec(),
        column: 1,
        summary: String::new(),
    });
    let plot = TimePlot {
        title: "Plot",
        unit: TIME,
        whole: false,
        may_be_log,
        times,
        windows: &[(1.0, 2.0)],
        series: series.collect(),
        empty: "nothing <there>",
    };
    plot.draw().into_string()
}

/// The `d` of every path in the stretched part of a plot.
fn paths(svg: &str) -> Vec<&str> {
    let drawn = svg.split_once("viewBox").map_or("", |(_, rest)| rest);
    drawn.split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Coordinates of a path, and that each is a number within the area.
fn coordinates(path: &str) -> Vec<f64> {
    let numbers = path.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).filter(|text| !text.is_empty());
    let numbers: Vec<f64> = numbers.map(|text| text.parse().unwrap()).collect();
    assert!(numbers.iter().all(|number| (0.0..=AREA).contains(number)), "{path}");
    numbers
}

#[test]
fn values_stand_where_the_scale_puts_them() {
    let svg = drawn(&[1.0, 2.0], &[&[Some(500.0), Some(1.0)]], false);
    let paths = paths(&svg);
    assert_eq!(paths, ["M500.0 1000L500.0 0.0L1000.0 998.0L1000.0 1000Z", "M500.0 0.0L1000.0 998.0", ""]);
    assert!(svg.contains("µs"), "the unit fits the largest value");
    assert!(svg.contains(r#"<rect class="window" x="50.00%" y="0" height="100%" width="50.00%">"#));
}

#[test]
fn no_value_is_a_gap_and_a_lone_value_a_dot() {
    let svg = drawn(&[1.0, 2.0, 3.0, 4.0], &[&[Some(1.0), Some(1.0), None, Some(1.0)]], false);
    assert_eq!(paths(&svg)[1..], ["M250.0 0.0L500.0 0.0", "M1000.0 0.0h0"]);
    let one = drawn(&[1.0], &[&[Some(3.0)]], false);
    assert_eq!(paths(&one)[1..], ["", "M1000.0 0.0h0"]);
}

#[test]
fn what_has_no_value_says_so() {
    for svg in [drawn(&[], &[&[]], false), drawn(&[1.0, 2.0], &[&[None, None]], true)] {
        assert!(paths(&svg).is_empty());
        assert!(svg.contains(">nothing &lt;there&gt;</text>"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}

#[test]
fn huge_small_and_impossible_values_stay_in_the_picture() {
    let values = [0.0, 1.0, u64::MAX as f64, f64::NAN, f64::INFINITY, 1e-9, 5.0].map(Some);
    let times = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    for may_be_log in [false, true] {
        let svg = drawn(&times, &[&values, &[Some(2.0); 7]], may_be_log);
        let all: usize = paths(&svg).into_iter().map(|path| coordinates(path).len()).sum();
        assert!(all > 2 * 5, "{all} coordinates");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}

#[test]
fn a_histogram_shows_shares_between_the_bounds_and_nothing_beyond() {
    let buckets = [(100, 0), (200, 30), (400, 60), (800, 10), (1_600, 0)];
    let svg = histogram("Spread", TIME, &buckets, &[("p50", 300)], "nothing").into_string();
    assert_eq!(svg.matches("<rect").count(), 3);
    assert!(svg.contains("200 µs to 400 µs: 60 (60 %)"), "{svg}");
    assert!(svg.contains("100 values"));
    for nothing in [&[][..], &[(100, 0)], &[(0, 0)]] {
        let svg = histogram("Spread", TIME, nothing, &[("p50", 0)], "nothing").into_string();
        assert!(svg.contains(">nothing</text>") && !svg.contains("<rect") && !svg.contains("p50"), "{svg}");
    }
    let one = histogram("Spread", TIME, &[(u64::MAX, u64::MAX)], &[], "nothing").into_string();
    assert!(one.contains("<rect") && !one.contains("NaN") && !one.contains("inf"), "{one}");
}

#[test]
fn an_outlier_does_not_squeeze_the_spreads() {
    let spread = |max_ms| Spread { p50_ms: 10.0, p95_ms: 40.0, p99_ms: 50.0, max_ms };
    let near = spreads("Joins", &[("all", spread(100.0))], "nobody").into_string();
    assert!(near.contains("<circle") && near.contains(r#"class="to-p50" x="0" width="10.00%""#), "{near}");
    let far = spreads("Joins", &[("all", spread(10_000.0))], "nobody").into_string();
    assert!(!far.contains("<circle") && far.contains(r#"class="to-p50" x="0" width="16.67%""#), "{far}");
    assert!(spreads("Joins", &[], "nobody").into_string().contains(">nobody</text>"));
}

#[test]
fn a_picture_says_in_words_what_it_shows() {
    let svg = drawn(&[1.0, 2.0], &[&[Some(500.0), Some(1.0)]], false);
    assert!(svg.contains(r#"role="img" aria-label="Plot, µs, over 2 s. p50: 1 µs to 500 µs."#), "{svg}");
    assert_eq!(PACKETS.show(1.0), "1 packets/s");
}
