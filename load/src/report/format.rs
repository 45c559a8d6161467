//! Numbers as people read them: three significant digits, a unit that fits the size.

/// A measure with its units, smallest first, each with how many of the base unit it is.
#[derive(Clone, Copy, Debug)]
pub struct Unit(&'static [(f64, &'static str)]);

/// From microseconds.
pub const TIME: Unit = Unit(&[(1.0, "µs"), (1e3, "ms"), (1e6, "s")]);
/// Decimal, as network people and the kernel's documentation count them.
pub const BYTES: Unit = Unit(&[(1.0, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB")]);
/// Bits per second.
pub const BITS: Unit = Unit(&[(1.0, "bit/s"), (1e3, "kbit/s"), (1e6, "Mbit/s"), (1e9, "Gbit/s")]);
/// Packets per second.
pub const PACKETS: Unit = Unit(&[(1.0, "packets/s")]);
/// People with a connection.
pub const PARTICIPANTS: Unit = Unit(&[(1.0, "participants")]);
/// Of one processor core or of a whole.
pub const PERCENT: Unit = Unit(&[(1.0, "%")]);

impl Unit {
    /// The largest unit that `value` has at least one of, and its size in the base unit.
    #[must_use]
    pub fn fitting(self, value: f64) -> (f64, &'static str) {
        let fits = self.0.iter().rev().find(|(size, _)| value.abs() >= *size);
        fits.or(self.0.first()).copied().unwrap_or((1.0, ""))
    }

    /// `value` in the unit that fits, such as `2.38 ms`.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        let (number, name) = self.split(value);
        format!("{number} {name}")
    }

    /// Number and name of [`Unit::show`].
    #[must_use]
    pub fn split(self, value: f64) -> (String, &'static str) {
        let (size, name) = self.fitting(value);
        (number(value / size), name)
    }
}

/// Three significant digits, whole numbers in full with their thousands set apart; a dash for what is no number.
#[must_use]
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    let decimals = if value.fract() == 0.0 { 0 } else { usize::try_from(2 - magnitude).unwrap_or(0) };
    let text = decimal(value, decimals.min(9));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A whole number with its thousands set apart.
#[must_use]
pub fn count(value: impl TryInto<u64>) -> String {
    let digits = value.try_into().map(|value| value.to_string());
    digits.map_or_else(|_| "–".to_owned(), |digits| grouped(&digits))
}

/// A share of 0 to 1 in percent, with enough digits that a loss of one in a million is not shown as none.
#[must_use]
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{} %", number(part as f64 / whole as f64 * 100.0)) }
}

/// `value` with that many decimals and its thousands set apart.
#[must_use]
pub fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |text| ("-", text));
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{sign}{}.{fraction}", grouped(whole)),
        None => format!("{sign}{}", grouped(text)),
    }
}

fn grouped(digits: &str) -> String {
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// So many cores, in words.
#[must_use]
pub fn cores(count: usize) -> String {
    if count == 1 { "1 core".to_owned() } else { format!("{count} cores") }
}

/// The RFC 3339 time stamp `2026-11-02T09:14:05Z` as `2026-11-02 09:14:05 UTC`; anything else as it is.
#[must_use]
pub fn moment(text: &str) -> String {
    match text.strip_suffix('Z').and_then(|text| text.split_once('T')) {
        Some((day, time)) => format!("{day} {} UTC", time.split('.').next().unwrap_or(time)),
        None => text.to_owned(),
    }
}

/// A condition such as `<= 8` with the sign people write.
#[must_use]
pub fn condition(text: &str) -> String {
    text.replace("<=", "≤").replace(">=", "≥")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_whole_ones_all() {
        let cases = [
            (0.0, "0"),
            (1.62, "1.62"),
            (1.6, "1.6"),
            (59.449, "59.4"),
            (0.000_312_4, "0.000312"),
            (81_358.94, "81,359"),
            (4_067_947.0, "4,067,947"),
            (-1234.5, "-1,234"),
            (100.0, "100"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn the_unit_fits_the_size() {
        assert_eq!(TIME.show(648.0), "648 µs");
        assert_eq!(TIME.show(2_380.0), "2.38 ms");
        assert_eq!(TIME.show(61e6), "61 s");
        assert_eq!(BYTES.show(72_310.0), "72.3 kB");
        assert_eq!(BITS.show(755.4e6), "755 Mbit/s");
        assert_eq!(BITS.show(0.0), "0 bit/s");
        assert_eq!(BYTES.fitting(u64::MAX as f64), (1e12, "TB"));
    }

    #[test]
    fn one_core_is_one_core() {
        assert_eq!((cores(1).as_str(), cores(2).as_str()), ("1 core", "2 cores"));
    }

    #[test]
    fn a_loss_of_one_in_a_million_is_not_none() {
        assert_eq!(share(1, 1_000_000), "0.0001 %");
        assert_eq!(share(0, 1_000_000), "0 %");
        assert_eq!(share(1, 0), "–");
    }

    #[test]
    fn a_moment_reads_well_and_nonsense_stays() {
        assert_eq!(moment("2026-11-02T09:14:05Z"), "2026-11-02 09:14:05 UTC");
        assert_eq!(moment("2026-11-02T09:14:05.123Z"), "2026-11-02 09:14:05 UTC");
        assert_eq!(moment("yesterday"), "yesterday");
    }
}
