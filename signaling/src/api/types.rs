//! What the API takes and gives.

use dais_stage::{Ability, Permissions, Settings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::protocol::{Access, Allowed, Codec, Invitation, Participant, Role, RoomInfo};

/// A room to be made. Everything but the title has a default.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRoom {
    /// As in its address: 1 to 64 letters, digits, `-` and `_`. Default: a random one.
    pub id: Option<String>,
    /// As people call it, 1 to 200 characters.
    pub title: String,
    /// Values that go together. Default: the server's.
    pub preset: Option<Preset>,
    /// Who may come on stage, in place of the preset's.
    pub access: Option<Access>,
    /// What the entry window offers, in place of the preset's.
    pub mode: Option<RoomMode>,
    /// Most people on stage at once. Default 100.
    pub capacity: Option<u32>,
    /// Most cameras forwarded at once. Default 25.
    pub camera_limit: Option<u32>,
    /// Moderators are never removed from a full stage. Default false.
    pub protect_moderators: Option<bool>,
    /// How long a dropped connection keeps its place, seconds. Default 30.
    pub grace_seconds: Option<u32>,
    /// A room empty this long ends, seconds; 0 means never. Default 300.
    pub empty_after_seconds: Option<u32>,
    /// Who may do what around the stage.
    pub permissions: Option<PermissionChange>,
    /// Codec of cameras and screens, where everyone in the room decodes it; else it is VP8. Default: the server's.
    pub codec: Option<Codec>,
}

impl NewRoom {
    /// The room's settings, where `preset` and `codec` are the server's.
    #[must_use]
    pub fn settings(&self, preset: dais_stage::Preset, codec: dais_stage::Codec) -> Settings {
        let base = Settings::preset(self.preset.map_or(preset, Into::into));
        let count = |given: Option<u32>, default: usize| given.map_or(default, |n| n as usize);
        let ms = |given: Option<u32>, default: u64| given.map_or(default, |seconds| u64::from(seconds) * 1_000);
        Settings {
            access: self.access.map_or(base.access, Into::into),
            mode: self.mode.map_or(base.mode, Into::into),
            capacity: count(self.capacity, base.capacity),
            camera_limit: count(self.camera_limit, base.camera_limit),
            protect_moderators: self.protect_moderators.unwrap_or(base.protect_moderators),
            grace_ms: ms(self.grace_seconds, base.grace_ms),
            empty_after_ms: ms(self.empty_after_seconds, base.empty_after_ms),
            permissions: self.permissions.map_or(base.permissions, |change| change.applied(base.permissions)),
            codec: self.codec.map_or(codec, Into::into),
        }
    }
}

/// Values of a room that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Everyone on stage, interactive.
    Event,
    /// Join by request, panel.
    Webinar,
    /// Everyone on stage, interactive.
    Meeting,
}

impl From<Preset> for dais_stage::Preset {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Event => Self::Event,
            Preset::Webinar => Self::Webinar,
            Preset::Meeting => Self::Meeting,
        }
    }
}

/// What the entry window offers to participants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoomMode {
    /// They may join the stage at entry, if access is for everyone.
    Interactive,
    /// They enter as viewers.
    Panel,
}

impl From<RoomMode> for dais_stage::RoomMode {
    fn from(mode: RoomMode) -> Self {
        match mode {
            RoomMode::Interactive => Self::Interactive,
            RoomMode::Panel => Self::Panel,
        }
    }
}

impl From<dais_stage::RoomMode> for RoomMode {
    fn from(mode: dais_stage::RoomMode) -> Self {
        match mode {
            dais_stage::RoomMode::Interactive => Self::Interactive,
            dais_stage::RoomMode::Panel => Self::Panel,
        }
    }
}

/// A token to be signed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewToken {
    /// Role in the room.
    pub role: Role,
    /// Display name. Without one the person is asked.
    pub name: Option<String>,
    /// Who they are in your system: two sessions with one identity are one person. Without one the token is a shared
    /// link, and each person who comes with it is somebody else.
    pub identity: Option<String>,
    /// How long it is valid, seconds. Default: an hour.
    pub valid_seconds: Option<u32>,
}

/// A signed token.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignedToken {
    /// The token.
    pub token: String,
    /// Path of the room's page with it, to be opened on this server.
    pub path: String,
}

/// A room as it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomReport {
    /// The room.
    #[serde(flatten)]
    pub info: RoomInfo,
    /// Who may come on stage.
    pub access: Access,
    /// What the entry window offers.
    pub mode: RoomMode,
    /// Most people on stage at once.
    pub capacity: u32,
    /// Most cameras forwarded at once.
    pub camera_limit: u32,
    /// Nobody new enters but hosts and moderators.
    pub locked: bool,
    /// Who may do what around the stage.
    pub permissions: crate::protocol::Permissions,
    /// Codec of cameras and screens, where everyone in the room decodes it; else it is VP8.
    pub codec: Codec,
    /// How many are on stage.
    pub on_stage: u32,
    /// How many are viewers.
    pub viewers: u32,
}

/// What is to be changed; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoomChange {
    /// Who may come on stage.
    pub access: Option<Access>,
    /// Most people on stage at once.
    pub capacity: Option<u32>,
    /// Most cameras forwarded at once.
    pub camera_limit: Option<u32>,
    /// Nobody new enters but hosts and moderators.
    pub locked: Option<bool>,
    /// Who may do what around the stage.
    pub permissions: Option<PermissionChange>,
}

/// Who may do what around the stage; what is left out stays.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionChange {
    /// Write to everyone in the chat. Default `everyone`.
    pub chat: Option<Allowed>,
    /// Send reactions. Default `everyone`.
    pub react: Option<Allowed>,
    /// Raise a hand. Default `everyone`.
    pub raise_hand: Option<Allowed>,
    /// Answer polls and quizzes. Default `everyone`.
    pub answer_polls: Option<Allowed>,
    /// Start a quick poll. Default `moderators`.
    pub quick_poll: Option<Allowed>,
    /// Present a screen. Default `speakers`.
    pub present: Option<Allowed>,
}

impl PermissionChange {
    /// Each ability that changes, and who may from then on.
    pub(super) fn changes(self) -> impl Iterator<Item = (Ability, dais_stage::Allowed)> {
        let changes = [
            (Ability::Chat, self.chat),
            (Ability::React, self.react),
            (Ability::RaiseHand, self.raise_hand),
            (Ability::AnswerPolls, self.answer_polls),
            (Ability::QuickPoll, self.quick_poll),
            (Ability::Present, self.present),
        ];
        changes.into_iter().filter_map(|(ability, allowed)| Some((ability, allowed?.into())))
    }

    fn applied(self, mut permissions: Permissions) -> Permissions {
        self.changes().for_each(|(ability, allowed)| permissions.set(ability, allowed));
        permissions
    }
}

/// A page of the participants, in order of entry.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ViewersPage {
    /// Up to 100 people.
    pub participants: Vec<Participant>,
    /// There are more: ask again with `after` the last one's `id`.
    pub more: bool,
}

/// Those invited by e-mail, in the order they were made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InvitationList {
    /// Each with the token of its link: the page to open is `/r/{room}#token={token}`.
    pub invitations: Vec<Invitation>,
}

/// What went wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Error {
    /// Stable code.
    pub code: String,
    /// A sentence for a person.
    pub text: String,
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct PageQuery {
    /// Those who entered after this one; 0 from the start.
    #[serde(default)]
    pub after: u32,
}
