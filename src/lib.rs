//! The dais server: where the stage, the data plane and signaling meet.
//!
//! [`Server::start`] starts everything in order; a [`room`] task owns each stage and carries out what it decides.

mod config;
mod effects;
mod metrics;
mod room;
mod rooms;
mod server;

pub use config::{Config, ConfigError};
pub use metrics::Metrics;
pub use server::{Server, StartError};
