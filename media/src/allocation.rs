//! Which layer of each picture one viewer gets: a pure function of what the line carries and of what is wished for.

use crate::ids::{Layer, Slot};
use crate::layers::{PICTURES, Quality, Rates};
use crate::limits;

/// What a viewer wants to see of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nothing: it is not shown.
    Nothing,
    /// The picture, shown with so many pixels from top to bottom.
    Height(u16),
}

impl Wish {
    /// The highest layer of use, if any. Layers halve the height, from 720 pixels of a full camera.
    pub(crate) fn layer_max(self) -> Option<Layer> {
        match self {
            Self::Nothing | Self::Height(0) => None,
            Self::Height(height) if height <= limits::SMALLEST_LAYER_HEIGHT_MAX => Some(Layer(0)),
            Self::Height(height) if height <= limits::MIDDLE_LAYER_HEIGHT_MAX => Some(Layer(1)),
            Self::Height(_) => Some(Layer(2)),
        }
    }
}

/// What a viewer wants to see, by slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes([Wish; PICTURES]);

impl Wishes {
    /// Of a client that says nothing: the middle layer of every camera, which 25 tiles can show, and all of the screen.
    pub const UNSAID: Self = {
        let mut wishes = [Wish::Height(limits::MIDDLE_LAYER_HEIGHT_MAX); PICTURES];
        wishes[PICTURES - 1] = Wish::Height(u16::MAX);
        Self(wishes)
    };

    /// Of a client that shows no camera, and all of the screen.
    pub const SCREEN_ONLY: Self = {
        let mut wishes = [Wish::Nothing; PICTURES];
        wishes[PICTURES - 1] = Wish::Height(u16::MAX);
        Self(wishes)
    };

    /// Wishes for `wish` in `slot`; slots without a picture are left out.
    pub fn set(&mut self, slot: Slot, wish: Wish) {
        if let Some(place) = self.0.get_mut(slot.index()) {
            *place = wish;
        }
    }

    pub(crate) fn of(&self, slot: Slot) -> Wish {
        self.0[slot.index()]
    }
}

/// In whose favour the line is shared, first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Screen,
    Speaker,
    Other,
}

/// A picture a viewer could get.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) slot: Slot,
    pub(crate) rank: Rank,
    /// Grows with each picture that comes: the oldest is dropped first.
    pub(crate) entered: u64,
    /// The highest layer of use to the viewer.
    pub(crate) layer_max: Layer,
    pub(crate) rates: Rates,
    /// What it has got so far.
    pub(crate) before: Option<Quality>,
}

/// What a viewer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allocation {
    /// By slot; none where nothing is sent.
    pub(crate) qualities: [Option<Quality>; PICTURES],
    /// Pictures that were wished for and do not fit, a bit for each slot.
    pub(crate) dropped: u32,
    /// What all wishes would take, bit/s.
    pub(crate) wanted: u32,
}

/// Shares `budget` bit/s: the screen first, then the speaker up to what is wished for, then everybody the smallest
/// quality, the oldest last, then quality by quality upwards. One above that before must fit with room to spare, so that
/// an estimate that moves a little changes nothing. Sorts `candidates`.
pub(crate) fn allocate(budget: u32, candidates: &mut [Candidate]) -> Allocation {
    let mut shares = Shares { left: u64::from(budget), qualities: [None; PICTURES] };
    candidates.sort_unstable_by(|a, b| a.rank.cmp(&b.rank).then(b.entered.cmp(&a.entered)));
    if let Some(first) = candidates.first() {
        shares.keep(first, budget);
    }
    let split = candidates.partition_point(|candidate| candidate.rank < Rank::Other);
    let (favoured, others) = candidates.split_at(split);
    for candidate in favoured {
        useful(candidate).for_each(|quality| shares.raise(candidate, quality));
    }
    for candidate in others {
        useful(candidate).take(1).for_each(|quality| shares.raise(candidate, quality));
    }
    for quality in Quality::every() {
        for candidate in others {
            if shares.has(candidate) && useful(candidate).any(|useful| useful == quality) {
                shares.raise(candidate, quality);
            }
        }
    }
    let missing = candidates.iter().filter(|candidate| !shares.has(candidate));
    let best = |candidate: &Candidate| useful(candidate).last().map_or(0, |quality| candidate.rates.of(quality));
    Allocation {
        qualities: shares.qualities,
        dropped: missing.fold(0, |bits, candidate| bits | 1 << candidate.slot.index()),
        wanted: candidates.iter().fold(0, |sum, candidate| sum.saturating_add(best(candidate))),
    }
}

/// A picture on its way to what its viewer gets: this layer goes on until the key frame of that one has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meanwhile {
    pub(crate) slot: Slot,
    pub(crate) layer: Layer,
    pub(crate) target: Quality,
    pub(crate) rates: Rates,
}

/// Pictures that end at once where smaller layers are to come, a bit for each slot: if what is sent meanwhile takes more than the
/// pacer lets go, their key frames would wait behind it.
pub(crate) fn ended_at_once(budget: u32, sent: &[Meanwhile]) -> u32 {
    let takes = |sent: &Meanwhile| u64::from(sent.rates.least(sent.layer, sent.target.frames_of(sent.layer)));
    let sum: u64 = sent.iter().map(takes).sum();
    if sum as f64 <= f64::from(budget) * limits::PACE_FACTOR {
        return 0;
    }
    let falling = sent.iter().filter(|sent| sent.layer > sent.target.layer);
    falling.fold(0, |bits, sent| bits | 1 << sent.slot.index())
}

/// What can be had and is of use, smallest first. If all layers are larger than what is wished for, the smallest.
fn useful(candidate: &Candidate) -> impl Iterator<Item = Quality> + use<> {
    let rates = candidate.rates;
    let highest = rates.layers().nearest(candidate.layer_max);
    Quality::every()
        .filter(move |quality| rates.has(*quality) && highest.is_some_and(|highest| quality.layer <= highest))
}

const _: () = assert!(PICTURES <= 32, "a picture is a bit");

struct Shares {
    left: u64,
    qualities: [Option<Quality>; PICTURES],
}

impl Shares {
    fn has(&self, candidate: &Candidate) -> bool {
        self.qualities[candidate.slot.index()].is_some()
    }

    /// The first picture stays where its smallest quality takes somewhat more than `budget`: estimates fall below what the
    /// line carries each time they are corrected, and a picture that comes and goes is worse than one that is late.
    fn keep(&mut self, first: &Candidate, budget: u32) {
        let Some(smallest) = useful(first).next().filter(|_| first.before.is_some()) else { return };
        let takes = u64::from(first.rates.of(smallest));
        if takes * 100 <= u64::from(budget) * limits::FIRST_PICTURE_PERCENT_MAX {
            self.left = self.left.saturating_sub(takes);
            self.qualities[first.slot.index()] = Some(smallest);
        }
    }

    /// Gives `candidate` this quality in place of what it has, if that fits.
    fn raise(&mut self, candidate: &Candidate, quality: Quality) {
        let share = &mut self.qualities[candidate.slot.index()];
        let has = share.map_or(0, |share| u64::from(candidate.rates.of(share)));
        let takes = u64::from(candidate.rates.of(quality));
        let spare = match candidate.before {
            Some(before) if quality <= before => 0,
            _ if share.is_none() => takes * limits::FIRST_LAYER_SPARE_PERCENT / 100,
            _ => takes * limits::HIGHER_LAYER_SPARE_PERCENT / 100,
        };
        if takes + spare <= self.left + has {
            self.left = self.left + has - takes;
            *share = Some(quality);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Frames;

    const Q: Option<Quality> = Some(Quality { layer: Layer(0), frames: Frames::All });
    const H: Option<Quality> = Some(Quality { layer: Layer(1), frames: Frames::All });
    const F: Option<Quality> = Some(Quality { layer: Layer(2), frames: Frames::All });
    const HALF_Q: Option<Quality> = Some(Quality { layer: Layer(0), frames: Frames::Half });
    const HALF_H: Option<Quality> = Some(Quality { layer: Layer(1), frames: Frames::Half });
    const HALF_F: Option<Quality> = Some(Quality { layer: Layer(2), frames: Frames::Half });

    fn camera(n: usize, layer_max: u8) -> Candidate {
        Candidate {
            slot: Slot::camera(n).unwrap(),
            rank: Rank::Other,
            entered: n as u64,
            layer_max: Layer(layer_max),
            rates: Rates::NOMINAL,
            before: None,
        }
    }

    fn speaker(n: usize, layer_max: u8) -> Candidate {
        Candidate { rank: Rank::Speaker, ..camera(n, layer_max) }
    }

    fn screen(rate: u32) -> Candidate {
        Candidate { slot: Slot::SCREEN, rank: Rank::Screen, rates: Rates::new([rate, 0, 0]), ..camera(0, 2) }
    }

    fn with_before(candidates: &[Candidate], before: Option<Quality>) -> Vec<Candidate> {
        candidates.iter().map(|candidate| Candidate { before, ..*candidate }).collect()
    }

    /// What is given in the order of `candidates`.
    fn shared(kbit: u32, candidates: &[Candidate]) -> Vec<Option<Quality>> {
        let allocation = allocate(kbit * 1_000, &mut candidates.to_vec());
        candidates.iter().map(|candidate| allocation.qualities[candidate.slot.index()]).collect()
    }

    #[test]
    fn the_line_is_shared_as_promised() {
        let three = [speaker(0, 2), camera(1, 2), camera(2, 2)];
        for (what, kbit, candidates, expected) in [
            ("nothing carries nothing", 0, &three[..], vec![None, None, None]),
            ("the speaker's smallest comes first", 160, &three, vec![Q, None, None]),
            ("the speaker is raised before others are shown", 600, &three, vec![H, None, None]),
            ("the newest is shown next", 700, &three, vec![H, None, Q]),
            ("everybody a thumbnail", 850, &three, vec![H, Q, Q]),
            ("then upwards, the newest first", 1_300, &three, vec![H, Q, H]),
            ("all in the middle", 1_700, &three, vec![H, H, H]),
            ("the speaker's largest before thumbnails", 3_000, &three, vec![F, Q, Q]),
            ("all there is", 9_000, &three, vec![F, F, F]),
            ("no more than is wished for", 9_000, &[speaker(0, 1), camera(1, 0)], vec![H, Q]),
            ("the screen before the speaker", 850, &[screen(700_000), speaker(0, 2)], vec![Q, None]),
            ("a screen that does not fit leaves its share", 600, &[screen(700_000), speaker(0, 2)], vec![None, H]),
        ] {
            assert_eq!(shared(kbit, candidates), expected, "{what}");
        }
    }

    #[test]
    fn cameras_that_do_not_fit_are_dropped_oldest_first_and_named() {
        let mut all: Vec<_> = (0..25).map(|n| camera(n, 1)).collect();
        let allocation = allocate(1_000_000, &mut all);
        let shown: Vec<_> = (0..25).filter(|n| allocation.qualities[*n].is_some()).collect();
        assert_eq!(shown, [19, 20, 21, 22, 23, 24]);
        assert_eq!((allocation.dropped, allocation.wanted), ((1 << 19) - 1, 25 * 500_000));
    }

    #[test]
    fn half_of_the_frames_is_a_step_between_layers() {
        let rates = Rates::NOMINAL.with_half([90_000, 300_000, 1_500_000]);
        let one = [Candidate { rates, ..speaker(0, 2) }];
        for (kbit, expected) in [
            (90, None),
            (95, HALF_Q),
            (165, Q),
            (330, HALF_H),
            (549, HALF_H),
            (550, H),
            (1_650, HALF_F),
            (2_749, HALF_F),
            (2_750, F),
        ] {
            assert_eq!(shared(kbit, &one), [expected], "{kbit} kbit/s");
        }
        assert_eq!(shared(2_500, &with_before(&one, F)), [F]);
        assert_eq!(shared(2_499, &with_before(&one, F)), [HALF_F]);
        let three = [0, 1, 2].map(|n| Candidate { rates, ..camera(n, 1) });
        assert_eq!(shared(290, &three), [HALF_Q; 3], "everybody is shown before anybody moves more");
        assert_eq!(shared(420, &three), [HALF_Q, Q, Q]);
    }

    #[test]
    fn what_is_shown_stays_where_something_more_would_not_be_begun() {
        let one = [camera(0, 1)];
        assert_eq!(shared(500, &one), [Q], "it fits with nothing to spare");
        assert_eq!(shared(500, &with_before(&one, H)), [H]);
        assert_eq!(shared(499, &with_before(&one, H)), [Q]);
        assert_eq!(shared(550, &with_before(&one, Q)), [H]);
        assert_eq!(shared(549, &with_before(&one, Q)), [Q]);
    }

    #[test]
    fn the_first_picture_stays_on_a_line_that_falls_a_little_short() {
        let two = with_before(&[speaker(0, 2), camera(1, 2)], Q);
        assert_eq!(shared(100, &two), [Q, None]);
        assert_eq!(shared(70, &two), [None, None]);
        assert_eq!(shared(100, &[speaker(0, 2)]), [None], "nor does it begin there");
    }

    #[test]
    fn a_layer_ends_at_once_where_the_key_frame_of_the_smaller_would_wait_behind_it() {
        let rates = Rates::NOMINAL.with_half([0, 0, 1_500_000]);
        let sent = |n, layer, target: Option<Quality>| {
            let (slot, layer, target) = (Slot::camera(n).unwrap(), Layer(layer), target.unwrap());
            Meanwhile { slot, layer, target, rates }
        };
        let two = [sent(0, 2, Q), sent(1, 1, H)];
        // Half of the frames of the first, and the second, at 1.5 times the budget.
        assert_eq!(ended_at_once(1_334_000, &two), 0);
        assert_eq!(ended_at_once(1_333_000, &two), 0b01, "the second stays as it is");
        assert_eq!(ended_at_once(0, &[sent(0, 1, F), sent(1, 2, HALF_F), sent(2, 0, Q)]), 0, "none is to get smaller");
        assert_eq!(ended_at_once(0, &[sent(0, 1, Q), sent(3, 2, H)]), 0b1001);
        assert_eq!(ended_at_once(u32::MAX, &two), 0);
    }

    #[test]
    fn a_layer_that_is_not_there_is_stood_in_for() {
        let with = |rates| Candidate { rates: Rates::new(rates), ..camera(0, 1) };
        assert_eq!(shared(9_000, &[with([100_000, 0, 2_000_000])]), [Q]);
        assert_eq!(shared(9_000, &[with([0, 0, 2_000_000])]), [F], "larger than wished for, and all there is");
        assert_eq!(shared(9_000, &[with([0, 0, 0])]), [None]);
    }

    #[test]
    fn a_size_asks_for_the_layer_that_fills_it() {
        let layer = |height| Wish::Height(height).layer_max().map(|layer| layer.0);
        let expected = [None, Some(0), Some(0), Some(1), Some(1), Some(2), Some(2)];
        assert_eq!([0, 90, 180, 240, 360, 540, 1_080].map(layer), expected);
        assert_eq!(Wish::Nothing.layer_max(), None);
    }

    #[test]
    fn who_wishes_for_nothing_in_particular_gets_the_middle_of_cameras_and_all_of_the_screen() {
        let layer = |slot| Wishes::UNSAID.of(slot).layer_max();
        assert_eq!((layer(Slot::camera(24).unwrap()), layer(Slot::SCREEN)), (Some(Layer(1)), Some(Layer(2))));
    }
}
