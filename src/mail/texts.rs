//! The words of an invitation, in each language.

use dais_signaling::protocol::Language;
use dais_stage::Role;
use time::{OffsetDateTime, UtcOffset};

use super::invitation::{Appointment, Letter};

/// What an invitation says.
pub(super) struct Words {
    pub(super) subject: String,
    /// Who invites, to what, and as what.
    pub(super) invites: String,
    /// When, if that is known.
    pub(super) when: Option<String>,
    /// Above the link.
    pub(super) come_in: &'static str,
    /// On the button.
    pub(super) button: &'static str,
    /// Whose the link is.
    pub(super) yours: &'static str,
}

pub(super) fn words(letter: &Letter) -> Words {
    let Letter { title, by, role, appointment, .. } = letter;
    match letter.language {
        Language::En => Words {
            subject: format!("Invitation: {title}"),
            invites: match by {
                Some(by) => format!("{by} invites you to “{title}” as {}.", role_en(*role)),
                None => format!("You are invited to “{title}” as {}.", role_en(*role)),
            },
            when: appointment
                .map(|at| format!("When: {}, for {}", start_en(at), minutes(at.minutes, "minute", "minutes"))),
            come_in: "Open this link in your browser to come in:",
            button: "Come in",
            yours: "The link is yours alone: it lets in the first person who uses it. Please do not pass it on.",
        },
        Language::De => Words {
            subject: format!("Einladung: {title}"),
            invites: match by {
                Some(by) => format!("{by} lädt Sie {} zu „{title}“ ein.", role_de(*role)),
                None => format!("Sie sind {} zu „{title}“ eingeladen.", role_de(*role)),
            },
            when: appointment.map(|at| format!("Wann: {}, {}", start_de(at), minutes(at.minutes, "Minute", "Minuten"))),
            come_in: "Mit diesem Link kommen Sie im Browser hinein:",
            button: "Hineingehen",
            yours: "Der Link gehört Ihnen allein: Er lässt nur die erste Person ein, die ihn benutzt. Bitte geben Sie ihn \
                    nicht weiter.",
        },
    }
}

fn role_en(role: Role) -> &'static str {
    match role {
        Role::Host => "a host",
        Role::Moderator => "a moderator",
        Role::Speaker => "a speaker",
        Role::Participant => "a participant",
    }
}

fn role_de(role: Role) -> &'static str {
    match role {
        Role::Host => "als Gastgeber",
        Role::Moderator => "zur Moderation",
        Role::Speaker => "zum Sprechen",
        Role::Participant => "zur Teilnahme",
    }
}

fn minutes(count: u32, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

const DAYS_EN: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const DAYS_DE: [&str; 7] = ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

fn start_en(at: Appointment) -> String {
    let Moment { weekday, day, month, year, clock, zone } = Moment::of(at);
    format!("{}, {day} {} {year}, {clock} ({zone})", DAYS_EN[weekday], MONTHS_EN[month])
}

fn start_de(at: Appointment) -> String {
    let Moment { weekday, day, month, year, clock, zone } = Moment::of(at);
    format!("{}, {day}. {} {year}, {clock} Uhr ({zone})", DAYS_DE[weekday], MONTHS_DE[month])
}

/// A start, by the clocks of whoever invites.
struct Moment {
    /// From Monday on.
    weekday: usize,
    day: u8,
    /// From 0 on.
    month: usize,
    year: i32,
    clock: String,
    zone: String,
}

impl Moment {
    fn of(at: Appointment) -> Self {
        let offset = UtcOffset::from_whole_seconds(i32::from(at.utc_offset) * 60).unwrap_or(UtcOffset::UTC);
        let utc = i64::try_from(at.start).ok().and_then(|start| OffsetDateTime::from_unix_timestamp(start).ok());
        let local = utc.unwrap_or(OffsetDateTime::UNIX_EPOCH).to_offset(offset);
        let (hours, minutes) = (at.utc_offset / 60, (at.utc_offset % 60).abs());
        let sign = if at.utc_offset < 0 { '−' } else { '+' };
        Self {
            weekday: local.weekday().number_days_from_monday().into(),
            day: local.day(),
            month: usize::from(u8::from(local.month())) - 1,
            year: local.year(),
            clock: format!("{:02}:{:02}", local.hour(), local.minute()),
            zone: if at.utc_offset == 0 {
                "UTC".to_owned()
            } else {
                format!("UTC{sign}{:02}:{minutes:02}", hours.abs())
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thursday, 26 November 2026, 16:00 UTC.
    const START: u64 = 1_795_708_800;

    #[test]
    fn a_start_is_said_by_the_clocks_of_whoever_invites() {
        let at = |utc_offset| Appointment { start: START, minutes: 60, utc_offset };
        assert_eq!(start_en(at(0)), "Thursday, 26 November 2026, 16:00 (UTC)");
        assert_eq!(start_en(at(-450)), "Thursday, 26 November 2026, 08:30 (UTC−07:30)");
        assert_eq!(start_en(at(-30)), "Thursday, 26 November 2026, 15:30 (UTC−00:30)");
        assert_eq!(start_de(at(600)), "Freitag, 27. November 2026, 02:00 Uhr (UTC+10:00)");
    }
}
