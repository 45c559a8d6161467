//! A tick's packets to 1,000 viewers without I/O: numbers, headers, encryption. `cargo bench -p dais-media --features
//! bench --bench fan_out`.

use dais_media::bench::Audience;
use divan::Bencher;
use divan::counter::ItemsCount;

const VIEWERS: u32 = 1_000;

fn main() {
    divan::main();
}

/// Packets of a tick, with 1,200 bytes of payload each: a packet by itself, and a burst of a camera.
#[divan::bench(args = [1, 4, 8])]
fn video(bencher: Bencher, packets: u64) {
    run(bencher, packets, 1_200);
}

/// Packets of a tick with the size of a voice.
#[divan::bench(args = [1, 4])]
fn voice(bencher: Bencher, packets: u64) {
    run(bencher, packets, 80);
}

fn run(bencher: Bencher, packets: u64, len: usize) {
    let mut audience = Audience::new(VIEWERS);
    assert_eq!(audience.tick(packets, len), packets * u64::from(VIEWERS));
    bencher.counter(ItemsCount::new(packets * u64::from(VIEWERS))).bench_local(|| audience.tick(packets, len));
}
