//! Packets of a camera slot put together into frames, and which frame can be decoded next.
//!
//! A frame is complete when every number from its first packet (RFC 7741 §4.2: S bit, partition 0) to its marker is
//! there. It can be decoded when it is a key frame, or the frame right before it was decoded.

use std::collections::BTreeMap;

use dais_media::codec::{Codec, Descriptor};

use crate::limits::WATCHED_PACKETS_MAX;
use crate::stamp::Stamp;

/// What the frame shows: layer and height class, by the stamp of its publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Picture {
    pub(super) layer: u8,
    pub(super) height: u16,
}

/// One packet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    /// A number without media: padding, where RTX is not negotiated.
    Padding,
    Media {
        timestamp: u32,
        marker: bool,
        /// The first packet of a frame.
        first: bool,
        /// The first packet of a key frame.
        key: bool,
        picture_id: Option<u16>,
        picture: Option<Picture>,
    },
}

impl Piece {
    /// Reads a payload without padding; none when it is no VP8.
    pub(super) fn read(timestamp: u32, marker: bool, payload: &[u8], stamp: Option<Stamp>) -> Option<Self> {
        if payload.is_empty() {
            return Some(Self::Padding);
        }
        let descriptor = Descriptor::parse(Codec::Vp8, payload).ok()?;
        Some(Self::Media {
            timestamp,
            marker,
            first: payload[0] & 0x10 != 0 && payload[0] & 0x07 == 0,
            key: descriptor.starts_key_frame,
            picture_id: descriptor.picture_id.map(|id| id.value),
            picture: stamp.map(|Stamp { layer, height, .. }| Picture { layer, height }),
        })
    }

    pub(super) fn starts_key_frame(&self) -> bool {
        matches!(self, Self::Media { key: true, .. })
    }
}

/// A frame of which every packet has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Numbers of its first and last packet.
    pub(super) first: u64,
    pub(super) last: u64,
    /// In ticks of 90 kHz.
    pub(super) timestamp: u32,
    pub(super) key: bool,
    pub(super) picture_id: Option<u16>,
    pub(super) picture: Option<Picture>,
    /// When the last of its packets came.
    pub(super) complete_at: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// Packets of frames that are not complete.
    pieces: BTreeMap<u64, Piece>,
    /// Complete frames by their first number.
    complete: BTreeMap<u64, Frame>,
    /// The number after the last decoded frame; none before the first.
    next: Option<u64>,
}

impl Frames {
    /// Takes packet `seq`, which came at `at`. Returns the frame that it completes. A packet that came before, or that
    /// is of a frame decoded or given up, changes nothing.
    pub(super) fn insert(&mut self, seq: u64, piece: Piece, at: u64) -> Option<Frame> {
        let in_frame = self.complete.range(..=seq).next_back().is_some_and(|(_, frame)| seq <= frame.last);
        if in_frame || self.next.is_some_and(|next| seq < next) || self.pieces.contains_key(&seq) {
            return None;
        }
        self.pieces.insert(seq, piece);
        let frame = self.completed(seq, at)?;
        self.pieces.retain(|seq, _| !(frame.first..=frame.last).contains(seq));
        self.complete.insert(frame.first, frame);
        Some(frame)
    }

    /// The frame that packet `seq` is the last missing one of.
    fn completed(&self, seq: u64, at: u64) -> Option<Frame> {
        let Piece::Media { timestamp, .. } = self.pieces[&seq] else { return None };
        let (mut first, mut last) = (seq, seq);
        let head = loop {
            match self.pieces.get(&first)? {
                piece @ Piece::Media { timestamp: same, first: true, .. } if *same == timestamp => break piece,
                Piece::Media { timestamp: same, first: false, .. } if *same == timestamp => {}
                Piece::Padding => {}
                Piece::Media { .. } => return None,
            }
            first = first.checked_sub(1)?;
        };
        loop {
            match self.pieces.get(&last)? {
                Piece::Media { timestamp: same, marker: true, .. } if *same == timestamp => break,
                Piece::Media { timestamp: same, marker: false, .. } if *same == timestamp => {}
                Piece::Padding => {}
                Piece::Media { .. } => return None,
            }
            last += 1;
        }
        let Piece::Media { key, picture_id, picture, .. } = *head else { return None };
        Some(Frame { first, last, timestamp, key, picture_id, picture, complete_at: at })
    }

    /// The frame to decode next: the one after the last decoded one, else the first complete key frame.
    pub(super) fn next(&self) -> Option<&Frame> {
        let Some(mut next) = self.next else { return self.complete.values().find(|frame| frame.key) };
        while let Some(Piece::Padding) = self.pieces.get(&next) {
            next += 1;
        }
        self.complete.get(&next).or_else(|| self.complete.values().find(|frame| frame.key))
    }

    /// `frame`, which [`Frames::next`] gave, is decoded: what stands before its end is given up.
    pub(super) fn decoded(&mut self, frame: &Frame) {
        let next = frame.last + 1;
        self.next = Some(next);
        self.pieces = self.pieces.split_off(&next);
        self.complete = self.complete.split_off(&next);
    }

    /// Whether something has come that was not decoded.
    pub(super) fn is_waiting(&self) -> bool {
        !self.complete.is_empty() || self.pieces.values().any(|piece| !matches!(piece, Piece::Padding))
    }

    /// Whether there are more packets than a viewer keeps; then all are forgotten, and only a key frame helps.
    pub(super) fn overflows(&mut self) -> bool {
        let full = self.pieces.len() + self.complete.len() > WATCHED_PACKETS_MAX;
        if full {
            (self.pieces, self.complete) = (BTreeMap::new(), BTreeMap::new());
        }
        full
    }
}
