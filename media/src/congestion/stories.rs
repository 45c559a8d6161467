//! What is promised of viewers' lines, one story each, with the estimator alone in the loop. `--nocapture` shows figures.

use std::ops::RangeBounds;

use proptest::prelude::*;

use super::feedback::Feedback;
use super::sim::{LAYERS, Line, Source, Tcp, WANTED, World, write_feedback};
use super::*;

/// A viewer of one camera with three layers; feedback every 100 ms.
fn viewer_of_layers(line: Line) -> World {
    World::new(line).with(LAYERS, 100, WANTED)
}

/// A viewer of as many small layers as fit.
fn viewer_of_many(line: Line) -> World {
    World::new(line).with(Source::Elastic, 100, 6_000_000)
}

fn is(what: &str, value: f64, expected: impl RangeBounds<f64> + std::fmt::Debug) {
    println!("{what}: {value:.0}");
    assert!(expected.contains(&value), "{what}: {value:.0} is not in {expected:?}");
}

#[test]
fn a_line_of_1_mbit_is_used_within_8_s() {
    let mut many = viewer_of_many(Line::new(1e6, 50.0));
    many.run_until(60.0);
    is("many: 8 to 60 s, bit/s", many.flows[0].received(8.0, 60.0), 800e3..);
    is("many: estimate after 8 s", many.flows[0].estimated(8.0, 60.0).0, 750e3..);
    is("many: queue, ms", many.line.longest_delay_ms(0.0, 60.0), ..200.0);

    // The largest layer does not fit, and the estimate says so.
    let mut layers = viewer_of_layers(Line::new(1e6, 50.0));
    layers.run_until(60.0);
    let (low, high) = layers.flows[0].estimated(8.0, 60.0);
    is("layers: lowest estimate", low, 800e3..);
    is("layers: highest estimate", high, ..1.1e6);
    is("layers: 8 to 60 s, bit/s", layers.flows[0].received(8.0, 60.0), 540e3..);
    is("layers: queue, ms", layers.line.longest_delay_ms(0.0, 60.0), ..200.0);
}

#[test]
fn a_line_that_falls_to_a_tenth_is_left_in_2_s_and_used_10_s_after_its_return() {
    for (name, mut world, clean) in
        [("layers", viewer_of_layers(Line::new(5e6, 50.0)), 2.5e6), ("many", viewer_of_many(Line::new(5e6, 50.0)), 5e6)]
    {
        world.run_until(10.0).line.rate = 500e3;
        world.run_until(30.0).line.rate = 5e6;
        world.run_until(50.0);
        let viewer = &world.flows[0];
        is(&format!("{name}: before, bit/s"), viewer.received(5.0, 10.0), 0.8 * clean..);
        is(&format!("{name}: 2 s after the fall"), viewer.estimated(12.0, 14.0).1, ..550e3);
        is(&format!("{name}: 0.4 s after the fall"), viewer.estimated(10.4, 12.0).1, ..500e3);
        is(&format!("{name}: queue 5 s after, ms"), world.line.longest_delay_ms(15.0, 30.0), ..200.0);
        is(&format!("{name}: 10 s after the return"), viewer.received(40.0, 50.0), 0.8 * clean..);
    }
}

#[test]
fn a_full_line_that_falls_is_left_at_once_too() {
    for (feedback_ms, phase_ms) in [50, 100].into_iter().flat_map(|feedback| (0..10).map(move |n| (feedback, 10 * n))) {
        let mut world = World::new(Line::new(5e6, 50.0)).with(Source::Even(4.9e6), feedback_ms, 6_000_000);
        // A few packets of others stand in the queue for long, as there is hardly any room beside the viewer's.
        world.run_until(9.7).line.burst(12, 1_500);
        let falls = 10.0 + f64::from(phase_ms) / 1e3;
        world.run_until(falls).line.rate = 500e3;
        world.run_until(falls + 0.25).flows[0].source = Source::Elastic;
        world.run_until(14.0);
        let (low, high) = world.flows[0].estimated(10.4, 12.0);
        let name = format!("feedback every {feedback_ms}, {phase_ms} ms");
        is(&format!("{name}: lowest"), low, 300e3..);
        is(&format!("{name}: highest"), high, ..500e3);
    }
}

#[test]
fn a_larger_layer_that_has_just_begun_is_not_taken_for_the_line() {
    for feedback_ms in [50, 100] {
        for (len_ms, phase_ms) in
            [60, 80, 100, 130, 160].into_iter().flat_map(|len| [0, 20, 40, 60, 80].map(|at| (len, at)))
        {
            let mut world = World::new(Line::new(2.5e6, 50.0)).with(Source::Even(600e3), feedback_ms, WANTED);
            let begins = 4.0 + f64::from(phase_ms) / 1e3;
            world.run_until(begins);
            let before = world.flows[0].estimated(3.0, 4.0).0;
            // A key frame as the pacer lets it go, and what comes after.
            world.flows[0].source = Source::Even(1.5 * before);
            world.run_until(begins + f64::from(len_ms) / 1e3).flows[0].source = Source::Even(1.75e6);
            world.run_until(6.0);
            let lowest = world.flows[0].estimated(4.0, 6.0).0;
            is(
                &format!("{len_ms} ms after {phase_ms}, feedback every {feedback_ms}: lowest, bit/s"),
                lowest,
                1.95e6..2.5e6,
            );
        }
    }
}

#[test]
fn a_burst_of_others_costs_a_viewer_2_s() {
    // A page is opened: connections that begin with fifteen packets each, which come within 30 ms.
    for (connections, feedback_ms) in [(2, 100), (4, 100), (6, 100), (6, 50)] {
        let mut world = World::new(Line::new(3e6, 50.0)).with(LAYERS, feedback_ms, WANTED);
        world.run_until(10.0);
        let before = world.flows[0].estimated(9.0, 10.0).0;
        for ms in 0..30 {
            world.run_until(10.0 + f64::from(ms) / 1e3).line.burst(connections / 2, 1_500);
        }
        world.run_until(20.0);
        let percent = 100.0 * world.flows[0].estimated(12.0, 20.0).0 / before;
        is(&format!("{connections} connections: percent of the estimate before"), percent, 80.0..);
    }
}

#[test]
fn random_loss_of_5_percent_is_no_reason_to_slow_down() {
    for (name, viewer) in [("layers", viewer_of_layers as fn(Line) -> World), ("many", viewer_of_many)] {
        let [clean, lossy] = [0.0, 0.05].map(|loss| {
            let mut world = viewer(Line::new(5e6, 100.0));
            world.line.loss = loss;
            world.run_until(60.0).flows[0].received(10.0, 60.0)
        });
        is(&format!("{name}: percent of clean"), 100.0 * lossy / clean, 90.0..);
    }
}

#[test]
fn after_3_s_of_20_percent_loss_the_rate_is_back_within_1_s() {
    for (name, mut world) in
        [("layers", viewer_of_layers(Line::new(5e6, 100.0))), ("many", viewer_of_many(Line::new(5e6, 100.0)))]
    {
        world.run_until(10.0).line.loss = 0.2;
        world.run_until(13.0).line.loss = 0.0;
        world.run_until(20.0);
        let viewer = &world.flows[0];
        let before = viewer.received(9.0, 10.0);
        is(&format!("{name}: lowest estimate"), viewer.estimated(10.0, 14.0).0, 1.5e6..);
        is(&format!("{name}: estimate 1 s after"), viewer.estimated(14.0, 20.0).0, 0.9 * before..);
        is(&format!("{name}: 1 to 2 s after, percent"), 100.0 * viewer.received(14.0, 15.0) / before, 90.0..);
    }
}

#[test]
fn what_the_line_carried_before_losses_is_tried_at_once_when_they_are_over() {
    for run in 0..22 {
        let mut world = viewer_of_many(Line::new(5e6, 100.0));
        world.line.seed = world.line.seed.wrapping_mul(2 * run + 1);
        world.run_until(10.0).line.loss = 0.2;
        let before = world.flows[0].estimated(9.0, 10.0).0;
        // Meanwhile the queue grows for a while, and the rate is lowered.
        world.run_until(11.0).line.rate = 1.5e6;
        world.run_until(11.6).line.rate = 5e6;
        world.run_until(13.0).line.loss = 0.0;
        world.run_until(20.0);
        let percent = 100.0 * world.flows[0].estimated(14.0, 15.0).0 / before;
        is(&format!("run {run}: 1 s after, percent"), percent, 80.0..);
    }
}

#[test]
fn bursts_after_300_ms_of_nothing_do_not_halve_the_estimate() {
    for (name, mut world) in
        [("layers", viewer_of_layers(Line::new(5e6, 100.0))), ("many", viewer_of_many(Line::new(5e6, 100.0)))]
    {
        world.run_until(5.0);
        let before = world.flows[0].estimated(4.0, 5.0).0;
        for second in 5..40 {
            world.run_until(f64::from(second)).line.held_until_ms = f64::from(second) * 1e3 + 300.0;
        }
        is(&format!("{name}: lowest, percent"), 100.0 * world.flows[0].estimated(5.0, 39.0).0 / before, 60.0..);
    }
}

#[test]
fn on_a_line_of_200_kbit_the_estimate_goes_down_there() {
    for (name, mut world) in
        [("layers", viewer_of_layers(Line::new(200e3, 50.0))), ("many", viewer_of_many(Line::new(200e3, 50.0)))]
    {
        world.run_until(40.0);
        let (low, high) = world.flows[0].estimated(3.0, 40.0);
        is(&format!("{name}: lowest"), low, 100e3..);
        is(&format!("{name}: highest"), high, ..300e3);
    }
}

#[test]
fn two_viewers_share_a_line() {
    // Who meets the limit first has less for a while, which is chance: the mean over the moments the second may come at.
    for (rate, mean, each) in [(1e6, 65.0, 70.0), (2e6, 57.0, 62.0), (4e6, 67.0, 85.0)] {
        let shares = (0..8).map(|n| {
            let mut world = viewer_of_many(Line::new(rate, 50.0));
            world.run_until(10.0 + f64::from(n) * 0.173);
            let mut world = world.with(Source::Elastic, 50, 6_000_000);
            world.run_until(90.0);
            let [first, second] = [0, 1].map(|n| world.flows[n].received(20.0, 80.0));
            is(&format!("{rate}: percent used"), 100.0 * (first + second) / rate, 80.0..);
            let share = 100.0 * first.max(second) / (first + second);
            is(&format!("{rate}: percent of the larger"), share, ..each);
            share
        });
        is(&format!("{rate}: mean percent of the larger"), shares.sum::<f64>() / 8.0, ..mean);
    }
}

#[test]
fn a_tcp_flow_does_not_starve_a_viewer() {
    for (rate, round_trip_ms) in [(1e6, 50.0), (2e6, 30.0), (2e6, 50.0), (2e6, 100.0), (4e6, 50.0)] {
        let mut world = viewer_of_many(Line::new(rate, round_trip_ms));
        world.line.queue_ms = 200.0;
        world.run_until(5.0).tcp = Some(Tcp::new());
        world.run_until(80.0);
        is(
            &format!("{rate}, {round_trip_ms} ms: percent"),
            100.0 * world.flows[0].received(15.0, 80.0) / rate,
            33.3..67.0,
        );

        // When it ends the queue is let drain.
        world.tcp = None;
        world.run_until(110.0);
        is("percent used alone", 100.0 * world.flows[0].received(100.0, 110.0) / rate, 75.0..);
        let drained =
            (90..110).filter(|s| world.line.longest_delay_ms(f64::from(*s), f64::from(*s) + 0.9) < 100.0).count();
        is("seconds of 20 with a short queue", drained as f64, 10.0..);
    }
}

#[test]
fn nor_does_one_that_lasts_ten_minutes() {
    let mut world = viewer_of_many(Line::new(2e6, 50.0));
    world.line.queue_ms = 200.0;
    world.run_until(5.0).tcp = Some(Tcp::new());
    world.run_until(600.0);
    is("percent in the last 5 min", 100.0 * world.flows[0].received(300.0, 600.0) / 2e6, 33.3..67.0);
}

#[test]
fn a_route_that_becomes_longer_does_not_fill_a_deep_queue() {
    let mut world = viewer_of_many(Line::new(2e6, 50.0));
    world.line.queue_ms = 3_000.0;
    world.run_until(10.0).line.round_trip_ms += 200.0;
    world.run_until(60.0);
    is("queue, ms", world.line.longest_delay_ms(0.0, 60.0), ..500.0);
    is("percent used", 100.0 * world.flows[0].received(15.0, 60.0) / 2e6, 80.0..);
}

#[test]
fn what_is_not_tried_is_neither_taken_away_nor_grows_for_ever() {
    let mut world = viewer_of_layers(Line::new(50e6, 50.0));
    world.run_until(120.0);
    let (low, high) = world.flows[0].estimated(5.0, 120.0);
    is("lowest", low, 2.9e6..);
    is("highest", high, ..4.2e6);
}

#[test]
fn a_viewer_nothing_is_heard_of_is_backed_off_from_and_found_again() {
    let mut world = viewer_of_layers(Line::new(5e6, 50.0));
    world.run_until(10.0).flows[0].mute = true;
    world.run_until(15.0);
    is("after 5 s", world.flows[0].estimated(14.0, 15.0).0, ..300e3);
    world.flows[0].mute = false;
    world.run_until(25.0);
    is("5 s after it is heard again", world.flows[0].received(20.0, 25.0), 2.4e6..);
}

/// Sends 100 packets of 1,250 bytes a second for ten seconds, 1 Mbit/s; each tenth of a second the viewer's message is
/// what `lie` makes of the first number and the tenth. Returns the estimate and what was told at last.
fn lied_to(lie: impl Fn(u16, u32) -> Vec<u8>) -> (f64, Told) {
    let start = Instant::now();
    let mut estimator = Estimator::new(start);
    let mut told = Told::default();
    for tenth in 0..100 {
        let mut first = None;
        for n in 0..10 {
            let now = start + Duration::from_millis(u64::from(tenth * 100 + n * 10));
            let seq = estimator.sent(1_250, now);
            first.get_or_insert(seq);
            estimator.handle_timeout(now);
        }
        let now = start + Duration::from_millis(u64::from(tenth * 100 + 99));
        if let Ok(feedback) = Feedback::parse(&lie(first.unwrap(), tenth)) {
            told = estimator.feedback(&feedback, now);
        }
    }
    (f64::from(estimator.bitrate()), told)
}

#[test]
fn lies_gain_nothing() {
    let steady = |tenth: u32| -> Vec<_> { (0..10).map(|n| Some(i64::from(tenth * 100 % 64) * 4 + n * 40)).collect() };
    let at_once = vec![Some(0); 10];
    let reference = |tenth: u32| tenth * 100 / 64;
    let most = 1.51e6 * 1.02;

    let (estimate, told) = lied_to(|base, tenth| write_feedback(base, reference(tenth), &steady(tenth)));
    assert_eq!(told, Told { arrived: 10, ..Told::default() });
    is("the truth", estimate, 1.4e6..most);
    let (estimate, told) = lied_to(|base, tenth| write_feedback(base, reference(tenth), &at_once));
    assert_eq!(told, Told { arrived: 10, ..Told::default() });
    is("all at once", estimate, ..most);
    let (estimate, told) = lied_to(|_, tenth| write_feedback(0, reference(tenth), &steady(tenth)));
    assert_eq!(told.repeated + told.unknown, 10);
    is("again and again", estimate, ..most);
    let (estimate, told) =
        lied_to(|base, tenth| write_feedback(base.wrapping_add(10), reference(tenth), &steady(tenth)));
    assert_eq!(told, Told { unknown: 10, ..Told::default() });
    is("packets never sent", estimate, ..most);
    let (estimate, told) = lied_to(|base, tenth| write_feedback(base, (tenth * 7_919_777) & 0xff_ffff, &steady(tenth)));
    assert_eq!(told, Told { arrived: 10, clock_jumped: true, ..Told::default() });
    is("a clock that jumps", estimate, ..most);
    let (estimate, told) = lied_to(|base, _| write_feedback(base.wrapping_sub(4_000), 0, &vec![Some(0); 4_096]));
    assert_eq!((told.arrived, told.arrived + told.repeated + told.unknown), (10, 4_096));
    is("as much as fits", estimate, ..most);
}

/// What may be done to an estimator.
#[derive(Clone, Debug)]
enum Deed {
    Send {
        packets: u8,
        bytes: u16,
    },
    Wait {
        ms: u16,
    },
    /// Feedback of the packets from `back` before the latest on, with the gaps between arrivals.
    Tell {
        back: u16,
        reference: u32,
        gaps: Vec<Option<i16>>,
    },
    RoundTrip {
        ms: u16,
    },
    Want {
        bitrate: u32,
    },
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let gaps = prop::collection::vec(prop::option::weighted(0.9, any::<i16>()), 1..40);
    let deed = prop_oneof![
        (any::<u8>(), any::<u16>()).prop_map(|(packets, bytes)| Deed::Send { packets, bytes }),
        (0u16..500).prop_map(|ms| Deed::Wait { ms }),
        (0u16..300, 0u32..1 << 24, gaps).prop_map(|(back, reference, gaps)| Deed::Tell { back, reference, gaps }),
        any::<u16>().prop_map(|ms| Deed::RoundTrip { ms }),
        any::<u32>().prop_map(|bitrate| Deed::Want { bitrate }),
    ];
    prop::collection::vec(deed, 1..200)
}

proptest! {
    #[test]
    fn nothing_a_viewer_does_panics_or_asks_for_endless_padding(deeds in deeds()) {
        let mut now = Instant::now();
        let (mut estimator, mut seq) = (Estimator::new(now), 0);
        for deed in deeds {
            match deed {
                Deed::Send { packets, bytes } => (0..packets).for_each(|_| seq = estimator.sent(bytes.into(), now)),
                Deed::Wait { ms } => now += Duration::from_millis(ms.into()),
                Deed::Tell { back, reference, gaps } => {
                    let mut at = 0;
                    let sum = |gap: Option<i16>| gap.map(|gap| { at += i64::from(gap); at });
                    let arrivals: Vec<_> = gaps.into_iter().map(sum).collect();
                    let fci = write_feedback(seq.wrapping_sub(back), reference, &arrivals);
                    estimator.feedback(&Feedback::parse(&fci).unwrap(), now);
                }
                Deed::RoundTrip { ms } => estimator.round_trip(Duration::from_millis(ms.into())),
                Deed::Want { bitrate } => estimator.set_wanted(bitrate, now),
            }
            estimator.handle_timeout(now);
            let mut chunks = 0;
            while let Some(probe) = estimator.poll_probe(now) {
                seq = estimator.sent(probe.bytes, now);
                chunks += 1;
                prop_assert!(chunks < 10);
            }
            prop_assert!(estimator.bitrate() >= BITRATE_MIN);
        }
    }
}

#[test]
fn an_estimator_is_small() {
    is("bytes", size_of::<Estimator>() as f64, ..1_280.0);
}
