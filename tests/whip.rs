//! Publishing and playing over HTTP: WHIP and WHEP.

mod support;
#[path = "support/webrtc_peer.rs"]
mod webrtc_peer;

use std::time::Duration;

use dais::{Config, Server};
use dais_media::rtcp::{self, Message};
use dais_media::{DropReason, Ssrc, Tally};
use dais_signaling::token::Claims;
use dais_stage::{Access, Role, Settings};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use serde_json::{Value, json};
use support::client::{Media, Session, Wish};
use support::http::{Answer, http};
use support::media::{Received, Unconnected, pause, vp8};
use support::offer::{Ssrcs, attribute, offer};
use support::{Client, PATIENCE, ROOM, done, dropped, server, server_with, token, until_counted};
use tokio::time::timeout;
use webrtc_peer::WebrtcPeer;

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// A WHIP or WHEP session.
struct Resource {
    path: String,
    tag: String,
    token: String,
}

impl Resource {
    fn of(created: &Answer, token: &str) -> Self {
        assert_eq!(created.status, 201, "{created:?}");
        assert_eq!(created.header("content-type"), Some(SDP));
        let header = |name: &str| created.header(name).unwrap_or_else(|| panic!("no {name}")).to_owned();
        Self { path: header("location"), tag: header("etag"), token: token.to_owned() }
    }

    async fn request(&self, server: &Server, method: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let all = [&[("authorization", bearer.as_str())], headers].concat();
        http(server, method, &self.path, &all, body).await
    }

    async fn patch(&self, server: &Server, tag: Option<&str>, body: &str) -> Answer {
        let mut headers = vec![("content-type", FRAGMENT)];
        headers.extend(tag.map(|tag| ("if-match", tag)));
        self.request(server, "PATCH", &headers, body).await
    }

    async fn delete(&self, server: &Server) -> Answer {
        self.request(server, "DELETE", &[], "").await
    }
}

/// What a client of the tests says when it trickles candidates, or restarts with another user fragment.
fn fragment(ufrag: &str) -> String {
    format!(
        "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:{ufrag}\r\n\
         a=ice-pwd:aPasswordOfTheTestsClient\r\na=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n\
         a=end-of-candidates\r\n"
    )
}

async fn post(server: &Server, endpoint: &str, token: &str, sdp: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", SDP)];
    http(server, "POST", &format!("/v1/rooms/{ROOM}/{endpoint}"), &headers, sdp).await
}

/// A token of one identity, so that two sessions with it are one person.
fn identity(server: &Server, role: Role, name: &str) -> String {
    let exp = 4_000_000_000;
    let claims = Claims { name: Some(name.to_owned()), sub: Some(name.to_owned()), ..Claims::new(ROOM, role, exp) };
    server.sign(&claims).unwrap()
}

/// The offer of an encoder that has yet to be connected.
async fn encoder() -> (Unconnected, Ssrcs, String) {
    let (unconnected, ssrcs) = (Unconnected::new().await, Ssrcs::fresh());
    let sdp = offer(unconnected.identity.fingerprint(), &unconnected.ufrag, Some(ssrcs), 0, 0);
    (unconnected, ssrcs, sdp)
}

async fn player(cameras: usize, voices: usize) -> (Unconnected, String) {
    let unconnected = Unconnected::new().await;
    let sdp = offer(unconnected.identity.fingerprint(), &unconnected.ufrag, None, cameras, voices);
    (unconnected, sdp)
}

/// Publishes microphone and camera, connected.
async fn publish(server: &Server, token: &str) -> (Resource, Media) {
    let (unconnected, ssrcs, sdp) = encoder().await;
    let created = post(server, "whip", token, &sdp).await;
    let resource = Resource::of(&created, token);
    (resource, Media::connect(unconnected, ssrcs, &created.body).await)
}

async fn play(server: &Server, token: &str, cameras: usize, voices: usize) -> (Resource, Media) {
    let (unconnected, sdp) = player(cameras, voices).await;
    let created = post(server, "whep", token, &sdp).await;
    let resource = Resource::of(&created, token);
    (resource, Media::connect(unconnected, Ssrcs::fresh(), &created.body).await)
}

/// The entry of the participant called `name` in what a session has been told last.
async fn person(session: &mut Session, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let find = |message: &Value| {
        let state = if message["type"] == "entered" { &message["state"] } else { message };
        let people = state["participants"].as_array().into_iter().flatten();
        people.into_iter().find(|person| person["name"] == name && fits(person)).cloned()
    };
    if let Some(found) = session.seen.iter().rev().find_map(find) {
        return found;
    }
    let message = session.until("somebody's entry", |message| find(message).is_some()).await;
    find(&message).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_standard_publisher_sends_a_viewer_and_a_standard_player_receive() {
    let server = server().await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    let ann = token(&server, Role::Participant, "Ann");
    let mut publisher = WebrtcPeer::new(0x1000, true, false).await;
    let created = post(&server, "whip", &ann, &publisher.offer().await).await;
    let resource = Resource::of(&created, &ann);
    assert!(created.body.contains("a=recvonly") && !created.body.contains("a=sendonly"), "{}", created.body);
    publisher.connect(&created.body).await;
    let on_stage = person(&mut viewer.session, "Ann", |person| !person["onStage"].is_null()).await;
    assert_eq!((&on_stage["onStage"]["mic"], &on_stage["onStage"]["camera"]), (&json!(true), &json!("shown")));

    let watch = token(&server, Role::Participant, "Player");
    let mut player = WebrtcPeer::new(0x2000, false, true).await;
    let played = post(&server, "whep", &watch, &player.offer().await).await;
    let watching = Resource::of(&played, &watch);
    assert!(played.body.contains("a=sendonly") && !played.body.contains("a=recvonly"), "{}", played.body);
    player.connect(&played.body).await;
    person(&mut viewer.session, "Player", |person| person["onStage"].is_null()).await;

    let (voice, picture) = ([7; 80], vp8(true, true, 9, &[3; 900]));
    let both = async {
        let (mut heard, mut seen) = (false, false);
        while !(heard && seen) {
            publisher.mic.send(&voice).await;
            publisher.camera.send(&picture).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            while let Ok((kind, packet)) = player.packets.try_recv() {
                let whose = u32::try_from(on_stage["id"].as_u64().unwrap()).unwrap();
                assert_eq!(packet.header.csrc, [whose], "the CSRC tells whose it is");
                heard |= kind == RtpCodecKind::Audio && packet.payload[..] == voice;
                seen |= kind == RtpCodecKind::Video && packet.payload.ends_with(&[3; 900]);
            }
        }
    };
    timeout(PATIENCE, both).await.expect("a picture and a voice arrive");
    let received = viewer.drain().await;
    assert!(received.iter().any(|packet| packet.payload.ends_with(&[3; 900])), "the page has the picture");
    assert!(received.iter().any(|packet| packet.payload == voice), "and the voice");

    // It ends as it began.
    let left = |id: &Value, message: &Value| message["left"].as_array().is_some_and(|left| left.contains(id));
    assert_eq!(resource.delete(&server).await.status, 200);
    viewer.session.until("that Ann left", |message| left(&on_stage["id"], message)).await;
    assert_eq!(resource.delete(&server).await.refusal(), (404, "session_unknown".to_owned()));
    assert_eq!(watching.delete(&server).await.status, 200);
    until_counted(&server, "only the viewer is left", |counters| counters.peers == 1).await;
    for peer in [&publisher, &player] {
        peer.connection.close().await.unwrap();
    }
}

#[tokio::test]
async fn whoever_publishes_is_told_the_ways_around_blocked_udp() {
    let config = Config { media_tcp_port: Some(0), turn_port: Some(0), ..Config::loopback() };
    let server = Server::start(&config).await.unwrap();
    server.open_room(ROOM, "A room", Settings::default()).await.unwrap();
    let peer = WebrtcPeer::new(0x1111, true, false).await;
    let bearer = format!("Bearer {}", token(&server, Role::Speaker, "Ann"));
    let headers = [("authorization", bearer.as_str()), ("content-type", SDP)];
    let created = http(&server, "POST", &format!("/v1/rooms/{ROOM}/whip"), &headers, &peer.offer().await).await;
    assert_eq!(created.status, 201, "{created:?}");
    assert_eq!(created.body.matches("typ host tcptype passive\r\n").count(), 1, "{created:?}");
    let link = created.header("link").expect("a TURN server is named");
    assert!(
        link.starts_with("<turn:127.0.0.1:") && link.contains("?transport=udp>; rel=\"ice-server\"; username=\""),
        "{link}"
    );
    assert!(link.ends_with("credential-type=\"password\""), "{link}");
}

#[tokio::test]
async fn the_stage_refuses_publishers_by_the_same_law_with_the_same_codes() {
    let host_only = Settings { capacity: 1, protect_moderators: true, access: Access::Request, ..Settings::default() };
    let server = server_with(host_only).await;
    let (_, _, sdp) = encoder().await;
    let refused = async |token: &str| post(&server, "whip", token, &sdp).await.refusal();
    let is = |status: u16, code: &str| (status, code.to_owned());
    let guest = token(&server, Role::Participant, "Guest");
    assert_eq!(refused(&guest).await, is(403, "stage_not_at_entry"));

    // Somebody inside is told what is missing, and stays where they are.
    let ann = identity(&server, Role::Participant, "Ann");
    let mut ann_inside = Session::open(&server).await;
    ann_inside.enter(&ann, "viewer").await;
    assert_eq!(refused(&ann).await, is(403, "ask_first"));
    ann_inside.does(json!({ "type": "ask_to_join" })).await;
    assert_eq!(refused(&ann).await, is(403, "request_pending"), "and the request is still there");
    let mut host = Session::inside(&server, "Host", Role::Host, "stage").await;
    let approve = json!({ "type": "approve", "participant": ann_inside.you });
    host.does(approve).await;
    assert_eq!(refused(&ann).await, is(409, "stage_full"), "invited, but nobody may be removed");
    assert_eq!(refused(&token(&server, Role::Speaker, "Sam")).await, is(409, "stage_full"));
    host.does(json!({ "type": "set_access", "access": "invite" })).await;
    ann_inside.does(json!({ "type": "decline_invitation" })).await;
    assert_eq!(refused(&ann).await, is(403, "invitation_needed"));

    host.does(json!({ "type": "set_lock", "locked": true })).await;
    assert_eq!(refused(&guest).await, is(403, "room_locked"));
    host.does(json!({ "type": "remove_from_room", "participant": ann_inside.you })).await;
    assert_eq!(ann_inside.closed().await, "removed_from_room");
    assert_eq!(refused(&ann).await, is(403, "removed_from_room"));
    host.does(json!({ "type": "end_session" })).await;
    host.closed().await;
    assert_eq!(refused(&guest).await, is(410, "session_ended"));
}

#[tokio::test]
async fn who_is_invited_publishes_and_a_newer_session_replaces_an_older_one_both_ways() {
    let server = server_with(Settings { access: Access::Invite, ..Settings::default() }).await;
    let mut host = Session::inside(&server, "Host", Role::Host, "viewer").await;
    let ann = identity(&server, Role::Participant, "Ann");
    let mut page = Session::open(&server).await;
    page.enter(&ann, "viewer").await;
    host.does(json!({ "type": "invite", "participant": page.you })).await;
    page.notice().await;

    let (resource, mut media) = publish(&server, &ann).await;
    assert_eq!(page.closed().await, "replaced");
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    media.show(true, b"from the encoder").await;
    let picture = viewer.packet("a picture", |packet| packet.payload.ends_with(b"from the encoder")).await;
    assert_eq!(picture.csrc, page.you, "they are who they were");

    // An encoder that starts again is on stage with what it offers, whatever was off before.
    host.does(json!({ "type": "stop_camera", "participant": page.you })).await;
    let (again, mut media) = publish(&server, &ann).await;
    assert_eq!(resource.patch(&server, Some("*"), &fragment("testclnt")).await.status, 404);
    media.show(true, b"once more").await;
    viewer.packet("a picture again", |packet| packet.payload.ends_with(b"once more")).await;

    // The page takes over: the place is kept, and the encoder's session is over.
    let mut page = Session::open(&server).await;
    assert_eq!(page.enter(&ann, "viewer").await["type"], "entered");
    person(&mut host, "Ann", |person| !person["onStage"].is_null()).await;
    assert_eq!(again.delete(&server).await.refusal(), (404, "session_unknown".to_owned()));
    let before = dropped(&server, DropReason::UnknownAddress);
    media.show(true, b"nobody listens").await;
    until_counted(&server, "media without a session", |c| c.dropped(DropReason::UnknownAddress) > before).await;
}

#[tokio::test]
async fn an_evicted_publisher_is_a_viewer_whose_gate_is_closed_and_whose_session_lives() {
    let server = server_with(Settings { capacity: 1, ..Settings::default() }).await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    let (ann, mut ann_media) = publish(&server, &token(&server, Role::Participant, "Ann")).await;
    ann_media.show(true, b"Ann").await;
    viewer.packet("Ann's picture", |packet| packet.payload.ends_with(b"Ann")).await;
    let (_ben, mut ben_media) = publish(&server, &token(&server, Role::Participant, "Ben")).await;
    person(&mut viewer.session, "Ann", |person| person["onStage"].is_null()).await;

    let before = dropped(&server, DropReason::GateClosed);
    ann_media.show(true, b"still Ann").await;
    ann_media.speak(20, b"still Ann").await;
    until_counted(&server, "both at the closed gate", |c| c.dropped(DropReason::GateClosed) >= before + 2).await;
    ben_media.show(true, b"Ben").await;
    viewer.packet("Ben's picture", |packet| packet.payload.ends_with(b"Ben")).await;
    assert!(viewer.drain().await.iter().all(|packet| !packet.payload.ends_with(b"still Ann")));
    assert_eq!(ann.request(&server, "GET", &[], "").await.status, 204);
    assert_eq!(ann.delete(&server).await.status, 200);
}

#[tokio::test]
async fn who_is_removed_from_the_room_has_no_session_and_no_media() {
    let server = server().await;
    let mut host = Session::inside(&server, "Host", Role::Host, "viewer").await;
    let (resource, mut media) = publish(&server, &identity(&server, Role::Speaker, "Ann")).await;
    let ann = person(&mut host, "Ann", |_| true).await["id"].clone();
    host.does(json!({ "type": "remove_from_room", "participant": ann })).await;
    let before = dropped(&server, DropReason::UnknownAddress);
    media.show(true, b"nobody listens").await;
    until_counted(&server, "media without a session", |c| c.dropped(DropReason::UnknownAddress) > before).await;
    let tag = resource.tag.clone();
    let gone = (404, "session_unknown".to_owned());
    assert_eq!(resource.patch(&server, Some(&tag), &fragment("testclnt")).await.refusal(), gone);
    assert_eq!(resource.delete(&server).await.refusal(), gone);
}

/// A client that vanishes says nothing over HTTP: what ends with its media is its session, and then its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_media_is_gone_has_left_after_the_grace_time() {
    let server = server_with(Settings { grace_ms: 2_000, ..Settings::default() }).await;
    let mut host = Session::inside(&server, "Host", Role::Host, "viewer").await;
    let token = token(&server, Role::Speaker, "Ann");
    let mut publisher = WebrtcPeer::new(0x1000, true, false).await;
    let created = post(&server, "whip", &token, &publisher.offer().await).await;
    let resource = Resource::of(&created, &token);
    publisher.connect(&created.body).await;
    let ann = person(&mut host, "Ann", |_| true).await["id"].clone();
    publisher.connection.close().await.unwrap();
    person(&mut host, "Ann", |person| person["lost"] == true).await;
    assert_eq!(resource.request(&server, "GET", &[], "").await.status, 404);
    let left = |message: &Value| message["left"].as_array().is_some_and(|left| left.contains(&ann));
    host.until("that Ann left", left).await;
}

#[tokio::test]
async fn candidates_are_trickled_and_ice_restarts_under_the_rules_of_if_match() {
    let server = server().await;
    let mut viewer = Client::enter(&server, "Viewer", Wish::VIEWER).await;
    let (unconnected, ssrcs, sdp) = encoder().await;
    let token = token(&server, Role::Speaker, "Ann");
    let created = post(&server, "whip", &token, &sdp).await;
    let resource = Resource::of(&created, &token);
    let mut media = Media::connect(unconnected, ssrcs, &created.body).await;
    let (first, trickled) = (resource.tag.as_str(), fragment("testclnt"));

    let answer = resource.patch(&server, Some(first), &trickled).await;
    assert_eq!((answer.status, answer.header("etag"), answer.body.as_str()), (204, None, ""));
    assert_eq!(resource.patch(&server, Some("*"), &trickled).await.status, 204, "any ICE session is this one too");
    let refused = resource.patch(&server, None, &trickled).await.refusal();
    assert_eq!(refused, (428, "if_match_missing".to_owned()));
    let refused = resource.patch(&server, Some("\"another\""), &trickled).await.refusal();
    assert_eq!(refused, (412, "if_match_stale".to_owned()));

    // Other credentials are a restart.
    let restarted = resource.patch(&server, Some("*"), &fragment("restartd")).await;
    assert_eq!((restarted.status, restarted.header("content-type")), (200, Some(FRAGMENT)), "{restarted:?}");
    let second = restarted.header("etag").unwrap().to_owned();
    assert_ne!(second, first);
    for key in ["ice-ufrag", "ice-pwd"] {
        assert_ne!(attribute(&restarted.body, key), attribute(&created.body, key));
    }
    assert_eq!(attribute(&restarted.body, "candidate"), attribute(&created.body, "candidate"));
    assert!(restarted.body.contains("a=ice-lite\r\n") && restarted.body.contains("a=mid:0\r\n"), "{restarted:?}");
    let stale = resource.patch(&server, Some(first), &fragment("restartd")).await.refusal();
    assert_eq!(stale, (412, "if_match_stale".to_owned()));
    assert_eq!(resource.patch(&server, Some(&second), &fragment("restartd")).await.status, 204);

    // The old credentials are good until the new ones have been used; media goes on all the time.
    media.show(true, b"before").await;
    viewer.packet("a picture before", |packet| packet.payload.ends_with(b"before")).await;
    let answered = async |answer: &str| {
        let socket = media.checks_from_another_address(answer).await;
        let mut buf = [0; 200];
        timeout(Duration::from_millis(500), socket.recv(&mut buf)).await.is_ok().then_some(socket)
    };
    assert!(answered(&created.body).await.is_some(), "old credentials");
    let moved = answered(&restarted.body).await.expect("new credentials");
    assert!(answered(&created.body).await.is_none(), "the old ones are over");
    until_counted(&server, "a check with old credentials", |c| c.dropped(DropReason::StunUnknownUser) >= 1).await;
    media.path.socket = moved.into();
    media.show(false, b"after").await;
    viewer.packet("a picture after", |packet| packet.payload.ends_with(b"after")).await;

    // A restart with the tag of the running ICE session is as good.
    let third = resource.patch(&server, Some(&second), &fragment("restart3")).await;
    assert_eq!(third.status, 200);
    assert_eq!(resource.patch(&server, Some(&second), &fragment("restart4")).await.status, 412);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_with_status_and_code() {
    let server = server().await;
    let (_, _, sdp) = encoder().await;
    let good = token(&server, Role::Speaker, "Ann");
    let path = format!("/v1/rooms/{ROOM}/whip");
    let is = |status: u16, code: &str| (status, code.to_owned());
    let bearer = format!("Bearer {good}");
    let with = async |headers: &[(&str, &str)], body: &str| http(&server, "POST", &path, headers, body).await;
    let typed = ("content-type", SDP);

    // Who has no token learns nothing else.
    let nobody = with(&[typed], &sdp).await;
    assert_eq!((nobody.refusal(), nobody.header("www-authenticate")), (is(401, "token_missing"), Some("Bearer")));
    assert_eq!(with(&[typed, ("authorization", "Basic x")], "").await.refusal(), is(401, "token_missing"));
    assert_eq!(post(&server, "whip", "nonsense", "").await.refusal(), is(401, "token_invalid"));
    let elsewhere = server.token("elsewhere", Role::Host, Some("Ann"), Duration::from_secs(60)).unwrap();
    assert_eq!(post(&server, "whep", &elsewhere, &sdp).await.refusal(), is(401, "token_invalid"));
    let expired = server.sign(&Claims::new(ROOM, Role::Host, 1_000)).unwrap();
    assert_eq!(post(&server, "whip", &expired, &sdp).await.refusal(), is(401, "token_expired"));
    let headers = [typed, ("authorization", &*format!("Bearer {elsewhere}"))];
    let unknown = http(&server, "POST", "/v1/rooms/elsewhere/whip", &headers, &sdp).await;
    assert_eq!(unknown.refusal(), is(404, "unknown_room"));

    let json = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    assert_eq!(with(&json, "{}").await.refusal(), is(415, "content_type"));
    assert_eq!(with(&json[..1], &sdp).await.refusal(), is(415, "content_type"));
    let post = async |endpoint: &str, sdp: &str| post(&server, endpoint, &good, sdp).await.refusal();
    assert_eq!(post("whip", &"a".repeat(300_000)).await, is(413, "body_too_large"));
    assert_eq!(post("whip", &format!("{sdp}a={}\r\n", "x".repeat(5_000))).await, is(413, "sdp_too_long"));
    assert_eq!(post("whip", "").await, is(400, "sdp_malformed"));
    assert_eq!(post("whip", "garbage").await, is(400, "sdp_malformed"));
    assert_eq!(post("whip", &sdp.replace("t=0 0", "t=zero")).await, is(400, "sdp_malformed"));
    assert_eq!(post("whip", &sdp.replace("VP8", "H264")).await, is(422, "sdp_codec"));
    assert_eq!(post("whip", &sdp.replace("opus", "PCMU")).await, is(422, "sdp_codec"));
    assert_eq!(post("whip", &sdp.replace("a=sendonly", "a=recvonly")).await, is(422, "sdp_direction"));
    assert_eq!(post("whep", &sdp).await, is(422, "sdp_direction"));
    assert_eq!(post("whip", &sdp.replace("actpass", "passive")).await, is(422, "sdp_setup"));
    let nameless = server.token(ROOM, Role::Speaker, None, Duration::from_secs(60)).unwrap();
    let headers = [typed, ("authorization", &*format!("Bearer {nameless}"))];
    assert_eq!(with(&headers, &sdp).await.refusal(), is(400, "name_missing"));
    let named = http(&server, "POST", &format!("{path}?name=Ann%20B."), &headers, &sdp).await;
    assert_eq!(named.status, 201, "{named:?}");

    // RFC 9725 §4.1: there is nothing to read, and nothing else to do.
    assert_eq!(http(&server, "GET", &path, &[], "").await.status, 204);
    assert_eq!(http(&server, "PUT", &path, &[], "").await.status, 405);
    let location = named.header("location").unwrap();
    assert_eq!(http(&server, "POST", location, &headers, &sdp).await.status, 405);
}

#[tokio::test]
async fn a_session_belongs_to_whoever_made_it() {
    let server = server().await;
    let (resource, _media) = publish(&server, &identity(&server, Role::Speaker, "Ann")).await;
    let is = |status: u16, code: &str| (status, code.to_owned());
    let with = |token: &str, path: &str| Resource {
        path: path.to_owned(),
        token: token.to_owned(),
        tag: resource.tag.clone(),
    };
    let tag = Some(resource.tag.as_str());
    let mallory = with(&token(&server, Role::Host, "Mallory"), &resource.path);
    assert_eq!(mallory.patch(&server, tag, &fragment("mallory1")).await.refusal(), is(403, "not_your_session"));
    assert_eq!(mallory.delete(&server).await.refusal(), is(403, "not_your_session"));
    let nonsense = with("nonsense", &resource.path).delete(&server).await;
    assert_eq!((nonsense.refusal(), nonsense.header("www-authenticate")), (is(401, "token_invalid"), Some("Bearer")));
    assert_eq!(http(&server, "DELETE", &resource.path, &[], "").await.refusal(), is(401, "token_missing"));
    let unknown = format!("/v1/rooms/{ROOM}/whip/{:032x}", 7);
    assert_eq!(with(&resource.token, &unknown).delete(&server).await.refusal(), is(404, "session_unknown"));
    let other = resource.path.replace("/whip/", "/whep/");
    assert_eq!(with(&resource.token, &other).delete(&server).await.refusal(), is(404, "session_unknown"));

    // Its own: a fragment that is none, one too long, the wrong type.
    assert_eq!(resource.patch(&server, tag, "garbage").await.refusal(), is(400, "fragment_malformed"));
    let long = format!("{}{}", fragment("testclnt"), "a=x\r\n".repeat(4_000));
    assert_eq!(resource.patch(&server, tag, &long).await.refusal(), is(413, "body_too_large"));
    let typed = resource.request(&server, "PATCH", &[("content-type", SDP)], &fragment("testclnt")).await;
    assert_eq!(typed.refusal(), is(415, "content_type"));

    // Another token of the same person is as good as the one it was made with.
    let claims = Claims { sub: Some("Ann".to_owned()), ..Claims::new(ROOM, Role::Speaker, 3_900_000_000) };
    let newer = with(&server.sign(&claims).unwrap(), &resource.path);
    assert_eq!(newer.delete(&server).await.status, 200);
}

#[tokio::test]
async fn pages_of_other_origins_may_publish_and_play() {
    let server = server().await;
    for endpoint in ["whip", "whep"] {
        let path = format!("/v1/rooms/{ROOM}/{endpoint}");
        let asked = [
            ("origin", "https://studio.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        let allowed = http(&server, "OPTIONS", &path, &asked, "").await;
        assert_eq!((allowed.status, allowed.header("accept-post")), (200, Some(SDP)));
        assert_eq!(allowed.header("access-control-allow-origin"), Some("*"));
        let headers = allowed.header("access-control-allow-headers").unwrap();
        assert!(["authorization", "content-type", "if-match"].iter().all(|name| headers.contains(name)), "{headers}");
        let one = http(&server, "OPTIONS", &format!("{path}/1"), &asked, "").await;
        assert_eq!((one.status, one.header("accept-patch")), (200, Some(FRAGMENT)));
        let methods = one.header("access-control-allow-methods").unwrap();
        assert!(["PATCH", "DELETE"].iter().all(|method| methods.contains(method)), "{methods}");
    }
    // What a page must be able to read of an answer, also of a refusal.
    let refused =
        http(&server, "POST", &format!("/v1/rooms/{ROOM}/whip"), &[("origin", "https://a.example")], "").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, Some("*")));
    let exposed = refused.header("access-control-expose-headers").unwrap();
    assert!(["location", "etag"].iter().all(|name| exposed.contains(name)), "{exposed}");
}

/// With more sections than one of each kind, a player has the slots in order.
#[tokio::test]
async fn a_player_with_more_sections_gets_the_slots_in_order() {
    let server = server().await;
    let (_resource, mut player) = play(&server, &token(&server, Role::Participant, "Player"), 3, 2).await;
    let mut cameras = Vec::new();
    for name in ["Ann", "Ben", "Cat"] {
        let (resource, mut media) = publish(&server, &token(&server, Role::Speaker, name)).await;
        media.show(true, name.as_bytes()).await;
        let picture = player.packet("a picture", |packet| packet.payload.ends_with(name.as_bytes())).await;
        cameras.push((resource, media, picture));
    }
    let slots: Vec<_> = cameras.iter().map(|(_, _, picture)| picture.slot.index()).collect();
    assert_eq!(slots, [0, 1, 2]);
}

/// Sends levels into both microphones in real time, and pictures from both cameras: key frames only when asked.
async fn talk(levels: [u8; 2], speakers: &mut [Media; 2], ticks: usize) {
    for tick in 0..ticks {
        for (speaker, level) in speakers.iter_mut().zip(levels) {
            speaker.speak(level, &[level; 60]).await;
            let mut asked = false;
            while let Ok(report) = speaker.incoming.reports.try_recv() {
                asked |= report == key_frame(&speaker.ssrcs);
            }
            if asked || tick % 5 == 0 {
                speaker.show(asked, &[level; 300]).await;
            }
        }
        pause(20).await;
    }
}

fn is_key_frame(packet: &Received) -> bool {
    // Behind the six bytes of the descriptor (RFC 7741 §4.3).
    packet.payload[6] & 1 == 0
}

/// Sequence numbers follow each other, time goes forward, and of two occupants the first gives way once.
fn one_change(packets: &[&Received], first: u32, then: u32) -> usize {
    let change = packets.iter().position(|packet| packet.csrc == then).expect("the second one is shown");
    let whose: Vec<u32> = packets.iter().map(|packet| packet.csrc).collect();
    assert!(change > 0 && whose[..change].iter().all(|csrc| *csrc == first), "{whose:?}");
    assert!(whose[change..].iter().all(|csrc| *csrc == then), "{whose:?}");
    for pair in packets.windows(2) {
        assert_eq!(pair[1].seq, pair[0].seq.wrapping_add(1), "sequence numbers follow each other");
        assert!(pair[1].timestamp.wrapping_sub(pair[0].timestamp) < 90_000 * 10, "time goes forward");
    }
    change
}

#[tokio::test]
async fn a_player_with_one_picture_and_one_voice_follows_whoever_speaks_most() {
    let server = server().await;
    let mut host = Session::inside(&server, "Host", Role::Host, "viewer").await;
    let (_ann, ann_media) = publish(&server, &token(&server, Role::Speaker, "Ann")).await;
    let (_ben, ben_media) = publish(&server, &token(&server, Role::Speaker, "Ben")).await;
    let mut id = async |name| person(&mut host, name, |_| true).await["id"].as_u64().unwrap() as u32;
    let (ann, ben) = (id("Ann").await, id("Ben").await);
    let (_player, mut player) = play(&server, &token(&server, Role::Participant, "Player"), 1, 1).await;
    assert_eq!(player.answer.matches("a=msid:slot-0 ").count(), 2, "picture and voice are one stream");

    let mut speakers = [ann_media, ben_media];
    talk([20, 127], &mut speakers, 75).await;
    talk([127, 20], &mut speakers, 150).await;
    let received = player.drain().await;
    let (pictures, voices): (Vec<_>, Vec<_>) = received.iter().partition(|packet| packet.slot.kind().is_video());
    let change = one_change(&pictures, ann, ben);
    assert!(is_key_frame(pictures[0]) && is_key_frame(pictures[change]), "each begins with a key frame");
    let key_frames = pictures.iter().filter(|packet| is_key_frame(packet)).count();
    assert!(key_frames < pictures.len() / 2, "{key_frames} of {}", pictures.len());
    let id = |packet: &Received| u16::from_be_bytes([packet.payload[2] & 0x7f, packet.payload[3]]);
    assert!(pictures.windows(2).all(|pair| id(pair[1]) == id(pair[0]) + 1), "picture ids follow each other");
    one_change(&voices, ann, ben);

    // What it lost, and what it cannot decode, it asks for in the section it knows.
    let [_, mut ben_media] = speakers;
    while ben_media.incoming.reports.try_recv().is_ok() {}
    let picture = pictures.last().unwrap();
    let rtx_before = done(&server, Tally::Retransmitted);
    player.path.send_rtcp(rtcp::nack(picture.slot.ssrc(), &[picture.seq])).await;
    until_counted(&server, "a retransmission", |c| c.done(Tally::Retransmitted) > rtx_before).await;
    let again = player.packet("it again", |packet| packet.rtx).await;
    assert_eq!((again.seq, &again.payload), (picture.seq, &picture.payload));
    player.path.send_rtcp(rtcp::picture_loss(picture.slot.ssrc())).await;
    let asked = async { while ben_media.incoming.reports.recv().await.unwrap() != key_frame(&ben_media.ssrcs) {} };
    timeout(PATIENCE, asked).await.expect("Ben is asked for a key frame");
}

// law: present-who
#[tokio::test]
async fn a_player_with_one_picture_is_shown_what_is_presented() {
    let server = server().await;
    let (_resource, mut camera) = publish(&server, &token(&server, Role::Speaker, "Ann")).await;
    let (_player, mut player) = play(&server, &token(&server, Role::Participant, "Player"), 1, 1).await;
    let mut ben = Client::enter(&server, "Ben", Wish { role: Role::Speaker, presents: true, ..Wish::VIEWER }).await;
    camera.show(true, b"camera").await;
    let before = player.packet("the camera", |packet| packet.payload.ends_with(b"camera")).await;
    ben.does(json!({ "type": "present", "sound": false })).await;
    ben.present(true, b"screen").await;
    let screen = player.packet("the screen", |packet| packet.payload.ends_with(b"screen")).await;
    assert_eq!((screen.slot, screen.csrc), (before.slot, ben.you), "in the section of its picture");
    assert_eq!(screen.seq, before.seq.wrapping_add(1));
    ben.does(json!({ "type": "stop_presenting", "participant": ben.you })).await;
    camera.show(true, b"camera").await;
    player.packet("the camera again", |packet| packet.payload.ends_with(b"camera")).await;
}

fn key_frame(ssrcs: &Ssrcs) -> Message {
    Message::KeyFrameRequest { ssrc: Ssrc(ssrcs.camera) }
}
