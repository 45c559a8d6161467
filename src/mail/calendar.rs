//! The calendar file of an invitation (iCalendar, RFC 5545).

use std::fmt::Write as _;

use time::OffsetDateTime;
use time::macros::format_description;

use super::invitation::Appointment;

/// Longest line, octets without its end (RFC 5545 §3.1). A longer one is folded.
const LINE_OCTETS: usize = 75;

/// An appointment as a file of one event.
pub(super) struct Event<'a> {
    /// Unique for ever: the same one again is the same event.
    pub(super) uid: &'a str,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    /// To come in.
    pub(super) link: &'a str,
    /// When the file was made, seconds since the Unix epoch.
    pub(super) made: u64,
    pub(super) at: Appointment,
}

impl Event<'_> {
    /// The file.
    pub(super) fn file(&self) -> String {
        let end = self.at.start + u64::from(self.at.minutes) * 60;
        let lines = [
            "BEGIN:VCALENDAR".to_owned(),
            "VERSION:2.0".to_owned(),
            "PRODID:-//dais//dais//EN".to_owned(),
            // It tells of an event, and asks nothing (RFC 5546 §1.4): whether somebody comes, the room sees.
            "METHOD:PUBLISH".to_owned(),
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{}", self.uid),
            format!("DTSTAMP:{}", utc(self.made)),
            format!("DTSTART:{}", utc(self.at.start)),
            format!("DTEND:{}", utc(end)),
            format!("SUMMARY:{}", text(self.title)),
            format!("DESCRIPTION:{}", text(self.description)),
            format!("LOCATION:{}", text(self.link)),
            format!("URL:{}", self.link),
            "END:VEVENT".to_owned(),
            "END:VCALENDAR".to_owned(),
        ];
        let mut file = String::new();
        lines.iter().for_each(|line| fold(&mut file, line));
        file
    }
}

/// A moment in UTC (RFC 5545 §3.3.5, form 2).
fn utc(seconds: u64) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let at = i64::try_from(seconds).ok().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    at.and_then(|at| at.format(format).ok()).unwrap_or_default()
}

/// A value of type TEXT (RFC 5545 §3.3.11).
fn text(value: &str) -> String {
    let mut escaped = String::new();
    for c in value.chars() {
        match c {
            '\\' | ';' | ',' => {
                let _ = write!(escaped, "\\{c}");
            }
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// Appends a line, with its end, in pieces that begin with a space after the first (RFC 5545 §3.1).
fn fold(file: &mut String, line: &str) {
    let mut left = LINE_OCTETS;
    for c in line.chars() {
        if c.len_utf8() > left {
            file.push_str("\r\n ");
            left = LINE_OCTETS - 1;
        }
        file.push(c);
        left -= c.len_utf8();
    }
    file.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(title: &str) -> String {
        let at = Appointment { start: 1_795_708_800, minutes: 90, utc_offset: 60 };
        let (uid, description, link) = ("1@example.org", "Come in:\nhere", "https://example.org/r/a#token=b");
        Event { uid, title, description, link, made: 1_795_000_000, at }.file()
    }

    #[test]
    fn an_event_has_its_times_in_utc_and_its_texts_escaped() {
        let file = event("Talks; rock, paper \\ scissors\r\nEND:VEVENT");
        for line in [
            "METHOD:PUBLISH\r\n",
            "DTSTART:20261126T160000Z\r\n",
            "DTEND:20261126T173000Z\r\n",
            "SUMMARY:Talks\\; rock\\, paper \\\\ scissors\\nEND:VEVENT\r\n",
            "DESCRIPTION:Come in:\\nhere\r\n",
            "URL:https://example.org/r/a#token=b\r\n",
        ] {
            assert!(file.contains(line), "{line:?} in {file}");
        }
        assert_eq!(file.matches("\r\nEND:VEVENT\r\n").count(), 1, "a title ends nothing");
    }

    #[test]
    fn long_lines_are_folded_between_characters() {
        let title = "Überraschungsgäste ".repeat(20);
        let file = event(&title);
        assert!(file.split("\r\n").all(|line| line.len() <= LINE_OCTETS), "{file}");
        assert!(file.replace("\r\n ", "").contains(&format!("SUMMARY:{title}")), "{file}");
    }
}
