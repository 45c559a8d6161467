//! Scenarios: who sends what, who watches, for how long, and what must come out.

mod shipped;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::check;
use crate::error::LoadError;
use crate::limits::{PEOPLE_MAX, SCENARIO_BYTES_MAX};

pub use shipped::{SHIPPED, Shipped};

/// A scenario as its file has it. Unknown keys are errors.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name; for a file the name of the file.
    #[serde(skip)]
    pub name: String,
    /// What it does, in a sentence.
    pub description: String,
    /// Seed of everything that is left to chance.
    #[serde(default = "one")]
    pub seed: u64,
    /// People on stage.
    pub publishers: Publishers,
    /// People who watch.
    pub viewers: Viewers,
    /// How long things take.
    #[serde(default)]
    pub timing: Timing,
    /// People coming on stage all the time.
    pub churn: Option<Churn>,
    /// Who speaks when.
    pub talk: Option<Talk>,
    /// What must come out, by the name of what is measured.
    #[serde(default)]
    pub thresholds: BTreeMap<String, Threshold>,
}

/// People on stage: as many as have a camera or a microphone; the first ones have both.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publishers {
    /// People with a camera.
    #[serde(default)]
    pub cameras: usize,
    /// Bits per second of each layer of a camera, smallest first; one layer is no simulcast.
    #[serde(default = "one_layer")]
    pub layers: Vec<u32>,
    /// Temporal layers of each of those, 1 to 3. Chromium makes three of a simulcast camera.
    #[serde(default = "one_temporal_layer")]
    pub temporal_layers: u8,
    /// Frames per second of a camera.
    #[serde(default = "thirty")]
    pub frames_per_second: u32,
    /// People with a microphone.
    #[serde(default)]
    pub microphones: usize,
    /// Share of the time each of them speaks, 0 to 1. Speech is a packet every 20 ms, silence one every 400 ms.
    #[serde(default = "always")]
    pub speech_share: f64,
    /// Bytes of an Opus packet.
    #[serde(default = "eighty")]
    pub audio_bytes: usize,
}

impl Default for Publishers {
    fn default() -> Self {
        Self {
            cameras: 0,
            layers: one_layer(),
            temporal_layers: one_temporal_layer(),
            frames_per_second: thirty(),
            microphones: 0,
            speech_share: always(),
            audio_bytes: eighty(),
        }
    }
}

impl Publishers {
    /// How many people that are.
    #[must_use]
    pub fn people(&self) -> usize {
        self.cameras.max(self.microphones)
    }
}

/// People who watch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Viewers {
    /// How many.
    pub count: usize,
    /// Share of their packets that is decrypted and checked, 0 to 1. The others are counted by sequence number.
    #[serde(default = "one_in_fifty")]
    pub decrypt: f64,
    /// Send the 25 empty receiver reports a second that Chromium sends.
    #[serde(default)]
    pub chatty: bool,
    /// Camera slots each of them receives.
    #[serde(default = "all_cameras")]
    pub camera_slots: usize,
    /// Voice slots each of them receives.
    #[serde(default = "all_voices")]
    pub voice_slots: usize,
    /// Receive buffer asked of the kernel for each socket, bytes.
    #[serde(default = "megabyte")]
    pub receive_buffer: usize,
    /// Ask for transport-wide sequence numbers, and report every 100 ms which came when, as browsers do.
    #[serde(default)]
    pub feedback: bool,
    /// The harness stops reading for this long each second, ms: to see what its own loss looks like.
    #[serde(default)]
    pub read_pause_ms: u64,
}

/// How long things take.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// Viewers that begin to join per second, at most; 0 for as fast as they can.
    pub joins_per_second: f64,
    /// Viewers that are on their way in at the same time, at most.
    pub joins_in_flight: usize,
    /// From the last join to the beginning of the measured window, s.
    pub warm_up_s: u32,
    /// Length of the measured window, s.
    pub measured_s: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self { joins_per_second: 100.0, joins_in_flight: 100, warm_up_s: 2, measured_s: 10 }
    }
}

/// People coming on stage all the time while others are removed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// How many may be on stage; the other publishers wait for their turn.
    pub capacity: usize,
    /// How many come on stage per second; each removes somebody.
    pub joins_per_second: f64,
}

/// A script of who speaks when. Times are in seconds from the beginning of the measured window.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Talk {
    /// How many may be on stage: the first publishers are, in order; the others join by the script.
    pub capacity: usize,
    /// Who speaks when.
    pub turns: Vec<Turn>,
    /// Who comes on stage when; each removes whoever was silent the longest.
    pub joins: Vec<StageJoin>,
}

/// Somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Which publisher, from 0.
    pub who: usize,
    /// Beginning, s.
    pub from_s: f64,
    /// End, s.
    pub to_s: f64,
}

/// Somebody comes on stage.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageJoin {
    /// Which publisher, from 0.
    pub who: usize,
    /// When, s.
    pub at_s: f64,
}

/// Limits of a measured value; both are inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// It must not be smaller.
    pub min: Option<f64>,
    /// It must not be larger.
    pub max: Option<f64>,
}

fn one() -> u64 {
    1
}
fn one_layer() -> Vec<u32> {
    vec![1_000_000]
}
fn one_temporal_layer() -> u8 {
    1
}
fn thirty() -> u32 {
    30
}
fn eighty() -> usize {
    80
}
fn always() -> f64 {
    1.0
}
fn one_in_fifty() -> f64 {
    0.02
}
fn all_cameras() -> usize {
    dais_media::limits::CAMERA_SLOTS
}
fn all_voices() -> usize {
    dais_media::limits::VOICE_SLOTS
}
fn megabyte() -> usize {
    1 << 20
}

impl Scenario {
    /// The scenario shipped under the name `which`, or else the one in the file `which`.
    ///
    /// # Errors
    /// When it is neither, or wrong.
    pub fn load(which: &str) -> Result<Self, LoadError> {
        if let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.name == which) {
            return Self::parse(shipped.name, shipped.text);
        }
        let path = Path::new(which);
        let unreadable = |error: std::io::Error| LoadError::ScenarioFile(which.to_owned(), error.to_string());
        if !path.exists() {
            return Err(LoadError::ScenarioUnknown(which.to_owned()));
        }
        if std::fs::metadata(path).map_err(unreadable)?.len() > SCENARIO_BYTES_MAX {
            return Err(LoadError::ScenarioFile(which.to_owned(), "the file is larger than 1 MiB".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        Self::parse(&name, &text)
    }

    /// A scenario in which nobody watches; to be checked before it is played.
    #[must_use]
    pub fn of_publishers(publishers: Publishers, seed: u64) -> Self {
        let viewers = Viewers {
            count: 0,
            decrypt: 0.0,
            chatty: false,
            camera_slots: all_cameras(),
            voice_slots: all_voices(),
            receive_buffer: megabyte(),
            feedback: false,
            read_pause_ms: 0,
        };
        Self {
            name: "publish".to_owned(),
            description: "People on stage".to_owned(),
            seed,
            publishers,
            viewers,
            timing: Timing::default(),
            churn: None,
            talk: None,
            thresholds: BTreeMap::new(),
        }
    }

    /// Reads the text of a scenario called `name`.
    ///
    /// # Errors
    /// [`LoadError::ScenarioMalformed`] or [`LoadError::ScenarioInvalid`].
    pub fn parse(name: &str, text: &str) -> Result<Self, LoadError> {
        let parsed: Self = toml::from_str(text)
            .map_err(|error| LoadError::ScenarioMalformed(name.to_owned(), error.to_string().trim_end().to_owned()))?;
        let scenario = Self { name: name.to_owned(), ..parsed };
        scenario.check()?;
        Ok(scenario)
    }

    /// Whether its numbers make sense together; to be called again when one is changed.
    ///
    /// # Errors
    /// [`LoadError::ScenarioInvalid`] with the first that does not.
    pub fn check(&self) -> Result<(), LoadError> {
        let Self { publishers, viewers, timing, .. } = self;
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let rules = [
            (publishers.people() + viewers.count > 0, "there must be somebody: publishers or viewers.count"),
            (publishers.people() + viewers.count <= PEOPLE_MAX, "there are more than 50,000 people"),
            ((1..=3).contains(&publishers.layers.len()), "publishers.layers must have 1 to 3 bit rates"),
            (
                publishers.layers.iter().all(|bits| (8_000..=50_000_000).contains(bits)),
                "publishers.layers must be 8,000 to 50,000,000 bit/s each",
            ),
            ((1..=3).contains(&publishers.temporal_layers), "publishers.temporal_layers must be 1 to 3"),
            ((1..=120).contains(&publishers.frames_per_second), "publishers.frames_per_second must be 1 to 120"),
            (share(publishers.speech_share), "publishers.speech_share must be 0 to 1"),
            ((24..=1_200).contains(&publishers.audio_bytes), "publishers.audio_bytes must be 24 to 1,200"),
            (share(viewers.decrypt), "viewers.decrypt must be 0 to 1"),
            (viewers.camera_slots <= all_cameras(), "viewers.camera_slots must be at most 25"),
            (viewers.voice_slots <= all_voices(), "viewers.voice_slots must be at most 8"),
            (viewers.read_pause_ms < 1_000, "viewers.read_pause_ms must be less than 1,000"),
            (viewers.receive_buffer <= i32::MAX as usize, "viewers.receive_buffer must be at most 2,147,483,647 bytes"),
            (timing.joins_per_second >= 0.0, "timing.joins_per_second must not be negative"),
            (timing.joins_in_flight > 0, "timing.joins_in_flight must be at least 1"),
            ((1..=86_400).contains(&timing.measured_s), "timing.measured_s must be 1 to 86,400"),
            (timing.warm_up_s <= 3_600, "timing.warm_up_s must be at most 3,600"),
            (self.churn.is_none() || self.talk.is_none(), "churn and talk exclude each other"),
        ];
        let broken = rules.into_iter().find(|(holds, _)| !holds).map(|(_, rule)| rule.to_owned());
        let broken = broken.or_else(|| self.check_thresholds()).or_else(|| self.check_stage());
        broken.map_or(Ok(()), |rule| Err(LoadError::ScenarioInvalid(self.name.clone(), rule)))
    }

    fn check_thresholds(&self) -> Option<String> {
        self.thresholds.iter().find_map(|(name, threshold)| {
            if !check::NAMES.contains(&name.as_str()) {
                return Some(format!("thresholds.{name} is not known; known are {}", check::NAMES.join(", ")));
            }
            let empty = threshold.min.is_none() && threshold.max.is_none();
            empty.then(|| format!("thresholds.{name} needs min or max"))
        })
    }

    fn check_stage(&self) -> Option<String> {
        let people = self.publishers.people();
        let capacity = self.churn.as_ref().map(|churn| churn.capacity);
        let capacity = capacity.or(self.talk.as_ref().map(|talk| talk.capacity));
        if let Some(capacity) = capacity
            && !(1..people).contains(&capacity)
        {
            return Some(format!("capacity must be 1 to {}: some publishers wait for a place", people.max(2) - 1));
        }
        if let Some(churn) = &self.churn
            && !(churn.joins_per_second > 0.0 && churn.joins_per_second <= 50.0)
        {
            return Some("churn.joins_per_second must be more than 0 and at most 50".to_owned());
        }
        let talk = self.talk.as_ref()?;
        crate::talk::check(talk, people, self.publishers.microphones, f64::from(self.timing.measured_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "description = 'x'\n[publishers]\ncameras = 1\n[viewers]\ncount = 3\n";

    fn refused(text: &str) -> LoadError {
        Scenario::parse("mine", text).unwrap_err()
    }

    #[test]
    fn every_shipped_scenario_is_right_and_has_thresholds() {
        for shipped in SHIPPED {
            let scenario = Scenario::load(shipped.name).unwrap_or_else(|error| panic!("{error}"));
            assert!(!scenario.thresholds.is_empty(), "{}", shipped.name);
            assert!(scenario.viewers.count > 0, "{}", shipped.name);
        }
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let scenario = Scenario::parse("mine", SMALL).unwrap();
        assert_eq!((scenario.timing, scenario.viewers.decrypt), (Timing::default(), 0.02));
        assert_eq!((scenario.publishers.people(), scenario.name.as_str()), (1, "mine"));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = refused(&SMALL.replace("count", "cuont"));
        assert_eq!(error.code(), "scenario_malformed");
        assert!(error.to_string().contains("cuont") && error.to_string().contains("line 5"), "{error}");
        assert_eq!(refused("description = ").code(), "scenario_malformed");
    }

    #[test]
    fn numbers_that_make_no_sense_are_named() {
        let wrong = |extra: &str, names: &str| {
            let error = refused(&format!("{SMALL}{extra}"));
            assert_eq!(error.code(), "scenario_invalid");
            assert!(error.to_string().contains(names), "{error}");
        };
        wrong("decrypt = 2.0\n", "viewers.decrypt");
        wrong("[timing]\nmeasured_s = 0\n", "timing.measured_s");
        wrong("[thresholds]\nlatencyy = { max = 1 }\n", "latencyy");
        wrong("[thresholds]\ndamaged = {}\n", "needs min or max");
        wrong("[churn]\ncapacity = 5\njoins_per_second = 1.0\n", "capacity");
        for broken in ["layers = []", "temporal_layers = 4", "temporal_layers = 0"] {
            assert_eq!(refused(&SMALL.replace("cameras = 1", broken)).code(), "scenario_invalid", "{broken}");
        }
    }

    #[test]
    fn a_scenario_that_is_not_there_is_told_from_one_that_cannot_be_read() {
        assert_eq!(Scenario::load("no-such-scenario").unwrap_err().code(), "scenario_unknown");
        let folder = std::env::temp_dir();
        assert_eq!(Scenario::load(folder.to_str().unwrap()).unwrap_err().code(), "scenario_file");
    }
}
