//! RTCP: what peers say, and what we say (RFC 3550 §6, RFC 4585 §6). Parsing and writing are the `rtc` crate's.

use std::ops::Range;

use rtc::rtcp::Packet;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};
use rtc::shared::marshal::Unmarshal;

use crate::ids::{REPORTER_SSRC, Ssrc};

/// RTCP that does not parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("RTCP packet malformed")]
pub struct RtcpError;

/// One thing a peer said that the server acts upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A publisher relates its RTP clock to its wall clock.
    SenderReport {
        /// The stream.
        ssrc: Ssrc,
        /// NTP timestamp, 32.32 bits.
        ntp: u64,
        /// The same moment in RTP ticks.
        rtp: u32,
    },
    /// A viewer lost packets.
    Nack {
        /// The slot's media SSRC.
        ssrc: Ssrc,
        /// Sequence numbers.
        lost: Vec<u16>,
    },
    /// A viewer tells how packets arrived (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
    TransportFeedback {
        /// Where the feedback control information stands in the compound packet.
        fci: Range<usize>,
    },
    /// A viewer answers a sender report (RFC 3550 §6.4.1).
    Echo {
        /// The slot's media SSRC.
        ssrc: Ssrc,
        /// Middle 32 bits of the report's NTP timestamp.
        last_sender_report: u32,
        /// Time since it came, 1/65,536 s.
        delay: u32,
    },
    /// Something of no use to the server.
    Ignored,
    /// A viewer cannot decode without a key frame (PLI or FIR).
    KeyFrameRequest {
        /// The slot's media SSRC.
        ssrc: Ssrc,
    },
}

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
const NACK: u8 = 1;
const TRANSPORT_WIDE: u8 = 15;
/// Header, and the SSRCs of sender and media (RFC 4585 §6.1).
const FEEDBACK_HEADER_BYTES: usize = 12;
const PLI: u8 = 1;
const FIR: u8 = 4;

/// Whether `datagram` is RTCP rather than RTP (RFC 5761 §4: packet types 192 to 223).
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|packet_type| (192..=223).contains(packet_type))
}

/// Reads a decrypted compound packet and gives `each` what the server acts upon. Everything else, such as the empty
/// receiver reports Chromium sends for every idle slot each second, is [`Message::Ignored`] without a look inside.
///
/// # Errors
/// When a packet is cut short or malformed; what stood before it has been given to `each`.
pub fn read(whole: &[u8], mut each: impl FnMut(Message)) -> Result<(), RtcpError> {
    let mut compound = whole;
    while !compound.is_empty() {
        let start = whole.len() - compound.len();
        let header: &[u8; 4] = compound.first_chunk().ok_or(RtcpError)?;
        let len = 4 * (usize::from(u16::from_be_bytes([header[2], header[3]])) + 1);
        if header[0] >> 6 != 2 {
            return Err(RtcpError);
        }
        let (format, packet_type) = (header[0] & 0x1f, header[1]);
        let (mut packet, rest) = compound.split_at_checked(len).ok_or(RtcpError)?;
        match (packet_type, format) {
            (SENDER_REPORT, _) => {
                let report = SenderReport::unmarshal(&mut packet).map_err(|_| RtcpError)?;
                each(Message::SenderReport { ssrc: Ssrc(report.ssrc), ntp: report.ntp_time, rtp: report.rtp_time });
            }
            (RECEIVER_REPORT, 1..) => {
                let report = ReceiverReport::unmarshal(&mut packet).map_err(|_| RtcpError)?;
                for block in report.reports.iter().filter(|block| block.last_sender_report != 0) {
                    let (last_sender_report, delay) = (block.last_sender_report, block.delay);
                    each(Message::Echo { ssrc: Ssrc(block.ssrc), last_sender_report, delay });
                }
            }
            (TRANSPORT_FEEDBACK, NACK) => {
                let nack = TransportLayerNack::unmarshal(&mut packet).map_err(|_| RtcpError)?;
                let lost = nack.nacks.iter().flat_map(rtc_nack_seqs).collect();
                each(Message::Nack { ssrc: Ssrc(nack.media_ssrc), lost });
            }
            (TRANSPORT_FEEDBACK, TRANSPORT_WIDE) => {
                let fci = start + FEEDBACK_HEADER_BYTES..start + len;
                (!fci.is_empty()).then(|| each(Message::TransportFeedback { fci })).ok_or(RtcpError)?;
            }
            (PAYLOAD_FEEDBACK, PLI) => {
                let pli = PictureLossIndication::unmarshal(&mut packet).map_err(|_| RtcpError)?;
                each(Message::KeyFrameRequest { ssrc: Ssrc(pli.media_ssrc) });
            }
            (PAYLOAD_FEEDBACK, FIR) => {
                let fir = FullIntraRequest::unmarshal(&mut packet).map_err(|_| RtcpError)?;
                fir.fir.iter().for_each(|entry| each(Message::KeyFrameRequest { ssrc: Ssrc(entry.ssrc) }));
            }
            _ => each(Message::Ignored),
        }
        compound = rest;
    }
    Ok(())
}

/// RFC 4585 §6.2.1: the packet id, and 16 bits for those that follow it.
fn rtc_nack_seqs(
    pair: &rtc::rtcp::transport_feedbacks::transport_layer_nack::NackPair,
) -> impl Iterator<Item = u16> + use<> {
    let (first, followers) = (pair.packet_id, pair.lost_packets);
    let following = (0..16).filter(move |n| followers >> n & 1 == 1).map(move |n| first.wrapping_add(n + 1));
    std::iter::once(first).chain(following)
}

/// What a receiver report says of one stream (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReceptionBlock {
    pub(crate) ssrc: u32,
    pub(crate) fraction_lost: u8,
    pub(crate) lost: u32,
    pub(crate) highest_seq: u32,
    pub(crate) jitter: u32,
    pub(crate) last_sender_report: u32,
    pub(crate) delay_since: u32,
}

/// What a sender report says of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotReport {
    pub(crate) ssrc: Ssrc,
    pub(crate) ntp: u64,
    pub(crate) rtp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

pub(crate) fn receiver_report(blocks: &[ReceptionBlock]) -> Vec<u8> {
    let reports = blocks.iter().map(|block| ReceptionReport {
        ssrc: block.ssrc,
        fraction_lost: block.fraction_lost,
        total_lost: block.lost & 0x00ff_ffff,
        last_sequence_number: block.highest_seq,
        jitter: block.jitter,
        last_sender_report: block.last_sender_report,
        delay: block.delay_since,
    });
    marshal(Box::new(ReceiverReport { ssrc: REPORTER_SSRC.0, reports: reports.collect(), ..Default::default() }))
}

pub(crate) fn sender_report(report: &SlotReport) -> Vec<u8> {
    marshal(Box::new(SenderReport {
        ssrc: report.ssrc.0,
        ntp_time: report.ntp,
        rtp_time: report.rtp,
        packet_count: report.packets,
        octet_count: report.octets,
        ..Default::default()
    }))
}

/// Asks for the packets `lost`, which ascend.
#[must_use]
pub fn nack(ssrc: Ssrc, lost: &[u16]) -> Vec<u8> {
    let pairs = nack_pairs_from_sequence_numbers(lost);
    let packets = pairs.chunks(NACK_PAIRS_MAX).map(|nacks| TransportLayerNack {
        sender_ssrc: REPORTER_SSRC.0,
        media_ssrc: ssrc.0,
        nacks: nacks.to_vec(),
    });
    packets.flat_map(|packet| marshal(Box::new(packet))).collect()
}

/// Asks for a key frame.
#[must_use]
pub fn picture_loss(ssrc: Ssrc) -> Vec<u8> {
    marshal(Box::new(PictureLossIndication { sender_ssrc: REPORTER_SSRC.0, media_ssrc: ssrc.0 }))
}

fn marshal(packet: Box<dyn Packet>) -> Vec<u8> {
    rtc::rtcp::packet::marshal(&[packet]).expect("a packet of ours is well formed").to_vec()
}

/// Pairs in one NACK: the `rtc` crate writes at most 253.
const NACK_PAIRS_MAX: usize = 200;
/// Most reports in one receiver report: the count has 5 bits.
pub(crate) const REPORT_BLOCKS_MAX: usize = 31;
const _: () = assert!(RECEIVER_REPORT == SENDER_REPORT + 1, "RFC 3550 §12.1");

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(compound: &[u8]) -> Vec<Message> {
        let mut all = Vec::new();
        read(compound, |message| all.push(message)).unwrap();
        all.retain(|message| *message != Message::Ignored);
        all
    }

    #[test]
    fn a_compound_packet_is_read_to_its_end() {
        let report = SlotReport { ssrc: Ssrc(5), ntp: 77 << 32, rtp: 99, packets: 1, octets: 2 };
        let mut compound = receiver_report(&[]);
        compound.extend(sender_report(&report));
        compound.extend(nack(Ssrc(6), &[65_534, 65_535, 3, 40]));
        compound.extend(picture_loss(Ssrc(7)));
        let expected = [
            Message::SenderReport { ssrc: Ssrc(5), ntp: 77 << 32, rtp: 99 },
            Message::Nack { ssrc: Ssrc(6), lost: vec![65_534, 65_535, 3, 40] },
            Message::KeyFrameRequest { ssrc: Ssrc(7) },
        ];
        assert_eq!(messages(&compound), expected);
    }

    #[test]
    fn feedback_is_found_and_the_echo_of_a_report_is_read() {
        let block = ReceptionBlock { ssrc: 9, last_sender_report: 77, delay_since: 5, ..ReceptionBlock::default() };
        let mut compound = receiver_report(&[block, ReceptionBlock { ssrc: 10, ..ReceptionBlock::default() }]);
        let fci = compound.len() + 12..compound.len() + 16;
        compound.extend([0x8f, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0xaa, 0xbb, 0xcc, 0xdd]);
        let echo = Message::Echo { ssrc: Ssrc(9), last_sender_report: 77, delay: 5 };
        assert_eq!(messages(&compound), [echo, Message::TransportFeedback { fci }]);
        assert!(read(&[0x8f, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2], |_| ()).is_err(), "it says nothing");
    }

    #[test]
    fn losses_far_apart_are_asked_for_however_many_they_are() {
        let lost: Vec<u16> = (0..crate::limits::NACK_PACKETS as u16).map(|n| n * 17).collect();
        let compound = nack(Ssrc(6), &lost);
        assert!(compound.len() + 20 < crate::limits::EGRESS_BYTES_MAX);
        let asked = messages(&compound).into_iter().flat_map(|message| match message {
            Message::Nack { lost, .. } => lost,
            other => panic!("{other:?}"),
        });
        assert!(asked.eq(lost));
    }

    #[test]
    fn every_cut_is_an_error_or_less_and_never_a_panic() {
        let mut compound = nack(Ssrc(6), &[1, 2, 90]);
        compound.extend(picture_loss(Ssrc(7)));
        for len in 1..compound.len() {
            let whole = len % 4 == 0 && read(&compound[..len], |_| ()).is_ok();
            assert_eq!(whole, len == nack(Ssrc(6), &[1, 2, 90]).len(), "cut at {len}");
        }
    }
}
