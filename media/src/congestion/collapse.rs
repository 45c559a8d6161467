//! A line that suddenly carries a fraction of what is sent: seen from the arrivals of a tenth of a second, where the trend, which is
//! smoothed, needs half a second, and the losses come only when the queue has overflowed and what was in it has arrived. And what a
//! line carried while its queue was long, when it was not idle.

/// A queue up to here is short, µs.
const SHORT_US: i64 = 20_000;
/// What arrives in a shorter time than this, µs, is no rate,
const BUSY_US: i64 = 30_000;
/// and this long ago it was another line's.
const CARRIED_WITHIN_US: i64 = 300_000;
/// The queue has grown by so much lately, µs,
const GROWN_US: i64 = 80_000;
/// and that is this part of the time it took: the line carries less than a third of what is sent. A key frame, which is paced, does
/// not make it grow so fast.
const GROWN_PART: f64 = 0.7;
/// Between two arrivals at most this part of the growth passed: else packets were held back, and come all at once.
const PAUSE_PART: i64 = 3;
/// That is looked for in the present window of so many µs, also with the one before it and with both, as far as the queue was not
/// short meanwhile: the line of a viewer who has all that it carries is seldom idle, and its queue seldom short.
const WINDOW_US: u32 = 100_000;
/// A window has at least so many of its longest pauses: on thin lines packets come seldom.
const PAUSES_MIN: u32 = 4;
/// See [`WINDOW_US`].
const WINDOWS: usize = 3;
/// The rate is that of the present window if this is so long, µs, else of the one before too.
const RATE_US: u32 = 50_000;
/// Where the queue is never short, as the route has become longer, what arrives is measured from a moment so long ago at most, µs.
const ANEW_US: i64 = 1_000_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Collapse {
    since: Since,
    /// Until when the queue was long, so far, and what arrived in that time, bit/s; 0 where there was none.
    busy_until_us: i64,
    busy: f32,
    /// The line has collapsed; the rate is to follow.
    collapsed: bool,
}

/// What has arrived since the queue was last short.
#[derive(Clone, Copy, Debug)]
struct Since {
    arrival_us: i64,
    latest_us: u32,
    bytes: u32,
    /// The present one, and those before, newest first.
    windows: [Window; WINDOWS],
}

impl Default for Since {
    /// Too long ago for anything.
    fn default() -> Self {
        Self::at(i64::MIN / 2, 0)
    }
}

/// A stretch of that. Times are counted from its beginning.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// When it began, how long the queue was then, and what had arrived by then.
    from_us: u32,
    queue_us: i32,
    before: u32,
    longest_pause_us: u32,
}

impl Window {
    fn from(from_us: u32, queue_us: i64, before: u32) -> Self {
        Self { from_us, queue_us: queue_us as i32, before, longest_pause_us: 0 }
    }
}

impl Since {
    fn at(arrival_us: i64, queue_us: i64) -> Self {
        Self { arrival_us, latest_us: 0, bytes: 0, windows: [Window::from(0, queue_us, 0); WINDOWS] }
    }

    /// Notes a packet that no other has overtaken.
    fn arrived(&mut self, bytes: u16, after_us: u32, queue_us: i64) {
        let [present, ..] = &mut self.windows;
        present.longest_pause_us = present.longest_pause_us.max(after_us - self.latest_us);
        self.latest_us = after_us;
        self.bytes = self.bytes.saturating_add(bytes.into());
        if after_us - present.from_us >= WINDOW_US.max(present.longest_pause_us.saturating_mul(PAUSES_MIN)) {
            self.windows.rotate_right(1);
            self.windows[0] = Window::from(after_us, queue_us, self.bytes);
        }
    }

    /// Whether the line has collapsed in the latest of the windows, one or some.
    fn is_collapsed(&self, queue_us: i64) -> bool {
        let mut longest_pause_us = 0;
        self.windows.iter().any(|window| {
            longest_pause_us = longest_pause_us.max(i64::from(window.longest_pause_us));
            let grown_us = queue_us - i64::from(window.queue_us);
            let passed_us = i64::from(self.latest_us - window.from_us);
            // More than has passed: it was sent before the others, and overtaken by them.
            (GROWN_US..=passed_us).contains(&grown_us)
                && grown_us as f64 >= GROWN_PART * passed_us as f64
                && longest_pause_us * PAUSE_PART <= grown_us
        })
    }

    /// What arrived lately, bit/s.
    fn lately(&self) -> f64 {
        let [present, before, ..] = self.windows;
        let Window { from_us, before, .. } = if self.latest_us - present.from_us >= RATE_US { present } else { before };
        rate(self.bytes - before, self.latest_us - from_us)
    }
}

/// `bytes` in so many µs, bit/s.
fn rate(bytes: u32, passed_us: u32) -> f64 {
    f64::from(bytes) * 8e6 / f64::from(passed_us.max(1))
}

impl Collapse {
    /// Takes in a packet that arrived, and how much longer than the shortest it took.
    pub(super) fn arrived(&mut self, bytes: u16, arrival_us: i64, queue_us: i64) {
        let is_old = arrival_us - self.since.arrival_us > ANEW_US && !self.collapsed;
        if queue_us <= SHORT_US || is_old {
            (self.since, self.collapsed) = (Since::at(arrival_us, queue_us), false);
            return;
        }
        // One that others have overtaken says nothing of the queue.
        let since = &mut self.since;
        let Some(after_us) = u32::try_from(arrival_us - since.arrival_us).ok().filter(|us| *us >= since.latest_us)
        else {
            return;
        };
        since.arrived(bytes, after_us, queue_us);
        if i64::from(after_us) >= BUSY_US {
            (self.busy_until_us, self.busy) = (arrival_us, rate(since.bytes, after_us) as f32);
        }
        self.collapsed |= since.is_collapsed(queue_us);
    }

    /// What arrived while the queue was long, now or right before, bit/s: the line carried that much.
    pub(super) fn carried(&self) -> Option<f64> {
        let latest_us = self.since.arrival_us + i64::from(self.since.latest_us);
        let is_recent = latest_us - self.busy_until_us <= CARRIED_WITHIN_US;
        (self.busy > 0.0 && is_recent).then(|| self.busy.into())
    }

    /// What arrived lately, bit/s, where the line has collapsed since this was asked before. Where it is `crowded`, others fill
    /// the queue, and nothing is found.
    pub(super) fn throughput(&mut self, crowded: bool) -> Option<f64> {
        (std::mem::take(&mut self.collapsed) && !crowded).then(|| self.since.lately())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends 1,250 bytes every 2 ms, 5 Mbit/s, for a second over a line with this delay, which is its queue, at each ms, and looks
    /// every tenth of two seconds. What was said, with the tenth.
    fn said(queue_us: impl Fn(i64) -> i64) -> Vec<(usize, f64)> {
        let mut collapse = Collapse::default();
        let mut arrivals: Vec<_> = (0..500).map(|n| (n * 2_000 + queue_us(n * 2), queue_us(n * 2))).collect();
        arrivals.sort_by_key(|(at, _)| *at);
        let tenths = (1..=20).map(|tenth| {
            let come = arrivals.partition_point(|(at, _)| *at < tenth * 100_000);
            arrivals.drain(..come).for_each(|(at, queue_us)| collapse.arrived(1_250, at, queue_us));
            collapse.throughput(false)
        });
        tenths.enumerate().filter_map(|(tenth, said)| Some((tenth, said?))).collect()
    }

    #[test]
    fn a_line_that_falls_to_a_tenth_is_told_at_the_next_feedback_but_one() {
        let said = said(|ms| (ms - 400).max(0) * 9_000);
        assert!(matches!(said[..], [(4 | 5, _), ..]), "{said:?}");
        assert!(said.iter().all(|(_, throughput)| (throughput - 500e3).abs() < 50e3), "{said:?}");
    }

    #[test]
    fn a_line_that_falls_to_hardly_anything_is_told() {
        for kbit in [60, 80, 100, 150, 300] {
            let said = said(|ms| (ms - 400).max(0) * (5_000_000 / kbit - 1_000));
            assert!(matches!(said[..], [(4..12, throughput), ..] if throughput < 400e3), "{kbit}: {said:?}");
        }
    }

    #[test]
    fn what_arrived_before_the_line_fell_is_not_what_it_carries() {
        // It carries somewhat less than is sent, for 150 ms, so that its queue is never short again; then a tenth.
        let said = said(|ms| (ms - 250).clamp(0, 150) * 200 + (ms - 400).max(0) * 9_000);
        assert!(matches!(said[..], [(4 | 5, throughput), (6, _), ..] if throughput < 1.6e6), "{said:?}");
        assert!(said[1..].iter().all(|(_, throughput)| (throughput - 500e3).abs() < 50e3), "{said:?}");
    }

    #[test]
    fn a_line_that_is_a_little_narrow_is_left_to_the_trend() {
        assert_eq!(said(|ms| (ms - 400).max(0) * 500), []);
        // A key frame at 2.2 times what the line carries makes the queue grow for more than half of the time.
        assert_eq!(said(|ms| (ms - 400).clamp(0, 130) * 1_220), []);
    }

    #[test]
    fn what_arrives_while_the_queue_is_long_is_what_the_line_carries() {
        // 5 Mbit/s for 200 ms over a line of 3, which needs 133 ms more for it; then little.
        let mut collapse = Collapse::default();
        let arrived =
            |collapse: &mut Collapse, sent_us: i64, at_us: i64| collapse.arrived(1_250, at_us, at_us - sent_us);
        assert_eq!(collapse.carried(), None);
        for n in 0..100 {
            arrived(&mut collapse, 2_000 * n, 3_333 * n);
            let expected = if 3_333 * n < 83_000 { None } else { Some(3e6) };
            assert_eq!(collapse.carried().map(|carried| (carried / 1e5).round() * 1e5), expected, "{n}");
        }
        arrived(&mut collapse, 600_000, 600_000);
        assert!(collapse.carried().is_some(), "it was so right before");
        arrived(&mut collapse, 700_000, 700_000);
        assert_eq!(collapse.carried(), None);
    }

    #[test]
    fn what_is_held_back_is_not_taken_for_a_faster_line() {
        // 5 Mbit/s; nothing arrives for 300 ms, and then all at once.
        let mut collapse = Collapse::default();
        for n in 0..300 {
            let sent_us = 2_000 * n;
            let at_us = if (100_000..400_000).contains(&sent_us) { 400_000 + n } else { sent_us };
            collapse.arrived(1_250, at_us, at_us - sent_us);
            assert!(collapse.carried().is_none_or(|carried| carried < 5.1e6), "{n}: {:?}", collapse.carried());
        }
        assert!(collapse.carried().is_some());
    }

    #[test]
    fn what_was_held_back_and_comes_at_once_is_no_collapse() {
        assert_eq!(said(|ms| if (400..700).contains(&ms) { (700 - ms) * 1_000 } else { 0 }), []);
    }

    #[test]
    fn a_route_that_becomes_longer_is_no_collapse_and_hides_none() {
        assert_eq!(said(|ms| if ms < 400 { 0 } else { 150_000 }), []);
        let mut collapse = Collapse::default();
        let mut said = Vec::new();
        for n in 0..300 {
            // Every 10 ms; after two seconds every 50.
            let (arrival_us, grown_us) = (n * 10_000 + (n - 200).max(0) * 40_000, (n - 200).max(0) * 40_000);
            collapse.arrived(1_250, arrival_us, 30_000 + grown_us);
            said.extend(collapse.throughput(false));
        }
        assert!(!said.is_empty() && said.iter().all(|throughput| *throughput < 600e3), "{said:?}");
    }

    #[test]
    fn a_packet_others_have_overtaken_is_no_collapse() {
        let mut collapse = Collapse::default();
        for (arrival_us, queue_us) in [(0, 0), (20_000, 150_000), (20_000, 150_000)] {
            collapse.arrived(125, arrival_us, queue_us);
            assert_eq!(collapse.throughput(false), None);
        }
    }
}
