//! One participant's WebSocket.

use dais_signaling::limits::PROTOCOL;
use dais_signaling::protocol::{ClientMessage, Place, Rules, ServerMessage};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::error::LoadError;
use crate::limits::ANSWER_WITHIN;

/// What a socket reads at once, bytes: messages are small, and there are thousands of sockets.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Why somebody did not come in, or a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The server's code, or one of the harness.
    pub(crate) code: String,
    /// A sentence.
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.to_owned(), text: text.into() }
    }
}

impl Failure {
    /// Why somebody without whom there is no result could not come to the server at `url`; `failed` when it could be
    /// reached.
    pub(crate) fn of_joining(self, url: &str, failed: impl FnOnce(String) -> LoadError) -> LoadError {
        match self.code.as_str() {
            "unreachable" | "websocket_refused" | "websocket_timeout" => {
                LoadError::Unreachable(url.to_owned(), self.text)
            }
            _ => failed(self.to_string()),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.text, self.code)
    }
}

/// Somebody who is in the room.
#[derive(Clone, Debug)]
pub(crate) struct Entered {
    /// Number in the room.
    pub(crate) you: u32,
    /// The answer to the offer, if there was one.
    pub(crate) answer: Option<String>,
    pub(crate) rules: Rules,
    /// People on stage.
    pub(crate) on_stage: u32,
}

/// How somebody enters.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) mic: bool,
    pub(crate) camera: bool,
    pub(crate) offer: Option<String>,
}

/// See the module.
pub(crate) struct Session {
    socket: WebSocketStream<TcpStream>,
    next_id: u32,
}

impl Session {
    /// Connects to room `room` of the server at `authority`.
    pub(crate) async fn connect(authority: &str, room: &str) -> Result<Self, Failure> {
        let connect = async {
            let stream =
                TcpStream::connect(authority).await.map_err(|error| Failure::new("unreachable", error.to_string()))?;
            stream.set_nodelay(true).map_err(|error| Failure::new("unreachable", error.to_string()))?;
            let url = format!("ws://{authority}/v1/rooms/{room}/session");
            let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).write_buffer_size(0);
            let connected = client_async_with_config(url, stream, Some(config)).await;
            connected.map_err(|error| Failure::new("websocket_refused", error.to_string()))
        };
        let (socket, _) =
            timeout(ANSWER_WITHIN, connect).await.map_err(|_| Failure::new("websocket_timeout", "no answer"))??;
        Ok(Self { socket, next_id: 1 })
    }

    /// Sends a message; what answers it comes among the others.
    pub(crate) async fn send(&mut self, message: &ClientMessage) -> Result<(), Failure> {
        let text = serde_json::to_string(message).map_err(|error| Failure::new("harness", error.to_string()))?;
        self.socket.send(Message::text(text)).await.map_err(|error| Failure::new("websocket_closed", error.to_string()))
    }

    /// The next message as it came. Pings are answered on the way.
    async fn next_text(&mut self) -> Result<tokio_tungstenite::tungstenite::Utf8Bytes, Failure> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(_)) | Err(_)) | None => {
                    return Err(Failure::new("websocket_closed", "the server closed the WebSocket"));
                }
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Result<ServerMessage, Failure> {
        let text = self.next_text().await?;
        let message =
            serde_json::from_str(&text).map_err(|error| Failure::new("message_unknown", error.to_string()))?;
        match message {
            ServerMessage::Closed { code, text } => Err(Failure { code, text }),
            message => Ok(message),
        }
    }

    /// Reads without a look at what comes, until the session is over.
    pub(crate) async fn ignore(&mut self) -> Failure {
        self.ignore_all_but_held(|_| ()).await
    }

    /// The same, but tells `held` which camera slots the server holds back, whenever that changes.
    pub(crate) async fn ignore_all_but_held(&mut self, mut held: impl FnMut(Vec<u8>)) -> Failure {
        loop {
            match self.next_text().await {
                Ok(text) if text.starts_with(r#"{"type":"closed""#) => {
                    let closed = serde_json::from_str(&text);
                    if let Ok(ServerMessage::Closed { code, text }) = closed {
                        return Failure { code, text };
                    }
                }
                Ok(text) if text.starts_with(r#"{"type":"held""#) => {
                    if let Ok(ServerMessage::Held { cameras, .. }) = serde_json::from_str(&text) {
                        held(cameras);
                    }
                }
                Ok(_) => {}
                Err(failure) => return failure,
            }
        }
    }

    /// Says hello.
    pub(crate) async fn hello(&mut self, token: &str) -> Result<(), Failure> {
        let hello = ClientMessage::Hello { protocol: PROTOCOL, token: token.to_owned(), phone: false };
        self.send(&hello).await?;
        let late = |_| Failure::new("entry_timeout", "hello was not answered in 20 s");
        match timeout(ANSWER_WITHIN, self.next()).await.map_err(late)?? {
            ServerMessage::Entry { present: None, .. } => Ok(()),
            ServerMessage::Entry { .. } => {
                let text = "the token names one person, who is in the room: give one without `sub`, or --token-secret";
                Err(Failure::new("token_of_one_person", text))
            }
            ServerMessage::Error { code, text, .. } => Err(Failure { code, text }),
            other => Err(unexpected(&other)),
        }
    }

    /// Comes into the room.
    pub(crate) async fn enter(&mut self, entry: Entry) -> Result<Entered, Failure> {
        let Entry { name, place, mic, camera, offer } = entry;
        let id = self.id();
        let enter = ClientMessage::Enter { id, name: Some(name), place, mic, camera, offer, keep_media: false };
        match self.request(id, enter).await? {
            ServerMessage::Entered { refused: Some(refused), .. } => {
                Err(Failure { code: refused.code, text: refused.text })
            }
            ServerMessage::Entered { you, state, answer, .. } => {
                Ok(Entered { you, answer, rules: state.rules, on_stage: state.on_stage })
            }
            other => Err(unexpected(&other)),
        }
    }

    pub(crate) fn id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Sends the request numbered `id` and waits for its answer; other messages are passed over.
    pub(crate) async fn request(&mut self, id: u32, request: ClientMessage) -> Result<ServerMessage, Failure> {
        self.send(&request).await?;
        let answer = async {
            loop {
                let message = self.next().await?;
                match message {
                    ServerMessage::Error { id: Some(answered), code, text } if answered == id => {
                        return Err(Failure { code, text });
                    }
                    ServerMessage::Ok { id: answered } | ServerMessage::Entered { id: answered, .. }
                        if answered == id =>
                    {
                        return Ok(message);
                    }
                    _ => {}
                }
            }
        };
        timeout(ANSWER_WITHIN, answer).await.map_err(|_| Failure::new("answer_timeout", "no answer in 20 s"))?
    }

    /// Leaves the room for good.
    pub(crate) async fn leave(mut self) {
        if self.send(&ClientMessage::Leave).await.is_ok() {
            let _ = self.socket.close(None).await;
        }
    }
}

fn unexpected(message: &ServerMessage) -> Failure {
    let text = format!("{message:?}");
    Failure::new("message_unexpected", text.chars().take(200).collect::<String>())
}
