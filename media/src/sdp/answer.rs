//! The answer, from a template: every section has the same shape, only numbers differ.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;

use super::offer::{Offer, Offered, Purpose, Section};
use super::session::{Extensions, Format};
use crate::codec::Codec;
use crate::dtls::Fingerprint;
use crate::ice::Credentials;
use crate::ids::{MediaKind, Slot};

pub(super) const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
pub(super) const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
pub(super) const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
pub(super) const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
pub(super) const TRANSPORT_CC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// What an answer says of the server.
pub struct AnswerParams<'a> {
    /// Credentials made for this session.
    pub ice: &'a Credentials,
    /// Fingerprint of the server's certificate.
    pub fingerprint: Fingerprint,
    /// Where the session's worker can be reached.
    pub candidates: Candidates<'a>,
}

/// Where a worker can be reached, best first.
#[derive(Clone, Copy, Default)]
pub struct Candidates<'a> {
    /// Over UDP.
    pub udp: &'a [SocketAddr],
    /// Over TCP connections that the client opens (RFC 6544 §4.5: `passive`), preferred less.
    pub tcp: &'a [SocketAddr],
}

/// Writes the answer to `offer`.
#[must_use]
pub fn answer(offer: &Offer, params: &AnswerParams<'_>) -> String {
    let mut out = String::with_capacity(1024 + 640 * offer.sections.len());
    write_answer(&mut out, offer, params).expect("writing to a string does not fail");
    out
}

fn write_answer(out: &mut String, offer: &Offer, params: &AnswerParams<'_>) -> fmt::Result {
    out.push_str("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    offer.sections.iter().try_for_each(|section| write!(out, " {}", section.mid))?;
    // Firefox ends the tab when a later section has no fingerprint and the session has none either.
    write!(out, "\r\na=fingerprint:sha-256 {}\r\na=ice-lite\r\na=extmap-allow-mixed\r\n", params.fingerprint.to_sdp())?;
    for (n, section) in offer.sections.iter().enumerate() {
        write_section(out, offer, section)?;
        if n == 0 {
            write_transport(out, params)?;
        }
    }
    Ok(())
}

fn write_transport(out: &mut String, params: &AnswerParams<'_>) -> fmt::Result {
    let Credentials { ufrag, pwd } = params.ice;
    write!(out, "a=ice-ufrag:{}\r\na=ice-pwd:{pwd}\r\na=setup:passive\r\n", ufrag.as_str())?;
    let Candidates { udp, tcp } = params.candidates;
    for (n, candidate) in udp.iter().enumerate() {
        // RFC 8445 §5.1.2.1: host candidates, the first preferred.
        let (foundation, priority) = (n + 1, 2_130_706_431 - ((n as u32) << 8));
        let (ip, port) = (candidate.ip(), candidate.port());
        write!(out, "a=candidate:{foundation} 1 udp {priority} {ip} {port} typ host\r\n")?;
    }
    for (n, candidate) in tcp.iter().enumerate() {
        // RFC 6544 §4.2: a type preference below UDP's, a local preference of direction (4: passive) and order.
        let local_preference = (4 << 13) + 8_191 - n as u32;
        let (foundation, priority) = (udp.len() + n + 1, (90 << 24) + (local_preference << 8) + 255);
        let (ip, port) = (candidate.ip(), candidate.port());
        write!(out, "a=candidate:{foundation} 1 tcp {priority} {ip} {port} typ host tcptype passive\r\n")?;
    }
    out.write_str("a=end-of-candidates\r\n")
}

fn write_section(out: &mut String, offer: &Offer, section: &Section) -> fmt::Result {
    let video = match section.purpose {
        Purpose::Sends(kind) => kind.is_video(),
        Purpose::Receives(slot) => slot.kind().is_video(),
    };
    write!(out, "m={} 9 UDP/TLS/RTP/SAVPF", if video { "video" } else { "audio" })?;
    for Offered { format, .. } in &section.formats {
        // The first is what clients send: redundancy only where they find that their line needs it.
        let payload_types = [Some(format.payload_type), format.rtx_payload_type, format.red_payload_type];
        payload_types.into_iter().flatten().try_for_each(|payload_type| write!(out, " {payload_type}"))?;
    }
    write!(out, "\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n", section.mid)?;
    section.formats.iter().try_for_each(|offered| write_format(out, offered))?;
    match section.purpose {
        Purpose::Sends(kind) => write_sending(out, offer, section, kind),
        Purpose::Receives(slot) => write_receiving(out, offer, section, slot),
    }
}

fn write_format(out: &mut String, Offered { format, fmtp }: &Offered) -> fmt::Result {
    let Format { codec, payload_type, rtx_payload_type, red_payload_type } = format;
    write!(out, "a=rtpmap:{payload_type} {}\r\n", codec.map_or("opus/48000/2", Codec::rtpmap))?;
    if let Some(fmtp) = fmtp {
        write!(out, "a=fmtp:{payload_type} {fmtp}\r\n")?;
    }
    if let Some(red) = red_payload_type {
        write!(out, "a=rtpmap:{red} red/48000/2\r\na=fmtp:{red} {payload_type}/{payload_type}\r\n")?;
    }
    if let Some(rtx) = rtx_payload_type {
        write!(out, "a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={payload_type}\r\n")?;
    }
    let feedback: &[&str] = if codec.is_some() { &["nack", "nack pli", "ccm fir"] } else { &[] };
    feedback.iter().try_for_each(|feedback| write!(out, "a=rtcp-fb:{payload_type} {feedback}\r\n"))
}

fn write_transport_feedback(out: &mut String, section: &Section) -> fmt::Result {
    let mut formats = section.formats.iter().map(|offered| offered.format.payload_type);
    formats.try_for_each(|payload_type| write!(out, "a=rtcp-fb:{payload_type} transport-cc\r\n"))
}

/// A section the client sends in.
fn write_sending(out: &mut String, offer: &Offer, section: &Section, kind: MediaKind) -> fmt::Result {
    let Extensions { mid, rid, repaired_rid, audio_level, transport_cc } = section.extensions;
    out.write_str("a=recvonly\r\n")?;
    if transport_cc.is_some() {
        write_transport_feedback(out, section)?;
    }
    let extensions = [
        (mid, MID),
        (rid, RID),
        (repaired_rid, REPAIRED_RID),
        (audio_level, AUDIO_LEVEL),
        (transport_cc, TRANSPORT_CC),
    ];
    for (id, uri) in extensions {
        if let Some(id) = id {
            write!(out, "a=extmap:{id} {uri}\r\n")?;
        }
    }
    let Some(sending) = offer.session.sending(kind).filter(|sending| !sending.rids.is_empty()) else { return Ok(()) };
    sending.rids.iter().try_for_each(|rid| write!(out, "a=rid:{rid} recv\r\n"))?;
    write!(out, "a=simulcast:recv {}\r\n", sending.rids.join(";"))
}

/// A section the client receives a slot in.
fn write_receiving(out: &mut String, offer: &Offer, section: &Section, slot: Slot) -> fmt::Result {
    out.write_str("a=sendonly\r\n")?;
    if let Some(id) = offer.session.receiving(slot).and_then(|receiving| receiving.transport_cc) {
        write_transport_feedback(out, section)?;
        write!(out, "a=extmap:{id} {TRANSPORT_CC}\r\n")?;
    }
    if let Some(id) = section.extensions.audio_level {
        write!(out, "a=extmap:{id} {AUDIO_LEVEL}\r\n")?;
    }
    // The screen's picture and sound are one stream, so that browsers keep them in step; every other slot is its own.
    // So are the picture and the voice of who follows (draft-ietf-wish-whep-03 §4.4.2).
    let stream = match slot {
        Slot::SCREEN_AUDIO => Slot::SCREEN,
        _ if offer.session.follows => Slot::FIRST_CAMERA,
        slot => slot,
    };
    let (ssrc, rtx) = (slot.ssrc().0, slot.rtx_ssrc().0);
    write!(out, "a=msid:slot-{} slot-{}\r\n", stream.index(), slot.index())?;
    if section.formats.iter().any(|offered| offered.format.rtx_payload_type.is_some()) {
        write!(out, "a=ssrc-group:FID {ssrc} {rtx}\r\na=ssrc:{ssrc} cname:dais\r\na=ssrc:{rtx} cname:dais\r\n")
    } else {
        write!(out, "a=ssrc:{ssrc} cname:dais\r\n")
    }
}
