//! The stage controller: who is on stage, whose camera is shown, who is heard.
//!
//! [`Stage`] is an event-sourced state machine without I/O, clock or randomness:
//!
//! 1. [`Stage::decide`] takes a [`Command`] and the time, and answers with the [`Event`]s it causes or the [`Refusal`]
//!    that says why not. It changes nothing.
//! 2. The owner records the events, then gives each to [`Stage::apply`], which cannot fail.
//!
//! Applying the same events in the same order always gives the same stage; that is how a room is rebuilt.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr))]

mod cameras;
mod command;
mod decide;
mod event;
mod ids;
pub mod limits;
mod model;
mod refusal;
mod slots;
mod stage;
mod voices;

pub use command::{Command, EntryPlace};
pub use event::{Event, OffStage};
pub use ids::{Generation, Millis, ParticipantId, Slot};
pub use model::{OnStage, Participant, Place, Role, Settings, Speech};
pub use refusal::Refusal;
pub use slots::Occupancy;
pub use stage::Stage;
