//! How much like speech the last second of one microphone is: the scores of Volfin and Cohen.

use super::level::Loudness;
use crate::dominant::{
    Activity, IMMEDIATE_SCORES, LEVELS, LONG_BLOCKS, LONG_SCORES, LONG_THRESHOLD, MEDIUM_LEVELS, MEDIUM_SCORES,
    MEDIUM_THRESHOLD, SUB_BAND_DB,
};

/// The last second of a microphone.
#[derive(Debug)]
pub(super) struct ActivityMeter {
    /// Active sub-bands of each packet: 0 (silence) to 12.
    levels: [u8; LEVELS],
    /// Where the next one goes.
    next: usize,
}

impl ActivityMeter {
    pub(super) fn new() -> Self {
        Self { levels: [0; LEVELS], next: 0 }
    }

    /// Notes a packet that stood out of the noise this far; silence if it did not.
    pub(super) fn hear(&mut self, loudness: Loudness) {
        self.levels[self.next] = loudness.0 / SUB_BAND_DB;
        self.next = (self.next + 1) % LEVELS;
    }

    /// Notes `packets` that did not come.
    pub(super) fn miss(&mut self, packets: u32) {
        (0..packets.min(LEVELS as u32)).for_each(|_| self.hear(Loudness::SILENCE));
    }

    /// The scores of the newest packet, the newest block of packets, and all of them.
    pub(super) fn activity(&self) -> Activity {
        let newest_first = |n: usize| self.levels[(self.next + LEVELS - 1 - n) % LEVELS];
        let block = |n: usize| {
            let levels = (0..MEDIUM_LEVELS).map(|level| newest_first(n * MEDIUM_LEVELS + level));
            levels.filter(|level| *level > MEDIUM_THRESHOLD).count()
        };
        let long = (0..LONG_BLOCKS).filter(|n| block(*n) > LONG_THRESHOLD).count();
        Activity {
            immediate: IMMEDIATE_SCORES[usize::from(newest_first(0))],
            medium: MEDIUM_SCORES[block(0)],
            long: LONG_SCORES[long],
        }
    }
}
