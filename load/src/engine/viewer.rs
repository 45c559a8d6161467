//! What one viewer receives: its streams, counted by sequence number, and a sample of them decrypted.

use dais_media::rtp::Header;
use dais_media::{Slot, Ssrc, limits, srtp};
use hdrhistogram::Histogram;

use super::counts::{Counts, Switch};
use super::rtcp::Reception;
use crate::camera::STAMP_AT;
use crate::random::Random;
use crate::sequence::SequenceCounter;
use crate::stamp::Stamp;

/// One slot as a viewer receives it.
struct Stream {
    ssrc: u32,
    video: bool,
    counter: SequenceCounter,
    occupant: u32,
    /// The socket has dropped something since the stream's last packet: the gap before the next one is its doing.
    socket_dropped: bool,
    /// Packets missing because of that.
    own_loss: u64,
    /// Highest index and packets missing at the receiver report before.
    reported: (u64, u64),
}

/// Where thread-wide results go.
pub(super) struct Findings<'a> {
    pub(super) counts: &'a mut Counts,
    pub(super) latency: &'a mut Histogram<u64>,
    pub(super) switches: &'a mut Vec<Switch>,
    pub(super) random: &'a mut Random,
}

const NO_STREAM: u8 = u8::MAX;

/// See the module.
pub(super) struct Viewer {
    number: usize,
    streams: Vec<Stream>,
    /// Index into `streams` by slot.
    by_slot: [u8; limits::SLOTS],
    /// One packet in so many is decrypted, on the average; 0 for none.
    sample: u32,
    until_sample: u32,
    /// Datagrams its socket dropped.
    dropped: u32,
}

impl Viewer {
    /// The `number`-th participant; a share of `decrypt` of its packets is decrypted.
    pub(super) fn new(number: usize, decrypt: f64, random: &mut Random) -> Self {
        let sample = if decrypt > 0.0 { (1.0 / decrypt).round().max(1.0) as u32 } else { 0 };
        let until_sample = draw(sample, random);
        Self { number, streams: Vec::new(), by_slot: [NO_STREAM; limits::SLOTS], sample, until_sample, dropped: 0 }
    }

    /// The socket says how many datagrams it has dropped since it was made.
    pub(super) fn set_dropped(&mut self, dropped: u32) {
        if self.dropped != dropped {
            self.dropped = dropped;
            self.streams.iter_mut().for_each(|stream| stream.socket_dropped = true);
        }
    }

    /// Takes an RTP packet that came at `now`. Returns whether it was media of a slot.
    pub(super) fn receive(
        &mut self,
        packet: &mut [u8],
        keys: &srtp::Receiver,
        now: u64,
        findings: &mut Findings<'_>,
    ) -> bool {
        // Fixed header, CSRC and tag: the server always writes one CSRC.
        if packet.len() < 16 + 10 {
            return false;
        }
        let word = |at: usize| u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]]);
        let (seq, ssrc, occupant) = (u16::from_be_bytes([packet[2], packet[3]]), Ssrc(word(8)), word(12));
        // Retransmissions and probes are not media of a slot.
        let Some(slot) = Slot::from_ssrc(ssrc) else { return false };
        findings.counts.received += 1;
        findings.counts.bytes += packet.len() as u64;
        let mut at = usize::from(self.by_slot[slot.index()]);
        let (index, first) = match self.streams.get_mut(at) {
            Some(stream) => (stream.count(seq), false),
            None => {
                at = self.streams.len();
                self.by_slot[slot.index()] = at as u8;
                self.streams.push(Stream::new(slot, seq, occupant));
                (u64::from(seq), true)
            }
        };
        let stream = &mut self.streams[at];
        if first || stream.occupant != occupant {
            stream.occupant = occupant;
            let (viewer, slot_ssrc) = (self.number, ssrc.0);
            findings.switches.push(Switch { viewer, slot_ssrc, occupant, first, at_ns: now });
        }
        if self.until_sample == 1 {
            let video = stream.video;
            self.until_sample = draw(self.sample, findings.random);
            open(packet, keys, index, video, now, findings);
        } else {
            self.until_sample = self.until_sample.saturating_sub(1);
        }
        true
    }

    /// Adds what is missing and what came twice. What the own socket dropped is not the server's loss.
    pub(super) fn count_losses(&self, counts: &mut Counts) {
        let (mut missing, mut own) = (0, 0);
        for stream in &self.streams {
            missing += stream.counter.missing();
            own += stream.own_loss;
            counts.duplicates += stream.counter.again();
        }
        counts.lost_by_server += missing.saturating_sub(own);
        // With GRO a drop is one message of several datagrams; without, one of no stream may be among them.
        counts.lost_by_harness += own.max(self.dropped.into());
    }

    /// What the next receiver report says.
    pub(super) fn receptions(&mut self) -> impl Iterator<Item = Reception> {
        self.streams.iter_mut().map(Stream::reception)
    }
}

impl Stream {
    fn new(slot: Slot, seq: u16, occupant: u32) -> Self {
        let (counter, video) = (SequenceCounter::new(seq), slot.kind().is_video());
        let reported = (seq.into(), 0);
        Self { ssrc: slot.ssrc().0, video, counter, occupant, socket_dropped: false, own_loss: 0, reported }
    }

    /// Counts a packet, and returns its index.
    fn count(&mut self, seq: u16) -> u64 {
        let (index, missing) = (self.counter.index(seq), self.counter.missing());
        self.counter.record(index);
        if std::mem::take(&mut self.socket_dropped) {
            self.own_loss += self.counter.missing().saturating_sub(missing);
        }
        index
    }

    fn reception(&mut self) -> Reception {
        Reception::of(self.ssrc, &self.counter, &mut self.reported)
    }
}

/// Decrypts a packet, and checks that its payload is what the publisher named in the CSRC wrote.
fn open(packet: &mut [u8], keys: &srtp::Receiver, index: u64, video: bool, now: u64, findings: &mut Findings<'_>) {
    findings.counts.decrypted += 1;
    let stamp = read_stamp(packet, keys, index, video);
    match stamp {
        Some(stamp) => findings.latency.saturating_record(now.saturating_sub(stamp.sent_ns) / 1_000),
        None => findings.counts.damaged += 1,
    }
}

fn read_stamp(packet: &mut [u8], keys: &srtp::Receiver, index: u64, video: bool) -> Option<Stamp> {
    let header = Header::parse(packet).ok()?;
    let len = keys.unprotect_rtp_at(packet, &header, index).ok()?;
    let packet = &packet[..len];
    let payload = packet.get(header.len..)?.get(..header.payload_len(packet).ok()?)?;
    let stamp = Stamp::read(if video { payload.get(STAMP_AT..)? } else { payload })?;
    let csrc = u32::from_be_bytes(*packet.get(12..)?.first_chunk()?);
    (stamp.publisher == csrc).then_some(stamp)
}

fn draw(sample: u32, random: &mut Random) -> u32 {
    // Evenly from 1 to 2n - 1, so that the sample does not keep step with frames.
    if sample == 0 { 0 } else { 1 + (random.next() % u64::from(2 * sample - 1)) as u32 }
}

#[cfg(test)]
mod tests {
    use dais_media::srtp::{Profile, Receiver, Sender, split_material};

    use super::*;
    use crate::engine::latencies;

    const OCCUPANT: u32 = 7;

    /// A viewer and what its thread has found, with the server's end of SRTP.
    struct Scene {
        viewer: Viewer,
        keys: (Sender, Receiver),
        counts: Counts,
        latency: Histogram<u64>,
        switches: Vec<Switch>,
        random: Random,
    }

    impl Scene {
        fn new(decrypt: f64) -> Self {
            let (client, server) = split_material(Profile::Aes128Gcm, &(0..56).collect::<Vec<u8>>()).unwrap();
            let _ = client;
            let mut random = Random::new(1);
            Self {
                viewer: Viewer::new(3, decrypt, &mut random),
                keys: (Sender::new(&server).unwrap(), Receiver::new(&server).unwrap()),
                counts: Counts::default(),
                latency: latencies(),
                switches: Vec::new(),
                random,
            }
        }

        /// A packet of the voice slot 0 with `index`, which `occupant` sent at 1 ms and which comes at 3 ms.
        fn receive(&mut self, index: u64, occupant: u32, spoil: impl Fn(&mut [u8])) {
            let mut packet = vec![0x81, 111];
            packet.extend((index as u16).to_be_bytes());
            packet.extend([0; 4]);
            packet.extend(Slot::voice(0).unwrap().ssrc().0.to_be_bytes());
            packet.extend(occupant.to_be_bytes());
            packet.resize(16 + 40 + 16, 0);
            Stamp { publisher: OCCUPANT, number: 5, sent_ns: 1_000_000, layer: 0, height: 0 }
                .write(&mut packet[16..56]);
            spoil(&mut packet[16..56]);
            self.keys.0.protect_rtp(&mut packet, 16, 56, Slot::voice(0).unwrap().ssrc(), index);
            let mut findings = Findings {
                counts: &mut self.counts,
                latency: &mut self.latency,
                switches: &mut self.switches,
                random: &mut self.random,
            };
            assert!(self.viewer.receive(&mut packet, &self.keys.1, 3_000_000, &mut findings));
        }

        fn losses(&self) -> (u64, u64) {
            let mut counts = self.counts;
            self.viewer.count_losses(&mut counts);
            (counts.lost_by_server, counts.lost_by_harness)
        }
    }

    #[test]
    fn a_gap_is_the_servers_unless_the_own_socket_dropped_something() {
        let mut scene = Scene::new(0.0);
        [10, 11, 14].into_iter().for_each(|index| scene.receive(index, OCCUPANT, |_| ()));
        assert_eq!(scene.losses(), (2, 0));
        // One message dropped, in which there were three datagrams.
        scene.viewer.set_dropped(1);
        [18, 19, 21].into_iter().for_each(|index| scene.receive(index, OCCUPANT, |_| ()));
        assert_eq!(scene.losses(), (3, 3));
    }

    #[test]
    fn every_packet_is_opened_if_wanted_over_the_wrap_and_its_latency_measured() {
        let mut scene = Scene::new(1.0);
        (65_530..65_550).for_each(|index| scene.receive(index, OCCUPANT, |_| ()));
        assert_eq!((scene.counts.decrypted, scene.counts.damaged), (20, 0));
        assert_eq!((scene.latency.len(), scene.latency.max() / 100), (20, 20));
    }

    #[test]
    fn a_share_of_the_packets_is_opened() {
        let mut scene = Scene::new(0.1);
        (1..5_000).for_each(|index| scene.receive(index, OCCUPANT, |_| ()));
        assert!((450..550).contains(&scene.counts.decrypted), "{}", scene.counts.decrypted);
    }

    #[test]
    fn a_payload_that_is_not_what_its_publisher_wrote_is_damaged() {
        let mut scene = Scene::new(1.0);
        scene.receive(1, OCCUPANT, |_| ());
        scene.receive(2, OCCUPANT, |payload| payload[30] ^= 1);
        scene.receive(3, OCCUPANT + 1, |_| ());
        assert_eq!((scene.counts.decrypted, scene.counts.damaged), (3, 2));
    }

    #[test]
    fn another_occupant_is_noticed_at_its_first_packet() {
        let mut scene = Scene::new(0.0);
        [OCCUPANT, OCCUPANT, 9, 9].into_iter().zip(1..).for_each(|(who, index)| scene.receive(index, who, |_| ()));
        let seen: Vec<_> = scene.switches.iter().map(|switch| (switch.occupant, switch.first)).collect();
        assert_eq!(seen, [(OCCUPANT, true), (9, false)]);
    }
}
