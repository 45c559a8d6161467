//! What one client does wrong costs that client: somebody who speaks meanwhile is heard without a gap.

mod support;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dais::Server;
use dais_media::{DropReason, Slot, Tally, rtcp};
use serde_json::json;
use support::client::Wish;
use support::media::{Numbers, pause, vp8};
use support::{Client, PATIENCE, done, dropped, server, until_counted};
use tokio::time::timeout;

/// Packets of a voice while somebody misbehaves, one every 5 ms.
const WORDS: u32 = 200;
/// Most a word may be late by the median: a hundred times what it takes, as other tests run beside this one.
const LATE: Duration = Duration::from_millis(100);

struct Company {
    server: Server,
    ann: Client,
    viewer: Client,
    bad: Client,
}

impl Company {
    /// Ann speaks, a viewer listens, and somebody comes to misbehave.
    async fn meet(bad: Wish) -> Self {
        let server = server().await;
        let ann = Client::enter(&server, "Ann", Wish { camera: false, ..Wish::STAGE }).await;
        // It has no pictures: what a flood of them does to its own socket is not the server's doing.
        let viewer = Client::enter(&server, "Viewer", Wish { cameras: 0, ..Wish::VIEWER }).await;
        let bad = Client::enter(&server, "Bad", bad).await;
        Self { server, ann, viewer, bad }
    }

    /// Ann goes on speaking while the other one misbehaves; the viewer hears every word in time.
    async fn endures(&mut self, misbehave: impl AsyncFnOnce(&mut Client)) {
        let (ann, viewer, bad) = (&mut self.ann, &mut self.viewer, &mut self.bad);
        let start = Instant::now();
        let speaking = async {
            for n in 0..WORDS {
                let now = start.elapsed().as_micros() as u64;
                ann.speak(20, &[n.to_be_bytes().as_slice(), &now.to_be_bytes()].concat()).await;
                pause(5).await;
            }
        };
        let listening = async {
            let mut late = Vec::new();
            for n in 0..WORDS {
                let next = viewer.packet("the next word", |packet| !packet.slot.kind().is_video());
                let word = next.await.payload;
                assert_eq!(word[..4], n.to_be_bytes(), "no word is lost");
                let said = Duration::from_micros(u64::from_be_bytes(word[4..12].try_into().unwrap()));
                late.push(start.elapsed() - said);
            }
            late.sort();
            late[late.len() / 2]
        };
        let (late, ()) = tokio::join!(listening, async {
            tokio::join!(speaking, misbehave(bad));
        });
        assert!(late < LATE, "words were {late:?} late");
    }
}

#[tokio::test]
async fn a_viewer_that_never_reads() {
    let mut company = Company::meet(Wish::VIEWER).await;
    company.bad.path.loss.deaf.store(true, Ordering::Relaxed);
    let mut show = Client::enter(&company.server, "Show", Wish { mic: false, ..Wish::STAGE }).await;
    let filling = async |_: &mut Client| {
        // More than its socket holds.
        for _ in 0..2_000 {
            show.show(true, &[7; 1_100]).await;
        }
    };
    company.endures(filling).await;
    assert_eq!(dropped(&company.server, DropReason::SocketFull), 0, "its own socket is full, not the server's");
}

#[tokio::test]
async fn a_viewer_that_sends_garbage_reports() {
    let mut company = Company::meet(Wish::VIEWER).await;
    let garbage = async |bad: &mut Client| {
        for n in 0..500u32 {
            bad.path.send_raw(&[&[0x80, 200], n.to_be_bytes().as_slice(), &[3; 60]].concat()).await;
            bad.path.send_rtcp(vec![0x81, 205, 0, 9, 0, 0, 0, 1]).await;
        }
    };
    company.endures(garbage).await;
    let counted = |c: &dais_media::Counters| {
        c.dropped(DropReason::SrtpForged) + c.dropped(DropReason::RtcpMalformed) + c.dropped(DropReason::RtpMalformed)
    };
    until_counted(&company.server, "garbage", |c| counted(c) >= 900).await;
}

#[tokio::test]
async fn a_viewer_that_asks_for_key_frames_a_thousand_times_a_second() {
    let mut company = Company::meet(Wish::VIEWER).await;
    let mut show = Client::enter(&company.server, "Show", Wish { mic: false, ..Wish::STAGE }).await;
    show.show(true, b"key").await;
    let start = Instant::now();
    let asking = async |bad: &mut Client| {
        for _ in 0..1_000 {
            bad.path.send_rtcp(rtcp::picture_loss(Slot::camera(0).unwrap().ssrc())).await;
            pause(1).await;
        }
    };
    company.endures(asking).await;
    // One every 500 ms while nobody answers, and those that were wanted when people came.
    let most = 4 + start.elapsed().as_millis() as u64 / 500;
    let asked = done(&company.server, Tally::KeyFrameRequests);
    assert!(asked <= most, "the publisher was asked {asked} times");
}

#[tokio::test]
async fn a_viewer_that_asks_for_every_packet_again() {
    let mut company = Company::meet(Wish::VIEWER).await;
    let mut show = Client::enter(&company.server, "Show", Wish { mic: false, ..Wish::STAGE }).await;
    show.show(true, &[7; 1_000]).await;
    let seq = company.bad.packet("a picture", |packet| packet.slot.kind().is_video()).await.seq;
    let asking = async |bad: &mut Client| {
        let nack = rtcp::nack(Slot::camera(0).unwrap().ssrc(), &[seq]);
        for _ in 0..100 {
            bad.path.send_rtcp(nack.repeat(80)).await;
            pause(5).await;
        }
    };
    company.endures(asking).await;
    until_counted(&company.server, "8,000 answers", |c| {
        c.done(Tally::Retransmitted) + c.dropped(DropReason::RetransmitLimited) >= 8_000
    })
    .await;
    assert!(dropped(&company.server, DropReason::RetransmitLimited) > 5_000);
}

#[tokio::test]
async fn a_viewer_that_claims_absurd_arrivals() {
    let mut company = Company::meet(Wish::VIEWER).await;
    let lying = async |bad: &mut Client| {
        for n in 0..500u32 {
            // Transport-wide feedback for 65,535 packets in one run, of which none was ever numbered.
            let [high, low] = (n as u16).to_be_bytes();
            let feedback = [0x8f, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, high, low, 255, 255, 0, 0, 0, 1, 63, 255, 0, 0];
            bad.path.send_rtcp(feedback[..20].to_vec()).await;
        }
    };
    company.endures(lying).await;
    until_counted(&company.server, "reports of no use", |c| c.dropped(DropReason::FeedbackFalse) >= 500).await;
}

#[tokio::test]
async fn a_viewer_that_reports_on_what_it_never_had() {
    let mut company = Company::meet(Wish::VIEWER).await;
    let mut show = Client::enter(&company.server, "Show", Wish { mic: false, ..Wish::STAGE }).await;
    show.show(true, b"key").await;
    let seq = company.bad.packet("a picture", |packet| packet.slot.kind().is_video()).await.seq;
    let camera = Slot::camera(0).unwrap().ssrc().0.to_be_bytes();
    let lying = async |bad: &mut Client| {
        for n in 0..250u16 {
            // REMB (draft-alvestrand-rmcat-remb-03 §2.2) of no bit a second, and of 2^18 - 1 times 2^63.
            for rate in [[0, 0, 0], [0xff, 0xff, 0xff]] {
                let remb = [&[0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0][..], b"REMB", &[1], &rate, &camera].concat();
                bad.path.send_rtcp(remb).await;
            }
            // A report on a stream that is not there, as if it answered a sender report of an hour ago.
            let block =
                [0xde, 0xad, 0xbe, 0xef, 255, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff];
            bad.path.send_rtcp([&[0x81, 201, 0, 7, 0, 0, 0, 1][..], &block].concat()).await;
            // Packets that were never sent, asked for again.
            bad.path.send_rtcp(rtcp::nack(Slot::camera(0).unwrap().ssrc(), &[seq.wrapping_add(n + 1)])).await;
            pause(1).await;
        }
    };
    company.endures(lying).await;
    until_counted(&company.server, "reports without use", |c| c.done(Tally::RtcpIgnored) >= 750).await;
    until_counted(&company.server, "packets that are not there", |c| c.done(Tally::RetransmitMissed) >= 250).await;
}

#[tokio::test]
async fn a_publisher_that_repeats_what_it_never_sent() {
    let mut company = Company::meet(Wish { mic: false, ..Wish::STAGE }).await;
    let repeating = async |bad: &mut Client| {
        bad.show(true, b"key").await;
        let (ssrc, sent) = (bad.ssrcs.camera_rtx, bad.video(true, &vp8(false, true, 9, b"sent")).await as u16);
        for n in 1..=300u16 {
            let numbers = Numbers { ssrc, seq: u64::from(n), timestamp: 9_000 };
            bad.path.send_rtx(numbers, sent.wrapping_add(n * 100), &vp8(true, true, n, b"never sent")).await;
            pause(1).await;
        }
        bad.show(false, b"goes on").await;
    };
    company.endures(repeating).await;
    until_counted(&company.server, "all of them", |c| c.dropped(DropReason::Duplicate) >= 300).await;
    assert_eq!(done(&company.server, Tally::Recovered), 0);
    let asked = done(&company.server, Tally::Nacked);
    assert_eq!(asked, 0, "nothing is missing: {asked} packets were asked for");
}

#[tokio::test]
async fn a_publisher_that_goes_on_with_what_nobody_watches() {
    let mut company = Company::meet(Wish { mic: false, ..Wish::STAGE }).await;
    for person in [&mut company.ann, &mut company.viewer, &mut company.bad] {
        person.does(json!({ "type": "watch", "cameras": [] })).await;
    }
    let going_on = async |bad: &mut Client| {
        for n in 0..500 {
            bad.show(n == 0, &[7; 1_000]).await;
            pause(2).await;
        }
    };
    company.endures(going_on).await;
    until_counted(&company.server, "packets for nobody", |c| c.done(Tally::Unwatched) >= 490).await;
}

#[tokio::test]
async fn a_publisher_at_fifty_megabits_a_second() {
    let mut company = Company::meet(Wish { mic: false, ..Wish::STAGE }).await;
    let flooding = async |bad: &mut Client| {
        bad.show(true, b"key").await;
        let picture = bad.next_picture();
        let start = Instant::now();
        for n in 1..=6_000u32 {
            bad.video(false, &vp8(false, true, picture, &[7; 1_040])).await;
            // 1,050 bytes every 168 µs.
            let ahead = Duration::from_micros(u64::from(n) * 168).saturating_sub(start.elapsed());
            if ahead > Duration::from_millis(2) {
                tokio::time::sleep(ahead).await;
            }
        }
    };
    company.endures(flooding).await;
    let counted = |c: &dais_media::Counters| c.dropped(DropReason::PublisherLimited);
    timeout(PATIENCE, until_counted(&company.server, "the limit", |c| counted(c) > 500)).await.unwrap();
}
