//! Transport-wide feedback of somebody who receives: which numbers came when, every 100 ms.

use std::time::{Duration, Instant};

use dais_media::rtp::Header;
use dais_media::{FeedbackRecorder, Ssrc};

use crate::publish::ids;
use crate::system::monotonic_ns;

/// See the module. Packets without a number are passed over.
pub(super) struct Feedback {
    recorder: FeedbackRecorder,
    /// The same moment on both clocks: [`Instant`], and CLOCK_MONOTONIC in ns.
    epoch: (Instant, u64),
    /// The last packet's; which one is named does not matter.
    media: Ssrc,
}

impl Feedback {
    /// Reference times count from `epoch`.
    pub(super) fn new(epoch: Instant) -> Self {
        let since = u64::try_from(epoch.elapsed().as_nanos()).unwrap_or(0);
        let epoch_ns = monotonic_ns().saturating_sub(since);
        Self { recorder: FeedbackRecorder::new(epoch), epoch: (epoch, epoch_ns), media: Ssrc(0) }
    }

    /// Notes that RTP packet `packet`, encrypted or not, came at `at`, ns: header extensions are never encrypted
    /// (RFC 3711 §3.1).
    pub(super) fn note(&mut self, packet: &[u8], at: u64) {
        let Ok(header) = Header::parse(packet) else { return };
        let number = header.extensions(packet).find(|(id, _)| *id == ids::TRANSPORT_CC);
        if let Some((_, &[high, low])) = number {
            self.media = header.ssrc;
            let (epoch, epoch_ns) = self.epoch;
            let at = epoch + Duration::from_nanos(at.saturating_sub(epoch_ns));
            self.recorder.record(u16::from_be_bytes([high, low]), at);
        }
    }

    /// The RTCP packet that says what came since the one before, if anything did.
    pub(super) fn report(&mut self) -> Option<Vec<u8>> {
        self.recorder.feedback(self.media)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::HeaderWriter;

    #[test]
    fn packets_with_a_number_are_reported_once_and_others_never() {
        let mut feedback = Feedback::new(Instant::now());
        let mut buf = [0; 100];
        let mut note = |feedback: &mut Feedback, number: Option<u16>| {
            let mut header = HeaderWriter::new(&mut buf, ids::VP8, false, 1, 2, 77);
            number.iter().for_each(|number| header.extension(ids::TRANSPORT_CC, &number.to_be_bytes()));
            let len = header.finish();
            feedback.note(&buf[..len + 20], monotonic_ns());
        };
        note(&mut feedback, None);
        assert_eq!(feedback.report(), None);
        note(&mut feedback, Some(500));
        note(&mut feedback, Some(503));
        let report = feedback.report().unwrap();
        // Format 15 of RTPFB (205), about SSRC 77, four numbers from 500 on.
        assert_eq!((report[0] & 0x1f, report[1], &report[8..12]), (15, 205, &77u32.to_be_bytes()[..]));
        assert_eq!(&report[12..16], [500u16.to_be_bytes(), 4u16.to_be_bytes()].concat());
        assert_eq!(feedback.report(), None);
    }
}
