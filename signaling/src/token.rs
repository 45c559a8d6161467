//! Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256, which say the room, the role and perhaps the name.

use dais_stage::Role;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::protocol::SessionError;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Id of the room.
    pub room: String,
    /// Role in it.
    pub role: Role,
    /// Display name; without one the person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// End of validity, in seconds since the Unix epoch.
    pub exp: u64,
    /// Who they are across connections. Without one, each person who comes with the token is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Number of the role link this token is, or came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<u32>,
    /// In a token to come back with: until when it also lets in somebody who has left, seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enter_until: Option<u64>,
}

impl Claims {
    /// Claims for anybody who comes with the token.
    #[must_use]
    pub fn new(room: &str, role: Role, exp: u64) -> Self {
        Self { room: room.to_owned(), role, name: None, exp, sub: None, link: None, enter_until: None }
    }

    /// Whether somebody who is not in the room may enter at `now`, seconds since the Unix epoch.
    pub(crate) fn lets_in(&self, now: u64) -> bool {
        self.enter_until.is_none_or(|until| now <= until)
    }

    /// Claims with which `identity` comes back into the room, also after the token they came with has expired: whoever
    /// falls off in the third hour of a session does not need a new link.
    pub(crate) fn to_come_back(&self, identity: &str, now: u64) -> Self {
        Self {
            exp: self.exp.max(now + crate::limits::COME_BACK_WITHIN.as_secs()),
            sub: Some(identity.to_owned()),
            enter_until: Some(self.enter_until.unwrap_or(self.exp)),
            ..self.clone()
        }
    }
}

/// Signs and checks tokens.
#[derive(Clone)]
pub struct TokenKeys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

/// Shortest secret, bytes: as long as the hash (RFC 7518 §3.2).
pub const SECRET_BYTES_MIN: usize = 32;

impl TokenKeys {
    /// Keys from a shared secret of at least [`SECRET_BYTES_MIN`] bytes; `None` when it is shorter.
    #[must_use]
    pub fn from_secret(secret: &[u8]) -> Option<Self> {
        if secret.len() < SECRET_BYTES_MIN {
            return None;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 5;
        validation.validate_aud = false;
        Some(Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
        })
    }

    /// Signs `claims`.
    ///
    /// # Errors
    /// [`SessionError::Internal`] when the library cannot.
    pub fn sign(&self, claims: &Claims) -> Result<String, SessionError> {
        let header = Header::new(Algorithm::HS256);
        jsonwebtoken::encode(&header, claims, &self.encoding).map_err(|_| SessionError::Internal)
    }

    /// What `token` says, if it is ours, valid now, and for `room`.
    ///
    /// # Errors
    /// [`SessionError::TokenExpired`] or [`SessionError::TokenInvalid`].
    pub fn check(&self, token: &str, room: &str) -> Result<Claims, SessionError> {
        let data = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation);
        let claims = data.map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => SessionError::TokenExpired,
            _ => SessionError::TokenInvalid,
        });
        claims
            .map(|data| data.claims)
            .and_then(|claims| if claims.room == room { Ok(claims) } else { Err(SessionError::TokenInvalid) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: u8) -> TokenKeys {
        TokenKeys::from_secret(&[secret; 32]).unwrap()
    }

    fn claims(exp: u64) -> Claims {
        Claims { name: Some("Ann".to_owned()), ..Claims::new("demo", Role::Host, exp) }
    }

    const FAR: u64 = 4_000_000_000;

    #[test]
    fn a_signed_token_says_what_was_signed() {
        let token = keys(1).sign(&claims(FAR)).unwrap();
        assert_eq!(keys(1).check(&token, "demo"), Ok(claims(FAR)));
    }

    #[test]
    fn foreign_expired_and_misplaced_tokens_are_told_apart() {
        let token = keys(1).sign(&claims(FAR)).unwrap();
        assert_eq!(keys(2).check(&token, "demo"), Err(SessionError::TokenInvalid));
        assert_eq!(keys(1).check(&token, "other"), Err(SessionError::TokenInvalid));
        assert_eq!(keys(1).check("nonsense", "demo"), Err(SessionError::TokenInvalid));
        let old = keys(1).sign(&claims(1_000)).unwrap();
        assert_eq!(keys(1).check(&old, "demo"), Err(SessionError::TokenExpired));
    }

    #[test]
    fn a_token_without_signature_is_refused() {
        // {"alg":"none"} . {"room":"demo","role":"host","exp":4000000000} .
        let unsigned = "eyJhbGciOiJub25lIn0.eyJyb29tIjoiZGVtbyIsInJvbGUiOiJob3N0IiwiZXhwIjo0MDAwMDAwMDAwfQ.";
        assert_eq!(keys(1).check(unsigned, "demo"), Err(SessionError::TokenInvalid));
    }

    #[test]
    fn a_token_to_come_back_with_lets_in_newcomers_no_longer_than_the_first_one() {
        let back = claims(1_000).to_come_back("ann", 900);
        assert!(back.exp > 1_000 && back.sub.as_deref() == Some("ann"));
        assert!(back.lets_in(1_000) && !back.lets_in(1_001));
        let again = back.to_come_back("ann", 2_000);
        assert!(!again.lets_in(1_001), "coming back does not prolong it");
    }

    #[test]
    fn a_forged_role_is_refused() {
        let token = keys(1).sign(&Claims::new("demo", Role::Participant, FAR)).unwrap();
        let forged = keys(2).sign(&Claims::new("demo", Role::Host, FAR)).unwrap();
        let part = |token: &str, n: usize| token.split('.').nth(n).unwrap().to_owned();
        let mixed = format!("{}.{}.{}", part(&token, 0), part(&forged, 1), part(&token, 2));
        assert_eq!(keys(1).check(&mixed, "demo"), Err(SessionError::TokenInvalid));
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(TokenKeys::from_secret(&[1; 31]).is_none());
    }
}
