//! Speech started, speech stopped.

use std::time::Instant;

use super::config::SpeechConfig;
use crate::limits::SPEECH_WINDOW_PACKETS_MAX;

/// Speech or silence, and since when by the data plane's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Silent,
    Speaking { last_voice: Instant },
}

/// Says whether enough of the last packets were voice.
#[derive(Debug)]
pub(super) struct SpeechDetector {
    state: State,
    /// Which of the last packets were loud, the newest in bit 0.
    window: u64,
}

const _: () = assert!(SPEECH_WINDOW_PACKETS_MAX as u32 <= u64::BITS, "the window fits its bits");

impl SpeechDetector {
    pub(super) fn new() -> Self {
        Self { state: State::Silent, window: 0 }
    }

    /// Notes a packet that arrived at `now`: loud enough for voice, or not.
    pub(super) fn hear(&mut self, loud: bool, config: &SpeechConfig, now: Instant) {
        self.window = self.window << 1 | u64::from(loud);
        let (voice, newest_is_voice) = self.voice(config);
        match &mut self.state {
            State::Speaking { last_voice } if newest_is_voice && voice >= u32::from(config.hold_packets) => {
                *last_voice = now;
            }
            State::Silent if voice >= u32::from(config.speech_packets) => {
                self.state = State::Speaking { last_voice: now };
            }
            _ => self.poll(config, now),
        }
    }

    /// Notes `packets` that did not come.
    pub(super) fn miss(&mut self, packets: u32) {
        self.window = self.window.checked_shl(packets).unwrap_or(0);
    }

    /// Packets of the window that lie in runs long enough for voice, and whether the newest does.
    fn voice(&self, config: &SpeechConfig) -> (u32, bool) {
        let window = self.window & (u64::MAX >> (u64::BITS - u32::from(config.window_packets)));
        // A bit for each packet that ends a run, then for every packet of such a run.
        let ends = (0..config.run_packets).fold(u64::MAX, |ends, n| ends & window.checked_shl(n.into()).unwrap_or(0));
        let runs = (0..config.run_packets).fold(0, |runs, n| runs | ends.checked_shr(n.into()).unwrap_or(0));
        (runs.count_ones(), runs & 1 == 1)
    }

    /// Ends speech whose hangover is over; packets may have stopped coming.
    pub(super) fn poll(&mut self, config: &SpeechConfig, now: Instant) {
        if let State::Speaking { last_voice } = self.state
            && now.saturating_duration_since(last_voice) >= config.hangover
        {
            *self = Self::new();
        }
    }

    pub(super) fn is_speaking(&self) -> bool {
        matches!(self.state, State::Speaking { .. })
    }
}
