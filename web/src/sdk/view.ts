/** The room as a client sees it: a pure function of the server's messages. */

import type { Notice, OnStage, Participant, Role, RoomInfo, RoomState, ServerMessage, Slot, SlotKind } from "./protocol.gen";

/** A refusal or the end of a session: a stable code, and a sentence for a person. */
export interface Failure {
  code: string;
  text: string;
}

/** What the entry window offers. */
export interface Entry {
  room: RoomInfo;
  role: Role;
  /** From the token; without one the person is asked. */
  name: string | null;
  mayJoinStage: boolean;
}

/** Somebody on stage, as tiles need them. */
export interface StagePerson extends Participant {
  onStage: OnStage;
}

export type Phase =
  /** Connecting, or waiting for hello to be answered. */
  | { at: "connecting" }
  /** In the entry window. */
  | { at: "entry"; entry: Entry }
  /** In the room. */
  | { at: "room"; entry: Entry; you: number }
  /** Over. */
  | { at: "closed"; failure: Failure };

export interface View {
  phase: Phase;
  people: ReadonlyMap<number, Participant>;
  /** Occupied slots, by kind and index. */
  slots: ReadonlyMap<string, Slot>;
  onStage: number;
  viewers: number;
  capacity: number;
  /** What this person was told last, with a number that grows. */
  notice: { seq: number; notice: Notice } | null;
}

export const initialView: View = {
  phase: { at: "connecting" },
  people: new Map(),
  slots: new Map(),
  onStage: 0,
  viewers: 0,
  capacity: 0,
  notice: null,
};

const slotKey = (kind: SlotKind, index: number) => `${kind}-${index}`;

function withState(view: View, state: RoomState): View {
  return {
    ...view,
    people: new Map(state.participants.map((person) => [person.id, person])),
    slots: new Map(state.slots.map((slot) => [slotKey(slot.kind, slot.index), slot])),
    onStage: state.onStage,
    viewers: state.viewers,
    capacity: state.capacity,
  };
}

/** What `message` makes of `view`. */
export function reduce(view: View, message: ServerMessage): View {
  switch (message.type) {
    case "entry": {
      const { room, role, name, mayJoinStage } = message;
      return { ...view, phase: { at: "entry", entry: { room, role, name, mayJoinStage } } };
    }
    case "entered": {
      if (view.phase.at !== "entry") return view;
      const phase: Phase = { at: "room", entry: view.phase.entry, you: message.you };
      return withState({ ...view, phase }, message.state);
    }
    case "state":
      return withState(view, message.state);
    case "update": {
      const people = new Map(view.people);
      message.left.forEach((id) => people.delete(id));
      message.participants.forEach((person) => people.set(person.id, person));
      const slots = new Map(view.slots);
      for (const slot of message.slots) {
        const key = slotKey(slot.kind, slot.index);
        // Mappings may be told twice; the newer one is valid.
        if ((slots.get(key)?.generation ?? 0) <= slot.generation) slots.set(key, slot);
      }
      return { ...view, people, slots, onStage: message.onStage, viewers: message.viewers };
    }
    case "notice":
      return { ...view, notice: { seq: (view.notice?.seq ?? 0) + 1, notice: message.notice } };
    case "closed":
      return closed(view, { code: message.code, text: message.text });
    // Answers to requests: whoever asked has them.
    case "answer":
    case "ok":
    case "error":
      return view;
    default:
      return message satisfies never;
  }
}

/** The session is over; the first reason stands. */
export function closed(view: View, failure: Failure): View {
  return view.phase.at === "closed" ? view : { ...view, phase: { at: "closed", failure } };
}

/** People on stage, in the order they came. */
export function stagePeople(view: View): StagePerson[] {
  const people = [...view.people.values()].filter((person): person is StagePerson => person.onStage !== null);
  return people.sort((a, b) => a.onStage.order - b.onStage.order);
}

/** People who are not on stage, by name. */
export function viewerPeople(view: View): Participant[] {
  const people = [...view.people.values()].filter((person) => person.onStage === null);
  return people.sort((a, b) => a.name.localeCompare(b.name) || a.id - b.id);
}

/** The camera slot that shows `participant`. */
export function cameraSlotOf(view: View, participant: number): number | null {
  for (const slot of view.slots.values()) {
    if (slot.kind === "camera" && slot.participant === participant) return slot.index;
  }
  return null;
}

/** This person, once they are in the room. */
export function self(view: View): Participant | null {
  return view.phase.at === "room" ? (view.people.get(view.phase.you) ?? null) : null;
}

export const moderates = (role: Role): boolean => role === "host" || role === "moderator";
