//! What is seen of a camera.

use super::*;

#[test]
fn a_clean_stream_is_shown_without_a_freeze_at_its_rate() {
    let mut scene = Scene::new(None);
    scene.camera(2, 0, 10_000, in_time);
    let (summary, scene) = scene.play(10_100);
    let camera = &summary.cameras[0];
    assert_eq!((camera.slot, camera.shown, camera.state), (2, 300, State::Playing));
    assert_eq!((camera.freezes, camera.pauses, camera.out_of_order), (Freezes::default(), 0, 0));
    within(camera.longest_gap_ms, 33, 2);
    assert_eq!(camera.layers, [LayerShown { layer: 2, height: 720, shown: 300 }]);
    // 12 bytes of header, 7 of descriptor, 16 of tag.
    let bytes = 900 * (12 + 7 + BODY_BYTES as u64 + 16);
    assert_eq!(summary.bytes, Bytes { video: bytes, ..Bytes::default() });
    assert!((summary.bits_per_second.total / (bytes as f64 * 8.0 / 10.1) - 1.0).abs() < 0.001);
    let delay = summary.delay_ms.unwrap();
    assert!((19.5..20.5).contains(&delay.p50) && delay.max < 21.0, "{delay:?}");
    assert_eq!((scene.asked.len(), scene.steps.len(), summary.damaged), (0, 101, 0));
    assert_eq!(scene.steps.iter().map(|step| step.bytes.video).sum::<u64>(), bytes);
    assert_eq!(scene.steps.iter().map(|step| u64::from(step.cameras[0].shown)).sum::<u64>(), 300);
    // What the jitter buffer adds is its least, 10 ms.
    assert_eq!((camera.first_shown_ms, scene.steps[50].cameras[0].target_ms), (Some(30), 10));
}

#[test]
fn a_lost_packet_that_is_sent_again_in_time_is_no_freeze() {
    let mut scene = Scene::new(Some(60));
    scene.camera(1, 0, 6_000, |sent| if (sent.frame, sent.piece) == (100, 1) { None } else { in_time(sent) });
    let (summary, scene) = scene.play(6_100);
    let camera = &summary.cameras[0];
    assert_eq!((camera.shown, camera.freezes, camera.out_of_order), (180, Freezes::default(), 0));
    assert_eq!((summary.nacked, summary.recovered, summary.rtt_ms), (1, 1, 60.0));
    assert_eq!((summary.bytes.rtx, scene.asked.len()), (12 + 2 + 7 + BODY_BYTES as u64 + 16, 1));
    // It was missing from the next packet on, at 3,353 ms; 10 ms later it was asked for.
    within(scene.asked[0].0, 3_364, 1);
}

#[test]
fn a_round_trip_longer_than_the_pause_between_two_requests_is_learned_from_the_first_answer() {
    let mut scene = Scene::new(Some(400));
    scene.camera(1, 0, 6_000, |sent| if (sent.frame % 30, sent.piece) == (10, 1) { None } else { in_time(sent) });
    let (summary, scene) = scene.play(6_500);
    // The first one is asked for four times, every 100 ms; the others once, as an answer takes 400 ms.
    assert_eq!((summary.rtt_ms, summary.nacked, summary.recovered, scene.asked.len()), (400.0, 9, 6, 9));
}

#[test]
fn a_packet_overtaken_by_others_is_not_asked_for() {
    let mut scene = Scene::new(None);
    scene.camera(1, 0, 2_000, |sent| Some(sent.at + TRANSIT_MS + if sent.piece == 1 { 9 } else { 0 }));
    let (summary, scene) = scene.play(2_100);
    assert_eq!((summary.cameras[0].shown, scene.asked.len()), (60, 0));
}

#[test]
fn a_packet_that_never_comes_freezes_the_picture_until_the_next_key_frame() {
    let mut scene = Scene::new(None);
    scene.camera(1, 0, 5_000, |sent| if (sent.frame, sent.piece) == (100, 1) { None } else { in_time(sent) });
    scene.camera(1, 5_000, 7_000, in_time);
    let (summary, scene) = scene.play(7_100);
    let camera = &summary.cameras[0];
    let Freezes { count, over_300_ms, over_500_ms, over_1000_ms, total_ms } = camera.freezes;
    assert_eq!((count, over_300_ms, over_500_ms, over_1000_ms), (1, 1, 1, 1));
    // From frame 99, of 3,300 ms, to the key frame of 5,000 ms.
    within(total_ms, 1_700, 2);
    assert_eq!((camera.longest_gap_ms, camera.shown, camera.pauses), (total_ms, 100 + 60, 0));
    assert_eq!([3_300, 3_800, 4_900, 5_100].map(|ms| scene.seen(ms).0), {
        use State::{Frozen, Playing};
        [Playing, Frozen, Frozen, Playing]
    });
    assert_eq!(scene.steps[50].cameras[0].freeze_ms, total_ms);
    // Ten times, every 100 ms, which is the round trip before one is known; and then no more.
    let asked: Vec<_> = scene.asked.iter().map(|(ms, _)| *ms).collect();
    assert_eq!(asked.len(), 10);
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] == 100), "{asked:?}");
}

#[test]
fn a_key_frame_is_asked_for_after_200_ms_in_the_beginning_and_3_s_later_on() {
    let mut scene = Scene::new(None);
    scene.camera(1, 0, 1_000, |sent| if sent.frame == 0 { None } else { in_time(sent) });
    let (summary, scene) = scene.play(1_000);
    assert_eq!((summary.cameras[0].state, summary.cameras[0].shown), (State::Waiting, 0));
    // The first packet comes at 53 ms.
    assert_eq!(scene.key_frame_requests(), [254, 454, 654, 854]);

    let mut scene = Scene::new(None);
    scene.camera(1, 0, 10_000, |sent| if sent.frame == 30 { None } else { in_time(sent) });
    let (summary, scene) = scene.play(10_000);
    // Frame 29, of 967 ms, is the last one shown, 30 ms later.
    let asked = scene.key_frame_requests();
    assert_eq!(asked.len(), 3);
    asked.iter().zip([3_997, 6_997, 9_997]).for_each(|(ms, expected)| within(*ms, expected, 2));
    // A freeze that goes on at the end counts.
    assert_eq!((summary.cameras[0].freezes.count, summary.cameras[0].freezes.over_1000_ms), (1, 1));
    within(summary.cameras[0].freezes.total_ms, 9_003, 2);
}

#[test]
fn a_burst_of_jitter_freezes_once_and_the_buffer_then_takes_the_next_one() {
    let held = |sent: Sent, from: u64| (from..from + 300).contains(&sent.at).then_some(from + 300 + TRANSIT_MS);
    let mut scene = Scene::new(None);
    scene.camera(1, 0, 7_000, |sent| held(sent, 3_000).or_else(|| held(sent, 5_000)).or_else(|| in_time(sent)));
    let (summary, scene) = scene.play(7_500);
    let camera = &summary.cameras[0];
    assert_eq!((camera.shown, camera.freezes.count, camera.freezes.over_300_ms), (210, 1, 1));
    // The frame of 3,000 ms comes 300 ms late; the buffer had 10 ms.
    within(camera.freezes.total_ms, 323, 3);
    assert!(scene.steps[33].cameras[0].target_ms >= 290);
    // Down by half in 5 s.
    within(scene.steps[49].cameras[0].target_ms, 300 * 79 / 100, 8);
}

#[test]
fn what_is_later_than_the_buffer_holds_is_forgotten_like_what_it_holds() {
    let mut scene = Scene::new(None);
    scene.camera(
        1,
        0,
        9_000,
        |sent| {
            if (1_000..3_000).contains(&sent.at) { Some(3_000 + TRANSIT_MS) } else { in_time(sent) }
        },
    );
    let (_, scene) = scene.play(9_000);
    within(scene.steps[30].cameras[0].target_ms, 500, 10);
    // Down by half in 5 s.
    within(scene.steps[80].cameras[0].target_ms, 250, 10);
}

#[test]
fn another_layer_goes_on_where_the_one_before_ended() {
    let mut scene = Scene::new(None);
    scene.camera(0, 0, 3_000, in_time);
    scene.camera(2, 3_000, 6_000, in_time);
    scene.camera(1, 6_000, 7_000, in_time);
    let (summary, scene) = scene.play(7_100);
    let camera = &summary.cameras[0];
    assert_eq!((camera.freezes.count, camera.pauses, camera.layer_changes), (0, 0, 2));
    let shown: Vec<_> = camera.layers.iter().map(|shown| (shown.layer, shown.height, shown.shown)).collect();
    assert_eq!(shown, [(0, 180, 90), (1, 360, 30), (2, 720, 90)]);
    assert_eq!([3_000, 3_200, 6_200].map(|ms| scene.seen(ms).1), [Some(0), Some(2), Some(1)]);
}

#[test]
fn what_the_server_does_not_send_on_purpose_is_a_pause_even_if_the_last_packet_was_lost() {
    for tail_lost in [false, true] {
        let mut scene = Scene::new(None);
        scene.camera(
            1,
            0,
            3_000,
            |sent| {
                if tail_lost && (sent.frame, sent.piece) == (89, 2) { None } else { in_time(sent) }
            },
        );
        // Probes of what came before say nothing of the slot.
        scene.rtx(4_000, Some(65_501));
        scene.camera(1, 6_000, 8_000, in_time);
        let (summary, scene) = scene.play(8_100);
        let camera = &summary.cameras[0];
        assert_eq!((camera.pauses, camera.freezes), (1, Freezes::default()), "{tail_lost}");
        // From the last frame shown, of 2,967 or 2,933 ms, shown 30 ms later, to the first packet at 6,020 ms.
        within(camera.paused_ms, if tail_lost { 3_057 } else { 3_023 }, 2);
        assert!(camera.longest_gap_ms < 80);
        let state = if tail_lost { State::Frozen } else { State::Silent };
        assert_eq!(
            [scene.seen(2_900).0, scene.seen(4_500).0, scene.seen(6_200).0],
            [State::Playing, state, State::Playing]
        );
        assert_eq!(scene.steps[60].cameras[0].pause_ms, camera.paused_ms);
    }
}

#[test]
fn a_silence_too_short_for_a_freeze_is_no_pause() {
    let mut scene = Scene::new(None);
    scene.camera(1, 0, 3_000, in_time);
    scene.camera(2, 3_110, 5_000, in_time);
    let (summary, _) = scene.play(5_100);
    let camera = &summary.cameras[0];
    assert_eq!((camera.pauses, camera.freezes.count), (0, 0));
    within(camera.longest_gap_ms, 143, 2);
}

#[test]
fn a_line_that_was_down_is_no_pause() {
    let mut scene = Scene::new(None);
    scene.camera(1, 0, 6_000, |sent| if sent.at < 3_000 { in_time(sent) } else { None });
    scene.camera(1, 6_000, 8_000, in_time);
    let (summary, _) = scene.play(8_100);
    let camera = &summary.cameras[0];
    assert_eq!((camera.pauses, camera.freezes.count), (0, 1));
    within(camera.freezes.total_ms, 3_033, 2);
}

#[test]
fn a_key_frame_that_takes_long_to_come_in_after_a_pause_is_a_freeze() {
    let mut scene = Scene::new(None);
    scene.camera(1, 0, 3_000, in_time);
    scene.camera(1, 6_000, 8_000, |sent| {
        Some(sent.at + TRANSIT_MS + if sent.at == 6_000 && sent.piece > 0 { 400 } else { 0 })
    });
    let (summary, _) = scene.play(8_100);
    let camera = &summary.cameras[0];
    assert_eq!((camera.pauses, camera.freezes.count, camera.freezes.total_ms), (1, 1, 400));
}

#[test]
fn padding_counts_as_bytes_and_as_nothing_else() {
    let mut scene = Scene::new(None);
    scene.camera(1, 0, 3_000, in_time);
    (0..100).for_each(|n| scene.rtx(1_000 + 10 * n, None));
    let (summary, scene) = scene.play(3_100);
    assert_eq!((summary.bytes.padding, summary.bytes.rtx, summary.damaged), (100 * (12 + 16), 0, 0));
    assert_eq!((summary.cameras[0].shown, summary.cameras[0].freezes.count), (90, 0));
    assert!(scene.asked.is_empty());
}

#[test]
fn what_is_sent_again_and_was_never_sent_before_is_damaged_and_hurts_nothing() {
    let mut scene = Scene::new(None);
    scene.camera(1, 0, 1_000, in_time);
    let ahead = scene.seq.wrapping_add(9_000);
    let payload = [&ahead.to_be_bytes()[..], &[0, 0]].concat();
    scene.arrive(BEGIN + 1_005 * MS, rtp(Slot::camera(2).unwrap().rtx_ssrc(), 1, 0, false, &payload));
    scene.camera(1, 1_000, 2_000, in_time);
    let (summary, scene) = scene.play(2_100);
    assert_eq!((summary.cameras[0].shown, summary.cameras[0].freezes.count, scene.asked.len()), (60, 0, 0));
    assert_eq!(summary.damaged, 1);
}

#[test]
fn padding_under_the_numbers_of_the_media_leaves_no_hole() {
    let mut scene = Scene::new(None);
    scene.camera(1, 0, 1_000, in_time);
    scene.seq = scene.seq.wrapping_add(1);
    let padding = rtp(Slot::camera(2).unwrap().ssrc(), scene.seq, 0, false, &[]);
    scene.arrive(BEGIN + 1_015 * MS, padding);
    // The rest follows without a key frame.
    let key = scene.seq;
    scene.camera(1, 1_000, 2_000, in_time);
    for packet in scene.coming.values_mut().filter(|packet| packet[2..4] == key.wrapping_add(1).to_be_bytes()) {
        packet[12 + 6] = 1;
    }
    let (summary, scene) = scene.play(2_100);
    assert_eq!((summary.cameras[0].shown, summary.cameras[0].freezes.count, scene.asked.len()), (60, 0, 0));
}

#[test]
fn a_delta_frame_made_from_another_picture_is_noticed() {
    let mut scene = Scene::new(None);
    scene.camera(1, 0, 1_000, in_time);
    let at = scene.seq.wrapping_sub(3 * 10 + 2);
    for packet in scene.coming.values_mut().filter(|packet| packet[2..4] == at.to_be_bytes()) {
        packet[12 + 3] ^= 0x40;
    }
    let (summary, _) = scene.play(1_100);
    // That one, and the one after it.
    assert_eq!((summary.cameras[0].shown, summary.cameras[0].out_of_order), (30, 2));
}
