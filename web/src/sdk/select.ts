/** What can be read from a {@link View}. */

import type { Allowed, OnStage, Participant, Role } from "./protocol.gen";
import type { View } from "./view";

/** Somebody on stage, as tiles need them. */
export interface StagePerson extends Participant {
  onStage: OnStage;
}

export const moderates = (role: Role): boolean => role === "host" || role === "moderator";

/** Whether the room's permissions allow something to somebody of this role. */
export function permits(allowed: Allowed, role: Role): boolean {
  switch (allowed) {
    case "nobody":
      return false;
    case "moderators":
      return moderates(role);
    case "speakers":
      return role !== "participant";
    case "everyone":
      return true;
    default:
      return allowed satisfies never;
  }
}

/** This person, once they are in the room. */
export function self(view: View): Participant | null {
  return view.phase.at === "room" ? (view.people.get(view.phase.you) ?? null) : null;
}

/** People on stage, in the order they came. */
export function stagePeople(view: View): StagePerson[] {
  const people = [...view.people.values()].filter((person): person is StagePerson => person.onStage !== null);
  return people.sort((a, b) => a.onStage.order - b.onStage.order);
}

/** People who are not on stage: raised hands first, in the order of raising, then by name. */
export function viewerPeople(view: View): Participant[] {
  return inViewersOrder([...view.people.values()].filter((person) => person.onStage === null));
}

/** Sorts as {@link viewerPeople} does. */
export function inViewersOrder(people: Participant[]): Participant[] {
  const hand = (person: Participant) => person.hand ?? Number.POSITIVE_INFINITY;
  const byHand = (a: Participant, b: Participant) => (a.hand === b.hand ? 0 : hand(a) - hand(b));
  return people.sort((a, b) => byHand(a, b) || a.name.localeCompare(b.name) || a.id - b.id);
}

/** The camera slot that shows `participant`. */
export function cameraSlotOf(view: View, participant: number): number | null {
  for (const slot of view.slots.values()) {
    if (slot.kind === "camera" && slot.participant === participant) return slot.index;
  }
  return null;
}

/** The one thing a viewer can do about the stage. */
export type StageAction = "join" | "ask" | "cancel" | "none";

export function stageAction(view: View): StageAction {
  const me = self(view);
  if (me === null || me.onStage !== null) return "none";
  const { relation, rules } = view;
  if (me.role !== "participant" || relation.kind === "invited" || relation.kind === "may_return") return "join";
  switch (rules.access) {
    case "everyone":
      return "join";
    case "request":
      return relation.kind === "asked" ? "cancel" : "ask";
    case "invite":
      return "none";
    default:
      return rules.access satisfies never;
  }
}

/** What connects a viewer with the stage, as far as a moderator is told. */
export type Claim = "asked" | "invited" | "may_return" | "none";

export function claimOf(view: View, participant: number): Claim {
  const { requests, invited, mayReturn } = view.queue;
  const has = (list: readonly { participant: number }[]) => list.some((waits) => waits.participant === participant);
  if (has(requests)) return "asked";
  if (has(invited)) return "invited";
  return has(mayReturn) ? "may_return" : "none";
}
