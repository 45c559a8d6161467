//! Each viewer gets the layer of a camera that fills what they show, and nothing they do not show.

mod support;

use std::time::Duration;

use dais_media::Ssrc;
use dais_media::rtcp::Message;
use serde_json::json;
use support::client::Wish;
use support::media::Received;
use support::{Client, PATIENCE, server};
use tokio::time::{Instant, timeout};

const SIMULCAST: Wish = Wish { mic: false, simulcast: true, ..Wish::STAGE };
/// Heights that the layers fill.
const HEIGHTS: [u16; 3] = [180, 360, 720];

/// Sends frames of all layers, with a key frame where the server asks for one, until `viewer` has what `fits`. Returns
/// everything it got on the way.
async fn show_until(
    ann: &mut Client,
    viewer: &mut Client,
    what: &str,
    fits: impl Fn(&Received) -> bool,
) -> Vec<Received> {
    let (deadline, mut got) = (Instant::now() + PATIENCE, Vec::new());
    let mut keys = [false; 3];
    while Instant::now() < deadline {
        while let Ok(message) = ann.incoming.reports.try_recv() {
            for layer in 0..3 {
                keys[usize::from(layer)] |= message == Message::KeyFrameRequest { ssrc: Ssrc(ann.layer_ssrc(layer)) };
            }
        }
        for layer in 0..3 {
            let key = std::mem::take(&mut keys[usize::from(layer)]);
            ann.show_layer(layer, key, &[b'0' + layer]).await;
        }
        while let Ok(Some(packet)) = timeout(Duration::from_millis(10), viewer.incoming.packets.recv()).await {
            let done = fits(&packet);
            got.push(packet);
            if done {
                return got;
            }
        }
    }
    panic!("never received {what}; got {:?}", got.iter().map(layer).collect::<Vec<_>>());
}

/// The layer a packet is of.
fn layer(packet: &Received) -> u8 {
    packet.payload.last().unwrap() - b'0'
}

async fn watch(viewer: &mut Client, height: u16) {
    viewer.does(json!({ "type": "watch", "cameras": [{ "slot": 0, "height": height }] })).await;
}

fn assert_continuous(packets: &[Received]) {
    let seqs: Vec<_> = packets.iter().filter(|packet| !packet.rtx).map(|packet| packet.seq).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "{seqs:?}");
}

#[tokio::test]
async fn a_viewer_gets_the_layer_that_fills_what_it_shows() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", SIMULCAST).await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    let mut all = show_until(&mut ann, &mut viewer, "the middle layer", |packet| layer(packet) == 1).await;
    for (wanted, height) in [(2, HEIGHTS[2]), (0, HEIGHTS[0]), (1, HEIGHTS[1])] {
        watch(&mut viewer, height).await;
        all.extend(show_until(&mut ann, &mut viewer, "the layer", |packet| layer(packet) == wanted).await);
        // What came before the change is over.
        let after = show_until(&mut ann, &mut viewer, "more of it", |packet| layer(packet) == wanted).await;
        assert_eq!(after.iter().map(layer).collect::<Vec<_>>(), [wanted]);
        all.extend(after);
    }
    assert_continuous(&all);
}

#[tokio::test]
async fn what_a_viewer_does_not_show_is_not_sent_and_comes_back_with_a_key_frame() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", SIMULCAST).await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    let mut all = show_until(&mut ann, &mut viewer, "the middle layer", |packet| layer(packet) == 1).await;
    viewer.does(json!({ "type": "watch", "cameras": [] })).await;
    all.extend(viewer.drain().await);
    for _ in 0..5 {
        ann.show_layer(1, true, b"1").await;
        ann.show_layer(0, true, b"0").await;
    }
    assert_eq!(viewer.drain().await.len(), 0);
    watch(&mut viewer, HEIGHTS[1]).await;
    all.extend(show_until(&mut ann, &mut viewer, "the picture again", |packet| layer(packet) == 1).await);
    assert_continuous(&all);
}

#[tokio::test]
async fn two_viewers_get_two_layers_at_the_same_time() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", SIMULCAST).await;
    let mut small = Client::enter(&server, "Small", Wish::VIEWER).await;
    let mut large = Client::enter(&server, "Large", Wish::VIEWER).await;
    watch(&mut small, HEIGHTS[0]).await;
    watch(&mut large, HEIGHTS[2]).await;
    show_until(&mut ann, &mut large, "the largest layer", |packet| layer(packet) == 2).await;
    show_until(&mut ann, &mut small, "the smallest layer", |packet| layer(packet) == 0).await;
    small.drain().await;
    large.drain().await;
    for _ in 0..10 {
        for layer in 0..3 {
            ann.show_layer(layer, false, &[b'0' + layer]).await;
        }
    }
    let layers = |packets: Vec<Received>| packets.iter().map(layer).collect::<Vec<_>>();
    assert_eq!((layers(small.drain().await), layers(large.drain().await)), (vec![0; 10], vec![2; 10]));
}

#[tokio::test]
async fn a_layer_that_stops_is_replaced_by_what_is_there() {
    let server = server().await;
    let mut ann = Client::enter(&server, "Ann", SIMULCAST).await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    let mut all = show_until(&mut ann, &mut viewer, "the middle layer", |packet| layer(packet) == 1).await;
    // The line of the publisher carries no more.
    let deadline = Instant::now() + PATIENCE;
    while all.last().is_none_or(|packet| layer(packet) != 0) {
        assert!(Instant::now() < deadline, "the smallest layer never came");
        let wanted = Message::KeyFrameRequest { ssrc: Ssrc(ann.ssrcs.camera) };
        let key = std::iter::from_fn(|| ann.media.incoming.reports.try_recv().ok()).any(|message| message == wanted);
        ann.show_layer(0, key, b"0").await;
        if let Ok(Some(packet)) = timeout(Duration::from_millis(33), viewer.incoming.packets.recv()).await {
            all.push(packet);
        }
    }
    assert_continuous(&all);
}

#[tokio::test]
async fn a_slot_that_is_not_there_cannot_be_watched() {
    let server = server().await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    let code = viewer.is_refused(json!({ "type": "watch", "cameras": [{ "slot": 25, "height": 1 }] })).await;
    assert_eq!(code, "slot_unknown");
}
