//! Half of a room's viewers: what waits for them, and what is on its way to them.
//!
//! Browsers send a frame in bursts 5 ms apart, and two bursts are to share a message. Which two differs between the
//! lanes: one gets the first burst by itself and then the second with the third, the other the first with the second.
//! So the frame's work is spread over its bursts, and nobody waits for the service of all others at once.

use std::time::Instant;

use crate::fanout::Pending;
use crate::limits;
use crate::sweep::Sweep;
use crate::tick::Rest;

/// Lanes of a room.
pub(crate) const LANES: usize = 2;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// Packets that wait for the tick.
    pending: Vec<Pending>,
    /// When they set out.
    due: Option<Instant>,
    /// Packets on their way.
    pub(crate) sweep: Sweep,
}

impl Lane {
    /// Takes a packet that may wait until `due`. So many packets do not wait for more.
    pub(crate) fn queue(&mut self, packet: Pending, due: Instant) {
        let arrived = packet.arrived;
        self.pending.push(packet);
        let due = if self.pending.len() < limits::PENDING_PACKETS { due } else { arrived };
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
    }

    /// When what waits sets out.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What waits sets out.
    pub(crate) fn begin(&mut self) {
        self.due = None;
        self.sweep.begin(self.pending.drain(..));
    }

    /// Forgets what waits and what is on its way.
    pub(crate) fn stop(&mut self) {
        self.pending.clear();
        self.due = None;
        self.sweep.stop();
    }
}

/// Where the frame of a slot is in its bursts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bursts {
    /// RTP timestamp of the frame.
    timestamp: u32,
    /// When its last packet came.
    last: Instant,
    /// Bursts before this one.
    before: usize,
}

impl Bursts {
    /// The bursts of a frame whose packet with `timestamp` comes at `now`, after those of `bursts`.
    pub(crate) fn following(bursts: Option<Self>, timestamp: u32, now: Instant) -> Self {
        match bursts.filter(|bursts| bursts.timestamp == timestamp) {
            Some(Self { last, before, .. }) => {
                let pause = now.saturating_duration_since(last) >= limits::BURST_PAUSE;
                Self { timestamp, last: now, before: before + usize::from(pause) }
            }
            None => Self { timestamp, last: now, before: 0 },
        }
    }

    /// What lane number `lane` waits for when the frame goes on.
    pub(crate) fn rest(self, lane: usize) -> Rest {
        if (self.before + lane).is_multiple_of(2) { Rest::Burst } else { Rest::Frame }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_lane_pairs_the_bursts_that_the_other_does_not() {
        let (start, mut bursts) = (Instant::now(), None);
        let mut rests = |at: u64, timestamp| {
            let next = Bursts::following(bursts, timestamp, start + Duration::from_micros(at));
            bursts = Some(next);
            [0, 1].map(|lane| next.rest(lane))
        };
        assert_eq!(rests(0, 3_000), [Rest::Burst, Rest::Frame]);
        assert_eq!(rests(20, 3_000), [Rest::Burst, Rest::Frame], "the same burst");
        assert_eq!(rests(5_000, 3_000), [Rest::Frame, Rest::Burst]);
        assert_eq!(rests(5_020, 3_000), [Rest::Frame, Rest::Burst]);
        assert_eq!(rests(10_000, 3_000), [Rest::Burst, Rest::Frame]);
        assert_eq!(rests(33_000, 6_000), [Rest::Burst, Rest::Frame], "the next frame");
    }
}
