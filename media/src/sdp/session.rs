//! What an offer and its answer agreed upon.

use arrayvec::ArrayVec;

use crate::codec::Codec;
use crate::dtls::Fingerprint;
use crate::ids::{MediaKind, Slot, Ssrc};
use crate::layers::LAYERS;
use crate::limits::SECTION_FORMATS;

/// The media session of one client.
#[derive(Clone, Debug)]
pub struct Session {
    /// Fingerprint of the client's certificate.
    pub fingerprint: Fingerprint,
    /// Header extension ids, the same in all sections (RFC 8843 §9.2).
    pub extensions: Extensions,
    /// The client is shown the room's [`View`](crate::View) in place of slots: a player with one picture and one voice.
    pub follows: bool,
    sending: [Option<Sending>; MediaKind::ALL.len()],
    /// By slot index; a client may ask for fewer slots than the layout has.
    receiving: Vec<Option<Receiving>>,
}

/// Ids of the header extensions the server reads or writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// urn:ietf:params:rtp-hdrext:sdes:mid (RFC 8843 §15).
    pub mid: Option<u8>,
    /// urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id (RFC 8852).
    pub rid: Option<u8>,
    /// urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id (RFC 8852).
    pub repaired_rid: Option<u8>,
    /// urn:ietf:params:rtp-hdrext:ssrc-audio-level (RFC 6464).
    pub audio_level: Option<u8>,
    /// Transport-wide sequence number.
    pub transport_cc: Option<u8>,
}

/// A codec as the client numbers it in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Of video; none for Opus.
    pub codec: Option<Codec>,
    /// Its payload type.
    pub payload_type: u8,
    /// Payload type of its retransmissions (RFC 4588).
    pub rtx_payload_type: Option<u8>,
    /// Payload type of packets that carry those before them once more (RFC 2198); of audio.
    pub red_payload_type: Option<u8>,
}

/// What packets of a payload type carry of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carries {
    /// It.
    Media,
    /// What was sent before.
    Retransmission,
    /// It, and packets before it once more.
    Redundancy,
}

/// An m-section the client sends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Its mid.
    pub mid: String,
    /// Opus, or the codec of the room and VP8, as far as the client has them; at least one.
    pub formats: ArrayVec<Format, SECTION_FORMATS>,
    /// Media SSRC and RTX SSRC, where the offer tells them.
    pub ssrc: Option<(Ssrc, Option<Ssrc>)>,
    /// Simulcast rids, smallest layer first; empty without simulcast.
    pub rids: ArrayVec<String, LAYERS>,
}

/// An m-section the client receives a slot in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receiving {
    /// Opus, or the codec of the room and VP8, as far as the client has them; at least one.
    pub formats: ArrayVec<Format, SECTION_FORMATS>,
    /// Id of the audio level extension, where this section has it.
    pub audio_level: Option<u8>,
    /// Id of the transport-wide sequence number, where this section has it and the client sends feedback on it.
    pub transport_cc: Option<u8>,
}

impl Format {
    fn carries(&self, payload_type: u8) -> Option<Carries> {
        let Self { rtx_payload_type, red_payload_type, .. } = *self;
        let other = |other: Option<u8>, carries| (other == Some(payload_type)).then_some(carries);
        let others = || {
            other(rtx_payload_type, Carries::Retransmission).or_else(|| other(red_payload_type, Carries::Redundancy))
        };
        other(Some(self.payload_type), Carries::Media).or_else(others)
    }
}

impl Sending {
    /// The format `payload_type` belongs to, and what its packets carry of it.
    pub(crate) fn format_of(&self, payload_type: u8) -> Option<(&Format, Carries)> {
        self.formats.iter().find_map(|format| Some((format, format.carries(payload_type)?)))
    }
}

impl Receiving {
    /// The format packets of `codec` are received in, if there is one.
    pub(crate) fn format(&self, codec: Option<Codec>) -> Option<&Format> {
        self.formats.iter().find(|format| format.codec == codec)
    }

    /// The payload type of a stream for retransmissions, of whichever codec.
    pub(crate) fn any_rtx(&self) -> Option<u8> {
        self.formats.iter().find_map(|format| format.rtx_payload_type)
    }
}

impl Session {
    pub(crate) fn new(fingerprint: Fingerprint, slots: usize) -> Self {
        Self {
            fingerprint,
            extensions: Extensions::default(),
            follows: false,
            sending: [const { None }; 4],
            receiving: vec![None; slots],
        }
    }

    pub(super) fn set_sending(&mut self, kind: MediaKind, sending: Sending) {
        self.sending[kind as usize] = Some(sending);
    }

    pub(crate) fn set_receiving(&mut self, slot: Slot, receiving: Receiving) {
        self.receiving[slot.index()] = Some(receiving);
    }

    /// How the client sends `kind`, if it can.
    #[must_use]
    pub fn sending(&self, kind: MediaKind) -> Option<&Sending> {
        self.sending[kind as usize].as_ref()
    }

    /// How the client receives `slot`, if it asked for it.
    #[must_use]
    pub fn receiving(&self, slot: Slot) -> Option<&Receiving> {
        self.receiving[slot.index()].as_ref()
    }

    /// How the client receives every slot, by slot index.
    pub(crate) fn receives(&self) -> &[Option<Receiving>] {
        &self.receiving
    }

    /// Without pictures whose feedback is of use no section has transport-wide numbers.
    pub(super) fn number_all_or_none(&mut self) {
        if !self.has_feedback() {
            self.receiving.iter_mut().flatten().for_each(|receiving| receiving.transport_cc = None);
        }
    }

    /// Whether the client tells how packets of voices arrive.
    pub(crate) fn has_feedback_on_voices(&self) -> bool {
        self.has_feedback() && self.receiving(Slot::FIRST_VOICE).is_some_and(|voice| voice.transport_cc.is_some())
    }

    /// Whether the client takes voices in packets that carry those before them once more.
    pub(crate) fn has_redundant_voices(&self) -> bool {
        let voice = self.receiving(Slot::FIRST_VOICE).and_then(|voice| voice.format(None));
        voice.is_some_and(|format| format.red_payload_type.is_some())
    }

    /// Whether the client tells how packets of pictures arrive, and its line can be probed over a stream for
    /// retransmissions.
    pub(crate) fn has_feedback(&self) -> bool {
        let is_probed = |receiving: &Receiving| receiving.any_rtx().and(receiving.transport_cc).is_some();
        self.receiving.iter().flatten().any(is_probed)
    }

    /// Whether the client can be sent pictures of `codec`, wherever it receives any.
    #[must_use]
    pub fn decodes(&self, codec: Codec) -> bool {
        let pictures = Slot::all().filter(|slot| slot.kind().is_video());
        pictures.filter_map(|slot| self.receiving(slot)).all(|receiving| receiving.format(Some(codec)).is_some())
    }

    /// The kind sent in the section with `mid`.
    #[must_use]
    pub fn kind_of_mid(&self, mid: &[u8]) -> Option<MediaKind> {
        MediaKind::ALL.into_iter().find(|kind| self.sending(*kind).is_some_and(|s| s.mid.as_bytes() == mid))
    }
}
