//! A real mail server, of another make, for a test: aiosmtpd, which keeps what it takes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};

use super::PATIENCE;
use super::process::Folder;

/// Name and password that it takes.
pub const LOGIN: &str = "stage:a secret";

/// Below the root of the repository.
fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub struct MailServer {
    child: Child,
    pub port: u16,
    /// With the certificate it asks for STARTTLS with, and what it has taken.
    folder: Folder,
    /// Kept open: it may print.
    _printed: BufReader<ChildStdout>,
}

impl MailServer {
    /// One that asks for STARTTLS, with a certificate of its own for `localhost`, and for [`LOGIN`].
    pub fn start(name: &str) -> Self {
        let folder = Folder::new(name);
        std::fs::create_dir_all(&folder.0).unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.0.join("certificate.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.0.join("both.pem"), made.signing_key.serialize_pem() + &made.cert.pem()).unwrap();
        let both = folder.0.join("both.pem").display().to_string();
        Self::launch(folder, &["--certificate", &both, "--login", LOGIN])
    }

    /// One without either, at `port`.
    pub fn start_plain(name: &str, port: u16) -> Self {
        Self::launch(Folder::new(name), &["--port", &port.to_string()])
    }

    fn launch(folder: Folder, args: &[&str]) -> Self {
        let python = here("target/venv/bin/python");
        let mut child = Command::new(&python)
            .arg(here("tests/mail/server.py"))
            .arg(folder.0.join("mails"))
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} ({error}): `cargo xtask test rust` installs it", python.display()));
        let mut printed = BufReader::new(child.stdout.take().expect("it prints"));
        let mut line = String::new();
        printed.read_line(&mut line).expect("it prints text");
        let port = line.trim().strip_prefix("port ").and_then(|port| port.parse().ok()).expect("it tells its port");
        Self { child, port, folder, _printed: printed }
    }

    /// File with its certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.0.join("certificate.pem")
    }

    /// What it has taken, by recipient; each must have had no more than one.
    pub fn mails(&self) -> BTreeMap<String, Value> {
        let mut mails = BTreeMap::new();
        for number in 1.. {
            let file = self.folder.0.join(format!("mails/{number}.json"));
            let Ok(text) = std::fs::read_to_string(file) else { break };
            let mail: Value = serde_json::from_str(&text).unwrap();
            let recipients = mail["recipients"].as_array().unwrap();
            assert_eq!(recipients.len(), 1, "nobody sees who else is invited: {recipients:?}");
            let recipient = recipients[0].as_str().unwrap().to_owned();
            assert!(mails.insert(recipient, mail).is_none(), "the same mail twice");
        }
        mails
    }

    /// Waits until it has taken that many.
    pub async fn until_taken(&self, count: usize) -> BTreeMap<String, Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mails = self.mails();
            if mails.len() >= count {
                return mails;
            }
            assert!(Instant::now() < deadline, "only {} mails of {count} came", mails.len());
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The token of the link in a mail.
pub fn token_in(mail: &Value) -> String {
    let text = mail["text"].as_str().expect("it has a text");
    let token = text.split_once("#token=").expect("it has a link").1;
    token.split_whitespace().next().unwrap().to_owned()
}
