//! What is in deploy/ for those who watch servers, tried with a real Prometheus.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use dais_media::{Slot, rtcp};
use dais_stage::Role;
use serde_json::{Value, json};
use support::client::{Session, Wish};
use support::media::pause;
use support::process::{Folder, Process, demo_token};
use support::prometheus::{Prometheus, deploy, promtool};
use support::{Client, PATIENCE, http};
use tokio::time::{Instant, sleep};

const DASHBOARDS: [&str; 2] = ["operations.json", "stage.json"];

/// Counters that the load of the test must have moved.
const MOVED: [&str; 21] = [
    "dais_media_received_bytes_total",
    "dais_media_sent_bytes_total",
    "dais_media_accepted_packets_total",
    "dais_media_forwarded_packets_total",
    "dais_media_retransmitted_packets_total",
    "dais_media_key_frames_wanted_total",
    "dais_media_key_frame_requests_total",
    "dais_media_handshakes_total",
    "dais_media_sent_messages_total",
    "dais_media_worker_busy_seconds_total",
    r#"dais_media_dropped_total{reason="gate_closed"}"#,
    "dais_session_messages_received_total",
    "dais_session_messages_sent_total",
    r#"dais_stage_events_total{event="came_on_stage"}"#,
    r#"dais_stage_events_total{event="speech_started"}"#,
    r#"dais_stage_events_total{event="voice_mapped"}"#,
    r#"dais_stage_events_total{event="asked"}"#,
    r#"dais_stage_exits_total{reason="stage_full"}"#,
    r#"dais_stage_access_changes_total{access="request"}"#,
    r#"dais_refused_total{code="not_on_stage"}"#,
    "dais_dominant_speaker_changes_total",
];

fn dashboard(name: &str) -> Value {
    let text = fs::read_to_string(deploy("grafana").join(name)).expect("the dashboard is there");
    serde_json::from_str(&text).expect("a dashboard is JSON")
}

/// The panels that show something.
fn panels(dashboard: &Value) -> Vec<&Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row").collect()
}

/// Every expression of a dashboard, as Grafana would ask it, with the title of its panel.
fn expressions(name: &str) -> Vec<(String, String)> {
    let dashboard = dashboard(name);
    let mut all = Vec::new();
    for panel in panels(&dashboard) {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            let asked = expression.replace("$__rate_interval", "1m").replace("$instance", ".*");
            assert!(!asked.contains('$'), "a variable this test does not know: {expression}");
            all.push((format!("{name}: {}", panel["title"].as_str().unwrap()), asked));
        }
    }
    all
}

/// The names of metrics in an expression.
fn metrics_in(expression: &str) -> BTreeSet<&str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    words.filter(|word| !word.contains(':') && (word.starts_with("dais_") || word.starts_with("process_"))).collect()
}

/// The histogram of one of its series; other names stay as they are.
fn family(metric: &str) -> &str {
    let suffix = ["_bucket", "_sum", "_count"].iter().find(|suffix| metric.ends_with(*suffix));
    suffix.map_or(metric, |suffix| metric.strip_suffix(suffix).unwrap_or(metric))
}

#[test]
fn promtool_accepts_the_configuration_and_the_rules() {
    promtool(&["check", "config", "prometheus.yml"], "");
    promtool(&["check", "rules", "dais.rules.yml"], "");
    promtool(&["test", "rules", "dais.rules.test.yml"], "");
}

#[test]
fn dashboards_are_complete_and_their_panels_do_not_overlap() {
    for name in DASHBOARDS {
        let dashboard = dashboard(name);
        assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 39, "{name}");
        assert!(dashboard["id"].is_null() && dashboard["uid"].is_string(), "{name} can be imported anywhere");
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        assert!(variables.iter().any(|variable| variable["type"] == "datasource" && variable["name"] == "datasource"));
        let mut ids = BTreeSet::new();
        let mut taken = BTreeMap::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            assert!(!title.is_empty() && ids.insert(panel["id"].as_u64().unwrap()), "{name}: {title}");
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
            assert!(w > 0 && h > 0 && x + w <= 24, "{name}: {title} is on the grid");
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert_eq!(taken.insert(cell, title), None, "{name}: {title} lies on another panel");
            }
        }
        for panel in panels(&dashboard) {
            let title = &panel["title"];
            assert!(panel["description"].as_str().is_some_and(|text| text.len() > 10), "{name}: {title} is described");
            let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().or(panel["options"]["yAxis"]["unit"].as_str());
            assert!(unit.is_some_and(|unit| !unit.is_empty()), "{name}: {title} has a unit");
            let targets = panel["targets"].as_array().unwrap();
            assert!(!targets.is_empty(), "{name}: {title} asks something");
            for source in targets.iter().chain([panel]).map(|part| &part["datasource"]["uid"]) {
                assert_eq!(source, "${datasource}", "{name}: {title} asks the source that was chosen");
            }
        }
    }
}

/// Hal hosts; Ann stays on a stage of two and talks; Vic watches, asks in vain, and asks for packets again.
struct Load {
    address: String,
    hal: Session,
    ann: Client,
    vic: Client,
}

impl Load {
    async fn start(address: &str) -> Self {
        let mut hal = Session::connect(address, "demo").await;
        let entered = hal.enter(&demo_token(Role::Host, "hal"), "viewer").await;
        assert_eq!(entered["type"], "entered", "{entered}");
        let ann = Self::client(address, Role::Speaker, "ann", Wish::STAGE).await;
        let vic = Self::client(address, Role::Participant, "vic", Wish::VIEWER).await;
        Self { address: address.to_owned(), hal, ann, vic }
    }

    async fn client(address: &str, role: Role, name: &str, wish: Wish) -> Client {
        Client::enter_session(Session::connect(address, "demo").await, &demo_token(role, name), wish).await
    }

    /// A second in which everything that is measured happens once.
    async fn round(&mut self, n: u32) {
        let Self { address, hal, ann, vic } = self;
        let guest = |place: u32| {
            let (address, name) = (address.clone(), format!("guest-{n}-{place}"));
            async move { Self::client(&address, Role::Participant, &name, Wish::STAGE).await }
        };
        let mut silent = guest(0).await;
        ann.show(true, &[n as u8; 900]).await;
        for _ in 0..40 {
            ann.speak(20, &[0; 60]).await;
            ann.show(false, &[n as u8; 900]).await;
            pause(20).await;
        }
        // The stage has two places: this takes that of the silent guest, who does not believe it.
        let mut last = guest(1).await;
        silent.speak(20, b"not on stage").await;
        let picture = vic.packet("a picture", |packet| packet.slot.kind().is_video()).await;
        vic.path.send_rtcp(rtcp::nack(picture.slot.ssrc(), &[picture.seq])).await;
        vic.path.send_rtcp(rtcp::picture_loss(Slot::ssrc(picture.slot))).await;
        assert_eq!(vic.is_refused(json!({ "type": "set_mic", "on": true })).await, "not_on_stage");
        hal.does(json!({ "type": "set_access", "access": "request" })).await;
        vic.does(json!({ "type": "ask_to_join" })).await;
        hal.does(json!({ "type": "decline", "participant": vic.you })).await;
        hal.does(json!({ "type": "set_access", "access": "everyone" })).await;
        for guest in [&mut silent, &mut last] {
            guest.session.send(&json!({ "type": "leave" })).await;
        }
    }
}

/// Asks until the expression has a number, or the time is over.
async fn number(prometheus: &Prometheus, expression: &str, deadline: Instant) -> Result<(), String> {
    loop {
        let values = prometheus.query(expression).await?;
        if values.iter().any(|value| value.is_finite()) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(if values.is_empty() { "no data".to_owned() } else { format!("no number but {values:?}") });
        }
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_real_prometheus_scrapes_a_server_under_load_and_answers_every_question() {
    let folder = Folder::new("scraped");
    let server = Process::start(&folder.0, &["--capacity", "2", "--workers", "2"]);
    let prometheus = Prometheus::start(&server.metrics).await;
    // What happened before the first scrape is no increase.
    let deadline = Instant::now() + PATIENCE;
    number(&prometheus, r#"up{job="dais"} == 1"#, deadline).await.expect("the server is scraped");
    let mut load = Load::start(&server.address).await;
    for n in 0..5 {
        load.round(n).await;
    }

    let (status, scraped) = http::get(&server.metrics, "/metrics").await;
    assert_eq!(status, 200);
    let said = promtool(&["check", "metrics"], &scraped);
    assert_eq!(said, "", "promtool has nothing to say about names, types and units");
    let value = |series: &str| {
        let line = scraped.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.and_then(|value| value.parse::<f64>().ok()).unwrap_or_else(|| panic!("{series} is not in\n{scraped}"))
    };
    let still: Vec<_> = MOVED.into_iter().filter(|series| value(series) == 0.0).collect();
    assert_eq!(still, [""; 0], "the load moves these");
    let histograms = scraped.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" histogram"));
    let empty = |histogram: &str| {
        let count = format!("{histogram}_count");
        scraped.lines().filter(|line| line.starts_with(&count)).all(|line| line.ends_with(" 0"))
    };
    let unmeasured: Vec<_> = histograms.filter(|histogram| empty(histogram)).collect();
    assert_eq!(unmeasured, [""; 0], "the load is measured by all of them");

    let rules = prometheus.api("/api/v1/rules").await.unwrap();
    let rules: Vec<_> =
        rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array()).collect();
    let rules: Vec<_> = rules.into_iter().flatten().collect();
    let (alerts, records): (Vec<_>, Vec<_>) = rules.into_iter().partition(|rule| rule["type"] == "alerting");
    let mut questions: Vec<_> = DASHBOARDS.into_iter().flat_map(expressions).collect();
    for record in &records {
        let name = record["name"].as_str().unwrap();
        questions.push((format!("record {name}"), name.to_owned()));
        questions.push((format!("rule of {name}"), record["query"].as_str().unwrap().to_owned()));
    }
    let documented = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md")).unwrap();
    let mut wrong = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    for (what, expression) in &questions {
        let metrics = metrics_in(expression);
        let unknown = metrics.iter().filter(|metric| !documented.contains(&format!("| `{}` |", family(metric))));
        wrong.extend(unknown.map(|metric| format!("{what}: {metric} is not in docs/metrics.md")));
        let answer = number(&prometheus, expression, deadline).await;
        wrong.extend(answer.err().map(|error| format!("{what}: {error}: {expression}")));
    }
    assert_eq!(wrong, [""; 0]);
    println!("asked {} questions, of {} records and {} alerts", questions.len(), records.len(), alerts.len());
    the_alerts_are_explained(&alerts, &records);
}

/// Each alert compares a record with a number, is fired in a test of its own, and is explained in docs/operations.md.
fn the_alerts_are_explained(alerts: &[&Value], records: &[&Value]) {
    assert!(alerts.len() >= 9 && !records.is_empty(), "{alerts:?}");
    let operations = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md")).unwrap();
    let tests = fs::read_to_string(deploy("prometheus/dais.rules.test.yml")).unwrap();
    for alert in alerts {
        let name = alert["name"].as_str().unwrap();
        assert_eq!(alert["health"], "ok", "{name}: {}", alert["lastError"]);
        let words: Vec<_> = alert["query"].as_str().unwrap().split(' ').collect();
        let [record, "==" | ">" | "<", threshold] = words[..] else { panic!("{name} is no comparison: {words:?}") };
        assert!(records.iter().any(|known| known["name"] == record), "{name} compares a record, not {record}");
        assert!(threshold.parse::<f64>().is_ok(), "{name} compares with a number");
        assert!(["critical", "warning"].map(Value::from).contains(&alert["labels"]["severity"]), "{name}");
        for annotation in ["summary", "description"] {
            assert!(alert["annotations"][annotation].as_str().is_some_and(|text| text.len() > 10), "{name}");
        }
        let runbook = format!("docs/operations.md#{}", name.to_lowercase());
        assert_eq!(alert["annotations"]["runbook"], runbook.as_str());
        assert!(operations.contains(&format!("### {name}\n")), "docs/operations.md says what to do about {name}");
        assert!(tests.contains(&format!("alertname: {name}\n        exp_alerts:")), "{name} fires in a test");
    }
}
