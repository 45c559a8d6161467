//! Every role, every ability and every choice of the table, controller and reference model side by side.

mod reference;

use dais_stage::{Ability, Actor, Allowed, Channel, Command, ParticipantId, Role};
use reference::pair::Pair;

// law: permissions-table, permissions-hosts
#[test]
fn hosts_set_the_table_and_each_role_may_what_it_says() {
    let hal = Actor::Person(ParticipantId(1));
    let mut steps = 0;
    for ability in Ability::ALL {
        for allowed in Allowed::ALL {
            let mut pair = Pair::with_each_role();
            for by in [2, 3, 4, 9].map(|id| Actor::Person(ParticipantId(id))) {
                let refusal = pair.play(&Command::SetPermission { by, ability, allowed }).unwrap_err();
                assert!(["hosts_only", "moderators_only", "not_in_room"].contains(&refusal.code()));
            }
            let change = Command::SetPermission { by: hal, ability, allowed };
            let was_so = pair.stage.settings().permissions.of(ability) == allowed;
            let result = pair.play(&change);
            assert_eq!(result.is_err(), was_so, "{result:?}");
            assert_eq!(pair.play(&change).unwrap_err().code(), "permission_unchanged");
            for (role, id) in Role::ALL.into_iter().zip(1..) {
                steps += 1;
                let id = ParticipantId(id);
                let said = pair.stage.permits(id, ability).map_err(|refusal| refusal.code());
                assert_eq!(said, pair.model.permitted(role, ability), "{role:?} {ability:?} {allowed:?}");
                // The model has its own say about each of these.
                let mut pair = pair.clone();
                let _ = pair.play(&Command::Say { id, channel: Channel::Everyone, text: "hello".to_owned() });
                let _ = pair.play(&Command::Say { id, channel: Channel::Moderators, text: "hush".to_owned() });
                let _ = pair.play(&Command::RaiseHand { id });
                let _ = pair.play(&Command::Present { id, sound: false });
            }
        }
    }
    assert_eq!(steps, 6 * 4 * 4);
}

// law: permissions-hands
#[test]
fn raised_hands_of_those_who_may_not_any_more_are_lowered() {
    let mut pair = Pair::with_each_role();
    (1..=4).for_each(|id| drop(pair.play(&Command::RaiseHand { id: ParticipantId(id) }).unwrap()));
    let hands = |pair: &Pair| pair.stage.participants().filter(|person| person.hand.is_some()).count();
    for (allowed, left) in [(Allowed::Speakers, 3), (Allowed::Moderators, 2), (Allowed::Nobody, 0)] {
        pair.play(&Command::SetPermission { by: Actor::Portal, ability: Ability::RaiseHand, allowed }).unwrap();
        assert_eq!(hands(&pair), left, "{allowed:?}");
    }
}

// law: permissions-table
#[test]
fn the_back_channel_is_open_where_the_chat_is_turned_off() {
    let mut pair = Pair::with_each_role();
    let off = Command::SetPermission { by: Actor::Portal, ability: Ability::Chat, allowed: Allowed::Nobody };
    pair.play(&off).unwrap();
    let say = |id, channel| Command::Say { id: ParticipantId(id), channel, text: "hello".to_owned() };
    assert_eq!(pair.play(&say(1, Channel::Everyone)).unwrap_err().code(), "feature_off");
    pair.play(&say(2, Channel::Moderators)).unwrap();
}
