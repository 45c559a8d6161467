//! What every fuzz target does with its input. The tests replay the corpus through the same functions.
#![allow(dead_code, reason = "each target uses one")]

use std::net::SocketAddr;

use dais_media::codec::{Descriptor, LastSent, Shift};
use dais_media::rtp::Header;
use dais_media::sdp::{AnswerParams, Candidates, Offer, answer};
use dais_media::{Codec, Credentials, Fingerprint, WorkerId, ice, red, rtcp};
use dais_signaling::protocol;

/// A connectivity check as it comes from the network.
pub fn stun(data: &[u8]) {
    let Ok(request) = ice::Request::parse(data) else { return };
    let from = SocketAddr::from(([127, 0, 0, 1], 5000));
    if request.authenticate("a password").is_ok() {
        assert!(request.response(from, "a password").is_some());
    }
}

/// A decrypted RTP packet: header, extensions and padding; and its payload, as redundant audio.
pub fn rtp(data: &[u8]) {
    let Ok(header) = Header::parse(data) else { return };
    assert!(header.len <= data.len());
    for (_, extension) in header.extensions(data) {
        assert!(extension.len() <= 255);
    }
    let Ok(len) = header.payload_len(data) else { return };
    assert!(header.len + len <= data.len());
    let Ok(blocks) = red::blocks(&data[header.len..header.len + len]) else { return };
    assert!(blocks.iter().map(|block| block.payload.len()).sum::<usize>() < len);
}

/// A payload of video, behind a byte that says of which codec: what is read of it, and its patching.
pub fn payload(data: &[u8]) {
    let Some((codec, payload)) = data.split_first() else { return };
    let codec = Codec::ALL[usize::from(*codec) % Codec::ALL.len()];
    let Ok(descriptor) = Descriptor::parse(codec, payload) else { return };
    let mut patched = payload.to_vec();
    let shift = Shift::following(LastSent { picture_id: 0x7fff, tl0_pic_idx: 255 }, &descriptor);
    shift.patch(&descriptor, &mut patched);
    let read = Descriptor::parse(codec, &patched).expect("a patched payload still parses");
    assert_eq!(read.starts_key_frame, descriptor.starts_key_frame, "and is the same frame");
    assert!(read.picture_id.is_none_or(|id| id.value == 0), "whose numbers continue those before");
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
    for codec in Codec::ALL {
        let parse = [Offer::parse, Offer::parse_publisher, Offer::parse_player];
        parse.iter().filter_map(|parse| parse(text, codec).ok()).for_each(|offer| answered(&offer));
    }
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
