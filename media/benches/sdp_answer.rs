//! Time to answer a browser's offer for the full layout: parse, negotiate, write.

use dais_media::sdp::{AnswerParams, Candidates, Offer, answer};
use dais_media::{Codec, Credentials, Identity, WorkerId};

fn main() {
    divan::main();
}

#[divan::bench(args = ["chromium", "firefox"])]
fn full_layout(bencher: divan::Bencher<'_, '_>, browser: &str) {
    let offer = match browser {
        "chromium" => include_str!("../tests/data/chromium156-offer.sdp"),
        _ => include_str!("../tests/data/firefox153-offer.sdp"),
    };
    let ice = Credentials::random(WorkerId(0)).expect("the system has randomness");
    let fingerprint = Identity::generate().expect("a certificate can be made").fingerprint();
    let candidates = ["127.0.0.1:5000".parse().expect("an address")];
    let candidates = Candidates { udp: &candidates, tcp: &[] };
    let params = AnswerParams { ice: &ice, fingerprint, candidates };
    bencher.bench(|| {
        let offer = Offer::parse(divan::black_box(offer), Codec::Vp8).expect("a browser's offer is accepted");
        answer(&offer, &params)
    });
}
