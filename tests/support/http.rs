//! HTTP/1.1 as any client writes it.

use dais::Server;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a request was answered with.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    head: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let is = |line: &&str| line.split(':').next().is_some_and(|key| key.eq_ignore_ascii_case(name));
        Some(self.head.lines().find(is)?.split_once(':')?.1.trim())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// Status and stable code of a refusal, which must have a text.
    pub fn refusal(&self) -> (u16, String) {
        let json = self.json();
        assert!(!json["text"].as_str().unwrap_or_default().is_empty(), "a code comes with a text: {self:?}");
        (self.status, json["code"].as_str().unwrap().to_owned())
    }
}

/// Sends a request, which may be cut short when the server has seen enough, and reads the answer.
pub async fn http(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: dais\r\nconnection: close\r\n{headers}");
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Answer { status, body: body.to_owned(), head: head.to_owned() }
}

/// The status and the body of what is at `path`. HTTP/1.0, so that the body comes in one piece.
pub async fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    let request = format!("GET {path} HTTP/1.0\r\nHost: test\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the server answers with text");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("the answer has a status");
    let body = answer.split_once("\r\n\r\n").expect("the answer has a body").1;
    (status, body.to_owned())
}
