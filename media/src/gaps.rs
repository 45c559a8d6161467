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
            self.forgotten = Some(self.recent.remove(0));
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
