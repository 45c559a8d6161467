//! Protection against replay (RFC 3711 §3.3.2).

use crate::ids::Ssrc;
use crate::limits;
use crate::prefetch::prefetch;

/// Which of the last 1,024 packet indices have been seen (RFC 3711 §3.3.2). Wide, because a retransmission may be a
/// second behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReplayWindow {
    highest: Option<u64>,
    seen: [u64; Self::WORDS],
}

impl ReplayWindow {
    const WORDS: usize = 16;
    const BITS: u64 = 64 * Self::WORDS as u64;

    /// RFC 3711 §3.3.1: the index congruent to `seq` that lies closest to the highest seen.
    pub(crate) fn index(&self, seq: u16) -> u64 {
        let Some(highest) = self.highest else { return u64::from(seq) };
        let delta = seq.wrapping_sub(highest as u16) as i16;
        // Before the first roll-over there is nothing below zero; such a packet fails authentication.
        highest.checked_add_signed(i64::from(delta)).unwrap_or(u64::from(seq))
    }

    /// Whether a packet with `index` came before, or may have: it is too old to tell.
    pub(crate) fn has_seen(&self, index: u64) -> bool {
        match self.highest {
            None => false,
            Some(highest) if index > highest => false,
            Some(highest) if highest - index >= Self::BITS => true,
            Some(_) => self.seen[Self::word(index)] & Self::bit(index) != 0,
        }
    }

    /// A packet with `index` has authenticated.
    pub(crate) fn record(&mut self, index: u64) {
        let from = self.highest.map_or(index, |highest| highest + 1);
        if index.saturating_sub(from) >= Self::BITS {
            self.seen = [0; Self::WORDS];
        } else {
            (from..=index).for_each(|skipped| self.seen[Self::word(skipped)] &= !Self::bit(skipped));
        }
        self.seen[Self::word(index)] |= Self::bit(index);
        self.highest = Some(self.highest.map_or(index, |highest| highest.max(index)));
    }

    fn word(index: u64) -> usize {
        (index / 64) as usize % Self::WORDS
    }

    fn bit(index: u64) -> u64 {
        1 << (index % 64)
    }
}

/// The windows of a session's sources. They are few, and those that were first are asked for most: most clients report from one.
#[derive(Debug, Default)]
pub(crate) struct ReplayWindows(Vec<(Ssrc, ReplayWindow)>);

impl ReplayWindows {
    pub(crate) fn get(&self, ssrc: Ssrc) -> Option<&ReplayWindow> {
        self.0.iter().find(|(of, _)| *of == ssrc).map(|(_, window)| window)
    }

    /// Whether there are as many as a session may have.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= limits::SSRCS_PER_PEER
    }

    /// A packet of `ssrc` with `index` has authenticated.
    pub(crate) fn record(&mut self, ssrc: Ssrc, index: u64) {
        let at = self.0.iter().position(|(of, _)| *of == ssrc).unwrap_or_else(|| {
            self.0.push((ssrc, ReplayWindow::default()));
            self.0.len() - 1
        });
        self.0[at].1.record(index);
    }

    /// Asks for the memory of the first.
    pub(crate) fn prefetch(&self) {
        self.0.first().into_iter().for_each(prefetch);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_window_knows_exactly_what_it_has_seen(indices in prop::collection::vec(0u64..3000, 1..200)) {
            let mut window = ReplayWindow::default();
            let mut seen = std::collections::BTreeSet::new();
            for index in indices {
                let too_old = seen.last().is_some_and(|highest| highest - index.min(*highest) >= ReplayWindow::BITS);
                prop_assert_eq!(window.has_seen(index), too_old || seen.contains(&index));
                if !window.has_seen(index) {
                    window.record(index);
                    seen.insert(index);
                }
            }
        }
    }
}
