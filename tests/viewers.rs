//! The viewers of a large room, a page at a time, and the search among them.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dais::Server;
use dais_signaling::limits::{PAGE, SEARCHES_AT_ONCE};
use dais_stage::Role;
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};
use support::client::Session;
use support::server;
use tokio::task::JoinHandle;

/// How many viewers a large room has.
const MANY: usize = 5_000;
/// How many come in at the same time.
const AT_ONCE: usize = 64;

async fn viewer(server: &Server, name: &str) -> Session {
    Session::inside(server, name, Role::Participant, "viewer").await
}

/// Reads what a session is told until it is over: a client that is silent is gone.
fn listen(mut session: Session) -> (u32, JoinHandle<()>) {
    (session.you, tokio::spawn(async move { while session.next().await.is_some() {} }))
}

/// Somebody for each name, with numbers and what keeps them there.
async fn crowd(server: &Server, names: impl Iterator<Item = String>) -> BTreeMap<u32, JoinHandle<()>> {
    stream::iter(names).map(async |name| listen(viewer(server, &name).await)).buffer_unordered(AT_ONCE).collect().await
}

fn list(after: u32, search: Option<&str>) -> Value {
    match search {
        None => json!({ "type": "list_viewers", "after": after }),
        Some(search) => json!({ "type": "list_viewers", "after": after, "search": search }),
    }
}

/// As [`page`], of a search; a room that has searched enough is asked again at its next tick.
async fn found(session: &mut Session, after: u32, search: &str) -> Value {
    for _ in 0..100 {
        let answer = session.request(list(after, Some(search))).await;
        if answer["code"] != "too_many_searches" {
            assert_eq!(answer["type"], "viewers", "{answer}");
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("refused for 10 s")
}

async fn page(session: &mut Session, after: u32, search: Option<&str>) -> Value {
    let page = session.request(list(after, search)).await;
    assert_eq!(page["type"], "viewers", "{page}");
    page
}

fn ids(page: &Value) -> Vec<u32> {
    page["participants"].as_array().unwrap().iter().map(|person| person["id"].as_u64().unwrap() as u32).collect()
}

fn names(page: &Value) -> Vec<&str> {
    page["participants"].as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap()).collect()
}

async fn remove(moderator: &mut Session, participant: u32) {
    moderator.does(json!({ "type": "remove_from_room", "participant": participant })).await;
}

// law: viewer-listed
#[tokio::test(flavor = "multi_thread")]
async fn whoever_stays_is_on_one_of_the_pages_of_5000_while_others_come_and_go() {
    let server = server().await;
    let mut ann = Session::inside(&server, "Ann", Role::Host, "stage").await;
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "stage").await;
    let mut there = crowd(&server, (1..=MANY).map(|n| format!("Viewer {n}"))).await;
    let mut stayed: BTreeSet<_> = there.keys().copied().collect();
    let (mut seen, mut came, mut after) = (Vec::new(), Vec::new(), 0);
    for number in 0.. {
        let page = page(&mut ann, after, None).await;
        let on_it = ids(&page);
        assert_eq!(page["matching"], there.len(), "all are counted");
        assert_eq!(on_it.len(), PAGE.min(there.range(after + 1..).count()), "a page is full but for the last");
        seen.extend(&on_it);
        if page["more"] == false {
            break;
        }
        after = on_it[PAGE - 1];
        // In turn somebody who was seen, the one after whom the next page begins, and somebody on that.
        let next = *there.range(after + 1..).next().unwrap().0;
        let gone = [on_it[0], after, next][number % 3];
        remove(&mut mia, gone).await;
        there.remove(&gone);
        stayed.remove(&gone);
        came.retain(|id| *id != gone);
        let (id, session) = listen(viewer(&server, &format!("Late {number}")).await);
        there.insert(id, session);
        came.push(id);
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "in order of entry, nobody twice");
    let seen: BTreeSet<_> = seen.into_iter().collect();
    assert!(seen.is_superset(&stayed), "{:?}", stayed.difference(&seen).collect::<Vec<_>>());
    assert!(came.iter().all(|id| seen.contains(id)), "whoever came meanwhile is on the last page");
    assert!(!seen.contains(&ann.you) && came.len() > MANY / PAGE / 2);

    let one = page(&mut ann, 0, Some("vIEWER 4321")).await;
    assert_eq!((names(&one), &one["matching"], &one["more"]), (vec!["Viewer 4321"], &json!(1), &json!(false)));
    let late = page(&mut ann, 0, Some("late")).await;
    assert_eq!((ids(&late), &late["matching"]), (came.clone(), &json!(came.len())));
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = found(&mut ann, after, "viewer").await;
        assert_eq!(page["matching"], stayed.len());
        all.extend(ids(&page));
        if page["more"] == false {
            break;
        }
        after = *all.last().unwrap();
    }
    assert_eq!(all, stayed.into_iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_search_is_for_part_of_a_name_in_any_case_among_viewers() {
    let server = server().await;
    let mut people = Vec::new();
    for name in ["Ann Lee", "Zoë Özdemir", "Жанна", "Joanna Li", "Ben"] {
        people.push(viewer(&server, name).await);
    }
    let _on_stage = Session::inside(&server, "Hannah", Role::Host, "stage").await;
    let ben = &mut people[4];
    for (search, expected) in [
        ("ANN", &["Ann Lee", "Joanna Li"][..]),
        ("öz", &["Zoë Özdemir"]),
        ("ЖАН", &["Жанна"]),
        ("  lee\t", &["Ann Lee"]),
        ("n l", &["Ann Lee"]),
        ("%", &[]),
        ("hannah", &[]),
        (" ", &["Ann Lee", "Zoë Özdemir", "Жанна", "Joanna Li", "Ben"]),
    ] {
        let page = page(ben, 0, Some(search)).await;
        assert_eq!((names(&page), &page["more"]), (expected.to_vec(), &json!(false)), "{search:?}");
        assert_eq!(page["matching"], expected.len(), "{search:?}");
    }
    let ann = ids(&page(ben, 0, Some("ann lee")).await)[0];
    let behind = page(ben, ann, Some("ann")).await;
    assert_eq!((names(&behind), &behind["matching"]), (vec!["Joanna Li"], &json!(2)), "those before are counted too");
}

#[tokio::test]
async fn what_is_no_search_is_refused_with_its_own_code_and_the_session_goes_on() {
    let server = server().await;
    let mut ann = viewer(&server, "Ann").await;
    let longest = "é".repeat(64);
    assert_eq!(page(&mut ann, 0, Some(&longest)).await["matching"], 0);
    assert_eq!(ann.is_refused(list(0, Some(&format!("{longest}é")))).await, "search_too_long");
    for wrong in [
        json!({ "type": "list_viewers" }),
        json!({ "type": "list_viewers", "after": -1 }),
        json!({ "type": "list_viewers", "after": 0, "search": 7 }),
        json!({ "type": "list_viewers", "after": 0, "offset": 7 }),
    ] {
        assert_eq!(ann.is_refused(wrong).await, "message_malformed");
    }
    let beyond = page(&mut ann, u32::MAX, None).await;
    assert_eq!((ids(&beyond), &beyond["more"], &beyond["matching"]), (vec![], &json!(false), &json!(1)));
    assert_eq!(ids(&page(&mut ann, 0, None).await), [ann.you]);
}

/// Sends so many searches without waiting, and how they were answered: how many found something, and the codes of the rest.
async fn search_often(session: &mut Session, times: u32) -> (usize, BTreeSet<String>) {
    for id in 1_000..1_000 + times {
        session.send(&json!({ "type": "list_viewers", "id": id, "after": 0, "search": "ann" })).await;
    }
    let (mut found, mut codes) = (0, BTreeSet::new());
    for _ in 0..times {
        let answer = session.until("an answer", |message| message["id"].as_u64() >= Some(1_000)).await;
        match answer["code"].as_str() {
            None => found += 1,
            Some(code) => drop(codes.insert(code.to_owned())),
        }
    }
    (found, codes)
}

#[tokio::test]
async fn whoever_searches_too_often_is_refused_that_and_nothing_else() {
    let server = server().await;
    let (mut ann, mut ben) = (viewer(&server, "Ann").await, viewer(&server, "Ben").await);
    let (found, codes) = search_often(&mut ann, SEARCHES_AT_ONCE + 30).await;
    assert!(found > 0 && codes.contains("rate_limited"), "{found} {codes:?}");
    assert_eq!(page(&mut ann, 0, None).await["matching"], 2);
    ann.does(json!({ "type": "raise_hand" })).await;
    until_answered(&mut ben).await;
}

#[tokio::test]
async fn a_room_searches_only_so_often_whoever_asks() {
    let server = server().await;
    let mut crowd: Vec<_> = Vec::new();
    for n in 0..4 {
        crowd.push(viewer(&server, &format!("Ann {n}")).await);
    }
    let mut mia = Session::inside(&server, "Mia", Role::Moderator, "viewer").await;
    let searching = crowd.iter_mut().map(|session| search_often(session, SEARCHES_AT_ONCE));
    let answers = futures_util::future::join_all(searching).await;
    assert!(answers.iter().any(|(_, codes)| codes.contains("too_many_searches")), "{answers:?}");
    assert!(answers.iter().map(|(found, _)| found).sum::<usize>() >= 20, "{answers:?}");
    mia.does(json!({ "type": "invite", "participant": crowd[0].you })).await;
    until_answered(&mut mia).await;
}

/// Searches until that is not too much any more.
async fn until_answered(session: &mut Session) {
    for _ in 0..SEARCHES_AT_ONCE {
        match session.request(list(0, Some("ann"))).await {
            answer if answer["type"] == "viewers" => return,
            answer => assert_eq!(answer["code"], "too_many_searches"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a room that is asked no more searches again");
}
