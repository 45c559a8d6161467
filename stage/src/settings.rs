//! What is set when a room is made, and what moderators change later.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::permissions::Permissions;
use crate::refusal::Refusal;

/// Who may come on stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Everyone, without being asked.
    #[default]
    Everyone,
    /// Whoever asked and was brought by a moderator.
    Request,
    /// Whoever a moderator invited.
    Invite,
}

/// What the entry window offers to participants. Inside the room it makes no difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomMode {
    /// Participants may join the stage at entry, if access is for everyone.
    #[default]
    Interactive,
    /// Panel with viewers: participants enter as viewers.
    Panel,
}

/// Values that go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Everyone, interactive.
    #[default]
    Event,
    /// By request, panel.
    Webinar,
    /// Everyone, interactive.
    Meeting,
}

/// The codec of pictures. A room keeps it as long as it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// Every browser has it.
    #[default]
    Vp8,
    /// Constrained baseline.
    H264,
    /// Profile 0.
    Vp9,
    /// Main profile.
    Av1,
}

/// What a room is made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Who may come on stage; moderators change it.
    pub access: Access,
    /// What the entry window offers.
    pub mode: RoomMode,
    /// Most people on stage at once, moderators included; 1 to [`limits::CAPACITY_MAX`].
    pub capacity: usize,
    /// Most cameras forwarded at once; at most [`limits::CAMERA_SLOTS`].
    pub camera_limit: usize,
    /// Moderators are never the ones removed from a full stage.
    pub protect_moderators: bool,
    /// How long a dropped connection keeps place, request, invitation and raised hand, ms.
    pub grace_ms: u64,
    /// A room empty this long ends, ms; 0 means never.
    pub empty_after_ms: u64,
    /// Who may do what around the stage; hosts change it.
    #[serde(default)]
    pub permissions: Permissions,
    /// Of cameras and screens, where everyone in the room decodes it; else it is VP8.
    #[serde(default)]
    pub codec: Codec,
}

impl Settings {
    /// The values of a preset; the rest are defaults.
    #[must_use]
    pub fn preset(preset: Preset) -> Self {
        let (access, mode) = match preset {
            Preset::Event | Preset::Meeting => (Access::Everyone, RoomMode::Interactive),
            Preset::Webinar => (Access::Request, RoomMode::Panel),
        };
        Self { access, mode, ..Self::default() }
    }

    /// Whether a room can be made with these.
    ///
    /// # Errors
    /// [`Refusal::CapacityInvalid`] or [`Refusal::CameraLimitInvalid`].
    pub fn check(&self) -> Result<(), Refusal> {
        checked_capacity(self.capacity)?;
        checked_camera_limit(self.camera_limit)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access: Access::default(),
            mode: RoomMode::default(),
            capacity: limits::CAPACITY_DEFAULT,
            camera_limit: limits::CAMERA_SLOTS,
            protect_moderators: false,
            grace_ms: limits::GRACE_MS_DEFAULT,
            empty_after_ms: limits::EMPTY_AFTER_MS_DEFAULT,
            permissions: Permissions::default(),
            codec: Codec::default(),
        }
    }
}

pub(crate) fn checked_capacity(capacity: usize) -> Result<(), Refusal> {
    if (1..=limits::CAPACITY_MAX).contains(&capacity) { Ok(()) } else { Err(Refusal::CapacityInvalid) }
}

pub(crate) fn checked_camera_limit(limit: usize) -> Result<(), Refusal> {
    if limit <= limits::CAMERA_SLOTS { Ok(()) } else { Err(Refusal::CameraLimitInvalid) }
}
