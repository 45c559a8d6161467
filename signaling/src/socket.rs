//! WebSockets that keep no memory of the largest message they carried. An offer or an answer is a hundred times as large as
//! what is said after it, for hours.

use std::future::Future;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::SplitStream;
use futures_util::{Sink, SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

use crate::limits;

/// A WebSocket to a client.
pub(crate) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Answers a request for a WebSocket (RFC 6455 §4.2), and gives it to `serve` once it is open. What asks for none, or for
/// another version than 13, gets status 426, as whatever else is wrong with it.
pub(crate) fn open<F>(mut request: Request, serve: impl FnOnce(Socket) -> F + Send + 'static) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(error) => {
            let wanted = [
                (header::CONNECTION, "upgrade"),
                (header::UPGRADE, "websocket"),
                (header::SEC_WEBSOCKET_VERSION, "13"),
            ];
            return (StatusCode::UPGRADE_REQUIRED, wanted, error.to_string()).into_response();
        }
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let config = WebSocketConfig::default()
        .max_message_size(Some(limits::FRAME_BYTES_MAX))
        .max_frame_size(Some(limits::FRAME_BYTES_MAX))
        .read_buffer_size(limits::READ_BUFFER_BYTES)
        .write_buffer_size(0);
    tokio::spawn(async move {
        // Whoever is gone before the handshake is over has nothing to be told.
        let Ok(upgraded) = upgrade.await else { return };
        serve(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await).await;
    });
    response
}

/// The messages that come in.
pub(crate) struct Incoming {
    stream: SplitStream<Socket>,
    last: Option<Message>,
}

impl Incoming {
    pub(crate) fn new(stream: SplitStream<Socket>) -> Self {
        Self { stream, last: None }
    }

    /// The next message; none, or an error, when the connection is over.
    pub(crate) async fn next(&mut self) -> Option<Result<&Message, Error>> {
        // A message is a part of the buffer it was read into. While the last one is there and the buffer is used up, another is
        // begun, as small as it was told to be; else the old one would be used again, as large as the largest message.
        let message = self.stream.next().await?;
        Some(message.map(|message| &*self.last.insert(message)))
    }
}

/// Sends a text in frames of [`limits::WRITTEN_FRAME_BYTES`]: a frame is copied before it is written, and the memory for that
/// is kept.
pub(crate) async fn send_text(
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    text: Utf8Bytes,
) -> Result<(), Error> {
    let mut rest = Bytes::from(text);
    let mut data = Data::Text;
    loop {
        let part = rest.split_to(rest.len().min(limits::WRITTEN_FRAME_BYTES));
        let frame = Frame::message(part, OpCode::Data(data), rest.is_empty());
        sink.send(Message::Frame(frame)).await?;
        if rest.is_empty() {
            return Ok(());
        }
        data = Data::Continue;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames `text` is sent in.
    async fn frames(text: &str) -> Vec<Frame> {
        let mut sent = Vec::new();
        let mut sink = Box::pin(futures_util::sink::unfold(&mut sent, |sent, message| async move {
            let Message::Frame(frame) = message else { panic!("{message:?} is no frame") };
            sent.push(frame);
            Ok::<_, Error>(sent)
        }));
        send_text(&mut sink, text.into()).await.unwrap();
        drop(sink);
        sent
    }

    #[tokio::test]
    async fn a_long_text_leaves_in_frames_that_are_small() {
        // Three bytes each: frames end in the middle of letters.
        let text = "ḋ".repeat(limits::WRITTEN_FRAME_BYTES);
        let frames = frames(&text).await;
        let codes: Vec<_> = frames.iter().map(|frame| (frame.header().opcode, frame.header().is_final)).collect();
        let [first, next] = [Data::Text, Data::Continue].map(OpCode::Data);
        assert_eq!(codes, [(first, false), (next, false), (next, true)]);
        assert!(frames.iter().all(|frame| frame.payload().len() == limits::WRITTEN_FRAME_BYTES));
        let joined: Vec<u8> = frames.iter().flat_map(|frame| frame.payload().to_vec()).collect();
        assert_eq!(joined, text.as_bytes());
    }

    #[tokio::test]
    async fn a_short_text_is_one_frame_and_so_is_none() {
        for text in ["hello", ""] {
            let frames = frames(text).await;
            assert_eq!(frames.len(), 1);
            assert!(frames[0].header().is_final);
            assert_eq!(frames[0].payload(), text.as_bytes());
        }
    }
}
