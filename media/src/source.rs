//! What a publisher sends of one kind: its layers, their numbers, losses, key frames and rates, and which of them are
//! forwarded.

use std::sync::Arc;
use std::time::Instant;

use crate::codec::{Codec, Descriptor, Temporal};
use crate::counters::DropReason;
use crate::demand::Demand;
use crate::gaps::Gaps;
use crate::ids::{Layer, MediaKind, Ssrc, StreamId};
use crate::keyframe::KeyFrameThrottle;
use crate::layers::{self, LAYERS, LayerSet, Quality, Rates};
use crate::limits;
use crate::nack::{Arrival, MissingPackets};
use crate::packet::{Packet, PacketPool};
use crate::rate::RateMeter;
use crate::reception::Reception;
use crate::rtcp::ReceptionBlock;
use crate::rtp::{AudioLevel, Header, SeqExtender};
use crate::thinning::Thinning;

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
    padding: Gaps,
    thinning: Thinning,
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
            padding: Gaps::default(),
            thinning: Thinning::default(),
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
        let bytes = incoming.header.len + incoming.payload.len() + limits::DATAGRAM_OVERHEAD_BYTES;
        if !incoming.recovered {
            stream.last_packet = Some(now);
            stream.reception.record(seq, incoming.header.timestamp, self.kind, now);
            stream.rate.count(bytes, now);
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
        // The last frame before a screen stands still may be of the highest layer: a screen has all of them.
        let temporal = if self.kind == MediaKind::Camera { descriptor.temporal } else { Temporal::default() };
        let thinned = incoming.codec.and_then(|_| stream.thinning.place(seq, temporal));
        if !incoming.recovered && thinned.is_some_and(|thinned| !thinned.is_left_out) {
            stream.thinning.count(bytes, now);
        }
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
            packet.thinned = thinned;
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
            let (known, half) = if stream.is_live(self.kind, now) {
                let known = stream.rate.measured(now);
                (known, known.and_then(|all| stream.thinning.rate(all, now)))
            } else if self.demand.can_come(layer, now) {
                let known = stream.rate.before();
                (known, known.and_then(|all| stream.thinning.rate_before(all)))
            } else {
                continue;
            };
            rates.set(layer, known.unwrap_or(Rates::NOMINAL.of(Quality::all_of(layer))).max(1), half);
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
mod tests;
