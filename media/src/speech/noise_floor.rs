//! How loud the room is when nobody speaks in it.

use std::time::{Duration, Instant};

use super::config::SpeechConfig;
use super::level::Loudness;
use crate::limits::NOISE_FLOOR_SECONDS_MAX;

/// One second of a microphone.
#[derive(Clone, Copy, Debug, Default)]
struct Second {
    /// The lowest level that was not silence.
    lowest: Option<Loudness>,
    /// Packets that were not silence.
    sounds: u8,
}

/// The lowest level of the last seconds, a minimum for each, so that memory and work are constant.
///
/// Speech does not become its own floor: the gaps between words lie far below it, and one such packet holds the floor
/// down for the whole time remembered. Digital silence does not count, whether 127 or no packet at all: it says that
/// the client sends no noise, not how loud its noise is.
#[derive(Debug)]
pub(super) struct NoiseFloor {
    seconds: [Second; NOISE_FLOOR_SECONDS_MAX as usize],
    /// The second being heard.
    current: usize,
    /// When it began; nothing was heard before the first packet.
    began: Option<Instant>,
    /// The floor, once enough was heard.
    floor: Option<Loudness>,
}

const SECOND: Duration = Duration::from_secs(1);

impl NoiseFloor {
    pub(super) fn new() -> Self {
        let seconds = [Second::default(); NOISE_FLOOR_SECONDS_MAX as usize];
        Self { seconds, current: 0, began: None, floor: None }
    }

    /// Notes the level of a packet that arrived at `now`.
    pub(super) fn hear(&mut self, loudness: Loudness, config: &SpeechConfig, now: Instant) {
        let turned = self.turn(config, now);
        let second = &mut self.seconds[self.current];
        let lower = loudness != Loudness::SILENCE && second.lowest.is_none_or(|lowest| loudness < lowest);
        if lower {
            second.lowest = Some(loudness);
        }
        second.sounds = second.sounds.saturating_add(u8::from(loudness != Loudness::SILENCE));
        if turned || lower {
            self.floor = self.measure(config);
        }
    }

    /// Begins as many seconds as have passed. True when there was one.
    fn turn(&mut self, config: &SpeechConfig, now: Instant) -> bool {
        let began = *self.began.get_or_insert(now);
        let passed = now.saturating_duration_since(began).as_secs();
        for _ in 0..passed.min(u64::from(config.floor_seconds)) {
            self.current = (self.current + 1) % usize::from(config.floor_seconds);
            self.seconds[self.current] = Second::default();
        }
        self.began = Some(began + Duration::from_secs(passed));
        passed > 0
    }

    fn measure(&self, config: &SpeechConfig) -> Option<Loudness> {
        let seconds = &self.seconds[..usize::from(config.floor_seconds)];
        let packets = SECOND.as_micros() / config.packet.as_micros();
        let steady =
            |second: &&Second| u128::from(second.sounds) * 100 >= packets * u128::from(config.floor_sound_percent);
        let learned = seconds.iter().filter(steady).count() >= usize::from(config.floor_learn_seconds);
        seconds.iter().filter_map(|second| second.lowest).min().filter(|_| learned)
    }

    /// The level, or silence when it does not stand out of the noise.
    pub(super) fn gate(&self, loudness: Loudness, config: &SpeechConfig) -> Loudness {
        let stands_out =
            |floor: Loudness| u16::from(loudness.0) >= u16::from(floor.0) + u16::from(config.floor_margin_db);
        if self.floor.is_none_or(stands_out) { loudness } else { Loudness::SILENCE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A microphone that is heard a packet of 20 ms at a time.
    struct Room {
        floor: NoiseFloor,
        now: Instant,
    }

    impl Room {
        fn new() -> Self {
            Self { floor: NoiseFloor::new(), now: Instant::now() }
        }

        fn hears(&mut self, loudness: u8, packets: u32) -> Option<u8> {
            for _ in 0..packets {
                self.floor.hear(Loudness(loudness), &SpeechConfig::default(), self.now);
                self.now += Duration::from_millis(20);
            }
            self.floor.floor.map(|floor| floor.0)
        }
    }

    #[test]
    fn a_microphone_just_switched_on_has_no_floor() {
        let mut room = Room::new();
        assert_eq!(room.hears(60, 150), None, "three seconds are just over");
        assert_eq!(room.hears(60, 1), Some(60));
    }

    #[test]
    fn lower_levels_are_believed_at_once_and_higher_ones_when_the_lower_are_forgotten() {
        let mut room = Room::new();
        room.hears(60, 250);
        assert_eq!(room.hears(50, 1), Some(50));
        assert_eq!(room.hears(90, 14 * 50), Some(50));
        assert_eq!(room.hears(90, 50), Some(90));
    }

    #[test]
    fn silence_is_no_floor_and_neither_is_a_voice_between_silences() {
        let mut room = Room::new();
        for _ in 0..100 {
            assert_eq!(room.hears(100, 7), None);
            assert_eq!(room.hears(0, 3), None);
        }
        assert_eq!(room.hears(100, 151), Some(100));
        assert_eq!(room.hears(0, 3), Some(100), "nor do pauses lower it");
    }

    #[test]
    fn after_a_long_pause_the_floor_is_learned_anew() {
        let mut room = Room::new();
        assert_eq!(room.hears(60, 250), Some(60));
        room.now += Duration::from_secs(16);
        assert_eq!(room.hears(90, 100), None);
        assert_eq!(room.hears(90, 51), Some(90));
    }
}
