//! What one viewer is sent of one slot, and under which numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::codec::{Descriptor, PictureId, Temporal};
use crate::ids::ConnectionId;
use crate::thinning::Thinning;

fn video(layer: u8, seq: u64, timestamp: u32, key: bool) -> Packet {
    let picture_id = Some(PictureId { at: 2, wide: true, value: (seq % 0x8000) as u16 });
    let tl0_pic_idx = Some((4, seq as u8));
    let descriptor = Descriptor { starts_key_frame: key, picture_id, tl0_pic_idx, ..Descriptor::default() };
    let mut packet = Packet::default();
    (packet.stream, packet.layer) = (stream(layer), Layer(layer));
    (packet.seq, packet.timestamp, packet.descriptor) = (seq, timestamp, descriptor);
    packet
}

const ALL: Option<Quality> = Some(Quality { layer: Layer(2), frames: Frames::All });

fn all_of(layer: u8) -> Option<Quality> {
    Some(Quality::all_of(Layer(layer)))
}

fn half_of(layer: u8) -> Option<Quality> {
    Some(Quality { layer: Layer(layer), frames: Frames::Half })
}

fn stream(n: u8) -> StreamId {
    StreamId::of(ConnectionId(1), u16::from(n))
}

fn sender() -> SlotSender {
    SlotSender::new(Slot::camera(3).unwrap(), 65_530)
}

#[test]
fn a_new_occupant_waits_for_its_key_frame_and_then_continues_all_numbers() {
    let (mut sender, start) = (sender(), Instant::now());
    let (a, b) = (Generation(1), Generation(2));
    assert!(sender.forward(a, &video(0, 99, 500, false), ALL, start).is_none());
    assert!(sender.awaits_key_frame(a, &video(0, 99, 500, false), ALL));
    let first = sender.forward(a, &video(0, 100, 3_500, true), ALL, start).unwrap();
    assert_eq!((first.seq, first.timestamp), (65_530, 3_500));
    let second = sender.forward(a, &video(0, 101, 6_500, false), ALL, start).unwrap();
    assert_eq!((second.seq, second.timestamp), (65_531, 6_500));

    let later = start + Duration::from_millis(100);
    assert!(sender.forward(b, &video(0, 7, 40, false), ALL, later).is_none());
    let next = sender.forward(b, &video(0, 8, 90, true), ALL, later).unwrap();
    assert_eq!((next.seq, next.timestamp), (65_532, 6_500 + 9_000));
    assert_eq!(next.shift.applied(&video(0, 8, 0, true).descriptor), LastSent { picture_id: 102, tl0_pic_idx: 102 });
    assert!(sender.forward(a, &video(0, 102, 9_500, false), ALL, later).is_none(), "the old occupant is over");
}

#[test]
fn a_late_packet_keeps_its_place_but_not_before_the_key_frame() {
    let (mut sender, now) = (sender(), Instant::now());
    let generation = Generation(1);
    sender.forward(generation, &video(0, 100, 0, true), ALL, now).unwrap();
    sender.forward(generation, &video(0, 103, 0, false), ALL, now).unwrap();
    assert_eq!(sender.forward(generation, &video(0, 101, 0, false), ALL, now).unwrap().seq, 65_531);
    assert!(sender.forward(generation, &video(0, 99, 0, false), ALL, now).is_none());
    assert_eq!(sender.forward(generation, &video(0, 104, 0, false), ALL, now).unwrap().seq, 65_534);
}

#[test]
fn a_lost_number_leads_back_to_the_packet_of_the_layer_that_is_sent_over_the_wrap() {
    let (mut sender, now) = (sender(), Instant::now());
    let generation = Generation(1);
    for seq in 100..110 {
        sender.forward(generation, &video(0, seq, 0, seq == 100), ALL, now).unwrap();
    }
    for seq in 5_000..5_010 {
        sender.forward(generation, &video(1, seq, 0, seq == 5_000), ALL, now).unwrap();
    }
    let sent = |wire: u64| sender.sent_as(generation, wire as u16).map(|known| (known.stream, known.seq));
    assert_eq!(sent(65_539), None, "a key frame has come since");
    assert_eq!(sent(65_540), Some((stream(1), 5_000)));
    assert_eq!(sent(65_549), Some((stream(1), 5_009)));
    assert_eq!(sent(65_550), None, "not sent yet");
    assert_eq!(sent(65_529), None, "before the first");
    assert!(sender.sent_as(Generation(2), 65_535).is_none(), "another occupant's packets are never resent");
}

/// Somebody who connects anew, or changes the SSRC, starts numbering wherever they like.
#[test]
fn another_stream_of_the_same_occupant_continues_the_numbers_after_a_key_frame() {
    let (mut sender, now) = (sender(), Instant::now());
    let generation = Generation(1);
    sender.forward(generation, &video(0, 70_000, 0, true), ALL, now).unwrap();
    assert!(!sender.awaits_key_frame(generation, &video(0, 70_001, 0, false), ALL));
    assert!(sender.awaits_key_frame(generation, &video(1, 90, 0, false), ALL));
    assert!(sender.forward(generation, &video(1, 90, 0, false), ALL, now).is_none());
    assert_eq!(sender.forward(generation, &video(1, 91, 0, true), ALL, now).unwrap().seq, 65_531);
}

#[test]
fn audio_needs_no_key_frame() {
    let mut sender = SlotSender::new(Slot::voice(0).unwrap(), 7);
    assert!(!sender.awaits_key_frame(Generation(1), &video(0, 1, 0, false), ALL));
    assert!(sender.forward(Generation(1), &video(0, 1, 0, false), ALL, Instant::now()).is_some());
}

/// What is sent of packets of layers, each a key frame or not, to somebody who is to get `target`.
fn sent(sender: &mut SlotSender, target: Option<u8>, packets: &[(u8, u64, bool)]) -> Vec<u64> {
    let (target, now) = (target.and_then(all_of), Instant::now());
    let numbers = |packet: &(u8, u64, bool)| {
        let (layer, seq, key) = *packet;
        let sent = sender.forward(Generation(1), &video(layer, seq, 0, key), target, now)?;
        Some(sent.seq - 65_530)
    };
    packets.iter().filter_map(numbers).collect()
}

#[test]
fn a_higher_layer_takes_over_at_its_key_frame_without_a_gap() {
    let mut sender = sender();
    assert_eq!(sent(&mut sender, Some(0), &[(0, 10, true), (0, 11, false), (2, 70, true)]), [0, 1]);
    let target = all_of(2);
    assert!(sender.awaits_key_frame(Generation(1), &video(2, 71, 0, false), target));
    assert!(!sender.awaits_key_frame(Generation(1), &video(0, 12, 0, false), target));
    assert_eq!(sent(&mut sender, Some(2), &[(0, 12, false), (2, 71, false), (2, 72, true), (0, 13, false)]), [2, 3]);
    assert_eq!(sender.layer(Generation(1)), Some(Layer(2)));
}

#[test]
fn the_first_picture_is_any_layer_up_to_the_target_and_what_is_closer_replaces_it() {
    let mut sender = sender();
    let packets = [(2, 1, true), (0, 1, true), (1, 1, true), (0, 2, true), (1, 2, false)];
    assert_eq!(sent(&mut sender, Some(1), &packets), [0, 1, 2]);
    assert_eq!(sender.layer(Generation(1)), Some(Layer(1)));
}

#[test]
fn a_lower_layer_takes_over_at_its_key_frame() {
    let mut sender = sender();
    sent(&mut sender, Some(2), &[(2, 1, true)]);
    assert!(sender.awaits_key_frame(Generation(1), &video(0, 7, 0, false), all_of(0)));
    let packets = [(2, 2, false), (0, 7, false), (1, 7, true), (2, 3, true), (0, 8, true), (1, 8, false)];
    assert_eq!(sent(&mut sender, Some(0), &packets), [1, 2, 3], "by way of the middle");
    assert_eq!(sender.layer(Generation(1)), Some(Layer(0)));
}

#[test]
fn a_picture_that_was_paused_goes_on_with_a_key_frame_and_the_next_number() {
    let mut sender = sender();
    sent(&mut sender, Some(0), &[(0, 1, true), (0, 2, false)]);
    sender.pause();
    assert_eq!(sent(&mut sender, None, &[(0, 3, false)]), [0u64; 0]);
    assert_eq!(sender.layer(Generation(1)), None);
    assert!(sender.awaits_key_frame(Generation(1), &video(0, 9, 0, false), all_of(0)));
    assert_eq!(sent(&mut sender, Some(0), &[(0, 9, false), (0, 10, true), (0, 11, false)]), [2, 3]);
    let lost = |wire: u64| sender.sent_as(Generation(1), wire as u16).map(|known| known.seq);
    assert_eq!([65_531, 65_532, 65_533].map(lost), [None, Some(10), Some(11)]);
}

/// A camera with three temporal layers as Chromium makes them: 0 2 1 2, and in every second round the upper ones need the
/// base alone. Frames have two packets, of which the marker is on the second.
#[derive(Default)]
struct Camera {
    thinning: Thinning,
}

impl Camera {
    const FIRST: u64 = 1_000;

    /// Packet `seq`, as it comes now.
    fn packet(&mut self, seq: u64) -> Packet {
        let (frame, begins_frame) = ((seq - Self::FIRST) / 2, (seq - Self::FIRST).is_multiple_of(2));
        let layer = [0, 2, 1, 2][frame as usize % 4];
        let syncs = [1, 2].contains(&(frame % 8));
        let mut packet = video(0, seq, 3_000 * frame as u32, frame == 0 && begins_frame);
        packet.marker = !begins_frame;
        packet.descriptor.picture_id = Some(PictureId { at: 2, wide: true, value: 700 + frame as u16 });
        packet.descriptor.tl0_pic_idx = Some((4, (frame / 4) as u8));
        packet.descriptor.temporal = Temporal { layer, syncs, begins_frame };
        packet.thinned = self.thinning.place(seq, packet.descriptor.temporal);
        packet
    }
}

/// What is sent of `frames` to somebody who is to get what `target` says of each frame: sequence number, picture id and
/// temporal layer of each packet.
fn sent_frames(frames: u64, target: impl Fn(u64) -> Option<Quality>) -> Vec<(u64, u16, u8)> {
    let (mut sender, mut camera) = (sender(), Camera::default());
    let packets = (0..2 * frames).filter_map(|n| {
        let packet = camera.packet(Camera::FIRST + n);
        let numbers = sender.forward(Generation(1), &packet, target(n / 2), Instant::now())?;
        let picture = numbers.shift.applied(&packet.descriptor).picture_id;
        Some((numbers.seq - 65_530, picture - 700, packet.descriptor.temporal.layer))
    });
    packets.collect()
}

/// Each frame of these temporal layers, without a gap in any number.
fn without_gaps(layers: &[u8]) -> Vec<(u64, u16, u8)> {
    let packets =
        layers.iter().enumerate().flat_map(|(n, layer)| [(2 * n as u64, n, *layer), (2 * n as u64 + 1, n, *layer)]);
    packets.map(|(seq, picture, layer)| (seq, picture as u16, layer)).collect()
}

#[test]
fn half_of_the_frames_are_those_nothing_else_needs_and_leave_no_gap() {
    assert_eq!(sent_frames(8, |_| half_of(0)), without_gaps(&[0, 1, 0, 1]));
    assert_eq!(sent_frames(8, |_| all_of(0)), without_gaps(&[0, 2, 1, 2, 0, 2, 1, 2]));
}

#[test]
fn frames_are_left_out_at_once_and_come_back_with_one_that_needs_none_of_them() {
    let target = |frame: u64| if (5..12).contains(&frame) { half_of(0) } else { all_of(0) };
    let expected = without_gaps(&[0, 2, 1, 2, 0, 2, 1, 0, 1, 0, 1, 0, 2, 1, 2, 0, 2]);
    assert_eq!(sent_frames(22, target), expected, "5 had begun; 13 and 15 need those before them, 17 does not");
}

#[test]
fn who_is_to_get_a_smaller_layer_has_half_of_the_frames_until_its_key_frame() {
    let (mut sender, mut camera, now) = (sender(), Camera::default(), Instant::now());
    let mut forward =
        |packet: &Packet, target| sender.forward(Generation(1), packet, target, now).map(|n| n.seq - 65_530);
    let larger = |seq| {
        let mut packet = camera.packet(seq);
        (packet.layer, packet.stream) = (Layer(2), stream(2));
        packet
    };
    let packets: Vec<_> = (Camera::FIRST..Camera::FIRST + 16).map(larger).collect();
    let sent: Vec<_> =
        packets.iter().map(|packet| forward(packet, if packet.seq < 1_008 { all_of(2) } else { all_of(0) })).collect();
    assert_eq!(sent[..8], [0, 1, 2, 3, 4, 5, 6, 7].map(Some));
    assert_eq!(sent[8..], [Some(8), Some(9), None, None, Some(10), Some(11), None, None]);
    assert_eq!(forward(&video(0, 7, 0, true), all_of(0)), Some(12));
}

/// What is sent of packets of one camera, in the order in which they come; half of the frames from packet `from` on.
fn sent_half_from(sender: &mut SlotSender, from: u64, seqs: &[u64]) -> Vec<Option<u64>> {
    let mut camera = Camera::default();
    let numbers = |seq: &u64| {
        let target = if *seq < from { all_of(0) } else { half_of(0) };
        let numbers = sender.forward(Generation(1), &camera.packet(Camera::FIRST + seq), target, Instant::now());
        numbers.map(|numbers| numbers.seq - 65_530)
    };
    seqs.iter().map(numbers).collect()
}

#[test]
fn what_was_missing_when_frames_were_left_out_keeps_its_number_and_can_be_asked_for() {
    let mut sender = sender();
    let seqs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 9, 14, 15, 16];
    let sent = sent_half_from(&mut sender, 10, &seqs);
    let expected = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 9].map(Some).into_iter().chain([None, None, Some(14)]);
    assert_eq!(sent, expected.collect::<Vec<_>>());
    let known = |out: u64| sender.sent_as(Generation(1), (65_530 + out) as u16).map(|known| (known.frames, known.seq));
    assert_eq!(known(9), Some((Frames::All, Camera::FIRST + 9)));
    assert_eq!(known(11), Some((Frames::All, Camera::FIRST + 11)), "it may come yet");
    // The four packets before it that are left out had been sent, all but the last two.
    assert_eq!(known(14), Some((Frames::Half, Camera::FIRST + 16 - 6)));
}

#[test]
fn frames_are_left_out_from_the_beginning_of_one_on() {
    let seqs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18];
    let sent = sent_half_from(&mut sender(), 10, &seqs);
    assert_eq!(sent[11..], [Some(11), Some(13), Some(14), Some(15), Some(16), Some(17), None]);
}

proptest! {
    /// The number is the nonce of SRTP: no two packets may ever have the same, whatever is lost, late, or asked for.
    #[test]
    fn numbers_are_never_given_twice_and_keep_their_order_over_losses_and_changes(
        late in prop::collection::vec(prop::option::weighted(0.2, 1_usize..60), 240),
        changes in prop::collection::vec(any::<bool>(), 24),
    ) {
        let (mut sender, mut camera) = (sender(), Camera::default());
        // By when they come: those that are late come so many packets later.
        let mut order: Vec<_> = late.iter().enumerate().map(|(n, late)| (n + if n == 0 { 0 } else { late.unwrap_or(0) }, n)).collect();
        order.sort();
        let mut sent = BTreeMap::new();
        for (at, n) in order {
            let packet = camera.packet(Camera::FIRST + n as u64);
            let target = if *changes.get(at / 10).unwrap_or(&true) { all_of(0) } else { half_of(0) };
            let Some(numbers) = sender.forward(Generation(1), &packet, target, Instant::now()) else { continue };
            let before = sent.insert(numbers.seq, packet.clone());
            prop_assert!(before.is_none(), "{} twice", numbers.seq);
            prop_assert_eq!(sender.resend(Generation(1), &packet), Some(numbers));
            let known = sender.sent_as(Generation(1), numbers.seq as u16);
            // Segments of long ago are forgotten.
            prop_assert!(known.is_some() || sent.last_key_value().is_some_and(|(newest, _)| *newest > numbers.seq));
            if let Some(known) = known {
                prop_assert_eq!(known.sent, numbers.seq);
                prop_assert_eq!(packet.seq_with(known.frames), Some(known.seq));
            }
        }
        let of_source: Vec<_> = sent.values().map(|packet| packet.seq).collect();
        prop_assert!(of_source.is_sorted());
    }

    /// The same where the publisher says of its frames whatever it likes, and the viewer looks away now and then.
    #[test]
    fn numbers_are_never_given_twice_whatever_is_said_of_frames(
        packets in prop::collection::vec(
            (prop::option::weighted(0.2, 1_usize..200), 0_u8..4, any::<bool>(), any::<bool>(), prop::bool::weighted(0.03)),
            400,
        ),
        targets in prop::collection::vec(prop_oneof![Just(all_of(0)), Just(half_of(0)), Just(None)], 60),
    ) {
        let (mut sender, mut thinning) = (sender(), Thinning::default());
        let mut order: Vec<_> = packets.iter().enumerate().map(|(n, (late, ..))| (n + late.unwrap_or(0), n)).collect();
        order.sort();
        let mut sent = BTreeMap::new();
        for (at, n) in order {
            let (_, layer, syncs, begins_frame, key) = packets[n];
            let mut packet = video(0, 1_000 + n as u64, 0, n == 0 || key);
            packet.descriptor.temporal = Temporal { layer, syncs, begins_frame };
            packet.thinned = thinning.place(packet.seq, packet.descriptor.temporal);
            let target = targets[(at / 10).min(targets.len() - 1)];
            if target.is_none() {
                sender.pause();
            }
            let Some(numbers) = sender.forward(Generation(1), &packet, target, Instant::now()) else { continue };
            prop_assert_eq!(sent.insert(numbers.seq, packet.seq), None);
            prop_assert_eq!(sender.resend(Generation(1), &packet), Some(numbers));
        }
    }

    /// Of a camera with three layers, whatever the viewer is to get of them: nothing is missing, and pictures follow each other.
    #[test]
    fn there_is_no_gap_in_any_number_over_changes_of_layers_and_frames(
        keys in prop::collection::vec(prop::collection::vec(prop::bool::weighted(0.08), 3), 150),
        targets in prop::collection::vec((0_u8..3, any::<bool>(), 1_usize..12), 40),
    ) {
        let (mut sender, mut last) = (sender(), None::<(u64, u16)>);
        let mut thinnings: [Thinning; 3] = Default::default();
        let (mut seqs, mut since_key, mut pictures) = ([1_000_u64, 5_000, 9_000], [0_usize; 3], [7_u16, 300, 9_000]);
        let targets = targets.into_iter().flat_map(|(layer, half, frames)| vec![if half { half_of(layer) } else { all_of(layer) }; frames]);
        for (frame, (keys, target)) in keys.iter().zip(targets.cycle()).enumerate() {
            for layer in 0..3_u8 {
                let at = usize::from(layer);
                since_key[at] = if keys[at] || frame == 0 { 0 } else { since_key[at] + 1 };
                pictures[at] += 1;
                let tid = [0, 2, 1, 2][since_key[at] % 4];
                let syncs = [1, 2].contains(&(since_key[at] % 8));
                for begins_frame in [true, false] {
                    seqs[at] += 1;
                    let mut packet = video(layer, seqs[at], 3_000 * frame as u32, since_key[at] == 0 && begins_frame);
                    packet.descriptor.picture_id = Some(PictureId { at: 2, wide: true, value: pictures[at] });
                    packet.descriptor.temporal = Temporal { layer: tid, syncs, begins_frame };
                    packet.thinned = thinnings[at].place(packet.seq, packet.descriptor.temporal);
                    let Some(numbers) = sender.forward(Generation(1), &packet, target, Instant::now()) else { continue };
                    let picture = numbers.shift.applied(&packet.descriptor).picture_id;
                    if let Some((seq, before)) = last {
                        prop_assert_eq!(numbers.seq, seq + 1);
                        prop_assert!(picture == if begins_frame { before + 1 } else { before }, "picture {} after {}", picture, before);
                    }
                    last = Some((numbers.seq, picture));
                }
            }
        }
    }
}
