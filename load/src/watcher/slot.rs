//! One camera slot as a browser receives it: from packets to shown frames, and what it asks for.

use serde::Serialize;

use super::frames::{Frame, Frames, Picture, Piece};
use super::gaps::{Gap, Gaps};
use super::missing::{Arrival, MissingNumbers};
use super::playout::Playout;

const MS: u64 = 1_000_000;
/// A key frame is asked for when no frame could be decoded for this long, ns: before the first one, and later on
/// (libwebrtc, `VideoReceiveStream2`: kMaxWaitForKeyFrame and kMaxWaitForFrame); and then again after as long.
const FIRST_WAIT: u64 = 200 * MS;
const WAIT: u64 = 3_000 * MS;
/// Not while one is coming in, ns since the start of it (kMaxWaitForKeyFrame), ...
const COMING: u64 = FIRST_WAIT;
/// ... and not when nothing has come for this long, ns: then nobody sends.
const INACTIVE: u64 = 5_000 * MS;

/// What the viewer sees in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Packets have come, and no frame could be shown yet.
    Waiting,
    /// Frames are shown.
    Playing,
    /// The last frame has been shown for as long as makes a freeze, and more was expected.
    Frozen,
    /// So has it, but nothing has come since: a pause or a freeze, which the next packet tells.
    Silent,
}

/// A packet of the slot, with its original number when it was sent again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived {
    pub(super) at: u64,
    /// Extended.
    pub(super) seq: u64,
    pub(super) again: bool,
    pub(super) piece: Piece,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct CameraSlot {
    missing: MissingNumbers,
    frames: Frames,
    playout: Playout,
    pub(super) gaps: Gaps,
    first_packet: Option<u64>,
    last_packet: u64,
    last_key_packet: Option<u64>,
    /// When a key frame was asked for last.
    asked: Option<u64>,
    /// Only a key frame helps, and is to be asked for at once.
    lost: bool,
    /// When the server began to send again after a pause; until a frame is shown.
    resumed: Option<u64>,
    picture_id: Option<u16>,
    pub(super) first_shown: Option<u64>,
    pub(super) shown: u64,
    /// Packets that were missing and came again.
    pub(super) recovered: u64,
    /// Frames that follow another picture than the one before them (RFC 7741 §4.2: the picture id grows by one).
    pub(super) out_of_order: u64,
    /// What the last shown frame shows.
    pub(super) picture: Option<Picture>,
}

impl CameraSlot {
    /// The extended form of `seq`: the closest to the highest so far; none before the first packet.
    pub(super) fn extend(&self, seq: u16) -> Option<u64> {
        let highest = self.missing.highest()?;
        highest.checked_add_signed(i64::from(seq.wrapping_sub(highest as u16) as i16))
    }

    /// The extended form of the number `seq` of a packet that is sent again (RFC 4588 §4); none where nothing has come yet that it could
    /// have been sent before.
    pub(super) fn extend_again(&self, seq: u16) -> Option<u64> {
        self.extend(seq).filter(|seq| Some(*seq) <= self.missing.highest())
    }

    /// Takes a packet. Returns the time that an answer to a request took, ns, if it tells.
    pub(super) fn receive(&mut self, packet: Arrived) -> Option<u64> {
        let Arrived { at, seq, again, piece } = packet;
        let highest = self.missing.highest();
        if !again && highest.is_some_and(|highest| seq > highest && self.resumes(seq - highest - 1, &piece, at)) {
            self.resumed = Some(at);
        }
        let arrival = self.missing.arrived(seq, at);
        if arrival != Arrival::Old {
            // What comes twice, such as a probe of the server, is no sign of life of the slot.
            self.last_packet = self.last_packet.max(at);
        }
        let took = match arrival {
            Arrival::Recovered(took) => {
                self.recovered += u64::from(again);
                took.filter(|_| again)
            }
            Arrival::Lost => {
                self.lost = true;
                None
            }
            Arrival::New | Arrival::Old => None,
        };
        self.first_packet.get_or_insert(at);
        if piece.starts_key_frame() {
            self.last_key_packet = Some(at);
        }
        if let Some(frame) = self.frames.insert(seq, piece, at) {
            self.playout.observe(frame.timestamp, frame.complete_at);
        }
        self.lost |= self.frames.overflows();
        took
    }

    /// Whether a packet that comes at `at`, with `gap` numbers missing before it, ends a pause: it begins a key frame
    /// after so long a silence of the slot as would make a freeze. A line that was down loses at least a packet of
    /// each frame that was due; a pause none, or the few at the end before it.
    fn resumes(&self, gap: u64, piece: &Piece, at: u64) -> bool {
        let silence = at.saturating_sub(self.last_packet);
        let frames = silence / self.gaps.average().max(1);
        piece.starts_key_frame() && silence >= self.gaps.threshold() && gap < frames / 2
    }

    /// Shows the frames that are due until `now`; `each` gets what lay before each.
    pub(super) fn show(&mut self, now: u64, mut each: impl FnMut(&Frame, Gap)) {
        while let Some(frame) = self.frames.next().copied() {
            let due = self.playout.due(frame.timestamp).max(frame.complete_at);
            if due > now {
                return;
            }
            let at = due.max(self.gaps.last().unwrap_or(0));
            self.frames.decoded(&frame);
            self.missing.forget_below(frame.last + 1);
            let gap = self.gaps.shown(at, self.resumed);
            if self.resumed.is_some_and(|resumed| resumed <= at) {
                self.resumed = None;
            }
            let follows = |id: u16| self.picture_id.is_none_or(|last| last.wrapping_add(1) & 0x7fff == id);
            self.out_of_order += u64::from(!frame.key && frame.picture_id.is_some_and(|id| !follows(id)));
            self.picture_id = frame.picture_id;
            self.first_shown.get_or_insert(at);
            (self.shown, self.picture, self.lost) = (self.shown + 1, frame.picture, false);
            each(&frame, gap);
        }
    }

    /// Numbers to ask for at `now`.
    pub(super) fn nacks(&mut self, now: u64, rtt: u64) -> Vec<u16> {
        self.missing.due(now, rtt)
    }

    /// Whether to ask for a key frame at `now`.
    pub(super) fn wants_key_frame(&mut self, now: u64) -> bool {
        let Some(first_packet) = self.first_packet else { return false };
        let wait = if self.shown == 0 { FIRST_WAIT } else { WAIT };
        let since = self.gaps.last().unwrap_or(first_packet).max(self.asked.unwrap_or(0));
        let active = now.saturating_sub(self.last_packet) < INACTIVE;
        let coming = self.last_key_packet.is_some_and(|key| now.saturating_sub(key) < COMING);
        let lost = std::mem::take(&mut self.lost);
        let wants = active && !coming && (lost || now.saturating_sub(since) >= wait);
        if wants {
            self.asked = Some(now);
        }
        wants
    }

    /// What the viewer sees at `now`; none when nothing ever came.
    pub(super) fn state(&self, now: u64) -> Option<State> {
        self.first_packet?;
        let Some(last) = self.gaps.last() else { return Some(State::Waiting) };
        if now.saturating_sub(last) < self.gaps.threshold() {
            return Some(State::Playing);
        }
        let expected = self.frames.is_waiting() || !self.missing.is_empty() || self.last_packet > last;
        Some(if expected { State::Frozen } else { State::Silent })
    }

    /// Target delay of the jitter buffer, ns.
    pub(super) fn target(&self) -> u64 {
        self.playout.target()
    }
}
