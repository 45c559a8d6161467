//! The order in which the packets of a tick leave, so that they make long runs of equal datagrams.
//!
//! A run is a number of datagrams of the same length and at the end perhaps a shorter one; it costs the kernel hardly
//! more than one datagram. The order between streams is free, within a stream it is kept. The pieces of a frame differ
//! by a byte, which RTP padding evens out; what is left of a tick's budget of padding makes lengths alike that are close.

use std::cmp::Ordering;

use crate::ids::{Layer, Slot};
use crate::layers::LAYERS;
use crate::limits::{PADDING_BYTES_MAX, PADDING_PER_MILLE_MAX};

/// A packet of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Packets of one slot and layer keep their order.
    pub(crate) slot: Slot,
    pub(crate) layer: Layer,
    /// Bytes of header and payload.
    pub(crate) len: usize,
    /// It may be padded.
    pub(crate) pads: bool,
}

/// A packet in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Position among the items.
    pub(crate) item: usize,
    /// Bytes to be added.
    pub(crate) padding: usize,
}

/// Packets of one length.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Of each, with padding.
    len: usize,
    /// Of the shortest, without.
    shortest: usize,
    count: usize,
    /// All of them may be padded.
    pads: bool,
}

impl Run {
    /// The run with `item`: the shorter of the two is padded to the length of the longer.
    fn with(self, item: Item) -> Self {
        Self {
            len: self.len.max(item.len),
            shortest: self.shortest.min(item.len),
            count: self.count + 1,
            pads: self.pads && item.pads,
        }
    }

    /// Bytes of padding that takes.
    fn cost(self, item: Item) -> usize {
        let len = self.len.max(item.len);
        (len - self.len) * self.count + (len - item.len)
    }

    fn takes(self, item: Item) -> bool {
        let may_pad = match item.len.cmp(&self.len) {
            Ordering::Less => item.pads,
            Ordering::Equal => true,
            Ordering::Greater => self.pads,
        };
        let with = self.with(item);
        may_pad && with.len - with.shortest <= PADDING_BYTES_MAX
    }
}

/// Makes plans; keeps its memory between them.
#[derive(Debug, Default)]
pub(crate) struct Planner {
    waiting: Vec<usize>,
    heads: Vec<usize>,
}

impl Planner {
    /// Adds `items`, the first of which is number `base`, to `placed` in the order in which they leave. Takes time by the
    /// square of their number.
    ///
    /// Each run begins with the longest packet that may leave next, takes those that are as long or can be made so with
    /// padding, of themselves or of those before them, and ends with the shortest, which fits no other run better.
    pub(crate) fn plan(&mut self, items: &[Item], base: usize, placed: &mut Vec<Placed>) {
        self.waiting.clear();
        self.waiting.extend(0..items.len());
        let mut budget = items.iter().map(|item| item.len).sum::<usize>() * PADDING_PER_MILLE_MAX / 1_000;
        while let Some(first) = self.pick(items, usize::MAX, |len, best| len > best) {
            let begin = placed.len();
            placed.push(Placed { item: base + first, padding: 0 });
            let Item { len, pads, .. } = items[first];
            let mut run = Run { len, shortest: len, count: 1, pads };
            while let Some(next) = self.pick_alike(items, run, budget) {
                let item = items[next];
                let longer = run.with(item);
                budget -= run.cost(item);
                placed[begin..].iter_mut().for_each(|placed| placed.padding += longer.len - run.len);
                placed.push(Placed { item: base + next, padding: longer.len - item.len });
                run = longer;
            }
            let last = self.pick(items, run.len, |len, best| len < best);
            placed.extend(last.map(|item| Placed { item: base + item, padding: 0 }));
        }
    }

    /// Takes the packet that is `better` than all others of at most `len_max` bytes that may leave next.
    fn pick(&mut self, items: &[Item], len_max: usize, better: impl Fn(usize, usize) -> bool) -> Option<usize> {
        self.find_heads(items);
        let mut heads = self.heads.iter().copied().filter(|head| items[self.waiting[*head]].len <= len_max);
        let mut best = heads.next()?;
        for head in heads {
            if better(items[self.waiting[head]].len, items[self.waiting[best]].len) {
                best = head;
            }
        }
        Some(self.waiting.remove(best))
    }

    /// Takes the packet that costs the run the least padding, if that is not more than `budget`.
    fn pick_alike(&mut self, items: &[Item], run: Run, budget: usize) -> Option<usize> {
        self.find_heads(items);
        let cost = |head: &usize| run.cost(items[self.waiting[*head]]);
        let fits = |head: &usize| run.takes(items[self.waiting[*head]]);
        let best = self.heads.iter().copied().filter(fits).min_by_key(cost)?;
        (cost(&best) <= budget).then(|| self.waiting.remove(best))
    }

    /// The first waiting packet of each stream, as positions in `waiting`.
    fn find_heads(&mut self, items: &[Item]) {
        self.heads.clear();
        let mut seen = 0u128;
        for (at, item) in self.waiting.iter().enumerate() {
            let Item { slot, layer, .. } = items[*item];
            let bit = 1u128 << (slot.index() * LAYERS + usize::from(layer.0));
            if seen & bit == 0 {
                seen |= bit;
                self.heads.push(at);
            }
        }
    }
}

const _: () = assert!(crate::limits::SLOTS * LAYERS <= 128, "a stream is a bit");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn camera(n: usize, len: usize) -> Item {
        Item { slot: Slot::camera(n).unwrap(), layer: Layer(0), len, pads: true }
    }

    fn voice(n: usize, len: usize) -> Item {
        Item { slot: Slot::voice(n).unwrap(), layer: Layer(0), len, pads: true }
    }

    fn plan(items: &[Item]) -> Vec<Placed> {
        let mut placed = Vec::new();
        Planner::default().plan(items, 0, &mut placed);
        placed
    }

    /// Lengths as they leave, runs apart.
    fn runs(items: &[Item]) -> Vec<Vec<usize>> {
        let mut runs: Vec<Vec<usize>> = Vec::new();
        for Placed { item, padding } in plan(items) {
            let len = items[item].len + padding;
            match runs.last_mut() {
                Some(run) if run.iter().all(|before| *before == run[0]) && len <= run[0] => run.push(len),
                _ => runs.push(vec![len]),
            }
        }
        runs
    }

    #[test]
    fn the_pieces_of_a_frame_are_one_run_though_they_differ_by_a_byte() {
        let frame = [1_101, 1_101, 1_100, 1_101, 1_100].map(|len| camera(0, len));
        assert_eq!(runs(&frame), [[1_101; 5]]);
    }

    #[test]
    fn the_shorter_pieces_of_a_frame_may_come_first() {
        // libwebrtc sends them in this order.
        let frame = [1_100, 1_100, 1_101, 1_101, 1_102].map(|len| camera(0, len));
        assert_eq!(runs(&frame), [[1_102; 5]]);
        assert_eq!(plan(&frame).iter().map(|placed| placed.padding).collect::<Vec<_>>(), [2, 2, 1, 1, 0]);
        let far_apart = [600, 700].map(|len| camera(0, len));
        assert_eq!(runs(&far_apart), [[600], [700]]);
    }

    #[test]
    fn frames_of_two_cameras_and_a_voice_are_two_runs() {
        let items = [camera(0, 1_000), camera(0, 1_000), voice(0, 90), camera(1, 1_200), camera(1, 1_200)];
        assert_eq!(runs(&items), [vec![1_200, 1_200, 90], vec![1_000, 1_000]]);
    }

    #[test]
    fn small_frames_of_many_cameras_leave_two_by_two() {
        let items: Vec<_> = [640, 310, 500, 420].into_iter().enumerate().map(|(n, len)| camera(n, len)).collect();
        assert_eq!(runs(&items), [[640, 310], [500, 420]]);
    }

    #[test]
    fn lengths_close_together_are_padded_and_others_are_not() {
        let items: Vec<_> = [600, 595, 560].into_iter().enumerate().map(|(n, len)| camera(n, len)).collect();
        assert_eq!(runs(&items), [[600, 600, 560]]);
        assert_eq!(plan(&items).iter().map(|placed| placed.padding).collect::<Vec<_>>(), [0, 5, 0]);
        // Two percent of all of them, wherever they do most good.
        let items: Vec<_> = [1_000, 940, 900].into_iter().enumerate().map(|(n, len)| camera(n, len)).collect();
        assert_eq!(runs(&items), [vec![1_000, 900], vec![940]]);
        let more: Vec<_> = items.into_iter().chain((3..6).map(|n| camera(n, 1_200))).collect();
        assert_eq!(runs(&more), [vec![1_200, 1_200, 1_200, 900], vec![1_000, 1_000]]);
    }

    #[test]
    fn what_must_not_be_padded_is_the_last_of_its_run() {
        let fixed = |n, len| Item { pads: false, ..camera(n, len) };
        assert_eq!(runs(&[camera(0, 1_000), fixed(1, 999), fixed(2, 1_000)]), [[1_000, 1_000, 999]]);
        assert_eq!(plan(&[camera(0, 1_000), fixed(1, 999)])[1].padding, 0);
        let growing = [fixed(0, 999), Item { len: 1_000, ..fixed(0, 0) }];
        assert_eq!(runs(&growing), [[999], [1_000]]);
    }

    #[test]
    fn voices_of_one_length_are_one_run() {
        let items: Vec<_> = (0..8).map(|n| voice(n, 104)).collect();
        assert_eq!(runs(&items), [[104; 8]]);
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(plan(&[]), []);
    }

    proptest! {
        #[test]
        fn every_packet_leaves_once_in_order_of_its_stream_with_little_padding(
            packets in prop::collection::vec((0usize..6, 40usize..1_250), 0..80),
        ) {
            let items: Vec<_> = packets.iter().map(|(slot, len)| camera(*slot, *len)).collect();
            let placed = plan(&items);
            for slot in 0..6 {
                let of_slot = |item: &usize| items[*item].slot == camera(slot, 0).slot;
                let left: Vec<_> = placed.iter().map(|placed| placed.item).filter(of_slot).collect();
                let came: Vec<_> = (0..items.len()).filter(of_slot).collect();
                prop_assert_eq!(left, came);
            }
            let bytes: usize = items.iter().map(|item| item.len).sum();
            let padding: usize = placed.iter().map(|placed| placed.padding).sum();
            prop_assert!(padding * 1_000 <= (bytes + padding) * PADDING_PER_MILLE_MAX);
            prop_assert!(placed.iter().all(|placed| placed.padding <= PADDING_BYTES_MAX));
        }

        #[test]
        fn of_frames_of_one_packet_at_most_every_second_begins_a_message(
            lens in prop::collection::vec(40usize..1_250, 0..25),
        ) {
            let items: Vec<_> = lens.into_iter().enumerate().map(|(slot, len)| camera(slot, len)).collect();
            prop_assert!(runs(&items).len() <= items.len().div_ceil(2));
        }
    }
}
