//! Signatures as Standard Webhooks 1.0.0 has them: HMAC-SHA256 of id, time and body.

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::limits;

/// What the secret of an existing implementation begins with; Base64 of the key is behind it.
const PREFIX: &str = "whsec_";

/// The key that events are signed with.
#[derive(Clone)]
pub(crate) struct Key(hmac::Key);

impl Key {
    /// A text of at least [`limits::SECRET_BYTES`] bytes, or `whsec_` with the Base64 of at least [`limits::KEY_BYTES`].
    pub(crate) fn new(secret: &str) -> Option<Self> {
        let key = match secret.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).ok().filter(|key| key.len() >= limits::KEY_BYTES)?,
            None if secret.len() >= limits::SECRET_BYTES => secret.as_bytes().to_vec(),
            None => return None,
        };
        Some(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// The header `webhook-signature` of a request at `time`, seconds since the Unix epoch.
    pub(crate) fn sign(&self, id: &str, time: u64, body: &str) -> String {
        let signature = hmac::sign(&self.0, format!("{id}.{time}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(signature))
    }
}

/// A name for `text` that nobody reads it from.
pub(crate) fn fingerprint(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification (standard-webhooks/standard-webhooks, libraries' tests).
    #[test]
    fn a_signature_is_what_others_expect() {
        let key = Key::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_that_can_be_guessed_is_none() {
        assert!(Key::new("a secret of more than thirty-two bytes").is_some());
        for weak in ["", "short", "whsec_", "whsec_c2hvcnQ=", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*"] {
            assert!(Key::new(weak).is_none(), "{weak}");
        }
    }
}
