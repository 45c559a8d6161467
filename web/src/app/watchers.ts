/** The viewers as the list has them: those the room tells of and, of a large room, those read page by page. */

import { inViewersOrder, isFound, viewerPeople } from "../sdk";
import type { Participant, View, ViewerList } from "../sdk";

/** Where viewers stand in the list. */
export interface Watchers {
  /** How many there are. */
  count: number;
  /** Who is at a place, counted from 0; `null` where that is not read yet. */
  at(place: number): Participant | null;
  /** How many the room tells of, who stand before those read page by page. */
  told: number;
  /** How many were read and are left out: the room tells of them, or has them on stage. */
  leftOut: number;
}

/** The viewers that `search` finds. `list` has those of a large room, in order of entry, as far as they are read. */
export function watchers(room: View, moderating: boolean, list: ViewerList | null, search: string): Watchers {
  const fits = ({ name }: Participant) => isFound(name, search);
  const known = viewerPeople(room).filter(fits);
  if (room.complete) return { count: known.length, at: (place) => known[place] ?? null, told: known.length, leftOut: 0 };
  const people = list?.people ?? [];
  // Whoever came on stage since, and oneself, are known better by the room.
  const first = new Map(known.map((person) => [person.id, person]));
  if (moderating) {
    // Hands go up and down after a page was read; moderators are told of each.
    first.forEach((person, id) => first.set(id, { ...person, hand: null }));
    room.queue.hands.forEach(({ participant: id, name }, hand) => {
      const person = first.get(id) ?? people.find((one) => one.id === id) ?? { id, name, role: "participant", hand, lost: false, onStage: null };
      if (fits(person)) first.set(id, { ...person, hand });
    });
  }
  const top = inViewersOrder([...first.values()]);
  const others = people.filter(({ id }) => !first.has(id) && !room.people.has(id));
  const there = top.length + others.length;
  return {
    count: list?.more === true ? Math.max(list.count ?? 0, there + 1) : there,
    at: (place) => {
      const person = top[place] ?? others[place - top.length] ?? null;
      return person !== null && moderating && place >= top.length ? { ...person, hand: null } : person;
    },
    told: top.length,
    leftOut: people.length - others.length,
  };
}
