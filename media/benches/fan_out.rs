//! A tick's packets to many viewers without I/O: numbers, headers, encryption. `cargo bench -p dais-media --features bench
//! --bench fan_out`.

use std::cell::RefCell;

use dais_media::bench::Audience;
use divan::Bencher;
use divan::counter::ItemsCount;

const VIEWERS: u32 = 300;
/// Bytes of payload of a picture's packet.
const PICTURE: usize = 1_100;
/// Bytes of payload of a voice's packet.
const VOICE: usize = 80;
/// Bytes that push everything else out of the caches.
const OTHERS: usize = 64 << 20;

fn main() {
    divan::main();
}

/// A picture's packets of a tick, with everything in the caches that fits: packets, and whether viewers tell how they arrive.
#[divan::bench(sample_size = 1, sample_count = 1_000, args = [(1, false), (5, false), (5, true)])]
fn video(bencher: Bencher, (packets, estimated): (u64, bool)) {
    run(bencher, packets, estimated, PICTURE, || ());
}

/// The same while the caches hold something else, as they do when the kernel has copied a tick's packets and others run beside it.
#[divan::bench(sample_size = 1, sample_count = 1_000, args = [(1, false), (5, false), (5, true)])]
fn video_cold(bencher: Bencher, (packets, estimated): (u64, bool)) {
    let others = RefCell::new(vec![0u8; OTHERS]);
    run(bencher, packets, estimated, PICTURE, || touch(&mut others.borrow_mut()));
}

/// A voice's packets of a tick.
#[divan::bench(sample_size = 1, sample_count = 1_000, args = [(1, false), (4, false)])]
fn voice(bencher: Bencher, (packets, estimated): (u64, bool)) {
    run(bencher, packets, estimated, VOICE, || ());
}

/// Everybody's feedback of two ticks of five packets; an item is a packet that is told of. The caches hold something else.
#[divan::bench(sample_size = 1, sample_count = 1_000)]
fn feedback_cold(bencher: Bencher) {
    let (mut others, audience) = (vec![0u8; OTHERS], RefCell::new(Audience::new(VIEWERS, true)));
    let play = || {
        let mut audience = audience.borrow_mut();
        let sent: u64 = (0..2).map(|_| audience.tick(5, PICTURE)).sum();
        touch(&mut others);
        sent
    };
    let items = ItemsCount::new(10 * VIEWERS);
    bencher.counter(items).with_inputs(play).bench_local_values(|sent| {
        assert_eq!(audience.borrow_mut().hear(), sent);
    });
}

fn run(bencher: Bencher, packets: u64, estimated: bool, len: usize, before: impl Fn()) {
    let audience = RefCell::new(Audience::new(VIEWERS, estimated));
    let copies = packets * u64::from(VIEWERS);
    let prepare = || {
        audience.borrow_mut().hear();
        before();
    };
    bencher.counter(ItemsCount::new(copies)).with_inputs(prepare).bench_local_values(|()| {
        assert_eq!(audience.borrow_mut().tick(packets, len), copies);
    });
}

/// Has every line of `memory` in the caches.
fn touch(memory: &mut [u8]) {
    memory.chunks_mut(64).for_each(|line| line[0] = line[0].wrapping_add(1));
    divan::black_box(memory);
}
