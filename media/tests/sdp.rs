//! Real offers of Chromium 156 and Firefox 153, with 37 m-sections each.

use dais_media::limits::SLOTS;
use dais_media::sdp::{AnswerParams, Candidates, Format, Offer, SdpError, answer};
use dais_media::{Codec, Credentials, Identity, MediaKind, Slot, WorkerId};

const CHROMIUM: &str = include_str!("data/chromium156-offer.sdp");
const FIREFOX: &str = include_str!("data/firefox153-offer.sdp");

fn answered(sdp: &str) -> (Offer, String) {
    let offer = Offer::parse(sdp, Codec::Vp8).unwrap();
    let text = answer_to(&offer);
    (offer, text)
}

fn answer_to(offer: &Offer) -> String {
    let ice = Credentials::random(WorkerId(0)).unwrap();
    let fingerprint = Identity::generate().unwrap().fingerprint();
    let candidates = ["127.0.0.1:5000".parse().unwrap(), "[::1]:5000".parse().unwrap()];
    let candidates = Candidates { udp: &candidates, tcp: &["127.0.0.1:5001".parse().unwrap()] };
    answer(offer, &AnswerParams { ice: &ice, fingerprint, candidates })
}

#[test]
fn payload_types_and_extension_ids_are_the_browsers_own() {
    for (sdp, opus, vp8, rtx, mid, rid) in [(CHROMIUM, 111, 96, 97, 4, 10), (FIREFOX, 109, 120, 124, 3, 9)] {
        let (offer, _) = answered(sdp);
        let session = &offer.session;
        let camera = session.sending(MediaKind::Camera).unwrap();
        let format =
            Format { codec: Some(Codec::Vp8), payload_type: vp8, rtx_payload_type: Some(rtx), red_payload_type: None };
        assert_eq!(camera.formats[..], [format]);
        assert_eq!(camera.rids.iter().map(String::as_str).collect::<Vec<_>>(), ["q", "h", "f"]);
        assert_eq!(camera.ssrc, None, "layers are told apart by rid");
        assert_eq!(session.sending(MediaKind::Mic).unwrap().formats[0].payload_type, opus);
        assert_eq!((session.extensions.mid, session.extensions.rid), (Some(mid), Some(rid)));
        assert_eq!(session.kind_of_mid(b"0"), Some(MediaKind::Mic));
        assert_eq!(session.kind_of_mid(b"1"), Some(MediaKind::Camera));
        assert_eq!(session.kind_of_mid(b"9"), None, "a receiving section sends nothing");
        let slots = Slot::all().filter(|slot| session.receiving(*slot).is_some()).count();
        assert!((33..=SLOTS).contains(&slots), "{slots}");
    }
}

#[test]
fn redundant_audio_can_be_had_and_is_not_what_is_sent_first() {
    let redundant = |fmtp: &str| {
        let offered = CHROMIUM.replace("SAVPF 111\r\n", "SAVPF 111 63\r\n");
        let mapped = format!("a=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 {fmtp}\r\n");
        answered(&offered.replace("a=rtpmap:111 opus/48000/2\r\n", &mapped))
    };
    let (offer, answer) = redundant("111/111");
    let mic = offer.session.sending(MediaKind::Mic).unwrap().formats[0];
    let voice = offer.session.receiving(Slot::voice(0).unwrap()).unwrap().formats[0];
    assert_eq!([mic, voice].map(|format| (format.payload_type, format.red_payload_type)), [(111, Some(63)); 2]);
    let sections = answer.matches("m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n").count();
    assert_eq!(sections, CHROMIUM.matches("m=audio").count());
    assert_eq!(answer.matches("a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n").count(), sections);
    for other in ["111", "110/110", "111/110", ""] {
        let (offer, answer) = redundant(other);
        assert_eq!(offer.session.sending(MediaKind::Mic).unwrap().formats[0].red_payload_type, None, "{other}");
        assert!(!answer.contains("red/48000"), "{other}");
    }
}

#[test]
fn a_microphone_sends_little_in_silence_and_whatever_is_sent_can_repair_itself() {
    for (sdp, fmtp) in [
        (CHROMIUM, "a=fmtp:111 minptime=10;useinbandfec=1"),
        (FIREFOX, "a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1"),
    ] {
        let (_, answer) = answered(sdp);
        let sections: Vec<_> = answer.split("\r\nm=").filter(|section| section.starts_with("audio")).collect();
        assert!(sections.iter().all(|section| section.contains(fmtp)), "{answer}");
        let silent = sections.iter().map(|section| section.contains(&format!("{fmtp};usedtx=1\r\n")));
        assert_eq!(silent.collect::<Vec<_>>(), (0..sections.len()).map(|n| n == 0).collect::<Vec<_>>());
    }
    let (_, answer) = answered(&CHROMIUM.replace("useinbandfec=1", "useinbandfec=1;usedtx=0"));
    assert!(!answer.contains("usedtx=1"), "who does not want it is not asked");
    let (head, rest) = CHROMIUM.split_once("m=audio").unwrap();
    let mic = rest.split("m=").next().unwrap();
    let head = head.lines().filter(|line| !line.starts_with("a=group")).collect::<Vec<_>>().join("\r\n");
    let offer = Offer::parse_publisher(&format!("{head}\r\na=group:BUNDLE 0\r\nm=audio{mic}"), Codec::Vp8).unwrap();
    assert!(!answer_to(&offer).contains("usedtx=1"), "an encoder may send music");
}

#[test]
fn the_answer_has_every_section_of_the_offer_in_order() {
    for sdp in [CHROMIUM, FIREFOX] {
        let (_, text) = answered(sdp);
        let mids = |sdp: &str| -> Vec<String> {
            sdp.lines().filter_map(|l| l.strip_prefix("a=mid:")).map(Into::into).collect()
        };
        assert_eq!(mids(&text), mids(sdp));
        let kinds = |sdp: &str| -> Vec<String> {
            sdp.lines().filter_map(|l| l.strip_prefix("m=")).map(|l| l.split(' ').next().unwrap().to_owned()).collect()
        };
        assert_eq!(kinds(&text), kinds(sdp));
        let first_section = text.find("m=").unwrap();
        assert!(text[..first_section].contains("a=fingerprint:sha-256 "), "Firefox needs it at session level");
        let candidates: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("a=candidate:")).collect();
        let expected = [
            "1 1 udp 2130706431 127.0.0.1 5000 typ host",
            "2 1 udp 2130706175 ::1 5000 typ host",
            "3 1 tcp 1520435199 127.0.0.1 5001 typ host tcptype passive",
        ];
        assert_eq!(candidates, expected);
        assert_eq!(text.matches("a=setup:passive").count(), 1);
        assert!(text.contains("a=simulcast:recv q;h;f\r\n"));
        assert!(text.lines().all(|line| line.len() < 200) && text.split("\r\n").count() > 300);
        let ssrcs: Vec<_> = text.lines().filter_map(|l| l.strip_prefix("a=ssrc:")).collect();
        assert_eq!(ssrcs.len(), ssrcs.iter().collect::<std::collections::BTreeSet<_>>().len());
    }
}

/// One audio and one video section, as encoders and players offer them.
fn standard(audio: &str, video: &str) -> String {
    let mut sdp = String::from("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n");
    let fingerprint = ["AB"; 32].join(":");
    sdp += &format!("a=fingerprint:sha-256 {fingerprint}\r\na=ice-ufrag:abcd\r\na=ice-pwd:{}\r\n", "p".repeat(22));
    sdp += "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=setup:actpass\r\na=rtpmap:96 OPUS/48000/2\r\n";
    sdp += &format!("{audio}m=video 9 UDP/TLS/RTP/SAVPF 102 97\r\na=mid:1\r\n");
    sdp += "a=rtpmap:102 H264/90000\r\na=rtpmap:97 VP8/90000\r\n";
    sdp + video
}

#[test]
fn what_a_publisher_offers_both_ways_it_sends_and_what_a_player_does_it_receives() {
    for ways in ["a=sendrecv\r\n", ""] {
        let sdp = standard(ways, ways);
        let published = Offer::parse_publisher(&sdp, Codec::Vp8).unwrap().session;
        assert_eq!(published.sending(MediaKind::Mic).unwrap().formats[0].payload_type, 96);
        assert_eq!(
            published.sending(MediaKind::Camera).unwrap().formats[0].payload_type,
            97,
            "VP8, whatever stands before it"
        );
        assert!(Slot::all().all(|slot| published.receiving(slot).is_none()));
        let played = Offer::parse_player(&sdp, Codec::Vp8).unwrap().session;
        let slots: Vec<_> = Slot::all().filter(|slot| played.receiving(*slot).is_some()).collect();
        assert_eq!(slots, [Slot::camera(0).unwrap(), Slot::voice(0).unwrap()]);
        assert!(MediaKind::ALL.iter().all(|kind| played.sending(*kind).is_none()));
        assert!(played.follows && !published.follows, "one picture and one voice");
        assert_eq!(Offer::parse(&sdp, Codec::Vp8).unwrap_err(), SdpError::Direction(0), "the page says which way");
    }
}

#[test]
fn a_player_with_a_second_picture_follows_nobody() {
    let one = standard("", "");
    let more = one.replace("BUNDLE 0 1", "BUNDLE 0 1 2") + "m=video 9 UDP/TLS/RTP/SAVPF 97\r\na=mid:2\r\n";
    let more = Offer::parse_player(&(more + "a=rtpmap:97 VP8/90000\r\n"), Codec::Vp8).unwrap().session;
    assert!(more.receiving(Slot::camera(1).unwrap()).is_some() && !more.follows);
    assert!(!Offer::parse(CHROMIUM, Codec::Vp8).unwrap().session.follows);
}

#[test]
fn a_section_the_wrong_way_round_is_refused() {
    let [send, receive, inactive] = ["a=sendonly\r\n", "a=recvonly\r\n", "a=inactive\r\n"];
    assert!(
        Offer::parse_publisher(&standard(send, send), Codec::Vp8).is_ok()
            && Offer::parse_player(&standard(receive, ""), Codec::Vp8).is_ok()
    );
    for wrong in [receive, inactive] {
        assert_eq!(Offer::parse_publisher(&standard(send, wrong), Codec::Vp8).unwrap_err(), SdpError::Direction(1));
    }
    for wrong in [send, inactive] {
        assert_eq!(Offer::parse_player(&standard(receive, wrong), Codec::Vp8).unwrap_err(), SdpError::Direction(1));
    }
}

#[test]
fn an_encoder_without_vp8_is_told_that_it_is_the_codec() {
    let h264 = standard("a=sendonly\r\n", "a=sendonly\r\n").replace("a=rtpmap:97 VP8/90000\r\n", "");
    let error = Offer::parse_publisher(&h264, Codec::Vp8).unwrap_err();
    assert_eq!((&error, error.code()), (&SdpError::Codec(1), "sdp_codec"));
}

/// The offer of a Chromium that has H.264, as the page trims it: two formats beside VP8 that nobody else may have.
fn with_h264() -> String {
    let h264 = |payload_type: u8, parameters: &str| {
        let rtx = payload_type + 1;
        format!(
            "a=rtpmap:{payload_type} H264/90000\r\na=rtcp-fb:{payload_type} transport-cc\r\n\
             a=fmtp:{payload_type} level-asymmetry-allowed=1;{parameters}\r\n\
             a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={payload_type}\r\n"
        )
    };
    let formats = [
        h264(102, "packetization-mode=0;profile-level-id=42e01f"),
        h264(104, "packetization-mode=1;profile-level-id=64001f"),
        h264(108, "packetization-mode=1;profile-level-id=42e01f"),
    ];
    CHROMIUM.replace("a=rtpmap:96 VP8/90000\r\n", &format!("{}a=rtpmap:96 VP8/90000\r\n", formats.concat()))
}

#[test]
fn a_section_has_the_codec_of_the_room_and_vp8_behind_it() {
    let offer = Offer::parse(&with_h264(), Codec::H264).unwrap();
    let formats = |formats: &[Format]| -> Vec<_> {
        formats.iter().map(|format| (format.codec, format.payload_type, format.rtx_payload_type)).collect()
    };
    let expected = [(Some(Codec::H264), 108, Some(109)), (Some(Codec::Vp8), 96, Some(97))];
    assert_eq!(formats(&offer.session.sending(MediaKind::Camera).unwrap().formats), expected);
    assert_eq!(formats(&offer.session.receiving(Slot::SCREEN).unwrap().formats), expected);
    assert!(offer.session.receiving(Slot::SCREEN).unwrap().transport_cc.is_some());
    let text = answer_to(&offer);
    let sections = text.lines().filter(|line| line.starts_with("m=video"));
    assert!(sections.clone().count() > 25 && sections.clone().all(|line| line.ends_with(" 108 109 96 97")));
    for line in [
        "a=rtpmap:108 H264/90000",
        "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "a=fmtp:109 apt=108",
        "a=rtcp-fb:108 nack pli",
        "a=rtcp-fb:108 transport-cc",
        "a=rtcp-fb:96 transport-cc",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line}");
    }
}

#[test]
fn who_decodes_the_codec_of_the_room_has_it_in_every_section_that_receives_pictures() {
    let session = Offer::parse(&with_h264(), Codec::H264).unwrap().session;
    assert!(session.decodes(Codec::H264) && session.decodes(Codec::Vp8) && !session.decodes(Codec::Av1));
    let fallback = Offer::parse(FIREFOX, Codec::H264).unwrap().session;
    assert!(!fallback.decodes(Codec::H264) && fallback.decodes(Codec::Vp8));
    let publisher = Offer::parse_publisher(&standard("", ""), Codec::Vp8).unwrap().session;
    assert!(publisher.decodes(Codec::Av1), "nothing is sent to a publisher");
}

#[test]
fn an_encoder_with_h264_alone_is_for_rooms_of_h264() {
    let parameters = "a=sendonly\r\na=fmtp:102 profile-level-id=42e01f;packetization-mode=1\r\n";
    let h264 = standard("a=sendonly\r\n", parameters).replace("a=rtpmap:97 VP8/90000\r\n", "");
    let session = Offer::parse_publisher(&h264, Codec::H264).unwrap().session;
    let [format] = session.sending(MediaKind::Camera).unwrap().formats[..] else { panic!("one format") };
    assert_eq!((format.codec, format.payload_type), (Some(Codec::H264), 102));
    assert_eq!(Offer::parse_publisher(&h264, Codec::Vp9).unwrap_err(), SdpError::Codec(1));
}

#[test]
fn variants_of_a_codec_that_others_may_not_have_are_no_formats() {
    for (codec, name, parameters, fits) in [
        (Codec::Vp9, "VP9", "profile-id=0", true),
        (Codec::Vp9, "VP9", "", true),
        (Codec::Vp9, "VP9", "profile-id=2", false),
        (Codec::Av1, "AV1", "level-idx=5;profile=0;tier=0", true),
        (Codec::Av1, "AV1", "profile=1", false),
        (Codec::H264, "H264", "packetization-mode=1;profile-level-id=42001f", false),
        (Codec::H264, "H264", "packetization-mode=1;profile-level-id=4d001f", false),
        (Codec::H264, "H264", "profile-level-id=42e01f", false),
        (Codec::H264, "H264", "", false),
    ] {
        let video = format!("a=sendonly\r\na=fmtp:102 {parameters}\r\n");
        let sdp = standard("a=sendonly\r\n", &video).replace("H264/90000", &format!("{name}/90000"));
        let session = Offer::parse_publisher(&sdp, codec).unwrap().session;
        let formats = &session.sending(MediaKind::Camera).unwrap().formats;
        assert_eq!(formats.iter().any(|format| format.codec == Some(codec)), fits, "{name} {parameters}");
        assert_eq!(formats.last().unwrap().codec, Some(Codec::Vp8));
    }
}

#[test]
fn an_offer_cut_anywhere_is_an_error_or_smaller_but_never_a_panic() {
    for at in (0..CHROMIUM.len()).step_by(97) {
        let _ = Offer::parse(&CHROMIUM[..at], Codec::Vp8);
    }
}
