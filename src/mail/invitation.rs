//! An invitation, as the outbox has it.

use dais_signaling::Reason;
use dais_signaling::protocol::{self, Language, MailState, NewInvitations};
use dais_stage::{Millis, Role};
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};

use super::{address, limits};

/// Somebody who is invited to a room, and by which link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invitation {
    /// Number of the role link.
    pub(crate) link: u32,
    /// What is sent.
    pub(crate) letter: Letter,
    /// What became of it.
    pub(crate) state: MailState,
    /// What the mail server said to the last attempt that failed.
    pub(crate) reason: Option<String>,
}

/// What goes into one mail, but the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Letter {
    pub(crate) address: String,
    pub(crate) name: Option<String>,
    pub(crate) role: Role,
    /// When the link ends.
    pub(crate) expires: Millis,
    /// Title of the room.
    pub(crate) title: String,
    /// Name of who invites, if it is a person.
    pub(crate) by: Option<String>,
    pub(crate) language: Language,
    pub(crate) appointment: Option<Appointment>,
    /// Before the `@` of its Message-ID (RFC 5322 §3.6.4): the same in each attempt, so that a mail that has come twice is
    /// known as one.
    pub(crate) message_id: String,
}

/// When a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Appointment {
    /// Seconds since the Unix epoch.
    pub(crate) start: u64,
    pub(crate) minutes: u32,
    /// Minutes that the clocks of whoever invites are ahead of UTC.
    pub(crate) utc_offset: i16,
}

/// A request to invite people, in which everything fits.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) mailboxes: Vec<Mailbox>,
    pub(crate) role: Role,
    pub(crate) language: Language,
    pub(crate) appointment: Option<Appointment>,
    /// When the links end.
    pub(crate) expires: Millis,
}

/// Checks a request made at `now`.
///
/// # Errors
/// `addresses_missing`, `address_invalid`, `too_many_invitations`, `start_invalid` or `minutes_invalid`.
pub(crate) fn check(wanted: &NewInvitations, now: Millis) -> Result<Checked, Reason> {
    let mailboxes = address::mailboxes(&wanted.addresses)?;
    let minutes = wanted.minutes.unwrap_or(limits::MINUTES_DEFAULT);
    if minutes == 0 || minutes > limits::MINUTES {
        let text = "A session in an invitation lasts 1 minute to a day.".to_owned();
        return Err(Reason { code: "minutes_invalid", text });
    }
    let now = now.0 / 1_000;
    let end = |start: u64| start.saturating_add(u64::from(minutes) * 60);
    let utc_offset = wanted.utc_offset.unwrap_or(0).clamp(-limits::UTC_OFFSET, limits::UTC_OFFSET);
    let appointment = wanted.start.map(|start| Appointment { start, minutes, utc_offset });
    if appointment.is_some_and(|at| end(at.start) <= now || at.start > now + limits::AHEAD.as_secs()) {
        let text = "The session would be over already, or begin more than a year from now.".to_owned();
        return Err(Reason { code: "start_invalid", text });
    }
    let expires = match appointment {
        Some(at) => end(at.start) + limits::VALID_AFTER_END.as_secs(),
        None => now + limits::VALID.as_secs(),
    };
    let (role, language) = (wanted.role.into(), wanted.language.unwrap_or_default());
    Ok(Checked { mailboxes, role, language, appointment, expires: Millis(expires * 1_000) })
}

impl Checked {
    /// The letter to `mailbox`.
    ///
    /// # Errors
    /// `internal` when the system has no randomness.
    pub(crate) fn letter(&self, mailbox: &Mailbox, title: &str, by: Option<&str>) -> Result<Letter, Reason> {
        let mut number = [0u8; 16];
        getrandom::fill(&mut number).map_err(|_| protocol::SessionError::Internal)?;
        Ok(Letter {
            address: mailbox.email.to_string(),
            name: mailbox.name.clone(),
            role: self.role,
            expires: self.expires,
            title: title.to_owned(),
            by: by.map(str::to_owned),
            language: self.language,
            appointment: self.appointment,
            message_id: format!("{:032x}", u128::from_be_bytes(number)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn wanted() -> NewInvitations {
        NewInvitations {
            addresses: vec!["ann@example.org".to_owned()],
            role: protocol::Role::Speaker,
            start: None,
            minutes: None,
            utc_offset: None,
            language: None,
        }
    }

    #[test]
    fn links_end_a_day_after_the_session_or_after_thirty_days() {
        let day = 24 * 60 * 60;
        let plain = check(&wanted(), NOW).unwrap();
        assert_eq!((plain.expires.0 - NOW.0) / 1_000, 30 * day);
        let start = NOW.0 / 1_000 + 7 * day;
        let dated = check(&NewInvitations { start: Some(start), minutes: Some(90), ..wanted() }, NOW).unwrap();
        assert_eq!((dated.expires.0 - NOW.0) / 1_000, 8 * day + 90 * 60);
    }

    #[test]
    fn times_that_cannot_be_are_refused() {
        let now = NOW.0 / 1_000;
        let code = |start, minutes| {
            check(&NewInvitations { start, minutes, ..wanted() }, NOW).map(|_| ()).map_err(|reason| reason.code)
        };
        assert_eq!(code(Some(now - 30 * 60), None), Ok(()), "it has begun, and goes on");
        assert_eq!(code(Some(now - 60 * 60), None), Err("start_invalid"));
        assert_eq!(code(Some(now + 367 * 24 * 60 * 60), None), Err("start_invalid"));
        assert_eq!(code(Some(u64::MAX), None), Err("start_invalid"));
        assert_eq!(code(None, Some(0)), Err("minutes_invalid"));
        assert_eq!(code(None, Some(1_441)), Err("minutes_invalid"));
    }
}
