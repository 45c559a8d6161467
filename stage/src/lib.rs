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
mod chat;
mod command;
mod decide;
mod event;
mod ids;
pub mod limits;
mod links;
mod model;
mod permissions;
mod plan;
mod polls;
mod presenting;
mod refusal;
mod search;
mod settings;
mod slots;
mod stage;
mod voices;

pub use chat::{Channel, Chat, Message};
pub use command::{Command, Entry, EntryPlace};
pub use decide::checked_name;
pub use event::{Event, Leaving, OffStage, PresentingEnd};
pub use ids::{Generation, Identity, LinkId, MessageId, Millis, ParticipantId, PollId, Slot};
pub use links::Link;
pub use model::{Actor, Claim, Connection, OnStage, Participant, Place, Queued, Role, Speech};
pub use permissions::{Ability, Allowed, Permissions};
pub use polls::{Choices, Given, NewPoll, Poll, PollKind, PollStep, Polls, Question, QuickPoll, Ranked, Taker};
pub use presenting::Screen;
pub use refusal::Refusal;
pub use search::NameSearch;
pub use settings::{Access, Codec, Preset, RoomMode, Settings};
pub use slots::Occupancy;
pub use stage::Stage;
