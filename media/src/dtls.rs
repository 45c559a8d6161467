//! DTLS 1.2, passive, for the keys of SRTP (RFC 5764). The protocol is the `dimpl` crate's; nothing else sees it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::digest;
use dimpl::{Config, Dtls, DtlsCertificate, Output, SrtpProfile};

use crate::srtp::{self, Profile, SrtpError};

/// SHA-256 of a certificate (RFC 8122 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    fn of(certificate_der: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, certificate_der);
        Self(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// Reads the value of `a=fingerprint:sha-256`: 32 bytes in hexadecimal with colons between.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0u8; 32];
        let mut pairs = text.split(':');
        for byte in &mut bytes {
            let pair = pairs.next().filter(|pair| pair.len() == 2)?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        pairs.next().is_none().then_some(Self(bytes))
    }

    /// As it stands in SDP.
    #[must_use]
    pub fn to_sdp(&self) -> String {
        self.0.iter().enumerate().fold(String::with_capacity(95), |mut text, (n, byte)| {
            let separator = if n == 0 { "" } else { ":" };
            let _ = write!(text, "{separator}{byte:02X}");
            text
        })
    }
}

/// The server's certificate and the settings every handshake shares.
#[derive(Clone)]
pub struct Identity {
    config: Arc<Config>,
    certificate: DtlsCertificate,
}

/// No certificate, or settings the library refuses: the server cannot start.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no DTLS identity: {0}")]
pub struct IdentityError(String);

impl Identity {
    /// A fresh self-signed P-256 certificate, as WebRTC expects it (RFC 8827 §6.5).
    ///
    /// # Errors
    /// When the library cannot make one.
    pub fn generate() -> Result<Self, IdentityError> {
        let certificate = dimpl::certificate::generate_self_signed_certificate();
        let certificate = certificate.map_err(|error| IdentityError(error.to_string()))?;
        // No cookie: only addresses that ICE has validated reach the handshake, which is what a cookie would prove.
        let config = Config::builder().use_server_cookie(false).build();
        let config = config.map_err(|error| IdentityError(format!("{error:?}")))?;
        Ok(Self { config: Arc::new(config), certificate })
    }

    /// Fingerprint of the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate.certificate)
    }
}

/// Why a handshake came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The protocol failed or timed out.
    #[error("DTLS handshake failed")]
    Failed,
    /// The peer's certificate is not the one its offer promised.
    #[error("DTLS certificate does not match the offer's fingerprint")]
    WrongFingerprint,
    /// No common SRTP profile, or keys that do not fit it.
    #[error("DTLS gave no SRTP keys")]
    NoKeys,
}

/// What a handshake leads to.
pub struct SrtpSession {
    /// Protects what we send.
    pub sender: srtp::Sender,
    /// Opens what the peer sends.
    pub receiver: srtp::Receiver,
    /// The profile negotiated.
    pub profile: Profile,
}

/// Which side speaks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Sends the ClientHello; what clients do.
    Active,
    /// Waits for it; what the server does.
    Passive,
}

/// One handshake, and the association it leads to.
pub struct Handshake {
    dtls: Dtls,
    setup: Setup,
    expected: Fingerprint,
    certified: bool,
    next_timeout: Option<Instant>,
}

/// Result of driving a handshake: what it is now known to be.
pub enum Progress {
    /// Not done, or done before.
    Going,
    /// The keys are there, and the certificate is the expected one.
    Done(Box<SrtpSession>),
    /// The peer said goodbye.
    Closed,
}

impl Handshake {
    /// A handshake with a peer whose certificate must have `expected` as its fingerprint.
    #[must_use]
    pub fn new(identity: &Identity, setup: Setup, expected: Fingerprint, now: Instant) -> Self {
        let mut dtls = Dtls::new_12(Arc::clone(&identity.config), identity.certificate.clone(), now);
        dtls.set_active(setup == Setup::Active);
        Self { dtls, setup, expected, certified: false, next_timeout: None }
    }

    /// When to call [`Handshake::handle_timeout`], if ever.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.next_timeout
    }

    /// Takes a datagram from a validated address; `send` gets each datagram to answer with. Malformed records are
    /// ignored by the library.
    ///
    /// # Errors
    /// When the handshake is over without keys.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        datagram: &[u8],
        send: impl FnMut(&[u8]),
    ) -> Result<Progress, HandshakeError> {
        self.dtls.handle_timeout(now).map_err(|_| HandshakeError::Failed)?;
        self.dtls.handle_packet(datagram).map_err(|_| HandshakeError::Failed)?;
        self.poll(send)
    }

    /// Sends again what was lost, when its time has come.
    ///
    /// # Errors
    /// When the handshake is over without keys.
    pub fn handle_timeout(&mut self, now: Instant, send: impl FnMut(&[u8])) -> Result<Progress, HandshakeError> {
        self.dtls.handle_timeout(now).map_err(|_| HandshakeError::Failed)?;
        self.poll(send)
    }

    fn poll(&mut self, mut send: impl FnMut(&[u8])) -> Result<Progress, HandshakeError> {
        let mut progress = Progress::Going;
        // Not kept: thousands of associations have nothing to say most of the time.
        let mut buf = vec![0; 2048];
        loop {
            match self.dtls.poll_output(&mut buf) {
                Output::Packet(datagram) => send(datagram),
                Output::BufferTooSmall { needed } => buf.resize(needed, 0),
                Output::PeerCert(der) => {
                    // RFC 8827 §6.5: a certificate that does not match is an attack, not an accident.
                    if Fingerprint::of(der) != self.expected {
                        return Err(HandshakeError::WrongFingerprint);
                    }
                    self.certified = true;
                }
                Output::KeyingMaterial(material, profile) => {
                    if !self.certified {
                        return Err(HandshakeError::WrongFingerprint);
                    }
                    let session = srtp_session(profile, &material, self.setup).map_err(|_| HandshakeError::NoKeys)?;
                    progress = Progress::Done(Box::new(session));
                }
                Output::CloseNotify => progress = Progress::Closed,
                Output::Timeout(at) => {
                    self.next_timeout = Some(at);
                    return Ok(progress);
                }
                // Data channels are not part of a session: what is not media is ignored.
                _ => {}
            }
        }
    }
}

fn srtp_session(profile: SrtpProfile, material: &[u8], setup: Setup) -> Result<SrtpSession, SrtpError> {
    let profile = match profile {
        SrtpProfile::AEAD_AES_256_GCM => Profile::Aes256Gcm,
        SrtpProfile::AEAD_AES_128_GCM => Profile::Aes128Gcm,
        SrtpProfile::AES128_CM_SHA1_80 => Profile::Aes128CmSha1,
        _ => return Err(SrtpError::Keys),
    };
    let (client, server) = srtp::split_material(profile, material)?;
    let (ours, theirs) = match setup {
        Setup::Active => (client, server),
        Setup::Passive => (server, client),
    };
    Ok(SrtpSession { sender: srtp::Sender::new(&ours)?, receiver: srtp::Receiver::new(&theirs)?, profile })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets a client and a server exchange datagrams until nothing moves; `expected` is what the server expects.
    fn shake_hands(expected: Option<Fingerprint>) -> (Option<SrtpSession>, Result<(), HandshakeError>) {
        let (client_id, server_id) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let now = Instant::now();
        let expected = expected.unwrap_or(client_id.fingerprint());
        let mut client = Handshake::new(&client_id, Setup::Active, server_id.fingerprint(), now);
        let mut server = Handshake::new(&server_id, Setup::Passive, expected, now);
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        client.handle_timeout(now, |datagram| to_server.push(datagram.to_vec())).unwrap();
        let mut session = None;
        while !to_server.is_empty() || !to_client.is_empty() {
            for datagram in std::mem::take(&mut to_server) {
                match server.handle_datagram(now, &datagram, |reply| to_client.push(reply.to_vec())) {
                    Ok(Progress::Done(keys)) => session = Some(*keys),
                    Ok(_) => {}
                    Err(error) => return (None, Err(error)),
                }
            }
            for datagram in std::mem::take(&mut to_client) {
                let _ = client.handle_datagram(now, &datagram, |reply| to_server.push(reply.to_vec())).unwrap();
            }
        }
        (session, Ok(()))
    }

    #[test]
    fn a_handshake_prefers_gcm() {
        let (session, result) = shake_hands(None);
        assert_eq!(result, Ok(()));
        assert_eq!(session.unwrap().profile, Profile::Aes256Gcm);
    }

    #[test]
    fn a_certificate_the_offer_did_not_promise_gives_no_keys() {
        let (session, result) = shake_hands(Some(Fingerprint([7; 32])));
        assert_eq!(result, Err(HandshakeError::WrongFingerprint));
        assert!(session.is_none());
    }

    #[test]
    fn a_fingerprint_reads_back_as_written() {
        let fingerprint = Identity::generate().unwrap().fingerprint();
        assert_eq!(Fingerprint::parse(&fingerprint.to_sdp()), Some(fingerprint));
        assert_eq!(Fingerprint::parse("AA:BB"), None);
        assert_eq!(Fingerprint::parse(&format!("{}:00", fingerprint.to_sdp())), None);
    }
}
