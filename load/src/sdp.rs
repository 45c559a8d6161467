//! Offers as browsers make them, without what does not matter to a server, and what the harness needs of an answer.

use std::fmt::Write as _;
use std::net::SocketAddr;

use dais_media::Fingerprint;

use crate::camera::RIDS;
use crate::publish::ids;

/// What a participant sends and receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sections {
    /// SSRC of the microphone, if it is to be told.
    pub(crate) mic_ssrc: Option<u32>,
    /// SSRC of a camera without simulcast.
    pub(crate) camera_ssrc: Option<u32>,
    /// Simulcast layers; 1 without.
    pub(crate) layers: usize,
    /// Camera slots received.
    pub(crate) cameras: usize,
    /// Voice slots received.
    pub(crate) voices: usize,
    /// Transport-wide numbers and retransmission are wanted for what is received.
    pub(crate) feedback: bool,
}

const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const TRANSPORT_CC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// An offer with a microphone and a camera, which may be idle, and slots to receive.
pub(crate) fn offer(fingerprint: Fingerprint, ufrag: &str, sections: Sections) -> String {
    let Sections { cameras, voices, .. } = sections;
    let count = 2 + cameras + voices;
    let mut sdp = String::with_capacity(1_024 + 400 * count);
    sdp.push_str("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    (0..count).for_each(|mid| write(&mut sdp, format_args!(" {mid}")));
    write(&mut sdp, format_args!("\r\na=fingerprint:sha-256 {}\r\na=setup:actpass\r\n", fingerprint.to_sdp()));
    write(&mut sdp, format_args!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:the-password-of-a-harness\r\n"));
    for mid in 0..count {
        let video = mid == 1 || (2..2 + cameras).contains(&mid);
        write_section(&mut sdp, mid, video, sections.feedback);
        match mid {
            0 => write_ssrc(&mut sdp, sections.mic_ssrc),
            1 if sections.layers > 1 => write_simulcast(&mut sdp, sections.layers),
            1 => write_ssrc(&mut sdp, sections.camera_ssrc),
            _ => {}
        }
    }
    sdp
}

fn write(sdp: &mut String, text: std::fmt::Arguments<'_>) {
    sdp.write_fmt(text).expect("writing to a string does not fail");
}

fn write_section(sdp: &mut String, mid: usize, video: bool, feedback: bool) {
    let (kind, payload_type) = if video { ("video", ids::VP8) } else { ("audio", ids::OPUS) };
    let sends = mid < 2;
    write(sdp, format_args!("m={kind} 9 UDP/TLS/RTP/SAVPF {payload_type}"));
    let repeated = if video { ids::RTX } else { ids::RED };
    // Who does not say what it lost is sent nothing with redundancy.
    let is_repeated = !sends && (video || feedback);
    if is_repeated {
        write(sdp, format_args!(" {repeated}"));
    }
    write(sdp, format_args!("\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=rtcp-mux\r\n"));
    sdp.push_str(if sends { "a=sendonly\r\n" } else { "a=recvonly\r\n" });
    if video {
        write(sdp, format_args!("a=rtpmap:{payload_type} VP8/90000\r\na=rtcp-fb:{payload_type} nack pli\r\n"));
        if is_repeated {
            write(sdp, format_args!("a=rtpmap:{repeated} rtx/90000\r\na=fmtp:{repeated} apt={payload_type}\r\n"));
        }
        if !sends && feedback {
            write(sdp, format_args!("a=rtcp-fb:{payload_type} nack\r\n"));
        }
    } else {
        write(sdp, format_args!("a=rtpmap:{payload_type} opus/48000/2\r\n"));
        if is_repeated {
            write(sdp, format_args!("a=rtpmap:{repeated} red/48000/2\r\na=fmtp:{repeated} {0}/{0}\r\n", ids::OPUS));
        }
        write(sdp, format_args!("a=extmap:{} {AUDIO_LEVEL}\r\n", ids::AUDIO_LEVEL));
    }
    if sends || feedback {
        // RFC 8843 §9.2: in a bundle an extension has one id.
        write(sdp, format_args!("a=rtcp-fb:{payload_type} transport-cc\r\n"));
        write(sdp, format_args!("a=extmap:{} {TRANSPORT_CC}\r\n", ids::TRANSPORT_CC));
    }
    if sends {
        write(sdp, format_args!("a=extmap:{} {MID}\r\n", ids::MID));
        if video {
            write(sdp, format_args!("a=extmap:{} {RID}\r\n", ids::RID));
        }
    }
}

fn write_ssrc(sdp: &mut String, ssrc: Option<u32>) {
    if let Some(ssrc) = ssrc {
        write(sdp, format_args!("a=ssrc:{ssrc} cname:dais-load\r\n"));
    }
}

fn write_simulcast(sdp: &mut String, layers: usize) {
    let rids = &RIDS[..layers];
    rids.iter().for_each(|rid| write(sdp, format_args!("a=rid:{rid} send\r\n")));
    write(sdp, format_args!("a=simulcast:send {}\r\n", rids.join(";")));
}

/// What an answer says of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remote {
    /// The first candidate.
    pub(crate) address: SocketAddr,
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
    pub(crate) fingerprint: Fingerprint,
    /// The server wants transport-wide sequence numbers.
    pub(crate) transport_cc: bool,
}

impl Remote {
    /// Reads an answer; none when something is missing.
    pub(crate) fn parse(answer: &str) -> Option<Self> {
        let attribute = |key: &str| answer.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(key));
        let candidate: Vec<_> = attribute("candidate:")?.split(' ').collect();
        let address = SocketAddr::new(candidate.get(4)?.parse().ok()?, candidate.get(5)?.parse().ok()?);
        Some(Self {
            address,
            ufrag: attribute("ice-ufrag:")?.to_owned(),
            pwd: attribute("ice-pwd:")?.to_owned(),
            fingerprint: Fingerprint::parse(attribute("fingerprint:sha-256 ")?.trim())?,
            transport_cc: answer.contains(TRANSPORT_CC),
        })
    }
}

#[cfg(test)]
mod tests {
    use dais_media::sdp::{AnswerParams, Candidates, Offer, answer};
    use dais_media::{Codec, Credentials, Layer, MediaKind, Slot, Ssrc};

    use super::*;

    const FINGERPRINT: Fingerprint = Fingerprint([9; 32]);

    fn parsed(sections: Sections) -> Offer {
        Offer::parse(&offer(FINGERPRINT, "abcd", sections), Codec::Vp8).unwrap()
    }

    #[test]
    fn the_server_understands_the_offer_of_a_viewer() {
        let sections =
            Sections { mic_ssrc: None, camera_ssrc: None, layers: 1, cameras: 25, voices: 8, feedback: false };
        let session = parsed(sections).session;
        assert!(session.receiving(Slot::camera(24).unwrap()).unwrap().formats[0].rtx_payload_type.is_some());
        assert!(session.receiving(Slot::voice(7).unwrap()).is_some());
    }

    #[test]
    fn who_gives_feedback_says_so_in_every_section_with_the_id_of_the_bundle() {
        let sections = Sections { mic_ssrc: None, camera_ssrc: None, layers: 1, cameras: 2, voices: 1, feedback: true };
        let text = offer(FINGERPRINT, "abcd", sections);
        let id = format!("a=extmap:{} {TRANSPORT_CC}\r\n", ids::TRANSPORT_CC);
        let count = |what: &str| text.matches(what).count();
        assert_eq!((count(&id), count(TRANSPORT_CC), count(" transport-cc\r\n")), (5, 5, 5));
        assert_eq!(count(&format!("a=rtcp-fb:{} nack\r\n", ids::VP8)), 2);
        let voice = |sections| parsed(sections).session.receiving(Slot::voice(0).unwrap()).unwrap().formats[0];
        assert_eq!(voice(sections).red_payload_type, Some(ids::RED));
        assert_eq!(voice(Sections { feedback: false, ..sections }).red_payload_type, None);
        assert!(
            parsed(sections).session.receiving(Slot::camera(1).unwrap()).unwrap().formats[0].rtx_payload_type.is_some()
        );
        assert_eq!(
            offer(FINGERPRINT, "abcd", Sections { feedback: false, ..sections }).matches(TRANSPORT_CC).count(),
            2
        );
    }

    #[test]
    fn the_server_understands_the_offers_of_publishers() {
        let sections =
            Sections { mic_ssrc: Some(5), camera_ssrc: Some(6), layers: 1, cameras: 0, voices: 0, feedback: false };
        let session = parsed(sections).session;
        assert_eq!(session.sending(MediaKind::Mic).unwrap().ssrc, Some((Ssrc(5), None)));
        assert_eq!(session.sending(MediaKind::Camera).unwrap().ssrc, Some((Ssrc(6), None)));
        let simulcast = parsed(Sections { layers: 3, ..sections }).session;
        let camera = simulcast.sending(MediaKind::Camera).unwrap();
        assert_eq!((camera.rids.len(), &camera.rids[usize::from(Layer(2).0)][..]), (3, "f"));
    }

    #[test]
    fn an_answer_of_the_server_is_read() {
        let sections =
            Sections { mic_ssrc: Some(5), camera_ssrc: Some(6), layers: 1, cameras: 0, voices: 0, feedback: false };
        let ice = Credentials::random(dais_media::WorkerId(0)).unwrap();
        let candidates = ["127.0.0.1:5004".parse().unwrap(), "10.0.0.1:5004".parse().unwrap()];
        let told = Candidates { udp: &candidates, tcp: &[] };
        let params = AnswerParams { ice: &ice, fingerprint: FINGERPRINT, candidates: told };
        let text = answer(&parsed(sections), &params);
        let (address, ufrag) = (candidates[0], ice.ufrag.as_str().to_owned());
        let expected = Remote { address, ufrag, pwd: ice.pwd.clone(), fingerprint: FINGERPRINT, transport_cc: true };
        assert_eq!(Remote::parse(&text), Some(expected));
        assert_eq!(Remote::parse(&text.replace("a=ice-pwd", "a=ice-p")), None);
    }
}
