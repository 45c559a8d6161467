//! What people are told.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::words::{Ability, Access, Allowed};

/// Something one person is told. Names are those of the people who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Notice {
    /// To moderators: somebody asked to join the stage.
    RequestArrived {
        /// Who.
        participant: u32,
        /// Their name.
        name: String,
    },
    /// To moderators: somebody took their request back.
    RequestCancelled {
        /// Who.
        participant: u32,
        /// Their name.
        name: String,
    },
    /// To the moderator who did it: the invitation went to them.
    InvitationSent {
        /// Name of the person invited.
        name: String,
    },
    /// To the moderator who invited them: they declined.
    InvitationDeclined {
        /// Their name.
        name: String,
    },
    /// Their request was declined.
    RequestDeclined {
        /// Name of the moderator.
        by: String,
    },
    /// A moderator ended their right to return to the stage.
    ReturnDeclined {
        /// Name of the moderator.
        by: String,
    },
    /// Their request was closed, because stage access changed.
    RequestClosed {
        /// Who may come on stage from now on.
        access: Access,
    },
    /// They are invited on stage.
    Invited {
        /// Name of the moderator.
        by: String,
    },
    /// Their invitation was taken back.
    InvitationWithdrawn {
        /// Name of the moderator.
        by: String,
    },
    /// A moderator took them off the stage.
    RemovedFromStage {
        /// Name of the moderator.
        by: String,
    },
    /// They were silent the longest when the full stage had to admit somebody.
    StageFull {
        /// Name of the person admitted.
        admitted: String,
    },
    /// They were silent the longest when a moderator made the stage smaller.
    StageSmaller {
        /// Name of the moderator.
        by: String,
    },
    /// A moderator turned their microphone off.
    Muted {
        /// Name of the moderator.
        by: String,
    },
    /// A moderator turned their camera off.
    CameraStopped {
        /// Name of the moderator.
        by: String,
    },
    /// A moderator asks them to turn their microphone on.
    AskedToUnmute {
        /// Name of the moderator.
        by: String,
    },
    /// A moderator lowered their hand.
    HandLowered {
        /// Name of the moderator.
        by: String,
    },
    /// A moderator blocked them from the chat.
    ChatBlocked {
        /// Name of the moderator.
        by: String,
    },
    /// A moderator lets them chat again.
    ChatUnblocked {
        /// Name of the moderator.
        by: String,
    },
    /// Their camera waits: more recent ones have the camera places.
    CameraWaiting,
    /// Their camera is shown again.
    CameraShownAgain,
    /// To everyone: who may do something around the stage has changed; `rules` has the table.
    PermissionChanged {
        /// What.
        ability: Ability,
        /// Who, from now on.
        allowed: Allowed,
        /// Name of the host.
        by: String,
    },
    /// To everyone: who may come on stage has changed.
    AccessChanged {
        /// From now on.
        access: Access,
        /// Name of the moderator.
        by: String,
    },
    /// To everyone: somebody presents from now on.
    PresentingStarted {
        /// Who.
        participant: u32,
        /// Their name.
        name: String,
    },
    /// To everyone: somebody presents no more.
    PresentingEnded {
        /// Who.
        participant: u32,
        /// Their name.
        name: String,
    },
    /// To whoever presented: it was ended for them.
    PresentingStopped {
        /// Name of the moderator.
        by: String,
        /// The moderator presents now.
        taken_over: bool,
    },
}
