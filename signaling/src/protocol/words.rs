//! Words that both sides use.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Where a person asks to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// **Join as viewer**.
    Viewer,
    /// **Join stage**.
    Stage,
}

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Moderates, and owns the room.
    Host,
    /// Moderates.
    Moderator,
    /// Has a standing invitation to the stage.
    Speaker,
    /// Everyone else.
    Participant,
}

/// Stage access: who may come on stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// **Everyone on stage**.
    Everyone,
    /// **Join by request**.
    Request,
    /// **Invite only**.
    Invite,
}

/// Who reads a chat message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Everyone in the room.
    Everyone,
    /// Hosts and moderators: the back channel.
    Moderators,
}

/// A camera slot that a client shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// Index of the camera slot.
    pub slot: u8,
    /// Its height on the screen, in device pixels: the server sends what fills it, as far as the line carries.
    pub height: u16,
}

/// The stage's words and the protocol's are the same.
macro_rules! same_words {
    ($($name:ident { $($variant:ident),+ })+) => {$(
        impl From<dais_stage::$name> for $name {
            fn from(word: dais_stage::$name) -> Self {
                match word { $(dais_stage::$name::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for dais_stage::$name {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant),+ }
            }
        }
    )+};
}

same_words! {
    Role { Host, Moderator, Speaker, Participant }
    Access { Everyone, Request, Invite }
    Channel { Everyone, Moderators }
}
