//! What the server needs of a client's offer. The grammar is the `rtc` crate's.

use std::io::Cursor;

use arrayvec::ArrayVec;
use rtc::sdp::description::media::MediaDescription;
use rtc::sdp::description::session::SessionDescription;

use super::session::{Extensions, Format, Receiving, Sending, Session};
use crate::codec::Codec;
use crate::dtls::Fingerprint;
use crate::ids::{MediaKind, Slot, Ssrc, is_slot_ssrc};
use crate::layers::LAYERS;
use crate::limits::{self, SECTION_FORMATS};

/// Why an offer is refused. The `Display` text is for the client's developer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Longer than [`limits::SDP_BYTES_MAX`], or a line longer than [`limits::SDP_LINE_BYTES_MAX`].
    #[error("the offer is too long")]
    TooLong,
    /// Not SDP.
    #[error("the offer is not valid SDP")]
    Malformed,
    /// More sections than [`limits::SDP_SECTIONS_MAX`], or more of one kind than the layout has.
    #[error("the offer has more m-sections than the room's layout")]
    TooManySections,
    /// A section whose direction does not fit: neither `sendonly` nor `recvonly`, or the wrong one for a publisher or a
    /// player.
    #[error("the direction of m-section {0} does not fit")]
    Direction(usize),
    /// A section that is neither audio nor video.
    #[error("m-section {0} is neither audio nor video")]
    Media(usize),
    /// A section without mid.
    #[error("m-section {0} has no mid")]
    NoMid(usize),
    /// A section whose mid is not in the BUNDLE group, or no BUNDLE group.
    #[error("m-section {0} is not bundled")]
    NotBundled(usize),
    /// A section without Opus (audio), or with neither VP8 nor the codec of the room (video).
    #[error("m-section {0} offers neither Opus nor VP8, nor the codec of the room")]
    Codec(usize),
    /// No SHA-256 fingerprint.
    #[error("the offer has no sha-256 fingerprint")]
    NoFingerprint,
    /// The client wants to be the passive side of DTLS, which the server is.
    #[error("the offer must allow the active DTLS role")]
    Setup,
    /// No ICE credentials.
    #[error("the offer has no ICE credentials")]
    NoIce,
    /// One id for two header extensions (RFC 8285 §6).
    #[error("header extension ids differ between m-sections")]
    ExtensionConflict,
    /// An SSRC of the client is one of the slots' (RFC 3550 §8.2).
    #[error("an SSRC of the offer collides with a slot; offer again")]
    SsrcCollision,
    /// Nothing to send or receive.
    #[error("the offer has no m-section")]
    Empty,
}

impl SdpError {
    /// Stable code, part of the protocol.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "sdp_too_long",
            Self::Malformed => "sdp_malformed",
            Self::TooManySections => "sdp_too_many_sections",
            Self::Direction(_) => "sdp_direction",
            Self::Media(_) => "sdp_media",
            Self::NoMid(_) => "sdp_no_mid",
            Self::NotBundled(_) => "sdp_not_bundled",
            Self::Codec(_) => "sdp_codec",
            Self::NoFingerprint => "sdp_no_fingerprint",
            Self::Setup => "sdp_setup",
            Self::NoIce => "sdp_no_ice",
            Self::ExtensionConflict => "sdp_extension_conflict",
            Self::SsrcCollision => "sdp_ssrc_collision",
            Self::Empty => "sdp_empty",
        }
    }
}

/// Which way the media of an offer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// The client says for each section.
    BothWays,
    /// All of it from the client.
    Published,
    /// All of it to the client.
    Played,
}

impl Flow {
    /// Whether the client sends in a section; none when the section's direction does not fit.
    fn sends(self, media: &MediaDescription) -> Option<bool> {
        let [send, receive, inactive] = ["sendonly", "recvonly", "inactive"].map(|way| media.has_attribute(way));
        match self {
            Self::BothWays if send != receive => Some(send),
            // RFC 9725 §4.2: a publisher MAY say sendrecv, which is also what no direction means (RFC 8866 §6.7); the
            // answer is recvonly. draft-ietf-wish-whep-03 §4.2 says the same of a player, the other way round.
            Self::Published if !receive && !inactive => Some(true),
            Self::Played if !send && !inactive => Some(false),
            Self::BothWays | Self::Published | Self::Played => None,
        }
    }
}

/// What an m-section is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Sends(MediaKind),
    Receives(Slot),
}

/// One m-section of an offer, in order.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) mid: String,
    pub(super) purpose: Purpose,
    pub(super) formats: ArrayVec<Offered, SECTION_FORMATS>,
    pub(super) extensions: Extensions,
}

/// An offer that can be answered.
#[derive(Clone, Debug)]
pub struct Offer {
    pub(super) sections: Vec<Section>,
    /// What it amounts to.
    pub session: Session,
}

impl Offer {
    /// Reads an offer to a room whose pictures are of `codec`, or VP8 where somebody does not have that. The n-th section
    /// that sends audio or video, and the n-th that receives, have the purposes told in docs/protocol.md.
    ///
    /// # Errors
    /// An [`SdpError`] that says what the client did wrong.
    pub fn parse(sdp: &str, codec: Codec) -> Result<Self, SdpError> {
        Self::parse_flow(sdp, codec, Flow::BothWays)
    }

    /// Reads the offer of a WHIP publisher, which only sends: a section that is `sendrecv` is `sendonly`.
    ///
    /// # Errors
    /// See [`Offer::parse`]; [`SdpError::Direction`] for a section that is `recvonly` or `inactive`.
    pub fn parse_publisher(sdp: &str, codec: Codec) -> Result<Self, SdpError> {
        Self::parse_flow(sdp, codec, Flow::Published)
    }

    /// Reads the offer of a WHEP player, which only receives: a section that is `sendrecv` is `recvonly`. With no more
    /// than one section of each kind it follows.
    ///
    /// # Errors
    /// See [`Offer::parse`]; [`SdpError::Direction`] for a section that is `sendonly` or `inactive`.
    pub fn parse_player(sdp: &str, codec: Codec) -> Result<Self, SdpError> {
        Self::parse_flow(sdp, codec, Flow::Played)
    }

    fn parse_flow(sdp: &str, codec: Codec, flow: Flow) -> Result<Self, SdpError> {
        if sdp.len() > limits::SDP_BYTES_MAX || sdp.lines().any(|line| line.len() > limits::SDP_LINE_BYTES_MAX) {
            return Err(SdpError::TooLong);
        }
        if sdp.matches("\nm=").count() > limits::SDP_SECTIONS_MAX {
            return Err(SdpError::TooManySections);
        }
        let description = SessionDescription::unmarshal(&mut Cursor::new(sdp.as_bytes()));
        let description = description.map_err(|_| SdpError::Malformed)?;
        let first = description.media_descriptions.first().ok_or(SdpError::Empty)?;
        let transport = |key: &str| {
            let at_session = description.attribute(key).map(String::as_str);
            at_session.or_else(|| first.attribute(key).flatten())
        };
        let fingerprint = transport("fingerprint").and_then(parse_fingerprint).ok_or(SdpError::NoFingerprint)?;
        if transport("setup") == Some("passive") {
            return Err(SdpError::Setup);
        }
        transport("ice-ufrag").and(transport("ice-pwd")).ok_or(SdpError::NoIce)?;
        let bundled =
            description.attribute("group").and_then(|group| group.strip_prefix("BUNDLE ")).unwrap_or_default();

        let mut offer = Self { sections: Vec::new(), session: Session::new(fingerprint, limits::SLOTS) };
        let mut purposes = Purposes::default();
        for (n, media) in description.media_descriptions.iter().enumerate() {
            let section = offer.read_section(n, media, (codec, flow), &mut purposes)?;
            if !bundled.split(' ').any(|mid| mid == section.mid) {
                return Err(SdpError::NotBundled(n));
            }
            offer.sections.push(section);
        }
        offer.session.number_all_or_none();
        offer.session.follows = flow == Flow::Played && purposes.receiving.iter().all(|count| *count <= 1);
        Ok(offer)
    }

    fn read_section(
        &mut self,
        n: usize,
        media: &MediaDescription,
        (codec, flow): (Codec, Flow),
        purposes: &mut Purposes,
    ) -> Result<Section, SdpError> {
        let video = match media.media_name.media.as_str() {
            "audio" => false,
            "video" => true,
            _ => return Err(SdpError::Media(n)),
        };
        let mid = media.attribute("mid").flatten().filter(|mid| is_token(mid)).ok_or(SdpError::NoMid(n))?.to_owned();
        let sends = flow.sends(media).ok_or(SdpError::Direction(n))?;
        let purpose = purposes.next(video, sends).ok_or(SdpError::TooManySections)?;
        let mut offered = Offered::find(media, video.then_some(codec));
        // What an encoder sends may be music, and what a screen sounds like is no voice.
        if purpose == Purpose::Sends(MediaKind::Mic) && flow == Flow::BothWays {
            offered.iter_mut().for_each(Offered::ask_for_silence);
        }
        if offered.is_empty() {
            return Err(SdpError::Codec(n));
        }
        let formats = offered.iter().map(|offered| offered.format).collect();
        let extensions = read_extensions(media);
        self.session.extensions = merged(self.session.extensions, extensions)?;
        match purpose {
            Purpose::Sends(kind) => {
                let ssrc = read_ssrcs(media);
                let collides = ssrc.is_some_and(|(media, rtx)| is_slot_ssrc(media) || rtx.is_some_and(is_slot_ssrc));
                if collides {
                    return Err(SdpError::SsrcCollision);
                }
                let rids = read_simulcast(media);
                // RFC 8853: with simulcast, SSRCs are told apart by rid on the wire, not by the offer.
                let ssrc = ssrc.filter(|_| rids.is_empty());
                let sending = Sending { mid: mid.clone(), formats, ssrc, rids };
                self.session.set_sending(kind, sending);
            }
            Purpose::Receives(slot) => {
                let receiving = Receiving {
                    formats,
                    audio_level: extensions.audio_level,
                    transport_cc: extensions.transport_cc.filter(|_| has_transport_feedback(media, &offered)),
                };
                self.session.set_receiving(slot, receiving);
            }
        }
        Ok(Section { mid, purpose, formats: offered, extensions })
    }
}

/// Deals out purposes in the order of the layout.
#[derive(Default)]
struct Purposes {
    sending: [usize; 2],
    receiving: [usize; 2],
}

impl Purposes {
    fn next(&mut self, video: bool, sends: bool) -> Option<Purpose> {
        let counter = if sends { &mut self.sending } else { &mut self.receiving };
        let n = counter[usize::from(video)];
        counter[usize::from(video)] += 1;
        match (sends, video, n) {
            (true, false, 0) => Some(Purpose::Sends(MediaKind::Mic)),
            (true, false, 1) => Some(Purpose::Sends(MediaKind::ScreenAudio)),
            (true, true, 0) => Some(Purpose::Sends(MediaKind::Camera)),
            (true, true, 1) => Some(Purpose::Sends(MediaKind::Screen)),
            (true, _, _) => None,
            (false, true, limits::CAMERA_SLOTS) => Some(Purpose::Receives(Slot::SCREEN)),
            (false, true, n) => Slot::camera(n).map(Purpose::Receives),
            (false, false, limits::VOICE_SLOTS) => Some(Purpose::Receives(Slot::SCREEN_AUDIO)),
            (false, false, n) => Slot::voice(n).map(Purpose::Receives),
        }
    }
}

/// A format of a section that the server speaks, and its parameters.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) format: Format,
    pub(super) fmtp: Option<String>,
}

impl Offered {
    /// The formats of a section: of video `room`, the codec of the room, and VP8; else Opus.
    fn find(media: &MediaDescription, room: Option<Codec>) -> ArrayVec<Self, SECTION_FORMATS> {
        let Some(room) = room else { return Self::of(media, None).into_iter().collect() };
        let fallback = Some(Codec::Vp8).filter(|vp8| *vp8 != room);
        [Some(room), fallback].into_iter().flatten().filter_map(|codec| Self::of(media, Some(codec))).collect()
    }

    fn of(media: &MediaDescription, codec: Option<Codec>) -> Option<Self> {
        let name = codec.map_or("opus/48000/2", Codec::rtpmap);
        let is_spoken = |payload_type: u8| codec.is_none_or(|codec| fits(codec, fmtp(media, payload_type)));
        let mut named = rtpmaps(media).filter(|(_, codec)| codec.eq_ignore_ascii_case(name));
        let payload_type = named.find(|(payload_type, _)| is_spoken(*payload_type))?.0;
        let rtx_payload_type = rtpmaps(media).find_map(|(rtx, codec)| {
            let repairs = codec.eq_ignore_ascii_case("rtx/90000")
                && fmtp(media, rtx).is_some_and(|fmtp| apt(fmtp) == Some(payload_type));
            repairs.then_some(rtx)
        });
        let red_payload_type = rtpmaps(media).find_map(|(red, name)| {
            let repeats = codec.is_none()
                && name.eq_ignore_ascii_case("red/48000/2")
                && fmtp(media, red).is_some_and(|fmtp| repeats_only(fmtp, payload_type));
            repeats.then_some(red)
        });
        let fmtp = fmtp(media, payload_type).filter(|fmtp| fmtp.bytes().all(|b| (0x20..0x7f).contains(&b)));
        let format = Format { codec, payload_type, rtx_payload_type, red_payload_type };
        Some(Self { format, fmtp: fmtp.map(str::to_owned) })
    }

    /// RFC 7587 §6.1: in silence next to nothing is to be sent, unless the client has said what it does.
    fn ask_for_silence(&mut self) {
        if parameter(self.fmtp.as_deref(), "usedtx").is_none() {
            let said = self.fmtp.take().map(|fmtp| fmtp.trim_end_matches([';', ' ']).to_owned());
            let said = said.filter(|said| !said.is_empty());
            self.fmtp = Some(said.map_or_else(|| "usedtx=1".to_owned(), |said| said + ";usedtx=1"));
        }
    }
}

/// The value of a parameter of a format.
fn parameter<'a>(fmtp: Option<&'a str>, name: &str) -> Option<&'a str> {
    let mut parameters = fmtp?.split(';').filter_map(|one| one.trim().split_once('='));
    parameters.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Whether a format is the variant of `codec` that everybody who has the codec decodes.
fn fits(codec: Codec, fmtp: Option<&str>) -> bool {
    let parameter = |name: &str| parameter(fmtp, name);
    match codec {
        Codec::Vp8 => true,
        // RFC 6184 §8.1: fragments and aggregates in order; constrained baseline, which is profile 66 with the second
        // constraint flag.
        Codec::H264 => {
            let profile = parameter("profile-level-id").and_then(|id| u32::from_str_radix(id, 16).ok());
            let constrained_baseline = profile.is_some_and(|id| id >> 16 == 66 && id & 0x4000 != 0);
            parameter("packetization-mode") == Some("1") && constrained_baseline
        }
        // RFC 9628 §6.1 and RTP Payload Format For AV1 §7.2: without the parameter it is profile 0.
        Codec::Vp9 => parameter("profile-id").is_none_or(|id| id == "0"),
        Codec::Av1 => parameter("profile").is_none_or(|profile| profile == "0"),
    }
}

/// The values of all attributes `key`.
fn values<'a>(media: &'a MediaDescription, key: &'a str) -> impl Iterator<Item = &'a str> {
    media.attributes.iter().filter(move |a| a.key == key).filter_map(|a| a.value.as_deref())
}

/// draft-holmer-rmcat-transport-wide-cc-extensions-01 §4: the client sends feedback on all of `formats`.
fn has_transport_feedback(media: &MediaDescription, formats: &[Offered]) -> bool {
    let is_on = |offered: &Offered| {
        values(media, "rtcp-fb").any(|value| {
            let (payload_type, feedback) = value.split_once(' ').unwrap_or_default();
            let concerns = payload_type == "*" || payload_type.parse() == Ok(offered.format.payload_type);
            feedback == "transport-cc" && concerns
        })
    };
    formats.iter().all(is_on)
}

fn rtpmaps(media: &MediaDescription) -> impl Iterator<Item = (u8, &str)> {
    values(media, "rtpmap").filter_map(|value| {
        let (payload_type, codec) = value.split_once(' ')?;
        let payload_type = payload_type.parse().ok().filter(|payload_type| *payload_type < 128)?;
        Some((payload_type, codec.trim()))
    })
}

fn fmtp(media: &MediaDescription, payload_type: u8) -> Option<&str> {
    values(media, "fmtp").find_map(|value| {
        let (number, parameters) = value.split_once(' ')?;
        (number.parse() == Ok(payload_type)).then_some(parameters)
    })
}

/// RFC 4588 §8.6: the payload type that is retransmitted.
fn apt(fmtp: &str) -> Option<u8> {
    fmtp.split(';').find_map(|parameter| parameter.trim().strip_prefix("apt=")?.parse().ok())
}

/// RFC 2198 §5: the payload types that blocks may have, divided by slashes; here one, and it twice at least.
fn repeats_only(fmtp: &str, payload_type: u8) -> bool {
    let blocks = || fmtp.trim().split('/');
    blocks().count() > 1 && blocks().all(|block| block.parse() == Ok(payload_type))
}

fn parse_fingerprint(value: &str) -> Option<Fingerprint> {
    let (hash, digest) = value.split_once(' ')?;
    hash.eq_ignore_ascii_case("sha-256").then(|| Fingerprint::parse(digest.trim()))?
}

fn read_extensions(media: &MediaDescription) -> Extensions {
    let mut extensions = Extensions::default();
    for value in values(media, "extmap") {
        let Some((id, uri)) = value.split_once(' ') else { continue };
        // RFC 8285 §5: an id may carry a direction; 15 is reserved in one-byte headers.
        let id = id.split('/').next().and_then(|id| id.parse().ok()).filter(|id| (1..=14).contains(id));
        match uri.split(' ').next().unwrap_or_default() {
            super::answer::MID => extensions.mid = id,
            super::answer::RID => extensions.rid = id,
            super::answer::REPAIRED_RID => extensions.repaired_rid = id,
            super::answer::AUDIO_LEVEL => extensions.audio_level = id,
            super::answer::TRANSPORT_CC => extensions.transport_cc = id,
            _ => {}
        }
    }
    extensions
}

/// RFC 8843 §9.2: in a bundle an extension has one id.
fn merged(all: Extensions, section: Extensions) -> Result<Extensions, SdpError> {
    let one = |all: Option<u8>, section: Option<u8>| match (all, section) {
        (Some(all), Some(section)) if all != section => Err(SdpError::ExtensionConflict),
        (all, section) => Ok(all.or(section)),
    };
    Ok(Extensions {
        mid: one(all.mid, section.mid)?,
        rid: one(all.rid, section.rid)?,
        repaired_rid: one(all.repaired_rid, section.repaired_rid)?,
        audio_level: one(all.audio_level, section.audio_level)?,
        transport_cc: one(all.transport_cc, section.transport_cc)?,
    })
}

fn read_ssrcs(media: &MediaDescription) -> Option<(Ssrc, Option<Ssrc>)> {
    let number = |text: &str| text.parse().ok().map(Ssrc);
    let group = values(media, "ssrc-group").find_map(|value| value.strip_prefix("FID "));
    if let Some((media, rtx)) = group.and_then(|pair| pair.split_once(' ')) {
        return Some((number(media)?, number(rtx.trim())));
    }
    let first = values(media, "ssrc").next()?;
    Some((number(first.split(' ').next()?)?, None))
}

/// RFC 8853 §5.1: `a=simulcast:send q;h;f`, as the client orders it, which is smallest first in dais.
fn read_simulcast(media: &MediaDescription) -> ArrayVec<String, LAYERS> {
    let send = values(media, "simulcast").find_map(|value| value.strip_prefix("send "));
    let streams = send.unwrap_or_default().split(' ').next().unwrap_or_default().split(';');
    // Alternatives after a comma are not used; a `~` marks a stream that starts paused.
    let rids = streams.filter_map(|stream| stream.split(',').next()).map(|rid| rid.trim_start_matches('~'));
    rids.filter(|rid| is_token(rid)).take(LAYERS).map(str::to_owned).collect()
}

/// RFC 8866 §9: letters, digits and marks that cannot break a line.
fn is_token(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_{}.+~".contains(&b))
}
