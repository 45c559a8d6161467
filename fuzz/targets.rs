//! What every fuzz target does with its input. The tests replay the corpus through the same functions.
#![allow(dead_code, reason = "each target uses one")]

use std::net::SocketAddr;

use dais_media::rtp::Header;
use dais_media::sdp::{AnswerParams, Candidates, Offer, answer};
use dais_media::vp8::{Descriptor, LastSent, Shift};
use dais_media::{Credentials, Fingerprint, WorkerId, ice, rtcp};
use dais_signaling::protocol;

/// A connectivity check as it comes from the network.
pub fn stun(data: &[u8]) {
    let Ok(request) = ice::Request::parse(data) else { return };
    let from = SocketAddr::from(([127, 0, 0, 1], 5000));
    if request.authenticate("a password").is_ok() {
        assert!(request.response(from, "a password").is_some());
    }
}

/// A decrypted RTP packet: header, extensions, padding, VP8 descriptor and its patching.
pub fn rtp(data: &[u8]) {
    let Ok(header) = Header::parse(data) else { return };
    assert!(header.len <= data.len());
    for (_, extension) in header.extensions(data) {
        assert!(extension.len() <= 255);
    }
    let Ok(len) = header.payload_len(data) else { return };
    let mut payload = data[header.len..header.len + len].to_vec();
    if let Ok(descriptor) = Descriptor::parse(&payload) {
        let shift = Shift::following(LastSent { picture_id: 0x7fff, tl0_pic_idx: 255 }, &descriptor);
        shift.patch(&descriptor, &mut payload);
        assert!(Descriptor::parse(&payload).is_ok(), "a patched payload still parses");
    }
}

/// A decrypted RTCP compound packet.
pub fn rtcp(data: &[u8]) {
    let mut messages = 0;
    let _ = rtcp::read(data, |_| messages += 1);
    assert!(messages <= data.len());
}

/// An offer, and the answer to it.
pub fn sdp(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let offers = [Offer::parse(text), Offer::parse_publisher(text), Offer::parse_player(text)];
    offers.into_iter().flatten().for_each(|offer| answered(&offer));
}

fn answered(offer: &Offer) {
    let Ok(ice) = Credentials::random(WorkerId(0)) else { return };
    let candidates = [SocketAddr::from(([127, 0, 0, 1], 5000))];
    let candidates = Candidates { udp: &candidates, tcp: &candidates };
    let params = AnswerParams { ice: &ice, fingerprint: Fingerprint([7; 32]), candidates };
    let written = answer(offer, &params);
    assert!(written.split("\r\n").all(|line| line.is_empty() || line.as_bytes().get(1) == Some(&b'=')), "{written}");
}

/// A client's message.
pub fn protocol(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err((_, error)) = protocol::parse(text) {
        assert!(!error.code().is_empty());
    }
}
