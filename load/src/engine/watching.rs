//! A watcher on its socket: what comes is decrypted and given to the core, and what the core asks for is sent.

use std::collections::BTreeMap;

use dais_media::rtp::Header;
use dais_media::{Slot, rtcp, srtp};

use super::counts::Watched;
use super::rtcp::Reception;
use crate::watcher::{Request, Watcher};

/// See the module.
pub(super) struct Watching {
    number: usize,
    /// Once there are keys.
    core: Option<Watcher>,
    /// Highest index and packets missing at the receiver report before, by SSRC.
    reported: BTreeMap<u32, (u64, u64)>,
}

impl Watching {
    pub(super) fn new(number: usize) -> Self {
        Self { number, core: None, reported: BTreeMap::new() }
    }

    /// There are keys at `now`.
    pub(super) fn start(&mut self, now: u64) {
        self.core = Some(Watcher::new(self.number, now));
    }

    /// Takes an RTP packet that came at `at`.
    pub(super) fn receive(&mut self, packet: &mut [u8], keys: &srtp::Receiver, at: u64) {
        let Some(core) = &mut self.core else { return };
        let bytes = packet.len();
        let opened = Header::parse(packet).ok().and_then(|header| {
            let len = keys.unprotect_rtp_at(packet, &header, core.index(header.ssrc, header.seq)).ok()?;
            let packet = &packet[..len];
            Some((header, packet.get(header.len..)?.get(..header.payload_len(packet).ok()?)?))
        });
        match opened {
            Some((header, payload)) => core.handle_packet(at, &header, payload, bytes),
            None => core.note_damaged(),
        }
    }

    /// Moves the core on to `now`; `send` takes the RTCP packets that it wants sent.
    pub(super) fn tend(&mut self, now: u64, mut send: impl FnMut(Vec<u8>)) {
        let Some(core) = &mut self.core else { return };
        core.handle_timeout(now);
        core.requests(|request| {
            send(match request {
                Request::Nack { ssrc, lost } => rtcp::nack(ssrc, &lost),
                Request::KeyFrame { ssrc } => rtcp::picture_loss(ssrc),
            });
        });
    }

    /// What the next receiver report says: of media, not of RTX.
    pub(super) fn receptions(&mut self) -> impl Iterator<Item = Reception> {
        let media = self.core.iter().flat_map(Watcher::streams).filter(|(ssrc, _)| Slot::from_ssrc(*ssrc).is_some());
        media.map(|(ssrc, counter)| {
            let reported = self.reported.entry(ssrc.0).or_insert((counter.highest(), 0));
            Reception::of(ssrc.0, counter, reported)
        })
    }

    pub(super) fn report(&mut self) -> Option<Watched> {
        let core = self.core.as_mut()?;
        Some(Watched { steps: std::iter::from_fn(|| core.poll_step()).collect(), summary: core.summary() })
    }
}
