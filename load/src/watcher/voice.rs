//! A voice slot: what a listener misses.
//!
//! The model is a buffer of 200 ms: a packet should be there 200 ms after the time that its timestamp says, counted from
//! the quickest packet. One that is not there then is a gap of the 20 ms it lasts. One that is late all the same moves
//! the time of all that follow, as a receiver does that stretches the sound (NetEq): how late it was is a gap, once. When
//! the packets come in time again, the receiver catches up, and what is missing meanwhile is no gap for as long.

use std::collections::VecDeque;

use crate::limits::WATCHED_MISSING_MAX;

const MS: u64 = 1_000_000;
/// What is there so long after it should have been is in time, ns.
const BUFFER: i64 = 200 * MS as i64;
/// What a packet lasts, ns.
const PACKET_NS: u64 = 20 * MS;
/// A packet this late, or early, has another clock, ns.
const OTHER_CLOCK: i64 = 10_000 * MS as i64;
const CLOCK_RATE: i64 = 48_000;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Voice {
    highest: Option<u64>,
    first: u64,
    /// The last timestamp, extended over its wraps.
    last: i64,
    /// Time of arrival less timestamp of a packet that is on time, ns.
    transit: i64,
    /// Numbers that have not come, with the time at which that makes a gap; ascending.
    missing: VecDeque<(u64, u64)>,
    pub(super) packets: u64,
    pub(super) gaps: u32,
    /// Together, ns.
    pub(super) gap: u64,
    /// The longest, ns.
    pub(super) longest: u64,
    /// The last number that made a gap, and the length of that gap so far, ns.
    run: Option<(u64, u64)>,
}

impl Voice {
    /// Takes packet `seq`, which came at `at`. Packets that came before are not to be given.
    pub(super) fn receive(&mut self, seq: u64, timestamp: u32, at: u64) {
        self.packets += 1;
        let extended = self.last + i64::from(timestamp.wrapping_sub(self.last as u32) as i32);
        let transit = at as i64 - (i128::from(extended) * 1_000_000_000 / i128::from(CLOCK_RATE)) as i64;
        let Some(highest) = self.highest else {
            (self.first, self.highest, self.last, self.transit) = (seq, Some(seq), extended, transit);
            return;
        };
        if seq <= highest {
            self.first = self.first.min(seq);
            self.missing.retain(|(missing, _)| *missing != seq);
            return;
        }
        (self.highest, self.last) = (Some(seq), extended);
        let late = transit - self.transit - BUFFER;
        let mut gap = (seq - highest - 1).min(WATCHED_MISSING_MAX as u64);
        if late.abs() > OTHER_CLOCK {
            self.transit = transit;
        } else if late > 0 {
            self.transit += late;
            // What is missing before it was waited for just as long: only the wait is a gap of its own.
            self.note_gap(highest, late as u64);
        } else if transit < self.transit {
            gap = gap.saturating_sub((self.transit - transit) as u64 / PACKET_NS);
            self.transit = transit;
        }
        // When this packet, and each before it, is needed.
        let needed = (at as i64 - transit + self.transit + BUFFER) as u64;
        let missing = (seq - gap..seq).map(|missing| (missing, needed.saturating_sub((seq - missing) * PACKET_NS)));
        self.missing.extend(missing);
    }

    /// Packet `seq` came with a later one that was received, for the case that it did not come by itself.
    pub(super) fn recover(&mut self, seq: u64) {
        let before = self.missing.len();
        self.missing.retain(|(missing, _)| *missing != seq);
        self.packets += (before - self.missing.len()) as u64;
    }

    /// Notes what is not there at `now`.
    pub(super) fn handle_timeout(&mut self, now: u64) {
        while let Some((seq, _)) = self.missing.front().copied().filter(|(_, needed)| *needed <= now) {
            self.missing.pop_front();
            self.note_gap(seq, PACKET_NS);
        }
    }

    fn note_gap(&mut self, seq: u64, length: u64) {
        let goes_on = self.run.filter(|(last, _)| seq == last + 1);
        self.gaps += u32::from(goes_on.is_none());
        let run = goes_on.map_or(0, |(_, so_far)| so_far) + length;
        self.run = Some((seq, run));
        (self.gap, self.longest) = (self.gap + length, self.longest.max(run));
    }

    /// Packets between the first and the last that have not come.
    pub(super) fn lost(&self) -> u64 {
        self.highest.map_or(0, |highest| (highest - self.first + 1).saturating_sub(self.packets))
    }
}
