//! The layers of a picture: which there are, what they take of a line, and which of them somebody gets.

use crate::ids::{Layer, Slot};
use crate::limits::{CAMERA_SLOTS, LAYER_RATE_STEP_PERCENT};

/// Layers of a camera, smallest first.
pub(crate) const LAYERS: usize = 3;
/// Slots with a picture: the cameras and the screen. Their indices are `0..PICTURES`.
pub(crate) const PICTURES: usize = CAMERA_SLOTS + 1;

/// Every layer, smallest first.
pub(crate) fn all() -> impl DoubleEndedIterator<Item = Layer> {
    (0..LAYERS as u8).map(Layer)
}

/// How many of a layer's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Frames {
    /// Those of the highest temporal layer are left out: every second one.
    Half,
    All,
}

/// A layer of a picture, with all of its frames or with half of them. Ordered by layer, then by frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quality {
    pub(crate) layer: Layer,
    pub(crate) frames: Frames,
}

impl Quality {
    /// All there is of `layer`.
    pub(crate) fn all_of(layer: Layer) -> Self {
        Self { layer, frames: Frames::All }
    }

    /// Every quality, smallest first.
    pub(crate) fn every() -> impl Iterator<Item = Self> {
        all().flat_map(|layer| [Frames::Half, Frames::All].map(|frames| Self { layer, frames }))
    }

    /// The frames of `layer` that somebody is to have who is on the way from it to this: all, or half where those take more than
    /// what is to come.
    pub(crate) fn frames_of(self, layer: Layer) -> Frames {
        if Self::all_of(layer) <= self { Frames::All } else { Frames::Half }
    }
}

/// Some of a picture's layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LayerSet(u8);

impl LayerSet {
    pub(crate) fn of(layers: impl IntoIterator<Item = Layer>) -> Self {
        Self(layers.into_iter().fold(0, |bits, layer| bits | 1 << layer.0))
    }

    pub(crate) fn contains(self, layer: Layer) -> bool {
        self.0 >> layer.0 & 1 == 1
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are not in `other`.
    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Smallest first.
    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = Layer> {
        all().filter(move |layer| self.contains(*layer))
    }

    /// The one that stands in for `layer`: itself, else the highest below it, else the lowest above.
    pub(crate) fn nearest(self, layer: Layer) -> Option<Layer> {
        self.iter().rev().find(|other| *other <= layer).or(self.iter().next())
    }
}

/// What each layer of a picture takes of a line, bit/s with all headers; 0 for what cannot be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rates {
    all: [u32; LAYERS],
    /// With half of the frames; of layers with several temporal ones.
    half: [u32; LAYERS],
}

impl Rates {
    /// Of a camera that has sent nothing yet: what the page asks the browser for.
    pub(crate) const NOMINAL: Self = Self { all: [150_000, 500_000, 2_500_000], half: [0; LAYERS] };

    #[cfg(test)]
    pub(crate) fn new(all: [u32; LAYERS]) -> Self {
        Self { all, half: [0; LAYERS] }
    }

    #[cfg(test)]
    pub(crate) fn with_half(self, half: [u32; LAYERS]) -> Self {
        Self { half, ..self }
    }

    pub(crate) fn of(self, quality: Quality) -> u32 {
        let rates = match quality.frames {
            Frames::Half => self.half,
            Frames::All => self.all,
        };
        rates[usize::from(quality.layer.0)]
    }

    /// What `frames` of `layer` take, or all of them where half cannot be had.
    pub(crate) fn least(self, layer: Layer, frames: Frames) -> u32 {
        let quality = Quality { layer, frames };
        self.of(if self.has(quality) { quality } else { Quality::all_of(layer) })
    }

    /// `layer` takes `rate`, and `half` of its frames so much where they can be had.
    pub(crate) fn set(&mut self, layer: Layer, rate: u32, half: Option<u32>) {
        let at = usize::from(layer.0);
        (self.all[at], self.half[at]) = (rate, half.unwrap_or(0));
    }

    /// The layers that can be had.
    pub(crate) fn layers(self) -> LayerSet {
        LayerSet::of(all().filter(|layer| self.has(Quality::all_of(*layer))))
    }

    pub(crate) fn has(self, quality: Quality) -> bool {
        self.of(quality) > 0
    }

    /// These, or the nominal ones while none is known.
    pub(crate) fn or_nominal(self) -> Self {
        if self.layers().is_empty() { Self::NOMINAL } else { self }
    }

    /// Whether it makes a difference to anybody that these were `before`.
    pub(crate) fn differ(self, before: Self) -> bool {
        let step = |rate: u32| rate / 100 * LAYER_RATE_STEP_PERCENT;
        Quality::every().any(|quality| {
            let (rate, before) = (self.of(quality), before.of(quality));
            (rate > 0) != (before > 0) || rate.abs_diff(before) > step(before)
        })
    }
}

/// Some of the layers of all pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamSet(u128);

impl StreamSet {
    /// Adds a layer of the picture in `slot`.
    pub(crate) fn insert(&mut self, slot: Slot, layer: Layer) {
        self.0 |= 1 << (slot.index() * LAYERS + usize::from(layer.0));
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// By slot, then by layer.
    pub(crate) fn iter(self) -> impl Iterator<Item = (Slot, Layer)> {
        let has = move |slot: Slot, layer: Layer| self.0 >> (slot.index() * LAYERS + usize::from(layer.0)) & 1 == 1;
        let layers = move |slot: Slot| all().filter(move |layer| has(slot, *layer)).map(move |layer| (slot, layer));
        Slot::all().take(PICTURES).flat_map(layers)
    }
}

const _: () = assert!(PICTURES * LAYERS <= 128, "a layer of a slot is a bit of a set");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_is_not_there_is_stood_in_for_by_the_next_best() {
        let nearest = |layers: &[u8], wanted| LayerSet::of(layers.iter().copied().map(Layer)).nearest(Layer(wanted));
        assert_eq!(nearest(&[0, 1, 2], 1), Some(Layer(1)));
        assert_eq!(nearest(&[0, 2], 1), Some(Layer(0)));
        assert_eq!(nearest(&[2], 1), Some(Layer(2)));
        assert_eq!(nearest(&[], 1), None);
    }

    #[test]
    fn rates_differ_when_a_layer_comes_goes_or_changes_much() {
        let rates = |q, h, f| Rates::new([q, h, f]);
        assert!(!rates(150_000, 500_000, 0).differ(rates(150_000, 500_000, 0)));
        assert!(!rates(160_000, 450_000, 0).differ(rates(150_000, 500_000, 0)));
        assert!(rates(160_000, 250_000, 0).differ(rates(150_000, 500_000, 0)));
        assert!(rates(150_000, 500_000, 1).differ(rates(150_000, 500_000, 0)));
        assert!(rates(150_000, 0, 0).differ(rates(150_000, 500_000, 0)));
    }

    #[test]
    fn a_set_of_streams_gives_back_what_was_put_in() {
        let (first, last) = (Slot::camera(0).unwrap(), Slot::SCREEN);
        let mut set = StreamSet::default();
        set.insert(last, Layer(2));
        set.insert(first, Layer(1));
        assert_eq!(set.iter().collect::<Vec<_>>(), [(first, Layer(1)), (last, Layer(2))]);
    }
}
