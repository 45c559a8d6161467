// Generated from signaling/src/protocol.rs by `cargo xtask gen`.

export const PROTOCOL = 1;

export type ClientMessage = { "type": "hello", 
/**
 * Version of the protocol the client speaks.
 */
protocol: number, 
/**
 * Access token.
 */
token: string, } | { "type": "enter", 
/**
 * Number of the request.
 */
id: number, 
/**
 * Display name, where the token has none.
 */
name?: string, 
/**
 * Where to.
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
offer?: string, } | { "type": "offer", 
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
id: number, } | { "type": "set_mic", 
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
on: boolean, } | { "type": "remove_from_stage", 
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
participant: number, } | { "type": "leave" };

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
mayJoinStage: boolean, } | { "type": "entered", 
/**
 * Number of the request.
 */
id: number, 
/**
 * The client's own number.
 */
you: number, 
/**
 * The room as it is.
 */
state: RoomState, 
/**
 * SDP answer, if there was an offer.
 */
answer: string | null, } | { "type": "answer", 
/**
 * Number of the request.
 */
id: number, 
/**
 * SDP answer.
 */
sdp: string, } | { "type": "ok", 
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
text: string, } | { "type": "state", 
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
 * How many are on stage.
 */
onStage: number, 
/**
 * How many are viewers.
 */
viewers: number, } | { "type": "notice", 
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

export type RoomInfo = { 
/**
 * As in its address.
 */
id: string, 
/**
 * As people call it.
 */
title: string, };

export type RoomState = { 
/**
 * Everyone in it.
 */
participants: Array<Participant>, 
/**
 * Every occupied slot.
 */
slots: Array<Slot>, 
/**
 * How many are on stage.
 */
onStage: number, 
/**
 * How many are viewers.
 */
viewers: number, 
/**
 * How many may be on stage.
 */
capacity: number, };

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
 * On stage, or a viewer.
 */
onStage: OnStage | null, };

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

export type Notice = { "kind": "removed_from_stage", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "stage_full", 
/**
 * Name of the person admitted.
 */
admitted: string, } | { "kind": "muted", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "camera_stopped", 
/**
 * Name of the moderator.
 */
by: string, } | { "kind": "camera_waiting" } | { "kind": "camera_shown_again" };
