//! Sends what is in the outbox, one mail after the other.
//!
//! A mail is marked as sent when the mail server has taken it. A server killed between the two sends it again, with the same
//! Message-ID: SMTP offers no more (RFC 1047).

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use dais_signaling::protocol::MailState;
use dais_signaling::token::TokenKeys;
use dais_stage::Millis;
use lettre::AsyncTransport as _;
use lettre::transport::smtp::Error as SmtpError;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::outbox::{Due, Outcome};
use super::settings::MailServer;
use super::{Change, Mail, limits, message};
use crate::journal::wall_clock;
use crate::metrics::Metrics;
use crate::tokens::sign_link;

/// What the sender works with.
pub(crate) struct Sender {
    pub(crate) mail: Arc<Mail>,
    pub(crate) server: MailServer,
    pub(crate) keys: TokenKeys,
    /// Address of the web server, without a `/` at its end.
    pub(crate) base: String,
    pub(crate) metrics: Arc<Metrics>,
}

/// What came of an attempt.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    Sent,
    /// It will never go.
    Refused(String),
    /// It may go later.
    NotNow(String),
}

impl Sender {
    /// Sends until it is told to stop; a mail that is on its way is finished.
    pub(crate) async fn run(self, mut stopped: oneshot::Receiver<()>) {
        loop {
            let wait = match self.mail.outbox.due(wall_clock()).await {
                Ok((due, next)) if due.is_empty() => {
                    next.map(|next| Duration::from_millis(next.0.saturating_sub(wall_clock().0)))
                }
                Ok((due, _)) => {
                    for mail in due {
                        if !matches!(stopped.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
                            return;
                        }
                        self.handle(mail).await;
                    }
                    continue;
                }
                Err(error) => {
                    warn!(%error, "mails cannot be read");
                    Some(limits::OUTBOX_RETRY)
                }
            };
            let nothing_due = sleep(wait.unwrap_or(limits::RETRY_MAX));
            tokio::select! {
                () = nothing_due => {}
                () = self.mail.wake.notified() => {}
                _ = &mut stopped => return,
            }
        }
    }

    async fn handle(&self, due: Due) {
        let now = wall_clock();
        let attempt = self.send(&due, now).await;
        let outcome = outcome(attempt, &due, now);
        let (state, reason) = match &outcome {
            Outcome::Sent => (MailState::Sent, None),
            Outcome::Failed { reason } => (MailState::Failed, Some(reason.clone())),
            Outcome::Again { reason, .. } => (MailState::Queued, Some(reason.clone())),
        };
        self.metrics.mail.count(state);
        debug!(address = due.letter.address, ?outcome, "an attempt to send an invitation");
        // Nothing else is sent before this is written: a full disk must not make one mail many.
        let written = loop {
            match self.mail.outbox.settle(&due.room, due.link, outcome.clone()).await {
                Ok(written) => break written,
                Err(error) => warn!(%error, "what became of a mail cannot be written down"),
            }
            sleep(limits::OUTBOX_RETRY).await;
        };
        if written {
            self.mail.tell(&due.room, Change { link: due.link, state, reason });
        }
    }

    async fn send(&self, due: &Due, now: Millis) -> Attempt {
        let Due { room, link, letter, .. } = due;
        let Ok(token) = sign_link(&self.keys, room, *link, letter.role, letter.expires) else {
            return Attempt::NotNow("the link could not be signed".to_owned());
        };
        let link = format!("{}/r/{room}#token={token}", self.base);
        let message = match message::message(letter, &self.server.from, &link, now.0 / 1_000) {
            Ok(message) => message,
            Err(error) => return Attempt::Refused(error.to_string()),
        };
        // The transport's own time limit is for each answer, not for a server that answers again and again.
        match timeout(limits::ANSWER_WITHIN * 2, self.server.transport.send(message)).await {
            Ok(Ok(_)) => Attempt::Sent,
            Ok(Err(error)) => failure(&error, letter.address.is_ascii()),
            Err(_) => Attempt::NotNow("the mail server did not answer in time".to_owned()),
        }
    }
}

/// Answers to a client that has not logged in, or not well (RFC 4954 §6): no fault of the address.
const LOGIN_CODES: [u16; 4] = [530, 534, 535, 538];

fn failure(error: &SmtpError, ascii: bool) -> Attempt {
    let said = match (error.status(), error.source()) {
        (Some(code), Some(said)) => format!("{code} {said}"),
        _ => error.to_string(),
    };
    let reason = said.chars().filter(|c| !c.is_control()).take(limits::REASON_CHARS).collect();
    let login = error.status().is_some_and(|code| LOGIN_CODES.contains(&code.into()));
    if login {
        warn!(code = error.status().map(u16::from), "the mail server does not take the login");
    }
    // With letters beyond ASCII it depends on the mail server (RFC 6531), which does not change by waiting.
    if error.is_permanent() && !login || error.is_client() && !ascii {
        Attempt::Refused(reason)
    } else {
        Attempt::NotNow(reason)
    }
}

fn outcome(attempt: Attempt, due: &Due, now: Millis) -> Outcome {
    match attempt {
        Attempt::Sent => Outcome::Sent,
        Attempt::Refused(reason) => Outcome::Failed { reason },
        Attempt::NotNow(reason) => {
            let again = now.plus(retry_delay(due.attempts).as_millis() as u64);
            let end = due.queued.plus(limits::GIVE_UP_AFTER.as_millis() as u64).min(due.letter.expires);
            if again > end { Outcome::Failed { reason } } else { Outcome::Again { reason, due: again } }
        }
    }
}

/// How long to wait after an attempt that failed, where `attempts` failed before it.
fn retry_delay(attempts: u32) -> Duration {
    let factor = 4u32.checked_pow(attempts).unwrap_or(u32::MAX);
    limits::RETRY_FIRST.saturating_mul(factor).min(limits::RETRY_MAX)
}

#[cfg(test)]
mod tests {
    use dais_signaling::protocol::Language;
    use dais_stage::Role;

    use super::super::invitation::Letter;
    use super::*;

    fn due(attempts: u32) -> Due {
        let letter = Letter {
            address: "ann@example.org".to_owned(),
            name: None,
            role: Role::Speaker,
            expires: Millis(u64::MAX),
            title: "Talks".to_owned(),
            by: None,
            language: Language::En,
            appointment: None,
            message_id: "1".to_owned(),
        };
        Due { room: "a".to_owned(), link: 1, letter, queued: Millis(0), attempts }
    }

    #[test]
    fn attempts_come_ever_more_rarely_and_end() {
        let mut now = Millis(0);
        let mut delays = Vec::new();
        for attempts in 0.. {
            match outcome(Attempt::NotNow("451".to_owned()), &due(attempts), now) {
                Outcome::Again { due, .. } => {
                    delays.push((due.0 - now.0) / 1_000);
                    now = due;
                }
                Outcome::Failed { reason } => {
                    assert_eq!(reason, "451");
                    break;
                }
                Outcome::Sent => unreachable!("it was not sent"),
            }
        }
        assert_eq!(delays[..7], [5, 20, 80, 320, 1_280, 1_800, 1_800]);
        assert!(now.0 <= limits::GIVE_UP_AFTER.as_millis() as u64, "a day is the end of it");
        assert!(delays.len() < 60);
    }

    #[test]
    fn nothing_is_sent_again_after_its_link_has_ended() {
        let mut due = due(0);
        due.letter.expires = Millis(4_000);
        let gone = outcome(Attempt::NotNow("451".to_owned()), &due, Millis(0));
        assert_eq!(gone, Outcome::Failed { reason: "451".to_owned() });
    }

    #[test]
    fn what_a_server_refuses_for_good_is_not_tried_again() {
        assert_eq!(
            outcome(Attempt::Refused("550".to_owned()), &due(0), Millis(0)),
            Outcome::Failed { reason: "550".to_owned() }
        );
        assert_eq!(outcome(Attempt::Sent, &due(3), Millis(0)), Outcome::Sent);
    }
}
