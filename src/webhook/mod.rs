//! Webhooks: what happens in rooms, told to other people's servers by signed HTTP requests.
//!
//! The journal is the queue. Each receiver has a cursor in each room's log, kept on disk, and is told of one event of a room
//! after the other, in their order; a room hands over nothing but the word that there is something new. See docs/webhooks.md.

mod client;
mod cursors;
mod event;
mod limits;
mod receiver;
mod settings;
mod sign;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub(crate) use cursors::Cursors;
pub use cursors::CursorsError;
pub(crate) use limits::RECEIVERS;
pub(crate) use receiver::Receiver;
pub use settings::{WebhookConfig, WebhookConfigError};

use crate::journal::Journal;
use crate::metrics::Metrics;

/// Where rooms say that they have written something.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    receivers: Arc<[mpsc::UnboundedSender<String>]>,
}

/// The tasks that tell the receivers.
#[derive(Default)]
pub(crate) struct Telling(Vec<JoinHandle<()>>);

impl Hooks {
    /// There is something new in the log of `room`. Waits for nothing.
    pub(crate) fn wake(&self, room: &str) {
        for receiver in &*self.receivers {
            // One that wants nothing any more needs to know nothing.
            let _ = receiver.send(room.to_owned());
        }
    }

    /// Begins to tell `receivers`, each in a task of its own.
    pub(crate) fn start(
        receivers: Vec<Receiver>,
        journal: &Arc<dyn Journal>,
        cursors: &Arc<Cursors>,
        metrics: &Arc<Metrics>,
    ) -> (Self, Telling) {
        let start = |receiver: Receiver| {
            let (wake, woken) = mpsc::unbounded_channel();
            let (journal, cursors, metrics) = (Arc::clone(journal), Arc::clone(cursors), Arc::clone(metrics));
            (wake, tokio::spawn(receiver.run(woken, journal, cursors, metrics)))
        };
        let (receivers, tasks): (Vec<_>, _) = receivers.into_iter().map(start).unzip();
        (Self { receivers: receivers.into() }, Telling(tasks))
    }
}

impl Telling {
    /// Ends the tasks. A request that was on its way is made once more after the next start, with the same id.
    pub(crate) async fn stop(self) {
        for task in self.0 {
            task.abort();
            let _ = task.await;
        }
    }
}
