//! A client without media.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_with_config};

use super::Result;
use super::server::Server;

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A session that is in the room.
pub struct Client {
    pub socket: Socket,
}

impl Client {
    pub async fn enter(server: &Server, token: &str, name: String, place: &str) -> Result<Self> {
        let tcp = TcpStream::connect(&server.address).await?;
        let url = format!("ws://{}/v1/rooms/demo/session", server.address);
        let config = WebSocketConfig::default().read_buffer_size(4 * 1024).write_buffer_size(0);
        let (socket, _) = client_async_with_config(url, MaybeTlsStream::Plain(tcp), Some(config)).await?;
        let mut client = Self { socket };
        client.send(&json!({ "type": "hello", "protocol": 2, "token": token })).await?;
        client.until("entry").await?;
        let enter = json!({
            "type": "enter", "id": 1, "name": name, "place": place, "mic": true, "camera": false,
        });
        client.send(&enter).await?;
        client.until("entered").await?;
        Ok(client)
    }

    pub async fn send(&mut self, message: &Value) -> Result<()> {
        Ok(self.socket.send(Message::text(message.to_string())).await?)
    }

    /// Reads up to a message of this kind.
    pub async fn until(&mut self, kind: &str) -> Result<()> {
        let start = format!(r#"{{"type":"{kind}""#);
        self.until_text(|text| text.starts_with(&start)).await.map(drop)
    }

    /// Reads up to a message that fits.
    pub async fn until_text(&mut self, fits: impl Fn(&str) -> bool) -> Result<String> {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await?.ok_or("closed")??;
            let Message::Text(text) = message else { continue };
            if fits(&text) {
                return Ok(text.to_string());
            }
            if [r#"{"type":"closed""#, r#"{"type":"error""#].iter().any(|refused| text.starts_with(refused)) {
                return Err(text.to_string().into());
            }
        }
    }
}
