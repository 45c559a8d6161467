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
        Claims { room: "demo".to_owned(), role: Role::Host, name: Some("Ann".to_owned()), exp }
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
    fn a_short_secret_is_refused() {
        assert!(TokenKeys::from_secret(&[1; 31]).is_none());
    }
}
