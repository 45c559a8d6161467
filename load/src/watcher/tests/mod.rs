//! Stories of one viewer, in virtual time: a camera of 30 frames a second in three packets each, whose packets take 20 ms,
//! and what becomes of them on the way.

mod pictures;
mod sounds;

use std::collections::BTreeMap;

use dais_media::rtp::Header;

use super::*;
use crate::publish::{HeaderWriter, ids};
use crate::stamp::STAMP_BYTES;

/// The watcher begins here: clocks do not begin with 0.
const BEGIN: u64 = 5_000 * MS;
const TRANSIT_MS: u64 = 20;
const PACKETS: usize = 3;
const BODY_BYTES: usize = 1_000;
const HEIGHTS: [u16; 3] = [180, 360, 720];

/// A packet that the server sends; times are ms since the beginning.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: u64,
    frame: u64,
    piece: usize,
}

struct Scene {
    watcher: Watcher,
    /// By time of arrival, ns, and order.
    coming: BTreeMap<(u64, usize), Vec<u8>>,
    /// Payloads and timestamps by number, to be sent again.
    history: BTreeMap<u16, (u32, bool, Vec<u8>)>,
    /// A request is answered after this long, ms; never when there is none.
    answers: Option<u64>,
    seq: u16,
    rtx_seq: u16,
    picture: u16,
    frame: u64,
    /// When what was asked for, ms.
    asked: Vec<(u64, Request)>,
    steps: Vec<Step>,
}

impl Scene {
    fn new(answers: Option<u64>) -> Self {
        Self {
            watcher: Watcher::new(0, BEGIN),
            coming: BTreeMap::new(),
            history: BTreeMap::new(),
            answers,
            // The wrap is part of every story.
            seq: 65_500,
            rtx_seq: 1,
            picture: 0x7ff0,
            frame: 0,
            asked: Vec::new(),
            steps: Vec::new(),
        }
    }

    fn arrive(&mut self, at: u64, packet: Vec<u8>) {
        self.coming.insert((at, self.coming.len() + self.frame as usize * PACKETS), packet);
    }

    /// The server sends frames of `layer` from `from` to `to` ms, the first of them a key frame. `travel` says when a
    /// packet arrives, ms; none when it is lost.
    fn camera(&mut self, layer: u8, from: u64, to: u64, travel: impl Fn(Sent) -> Option<u64>) {
        for n in 0.. {
            let at = from * MS + n * 1_000 * MS / 30;
            if at >= to * MS {
                return;
            }
            self.picture = (self.picture + 1) & 0x7fff;
            for piece in 0..PACKETS {
                self.seq = self.seq.wrapping_add(1);
                let timestamp = (at / MS * 90) as u32;
                let picture = (0x8000 | self.picture).to_be_bytes();
                let start = if piece == 0 { 0x90 } else { 0x80 };
                let mut payload = vec![start, 0xe0, picture[0], picture[1], 0, 0, u8::from(n > 0)];
                payload.resize(payload.len() + BODY_BYTES, 0);
                let height = HEIGHTS[usize::from(layer)];
                let stamp = Stamp { publisher: 1, number: 2, sent_ns: BEGIN + at, layer, height };
                stamp.write(&mut payload[STAMP_AT..]);
                let last = piece + 1 == PACKETS;
                self.history.insert(self.seq, (timestamp, last, payload.clone()));
                let sent = Sent { at: at / MS, frame: self.frame, piece };
                if let Some(arrives) = travel(sent) {
                    let packet = rtp(Slot::camera(2).unwrap().ssrc(), self.seq, timestamp, last, &payload);
                    self.arrive(BEGIN + arrives * MS + at % MS, packet);
                }
            }
            self.frame += 1;
        }
    }

    /// A voice whose packets are sent at `times`, ms.
    fn voice(&mut self, times: impl Iterator<Item = u64>, travel: impl Fn(u64) -> Option<u64>) {
        for (n, at) in times.enumerate() {
            let mut payload = vec![0; STAMP_BYTES + 56];
            Stamp { publisher: 1, number: 2, sent_ns: BEGIN + at * MS, layer: 0, height: 0 }.write(&mut payload);
            if let Some(arrives) = travel(at) {
                let ssrc = Slot::voice(1).unwrap().ssrc();
                let packet = rtp(ssrc, 65_530_u16.wrapping_add(n as u16), (at * 48) as u32, false, &payload);
                self.arrive(BEGIN + arrives * MS, packet);
            }
        }
    }

    fn rtx(&mut self, arrives: u64, original: Option<u16>) {
        let (timestamp, marker, payload) = match original {
            Some(original) => {
                let (timestamp, marker, payload) = &self.history[&original];
                (*timestamp, *marker, [&original.to_be_bytes()[..], payload].concat())
            }
            None => (7, false, Vec::new()),
        };
        let packet = rtp(Slot::camera(2).unwrap().rtx_ssrc(), self.rtx_seq, timestamp, marker, &payload);
        self.rtx_seq += 1;
        self.arrive(BEGIN + arrives * MS, packet);
    }

    /// Lets everything happen until `ms`, in steps of 1 ms.
    fn play(mut self, until: u64) -> (Summary, Self) {
        for ms in (self.watcher.now - BEGIN) / MS..=until {
            let now = BEGIN + ms * MS;
            while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= now) {
                let ((at, _), packet) = entry.remove_entry();
                let header = Header::parse(&packet).unwrap();
                self.watcher.handle_packet(at, &header, &packet[header.len..], packet.len() + 16);
            }
            self.watcher.handle_timeout(now);
            let mut requests = Vec::new();
            self.watcher.requests(|request| requests.push(request));
            for request in requests {
                if let (Some(after), Request::Nack { lost, .. }) = (self.answers, &request) {
                    lost.iter().for_each(|lost| self.rtx(ms + after, Some(*lost)));
                }
                self.asked.push((ms, request));
            }
            self.steps.extend(std::iter::from_fn(|| self.watcher.poll_step()));
        }
        (self.watcher.summary(), self)
    }

    /// State and layer at the end of the step that ends at `ms`.
    fn seen(&self, ms: u64) -> (State, Option<u8>) {
        let step = self.steps.iter().find(|step| step.at_ms == ms).unwrap();
        (step.cameras[0].state, step.cameras[0].layer)
    }

    fn key_frame_requests(&self) -> Vec<u64> {
        let asked = self.asked.iter().filter(|(_, request)| matches!(request, Request::KeyFrame { .. }));
        asked.map(|(ms, _)| *ms).collect()
    }
}

fn rtp(ssrc: Ssrc, seq: u16, timestamp: u32, marker: bool, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 64];
    let len = HeaderWriter::new(&mut packet, ids::VP8, marker, seq, timestamp, ssrc.0).finish();
    packet.truncate(len);
    packet.extend(payload);
    packet
}

/// Everything arrives.
fn in_time(sent: Sent) -> Option<u64> {
    Some(sent.at + TRANSIT_MS)
}

fn within(value: u64, around: u64, by: u64) {
    assert!(value.abs_diff(around) <= by, "{value} is not {around}");
}
