//! RTP headers (RFC 3550 §5.1) and one- and two-byte header extensions (RFC 8285), read and written in place.

use crate::ids::{ParticipantId, Ssrc};

/// A packet that is not RTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtpError {
    /// Shorter than its header, extensions or padding claim.
    #[error("RTP packet too short")]
    TooShort,
    /// Not version 2.
    #[error("RTP version is not 2")]
    Version,
}

const FIXED_HEADER: usize = 12;

/// An RTP header as received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Marker bit: for video the last packet of a frame, for audio the first of a talk spurt.
    pub marker: bool,
    /// Whether the payload ends with padding (RFC 3550 §5.1, P bit).
    pub padded: bool,
    /// 7 bits.
    pub payload_type: u8,
    /// Sequence number.
    pub seq: u16,
    /// In ticks of the payload's clock.
    pub timestamp: u32,
    /// Source.
    pub ssrc: Ssrc,
    /// Bytes before the payload: fixed header, CSRCs and extensions.
    pub len: usize,
    extensions: (usize, usize),
    profile: u16,
}

impl Header {
    /// Reads the header at the start of `packet`.
    ///
    /// # Errors
    /// When the packet is not version 2, or shorter than the header says.
    pub fn parse(packet: &[u8]) -> Result<Self, RtpError> {
        let fixed: &[u8; FIXED_HEADER] = packet.first_chunk().ok_or(RtpError::TooShort)?;
        if fixed[0] >> 6 != 2 {
            return Err(RtpError::Version);
        }
        let csrcs = usize::from(fixed[0] & 0x0f);
        let mut len = FIXED_HEADER + 4 * csrcs;
        let (mut profile, mut extensions) = (0, (len, len));
        if fixed[0] & 0x10 != 0 {
            let head: &[u8; 4] = packet.get(len..).and_then(<[u8]>::first_chunk).ok_or(RtpError::TooShort)?;
            profile = u16::from_be_bytes([head[0], head[1]]);
            let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
            extensions = (len + 4, len + 4 + 4 * words);
            len = extensions.1;
        }
        if packet.len() < len {
            return Err(RtpError::TooShort);
        }
        Ok(Self {
            marker: fixed[1] & 0x80 != 0,
            padded: fixed[0] & 0x20 != 0,
            payload_type: fixed[1] & 0x7f,
            seq: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: Ssrc(u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]])),
            len,
            extensions,
            profile,
        })
    }

    /// The header extensions of `packet`, which this header was read from, as id and data. Stops at the first that
    /// does not fit.
    pub fn extensions<'a>(&self, packet: &'a [u8]) -> Extensions<'a> {
        let (start, end) = self.extensions;
        let rest = packet.get(start..end).unwrap_or_default();
        match self.profile {
            ONE_BYTE_PROFILE => Extensions { rest, two_byte: false },
            // RFC 8285 §4.3: 0x100 and four application bits.
            profile if profile >> 4 == 0x100 => Extensions { rest, two_byte: true },
            _ => Extensions { rest: &[], two_byte: false },
        }
    }

    /// Length of the payload in decrypted `packet`, without padding.
    ///
    /// # Errors
    /// When the padding is longer than the payload.
    pub fn payload_len(&self, packet: &[u8]) -> Result<usize, RtpError> {
        let len = packet.len().checked_sub(self.len).ok_or(RtpError::TooShort)?;
        if !self.padded {
            return Ok(len);
        }
        let padding = usize::from(*packet.last().ok_or(RtpError::TooShort)?);
        if padding == 0 { Err(RtpError::TooShort) } else { len.checked_sub(padding).ok_or(RtpError::TooShort) }
    }
}

const ONE_BYTE_PROFILE: u16 = 0xbede;

/// Iterates over header extensions as id and data.
#[derive(Clone, Debug)]
pub struct Extensions<'a> {
    rest: &'a [u8],
    two_byte: bool,
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (&first, rest) = self.rest.split_first()?;
            if first == 0 {
                self.rest = rest;
                continue;
            }
            let (id, len, rest) = if self.two_byte {
                let (&len, rest) = rest.split_first()?;
                (first, usize::from(len), rest)
            } else {
                // RFC 8285 §4.2: id 15 ends the processing.
                if first >> 4 == 15 {
                    return None;
                }
                (first >> 4, usize::from(first & 0x0f) + 1, rest)
            };
            let (data, rest) = rest.split_at_checked(len)?;
            self.rest = rest;
            return Some((id, data));
        }
    }
}

/// Audio level of a packet (RFC 6464 §3): `voice` is the sender's own voice activity flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLevel {
    /// 0 (loudest) to 127 (silence), in −dBov.
    pub dbov: u8,
    /// The sender believes that this is speech.
    pub voice: bool,
}

impl AudioLevel {
    /// Reads the extension's data.
    #[must_use]
    pub fn parse(data: &[u8]) -> Option<Self> {
        let byte = *data.first()?;
        Some(Self { dbov: byte & 0x7f, voice: byte & 0x80 != 0 })
    }

    /// The extension's data.
    #[must_use]
    pub fn to_byte(self) -> u8 {
        self.dbov | if self.voice { 0x80 } else { 0 }
    }
}

/// Most bytes of an [`OutgoingHeader`].
pub const OUTGOING_HEADER_MAX: usize = 28;

/// An RTP header to send: always one CSRC, the participant it comes from.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingHeader {
    /// Marker bit.
    pub marker: bool,
    /// As negotiated by the receiver.
    pub payload_type: u8,
    /// Sequence number.
    pub seq: u16,
    /// In ticks of the payload's clock.
    pub timestamp: u32,
    /// The slot's.
    pub ssrc: Ssrc,
    /// Whose media it is.
    pub csrc: ParticipantId,
    /// Id of the transport-wide sequence number (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2) and the number,
    /// where the receiver negotiated it.
    pub transport_seq: Option<(u8, u16)>,
    /// Id of the RFC 6464 extension and the level, where the receiver negotiated it.
    pub level: Option<(u8, AudioLevel)>,
}

/// Fixed header, one CSRC, and the head of the extensions (RFC 8285 §4.2).
const EXTENSIONS_AT: usize = 20;

impl OutgoingHeader {
    /// Writes the header to the start of `out` and returns its length, at most [`OUTGOING_HEADER_MAX`].
    pub fn write(&self, out: &mut [u8]) -> usize {
        let mut at = EXTENSIONS_AT;
        if let Some((id, seq)) = self.transport_seq {
            out[at] = id << 4 | 1;
            Self::renumber_transport(out, seq);
            at += 3;
        }
        if let Some((id, level)) = self.level {
            out[at..at + 2].copy_from_slice(&[id << 4, level.to_byte()]);
            at += 2;
        }
        let extended = at > EXTENSIONS_AT;
        out[0] = 0x80 | if extended { 0x10 } else { 0 } | 1;
        out[1] = self.payload_type | if self.marker { 0x80 } else { 0 };
        Self::renumber(out, self.seq, self.timestamp);
        out[8..12].copy_from_slice(&self.ssrc.0.to_be_bytes());
        out[12..16].copy_from_slice(&self.csrc.0.to_be_bytes());
        if !extended {
            return EXTENSIONS_AT - 4;
        }
        let end = at.next_multiple_of(4);
        out[at..end].fill(0);
        out[16..18].copy_from_slice(&ONE_BYTE_PROFILE.to_be_bytes());
        out[18..20].copy_from_slice(&(((end - EXTENSIONS_AT) / 4) as u16).to_be_bytes());
        end
    }

    /// Gives a written header that has one another transport-wide sequence number.
    pub fn renumber_transport(header: &mut [u8], seq: u16) {
        header[EXTENSIONS_AT + 1..EXTENSIONS_AT + 3].copy_from_slice(&seq.to_be_bytes());
    }

    /// Gives a written header other numbers.
    pub fn renumber(header: &mut [u8], seq: u16, timestamp: u32) {
        header[2..4].copy_from_slice(&seq.to_be_bytes());
        header[4..8].copy_from_slice(&timestamp.to_be_bytes());
    }
}

/// Extends 16-bit sequence numbers to 64 bits over wrap-arounds. The first number maps to itself plus 2^16, so that
/// packets reordered before it do not go below zero.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeqExtender {
    highest: Option<u64>,
}

impl SeqExtender {
    /// The extended form of `seq`: the value congruent to it that lies closest to the highest seen.
    #[must_use]
    pub fn extend(&self, seq: u16) -> u64 {
        let Some(highest) = self.highest else { return u64::from(seq) + 0x1_0000 };
        let delta = seq.wrapping_sub(highest as u16) as i16;
        highest.saturating_add_signed(i64::from(delta))
    }

    /// Extends `seq` and remembers it if it is the highest.
    pub fn record(&mut self, seq: u16) -> u64 {
        let extended = self.extend(seq);
        self.highest = Some(self.highest.map_or(extended, |highest| highest.max(extended)));
        extended
    }

    /// The highest extended number seen.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_header_reads_back() {
        let level = AudioLevel { dbov: 37, voice: true };
        let out = OutgoingHeader {
            marker: true,
            payload_type: 111,
            seq: 65_535,
            timestamp: 7,
            ssrc: Ssrc(9),
            csrc: ParticipantId(3),
            transport_seq: None,
            level: Some((1, level)),
        };
        let mut packet = [0u8; 64];
        let len = out.write(&mut packet);
        let header = Header::parse(&packet[..len + 10]).unwrap();
        assert_eq!((header.marker, header.payload_type, header.seq, header.timestamp), (true, 111, 65_535, 7));
        assert_eq!((header.ssrc, header.len), (Ssrc(9), len));
        let (id, data) = header.extensions(&packet).next().unwrap();
        assert_eq!((id, AudioLevel::parse(data)), (1, Some(level)));
    }

    #[test]
    fn a_transport_wide_number_reads_back() {
        let (ssrc, csrc, level) = (Ssrc(9), ParticipantId(3), AudioLevel { dbov: 37, voice: true });
        let written = |level: Option<(u8, AudioLevel)>| {
            let transport_seq = Some((3, 0));
            let (marker, payload_type, seq, timestamp) = (false, 96, 1, 7);
            let out = OutgoingHeader { marker, payload_type, seq, timestamp, ssrc, csrc, transport_seq, level };
            let mut packet = [0xff; 64];
            let len = out.write(&mut packet);
            OutgoingHeader::renumber_transport(&mut packet, 0xabcd);
            let header = Header::parse(&packet[..len]).unwrap();
            assert_eq!(header.len, len);
            (len, header.extensions(&packet).map(|(id, data)| (id, data.to_vec())).collect::<Vec<_>>())
        };
        let number = (3, vec![0xab, 0xcd]);
        assert_eq!(written(None), (24, vec![number.clone()]));
        assert_eq!(written(Some((1, level))), (OUTGOING_HEADER_MAX, vec![number, (1, vec![level.to_byte()])]));
    }

    #[test]
    fn two_byte_extensions_are_read() {
        let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0x10, 0x00, 0, 2];
        packet.extend([4, 1, b'q', 0, 20, 2, 8, 9]);
        let header = Header::parse(&packet).unwrap();
        let all: Vec<_> = header.extensions(&packet).collect();
        assert_eq!(all, [(4, &b"q"[..]), (20, &[8, 9][..])]);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        assert_eq!(Header::parse(&[0x80; 11]), Err(RtpError::TooShort));
        assert_eq!(Header::parse(&[0x40; 12]), Err(RtpError::Version));
        assert_eq!(Header::parse(&[0x8f; 20]), Err(RtpError::TooShort));
        let mut extension_too_long = [0u8; 16];
        extension_too_long[0] = 0x90;
        extension_too_long[15] = 1;
        assert_eq!(Header::parse(&extension_too_long), Err(RtpError::TooShort));
        let mut padding_too_long = [0xa0, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3];
        let header = Header::parse(&padding_too_long).unwrap();
        assert_eq!(header.payload_len(&padding_too_long), Err(RtpError::TooShort));
        padding_too_long[13] = 2;
        assert_eq!(header.payload_len(&padding_too_long), Ok(0));
    }

    #[test]
    fn sequence_numbers_extend_over_the_wrap_in_both_directions() {
        let mut extender = SeqExtender::default();
        let first = extender.record(65_534);
        assert_eq!(extender.record(1), first + 3);
        assert_eq!(extender.record(65_535), first + 1);
        assert_eq!(extender.highest(), Some(first + 3));
        assert_eq!(extender.extend(65_000), first - 534);
    }
}
