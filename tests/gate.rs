//! The gate: what a peer may not send goes no further than a counter, packet by packet.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dais_media::{DropReason, Tally};
use serde_json::json;
use support::client::Wish;
use support::media::{Numbers, vp8};
use support::{Client, done, dropped, server, until_counted};

// law: entry-viewer-sends-nothing
#[tokio::test]
async fn a_viewer_who_sends_media_is_counted_and_not_forwarded() {
    let server = server().await;
    let mut sender = Client::enter(&server, "Sender", Wish::VIEWER).await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    for n in 0..20u8 {
        sender.speak(20, &[n; 40]).await;
        sender.show(true, &[n; 200]).await;
    }
    until_counted(&server, "40 packets at a closed gate", |c| c.dropped(DropReason::GateClosed) == 40).await;
    assert_eq!(done(&server, Tally::PacketsIn), 0);
    assert_eq!(done(&server, Tally::PacketsForwarded), 0);
    assert!(viewer.drain().await.is_empty());
}

#[tokio::test]
async fn a_kind_that_is_off_is_not_forwarded_though_the_other_is_on() {
    let server = server().await;
    let mut speaker = Client::enter(&server, "Ann", Wish { camera: false, ..Wish::STAGE }).await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    for n in 0..10u8 {
        speaker.speak(20, &[n; 40]).await;
        speaker.show(true, &[n; 200]).await;
    }
    until_counted(&server, "10 video packets dropped", |c| c.dropped(DropReason::GateClosed) == 10).await;
    let received = viewer.drain().await;
    assert_eq!(received.len(), 10);
    assert!(received.iter().all(|packet| packet.csrc == speaker.you && !packet.slot.kind().is_video()));
}

/// Ann sends numbered packets without a pause while the host removes her. Whatever she sends after the host's request
/// has been acknowledged must not arrive anywhere.
#[tokio::test]
async fn from_the_moment_of_removal_no_later_packet_is_forwarded() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    let mut host = Client::enter(&server, "Host", Wish::HOST).await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;

    let sent = Arc::new(AtomicU64::new(0));
    let (path, ssrc, count) = (ann.path.clone(), ann.ssrcs.camera, Arc::clone(&sent));
    let sending = tokio::spawn(async move {
        for seq in 1_u64.. {
            // The number is taken before the packet leaves: a packet numbered above N leaves after N was read.
            count.store(seq, Ordering::SeqCst);
            let payload = vp8(seq % 50 == 1, true, seq as u16 & 0x7fff, &seq.to_be_bytes());
            path.send_video(Numbers { ssrc, seq, timestamp: seq as u32 * 900 }, true, &payload).await;
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    });
    viewer.packet("Ann's picture", |packet| packet.csrc == ann.you).await;

    host.does(json!({ "type": "remove_from_stage", "participant": ann.you })).await;
    let sent_at_ok = sent.load(Ordering::SeqCst);
    let gated = dropped(&server, DropReason::GateClosed);
    until_counted(&server, "packets at the closed gate", |c| c.dropped(DropReason::GateClosed) > gated + 200).await;
    sending.abort();

    let received = viewer.drain().await;
    let numbers = received.iter().map(|p| u64::from_be_bytes(p.payload[7..15].try_into().unwrap()));
    let last = numbers.max().unwrap_or(0);
    assert!(last <= sent_at_ok, "packet {last} was forwarded, and the removal was acknowledged at {sent_at_ok}");
    assert_eq!(ann.notice().await, json!({ "kind": "removed_from_stage", "by": "Host" }));

    // She may come back, and is seen again.
    ann.does(json!({ "type": "join_stage", "mic": true, "camera": true })).await;
    for n in 0..5u64 {
        let seq = sent.load(Ordering::SeqCst) + 10 + n;
        let payload = vp8(n == 0, true, 40 + n as u16, b"back");
        ann.path.send_video(Numbers { ssrc, seq, timestamp: n as u32 }, true, &payload).await;
    }
    viewer.packet("Ann again", |packet| packet.payload.ends_with(b"back")).await;
}

#[tokio::test]
async fn a_muted_microphone_is_closed_at_the_server() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", Wish::STAGE).await;
    let mut host = Client::enter(&server, "Host", Wish::HOST).await;
    ann.speak(20, b"before").await;
    host.packet("Ann's voice", |packet| packet.payload == b"before").await;
    host.does(json!({ "type": "mute", "participant": ann.you })).await;
    assert_eq!(ann.notice().await, json!({ "kind": "muted", "by": "Host" }));
    ann.speak(20, b"muted").await;
    until_counted(&server, "a packet at the closed gate", |c| c.dropped(DropReason::GateClosed) == 1).await;
    ann.does(json!({ "type": "set_mic", "on": true })).await;
    ann.speak(20, b"after").await;
    let next = host.packet("Ann's voice again", |_| true).await;
    assert_eq!(next.payload, b"after");
}
