//! What becomes of invitations by e-mail.

use dais_signaling::protocol::MailState;
use prometheus::IntCounter;

use super::registrar::Registrar;

/// Metrics of invitations by e-mail.
pub(crate) struct MailMetrics {
    sent: IntCounter,
    failed: IntCounter,
    retried: IntCounter,
}

impl MailMetrics {
    pub(super) fn new(make: &Registrar<'_>) -> Self {
        Self {
            sent: make.counter("dais_mail_sent_total", "Invitations that the mail server has taken"),
            failed: make.counter(
                "dais_mail_failed_total",
                "Invitations given up: refused by the mail server, or not sent for a day",
            ),
            retried: make.counter(
                "dais_mail_retried_total",
                "Attempts to send an invitation that failed and are to be repeated",
            ),
        }
    }

    /// Counts an attempt, by the state it has led to.
    pub(crate) fn count(&self, state: MailState) {
        match state {
            MailState::Sent => self.sent.inc(),
            MailState::Failed => self.failed.inc(),
            MailState::Queued => self.retried.inc(),
            MailState::Withdrawn | MailState::LinkOnly => {}
        }
    }
}
