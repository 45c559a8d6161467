//! The table and the plots, as they stand in docs/networks.md between words that people write.

use std::fmt::Write as _;

use super::seen::{Check, Limit, Verdict};

const BEGIN: &str = "<!-- results: written by cargo xtask net -->";
const END: &str = "<!-- end of results -->";

/// What was measured, a line for each value.
pub fn table(verdicts: &[Verdict]) -> String {
    let mut out = String::from("| line | it must get | measured | | |\n|---|---|---|---:|---|\n");
    for verdict in verdicts {
        for (n, check) in verdict.checks.iter().enumerate() {
            let (title, must) = if n == 0 { (verdict.title, verdict.must) } else { ("", "") };
            let _ = writeln!(out, "| {title} | {must} | {} | {} | {} |", check.what, shown(check), mark(check));
        }
    }
    out
}

fn shown(check: &Check) -> String {
    let digits = if check.value.abs() < 10.0 && check.value.fract() != 0.0 { 1 } else { 0 };
    format!("{:.digits$} {}", check.value, check.unit).trim().to_owned()
}

fn mark(check: &Check) -> String {
    let limit = match check.limit {
        Limit::Min(limit) => format!("≥ {limit}"),
        Limit::Max(limit) => format!("≤ {limit}"),
    };
    if check.holds() { limit } else { format!("**not {limit}**") }
}

/// `page` with the results in place of what stands between the markers.
///
/// # Errors
/// When a marker is missing: nothing that people wrote is overwritten.
pub fn with_results(page: &str, verdicts: &[Verdict], commit: &str) -> Result<String, String> {
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("the page needs the lines {BEGIN} and {END}"))?;
    let plots = verdicts.iter().fold(String::new(), |mut out, verdict| {
        let _ = write!(out, "\n## {}\n\n![Rates over time](images/networks/{}.svg)\n", verdict.title, verdict.case);
        out
    });
    Ok(format!("{before}{BEGIN}\n\nCommit {commit}.\n\n{}{plots}\n{END}{after}", table(verdicts)))
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 48.0;
const BOTTOM: f64 = 32.0;
const TOP: f64 = 30.0;
const COLOURS: [&str; 4] = ["#9aa4b2", "#1f6feb", "#c2410c", "#15803d"];

/// Rates over time.
pub fn plot(verdict: &Verdict) -> String {
    let all = verdict.rates.iter().flat_map(|(_, points)| points);
    let (seconds, most) = all.fold((1.0f64, 0.1f64), |(x, y), point| (x.max(point.0), y.max(point.1)));
    let x = |at: f64| LEFT + at / seconds * (WIDTH - LEFT - 12.0);
    let y = |rate: f64| HEIGHT - BOTTOM - rate / most * (HEIGHT - BOTTOM - TOP);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\"><title>{}: Mbit/s over seconds</title><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
        verdict.title
    );
    for n in 0..=4 {
        let rate = most * f64::from(n) / 4.0;
        let _ = write!(
            out,
            "<path d=\"M{LEFT} {0:.1}H{1}\" stroke=\"#e5e7eb\"/><text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\" \
             fill=\"#4b5563\">{rate:.1}</text>",
            y(rate),
            WIDTH - 12.0,
            LEFT - 6.0,
            y(rate) + 4.0
        );
    }
    let step = if seconds > 40.0 { 10.0 } else { 5.0 };
    for n in (0..).map(f64::from).map(|n| n * step).take_while(|at| *at <= seconds) {
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#4b5563\">{n:.0} s</text>",
            x(n),
            HEIGHT - 10.0
        );
    }
    for (n, ((name, points), colour)) in verdict.rates.iter().zip(COLOURS).enumerate() {
        let path = points.iter().enumerate().fold(String::new(), |mut path, (n, (at, rate))| {
            let _ = write!(path, "{}{:.1} {:.1}", if n == 0 { "M" } else { "L" }, x(*at), y(*rate));
            path
        });
        let legend = LEFT + n as f64 * 160.0;
        let _ = write!(
            out,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/><path d=\"M{legend} 14h18\" \
             stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{}\" y=\"18\" fill=\"#111827\">{name}, Mbit/s</text>",
            legend + 24.0
        );
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(value: f64) -> Verdict {
        let checks = vec![Check::min("used", value, 80.0, "%"), Check::max("freeze", 20.0, 500.0, "ms")];
        let rates = vec![("into the line", vec![(0.0, 1.0), (1.0, 0.5)])];
        Verdict { case: "narrow", title: "1 Mbit/s", must: "use it", checks, rates }
    }

    #[test]
    fn what_does_not_hold_is_told_as_it_is() {
        assert!(verdict(80.0).holds() && !verdict(79.9).holds() && !verdict(f64::NAN).holds());
        assert!(table(&[verdict(61.2)]).contains("| 61 % | **not ≥ 80** |"));
        assert!(table(&[verdict(81.0)]).contains("| 81 % | ≥ 80 |"));
    }

    #[test]
    fn the_page_keeps_what_people_wrote() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let written = with_results(&page, &[verdict(90.0)], "abc").unwrap();
        assert!(written.starts_with("before\n") && written.ends_with("\nafter\n") && !written.contains("old"));
        assert!(with_results("nothing", &[], "abc").is_err());
        assert!(plot(&verdict(1.0)).contains("M48.0"));
    }
}
