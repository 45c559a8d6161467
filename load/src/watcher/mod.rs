//! A watching participant: what one viewer gets, as a browser would show it. No I/O and no clock.
//!
//! Its packets are given to it decrypted, in the order in which they came. What it models, and what it leaves out:
//!
//! - **Repair** (`missing`, [`slot`]). A missing number of a camera slot is asked for after 10 ms, and again every
//!   max(round trip, 50 ms), 10 times at most; an RTX packet (RFC 4588) counts under its original number. The round trip
//!   is the time from the first request for a packet until it comes, smoothed as RFC 6298 §2 does, and 100 ms until one
//!   was answered (libwebrtc's kDefaultRtt). Of voices what was lost comes with the next packet, where the server sends
//!   redundant audio (RFC 2198), or not at all. RTX packets without media are padding: bytes, and no more.
//! - **Decoding** (`frames`). Frames are complete by their numbers, and follow one another by them. A missing frame is
//!   given up when a later key frame is complete and due. A key frame is asked for when none came in 200 ms in the
//!   beginning, when no frame could be decoded for 3 s, and when more is missing than can be asked for. Decoding takes no
//!   time.
//! - **Playout** (`playout`). A jitter buffer with a target delay of 10 to 500 ms.
//! - **Freezes and pauses** (`gaps`, [`slot`]). Freezes as WebRTC statistics have them. A time in which the server sent
//!   nothing of the slot on purpose is a pause and no freeze; it is told by how it ends.
//! - **Sound** (`voice`). A buffer of 200 ms; what is not there then is a gap.
//!
//! Not modelled: lip sync, the decoder's and the renderer's time, concealment of sound.

mod frames;
mod gaps;
mod missing;
mod playout;
mod slot;
mod tally;
#[cfg(test)]
mod tests;
mod timeline;
mod voice;

use std::collections::{BTreeMap, VecDeque};

use dais_media::red;
use dais_media::rtp::Header;
use dais_media::{MediaKind, Slot, Ssrc};
use hdrhistogram::Histogram;

use crate::camera::STAMP_AT;
use crate::engine::latencies;
use crate::limits::WATCHED_STEPS_MAX;
use crate::publish::ids;
use crate::sequence::{Seen, SequenceCounter};
use crate::stamp::Stamp;
use frames::Piece;
use slot::Arrived;
use tally::{Camera, Listened, MS};

pub use gaps::Freezes;
pub use slot::State;
pub use timeline::{
    Bytes, CameraStep, CameraSummary, Delay, LayerShown, Rates, Step, StepDelay, Summary, VoiceStep, VoiceSummary,
};

/// Length of a step, ns.
const STEP: u64 = 100 * MS;
/// What a packet of a voice lasts, in ticks of its clock.
const PACKET_TICKS: u64 = 960;
/// Round trip before one is known, ns.
const RTT_AT_FIRST: f64 = 100e6;
/// Weight of a new round trip (RFC 6298 §2.3).
const RTT_WEIGHT: f64 = 0.125;

/// What a watcher asks the server for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Packets, ascending.
    Nack { ssrc: Ssrc, lost: Vec<u16> },
    /// A key frame.
    KeyFrame { ssrc: Ssrc },
}

/// See the module. Times are CLOCK_MONOTONIC in ns. Call [`Watcher::handle_packet`] for what comes,
/// [`Watcher::handle_timeout`] every few ms, and then [`Watcher::requests`] and [`Watcher::poll_step`].
pub(crate) struct Watcher {
    number: usize,
    began: u64,
    now: u64,
    step_ends: u64,
    /// By SSRC.
    counters: BTreeMap<Ssrc, SequenceCounter>,
    /// By index of the slot among the cameras.
    cameras: BTreeMap<usize, Camera>,
    /// By index of the slot among the voices.
    voices: BTreeMap<usize, Listened>,
    rtt: Option<f64>,
    /// Of the steps that are over, and of the current one.
    bytes: (Bytes, Bytes),
    nacked: (u64, u64),
    key_frames_asked: (u64, u64),
    damaged: u64,
    /// µs.
    delays: Histogram<u64>,
    /// In the current step, µs.
    step_delays: Vec<u32>,
    steps: VecDeque<Step>,
}

/// What a stream carries.
enum Stream {
    Camera { index: usize, again: bool },
    Voice { index: usize },
}

impl Stream {
    /// None for what is no camera and no voice.
    fn of(ssrc: Ssrc) -> Option<Self> {
        let original = || Slot::from_ssrc(Ssrc(ssrc.0.wrapping_sub(1))).filter(|slot| slot.rtx_ssrc() == ssrc);
        let (slot, again) = Slot::from_ssrc(ssrc).map(|slot| (slot, false)).or_else(|| Some((original()?, true)))?;
        match slot.kind() {
            // Cameras come first among the slots.
            MediaKind::Camera => Some(Self::Camera { index: slot.index(), again }),
            MediaKind::Mic if !again => Some(Self::Voice { index: slot.index() - Slot::voice(0)?.index() }),
            _ => None,
        }
    }
}

impl Watcher {
    /// The `number`-th watcher, which has its keys at `now`.
    pub(crate) fn new(number: usize, now: u64) -> Self {
        Self {
            number,
            began: now,
            now,
            step_ends: now + STEP,
            counters: BTreeMap::new(),
            cameras: BTreeMap::new(),
            voices: BTreeMap::new(),
            rtt: None,
            bytes: (Bytes::default(), Bytes::default()),
            nacked: (0, 0),
            key_frames_asked: (0, 0),
            damaged: 0,
            delays: latencies(),
            step_delays: Vec::new(),
            steps: VecDeque::new(),
        }
    }

    /// The extended form of `seq`: the index of an SRTP packet (RFC 3711 §3.3.1).
    pub(crate) fn index(&self, ssrc: Ssrc, seq: u16) -> u64 {
        self.counters.get(&ssrc).map_or(seq.into(), |counter| counter.index(seq))
    }

    /// Every stream that came, RTX included.
    pub(crate) fn streams(&self) -> impl Iterator<Item = (Ssrc, &SequenceCounter)> {
        self.counters.iter().map(|(ssrc, counter)| (*ssrc, counter))
    }

    /// A packet came that cannot be decrypted.
    pub(crate) fn note_damaged(&mut self) {
        self.damaged += 1;
    }

    /// Takes a decrypted packet that came at `at`: its header, its payload without padding, and the bytes of the datagram.
    pub(crate) fn handle_packet(&mut self, at: u64, header: &Header, payload: &[u8], bytes: usize) {
        self.handle_timeout(at);
        let (ssrc, bytes, index) = (header.ssrc, bytes as u64, self.index(header.ssrc, header.seq));
        let seen = match self.counters.get_mut(&ssrc) {
            Some(counter) => counter.record(index),
            None => {
                self.counters.insert(ssrc, SequenceCounter::new(header.seq));
                Seen::New
            }
        };
        let Some(stream) = Stream::of(ssrc) else { return };
        let kind = &mut self.bytes.1;
        match &stream {
            _ if payload.is_empty() => kind.padding += bytes,
            Stream::Camera { again: true, .. } => kind.rtx += bytes,
            Stream::Camera { .. } => kind.video += bytes,
            Stream::Voice { .. } => kind.audio += bytes,
        }
        match stream {
            Stream::Voice { index: voice } => {
                if seen == Seen::Again {
                    return;
                }
                let voice = &mut self.voices.entry(voice).or_default().voice;
                voice.receive(index, header.timestamp, at);
                let mut own = payload;
                if header.payload_type == ids::RED {
                    let Ok(blocks) = red::blocks(payload) else {
                        self.damaged += 1;
                        return;
                    };
                    own = blocks.last().map_or(own, |block| block.payload);
                    for (back, block) in (1..).zip(blocks.iter().rev().skip(1)) {
                        // Packets last 20 ms: a block of another time would be another packet's.
                        let seq = index.checked_sub(back).filter(|_| u64::from(block.offset) == back * PACKET_TICKS);
                        seq.into_iter().for_each(|seq| voice.recover(seq));
                    }
                }
                self.note_delay(Stamp::read(own), at);
            }
            Stream::Camera { index: camera, again } => {
                let camera = self.cameras.entry(camera).or_default();
                camera.bytes += bytes;
                // RFC 4588 §4: the original number stands before the payload.
                let (seq, payload) = match (again, payload.split_first_chunk::<2>()) {
                    (false, _) => (Some(index), payload),
                    (true, Some((original, rest))) => (camera.slot.extend_again(u16::from_be_bytes(*original)), rest),
                    (true, None) => return,
                };
                let Some(seq) = seq else {
                    self.damaged += 1;
                    return;
                };
                let stamp = payload.get(STAMP_AT..).and_then(Stamp::read);
                let Some(piece) = Piece::read(header.timestamp, header.marker, payload, stamp) else {
                    self.damaged += 1;
                    return;
                };
                if let Some(took) = camera.slot.receive(Arrived { at, seq, again, piece }) {
                    let before = self.rtt.unwrap_or(took as f64);
                    self.rtt = Some(before + RTT_WEIGHT * (took as f64 - before));
                }
                camera.show(self.now);
                self.note_delay(stamp.filter(|_| !again), at);
            }
        }
    }

    fn note_delay(&mut self, stamp: Option<Stamp>, at: u64) {
        if let Some(stamp) = stamp {
            let us = at.saturating_sub(stamp.sent_ns) / 1_000;
            self.delays.saturating_record(us);
            self.step_delays.push(us.min(u32::MAX.into()) as u32);
        }
    }

    /// Moves time on to `now`: shows the frames that are due, and ends the steps that are over.
    pub(crate) fn handle_timeout(&mut self, now: u64) {
        while self.now < now {
            self.now = now.min(self.step_ends);
            self.cameras.values_mut().for_each(|camera| camera.show(self.now));
            self.voices.values_mut().for_each(|listened| listened.voice.handle_timeout(self.now));
            if self.now == self.step_ends {
                self.step_ends += STEP;
                self.end_step();
            }
        }
    }

    /// What to ask the server for now; each thing is said once.
    pub(crate) fn requests(&mut self, mut each: impl FnMut(Request)) {
        let (now, rtt) = (self.now, self.rtt.unwrap_or(RTT_AT_FIRST) as u64);
        for (index, camera) in &mut self.cameras {
            let Some(ssrc) = Slot::camera(*index).map(Slot::ssrc) else { continue };
            let lost = camera.slot.nacks(now, rtt);
            if !lost.is_empty() {
                self.nacked.1 += lost.len() as u64;
                each(Request::Nack { ssrc, lost });
            }
            if camera.slot.wants_key_frame(now) {
                self.key_frames_asked.1 += 1;
                each(Request::KeyFrame { ssrc });
            }
        }
    }

    /// The next step that is over.
    pub(crate) fn poll_step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    fn end_step(&mut self) {
        let now = self.now;
        let bytes = std::mem::take(&mut self.bytes.1);
        let (nacked, asked) = (std::mem::take(&mut self.nacked.1), std::mem::take(&mut self.key_frames_asked.1));
        self.bytes.0.add(bytes);
        self.nacked.0 += nacked;
        self.key_frames_asked.0 += asked;
        self.step_delays.sort_unstable();
        let ms = |us: u32| f64::from(us) / 1e3;
        let delays = &self.step_delays;
        let delay_ms = delays.last().map(|max| StepDelay { p50: ms(delays[(delays.len() - 1) / 2]), max: ms(*max) });
        self.step_delays.clear();
        if self.steps.len() >= WATCHED_STEPS_MAX {
            self.steps.pop_front();
        }
        self.steps.push_back(Step {
            watcher: self.number,
            at_ms: (now - self.began) / MS,
            monotonic_ms: now / MS,
            bytes,
            delay_ms,
            nacked,
            key_frames_asked: asked,
            cameras: self.cameras.iter_mut().filter_map(|(index, camera)| camera.step(*index, now)).collect(),
            voices: self.voices.iter_mut().map(|(index, listened)| listened.step(*index)).collect(),
        });
    }

    /// What was found so far.
    pub(crate) fn summary(&self) -> Summary {
        let (now, mut bytes) = (self.now, self.bytes.0);
        bytes.add(self.bytes.1);
        let seconds = (now - self.began) as f64 / 1e9;
        let rate = |bytes: u64| if seconds > 0.0 { bytes as f64 * 8.0 / seconds } else { 0.0 };
        let ms = |quantile: f64| self.delays.value_at_quantile(quantile) as f64 / 1e3;
        let cameras = self.cameras.iter().filter_map(|(index, camera)| camera.summary(*index, self.began, now));
        Summary {
            watcher: self.number,
            seconds,
            bytes,
            bits_per_second: Rates {
                video: rate(bytes.video),
                audio: rate(bytes.audio),
                rtx: rate(bytes.rtx),
                padding: rate(bytes.padding),
                total: rate(bytes.total()),
            },
            delay_ms: (!self.delays.is_empty()).then(|| Delay {
                p50: ms(0.5),
                p95: ms(0.95),
                p99: ms(0.99),
                max: ms(1.0),
            }),
            rtt_ms: self.rtt.unwrap_or(RTT_AT_FIRST) / 1e6,
            nacked: self.nacked.0 + self.nacked.1,
            recovered: self.cameras.values().map(|camera| camera.slot.recovered).sum(),
            key_frames_asked: self.key_frames_asked.0 + self.key_frames_asked.1,
            damaged: self.damaged,
            cameras: cameras.collect(),
            voices: self.voices.iter().map(|(index, listened)| listened.summary(*index)).collect(),
        }
    }
}
