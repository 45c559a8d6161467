/** Polls and quizzes as a client sees them: a pure function of the server's messages. */

import type { OwnAnswer, OwnScore, Poll, ServerMessage } from "./protocol.gen";

/** {@link Poll} with the moment its question closes, by the clock of the client, instead of what is left. */
export type ShownPoll = Omit<Poll, "left"> & { closes: number | null };

export interface PollsView {
  /** In the order they were made. */
  polls: readonly ShownPoll[];
  /** What this person answered. */
  answers: readonly OwnAnswer[];
  /** How this person did in quizzes that are published. */
  scores: readonly OwnScore[];
}

export const initialPolls: PollsView = { polls: [], answers: [], scores: [] };

const dated = ({ left, ...poll }: Poll, now: number): ShownPoll => ({ ...poll, closes: left === null ? null : now + left });

/** News of polls. Those who moderate are told twice, and see more of what is told to them alone. */
export function withPollNews(view: PollsView, news: Extract<ServerMessage, { type: "polls" }>, moderates: boolean, now: number): PollsView {
  if (moderates !== (news.channel === "moderators")) return view;
  const told = new Set([...news.deleted, ...news.polls.map(({ poll }) => poll)]);
  const gone = new Set(news.deleted);
  const polls = [...view.polls.filter(({ poll }) => !told.has(poll)), ...news.polls.map((poll) => dated(poll, now))];
  return { ...view, polls: polls.sort((a, b) => a.poll - b.poll), answers: view.answers.filter(({ poll }) => !gone.has(poll)) };
}

/** Everything, as it is. */
export function withPollList({ polls, answers, scores }: Extract<ServerMessage, { type: "poll_list" }>, now: number): PollsView {
  return { polls: polls.map((poll) => dated(poll, now)), answers, scores };
}

/** This person's answer was taken. */
export function withAnswer(view: PollsView, answer: OwnAnswer): PollsView {
  const others = view.answers.filter(({ poll, question }) => poll !== answer.poll || question !== answer.question);
  return { ...view, answers: [...others, answer] };
}

/** The poll whose question can be answered now. */
export const openPoll = (view: PollsView): ShownPoll | null => view.polls.find(({ step }) => step === "open") ?? null;

/** What this person answered to a question. */
export function answerTo(view: PollsView, poll: number, question: number): readonly number[] {
  return view.answers.find((answer) => answer.poll === poll && answer.question === question)?.choices ?? [];
}
