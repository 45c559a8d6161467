//! Every state that eight commands can reach on a stage for two, controller and reference model side by side.
//!
//! Four people of different roles, all viewers at first, with each access to begin with. States that look the same are
//! one: times count by their order, people by who they are and not by their number, generations not at all. Breadth
//! first, so every state is met with the fewest commands and none of up to eight commands is left out.
//!
//! The alphabet is made small, not the depth. Refused commands make no new states, so whoever may not do a thing tries
//! it nevertheless. Left out, and left to `random.rs`:
//!
//! - links, phones, names, entering on stage, and the portal;
//! - the chat, which has a run of its own in `chat.rs`;
//! - changes of capacity and camera limit (two places and one camera shown), and protected moderators;
//! - coming on stage without microphone or camera, and the camera buttons of all but the participant;
//! - the hands of all but the participant, and asking to unmute, which changes nothing;
//! - moderating by the host, but where two moderators decide about one request or invitation;
//! - two commands in one millisecond, and grace times that end one by one: a wait ends all of them.

mod reference;

use std::hash::{BuildHasherDefault, Hasher};

use dais_stage::{Access, Actor, Command, Entry, EntryPlace, Identity, Millis, ParticipantId, Role, Settings, Stage};
use reference::Model;
use reference::pair::Pair;
use reference::same::assert_same_in_depth;

const DEPTH: usize = 8;

const NAMES: [&str; 4] = ["hal", "mia", "sue", "ann"];
const HAL: usize = 0;
const MIA: usize = 1;
const SUE: usize = 2;
const ANN: usize = 3;

/// Hashes of the states met. It is only asked whether it holds one, and never iterated.
#[expect(clippy::disallowed_types, reason = "its order has no part in the result")]
type Seen = std::collections::HashSet<u128, BuildHasherDefault<AsIs>>;

/// The commands that lead to a state from one of the three beginnings.
#[derive(Clone, Copy)]
struct Path {
    access: Access,
    length: u8,
    moves: [u8; DEPTH],
}

/// One letter of the alphabet. People are numbers in `NAMES`.
enum Move {
    Own(usize, fn(ParticipantId) -> Command),
    Over(usize, usize, fn(Actor, ParticipantId) -> Command),
    Room(usize, fn(Actor) -> Command),
    /// Comes in again, as a viewer.
    Enter(usize),
    /// So many milliseconds pass, enough for everything that is to happen at their end.
    Wait(u64),
    Restart,
}

fn alphabet() -> Vec<Move> {
    let mut moves = Vec::new();
    for who in [HAL, MIA, SUE, ANN] {
        moves.push(Move::Own(who, |id| Command::JoinStage { id, mic: true, camera: true }));
        moves.push(Move::Own(who, |id| Command::AskToJoin { id }));
        moves.push(Move::Own(who, |id| Command::LeaveStage { id }));
        moves.push(Move::Own(who, |id| Command::SpeechStarted { id }));
        moves.push(Move::Own(who, |id| Command::SpeechStopped { id }));
        moves.push(Move::Over(MIA, who, |by, target| Command::RemoveFromStage { by, target }));
        moves.push(Move::Over(MIA, who, |by, target| Command::RemoveFromRoom { by, target }));
        moves.push(Move::Over(who, ANN, |by, target| Command::Invite { by, target }));
        moves.push(Move::Over(who, ANN, |by, target| Command::Approve { by, target }));
        moves.push(Move::Over(who, ANN, |by, target| Command::Decline { by, target }));
        moves.push(Move::Over(who, ANN, |by, target| Command::WithdrawInvitation { by, target }));
        moves.push(Move::Enter(who));
    }
    for who in [HAL, MIA, SUE, ANN] {
        moves.push(Move::Own(who, |id| Command::SetMic { id, on: false }));
        moves.push(Move::Own(who, |id| Command::SetMic { id, on: true }));
        moves.push(Move::Over(MIA, who, |by, target| Command::Mute { by, target }));
        moves.push(Move::Own(who, |id| Command::LoseConnection { id }));
        moves.push(Move::Own(who, |id| Command::Return { id }));
        moves.push(Move::Own(who, |id| Command::Leave { id }));
    }
    moves.push(Move::Own(ANN, |id| Command::SetCamera { id, on: false }));
    moves.push(Move::Own(ANN, |id| Command::SetCamera { id, on: true }));
    moves.push(Move::Over(MIA, ANN, |by, target| Command::StopCamera { by, target }));
    moves.push(Move::Over(MIA, SUE, |by, target| Command::Invite { by, target }));
    moves.push(Move::Own(SUE, |id| Command::DeclineInvitation { id }));
    moves.push(Move::Own(ANN, |id| Command::CancelRequest { id }));
    moves.push(Move::Own(ANN, |id| Command::DeclineInvitation { id }));
    moves.push(Move::Own(ANN, |id| Command::RaiseHand { id }));
    moves.push(Move::Over(ANN, ANN, |by, target| Command::LowerHand { by, target }));
    moves.push(Move::Over(SUE, ANN, |by, target| Command::LowerHand { by, target }));
    moves.push(Move::Room(MIA, |by| Command::MuteAll { by }));
    moves.push(Move::Room(MIA, |by| Command::StopAllCameras { by }));
    moves.push(Move::Room(MIA, |by| Command::LowerAllHands { by }));
    for by in [MIA, ANN] {
        moves.push(Move::Room(by, |by| Command::SetAccess { by, access: Access::Everyone }));
        moves.push(Move::Room(by, |by| Command::SetAccess { by, access: Access::Request }));
        moves.push(Move::Room(by, |by| Command::SetAccess { by, access: Access::Invite }));
        moves.push(Move::Room(by, |by| Command::SetLock { by, locked: true }));
        moves.push(Move::Room(by, |by| Command::SetLock { by, locked: false }));
        moves.push(Move::Room(by, |by| Command::End { by }));
    }
    moves.push(Move::Wait(30_000));
    moves.push(Move::Wait(300_000));
    moves.push(Move::Restart);
    moves
}

const ROLES: [Role; 4] = [Role::Host, Role::Moderator, Role::Speaker, Role::Participant];

fn entry(who: usize, id: ParticipantId) -> Command {
    Command::Enter(Entry {
        id,
        identity: Identity(NAMES[who].to_owned()),
        name: NAMES[who].to_owned(),
        role: ROLES[who],
        link: None,
        phone: false,
        place: EntryPlace::Viewer,
    })
}

#[derive(Clone)]
struct Room {
    pair: Pair,
    /// Number each person had last.
    ids: [ParticipantId; 4],
}

impl Room {
    fn open(access: Access) -> Self {
        let settings = Settings { access, capacity: 2, camera_limit: 1, ..Settings::default() };
        let mut room = Self { pair: Pair::open(1_000, settings), ids: [ParticipantId(0); 4] };
        for who in 0..4 {
            room.ids[who] = room.pair.stage.next_id();
            room.pair.play(&entry(who, room.ids[who])).expect("everyone comes in");
        }
        room
    }

    fn command(&self, letter: &Move) -> Command {
        match letter {
            Move::Own(who, command) => command(self.ids[*who]),
            Move::Over(by, target, command) => command(Actor::Person(self.ids[*by]), self.ids[*target]),
            Move::Room(by, command) => command(Actor::Person(self.ids[*by])),
            Move::Enter(who) => entry(*who, self.pair.stage.next_id()),
            Move::Wait(_) => Command::PassTime,
            Move::Restart => Command::Restart,
        }
    }

    /// When a command comes: a millisecond after the one before, so that silence is told apart, or later.
    fn time_of(&self, letter: &Move) -> u64 {
        self.pair.now + if let Move::Wait(ms) = letter { *ms } else { 1 }
    }

    /// The room after a move that the controller accepts; a refusal was compared.
    fn after(&mut self, letter: &Move) -> Option<Self> {
        let (command, before, now) = (self.command(letter), self.pair.now, self.time_of(letter));
        match self.pair.stage.decide(Millis(now), &command) {
            Ok(events) => {
                let mut next = self.clone();
                next.pair.now = now;
                next.pair.accepted(&command, &events);
                if let Move::Enter(who) = letter {
                    next.ids[*who] = ParticipantId(self.pair.stage.next_id().0);
                }
                Some(next)
            }
            Err(refusal) => {
                self.pair.now = now;
                self.pair.refused(&command, &refusal);
                self.pair.now = before;
                None
            }
        }
    }
}

#[test]
fn in_every_state_within_eight_commands_controller_and_model_agree() {
    let moves = alphabet();
    let mut seen = Seen::default();
    let mut layer = Vec::new();
    for access in [Access::Everyone, Access::Request, Access::Invite] {
        layer.push(Path { access, length: 0, moves: [0; DEPTH] });
        seen.insert(fingerprint(&Room::open(access)));
    }
    let beginnings: Vec<Room> = layer.iter().map(|path| Room::open(path.access)).collect();
    let (mut steps, mut accepted) = (0_u64, 0_u64);
    println!("{} commands in each state", moves.len());
    for depth in 1..=DEPTH {
        let mut next = Vec::new();
        for path in &layer {
            let mut room = beginnings[path.access as usize].clone();
            let mut trail = Trail { access: path.access, commands: Vec::with_capacity(DEPTH + 1) };
            for letter in &path.moves[..usize::from(path.length)] {
                trail.commands.push(room.command(&moves[usize::from(*letter)]));
                room = room.after(&moves[usize::from(*letter)]).expect("it was accepted before");
            }
            let before = room.pair.clone();
            for (letter, one) in moves.iter().enumerate() {
                steps += 1;
                trail.commands.push(room.command(one));
                let after = room.after(one);
                trail.commands.pop();
                let Some(after) = after else { continue };
                accepted += 1;
                if seen.insert(fingerprint(&after)) && depth < DEPTH {
                    let mut path = *path;
                    path.moves[usize::from(path.length)] = u8::try_from(letter).expect("a small alphabet");
                    path.length += 1;
                    next.push(path);
                }
            }
            assert!(room.pair.stage == before.stage, "deciding changes nothing");
            assert!(room.pair.model == before.model, "a refusal changes nothing in the model");
            if steps.is_multiple_of(1 << 10) {
                assert_same_in_depth(&room.pair.stage, &room.pair.model);
            }
        }
        println!("{depth} commands: {} states, {steps} steps, {accepted} accepted", seen.len());
        layer = next;
    }
}

/// Tells the way to a state where the two differ.
struct Trail {
    access: Access,
    commands: Vec<Command>,
}

impl Drop for Trail {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("they differ, with {:?}, after the last of {:#?}", self.access, self.commands);
        }
    }
}

/// What two rooms that look the same have in common, in 128 bits. Two of ten million rooms that differ share one with a
/// chance below 10⁻²⁴.
fn fingerprint(room: &Room) -> u128 {
    let (stage, model) = (&room.pair.stage, &room.pair.model);
    let mut hash = Fnv::default();
    let settings = &model.settings;
    hash.add(settings.access as usize);
    hash.add(usize::from(model.locked) + 2 * usize::from(model.ended));
    for (who, name) in NAMES.iter().enumerate() {
        hash.add(usize::from(model.removed.iter().any(|identity| identity == name)));
        add_person(&mut hash, room, stage, model, who);
    }
    hash.0
}

fn add_person(hash: &mut Fnv, room: &Room, stage: &Stage, model: &Model, who: usize) {
    let id = room.ids[who].0;
    let Some(i) = model.find(id) else { return hash.add(255) };
    let person = &model.people[i];
    let rank = |list: &[u32]| list.iter().position(|other| *other == id).map_or(0, |n| n + 1);
    let slot = stage.camera_slots().position(|(_, occupancy)| occupancy.occupant == Some(ParticipantId(id)));
    let voice = stage.voice_slots().position(|(_, occupancy)| occupancy.occupant == Some(ParticipantId(id)));
    let who_is = |by: &Actor| room.ids.iter().position(|id| Actor::Person(*id) == *by).map_or(9, |n| n + 1);
    hash.add(rank(&model.stage));
    hash.add(rank(&model.cameras));
    hash.add(if person.on_stage { rank(&model.by_silence(u64::MAX)) } else { 0 });
    hash.add(slot.map_or(0, |n| n + 1));
    hash.add(voice.map_or(0, |n| n + 1));
    hash.add(usize::from(person.mic) + 2 * usize::from(person.speaking) + 4 * usize::from(person.may_return));
    hash.add(person.invited_by.as_ref().map_or(0, who_is));
    let decided = person.decided_by.as_ref().and_then(|by| NAMES.iter().position(|name| name == by));
    hash.add(decided.map_or(0, |n| n + 1));
    hash.add(rank(&model.requests));
    hash.add(rank(&model.hands));
    // Since when does not matter: the waits are as long as the grace time, and end it for all.
    hash.add(usize::from(person.lost));
}

/// FNV-1a of 128 bits, <http://www.isthe.com/chongo/tech/comp/fnv/>.
struct Fnv(u128);

impl Default for Fnv {
    fn default() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Fnv {
    fn add(&mut self, number: usize) {
        self.0 = (self.0 ^ number as u128).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
}

/// A fingerprint is a hash already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        let (head, _) = bytes.split_first_chunk().expect("a fingerprint has 16 bytes");
        self.0 = u64::from_ne_bytes(*head);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
