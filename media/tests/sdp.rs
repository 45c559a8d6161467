//! Real offers of Chromium 156 and Firefox 153, with 37 m-sections each.

use dais_media::limits::SLOTS;
use dais_media::sdp::{AnswerParams, Offer, answer};
use dais_media::{Credentials, Identity, MediaKind, Slot};

const CHROMIUM: &str = include_str!("data/chromium156-offer.sdp");
const FIREFOX: &str = include_str!("data/firefox153-offer.sdp");

fn answered(sdp: &str) -> (Offer, String) {
    let offer = Offer::parse(sdp).unwrap();
    let ice = Credentials::random().unwrap();
    let fingerprint = Identity::generate().unwrap().fingerprint();
    let candidates = ["127.0.0.1:5000".parse().unwrap(), "[::1]:5000".parse().unwrap()];
    let text = answer(&offer, &AnswerParams { ice: &ice, fingerprint, candidates: &candidates });
    (offer, text)
}

#[test]
fn payload_types_and_extension_ids_are_the_browsers_own() {
    for (sdp, opus, vp8, rtx, mid, rid) in [(CHROMIUM, 111, 96, 97, 4, 10), (FIREFOX, 109, 120, 124, 3, 9)] {
        let (offer, _) = answered(sdp);
        let session = &offer.session;
        let camera = session.sending(MediaKind::Camera).unwrap();
        assert_eq!((camera.payload_type, camera.rtx_payload_type), (vp8, Some(rtx)));
        assert_eq!(camera.rids.iter().map(String::as_str).collect::<Vec<_>>(), ["q", "h", "f"]);
        assert_eq!(camera.ssrc, None, "layers are told apart by rid");
        assert_eq!(session.sending(MediaKind::Mic).unwrap().payload_type, opus);
        assert_eq!((session.extensions.mid, session.extensions.rid), (Some(mid), Some(rid)));
        assert_eq!(session.kind_of_mid(b"0"), Some(MediaKind::Mic));
        assert_eq!(session.kind_of_mid(b"1"), Some(MediaKind::Camera));
        assert_eq!(session.kind_of_mid(b"9"), None, "a receiving section sends nothing");
        let slots = Slot::all().filter(|slot| session.receiving(*slot).is_some()).count();
        assert!((33..=SLOTS).contains(&slots), "{slots}");
    }
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
        assert_eq!(text.matches("a=candidate:").count(), 2);
        assert_eq!(text.matches("a=setup:passive").count(), 1);
        assert!(text.contains("a=simulcast:recv q;h;f\r\n"));
        assert!(text.lines().all(|line| line.len() < 200) && text.split("\r\n").count() > 300);
        let ssrcs: Vec<_> = text.lines().filter_map(|l| l.strip_prefix("a=ssrc:")).collect();
        assert_eq!(ssrcs.len(), ssrcs.iter().collect::<std::collections::BTreeSet<_>>().len());
    }
}

#[test]
fn an_offer_cut_anywhere_is_an_error_or_smaller_but_never_a_panic() {
    for at in (0..CHROMIUM.len()).step_by(97) {
        let _ = Offer::parse(&CHROMIUM[..at]);
    }
}
