//! What is taken of a publisher, what is asked for again, and which layers are there.

use std::time::Duration;

use super::*;
use crate::layers::Frames;

fn header(seq: u16) -> Header {
    let mut packet = vec![0x80, 96];
    packet.extend(seq.to_be_bytes());
    packet.extend([0; 8]);
    Header::parse(&packet).unwrap()
}

const KEY: &[u8] = &[0x10, 0x00, 0, 0];
const DELTA: &[u8] = &[0x10, 0x01, 0, 0];

struct Camera {
    source: Source,
    now: Instant,
}

impl Camera {
    fn with_layers(layers: u8) -> Self {
        Self::of(MediaKind::Camera, layers)
    }

    fn of(kind: MediaKind, layers: u8) -> Self {
        let mut source = Source::new(kind);
        (0..layers).for_each(|layer| source.bind(Layer(layer), Ssrc(u32::from(layer) + 1), StreamId::default()));
        source.want_layers(LayerSet::of([Layer(0)]));
        Self { source, now: Instant::now() }
    }

    fn receive(&mut self, layer: u8, seq: u16, payload: &[u8]) -> Result<Option<u64>, DropReason> {
        let header = header(seq);
        let incoming = Incoming { header: &header, payload, codec: Some(Codec::Vp8), level: None, recovered: false };
        let packet = self.source.receive(Layer(layer), &incoming, self.now)?;
        Ok(packet.map(|packet| packet.seq - 0x1_0000))
    }

    fn receive_frame(&mut self, layer: u8, seq: u16) {
        let mut header = header(seq);
        header.marker = true;
        let incoming =
            Incoming { header: &header, payload: DELTA, codec: Some(Codec::Vp8), level: None, recovered: false };
        self.source.receive(Layer(layer), &incoming, self.now).unwrap();
    }

    fn want(&mut self, layers: &[u8]) {
        self.source.want_layers(LayerSet::of(layers.iter().copied().map(Layer)));
    }

    fn requests(&mut self) -> Vec<Request> {
        let mut all = Vec::new();
        self.source.requests(self.now, |request| all.push(request));
        all
    }
}

#[test]
fn a_screen_on_which_nothing_changes_is_there_and_a_layer_that_falls_behind_is_not() {
    let mut screen = Camera::of(MediaKind::Screen, 2);
    let mut camera = Camera::with_layers(2);
    for source in [&mut screen, &mut camera] {
        (0..2).for_each(|layer| source.receive_frame(layer, 1));
        source.now += 40 * limits::LAYER_STALE;
    }
    let layers = |layers: &[u8]| LayerSet::of(layers.iter().copied().map(Layer));
    assert_eq!(screen.source.live(screen.now), layers(&[0, 1]));
    assert_eq!(screen.source.rates(screen.now).unwrap().layers(), layers(&[0, 1]));
    assert_eq!(camera.source.live(camera.now), layers(&[]));
    for seq in 2..2 + limits::LAYER_OVERTAKEN_FRAMES as u16 {
        screen.receive_frame(0, seq);
    }
    assert_eq!(screen.source.live(screen.now), layers(&[0]), "the browser stopped the larger one");
}

#[test]
fn of_a_camera_with_temporal_layers_half_of_the_frames_can_be_had() {
    let quality = |frames| Quality { layer: Layer(0), frames };
    let payload = |temporal: u8| [[0x90, 0xe0, 0x80, 1, 1, temporal << 6 | 0x20, 1].as_slice(), &[0; 500]].concat();
    let percent = |kind| {
        let mut camera = Camera::of(kind, 1);
        for frame in 0..32 {
            let temporal = [0, 2, 1, 2][usize::from(frame % 4)];
            camera.receive(0, frame, &payload(temporal)).unwrap();
            camera.now += Duration::from_millis(33);
        }
        let rates = camera.source.rates(camera.now).unwrap();
        rates.of(quality(Frames::Half)) * 100 / rates.of(quality(Frames::All))
    };
    assert!((48..=52).contains(&percent(MediaKind::Camera)), "{}", percent(MediaKind::Camera));
    assert_eq!(percent(MediaKind::Screen), 0, "its last frame may be the one that stays");
}

#[test]
fn layers_that_somebody_gets_are_forwarded_and_a_new_one_starts_with_a_key_frame() {
    let mut camera = Camera::with_layers(3);
    camera.want(&[1]);
    assert_eq!(camera.receive(1, 1, KEY), Ok(Some(1)));
    assert_eq!(camera.receive(0, 1, KEY), Ok(None));
    camera.requests();
    camera.now += limits::KEY_FRAME_RETRY;
    camera.want(&[0, 1]);
    assert_eq!(camera.requests(), [Request::KeyFrame(Ssrc(1))]);
    assert_eq!(camera.receive(0, 2, DELTA), Ok(Some(2)));
    assert_eq!(camera.receive(1, 2, DELTA), Ok(Some(2)));
    assert_eq!(camera.receive(2, 1, KEY), Ok(None));
    camera.want(&[]);
    assert_eq!(camera.receive(0, 3, KEY), Ok(None), "nobody looks");
}

#[test]
fn pictures_of_somebody_who_was_out_of_reach_go_on_with_a_key_frame() {
    let mut camera = Camera::with_layers(2);
    for layer in [0, 1] {
        camera.receive(layer, 1, KEY).unwrap();
    }
    camera.requests();
    camera.source.moved(camera.now);
    camera.now += limits::KEY_FRAME_RETRY;
    assert_eq!(camera.requests(), [], "nothing is lost by a new address alone");
    camera.now += limits::OUT_OF_REACH;
    camera.source.moved(camera.now);
    assert_eq!(camera.requests(), [Request::KeyFrame(Ssrc(1))], "nobody gets the other");
    camera.receive(0, 200, KEY).unwrap();
    camera.now += limits::KEY_FRAME_RETRY;
    assert_eq!(camera.requests(), [], "packets of before are not asked for");
}

#[test]
fn a_layer_that_stops_is_stood_in_for() {
    let mut camera = Camera::with_layers(3);
    camera.want(&[1]);
    assert_eq!(camera.receive(0, 1, KEY), Ok(Some(1)), "the other is not there yet");
    assert_eq!(camera.receive(1, 1, KEY), Ok(Some(1)));
    assert_eq!(camera.receive(0, 2, DELTA), Ok(None));
    camera.now += limits::LAYER_STALE;
    assert_eq!(camera.receive(0, 3, DELTA), Ok(Some(3)));
    camera.requests();
    camera.source.want_key_frame(Some(Layer(1)), camera.now);
    camera.now += limits::KEY_FRAME_RETRY;
    assert_eq!(camera.requests(), [Request::KeyFrame(Ssrc(1))], "of what stands in");
}

#[test]
fn a_layer_is_gone_when_another_goes_on_without_it() {
    let mut camera = Camera::with_layers(2);
    camera.want(&[1]);
    for seq in 1..=limits::LAYER_OVERTAKEN_FRAMES as u16 {
        camera.receive_frame(1, seq);
        camera.receive_frame(0, seq);
    }
    let there = |camera: &mut Camera| camera.source.live(camera.now).iter().count();
    for seq in 20..20 + limits::LAYER_OVERTAKEN_FRAMES as u16 {
        assert_eq!(there(&mut camera), 2);
        camera.now += limits::LAYER_OVERTAKEN_FOR / limits::LAYER_OVERTAKEN_FRAMES;
        camera.receive_frame(0, seq);
    }
    assert_eq!(there(&mut camera), 1);
}

#[test]
fn rates_are_told_when_a_layer_comes_and_then_now_and_then() {
    let mut camera = Camera::with_layers(2);
    camera.want(&[0]);
    assert_eq!(camera.source.rates(camera.now), Some(Rates::default()));
    camera.receive(0, 1, KEY).unwrap();
    assert_eq!(camera.source.rates(camera.now), Some(Rates::new([150_000, 0, 0])), "not measured yet");
    assert_eq!(camera.source.rates(camera.now), None);
    for seq in 2..52 {
        camera.now += Duration::from_millis(20);
        camera.receive(0, seq, &[KEY, &[0; 940]].concat()).unwrap();
    }
    let rates = camera.source.rates(camera.now).unwrap();
    let rate = rates.of(Quality::all_of(Layer(0)));
    assert!((380_000..420_000).contains(&rate), "50 packets of 1,000 bytes a second: {rate}");
}

#[test]
fn a_camera_without_simulcast_is_forwarded() {
    let mut camera = Camera::with_layers(1);
    assert_eq!(camera.receive(0, 1, KEY), Ok(Some(1)));
    assert_eq!(camera.receive(0, 2, DELTA), Ok(Some(2)));
}

#[test]
fn padding_leaves_no_gap() {
    let mut camera = Camera::with_layers(1);
    camera.receive(0, 1, KEY).unwrap();
    assert_eq!(camera.receive(0, 2, &[]), Err(DropReason::Padding));
    assert_eq!(camera.receive(0, 4, DELTA), Ok(Some(3)));
    assert_eq!(camera.receive(0, 3, DELTA), Ok(Some(2)));
    assert_eq!(camera.receive(0, 3, DELTA), Err(DropReason::Duplicate));
}

#[test]
fn padding_that_was_overtaken_gives_no_number_twice() {
    let mut camera = Camera::with_layers(1);
    camera.receive(0, 2, KEY).unwrap();
    assert_eq!(camera.receive(0, 4, DELTA), Ok(Some(4)));
    assert_eq!(camera.receive(0, 3, &[]), Err(DropReason::Padding));
    assert_eq!(camera.receive(0, 5, DELTA), Ok(Some(5)));
    assert_eq!(camera.receive(0, 6, &[]), Err(DropReason::Padding));
    assert_eq!(camera.receive(0, 7, DELTA), Ok(Some(6)));
}

#[test]
fn a_packet_from_before_more_padding_than_is_remembered_gets_no_number_of_another() {
    let mut camera = Camera::with_layers(1);
    assert_eq!(camera.receive(0, 1, KEY), Ok(Some(1)));
    for seq in 3..68 {
        assert_eq!(camera.receive(0, seq, &[]), Err(DropReason::Padding));
    }
    assert_eq!(camera.receive(0, 2, DELTA), Err(DropReason::Duplicate), "it would be number 1 again");
    assert_eq!(camera.receive(0, 68, DELTA), Ok(Some(3)));
}

#[test]
fn a_lost_packet_is_asked_for_and_a_closed_gate_forgets_it() {
    let mut camera = Camera::with_layers(1);
    camera.receive(0, 1, KEY).unwrap();
    camera.receive(0, 3, DELTA).unwrap();
    assert_eq!(camera.requests(), [Request::Packets(Ssrc(1), vec![2])]);
    camera.now += limits::NACK_RETRY;
    camera.source.close();
    assert_eq!(camera.requests(), []);
}

#[test]
fn reception_reports_count_losses() {
    let mut camera = Camera::with_layers(1);
    camera.receive(0, 1, KEY).unwrap();
    for seq in [2, 3, 5] {
        camera.receive(0, seq, DELTA).unwrap();
    }
    let block = camera.source.reception_reports(camera.now).next().unwrap();
    assert_eq!((block.lost, block.fraction_lost, block.highest_seq), (1, 51, 0x1_0005));
}

#[test]
fn no_number_is_taken_twice_whatever_was_forgotten_in_between() {
    let mut voice = Voice::new();
    for seq in [96, 97, 99, 100] {
        assert_eq!(voice.receive(seq, false), Ok(Some(u64::from(seq))));
    }
    assert_eq!(voice.receive(98, true), Ok(Some(98)));
    voice.now += limits::OUT_OF_REACH;
    voice.source.moved(voice.now);
    assert_eq!(voice.receive(98, false), Err(DropReason::Duplicate), "it came with 99");
    assert_eq!(voice.receive(95, false), Err(DropReason::Duplicate), "too late");
    assert_eq!(voice.receive(103, false), Ok(Some(103)));
    assert_eq!(voice.receive(100, true), Err(DropReason::Duplicate));
    assert_eq!(voice.receive(102, true), Err(DropReason::Duplicate), "sent while it was out of reach");
    assert_eq!(voice.receive(105, false), Ok(Some(105)));
    assert_eq!(voice.receive(104, true), Ok(Some(104)));
    assert_eq!(voice.receive(104, true), Err(DropReason::Duplicate));
}

#[test]
fn what_was_refused_at_the_gate_does_not_come_with_what_follows() {
    let mut voice = Voice::new();
    assert_eq!(voice.receive(98, false), Ok(Some(98)));
    voice.source.close();
    voice.source.refuse(Layer(0), 100);
    assert_eq!(voice.receive(99, false), Err(DropReason::Duplicate), "sent before the gate opened");
    assert_eq!(voice.receive(101, false), Ok(Some(101)));
    assert_eq!(voice.receive(100, true), Err(DropReason::Duplicate));
    assert_eq!(voice.receive(103, false), Ok(Some(103)));
    assert_eq!(voice.receive(102, true), Ok(Some(102)));
}

#[test]
fn losses_are_asked_for_again_however_much_was_refused_before() {
    let mut camera = Camera::with_layers(1);
    camera.receive(0, 1_000, KEY).unwrap();
    camera.source.close();
    for refused in (1_001..60_000).step_by(500) {
        camera.source.refuse(Layer(0), refused);
    }
    camera.receive(0, 60_001, KEY).unwrap();
    camera.receive(0, 60_004, DELTA).unwrap();
    let asked = camera.requests();
    assert!(asked.contains(&Request::Packets(Ssrc(1), vec![60_002, 60_003])), "{asked:?}");
}

#[test]
fn what_a_voice_has_lost_is_given_up_when_no_packet_can_carry_it_any_more() {
    let mut voice = Voice::new();
    // As many as there is room for.
    let last = 2 * limits::NACK_PACKETS as u16;
    (0..=last).step_by(2).for_each(|seq| assert!(voice.receive(seq, false).is_ok()));
    assert_eq!(voice.receive(last - 3, true), Ok(Some(u64::from(last - 3))));
    assert_eq!(voice.receive(last - 99, true), Err(DropReason::Duplicate));
    assert_eq!(voice.receive(last + 3, false), Ok(Some(u64::from(last + 3))));
    assert_eq!(voice.receive(last + 1, true), Ok(Some(u64::from(last + 1))), "what is missing is never too much");
}

struct Voice {
    source: Source,
    now: Instant,
}

impl Voice {
    fn new() -> Self {
        let mut source = Source::new(MediaKind::Mic);
        source.bind(Layer(0), Ssrc(1), StreamId::default());
        Self { source, now: Instant::now() }
    }

    fn receive(&mut self, seq: u16, recovered: bool) -> Result<Option<u64>, DropReason> {
        let header = header(seq);
        let incoming = Incoming { header: &header, payload: b"opus", codec: None, level: None, recovered };
        let packet = self.source.receive(Layer(0), &incoming, self.now)?;
        Ok(packet.map(|packet| packet.seq - 0x1_0000))
    }
}
