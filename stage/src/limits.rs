//! Every limit of the stage: its value, its reason, and what happens there.

/// Camera slots of a room. The layout every client negotiates has this many; the room's own camera limit may be lower.
pub const CAMERA_SLOTS: usize = 25;

/// Voice slots of a room. With no more open microphones than this nobody is ever switched.
pub const VOICE_SLOTS: usize = 8;

/// Default of [`Settings::capacity`](crate::Settings::capacity): most people on stage at once.
pub const CAPACITY_DEFAULT: usize = 100;

/// Most people in one room, viewers included. One more is refused with `room_full`. Bounds the roster, which every
/// client holds.
pub const PARTICIPANTS_MAX: usize = 10_000;

/// Longest display name in Unicode scalar values. A longer one is refused with `name_too_long`: tiles and lists cut
/// names at about 30, and a name is sent to everyone in the room.
pub const NAME_CHARS_MAX: usize = 64;

const _: () = assert!(CAMERA_SLOTS <= CAPACITY_DEFAULT, "a default room can fill its camera slots");
const _: () = assert!(CAMERA_SLOTS <= u8::MAX as usize, "a slot index is a u8");
const _: () = assert!(VOICE_SLOTS <= u8::MAX as usize, "a slot index is a u8");
