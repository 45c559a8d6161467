//! What a publisher is told of how its packets arrive (RFC 3550 §6.4.1).

use std::time::Instant;

use crate::ids::MediaKind;
use crate::rtcp::ReceptionBlock;
use crate::slot_sender::ticks;

/// Reception statistics (RFC 3550 §6.4.1 and appendix A.8).
#[derive(Debug, Default)]
pub(crate) struct Reception {
    first_seq: Option<u64>,
    received: u64,
    /// Arrival and RTP timestamp of the packet before.
    last: Option<(Instant, u32)>,
    /// In ticks, times 16.
    jitter: u32,
    reported: (u64, u64),
}

impl Reception {
    pub(crate) fn record(&mut self, seq: u64, timestamp: u32, kind: MediaKind, now: Instant) {
        self.first_seq.get_or_insert(seq);
        self.received += 1;
        if let Some((at, before)) = self.last {
            let transit = ticks(kind, at, now).wrapping_sub(timestamp.wrapping_sub(before)) as i32;
            let change = transit.unsigned_abs().min(kind.clock_rate());
            self.jitter = self.jitter.saturating_add(change) - ((self.jitter + 8) >> 4).min(self.jitter);
        }
        self.last = Some((now, timestamp));
    }

    pub(crate) fn report(&mut self, highest: u64) -> Option<ReceptionBlock> {
        let expected = (highest + 1).saturating_sub(self.first_seq?);
        let (expected_now, received_now) = (expected - self.reported.0, self.received - self.reported.1);
        self.reported = (expected, self.received);
        let lost_now = expected_now.saturating_sub(received_now);
        Some(ReceptionBlock {
            fraction_lost: (lost_now * 256).checked_div(expected_now).map_or(0, |f| f.min(255) as u8),
            lost: expected.saturating_sub(self.received).min(0x007f_ffff) as u32,
            highest_seq: highest as u32,
            jitter: self.jitter >> 4,
            ..ReceptionBlock::default()
        })
    }
}
