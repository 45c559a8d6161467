//! What is heard of a voice.

use super::*;

#[test]
fn a_voice_that_comes_whole_has_no_gap_nor_has_one_that_is_silent() {
    let mut scene = Scene::new(None);
    // With discontinuous transmission a packet every 400 ms.
    let silence = (3_000..5_000).step_by(400);
    scene.voice((0..3_000).step_by(20).chain(silence), |at| Some(at + TRANSIT_MS + at % 150));
    let (summary, scene) = scene.play(5_300);
    let voice = summary.voices[0];
    assert_eq!((voice.slot, voice.packets, voice.lost, voice.gaps, voice.gap_ms), (1, 155, 0, 0, 0));
    assert_eq!(scene.steps.iter().map(|step| step.voices.first().map_or(0, |v| v.packets)).sum::<u64>(), 155);
    assert_eq!(summary.bytes.audio, 155 * (12 + STAMP_BYTES as u64 + 56 + 16));
}

#[test]
fn what_is_missing_of_a_voice_is_a_gap_as_long_as_it_lasts() {
    let mut scene = Scene::new(None);
    scene.voice((0..4_000).step_by(20), |at| (!(1_000..1_100).contains(&at) && at != 2_000).then_some(at + TRANSIT_MS));
    let (summary, scene) = scene.play(4_300);
    let voice = summary.voices[0];
    assert_eq!((voice.packets, voice.lost, voice.gaps, voice.gap_ms, voice.longest_gap_ms), (194, 6, 2, 120, 100));
    assert!((voice.lost_share - 0.03).abs() < 1e-9);
    // The packet of 1,000 ms is due at 1,220 ms.
    let gaps: Vec<_> = scene.steps.iter().map(|step| step.voices.first().map_or(0, |voice| voice.gap_ms)).collect();
    assert_eq!((gaps[11], gaps[12], gaps[13], gaps[22]), (0, 100, 0, 20));
}

#[test]
fn what_is_missing_of_a_voice_and_comes_with_the_next_packet_is_no_gap() {
    let mut scene = Scene::new(None);
    let ssrc = Slot::voice(1).unwrap().ssrc();
    for n in 0..200_u64 {
        // Every tenth is lost, and one more each time of the later ones.
        if n % 10 == 5 || (n > 100 && n % 10 == 6) {
            continue;
        }
        let head = 1 << 31 | u32::from(ids::OPUS) << 24 | 960 << 10 | 3;
        let payload = [&head.to_be_bytes()[..], &[ids::OPUS, 1, 2, 3, 4, 5, 6]].concat();
        let mut packet = rtp(ssrc, n as u16, (n * 960) as u32, false, &payload);
        packet[1] = ids::RED;
        scene.arrive(BEGIN + (n * 20 + TRANSIT_MS) * MS, packet);
    }
    let (summary, _) = scene.play(4_300);
    let voice = summary.voices[0];
    assert_eq!((voice.packets, voice.lost, voice.gaps, voice.gap_ms, summary.damaged), (190, 10, 10, 200, 0));
}

#[test]
fn a_voice_held_up_longer_than_the_buffer_is_a_gap_once() {
    let mut scene = Scene::new(None);
    scene.voice((0..4_000).step_by(20), |at| {
        Some(if (1_000..2_000).contains(&at) { 2_000 + TRANSIT_MS } else { at + TRANSIT_MS })
    });
    let (summary, _) = scene.play(4_300);
    let voice = summary.voices[0];
    // The first one is 1,000 ms late, of which the buffer takes 200.
    assert_eq!((voice.lost, voice.gaps, voice.gap_ms), (0, 1, 800));
}

#[test]
fn a_line_that_was_down_but_for_one_packet_in_its_queue_is_a_gap_as_long_as_that() {
    let mut scene = Scene::new(None);
    scene.voice((0..4_000).step_by(20), |at| match at {
        1_000 => Some(2_000),
        1_020..2_000 => None,
        _ => Some(at + TRANSIT_MS),
    });
    let (summary, _) = scene.play(4_300);
    let voice = summary.voices[0];
    assert_eq!(voice.lost, 49);
    // From 1,000 ms to 2,000 ms: first silence, then one packet.
    within(voice.gap_ms, 980, 20);
}
