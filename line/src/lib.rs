//! A line between two hosts of a test: rate, queue, delay, jitter, loss and reordering, changing by a script.
//!
//! Many kernels have no `netem`, so the line is a program between two TUN devices, each in a network namespace of its
//! own. [`Line`] is the model, without I/O and clock, and the same for the same seed; [`emulate`] carries packets through
//! it; [`Host`] and [`Running`] are what tests need: namespaces, and the program between two of them.

mod bottleneck;
mod conditions;
mod emulator;
mod host;
mod line;
mod log;
mod running;

pub use conditions::{Conditions, LossBursts, Script, Step};
pub use emulator::{End, emulate};
pub use host::Host;
pub use line::Line;
pub use log::{Entry, Passed};
pub use running::{Ends, Running};
