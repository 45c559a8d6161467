//! Numbers that padding takes from a stream.

use arrayvec::ArrayVec;

/// Closes the gaps that padding-only packets leave in the sequence numbers: they are not forwarded, and a viewer would
/// wait for them.
#[derive(Debug, Default)]
pub(crate) struct PaddingGaps {
    /// Skipped numbers, ascending.
    recent: ArrayVec<u64, 64>,
    /// Skipped numbers older than those in `recent`.
    older: u64,
    /// The highest of those: how many were skipped before it is not known any more.
    forgotten: Option<u64>,
    /// Highest number that media has taken.
    closed: u64,
}

impl PaddingGaps {
    pub(crate) fn skip(&mut self, seq: u64) {
        // Media that overtook the padding has its number: the gap stays, or the next number would be given twice.
        if seq < self.closed {
            return;
        }
        if self.recent.is_full() {
            self.forgotten = Some(self.recent.remove(0));
            self.older += 1;
        }
        let at = self.recent.partition_point(|skipped| *skipped < seq);
        self.recent.insert(at, seq);
    }

    /// The number of a media packet; none for one so late that it would get a number twice. A number is the nonce of
    /// what viewers are sent: two packets must never share one.
    pub(crate) fn close(&mut self, seq: u64) -> Option<u64> {
        if self.forgotten.is_some_and(|forgotten| seq <= forgotten) {
            return None;
        }
        self.closed = self.closed.max(seq);
        Some(seq - self.older - self.recent.partition_point(|skipped| *skipped < seq) as u64)
    }
}
