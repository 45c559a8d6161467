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

/// A codec of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// Every browser has it.
    Vp8,
    /// Constrained baseline, packetization mode 1.
    H264,
    /// Profile 0.
    Vp9,
    /// Main profile.
    Av1,
}

/// Who reads a chat message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Everyone in the room.
    Everyone,
    /// Hosts and moderators: the back channel.
    Moderators,
}

/// Something a room can allow, or have turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// To write to everyone in the chat.
    Chat,
    /// To send reactions.
    React,
    /// To raise a hand.
    RaiseHand,
    /// To answer polls and quizzes.
    AnswerPolls,
    /// To start a quick poll.
    QuickPoll,
    /// To present a screen.
    Present,
}

/// Who may: each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// It is turned off.
    Nobody,
    /// Hosts and moderators.
    Moderators,
    /// Speakers too.
    Speakers,
    /// Everyone in the room.
    Everyone,
}

/// Whether answers are right or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PollKind {
    /// One question without a right answer.
    Poll,
    /// Questions with right answers and points, and a ranking at the end.
    Quiz,
}

/// What a quick poll offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum QuickPoll {
    /// Yes or no.
    YesNo,
    /// A mark from 1 to 5.
    OneToFive,
}

/// A sign that people send up over the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// Thumbs up.
    Like,
    /// A heart.
    Love,
    /// Clapping hands.
    Applause,
    /// Laughing.
    Laugh,
    /// Surprised.
    Wow,
    /// Party.
    Celebrate,
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
    Codec { Vp8, H264, Vp9, Av1 }
    Ability { Chat, React, RaiseHand, AnswerPolls, QuickPoll, Present }
    Allowed { Nobody, Moderators, Speakers, Everyone }
    PollKind { Poll, Quiz }
    QuickPoll { YesNo, OneToFive }
}
