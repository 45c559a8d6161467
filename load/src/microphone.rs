//! A microphone: Opus packets with RFC 6464 levels, every 20 ms while somebody talks and seldom else (DTX).

use dais_media::Ssrc;
use dais_media::rtp::AudioLevel;

use crate::publish::{HeaderWriter, Outgoing, StreamReport, ids, ticks};
use crate::random::Random;
use crate::stamp::{STAMP_BYTES, Stamp};

/// What an Opus packet lasts.
const PACKET_NS: u64 = 20_000_000;
/// Time between packets in silence (RFC 7587 §3.1.3: Opus with DTX sends one every 400 ms).
const DTX_NS: u64 = 400_000_000;
/// Mean length of a talk spurt, s.
const SPURT_S: f64 = 2.0;
/// A harness this far behind leaves packets out.
const BEHIND_NS: u64 = 1_000_000_000;
const CLOCK_RATE: u64 = 48_000;

/// Levels of speech, −dBov: syllables of 200 ms with short pauses between, as a talker's have. A level that never falls
/// would be taken for noise.
const LOUD: (f64, f64) = (15.0, 30.0);
const PAUSE: u8 = 70;
const SYLLABLE_PACKETS: u64 = 13;
const LOUD_PACKETS: u64 = 10;
const SILENCE: u8 = 127;

/// Whether there is speech.
#[derive(Clone, Debug)]
pub(crate) enum Talk {
    /// All the time, or not at all.
    Now(bool),
    /// This share of the time, in spurts.
    Share {
        /// 0 to 1.
        share: f64,
    },
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Microphone {
    ssrc: u32,
    payload_bytes: usize,
    talk: Talk,
    talking: bool,
    /// With [`Talk::Share`]: when talking begins or ends.
    turn: u64,
    next: u64,
    began: u64,
    publisher: u32,
    seq: u64,
    octets: u32,
    first_of_spurt: bool,
    random: Random,
}

impl Microphone {
    pub(crate) fn new(payload_bytes: usize, talk: Talk, ssrc: u32, random: Random) -> Self {
        Self {
            ssrc,
            payload_bytes: payload_bytes.max(STAMP_BYTES),
            talking: matches!(talk, Talk::Now(true)),
            talk,
            turn: 0,
            next: 0,
            began: 0,
            publisher: 0,
            seq: 100,
            octets: 0,
            first_of_spurt: true,
            random,
        }
    }

    pub(crate) fn start(&mut self, now: u64, publisher: u32) {
        (self.began, self.publisher, self.turn) = (now, publisher, now);
        if let Talk::Share { share } = self.talk {
            // Half of them begin in the middle of what they are not doing next.
            self.talking = self.random.unit() >= share;
        }
        self.next = now + (self.random.unit() * PACKET_NS as f64) as u64;
    }

    pub(crate) fn resume(&mut self, now: u64) {
        self.next = now;
        self.first_of_spurt = true;
    }

    /// Speech begins or ends at `now`.
    pub(crate) fn set_talking(&mut self, talking: bool, now: u64) {
        (self.talk, self.talking, self.first_of_spurt) = (Talk::Now(talking), talking, talking);
        if talking {
            // Speech does not wait for the next packet of silence.
            self.next = self.next.min(now);
        }
    }

    pub(crate) fn due(&self) -> u64 {
        match self.talk {
            Talk::Now(_) => self.next,
            Talk::Share { .. } => self.next.min(self.turn),
        }
    }

    fn take_turns(&mut self, now: u64) {
        let Talk::Share { share } = self.talk else { return };
        if self.turn > now {
            return;
        }
        self.talking = !self.talking;
        self.first_of_spurt = self.talking;
        let mean = if self.talking { SPURT_S } else { SPURT_S * (1.0 - share) / share.max(0.001) };
        self.turn = now + (self.random.exponential(mean) * 1e9) as u64;
        if self.talking {
            self.next = self.next.min(now);
        }
    }

    pub(crate) fn poll(
        &mut self,
        now: u64,
        buf: &mut [u8],
        clock: fn() -> u64,
        number: &mut impl FnMut() -> Option<u16>,
        send: &mut impl FnMut(Outgoing<'_>),
    ) {
        self.take_turns(now);
        if now > self.next + BEHIND_NS {
            self.next = now;
        }
        while self.next <= now {
            self.send(self.next, buf, clock, number(), send);
            self.next += if self.talking { PACKET_NS } else { DTX_NS };
        }
    }

    fn level(&mut self) -> AudioLevel {
        let voice = self.talking && self.seq % SYLLABLE_PACKETS < LOUD_PACKETS;
        let dbov = match (self.talking, voice) {
            (false, _) => SILENCE,
            (true, false) => PAUSE,
            (true, true) => self.random.between(LOUD.0, LOUD.1) as u8,
        };
        AudioLevel { dbov, voice }
    }

    fn send(
        &mut self,
        at: u64,
        buf: &mut [u8],
        clock: fn() -> u64,
        number: Option<u16>,
        send: &mut impl FnMut(Outgoing<'_>),
    ) {
        self.seq += 1;
        let level = self.level();
        let marker = std::mem::take(&mut self.first_of_spurt) && self.talking;
        let timestamp = ticks(at.saturating_sub(self.began), CLOCK_RATE);
        let mut header = HeaderWriter::new(buf, ids::OPUS, marker, self.seq as u16, timestamp, self.ssrc);
        header.extension(ids::AUDIO_LEVEL, &[level.to_byte()]);
        if let Some(number) = number {
            header.extension(ids::TRANSPORT_CC, &number.to_be_bytes());
        }
        let header_len = header.finish();
        let len = header_len + self.payload_bytes;
        let (publisher, number) = (self.publisher, self.seq as u32);
        let stamp = Stamp { publisher, number, sent_ns: clock(), layer: 0, height: 0 };
        stamp.write(&mut buf[header_len..len]);
        self.octets = self.octets.wrapping_add(self.payload_bytes as u32);
        send(Outgoing { buf, header_len, len, ssrc: Ssrc(self.ssrc), index: self.seq });
    }

    pub(crate) fn report(&self, now: u64) -> StreamReport {
        let rtp = ticks(now.saturating_sub(self.began), CLOCK_RATE);
        StreamReport { ssrc: self.ssrc, rtp, packets: self.seq as u32 - 100, octets: self.octets }
    }
}

#[cfg(test)]
mod tests {
    use dais_media::rtp::Header;

    use super::*;

    const MS: u64 = 1_000_000;

    /// Level and time (ms) of what is sent in `ms`; `change` sees the microphone before each step.
    fn play(talk: Talk, ms: u64, change: impl Fn(u64, &mut Microphone)) -> Vec<(u64, AudioLevel)> {
        let mut microphone = Microphone::new(24, talk, 7, Random::new(5));
        microphone.start(0, 1);
        let (mut sent, mut buf) = (Vec::new(), [0; 2_048]);
        for now in 0..ms {
            change(now, &mut microphone);
            microphone.poll(now * MS, &mut buf, || 0, &mut || None, &mut |outgoing| {
                let packet = &outgoing.buf[..outgoing.len];
                let header = Header::parse(packet).unwrap();
                let level = header.extensions(packet).find(|(id, _)| *id == ids::AUDIO_LEVEL).unwrap().1;
                assert_eq!(Stamp::read(&packet[header.len..]).unwrap().publisher, 1);
                sent.push((now, AudioLevel::parse(level).unwrap()));
            });
        }
        sent
    }

    #[test]
    fn a_talker_sends_fifty_packets_a_second_most_of_them_loud() {
        let sent = play(Talk::Now(true), 10_000, |_, _| ());
        assert!((498..=502).contains(&sent.len()), "{}", sent.len());
        let loud = sent.iter().filter(|(_, level)| level.dbov <= 30).count();
        assert!((350..420).contains(&loud), "{loud}");
    }

    #[test]
    fn silence_is_a_packet_every_400_ms_and_talking_begins_at_once() {
        let sent = play(Talk::Now(false), 4_000, |now, microphone| {
            if now == 2_010 {
                microphone.set_talking(true, now * MS);
            }
        });
        let silent = sent.iter().take_while(|(_, level)| level.dbov == SILENCE).count();
        assert!((5..=6).contains(&silent), "{silent}");
        let (first, _) = sent[silent];
        assert!(first < 2_040, "{first}");
        assert!(sent.len() - silent >= 98);
    }

    #[test]
    fn a_share_of_talk_makes_the_share_of_packets() {
        let sent = play(Talk::Share { share: 0.3 }, 600_000, |_, _| ());
        let talking = sent.iter().filter(|(_, level)| level.dbov < SILENCE).count() as f64 * 0.02;
        assert!((talking / 600.0 - 0.3).abs() < 0.06, "{talking} s of 600");
    }
}
