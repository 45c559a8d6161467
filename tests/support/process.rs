//! The server as a process of its own, to be killed.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use dais_signaling::token::{Claims, TokenKeys};
use dais_stage::Role;

const SECRET: &str = "a secret of more than thirty-two bytes";

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
    /// Kept open: the server may print.
    _printed: BufReader<ChildStdout>,
}

impl Process {
    /// Starts the server on the journal in `data` and waits until it runs.
    pub fn start(data: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dais"))
            .args(["--listen", "127.0.0.1:0", "--workers", "1", "--demo", "--token-secret", SECRET, "--data"])
            .arg(data)
            .args(args)
            .env("DAIS_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let mut printed = BufReader::new(child.stdout.take().expect("it prints"));
        let mut line = String::new();
        while !line.contains("Host") {
            line.clear();
            assert!(printed.read_line(&mut line).expect("it prints text") > 0, "the server ended");
        }
        let link = line.split_once("http://").expect("a link is printed").1;
        let address = link.split_once('/').expect("a link has a path").0.to_owned();
        Self { child, address, _printed: printed }
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
    let keys = TokenKeys::from_secret(SECRET.as_bytes()).expect("the secret is long enough");
    let claims =
        Claims { name: Some(name.to_owned()), sub: Some(name.to_owned()), ..Claims::new("demo", role, 4_000_000_000) };
    keys.sign(&claims).expect("the token can be signed")
}
