//! Every limit of the data plane: its value, its reason, and what happens there.

use std::time::Duration;

/// Camera slots of the layout.
pub const CAMERA_SLOTS: usize = 25;
/// Voice slots of the layout.
pub const VOICE_SLOTS: usize = 8;
/// All slots: cameras, the screen's picture and sound, voices.
pub const SLOTS: usize = CAMERA_SLOTS + 2 + VOICE_SLOTS;

/// Largest datagram taken in, bytes. The path MTU of the Internet is 1,500; anything longer is cut off by the kernel
/// and counted as malformed.
pub(crate) const DATAGRAM_BYTES_MAX: usize = 2_048;
/// Largest RTP payload forwarded, bytes. With header, extensions and SRTP tag it still fits `DATAGRAM_BYTES_MAX`;
/// longer ones are dropped and counted.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1_500;
/// Largest datagram sent, bytes: payload, RTP header with one CSRC and one extension word, RTX sequence number, tag.
pub(crate) const EGRESS_BYTES_MAX: usize = 1_600;
/// Most a message can hold of coalesced datagrams, bytes: what fits an IP packet (UDP GRO).
pub(crate) const COALESCED_BYTES_MAX: usize = 65_536;
/// Messages read, and messages written, with one system call.
pub(crate) const BATCH: usize = 64;
/// Datagrams in one message: what every kernel with UDP GSO takes (UDP_MAX_SEGMENTS).
pub(crate) const RUN_SEGMENTS_MAX: usize = 64;
/// Bytes in one message: less than an IP packet with its headers.
pub(crate) const RUN_BYTES_MAX: usize = 65_000;
/// Bytes written before the kernel is given them: they are still in the cache when it copies them.
pub(crate) const EGRESS_BYTES: usize = 256 * 1024;
/// Packets that wait in one room for the next tick. With so many it is over: longer runs save the kernel nothing more.
pub(crate) const PENDING_PACKETS: usize = 16;
/// Longest wait for the others of a burst, which are sent one right after the other.
pub(crate) const BURST_WAIT: Duration = Duration::from_micros(400);
/// Between packets of one frame this long apart a new burst has begun: pacers send a burst at once, and every 5 ms.
pub(crate) const BURST_PAUSE: Duration = Duration::from_millis(2);
/// Copies of packets a room is served before the worker looks at its sockets again: half a millisecond.
pub(crate) const SLICE_COPIES: usize = 256;
/// With so many packets of a room on their way to its viewers the worker lets its sockets wait until the oldest have
/// arrived. Also how many are planned together.
pub(crate) const LEAVING_PACKETS: usize = 64;
/// Most of the bytes of a tick that may be padding, per mille.
pub(crate) const PADDING_PER_MILLE_MAX: usize = 20;
/// Most padding of one packet, bytes: its last byte is the count (RFC 3550 §5.1).
pub(crate) const PADDING_BYTES_MAX: usize = 255;
/// Socket buffers asked of the kernel, bytes: 20 ms of 1.6 Gbit/s. The kernel may grant less.
pub(crate) const SOCKET_BUFFER_BYTES: usize = 4 << 20;

/// Packets remembered per slot for retransmission: 1.5 s of a 2.5 Mbit/s camera. Older ones are not resent.
pub(crate) const RETRANSMIT_PACKETS: usize = 512;
/// Packets are remembered for so long (mediasoup: 2 s): small cameras need not fill their ring.
pub(crate) const RETRANSMIT_WITHIN: Duration = Duration::from_secs(2);
/// Retransmissions one viewer gets per second, and at once. 5 % of 25 cameras of 1.5 Mbit/s, sent twice, is 400 a second; a NACK of
/// 2 kB could ask for 8,500. Further ones are not sent, and counted.
pub(crate) const RETRANSMITS_PER_SECOND: u32 = 1_000;
/// See [`RETRANSMITS_PER_SECOND`].
pub(crate) const RETRANSMIT_BURST: u32 = 512;
/// Packets in flight from one worker to another: 10 ms of 25 cameras of 2.5 Mbit/s with room to spare. When a worker
/// is that far behind, further packets for it are dropped, counted, and key frames are asked for.
pub(crate) const RING_PACKETS: usize = 1_024;
/// Datagrams on their way to the worker that has their peer, where workers share a port. Further ones are dropped and
/// counted as from an unknown address: clients repeat what matters.
pub(crate) const HANDOVER_DATAGRAMS: usize = 256;
/// Addresses of other workers' peers a worker remembers. With more, any is forgotten until its next check.
pub(crate) const FOREIGN_ADDRESSES: usize = 16_384;
/// Connected sockets of one worker: a full stage of publishers, and some that have just moved. Older kernels search all
/// sockets of a port for each datagram. Further publishers' packets go on being handed over.
pub(crate) const CONNECTED_SOCKETS: usize = 128;
/// TCP connections at the same time: each is a task, two file descriptors, and up to [`TCP_WAITING_BYTES`]. Browsers open
/// one beside UDP, and give it up within seconds. Further ones are closed at once.
pub(crate) const TCP_CONNECTIONS: usize = 4_096;
/// Of them, from one address, or from one IPv6 network of 64 bits: a company behind one address, where UDP is blocked.
pub(crate) const TCP_CONNECTIONS_PER_SOURCE: usize = 512;
/// A TCP connection whose client has not proved by then that it knows a session's password is closed.
pub(crate) const TCP_PROVE_WITHIN: Duration = Duration::from_secs(10);
/// A TCP connection without a frame of its client for so long is closed. Checks of consent come at least every 6 s
/// (RFC 7675 §5.1).
pub(crate) const TCP_IDLE: Duration = Duration::from_secs(20);
/// Bytes that wait for a TCP client which reads more slowly than they come: a quarter of a second of 4 Mbit/s, and a key
/// frame with it. Further datagrams are dropped and counted.
pub(crate) const TCP_WAITING_BYTES: usize = 128 * 1024;
/// Beside them, bytes the kernel takes before it has sent those given before (TCP_NOTSENT_LOWAT). With less it is woken
/// more often; more is delay nobody sees.
pub(crate) const TCP_UNSENT_BYTES: u32 = 64 * 1024;
/// A client of the TURN server that has no relay by then is forgotten.
pub(crate) const TURN_PROVE_WITHIN: Duration = Duration::from_secs(10);
/// Answers to a client of the TURN server that has proved nothing: what its two requests need, each sent twice. An
/// answer has 96 bytes, so with all places taken by forged addresses 160 kB a second leave for them.
pub(crate) const TURN_UNPROVED_ANSWERS: u8 = 4;
/// Longest message of a TURN client, bytes: the longest datagram with the header of an indication. A longer one ends a
/// TCP connection.
pub(crate) const TURN_MESSAGE_BYTES_MAX: usize = DATAGRAM_BYTES_MAX + 64;
/// Messages of one TURN client over UDP that wait for its task; further ones are dropped and counted.
pub(crate) const TURN_WAITING_MESSAGES: usize = 256;
/// Credentials for the TURN server are valid this long: longer than any session, as a browser makes its relay again when
/// its network changes.
pub(crate) const TURN_CREDENTIALS_VALID: Duration = Duration::from_secs(24 * 60 * 60);
/// Commands waiting for a worker. More means the worker hangs; the sender waits.
pub(crate) const COMMANDS: usize = 1_024;
/// Events waiting for a room. A room that far behind gets the rest when it has caught up: states are retried.
pub const ROOM_EVENTS: usize = 1_024;

/// Longest window speech is looked for in, packets: the bits of a word. 1.3 s; more is refused at the start.
pub const SPEECH_WINDOW_PACKETS_MAX: u8 = 64;
/// Most seconds a noise floor remembers: each microphone has room for so many. More is refused at the start.
pub const NOISE_FLOOR_SECONDS_MAX: u8 = 60;

/// Addresses a peer may have proved at the same time (RFC 8445 §7.3). The oldest is forgotten.
pub(crate) const ADDRESSES_PER_PEER: usize = 8;
/// SSRCs a peer may send with: 6 media and RTX streams of the layout twice over. More are dropped and counted.
pub(crate) const SSRCS_PER_PEER: usize = 32;

/// Bytes of media one publisher gets forwarded per second, and at once: 20 Mbit/s, more than a 4K screen and three
/// layers of a camera. What goes beyond is dropped and counted, as everybody else would pay for it.
pub(crate) const PUBLISHER_BYTES_PER_SECOND: u32 = 2_500_000;
/// See [`PUBLISHER_BYTES_PER_SECOND`].
pub(crate) const PUBLISHER_BURST_BYTES: u32 = 2_000_000;

/// Consent expires without a valid check for this long (RFC 7675 §5.1); the peer is removed.
pub(crate) const CONSENT_EXPIRES: Duration = Duration::from_secs(30);
/// A peer that has not connected (ICE and DTLS) by then is removed.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(20);

/// Least time between key frame requests to one source, over all paths (Jitsi: 200 ms; Janus saw storms without). With
/// 500 ms for those who come, `join-storm` has 384 joins a second in place of 933.
pub(crate) const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(200);
/// A key frame that does not come is asked for again after this long.
pub(crate) const KEY_FRAME_RETRY: Duration = Duration::from_millis(500);
/// Blocks of a packet of redundant audio, its own among them; one with more is dropped and counted. Browsers send two, and three
/// at most.
pub const RED_BLOCKS: usize = 4;
/// On less than this, bit/s, voices are sent without redundancy: two of them with it would be half of the line.
pub(crate) const REDUNDANCY_BITRATE_MIN: u32 = 300_000;
/// Interval of transport-wide feedback to publishers (RFC draft-holmer-rmcat-transport-wide-cc-extensions-01).
pub(crate) const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);
/// Interval of sender and receiver reports.
pub(crate) const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Interval at which missing packets are looked for (mediasoup: 40 ms, Signal: 20 ms).
pub(crate) const NACK_INTERVAL: Duration = Duration::from_millis(20);
/// A packet is asked for again when it did not come within this time.
pub(crate) const NACK_RETRY: Duration = Duration::from_millis(60);
/// How often one packet is asked for (mediasoup: 10).
pub(crate) const NACK_RETRIES: u8 = 10;
/// Packets missing at the same time from one source. With more the source is asked for a key frame instead.
pub(crate) const NACK_PACKETS: usize = 256;
/// Arrivals remembered for one transport-wide feedback message; older ones are reported as lost.
pub(crate) const FEEDBACK_PACKETS: usize = 4_096;
/// Messages of one feedback that is silent about what is missing, each a datagram; one more tells of the rest. 3 Mbit/s that lose
/// a fifth take three.
pub(crate) const FEEDBACK_RUNS: usize = 8;
/// For so long a publisher is told nothing of what its line loses (`grace`); then it is.
pub(crate) const GRACE: Duration = Duration::from_secs(4);
/// After so long without losses it has all of that again.
pub(crate) const GRACE_AGAIN: Duration = Duration::from_secs(30);

/// A camera's layer that sent nothing for this long is not there. A frame takes at most this long at 1 frame a second.
/// One of a screen is there all the same, unless others of it went on.
pub(crate) const LAYER_STALE: Duration = Duration::from_millis(1_500);
/// Nor is one that missed so many frames of another layer of its camera in a row, and sent nothing for
/// [`LAYER_OVERTAKEN_FOR`]: browsers stop the largest layers when their line is slow, and viewers should not stand still
/// for as long as a picture of 1 frame a second would need.
pub(crate) const LAYER_OVERTAKEN_FRAMES: u32 = 8;
/// See [`LAYER_OVERTAKEN_FRAMES`].
pub(crate) const LAYER_OVERTAKEN_FOR: Duration = Duration::from_millis(250);
/// How often the rates of layers are measured, and told again where they may have been missed.
pub(crate) const LAYER_RATE_INTERVAL: Duration = Duration::from_millis(500);
/// A rate that changed by more than this is told to everybody who shares their line by it.
pub(crate) const LAYER_RATE_STEP_PERCENT: u32 = 25;
/// Half of the frames is a step of its own where it takes at most so much of the whole: browsers give the base layers of two or
/// three 60 %.
pub(crate) const THINNED_PERCENT_MAX: u64 = 85;
/// And until it takes more than this.
pub(crate) const THINNED_PERCENT_KEPT: u64 = 95;
/// What an IP packet adds to RTP's header and payload, bytes: IPv4, UDP, and the tag of SRTP.
pub(crate) const DATAGRAM_OVERHEAD_BYTES: usize = 20 + 8 + 16;
/// A picture shown at most so high needs no more than the smallest layer, px: 180 of a 720p camera, stretched a little.
pub(crate) const SMALLEST_LAYER_HEIGHT_MAX: u16 = 200;
/// The same for the middle layer, 360 px.
pub(crate) const MIDDLE_LAYER_HEIGHT_MAX: u16 = 420;
/// A viewer that has sent no transport-wide feedback by then, although it was agreed upon, sends none.
pub(crate) const FEEDBACK_WITHIN: Duration = Duration::from_secs(3);
/// Nothing heard for this long before an address changed: what was sent meanwhile is lost, and too much to send again.
pub(crate) const OUT_OF_REACH: Duration = Duration::from_millis(250);
/// A viewer's layers are chosen anew when its estimate has changed by more than this, and once a second.
pub(crate) const ESTIMATE_STEP_PERCENT: u32 = 5;
/// Room a layer above the one before must leave, so that an estimate that moves a little changes nothing. Lines are
/// probed up to 1.2 times what a viewer would take: more room than that is never seen.
pub(crate) const HIGHER_LAYER_SPARE_PERCENT: u64 = 10;
/// A viewer's pictures may take at most twice as much after this time as before it, and [`RAMP_STEP`] more,
pub(crate) const RAMP_INTERVAL: Duration = Duration::from_millis(300);
/// and from the start this much, bit/s: what an unknown line is thought to carry.
pub(crate) const RAMP_START: u32 = 1_500_000;
/// bit/s: two of the smallest.
pub(crate) const RAMP_STEP: u32 = 300_000;
/// What the first picture may take of a line when it is there already, per cent.
pub(crate) const FIRST_PICTURE_PERCENT_MAX: u64 = 200;
/// The same for a picture that was not there: it is missed more.
pub(crate) const FIRST_LAYER_SPARE_PERCENT: u64 = 5;
/// Shares of a room's viewers are worked out anew no more often than this: 1 ms of work with 1,000 viewers.
pub(crate) const ALLOCATE_INTERVAL: Duration = Duration::from_millis(100);

/// Publishers are told to stop sending a layer that nobody has got for this long (LiveKit: 5 s).
pub(crate) const UNWATCHED_FOR: Duration = Duration::from_secs(5);
/// A layer that was asked for again and does not come within this time is not there: the publisher's line or processor
/// does not carry it.
pub(crate) const RESUME_WITHIN: Duration = Duration::from_secs(3);
/// Pictures leave this much faster than their viewer's line is estimated to carry (libwebrtc: 2.5): its queue stays short
/// all the same, as layers are chosen to fit, and an estimate that is too low can still be exceeded.
pub(crate) const PACE_FACTOR: f64 = 1.5;
/// What of a line's rate may leave at once: more than a frame, so that a line that carries what it is given keeps its
/// messages of many datagrams. It stands in the queue of a slow line no longer than this.
pub(crate) const PACE_BURST: Duration = Duration::from_millis(40);
/// Packets that would wait longer are dropped, counted, and a key frame is asked for.
pub(crate) const PACE_QUEUE_MAX: Duration = Duration::from_millis(500);
/// After pictures have waited for the queue of a line that has collapsed, for up to as long, they do not for this time: it may be deep.
pub(crate) const DRAIN_AGAIN: Duration = Duration::from_secs(2);

/// Packets remembered per viewer until their feedback comes, to start with: one second of 5 Mbit/s, 4 kB.
pub(crate) const SENT_PACKETS_MIN: usize = 512;
/// The same at most: one second of 40 Mbit/s, 32 kB. Of a faster viewer the oldest are forgotten, and what is reported
/// of them is not used. Also the most packets one feedback message may speak of; longer ones are malformed.
pub(crate) const SENT_PACKETS_MAX: usize = 4_096;

/// Formats a section of an answer has at most: the codec of the room and VP8. Those beyond are not spoken.
pub(crate) const SECTION_FORMATS: usize = 2;
/// Longest SDP offer, bytes. The full layout of a browser with nothing trimmed is 151 kB.
pub const SDP_BYTES_MAX: usize = 256 * 1024;
/// Most m-sections in an offer: the layout has 39.
pub const SDP_SECTIONS_MAX: usize = 64;
/// Longest line of an offer, bytes.
pub const SDP_LINE_BYTES_MAX: usize = 4_096;

const _: () = assert!(
    PAYLOAD_BYTES_MAX + 64 <= EGRESS_BYTES_MAX,
    "a forwarded packet fits its egress buffer; none is padded beyond the longest"
);
const _: () = assert!(BURST_WAIT.as_micros() < BURST_PAUSE.as_micros(), "a burst is over before the next one begins");
const _: () = assert!(RUN_BYTES_MAX <= u16::MAX as usize - 48, "a run fits an IPv6 packet");
const _: () = assert!(EGRESS_BYTES >= BATCH * EGRESS_BYTES_MAX, "a batch of single datagrams fits");
const _: () = assert!(EGRESS_BYTES_MAX <= DATAGRAM_BYTES_MAX, "what we send we could receive");
const _: () = assert!(RETRANSMIT_PACKETS.is_power_of_two(), "the packet ring masks its index");
const _: () = assert!(SLOTS < 256, "a slot index is a u8");
const _: () = assert!(
    SENT_PACKETS_MIN.is_power_of_two() && SENT_PACKETS_MAX.is_power_of_two() && SENT_PACKETS_MAX < 1 << 15,
    "the ring of sent packets masks sequence numbers, and knows old ones from new ones"
);
