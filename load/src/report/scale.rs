//! From values to places on an axis, with ticks at round numbers.

/// An axis. Positions are shares of its length, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// From 0 to `end`, with a tick every `step`.
    Linear {
        /// Value at position 1; positive.
        end: f64,
        /// 1, 2 or 5 times a power of ten.
        step: f64,
    },
    /// Logarithmic from `low` to `high`; both are positive.
    Log {
        /// Value at position 0.
        low: f64,
        /// Value at position 1.
        high: f64,
    },
}

/// How many steps an axis has at most.
const STEPS_MAX: f64 = 6.0;
/// Above so many powers of ten a logarithmic axis has ticks at the powers alone.
const DECADES_WITH_SUBDIVISION: f64 = 2.0;
/// A span that a linear axis would flatten.
const LINEAR_SPAN_MAX: f64 = 20.0;

impl Scale {
    /// From 0 to the round number at or above `max`. With `whole`, ticks are whole numbers.
    #[must_use]
    pub fn from_zero(max: f64, whole: bool) -> Self {
        let max = if max.is_finite() && max > 0.0 { max } else { 1.0 };
        let step = nice_step(max, whole);
        Self::Linear { end: (max / step - 1e-9).ceil().max(1.0) * step, step }
    }

    /// From 0 to exactly `end`: a time axis ends with the run.
    #[must_use]
    pub fn exactly(end: f64) -> Self {
        let end = if end.is_finite() && end > 0.0 { end } else { 1.0 };
        Self::Linear { end, step: nice_step(end, false) }
    }

    /// Logarithmic between round numbers around `low` and `high`.
    #[must_use]
    pub fn log(low: f64, high: f64) -> Self {
        let low = if low.is_finite() && low > 0.0 { low } else { 1.0 };
        let high = if high.is_finite() { high.max(low) } else { low };
        let (low, high) = (round_down(low), round_up(high));
        Self::Log { low, high: if high > low { high } else { low * 10.0 } }
    }

    /// Linear from 0, or logarithmic where a few large values would flatten all the others.
    #[must_use]
    pub fn for_values(values: impl Iterator<Item = f64> + Clone) -> Self {
        let positive = values.filter(|value| *value > 0.0 && value.is_finite());
        let low = positive.clone().fold(f64::INFINITY, f64::min);
        let high = positive.fold(0.0, f64::max);
        if high > low * LINEAR_SPAN_MAX { Self::log(low, high) } else { Self::from_zero(high, false) }
    }

    /// Where `value` is; what lies beyond an end is at the end.
    #[must_use]
    pub fn position(&self, value: f64) -> f64 {
        let position = match *self {
            Self::Linear { end, .. } => value / end,
            Self::Log { low, high } => (value.max(f64::MIN_POSITIVE) / low).ln() / (high / low).ln(),
        };
        if position.is_nan() { 0.0 } else { position.clamp(0.0, 1.0) }
    }

    /// Values that get a line and a label, ascending.
    #[must_use]
    pub fn ticks(&self) -> Vec<f64> {
        match *self {
            Self::Linear { end, step } => {
                let steps = (end / step + 1e-9).floor() as u32;
                (0..=steps).map(|n| f64::from(n) * step).collect()
            }
            Self::Log { low, high } => {
                let decades = (high / low).log10();
                let within: &[f64] = if decades > DECADES_WITH_SUBDIVISION { &[1.0] } else { &[1.0, 2.0, 5.0] };
                let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
                let values = powers.flat_map(|power| within.iter().map(move |digit| digit * 10f64.powi(power)));
                values.filter(|value| *value >= low * 0.999 && *value <= high * 1.001).collect()
            }
        }
    }

    /// Whether distances are ratios.
    #[must_use]
    pub fn is_log(&self) -> bool {
        matches!(self, Self::Log { .. })
    }
}

fn nice_step(max: f64, whole: bool) -> f64 {
    let step = next_round(max / STEPS_MAX);
    if whole { step.max(1.0) } else { step }
}

/// The largest of 1, 2 and 5 times a power of ten that is not above `value`.
fn round_down(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [5.0, 2.0].into_iter().find(|digit| digit * power <= value * 1.001).unwrap_or(1.0) * power
}

fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0].into_iter().find(|digit| digit * power >= value * 0.999).unwrap_or(10.0) * power
}

fn next_round(value: f64) -> f64 {
    // A step of the smallest numbers has no power of ten of its own.
    round_up(value.max(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        let cases: [(f64, &[f64]); 5] = [
            (81_000.0, &[0.0, 20_000.0, 40_000.0, 60_000.0, 80_000.0, 100_000.0]),
            (6.0, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            (0.93, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
            (301.0, &[0.0, 100.0, 200.0, 300.0, 400.0]),
            (1.0, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ];
        for (max, expected) in cases {
            let ticks = Scale::from_zero(max, false).ticks();
            assert_eq!(ticks.len(), expected.len(), "{max}: {ticks:?}");
            assert!(ticks.iter().zip(expected).all(|(tick, value)| (tick - value).abs() < 1e-9), "{max}: {ticks:?}");
        }
    }

    #[test]
    fn any_value_has_a_few_ticks_and_a_finite_place() {
        for value in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e-12, 0.1, 7.0, 1e6, 1e15, u64::MAX as f64] {
            for scale in [
                Scale::from_zero(value, true),
                Scale::from_zero(value, false),
                Scale::exactly(value),
                Scale::log(value, value),
                Scale::for_values([value, 1.0].into_iter()),
            ] {
                let ticks = scale.ticks();
                assert!((1..=20).contains(&ticks.len()), "{value}: {scale:?} {ticks:?}");
                assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]), "{value}: {ticks:?}");
                for at in [value, 0.0, 1.0, f64::NAN, f64::INFINITY] {
                    assert!((0.0..=1.0).contains(&scale.position(at)), "{value}: {scale:?} at {at}");
                }
            }
        }
    }

    #[test]
    fn counts_have_whole_ticks() {
        assert_eq!(Scale::from_zero(0.0, true).ticks(), [0.0, 1.0]);
        assert_eq!(Scale::from_zero(3.0, true).ticks(), [0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn a_time_axis_ends_with_the_run() {
        let scale = Scale::exactly(61.5);
        assert_eq!(scale.ticks(), [0.0, 20.0, 40.0, 60.0]);
        assert_eq!(scale.position(61.5), 1.0);
    }

    #[test]
    fn a_logarithmic_axis_has_the_same_length_for_the_same_ratio() {
        let scale = Scale::log(130.0, 8_000.0);
        assert_eq!(scale, Scale::Log { low: 100.0, high: 10_000.0 });
        assert_eq!(scale.ticks(), [100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0]);
        assert!((scale.position(1_000.0) - 0.5).abs() < 1e-12);
        assert_eq!(Scale::log(1.0, 1e6).ticks().len(), 7);
    }

    #[test]
    fn one_spike_does_not_flatten_everything_else() {
        assert!(!Scale::for_values([600.0, 2_400.0, 6_000.0].into_iter()).is_log());
        assert!(Scale::for_values([600.0, 2_400.0, 18_000.0].into_iter()).is_log());
    }
}
