//! The harness that loads a dais server with real participants, and says what it found.
//!
//! [`run::run`] plays a [`scenario`] on a server and returns a [`result`]. Participants are real: ICE, DTLS and SRTP over
//! a UDP socket each. Sessions are tokio's; media has threads of its own (`engine`), which count packets by sequence
//! number and decrypt a sample.
//!
//! [`publishing::publish`] only brings people on stage, and [`watch::watch`] only watches: it says what one viewer sees and
//! hears.

mod camera;
pub mod check;
pub mod cli;
mod director;
mod engine;
mod error;
pub mod floor;
mod join;
mod limits;
mod machine;
mod metrics;
mod microphone;
mod people;
mod publish;
pub mod publishing;
mod random;
pub mod report;
pub mod result;
pub mod run;
mod sampler;
pub mod scenario;
mod sdp;
mod sequence;
mod server;
mod session;
mod stamp;
mod summary;
mod system;
mod talk;
mod url;
mod venue;
pub mod watch;
mod watcher;

pub use error::LoadError;
