//! A camera paced as a browser paces it: frames of varying size, cut into packets of equal size, sent in bursts.

use std::collections::VecDeque;

use dais_media::Ssrc;

use crate::publish::{HeaderWriter, Outgoing, StreamReport, ids, ticks};
use crate::random::Random;
use crate::scenario::Publishers;
use crate::stamp::{STAMP_BYTES, Stamp};

/// Largest payload of a packet, descriptor included: what Chromium makes of an MTU of 1,200.
const PAYLOAD_BYTES_MAX: usize = 1_200;
/// Packets in one burst, and the time between bursts: the pacer of libwebrtc.
const BURST: usize = 4;
const BURST_NS: u64 = 5_000_000;
/// Frames are this much smaller or larger than the mean, and key frames so many times larger.
const SPREAD: f64 = 0.3;
const KEY_FRAME_FACTOR: f64 = 3.0;
/// Packets that carry mid and rid: browsers stop after the first few.
const MARKED_PACKETS: u64 = 20;
/// A harness this far behind leaves frames out instead of sending them all at once.
const BEHIND_NS: u64 = 1_000_000_000;
/// What a frame of each temporal layer takes of the mean, and in which order they come: as libwebrtc has them.
const TEMPORAL_SHARES: [&[f64]; 3] = [&[1.0], &[1.2, 0.8], &[1.6, 0.8, 0.8]];
const TEMPORAL_ORDERS: [&[u8]; 3] = [&[0], &[0, 1], &[0, 2, 1, 2]];
/// VP8 payload descriptor with a picture id of 15 bits and TL0PICIDX (RFC 7741 §4.2), and a byte of the frame's header.
const DESCRIPTOR_BYTES: usize = 7;
const CLOCK_RATE: u64 = 90_000;

/// Height class of the largest layer, lines: each smaller one has half as many, as browsers make them.
const HEIGHT: u16 = 720;

/// Names of simulcast layers, smallest first.
pub(crate) const RIDS: [&str; 3] = ["q", "h", "f"];

#[derive(Clone, Debug)]
struct Layer {
    ssrc: u32,
    /// Without simulcast there is none.
    rid: Option<&'static str>,
    /// Lines.
    height: u16,
    /// Mean bytes of a frame.
    frame_bytes: f64,
    seq: u64,
    picture: u16,
    /// Frames since the last key frame.
    since_key: usize,
    tl0_pic_idx: u8,
    wants_key_frame: bool,
    packets: u32,
    octets: u32,
}

/// A packet of a frame that waits for its burst.
#[derive(Clone, Copy, Debug)]
struct Piece {
    layer: u8,
    timestamp: u32,
    picture: u16,
    tl0_pic_idx: u8,
    /// Temporal layer.
    temporal: u8,
    /// It needs the base layer alone.
    syncs: bool,
    key: bool,
    first: bool,
    last: bool,
    len: u16,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Camera {
    layers: Vec<Layer>,
    temporal_layers: usize,
    frame_ns: u64,
    next_frame: u64,
    next_burst: u64,
    waiting: VecDeque<Piece>,
    began: u64,
    publisher: u32,
    random: Random,
}

impl Camera {
    /// The camera of each of `publishers`, with SSRCs from `ssrc` on.
    pub(crate) fn new(publishers: &Publishers, ssrc: u32, random: Random) -> Self {
        let Publishers { layers, temporal_layers, frames_per_second, .. } = publishers;
        let (frames_per_second, count) = (*frames_per_second, layers.len());
        let layers = layers.iter().zip(RIDS).enumerate().map(|(n, (bits, rid))| Layer {
            ssrc: ssrc + n as u32,
            rid: (count > 1).then_some(rid),
            height: HEIGHT >> (count - 1 - n),
            frame_bytes: f64::from(*bits) / 8.0 / f64::from(frames_per_second),
            seq: 1_000,
            picture: 1,
            since_key: 0,
            tl0_pic_idx: 0,
            wants_key_frame: true,
            packets: 0,
            octets: 0,
        });
        Self {
            layers: layers.collect(),
            temporal_layers: usize::from(*temporal_layers),
            frame_ns: 1_000_000_000 / u64::from(frames_per_second),
            next_frame: 0,
            next_burst: 0,
            waiting: VecDeque::new(),
            began: 0,
            publisher: 0,
            random,
        }
    }

    pub(crate) fn start(&mut self, now: u64, publisher: u32, random: &mut Random) {
        (self.began, self.publisher) = (now, publisher);
        self.next_frame = now + (random.unit() * self.frame_ns as f64) as u64;
    }

    /// Goes on after a pause.
    pub(crate) fn resume(&mut self, now: u64) {
        self.waiting.clear();
        self.next_frame = now;
        self.layers.iter_mut().for_each(|layer| layer.wants_key_frame = true);
    }

    pub(crate) fn want_key_frame(&mut self, ssrc: u32) {
        let layer = self.layers.iter_mut().find(|layer| layer.ssrc == ssrc);
        layer.into_iter().for_each(|layer| layer.wants_key_frame = true);
    }

    pub(crate) fn due(&self) -> u64 {
        if self.waiting.is_empty() { self.next_frame } else { self.next_frame.min(self.next_burst) }
    }

    pub(crate) fn poll(
        &mut self,
        now: u64,
        buf: &mut [u8],
        clock: fn() -> u64,
        number: &mut impl FnMut() -> Option<u16>,
        send: &mut impl FnMut(Outgoing<'_>),
    ) {
        if now > self.next_frame + BEHIND_NS {
            self.next_frame = now;
        }
        while self.next_frame <= now {
            if self.waiting.is_empty() {
                self.next_burst = self.next_burst.max(self.next_frame);
            }
            self.encode(self.next_frame);
            self.next_frame += self.frame_ns;
        }
        // A burst that comes late does not move those after it: a pacer pays its debt.
        while self.next_burst <= now && !self.waiting.is_empty() {
            self.next_burst += BURST_NS;
            for _ in 0..BURST {
                let Some(piece) = self.waiting.pop_front() else { break };
                self.send(piece, buf, clock, number(), send);
            }
        }
    }

    /// Makes a frame of each layer and cuts it into packets.
    fn encode(&mut self, at: u64) {
        let timestamp = ticks(at - self.began, CLOCK_RATE);
        let (order, shares) = (TEMPORAL_ORDERS[self.temporal_layers - 1], TEMPORAL_SHARES[self.temporal_layers - 1]);
        for (n, layer) in self.layers.iter_mut().enumerate() {
            let key = std::mem::take(&mut layer.wants_key_frame);
            layer.since_key = if key { 0 } else { layer.since_key + 1 };
            let temporal = order[layer.since_key % order.len()];
            // In every second round, as libwebrtc has it: the first frame of each upper layer after one of the base.
            let syncs = temporal > 0 && layer.since_key % (2 * order.len()) < shares.len();
            layer.tl0_pic_idx = layer.tl0_pic_idx.wrapping_add(u8::from(temporal == 0));
            let share = shares[usize::from(temporal)];
            let factor = if key { KEY_FRAME_FACTOR } else { share * self.random.between(1.0 - SPREAD, 1.0 + SPREAD) };
            let bytes = (layer.frame_bytes * factor) as usize;
            let pieces = bytes.div_ceil(PAYLOAD_BYTES_MAX).max(1);
            let picture = layer.picture;
            layer.picture = (picture + 1) & 0x7fff;
            for piece in 0..pieces {
                // The sizes of a frame's packets differ by a byte at most.
                let len = (bytes + piece) / pieces;
                self.waiting.push_back(Piece {
                    layer: n as u8,
                    timestamp,
                    picture,
                    tl0_pic_idx: layer.tl0_pic_idx,
                    temporal,
                    syncs,
                    key,
                    first: piece == 0,
                    last: piece + 1 == pieces,
                    len: len.max(DESCRIPTOR_BYTES + STAMP_BYTES) as u16,
                });
            }
        }
    }

    fn send(
        &mut self,
        piece: Piece,
        buf: &mut [u8],
        clock: fn() -> u64,
        number: Option<u16>,
        send: &mut impl FnMut(Outgoing<'_>),
    ) {
        let layer = &mut self.layers[usize::from(piece.layer)];
        layer.seq += 1;
        let (index, ssrc) = (layer.seq, layer.ssrc);
        let mut header = HeaderWriter::new(buf, ids::VP8, piece.last, index as u16, piece.timestamp, ssrc);
        if let Some(number) = number {
            header.extension(ids::TRANSPORT_CC, &number.to_be_bytes());
        }
        if u64::from(layer.packets) < MARKED_PACKETS {
            header.extension(ids::MID, ids::CAMERA_MID.as_bytes());
            if let Some(rid) = layer.rid {
                header.extension(ids::RID, rid.as_bytes());
            }
        }
        let header_len = header.finish();
        let len = header_len + usize::from(piece.len);
        let payload = &mut buf[header_len..len];
        let (descriptor, body) = payload.split_at_mut(DESCRIPTOR_BYTES);
        let picture = (0x8000 | piece.picture).to_be_bytes();
        // X and S; I, L and T; picture id; TL0PICIDX; TID and Y; and the inverse key frame flag of the frame's header.
        let start = if piece.first { 0x90 } else { 0x80 };
        descriptor.copy_from_slice(&[
            start,
            0xe0,
            picture[0],
            picture[1],
            piece.tl0_pic_idx,
            piece.temporal << 6 | u8::from(piece.syncs) << 5,
            u8::from(!piece.key),
        ]);
        let (publisher, number) = (self.publisher, index as u32);
        Stamp { publisher, number, sent_ns: clock(), layer: piece.layer, height: layer.height }.write(body);
        layer.packets = layer.packets.wrapping_add(1);
        layer.octets = layer.octets.wrapping_add(u32::from(piece.len));
        send(Outgoing { buf, header_len, len, ssrc: Ssrc(ssrc), index });
    }

    pub(crate) fn reports(&self, now: u64, mut each: impl FnMut(StreamReport)) {
        let rtp = ticks(now - self.began, CLOCK_RATE);
        for layer in self.layers.iter().filter(|layer| layer.packets > 0) {
            each(StreamReport { ssrc: layer.ssrc, rtp, packets: layer.packets, octets: layer.octets });
        }
    }
}

/// Where the stamp stands in the payload of a camera's packet.
pub(crate) const STAMP_AT: usize = DESCRIPTOR_BYTES;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dais_media::codec::{Codec, Descriptor};
    use dais_media::rtp::Header;

    use super::*;

    const MS: u64 = 1_000_000;

    struct Sent {
        at: u64,
        header: Header,
        descriptor: Descriptor,
        payload: Vec<u8>,
    }

    /// What a camera sends from one second on for `ms`; at `key_at` it is asked for a key frame.
    fn play(layers: &[u32], ms: u64, key_at: Option<u64>) -> Vec<Sent> {
        play_of(&of(layers), ms, key_at)
    }

    fn of(layers: &[u32]) -> Publishers {
        Publishers { layers: layers.to_vec(), ..Publishers::default() }
    }

    fn play_of(publishers: &Publishers, ms: u64, mut key_at: Option<u64>) -> Vec<Sent> {
        let mut camera = Camera::new(publishers, 5_000, Random::new(3));
        let (mut sent, mut buf) = (Vec::new(), [0; 2_048]);
        camera.start(1_000 * MS, 9, &mut Random::new(4));
        let mut now = camera.due();
        while now < (1_000 + ms) * MS {
            if key_at.is_some_and(|key_at| key_at <= now / MS) {
                key_at = None;
                camera.want_key_frame(5_000);
            }
            let mut counted = 0;
            camera.poll(now, &mut buf, || 42, &mut || Some(7), &mut |outgoing| {
                counted += 1;
                let header = Header::parse(&outgoing.buf[..outgoing.len]).unwrap();
                let payload = outgoing.buf[outgoing.header_len..outgoing.len].to_vec();
                let descriptor = Descriptor::parse(Codec::Vp8, &payload).unwrap();
                sent.push(Sent { at: now, header, descriptor, payload });
            });
            assert!(counted <= BURST);
            now = camera.due().max(now + 1);
        }
        sent
    }

    #[test]
    fn the_mean_is_the_bit_rate() {
        let bytes: usize = play(&[2_500_000], 20_000, None).iter().map(|sent| sent.payload.len()).sum();
        let bits_per_second = bytes as f64 * 8.0 / 20.0;
        assert!((bits_per_second / 2_500_000.0 - 1.0).abs() < 0.03, "{bits_per_second}");
    }

    #[test]
    fn temporal_layers_come_in_the_order_and_with_the_shares_of_libwebrtc() {
        for (temporal_layers, expected) in [(1, [1.0, 0.0, 0.0]), (2, [0.6, 0.4, 0.0]), (3, [0.4, 0.2, 0.4])] {
            let sent = play_of(&Publishers { temporal_layers, ..of(&[2_500_000]) }, 20_000, None);
            let mut bytes = [0.0; 3];
            // Frames from the first on, which is a key frame.
            let mut frames: Vec<(u32, Descriptor)> = Vec::new();
            for Sent { header, descriptor, payload, .. } in &sent {
                bytes[usize::from(descriptor.temporal.layer)] += payload.len() as f64;
                if frames.last().is_none_or(|(timestamp, _)| *timestamp != header.timestamp) {
                    frames.push((header.timestamp, *descriptor));
                }
            }
            let all: f64 = bytes.iter().sum();
            for (bytes, expected) in bytes.into_iter().zip(expected) {
                assert!(
                    (bytes / all - expected).abs() < 0.03,
                    "{temporal_layers}: {} in place of {expected}",
                    bytes / all
                );
            }
            let temporal: Vec<_> = frames.iter().map(|(_, descriptor)| descriptor.temporal).take(10).collect();
            let layers: Vec<_> = temporal.iter().map(|temporal| temporal.layer).collect();
            let syncs: Vec<_> = temporal.iter().map(|temporal| temporal.syncs).collect();
            let sync_at = |places: &[usize]| (0..10).map(|n| places.contains(&n)).collect::<Vec<_>>();
            match temporal_layers {
                1 => assert_eq!((layers, syncs), (vec![0; 10], sync_at(&[]))),
                2 => assert_eq!((layers, syncs), (vec![0, 1, 0, 1, 0, 1, 0, 1, 0, 1], sync_at(&[1, 5, 9]))),
                _ => assert_eq!((layers, syncs), (vec![0, 2, 1, 2, 0, 2, 1, 2, 0, 2], sync_at(&[1, 2, 9]))),
            }
            let tl0: Vec<_> = frames.iter().filter_map(|(_, d)| Some((d.temporal.layer, d.tl0_pic_idx?.1))).collect();
            let follows = |pair: &[(u8, u8)]| pair[1].1 == pair[0].1.wrapping_add(u8::from(pair[1].0 == 0));
            assert!(tl0.windows(2).all(follows));
        }
    }

    #[test]
    fn a_frame_is_cut_into_packets_of_equal_size_in_bursts_of_four_every_five_ms() {
        let sent = play(&[2_500_000], 1_000, None);
        let mut frames: BTreeMap<u32, Vec<&Sent>> = BTreeMap::new();
        sent.iter().for_each(|sent| frames.entry(sent.header.timestamp).or_default().push(sent));
        assert_eq!(frames.len(), 30);
        for packets in frames.values() {
            let sizes = packets.iter().map(|sent| sent.payload.len());
            assert!(sizes.clone().max().unwrap() - sizes.clone().min().unwrap() <= 1);
            assert!(sizes.clone().max().unwrap() <= PAYLOAD_BYTES_MAX);
            let markers = packets.iter().map(|sent| sent.header.marker);
            assert!(markers.rev().enumerate().all(|(n, marker)| marker == (n == 0)));
        }
        for pair in sent.windows(BURST + 1) {
            assert!(pair[BURST].at - pair[0].at >= BURST_NS);
        }
    }

    #[test]
    fn the_first_frame_is_a_key_frame_and_so_is_the_next_one_after_a_request() {
        let sent = play(&[300_000], 1_000, Some(1_500));
        let keys: Vec<_> = sent.iter().filter(|sent| sent.descriptor.starts_key_frame).map(|sent| sent.at).collect();
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0], sent[0].at);
        assert!((1_500 * MS..1_540 * MS).contains(&keys[1]), "{}", keys[1]);
        let stamps = sent.iter().map(|sent| Stamp::read(&sent.payload[STAMP_AT..]).unwrap());
        assert!(stamps.into_iter().all(|stamp| (stamp.publisher, stamp.sent_ns) == (9, 42)));
    }

    #[test]
    fn layers_are_told_apart_by_rid_on_their_first_packets_by_ssrc_and_by_stamp() {
        let mut camera = Camera::new(&of(&[150_000, 450_000]), 5_000, Random::new(3));
        camera.start(0, 1, &mut Random::new(4));
        let (mut buf, mut rids, mut heights) = ([0; 2_048], BTreeMap::new(), BTreeMap::new());
        for now in (0..3_000).map(|ms| ms * MS) {
            camera.poll(now, &mut buf, || 0, &mut || None, &mut |outgoing| {
                let header = Header::parse(&outgoing.buf[..outgoing.len]).unwrap();
                let rid = header.extensions(outgoing.buf).find(|(id, _)| *id == ids::RID);
                let rid = rid.map(|(_, data)| String::from_utf8_lossy(data).into_owned());
                *rids.entry((header.ssrc.0, rid)).or_insert(0) += 1;
                let stamp = Stamp::read(&outgoing.buf[outgoing.header_len + STAMP_AT..outgoing.len]).unwrap();
                heights.insert(header.ssrc.0, (stamp.layer, stamp.height));
            });
        }
        assert_eq!(rids[&(5_000, Some("q".to_owned()))], MARKED_PACKETS);
        assert_eq!(rids[&(5_001, Some("h".to_owned()))], MARKED_PACKETS);
        assert_eq!((heights[&5_000], heights[&5_001]), ((0, 360), (1, 720)));
        assert!(rids[&(5_000, None)] >= 70 && rids[&(5_001, None)] >= 70);
    }

    #[test]
    fn a_burst_that_comes_late_does_not_move_those_after_it() {
        let mut camera = Camera::new(&of(&[2_500_000]), 5_000, Random::new(3));
        camera.start(0, 1, &mut Random::new(4));
        let (start, mut buf) = (camera.due(), [0; 2_048]);
        // The first frame is a key frame of more than 20 packets: bursts after 0, 5, 10, 15 and 20 ms.
        let sent = [0, 12, 15, 19, 20].map(|ms| {
            let mut count = 0;
            camera.poll(start + ms * MS, &mut buf, || 0, &mut || None, &mut |_| count += 1);
            count
        });
        assert_eq!(sent, [4, 8, 4, 0, 4]);
    }

    #[test]
    fn a_harness_far_behind_leaves_frames_out() {
        let mut camera = Camera::new(&of(&[150_000]), 5_000, Random::new(3));
        camera.start(0, 1, &mut Random::new(4));
        let (mut buf, mut count) = ([0; 2_048], 0);
        for burst in 0..100 {
            camera.poll(60_000 * MS + burst * BURST_NS, &mut buf, || 0, &mut || None, &mut |_| count += 1);
        }
        assert!((15..25).contains(&count), "half a second of frames: {count}");
    }
}
