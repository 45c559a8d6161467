//! What a publisher sends of one kind: its layers, their numbers, losses and key frames, and which layer is forwarded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use crate::counters::DropReason;
use crate::ids::{Layer, MediaKind, Ssrc, StreamId};
use crate::keyframe::KeyFrameThrottle;
use crate::limits;
use crate::nack::{Arrival, MissingPackets};
use crate::packet::{Packet, PacketPool};
use crate::rtcp::ReceptionBlock;
use crate::rtp::{AudioLevel, Header, SeqExtender};
use crate::slot_sender::ticks;
use crate::vp8::Descriptor;

/// Layers of a camera, smallest first.
pub(crate) const LAYERS: usize = 3;

/// The layer everybody gets of a simulcast camera: the middle one, 360p of a 720p camera, which 25 tiles can show and
/// most lines can carry 25 times.
const PREFERRED: Layer = Layer(1);
/// A layer that sent nothing for this long is not there. A frame takes at most this long at 1 frame a second.
const LAYER_STALE: Duration = Duration::from_millis(1_500);

/// A relation between the publisher's RTP clock and ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockPoint {
    /// The stream whose clock it is: each has its own random offset.
    pub(crate) stream: StreamId,
    /// RTP timestamp.
    pub(crate) timestamp: u32,
    /// The same moment on our clock.
    pub(crate) at: Instant,
}

/// One RTP stream of a source.
#[derive(Debug)]
pub(crate) struct Stream {
    id: StreamId,
    pub(crate) ssrc: Ssrc,
    pub(crate) rtx_ssrc: Option<Ssrc>,
    seqs: SeqExtender,
    padding: PaddingGaps,
    reception: Reception,
    missing: MissingPackets,
    pub(crate) key_frames: KeyFrameThrottle,
    last_packet: Option<Instant>,
    last_report: Option<(u64, Instant)>,
    pub(crate) clock: Option<ClockPoint>,
}

impl Stream {
    fn new(ssrc: Ssrc, id: StreamId) -> Self {
        Self {
            id,
            ssrc,
            rtx_ssrc: None,
            seqs: SeqExtender::default(),
            padding: PaddingGaps::default(),
            reception: Reception::default(),
            missing: MissingPackets::default(),
            key_frames: KeyFrameThrottle::default(),
            last_packet: None,
            last_report: None,
            clock: None,
        }
    }

    fn is_live(&self, now: Instant) -> bool {
        self.last_packet.is_some_and(|at| now.saturating_duration_since(at) < LAYER_STALE)
    }
}

/// Everything a publisher sends of one kind.
#[derive(Debug)]
pub(crate) struct Source {
    kind: MediaKind,
    /// Boxed: most peers send nothing, and a stream's memory of losses is large.
    streams: [Option<Box<Stream>>; LAYERS],
    /// The layer being forwarded.
    current: Option<Layer>,
    pub(crate) pool: PacketPool,
}

/// A packet as it came out of SRTP.
pub(crate) struct Incoming<'a> {
    pub(crate) header: &'a Header,
    pub(crate) payload: &'a [u8],
    pub(crate) level: Option<AudioLevel>,
    /// Came over the retransmission stream.
    pub(crate) recovered: bool,
}

impl Source {
    pub(crate) fn new(kind: MediaKind) -> Self {
        Self { kind, streams: [const { None }; LAYERS], current: None, pool: PacketPool::default() }
    }

    /// The stream of `layer` is `ssrc`; another one than before starts anew, as `id`.
    pub(crate) fn bind(&mut self, layer: Layer, ssrc: Ssrc, id: StreamId) {
        let stream = &mut self.streams[usize::from(layer.0)];
        if stream.as_ref().is_none_or(|stream| stream.ssrc != ssrc) {
            *stream = Some(Box::new(Stream::new(ssrc, id)));
        }
    }

    pub(crate) fn bind_rtx(&mut self, layer: Layer, ssrc: Ssrc) {
        if let Some(stream) = self.stream_mut(layer) {
            stream.rtx_ssrc = Some(ssrc);
        }
    }

    pub(crate) fn stream_mut(&mut self, layer: Layer) -> Option<&mut Stream> {
        self.streams[usize::from(layer.0)].as_deref_mut()
    }

    fn streams_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.streams.iter_mut().flatten().map(Box::as_mut)
    }

    /// Takes a packet of `layer` that may be forwarded. Gives it back as the shared packet if it is of the layer being
    /// forwarded.
    ///
    /// # Errors
    /// The reason to count it under when it goes no further.
    pub(crate) fn receive(
        &mut self,
        layer: Layer,
        incoming: &Incoming<'_>,
        now: Instant,
    ) -> Result<Option<Arc<Packet>>, DropReason> {
        let video = self.kind.is_video();
        let stream = self.streams[usize::from(layer.0)].as_mut().ok_or(DropReason::RtpUnknownStream)?;
        let seq = stream.seqs.record(incoming.header.seq);
        if !incoming.recovered {
            stream.last_packet = Some(now);
            stream.reception.record(seq, incoming.header.timestamp, self.kind, now);
        }
        match stream.missing.arrived(seq) {
            Arrival::Old => return Err(DropReason::Duplicate),
            Arrival::Lost if video => stream.key_frames.want(),
            Arrival::New | Arrival::Recovered | Arrival::Lost => {}
        }
        if incoming.payload.is_empty() {
            stream.padding.skip(seq);
            return Err(DropReason::Padding);
        }
        let vp8 = if video {
            Descriptor::parse(incoming.payload).map_err(|_| DropReason::Vp8Malformed)?
        } else {
            Descriptor::default()
        };
        if vp8.starts_key_frame {
            stream.key_frames.satisfied();
        }
        let (seq, id) = (stream.padding.close(seq).ok_or(DropReason::Duplicate)?, stream.id);
        if !self.forwards(layer, &vp8, now) {
            return Ok(None);
        }
        Ok(Some(self.pool.make(|packet| {
            packet.stream = id;
            packet.seq = seq;
            packet.timestamp = incoming.header.timestamp;
            packet.marker = incoming.header.marker;
            packet.vp8 = vp8;
            packet.level = incoming.level;
            packet.set_payload(incoming.payload);
        })))
    }

    /// Whether a packet of `layer` is forwarded. The forwarded layer changes only at a key frame of the better one, and
    /// at once when it is gone.
    fn forwards(&mut self, layer: Layer, vp8: &Descriptor, now: Instant) -> bool {
        if self.current == Some(layer) {
            return true;
        }
        let best = self.best_layer(now);
        let current_gone = self.current.is_none_or(|current| !self.is_live(current, now));
        if best == Some(layer) {
            if vp8.starts_key_frame || current_gone {
                self.current = Some(layer);
            }
            // Viewers need a key frame of it, before the change or, if there is nothing else to show, after it.
            if self.kind.is_video()
                && !vp8.starts_key_frame
                && let Some(stream) = self.stream_mut(layer)
            {
                stream.key_frames.want();
            }
        }
        self.current == Some(layer)
    }

    /// The highest live layer up to the preferred one, else the lowest above it.
    fn best_layer(&self, now: Instant) -> Option<Layer> {
        let live = (0..LAYERS as u8).map(Layer).filter(|layer| self.is_live(*layer, now));
        let (fitting, above): (ArrayVec<Layer, LAYERS>, ArrayVec<Layer, LAYERS>) = live.partition(|l| *l <= PREFERRED);
        fitting.last().or(above.first()).copied()
    }

    fn is_live(&self, layer: Layer, now: Instant) -> bool {
        self.streams[usize::from(layer.0)].as_ref().is_some_and(|stream| stream.is_live(now))
    }

    /// Somebody needs a key frame of what is forwarded, or will be.
    pub(crate) fn want_key_frame(&mut self) {
        match self.current.and_then(|layer| self.stream_mut(layer)) {
            Some(stream) => stream.key_frames.want(),
            None => self.streams_mut().for_each(|stream| stream.key_frames.want()),
        }
    }

    /// The gate closed: nothing is missing, nothing is wanted any more, and what is sent meanwhile is no loss.
    pub(crate) fn close(&mut self) {
        self.current = None;
        for stream in self.streams_mut() {
            stream.missing.reset();
            stream.reception = Reception::default();
            stream.key_frames.clear();
        }
    }

    /// Key frames and packets to ask the publisher for now.
    pub(crate) fn requests(&mut self, now: Instant, mut ask: impl FnMut(Request)) {
        let video = self.kind.is_video();
        let current = self.current;
        for (layer, stream) in self.streams.iter_mut().enumerate() {
            let Some(stream) = stream.as_mut().filter(|_| video) else { continue };
            if stream.key_frames.ask(now) {
                ask(Request::KeyFrame(stream.ssrc));
            }
            // Losses of layers nobody gets need no repair.
            if current == Some(Layer(layer as u8)) && !stream.missing.is_empty() {
                let lost = stream.missing.due(now);
                if !lost.is_empty() {
                    ask(Request::Packets(stream.ssrc, lost));
                }
            }
        }
    }

    /// A sender report of the publisher for `layer`: `at` is its NTP time on our clock.
    pub(crate) fn sender_report(&mut self, layer: Layer, ntp: u64, timestamp: u32, at: Instant, now: Instant) {
        if let Some(stream) = self.stream_mut(layer) {
            stream.last_report = Some((ntp, now));
            stream.clock = Some(ClockPoint { stream: stream.id, timestamp, at });
        }
    }

    /// How the publisher's clock relates to ours, for what is forwarded.
    pub(crate) fn clock(&self) -> Option<ClockPoint> {
        self.streams[usize::from(self.current?.0)].as_ref()?.clock
    }

    /// Reports on all streams that sent something.
    pub(crate) fn reception_reports(&mut self, now: Instant) -> impl Iterator<Item = ReceptionBlock> {
        self.streams_mut().filter_map(move |stream| {
            let block = stream.reception.report(stream.seqs.highest()?)?;
            // RFC 3550 §6.4.1: middle 32 bits of the NTP time; delay in units of 1/65536 s.
            let (lsr, delay) = stream.last_report.map_or((0, 0), |(ntp, at)| {
                ((ntp >> 16) as u32, (now.saturating_duration_since(at).as_secs_f64() * 65_536.0) as u32)
            });
            Some(ReceptionBlock { ssrc: stream.ssrc.0, last_sender_report: lsr, delay_since: delay, ..block })
        })
    }
}

/// What to ask a publisher for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    KeyFrame(Ssrc),
    Packets(Ssrc, Vec<u16>),
}

/// Closes the gaps that padding-only packets leave in the sequence numbers: they are not forwarded, and a viewer would
/// wait for them.
#[derive(Debug, Default)]
struct PaddingGaps {
    /// Skipped numbers, ascending.
    recent: ArrayVec<u64, 64>,
    /// Skipped numbers older than those in `recent`.
    older: u64,
    /// The highest of those: how many were skipped before it is not known any more.
    forgotten: Option<u64>,
    /// Highest number that media has taken.
    closed: u64,
}

impl PaddingGaps {
    fn skip(&mut self, seq: u64) {
        // Media that overtook the padding has its number: the gap stays, or the next number would be given twice.
        if seq < self.closed {
            return;
        }
        if self.recent.is_full() {
            self.forgotten = Some(self.recent.remove(0));
            self.older += 1;
        }
        let at = self.recent.partition_point(|skipped| *skipped < seq);
        self.recent.insert(at, seq);
    }

    /// The number of a media packet; none for one so late that it would get a number twice. A number is the nonce of
    /// what viewers are sent: two packets must never share one.
    fn close(&mut self, seq: u64) -> Option<u64> {
        if self.forgotten.is_some_and(|forgotten| seq <= forgotten) {
            return None;
        }
        self.closed = self.closed.max(seq);
        Some(seq - self.older - self.recent.partition_point(|skipped| *skipped < seq) as u64)
    }
}

/// Reception statistics (RFC 3550 §6.4.1 and appendix A.8).
#[derive(Debug, Default)]
struct Reception {
    first_seq: Option<u64>,
    received: u64,
    /// Arrival and RTP timestamp of the packet before.
    last: Option<(Instant, u32)>,
    /// In ticks, times 16.
    jitter: u32,
    reported: (u64, u64),
}

impl Reception {
    fn record(&mut self, seq: u64, timestamp: u32, kind: MediaKind, now: Instant) {
        self.first_seq.get_or_insert(seq);
        self.received += 1;
        if let Some((at, before)) = self.last {
            let transit = ticks(kind, at, now).wrapping_sub(timestamp.wrapping_sub(before)) as i32;
            let change = transit.unsigned_abs().min(kind.clock_rate());
            self.jitter = self.jitter.saturating_add(change) - ((self.jitter + 8) >> 4).min(self.jitter);
        }
        self.last = Some((now, timestamp));
    }

    fn report(&mut self, highest: u64) -> Option<ReceptionBlock> {
        let expected = (highest + 1).saturating_sub(self.first_seq?);
        let (expected_now, received_now) = (expected - self.reported.0, self.received - self.reported.1);
        self.reported = (expected, self.received);
        let lost_now = expected_now.saturating_sub(received_now);
        Some(ReceptionBlock {
            fraction_lost: (lost_now * 256).checked_div(expected_now).map_or(0, |f| f.min(255) as u8),
            lost: expected.saturating_sub(self.received).min(0x007f_ffff) as u32,
            highest_seq: highest as u32,
            jitter: self.jitter >> 4,
            ..ReceptionBlock::default()
        })
    }
}

const _: () = assert!((PREFERRED.0 as usize) < LAYERS, "the preferred layer exists");
const _: () = assert!(LAYERS * MediaKind::ALL.len() <= crate::rtcp::REPORT_BLOCKS_MAX, "one report holds every stream");
const _: () = assert!(2 * LAYERS * 2 + 4 <= limits::SSRCS_PER_PEER, "every stream and its RTX has an SSRC");

#[cfg(test)]
mod tests {
    use super::*;

    fn header(seq: u16) -> Header {
        let mut packet = vec![0x80, 96];
        packet.extend(seq.to_be_bytes());
        packet.extend([0; 8]);
        Header::parse(&packet).unwrap()
    }

    const KEY: &[u8] = &[0x10, 0x00, 0, 0];
    const DELTA: &[u8] = &[0x10, 0x01, 0, 0];

    struct Camera {
        source: Source,
        now: Instant,
    }

    impl Camera {
        fn with_layers(layers: u8) -> Self {
            let mut source = Source::new(MediaKind::Camera);
            (0..layers).for_each(|layer| source.bind(Layer(layer), Ssrc(u32::from(layer) + 1), StreamId::default()));
            Self { source, now: Instant::now() }
        }

        fn receive(&mut self, layer: u8, seq: u16, payload: &[u8]) -> Result<Option<u64>, DropReason> {
            let header = header(seq);
            let incoming = Incoming { header: &header, payload, level: None, recovered: false };
            let packet = self.source.receive(Layer(layer), &incoming, self.now)?;
            Ok(packet.map(|packet| packet.seq - 0x1_0000))
        }

        fn requests(&mut self) -> Vec<Request> {
            let mut all = Vec::new();
            self.source.requests(self.now, |request| all.push(request));
            all
        }
    }

    #[test]
    fn only_one_layer_is_forwarded_and_it_changes_at_a_key_frame() {
        let mut camera = Camera::with_layers(3);
        assert_eq!(camera.receive(0, 1, KEY), Ok(Some(1)));
        assert_eq!(camera.receive(1, 1, DELTA), Ok(None));
        assert_eq!(camera.receive(0, 2, DELTA), Ok(Some(2)));
        assert_eq!(camera.requests(), [Request::KeyFrame(Ssrc(2))]);
        assert_eq!(camera.receive(1, 2, KEY), Ok(Some(2)));
        assert_eq!(camera.receive(0, 3, KEY), Ok(None));
        assert_eq!(camera.receive(2, 1, KEY), Ok(None));
    }

    #[test]
    fn a_layer_that_stops_is_replaced() {
        let mut camera = Camera::with_layers(3);
        assert_eq!(camera.receive(1, 1, KEY), Ok(Some(1)));
        camera.now += LAYER_STALE;
        assert_eq!(camera.receive(0, 1, DELTA), Ok(Some(1)));
        assert_eq!(camera.requests(), [Request::KeyFrame(Ssrc(1))], "viewers cannot go on without one");
    }

    #[test]
    fn a_camera_without_simulcast_is_forwarded() {
        let mut camera = Camera::with_layers(1);
        assert_eq!(camera.receive(0, 1, KEY), Ok(Some(1)));
        assert_eq!(camera.receive(0, 2, DELTA), Ok(Some(2)));
    }

    #[test]
    fn padding_leaves_no_gap() {
        let mut camera = Camera::with_layers(1);
        camera.receive(0, 1, KEY).unwrap();
        assert_eq!(camera.receive(0, 2, &[]), Err(DropReason::Padding));
        assert_eq!(camera.receive(0, 4, DELTA), Ok(Some(3)));
        assert_eq!(camera.receive(0, 3, DELTA), Ok(Some(2)));
        assert_eq!(camera.receive(0, 3, DELTA), Err(DropReason::Duplicate));
    }

    #[test]
    fn padding_that_was_overtaken_gives_no_number_twice() {
        let mut camera = Camera::with_layers(1);
        camera.receive(0, 2, KEY).unwrap();
        assert_eq!(camera.receive(0, 4, DELTA), Ok(Some(4)));
        assert_eq!(camera.receive(0, 3, &[]), Err(DropReason::Padding));
        assert_eq!(camera.receive(0, 5, DELTA), Ok(Some(5)));
        assert_eq!(camera.receive(0, 6, &[]), Err(DropReason::Padding));
        assert_eq!(camera.receive(0, 7, DELTA), Ok(Some(6)));
    }

    #[test]
    fn a_packet_from_before_more_padding_than_is_remembered_gets_no_number_of_another() {
        let mut camera = Camera::with_layers(1);
        assert_eq!(camera.receive(0, 1, KEY), Ok(Some(1)));
        for seq in 3..68 {
            assert_eq!(camera.receive(0, seq, &[]), Err(DropReason::Padding));
        }
        assert_eq!(camera.receive(0, 2, DELTA), Err(DropReason::Duplicate), "it would be number 1 again");
        assert_eq!(camera.receive(0, 68, DELTA), Ok(Some(3)));
    }

    #[test]
    fn a_lost_packet_is_asked_for_and_a_closed_gate_forgets_it() {
        let mut camera = Camera::with_layers(1);
        camera.receive(0, 1, KEY).unwrap();
        camera.receive(0, 3, DELTA).unwrap();
        assert_eq!(camera.requests(), [Request::Packets(Ssrc(1), vec![2])]);
        camera.now += limits::NACK_RETRY;
        camera.source.close();
        assert_eq!(camera.requests(), []);
    }

    #[test]
    fn reception_reports_count_losses() {
        let mut camera = Camera::with_layers(1);
        camera.receive(0, 1, KEY).unwrap();
        for seq in [2, 3, 5] {
            camera.receive(0, seq, DELTA).unwrap();
        }
        let block = camera.source.reception_reports(camera.now).next().unwrap();
        assert_eq!((block.lost, block.fraction_lost, block.highest_seq), (1, 51, 0x1_0005));
    }
}
