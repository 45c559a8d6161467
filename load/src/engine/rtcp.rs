//! Sender and receiver reports as browsers send them (RFC 3550 §6.4), into a buffer that is used again.

use crate::publish::StreamReport;
use crate::sequence::SequenceCounter;

/// What a receiver report says of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reception {
    pub(super) ssrc: u32,
    /// Of the packets since the report before, in 1/256.
    pub(super) fraction_lost: u8,
    pub(super) lost: u32,
    pub(super) highest: u32,
}

impl Reception {
    /// Of the stream `ssrc`, which had highest index and missing packets `reported` at the report before.
    pub(super) fn of(ssrc: u32, counter: &SequenceCounter, reported: &mut (u64, u64)) -> Self {
        let (highest, missing) = (counter.highest(), counter.missing());
        let expected = highest.saturating_sub(reported.0);
        let lost = missing.saturating_sub(reported.1);
        *reported = (highest, missing);
        let fraction_lost = (lost * 256).checked_div(expected).unwrap_or(0).min(255) as u8;
        Self { ssrc, fraction_lost, lost: missing as u32, highest: highest as u32 }
    }
}

/// Most reports in one packet: the count has 5 bits.
pub(super) const RECEPTIONS_MAX: usize = 31;

/// Seconds from the NTP epoch, 1900, to the Unix epoch.
const NTP_UNIX_S: u64 = 2_208_988_800;

/// A receiver report of `ssrc` about at most [`RECEPTIONS_MAX`] streams.
pub(super) fn receiver_report(out: &mut Vec<u8>, ssrc: u32, receptions: impl Iterator<Item = Reception>) {
    out.clear();
    out.extend([0x80, 201, 0, 0]);
    out.extend(ssrc.to_be_bytes());
    for reception in receptions.take(RECEPTIONS_MAX) {
        out[0] += 1;
        out.extend(reception.ssrc.to_be_bytes());
        out.extend((u32::from(reception.fraction_lost) << 24 | reception.lost & 0x00ff_ffff).to_be_bytes());
        out.extend(reception.highest.to_be_bytes());
        // Jitter, last sender report and delay since: not measured, which 0 says of the last two.
        out.extend([0; 12]);
    }
    set_length(out);
}

/// A sender report of a stream at `realtime_ns`.
pub(super) fn sender_report(out: &mut Vec<u8>, stream: StreamReport, realtime_ns: u64) {
    out.clear();
    out.extend([0x80, 200, 0, 0]);
    let (seconds, rest) = (realtime_ns / 1_000_000_000, realtime_ns % 1_000_000_000);
    let fraction = (rest << 32) / 1_000_000_000;
    for word in [stream.ssrc, (seconds + NTP_UNIX_S) as u32, fraction as u32, stream.rtp, stream.packets, stream.octets]
    {
        out.extend(word.to_be_bytes());
    }
    set_length(out);
}

fn set_length(packet: &mut [u8]) {
    let words = (packet.len() / 4 - 1) as u16;
    packet[2..4].copy_from_slice(&words.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use dais_media::Ssrc;
    use dais_media::rtcp::{Message, read};

    use super::*;

    #[test]
    fn the_server_reads_the_reports() {
        let mut out = Vec::new();
        sender_report(&mut out, StreamReport { ssrc: 5, rtp: 99, packets: 1, octets: 2 }, 1_500_000_000);
        let mut messages = Vec::new();
        read(&out, |message| messages.push(message)).unwrap();
        let ntp = (1 + NTP_UNIX_S) << 32 | 1 << 31;
        assert_eq!(messages, [Message::SenderReport { ssrc: Ssrc(5), ntp, rtp: 99 }]);

        let reception = Reception { ssrc: 9, fraction_lost: 1, lost: 2, highest: 3 };
        receiver_report(&mut out, 7, std::iter::repeat_n(reception, 40));
        assert_eq!((out[0], out.len()), (0x80 + 31, 8 + 31 * 24));
        read(&out, |message| assert_eq!(message, Message::Ignored, "a receiver report asks for nothing")).unwrap();
    }
}
