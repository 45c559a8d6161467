//! The dais server: where the stage, the data plane and signaling meet.
//!
//! [`Server::start`] starts everything in order; a [`room`] task owns each stage and carries out what it decides.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr))]

mod config;
pub mod journal;
mod mail;
mod metrics;
mod privacy;
mod reach;
mod room;
mod rooms;
mod server;
mod sqlite;
mod store;
mod summary;
mod tokens;
mod webhook;

pub use config::{Config, ConfigError, MetricsListen};
pub use mail::{MailConfig, MailConfigError};
pub use server::{Server, StartError};
pub use store::StoreError;
pub use webhook::{CursorsError, WebhookConfig, WebhookConfigError};
