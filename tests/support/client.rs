//! A client: session and media.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};

use dais::Server;
use dais_media::rtp::AudioLevel;
use dais_stage::Role;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::media::{Incoming, Numbers, Path, Received, Unconnected, pause, vp8};
use super::offer::{Ssrcs, attribute, offer};
use super::{PATIENCE, QUIET, ROOM, token};

/// A WebSocket that speaks the protocol.
pub struct Session {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u32,
    /// Messages read while waiting for another.
    pub seen: Vec<Value>,
    /// Number in the room, once in.
    pub you: u32,
    /// Token to come back with, once in.
    pub token: String,
}

impl Session {
    pub async fn open(server: &Server) -> Self {
        Self::open_room(server, ROOM).await
    }

    pub async fn open_room(server: &Server, room: &str) -> Self {
        Self::connect(&server.address().to_string(), room).await
    }

    pub async fn connect(address: &str, room: &str) -> Self {
        let url = format!("ws://{address}/v1/rooms/{room}/session");
        Self::over(url.into_client_request().unwrap()).await
    }

    /// As the page of `origin` connects.
    pub async fn from_page(server: &Server, origin: &str) -> Self {
        let mut request = format!("ws://{}/v1/rooms/{ROOM}/session", server.address()).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        Self::over(request).await
    }

    async fn over(request: Request) -> Self {
        let (socket, _) = connect_async(request).await.expect("the server takes WebSockets");
        Self { socket, next_id: 1, seen: Vec::new(), you: 0, token: String::new() }
    }

    /// Somebody of this role in the room, without media.
    pub async fn inside(server: &Server, name: &str, role: Role, place: &str) -> Self {
        let mut session = Self::open(server).await;
        let entered = session.enter(&token(server, role, name), place).await;
        assert_eq!(entered["type"], "entered", "{entered}");
        session
    }

    pub async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("the session is open");
    }

    /// Sends unless the session is over.
    pub async fn try_send(&mut self, message: &Value) -> bool {
        self.socket.send(Message::text(message.to_string())).await.is_ok()
    }

    pub async fn send_message(&mut self, message: Message) {
        self.socket.send(message).await.expect("the session is open");
    }

    /// The next message, or nothing when the server closed the session.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("the server says something");
            match message? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("messages are JSON")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Waits for a message that `fits`; the others are kept in `seen`.
    pub async fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("closed while waiting for {what}"));
            if fits(&message) {
                return message;
            }
            self.seen.push(message);
        }
    }

    /// Sends a request and waits for its answer.
    pub async fn request(&mut self, mut request: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        request["id"] = json!(id);
        self.send(&request).await;
        self.until("the answer to a request", |message| message["id"] == id).await
    }

    /// Sends a request and waits for its answer; nothing when the server is gone.
    pub async fn try_request(&mut self, mut request: Value) -> Option<Value> {
        let id = self.next_id;
        self.next_id += 1;
        request["id"] = json!(id);
        if !self.try_send(&request).await {
            return None;
        }
        loop {
            let message = self.next().await?;
            if message["id"] == id {
                return Some(message);
            }
        }
    }

    pub async fn hello(&mut self, token: &str) -> Value {
        self.send(&json!({ "type": "hello", "protocol": 2, "token": token })).await;
        self.next().await.expect("hello is answered")
    }

    /// Says hello and comes in without media; the answer to `enter`.
    pub async fn enter(&mut self, token: &str, place: &str) -> Value {
        let entry = self.hello(token).await;
        assert_eq!(entry["type"], "entry", "{entry}");
        let on = place == "stage";
        let entered = self.request(json!({ "type": "enter", "place": place, "mic": on, "camera": on })).await;
        if entered["type"] == "entered" {
            self.you = entered["you"].as_u64().unwrap() as u32;
            self.token = entered["token"].as_str().unwrap().to_owned();
        }
        entered
    }

    /// A request that must be carried out.
    pub async fn does(&mut self, request: Value) {
        let answer = self.request(request).await;
        assert_eq!(answer["type"], "ok", "{answer}");
    }

    /// A request that must be refused, and the code.
    pub async fn is_refused(&mut self, request: Value) -> String {
        let answer = self.request(request).await;
        assert_eq!(answer["type"], "error", "{answer}");
        assert!(!answer["text"].as_str().unwrap().is_empty(), "a code comes with a text");
        answer["code"].as_str().unwrap().to_owned()
    }

    pub async fn notice(&mut self) -> Value {
        self.told("notice").await["notice"].clone()
    }

    /// The next message of a type.
    pub async fn told(&mut self, kind: &str) -> Value {
        let fits = |message: &Value| message["type"] == kind;
        if let Some(at) = self.seen.iter().position(fits) {
            return self.seen.remove(at);
        }
        self.until(kind, fits).await
    }

    /// The code the session is closed with.
    pub async fn closed(&mut self) -> String {
        let closed = self.told("closed").await;
        assert!(!closed["text"].as_str().unwrap().is_empty(), "a code comes with a text");
        closed["code"].as_str().unwrap().to_owned()
    }

    /// Messages of a type that have come so far, or come within a moment.
    pub async fn settle(&mut self) -> Vec<Value> {
        let end = tokio::time::Instant::now() + QUIET;
        while let Ok(Some(Ok(message))) = tokio::time::timeout_at(end, self.socket.next()).await {
            if let Message::Text(text) = message {
                self.seen.push(serde_json::from_str(&text).unwrap());
            }
        }
        std::mem::take(&mut self.seen)
    }
}

/// What a client asks for when it enters.
#[derive(Clone, Debug)]
pub struct Wish {
    pub role: Role,
    pub stage: bool,
    pub mic: bool,
    pub camera: bool,
    /// The camera has three layers.
    pub simulcast: bool,
    /// It has sections for a screen to send.
    pub presents: bool,
    pub cameras: usize,
    pub voices: usize,
}

impl Wish {
    pub const VIEWER: Self = Self {
        role: Role::Participant,
        stage: false,
        mic: false,
        camera: false,
        simulcast: false,
        presents: false,
        cameras: 25,
        voices: 8,
    };
    pub const STAGE: Self = Self { stage: true, mic: true, camera: true, ..Self::VIEWER };
    pub const HOST: Self = Self { role: Role::Host, ..Self::VIEWER };
}

static NEXT_SSRC: AtomicU32 = AtomicU32::new(0x2000_0000);

impl Ssrcs {
    /// SSRCs that nobody else in the test has.
    pub fn fresh() -> Self {
        let mic = NEXT_SSRC.fetch_add(5, Ordering::Relaxed);
        let [camera, camera_rtx, screen, screen_sound] = [1, 2, 3, 4].map(|n| mic + n);
        Self { mic, camera, camera_rtx, screen, screen_sound, simulcast: false, presents: false }
    }
}

/// Connected media with the numbers of the next packets.
pub struct Media {
    pub path: Path,
    pub incoming: Incoming,
    pub ssrcs: Ssrcs,
    /// The server's answer to the offer.
    pub answer: String,
    audio_seq: u64,
    video_seq: u64,
    layer_seqs: [u64; 3],
    screen_seq: u64,
    picture: u16,
}

/// Somebody in the room with media connected.
pub struct Client {
    pub you: u32,
    pub session: Session,
    pub media: Media,
}

impl Deref for Client {
    type Target = Media;

    fn deref(&self) -> &Media {
        &self.media
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Media {
        &mut self.media
    }
}

impl Client {
    pub async fn enter(server: &Server, name: &str, wish: Wish) -> Self {
        let token = token(server, wish.role, name);
        Self::enter_with(server, &token, wish).await
    }

    pub async fn enter_with(server: &Server, token: &str, wish: Wish) -> Self {
        Self::enter_session(Session::open(server).await, token, wish).await
    }

    /// Comes in over an open session.
    pub async fn enter_session(mut session: Session, token: &str, wish: Wish) -> Self {
        let entry = session.hello(token).await;
        assert_eq!(entry["type"], "entry", "{entry}");
        let (unconnected, ssrcs) =
            (Unconnected::new().await, Ssrcs { simulcast: wish.simulcast, presents: wish.presents, ..Ssrcs::fresh() });
        let fingerprint = unconnected.identity.fingerprint();
        let sdp = offer(fingerprint, &unconnected.ufrag, Some(ssrcs), wish.cameras, wish.voices);
        let place = if wish.stage { "stage" } else { "viewer" };
        let enter = json!({
            "type": "enter", "place": place, "mic": wish.mic, "camera": wish.camera, "offer": sdp,
        });
        let entered = session.request(enter).await;
        assert_eq!(entered["type"], "entered", "{entered}");
        let media = Media::connect(unconnected, ssrcs, entered["answer"].as_str().unwrap()).await;
        let you = entered["you"].as_u64().unwrap() as u32;
        (session.you, session.token) = (you, entered["token"].as_str().unwrap().to_owned());
        Self { you, session, media }
    }

    pub async fn request(&mut self, request: Value) -> Value {
        self.session.request(request).await
    }

    pub async fn does(&mut self, request: Value) {
        self.session.does(request).await;
    }

    pub async fn is_refused(&mut self, request: Value) -> String {
        self.session.is_refused(request).await
    }

    pub async fn notice(&mut self) -> Value {
        self.session.notice().await
    }

    /// Offers again and connects media anew, with SSRCs and numbers of its own.
    pub async fn connect_anew(&mut self) {
        let (unconnected, ssrcs) = (Unconnected::new().await, Ssrcs::fresh());
        let sdp = offer(unconnected.identity.fingerprint(), &unconnected.ufrag, Some(ssrcs), 25, 8);
        let answer = self.request(json!({ "type": "offer", "sdp": sdp })).await;
        let answer = answer["sdp"].as_str().unwrap_or_else(|| panic!("{answer}"));
        self.media = Media::connect(unconnected, ssrcs, answer).await;
        (self.audio_seq, self.video_seq) = (40_000, 50_000);
    }
}

impl Media {
    pub async fn connect(unconnected: Unconnected, ssrcs: Ssrcs, answer: &str) -> Self {
        let (path, incoming) = unconnected.connect(answer).await;
        let answer = answer.to_owned();
        Self {
            path,
            incoming,
            ssrcs,
            answer,
            audio_seq: 100,
            video_seq: 1_000,
            layer_seqs: [1_000; 3],
            screen_seq: 1_000,
            picture: 7,
        }
    }

    /// Sends 20 ms of audio at `dbov`.
    pub async fn speak(&mut self, dbov: u8, payload: &[u8]) {
        self.audio_seq += 1;
        let (ssrc, seq) = (self.ssrcs.mic, self.audio_seq);
        let numbers = Numbers { ssrc, seq, timestamp: seq as u32 * 960 };
        self.path.send_audio(numbers, AudioLevel { dbov, voice: dbov < 50 }, payload).await;
    }

    /// Sends a frame of one packet.
    pub async fn show(&mut self, key: bool, body: &[u8]) {
        let payload = vp8(key, true, self.next_picture(), body);
        self.video(true, &payload).await;
    }

    pub fn next_picture(&mut self) -> u16 {
        self.picture += 1;
        self.picture
    }

    /// Sends a video packet with the next sequence number, which it returns.
    pub async fn video(&mut self, marker: bool, payload: &[u8]) -> u64 {
        self.video_seq += 1;
        let (ssrc, seq) = (self.ssrcs.camera, self.video_seq);
        let timestamp = u32::from(self.picture) * 3_000;
        self.path.send_video(Numbers { ssrc, seq, timestamp }, marker, payload).await;
        seq
    }

    /// Sends a frame of the screen, of one packet, and a packet of its sound.
    pub async fn present(&mut self, key: bool, body: &[u8]) {
        let payload = vp8(key, true, self.next_picture(), body);
        self.screen_seq += 1;
        let (Ssrcs { screen, screen_sound, .. }, seq) = (self.ssrcs, self.screen_seq);
        let timestamp = u32::from(self.picture) * 3_000;
        self.path.send_video(Numbers { ssrc: screen, seq, timestamp }, true, &payload).await;
        let numbers = Numbers { ssrc: screen_sound, seq, timestamp: seq as u32 * 960 };
        self.path.send_audio(numbers, AudioLevel { dbov: 20, voice: true }, body).await;
    }

    /// SSRC of a layer of the camera.
    pub fn layer_ssrc(&self, layer: u8) -> u32 {
        self.ssrcs.camera + 0x0100_0000 * u32::from(layer)
    }

    /// Sends a frame of one packet of `layer`.
    pub async fn show_layer(&mut self, layer: u8, key: bool, body: &[u8]) {
        let payload = vp8(key, true, self.next_picture(), body);
        let seq = self.layer_seqs[usize::from(layer)] + 1;
        self.layer_seqs[usize::from(layer)] = seq;
        let numbers = Numbers { ssrc: self.layer_ssrc(layer), seq, timestamp: u32::from(self.picture) * 3_000 };
        self.path.send_layer(numbers, layer, &payload).await;
    }

    /// The next packet that `fits`.
    pub async fn packet(&mut self, what: &str, fits: impl Fn(&Received) -> bool) -> Received {
        let wait = async {
            loop {
                let packet = self.incoming.packets.recv().await.expect("the path is open");
                if fits(&packet) {
                    return packet;
                }
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never received {what}"))
    }

    /// Checks connectivity from another socket, which is nominated, and returns it.
    pub async fn moves_to_another_address(&self) -> UdpSocket {
        self.checks_from_another_address(&self.answer).await
    }

    /// The same with the ICE credentials of `answer`.
    pub async fn checks_from_another_address(&self, answer: &str) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (ufrag, pwd) = (attribute(answer, "ice-ufrag"), attribute(answer, "ice-pwd"));
        let check = dais_media::ice::binding_request("testclnt", ufrag, pwd, true).unwrap();
        socket.send_to(&check, self.path.server).await.unwrap();
        socket
    }

    /// Everything received until nothing has come for a moment.
    pub async fn drain(&mut self) -> Vec<Received> {
        let mut all = Vec::new();
        loop {
            while let Ok(Some(packet)) = timeout(QUIET, self.incoming.packets.recv()).await {
                all.push(packet);
            }
            // If it was this task that stood still, what came meanwhile is about to be here.
            pause(50).await;
            match self.incoming.packets.try_recv() {
                Ok(packet) => all.push(packet),
                Err(_) => return all,
            }
        }
    }
}
