//! The screen: one person at a time presents.

use serde::{Deserialize, Serialize};

use crate::slots::Occupancy;

/// The slot of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screen {
    /// Who presents.
    pub slot: Occupancy,
    /// With the sound of what they present.
    pub sound: bool,
}
