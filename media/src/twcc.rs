//! Transport-wide feedback to senders (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1): when each packet
//! arrived. A browser that gets none stays at 300 kbit/s.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::ids::{REPORTER_SSRC, Ssrc};
use crate::limits;
use crate::rtp::SeqExtender;

/// Unit of arrival deltas.
const DELTA: Duration = Duration::from_micros(250);
/// Unit of the reference time.
const REFERENCE: Duration = Duration::from_millis(64);
/// How long an arrival is kept after it was reported, so that a packet overtaken by others can be reported late.
const LATE: Duration = Duration::from_millis(500);

/// Records arrivals and reports them, each once.
#[derive(Debug)]
pub struct FeedbackRecorder {
    epoch: Instant,
    seqs: SeqExtender,
    /// Arrival of each sequence number from `first` on.
    arrivals: VecDeque<Option<Instant>>,
    first: u64,
    /// The first number the next feedback covers.
    unreported: u64,
    /// Numbers below were counted.
    counted: u64,
    pending: bool,
    feedback_count: u8,
}

impl FeedbackRecorder {
    /// A recorder whose reference times count from `epoch`.
    #[must_use]
    pub fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            seqs: SeqExtender::default(),
            arrivals: VecDeque::new(),
            first: 0,
            unreported: 0,
            counted: 0,
            pending: false,
            feedback_count: 0,
        }
    }

    /// Notes that the packet with transport-wide number `seq` arrived at `now`.
    pub fn record(&mut self, seq: u16, now: Instant) {
        let seq = self.seqs.record(seq);
        if self.arrivals.is_empty() {
            (self.first, self.unreported) = (seq, seq);
        }
        let Some(offset) = seq.checked_sub(self.first) else { return };
        if offset >= limits::FEEDBACK_PACKETS as u64 * 2 {
            // A jump that far is a new start, not a loss.
            self.arrivals.clear();
            (self.first, self.unreported) = (seq, seq);
        }
        let offset = (seq - self.first) as usize;
        if offset >= self.arrivals.len() {
            self.arrivals.resize(offset + 1, None);
        }
        if self.arrivals[offset].is_none() {
            self.arrivals[offset] = Some(now);
            self.unreported = self.unreported.min(seq);
            self.pending = true;
        }
    }

    /// The path is another: what is missing, or not reported yet, is no news of this one.
    pub(crate) fn restart(&mut self) {
        self.arrivals.clear();
        self.pending = false;
    }

    /// Packets sent since this was asked before, by their numbers, and how many of them have not come.
    pub(crate) fn take_counts(&mut self) -> (usize, usize) {
        let skip = self.counted.saturating_sub(self.first).min(self.arrivals.len() as u64) as usize;
        let missing = self.arrivals.range(skip..).filter(|arrival| arrival.is_none()).count();
        let end = self.first + self.arrivals.len() as u64;
        let sent = end.saturating_sub(self.counted.max(self.first)) as usize;
        self.counted = self.counted.max(end);
        (sent, missing)
    }

    /// The RTCP packet that reports everything not reported yet, about media with SSRC `media`; none when nothing has
    /// come since the one before. Of more than 4,096 numbers the rest waits for the next arrival.
    pub fn feedback(&mut self, media: Ssrc) -> Option<Vec<u8>> {
        let pending = self.take_pending()?;
        let packet = self.write(pending, media);
        self.forget_old();
        packet
    }

    /// RTCP packets that report every arrival not reported yet and are silent about packets that have not come: one for each run
    /// of packets that have. Behind eight runs one tells of all the rest. Each is to be sent by itself: of several in one datagram
    /// libwebrtc reads the last (`RTCPReceiver::HandleTransportFeedback`).
    pub(crate) fn arrivals(&mut self, media: Ssrc) -> Vec<Vec<u8>> {
        let Some(mut rest) = self.take_pending() else { return Vec::new() };
        let mut packets = Vec::new();
        while let Some(missing) = self.arrivals.range(rest.clone()).position(Option::is_some) {
            rest.start += missing;
            let run = self.arrivals.range(rest.clone()).position(Option::is_none);
            let within = packets.len() < limits::FEEDBACK_RUNS;
            let end = run.filter(|_| within).map_or(rest.end, |run| rest.start + run);
            packets.extend(self.write(rest.start..end, media));
            rest.start = end;
        }
        self.forget_old();
        packets
    }

    /// Offsets of what the next feedback is about; from now on it is reported.
    fn take_pending(&mut self) -> Option<Range<usize>> {
        if !std::mem::take(&mut self.pending) {
            return None;
        }
        let start = (self.unreported - self.first) as usize;
        let end = self.arrivals.len().min(start + limits::FEEDBACK_PACKETS);
        self.unreported = self.first + end as u64;
        Some(start..end)
    }

    /// The packet about `range`; none where nothing of it has come.
    fn write(&mut self, range: Range<usize>, media: Ssrc) -> Option<Vec<u8>> {
        let first = self.arrivals.range(range.clone()).copied().flatten().next()?;
        let base = self.first + range.start as u64;
        let reference = (first.saturating_duration_since(self.epoch).as_millis() / REFERENCE.as_millis()) as u32;

        let mut last = self.epoch + REFERENCE * reference;
        let mut symbols = Vec::with_capacity(range.len());
        let mut deltas = Vec::with_capacity(range.len());
        for arrival in self.arrivals.range(range) {
            let delta = arrival.and_then(|at| i16::try_from(ticks(last, at)).ok());
            match delta {
                None => symbols.push(Symbol::Lost),
                Some(delta) => {
                    last = if delta < 0 {
                        last - DELTA * u32::from(delta.unsigned_abs())
                    } else {
                        last + DELTA * delta as u32
                    };
                    if let Ok(small) = u8::try_from(delta) {
                        symbols.push(Symbol::Small);
                        deltas.push(small);
                    } else {
                        symbols.push(Symbol::Large);
                        deltas.extend(delta.to_be_bytes());
                    }
                }
            }
        }

        let mut packet = vec![0x80 | 15, 205, 0, 0];
        packet.extend(REPORTER_SSRC.0.to_be_bytes());
        packet.extend(media.0.to_be_bytes());
        packet.extend((base as u16).to_be_bytes());
        packet.extend((symbols.len() as u16).to_be_bytes());
        packet.extend(&reference.to_be_bytes()[1..]);
        packet.push(self.feedback_count);
        write_chunks(&symbols, &mut packet);
        packet.extend(deltas);
        pad_to_words(&mut packet);
        self.feedback_count = self.feedback_count.wrapping_add(1);
        Some(packet)
    }

    fn forget_old(&mut self) {
        let Some(newest) = self.arrivals.back().copied().flatten() else { return };
        while self.first < self.unreported && self.arrivals.len() > 1 {
            if self.arrivals.front().copied().flatten().is_some_and(|at| newest.saturating_duration_since(at) < LATE) {
                break;
            }
            self.arrivals.pop_front();
            self.first += 1;
        }
    }
}

/// Difference in units of 250 µs, negative where `at` is before `last`.
fn ticks(last: Instant, at: Instant) -> i64 {
    let micros = |duration: Duration| duration.as_micros() as i64;
    let delta = if at >= last { micros(at - last) } else { -micros(last - at) };
    delta / DELTA.as_micros() as i64
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbol {
    Lost = 0,
    Small = 1,
    Large = 2,
}

/// §3.1.3 and §3.1.4: runs of at least seven as run-length chunks, everything else as vectors of seven.
fn write_chunks(mut symbols: &[Symbol], out: &mut Vec<u8>) {
    const VECTOR: usize = 7;
    const RUN_MAX: usize = 0x1fff;
    while let Some(&first) = symbols.first() {
        let run = symbols.iter().take(RUN_MAX).take_while(|symbol| **symbol == first).count();
        let (chunk, taken) = if run >= VECTOR || run == symbols.len() {
            (((first as u16) << 13) | run as u16, run)
        } else {
            let taken = symbols.len().min(VECTOR);
            let bits = symbols[..taken].iter().enumerate();
            (bits.fold(0xc000, |chunk, (n, symbol)| chunk | (*symbol as u16) << (12 - 2 * n)), taken)
        };
        out.extend(chunk.to_be_bytes());
        symbols = &symbols[taken..];
    }
}

/// RFC 3550 §6.4.1: pads to a multiple of four bytes and sets length and P bit.
fn pad_to_words(packet: &mut Vec<u8>) {
    let padding = (4 - packet.len() % 4) % 4;
    if padding > 0 {
        packet.resize(packet.len() + padding - 1, 0);
        packet.push(padding as u8);
        packet[0] |= 0x20;
    }
    let words = (packet.len() / 4 - 1) as u16;
    packet[2..4].copy_from_slice(&words.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{PacketStatusChunk, SymbolTypeTcc, TransportLayerCc};
    use rtc::shared::marshal::Unmarshal;

    use super::*;

    /// Reads a feedback with the `rtc` crate: numbers received, with their arrival in ms after the epoch.
    fn decoded(packet: &[u8]) -> (u16, Vec<(u16, f64)>) {
        let feedback = TransportLayerCc::unmarshal(&mut &packet[..]).unwrap();
        let symbols = feedback.packet_chunks.iter().flat_map(|chunk| match chunk {
            PacketStatusChunk::RunLengthChunk(run) => vec![run.packet_status_symbol; usize::from(run.run_length)],
            PacketStatusChunk::StatusVectorChunk(vector) => vector.symbol_list.clone(),
        });
        let mut at = f64::from(feedback.reference_time) * 64.0;
        let mut deltas = feedback.recv_deltas.iter();
        let mut received = Vec::new();
        for (n, symbol) in symbols.take(usize::from(feedback.packet_status_count)).enumerate() {
            if symbol != SymbolTypeTcc::PacketNotReceived {
                at += deltas.next().unwrap().delta as f64 / 1000.0;
                received.push((feedback.base_sequence_number.wrapping_add(n as u16), at));
            }
        }
        (feedback.packet_status_count, received)
    }

    #[test]
    fn losses_and_reordering_are_reported_as_they_were() {
        let epoch = Instant::now();
        let mut recorder = FeedbackRecorder::new(epoch);
        let at = |ms: u64| epoch + Duration::from_millis(ms);
        for (seq, ms) in [(65_534, 100), (65_535, 101), (1, 103), (0, 104), (5, 180)] {
            recorder.record(seq, at(ms));
        }
        let (count, received) = decoded(&recorder.feedback(Ssrc(1)).unwrap());
        assert_eq!(count, 8);
        assert_eq!(received, [(65_534, 100.0), (65_535, 101.0), (0, 104.0), (1, 103.0), (5, 180.0)]);
        assert_eq!(recorder.feedback(Ssrc(1)), None);
    }

    #[test]
    fn a_packet_that_comes_after_its_report_is_reported_late() {
        let epoch = Instant::now();
        let mut recorder = FeedbackRecorder::new(epoch);
        recorder.record(1, epoch + Duration::from_millis(10));
        recorder.record(3, epoch + Duration::from_millis(12));
        recorder.feedback(Ssrc(1)).unwrap();
        recorder.record(2, epoch + Duration::from_millis(20));
        let (_, received) = decoded(&recorder.feedback(Ssrc(1)).unwrap());
        assert_eq!(received, [(2, 20.0), (3, 12.0)]);
    }

    #[test]
    fn what_is_missing_between_two_reports_is_told() {
        let epoch = Instant::now();
        let mut recorder = FeedbackRecorder::new(epoch);
        recorder.record(1, epoch);
        recorder.feedback(Ssrc(1)).unwrap();
        recorder.record(4, epoch);
        assert_eq!(decoded(&recorder.feedback(Ssrc(1)).unwrap()), (3, vec![(4, 0.0)]));
    }

    #[test]
    fn the_reference_time_goes_on_after_its_24_bits_are_full() {
        let epoch = Instant::now();
        let mut recorder = FeedbackRecorder::new(epoch);
        let days = Duration::from_secs(13 * 86_400);
        recorder.record(1, epoch + days);
        let (_, received) = decoded(&recorder.feedback(Ssrc(1)).unwrap());
        assert_eq!(received, [(1, (days.as_millis() % ((1 << 24) * 64)) as f64)]);
    }

    #[test]
    fn arrivals_say_nothing_of_what_is_missing_as_far_as_a_few_datagrams_reach() {
        let epoch = Instant::now();
        let mut recorder = FeedbackRecorder::new(epoch);
        for seq in [1, 2, 5, 6, 7, 9] {
            recorder.record(seq, epoch);
        }
        let packets = recorder.arrivals(Ssrc(1));
        let numbers: Vec<_> =
            packets.iter().map(|packet| decoded(packet)).map(|(about, came)| (about, came[0].0)).collect();
        assert_eq!(numbers, [(2, 1), (3, 5), (1, 9)]);
        assert_eq!(recorder.arrivals(Ssrc(1)), [[0u8; 0]; 0]);
        recorder.record(8, epoch);
        assert_eq!(decoded(&recorder.arrivals(Ssrc(1))[0]), (2, vec![(8, 0.0), (9, 0.0)]), "late");

        (11..).step_by(2).take(400).for_each(|seq| recorder.record(seq, epoch));
        let packets = recorder.arrivals(Ssrc(1));
        assert_eq!(packets.len(), limits::FEEDBACK_RUNS + 1);
        assert!(packets.iter().all(|packet| packet.len() < 1_200));
        assert_eq!(packets.iter().map(|packet| decoded(packet).1.len()).sum::<usize>(), 400);
    }

    #[test]
    fn a_gap_longer_than_a_message_is_no_message() {
        for told in [true, false] {
            let epoch = Instant::now();
            let mut recorder = FeedbackRecorder::new(epoch);
            recorder.record(1, epoch);
            recorder.feedback(Ssrc(1)).unwrap();
            recorder.record(5_000, epoch);
            let packets =
                if told { recorder.feedback(Ssrc(1)).into_iter().collect() } else { recorder.arrivals(Ssrc(1)) };
            assert_eq!(packets, [[0u8; 0]; 0]);
            recorder.record(5_001, epoch);
            assert_eq!(decoded(&recorder.feedback(Ssrc(1)).unwrap()).1.len(), 2);
        }
    }

    #[test]
    fn each_number_is_counted_once_and_those_of_another_path_are_not() {
        let epoch = Instant::now();
        let mut recorder = FeedbackRecorder::new(epoch);
        assert_eq!(recorder.take_counts(), (0, 0));
        for (seqs, counted) in [(vec![65_533, 65_534, 0], (4, 1)), (vec![65_535], (0, 0)), (vec![3], (3, 2))] {
            seqs.into_iter().for_each(|seq| recorder.record(seq, epoch));
            assert_eq!(recorder.take_counts(), counted);
            recorder.feedback(Ssrc(1)).unwrap();
        }
        recorder.restart();
        recorder.record(90, epoch);
        assert_eq!(recorder.take_counts(), (1, 0));
        assert_eq!(decoded(&recorder.feedback(Ssrc(1)).unwrap()), (1, vec![(90, 0.0)]));
    }

    proptest! {
        #[test]
        fn every_arrival_is_reported_once_in_order(
            gaps in prop::collection::vec((1u16..40, 0u64..90), 1..300),
            losses_told: bool,
        ) {
            let epoch = Instant::now();
            let mut recorder = FeedbackRecorder::new(epoch);
            let (mut seq, mut ms, mut sent) = (60_000u16, 5u64, Vec::new());
            let mut reported = Vec::new();
            let last = gaps.len() - 1;
            for (n, (gap, wait)) in gaps.into_iter().enumerate() {
                seq = seq.wrapping_add(gap);
                ms += wait;
                recorder.record(seq, epoch + Duration::from_millis(ms));
                sent.push((seq, ms as f64));
                if n % 9 == 8 || n == last {
                    let told = |recorder: &mut FeedbackRecorder| recorder.feedback(Ssrc(1)).into_iter().collect();
                    let packets = if losses_told { told(&mut recorder) } else { recorder.arrivals(Ssrc(1)) };
                    for packet in packets.iter().take(limits::FEEDBACK_RUNS) {
                        let (about, came) = decoded(packet);
                        prop_assert!(losses_told || usize::from(about) == came.len());
                    }
                    reported.extend(packets.iter().flat_map(|packet| decoded(packet).1));
                }
            }
            prop_assert_eq!(reported, sent);
        }
    }
}
