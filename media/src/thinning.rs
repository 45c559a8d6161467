//! A stream with fewer frames: without those of its highest temporal layer, which no other frame needs (RFC 7741 §4.2, TID).
//! Of three temporal layers as of two that is half of the frames, and about 60 % of the bits.

use std::time::Instant;

use crate::codec::Temporal;
use crate::gaps::Gaps;
use crate::limits::{THINNED_PERCENT_KEPT, THINNED_PERCENT_MAX};
use crate::rate::RateMeter;

/// Where a packet stands in its stream when that is thinned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Thinned {
    /// Extended sequence number, with the gaps of what is left out closed. Of a packet that is left out, the number of the
    /// next one that is not.
    pub(crate) seq: u64,
    /// Frames left out before it, modulo 2^16.
    pub(crate) skipped: u16,
    /// It is left out.
    pub(crate) is_left_out: bool,
}

/// Numbers a stream as it is when thinned.
#[derive(Debug, Default)]
pub(crate) struct Thinning {
    /// The highest temporal layer so far. It never falls. Where it rises in mid-stream, which browsers do not do, who has half of the
    /// frames may see them break until the next one that needs the base alone.
    highest: u8,
    /// A frame of that layer needed the base alone, so that there is a way back to all frames.
    has_way_back: bool,
    /// It takes clearly less than the whole.
    is_worthwhile: bool,
    packets: Gaps,
    /// Frames, by the number of their first packet.
    frames: Gaps,
    rate: RateMeter,
}

impl Thinning {
    /// The place of packet `seq`; none for one that comes too late to have one.
    pub(crate) fn place(&mut self, seq: u64, temporal: Temporal) -> Option<Thinned> {
        if temporal.layer > self.highest {
            (self.highest, self.has_way_back) = (temporal.layer, false);
        }
        let is_highest = temporal.layer > 0 && temporal.layer == self.highest;
        self.has_way_back |= is_highest && temporal.syncs;
        let is_left_out = is_highest && self.has_way_back;
        let (number, frames) = if is_left_out {
            (self.packets.place(seq)?, self.frames.place(seq)?)
        } else {
            (self.packets.close(seq)?, self.frames.close(seq)?)
        };
        if is_left_out {
            self.packets.skip(seq);
            if temporal.begins_frame {
                self.frames.skip(seq);
            }
        }
        Some(Thinned { seq: number, skipped: (seq - frames) as u16, is_left_out })
    }

    /// Counts a packet of `bytes` that stays.
    pub(crate) fn count(&mut self, bytes: usize, now: Instant) {
        self.rate.count(bytes, now);
    }

    /// What is left takes so much, bit/s, of a whole of `of`; none where hardly anything is left out.
    pub(crate) fn rate(&mut self, of: u32, now: Instant) -> Option<u32> {
        let rate = self.rate.measured(now);
        self.worthwhile(rate, of)
    }

    /// The rate before a pause, as [`RateMeter::before`] tells it.
    pub(crate) fn rate_before(&mut self, of: u32) -> Option<u32> {
        let rate = self.rate.before();
        self.worthwhile(rate, of)
    }

    /// A large key frame, of which nothing is left out, is no reason to take it away from those who have it.
    fn worthwhile(&mut self, rate: Option<u32>, of: u32) -> Option<u32> {
        let percent_max = if self.is_worthwhile { THINNED_PERCENT_KEPT } else { THINNED_PERCENT_MAX };
        let rate = rate.filter(|rate| u64::from(*rate) * 100 <= u64::from(of) * percent_max);
        self.is_worthwhile = rate.is_some();
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LAYER_RATE_INTERVAL;

    const fn first(layer: u8) -> Temporal {
        Temporal { layer, syncs: true, begins_frame: true }
    }

    const fn more(layer: u8) -> Temporal {
        Temporal { begins_frame: false, ..first(layer) }
    }

    /// Number and frames left out, of each packet that stays.
    fn stays(packets: &[(u64, Temporal)]) -> Vec<(u64, u16)> {
        let mut thinning = Thinning::default();
        let places = packets.iter().filter_map(|(seq, temporal)| thinning.place(*seq, *temporal));
        places.filter(|place| !place.is_left_out).map(|place| (place.seq, place.skipped)).collect()
    }

    #[test]
    fn without_temporal_layers_everything_stays() {
        assert_eq!(stays(&[(7, first(0)), (8, more(0)), (9, first(0))]), [(7, 0), (8, 0), (9, 0)]);
    }

    #[test]
    fn of_several_layers_the_highest_is_left_out() {
        let three = [(1, first(0)), (2, first(2)), (3, more(2)), (4, first(1)), (5, first(2)), (6, first(0))];
        assert_eq!(stays(&three), [(1, 0), (2, 1), (3, 2)]);
        assert_eq!(stays(&[(1, first(0)), (2, first(1)), (3, first(0)), (4, more(0))]), [(1, 0), (2, 1), (3, 1)]);
    }

    #[test]
    fn nothing_is_left_out_of_a_layer_there_is_no_way_back_to() {
        let never = Temporal { syncs: false, ..first(1) };
        assert_eq!(stays(&[(1, first(0)), (2, never), (3, first(0)), (4, never)]), [(1, 0), (2, 0), (3, 0), (4, 0)]);
        assert_eq!(stays(&[(1, never), (2, first(0)), (3, first(1)), (4, never)]), [(1, 0), (2, 0)]);
    }

    #[test]
    fn what_comes_late_gets_no_number_that_was_given() {
        let late = [(1, first(0)), (4, first(0)), (2, first(1)), (3, first(0)), (5, first(1)), (6, first(0))];
        assert_eq!(stays(&late), [(1, 0), (4, 0), (3, 0), (5, 1)], "2 leaves a gap, as it was not known when 4 came");
    }

    #[test]
    fn what_comes_much_too_late_has_no_place() {
        let mut thinning = Thinning::default();
        for frame in 0..100 {
            thinning.place(3 * frame, first(0)).unwrap();
            thinning.place(3 * frame + 2, first(1)).unwrap();
        }
        assert_eq!(thinning.place(1, more(0)), None);
        assert!(thinning.place(295, more(0)).is_some());
    }

    #[test]
    fn half_of_the_frames_is_offered_where_it_takes_clearly_less() {
        let (mut thinning, start) = (Thinning::default(), Instant::now());
        assert_eq!(thinning.rate(1_000_000, start), None, "nothing is known yet");
        (0..100).for_each(|n| thinning.count(375, start + LAYER_RATE_INTERVAL * n / 100));
        let now = start + LAYER_RATE_INTERVAL;
        assert_eq!(thinning.rate(1_000_000, now), Some(600_000));
        assert_eq!(thinning.rate(640_000, now), Some(600_000), "who has it keeps it over a key frame");
        assert_eq!(thinning.rate(620_000, now), None);
        assert_eq!(thinning.rate(640_000, now), None, "nobody has it any more");
        assert_eq!(thinning.rate_before(1_000_000), Some(600_000));
    }
}
