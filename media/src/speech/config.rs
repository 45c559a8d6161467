//! Every constant of speech detection, in one table.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::limits::{NOISE_FLOOR_SECONDS_MAX, SPEECH_WINDOW_PACKETS_MAX};

/// What is speech. The defaults are tried against the recorded levels in `media/tests/data/levels`.
///
/// Energy alone cannot tell a bout of coughs from a sentence, or a very short word from a single cough: these numbers
/// let one cough and steady typing pass unheard, and hear the first word or two of a sentence late for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpeechConfig {
    /// A packet this loud or louder may be voice. −dBov, 0 to 126; 35 (LiveKit `audiolevel.go`). Raise it and the room
    /// is taken for voice; lower it and quiet people are not heard.
    pub voice_dbov: u8,
    /// Voice comes in runs of at least this many loud packets; shorter ones are clicks. Packets; 3, as a syllable lasts
    /// 100 ms or more and a keystroke is over in 40. Raise it and lost packets tear syllables apart; at 1 somebody who
    /// types fast beside the microphone speaks.
    pub run_packets: u8,
    /// Packets looked back at. Packets, up to [`SPEECH_WINDOW_PACKETS_MAX`]; 50, which is a second: one cough fills
    /// LiveKit's 400 ms. Raise it and coughs in a row add up; at 40 quiet people are found a second later.
    pub window_packets: u8,
    /// Voice packets in the window that make speech. Packets; 18, the 360 ms that a cough of 350 does not fill (36 % of
    /// the window; LiveKit 40 %). Raise it and short answers go unheard; at 17 or less a cough is speech.
    pub speech_packets: u8,
    /// Voice packets in the window that keep speech going. Packets; 9, half of what starts it: fast typing makes 7.
    /// Raise it and slow talkers are cut short; lower it and somebody who types after speaking goes on speaking.
    pub hold_packets: u8,
    /// Speech ends this long after its last voice. 800 ms, so that a breath does not end it (LiveKit: two windows of
    /// 400 ms). Lower it and the indicator flickers between words; raise it and it lingers.
    pub hangover: Duration,
    /// Sound in one packet. 20 ms, what every browser sends. What did not come is counted in units of it, and a client
    /// that sends longer packets needs more time to be heard.
    pub packet: Duration,
    /// A pause between packets longer than this is silence, not one lost packet. 40 ms (Volfin and Cohen's
    /// implementations in Jitsi and mediasoup). It must be at least the longest packet; raise it for clients that send
    /// 60 ms packets.
    pub gap: Duration,
    /// The noise floor is the lowest level, silence aside, of this time. Seconds, up to [`NOISE_FLOOR_SECONDS_MAX`]; 15
    /// (Jitsi, mediasoup). A noise that begins is taken for speech that long, at worst. Lower it and somebody who talks
    /// without a pause becomes their own floor.
    pub floor_seconds: u8,
    /// The floor is known after this many seconds of sound; before that only `voice_dbov` counts. Seconds; 3, within
    /// which every recorded speaker had a pause 20 dB under their voice. Lower it and a microphone that is switched on
    /// in the middle of a word goes unheard; raise it and a fan is heard for longer.
    pub floor_learn_seconds: u8,
    /// A second is one of sound when this part of its packets came and were not silent: noise has no pauses. Percent;
    /// 80, so that it may lose a packet in ten. Raise it and loss keeps the floor unknown; lower it and a voice between
    /// gaps of digital silence (DTX, a noise gate) is learned as noise.
    pub floor_sound_percent: u8,
    /// A level less than this above the floor is nothing. dB; 10 (Jitsi, mediasoup, Signal); 0 turns the floor off.
    /// Raise it and nobody is heard over a fan; lower it and an uneven fan is speech.
    pub floor_margin_db: u8,
}

impl Default for SpeechConfig {
    fn default() -> Self {
        Self {
            voice_dbov: 35,
            run_packets: 3,
            window_packets: 50,
            speech_packets: 18,
            hold_packets: 9,
            hangover: Duration::from_millis(800),
            packet: Duration::from_millis(20),
            gap: Duration::from_millis(40),
            floor_seconds: 15,
            floor_learn_seconds: 3,
            floor_sound_percent: 80,
            floor_margin_db: 10,
        }
    }
}

/// What is wrong with a [`SpeechConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpeechConfigError {
    /// 127 is silence, and more is no level.
    #[error("the voice threshold must be 0 to 126 −dBov")]
    Voice,
    /// No window, or one longer than is kept.
    #[error("the speech window must be 1 to {SPEECH_WINDOW_PACKETS_MAX} packets")]
    Window,
    /// More packets than the window has, or none.
    #[error("the packets that make speech must be 1 to the window's")]
    SpeechPackets,
    /// Speech would end as it starts, or never.
    #[error("the packets that keep speech going must be 1 to those that make it")]
    Hold,
    /// Longer than the speech it is part of, or nothing.
    #[error("a run must be 1 packet to those that make speech")]
    Run,
    /// Speech would end with each packet.
    #[error("the hangover must be longer than a packet")]
    Hangover,
    /// No length of an Opus packet, or every packet comes after a gap.
    #[error("a packet must last 10 to 120 ms, and a gap at least a packet")]
    Packet,
    /// No memory, or more than there is.
    #[error("the noise floor must remember 1 to {NOISE_FLOOR_SECONDS_MAX} seconds")]
    FloorSeconds,
    /// The floor would be known never, or before it is heard.
    #[error("the noise floor must be learned from 1 second to all it remembers, each of 1 to 100 % sound")]
    FloorLearning,
    /// No voice is that far above anything.
    #[error("the margin over the noise floor must be below 128 dB")]
    FloorMargin,
}

/// What one packet of Opus can last (RFC 7587 §7), but for lengths that nobody sends speech in.
const PACKETS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_millis(120);

impl SpeechConfig {
    /// Whether the numbers make sense together.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self) -> Result<(), SpeechConfigError> {
        let rules = [
            (self.voice_dbov < 127, SpeechConfigError::Voice),
            ((1..=SPEECH_WINDOW_PACKETS_MAX).contains(&self.window_packets), SpeechConfigError::Window),
            ((1..=self.window_packets).contains(&self.speech_packets), SpeechConfigError::SpeechPackets),
            ((1..=self.speech_packets).contains(&self.hold_packets), SpeechConfigError::Hold),
            ((1..=self.speech_packets).contains(&self.run_packets), SpeechConfigError::Run),
            (PACKETS.contains(&self.packet) && self.gap >= self.packet, SpeechConfigError::Packet),
            (self.hangover > self.packet, SpeechConfigError::Hangover),
            ((1..=NOISE_FLOOR_SECONDS_MAX).contains(&self.floor_seconds), SpeechConfigError::FloorSeconds),
            ((1..=self.floor_seconds).contains(&self.floor_learn_seconds), SpeechConfigError::FloorLearning),
            ((1..=100).contains(&self.floor_sound_percent), SpeechConfigError::FloorLearning),
            (self.floor_margin_db < 128, SpeechConfigError::FloorMargin),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, error)| Err(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // law: silence-constants
    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(SpeechConfig::default().check(), Ok(()));
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let wrong = |change: fn(&mut SpeechConfig)| {
            let mut config = SpeechConfig::default();
            change(&mut config);
            config.check().unwrap_err()
        };
        assert_eq!(wrong(|c| c.voice_dbov = 127), SpeechConfigError::Voice);
        assert_eq!(wrong(|c| c.window_packets = 0), SpeechConfigError::Window);
        assert_eq!(wrong(|c| c.window_packets = 65), SpeechConfigError::Window);
        assert_eq!(wrong(|c| c.speech_packets = 0), SpeechConfigError::SpeechPackets);
        assert_eq!(wrong(|c| c.speech_packets = c.window_packets + 1), SpeechConfigError::SpeechPackets);
        assert_eq!(wrong(|c| c.hold_packets = 0), SpeechConfigError::Hold);
        assert_eq!(wrong(|c| c.hold_packets = c.speech_packets + 1), SpeechConfigError::Hold);
        assert_eq!(wrong(|c| c.run_packets = 0), SpeechConfigError::Run);
        assert_eq!(wrong(|c| c.run_packets = c.speech_packets + 1), SpeechConfigError::Run);
        assert_eq!(wrong(|c| c.hangover = Duration::ZERO), SpeechConfigError::Hangover);
        assert_eq!(wrong(|c| c.packet = Duration::ZERO), SpeechConfigError::Packet);
        assert_eq!(wrong(|c| c.gap = Duration::from_millis(10)), SpeechConfigError::Packet);
        assert_eq!(wrong(|c| c.floor_seconds = 0), SpeechConfigError::FloorSeconds);
        assert_eq!(wrong(|c| c.floor_seconds = 61), SpeechConfigError::FloorSeconds);
        assert_eq!(wrong(|c| c.floor_learn_seconds = 16), SpeechConfigError::FloorLearning);
        assert_eq!(wrong(|c| c.floor_sound_percent = 101), SpeechConfigError::FloorLearning);
        assert_eq!(wrong(|c| c.floor_margin_db = 128), SpeechConfigError::FloorMargin);
    }
}
