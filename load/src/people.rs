//! The people on stage, as a scenario describes them.

use dais_signaling::protocol::{Place, Role};

use crate::camera::Camera;
use crate::engine::Part;
use crate::join::Guest;
use crate::microphone::{Microphone, Talk};
use crate::publish::Publisher;
use crate::random::Random;
use crate::scenario::Scenario;
use crate::sdp::Sections;

/// Each publisher has this many SSRCs from here on: a microphone and up to three layers.
const SSRC_BASE: u32 = 0x2000_0000;
const SSRCS: u32 = 4;

/// The `number`-th of them; on stage from the start, or a viewer for now.
pub(crate) fn publisher(scenario: &Scenario, number: usize, on_stage: bool, random: &Random) -> Guest {
    let publishers = &scenario.publishers;
    let (has_camera, has_mic) = (number < publishers.cameras, number < publishers.microphones);
    let mic_ssrc = SSRC_BASE + SSRCS * number as u32;
    let camera_ssrc = mic_ssrc + 1;
    let random = random.fork(number as u64);
    let camera = || Camera::new(publishers, camera_ssrc, random.fork(1));
    let talk = match publishers.speech_share {
        0.0 => Talk::Now(false),
        1.0 => Talk::Now(true),
        share => Talk::Share { share },
    };
    let microphone = || Microphone::new(publishers.audio_bytes, talk, mic_ssrc, random.fork(2));
    let mut publisher = Publisher::new(has_camera.then(camera), has_mic.then(microphone));
    publisher.set_sending(on_stage, 0);
    Guest {
        number,
        name: format!("Publisher {number}"),
        role: Role::Speaker,
        place: if on_stage { Place::Stage } else { Place::Viewer },
        mic: has_mic,
        camera: has_camera,
        sections: Sections {
            mic_ssrc: Some(mic_ssrc),
            camera_ssrc: Some(camera_ssrc),
            layers: publishers.layers.len(),
            cameras: 0,
            voices: 0,
            feedback: false,
        },
        part: Part::Publish(Box::new(publisher)),
        awaits_media: false,
    }
}
