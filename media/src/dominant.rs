//! Who of several people speaking is the one to look at.
//!
//! I. Volfin and I. Cohen, "Dominant speaker identification for multipoint videoconferencing", Computer Speech &
//! Language 27 (2013): each microphone is scored over three intervals at once, the newest packet, 100 ms and a second,
//! as the log-likelihood ratio of speech (activity distributed exponentially) against noise (binomially). Somebody
//! takes over only by being ahead on all three, which a cough is not. Constants as in Jitsi and mediasoup.
//!
//! The scores are made where the packets arrive ([`Activity`]); the decision is the room's ([`DominantSpeaker`]).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::ParticipantId;

/// Between two reports of a microphone, and two decisions of a room. Longer, and a new speaker is seen late; shorter,
/// and every gap between words invites a change.
pub const DECIDE_EVERY: Duration = Duration::from_millis(300);

/// Levels remembered: a second of packets of 20 ms.
pub(crate) const LEVELS: usize = MEDIUM_LEVELS * LONG_BLOCKS;
/// N1: a level is the number of active sub-bands of the 127 dB.
const SUB_BANDS: u8 = 13;
/// Width of one.
pub(crate) const SUB_BAND_DB: u8 = 127u8.div_ceil(SUB_BANDS);
/// N2: packets in a block.
pub(crate) const MEDIUM_LEVELS: usize = 5;
/// N3: blocks in a second.
pub(crate) const LONG_BLOCKS: usize = 10;
/// A packet counts for its block with more sub-bands than this: at −47 dBov or louder.
pub(crate) const MEDIUM_THRESHOLD: u8 = 7;
/// A block counts for the second with more packets than this: all five.
pub(crate) const LONG_THRESHOLD: usize = 4;

/// Units of a score in one nat.
const NAT: i32 = 1 << 10;
/// C1, C2, C3: how far ahead somebody must be to take over, for each interval. Raise one, and the speaker before keeps
/// the place for longer.
const AHEAD: [i32; 3] = [3 * NAT, 2 * NAT, 0];

// What v active parts of n score. With p = 1/2 and λ = 0.78, 24 and 47 the likelihood ratio is
//     s = ln C(n, v) + v·ln p + (n − v)·ln(1 − p) − ln λ + λ·v, at least 1e-10,
// and the algorithm compares ratios of s. So the tables hold 1024 · ln(s / 1e-10), rounded: comparing is subtracting,
// and silence is 0. A test derives them again.
/// Scores of a packet, by active sub-bands.
pub(crate) const IMMEDIATE_SCORES: [u16; SUB_BANDS as usize + 1] =
    [0, 0, 0, 0, 23504, 24430, 24821, 25035, 25149, 25191, 25162, 25042, 24757, 23906];
/// Scores of a block, by packets that count.
pub(crate) const MEDIUM_SCORES: [u16; MEDIUM_LEVELS + 1] = [0, 26592, 27446, 27894, 28197, 28423];
/// Scores of a second, by blocks that count.
pub(crate) const LONG_SCORES: [u16; LONG_BLOCKS + 1] =
    [0, 27317, 28152, 28602, 28911, 29146, 29336, 29495, 29631, 29750, 29855];

/// How much one microphone sounds like speech, over three intervals. In 1/1024 nat above silence, which is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// The newest packet.
    pub immediate: u16,
    /// The last 100 ms.
    pub medium: u16,
    /// The last second.
    pub long: u16,
}

impl Activity {
    /// No speech on any interval.
    pub const SILENCE: Self = Self { immediate: 0, medium: 0, long: 0 };

    /// How far ahead of `other`, for each interval.
    fn ahead_of(self, other: Self) -> [i32; 3] {
        [(self.immediate, other.immediate), (self.medium, other.medium), (self.long, other.long)]
            .map(|(mine, theirs)| i32::from(mine) - i32::from(theirs))
    }
}

/// Decides for one room, from what its microphones' workers report. Call [`DominantSpeaker::report`] as reports come,
/// [`DominantSpeaker::decide`] every [`DECIDE_EVERY`].
///
/// The dominant speaker stays so while nobody speaks, until somebody else takes over or it is forgotten.
#[derive(Clone, Debug, Default)]
pub struct DominantSpeaker {
    /// Everybody who is not silent.
    active: BTreeMap<ParticipantId, Activity>,
    dominant: Option<ParticipantId>,
}

impl DominantSpeaker {
    /// Nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The dominant speaker, if there is one.
    #[must_use]
    pub fn dominant(&self) -> Option<ParticipantId> {
        self.dominant
    }

    /// Notes how active a participant is; it counts until the next report. A report of somebody who is muted or gone
    /// must not be handed in: it may have been on its way when they were forgotten.
    pub fn report(&mut self, participant: ParticipantId, activity: Activity) {
        if activity == Activity::SILENCE {
            self.active.remove(&participant);
        } else {
            self.active.insert(participant, activity);
        }
    }

    /// Decides who is dominant. Returns the new one if it changed. Of several who are ahead the one furthest ahead over
    /// the last 100 ms takes over (then over a second, then the lowest number).
    pub fn decide(&mut self) -> Option<ParticipantId> {
        let dominant = self.dominant.and_then(|dominant| self.active.get(&dominant)).copied().unwrap_or_default();
        let ahead = |activity: &Activity| activity.ahead_of(dominant).iter().zip(AHEAD).all(|(by, least)| *by > least);
        let challengers = self.active.iter().filter(|(id, activity)| Some(**id) != self.dominant && ahead(activity));
        let (winner, _) = challengers.max_by_key(|(id, activity)| (activity.medium, activity.long, Reverse(**id)))?;
        self.dominant = Some(*winner);
        self.dominant
    }

    /// A participant was muted or is gone. True when that was the dominant speaker: there is none until the next
    /// decision.
    pub fn forget(&mut self, participant: ParticipantId) -> bool {
        self.active.remove(&participant);
        self.dominant.take_if(|dominant| *dominant == participant).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: ParticipantId = ParticipantId(1);
    const BEN: ParticipantId = ParticipantId(2);
    const CAT: ParticipantId = ParticipantId(3);

    fn activity(sub_bands: usize, packets: usize, blocks: usize) -> Activity {
        let (immediate, medium) = (IMMEDIATE_SCORES[sub_bands], MEDIUM_SCORES[packets]);
        Activity { immediate, medium, long: LONG_SCORES[blocks] }
    }

    #[test]
    fn the_tables_are_the_papers_formula() {
        let choose = |n: u32, v: u32| (0..v).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
        for (table, lambda) in [(&IMMEDIATE_SCORES[..], 0.78), (&MEDIUM_SCORES, 24.0), (&LONG_SCORES, 47.0)] {
            let n = table.len() as u32 - 1;
            for (v, score) in (0..).zip(table) {
                let p = 0.5f64;
                let s = choose(n, v).ln() + f64::from(v) * p.ln() + f64::from(n - v) * (1.0 - p).ln();
                let s: f64 = (s - f64::ln(lambda) + lambda * f64::from(v)).max(1e-10);
                assert_eq!(f64::from(*score), ((s / 1e-10).ln() * f64::from(NAT)).round(), "{v} of {n}");
            }
        }
    }

    #[test]
    fn a_challenger_must_be_ahead_on_all_three_intervals() {
        let takes_over = |challenger: Activity| {
            let mut room = DominantSpeaker::new();
            room.report(ANN, activity(10, 5, 5));
            assert_eq!(room.decide(), Some(ANN));
            room.report(ANN, activity(0, 0, 5));
            room.report(BEN, challenger);
            room.decide() == Some(BEN)
        };
        assert!(takes_over(activity(10, 5, 6)));
        assert!(!takes_over(activity(3, 5, 6)), "not now");
        assert!(!takes_over(activity(10, 0, 6)), "not over 100 ms");
        assert!(!takes_over(activity(10, 5, 5)), "not over a second");
    }

    #[test]
    fn of_several_challengers_the_one_furthest_ahead_takes_over() {
        let mut room = DominantSpeaker::new();
        room.report(ANN, activity(9, 4, 9));
        room.report(CAT, activity(9, 5, 2));
        room.report(BEN, activity(9, 5, 2));
        assert_eq!(room.decide(), Some(BEN));
        assert_eq!(room.decide(), None, "nothing changed");
    }

    #[test]
    fn who_is_forgotten_is_not_dominant_and_silence_changes_nothing() {
        let mut room = DominantSpeaker::new();
        room.report(ANN, activity(10, 5, 5));
        room.decide();
        room.report(ANN, Activity::SILENCE);
        assert_eq!((room.decide(), room.dominant()), (None, Some(ANN)));
        assert!(!room.forget(BEN));
        assert!(room.forget(ANN));
        assert_eq!((room.decide(), room.dominant()), (None, None));
    }
}
