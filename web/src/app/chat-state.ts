/** Which channel is looked at, and what of the chat was read. */

import { computed, effect, signal } from "@preact/signals";
import type { Channel, Said } from "../sdk";
import { me, moderating, view } from "./state";

/** Which channel somebody who moderates looks at. */
export const channel = signal<Channel>("everyone");

/** The last message read in each channel; `null` until it is known what there is: history is not unread. */
const read = signal<Record<Channel, number | null>>({ everyone: null, moderators: null });

export function noteRead(which: Channel, message: number): void {
  if ((read.value[which] ?? -1) < message) read.value = { ...read.value, [which]: message };
}

effect(() => {
  for (const which of ["everyone", "moderators"] as const) {
    const { stale, messages } = view.value.chat[which];
    if (!stale && read.value[which] === null) noteRead(which, messages.at(-1)?.message ?? 0);
  }
});

const unreadIn = (which: Channel): Said[] => {
  const last = read.value[which] ?? Number.POSITIVE_INFINITY;
  const own = me.value?.id;
  return view.value.chat[which].messages.filter(({ message, participant }) => message > last && participant !== own);
};

export const unread = computed(() => ({
  everyone: unreadIn("everyone").length,
  moderators: moderating.value ? unreadIn("moderators").length : 0,
}));

/** Gives what came unread since it was called last. */
export function unreadSince(): () => Said[] {
  let last = 0;
  return () => {
    const messages = [...unreadIn("everyone"), ...(moderating.value ? unreadIn("moderators") : [])].sort((a, b) => a.message - b.message);
    const fresh = messages.filter(({ message }) => message > last);
    last = messages.at(-1)?.message ?? last;
    return fresh;
  };
}
