//! Forwarding allocates nothing per packet and viewer: a counting allocator watches the worker threads.
#![allow(unsafe_code, reason = "a global allocator is unsafe by nature")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use dais_media::rtp::Header;
use dais_media::{Codec, Generation, MediaKind, MediaPlane, ParticipantId, RoomChange, Slot};
use support::{CAMERA, MIC, Peer, ROOM, block_on, config, connect, send};

/// Counts the allocations of threads that are not the test's own.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
thread_local! {
    static MINE: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !MINE.try_with(Cell::get).unwrap_or(true) {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const VIEWERS: u32 = 20;

/// Sends `count` packets of each kind and reads them at every viewer, so that no buffer overflows.
fn forward(publisher: &mut Peer, viewers: &mut [Peer], payload_type: u8, from: u64, count: u64) -> u64 {
    let mut received = 0;
    for seq in from..from + count {
        let key = seq == 1;
        let mut video = match payload_type {
            96 => vec![0x10, u8::from(!key)],
            // I, L, B and E, P unless it is a key frame; a picture id of 15 bits, a layer, TL0PICIDX.
            _ => vec![if key { 0xac } else { 0xec }, 0x80 | (seq >> 8) as u8, seq as u8, 0, seq as u8],
        };
        video.resize(1_000, 7);
        send(publisher, CAMERA, payload_type, seq, &video, false);
        send(publisher, MIC, 111, seq, &[9; 80], true);
        for viewer in viewers.iter_mut() {
            for _ in 0..2 {
                let mut buf = [0; 2048];
                while let Ok(len) = viewer.socket.recv(&mut buf) {
                    if dais_media::rtcp::is_rtcp(&buf[..len]) || buf[0] < 128 {
                        continue;
                    }
                    let header = Header::parse(&buf[..len]).unwrap();
                    viewer.keys.receiver.unprotect_rtp(&mut buf[..len], &header).unwrap();
                    received += 1;
                    break;
                }
            }
        }
    }
    received
}

#[test]
fn forwarding_allocates_nothing_per_packet_and_viewer_in_either_codec() {
    MINE.with(|mine| mine.set(true));
    for (codec, payload_type) in [(Codec::Vp8, 96), (Codec::Vp9, 98)] {
        allocates_nothing(codec, payload_type);
    }
}

fn allocates_nothing(codec: Codec, payload_type: u8) {
    let plane = MediaPlane::start(&config()).unwrap();
    let _events = block_on(plane.open_room(ROOM));
    let mut publisher = connect(&plane, 1, true, (codec, &[payload_type]));
    let mut viewers: Vec<_> = (0..VIEWERS).map(|n| connect(&plane, 2 + n, false, (codec, &[payload_type]))).collect();
    let occupant = Some(ParticipantId(1));
    let changes = [Slot::camera(0), Slot::voice(0)].map(|slot| RoomChange::Map {
        slot: slot.unwrap(),
        generation: Generation(1),
        occupant,
    });
    block_on(plane.change(ROOM, changes.to_vec()));
    let permits = [MediaKind::Mic, MediaKind::Camera];
    let permits = permits.map(|kind| RoomChange::Permit { participant: ParticipantId(1), kind, permitted: true });
    block_on(plane.change(ROOM, permits.to_vec()));

    // Until the rings are full every packet takes a new buffer.
    forward(&mut publisher, &mut viewers, payload_type, 1, 700);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let count = 2_000;
    let forwarded = forward(&mut publisher, &mut viewers, payload_type, 701, count);
    assert_eq!(forwarded, 2 * count * u64::from(VIEWERS), "every packet came to every viewer");
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    // What remains belongs to the clock, not to the packets: reports and requests of 22 peers once a second each.
    println!("{codec:?}: {allocations} allocations while {forwarded} packets were forwarded");
    assert!(allocations * 50 < forwarded, "{allocations} allocations for {forwarded} packets");
    assert!(allocations < 2 * count, "fewer than one for each packet that came in: {allocations}");
}
