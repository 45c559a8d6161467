//! Offers as a small client writes them.

use std::fmt::Write as _;

use dais_media::Fingerprint;

pub const OPUS: u8 = 111;
pub const VP8: u8 = 96;
pub const RTX: u8 = 97;
pub const LEVEL_ID: u8 = 1;
pub const MID_ID: u8 = 4;
pub const RID_ID: u8 = 10;
/// The section of the camera.
pub const CAMERA_MID: &str = "1";
/// Layers of a camera with simulcast, smallest first.
pub const RIDS: [&str; 3] = ["q", "h", "f"];

/// SSRCs a client sends with.
#[derive(Clone, Copy, Debug)]
pub struct Ssrcs {
    pub mic: u32,
    pub camera: u32,
    pub camera_rtx: u32,
    pub screen: u32,
    pub screen_sound: u32,
    /// The camera's layers are told apart by rid.
    pub simulcast: bool,
    /// It can present: there are sections for a screen and its sound.
    pub presents: bool,
}

/// An offer that sends a microphone and a camera, and a screen with its sound, if there are SSRCs for them, and receives the first `cameras` and
/// `voices` slots.
pub fn offer(fingerprint: Fingerprint, ufrag: &str, ssrcs: Option<Ssrcs>, cameras: usize, voices: usize) -> String {
    let sending = ssrcs.map_or(0, |ssrcs| if ssrcs.presents { 4 } else { 2 });
    let sections = sending + cameras + voices;
    let mids: Vec<String> = (0..sections).map(|mid| mid.to_string()).collect();
    let mut sdp = String::from("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
    let _ = write!(sdp, "a=group:BUNDLE {}\r\n", mids.join(" "));
    let _ = write!(sdp, "a=fingerprint:sha-256 {}\r\na=setup:actpass\r\n", fingerprint.to_sdp());
    let _ = write!(sdp, "a=ice-ufrag:{ufrag}\r\na=ice-pwd:aPasswordOfTheTestsClient\r\n");
    for (n, mid) in mids.iter().enumerate() {
        let sends = n < sending;
        let video = if sends { n == 1 || n == 2 } else { n - sending < cameras };
        let formats = if video {
            format!("video 9 UDP/TLS/RTP/SAVPF {VP8} {RTX}")
        } else {
            format!("audio 9 UDP/TLS/RTP/SAVPF {OPUS}")
        };
        let _ = write!(sdp, "m={formats}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=rtcp-mux\r\n");
        let _ = write!(sdp, "a={}\r\n", if sends { "sendonly" } else { "recvonly" });
        if video {
            let _ = write!(sdp, "a=rtpmap:{VP8} VP8/90000\r\na=rtpmap:{RTX} rtx/90000\r\na=fmtp:{RTX} apt={VP8}\r\n");
        } else {
            let _ = write!(sdp, "a=rtpmap:{OPUS} opus/48000/2\r\n");
            let _ = write!(sdp, "a=extmap:{LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n");
        }
        match (n, ssrcs) {
            (0, Some(Ssrcs { mic, .. })) => {
                let _ = write!(sdp, "a=ssrc:{mic} cname:test\r\n");
            }
            (1, Some(Ssrcs { simulcast: true, .. })) => {
                let _ = write!(sdp, "a=extmap:{MID_ID} urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
                let _ = write!(sdp, "a=extmap:{RID_ID} urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n");
                for rid in RIDS {
                    let _ = write!(sdp, "a=rid:{rid} send\r\n");
                }
                let _ = write!(sdp, "a=simulcast:send {}\r\n", RIDS.join(";"));
            }
            (1, Some(Ssrcs { camera, camera_rtx, .. })) => {
                let _ = write!(sdp, "a=ssrc-group:FID {camera} {camera_rtx}\r\na=ssrc:{camera} cname:test\r\n");
                let _ = write!(sdp, "a=ssrc:{camera_rtx} cname:test\r\n");
            }
            (2, Some(Ssrcs { screen: ssrc, .. })) | (3, Some(Ssrcs { screen_sound: ssrc, .. })) if sends => {
                let _ = write!(sdp, "a=ssrc:{ssrc} cname:test\r\n");
            }
            _ => {}
        }
    }
    sdp
}

/// The value of the first line `a=KEY:VALUE` of an answer.
pub fn attribute<'a>(sdp: &'a str, key: &str) -> &'a str {
    let prefix = format!("a={key}:");
    sdp.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("no {key} in the answer"))
}
