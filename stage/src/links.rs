//! Role links: signed addresses that let people in with a role, and can be withdrawn.

use serde::{Deserialize, Serialize};

use crate::ids::{Identity, LinkId, Millis};
use crate::model::Role;
use crate::refusal::Refusal;

/// A role link that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its number.
    pub id: LinkId,
    /// The role it carries.
    pub role: Role,
    /// It is of no use from then on.
    pub expires: Millis,
    /// For one person: whoever enters first owns it.
    pub personal: bool,
    /// Withdrawn by a moderator.
    pub revoked: bool,
    /// Who entered with it, if it is personal.
    pub used_by: Option<Identity>,
}

impl Link {
    /// Whether `identity` may come in with it.
    pub(crate) fn check(&self, now: Millis, identity: &Identity) -> Result<(), Refusal> {
        if self.revoked {
            Err(Refusal::LinkRevoked)
        } else if now >= self.expires {
            Err(Refusal::LinkExpired)
        } else if self.used_by.as_ref().is_some_and(|owner| owner != identity) {
            Err(Refusal::LinkUsed)
        } else {
            Ok(())
        }
    }
}
