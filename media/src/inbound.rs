//! What one client sends: its gates, its sources, and the feedback it gets.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrayvec::ArrayVec;

use crate::budget::Budget;
use crate::counters::{DropReason, Tally};
use crate::dominant::Activity;
use crate::grace::Grace;
use crate::ids::{ConnectionId, Generation, Layer, MediaKind, Slot, Ssrc, StreamId};
use crate::layers::{LayerSet, Rates};
use crate::limits;
use crate::outbox::Outbox;
use crate::packet::Packet;
use crate::red;
use crate::rtcp;
use crate::rtp::{AudioLevel, Header};
use crate::sdp::{Carries, Extensions, Format, Session};
use crate::source::{ClockPoint, Incoming, Request, Source};
use crate::speech::{Microphone, SpeechConfig};
use crate::twcc::FeedbackRecorder;

/// Whether a kind of media may pass, and where it goes.
#[derive(Clone, Copy, Debug, Default)]
struct Gate {
    /// The participant is on stage and this kind is on.
    permitted: bool,
    /// The slot it stands in. A waiting camera, or a voice beyond the slots, has none.
    mapped: Option<(Slot, Generation)>,
}

/// What an SSRC carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StreamRef {
    kind: MediaKind,
    layer: Layer,
    rtx: bool,
}

/// What came in one packet and passed its gate, oldest first.
pub(crate) type Forwards = ArrayVec<Forward, { limits::RED_BLOCKS }>;

/// A packet that passed its gate.
pub(crate) struct Forward {
    pub(crate) slot: Slot,
    pub(crate) generation: Generation,
    pub(crate) packet: Arc<Packet>,
}

/// Values of the header extensions the server reads.
#[derive(Clone, Copy, Debug, Default)]
struct Marks<'a> {
    mid: Option<&'a [u8]>,
    rid: Option<&'a [u8]>,
    repaired_rid: Option<&'a [u8]>,
    level: Option<AudioLevel>,
    transport_cc: Option<u16>,
}

impl<'a> Marks<'a> {
    fn read(header: &Header, packet: &'a [u8], ids: &Extensions) -> Self {
        let mut marks = Self::default();
        for (id, data) in header.extensions(packet) {
            let id = Some(id);
            if id == ids.transport_cc {
                marks.transport_cc = data.first_chunk().map(|seq| u16::from_be_bytes(*seq));
            } else if id == ids.audio_level {
                marks.level = AudioLevel::parse(data);
            } else if id == ids.mid {
                marks.mid = Some(data);
            } else if id == ids.rid {
                marks.rid = Some(data);
            } else if id == ids.repaired_rid {
                marks.repaired_rid = Some(data);
            }
        }
        marks
    }
}

/// See the module.
pub(crate) struct Inbound {
    sources: [Source; MediaKind::ALL.len()],
    gates: [Gate; MediaKind::ALL.len()],
    /// SSRCs known so far; few enough to search.
    streams: Vec<(Ssrc, StreamRef)>,
    connection: ConnectionId,
    /// Bytes of media it may still send.
    allowance: Budget,
    feedback: FeedbackRecorder,
    grace: Grace,
    next_feedback: Option<Instant>,
    next_requests: Instant,
    next_report: Instant,
    last_ssrc: Ssrc,
    microphone: Microphone,
    /// NTP time of the client's first sender report, and when it came.
    ntp_anchor: Option<(u64, Instant)>,
}

impl Inbound {
    pub(crate) fn new(
        session: &Session,
        connection: ConnectionId,
        permits: [bool; 4],
        speech: SpeechConfig,
        now: Instant,
    ) -> Self {
        let mut inbound = Self {
            sources: MediaKind::ALL.map(Source::new),
            gates: permits.map(|permitted| Gate { permitted, mapped: None }),
            streams: Vec::new(),
            connection,
            allowance: Budget::full(limits::PUBLISHER_BYTES_PER_SECOND, limits::PUBLISHER_BURST_BYTES, now),
            feedback: FeedbackRecorder::new(now),
            grace: Grace::new(now),
            next_feedback: None,
            next_requests: now,
            next_report: now + limits::REPORT_INTERVAL,
            last_ssrc: Ssrc(0),
            microphone: Microphone::new(speech),
            ntp_anchor: None,
        };
        for kind in MediaKind::ALL {
            let Some((media, rtx)) = session.sending(kind).and_then(|sending| sending.ssrc) else { continue };
            inbound.bind(media, StreamRef { kind, layer: Layer(0), rtx: false });
            if let Some(rtx) = rtx {
                inbound.bind(rtx, StreamRef { kind, layer: Layer(0), rtx: true });
            }
        }
        inbound
    }

    fn bind(&mut self, ssrc: Ssrc, stream: StreamRef) {
        self.streams.push((ssrc, stream));
        let source = &mut self.sources[stream.kind as usize];
        if stream.rtx {
            source.bind_rtx(stream.layer, ssrc);
        } else {
            source.bind(stream.layer, ssrc, StreamId::of(self.connection, self.streams.len() as u16));
        }
    }

    /// Opens or closes the gate of `kind`.
    pub(crate) fn permit(&mut self, kind: MediaKind, permitted: bool) {
        self.gates[kind as usize].permitted = permitted;
        if !permitted {
            self.sources[kind as usize].close();
            if kind == MediaKind::Mic {
                self.microphone.silence();
            }
        }
    }

    /// This client's media of the slot's kind stands in `slot` from now on.
    pub(crate) fn map(&mut self, slot: Slot, generation: Generation) {
        self.gates[slot.kind() as usize].mapped = Some((slot, generation));
    }

    /// The client sends from another address.
    pub(crate) fn moved(&mut self, now: Instant) {
        self.sources.iter_mut().for_each(|source| source.moved(now));
        self.feedback.restart();
        self.grace = Grace::new(now);
    }

    /// Viewers get these layers of `kind` from here on.
    pub(crate) fn want_layers(&mut self, kind: MediaKind, layers: LayerSet) {
        self.sources[kind as usize].want_layers(layers);
    }

    /// The layers of pictures to be sent from here on, where that has changed.
    pub(crate) fn changes_of_demand(&mut self, now: Instant) -> impl Iterator<Item = (MediaKind, LayerSet)> {
        let sources = MediaKind::ALL.into_iter().zip(self.sources.iter_mut().zip(&self.gates));
        let pictures = sources.filter(|(kind, (_, gate))| kind.is_video() && gate.permitted && gate.mapped.is_some());
        pictures.filter_map(move |(kind, (source, _))| Some((kind, source.change_of_demand(now)?)))
    }

    /// What the layers of pictures take, where that is to be told.
    pub(crate) fn rates(&mut self, now: Instant) -> impl Iterator<Item = (Slot, Generation, Rates)> {
        let sources = MediaKind::ALL.into_iter().zip(self.sources.iter_mut().zip(&self.gates));
        let pictures = sources.filter(|(kind, _)| kind.is_video());
        pictures.filter_map(move |(_, (source, gate))| {
            let (slot, generation) = gate.mapped.filter(|_| gate.permitted)?;
            Some((slot, generation, source.rates(now)?))
        })
    }

    /// `slot` has another occupant now.
    pub(crate) fn unmap(&mut self, slot: Slot) {
        let gate = &mut self.gates[slot.kind() as usize];
        if gate.mapped.is_some_and(|(mapped, _)| mapped == slot) {
            gate.mapped = None;
            self.sources[slot.kind() as usize].close();
        }
    }

    /// Somebody needs a key frame of `layer`, or of every layer that is forwarded.
    pub(crate) fn want_key_frame(&mut self, kind: MediaKind, layer: Option<Layer>, now: Instant) {
        if kind.is_video() && self.gates[kind as usize].permitted {
            self.sources[kind as usize].want_key_frame(layer, now);
        }
    }

    pub(crate) fn is_speaking(&self) -> bool {
        self.microphone.is_speaking()
    }

    /// The microphone's activity when it is time to tell it.
    pub(crate) fn activity_due(&mut self, now: Instant) -> Option<Activity> {
        self.microphone.activity_due(now)
    }

    /// Takes an authenticated packet. What may be forwarded, and stands in a slot, comes back: of redundant audio also the
    /// packets before it that were lost.
    pub(crate) fn receive(
        &mut self,
        session: &Session,
        header: &Header,
        packet: &[u8],
        now: Instant,
        out: &mut Outbox,
    ) -> Result<Forwards, DropReason> {
        let marks = Marks::read(header, packet, &session.extensions);
        if let Some(seq) = marks.transport_cc {
            self.feedback.record(seq, now);
            self.next_feedback.get_or_insert(now + limits::FEEDBACK_INTERVAL);
            self.last_ssrc = header.ssrc;
        }
        let payload_len = header.payload_len(packet).map_err(|_| DropReason::RtpMalformed)?;
        let (stream, format, carries) = self.stream(session, header, &marks)?;

        // The gate comes first: nothing of a peer that may not send goes further than this counter.
        let gate = self.gates[stream.kind as usize];
        if !gate.permitted {
            self.refuse(stream, header);
            return Err(DropReason::GateClosed);
        }
        if !self.allowance.take(packet.len() as u32, now) {
            return Err(DropReason::PublisherLimited);
        }
        out.counters.add(Tally::PacketsIn, 1);
        if stream.kind == MediaKind::Mic
            && let Some(level) = marks.level
        {
            self.microphone.hear(level, now);
        }
        let Some((slot, generation)) = gate.mapped else {
            self.refuse(stream, header);
            // A voice beyond the slots is listened to, so that it gets a slot when it speaks.
            return if stream.kind == MediaKind::Mic { Ok(Forwards::new()) } else { Err(DropReason::GateClosed) };
        };

        let mut payload = &packet[header.len..header.len + payload_len];
        if payload.len() > limits::PAYLOAD_BYTES_MAX {
            return Err(DropReason::RtpOversized);
        }
        let (mut header, mut before) = (*header, ArrayVec::new());
        match carries {
            Carries::Media => {}
            // Padding has no blocks.
            Carries::Redundancy if payload.is_empty() => {}
            Carries::Retransmission => {
                // RFC 4588 §4: the original sequence number stands before the payload. Empty ones probe the line.
                let (seq, original) = payload.split_first_chunk().ok_or(DropReason::Padding)?;
                header.seq = u16::from_be_bytes(*seq);
                payload = original;
            }
            Carries::Redundancy => {
                before = red::blocks(payload).map_err(|_| DropReason::PayloadMalformed)?;
                let is_of_format = |block: &red::Block<'_>| block.payload_type == format.payload_type;
                if !before.iter().all(is_of_format) {
                    return Err(DropReason::PayloadMalformed);
                }
                payload = before.pop().map(|own| own.payload).unwrap_or_default();
            }
        }
        let source = &mut self.sources[stream.kind as usize];
        let mut receive = |header: &Header, payload, level, recovered| {
            let incoming = Incoming { header, payload, codec: format.codec, level, recovered };
            source.receive(stream.layer, &incoming, now)
        };
        let own = receive(&header, payload, marks.level, stream.rtx);
        // The packets before it fill gaps only. After a gate has opened there are none: what was said before stays unheard.
        let again = before.iter().rev().zip(1..).filter(|(block, _)| !block.payload.is_empty());
        let recovered = again.filter_map(|(block, back)| {
            let mut earlier = header;
            earlier.marker = false;
            (earlier.seq, earlier.timestamp) =
                (header.seq.wrapping_sub(back), header.timestamp.wrapping_sub(block.offset));
            receive(&earlier, block.payload, None, true).ok()?
        });
        let mut packets: ArrayVec<_, { limits::RED_BLOCKS }> = recovered.collect();
        let own = if packets.is_empty() { own? } else { own.ok().flatten() };
        out.counters.add(Tally::Recovered, packets.len() as u64 + u64::from(stream.rtx));
        out.counters.add(Tally::Unwatched, (packets.is_empty() && own.is_none()).into());
        packets.reverse();
        packets.extend(own);
        out.counters.add(Tally::BuffersAllocated, source.pool.take_allocated());
        Ok(packets.into_iter().map(|packet| Forward { slot, generation, packet }).collect())
    }

    /// Notes a packet that goes no further, so that none after it brings it along.
    fn refuse(&mut self, stream: StreamRef, header: &Header) {
        if !stream.rtx {
            self.sources[stream.kind as usize].refuse(stream.layer, header.seq);
        }
    }

    /// What an SSRC carries: known from the offer, or told by MID and RID on its first packets (RFC 8843 §9.2); of which
    /// format the packet is, and how it carries that.
    fn stream(
        &mut self,
        session: &Session,
        header: &Header,
        marks: &Marks<'_>,
    ) -> Result<(StreamRef, Format, Carries), DropReason> {
        let known = self.streams.iter().find(|(ssrc, _)| *ssrc == header.ssrc).map(|(_, stream)| *stream);
        let kind = known.map(|stream| stream.kind).or_else(|| session.kind_of_mid(marks.mid?));
        let kind = kind.ok_or(DropReason::RtpUnknownStream)?;
        let sending = session.sending(kind).ok_or(DropReason::RtpUnknownStream)?;
        let (format, carries) = sending.format_of(header.payload_type).ok_or(DropReason::RtpUnknownStream)?;
        let (format, rtx) = (*format, carries == Carries::Retransmission);
        if let Some(stream) = known {
            return if stream.rtx == rtx { Ok((stream, format, carries)) } else { Err(DropReason::RtpUnknownStream) };
        }
        let rid = if rtx { marks.repaired_rid.or(marks.rid) } else { marks.rid };
        let layer = match rid {
            Some(rid) => sending.rids.iter().position(|known| known.as_bytes() == rid),
            None if sending.rids.is_empty() => Some(0),
            None => None,
        };
        let layer = Layer(layer.ok_or(DropReason::RtpUnknownStream)? as u8);
        if self.streams.len() >= limits::SSRCS_PER_PEER {
            return Err(DropReason::RtpUnknownStream);
        }
        let stream = StreamRef { kind, layer, rtx };
        self.bind(header.ssrc, stream);
        Ok((stream, format, carries))
    }

    /// A sender report: relates the client's clocks to ours. Returns what changed for the slot of the stream.
    pub(crate) fn sender_report(
        &mut self,
        ssrc: Ssrc,
        ntp: u64,
        rtp: u32,
        now: Instant,
    ) -> Option<(Slot, Generation, Layer, ClockPoint)> {
        let (_, stream) = *self.streams.iter().find(|(known, stream)| *known == ssrc && !stream.rtx)?;
        let (anchor, anchored_at) = *self.ntp_anchor.get_or_insert((ntp, now));
        let at = shifted(anchored_at, ntp, anchor).unwrap_or(now);
        let source = &mut self.sources[stream.kind as usize];
        source.sender_report(stream.layer, ntp, rtp, at, now);
        let (slot, generation) = self.gates[stream.kind as usize].mapped?;
        Some((slot, generation, stream.layer, source.clock(stream.layer)?))
    }

    /// RTCP compound packets to send at `now`.
    pub(crate) fn due(&mut self, now: Instant, out: &mut Outbox) -> Vec<Vec<u8>> {
        let mut compounds = Vec::new();
        if self.next_feedback.is_some_and(|at| at <= now) {
            self.next_feedback = None;
            let (sent, lost) = self.feedback.take_counts();
            if self.grace.covers(sent, lost, now) {
                compounds.extend(self.feedback.arrivals(self.last_ssrc));
            } else {
                compounds.extend(self.feedback.feedback(self.last_ssrc));
            }
        }
        if self.next_requests <= now {
            self.next_requests = now + limits::NACK_INTERVAL;
            self.microphone.poll(now);
            for source in &mut self.sources {
                source.requests(now, |request| match request {
                    Request::KeyFrame(ssrc) => {
                        out.counters.add(Tally::KeyFrameRequests, 1);
                        compounds.push(rtcp::picture_loss(ssrc));
                    }
                    Request::Packets(ssrc, lost) => {
                        out.counters.add(Tally::Nacked, lost.len() as u64);
                        compounds.push(rtcp::nack(ssrc, &lost));
                    }
                });
            }
        }
        if self.next_report <= now {
            self.next_report = now + limits::REPORT_INTERVAL;
            let blocks: Vec<_> = self.sources.iter_mut().flat_map(|source| source.reception_reports(now)).collect();
            if !blocks.is_empty() {
                compounds.push(rtcp::receiver_report(&blocks));
            }
        }
        compounds
    }

    pub(crate) fn next_timeout(&self) -> Instant {
        let sends = self.gates.iter().any(|gate| gate.permitted);
        let requests = if sends { self.next_requests.min(self.next_report) } else { self.next_report };
        self.next_feedback.map_or(requests, |feedback| feedback.min(requests))
    }
}

/// `at` plus the time from NTP time `from` to `to`, both 32.32 bits.
fn shifted(at: Instant, to: u64, from: u64) -> Option<Instant> {
    let difference = to.wrapping_sub(from) as i64;
    let micros = (i128::from(difference) * 1_000_000) >> 32;
    let duration = Duration::from_micros(u64::try_from(micros.unsigned_abs()).ok()?);
    if micros >= 0 { at.checked_add(duration) } else { at.checked_sub(duration) }
}
