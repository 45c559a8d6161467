//! Which layers of a picture somebody gets, and which of them its publisher is to send.

use std::time::Instant;

use crate::ids::Layer;
use crate::layers::{self, LAYERS, LayerSet};
use crate::limits;

/// See the module.
#[derive(Debug)]
pub(crate) struct Demand {
    wanted: LayerSet,
    /// The publisher was told to send these; at first all.
    sending: LayerSet,
    /// Since when nobody gets a layer.
    idle: [Option<Instant>; LAYERS],
    /// When the publisher was told to send a layer again.
    resumed: [Option<Instant>; LAYERS],
}

impl Demand {
    pub(crate) fn new() -> Self {
        let sending = LayerSet::of(layers::all());
        Self { wanted: LayerSet::default(), sending, idle: [None; LAYERS], resumed: [None; LAYERS] }
    }

    /// Layers that viewers get, or would if they were there.
    pub(crate) fn wanted(&self) -> LayerSet {
        self.wanted
    }

    /// Viewers get these layers from here on. Returns those that nobody got before.
    pub(crate) fn want(&mut self, wanted: LayerSet) -> LayerSet {
        let new = wanted.without(self.wanted);
        self.wanted = wanted;
        new
    }

    /// What the publisher is to send from here on, if that has changed: what somebody wants at once; what nobody has got
    /// for [`limits::UNWATCHED_FOR`] not any more. A layer that is not `live` is left alone: it would seem to be there
    /// for the asking.
    pub(crate) fn change(&mut self, live: LayerSet, now: Instant) -> Option<LayerSet> {
        let before = self.sending;
        for layer in layers::all() {
            let n = usize::from(layer.0);
            if self.wanted.contains(layer) {
                self.idle[n] = None;
                if !self.sending.contains(layer) {
                    self.sending = self.sending.union(LayerSet::of([layer]));
                    self.resumed[n] = Some(now);
                }
            } else {
                let idle = now.saturating_duration_since(*self.idle[n].get_or_insert(now));
                if idle >= limits::UNWATCHED_FOR && live.contains(layer) {
                    self.sending = self.sending.without(LayerSet::of([layer]));
                }
            }
        }
        (self.sending != before).then_some(self.sending)
    }

    /// Whether a layer that does not come could be had: it is paused, or has been asked for a moment ago.
    pub(crate) fn can_come(&self, layer: Layer, now: Instant) -> bool {
        let resumed = self.resumed[usize::from(layer.0)];
        let expected = resumed.is_some_and(|at| now.saturating_duration_since(at) < limits::RESUME_WITHIN);
        !self.sending.contains(layer) || expected
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn set(layers: &[u8]) -> LayerSet {
        LayerSet::of(layers.iter().copied().map(Layer))
    }

    #[test]
    fn what_nobody_gets_is_paused_after_a_while_and_resumed_at_once() {
        let (mut demand, start) = (Demand::new(), Instant::now());
        let live = set(&[0, 1, 2]);
        assert_eq!(demand.want(set(&[1])), set(&[1]));
        assert_eq!(demand.change(live, start), None);
        let later = start + limits::UNWATCHED_FOR;
        assert_eq!(demand.change(live, later - Duration::from_millis(1)), None);
        assert_eq!(demand.change(live, later), Some(set(&[1])));
        assert_eq!(demand.change(set(&[1]), later), None, "told once");
        assert!(demand.can_come(Layer(2), later));
        assert_eq!(demand.want(set(&[1, 2])), set(&[2]));
        assert_eq!(demand.change(set(&[1]), later), Some(set(&[1, 2])));
        assert!(demand.can_come(Layer(2), later));
        assert!(!demand.can_come(Layer(2), later + limits::RESUME_WITHIN), "it does not come");
    }

    #[test]
    fn a_layer_that_never_came_is_not_paused() {
        let (mut demand, start) = (Demand::new(), Instant::now());
        demand.change(set(&[0]), start);
        assert_eq!(demand.change(set(&[0]), start + limits::UNWATCHED_FOR), Some(set(&[1, 2])));
        assert!(!demand.can_come(Layer(2), start + limits::UNWATCHED_FOR));
    }

    #[test]
    fn somebody_who_looks_in_between_starts_the_wait_anew() {
        let (mut demand, start, live) = (Demand::new(), Instant::now(), set(&[0]));
        demand.change(live, start);
        demand.want(set(&[0]));
        let half = start + limits::UNWATCHED_FOR / 2;
        demand.change(live, half);
        demand.want(set(&[]));
        demand.change(live, half);
        assert_eq!(demand.change(live, start + limits::UNWATCHED_FOR), None);
        assert!(demand.change(live, half + limits::UNWATCHED_FOR).is_some());
    }
}
