//! What was deleted because it is not to be kept.

use prometheus::{IntCounter, IntCounterVec};

use super::registrar::Registrar;
use crate::rooms::Deletion;

/// Metrics of what was deleted.
pub(crate) struct PrivacyMetrics {
    rooms: IntCounterVec,
    people: IntCounter,
}

impl PrivacyMetrics {
    pub(super) fn new(make: &Registrar<'_>) -> Self {
        Self {
            rooms: make.counters(
                "dais_rooms_deleted_total",
                "Rooms whose journal was deleted: kept for as many days as is set, or asked through the API",
                "why",
                [Deletion::Kept, Deletion::Asked].map(label),
            ),
            people: make.counter("dais_people_deleted_total", "People who were deleted from the journal of a room"),
        }
    }

    pub(crate) fn room_deleted(&self, why: Deletion) {
        self.rooms.with_label_values(&[label(why)]).inc();
    }

    pub(crate) fn person_deleted(&self) {
        self.people.inc();
    }
}

fn label(why: Deletion) -> &'static str {
    match why {
        Deletion::Kept => "kept",
        Deletion::Asked => "asked",
    }
}
