//! What pictures are sent in: the room's codec while everyone who receives pictures decodes it, else VP8.

use dais_signaling::protocol::ServerMessage;
use dais_stage::{Codec, Participant, ParticipantId};

use super::Room;
use super::notices::To;

impl Room {
    /// The codec the room was made with, as the data plane calls it.
    pub(super) fn codec(&self) -> dais_media::Codec {
        match self.stage.settings().codec {
            Codec::Vp8 => dais_media::Codec::Vp8,
            Codec::H264 => dais_media::Codec::H264,
            Codec::Vp9 => dais_media::Codec::Vp9,
            Codec::Av1 => dais_media::Codec::Av1,
        }
    }

    /// What pictures are to be sent in.
    pub(super) fn codec_in_use(&self) -> Codec {
        if self.sessions.all_decode() { self.stage.settings().codec } else { Codec::Vp8 }
    }

    /// Tells everyone on stage if it has changed, else those of `came` who are there.
    pub(super) fn tell_codec(&mut self, came: impl Iterator<Item = ParticipantId>) {
        if self.stage.settings().codec == Codec::Vp8 {
            return;
        }
        let codec = self.codec_in_use();
        let changed = std::mem::replace(&mut self.codec_told, codec) != codec;
        let is_told = |id: &ParticipantId| self.stage.participant(*id).and_then(Participant::on_stage).is_some();
        let told: Vec<_> = match changed {
            true => self.stage.people_on_stage().map(|person| person.id).collect(),
            false => came.filter(is_told).collect(),
        };
        let message = ServerMessage::Codec { codec: codec.into() };
        told.into_iter().for_each(|id| self.sessions.tell(To::One(id), &message));
    }
}
