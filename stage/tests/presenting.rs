//! Every row of four commands about presenting, of every role, controller and reference model side by side.

mod reference;

use dais_stage::{Ability, Actor, Allowed, Command, Event, Generation, ParticipantId, PresentingEnd, Role, Settings};
use reference::pair::Pair;

const LENGTH: u32 = 4;

const HAL: ParticipantId = ParticipantId(1);
const MIA: ParticipantId = ParticipantId(2);
const SUE: ParticipantId = ParticipantId(3);
const ANN: ParticipantId = ParticipantId(4);
const NOBODY: ParticipantId = ParticipantId(9);

/// Each role presents, stops their own, and tries to stop everybody's, with what else changes who presents.
fn alphabet() -> Vec<Command> {
    let mut commands = Vec::new();
    for id in [HAL, MIA, SUE, ANN, NOBODY] {
        commands.push(Command::Present { id, sound: id == SUE });
        let by = Actor::Person(id);
        commands.extend([HAL, MIA, SUE, ANN, NOBODY].map(|target| Command::StopPresenting { by, target }));
        commands.push(Command::Leave { id });
        commands.push(Command::LoseConnection { id });
    }
    commands.push(Command::StopPresenting { by: Actor::Portal, target: SUE });
    commands.extend(Allowed::ALL.map(|allowed| permit(Actor::Person(HAL), allowed)));
    commands.push(Command::JoinStage { id: SUE, mic: true, camera: true });
    commands.push(Command::RemoveFromStage { by: Actor::Person(MIA), target: SUE });
    commands.push(Command::RemoveFromRoom { by: Actor::Person(MIA), target: SUE });
    commands.push(Command::Restart);
    commands.push(Command::PassTime);
    commands.push(Command::End { by: Actor::Person(HAL) });
    commands
}

fn permit(by: Actor, allowed: Allowed) -> Command {
    Command::SetPermission { by, ability: Ability::Present, allowed }
}

// law: present-who, present-one, present-stop, present-end
#[test]
fn in_every_row_of_presenting_controller_and_model_agree() {
    let commands = alphabet();
    let mut pair = Pair::with_each_role();
    // The participant may, or nobody would try to present as one.
    pair.play(&permit(Actor::Portal, Allowed::Everyone)).unwrap();
    // Every pause ends a grace time.
    let steps = pair.play_rows(&commands, LENGTH, 30_000);
    println!("{} commands, {steps} steps", commands.len());
    assert!(steps > 100_000);
}

// law: present-one, present-stop
#[test]
fn a_moderator_takes_over_and_nobody_else() {
    let mut pair = Pair::with_each_role();
    assert_eq!(pair.play(&Command::Present { id: ANN, sound: false }).unwrap_err().code(), "not_permitted");
    let (first, second, third) = (Generation(1), Generation(2), Generation(3));
    let started = pair.play(&Command::Present { id: SUE, sound: true }).unwrap();
    assert_eq!(started, [Event::PresentingStarted { id: SUE, sound: true, generation: first }]);
    assert_eq!(pair.play(&Command::Present { id: SUE, sound: true }).unwrap_err().code(), "presenting_already");
    let taken = pair.play(&Command::Present { id: MIA, sound: false }).unwrap();
    let end = PresentingEnd::TakenOver { by: MIA };
    let stopped = Event::PresentingStopped { id: SUE, end, generation: second };
    assert_eq!(taken, [stopped, Event::PresentingStarted { id: MIA, sound: false, generation: third }]);
    assert_eq!(pair.play(&Command::Present { id: SUE, sound: true }).unwrap_err().code(), "somebody_presents");
    let stop = |by, target| Command::StopPresenting { by: Actor::Person(by), target };
    assert_eq!(pair.play(&stop(SUE, MIA)).unwrap_err().code(), "moderators_only");
    assert_eq!(pair.play(&stop(HAL, SUE)).unwrap_err().code(), "not_presenting", "not whoever presents by now");
    pair.play(&stop(HAL, MIA)).unwrap();
    assert_eq!(pair.stage.presenter(), None);
}

// law: present-end
#[test]
fn it_goes_on_off_the_stage_and_through_a_lost_connection_and_ends_with_the_permission() {
    let mut pair = Pair::with_each_role();
    pair.play(&Command::JoinStage { id: SUE, mic: true, camera: false }).unwrap();
    pair.play(&Command::Present { id: SUE, sound: true }).unwrap();
    pair.play(&Command::RemoveFromStage { by: Actor::Person(MIA), target: SUE }).unwrap();
    pair.play(&Command::LoseConnection { id: SUE }).unwrap();
    pair.play(&Command::Return { id: SUE }).unwrap();
    assert_eq!(pair.stage.presenter(), Some(SUE));
    let events = pair.play(&permit(Actor::Person(HAL), Allowed::Moderators)).unwrap();
    let end = PresentingEnd::NotPermitted { by: Actor::Person(HAL) };
    assert_eq!(events.last(), Some(&Event::PresentingStopped { id: SUE, end, generation: Generation(2) }));
    pair.play(&Command::Present { id: HAL, sound: false }).unwrap();
    pair.play(&Command::LoseConnection { id: HAL }).unwrap();
    pair.now += 30_000;
    pair.play(&Command::PassTime).unwrap();
    assert_eq!(pair.stage.presenter(), None, "gone for longer than the grace time");
    pair.play(&Command::Present { id: MIA, sound: false }).unwrap();
    pair.play(&Command::End { by: Actor::Portal }).unwrap();
    pair.reopen(Settings::default());
    pair.enter(Role::Host, "hal");
    assert_eq!(pair.stage.presenter(), None);
}
