//! ICE-lite (RFC 8445 §2.5): answers connectivity checks, never sends any. The STUN codec is the `rtc` crate's.

use std::net::SocketAddr;

use aws_lc_rs::hmac;
use rtc::stun::attributes::{
    ATTR_FINGERPRINT, ATTR_ICE_CONTROLLED, ATTR_MESSAGE_INTEGRITY, ATTR_USE_CANDIDATE, ATTR_USERNAME,
};
use rtc::stun::fingerprint::{FINGERPRINT, FINGERPRINT_SIZE};
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter};
use rtc::stun::xoraddr::XorMappedAddress;

use crate::counters::DropReason;
use crate::ids::WorkerId;

/// ICE user fragment: a character that names the worker, and 7 with 42 bits of randomness (RFC 8445 §5.3 asks for 24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ufrag([u8; 8]);

impl Ufrag {
    /// As it stands in SDP.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a ufrag is made of ICE characters")
    }

    /// The worker whose peer it is: its first character.
    #[must_use]
    pub fn worker(&self) -> Option<WorkerId> {
        ICE_CHARS.iter().position(|c| *c == self.0[0]).map(|worker| WorkerId(worker as u8))
    }
}

/// The server's half of a session's ICE credentials (RFC 8445 §5.3).
#[derive(Clone)]
pub struct Credentials {
    /// User fragment.
    pub ufrag: Ufrag,
    /// Password: 24 characters, 144 bits of randomness (RFC 8445 §5.3 asks for 128).
    pub pwd: String,
}

/// ICE characters (RFC 8445 §15.1).
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Credentials {
    /// Fresh random credentials for a peer of `worker`.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn random(worker: WorkerId) -> Result<Self, getrandom::Error> {
        let mut random = [0u8; 32];
        getrandom::fill(&mut random)?;
        let mut chars = random.map(|byte| ICE_CHARS[usize::from(byte % 64)]);
        chars[0] = ICE_CHARS[usize::from(worker.0 % 64)];
        let (ufrag, pwd) = chars.split_first_chunk().expect("32 characters hold a ufrag");
        Ok(Self { ufrag: Ufrag(*ufrag), pwd: pwd.iter().map(|c| char::from(*c)).collect() })
    }
}

/// A binding request that parses and whose checksum is right; who sent it is not proved yet.
#[derive(Debug)]
pub struct Request {
    message: Message,
    ufrag: Ufrag,
    nominates: bool,
}

const INTEGRITY_SIZE: usize = 20;
const ATTRIBUTE_HEADER: usize = 4;
const MESSAGE_HEADER: usize = 20;

impl Request {
    /// Parses a connectivity check.
    ///
    /// # Errors
    /// The reason to count the datagram under: it is answered with nothing.
    pub fn parse(datagram: &[u8]) -> Result<Self, DropReason> {
        let mut message = Message::default();
        message.unmarshal_binary(datagram).map_err(|_| DropReason::StunMalformed)?;
        if message.raw.len() != MESSAGE_HEADER + message.length as usize {
            return Err(DropReason::StunMalformed);
        }
        if message.typ != BINDING_REQUEST || message.contains(ATTR_ICE_CONTROLLED) {
            return Err(DropReason::StunUnexpected);
        }
        // RFC 8489 §14.7: FINGERPRINT is the last attribute; MESSAGE-INTEGRITY stands right before it.
        let attributes = &message.attributes.0;
        let [.., integrity, fingerprint] = attributes.as_slice() else { return Err(DropReason::StunMalformed) };
        let ends_well = integrity.typ == ATTR_MESSAGE_INTEGRITY
            && integrity.value.len() == INTEGRITY_SIZE
            && fingerprint.typ == ATTR_FINGERPRINT
            && fingerprint.value.len() == FINGERPRINT_SIZE;
        if !ends_well {
            return Err(DropReason::StunMalformed);
        }
        FINGERPRINT.check(&message).map_err(|_| DropReason::StunForged)?;
        let username = message.get(ATTR_USERNAME).map_err(|_| DropReason::StunMalformed)?;
        // RFC 8445 §7.2.2: the receiver's ufrag, a colon, the sender's.
        let ours = username.split(|byte| *byte == b':').next().unwrap_or_default();
        let ufrag = ours.try_into().map(Ufrag).map_err(|_| DropReason::StunUnknownUser)?;
        let nominates = message.contains(ATTR_USE_CANDIDATE);
        Ok(Self { message, ufrag, nominates })
    }

    /// The server's user fragment that the check is for.
    #[must_use]
    pub fn ufrag(&self) -> Ufrag {
        self.ufrag
    }

    /// Whether the controlling side nominates this pair (RFC 8445 §8.1.1).
    #[must_use]
    pub fn nominates(&self) -> bool {
        self.nominates
    }

    /// Proves that the sender knows `pwd`.
    ///
    /// # Errors
    /// [`DropReason::StunForged`] when MESSAGE-INTEGRITY does not fit.
    pub fn authenticate(&self, pwd: &str) -> Result<(), DropReason> {
        let integrity_at = self.message.raw.len() - (ATTRIBUTE_HEADER + FINGERPRINT_SIZE) - INTEGRITY_SIZE;
        let covered_end = integrity_at - ATTRIBUTE_HEADER;
        // RFC 8489 §14.5: the length in the header counts up to and including MESSAGE-INTEGRITY.
        let length = (integrity_at + INTEGRITY_SIZE - MESSAGE_HEADER) as u16;
        let raw = &self.message.raw;
        let mut mac = hmac::Context::with_key(&hmac_key(pwd));
        mac.update(&raw[..2]);
        mac.update(&length.to_be_bytes());
        mac.update(&raw[4..covered_end]);
        let received = &raw[integrity_at..integrity_at + INTEGRITY_SIZE];
        aws_lc_rs::constant_time::verify_slices_are_equal(mac.sign().as_ref(), received)
            .map_err(|_| DropReason::StunForged)
    }

    /// The success response that tells `from` its own address. Shorter than any request with a username that fits.
    #[must_use]
    pub fn response(&self, from: SocketAddr, pwd: &str) -> Option<Vec<u8>> {
        let mut response = Message::new();
        response.set_type(BINDING_SUCCESS);
        response.transaction_id = self.message.transaction_id;
        response.write_header();
        XorMappedAddress { ip: from.ip(), port: from.port() }.add_to(&mut response).ok()?;
        // RFC 8489 §14.5: the length already counts MESSAGE-INTEGRITY when the HMAC is computed.
        let mut covered = response.raw.clone();
        let length = response.length as usize + ATTRIBUTE_HEADER + INTEGRITY_SIZE;
        covered[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        let integrity = hmac::sign(&hmac_key(pwd), &covered);
        response.add(ATTR_MESSAGE_INTEGRITY, integrity.as_ref());
        FINGERPRINT.add_to(&mut response).ok()?;
        Some(response.raw)
    }
}

fn hmac_key(pwd: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, pwd.as_bytes())
}

/// Builds a connectivity check as a full ICE agent sends it; for clients and tests.
///
/// # Errors
/// When the attributes do not fit a message.
pub fn binding_request(
    local_ufrag: &str,
    remote_ufrag: &str,
    remote_pwd: &str,
    nominate: bool,
) -> Result<Vec<u8>, rtc::shared::error::Error> {
    use rtc::stun::attributes::{ATTR_ICE_CONTROLLING, ATTR_PRIORITY};

    let mut request = Message::new();
    request.set_type(BINDING_REQUEST);
    request.write_header();
    request.new_transaction_id()?;
    request.add(ATTR_USERNAME, format!("{remote_ufrag}:{local_ufrag}").as_bytes());
    request.add(ATTR_ICE_CONTROLLING, &[7; 8]);
    request.add(ATTR_PRIORITY, &1_845_501_695u32.to_be_bytes());
    if nominate {
        request.add(ATTR_USE_CANDIDATE, &[]);
    }
    let mut covered = request.raw.clone();
    let length = request.length as usize + ATTRIBUTE_HEADER + INTEGRITY_SIZE;
    covered[2..4].copy_from_slice(&(length as u16).to_be_bytes());
    let integrity = hmac::sign(&hmac_key(remote_pwd), &covered);
    request.add(ATTR_MESSAGE_INTEGRITY, integrity.as_ref());
    FINGERPRINT.add_to(&mut request)?;
    Ok(request.raw)
}

#[cfg(test)]
mod tests {
    use rtc::stun::message::Getter;

    use super::*;

    fn credentials() -> Credentials {
        Credentials::random(WorkerId(0)).unwrap()
    }

    fn check(of: &Credentials, nominate: bool) -> Vec<u8> {
        binding_request("peer", of.ufrag.as_str(), &of.pwd, nominate).unwrap()
    }

    #[test]
    fn a_check_is_authenticated_and_answered_with_the_senders_address() {
        let ours = credentials();
        let request = Request::parse(&check(&ours, true)).unwrap();
        assert_eq!(request.ufrag(), ours.ufrag);
        assert!(request.nominates());
        request.authenticate(&ours.pwd).unwrap();

        let from: SocketAddr = "127.0.0.1:5004".parse().unwrap();
        let raw = request.response(from, &ours.pwd).unwrap();
        let mut response = Message::default();
        response.unmarshal_binary(&raw).unwrap();
        FINGERPRINT.check(&response).unwrap();
        let mut mapped = XorMappedAddress::default();
        mapped.get_from(&response).unwrap();
        assert_eq!((mapped.ip, mapped.port), (from.ip(), from.port()));
        assert_eq!(response.transaction_id, request.message.transaction_id);
    }

    #[test]
    fn the_independent_integrity_check_agrees() {
        let ours = credentials();
        let crypto = rtc::crypto::default_provider().unwrap();
        let mut message = Message::default();
        message.unmarshal_binary(&check(&ours, false)).unwrap();
        rtc::stun::integrity::MessageIntegrity::check(&mut message, ours.pwd.as_bytes(), crypto.crypto()).unwrap();
    }

    #[test]
    fn a_ufrag_tells_its_worker() {
        for worker in [0, 1, 63].map(WorkerId) {
            assert_eq!(Credentials::random(worker).unwrap().ufrag.worker(), Some(worker));
        }
    }

    #[test]
    fn a_wrong_password_is_forged() {
        let ours = credentials();
        let request = Request::parse(&check(&ours, false)).unwrap();
        assert_eq!(request.authenticate("another password"), Err(DropReason::StunForged));
    }

    #[test]
    fn the_answer_is_never_longer_than_the_question() {
        let ours = credentials();
        let question = check(&ours, false);
        let request = Request::parse(&question).unwrap();
        let from: SocketAddr = "[2001:db8::1]:5004".parse().unwrap();
        assert!(request.response(from, &ours.pwd).unwrap().len() <= question.len());
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let ours = credentials();
        let good = check(&ours, true);
        for at in 0..good.len() {
            let mut changed = good.clone();
            changed[at] ^= 0x10;
            let accepted = Request::parse(&changed).is_ok_and(|r| r.authenticate(&ours.pwd).is_ok());
            assert!(!accepted, "byte {at}");
        }
        for len in 0..good.len() {
            assert!(Request::parse(&good[..len]).is_err(), "cut at {len}");
        }
    }
}
