//! How long packets wait for others, so that they share a message to the kernel.

use std::time::{Duration, Instant};

use crate::ids::{MediaKind, Slot};
use crate::limits::{BURST_WAIT, SLOTS};

/// Longest wait for the next burst of a frame: browsers send them 5 ms apart, and two are to share a message.
const FRAME_WAIT_MAX: Duration = Duration::from_millis(6);
/// Longest wait of a picture for packets of others.
const OTHERS_WAIT_MAX: Duration = Duration::from_millis(5);
/// Longest wait of a voice.
const AUDIO_WAIT_MAX: Duration = Duration::from_millis(2);
/// What a packet sent by itself costs, ns; to tell how loaded the core would be if nothing waited.
const SINGLE_SEND_NS: u64 = 4_000;
/// Below this load, per mille of a core, nothing waits.
const LOAD_LOW: u64 = 50;
/// From this load on everything waits as long as it may.
const LOAD_HIGH: u64 = 200;
/// Packets are counted for so long before a rate is set anew.
const WINDOW: Duration = Duration::from_millis(100);

/// The tick of a worker: 0 to 6 ms, growing with the packets it forwards. It follows the load there would be without
/// it, not the load there is: a tick that lowers the load would shorten itself.
#[derive(Debug)]
pub(crate) struct Tick {
    since: Instant,
    copies: u64,
    /// Per mille of a core, if every packet were sent by itself.
    load: u64,
}

impl Tick {
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now, copies: 0, load: 0 }
    }

    /// Notes packets forwarded, counted per viewer.
    pub(crate) fn note(&mut self, copies: u64, now: Instant) {
        self.copies += copies;
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed >= WINDOW {
            let load = self.copies * SINGLE_SEND_NS * 1_000 / (elapsed.as_nanos() as u64).max(1);
            // Smoothed over three windows, as frames come in bursts.
            self.load = (self.load * 2 + load).div_ceil(3);
            (self.copies, self.since) = (0, now);
        }
    }

    /// How long a packet of `kind` waits for others: as long as the load asks for, if others can be expected by then.
    pub(crate) fn wait(&self, kind: MediaKind, expected: Expected) -> Duration {
        let share = self.load.clamp(LOAD_LOW, LOAD_HIGH) - LOAD_LOW;
        let by_load = |longest: Duration| longest * share as u32 / (LOAD_HIGH - LOAD_LOW) as u32;
        let for_rest = match expected.rest {
            Rest::Frame => by_load(FRAME_WAIT_MAX),
            Rest::Burst => by_load(FRAME_WAIT_MAX).min(BURST_WAIT),
            Rest::Nothing => Duration::ZERO,
        };
        let for_others = by_load(OTHERS_WAIT_MAX);
        let for_others = if kind.is_video() { for_others } else { for_others.min(AUDIO_WAIT_MAX) };
        let others_come = u128::from(expected.others_per_second) * for_others.as_micros() >= 1_000_000;
        if others_come { for_others } else { for_rest }
    }
}

/// What may come while a packet waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) rest: Rest,
    /// Packets of other slots.
    pub(crate) others_per_second: u32,
}

/// What is still to come of a packet's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// The packet ends its frame, or is no picture.
    Nothing,
    /// The others of the burst it was sent with, and then nothing for a while.
    Burst,
    /// The next burst of its frame.
    Frame,
}

/// How many packets come to a room in each of its slots.
#[derive(Debug)]
pub(crate) struct Flow {
    since: Option<Instant>,
    counts: [u32; SLOTS],
    /// Packets per second in the window before.
    rates: [u32; SLOTS],
    total: u32,
}

impl Flow {
    pub(crate) fn new() -> Self {
        Self { since: None, counts: [0; SLOTS], rates: [0; SLOTS], total: 0 }
    }

    /// Notes a packet of `slot`.
    pub(crate) fn note(&mut self, slot: Slot, now: Instant) {
        self.counts[slot.index()] += 1;
        let elapsed = now.saturating_duration_since(*self.since.get_or_insert(now));
        if elapsed >= WINDOW {
            let per_second = |count: u32| (u128::from(count) * 1_000_000 / elapsed.as_micros()) as u32;
            self.rates = self.counts.map(per_second);
            self.total = self.rates.iter().sum();
            (self.counts, self.since) = ([0; SLOTS], Some(now));
        }
    }

    /// Packets per second in all slots but `slot`.
    pub(crate) fn others(&self, slot: Slot) -> u32 {
        self.total - self.rates[slot.index()]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const NOBODY: Expected = Expected { rest: Rest::Nothing, others_per_second: 0 };
    const MANY: Expected = Expected { others_per_second: 900, ..NOBODY };
    const FEW: Expected = Expected { others_per_second: 200, ..NOBODY };

    /// Two seconds of `copies` every 10 ms.
    fn load(tick: &mut Tick, now: &mut Instant, copies: u64) {
        for _ in 0..200 {
            *now += Duration::from_millis(10);
            tick.note(copies, *now);
        }
    }

    /// The tick of a worker with much to do.
    pub(crate) fn loaded(mut now: Instant) -> Tick {
        let mut tick = Tick::new(now);
        load(&mut tick, &mut now, 800);
        tick
    }

    #[test]
    fn nothing_waits_in_a_small_room_and_no_voice_longer_than_two_milliseconds_in_a_large_one() {
        let (mut now, ms) = (Instant::now(), Duration::from_millis);
        let mut tick = Tick::new(now);
        let mut waits = |copies| {
            load(&mut tick, &mut now, copies);
            [MediaKind::Camera, MediaKind::Mic].map(|kind| tick.wait(kind, MANY))
        };
        assert_eq!(waits(0), [ms(0), ms(0)]);
        assert_eq!(waits(120), [ms(0), ms(0)], "12,000 packets a second are 5 % of a core");
        let [video, audio] = waits(300);
        assert!(video >= ms(2) && video < ms(4) && audio == ms(2), "{video:?} {audio:?}");
        assert_eq!(waits(800), [OTHERS_WAIT_MAX, ms(2)]);
        assert_eq!(waits(0), [ms(0), ms(0)], "and back");
    }

    #[test]
    fn a_packet_waits_only_if_others_can_be_expected() {
        let tick = loaded(Instant::now());
        let rest = |rest| tick.wait(MediaKind::Camera, Expected { rest, ..NOBODY });
        assert_eq!([Rest::Burst, Rest::Frame].map(rest), [BURST_WAIT, FRAME_WAIT_MAX]);
        assert_eq!(tick.wait(MediaKind::Camera, Expected { rest: Rest::Burst, ..MANY }), OTHERS_WAIT_MAX);
        assert_eq!(tick.wait(MediaKind::Camera, NOBODY), Duration::ZERO, "the end of the only camera's frame");
        assert_eq!(tick.wait(MediaKind::Camera, FEW), OTHERS_WAIT_MAX);
        assert_eq!(tick.wait(MediaKind::Mic, FEW), Duration::ZERO, "0.4 in 2 ms");
        assert_eq!(tick.wait(MediaKind::Mic, MANY), AUDIO_WAIT_MAX);
    }

    #[test]
    fn a_flow_knows_what_comes_in_the_other_slots() {
        let (mut flow, start) = (Flow::new(), Instant::now());
        let (camera, voice) = (Slot::camera(0).unwrap(), Slot::voice(0).unwrap());
        for ms in 0..1_000 {
            let now = start + Duration::from_millis(ms);
            flow.note(camera, now);
            if ms % 20 == 0 {
                flow.note(voice, now);
            }
        }
        let near = |rate: u32, expected: u32| rate.abs_diff(expected) * 10 <= expected;
        assert!(near(flow.others(voice), 1_000) && near(flow.others(camera), 50), "{flow:?}");
    }
}
