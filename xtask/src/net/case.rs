//! A case: a line, who is behind it, and what must come of that.

use dais_line::Script;

use super::seen::{Check, Seen};

/// How often a case is played before it counts as failed.
pub const ATTEMPTS: usize = 3;

/// How long cases are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// As docs/networks.md has them.
    Full,
    /// As the tests have them.
    Reduced,
}

impl Length {
    /// One or the other.
    pub fn choose<T>(self, full: T, reduced: T) -> T {
        if self == Self::Full { full } else { reduced }
    }
}

/// What else uses the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Besides {
    /// Nothing.
    Nothing,
    /// A TCP flow that sends as fast as it may, from this second on.
    Tcp,
}

/// Who is behind the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// So many viewers. People on stage are beside the server.
    Viewers(usize),
    /// One more person on stage, with a Chromium, whom a viewer beside the server watches.
    Publisher,
}

/// See the module.
#[derive(Clone, Copy)]
pub struct Case {
    /// For files and the command line.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// What it must get.
    pub must: &'static str,
    /// Bits per second of a camera's layers.
    pub layers: [u32; 3],
    /// Cameras, and microphones, of people on stage beside the server.
    pub stage: (usize, usize),
    /// How high the viewers that are looked at show each camera, px.
    pub height: u16,
    /// Who is behind the line.
    pub behind: Behind,
    /// What else uses it.
    pub besides: Besides,
    /// Seconds that the viewers watch.
    pub seconds: fn(Length) -> u32,
    /// The line; its way down is that of the pictures, towards viewers or away from a publisher.
    pub line: fn(Length) -> Script,
    /// What is looked at.
    pub checks: fn(&Seen, Length) -> Vec<Check>,
}

impl Case {
    /// What the line does: its far end is that of whoever is behind it.
    pub fn script(&self, length: Length) -> Script {
        let Script { seed, down, up } = (self.line)(length);
        match self.behind {
            Behind::Viewers(_) => Script { seed, down, up },
            Behind::Publisher => Script { seed, down: up, up: down },
        }
    }
}
