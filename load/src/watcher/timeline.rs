//! What a watcher finds: a step for each 100 ms, and a summary at the end.

use serde::Serialize;

use super::gaps::Freezes;
use super::slot::State;

/// Bytes of UDP payload, SRTP tags included, IP and UDP headers not, by what they carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// Of cameras, each packet the first time.
    pub video: u64,
    /// Of voices.
    pub audio: u64,
    /// Of cameras, sent again (RFC 4588).
    pub rtx: u64,
    /// Packets without media.
    pub padding: u64,
}

impl Bytes {
    /// Of every kind.
    #[must_use]
    pub fn total(self) -> u64 {
        self.video + self.audio + self.rtx + self.padding
    }

    pub(super) fn add(&mut self, other: Self) {
        self.video += other.video;
        self.audio += other.audio;
        self.rtx += other.rtx;
        self.padding += other.padding;
    }
}

/// One-way delay in a step, ms: from the publisher's send to the arrival at the watcher's socket. Of packets that were
/// sent once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StepDelay {
    /// Median.
    pub p50: f64,
    /// Longest.
    pub max: f64,
}

/// One camera slot in a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CameraStep {
    /// Index among the camera slots.
    pub slot: usize,
    /// At the end of the step.
    pub state: State,
    /// Layer of the last shown frame, smallest first; none when no stamp told it.
    pub layer: Option<u8>,
    /// Its height class, lines.
    pub height: Option<u16>,
    /// Frames shown.
    pub shown: u32,
    /// Freezes that ended, together, ms.
    pub freeze_ms: u64,
    /// Pauses that ended, together, ms.
    pub pause_ms: u64,
    /// Target delay of the jitter buffer at the end of the step, ms.
    pub target_ms: u64,
    /// Bytes that came for it, of every kind.
    pub bytes: u64,
}

/// One voice slot in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct VoiceStep {
    /// Index among the voice slots.
    pub slot: usize,
    /// Packets that came.
    pub packets: u64,
    /// Sound that was missing, ms.
    pub gap_ms: u64,
}

/// What happened in 100 ms.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Which watcher, from 0.
    pub watcher: usize,
    /// End of the step, ms after the watcher had its keys.
    pub at_ms: u64,
    /// The same moment on CLOCK_MONOTONIC, ms, to be laid beside what else happened on the machine.
    pub monotonic_ms: u64,
    /// What came.
    pub bytes: Bytes,
    /// None when no packet told it.
    pub delay_ms: Option<StepDelay>,
    /// Numbers asked for (RFC 4585 §6.2.1), again included.
    pub nacked: u64,
    /// Key frames asked for.
    pub key_frames_asked: u64,
    /// Camera slots in which anything ever came, in order.
    pub cameras: Vec<CameraStep>,
    /// Voice slots in which anything ever came, in order.
    pub voices: Vec<VoiceStep>,
}

/// One-way delay of the whole time, ms, as [`StepDelay`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Delay {
    /// Median.
    pub p50: f64,
    /// 95 % were not longer.
    pub p95: f64,
    /// 99 % were not longer.
    pub p99: f64,
    /// Longest.
    pub max: f64,
}

/// Bit rates of the whole time, bit/s, of the bytes that [`Bytes`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rates {
    /// As in [`Bytes`].
    pub video: f64,
    /// As in [`Bytes`].
    pub audio: f64,
    /// As in [`Bytes`].
    pub rtx: f64,
    /// As in [`Bytes`].
    pub padding: f64,
    /// Of every kind.
    pub total: f64,
}

/// Frames of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LayerShown {
    /// Smallest first.
    pub layer: u8,
    /// Height class, lines.
    pub height: u16,
    /// Frames shown.
    pub shown: u64,
}

/// One camera slot over the whole time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CameraSummary {
    /// Index among the camera slots.
    pub slot: usize,
    /// Frames shown.
    pub shown: u64,
    /// The first one, ms after the watcher had its keys; none when there was none.
    pub first_shown_ms: Option<u64>,
    /// At the end.
    pub state: State,
    /// Freezes, that at the end included.
    pub freezes: Freezes,
    /// Longest time between two shown frames, pauses left out, ms.
    pub longest_gap_ms: u64,
    /// How often the server stopped sending on purpose.
    pub pauses: u32,
    /// For how long together, ms.
    pub paused_ms: u64,
    /// Frames that follow another picture than the one they were made from, though their numbers are continuous: the
    /// server's mistake.
    pub out_of_order: u64,
    /// What was shown, by layer.
    pub layers: Vec<LayerShown>,
    /// How often another layer was shown.
    pub layer_changes: u64,
}

/// One voice slot over the whole time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VoiceSummary {
    /// Index among the voice slots.
    pub slot: usize,
    /// Packets that came.
    pub packets: u64,
    /// Packets between the first and the last that did not.
    pub lost: u64,
    /// Their share, 0 to 1.
    pub lost_share: f64,
    /// How often sound was missing.
    pub gaps: u32,
    /// How much together, ms.
    pub gap_ms: u64,
    /// The longest gap, ms.
    pub longest_gap_ms: u64,
}

/// What a watcher found over the whole time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Which watcher, from 0.
    pub watcher: usize,
    /// From the keys to the end, s.
    pub seconds: f64,
    /// What came.
    pub bytes: Bytes,
    /// What came per second.
    pub bits_per_second: Rates,
    /// None when no packet told it.
    pub delay_ms: Option<Delay>,
    /// Time that an answer to a request took at the end, smoothed, ms; 100 when there was none.
    pub rtt_ms: f64,
    /// Numbers asked for, again included.
    pub nacked: u64,
    /// Packets that came again and were of use.
    pub recovered: u64,
    /// Key frames asked for.
    pub key_frames_asked: u64,
    /// Packets that did not authenticate, or whose payload is no VP8 of a camera.
    pub damaged: u64,
    /// Camera slots in which anything came, in order.
    pub cameras: Vec<CameraSummary>,
    /// Voice slots in which anything came, in order.
    pub voices: Vec<VoiceSummary>,
}
