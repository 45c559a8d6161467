//! Every row of four chat commands, of every role, controller and reference model side by side.

mod reference;

use dais_stage::{Actor, Channel, Command, MessageId, Millis, ParticipantId, Role, Settings};
use reference::pair::Pair;

const LENGTH: u32 = 4;

/// Each command by each of the four and by somebody who is not there; the portal's rights are a host's.
fn alphabet() -> Vec<Command> {
    let mut commands = Vec::new();
    for id in [1, 2, 3, 4, 9].map(ParticipantId) {
        let by = Actor::Person(id);
        commands.push(Command::Say { id, channel: Channel::Everyone, text: "hello".to_owned() });
        commands.push(Command::Say { id, channel: Channel::Moderators, text: "hush".to_owned() });
        commands.push(Command::DeleteMessage { by, message: MessageId(1) });
        commands.push(Command::PinMessage { by, message: Some(MessageId(1)) });
        commands.push(Command::PinMessage { by, message: None });
        commands.push(Command::ClearChat { by });
        commands.push(Command::BlockFromChat { by, target: ParticipantId(4), block: true });
        commands.push(Command::BlockFromChat { by, target: ParticipantId(4), block: false });
        commands.push(Command::BlockFromChat { by, target: ParticipantId(1), block: true });
    }
    commands
}

// law: chat-channels, chat-moderate, chat-block
#[test]
fn in_every_row_of_chat_commands_controller_and_model_agree() {
    let commands = alphabet();
    let steps = Pair::with_each_role().play_rows(&commands, LENGTH, 0);
    println!("{} commands, {steps} steps", commands.len());
    assert!(steps > 10_000);
}

// law: chat-block, chat-new-session
#[test]
fn blocked_is_blocked_for_whoever_comes_again_and_in_a_later_session_where_nothing_is_said_yet() {
    let mut pair = Pair::with_each_role();
    let (by, ann) = (Actor::Portal, ParticipantId(4));
    pair.play(&Command::Say { id: ann, channel: Channel::Everyone, text: "one".to_owned() }).unwrap();
    pair.play(&Command::BlockFromChat { by, target: ann, block: true }).unwrap();
    pair.play(&Command::Leave { id: ann }).unwrap();
    pair.enter(Role::Participant, "ann");
    let say = |id| Command::Say { id: ParticipantId(id), channel: Channel::Everyone, text: "two".to_owned() };
    assert_eq!(pair.play(&say(5)).unwrap_err().code(), "chat_blocked");
    pair.play(&Command::End { by }).unwrap();
    pair.reopen(Settings::default());
    pair.enter(Role::Participant, "ann");
    pair.enter(Role::Participant, "ben");
    assert_eq!(pair.stage.chat().messages(Channel::Everyone).count(), 0);
    assert_eq!(pair.play(&say(6)).unwrap_err().code(), "chat_blocked");
    pair.play(&say(7)).unwrap();
    assert_eq!(pair.stage.chat().messages(Channel::Everyone).next().unwrap().id, MessageId(2));
}

// law: chat-history
#[test]
fn as_many_messages_as_are_kept_stay_and_the_pinned_one_besides() {
    let mut pair = Pair::with_each_role();
    let (now, id) = (Millis(pair.now), ParticipantId(1));
    let by = Actor::Person(id);
    let mut play = |command: Command| {
        let events = pair.stage.decide(now, &command).unwrap();
        events.iter().for_each(|event| pair.stage.apply(now, event));
    };
    let say = || Command::Say { id, channel: Channel::Everyone, text: "again".to_owned() };
    play(say());
    play(Command::PinMessage { by, message: Some(MessageId(1)) });
    (0..dais_stage::limits::CHAT_KEPT).for_each(|_| play(say()));
    let chat = pair.stage.chat();
    assert_eq!(chat.messages(Channel::Everyone).count(), dais_stage::limits::CHAT_KEPT);
    assert_eq!(chat.messages(Channel::Everyone).next().unwrap().id, MessageId(2));
    assert_eq!(chat.pinned().unwrap().id, MessageId(1));
    let events = pair.stage.decide(now, &Command::DeleteMessage { by, message: MessageId(1) }).unwrap();
    events.iter().for_each(|event| pair.stage.apply(now, event));
    assert!(pair.stage.chat().pinned().is_none());
}
