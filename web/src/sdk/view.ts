/** The room as a client sees it: a pure function of the server's messages and of the connection's fate. */

import { initialChat, missed, withNews, withPage } from "./chat";
import type { ChatView } from "./chat";
import { initialPolls, withPollList, withPollNews } from "./polls";
import type { PollsView } from "./polls";
import { noInvitations, withInvitations } from "./invitations";
import type { InvitationsView } from "./invitations";
import type {
  Access,
  Notice,
  Participant,
  Permissions,
  Presence,
  Presentation,
  ReactionCount,
  Relation,
  Role,
  RoomInfo,
  RoomState,
  Rules,
  ServerMessage,
  Slot,
  SlotKind,
  Waiting,
} from "./protocol.gen";
import { moderates } from "./select";

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
  /** They are in the room already: there is a place to come back to. */
  present: Presence | null;
}

export type Phase =
  /** Connecting, or waiting for hello to be answered. After several attempts with what is wrong. */
  | { at: "connecting"; failure: Failure | null }
  /** In the entry window. */
  | { at: "entry"; entry: Entry }
  /** On the way back to their place, without an entry window. */
  | { at: "resuming"; entry: Entry }
  /** In the room. */
  | { at: "room"; entry: Entry; you: number }
  /** Over. */
  | { at: "closed"; failure: Failure };

/** What the client tells its person on its own. */
export type OwnNotice =
  | { kind: "connection_back" }
  | { kind: "away_too_long" }
  /** They asked for the stage at entry and were let in as a viewer. */
  | { kind: "let_in_as_viewer"; code: string; text: string };

/** {@link Relation} with the moment, by the clock of the client, instead of an age. */
export type OwnRelation = Exclude<Relation, { kind: "asked" }> | { kind: "asked"; since: number };

/** {@link Waiting} with the moment, by the clock of the client, instead of an age. */
export type Waits = Omit<Waiting, "age"> & { since: number };

/** Who waits for a moderator's decision; each list holds the first 100. */
export interface Queue {
  requests: Waits[];
  hands: Waits[];
  invited: Waits[];
  mayReturn: Waits[];
  /** All requests. */
  pending: number;
}

export interface View {
  phase: Phase;
  /** Whether the room is heard of. While it is not, the view is as it was. */
  connection: "up" | "lost";
  /** Grows with each new media connection; what holds its tracks starts anew. */
  media: number;
  /** Everyone on stage and oneself; if `complete`, every viewer too. */
  people: ReadonlyMap<number, Participant>;
  complete: boolean;
  /** Occupied slots, by kind and index. */
  slots: ReadonlyMap<string, Slot>;
  rules: Rules;
  /** Who speaks most. */
  dominant: number | null;
  presentation: Presentation;
  onStage: number;
  viewers: number;
  /** What connects this person with the stage, as a viewer. */
  relation: OwnRelation;
  /** Camera slots that this person's line does not carry. */
  held: ReadonlySet<number>;
  /** Camera slots whose codec this browser does not have. */
  undecodable: ReadonlySet<number>;
  /** The same of what is presented, for one reason or the other. */
  screenHeld: boolean;
  /** Empty for those who do not moderate. */
  queue: Queue;
  chat: ChatView;
  polls: PollsView;
  /** Reactions told last, with a number that grows. */
  reactions: { seq: number; counts: readonly ReactionCount[] };
  /** By e-mail. Empty for those who are no host. */
  invitations: InvitationsView;
  /** What this person was told last, with a number that grows. */
  notice: { seq: number; notice: Notice | OwnNotice } | null;
}

const NOTHING_PERMITTED: Permissions = { chat: "nobody", react: "nobody", raiseHand: "nobody", answerPolls: "nobody", quickPoll: "nobody", present: "nobody" };

const NOBODY: Queue = { requests: [], hands: [], invited: [], mayReturn: [], pending: 0 };

export const initialView: View = {
  phase: { at: "connecting", failure: null },
  connection: "up",
  media: 0,
  people: new Map(),
  complete: true,
  slots: new Map(),
  rules: { access: "invite" satisfies Access, capacity: 0, cameraLimit: 0, locked: false, permissions: NOTHING_PERMITTED },
  dominant: null,
  presentation: { participant: null, name: "", sound: false, generation: 0 },
  onStage: 0,
  viewers: 0,
  relation: { kind: "none" },
  held: new Set(),
  undecodable: new Set(),
  screenHeld: false,
  queue: NOBODY,
  chat: initialChat,
  polls: initialPolls,
  reactions: { seq: 0, counts: [] },
  invitations: noInvitations,
  notice: null,
};

const slotKey = (kind: SlotKind, index: number) => `${kind}-${index}`;

function withState(view: View, state: RoomState): View {
  const { complete, rules, dominant, presentation, onStage, viewers } = state;
  return {
    ...view,
    people: new Map(state.participants.map((person) => [person.id, person])),
    slots: new Map(state.slots.map((slot) => [slotKey(slot.kind, slot.index), slot])),
    complete,
    rules,
    dominant,
    presentation,
    onStage,
    viewers,
    chat: missed(view.chat),
  };
}

const tell = (view: View, notice: Notice | OwnNotice): View => ({
  ...view,
  notice: { seq: (view.notice?.seq ?? 0) + 1, notice },
});

const since = (relation: Relation, now: number): OwnRelation =>
  relation.kind === "asked" ? { kind: "asked", since: now - relation.age } : relation;

/** What `message`, which came at `now` (ms), makes of `view`. */
export function reduce(view: View, message: ServerMessage, now: number): View {
  switch (message.type) {
    case "entry": {
      const { room, role, name, mayJoinStage, present } = message;
      const entry: Entry = { room, role, name, mayJoinStage, present };
      if (view.phase.at !== "room") return { ...view, phase: { at: "entry", entry } };
      // Back within the grace time: the room stays on the screen until it is heard of again.
      return present !== null ? { ...view, phase: { ...view.phase, entry } } : awayTooLong(view, entry);
    }
    case "entered": {
      const { phase } = view;
      if (phase.at === "connecting" || phase.at === "closed") return view;
      const room: Phase = { at: "room", entry: phase.entry, you: message.you };
      const relation = since(message.relation, now);
      const inside = withState({ ...view, phase: room, connection: "up", relation, held: new Set(), undecodable: new Set(), screenHeld: false, queue: NOBODY }, message.state);
      if (phase.at === "room") return view.connection === "lost" ? tell(inside, { kind: "connection_back" }) : inside;
      return message.refused === null ? inside : tell(inside, { kind: "let_in_as_viewer", ...message.refused });
    }
    case "state":
      return withState(view, message.state);
    case "update":
      return updated(view, message);
    case "relation":
      return { ...view, relation: since(message.relation, now) };
    case "held":
      return { ...view, held: new Set(message.cameras), undecodable: new Set(message.undecodable), screenHeld: message.screen };
    case "queue": {
      const dated = (list: Waiting[]) => list.map(({ age, ...who }): Waits => ({ ...who, since: now - age }));
      const { requests, hands, invited, mayReturn, pending } = message;
      const queue = { requests: dated(requests), hands: dated(hands), invited: dated(invited), mayReturn: dated(mayReturn), pending };
      return { ...view, queue };
    }
    case "chat":
      return { ...view, chat: withNews(view.chat, message, now) };
    case "chat_page":
      return { ...view, chat: withPage(view.chat, message, now) };
    case "polls": {
      const me = view.phase.at === "room" ? view.people.get(view.phase.you) : undefined;
      return { ...view, polls: withPollNews(view.polls, message, me !== undefined && moderates(me.role), now) };
    }
    case "poll_list":
      return { ...view, polls: withPollList(message, now) };
    case "reactions":
      return { ...view, reactions: { seq: view.reactions.seq + 1, counts: message.counts } };
    case "invitations":
    case "invitations_changed":
      return { ...view, invitations: withInvitations(view.invitations, message) };
    case "notice":
      return isOwn(view, message.notice) ? view : tell(view, message.notice);
    case "closed":
      return closed(view, { code: message.code, text: message.text });
    // Of the connection, not of the room.
    case "demand":
    case "codec":
    // Answers to requests: whoever asked has them.
    case "answer":
    case "ice":
    case "ok":
    case "error":
    case "viewers":
    case "link_made":
    case "links":
      return view;
    default:
      return message satisfies never;
  }
}

/** What everyone is told of somebody who presents: they know. */
function isOwn({ phase }: View, notice: Notice): boolean {
  return (notice.kind === "presenting_started" || notice.kind === "presenting_ended") && phase.at === "room" && notice.participant === phase.you;
}

function updated(view: View, message: Extract<ServerMessage, { type: "update" }>): View {
  const { onStage, viewers } = message;
  const you = view.phase.at === "room" ? view.phase.you : null;
  const people = new Map(view.people);
  message.left.forEach((id) => people.delete(id));
  for (const person of message.participants) {
    // In a large room whoever leaves the stage goes where only numbers are told.
    if (view.complete || person.onStage !== null || person.id === you) people.set(person.id, person);
    else people.delete(person.id);
  }
  const slots = new Map(view.slots);
  for (const slot of message.slots) {
    const key = slotKey(slot.kind, slot.index);
    // Mappings may be told twice; the newer one is valid.
    if ((slots.get(key)?.generation ?? 0) <= slot.generation) slots.set(key, slot);
  }
  const rules = message.rules ?? view.rules;
  const dominant = message.dominant === null ? view.dominant : message.dominant.participant;
  const newer = message.presentation !== null && message.presentation.generation >= view.presentation.generation;
  const presentation = newer && message.presentation !== null ? message.presentation : view.presentation;
  return { ...view, people, slots, rules, dominant, presentation, onStage, viewers };
}

/** They have left, and may come in again. */
export function awayTooLong(view: View, entry: Entry): View {
  const { notice, media } = view;
  return tell({ ...initialView, notice, media, phase: { at: "entry", entry: { ...entry, present: null } } }, { kind: "away_too_long" });
}

/** Somebody who was inside a moment ago goes back without an entry window. */
export function resuming(view: View): View {
  return view.phase.at === "entry" ? { ...view, phase: { at: "resuming", entry: view.phase.entry } } : view;
}

/** The connection is lost and will be tried again. Inside, everything stays on the screen. */
export function lost(view: View, failure: Failure | null): View {
  if (view.phase.at === "closed") return view;
  if (view.phase.at === "room") return { ...view, connection: "lost" };
  return { ...view, phase: { at: "connecting", failure } };
}

/** The session is over; the first reason stands. */
export function closed(view: View, failure: Failure): View {
  return view.phase.at === "closed" ? view : { ...view, phase: { at: "closed", failure } };
}
