//! From RFC 6464 audio levels to speech started and speech stopped.

use std::time::{Duration, Instant};

use crate::rtp::AudioLevel;

/// A packet this loud or louder counts as voice, in −dBov (LiveKit `audiolevel.go`: 35). Raise it and quiet people
/// are not heard as speaking; lower it and a keyboard is.
const VOICE_DBOV: u8 = 35;
/// Packets looked at: 400 ms at 20 ms each (LiveKit).
const WINDOW_PACKETS: usize = 20;
/// Voice packets in the window that make speech: 40 % (LiveKit). A cough or a click has fewer.
const SPEECH_PACKETS: usize = 8;
/// Speech ends this long after its last voice packet, so that a breath does not end it.
const HANGOVER: Duration = Duration::from_millis(800);

/// Speech or silence, and since when by the data plane's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Silent,
    Speaking { last_voice: Instant },
}

/// Watches the levels of one microphone.
#[derive(Debug)]
pub(crate) struct SpeechDetector {
    state: State,
    /// Which of the last packets were voice, the newest in bit 0.
    window: u32,
}

const _: () = assert!(WINDOW_PACKETS <= 32 && SPEECH_PACKETS <= WINDOW_PACKETS, "the window fits its bits");

impl SpeechDetector {
    pub(crate) fn new() -> Self {
        Self { state: State::Silent, window: 0 }
    }

    /// Notes the level of a packet that arrived at `now`.
    pub(crate) fn level(&mut self, level: AudioLevel, now: Instant) {
        let voice = level.dbov <= VOICE_DBOV;
        self.window = (self.window << 1 | u32::from(voice)) & ((1 << WINDOW_PACKETS) - 1);
        match &mut self.state {
            State::Speaking { last_voice } if voice => *last_voice = now,
            State::Silent if self.window.count_ones() as usize >= SPEECH_PACKETS => {
                self.state = State::Speaking { last_voice: now };
            }
            _ => self.poll(now),
        }
    }

    /// Ends speech whose hangover is over; packets may have stopped coming.
    pub(crate) fn poll(&mut self, now: Instant) {
        if let State::Speaking { last_voice } = self.state
            && now.saturating_duration_since(last_voice) >= HANGOVER
        {
            self.silence();
        }
    }

    /// The microphone went off: silence at once.
    pub(crate) fn silence(&mut self) {
        *self = Self::new();
    }

    pub(crate) fn is_speaking(&self) -> bool {
        matches!(self.state, State::Speaking { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays one level per 20 ms and returns the packets at which speech started and stopped.
    fn transitions(levels: &[u8]) -> Vec<(usize, bool)> {
        let start = Instant::now();
        let mut detector = SpeechDetector::new();
        let mut seen = Vec::new();
        for (n, dbov) in levels.iter().enumerate() {
            let before = detector.is_speaking();
            detector.level(AudioLevel { dbov: *dbov, voice: false }, start + Duration::from_millis(20 * n as u64));
            if detector.is_speaking() != before {
                seen.push((n, !before));
            }
        }
        seen
    }

    #[test]
    fn sustained_voice_starts_and_ends_with_the_hangover() {
        let levels = [[127; 10].as_slice(), &[25; 50], &[127; 60]].concat();
        assert_eq!(transitions(&levels), [(17, true), (99, false)]);
    }

    #[test]
    fn a_cough_is_not_speech() {
        let levels = [[80; 30].as_slice(), &[15; 7], &[80; 30]].concat();
        assert_eq!(transitions(&levels), []);
    }

    #[test]
    fn a_breath_does_not_end_speech() {
        let levels = [[25; 30].as_slice(), &[90; 30], &[25; 30]].concat();
        assert_eq!(transitions(&levels), [(7, true)]);
    }

    #[test]
    fn packets_that_stop_end_speech_too() {
        let start = Instant::now();
        let mut detector = SpeechDetector::new();
        (0..10).for_each(|_| detector.level(AudioLevel { dbov: 20, voice: true }, start));
        assert!(detector.is_speaking());
        detector.poll(start + HANGOVER);
        assert!(!detector.is_speaking());
    }
}
