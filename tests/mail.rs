//! Invitations by e-mail, sent to a real mail server.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::time::Duration;

use dais::{Config, MailConfig, Server};
use dais_stage::{Role, Settings};
use serde_json::{Value, json};
use support::client::Session;
use support::mail::{MailServer, token_in};
use support::process::{Folder, Process, demo_token};
use support::{ROOM, until_scraped};

/// A server with one room, which sends by `mails` as NAME:PASSWORD.
async fn server(mails: &MailServer, login: &str, trusts: bool) -> Server {
    let config = MailConfig {
        smtp_url: Some(format!("smtp://{}@localhost:{}?tls=required", login.replace(' ', "%20"), mails.port)),
        smtp_ca: trusts.then(|| mails.certificate()),
        mail_from: Some("The stage <stage@example.net>".parse().unwrap()),
        public_url: Some("https://stage.example.net".to_owned()),
    };
    let server = Server::start(&Config { mail: config, ..Config::loopback() }).await.expect("the server starts");
    server.open_room(ROOM, "Talks & tea", Settings::default()).await.expect("the journal works");
    server
}

fn invite(addresses: &[&str], role: &str) -> Value {
    json!({ "type": "invite_by_mail", "addresses": addresses, "role": role })
}

/// The invitations as a host knows them, by address.
#[derive(Default)]
struct Known(BTreeMap<String, Value>);

impl Known {
    fn learn(&mut self, message: &Value) {
        for invitation in message["invitations"].as_array().unwrap() {
            self.0.insert(invitation["address"].as_str().unwrap().to_owned(), invitation.clone());
        }
    }

    fn state(&self, address: &str) -> &str {
        self.0[address]["state"].as_str().unwrap()
    }

    /// Listens to what hosts are told until it `holds`.
    async fn until(&mut self, host: &mut Session, what: &str, holds: impl Fn(&Self) -> bool) {
        for message in host.seen.extract_if(.., |message| message["type"] == "invitations_changed") {
            self.learn(&message);
        }
        while !holds(self) {
            let message = host.until(what, |message| message["type"] == "invitations_changed").await;
            self.learn(&message);
        }
    }
}

/// What comes of entering with a token: `entered`, or the code.
async fn entering(server: &Server, token: &str) -> String {
    let mut session = Session::open(server).await;
    let answer = session.hello(token).await;
    if answer["type"] != "entry" {
        return answer["code"].as_str().unwrap().to_owned();
    }
    let enter = json!({ "type": "enter", "name": "Somebody", "place": "stage", "mic": true, "camera": false });
    let answer = session.request(enter).await;
    assert!(answer["refused"].is_null(), "they come on stage: {answer}");
    answer["type"].as_str().unwrap().to_owned()
}

// law: entry-ways
#[tokio::test]
async fn each_gets_a_mail_and_an_address_that_is_refused_hurts_nobody_else() {
    let mails = MailServer::start("invited");
    let server = server(&mails, support::mail::LOGIN, true).await;
    let mut host = Session::inside(&server, "Maya", Role::Host, "viewer").await;
    let mut request = invite(
        &[
            "a1@example.org",
            "Zoë Łuk <a2@example.org>",
            "a3@example.org",
            "refused@example.org",
            "later@example.org",
            "a6@example.org",
            "a7@example.org",
            "a8@example.org",
            "a9@example.org",
            "a10@example.org",
            "A1@example.org",
        ],
        "speaker",
    );
    request["start"] = json!(4_000_000_000u64);
    assert_eq!(host.is_refused(request.clone()).await, "start_invalid", "in seventy years");
    let start = std::time::SystemTime::now() + Duration::from_secs(24 * 60 * 60);
    request["start"] = json!(start.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs());
    request["minutes"] = json!(90);
    request["utcOffset"] = json!(120);
    let answer = host.request(request).await;
    assert_eq!((&answer["type"], &answer["sendsMail"]), (&json!("invitations"), &json!(true)), "{answer}");
    let mut known = Known::default();
    known.learn(&answer);
    assert_eq!(known.0.len(), 10, "who is there twice is invited once");
    let settled = |known: &Known| known.0.keys().all(|address| known.state(address) != "queued");
    known.until(&mut host, "what becomes of the mails", settled).await;
    for address in known.0.keys() {
        let expected = if address.starts_with("refused") { "failed" } else { "sent" };
        assert_eq!(known.state(address), expected, "{address}: {}", known.0[address]);
    }
    let reason = known.0["refused@example.org"]["reason"].as_str().unwrap();
    assert_eq!(reason, "550 5.1.1 there is nobody of this name");

    let taken = mails.mails();
    assert_eq!(taken.len(), 9);
    let mut tokens = BTreeSet::new();
    for (address, mail) in &taken {
        assert_eq!((&mail["encrypted"], &mail["login"]), (&json!(true), &json!(true)));
        assert_eq!(mail["defects"], json!([]), "{mail}");
        assert_eq!(mail["headers"]["from"], "The stage <stage@example.net>");
        assert_eq!(mail["headers"]["subject"], "Invitation: Talks & tea");
        let token = token_in(mail);
        assert_eq!(known.0[address]["token"], json!(token), "hosts can copy the link that was sent");
        let link = format!("https://stage.example.net/r/{ROOM}#token={token}");
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains("Maya invites you to “Talks & tea” as a speaker.") && text.contains(&link), "{text}");
        assert!(text.contains("(UTC+02:00), for 90 minutes"), "{text}");
        let html = mail["html"].as_str().unwrap();
        assert!(html.contains(&format!("href=\"{link}\"")) && html.contains("Talks &amp; tea"), "{html}");
        let calendar = mail["calendar"].as_str().unwrap().replace("\r\n ", "");
        assert!(calendar.contains("BEGIN:VEVENT") && calendar.contains(&format!("URL:{link}")), "{calendar}");
        tokens.insert(token);
    }
    assert_eq!(tokens.len(), 9, "each has a link of their own");
    assert_eq!(taken["a2@example.org"]["headers"]["to"], "Zoë Łuk <a2@example.org>");

    assert_eq!(entering(&server, &token_in(&taken["a1@example.org"])).await, "entered");
    known.until(&mut host, "that somebody came", |known| known.0["a1@example.org"]["used"] == true).await;
    assert_eq!(entering(&server, &token_in(&taken["a1@example.org"])).await, "link_used");
    host.does(json!({ "type": "revoke_link", "link": known.0["a3@example.org"]["link"] })).await;
    assert_eq!(entering(&server, &token_in(&taken["a3@example.org"])).await, "link_revoked");
    known.until(&mut host, "the withdrawal", |known| known.state("a3@example.org") == "withdrawn").await;
    assert_eq!(known.0["a3@example.org"]["token"], Value::Null, "there is nothing to copy");
    until_scraped(
        &server,
        &[
            "dais_mail_sent_total 9",
            "dais_mail_failed_total 1",
            "dais_mail_retried_total 1",
            "dais_mail_queue_length 0",
            "dais_refused_total{code=\"start_invalid\"} 1",
        ],
    )
    .await;
}

#[tokio::test]
async fn killed_with_mails_in_the_outbox_it_sends_each_once_after_the_next_start() {
    let folder = Folder::new("outbox");
    // A port at which nobody listens yet.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("smtp://127.0.0.1:{port}");
    let args = ["--smtp-url", &url, "--mail-from", "stage@example.net"];
    let process = Process::start(&folder.0, &args);
    let mut host = Session::connect(&process.address, "demo").await;
    host.enter(&demo_token(Role::Host, "hal"), "viewer").await;
    let addresses = ["ann@example.org", "ben@example.org", "cat@example.org", "dan@example.org"];
    let answer = host.request(invite(&addresses, "participant")).await;
    assert_eq!(answer["type"], "invitations", "{answer}");
    assert!(answer["invitations"].as_array().unwrap().iter().all(|one| one["state"] == "queued"), "{answer}");
    host.does(json!({ "type": "revoke_link", "link": answer["invitations"][3]["link"] })).await;
    process.kill();
    // As if it was killed between the journal, which has what was withdrawn, and the outbox.
    let outbox = rusqlite::Connection::open(folder.0.join("outbox.sqlite")).unwrap();
    assert_eq!(outbox.execute("UPDATE invitations SET state = 'queued'", []).unwrap(), 4);
    drop(outbox);

    let mails = MailServer::start_plain("late", port);
    let process = Process::start(&folder.0, &args);
    let taken = mails.until_taken(3).await;
    assert!(taken.keys().all(|address| address != "dan@example.org"), "what was withdrawn is not sent");
    let mut host = Session::connect(&process.address, "demo").await;
    host.enter(&demo_token(Role::Host, "hal"), "viewer").await;
    let mut known = Known::default();
    known.learn(&host.request(json!({ "type": "list_invitations" })).await);
    let sent = |known: &Known| known.0.values().filter(|one| one["state"] == "sent").count() == 3;
    known.until(&mut host, "that all are sent", sent).await;
    assert_eq!(known.state("dan@example.org"), "withdrawn");
    process.kill();

    // One more, which comes after whatever would be sent again.
    let process = Process::start(&folder.0, &args);
    let mut host = Session::connect(&process.address, "demo").await;
    host.enter(&demo_token(Role::Host, "hal"), "viewer").await;
    host.request(invite(&["eve@example.org"], "participant")).await;
    assert_eq!(mails.until_taken(4).await.len(), 4, "nothing is sent twice");
    let mut ann = Session::connect(&process.address, "demo").await;
    assert_eq!(ann.hello(&token_in(&taken["ann@example.org"])).await["type"], "entry", "links outlive the server");
}

#[tokio::test]
async fn what_is_no_address_is_refused_and_makes_no_link() {
    let server = support::server().await;
    let mut host = Session::inside(&server, "Maya", Role::Host, "viewer").await;
    for address in ["ann@example.org\r\nBcc: ben@example.org", "Ann\n <ann@example.org>", "ann", "ann@example.org\0"] {
        let request = invite(&["cat@example.org", address], "speaker");
        assert_eq!(host.is_refused(request).await, "address_invalid", "{address:?}");
    }
    assert_eq!(host.is_refused(invite(&[], "speaker")).await, "addresses_missing");
    let many: Vec<_> = (0..101).map(|n| format!("a{n}@example.org")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(host.is_refused(invite(&many, "speaker")).await, "too_many_invitations");
    let mut long = invite(&["ann@example.org"], "speaker");
    long["minutes"] = json!(1_441);
    assert_eq!(host.is_refused(long).await, "minutes_invalid");
    for role in [Role::Moderator, Role::Participant] {
        let mut other = Session::inside(&server, "Mo", role, "viewer").await;
        assert_eq!(other.is_refused(invite(&["ann@example.org"], "participant")).await, "hosts_only");
        assert_eq!(other.is_refused(json!({ "type": "list_invitations" })).await, "hosts_only");
    }
    assert_eq!(host.request(json!({ "type": "list_links" })).await["links"], json!([]), "nobody was invited");
    until_scraped(
        &server,
        &["dais_refused_total{code=\"address_invalid\"} 4", "dais_refused_total{code=\"hosts_only\"} 4"],
    )
    .await;
}

#[tokio::test]
async fn a_room_has_a_thousand_invitations_and_not_one_more() {
    let server = support::server().await;
    let mut host = Session::inside(&server, "Maya", Role::Host, "viewer").await;
    for portion in 0..10 {
        let addresses: Vec<_> = (0..100).map(|n| format!("a{portion}-{n}@example.org")).collect();
        let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
        let answer = host.request(invite(&addresses, "participant")).await;
        assert_eq!(answer["type"], "invitations", "{answer}");
    }
    assert_eq!(host.is_refused(invite(&["b@example.org"], "participant")).await, "too_many_invitations");
    let all = host.request(json!({ "type": "list_invitations" })).await;
    assert_eq!(all["invitations"].as_array().unwrap().len(), 1_000);
}

#[tokio::test]
async fn without_a_mail_server_there_are_links_to_copy() {
    let server = support::server().await;
    let mut host = Session::inside(&server, "Maya", Role::Host, "viewer").await;
    let mut other = Session::inside(&server, "Hal", Role::Host, "viewer").await;
    let answer = host.request(invite(&["Ann Lee <ann@example.org>"], "speaker")).await;
    assert_eq!(answer["sendsMail"], false);
    let ann = &answer["invitations"][0];
    assert_eq!((&ann["name"], &ann["state"], &ann["used"]), (&json!("Ann Lee"), &json!("link_only"), &json!(false)));
    assert_eq!(other.told("invitations_changed").await["invitations"][0], *ann, "every host is told");
    assert_eq!(entering(&server, ann["token"].as_str().unwrap()).await, "entered");
}

#[tokio::test]
async fn addresses_are_deleted_when_the_session_is_over() {
    let folder = Folder::new("forgotten");
    let process = Process::start(&folder.0, &[]);
    let mut host = Session::connect(&process.address, "demo").await;
    host.enter(&demo_token(Role::Host, "hal"), "viewer").await;
    host.request(invite(&["ann@example.org"], "speaker")).await;
    let kept = || {
        let outbox = rusqlite::Connection::open(folder.0.join("outbox.sqlite")).unwrap();
        outbox.query_row("SELECT COUNT(*) FROM invitations", [], |row| row.get::<_, u32>(0)).unwrap()
    };
    assert_eq!(kept(), 1, "what was answered is on disk");
    host.send(&json!({ "type": "end_session", "id": 9 })).await;
    assert_eq!(host.closed().await, "session_ended");
    let deadline = tokio::time::Instant::now() + support::PATIENCE;
    while kept() > 0 {
        assert!(tokio::time::Instant::now() < deadline, "the address is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn when_the_outbox_cannot_be_written_the_host_is_told_and_nobody_is_invited() {
    let folder = Folder::new("unsaved");
    let process = Process::start(&folder.0, &[]);
    let mut host = Session::connect(&process.address, "demo").await;
    host.enter(&demo_token(Role::Host, "hal"), "viewer").await;
    // Somebody holds the file for longer than a write waits.
    let outbox = rusqlite::Connection::open(folder.0.join("outbox.sqlite")).unwrap();
    outbox.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(host.is_refused(invite(&["ann@example.org"], "speaker")).await, "mail_not_saved");
    outbox.execute_batch("ROLLBACK").unwrap();
    let all = host.request(json!({ "type": "list_invitations" })).await;
    assert_eq!(all["invitations"], json!([]));
    let links = host.request(json!({ "type": "list_links" })).await;
    let personal: Vec<_> = links["links"].as_array().unwrap().iter().filter(|link| link["personal"] == true).collect();
    assert!(personal.iter().all(|link| link["over"] == true), "a link that nobody has: {links}");
    let again = host.request(invite(&["ann@example.org"], "speaker")).await;
    assert_eq!(again["invitations"].as_array().map(Vec::len), Some(1), "{again}");
}

/// It is the operator's mistake: no invitation is lost by it, and no password is sent to whoever answers.
#[tokio::test]
async fn a_wrong_password_or_a_certificate_nobody_knows_keeps_mails_waiting() {
    let mails = MailServer::start("locked");
    for (login, trusts, reason) in [("stage:wrong", true, "535"), (support::mail::LOGIN, false, "certificate")] {
        let server = server(&mails, login, trusts).await;
        let mut host = Session::inside(&server, "Maya", Role::Host, "viewer").await;
        let mut known = Known::default();
        known.learn(&host.request(invite(&["ann@example.org"], "speaker")).await);
        known.until(&mut host, "a reason", |known| known.0["ann@example.org"]["reason"].is_string()).await;
        let said = known.0["ann@example.org"]["reason"].as_str().unwrap().to_lowercase();
        assert!(said.contains(reason), "{said}");
        assert_eq!(known.state("ann@example.org"), "queued");
        until_scraped(&server, &["dais_mail_failed_total 0", "dais_mail_queue_length 1"]).await;
        server.stop().await;
    }
    assert!(mails.mails().is_empty());
}
