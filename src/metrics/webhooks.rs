//! What becomes of webhooks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dais_stage::Millis;
use prometheus::IntCounter;

use super::registrar::Registrar;
use crate::journal::wall_clock;
use crate::webhook::RECEIVERS;

/// Metrics of webhooks.
pub(crate) struct WebhookMetrics {
    pub(crate) delivered: IntCounter,
    pub(crate) failed: IntCounter,
    pub(crate) dropped: IntCounter,
    pub(crate) gone: IntCounter,
    oldest: Arc<Oldest>,
}

/// When the event happened that each receiver did not take, ms since the Unix epoch; 0 where there is none.
struct Oldest([AtomicU64; RECEIVERS]);

impl WebhookMetrics {
    pub(super) fn new(make: &Registrar<'_>) -> Self {
        let oldest = Arc::new(Oldest([const { AtomicU64::new(0) }; RECEIVERS]));
        let read = Arc::clone(&oldest);
        make.read_gauge(
            "dais_webhook_waiting_seconds",
            "Age of the oldest event that a receiver of webhooks has not taken; 0 where none has failed",
            move || usize::try_from(read.age(wall_clock().0)).unwrap_or(usize::MAX),
        );
        Self {
            delivered: make.counter("dais_webhook_delivered_total", "Events that a receiver has taken"),
            failed: make.counter("dais_webhook_failed_total", "Attempts to tell a receiver that failed"),
            dropped: make
                .counter("dais_webhook_dropped_total", "Events that no attempt could tell a receiver for three days"),
            gone: make.counter("dais_webhook_gone_total", "Receivers that answered 410 and are not told any more"),
            oldest,
        }
    }

    /// The oldest event that the receiver with this index has not taken happened at `at`.
    pub(crate) fn waits(&self, index: usize, at: Option<Millis>) {
        if let Some(oldest) = self.oldest.0.get(index) {
            oldest.store(at.map_or(0, |at| at.0), Ordering::Relaxed);
        }
    }
}

impl Oldest {
    fn age(&self, now: u64) -> u64 {
        let times = self.0.iter().map(|at| at.load(Ordering::Relaxed)).filter(|at| *at > 0);
        times.min().map_or(0, |at| now.saturating_sub(at) / 1_000)
    }
}
