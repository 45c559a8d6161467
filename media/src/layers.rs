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

/// What each layer of a picture takes of a line, bit/s with all headers; 0 for one that cannot be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rates([u32; LAYERS]);

impl Rates {
    /// Of a camera that has sent nothing yet: what the page asks the browser for.
    pub(crate) const NOMINAL: Self = Self([150_000, 500_000, 2_500_000]);

    #[cfg(test)]
    pub(crate) fn new(rates: [u32; LAYERS]) -> Self {
        Self(rates)
    }

    pub(crate) fn of(self, layer: Layer) -> u32 {
        self.0[usize::from(layer.0)]
    }

    pub(crate) fn set(&mut self, layer: Layer, rate: u32) {
        self.0[usize::from(layer.0)] = rate;
    }

    /// The layers that can be had.
    pub(crate) fn layers(self) -> LayerSet {
        LayerSet::of(all().filter(|layer| self.of(*layer) > 0))
    }

    /// These, or the nominal ones while none is known.
    pub(crate) fn or_nominal(self) -> Self {
        if self.layers().is_empty() { Self::NOMINAL } else { self }
    }

    /// Whether it makes a difference to anybody that these were `before`.
    pub(crate) fn differ(self, before: Self) -> bool {
        let step = |rate: u32| rate / 100 * LAYER_RATE_STEP_PERCENT;
        let differ = |layer: Layer| self.of(layer).abs_diff(before.of(layer)) > step(before.of(layer));
        self.layers() != before.layers() || all().any(differ)
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
