//! The server as a process of its own, to be killed.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use dais_signaling::token::{Claims, TokenKeys};
use dais_stage::Role;

/// What the server signs tokens with.
pub const SECRET: &str = "a secret of more than thirty-two bytes";

/// A folder of this test alone, removed with the value.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("dais-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running server with the room `demo`.
pub struct Process {
    child: Child,
    pub address: String,
    /// Where its metrics are.
    pub metrics: String,
    /// Kept open: the server may print.
    _printed: BufReader<ChildStdout>,
}

impl Process {
    /// Starts the server on the journal in `data` and waits until it runs.
    pub fn start(data: &Path, args: &[&str]) -> Self {
        let workers: &[&str] = if args.contains(&"--workers") { &[] } else { &["--workers", "1"] };
        let mut child = Command::new(env!("CARGO_BIN_EXE_dais"))
            .args(["--listen", "127.0.0.1:0", "--demo", "--token-secret", SECRET, "--data"])
            .arg(data)
            .args(workers)
            .args(args)
            .env("DAIS_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let mut printed = BufReader::new(child.stdout.take().expect("it prints"));
        let mut address_after = |word: &str| {
            let mut line = String::new();
            while !line.contains(word) {
                line.clear();
                assert!(printed.read_line(&mut line).expect("it prints text") > 0, "the server ended");
            }
            let link = line.split_once("http://").expect("a link is printed").1;
            link.split_once('/').expect("a link has a path").0.to_owned()
        };
        let (address, metrics) = (address_after("Host"), address_after("Metrics"));
        Self { child, address, metrics, _printed: printed }
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: it has no time to do anything.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A token of one identity for the room `demo`.
pub fn demo_token(role: Role, name: &str) -> String {
    let (name, sub) = (Some(name.to_owned()), Some(name.to_owned()));
    sign(&Claims { name, sub, ..Claims::new("demo", role, VALID_UNTIL) })
}

/// A token of the room `demo` with which everybody is somebody else.
pub fn shared_token(role: Role) -> String {
    sign(&Claims::new("demo", role, VALID_UNTIL))
}

/// The year 2096, in seconds since the Unix epoch.
const VALID_UNTIL: u64 = 4_000_000_000;

fn sign(claims: &Claims) -> String {
    let keys = TokenKeys::from_secret(SECRET.as_bytes()).expect("the secret is long enough");
    keys.sign(claims).expect("the token can be signed")
}
