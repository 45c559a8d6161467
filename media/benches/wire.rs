//! What the wire formats cost: reading a packet's header, answering a connectivity check, protecting a packet.

fn main() {
    divan::main();
}

mod rtp {
    use dais_media::rtp::Header;

    /// As Chromium sends video: one-byte extensions with a transport-wide number, mid and rid.
    fn packet() -> Vec<u8> {
        let mut packet = vec![0x90, 96, 0x12, 0x34, 0, 1, 0, 0, 0, 0, 0, 7, 0xbe, 0xde, 0, 3];
        packet.extend([0x31, 0x00, 0x2a, 0x40, b'0', 0xa0, b'f', 0x22, 1, 2, 3, 0]);
        packet.resize(1_200, 0x55);
        packet
    }

    #[divan::bench]
    fn parse(bencher: divan::Bencher<'_, '_>) {
        let packet = packet();
        let header = Header::parse(&packet).expect("the packet is RTP");
        assert_eq!(header.extensions(&packet).count(), 4);
        bencher.bench(|| Header::parse(divan::black_box(&packet)));
    }

    #[divan::bench]
    fn parse_with_extensions(bencher: divan::Bencher<'_, '_>) {
        let packet = packet();
        bencher.bench(|| {
            let packet = divan::black_box(&packet);
            let header = Header::parse(packet).expect("the packet is RTP");
            header.extensions(packet).fold(0, |sum, (id, data)| sum + usize::from(id) + data.len())
        });
    }
}

mod stun {
    use std::net::SocketAddr;

    use dais_media::ice::{Request, binding_request};
    use dais_media::{Credentials, WorkerId};

    #[divan::bench]
    fn parse_authenticate_answer(bencher: divan::Bencher<'_, '_>) {
        let ours = Credentials::random(WorkerId(0)).expect("the system has randomness");
        let check = binding_request("peer", ours.ufrag.as_str(), &ours.pwd, true).expect("a check can be made");
        let from: SocketAddr = "192.0.2.7:50000".parse().expect("an address");
        let answer = |check: &[u8]| {
            let request = Request::parse(check).expect("the check is well-formed");
            request.authenticate(&ours.pwd).expect("the check is authentic");
            request.response(from, &ours.pwd).expect("the check can be answered")
        };
        assert!(!answer(&check).is_empty());
        bencher.bench(|| answer(divan::black_box(&check)));
    }

    /// Forged checks must cost as little as can be: anybody can send them.
    #[divan::bench]
    fn refuse_forged(bencher: divan::Bencher<'_, '_>) {
        let ours = Credentials::random(WorkerId(0)).expect("the system has randomness");
        let check =
            binding_request("peer", ours.ufrag.as_str(), "a wrong password", true).expect("a check can be made");
        let refuse = |check: &[u8]| Request::parse(check).and_then(|request| request.authenticate(&ours.pwd));
        assert!(refuse(&check).is_err());
        bencher.bench(|| refuse(divan::black_box(&check)));
    }
}

mod srtp {
    use dais_media::Ssrc;
    use dais_media::rtp::Header;
    use dais_media::srtp::{MasterKey, Profile, Receiver, Sender, TAG_BYTES_MAX, split_material};
    use divan::counter::BytesCount;

    const SSRC: Ssrc = Ssrc(7);
    const HEADER: usize = 24;
    const CASES: [(Profile, usize); 6] = [
        (Profile::Aes128Gcm, 80),
        (Profile::Aes128Gcm, 1_200),
        (Profile::Aes256Gcm, 80),
        (Profile::Aes256Gcm, 1_200),
        (Profile::Aes128CmSha1, 80),
        (Profile::Aes128CmSha1, 1_200),
    ];

    fn key(profile: Profile) -> MasterKey {
        let material: Vec<u8> = (0..120).collect();
        split_material(profile, &material).expect("there is enough material").0
    }

    /// A packet of `len` bytes with three CSRCs, which make its header as long as a forwarded one, and room for the tag.
    fn packet(len: usize) -> Vec<u8> {
        let mut packet = vec![0x83, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7];
        packet.resize(len + TAG_BYTES_MAX, 0x55);
        packet
    }

    #[divan::bench(args = CASES, sample_size = 100)]
    fn protect(bencher: divan::Bencher<'_, '_>, (profile, len): (Profile, usize)) {
        let sender = Sender::new(&key(profile)).expect("the key fits");
        let mut buf = packet(len);
        let mut index = 0;
        bencher.counter(BytesCount::new(len)).bench_local(|| {
            index += 1;
            sender.protect_rtp(divan::black_box(&mut buf), HEADER, len, SSRC, index)
        });
    }

    #[divan::bench(args = CASES, sample_size = 100)]
    fn unprotect(bencher: divan::Bencher<'_, '_>, (profile, len): (Profile, usize)) {
        let key = key(profile);
        let sender = Sender::new(&key).expect("the key fits");
        let mut receiver = Receiver::new(&key).expect("the key fits");
        let mut index = 0u64;
        let next = || {
            index += 1;
            let mut buf = packet(len);
            buf[2..4].copy_from_slice(&(index as u16).to_be_bytes());
            let protected = sender.protect_rtp(&mut buf, HEADER, len, SSRC, index);
            buf.truncate(protected);
            buf
        };
        bencher.counter(BytesCount::new(len)).with_inputs(next).bench_local_refs(|buf| {
            let header = Header::parse(buf).expect("the packet is RTP");
            receiver.unprotect_rtp(buf, &header).expect("the packet is authentic")
        });
    }
}
