//! Every limit of the stage: its value, its reason, and what happens there.

/// Camera slots of a room. The layout every client negotiates has this many; the room's own camera limit may be lower.
pub const CAMERA_SLOTS: usize = 25;

/// Voice slots of a room. With no more open microphones than this nobody is ever switched.
pub const VOICE_SLOTS: usize = 8;

/// Default of [`Settings::capacity`](crate::Settings::capacity): most people on stage at once.
pub const CAPACITY_DEFAULT: usize = 100;

/// Greatest capacity a room can be given. More is refused with `capacity_invalid`: everyone on stage is told to
/// everyone in the room.
pub const CAPACITY_MAX: usize = 1_000;

/// Default of [`Settings::grace_ms`](crate::Settings::grace_ms): a dropped connection keeps its place this long.
pub const GRACE_MS_DEFAULT: u64 = 30_000;

/// Default of [`Settings::empty_after_ms`](crate::Settings::empty_after_ms): a room empty this long ends.
pub const EMPTY_AFTER_MS_DEFAULT: u64 = 300_000;

/// Most people in one room, viewers included. One more is refused with `room_full`. Bounds the roster.
pub const PARTICIPANTS_MAX: usize = 10_000;

/// Longest display name in Unicode scalar values. A longer one is refused with `name_too_long`: tiles and lists cut
/// names at about 30, and a name is sent to everyone in the room.
pub const NAME_CHARS_MAX: usize = 64;

/// Most role links of a room, withdrawn ones included. One more is refused with `too_many_links`.
pub const LINKS_MAX: usize = 1_000;

/// Most people removed from one room. One more is refused with `too_many_removed`; the room can be locked instead.
pub const REMOVED_MAX: usize = 10_000;

/// Longest chat message in Unicode scalar values. A longer one is refused with `chat_text_too_long`.
pub const CHAT_CHARS_MAX: usize = 2_000;

/// Chat messages a room remembers; older ones are in the journal only, and are not shown any more. Bounds a snapshot.
pub const CHAT_KEPT: usize = 2_000;

/// Most people blocked from the chat of one room. One more is refused with `too_many_blocked`.
pub const CHAT_BLOCKED_MAX: usize = 10_000;

/// Most polls and quizzes of one session, drafts included. One more is refused with `too_many_polls`; old ones can be
/// deleted. Bounds a snapshot.
pub const POLLS_MAX: usize = 100;

/// Most questions of a quiz. More are refused with `poll_questions_invalid`.
pub const POLL_QUESTIONS_MAX: usize = 50;

/// Fewest options of a question: with one there is nothing to choose.
pub const POLL_OPTIONS_MIN: usize = 2;

/// Most options of a question. More are refused with `poll_options_invalid`: they would not fit a phone.
pub const POLL_OPTIONS_MAX: usize = 10;

/// Longest question and title in Unicode scalar values. A longer one is refused with `poll_text_too_long`.
pub const POLL_TEXT_CHARS_MAX: usize = 300;

/// Longest option in Unicode scalar values. A longer one is refused with `poll_text_too_long`.
pub const POLL_OPTION_CHARS_MAX: usize = 100;

/// Shortest time of a question, seconds: it has to be read. A shorter one is refused with `poll_seconds_invalid`.
pub const POLL_SECONDS_MIN: u32 = 5;

/// Longest time of a question, seconds. A longer one is refused with `poll_seconds_invalid`.
pub const POLL_SECONDS_MAX: u32 = 3_600;

/// Most points of a question. More are refused with `poll_points_invalid`: the sum of a quiz stays readable.
pub const POLL_POINTS_MAX: u32 = 1_000;

const _: () = assert!(POLL_OPTIONS_MAX <= u16::BITS as usize, "each option is one bit of a choice");
const _: () = assert!(POLL_QUESTIONS_MAX <= u8::MAX as usize, "the index of a question is a u8");
const _: () = assert!(CAMERA_SLOTS <= CAPACITY_DEFAULT, "a default room can fill its camera slots");
const _: () = assert!(CAPACITY_DEFAULT <= CAPACITY_MAX && CAPACITY_MAX <= PARTICIPANTS_MAX, "a full stage is a room");
const _: () = assert!(CAMERA_SLOTS <= u8::MAX as usize, "a slot index is a u8");
const _: () = assert!(VOICE_SLOTS <= u8::MAX as usize, "a slot index is a u8");
