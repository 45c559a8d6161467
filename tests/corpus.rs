//! Replays the seed corpus of every fuzz target, with every cut and some changed bytes.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::PathBuf;

use dais_media::{Ssrc, ice, rtcp};

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 6] = [
    ("stun", targets::stun),
    ("rtp", targets::rtp),
    ("payload", targets::payload),
    ("rtcp", targets::rtcp),
    ("sdp", targets::sdp),
    ("protocol", targets::protocol),
];

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder(target)).unwrap_or_else(|error| panic!("no corpus for {target}: {error}"));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn every_seed_is_handled_without_a_panic() {
    for (name, target) in TARGETS {
        let seeds = corpus(name);
        assert!(seeds.len() >= 3, "{name} has a seed corpus");
        for (path, seed) in seeds {
            println!("{}", path.display());
            target(&seed);
        }
    }
}

#[test]
fn every_cut_and_many_changes_of_a_seed_are_handled_without_a_panic() {
    for (name, target) in TARGETS {
        for (_, seed) in corpus(name) {
            let step = seed.len() / 400 + 1;
            for at in (0..seed.len()).step_by(step) {
                target(&seed[..at]);
                for bit in [0x01, 0x10, 0x80, 0xff] {
                    let mut changed = seed.clone();
                    changed[at] ^= bit;
                    target(&changed);
                }
            }
        }
    }
}

/// A header with one-byte or two-byte extensions before a payload.
fn rtp_packet(profile: [u8; 2], extensions: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7];
    packet.extend(profile);
    packet.extend((extensions.len() as u16 / 4).to_be_bytes());
    packet.extend(extensions);
    packet.extend(payload);
    packet
}

fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let check = |nominate| ice::binding_request("peer", "ABCDEFGH", "a password", nominate).unwrap();
    let vp8 = [0x90, 0xe0, 0x81, 0x2c, 7, 0x20, 0x10, 2, 0, 0x9d, 1, 0x2a];
    let sample = |text: &str| text.as_bytes().to_vec();
    let mut compound = rtcp::nack(Ssrc(0x0DA1_5000), &[1, 2, 40]);
    compound.extend(rtcp::picture_loss(Ssrc(0x0DA1_5000)));
    let report = [
        0x80, 200, 0, 6, 0, 0, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0x80, 201, 0, 1, 0, 0,
        0, 5,
    ];
    let fir = [0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0x0d, 0xa1, 0x50, 0, 1, 0, 0, 0];
    // Two packets before, of 3 and 2 bytes.
    let redundant = [0xef, 0x1e, 0x00, 0x03, 0xef, 0x0f, 0x00, 0x02, 0x6f, 1, 2, 3, 4, 5, 6, 7];
    let twcc = [0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 2, 0, 0, 1, 0, 0x20, 2, 4, 4];
    vec![
        ("stun", "check", check(false)),
        ("stun", "nominating-check", check(true)),
        ("stun", "cut-short", check(true)[..30].to_vec()),
        ("rtp", "one-byte-extensions", rtp_packet([0xbe, 0xde], &[0x10, 0x9e, 0x31, 0, 7, 0x40, b'1', 0], &vp8)),
        ("rtp", "two-byte-extensions", rtp_packet([0x10, 0x00], &[4, 1, b'q', 0, 20, 2, 8, 9], &vp8)),
        ("rtp", "extension-past-its-end", rtp_packet([0xbe, 0xde], &[0x1f, 1, 2, 3], &vp8)),
        (
            "rtp",
            "padding",
            [&[0xb0, 96, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7, 0xbe, 0xde, 0, 0][..], &vp8, &[0, 0, 3]].concat(),
        ),
        ("rtp", "redundant-audio", [&[0x80, 63, 0, 5, 0, 0, 15, 0, 0, 0, 1, 0][..], &redundant].concat()),
        ("payload", "vp8-key-frame", [&[0][..], &vp8].concat()),
        ("payload", "h264-parameter-sets", vec![1, 0x78, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 3, 0x68, 0xce, 0x3c]),
        ("payload", "h264-fragment", vec![1, 0x7c, 0x85, 0x88, 0x84]),
        ("payload", "vp9-key-frame", vec![2, 0xae, 0x81, 0x2c, 0, 7, 0x10, 2, 0x80, 1, 0x68, 0x82, 0x49]),
        ("payload", "vp9-flexible", vec![2, 0xf8, 0x81, 0x2c, 0, 3, 4, 0x99]),
        ("payload", "av1-key-frame", vec![3, 0x28, 3, 0x0a, 0x0b, 0, 0x32, 0x10, 0]),
        ("rtcp", "nack-and-pli", compound),
        ("rtcp", "reports", report.to_vec()),
        ("rtcp", "fir", fir.to_vec()),
        ("rtcp", "transport-feedback", twcc.to_vec()),
        ("sdp", "chromium-156", sample(include_str!("../media/tests/data/chromium156-offer.sdp"))),
        ("sdp", "firefox-153", sample(include_str!("../media/tests/data/firefox153-offer.sdp"))),
        ("sdp", "empty", sample("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n")),
        ("protocol", "hello", sample(r#"{"type":"hello","protocol":1,"token":"a.b.c"}"#)),
        (
            "protocol",
            "enter",
            sample(r#"{"type":"enter","id":1,"place":"stage","mic":true,"camera":true,"offer":"v=0"}"#),
        ),
        ("protocol", "remove", sample(r#"{"type":"remove_from_stage","id":9,"participant":4}"#)),
        ("protocol", "unknown", sample(r#"{"type":"dance","id":9}"#)),
    ]
}

/// Connectivity checks hold a random transaction id: those committed stay as they are.
#[test]
fn the_seeds_are_up_to_date() {
    let update = std::env::var_os("DAIS_UPDATE_GENERATED").is_some();
    for (target, name, seed) in seeds() {
        let path = folder(target).join(name);
        if update && !(target == "stun" && path.exists()) {
            fs::create_dir_all(folder(target)).unwrap();
            fs::write(&path, &seed).unwrap();
        }
        let committed = fs::read(&path).unwrap_or_default();
        let same = if target == "stun" { committed.len() == seed.len() } else { committed == seed };
        assert!(same, "{} is not what it should be: run `cargo xtask gen`", path.display());
    }
}
