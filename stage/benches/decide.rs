//! How fast a stage decides, with 100 people on stage and 5,000 viewers. `cargo bench -p dais-stage`.

use dais_stage::{
    Access, Actor, Command, Entry, EntryPlace, Event, Identity, Millis, NameSearch, ParticipantId, Role, Settings,
    Stage,
};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

const ON_STAGE: u32 = 100;
const VIEWERS: u32 = 5_000;
const HOST: ParticipantId = ParticipantId(1);

fn main() {
    divan::main();
}

fn entry(id: ParticipantId, role: Role, place: EntryPlace) -> Command {
    let name = format!("Person {}", id.0);
    let identity = Identity(format!("person-{}", id.0));
    Command::Enter(Entry { id, identity, name, role, link: None, phone: false, place })
}

fn enact(stage: &mut Stage, now: Millis, command: &Command) {
    let events = stage.decide(now, command).expect("the command is allowed");
    events.iter().for_each(|event| stage.apply(now, event));
}

/// A full stage, everybody on it with microphone and camera on, some speaking; then viewers, some of whom ask.
fn room() -> Stage {
    let opened = Event::Opened { title: "A webinar".to_owned(), settings: Settings::default() };
    let mut stage = Stage::replay([(Millis(0), &opened)]);
    for n in 1..=ON_STAGE + VIEWERS {
        let role = if n == HOST.0 { Role::Host } else { Role::Participant };
        let on_stage = n <= ON_STAGE;
        let place = if on_stage { EntryPlace::Stage { mic: true, camera: true } } else { EntryPlace::Viewer };
        enact(&mut stage, Millis(n.into()), &entry(ParticipantId(n), role, place));
        if on_stage && n.is_multiple_of(7) {
            enact(&mut stage, Millis(n.into()), &Command::SpeechStarted { id: ParticipantId(n) });
        }
    }
    enact(&mut stage, Millis(10_000), &Command::SetAccess { by: HOST.into(), access: Access::Request });
    stage
}

/// What happens in a webinar, in a fixed order: people ask, are brought, come on the full stage, speak, mute, and try
/// what they may not.
fn commands() -> Vec<Command> {
    let by = Actor::Person(HOST);
    let mut commands = Vec::new();
    for n in 0..1_000u32 {
        let viewer = ParticipantId(ON_STAGE + 1 + n * 5);
        let other = ParticipantId(ON_STAGE + 2 + n * 5);
        let id = ParticipantId(2 + n % (ON_STAGE - 2));
        commands.extend([
            Command::AskToJoin { id: viewer },
            Command::Approve { by, target: viewer },
            Command::RaiseHand { id: other },
            Command::SpeechStarted { id },
            Command::SpeechStopped { id },
            Command::JoinStage { id: viewer, mic: true, camera: true },
            Command::JoinStage { id: other, mic: true, camera: true },
            Command::SetMic { id, on: false },
            Command::SetMic { id, on: true },
            Command::LeaveStage { id },
        ]);
    }
    commands
}

/// Deciding alone, on a stage that does not change.
#[divan::bench]
fn decide(bencher: Bencher<'_, '_>) {
    let (stage, commands) = (room(), commands());
    bencher.counter(ItemsCount::new(commands.len())).bench(|| {
        for command in &commands {
            let _ = black_box(stage.decide(Millis(20_000), black_box(command)));
        }
    });
}

/// Deciding and applying, as a room does.
#[divan::bench]
fn decide_and_apply(bencher: Bencher<'_, '_>) {
    let (stage, commands) = (room(), commands());
    bencher.counter(ItemsCount::new(commands.len())).with_inputs(|| stage.clone()).bench_values(|mut stage| {
        for (n, command) in (0u64..).zip(&commands) {
            let now = Millis(20_000 + n);
            if let Ok(events) = stage.decide(now, command) {
                events.iter().for_each(|event| stage.apply(now, event));
            }
        }
        stage
    });
}

/// The costliest command alone: coming on the full stage with microphone and camera, which removes somebody who had
/// both.
#[divan::bench]
fn join_the_full_stage(bencher: Bencher<'_, '_>) {
    let mut stage = room();
    let id = ParticipantId(ON_STAGE + 1);
    enact(&mut stage, Millis(20_000), &Command::Invite { by: HOST.into(), target: id });
    let command = Command::JoinStage { id, mic: true, camera: true };
    bencher.counter(ItemsCount::new(1u32)).bench(|| stage.decide(Millis(30_000), black_box(&command)));
}

/// One search among everybody's names: for what all have, one has, and nobody has.
#[divan::bench(args = ["person", "person 5100", "nobody"])]
fn search_by_name(bencher: Bencher<'_, '_>, wanted: &str) {
    let stage = room();
    let mut search = NameSearch::new(wanted);
    bencher.bench_local(|| stage.participants().filter(|person| search.finds(black_box(&person.name))).count());
}
