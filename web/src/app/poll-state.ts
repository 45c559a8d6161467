/** Which poll stands before the stage, and whether it waits for an answer. */

import { computed, effect, signal } from "@preact/signals";
import { answerTo, openPoll } from "../sdk";
import type { ShownPoll } from "../sdk";
import { may, me, moderating, view } from "./state";

/** The poll this person has seen open, until they close it. */
const carded = signal<number | null>(null);
/** The question whose card was closed. */
const dismissed = signal<string | null>(null);

const keyOf = ({ poll, question }: ShownPoll) => `${poll}-${question}`;

effect(() => {
  const open = openPoll(view.value.polls);
  if (open !== null && keyOf(open) !== dismissed.value) carded.value = open.poll;
});

/** The poll on the card. */
export const card = computed(() => view.value.polls.polls.find(({ poll, step }) => poll === carded.value && step !== "draft") ?? null);

export function closeCard(): void {
  const { value } = card;
  if (value !== null) dismissed.value = keyOf(value);
  carded.value = null;
}

/** Puts a poll back on the card. */
export function openCard(poll: number): void {
  dismissed.value = null;
  carded.value = poll;
}

export const waitsForAnswer = computed(() => {
  const open = openPoll(view.value.polls);
  return open !== null && may.value("answerPolls") && answerTo(view.value.polls, open.poll, open.question).length === 0;
});

/** Whether this person closes a poll and shows its results. */
export const leads = (poll: ShownPoll): boolean => moderating.value || (poll.quick !== null && poll.quick === me.value?.id);

/** What the button to the next step of a poll says; nothing after the last one. */
export function nextStep({ step, question, count, kind }: ShownPoll): string | null {
  switch (step) {
    case "draft":
      return kind === "quiz" ? "Start the quiz" : "Open the poll";
    case "open":
      return kind === "quiz" ? "Close the question" : "Close the poll";
    case "closed":
      return question + 1 < count ? "Next question" : "Show the results";
    case "published":
      return null;
    default:
      return step satisfies never;
  }
}

/** What a poll is called. */
export function titleOf({ title, questions, quick }: ShownPoll): string {
  if (title !== "") return title;
  const text = questions[0]?.text ?? "";
  return text !== "" ? text : quick !== null ? "Quick poll" : "Poll";
}
