//! Losses on the way from a publisher to a viewer are repaired, both hops on their own.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use dais_media::rtcp::{self, Message};
use dais_media::{Slot, Ssrc, Tally};
use support::client::Wish;
use support::media::{Numbers, pause, vp8};
use support::{Client, done, server};

/// Packets sent: 400 frames of 4.
const FRAMES: u64 = 400;
const PER_FRAME: u64 = 4;
/// 5 % both ways, at both clients.
const LOSS_PER_MILLE: u32 = 50;

/// What a viewer keeps of a slot: which numbers came, and which it asked for.
#[derive(Default)]
struct Reception {
    bodies: BTreeMap<u16, Vec<u8>>,
    asked: BTreeMap<u16, Instant>,
    ever_asked: BTreeSet<u16>,
    highest: Option<u16>,
}

impl Reception {
    fn take(&mut self, seq: u16, payload: &[u8]) {
        if let Some(before) = self.bodies.insert(seq, payload.to_vec()) {
            assert_eq!(before, payload, "packet {seq} came twice and differs");
        }
        self.highest = Some(self.highest.map_or(seq, |highest| highest.max(seq)));
    }

    /// Numbers to ask for now: those missing below the highest, every 30 ms.
    fn due(&mut self) -> Vec<u16> {
        let (Some(highest), Some((first, _))) = (self.highest, self.bodies.first_key_value()) else { return vec![] };
        let missing = (*first..highest).filter(|seq| !self.bodies.contains_key(seq));
        let again = Duration::from_millis(30);
        let due = missing.filter(|seq| self.asked.get(seq).is_none_or(|asked| asked.elapsed() >= again));
        let due: Vec<u16> = due.take(100).collect();
        for seq in &due {
            self.asked.insert(*seq, Instant::now());
            self.ever_asked.insert(*seq);
        }
        due
    }
}

#[tokio::test]
async fn every_lost_video_packet_that_is_asked_for_again_arrives() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish { mic: false, ..Wish::STAGE }).await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    // The first frame arrives whole, so that both know where the stream starts.
    ann.show(true, b"first").await;
    let first = viewer.packet("the first frame", |_| true).await;
    let slot = first.slot;
    let mut reception = Reception::default();
    reception.take(first.seq, &first.payload);
    ann.path.loss.start(LOSS_PER_MILLE, 11);
    viewer.path.loss.start(LOSS_PER_MILLE, 23);

    // The publisher keeps what it sent and answers NACKs over RTX, as a browser does.
    let mut sent: BTreeMap<u16, (u32, Vec<u8>)> = BTreeMap::new();
    let mut rtx_seq = 1;
    let mut frames = 0;
    let expected = (FRAMES * PER_FRAME) as usize + 1;
    let deadline = Instant::now() + Duration::from_secs(60);
    while reception.bodies.len() < expected || frames < FRAMES {
        assert!(Instant::now() < deadline, "{} of {expected} packets arrived", reception.bodies.len());
        if frames < FRAMES {
            let picture = ann.next_picture();
            for part in 0..PER_FRAME {
                let body = [&frames.to_be_bytes()[..], &part.to_be_bytes(), &[0x5a; 900]].concat();
                let payload = vp8(false, part == 0, picture, &body);
                let seq = ann.video(part == PER_FRAME - 1, &payload).await;
                sent.insert(seq as u16, (u32::from(picture) * 3_000, payload));
            }
            frames += 1;
        } else {
            // Somebody who stops sending would leave a lost last packet unnoticed.
            let picture = ann.next_picture();
            ann.video(true, &vp8(false, true, picture, b"tail")).await;
        }
        while let Ok(message) = ann.incoming.reports.try_recv() {
            let Message::Nack { ssrc, lost } = message else { continue };
            assert_eq!(ssrc, Ssrc(ann.ssrcs.camera));
            for seq in lost {
                let Some((timestamp, payload)) = sent.get(&seq) else { continue };
                let numbers = Numbers { ssrc: ann.ssrcs.camera_rtx, seq: rtx_seq, timestamp: *timestamp };
                rtx_seq += 1;
                ann.path.send_rtx(numbers, seq, payload).await;
            }
        }
        while let Ok(packet) = viewer.incoming.packets.try_recv() {
            assert_eq!(packet.slot, slot);
            if !packet.payload.ends_with(b"tail") {
                reception.take(packet.seq, &packet.payload);
            } else {
                reception.highest = Some(reception.highest.map_or(packet.seq, |highest| highest.max(packet.seq)));
                // Tails are not part of the count, and need no repair.
                reception.asked.insert(packet.seq, Instant::now() + Duration::from_secs(600));
            }
        }
        let due: Vec<u16> = reception
            .due()
            .into_iter()
            .filter(|seq| u64::from(seq.wrapping_sub(first.seq)) <= FRAMES * PER_FRAME)
            .collect();
        if !due.is_empty() {
            viewer.path.send_rtcp(rtcp::nack(Slot::ssrc(slot), &due)).await;
        }
        pause(5).await;
    }

    let bodies: Vec<_> = reception.bodies.values().skip(1).map(|payload| payload[7..23].to_vec()).collect();
    let in_order = (0..FRAMES).flat_map(|f| (0..PER_FRAME).map(move |p| [f.to_be_bytes(), p.to_be_bytes()].concat()));
    assert!(bodies.iter().eq(&in_order.collect::<Vec<_>>()), "every packet under its number, in order");
    let lost = [&ann, &viewer].map(|client| client.path.loss.lost.load(std::sync::atomic::Ordering::Relaxed));
    assert!(lost[0] > 50 && lost[1] > 50, "there were losses on both hops: {lost:?}");
    assert!(done(&server, Tally::Recovered) > 0 && done(&server, Tally::Retransmitted) > 0);
    assert!(done(&server, Tally::Nacked) >= done(&server, Tally::Recovered), "what came again was asked for");
    assert!(!reception.ever_asked.is_empty());
}
