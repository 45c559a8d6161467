//! One section, two codecs: each packet is received in the format of its own, also when it is sent again.

mod support;

use std::time::Duration;

use dais_media::rtp::Header;
use dais_media::{Codec, Counters, DropReason, MediaPlane, Slot, Tally, rtcp};
use support::{CAMERA, Peer, connect, on_stage, send, until_counted};

const VP8: u8 = 96;
const VP8_RTX: u8 = 97;
const H264: u8 = 102;
const H264_RTX: u8 = 103;

const VP8_KEY: &[u8] = &[0x10, 0x00, 0, 0];
const VP8_DELTA: &[u8] = &[0x10, 0x01, 0, 0];
const PARAMETER_SETS: &[u8] = &[0x78, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 3, 0x68, 0xce, 0x3c];
const IDR: &[u8] = &[0x65, 0x88, 0x84];

/// A room of H.264 with a camera in its first slot.
struct World {
    plane: MediaPlane,
    camera: Peer,
    seq: u64,
}

impl World {
    fn new() -> Self {
        let formats = [VP8, VP8_RTX, H264, H264_RTX];
        let (plane, camera) = on_stage(Codec::H264, &formats, &[Slot::camera(0).unwrap()]);
        Self { plane, camera, seq: 0 }
    }

    fn viewer(&self, participant: u32, formats: &[u8]) -> Peer {
        let viewer = connect(&self.plane, participant, false, (Codec::H264, formats));
        viewer.socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        viewer
    }

    fn send(&mut self, payload_type: u8, payload: &[u8]) {
        self.seq += 1;
        send(&mut self.camera, CAMERA, payload_type, self.seq, payload, false);
    }

    /// Waits until the workers have counted it.
    fn until(&self, what: &str, is_so: impl Fn(&Counters) -> bool) {
        until_counted(&self.plane, what, is_so);
    }
}

/// Payload type, sequence number and payload of the next packet of the camera, if one comes.
fn next(viewer: &mut Peer) -> Option<(u8, u16, Vec<u8>)> {
    let mut buf = [0; 2048];
    while let Ok(len) = viewer.socket.recv(&mut buf) {
        if buf[0] < 128 || rtcp::is_rtcp(&buf[..len]) {
            continue;
        }
        let header = Header::parse(&buf[..len]).unwrap();
        let len = viewer.keys.receiver.unprotect_rtp(&mut buf[..len], &header).unwrap();
        let payload = header.payload_len(&buf[..len]).unwrap();
        return Some((header.payload_type, header.seq, buf[header.len..header.len + payload].to_vec()));
    }
    None
}

fn ask_again(viewer: &mut Peer, seq: u16) {
    let mut packet = rtcp::nack(Slot::camera(0).unwrap().ssrc(), &[seq]);
    viewer.keys.sender.protect_rtcp(&mut packet);
    viewer.socket.send(&packet).unwrap();
}

#[test]
fn the_payload_type_follows_the_codec_of_each_packet_also_when_it_is_sent_again() {
    let mut world = World::new();
    let mut viewer = world.viewer(2, &[VP8, VP8_RTX, H264, H264_RTX]);
    world.send(H264, PARAMETER_SETS);
    let (payload_type, first, payload) = next(&mut viewer).unwrap();
    assert_eq!((payload_type, payload.as_slice()), (H264, PARAMETER_SETS));
    world.send(VP8, VP8_KEY);
    let (payload_type, second, payload) = next(&mut viewer).unwrap();
    assert_eq!((payload_type, second, payload.as_slice()), (VP8, first.wrapping_add(1), VP8_KEY));

    for (seq, rtx, original) in [(second, VP8_RTX, VP8_KEY), (first, H264_RTX, PARAMETER_SETS)] {
        ask_again(&mut viewer, seq);
        let (payload_type, _, payload) = next(&mut viewer).unwrap();
        assert_eq!(payload_type, rtx);
        assert_eq!(payload, [&seq.to_be_bytes(), original].concat(), "RFC 4588 §4");
    }
}

#[test]
fn without_a_stream_for_retransmissions_a_packet_is_sent_again_as_it_was() {
    let mut world = World::new();
    let mut viewer = world.viewer(2, &[VP8, H264]);
    for (payload_type, payload) in [(H264, PARAMETER_SETS), (VP8, VP8_KEY)] {
        world.send(payload_type, payload);
        let sent = next(&mut viewer).unwrap();
        assert_eq!(sent.0, payload_type);
        ask_again(&mut viewer, sent.1);
        let mut buf = [0; 2048];
        let len = viewer.socket.recv(&mut buf).unwrap();
        let header = Header::parse(&buf[..len]).unwrap();
        assert_eq!((header.payload_type, header.seq), (payload_type, sent.1), "its receiver knows it already");
    }
}

#[test]
fn packets_a_viewer_has_no_format_for_are_counted_and_leave_no_gap() {
    let mut world = World::new();
    let mut viewer = world.viewer(2, &[VP8, VP8_RTX]);
    world.send(VP8, VP8_KEY);
    let (_, first, _) = next(&mut viewer).unwrap();
    world.send(H264, PARAMETER_SETS);
    world.send(H264, IDR);
    world.until("both are counted", |counters| counters.done(Tally::Undecodable) == 2);
    world.send(VP8, VP8_DELTA);
    assert_eq!(next(&mut viewer), None, "it hangs on what was not sent");
    world.send(VP8, VP8_KEY);
    let (payload_type, second, payload) = next(&mut viewer).unwrap();
    assert_eq!((payload_type, second, payload.as_slice()), (VP8, first.wrapping_add(1), VP8_KEY));
}

#[test]
fn who_comes_late_begins_with_the_parameter_sets() {
    let mut world = World::new();
    world.send(H264, PARAMETER_SETS);
    world.send(H264, IDR);
    // Who is there when they are read has them too.
    world.until("both have come", |counters| counters.done(Tally::PacketsIn) == 2);
    let mut viewer = world.viewer(2, &[H264, H264_RTX]);
    world.send(H264, IDR);
    assert_eq!(next(&mut viewer), None, "a picture without its parameter sets");
    world.send(H264, PARAMETER_SETS);
    world.send(H264, IDR);
    assert_eq!(next(&mut viewer).unwrap().2, PARAMETER_SETS);
    assert_eq!(next(&mut viewer).unwrap().2, IDR);
}

#[test]
fn a_payload_that_is_not_of_its_codec_is_dropped_and_counted() {
    let mut world = World::new();
    let mut viewer = world.viewer(2, &[VP8, H264]);
    world.send(H264, &[0x7f, 1, 2]);
    world.until("it is counted", |counters| counters.dropped(DropReason::PayloadMalformed) == 1);
    world.send(H264, PARAMETER_SETS);
    assert_eq!(next(&mut viewer).unwrap().2, PARAMETER_SETS);
}
