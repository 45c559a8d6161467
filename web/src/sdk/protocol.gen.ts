// Generated from signaling/src/protocol by `cargo xtask gen`.

export const PROTOCOL = 2;

export type ClientMessage = { "type": "hello", 
/**
 * Version of the protocol the client speaks.
 */
protocol: number, 
/**
 * Access token.
 */
token: string, 
/**
 * On a phone, which enters as a viewer.
 */
phone: boolean, } | { "type": "enter", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Display name, where the token has none.
 */
name?: string, 
/**
 * Where to. Whoever comes back has their place.
 */
place: Place, 
/**
 * On stage: with the microphone on.
 */
mic: boolean, 
/**
 * On stage: with the camera on.
 */
camera: boolean, 
/**
 * SDP offer, to be answered with the entry.
 */
offer?: string, 
/**
 * Their media connection has outlived their session and goes on, in place of an offer. Refused with `media_lost`
 * where the server has it no more.
 */
keepMedia?: boolean, } | { "type": "restart_ice", 
/**
 * Number of the request.
 */
id: number, } | { "type": "offer", 
/**
 * Number of the request.
 */
id: number, 
/**
 * SDP offer.
 */
sdp: string, } | { "type": "join_stage", 
/**
 * Number of the request.
 */
id: number, 
/**
 * With the microphone on.
 */
mic: boolean, 
/**
 * With the camera on.
 */
camera: boolean, } | { "type": "leave_stage", 
/**
 * Number of the request.
 */
id: number, } | { "type": "ask_to_join", 
/**
 * Number of the request.
 */
id: number, } | { "type": "cancel_request", 
/**
 * Number of the request.
 */
id: number, } | { "type": "decline_invitation", 
/**
 * Number of the request.
 */
id: number, } | { "type": "raise_hand", 
/**
 * Number of the request.
 */
id: number, } | { "type": "lower_hand", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whose.
 */
participant: number, } | { "type": "set_mic", 
/**
 * Number of the request.
 */
id: number, 
/**
 * On or off.
 */
on: boolean, } | { "type": "set_camera", 
/**
 * Number of the request.
 */
id: number, 
/**
 * On or off.
 */
on: boolean, } | { "type": "watch", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Camera slots, at most 25.
 */
cameras: Array<Watched>, } | { "type": "list_viewers", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Those who entered after this one; 0 from the start. The next page is after the last of this one.
 */
after: number, 
/**
 * Only those with this in their names, in any case; up to 64 characters.
 */
search?: string, } | { "type": "approve", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whose.
 */
participant: number, } | { "type": "decline", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whose.
 */
participant: number, } | { "type": "invite", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whom.
 */
participant: number, } | { "type": "withdraw_invitation", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whose.
 */
participant: number, } | { "type": "remove_from_stage", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whom.
 */
participant: number, } | { "type": "mute", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whose.
 */
participant: number, } | { "type": "stop_camera", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whose.
 */
participant: number, } | { "type": "ask_to_unmute", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whom.
 */
participant: number, } | { "type": "mute_all", 
/**
 * Number of the request.
 */
id: number, } | { "type": "stop_all_cameras", 
/**
 * Number of the request.
 */
id: number, } | { "type": "lower_all_hands", 
/**
 * Number of the request.
 */
id: number, } | { "type": "remove_from_room", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whom.
 */
participant: number, } | { "type": "set_access", 
/**
 * Number of the request.
 */
id: number, 
/**
 * From now on.
 */
access: Access, } | { "type": "set_capacity", 
/**
 * Number of the request.
 */
id: number, 
/**
 * From now on.
 */
capacity: number, } | { "type": "set_camera_limit", 
/**
 * Number of the request.
 */
id: number, 
/**
 * From now on.
 */
limit: number, } | { "type": "set_lock", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Locked or not.
 */
locked: boolean, } | { "type": "make_link", 
/**
 * Number of the request.
 */
id: number, 
/**
 * The role it carries.
 */
role: Role, 
/**
 * How long it is of use, seconds.
 */
validSeconds: number, 
/**
 * For one person only.
 */
personal: boolean, } | { "type": "revoke_link", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Its number.
 */
link: number, } | { "type": "list_links", 
/**
 * Number of the request.
 */
id: number, } | { "type": "invite_by_mail", 
/**
 * Number of the request.
 */
id: number, 
/**
 * 1 to 100 addresses, each `ann@example.org` or `Ann Lee <ann@example.org>`.
 */
addresses: Array<string>, 
/**
 * The role the links carry.
 */
role: Role, 
/**
 * When it begins, seconds since the Unix epoch: the mail says so and has a calendar file.
 */
start?: number, 
/**
 * How long it lasts, minutes, 1 to 1,440. Default: an hour.
 */
minutes?: number, 
/**
 * Minutes that the host's clock is ahead of UTC: the mail says the start by it.
 */
utcOffset?: number, 
/**
 * Language of the mail. Default: English.
 */
language?: Language, } | { "type": "list_invitations", 
/**
 * Number of the request.
 */
id: number, } | { "type": "say", 
/**
 * Number of the request.
 */
id: number, 
/**
 * To whom; the back channel is the moderators'.
 */
channel: Channel, 
/**
 * Plain text, up to 2,000 characters.
 */
text: string, } | { "type": "list_chat", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Where; the back channel is the moderators'.
 */
channel: Channel, 
/**
 * What was said before this message; 0 for the newest.
 */
before: number, } | { "type": "delete_message", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Which.
 */
message: number, } | { "type": "pin_message", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Which; without it, the pinned one is taken down.
 */
message?: number, } | { "type": "clear_chat", 
/**
 * Number of the request.
 */
id: number, } | { "type": "block_from_chat", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whom.
 */
participant: number, } | { "type": "unblock_from_chat", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Whom.
 */
participant: number, } | { "type": "set_permission", 
/**
 * Number of the request.
 */
id: number, 
/**
 * What.
 */
ability: Ability, 
/**
 * Who, from now on.
 */
allowed: Allowed, } | { "type": "react", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Which.
 */
reaction: Reaction, } | { "type": "make_poll", 
/**
 * Number of the request.
 */
id: number, 
/**
 * What it asks.
 */
poll: NewPoll, } | { "type": "quick_poll", 
/**
 * Number of the request.
 */
id: number, 
/**
 * What it offers.
 */
kind: QuickPoll, 
/**
 * The question; empty where it was said aloud.
 */
text: string, } | { "type": "advance_poll", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Which.
 */
poll: number, 
/**
 * The step it is to leave: if it has moved on meanwhile, this is refused with `poll_moved_on`.
 */
step: PollStep, 
/**
 * The question that is open or closed.
 */
question: number, } | { "type": "delete_poll", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Which.
 */
poll: number, } | { "type": "answer_poll", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Which poll or quiz.
 */
poll: number, 
/**
 * Which question.
 */
question: number, 
/**
 * Indices of the options.
 */
choices: Array<number>, } | { "type": "list_polls", 
/**
 * Number of the request.
 */
id: number, } | { "type": "present", 
/**
 * Number of the request.
 */
id: number, 
/**
 * With sound.
 */
sound: boolean, } | { "type": "stop_presenting", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Who presents.
 */
participant: number, } | { "type": "end_session", 
/**
 * Number of the request.
 */
id: number, } | { "type": "leave" };

export type ServerMessage = { "type": "entry", 
/**
 * Version of the protocol.
 */
protocol: number, 
/**
 * The room.
 */
room: RoomInfo, 
/**
 * Role from the token.
 */
role: Role, 
/**
 * Name from the token.
 */
name: string | null, 
/**
 * Whether **Join stage** is offered.
 */
mayJoinStage: boolean, 
/**
 * This person is in the room: from another window, or they fell off a moment ago. `enter` takes them back to
 * their place and ends the other session.
 */
present: Presence | null, 
/**
 * TURN servers for the media connection, which is made after this.
 */
iceServers: Array<IceServer>, 
/**
 * The room's codec of pictures. Sections of video offer it, and VP8 behind it.
 */
codec: Codec, } | { "type": "entered", 
/**
 * Number of the request.
 */
id: number, 
/**
 * The client's own number.
 */
you: number, 
/**
 * Token to come back with; the page keeps it.
 */
token: string, 
/**
 * What connects this person with the stage, as a viewer.
 */
relation: Relation, 
/**
 * The room as it is.
 */
state: RoomState, 
/**
 * SDP answer, if there was an offer.
 */
answer: string | null, 
/**
 * Where media was kept: the server's credentials for an ICE restart, should the way to it have changed. Until the
 * first check with them, those from before are good.
 */
ice: IceCredentials | null, 
/**
 * They asked for the stage and may not go there: they are a viewer, and this says why.
 */
refused: Refused | null, 
/**
 * What pictures are to be sent in, until `codec` says otherwise.
 */
codec: Codec, } | { "type": "answer", 
/**
 * Number of the request.
 */
id: number, 
/**
 * SDP answer.
 */
sdp: string, } | { "type": "ice", 
/**
 * Number of the request.
 */
id: number, 
/**
 * The server's new credentials; the rest of its answer stays as it was.
 */
ice: IceCredentials, } | { "type": "ok", 
/**
 * Number of the request.
 */
id: number, } | { "type": "error", 
/**
 * Number of the request.
 */
id: number | null, 
/**
 * Stable code.
 */
code: string, 
/**
 * A sentence for a person.
 */
text: string, } | { "type": "viewers", 
/**
 * Number of the request.
 */
id: number, 
/**
 * In order of entry.
 */
participants: Array<Participant>, 
/**
 * There are more after the last one.
 */
more: boolean, 
/**
 * How many viewers there are in all with what was searched for in their names.
 */
matching: number, } | { "type": "link_made", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Number of the link.
 */
link: number, 
/**
 * The token it carries.
 */
token: string, } | { "type": "links", 
/**
 * Number of the request.
 */
id: number, 
/**
 * In the order they were made.
 */
links: Array<Link>, } | { "type": "invitations", 
/**
 * Number of the request.
 */
id: number, 
/**
 * In the order they were made.
 */
invitations: Array<Invitation>, 
/**
 * This server sends mail; else links are there to be copied.
 */
sendsMail: boolean, } | { "type": "invitations_changed", 
/**
 * Whole, in the order they were made.
 */
invitations: Array<Invitation>, } | { "type": "state", 
/**
 * The room.
 */
state: RoomState, } | { "type": "update", 
/**
 * Participants who came or changed, whole.
 */
participants: Array<Participant>, 
/**
 * Participants who left.
 */
left: Array<number>, 
/**
 * Slots with another occupant.
 */
slots: Array<Slot>, 
/**
 * The rules, if they changed.
 */
rules: Rules | null, 
/**
 * Who speaks most, if that changed.
 */
dominant: Dominant | null, 
/**
 * Who presents, if that changed.
 */
presentation: Presentation | null, 
/**
 * How many are on stage.
 */
onStage: number, 
/**
 * How many are viewers.
 */
viewers: number, } | { "type": "demand", 
/**
 * Of the screen; else of the camera.
 */
screen: boolean, 
/**
 * By layer, smallest first; without simulcast the first counts.
 */
layers: [boolean, boolean, boolean], } | { "type": "codec", 
/**
 * As said. Who cannot encode it goes on with VP8.
 */
codec: Codec, } | { "type": "held", 
/**
 * Camera slots its line does not carry, in order.
 */
cameras: Array<number>, 
/**
 * Camera slots whose codec its offer does not have, in order.
 */
undecodable: Array<number>, 
/**
 * The screen is presented and not sent, for one reason or the other.
 */
screen: boolean, } | { "type": "relation", 
/**
 * As it is.
 */
relation: Relation, } | { "type": "queue", 
/**
 * Pending requests, oldest first.
 */
requests: Array<Waiting>, 
/**
 * Raised hands, in order of raising.
 */
hands: Array<Waiting>, 
/**
 * Open invitations.
 */
invited: Array<Waiting>, 
/**
 * Those who were dropped because the stage was full.
 */
mayReturn: Array<Waiting>, 
/**
 * How many requests there are.
 */
pending: number, } | { "type": "chat", 
/**
 * Where.
 */
channel: Channel, 
/**
 * What was said, the oldest first.
 */
messages: Array<ChatMessage>, 
/**
 * Numbers of messages that were deleted.
 */
deleted: Array<number>, 
/**
 * Everything said before is gone.
 */
cleared: boolean, 
/**
 * The message on top, if that changed.
 */
pin: Pin | null, } | { "type": "chat_page", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Where.
 */
channel: Channel, 
/**
 * What was said, the oldest first.
 */
messages: Array<ChatMessage>, 
/**
 * There is more before the first one.
 */
more: boolean, 
/**
 * The message on top.
 */
pinned: ChatMessage | null, } | { "type": "polls", 
/**
 * Who sees them so. To moderators both are told; what is for them counts.
 */
channel: Channel, 
/**
 * Those that changed, whole.
 */
polls: Array<Poll>, 
/**
 * Numbers of those that were deleted.
 */
deleted: Array<number>, } | { "type": "poll_list", 
/**
 * Number of the request.
 */
id: number, 
/**
 * In the order they were made.
 */
polls: Array<Poll>, 
/**
 * What this person has answered.
 */
answers: Array<OwnAnswer>, 
/**
 * How they did in quizzes that are published.
 */
scores: Array<OwnScore>, } | { "type": "reactions", 
/**
 * How often each came.
 */
counts: Array<ReactionCount>, } | { "type": "notice", 
/**
 * What.
 */
notice: Notice, } | { "type": "closed", 
/**
 * Stable code.
 */
code: string, 
/**
 * A sentence for a person.
 */
text: string, };

export type Watched = { 
/**
 * Index of the camera slot.
 */
slot: number, 
/**
 * Its height on the screen, in device pixels: the server sends what fills it, as far as the line carries.
 */
height: number, };

export type IceServer = { 
/**
 * Its addresses, best first (RFC 7065).
 */
urls: Array<string>, 
/**
 * Valid for a day.
 */
username: string, 
/**
 * Its password.
 */
credential: string, };

export type IceCredentials = { 
/**
 * User fragment.
 */
ufrag: string, 
/**
 * Password.
 */
pwd: string, };

export type RoomInfo = { 
/**
 * As in its address.
 */
id: string, 
/**
 * As people call it.
 */
title: string, };

export type Presence = { 
/**
 * On stage, rather than a viewer.
 */
onStage: boolean, 
/**
 * Their connection is lost: they fell off, and no other window is open.
 */
lost: boolean, };

export type Refused = { 
/**
 * Stable code.
 */
code: string, 
/**
 * A sentence for a person.
 */
text: string, };

export type Relation = { "kind": "none" } | { "kind": "asked", 
/**
 * Milliseconds since then.
 */
age: number, } | { "kind": "invited", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "may_return" };

export type RoomState = { 
/**
 * Everyone on stage and, if `complete`, everyone else; else only this person besides.
 */
participants: Array<Participant>, 
/**
 * Whether viewers are told as they come and go. In a large room only their number is; `list_viewers` has them.
 */
complete: boolean, 
/**
 * Every occupied slot.
 */
slots: Array<Slot>, 
/**
 * The rules.
 */
rules: Rules, 
/**
 * Who speaks most.
 */
dominant: number | null, 
/**
 * Who presents.
 */
presentation: Presentation, 
/**
 * How many are on stage.
 */
onStage: number, 
/**
 * How many are viewers.
 */
viewers: number, };

export type Rules = { 
/**
 * Who may come on stage.
 */
access: Access, 
/**
 * How many may be on stage.
 */
capacity: number, 
/**
 * How many cameras are forwarded.
 */
cameraLimit: number, 
/**
 * Nobody new enters but hosts and moderators.
 */
locked: boolean, 
/**
 * Who may do what around the stage.
 */
permissions: Permissions, };

export type Dominant = { 
/**
 * Who, or nobody.
 */
participant: number | null, };

export type Participant = { 
/**
 * Number within the room; the CSRC of their media.
 */
id: number, 
/**
 * Display name.
 */
name: string, 
/**
 * Role.
 */
role: Role, 
/**
 * A raised hand: its place in the order of raising.
 */
hand: number | null, 
/**
 * Their connection is lost, for the grace time.
 */
lost: boolean, 
/**
 * On stage, or a viewer.
 */
onStage: OnStage | null, 
/**
 * A moderator blocked them from the chat; left out where not.
 */
chatBlocked?: boolean, };

export type OnStage = { 
/**
 * Order of coming on stage.
 */
order: number, 
/**
 * Microphone on.
 */
mic: boolean, 
/**
 * Speaking, by the audio levels the server sees.
 */
speaking: boolean, 
/**
 * Camera.
 */
camera: Camera, };

export type Camera = "off" | "shown" | "waiting";

export type Waiting = { 
/**
 * Who.
 */
participant: number, 
/**
 * Name.
 */
name: string, 
/**
 * How long they have waited, milliseconds.
 */
age: number, };

export type Link = { 
/**
 * Its number.
 */
link: number, 
/**
 * The role it carries.
 */
role: Role, 
/**
 * For one person only.
 */
personal: boolean, 
/**
 * Somebody has entered with it, if it is personal.
 */
used: boolean, 
/**
 * It is of no use any more: withdrawn, or too old.
 */
over: boolean, 
/**
 * How long it is of use, seconds.
 */
validSeconds: number, };

export type Invitation = { 
/**
 * Number of their role link; withdrawing it withdraws the invitation.
 */
link: number, 
/**
 * Their address.
 */
address: string, 
/**
 * Their name, if it was given.
 */
name: string | null, 
/**
 * The role they come with.
 */
role: Role, 
/**
 * What became of the mail.
 */
state: MailState, 
/**
 * What the mail server said to the last attempt that failed.
 */
reason: string | null, 
/**
 * Somebody has entered with the link.
 */
used: boolean, 
/**
 * The token the link carries, while it is of use.
 */
token: string | null, };

export type MailState = "queued" | "sent" | "failed" | "withdrawn" | "link_only";

export type Language = "en" | "de";

export type Presentation = { 
/**
 * Who presents; they need not be on stage.
 */
participant: number | null, 
/**
 * Their name.
 */
name: string, 
/**
 * With the sound of what they present.
 */
sound: boolean, 
/**
 * Grows with each change; of two the greater is valid.
 */
generation: number, };

export type Slot = { 
/**
 * Cameras or voices.
 */
kind: SlotKind, 
/**
 * Index among its kind: the n-th receiving section of its media type.
 */
index: number, 
/**
 * Grows with each change; of two mappings the greater is valid.
 */
generation: number, 
/**
 * Occupant.
 */
participant: number | null, };

export type SlotKind = "camera" | "voice";

export type Place = "viewer" | "stage";

export type Role = "host" | "moderator" | "speaker" | "participant";

export type Access = "everyone" | "request" | "invite";

export type Channel = "everyone" | "moderators";

export type Codec = "vp8" | "h264" | "vp9" | "av1";

export type Permissions = { 
/**
 * Write to everyone in the chat.
 */
chat: Allowed, 
/**
 * Send reactions.
 */
react: Allowed, 
/**
 * Raise a hand.
 */
raiseHand: Allowed, 
/**
 * Answer polls and quizzes.
 */
answerPolls: Allowed, 
/**
 * Start a quick poll.
 */
quickPoll: Allowed, 
/**
 * Present a screen.
 */
present: Allowed, };

export type Ability = "chat" | "react" | "raise_hand" | "answer_polls" | "quick_poll" | "present";

export type Allowed = "nobody" | "moderators" | "speakers" | "everyone";

export type NewPoll = { 
/**
 * Poll or quiz.
 */
kind: PollKind, 
/**
 * Of a quiz, up to 300 characters.
 */
title: string, 
/**
 * Nobody is told who answered what.
 */
anonymous: boolean, 
/**
 * One of a poll, up to 50 of a quiz.
 */
questions: Array<NewQuestion>, };

export type NewQuestion = { 
/**
 * Up to 300 characters.
 */
text: string, 
/**
 * 2 to 10, all different, up to 100 characters each.
 */
options: Array<string>, 
/**
 * Several may be chosen.
 */
multiple: boolean, 
/**
 * Of a quiz: indices of the right options.
 */
right: Array<number>, 
/**
 * It closes by itself after so many seconds, 5 to 3,600; 0 means when somebody closes it.
 */
seconds: number, 
/**
 * Of a quiz: points for the right answer, up to 1,000.
 */
points: number, };

export type PollKind = "poll" | "quiz";

export type QuickPoll = "yes_no" | "one_to_five";

export type Poll = { 
/**
 * Its number.
 */
poll: number, 
/**
 * Poll or quiz.
 */
kind: PollKind, 
/**
 * Of a quiz.
 */
title: string, 
/**
 * Nobody is told who answered what.
 */
anonymous: boolean, 
/**
 * A quick poll: who started it, who may also close it and show the results.
 */
quick: number | null, 
/**
 * How far it has come.
 */
step: PollStep, 
/**
 * Index of the question that is open, or was closed last.
 */
question: number, 
/**
 * How many questions it has.
 */
count: number, 
/**
 * What may be seen of its questions: everything by moderators, and by everyone when it is published; before that,
 * the question that is open or was closed last.
 */
questions: Array<PollQuestion>, 
/**
 * Until the open question closes by itself, milliseconds.
 */
left: number | null, 
/**
 * Of a quiz that is published: the first ten.
 */
ranking: Array<PollRank>, };

export type PollStep = "draft" | "open" | "closed" | "published";

export type PollQuestion = { 
/**
 * Its index.
 */
index: number, 
/**
 * What is asked; empty in a quick poll whose question was said aloud.
 */
text: string, 
/**
 * What can be chosen.
 */
options: Array<string>, 
/**
 * Several may be chosen.
 */
multiple: boolean, 
/**
 * It closes by itself after so many seconds; 0 means when somebody closes it.
 */
seconds: number, 
/**
 * Of a quiz: points for the right answer.
 */
points: number, 
/**
 * Of a quiz: indices of the right options, for moderators and once it is published.
 */
right: Array<number> | null, 
/**
 * For moderators and once it is published.
 */
results: PollResults | null, };

export type PollResults = { 
/**
 * By how many people.
 */
answered: number, 
/**
 * By option, how many chose it.
 */
counts: Array<number>, };

export type PollRank = { 
/**
 * 1 is the best; equals share one.
 */
rank: number, 
/**
 * Who; they may have left.
 */
participant: number, 
/**
 * Their name.
 */
name: string, 
/**
 * Of all right answers.
 */
points: number, 
/**
 * How long the right answers took together, milliseconds.
 */
ms: number, };

export type OwnAnswer = { 
/**
 * To which poll or quiz.
 */
poll: number, 
/**
 * To which question.
 */
question: number, 
/**
 * Indices of the options.
 */
choices: Array<number>, };

export type OwnScore = { 
/**
 * In which quiz.
 */
poll: number, 
/**
 * Their rank.
 */
rank: number, 
/**
 * Their points.
 */
points: number, 
/**
 * How many people answered.
 */
of: number, };

export type Reaction = "like" | "love" | "applause" | "laugh" | "wow" | "celebrate";

export type ReactionCount = { 
/**
 * Which.
 */
reaction: Reaction, 
/**
 * How often.
 */
count: number, };

export type SessionSummary = { 
/**
 * Id of the room.
 */
room: string, 
/**
 * As people call it.
 */
title: string, 
/**
 * When it was opened, RFC 3339.
 */
opened: string, 
/**
 * When it ended, RFC 3339; nothing while it goes on.
 */
ended: string | null, 
/**
 * Most people in the room at once.
 */
most: number, 
/**
 * Everybody who was there, in order of their first entry.
 */
people: Array<Attendance>, 
/**
 * What was said, without what was deleted or cleared.
 */
chat: Array<ChatLine>, 
/**
 * Polls and quizzes that were opened.
 */
polls: Array<PollSummary>, };

export type Attendance = { 
/**
 * Who they are across connections.
 */
identity: string, 
/**
 * Their name, as it was last.
 */
name: string, 
/**
 * Their role, as it was last.
 */
role: Role, 
/**
 * Each time they were there.
 */
visits: Array<Visit>, 
/**
 * How long they were there in all, seconds.
 */
presentSeconds: number, 
/**
 * Of it on stage.
 */
stageSeconds: number, 
/**
 * Of it speaking.
 */
speakingSeconds: number, };

export type Visit = { 
/**
 * RFC 3339.
 */
entered: string, 
/**
 * RFC 3339; nothing while they are there.
 */
left: string | null, };

export type ChatLine = { 
/**
 * RFC 3339.
 */
at: string, 
/**
 * Who said it.
 */
name: string, 
/**
 * Their role.
 */
role: Role, 
/**
 * Who could read it.
 */
channel: Channel, 
/**
 * Plain text.
 */
text: string, };

export type PollSummary = { 
/**
 * Who answered what; empty where it is anonymous.
 */
answers: Array<AnswerLine>, 
/**
 * Its number.
 */
poll: number, 
/**
 * Poll or quiz.
 */
kind: PollKind, 
/**
 * Of a quiz.
 */
title: string, 
/**
 * Nobody is told who answered what.
 */
anonymous: boolean, 
/**
 * A quick poll: who started it, who may also close it and show the results.
 */
quick: number | null, 
/**
 * How far it has come.
 */
step: PollStep, 
/**
 * Index of the question that is open, or was closed last.
 */
question: number, 
/**
 * How many questions it has.
 */
count: number, 
/**
 * What may be seen of its questions: everything by moderators, and by everyone when it is published; before that,
 * the question that is open or was closed last.
 */
questions: Array<PollQuestion>, 
/**
 * Until the open question closes by itself, milliseconds.
 */
left: number | null, 
/**
 * Of a quiz that is published: the first ten.
 */
ranking: Array<PollRank>, };

export type AnswerLine = { 
/**
 * Who.
 */
name: string, 
/**
 * Index of the question.
 */
question: number, 
/**
 * Indices of the options.
 */
choices: Array<number>, };

export type ChatMessage = { 
/**
 * Its number, which grows.
 */
message: number, 
/**
 * Who said it; they may have left.
 */
participant: number, 
/**
 * Their name.
 */
name: string, 
/**
 * Their role.
 */
role: Role, 
/**
 * Milliseconds since then.
 */
age: number, 
/**
 * Plain text.
 */
text: string, };

export type Pin = { 
/**
 * Which, or none.
 */
message: ChatMessage | null, };

export type Notice = { "kind": "request_arrived", 
/**
 * Who.
 */
participant: number, 
/**
 * Their name.
 */
name: string, } | { "kind": "request_cancelled", 
/**
 * Who.
 */
participant: number, 
/**
 * Their name.
 */
name: string, } | { "kind": "invitation_sent", 
/**
 * Name of the person invited.
 */
name: string, } | { "kind": "invitation_declined", 
/**
 * Their name.
 */
name: string, } | { "kind": "request_declined", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "return_declined", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "request_closed", 
/**
 * Who may come on stage from now on.
 */
access: Access, } | { "kind": "invited", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "invitation_withdrawn", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "removed_from_stage", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "stage_full", 
/**
 * Name of the person admitted.
 */
admitted: string, } | { "kind": "stage_smaller", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "muted", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "camera_stopped", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "asked_to_unmute", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "hand_lowered", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "chat_blocked", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "chat_unblocked", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "camera_waiting" } | { "kind": "camera_shown_again" } | { "kind": "permission_changed", 
/**
 * What.
 */
ability: Ability, 
/**
 * Who, from now on.
 */
allowed: Allowed, 
/**
 * Name of the host.
 */
by: string, } | { "kind": "access_changed", 
/**
 * From now on.
 */
access: Access, 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "presenting_started", 
/**
 * Who.
 */
participant: number, 
/**
 * Their name.
 */
name: string, } | { "kind": "presenting_ended", 
/**
 * Who.
 */
participant: number, 
/**
 * Their name.
 */
name: string, } | { "kind": "presenting_stopped", 
/**
 * Name of the moderator.
 */
by: string, 
/**
 * The moderator presents now.
 */
takenOver: boolean, };
