//! A Prometheus of its own for a test, with the configuration of deploy/prometheus.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::process::Folder;
use super::{PATIENCE, http};

/// Below the root of the repository.
pub fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)
}

fn not_there(program: &str, error: &std::io::Error) -> ! {
    panic!("{program} cannot be run ({error}): install Debian's package `prometheus`, as `cargo xtask test rust` does")
}

/// Runs promtool in deploy/prometheus, with something to read. It must succeed; returns what it said.
pub fn promtool(args: &[&str], input: &str) -> String {
    let mut child = Command::new("promtool")
        .args(args)
        .current_dir(deploy("prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| not_there("promtool", &error));
    child.stdin.take().expect("it reads").write_all(input.as_bytes()).expect("it reads everything");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "promtool {}: {said}", args.join(" "));
    said
}

/// A running Prometheus that scrapes one server every second.
pub struct Prometheus {
    child: Child,
    address: String,
    log: PathBuf,
    _folder: Folder,
}

impl Prometheus {
    /// Starts it with the shipped configuration and rules, in which only the target and the intervals are replaced, and
    /// waits until it is ready.
    pub async fn start(target: &str) -> Self {
        let folder = Folder::new("prometheus");
        fs::create_dir_all(&folder.0).unwrap();
        let mut config = fs::read_to_string(deploy("prometheus/prometheus.yml")).unwrap();
        for (shipped, here) in [("15s", "1s"), ("127.0.0.1:9464", target)] {
            assert!(config.contains(shipped), "{shipped} is in the shipped configuration");
            config = config.replace(shipped, here);
        }
        fs::write(folder.0.join("prometheus.yml"), config).unwrap();
        fs::copy(deploy("prometheus/dais.rules.yml"), folder.0.join("dais.rules.yml")).unwrap();
        // It cannot be asked which port it took: take one that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let log = folder.0.join("log");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.0.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.0.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap_or_else(|error| not_there("prometheus", &error));
        let mut prometheus = Self { child, address, log, _folder: folder };
        prometheus.until_ready().await;
        prometheus
    }

    async fn until_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let listens = tokio::net::TcpStream::connect(&self.address).await.is_ok();
            if listens && http::get(&self.address, "/-/ready").await.0 == 200 {
                return;
            }
            let ended = self.child.try_wait().expect("it can be asked");
            let log = || fs::read_to_string(&self.log).unwrap_or_default();
            assert!(ended.is_none(), "prometheus ended: {}", log());
            assert!(Instant::now() < deadline, "prometheus is not ready: {}", log());
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The `data` of an answer of the HTTP API, or what is wrong.
    pub async fn api(&self, path: &str) -> Result<Value, String> {
        let (status, body) = http::get(&self.address, path).await;
        let answer: Value = serde_json::from_str(&body).map_err(|error| format!("{status} {error}: {body}"))?;
        if answer["status"] == "success" { Ok(answer["data"].clone()) } else { Err(format!("{status} {body}")) }
    }

    /// The values an expression has; none without data.
    pub async fn query(&self, expression: &str) -> Result<Vec<f64>, String> {
        let data = self.api(&format!("/api/v1/query?query={}", percent_encoded(expression))).await?;
        let value = |sample: &Value| sample["value"][1].as_str().and_then(|value| value.parse().ok());
        let samples = data["result"].as_array().ok_or_else(|| format!("no samples but {data}"))?;
        samples.iter().map(|sample| value(sample).ok_or_else(|| format!("no value but {sample}"))).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
