//! Role links, and invitations by e-mail that carry them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::words::Role;

/// A role link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Its number.
    pub link: u32,
    /// The role it carries.
    pub role: Role,
    /// For one person only.
    pub personal: bool,
    /// Somebody has entered with it, if it is personal.
    pub used: bool,
    /// It is of no use any more: withdrawn, or too old.
    pub over: bool,
    /// How long it is of use, seconds.
    pub valid_seconds: u32,
}

/// Invitations to be made: for each address a role link for one person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewInvitations {
    /// 1 to 100 addresses, each `ann@example.org` or `Ann Lee <ann@example.org>`. One that is there twice counts once.
    pub addresses: Vec<String>,
    /// The role the links carry.
    pub role: Role,
    /// When it begins, seconds since the Unix epoch: the mail says so and has a calendar file.
    #[serde(default)]
    pub start: Option<u64>,
    /// How long it lasts, minutes, 1 to 1,440. Default: an hour.
    #[serde(default)]
    pub minutes: Option<u32>,
    /// Minutes that the clocks of whoever invites are ahead of UTC: the mail says the start by them.
    #[serde(default)]
    pub utc_offset: Option<i16>,
    /// Language of the mail. Default: English.
    #[serde(default)]
    pub language: Option<Language>,
}

/// Language of a mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
}

/// Somebody who is invited by e-mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// Number of their role link; withdrawing it withdraws the invitation.
    pub link: u32,
    /// Their address.
    pub address: String,
    /// Their name, if it was given.
    pub name: Option<String>,
    /// The role they come with.
    pub role: Role,
    /// What became of the mail.
    pub state: MailState,
    /// What the mail server said to the last attempt that failed.
    pub reason: Option<String>,
    /// Somebody has entered with the link.
    pub used: bool,
    /// The token the link carries, while it is of use.
    pub token: Option<String>,
}

/// What became of an invitation's mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// It is on disk, and will be sent, or sent again after an attempt that failed.
    Queued,
    /// The mail server has taken it.
    Sent,
    /// It is given up; the link works.
    Failed,
    /// The link was withdrawn.
    Withdrawn,
    /// This server sends no mail: the link is there to be copied.
    LinkOnly,
}
