/** What a screen reader says of a chat that is closed. */

import type { Said } from "../sdk";

/** Longest piece of a message that is read out, characters: the chat has all of it. */
const READ_OUT_MAX = 200;

/** A sentence for `fresh` messages, the oldest first; nothing without any. */
export function heard(fresh: readonly Pick<Said, "name" | "text">[]): string {
  const last = fresh.at(-1);
  if (last === undefined) return "";
  const text = last.text.length > READ_OUT_MAX ? `${last.text.slice(0, READ_OUT_MAX)}…` : last.text;
  return fresh.length === 1 ? `Chat, ${last.name}: ${text}` : `Chat, ${fresh.length} messages, the last of ${last.name}: ${text}`;
}
