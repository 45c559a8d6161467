//! H.264 payloads (RFC 6184) of packetization mode 1: single NAL units, STAP-A and FU-A.

use super::{Descriptor, PayloadError, byte};

/// Types of NAL units (ITU-T H.264 table 7-1, RFC 6184 table 1).
mod nal_unit {
    pub(super) const SPS: u8 = 7;
    pub(super) const SINGLE_LAST: u8 = 23;
    pub(super) const STAP_A: u8 = 24;
    pub(super) const FU_A: u8 = 28;
}

/// Reads the NAL unit headers of `payload`. A key frame starts with its sequence parameter set, which encoders repeat
/// before every IDR picture: without it, no decoder that comes late can begin.
///
/// # Errors
/// When a NAL unit is cut short, or is of a type that packetization mode 1 does not have.
pub(super) fn parse(payload: &[u8]) -> Result<Descriptor, PayloadError> {
    let starts_key_frame = match byte(payload, 0)? & 0x1f {
        nal_unit @ 1..=nal_unit::SINGLE_LAST if payload.len() > 1 => nal_unit == nal_unit::SPS,
        nal_unit::STAP_A => aggregates_sps(&payload[1..])?,
        nal_unit::FU_A if payload.len() > 2 => {
            let (starts, ends) = (payload[1] & 0x80 != 0, payload[1] & 0x40 != 0);
            if starts && ends {
                // RFC 6184 §5.8: a NAL unit in one fragment is not fragmented.
                return Err(PayloadError);
            }
            starts && payload[1] & 0x1f == nal_unit::SPS
        }
        _ => return Err(PayloadError),
    };
    Ok(Descriptor { starts_key_frame, ..Descriptor::default() })
}

/// Whether an aggregation packet (RFC 6184 §5.7.1), behind its first byte, has a sequence parameter set.
fn aggregates_sps(mut rest: &[u8]) -> Result<bool, PayloadError> {
    let mut found = false;
    loop {
        let (len, behind) = rest.split_first_chunk().ok_or(PayloadError)?;
        let (nal_unit, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*len))).ok_or(PayloadError)?;
        found |= byte(nal_unit, 0)? & 0x1f == nal_unit::SPS;
        if behind.is_empty() {
            return Ok(found);
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SPS and PPS in one packet, as browsers send them before the IDR picture.
    const PARAMETER_SETS: [u8; 12] = [0x78, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 3, 0x68, 0xce, 0x3c];

    fn starts(payload: &[u8]) -> bool {
        parse(payload).unwrap().starts_key_frame
    }

    #[test]
    fn a_key_frame_starts_with_the_sequence_parameter_set_in_whichever_form_it_comes() {
        assert!(starts(&PARAMETER_SETS));
        assert!(starts(&[0x67, 0x42, 0xe0, 0x1f]), "a single NAL unit");
        assert!(starts(&[0x7c, 0x87, 0x42]), "the first fragment");
        assert!(!starts(&[0x7c, 0x07, 0x42]), "a later fragment");
    }

    #[test]
    fn nothing_else_starts_a_key_frame() {
        let [pps, idr, slice] = [0x68, 0x65, 0x41].map(|header| [header, 1, 2]);
        assert!(![pps, idr, slice].iter().any(|payload| starts(payload)));
        assert!(!starts(&[0x7c, 0x85, 0x88]), "a fragmented IDR picture follows its parameter sets");
        assert!(!starts(&[0x78, 0, 2, 0x68, 0xce, 0, 2, 0x06, 5]), "PPS and SEI");
    }

    #[test]
    fn every_cut_is_an_error() {
        for len in (0..PARAMETER_SETS.len()).filter(|len| *len != 7) {
            assert_eq!(parse(&PARAMETER_SETS[..len]), Err(PayloadError), "cut at {len}");
        }
        assert_eq!(parse(&[0x67]), Err(PayloadError), "a header with nothing behind it");
        assert_eq!(parse(&[0x7c, 0x85]), Err(PayloadError), "a fragment with nothing in it");
    }

    #[test]
    fn what_packetization_mode_1_does_not_have_is_an_error() {
        for nal_unit in [0, 25, 26, 27, 29, 30, 31] {
            assert_eq!(parse(&[0x60 | nal_unit, 0x87, 1, 2, 3]), Err(PayloadError), "type {nal_unit}");
        }
        assert_eq!(parse(&[0x7c, 0xc7, 1]), Err(PayloadError), "first and last fragment at once");
        assert_eq!(parse(&[0x78, 0, 0]), Err(PayloadError), "an empty NAL unit");
    }
}
