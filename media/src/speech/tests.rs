//! Stories played from traces of levels, in virtual time: a level every 20 ms.

use std::time::{Duration, Instant};

use super::*;
use crate::dominant::DominantSpeaker;
use crate::ids::ParticipantId;

/// What comes of one packet time: a level, or no packet.
type Trace = Vec<Option<u8>>;

const PACKET_MS: u64 = 20;
/// Longest wait until speech is found, ms: every sentence fills the window by then.
const FOUND_MS: u64 = 900;

fn trace(text: &str) -> Trace {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| Some(line.parse().unwrap())).collect()
}

macro_rules! recorded {
    ($($name:ident),*) => {
        $(fn $name() -> Trace {
            trace(include_str!(concat!("../../tests/data/levels/", stringify!($name), ".txt")))
        })*
    };
}

recorded!(host_opens, a_question, a_quiet_answer, cough, keyboard, fan);

fn ms(packets: usize) -> u64 {
    PACKET_MS * packets as u64
}

/// `seconds` of a level.
fn constant(level: Option<u8>, seconds: usize) -> Trace {
    vec![level; 50 * seconds]
}

/// `seconds` of a trace, over and over.
fn repeated(trace: &Trace, seconds: usize) -> Trace {
    trace.iter().copied().cycle().take(50 * seconds).collect()
}

/// A client with DTX: no packets while it is silent but one of comfort noise every 400 ms.
fn with_dtx(trace: &Trace) -> Trace {
    let mut silent = 0;
    let sends = |level: Option<u8>| {
        silent = if level.is_some_and(|dbov| dbov < 60) { 0 } else { silent + 1 };
        if silent % 20 == 1 { Some(80) } else { level.filter(|_| silent == 0) }
    };
    trace.iter().copied().map(sends).collect()
}

/// Both sounds at one microphone: their powers add up.
fn mixed(a: &Trace, b: &Trace) -> Trace {
    let power =
        |level: Option<u8>| level.filter(|dbov| *dbov < 127).map_or(0.0, |dbov| 10f64.powf(-f64::from(dbov) / 10.0));
    let level = |power: f64| if power == 0.0 { 127 } else { (-10.0 * power.log10()).clamp(0.0, 127.0).round() as u8 };
    a.iter().zip(b).map(|(a, b)| Some(level(power(*a) + power(*b)))).collect()
}

/// The same sound at another loudness.
fn quieter(trace: &Trace, db: u8) -> Trace {
    trace.iter().map(|level| level.map(|dbov| if dbov == 127 { 127 } else { (dbov + db).min(126) })).collect()
}

/// One microphone and the time it lives in.
struct Heard {
    microphone: Microphone,
    start: Instant,
    packets: usize,
    /// When speech started (true) or stopped, in ms.
    changes: Vec<(u64, bool)>,
}

impl Heard {
    fn new() -> Self {
        let microphone = Microphone::new(SpeechConfig::default());
        Self { microphone, start: Instant::now(), packets: 0, changes: Vec::new() }
    }

    fn play(&mut self, trace: &Trace) -> &mut Self {
        for level in trace {
            let (at, before) = (ms(self.packets), self.microphone.is_speaking());
            let now = self.start + Duration::from_millis(at);
            if let Some(dbov) = level {
                self.microphone.hear(AudioLevel { dbov: *dbov, voice: false }, now);
            }
            self.microphone.poll(now);
            if self.microphone.is_speaking() != before {
                self.changes.push((at, !before));
            }
            self.packets += 1;
        }
        self
    }
}

/// When speech started (true) or stopped, in ms.
fn changes(trace: &Trace) -> Vec<(u64, bool)> {
    Heard::new().play(trace).changes.clone()
}

// law: silence-sustained
#[test]
fn steady_speech_is_found_and_does_not_become_its_own_floor() {
    for sentence in [host_opens(), a_question(), a_quiet_answer()] {
        let changes = changes(&repeated(&sentence, 120));
        let (first, speaking) = changes[0];
        assert!(speaking && first <= FOUND_MS, "{changes:?}");
        assert_eq!(changes.len(), 1, "two minutes without an end: {changes:?}");
    }
}

// law: silence-sustained
#[test]
fn speech_ends_with_its_hangover() {
    let sentence = host_opens();
    let talk = [sentence.clone(), constant(Some(127), 2)].concat();
    let changes = changes(&talk);
    assert_eq!(changes.len(), 2, "{changes:?}");
    // The last syllable is 22 packets before the end of the recording.
    assert!((ms(sentence.len())..ms(sentence.len()) + 800).contains(&changes[1].0), "{changes:?}");
}

// law: silence-sustained
#[test]
fn a_cough_is_not_speech() {
    assert_eq!(changes(&cough()), []);
    assert_eq!(changes(&[constant(Some(127), 5), cough()].concat()), [], "nor after silence");
}

// law: silence-sustained
#[test]
fn typing_is_not_speech() {
    assert_eq!(changes(&repeated(&keyboard(), 60)), []);
}

#[test]
fn typing_after_a_sentence_does_not_prolong_it() {
    let sentence = host_opens();
    for offset in 25..450 {
        let typing = keyboard()[offset..].to_vec();
        let changes = changes(&[&sentence[..350], &typing, &typing].concat());
        assert_eq!(changes.len(), 2, "{changes:?}");
        // What was said leaves the window, and then the hangover passes.
        assert!(changes[1].0 <= ms(350) + 1_000 + 800, "{changes:?} with {offset}");
    }
}

#[test]
fn a_fan_that_is_switched_on_is_speech_for_sixteen_seconds_at_most() {
    let changes = changes(&fan());
    assert_eq!(changes.iter().map(|(_, speaking)| *speaking).collect::<Vec<_>>(), [true, false], "{changes:?}");
    let learned = changes[1].0 - changes[0].0;
    println!("a fan is taken for speech for {learned} ms");
    // The memory of the floor, and the hangover.
    assert!(learned <= 15_000 + 800, "{changes:?}");
}

#[test]
fn a_fan_that_runs_when_the_microphone_goes_on_is_speech_for_four_seconds_at_most() {
    let running = fan()[400..].to_vec();
    let changes = changes(&running);
    assert_eq!(changes.len(), 2, "{changes:?}");
    println!("a fan on a fresh microphone is taken for speech until {} ms", changes[1].0);
    assert!(changes[1].0 <= 3_000 + 800 + 20, "{changes:?}");
}

#[test]
fn somebody_is_found_over_a_fan_that_is_known() {
    for sentence in [host_opens(), a_question()] {
        let mut heard = Heard::new();
        heard.play(&fan()).changes.clear();
        let begins = ms(heard.packets);
        let running = repeated(&fan()[400..].to_vec(), 20);
        heard.play(&mixed(&running, &repeated(&sentence, 20)));
        let (found, speaking) = heard.changes[0];
        println!("found over the fan after {} ms", found - begins);
        assert!(speaking && found - begins <= 4_000, "{:?} from {begins}", heard.changes);
    }
}

#[test]
fn dtx_is_silence_between_words_and_no_obstacle_to_them() {
    for sentence in [host_opens(), a_question(), a_quiet_answer()] {
        let talk =
            [with_dtx(&repeated(&sentence, 30)), with_dtx(&constant(Some(127), 60)), with_dtx(&sentence)].concat();
        let changes = changes(&talk);
        assert!(changes[0].0 <= FOUND_MS, "{changes:?}");
        assert!(changes[1].0 <= 30_000 + 800, "no packets end speech too: {changes:?}");
        assert!((90_000..90_000 + FOUND_MS).contains(&changes[2].0), "found after a minute of DTX: {changes:?}");
    }
}

#[test]
fn words_far_apart_do_not_add_up_when_no_packets_come_between() {
    let word = vec![Some(20); 10];
    let pause = vec![None; 40];
    assert_eq!(changes(&[word.clone(), pause.clone(), word.clone(), pause, word].concat()), []);
}

#[test]
fn one_lost_packet_in_twenty_hides_no_speech() {
    let sentence = repeated(&host_opens(), 30);
    let lossy: Trace = sentence.iter().enumerate().map(|(n, level)| level.filter(|_| n % 20 != 7)).collect();
    let changes = changes(&lossy);
    assert!(changes.len() == 1 && changes[0].0 <= FOUND_MS, "{changes:?}");
}

#[test]
fn muted_in_mid_word_is_silence_at_once_and_what_follows_starts_from_nothing() {
    let sentence = host_opens();
    let mut heard = Heard::new();
    heard.play(&sentence[..100].to_vec());
    assert!(heard.microphone.is_speaking());
    heard.microphone.silence();
    assert!(!heard.microphone.is_speaking());
    heard.play(&sentence[100..100 + 17].to_vec());
    assert!(!heard.microphone.is_speaking(), "17 packets are no speech, whatever was before");
}

// law: silence-muted
#[test]
fn a_muted_microphone_says_nothing() {
    assert_eq!(changes(&constant(Some(127), 60)), []);
    let mut heard = Heard::new();
    heard.play(&[constant(Some(127), 60), host_opens()].concat());
    assert!(heard.changes[0].0 - 60_000 <= FOUND_MS, "its silence is no floor: {:?}", heard.changes);
}

/// Several people in a room, whose workers report at moments of their own.
struct Talk {
    people: Vec<Microphone>,
    room: DominantSpeaker,
    start: Instant,
    packets: usize,
    /// Who became dominant when, in ms.
    changes: Vec<(u64, u32)>,
}

const ANN: u32 = 0;
const BEN: u32 = 1;

impl Talk {
    fn new() -> Self {
        let people = (0..2).map(|_| Microphone::new(SpeechConfig::default())).collect();
        Self { people, room: DominantSpeaker::new(), start: Instant::now(), packets: 0, changes: Vec::new() }
    }

    fn play(&mut self, ann: &Trace, ben: &Trace) -> &mut Self {
        for levels in ann.iter().zip(ben) {
            let now = self.start + Duration::from_millis(ms(self.packets));
            for (n, (person, level)) in self.people.iter_mut().zip([levels.0, levels.1]).enumerate() {
                if let Some(dbov) = level {
                    person.hear(AudioLevel { dbov: *dbov, voice: false }, now);
                }
                person.poll(now);
                // Reports are up to 100 ms apart from each other.
                if self.packets >= 5 * n
                    && let Some(activity) = person.activity_due(now)
                {
                    self.room.report(ParticipantId(n as u32), activity);
                }
            }
            if self.packets % 15 == 14
                && let Some(dominant) = self.room.decide()
            {
                self.changes.push((ms(self.packets), dominant.0));
            }
            self.packets += 1;
        }
        self
    }

    fn dominant(&self) -> Option<u32> {
        self.room.dominant().map(|dominant| dominant.0)
    }
}

#[test]
fn who_speaks_alone_is_dominant() {
    for sentence in [host_opens(), a_question(), a_quiet_answer()] {
        let mut talk = Talk::new();
        talk.play(&repeated(&sentence, 30), &constant(Some(62), 30));
        assert_eq!(talk.changes.len(), 1, "{:?}", talk.changes);
        assert!(talk.changes[0].0 <= 1_000 && talk.dominant() == Some(ANN), "{:?}", talk.changes);
    }
}

#[test]
fn coughs_and_typing_of_others_take_nothing_over() {
    for noise in [cough(), keyboard()] {
        // At every moment of the sentence.
        for offset in (0..300).step_by(7) {
            let mut talk = Talk::new();
            talk.play(&repeated(&host_opens(), 2), &constant(Some(62), 2));
            let sentence: Trace = host_opens().into_iter().cycle().skip(offset).take(500).collect();
            talk.play(&sentence, &noise);
            assert_eq!(talk.changes.iter().map(|(_, who)| *who).collect::<Vec<_>>(), [ANN], "offset {offset}");
        }
    }
}

/// The packets of 30 s of a sentence, begun somewhere in it.
fn begun_at(sentence: &Trace, offset: usize) -> Trace {
    sentence.iter().copied().cycle().skip(offset).take(1_500).collect()
}

#[test]
fn two_people_at_once_both_speak() {
    for (sentence, db) in [(host_opens(), 0), (a_question(), 8), (a_quiet_answer(), 4)] {
        let changes = changes(&repeated(&quieter(&sentence, db), 30));
        assert!(changes[0].0 <= 2 * FOUND_MS, "{changes:?}");
    }
}

#[test]
fn somebody_who_throws_in_a_word_takes_nothing_over() {
    let word: Trace = [a_question()[45..65].to_vec(), constant(Some(62), 3)].concat();
    for offset in (0..300).step_by(7) {
        let mut talk = Talk::new();
        talk.play(&repeated(&host_opens(), 2), &constant(Some(62), 2));
        talk.play(&begun_at(&host_opens(), offset), &repeated(&word, 30));
        assert_eq!(talk.changes.iter().map(|(_, who)| *who).collect::<Vec<_>>(), [ANN], "offset {offset}");
    }
}

#[test]
fn two_equals_at_once_do_not_flap() {
    for offset in (0..300).step_by(7) {
        let mut talk = Talk::new();
        talk.play(&repeated(&host_opens(), 30), &begun_at(&a_question(), offset));
        // In the first second there is not much to tell them apart by. Later one takes over in the other's pauses.
        let settled: Vec<_> = talk.changes.iter().filter(|(at, _)| *at > 1_000).map(|(at, _)| *at).collect();
        assert!(settled.len() <= 8, "{:?}", talk.changes);
        assert!(settled.windows(2).all(|pair| pair[1] - pair[0] >= 900), "{:?}", talk.changes);
    }
}

#[test]
fn of_two_at_once_the_louder_is_dominant_for_longer() {
    let (mut ann, mut played) = (0, 0);
    for offset in (0..300).step_by(7) {
        let mut talk = Talk::new();
        talk.play(&repeated(&host_opens(), 30), &quieter(&begun_at(&a_quiet_answer(), offset), 8));
        let ends = talk.changes.iter().skip(1).map(|(at, _)| *at).chain([30_000]);
        let times: Vec<_> = talk.changes.iter().zip(ends).map(|((at, who), end)| (*who, end - at)).collect();
        let share = times.iter().filter(|(who, _)| *who == ANN).map(|(_, time)| *time).sum::<u64>();
        assert!(share >= 20_000, "two thirds at least, whatever the moment: {:?}", talk.changes);
        (ann, played) = (ann + share, played + 30_000);
    }
    assert!(ann * 10 >= played * 9, "nine tenths altogether: {ann} of {played} ms");
}

#[test]
fn who_goes_on_when_the_other_stops_is_dominant_within_two_seconds() {
    let pairs = [(host_opens(), a_question()), (a_question(), a_quiet_answer()), (a_quiet_answer(), host_opens())];
    // The one who stops sends the quiet of the room, digital silence, or nothing any more; in mid-word.
    for ((first, second), quiet) in pairs.iter().flat_map(|pair| [(pair, Some(93)), (pair, Some(127)), (pair, None)]) {
        let mut talk = Talk::new();
        talk.play(&first[..200].to_vec(), &constant(Some(62), 4));
        talk.play(&constant(quiet, 5), &repeated(second, 5));
        println!("handover at 4 s: {:?}", talk.changes);
        let (at, who) = talk.changes[1];
        assert!(who == BEN && at <= 4_000 + 2_000, "{:?}", talk.changes);
    }
}

#[test]
fn muting_the_dominant_speaker_ends_it_at_once() {
    let mut talk = Talk::new();
    talk.play(&repeated(&host_opens(), 5), &repeated(&a_quiet_answer(), 5));
    assert_eq!(talk.dominant(), Some(ANN));
    talk.people[ANN as usize].silence();
    assert!(talk.room.forget(ParticipantId(ANN)));
    assert_eq!(talk.dominant(), None);
    let now = talk.start + Duration::from_millis(ms(talk.packets));
    assert_eq!(talk.people[ANN as usize].activity_due(now), Some(Activity::SILENCE), "told without waiting");
    talk.play(&constant(None, 1), &repeated(&a_quiet_answer(), 1));
    assert_eq!(talk.dominant(), Some(BEN));
}

#[test]
fn a_fan_that_is_known_is_not_active() {
    let mut heard = Heard::new();
    heard.play(&fan());
    let now = heard.start + Duration::from_millis(ms(heard.packets));
    assert_eq!(heard.microphone.activity_due(now), Some(Activity::SILENCE));
}
