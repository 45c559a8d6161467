//! The data plane: worker threads that receive RTP from the people on stage and forward it to everyone in the room.
//!
//! The control plane decides and tells [`MediaPlane`] with [`RoomChange`]s; the data plane does it packet by packet and
//! tells what it finds, such as who speaks, with [`MediaEvent`]s. Everything a worker does for a packet is in
//! `worker`, in the order in which it happens; the protocols it is made of each have a module of their own.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr))]

mod allocation;
mod background;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod budget;
pub mod codec;
mod congestion;
mod counters;
mod demand;
mod dominant;
mod downlink;
mod dtls;
mod fanout;
mod gaps;
mod gcm;
mod grace;
pub mod ice;
mod ids;
mod inbound;
mod keyframe;
mod lane;
mod layers;
pub mod limits;
mod nack;
mod outbound;
mod outbox;
mod pacer;
mod packet;
mod peer;
mod plan;
mod plane;
mod prefetch;
mod profile;
mod ramp;
mod rate;
mod reception;
pub mod red;
mod replay;
mod room;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
mod slot_sender;
mod slot_senders;
mod source;
mod speech;
pub mod srtp;
mod sweep;
mod tcp;
mod thinning;
mod tick;
mod timers;
mod turn;
mod twcc;
mod udp;
mod view;
mod worker;

pub use allocation::{Wish, Wishes};
pub use codec::Codec;
pub use counters::{BUCKETS, Counters, Distribution, DropReason, Histogram, Tally, TcpEnd, TurnRefusal};
pub use dominant::{Activity, DECIDE_EVERY, DominantSpeaker};
pub use dtls::{Fingerprint, Handshake, HandshakeError, Identity, IdentityError, Progress, Setup, SrtpSession};
pub use ice::Credentials;
pub use ids::{ConnectionId, Generation, Layer, MediaKind, ParticipantId, RoomId, Slot, Ssrc, WorkerId};
pub use peer::{Gone, PeerConfig};
pub use plane::{MediaConfig, MediaEvent, MediaPlane, RoomChange, StartError};
pub use speech::{SpeechConfig, SpeechConfigError};
pub use turn::TurnCredentials;
pub use twcc::FeedbackRecorder;
pub use view::View;
