//! A line that suddenly carries a fraction of what is sent: seen from the arrivals of a tenth of a second, where the trend, which is
//! smoothed, needs half a second, and the losses come only when the queue has overflowed and what was in it has arrived. And what a
//! line carried while its queue was long, when it was not idle.

/// A queue up to here is short, µs.
const SHORT_US: i64 = 20_000;
/// What arrives in a shorter time than this, µs, is no rate,
const BUSY_US: i64 = 30_000;
/// and this long ago it was another line's.
const CARRIED_WITHIN_US: i64 = 300_000;
/// It has grown by so much since, µs,
const GROWN_US: i64 = 80_000;
/// and that is this part of the time it took: the line carries less than a third of what is sent. A key frame, which is paced, does
/// not make it grow so fast.
const GROWN_PART: f64 = 0.7;
/// Between two arrivals at most this part of the growth passed: else packets were held back, and come all at once.
const PAUSE_PART: i64 = 3;
/// Where the queue is never short, as the route has become longer, growth is measured from a moment so long ago at most, µs.
const ANEW_US: i64 = 1_000_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Collapse {
    since: Option<Since>,
    busy: Busy,
}

/// The latest time for which the queue was long, so far.
#[derive(Clone, Copy, Debug, Default)]
struct Busy {
    until_us: i64,
    /// 0 where there was none.
    passed_us: u32,
    bytes: u32,
}

/// What has arrived since the queue was last short.
#[derive(Clone, Copy, Debug)]
struct Since {
    arrival_us: i64,
    queue_us: i64,
    latest_us: i64,
    longest_pause_us: i64,
    bytes: u32,
    found: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// The line has collapsed; the rate is to follow.
    Collapsed,
    /// The rate has followed, and the queue is still long.
    Told,
}

impl Collapse {
    /// Takes in a packet that arrived, and how much longer than the shortest it took.
    pub(super) fn arrived(&mut self, bytes: u16, arrival_us: i64, queue_us: i64) {
        let is_short = queue_us <= SHORT_US;
        let found = self.since.filter(|_| !is_short).map_or(Found::Nothing, |since| since.found);
        let is_old = self.since.is_none_or(|since| arrival_us - since.arrival_us > ANEW_US);
        if is_short || (is_old && found != Found::Collapsed) {
            let latest_us = arrival_us;
            self.since = Some(Since { arrival_us, queue_us, latest_us, longest_pause_us: 0, bytes: 0, found });
            return;
        }
        // One that others have overtaken says nothing of the queue.
        let Some(since) = self.since.as_mut().filter(|since| arrival_us >= since.latest_us) else { return };
        since.longest_pause_us = since.longest_pause_us.max(arrival_us - since.latest_us);
        since.latest_us = arrival_us;
        since.bytes = since.bytes.saturating_add(bytes.into());
        let (grown_us, passed_us) = (queue_us - since.queue_us, arrival_us - since.arrival_us);
        if passed_us >= BUSY_US {
            self.busy = Busy { until_us: arrival_us, passed_us: passed_us as u32, bytes: since.bytes };
        }
        // More than has passed: it was sent before the others, and overtaken by them.
        let collapsed = (GROWN_US..=passed_us).contains(&grown_us)
            && grown_us as f64 >= GROWN_PART * passed_us as f64
            && since.longest_pause_us * PAUSE_PART <= grown_us;
        if collapsed && found == Found::Nothing {
            since.found = Found::Collapsed;
        }
    }

    /// What arrived while the queue was long, now or right before, bit/s: the line carried that much.
    pub(super) fn carried(&self) -> Option<f64> {
        let Busy { until_us, passed_us, bytes } = self.busy;
        let is_recent = self.since?.latest_us - until_us <= CARRIED_WITHIN_US;
        (passed_us > 0 && is_recent).then(|| f64::from(bytes) * 8e6 / f64::from(passed_us))
    }

    /// What arrived meanwhile, bit/s, where the line has collapsed. Says so once until the queue is short again. Where it is
    /// `crowded`, others fill the queue, and nothing is found.
    pub(super) fn throughput(&mut self, crowded: bool) -> Option<f64> {
        let since = self.since.as_mut().filter(|since| since.found == Found::Collapsed)?;
        since.found = if crowded { Found::Nothing } else { Found::Told };
        (!crowded).then(|| f64::from(since.bytes) * 8e6 / (since.latest_us - since.arrival_us) as f64)
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
        assert!(matches!(said[..], [(4 | 5, throughput)] if (throughput - 500e3).abs() < 50e3), "{said:?}");
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
        assert!(matches!(said[..], [throughput] if throughput < 600e3), "{said:?}");
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
