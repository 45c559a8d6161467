//! What a publisher sends of one kind: its layers, their numbers, losses, key frames and rates, and which of them are
//! forwarded.

use std::sync::Arc;
use std::time::Instant;

use crate::codec::{Codec, Descriptor};
use crate::counters::DropReason;
use crate::demand::Demand;
use crate::ids::{Layer, MediaKind, Ssrc, StreamId};
use crate::keyframe::KeyFrameThrottle;
use crate::layers::{self, LAYERS, LayerSet, Rates};
use crate::limits;
use crate::nack::{Arrival, MissingPackets};
use crate::packet::{Packet, PacketPool};
use crate::padding_gaps::PaddingGaps;
use crate::rate::RateMeter;
use crate::reception::Reception;
use crate::rtcp::ReceptionBlock;
use crate::rtp::{AudioLevel, Header, SeqExtender};

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
    /// Frames of other layers since its own last one.
    overtaken: u32,
    rate: RateMeter,
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
            overtaken: 0,
            rate: RateMeter::default(),
            last_report: None,
            clock: None,
        }
    }

    /// A camera moves; of a screen nothing may come for as long as nothing on it changes.
    fn is_live(&self, kind: MediaKind, now: Instant) -> bool {
        let Some(silent) = self.last_packet.map(|at| now.saturating_duration_since(at)) else { return false };
        let overtaken = self.overtaken >= limits::LAYER_OVERTAKEN_FRAMES;
        if kind == MediaKind::Screen {
            return !overtaken || silent < limits::LAYER_STALE;
        }
        silent < limits::LAYER_STALE && !(overtaken && silent >= limits::LAYER_OVERTAKEN_FOR)
    }
}

/// Everything a publisher sends of one kind.
#[derive(Debug)]
pub(crate) struct Source {
    kind: MediaKind,
    /// Boxed: most peers send nothing, and a stream's memory of losses is large.
    streams: [Option<Box<Stream>>; LAYERS],
    pub(crate) demand: Demand,
    /// Rates as they were told last, and when.
    told: (Rates, Option<Instant>),
    pub(crate) pool: PacketPool,
}

/// A packet as it came out of SRTP.
pub(crate) struct Incoming<'a> {
    pub(crate) header: &'a Header,
    pub(crate) payload: &'a [u8],
    /// Of video.
    pub(crate) codec: Option<Codec>,
    pub(crate) level: Option<AudioLevel>,
    /// Came again: over the retransmission stream, or with a later packet.
    pub(crate) recovered: bool,
}

impl Source {
    pub(crate) fn new(kind: MediaKind) -> Self {
        let (demand, told) = (Demand::new(), (Rates::default(), None));
        Self { kind, streams: [const { None }; LAYERS], demand, told, pool: PacketPool::default() }
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

    /// Takes a packet of `layer` that may be forwarded. Gives it back as the shared packet if somebody gets the layer.
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
        // Repeated without need, to find out what the line carries, or never sent before.
        if incoming.recovered && !stream.missing.has(incoming.header.seq) {
            return Err(DropReason::Duplicate);
        }
        let seq = stream.seqs.record(incoming.header.seq);
        if !incoming.recovered {
            stream.last_packet = Some(now);
            stream.reception.record(seq, incoming.header.timestamp, self.kind, now);
            stream.rate.count(incoming.header.len + incoming.payload.len() + limits::DATAGRAM_OVERHEAD_BYTES, now);
        }
        if !video {
            // Nobody is asked for it, and later packets carry no more than so many before them.
            stream.missing.give_up_before(seq.saturating_sub(limits::RED_BLOCKS as u64));
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
        let descriptor = incoming.codec.map(|codec| Descriptor::parse(codec, incoming.payload)).transpose();
        let descriptor = descriptor.map_err(|_| DropReason::PayloadMalformed)?.unwrap_or_default();
        if descriptor.starts_key_frame {
            stream.key_frames.satisfied();
        }
        let (seq, id) = (stream.padding.close(seq).ok_or(DropReason::Duplicate)?, stream.id);
        if incoming.header.marker {
            self.note_frame(layer);
        }
        if !self.forwards(layer, now) {
            return Ok(None);
        }
        Ok(Some(self.pool.make(|packet| {
            packet.stream = id;
            packet.layer = layer;
            packet.seq = seq;
            packet.timestamp = incoming.header.timestamp;
            packet.marker = incoming.header.marker;
            packet.codec = incoming.codec;
            packet.descriptor = descriptor;
            packet.level = incoming.level;
            packet.set_payload(incoming.payload);
        })))
    }

    /// A frame of `layer` is over.
    fn note_frame(&mut self, layer: Layer) {
        for (other, stream) in layers::all().zip(&mut self.streams) {
            if let Some(stream) = stream {
                stream.overtaken = if other == layer { 0 } else { stream.overtaken + 1 };
            }
        }
    }

    /// Whether somebody gets `layer`: because it is wanted, or stands in for one that is wanted and not there.
    fn forwards(&self, layer: Layer, now: Instant) -> bool {
        let wanted = self.demand.wanted();
        if !self.kind.is_video() || wanted.contains(layer) {
            return true;
        }
        let live = self.live(now);
        wanted.iter().any(|wanted| live.nearest(wanted) == Some(layer))
    }

    /// The layers that are there.
    fn live(&self, now: Instant) -> LayerSet {
        LayerSet::of(layers::all().filter(|layer| self.is_live(*layer, now)))
    }

    fn is_live(&self, layer: Layer, now: Instant) -> bool {
        self.streams[usize::from(layer.0)].as_ref().is_some_and(|stream| stream.is_live(self.kind, now))
    }

    /// Viewers get these layers from here on. Those that nobody got before start with a key frame.
    pub(crate) fn want_layers(&mut self, wanted: LayerSet) {
        for layer in self.demand.want(wanted).iter() {
            self.stream_mut(layer).into_iter().for_each(|stream| stream.key_frames.want());
        }
    }

    /// The layers to be sent from here on, if that has changed.
    pub(crate) fn change_of_demand(&mut self, now: Instant) -> Option<LayerSet> {
        self.demand.change(self.live(now), now)
    }

    /// Somebody needs a key frame of `layer`, or of what stands in for it; of all that is forwarded where none is named.
    pub(crate) fn want_key_frame(&mut self, layer: Option<Layer>, now: Instant) {
        let live = self.live(now);
        let nearest = layer.and_then(|layer| live.nearest(layer));
        for layer in layers::all() {
            let concerned = match nearest {
                Some(nearest) => layer == nearest,
                None => self.forwards(layer, now),
            };
            if concerned && let Some(stream) = self.stream_mut(layer) {
                stream.key_frames.want();
            }
        }
    }

    /// What the layers take, when that is to be told: at once when a layer comes or goes, else now and then.
    pub(crate) fn rates(&mut self, now: Instant) -> Option<Rates> {
        let mut rates = Rates::default();
        for (layer, stream) in layers::all().zip(&mut self.streams) {
            let Some(stream) = stream else { continue };
            let known = if stream.is_live(self.kind, now) {
                stream.rate.measured(now)
            } else if self.demand.can_come(layer, now) {
                stream.rate.before()
            } else {
                continue;
            };
            rates.set(layer, known.unwrap_or(Rates::NOMINAL.of(layer)).max(1));
        }
        let (told, at) = self.told;
        let since = at.map(|at| now.saturating_duration_since(at));
        let due = since.is_none_or(|since| since >= limits::LAYER_RATE_INTERVAL);
        if !due && rates.layers() == told.layers() {
            return None;
        }
        self.told = (rates, Some(now));
        Some(rates)
    }

    /// It comes from another address. What it sent while it was out of reach is lost: pictures go on with key frames.
    pub(crate) fn moved(&mut self, now: Instant) {
        let forwarded = LayerSet::of(layers::all().filter(|layer| self.forwards(*layer, now)));
        for (layer, stream) in layers::all().zip(&mut self.streams) {
            let Some(stream) = stream else { continue };
            let last = stream.last_packet.filter(|at| now.saturating_duration_since(*at) >= limits::OUT_OF_REACH);
            if last.is_some() {
                stream.missing.reset();
                if forwarded.contains(layer) {
                    stream.key_frames.want();
                }
            }
        }
    }

    /// Packet `seq` of `layer` was refused at the gate, or has no slot. It must not come with a later one.
    pub(crate) fn refuse(&mut self, layer: Layer, seq: u16) {
        if let Some(stream) = self.stream_mut(layer) {
            let seq = stream.seqs.record(seq);
            stream.missing.refuse(seq);
        }
    }

    /// The gate closed: nothing is missing, nothing is wanted any more, and what is sent meanwhile is no loss.
    pub(crate) fn close(&mut self) {
        for stream in self.streams_mut() {
            stream.last_packet = None;
            stream.missing.reset();
            stream.reception = Reception::default();
            stream.key_frames.clear();
        }
    }

    /// Key frames and packets to ask the publisher for now.
    pub(crate) fn requests(&mut self, now: Instant, mut ask: impl FnMut(Request)) {
        if !self.kind.is_video() {
            return;
        }
        let forwarded = LayerSet::of(layers::all().filter(|layer| self.forwards(*layer, now)));
        for (layer, stream) in layers::all().zip(&mut self.streams) {
            let Some(stream) = stream else { continue };
            if stream.key_frames.ask(now) {
                ask(Request::KeyFrame(stream.ssrc));
            }
            // Losses of layers nobody gets need no repair.
            if forwarded.contains(layer) && !stream.missing.is_empty() {
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

    /// How the clock of `layer` relates to ours.
    pub(crate) fn clock(&self, layer: Layer) -> Option<ClockPoint> {
        self.streams[usize::from(layer.0)].as_ref()?.clock
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
            Self::of(MediaKind::Camera, layers)
        }

        fn of(kind: MediaKind, layers: u8) -> Self {
            let mut source = Source::new(kind);
            (0..layers).for_each(|layer| source.bind(Layer(layer), Ssrc(u32::from(layer) + 1), StreamId::default()));
            source.want_layers(LayerSet::of([Layer(0)]));
            Self { source, now: Instant::now() }
        }

        fn receive(&mut self, layer: u8, seq: u16, payload: &[u8]) -> Result<Option<u64>, DropReason> {
            let header = header(seq);
            let incoming =
                Incoming { header: &header, payload, codec: Some(Codec::Vp8), level: None, recovered: false };
            let packet = self.source.receive(Layer(layer), &incoming, self.now)?;
            Ok(packet.map(|packet| packet.seq - 0x1_0000))
        }

        fn receive_frame(&mut self, layer: u8, seq: u16) {
            let mut header = header(seq);
            header.marker = true;
            let incoming =
                Incoming { header: &header, payload: DELTA, codec: Some(Codec::Vp8), level: None, recovered: false };
            self.source.receive(Layer(layer), &incoming, self.now).unwrap();
        }

        fn want(&mut self, layers: &[u8]) {
            self.source.want_layers(LayerSet::of(layers.iter().copied().map(Layer)));
        }

        fn requests(&mut self) -> Vec<Request> {
            let mut all = Vec::new();
            self.source.requests(self.now, |request| all.push(request));
            all
        }
    }

    #[test]
    fn a_screen_on_which_nothing_changes_is_there_and_a_layer_that_falls_behind_is_not() {
        let mut screen = Camera::of(MediaKind::Screen, 2);
        let mut camera = Camera::with_layers(2);
        for source in [&mut screen, &mut camera] {
            (0..2).for_each(|layer| source.receive_frame(layer, 1));
            source.now += 40 * limits::LAYER_STALE;
        }
        let layers = |layers: &[u8]| LayerSet::of(layers.iter().copied().map(Layer));
        assert_eq!(screen.source.live(screen.now), layers(&[0, 1]));
        assert_eq!(screen.source.rates(screen.now).unwrap().layers(), layers(&[0, 1]));
        assert_eq!(camera.source.live(camera.now), layers(&[]));
        for seq in 2..2 + limits::LAYER_OVERTAKEN_FRAMES as u16 {
            screen.receive_frame(0, seq);
        }
        assert_eq!(screen.source.live(screen.now), layers(&[0]), "the browser stopped the larger one");
    }

    #[test]
    fn layers_that_somebody_gets_are_forwarded_and_a_new_one_starts_with_a_key_frame() {
        let mut camera = Camera::with_layers(3);
        camera.want(&[1]);
        assert_eq!(camera.receive(1, 1, KEY), Ok(Some(1)));
        assert_eq!(camera.receive(0, 1, KEY), Ok(None));
        camera.requests();
        camera.now += limits::KEY_FRAME_RETRY;
        camera.want(&[0, 1]);
        assert_eq!(camera.requests(), [Request::KeyFrame(Ssrc(1))]);
        assert_eq!(camera.receive(0, 2, DELTA), Ok(Some(2)));
        assert_eq!(camera.receive(1, 2, DELTA), Ok(Some(2)));
        assert_eq!(camera.receive(2, 1, KEY), Ok(None));
        camera.want(&[]);
        assert_eq!(camera.receive(0, 3, KEY), Ok(None), "nobody looks");
    }

    #[test]
    fn pictures_of_somebody_who_was_out_of_reach_go_on_with_a_key_frame() {
        let mut camera = Camera::with_layers(2);
        for layer in [0, 1] {
            camera.receive(layer, 1, KEY).unwrap();
        }
        camera.requests();
        camera.source.moved(camera.now);
        camera.now += limits::KEY_FRAME_RETRY;
        assert_eq!(camera.requests(), [], "nothing is lost by a new address alone");
        camera.now += limits::OUT_OF_REACH;
        camera.source.moved(camera.now);
        assert_eq!(camera.requests(), [Request::KeyFrame(Ssrc(1))], "nobody gets the other");
        camera.receive(0, 200, KEY).unwrap();
        camera.now += limits::KEY_FRAME_RETRY;
        assert_eq!(camera.requests(), [], "packets of before are not asked for");
    }

    #[test]
    fn a_layer_that_stops_is_stood_in_for() {
        let mut camera = Camera::with_layers(3);
        camera.want(&[1]);
        assert_eq!(camera.receive(0, 1, KEY), Ok(Some(1)), "the other is not there yet");
        assert_eq!(camera.receive(1, 1, KEY), Ok(Some(1)));
        assert_eq!(camera.receive(0, 2, DELTA), Ok(None));
        camera.now += limits::LAYER_STALE;
        assert_eq!(camera.receive(0, 3, DELTA), Ok(Some(3)));
        camera.requests();
        camera.source.want_key_frame(Some(Layer(1)), camera.now);
        camera.now += limits::KEY_FRAME_RETRY;
        assert_eq!(camera.requests(), [Request::KeyFrame(Ssrc(1))], "of what stands in");
    }

    #[test]
    fn a_layer_is_gone_when_another_goes_on_without_it() {
        let mut camera = Camera::with_layers(2);
        camera.want(&[1]);
        for seq in 1..=limits::LAYER_OVERTAKEN_FRAMES as u16 {
            camera.receive_frame(1, seq);
            camera.receive_frame(0, seq);
        }
        let there = |camera: &mut Camera| camera.source.live(camera.now).iter().count();
        for seq in 20..20 + limits::LAYER_OVERTAKEN_FRAMES as u16 {
            assert_eq!(there(&mut camera), 2);
            camera.now += limits::LAYER_OVERTAKEN_FOR / limits::LAYER_OVERTAKEN_FRAMES;
            camera.receive_frame(0, seq);
        }
        assert_eq!(there(&mut camera), 1);
    }

    #[test]
    fn rates_are_told_when_a_layer_comes_and_then_now_and_then() {
        let mut camera = Camera::with_layers(2);
        camera.want(&[0]);
        assert_eq!(camera.source.rates(camera.now), Some(Rates::default()));
        camera.receive(0, 1, KEY).unwrap();
        assert_eq!(camera.source.rates(camera.now), Some(Rates::new([150_000, 0, 0])), "not measured yet");
        assert_eq!(camera.source.rates(camera.now), None);
        for seq in 2..52 {
            camera.now += std::time::Duration::from_millis(20);
            camera.receive(0, seq, &[KEY, &[0; 940]].concat()).unwrap();
        }
        let rates = camera.source.rates(camera.now).unwrap();
        let rate = rates.of(Layer(0));
        assert!((380_000..420_000).contains(&rate), "50 packets of 1,000 bytes a second: {rate}");
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

    #[test]
    fn no_number_is_taken_twice_whatever_was_forgotten_in_between() {
        let mut voice = Voice::new();
        for seq in [96, 97, 99, 100] {
            assert_eq!(voice.receive(seq, false), Ok(Some(u64::from(seq))));
        }
        assert_eq!(voice.receive(98, true), Ok(Some(98)));
        voice.now += limits::OUT_OF_REACH;
        voice.source.moved(voice.now);
        assert_eq!(voice.receive(98, false), Err(DropReason::Duplicate), "it came with 99");
        assert_eq!(voice.receive(95, false), Err(DropReason::Duplicate), "too late");
        assert_eq!(voice.receive(103, false), Ok(Some(103)));
        assert_eq!(voice.receive(100, true), Err(DropReason::Duplicate));
        assert_eq!(voice.receive(102, true), Err(DropReason::Duplicate), "sent while it was out of reach");
        assert_eq!(voice.receive(105, false), Ok(Some(105)));
        assert_eq!(voice.receive(104, true), Ok(Some(104)));
        assert_eq!(voice.receive(104, true), Err(DropReason::Duplicate));
    }

    #[test]
    fn what_was_refused_at_the_gate_does_not_come_with_what_follows() {
        let mut voice = Voice::new();
        assert_eq!(voice.receive(98, false), Ok(Some(98)));
        voice.source.close();
        voice.source.refuse(Layer(0), 100);
        assert_eq!(voice.receive(99, false), Err(DropReason::Duplicate), "sent before the gate opened");
        assert_eq!(voice.receive(101, false), Ok(Some(101)));
        assert_eq!(voice.receive(100, true), Err(DropReason::Duplicate));
        assert_eq!(voice.receive(103, false), Ok(Some(103)));
        assert_eq!(voice.receive(102, true), Ok(Some(102)));
    }

    #[test]
    fn losses_are_asked_for_again_however_much_was_refused_before() {
        let mut camera = Camera::with_layers(1);
        camera.receive(0, 1_000, KEY).unwrap();
        camera.source.close();
        for refused in (1_001..60_000).step_by(500) {
            camera.source.refuse(Layer(0), refused);
        }
        camera.receive(0, 60_001, KEY).unwrap();
        camera.receive(0, 60_004, DELTA).unwrap();
        let asked = camera.requests();
        assert!(asked.contains(&Request::Packets(Ssrc(1), vec![60_002, 60_003])), "{asked:?}");
    }

    #[test]
    fn what_a_voice_has_lost_is_given_up_when_no_packet_can_carry_it_any_more() {
        let mut voice = Voice::new();
        (0..2_000).step_by(2).for_each(|seq| assert!(voice.receive(seq, false).is_ok()));
        assert_eq!(voice.receive(1_997, true), Ok(Some(1_997)));
        assert_eq!(voice.receive(1_001, true), Err(DropReason::Duplicate));
        assert_eq!(voice.receive(2_003, false), Ok(Some(2_003)));
        assert_eq!(voice.receive(2_001, true), Ok(Some(2_001)), "what is missing is never too much");
    }

    struct Voice {
        source: Source,
        now: Instant,
    }

    impl Voice {
        fn new() -> Self {
            let mut source = Source::new(MediaKind::Mic);
            source.bind(Layer(0), Ssrc(1), StreamId::default());
            Self { source, now: Instant::now() }
        }

        fn receive(&mut self, seq: u16, recovered: bool) -> Result<Option<u64>, DropReason> {
            let header = header(seq);
            let incoming = Incoming { header: &header, payload: b"opus", codec: None, level: None, recovered };
            let packet = self.source.receive(Layer(0), &incoming, self.now)?;
            Ok(packet.map(|packet| packet.seq - 0x1_0000))
        }
    }
}
