//! What a participant does with its connection.

use super::counts::Counts;
use super::viewer::Viewer;
use super::watching::Watching;
use crate::publish::Publisher;

/// See the module.
pub(super) enum Side {
    Viewer(Box<Viewer>),
    Publisher(Box<Publisher>),
    Watcher(Box<Watching>),
}

impl Side {
    pub(super) fn publisher(&self) -> Option<&Publisher> {
        match self {
            Self::Publisher(publisher) => Some(publisher),
            Self::Viewer(_) | Self::Watcher(_) => None,
        }
    }

    pub(super) fn watching(&mut self) -> Option<&mut Watching> {
        match self {
            Self::Watcher(watching) => Some(watching),
            Self::Viewer(_) | Self::Publisher(_) => None,
        }
    }

    /// Adds what is counted by participant. Watchers have a report of their own.
    pub(super) fn count(&self, counts: &mut Counts) {
        match self {
            Self::Publisher(publisher) => counts.sent += publisher.sent(),
            Self::Viewer(viewer) => viewer.count_losses(counts),
            Self::Watcher(_) => {}
        }
    }
}
