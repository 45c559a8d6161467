//! Short-lived credentials that the server makes and checks without remembering them (draft-uberti-behave-turn-rest-00
//! §2.2): the username tells until when it is valid, the password is a MAC over it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::limits;

/// What a client allocates a relay with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnCredentials {
    /// End of validity in seconds since the Unix epoch, a colon, and who they were made for.
    pub username: String,
    /// Base64.
    pub password: String,
}

/// What passwords are made with.
pub(crate) struct Secret(hmac::Key);

impl Secret {
    /// A new one; with it all credentials made before end.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key)))
    }

    /// Credentials for somebody, `tag` telling theirs from those of others.
    pub(crate) fn issue(&self, tag: u64, now: SystemTime) -> TurnCredentials {
        let until = seconds(now) + limits::TURN_CREDENTIALS_VALID.as_secs();
        let username = format!("{until}:{tag:x}");
        let password = self.password(&username);
        TurnCredentials { username, password }
    }

    /// The password of a username that is valid `now`.
    pub(super) fn password_if_valid(&self, username: &str, now: SystemTime) -> Option<String> {
        let (until, _) = username.split_once(':')?;
        let left = until.parse::<u64>().ok()?.checked_sub(seconds(now))?;
        // Nobody but this server makes credentials: a longer validity is an invention.
        (left <= limits::TURN_CREDENTIALS_VALID.as_secs()).then(|| self.password(username))
    }

    fn password(&self, username: &str) -> String {
        STANDARD.encode(hmac::sign(&self.0, username.as_bytes()))
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_good_until_they_end_and_for_one_server() {
        let (ours, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        let made = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let TurnCredentials { username, password } = ours.issue(0xabc, made);
        assert_eq!(username, format!("{}:abc", 1_800_000_000 + limits::TURN_CREDENTIALS_VALID.as_secs()));
        assert_eq!(ours.password_if_valid(&username, made).as_ref(), Some(&password));
        let end = made + limits::TURN_CREDENTIALS_VALID;
        assert!(ours.password_if_valid(&username, end).is_some());
        assert_eq!(ours.password_if_valid(&username, end + Duration::from_secs(1)), None);
        assert_ne!(other.password_if_valid(&username, made), Some(password));
    }

    #[test]
    fn usernames_nobody_made_have_no_password() {
        let ours = Secret::random().unwrap();
        for username in ["", "1", ":", "never:x", "99999999999999999999:x", "9999999999:x", "-1:x"] {
            let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
            assert_eq!(ours.password_if_valid(username, now), None, "{username}");
        }
    }
}
