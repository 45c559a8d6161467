//! What the server hears of a microphone: the RFC 6464 audio level of each packet, never what a client claims
//! otherwise.
//!
//! Levels pass the noise floor first; what stands out of it is judged twice: by [`SpeechDetector`], whether somebody
//! speaks at all, and by [`ActivityMeter`], how they compare with others. Both look back over time: a packet that did
//! not come (DTX, loss) is silence to them.

mod activity;
mod config;
mod detector;
mod level;
mod noise_floor;
#[cfg(test)]
mod tests;

use std::time::Instant;

use activity::ActivityMeter;
pub use config::{SpeechConfig, SpeechConfigError};
use detector::SpeechDetector;
use level::Loudness;
use noise_floor::NoiseFloor;

use crate::dominant::{Activity, DECIDE_EVERY};
use crate::rtp::AudioLevel;

/// One microphone.
#[derive(Debug)]
pub(crate) struct Microphone {
    config: SpeechConfig,
    /// The moment up to which packets came, or were noted as missing. None before the first.
    heard_until: Option<Instant>,
    floor: NoiseFloor,
    speech: SpeechDetector,
    activity: ActivityMeter,
    /// When the activity is to be told next; at once if none.
    tell_at: Option<Instant>,
}

impl Microphone {
    pub(crate) fn new(config: SpeechConfig) -> Self {
        let (floor, speech, activity) = (NoiseFloor::new(), SpeechDetector::new(), ActivityMeter::new());
        Self { config, heard_until: None, floor, speech, activity, tell_at: None }
    }

    /// Notes the level of a packet that arrived at `now`.
    pub(crate) fn hear(&mut self, level: AudioLevel, now: Instant) {
        self.note_missing(now);
        self.heard_until = Some(now);
        let loudness = Loudness::from(level);
        self.floor.hear(loudness, &self.config, now);
        let loudness = self.floor.gate(loudness, &self.config);
        self.speech.hear(loudness >= Loudness::from_dbov(self.config.voice_dbov), &self.config, now);
        self.activity.hear(loudness);
    }

    /// Lets time pass: packets may have stopped coming.
    pub(crate) fn poll(&mut self, now: Instant) {
        self.note_missing(now);
        self.speech.poll(&self.config, now);
    }

    /// Notes packets that should have come before `now`. The one due at `now` may still come.
    fn note_missing(&mut self, now: Instant) {
        let Some(until) = self.heard_until else { return };
        let gap = now.saturating_duration_since(until);
        if gap <= self.config.gap {
            return;
        }
        let packets = gap.as_micros() / self.config.packet.as_micros();
        let missing = u32::try_from(packets).unwrap_or(u32::MAX).saturating_sub(1);
        self.heard_until = Some(until + self.config.packet * missing);
        self.speech.miss(missing);
        self.activity.miss(missing);
    }

    /// The microphone went off: silence at once. Another may stand behind it when it goes on, so the noise is forgotten
    /// too.
    pub(crate) fn silence(&mut self) {
        *self = Self::new(self.config);
    }

    pub(crate) fn is_speaking(&self) -> bool {
        self.speech.is_speaking()
    }

    /// The activity, when it is time to tell it: every [`DECIDE_EVERY`], and at once after [`Microphone::silence`].
    pub(crate) fn activity_due(&mut self, now: Instant) -> Option<Activity> {
        if self.tell_at.is_some_and(|at| now < at) {
            return None;
        }
        self.tell_at = Some(now + DECIDE_EVERY);
        Some(self.activity.activity())
    }
}
