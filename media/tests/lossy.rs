//! Lines that lose packets: what a publisher repeats fills the gaps, and who loses packets is sent everything twice.

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dais_media::rtp::Header;
use dais_media::{
    Codec, Counters, DropReason, FeedbackRecorder, MediaKind, MediaPlane, ParticipantId, RoomChange, Slot, Tally, Wish,
    Wishes, red, rtcp,
};
use support::{
    CAMERA, MIC, OPUS, Peer, RED, ROOM, block_on, connect, connect_over, connect_with, offer, on_stage, send,
    until_counted,
};

const VP8: u8 = 96;
const VP8_RTX: u8 = 97;
/// Id of the transport-wide sequence number.
const TRANSPORT_CC: u8 = 3;
/// Datagrams of the handshake that come from the server before the client has answered.
const LOST: usize = 2;
const KEY_FRAME: &[u8] = &[0x10, 0x00, 0, 0];
/// Ticks between the packets that [`send`] makes.
const TICKS: u32 = 3_000;

/// A room with somebody on stage.
struct World {
    plane: MediaPlane,
    publisher: Peer,
}

impl World {
    fn new() -> Self {
        let slots = [Slot::voice(0).unwrap(), Slot::camera(0).unwrap()];
        let (plane, publisher) = on_stage(Codec::Vp8, &[VP8, VP8_RTX], &slots);
        Self { plane, publisher }
    }

    fn permit(&self, kind: MediaKind, permitted: bool) {
        let change = RoomChange::Permit { participant: ParticipantId(1), kind, permitted };
        block_on(self.plane.change(ROOM, vec![change]));
    }

    /// Says `payload` in packet `seq`, with those of `before`, oldest first, once more.
    fn say(&mut self, seq: u64, before: &[&[u8]], payload: &[u8]) {
        let mut redundant = Vec::new();
        for (back, before) in (1..=before.len() as u32).rev().zip(before) {
            let head = 1 << 31 | u32::from(OPUS) << 24 | (TICKS * back) << 10 | before.len() as u32;
            redundant.extend(head.to_be_bytes());
        }
        redundant.push(OPUS);
        redundant.extend(before.concat());
        redundant.extend(payload);
        send(&mut self.publisher, MIC, RED, seq, &redundant, true);
    }

    fn say_plainly(&mut self, seq: u64, payload: &[u8]) {
        send(&mut self.publisher, MIC, OPUS, seq, payload, true);
    }

    /// Waits until the workers have counted it.
    fn until(&self, what: &str, is_so: impl Fn(&Counters) -> bool) {
        until_counted(&self.plane, what, is_so);
    }

    fn dropped(&self, reason: DropReason) -> u64 {
        self.plane.counters().dropped(reason)
    }
}

/// A packet as it came: its header and its payload.
type Came = (Header, Vec<u8>);

/// The next packet with media, if one comes in time.
fn next(viewer: &mut Peer) -> Option<Came> {
    let mut buf = [0; 2048];
    while let Ok(len) = viewer.socket.recv(&mut buf) {
        if buf[0] < 128 || rtcp::is_rtcp(&buf[..len]) {
            continue;
        }
        let header = Header::parse(&buf[..len]).unwrap();
        let len = viewer.keys.receiver.unprotect_rtp(&mut buf[..len], &header).unwrap();
        let payload = header.payload_len(&buf[..len]).unwrap();
        return Some((header, buf[header.len..header.len + payload].to_vec()));
    }
    None
}

/// What is heard until nothing more comes, by how far it is from the first.
fn heard(viewer: &mut Peer) -> Vec<(u16, Vec<u8>)> {
    viewer.socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let all: Vec<_> = std::iter::from_fn(|| next(viewer)).collect();
    assert!(all.iter().all(|(header, _)| header.payload_type == OPUS), "a line without losses needs no redundancy");
    let first = all.first().map_or(0, |(header, _)| header.seq);
    all.into_iter().map(|(header, payload)| (header.seq.wrapping_sub(first), payload)).collect()
}

fn numbered(payloads: &[&str]) -> Vec<(u16, Vec<u8>)> {
    (0..).zip(payloads).map(|(n, payload)| (n, payload.as_bytes().to_vec())).collect()
}

#[test]
fn what_is_lost_of_a_voice_comes_with_what_is_said_next() {
    let mut world = World::new();
    let mut listener = connect(&world.plane, 2, false, (Codec::Vp8, &[VP8, VP8_RTX]));
    world.say_plainly(1, b"one");
    world.say(2, &[b"one"], b"two");
    world.say(5, &[b"three", b"four"], b"five");
    world.say(6, &[b"four", b"five"], b"six");
    assert_eq!(heard(&mut listener), numbered(&["one", "two", "three", "four", "five", "six"]));
    assert_eq!(world.plane.counters().done(Tally::Recovered), 2);
}

#[test]
fn what_was_said_behind_a_closed_gate_is_not_heard_with_what_is_said_after_it_opens() {
    let mut world = World::new();
    let mut listener = connect(&world.plane, 2, false, (Codec::Vp8, &[VP8, VP8_RTX]));
    world.say(1, &[b"secret"], b"one");
    assert_eq!(heard(&mut listener), numbered(&["one"]));
    world.permit(MediaKind::Mic, false);
    world.say(2, &[b"one"], b"secret");
    assert_eq!(heard(&mut listener), []);
    world.permit(MediaKind::Mic, true);
    world.say(4, &[b"secret", b"secret"], b"four");
    world.say(6, &[b"four", b"five"], b"six");
    assert_eq!(heard(&mut listener), numbered(&["four", "five", "six"]));
    assert_eq!(world.dropped(DropReason::GateClosed), 1);
}

#[test]
fn what_is_overtaken_by_its_repetition_and_padding_lose_nothing() {
    let mut world = World::new();
    let mut listener = connect(&world.plane, 2, false, (Codec::Vp8, &[VP8, VP8_RTX]));
    world.say_plainly(1, b"one");
    // Two is lost, and four comes before three.
    world.say(4, &[b"three"], b"four");
    world.say(3, &[b"two"], b"three");
    let came = heard(&mut listener);
    let expected = [(0, "one"), (2, "three"), (3, "four"), (1, "two")];
    assert_eq!(came, expected.map(|(n, said)| (n, said.as_bytes().to_vec())));
    assert_eq!(world.dropped(DropReason::Duplicate), 0, "it has brought something");
    send(&mut world.publisher, MIC, RED, 5, &[], true);
    world.say(6, &[b"four"], b"six");
    assert_eq!(heard(&mut listener), numbered(&["six"]));
    assert_eq!((world.dropped(DropReason::Padding), world.dropped(DropReason::PayloadMalformed)), (1, 0));
}

#[test]
fn what_arrived_at_a_closed_gate_is_not_heard_when_it_is_repeated() {
    let mut world = World::new();
    let mut listener = connect(&world.plane, 2, false, (Codec::Vp8, &[VP8, VP8_RTX]));
    world.say_plainly(1, b"one");
    assert_eq!(heard(&mut listener), numbered(&["one"]));
    world.permit(MediaKind::Mic, false);
    world.say_plainly(3, b"secret");
    world.until("it is dropped", |counters| counters.dropped(DropReason::GateClosed) == 1);
    world.permit(MediaKind::Mic, true);
    world.say_plainly(2, b"secret, and late");
    world.say(4, &[b"secret"], b"four");
    assert_eq!(heard(&mut listener), numbered(&["four"]));
}

#[test]
fn redundant_audio_that_is_none_is_counted_and_hurts_nobody() {
    let mut world = World::new();
    let mut listener = connect(&world.plane, 2, false, (Codec::Vp8, &[VP8, VP8_RTX]));
    world.say_plainly(1, b"one");
    let too_short = [0x80 | OPUS, 0, 0, 99, OPUS, 1];
    let bad: [&[u8]; 5] = [&too_short, &[0x80 | OPUS; 30], &[0x80 | OPUS], &[VP8, 1], &[0x80 | VP8, 0, 0, 0, OPUS, 1]];
    for (seq, bad) in (2..).zip(bad) {
        send(&mut world.publisher, MIC, RED, seq, bad, true);
    }
    world.say_plainly(7, b"seven");
    let came: Vec<_> = heard(&mut listener).into_iter().map(|(_, payload)| payload).collect();
    assert_eq!(came, [b"one".to_vec(), b"seven".to_vec()]);
    assert_eq!(world.dropped(DropReason::PayloadMalformed), 5);
}

/// A viewer that tells how packets arrive, and loses some.
struct Lossy {
    peer: Peer,
    recorder: FeedbackRecorder,
    told: Instant,
    /// Of so many packets one is lost; none of 0.
    one_of: u16,
    retransmissions: BTreeMap<u16, usize>,
    /// Packets without a payload.
    padding: usize,
    voices: Vec<Came>,
    pictures: Vec<u16>,
}

impl Lossy {
    fn new(plane: &MediaPlane) -> Self {
        const URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
        let numbers = format!("a=rtcp-fb:* transport-cc\r\na=extmap:{TRANSPORT_CC} {URI}\r\na=mid:");
        let numbered = |fingerprint: &str| offer(fingerprint, false, &[VP8, VP8_RTX]).replace("a=mid:", &numbers);
        let peer = connect_with(plane, 2, false, Codec::Vp8, numbered);
        peer.socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let (recorder, told) = (FeedbackRecorder::new(Instant::now()), Instant::now());
        let (retransmissions, voices, pictures) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { peer, recorder, told, one_of: 0, retransmissions, padding: 0, voices, pictures }
    }

    /// Takes what has come, and tells of it now and then.
    fn receive(&mut self) {
        let mut buf = [0; 2048];
        while let Ok(len) = self.peer.socket.recv(&mut buf) {
            if buf[0] < 128 || rtcp::is_rtcp(&buf[..len]) {
                continue;
            }
            let header = Header::parse(&buf[..len]).unwrap();
            let mut extensions = header.extensions(&buf[..len]);
            let number =
                extensions.find(|(id, _)| *id == TRANSPORT_CC).map(|(_, seq)| u16::from_be_bytes([seq[0], seq[1]]));
            let number = number.expect("every packet has a transport-wide number");
            if self.one_of == 0 || number % self.one_of != 0 {
                self.recorder.record(number, Instant::now());
            }
            let len = self.peer.keys.receiver.unprotect_rtp(&mut buf[..len], &header).unwrap();
            let payload = buf[header.len..header.len + header.payload_len(&buf[..len]).unwrap()].to_vec();
            match (Slot::from_ssrc(header.ssrc).map(Slot::kind), payload.split_first_chunk()) {
                (Some(MediaKind::Mic), _) => self.voices.push((header, payload)),
                (Some(_), _) => self.pictures.push(header.seq),
                (None, Some((original, _))) => {
                    *self.retransmissions.entry(u16::from_be_bytes(*original)).or_default() += 1;
                }
                (None, None) => self.padding += 1,
            }
        }
        if self.told.elapsed() >= Duration::from_millis(50) {
            self.told = Instant::now();
            let feedback = self.recorder.feedback(Slot::camera(0).unwrap().ssrc());
            feedback.into_iter().for_each(|packet| self.tell(packet));
        }
    }

    fn tell(&mut self, mut packet: Vec<u8>) {
        self.peer.keys.sender.protect_rtcp(&mut packet);
        self.peer.socket.send(&packet).unwrap();
    }
}

/// Somebody talks, before a camera, until `is_so` or for 10 s.
fn talk(world: &mut World, viewer: &mut Lossy, seq: &mut u64, is_so: impl Fn(&Lossy) -> bool) {
    let start = Instant::now();
    while !is_so(viewer) {
        assert!(start.elapsed() < Duration::from_secs(10), "{} packets of the voice came", viewer.voices.len());
        *seq += 1;
        world.say_plainly(*seq, &said(*seq));
        send(&mut world.publisher, CAMERA, VP8, *seq, KEY_FRAME, false);
        std::thread::sleep(Duration::from_millis(2));
        viewer.receive();
    }
}

fn said(seq: u64) -> Vec<u8> {
    format!("packet {seq}").into_bytes()
}

#[test]
fn who_loses_packets_is_sent_voices_with_redundancy_and_what_is_asked_for_twice() {
    let mut world = World::new();
    let (mut viewer, mut seq) = (Lossy::new(&world.plane), 0);
    let mut other = connect(&world.plane, 3, false, (Codec::Vp8, &[VP8, VP8_RTX]));
    other.socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    talk(&mut world, &mut viewer, &mut seq, |viewer| viewer.voices.len() > 300 && viewer.pictures.len() > 300);
    assert!(viewer.voices.iter().all(|(header, _)| header.payload_type == OPUS), "nothing is lost yet");
    let ask = |viewer: &mut Lossy| {
        let seq = *viewer.pictures.last().unwrap();
        viewer.tell(rtcp::nack(Slot::camera(0).unwrap().ssrc(), &[seq]));
        seq
    };
    let asked = ask(&mut viewer);
    talk(&mut world, &mut viewer, &mut seq, |viewer| viewer.voices.len() > 400);
    assert_eq!(viewer.retransmissions.get(&asked), Some(&1));

    viewer.one_of = 10;
    viewer.voices.clear();
    let is_redundant = |(header, _): &&Came| header.payload_type == RED;
    talk(&mut world, &mut viewer, &mut seq, |viewer| viewer.voices.iter().filter(is_redundant).count() > 100);
    let asked = ask(&mut viewer);
    talk(&mut world, &mut viewer, &mut seq, |viewer| viewer.voices.iter().filter(is_redundant).count() > 200);
    assert_eq!(viewer.retransmissions.get(&asked), Some(&2));
    world.until("they are counted", |counters| counters.done(Tally::RedundantOut) >= 200);
    for (_, payload) in viewer.voices.iter().filter(is_redundant) {
        let blocks = red::blocks(payload).unwrap();
        assert!(blocks.iter().all(|block| block.payload_type == OPUS));
        let [before, own] = &blocks[..] else { panic!("{} blocks", blocks.len()) };
        let number: u64 = std::str::from_utf8(&own.payload["packet ".len()..]).unwrap().parse().unwrap();
        assert_eq!((before.offset, before.payload), (TICKS, &said(number - 1)[..]));
    }
    let plain =
        std::iter::from_fn(|| next(&mut other)).filter(|(header, _)| header.ssrc == Slot::voice(0).unwrap().ssrc());
    assert!(
        plain.map(|(header, _)| header.payload_type).all(|payload_type| payload_type == OPUS),
        "others get it alone"
    );

    viewer.one_of = 0;
    talk(&mut world, &mut viewer, &mut seq, |viewer| !is_redundant(&viewer.voices.last().unwrap()));
    let before = viewer.voices.last().unwrap().0.seq;
    talk(&mut world, &mut viewer, &mut seq, |viewer| viewer.voices.last().unwrap().0.seq.wrapping_sub(before) > 50);
    let numbers: Vec<_> = viewer.voices.iter().map(|(header, _)| header.seq).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "one stream, whatever it carries");
}

/// Whatever else came in the stream for retransmissions a browser would take for the packet with the number in its first bytes.
#[test]
fn a_probe_is_padding_and_nothing_else() {
    let world = World::new();
    let (mut viewer, mut wishes) = (Lossy::new(&world.plane), Wishes::UNSAID);
    // Of a camera that has sent nothing yet the largest layer is thought to take more than is known of the line.
    wishes.set(Slot::camera(0).unwrap(), Wish::Height(720));
    block_on(world.plane.watch(ROOM, ParticipantId(2), wishes));
    let start = Instant::now();
    while viewer.padding < 3 && viewer.retransmissions.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(10), "nothing is probed");
        viewer.receive();
    }
    assert!(viewer.retransmissions.is_empty(), "nothing was asked for: {:?}", viewer.retransmissions);
    world.until("probes are counted", |counters| counters.done(Tally::ProbeOut) > 0);
}

/// On a slow line something waits nearly always. If that kept back what is sent again, the picture would stand still for it.
#[test]
fn what_is_asked_for_again_goes_before_pictures_that_wait() {
    let mut world = World::new();
    let mut viewer = Lossy::new(&world.plane);
    let mut seq = 0;
    talk(&mut world, &mut viewer, &mut seq, |viewer| !viewer.pictures.is_empty());
    let frame = [KEY_FRAME, &[0; 1_000]].concat();
    for _ in 0..64 {
        seq += 1;
        send(&mut world.publisher, CAMERA, VP8, seq, &frame, false);
    }
    world.until("pictures wait", |counters| counters.done(Tally::Paced) > 0);
    viewer.tell(rtcp::nack(Slot::camera(0).unwrap().ssrc(), &viewer.pictures[..1]));
    let answered =
        |counters: &Counters| counters.done(Tally::Retransmitted) + counters.dropped(DropReason::RetransmitLimited);
    world.until("an answer", |counters| answered(counters) > 0);
    assert_eq!(world.dropped(DropReason::RetransmitLimited), 0);
}

#[test]
fn a_voice_that_is_asked_for_again_is_not_there_and_hurts_nobody() {
    let mut world = World::new();
    let mut viewer = Lossy::new(&world.plane);
    let mut seq = 0;
    talk(&mut world, &mut viewer, &mut seq, |viewer| viewer.voices.len() > 1);
    for slot in [Slot::voice(0).unwrap(), Slot::SCREEN_AUDIO] {
        viewer.tell(rtcp::nack(slot.ssrc(), &[1, 2]));
    }
    world.until("an answer", |counters| counters.done(Tally::RetransmitMissed) >= 2);
    let before = viewer.voices.len();
    talk(&mut world, &mut viewer, &mut seq, |viewer| viewer.voices.len() > before + 10);
}

/// Clients repeat what they sent, too, but not at once, and not forever.
#[test]
fn what_is_lost_of_a_handshake_is_sent_again_by_the_server() {
    let mut world = World::new();
    let listens = |fingerprint: &str| offer(fingerprint, false, &[VP8, VP8_RTX]);
    let mut listener = connect_over(&world.plane, 2, false, Codec::Vp8, listens, LOST);
    world.say_plainly(1, b"one");
    assert_eq!(heard(&mut listener), numbered(&["one"]));
}
