//! SRTP and SRTCP in place: AES-GCM (RFC 7714), with AES-CM and HMAC-SHA1 (RFC 3711) for clients without it.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;

use crate::gcm::{self, NONCE};
use crate::ids::Ssrc;
use crate::replay::ReplayWindows;
use crate::rtp::Header;

/// A packet that is not accepted, or material that makes no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SrtpError {
    /// Shorter than header, tag and index.
    #[error("SRTP packet too short")]
    TooShort,
    /// The tag does not fit.
    #[error("SRTP authentication failed")]
    Forged,
    /// Seen before, or too old to tell.
    #[error("SRTP packet replayed")]
    Replayed,
    /// More sources than a session may have.
    #[error("too many SSRCs")]
    TooManySources,
    /// Keying material of the wrong length.
    #[error("SRTP keying material does not fit the profile")]
    Keys,
}

/// SRTP protection profile (RFC 5764 §4.1.2, RFC 7714 §14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// AEAD_AES_256_GCM.
    Aes256Gcm,
    /// AEAD_AES_128_GCM.
    Aes128Gcm,
    /// AES128_CM_HMAC_SHA1_80.
    Aes128CmSha1,
}

impl Profile {
    fn key_len(self) -> usize {
        if self == Self::Aes256Gcm { 32 } else { 16 }
    }

    fn salt_len(self) -> usize {
        if self == Self::Aes128CmSha1 { 14 } else { 12 }
    }
}

/// Longest tag appended to an RTP packet.
pub const TAG_BYTES_MAX: usize = 16;
const GCM_TAG: usize = gcm::TAG;
const SHA1_TAG: usize = 10;
const SRTCP_INDEX: usize = 4;
const RTCP_HEADER: usize = 8;

/// Splits exported keying material into what the DTLS client writes with and what the server writes with (RFC 5764
/// §4.2: client key, server key, client salt, server salt).
///
/// # Errors
/// [`SrtpError::Keys`] when the length does not fit `profile`.
pub fn split_material(profile: Profile, material: &[u8]) -> Result<(MasterKey, MasterKey), SrtpError> {
    let (key, salt) = (profile.key_len(), profile.salt_len());
    if material.len() < 2 * (key + salt) {
        return Err(SrtpError::Keys);
    }
    let (keys, salts) = material.split_at(2 * key);
    let master = |n: usize| MasterKey {
        profile,
        key: keys[n * key..(n + 1) * key].to_vec(),
        salt: salts[n * salt..(n + 1) * salt].to_vec(),
    };
    Ok((master(0), master(1)))
}

/// Master key and salt of one direction.
#[derive(Clone)]
pub struct MasterKey {
    profile: Profile,
    key: Vec<u8>,
    salt: Vec<u8>,
}

impl MasterKey {
    /// Derives a session key, salt or authentication key (RFC 3711 §4.3.1 with a key derivation rate of 0; RFC 7714
    /// §11: shorter salts are padded with zeros on the right).
    fn derive(&self, label: u8, len: usize) -> Result<Vec<u8>, SrtpError> {
        let algorithm = if self.key.len() == 32 { &AES_256 } else { &AES_128 };
        let mut iv = [0u8; 16];
        iv[..self.salt.len()].copy_from_slice(&self.salt);
        iv[7] ^= label;
        let mut out = vec![0u8; len];
        let key = UnboundCipherKey::new(algorithm, &self.key).map_err(|_| SrtpError::Keys)?;
        let key = EncryptingKey::ctr(key).map_err(|_| SrtpError::Keys)?;
        key.less_safe_encrypt(&mut out, EncryptionContext::Iv128(iv.into())).map_err(|_| SrtpError::Keys)?;
        Ok(out)
    }

    fn cipher(&self, [key, auth, salt]: [u8; 3]) -> Result<Cipher, SrtpError> {
        let session_key = self.derive(key, self.key.len())?;
        let session_salt = self.derive(salt, self.salt.len())?;
        match self.profile {
            Profile::Aes256Gcm | Profile::Aes128Gcm => {
                let salt = session_salt[..].try_into().map_err(|_| SrtpError::Keys)?;
                Ok(Cipher::Gcm { key: gcm::Key::new(&session_key).ok_or(SrtpError::Keys)?, salt })
            }
            Profile::Aes128CmSha1 => {
                let mac = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.derive(auth, 20)?);
                let key = UnboundCipherKey::new(&AES_128, &session_key).map_err(|_| SrtpError::Keys)?;
                let key = EncryptingKey::ctr(key).map_err(|_| SrtpError::Keys)?;
                let salt = session_salt[..].try_into().map_err(|_| SrtpError::Keys)?;
                Ok(Cipher::CmSha1 { key: Box::new(key), mac: Box::new(mac), salt })
            }
        }
    }
}

/// Labels of key, authentication key and salt (RFC 3711 §4.3.2).
const RTP_LABELS: [u8; 3] = [0, 1, 2];
const RTCP_LABELS: [u8; 3] = [3, 4, 5];

/// Session key, salt and, for HMAC, authentication key of RTP or of RTCP in one direction.
enum Cipher {
    Gcm { key: gcm::Key, salt: [u8; NONCE] },
    CmSha1 { key: Box<EncryptingKey>, mac: Box<hmac::Key>, salt: [u8; 14] },
}

impl Cipher {
    fn tag_len(&self) -> usize {
        match self {
            Self::Gcm { .. } => GCM_TAG,
            Self::CmSha1 { .. } => SHA1_TAG,
        }
    }
}

/// RFC 7714 §8.1 and §9.1: two zero bytes, SSRC, and 48 bits of packet index, XOR salt. For RTCP the index has 31 bits.
fn gcm_nonce(salt: &[u8; NONCE], ssrc: Ssrc, index: u64) -> [u8; NONCE] {
    let mut iv = *salt;
    let ssrc = ssrc.0.to_be_bytes();
    let index = index.to_be_bytes();
    iv[2..6].iter_mut().zip(ssrc).for_each(|(iv, byte)| *iv ^= byte);
    iv[6..12].iter_mut().zip(&index[2..8]).for_each(|(iv, byte)| *iv ^= byte);
    iv
}

/// RFC 3711 §4.1.1: salt, SSRC and packet index, each shifted to its place, with a block counter of 16 bits.
fn cm_counter(salt: &[u8; 14], ssrc: Ssrc, index: u64) -> EncryptionContext {
    let mut iv = [0u8; 16];
    iv[..14].copy_from_slice(salt);
    iv[4..8].iter_mut().zip(ssrc.0.to_be_bytes()).for_each(|(iv, byte)| *iv ^= byte);
    iv[8..14].iter_mut().zip(&index.to_be_bytes()[2..8]).for_each(|(iv, byte)| *iv ^= byte);
    EncryptionContext::Iv128(iv.into())
}

fn sha1_tag(mac: &hmac::Key, parts: [&[u8]; 2]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(mac);
    parts.iter().for_each(|part| context.update(part));
    context.sign()
}

/// Compares the truncated tag in constant time.
fn sha1_verify(mac: &hmac::Key, parts: [&[u8]; 2], tag: &[u8]) -> Result<(), SrtpError> {
    let expected = sha1_tag(mac, parts);
    aws_lc_rs::constant_time::verify_slices_are_equal(&expected.as_ref()[..SHA1_TAG], tag)
        .map_err(|_| SrtpError::Forged)
}

/// Protects what we send.
pub struct Sender {
    rtp: Cipher,
    rtcp: Cipher,
    rtcp_index: u32,
}

impl Sender {
    /// # Errors
    /// [`SrtpError::Keys`] when the material makes no key.
    pub fn new(key: &MasterKey) -> Result<Self, SrtpError> {
        Ok(Self { rtp: key.cipher(RTP_LABELS)?, rtcp: key.cipher(RTCP_LABELS)?, rtcp_index: 0 })
    }

    /// Asks for the memory of the key for RTP.
    pub(crate) fn prefetch_key(&self) {
        if let Cipher::Gcm { key, .. } = &self.rtp {
            key.prefetch();
        }
    }

    /// Encrypts the RTP packet `buf[..len]`, whose header has `header_len` bytes, and appends the tag. `index` is the
    /// extended sequence number (RFC 3711 §3.3.1). Returns the protected length.
    ///
    /// # Panics
    /// When `buf` has no room for [`TAG_BYTES_MAX`] bytes behind `len`, or `header_len` exceeds `len`.
    pub fn protect_rtp(&self, buf: &mut [u8], header_len: usize, len: usize, ssrc: Ssrc, index: u64) -> usize {
        let (packet, tail) = buf.split_at_mut(len);
        let (header, payload) = packet.split_at_mut(header_len);
        match &self.rtp {
            Cipher::Gcm { key, salt } => {
                let tag = key.seal_in_place(gcm_nonce(salt, ssrc, index), header, payload);
                tail[..GCM_TAG].copy_from_slice(&tag);
                len + GCM_TAG
            }
            Cipher::CmSha1 { key, mac, salt } => {
                let counter = cm_counter(salt, ssrc, index);
                key.less_safe_encrypt(payload, counter).expect("a datagram is within the limits of CTR");
                let tag = sha1_tag(mac, [packet, &roc(index)]);
                tail[..SHA1_TAG].copy_from_slice(&tag.as_ref()[..SHA1_TAG]);
                len + SHA1_TAG
            }
        }
    }

    /// Writes `header`, encrypted `payload` and tag to the start of `out`, and returns their length. `payload` stays as
    /// it is: many viewers are sent the same. `index` is the extended sequence number (RFC 3711 §3.3.1).
    ///
    /// # Panics
    /// When `out` has no room for all of it and [`TAG_BYTES_MAX`].
    pub fn seal_rtp(&self, header: &[u8], payload: &[u8], ssrc: Ssrc, index: u64, out: &mut [u8]) -> usize {
        let (head, rest) = out.split_at_mut(header.len());
        head.copy_from_slice(header);
        let (sealed, tail) = rest.split_at_mut(payload.len());
        let len = header.len() + payload.len();
        match &self.rtp {
            Cipher::Gcm { key, salt } => {
                let tag = key.seal(gcm_nonce(salt, ssrc, index), header, payload, sealed);
                tail[..GCM_TAG].copy_from_slice(&tag);
                len + GCM_TAG
            }
            Cipher::CmSha1 { .. } => {
                sealed.copy_from_slice(payload);
                self.protect_rtp(out, header.len(), len, ssrc, index)
            }
        }
    }

    /// Encrypts the RTCP compound packet `buf` and appends index and tag (RFC 3711 §3.4, RFC 7714 §9).
    ///
    /// # Panics
    /// When `buf` is shorter than an RTCP header with SSRC.
    pub fn protect_rtcp(&mut self, buf: &mut Vec<u8>) {
        self.rtcp_index = (self.rtcp_index + 1) & 0x7fff_ffff;
        let ssrc = rtcp_ssrc(buf).expect("a compound packet starts with header and SSRC");
        let index_word = (0x8000_0000 | self.rtcp_index).to_be_bytes();
        let (header, payload) = buf.split_at_mut(RTCP_HEADER);
        match &self.rtcp {
            Cipher::Gcm { key, salt } => {
                let nonce = gcm_nonce(salt, ssrc, u64::from(self.rtcp_index));
                let tag = key.seal_in_place(nonce, &rtcp_aad(header, index_word), payload);
                buf.extend_from_slice(&tag);
                buf.extend_from_slice(&index_word);
            }
            Cipher::CmSha1 { key, mac, salt } => {
                let counter = cm_counter(salt, ssrc, u64::from(self.rtcp_index));
                key.less_safe_encrypt(payload, counter).expect("a datagram is within the limits of CTR");
                buf.extend_from_slice(&index_word);
                let tag = sha1_tag(mac, [buf, &[]]);
                buf.extend_from_slice(&tag.as_ref()[..SHA1_TAG]);
            }
        }
    }
}

/// Authenticates and decrypts what a peer sends.
pub struct Receiver {
    rtp: Cipher,
    rtcp: Cipher,
    streams: ReplayWindows,
    /// The index counts per source (RFC 3711 §3.2.1): every SSRC that reports has a window of its own.
    rtcp_streams: ReplayWindows,
}

impl Receiver {
    /// # Errors
    /// [`SrtpError::Keys`] when the material makes no key.
    pub fn new(key: &MasterKey) -> Result<Self, SrtpError> {
        Ok(Self {
            rtp: key.cipher(RTP_LABELS)?,
            rtcp: key.cipher(RTCP_LABELS)?,
            streams: ReplayWindows::default(),
            rtcp_streams: ReplayWindows::default(),
        })
    }

    /// Asks for the memory of the key for RTCP, and of what tells a replay of it.
    pub(crate) fn prefetch_for_rtcp(&self) {
        if let Cipher::Gcm { key, .. } = &self.rtcp {
            key.prefetch();
        }
        self.rtcp_streams.prefetch();
    }

    /// Decrypts the RTP packet `buf` with its parsed `header` in place. Returns the length without tag. State is kept
    /// for a source only once a packet of it has authenticated.
    ///
    /// # Errors
    /// When the packet is too short, forged, replayed, or of one source too many.
    pub fn unprotect_rtp(&mut self, buf: &mut [u8], header: &Header) -> Result<usize, SrtpError> {
        let window = self.streams.get(header.ssrc);
        if window.is_none() && self.streams.is_full() {
            return Err(SrtpError::TooManySources);
        }
        let index = window.map_or(u64::from(header.seq), |window| window.index(header.seq));
        if window.is_some_and(|window| window.has_seen(index)) {
            return Err(SrtpError::Replayed);
        }
        let len = self.unprotect_rtp_at(buf, header, index)?;
        self.streams.record(header.ssrc, index);
        Ok(len)
    }

    /// Decrypts an RTP packet whose index (RFC 3711 §3.3.1) the caller knows, without protection against replay; for
    /// those who open some packets of a stream only, and keep count themselves. Returns the length without tag.
    ///
    /// # Errors
    /// When the packet is too short or forged, or has another index.
    pub fn unprotect_rtp_at(&self, buf: &mut [u8], header: &Header, index: u64) -> Result<usize, SrtpError> {
        let len = buf.len().checked_sub(self.rtp.tag_len()).ok_or(SrtpError::TooShort)?;
        if len < header.len {
            return Err(SrtpError::TooShort);
        }
        match &self.rtp {
            Cipher::Gcm { key, salt } => {
                let (packet, tag) = buf.split_at_mut(len);
                let (head, payload) = packet.split_at_mut(header.len);
                let nonce = gcm_nonce(salt, header.ssrc, index);
                key.open_in_place(nonce, head, payload, tag).map_err(|_| SrtpError::Forged)?;
            }
            Cipher::CmSha1 { key, mac, salt } => {
                let (packet, tag) = buf.split_at_mut(len);
                sha1_verify(mac, [packet, &roc(index)], tag)?;
                let counter = cm_counter(salt, header.ssrc, index);
                key.less_safe_encrypt(&mut packet[header.len..], counter).map_err(|_| SrtpError::Forged)?;
            }
        }
        Ok(len)
    }

    /// Decrypts the RTCP compound packet `buf` in place. Returns the length without index and tag.
    ///
    /// # Errors
    /// When the packet is too short, not encrypted, forged or replayed.
    pub fn unprotect_rtcp(&mut self, buf: &mut [u8]) -> Result<usize, SrtpError> {
        let trailer = self.rtcp.tag_len() + SRTCP_INDEX;
        let len = buf.len().checked_sub(trailer).filter(|len| *len >= RTCP_HEADER).ok_or(SrtpError::TooShort)?;
        let ssrc = rtcp_ssrc(buf).ok_or(SrtpError::TooShort)?;
        let index_at = match &self.rtcp {
            Cipher::Gcm { .. } => buf.len() - SRTCP_INDEX,
            Cipher::CmSha1 { .. } => len,
        };
        let index_word: [u8; 4] = *buf[index_at..].first_chunk().ok_or(SrtpError::TooShort)?;
        let word = u32::from_be_bytes(index_word);
        // Every profile here encrypts RTCP; the E flag cleared is a downgrade.
        if word & 0x8000_0000 == 0 {
            return Err(SrtpError::Forged);
        }
        let index = u64::from(word & 0x7fff_ffff);
        let window = self.rtcp_streams.get(ssrc);
        if window.is_none() && self.rtcp_streams.is_full() {
            return Err(SrtpError::TooManySources);
        }
        if window.is_some_and(|window| window.has_seen(index)) {
            return Err(SrtpError::Replayed);
        }
        match &self.rtcp {
            Cipher::Gcm { key, salt } => {
                let (packet, tag) = buf[..len + GCM_TAG].split_at_mut(len);
                let (header, reports) = packet.split_at_mut(RTCP_HEADER);
                let (nonce, aad) = (gcm_nonce(salt, ssrc, index), rtcp_aad(header, index_word));
                key.open_in_place(nonce, &aad, reports, tag).map_err(|_| SrtpError::Forged)?;
            }
            Cipher::CmSha1 { key, mac, salt } => {
                let (packet, tag) = buf.split_at_mut(len + SRTCP_INDEX);
                sha1_verify(mac, [packet, &[]], tag)?;
                let counter = cm_counter(salt, ssrc, index);
                key.less_safe_encrypt(&mut packet[RTCP_HEADER..len], counter).map_err(|_| SrtpError::Forged)?;
            }
        }
        self.rtcp_streams.record(ssrc, index);
        Ok(len)
    }
}

fn roc(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

fn rtcp_ssrc(buf: &[u8]) -> Option<Ssrc> {
    Some(Ssrc(u32::from_be_bytes(*buf.get(4..)?.first_chunk()?)))
}

fn rtcp_aad(header: &[u8], index_word: [u8; 4]) -> [u8; RTCP_HEADER + SRTCP_INDEX] {
    let mut aad = [0u8; RTCP_HEADER + SRTCP_INDEX];
    aad[..RTCP_HEADER].copy_from_slice(header);
    aad[RTCP_HEADER..].copy_from_slice(&index_word);
    aad
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    const PROFILES: [Profile; 3] = [Profile::Aes256Gcm, Profile::Aes128Gcm, Profile::Aes128CmSha1];

    fn master(profile: Profile) -> MasterKey {
        let material: Vec<u8> = (0..88).collect();
        split_material(profile, &material).unwrap().0
    }

    fn rtp_packet(seq: u16, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, 96];
        packet.extend(seq.to_be_bytes());
        packet.extend([0, 0, 0, 9, 0, 0, 0, 7]);
        packet.extend(payload);
        packet
    }

    fn protected(sender: &Sender, packet: &[u8], index: u64) -> Vec<u8> {
        let mut buf = packet.to_vec();
        buf.resize(packet.len() + TAG_BYTES_MAX, 0);
        let len = sender.protect_rtp(&mut buf, 12, packet.len(), Ssrc(7), index);
        buf.truncate(len);
        buf
    }

    fn unprotect(receiver: &mut Receiver, buf: &mut [u8]) -> Result<usize, SrtpError> {
        let header = Header::parse(buf).unwrap();
        receiver.unprotect_rtp(buf, &header)
    }

    /// The `rtc` crate's SRTP is an independent implementation: what we protect it opens, and the reverse.
    #[test]
    fn agrees_with_an_independent_implementation() {
        use rtc::srtp::context::Context;
        use rtc::srtp::protection_profile::ProtectionProfile;

        for profile in PROFILES {
            let key = master(profile);
            let theirs = match profile {
                Profile::Aes256Gcm => ProtectionProfile::AeadAes256Gcm,
                Profile::Aes128Gcm => ProtectionProfile::AeadAes128Gcm,
                Profile::Aes128CmSha1 => ProtectionProfile::Aes128CmHmacSha1_80,
            };
            let crypto = rtc::crypto::default_provider().unwrap();
            let context = || Context::new(&key.key, &key.salt, theirs, None, None, crypto.crypto()).unwrap();

            let packet = rtp_packet(1000, b"a payload of some length");
            let ours = protected(&Sender::new(&key).unwrap(), &packet, 1000);
            assert_eq!(&context().decrypt_rtp(&ours).unwrap()[..], packet, "{profile:?} RTP, ours to theirs");
            let mut received = context().encrypt_rtp(&packet).unwrap().to_vec();
            let len = unprotect(&mut Receiver::new(&key).unwrap(), &mut received).unwrap();
            assert_eq!(received[..len], packet, "{profile:?} RTP, theirs to ours");

            let report = [0x80, 201, 0, 1, 0, 0, 0, 7, 0x81, 206, 0, 2, 0, 0, 0, 7, 0, 0, 0, 8].to_vec();
            let mut ours = report.clone();
            Sender::new(&key).unwrap().protect_rtcp(&mut ours);
            assert_eq!(&context().decrypt_rtcp(&ours).unwrap()[..], report, "{profile:?} RTCP, ours to theirs");
            let mut received = context().encrypt_rtcp(&report).unwrap().to_vec();
            let len = Receiver::new(&key).unwrap().unprotect_rtcp(&mut received).unwrap();
            assert_eq!(received[..len], report, "{profile:?} RTCP, theirs to ours");
        }
    }

    #[test]
    fn the_roll_over_counter_follows_the_sequence_number() {
        for profile in PROFILES {
            let key = master(profile);
            let (sender, mut receiver) = (Sender::new(&key).unwrap(), Receiver::new(&key).unwrap());
            for index in [65_533, 65_535, 65_536, 65_534, 65_600] {
                let packet = rtp_packet(index as u16, b"x");
                let mut received = protected(&sender, &packet, index);
                assert!(unprotect(&mut receiver, &mut received).is_ok(), "{profile:?} index {index}");
            }
        }
    }

    #[test]
    fn a_replayed_or_changed_packet_is_refused_and_the_session_goes_on() {
        for profile in PROFILES {
            let key = master(profile);
            let (sender, mut receiver) = (Sender::new(&key).unwrap(), Receiver::new(&key).unwrap());
            let good = protected(&sender, &rtp_packet(5, b"hello"), 5);
            for at in 0..good.len() {
                let mut changed = good.clone();
                changed[at] ^= 0x01;
                if let Ok(header) = Header::parse(&changed) {
                    assert!(receiver.unprotect_rtp(&mut changed, &header).is_err(), "{profile:?} byte {at}");
                }
            }
            assert!(unprotect(&mut receiver, &mut good.clone()).is_ok());
            assert_eq!(unprotect(&mut receiver, &mut good.clone()), Err(SrtpError::Replayed));
        }
    }

    /// Browsers report under several SSRCs, and each counts its own index from 1.
    #[test]
    fn reports_of_several_sources_do_not_hide_each_other() {
        for profile in PROFILES {
            let key = master(profile);
            let mut receiver = Receiver::new(&key).unwrap();
            let mut senders = [7u8, 8].map(|ssrc| (ssrc, Sender::new(&key).unwrap()));
            for round in 0..3 {
                for (ssrc, sender) in &mut senders {
                    let mut report = vec![0x80, 201, 0, 1, 0, 0, 0, *ssrc];
                    sender.protect_rtcp(&mut report);
                    assert_eq!(receiver.unprotect_rtcp(&mut report.clone()), Ok(8), "{profile:?} round {round}");
                    assert_eq!(receiver.unprotect_rtcp(&mut report), Err(SrtpError::Replayed));
                }
            }
        }
    }

    #[test]
    fn a_source_too_many_is_refused() {
        let key = master(Profile::Aes128Gcm);
        let (sender, mut receiver) = (Sender::new(&key).unwrap(), Receiver::new(&key).unwrap());
        for ssrc in 0..=limits::SSRCS_PER_PEER as u32 {
            let mut packet = rtp_packet(1, b"x");
            packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
            let len = packet.len();
            packet.resize(len + TAG_BYTES_MAX, 0);
            sender.protect_rtp(&mut packet, 12, len, Ssrc(ssrc), 1);
            let fits = (ssrc as usize) < limits::SSRCS_PER_PEER;
            assert_eq!(unprotect(&mut receiver, &mut packet).is_ok(), fits);
        }
    }
}
