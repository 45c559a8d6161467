//! What a publisher sends and when: a camera and a microphone, paced as browsers pace them. No I/O: it is asked when
//! something is due, and writes RTP packets that are not encrypted yet.

use dais_media::Ssrc;

use crate::camera::Camera;
use crate::microphone::Microphone;
use crate::random::Random;

/// Header extension ids and payload types of the harness's offers.
pub(crate) mod ids {
    pub(crate) const OPUS: u8 = 111;
    pub(crate) const RED: u8 = 63;
    pub(crate) const VP8: u8 = 96;
    pub(crate) const RTX: u8 = 97;
    pub(crate) const AUDIO_LEVEL: u8 = 1;
    pub(crate) const TRANSPORT_CC: u8 = 3;
    pub(crate) const MID: u8 = 4;
    pub(crate) const RID: u8 = 10;
    /// The section of the camera; the microphone's, 0, is known by its SSRC.
    pub(crate) const CAMERA_MID: &str = "1";
}

/// An RTP packet that is to be encrypted and sent.
pub(crate) struct Outgoing<'a> {
    /// The packet, with room for the tag behind it.
    pub(crate) buf: &'a mut [u8],
    pub(crate) header_len: usize,
    pub(crate) len: usize,
    pub(crate) ssrc: Ssrc,
    /// Extended sequence number.
    pub(crate) index: u64,
}

/// Numbers of a stream for its sender report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamReport {
    pub(crate) ssrc: u32,
    pub(crate) rtp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

/// The header of an RTP packet with one-byte extensions (RFC 8285).
pub(crate) struct HeaderWriter<'a> {
    buf: &'a mut [u8],
    len: usize,
}

/// Fixed header, and the head of the extensions.
const EXTENSIONS_AT: usize = 16;

impl<'a> HeaderWriter<'a> {
    pub(crate) fn new(buf: &'a mut [u8], payload_type: u8, marker: bool, seq: u16, timestamp: u32, ssrc: u32) -> Self {
        buf[0] = 0x80;
        buf[1] = payload_type | if marker { 0x80 } else { 0 };
        buf[2..4].copy_from_slice(&seq.to_be_bytes());
        buf[4..8].copy_from_slice(&timestamp.to_be_bytes());
        buf[8..12].copy_from_slice(&ssrc.to_be_bytes());
        Self { buf, len: EXTENSIONS_AT }
    }

    pub(crate) fn extension(&mut self, id: u8, data: &[u8]) {
        self.buf[self.len] = id << 4 | (data.len() - 1) as u8;
        self.buf[self.len + 1..][..data.len()].copy_from_slice(data);
        self.len += 1 + data.len();
    }

    /// Length of the header.
    pub(crate) fn finish(self) -> usize {
        if self.len == EXTENSIONS_AT {
            return EXTENSIONS_AT - 4;
        }
        let end = self.len.next_multiple_of(4);
        self.buf[self.len..end].fill(0);
        self.buf[0] |= 0x10;
        let words = ((end - EXTENSIONS_AT) / 4) as u16;
        self.buf[12..14].copy_from_slice(&[0xbe, 0xde]);
        self.buf[14..16].copy_from_slice(&words.to_be_bytes());
        end
    }
}

/// What somebody on stage sends.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    camera: Option<Camera>,
    microphone: Option<Microphone>,
    /// Transport-wide sequence number, if it was negotiated.
    transport_cc: Option<u16>,
    /// On stage: else nothing is sent.
    sending: bool,
    sent: u64,
}

impl Publisher {
    pub(crate) fn new(camera: Option<Camera>, microphone: Option<Microphone>) -> Self {
        Self { camera, microphone, transport_cc: None, sending: true, sent: 0 }
    }

    /// Begins at `now`: somewhere in the first frame, so that cameras do not send in step.
    pub(crate) fn start(&mut self, now: u64, publisher: u32, transport_cc: bool, random: &mut Random) {
        self.transport_cc = transport_cc.then_some(1);
        if let Some(camera) = &mut self.camera {
            camera.start(now, publisher, random);
        }
        if let Some(microphone) = &mut self.microphone {
            microphone.start(now, publisher);
        }
    }

    /// Stops or goes on, with a key frame first.
    pub(crate) fn set_sending(&mut self, sending: bool, now: u64) {
        self.sending = sending;
        if let Some(camera) = &mut self.camera {
            camera.resume(now);
        }
        if let Some(microphone) = &mut self.microphone {
            microphone.resume(now);
        }
    }

    /// Speech begins or ends.
    pub(crate) fn set_talking(&mut self, talking: bool, now: u64) {
        if let Some(microphone) = &mut self.microphone {
            microphone.set_talking(talking, now);
        }
    }

    /// The server asks for a key frame of `ssrc`.
    pub(crate) fn want_key_frame(&mut self, ssrc: Ssrc) {
        if let Some(camera) = &mut self.camera {
            camera.want_key_frame(ssrc.0);
        }
    }

    /// When [`Publisher::poll`] has something to send.
    pub(crate) fn due(&self) -> Option<u64> {
        if !self.sending {
            return None;
        }
        let camera = self.camera.as_ref().map(Camera::due);
        let microphone = self.microphone.as_ref().map(Microphone::due);
        camera.into_iter().chain(microphone).min()
    }

    /// Writes what is due at `now` into `buf`, packet by packet, each just before it is sent. `clock` tells the time.
    pub(crate) fn poll(&mut self, now: u64, buf: &mut [u8], clock: fn() -> u64, mut send: impl FnMut(Outgoing<'_>)) {
        if !self.sending {
            return;
        }
        let (transport_cc, sent) = (&mut self.transport_cc, &mut self.sent);
        let mut send = |outgoing: Outgoing<'_>| {
            *sent += 1;
            send(outgoing);
        };
        let mut number = || {
            let number = *transport_cc;
            *transport_cc = number.map(|number| number.wrapping_add(1));
            number
        };
        if let Some(microphone) = &mut self.microphone {
            microphone.poll(now, buf, clock, &mut number, &mut send);
        }
        if let Some(camera) = &mut self.camera {
            camera.poll(now, buf, clock, &mut number, &mut send);
        }
    }

    /// RTP packets sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// What its sender reports say at `now`.
    pub(crate) fn reports(&self, now: u64, mut each: impl FnMut(StreamReport)) {
        if self.sending {
            self.camera.iter().for_each(|camera| camera.reports(now, &mut each));
            self.microphone.iter().for_each(|microphone| each(microphone.report(now)));
        }
    }
}

/// RTP ticks of `ns` at `rate` Hz.
pub(crate) fn ticks(ns: u64, rate: u64) -> u32 {
    (u128::from(ns) * u128::from(rate) / 1_000_000_000) as u32
}

#[cfg(test)]
mod tests {
    use dais_media::rtp::Header;

    use super::*;

    #[test]
    fn a_header_with_extensions_reads_back() {
        let mut buf = [0xff; 100];
        let mut writer = HeaderWriter::new(&mut buf, 96, true, 77, 88, 99);
        writer.extension(ids::TRANSPORT_CC, &[1, 2]);
        writer.extension(ids::RID, b"q");
        let len = writer.finish();
        let header = Header::parse(&buf).unwrap();
        assert_eq!((header.len, header.payload_type, header.marker), (len, 96, true));
        assert_eq!((header.seq, header.timestamp, header.ssrc), (77, 88, Ssrc(99)));
        let extensions: Vec<_> = header.extensions(&buf).collect();
        assert_eq!(extensions, [(ids::TRANSPORT_CC, &[1, 2][..]), (ids::RID, &b"q"[..])]);
    }

    #[test]
    fn a_header_without_extensions_is_twelve_bytes() {
        let mut buf = [0; 100];
        assert_eq!(HeaderWriter::new(&mut buf, 111, false, 1, 2, 3).finish(), 12);
        assert_eq!(Header::parse(&buf).unwrap().len, 12);
    }
}
