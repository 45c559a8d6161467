//! Plots as SVG. Lengths are shares of the plot's area, so that lines stretch with the page while text keeps its size.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::format::{self, Unit};
use super::scale::Scale;
use crate::result::Spread;

/// Side of the square that lines are drawn in before they are stretched over the plot's area.
const AREA: f64 = 1_000.0;

/// A colour and a pattern: no series is told apart by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Solid, with the area under it filled: the only series of a plot.
    Filled,
    /// Solid.
    Solid,
    /// Dashed.
    Dashed,
}

impl Style {
    fn class(self) -> &'static str {
        match self {
            Self::Filled | Self::Solid => "first",
            Self::Dashed => "second",
        }
    }
}

/// One line of a [`TimePlot`].
#[derive(Clone, Debug)]
pub struct Series {
    /// What it is, for the legend.
    pub name: &'static str,
    /// How it looks.
    pub style: Style,
    /// One value for each moment of the plot, in the base unit; none leaves a gap.
    pub values: Vec<Option<f64>>,
    /// Column of the table of seconds that the read-out takes its text from, from 0.
    pub column: usize,
    /// The figure of the whole measured window, shown while nothing is pointed at.
    pub summary: String,
}

/// Values over time.
#[derive(Clone, Debug)]
pub struct TimePlot<'a> {
    /// What is shown.
    pub title: &'static str,
    /// Unit of the values; the axis takes the size that fits.
    pub unit: Unit,
    /// Values are counts: the axis has whole numbers.
    pub whole: bool,
    /// The axis is logarithmic where a few large values would flatten the others.
    pub may_be_log: bool,
    /// Ends of the seconds, s, ascending.
    pub times: &'a [f64],
    /// Begin and end of the measured windows, s.
    pub windows: &'a [(f64, f64)],
    /// The lines.
    pub series: Vec<Series>,
    /// What stands there instead when no series has a value.
    pub empty: &'static str,
}

impl TimePlot<'_> {
    /// The plot with title and legend.
    #[must_use]
    pub fn draw(&self) -> Markup {
        let values = || self.series.iter().flat_map(|series| &series.values).filter_map(|value| *value);
        let highest = values().fold(0.0, f64::max);
        let end = self.times.last().copied().unwrap_or(0.0);
        let seconds = Scale::exactly(end);
        let (size, unit) = self.unit.fitting(highest);
        let scaled = values().map(|value| value / size);
        let vertical =
            if self.may_be_log { Scale::for_values(scaled) } else { Scale::from_zero(highest / size, self.whole) };
        let suffix = if vertical.is_log() { ", logarithmic" } else { "" };
        let axis = format!("{unit}{suffix}");
        let empty = values().next().is_none();
        let content = html! {
            @for (from, to) in self.windows {
                rect.window x=(percent(seconds.position(*from))) y="0" height="100%"
                    width=(percent(seconds.position(*to) - seconds.position(*from))) {}
            }
            (horizontal_lines(&vertical))
            (bottom_labels(&seconds, &seconds.ticks().iter().map(|tick| format::number(*tick)).collect::<Vec<_>>()))
            @if empty {
                (nothing(self.empty))
            } @else {
                svg role="none" viewBox={ "0 0 " (AREA) " " (AREA) } preserveAspectRatio="none" width="100%" height="100%" {
                    @for series in &self.series {
                        @let points = self.points(series, &seconds, &vertical, size);
                        @if series.style == Style::Filled { path.area.(series.style.class()) d=(area(&points)) {} }
                        path.line.(series.style.class()) d=(line(&points)) {}
                        path.line.dot.(series.style.class()) d=(dots(&points)) {}
                    }
                }
                line.cursor x1="0" x2="0" y1="0" y2="100%" {}
            }
        };
        html! {
            figure.plot data-end=(end) {
                figcaption { h3 { (self.title) } span.unit { (axis) } }
                ul.legend {
                    @for series in &self.series {
                        li {
                            (swatch(series.style))
                            @if self.series.len() > 1 || series.name != self.title { span { (series.name) } }
                            b data-column=(series.column) { (series.summary) }
                        }
                    }
                }
                (frame(&self.description(&axis, end), &content))
                p.axis { "time, s" }
            }
        }
    }

    fn points(&self, series: &Series, seconds: &Scale, vertical: &Scale, size: f64) -> Vec<(f64, Option<f64>)> {
        let place = |value: f64| AREA * (1.0 - vertical.position(value / size));
        let values = series.values.iter().map(|value| value.filter(|value| value.is_finite()).map(place));
        self.times.iter().map(|at| AREA * seconds.position(*at)).zip(values).collect()
    }

    /// What the picture shows, for who does not see it.
    fn description(&self, axis: &str, end: f64) -> String {
        let mut text = format!("{}, {axis}, over {} s.", self.title, format::number(end));
        for series in &self.series {
            let values = || series.values.iter().filter_map(|value| *value);
            let low = values().fold(f64::INFINITY, f64::min);
            let high = values().fold(f64::NEG_INFINITY, f64::max);
            let _ = match low.is_finite() {
                true => write!(text, " {}: {} to {}.", series.name, self.unit.show(low), self.unit.show(high)),
                false => write!(text, " {}: {}.", series.name, self.empty),
            };
        }
        text + " The values stand in the table of seconds."
    }
}

/// Draws how often values fell into each bucket, on a logarithmic axis, with percentiles marked. A bucket is its upper
/// bound and its count; it begins where the one before ends.
#[must_use]
pub fn histogram(title: &str, unit: Unit, buckets: &[(u64, u64)], marks: &[(&str, u64)], empty: &str) -> Markup {
    let total: u64 = buckets.iter().map(|(_, count)| count).sum();
    let Bars { bars, low, high } = Bars::of(buckets);
    let (size, name) = unit.fitting(high);
    let horizontal = Scale::log(low / size, high / size);
    let share = |count: u64| count as f64 / total.max(1) as f64 * 100.0;
    let vertical = Scale::from_zero(bars.iter().map(|(_, _, count)| share(*count)).fold(0.0, f64::max), false);
    let content = html! {
        (horizontal_lines(&vertical))
        (bottom_labels(&horizontal, &horizontal.ticks().iter().map(|tick| format::number(*tick)).collect::<Vec<_>>()))
        @if bars.is_empty() { (nothing(empty)) }
        @for (from, to, count) in &bars {
            @let (left, right) = (horizontal.position(from / size), horizontal.position(to / size));
            @let height = vertical.position(share(*count));
            rect.bar.first x=(percent(left)) width=(percent(right - left)) y=(percent(1.0 - height)) height=(percent(height)) {
                title { (unit.show(*from)) " to " (unit.show(*to)) ": " (format::count(*count)) " (" (format::share(*count, total)) ")" }
            }
        }
        @if !bars.is_empty() {
            @for (_, value) in marks {
                @let at = percent(horizontal.position(*value as f64 / size));
                line.mark x1=(at) x2=(at) y1="0" y2="100%" {}
            }
            @for (row, (mark, value)) in marks.iter().enumerate() {
                @let at = horizontal.position(*value as f64 / size);
                text.mark x=(percent(at)) y=(11 + 14 * row) dx=(if at > 0.7 { -5 } else { 5 })
                    text-anchor=(if at > 0.7 { "end" } else { "start" }) { (mark) " " (unit.show(*value as f64)) }
            }
        }
    };
    let mut description = format!("{title}: {} values.", format::count(total));
    for (mark, value) in marks.iter().filter(|_| total > 0) {
        let _ = write!(description, " {mark} {}.", unit.show(*value as f64));
    }
    html! {
        figure.plot {
            figcaption { h3 { (title) } span.unit { "% of the values" } }
            ul.legend { li { b { (format::count(total)) " values" } } }
            (frame(&description, &content))
            p.axis { (name) ", logarithmic" }
        }
    }
}

/// The buckets between the first and the last that are not empty.
struct Bars {
    /// Begin, end, count.
    bars: Vec<(f64, f64, u64)>,
    low: f64,
    high: f64,
}

impl Bars {
    fn of(buckets: &[(u64, u64)]) -> Self {
        let bound = |n: usize| buckets[n].0 as f64;
        // The first bucket begins at zero, which a logarithmic axis does not have: it is drawn as wide as the second.
        let first = match buckets {
            [(first, _), (second, _), ..] if *second > *first && *first > 0 => (*first as f64).powi(2) / *second as f64,
            [(first, _), ..] => *first as f64 / 2.0,
            [] => 0.0,
        };
        let all = (0..buckets.len()).map(|n| (if n == 0 { first } else { bound(n - 1) }, bound(n), buckets[n].1));
        let used = |(_, _, count): &(f64, f64, u64)| *count > 0;
        let mut bars: Vec<_> = all.skip_while(|bar| !used(bar)).collect();
        bars.truncate(bars.iter().rposition(used).map_or(0, |last| last + 1));
        let (low, high) = (bars.first().map_or(1.0, |bar| bar.0), bars.last().map_or(10.0, |bar| bar.1));
        Self { bars, low, high }
    }
}

/// Draws spreads one below the other: a bar to the median, a thinner one to the 95th and a line to the 99th percentile,
/// and a dot at the largest value where it is not far off.
#[must_use]
pub fn spreads(title: &str, rows: &[(&str, Spread)], empty: &str) -> Markup {
    let highest = |of: fn(&Spread) -> f64| rows.iter().map(|(_, spread)| of(spread)).fold(0.0, f64::max);
    let (p99, max) = (highest(|spread| spread.p99_ms), highest(|spread| spread.max_ms));
    let end = if max > 3.0 * p99 { p99 * 1.05 } else { max };
    let (size, unit) = format::TIME.fitting(end * 1e3);
    let horizontal = Scale::from_zero(end * 1e3 / size, false);
    let at = |ms: f64| horizontal.position(ms * 1e3 / size);
    let height = 100.0 / rows.len().max(1) as f64;
    let content = html! {
        @for tick in horizontal.ticks() {
            line.grid x1=(percent(horizontal.position(tick))) x2=(percent(horizontal.position(tick))) y1="0" y2="100%" {}
        }
        (bottom_labels(&horizontal, &horizontal.ticks().iter().map(|tick| format::number(*tick)).collect::<Vec<_>>()))
        @if rows.is_empty() { (nothing(empty)) }
        @for (n, (name, spread)) in rows.iter().enumerate() {
            @let centre = height * (n as f64 + 0.5);
            @let band = |share: f64| (format!("{:.2}%", centre - height * share / 2.0), format!("{:.2}%", height * share));
            @let ((thick_y, thick), (thin_y, thin)) = (band(0.56), band(0.3));
            text.left x="0" dx="-8" y=(format!("{centre:.2}%")) dy="0.35em" { (name) }
            line.to-p99 x1=(percent(at(spread.p95_ms))) x2=(percent(at(spread.p99_ms)))
                y1=(format!("{centre:.2}%")) y2=(format!("{centre:.2}%")) {}
            rect.to-p95 x="0" width=(percent(at(spread.p95_ms))) y=(thin_y) height=(thin) {}
            rect.to-p50 x="0" width=(percent(at(spread.p50_ms))) y=(thick_y) height=(thick) {}
            @if at(spread.max_ms) < 1.0 || spread.max_ms <= end {
                circle.largest cx=(percent(at(spread.max_ms))) cy=(format!("{centre:.2}%")) r="3" {}
            }
        }
    };
    let mut description = format!("{title}.");
    for (name, spread) in rows {
        let show = |ms: f64| format::TIME.show(ms * 1e3);
        let _ =
            write!(description, " {name}: median {}, 99th percentile {}.", show(spread.p50_ms), show(spread.p99_ms));
    }
    html! {
        figure.plot.spreads {
            figcaption { h3 { (title) } }
            ul.legend aria-hidden="true" {
                li { i.to-p50 {} "p50" }
                li { i.to-p95 {} "p95" }
                li { i.to-p99 {} "p99" }
                li { i.largest {} "largest" }
            }
            (frame(&description, &content))
            p.axis { (unit) }
        }
    }
}

fn frame(description: &str, content: &Markup) -> Markup {
    html! { svg.chart role="img" aria-label=(description) { (content) } }
}

fn nothing(why: &str) -> Markup {
    html! { text.nothing x="50%" y="50%" { (why) } }
}

fn swatch(style: Style) -> Markup {
    html! {
        svg.swatch aria-hidden="true" width="22" height="10" { path.line.(style.class()) d="M1 5h20" {} }
    }
}

fn horizontal_lines(scale: &Scale) -> Markup {
    html! {
        @for tick in scale.ticks() {
            @let y = percent(1.0 - scale.position(tick));
            line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
            text.left x="0" dx="-8" y=(y) dy="0.35em" { (compact(tick)) }
        }
    }
}

fn bottom_labels(scale: &Scale, labels: &[String]) -> Markup {
    html! {
        @for (tick, label) in scale.ticks().iter().zip(labels) {
            text.below x=(percent(scale.position(*tick))) y="100%" dy="1.5em" { (label) }
        }
    }
}

/// A tick's label: thousands, millions and so on by their letter.
fn compact(value: f64) -> String {
    let letters = [(1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    match letters.iter().find(|(size, _)| value >= *size) {
        Some((size, letter)) => format!("{} {letter}", format::number(value / size)),
        None => format::number((value * 1e9).round() / 1e9),
    }
}

fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// Runs of points with a value, each with the points' coordinates.
fn runs(points: &[(f64, Option<f64>)]) -> impl Iterator<Item = Vec<(f64, f64)>> {
    let runs = points.split(|(_, y)| y.is_none());
    runs.map(|run| run.iter().filter_map(|(x, y)| y.map(|y| (*x, y))).collect::<Vec<_>>()).filter(|run| !run.is_empty())
}

fn line(points: &[(f64, Option<f64>)]) -> String {
    let mut path = String::new();
    for run in runs(points).filter(|run| run.len() > 1) {
        push(&mut path, 'M', &run);
    }
    path
}

/// Values between two gaps: lines of no length, which round ends make dots.
fn dots(points: &[(f64, Option<f64>)]) -> String {
    let lone = runs(points).filter(|run| run.len() == 1);
    lone.map(|run| format!("M{:.1} {:.1}h0", run[0].0, run[0].1)).collect()
}

fn area(points: &[(f64, Option<f64>)]) -> String {
    let mut path = String::new();
    for run in runs(points) {
        let (first, last) = (run[0].0, run[run.len() - 1].0);
        let _ = write!(path, "M{first:.1} {AREA}");
        push(&mut path, 'L', &run);
        let _ = write!(path, "L{last:.1} {AREA}Z");
    }
    path
}

fn push(path: &mut String, first: char, run: &[(f64, f64)]) {
    for (n, (x, y)) in run.iter().enumerate() {
        let _ = write!(path, "{}{x:.1} {y:.1}", if n == 0 { first } else { 'L' });
    }
}

#[cfg(test)]
mod tests;
