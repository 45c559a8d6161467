//! What is told of a slot, in each step and at the end.

use std::collections::BTreeMap;

use super::frames::Picture;
use super::slot::{CameraSlot, State};
use super::timeline::{CameraStep, CameraSummary, LayerShown, VoiceStep, VoiceSummary};
use super::voice::Voice;

pub(super) const MS: u64 = 1_000_000;

/// A camera slot, and what is counted of it.
#[derive(Debug, Default)]
pub(super) struct Camera {
    pub(super) slot: CameraSlot,
    /// In the current step.
    pub(super) bytes: u64,
    shown: u32,
    freeze: u64,
    pause: u64,
    /// Frames shown, by what they show.
    layers: BTreeMap<Picture, u64>,
    /// What was shown last of which that is known.
    last: Option<Picture>,
    layer_changes: u64,
}

impl Camera {
    /// Shows what is due until `now`.
    pub(super) fn show(&mut self, now: u64) {
        let Self { slot, shown, freeze, pause, layers, last, layer_changes, .. } = self;
        slot.show(now, |frame, gap| {
            *shown += 1;
            *freeze += gap.freeze;
            *pause += gap.pause;
            if let Some(picture) = frame.picture {
                *layers.entry(picture).or_default() += 1;
                *layer_changes += u64::from(last.replace(picture).is_some_and(|last| last != picture));
            }
        });
    }

    /// Ends a step at `now`.
    pub(super) fn step(&mut self, index: usize, now: u64) -> Option<CameraStep> {
        let state = self.slot.state(now)?;
        let take = |value: &mut u64| std::mem::take(value);
        Some(CameraStep {
            slot: index,
            state,
            layer: self.slot.picture.map(|picture| picture.layer),
            height: self.slot.picture.map(|picture| picture.height),
            shown: std::mem::take(&mut self.shown),
            freeze_ms: take(&mut self.freeze) / MS,
            pause_ms: take(&mut self.pause) / MS,
            target_ms: self.slot.target() / MS,
            bytes: take(&mut self.bytes),
        })
    }

    /// Of a watcher that began at `began` and ends at `now`.
    pub(super) fn summary(&self, index: usize, began: u64, now: u64) -> Option<CameraSummary> {
        let state = self.slot.state(now)?;
        let mut gaps = self.slot.gaps.clone();
        if state == State::Frozen {
            gaps.end(now);
        }
        let layers = self.layers.iter().map(|(Picture { layer, height }, shown)| LayerShown {
            layer: *layer,
            height: *height,
            shown: *shown,
        });
        Some(CameraSummary {
            slot: index,
            shown: self.slot.shown,
            first_shown_ms: self.slot.first_shown.map(|at| at.saturating_sub(began) / MS),
            state,
            freezes: gaps.freezes,
            longest_gap_ms: gaps.longest / MS,
            pauses: gaps.pauses,
            paused_ms: gaps.paused / MS,
            out_of_order: self.slot.out_of_order,
            layers: layers.collect(),
            layer_changes: self.layer_changes,
        })
    }
}

/// A voice slot, and what was told of it so far.
#[derive(Debug, Default)]
pub(super) struct Listened {
    pub(super) voice: Voice,
    /// Packets and gaps, ns, until the last step.
    told: (u64, u64),
}

impl Listened {
    /// Ends a step.
    pub(super) fn step(&mut self, index: usize) -> VoiceStep {
        let (packets, gap) = (self.voice.packets, self.voice.gap);
        let before = std::mem::replace(&mut self.told, (packets, gap));
        VoiceStep { slot: index, packets: packets - before.0, gap_ms: (gap - before.1) / MS }
    }

    pub(super) fn summary(&self, index: usize) -> VoiceSummary {
        let Voice { packets, gaps, gap, longest, .. } = self.voice;
        let lost = self.voice.lost();
        VoiceSummary {
            slot: index,
            packets,
            lost,
            lost_share: lost as f64 / (packets + lost).max(1) as f64,
            gaps,
            gap_ms: gap / MS,
            longest_gap_ms: longest / MS,
        }
    }
}
