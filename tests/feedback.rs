//! RTCP: one key frame throttle for everyone, sender reports for viewers, receiver reports for publishers.

mod support;

use std::time::{Duration, Instant};

use dais_media::rtcp::{self, Message};
use dais_media::{Slot, Ssrc, Tally};
use serde_json::json;
use support::client::Wish;
use support::media::pause;
use support::{Client, PATIENCE, done, server, until_counted};
use tokio::time::timeout;

/// Key frame requests that come to `publisher` within `window`.
async fn requests(publisher: &mut Client, window: Duration) -> usize {
    let end = tokio::time::Instant::now() + window;
    let mut count = 0;
    while let Ok(Some(message)) = tokio::time::timeout_at(end, publisher.incoming.reports.recv()).await {
        count += usize::from(message == Message::KeyFrameRequest { ssrc: Ssrc(publisher.ssrcs.camera) });
    }
    count
}

#[tokio::test]
async fn many_requests_of_many_viewers_are_one_key_frame_request() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish { mic: false, ..Wish::STAGE }).await;
    let mut viewers = Vec::new();
    for n in 0..6 {
        viewers.push(Client::enter(&server, &format!("Viewer {n}"), Wish::VIEWER).await);
    }
    ann.show(true, b"key").await;
    for viewer in &mut viewers {
        viewer.packet("the first frame", |_| true).await;
    }
    requests(&mut ann, Duration::from_millis(300)).await;

    let slot = Slot::camera(0).unwrap();
    let start = Instant::now();
    for _ in 0..50 {
        for viewer in &viewers {
            viewer.path.send_rtcp(rtcp::picture_loss(slot.ssrc())).await;
        }
    }
    let count = requests(&mut ann, Duration::from_millis(900)).await;
    let most = 1 + start.elapsed().as_millis() as usize / 500;
    assert!((1..=most).contains(&count), "300 requests became {count}");

    // Answered, there is nothing more to ask for.
    ann.show(true, b"key").await;
    until_counted(&server, "the answer", |c| c.done(Tally::PacketsForwarded) >= 12).await;
    requests(&mut ann, Duration::from_millis(100)).await;
    assert_eq!(requests(&mut ann, Duration::from_millis(700)).await, 0);
}

#[tokio::test]
async fn somebody_who_comes_later_gets_a_key_frame_first() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish { mic: false, ..Wish::STAGE }).await;
    ann.show(true, b"key").await;
    ann.show(false, b"delta").await;
    until_counted(&server, "two packets in", |c| c.done(Tally::PacketsIn) == 2).await;
    requests(&mut ann, Duration::from_millis(300)).await;
    let mut late = Client::enter(&server, "Late", Wish::VIEWER).await;
    ann.show(false, b"delta").await;
    assert!(requests(&mut ann, Duration::from_millis(400)).await >= 1, "a key frame is asked for");
    ann.show(true, b"for the late one").await;
    let first = late.packet("a picture", |_| true).await;
    assert!(first.payload.ends_with(b"for the late one"), "nothing comes before the key frame");
}

#[tokio::test]
async fn viewers_get_sender_reports_that_fit_their_timestamps() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish { mic: false, ..Wish::STAGE }).await;
    let mut ben = Client::enter(&server, "Ben", Wish { mic: false, camera: false, ..Wish::STAGE }).await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    // Ann shows something and leaves the slot to Ben, so that his timestamps are shifted.
    ann.show(true, b"ann").await;
    viewer.packet("Ann's picture", |_| true).await;
    ann.does(json!({ "type": "set_camera", "on": false })).await;
    ben.does(json!({ "type": "set_camera", "on": true })).await;
    ben.show(true, b"ben").await;
    let shown = viewer.packet("Ben's picture", |packet| packet.payload.ends_with(b"ben")).await;
    let rtp = u32::from(ben.next_picture() - 1) * 3_000;
    let mut compound = vec![0x80, 200, 0, 6];
    compound.extend(ben.ssrcs.camera.to_be_bytes());
    compound.extend((4_000_000_000_u64 << 32).to_be_bytes());
    compound.extend(rtp.to_be_bytes());
    compound.extend([0; 8]);
    ben.path.send_rtcp(compound).await;

    let report = timeout(PATIENCE, async {
        loop {
            if let Some(Message::SenderReport { ssrc, rtp, .. }) = viewer.incoming.reports.recv().await {
                assert_eq!(ssrc, shown.slot.ssrc());
                return rtp;
            }
        }
    });
    // The report is about now, at most some seconds after the frame.
    let ticks = report.await.expect("a sender report comes").wrapping_sub(shown.timestamp);
    assert!(ticks < 90_000 * 10, "{ticks} ticks after the frame");
}

#[tokio::test]
async fn what_a_publisher_lost_is_asked_for_once_it_is_seen() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish { mic: false, ..Wish::STAGE }).await;
    // What nobody looks at needs no repair.
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    ann.show(true, b"key").await;
    viewer.packet("the first frame", |_| true).await;
    // A number that never leaves the client.
    ann.path.loss.start(1_000, 1);
    ann.show(false, b"lost").await;
    ann.path.loss.start(0, 1);
    ann.show(false, b"next").await;
    let lost = timeout(PATIENCE, async {
        loop {
            if let Some(Message::Nack { ssrc, lost }) = ann.incoming.reports.recv().await {
                assert_eq!(ssrc, Ssrc(ann.ssrcs.camera));
                return lost;
            }
        }
    });
    assert_eq!(lost.await.expect("a NACK comes").len(), 1);
    // It is asked for a bounded number of times.
    pause(1_500).await;
    let mut asked = 1;
    while let Ok(message) = ann.incoming.reports.try_recv() {
        asked += usize::from(matches!(message, Message::Nack { .. }));
    }
    assert!((2..=10).contains(&asked), "asked {asked} times");
    assert_eq!(done(&server, Tally::Recovered), 0);
}
