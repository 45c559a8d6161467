//! The law of the stage as docs/stage.md states it, a story for each rule. `law:` names the sentences a test is of.
#![allow(clippy::needless_pass_by_value, reason = "stories read better")]

#[path = "../support/mod.rs"]
mod support;

mod cameras;
mod edges;
mod entering;
mod full;
mod joining;
mod moderating;
mod returning;
mod voices;
