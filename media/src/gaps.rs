//! Numbers that are left out of a stream.

use arrayvec::ArrayVec;

/// Closes the gaps that packets leave which a viewer is not sent: it would wait for them.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    /// Numbers left out, ascending.
    recent: ArrayVec<u64, 64>,
    /// Those older than the ones in `recent`.
    older: u64,
    /// The highest of those: how many were left out before it is not known any more.
    forgotten: Option<u64>,
    /// Highest number that a packet has kept.
    closed: u64,
}

impl Gaps {
    /// Leaves `seq` out.
    pub(crate) fn skip(&mut self, seq: u64) {
        // What overtook it has its number: the gap stays, or the next number would be given twice.
        if seq < self.closed {
            return;
        }
        if self.recent.is_full() {
            let evicted = self.recent.remove(0);
            self.forgotten = self.forgotten.max(Some(evicted));
            self.older += 1;
        }
        let at = self.recent.partition_point(|skipped| *skipped < seq);
        self.recent.insert(at, seq);
    }

    /// The number of a packet that stays; none for one so late that it would get a number twice. A number is the nonce of
    /// what viewers are sent: two packets must never share one.
    pub(crate) fn close(&mut self, seq: u64) -> Option<u64> {
        let number = self.place(seq)?;
        self.closed = self.closed.max(seq);
        Some(number)
    }

    /// The number that `seq`, or else the next packet that stays, has or would have; see [`close`](Self::close).
    pub(crate) fn place(&self, seq: u64) -> Option<u64> {
        if self.forgotten.is_some_and(|forgotten| seq <= forgotten) {
            return None;
        }
        Some(seq - self.older - self.recent.partition_point(|skipped| *skipped < seq) as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Packets in the order in which they come, and whether they are left out: a few that are late, each by so many places, and
    /// then many of a large frame.
    fn packets() -> impl Strategy<Value = Vec<(u64, bool)>> {
        let few = prop::collection::vec((0usize..200, prop::bool::weighted(0.5)), 1..12);
        let many = prop::collection::vec(Just((0usize, true)), 60..150);
        prop::collection::vec((few, many), 1..4).prop_map(|frames| {
            let packets = frames.into_iter().flat_map(|(few, many)| [few, many]).flatten().enumerate();
            let mut order: Vec<_> = packets.map(|(n, (late, skip))| (n + late, n as u64, skip)).collect();
            order.sort_unstable();
            order.into_iter().map(|(_, n, skip)| (1_000 + n, skip)).collect()
        })
    }

    proptest! {
        #[test]
        fn no_number_is_given_twice_and_the_order_is_kept(packets in packets()) {
            let (mut gaps, mut given) = (Gaps::default(), BTreeMap::new());
            for (seq, skip) in packets {
                if skip {
                    gaps.skip(seq);
                } else if let Some(number) = gaps.close(seq) {
                    prop_assert_eq!(given.insert(number, seq), None);
                }
            }
            prop_assert!(given.values().is_sorted());
        }
    }

    #[test]
    fn what_is_forgotten_stays_so_when_something_older_comes_late() {
        let mut gaps = Gaps::default();
        assert_eq!(gaps.close(1_004), Some(1_004));
        (1_010..1_074).for_each(|seq| gaps.skip(seq));
        gaps.skip(1_005);
        gaps.skip(1_074);
        assert_eq!(gaps.close(1_006), None, "it would have the number of 1,004");
    }
}
