import { describe, expect, test } from "vitest";
import type { Poll } from "./protocol.gen";
import { answerTo, initialPolls, openPoll, withAnswer, withPollList, withPollNews } from "./polls";

const poll = (number: number, change: Partial<Poll> = {}): Poll => ({
  poll: number,
  kind: "poll",
  title: "",
  anonymous: false,
  quick: null,
  step: "open",
  question: 0,
  count: 1,
  questions: [],
  left: null,
  ranking: [],
  ...change,
});

const news = (polls: Poll[], deleted: number[] = [], channel: "everyone" | "moderators" = "everyone") =>
  ({ type: "polls", channel, polls, deleted }) as const;

describe("polls", () => {
  // law: polls-steps
  test("come in the order they were made, and the newest news of each counts", () => {
    let view = withPollNews(initialPolls, news([poll(2), poll(1, { step: "published" })]), false, 0);
    expect(view.polls.map((one) => one.poll)).toEqual([1, 2]);
    expect(openPoll(view)?.poll).toBe(2);
    view = withPollNews(view, news([poll(2, { step: "closed" })]), false, 0);
    expect(openPoll(view)).toBeNull();
    view = withPollNews(view, news([], [1]), false, 0);
    expect(view.polls.map((one) => one.poll)).toEqual([2]);
  });

  // law: polls-results
  test("moderators keep what is told to them alone", () => {
    const view = withPollNews(initialPolls, news([poll(1, { step: "draft" })], [], "moderators"), true, 0);
    expect(withPollNews(view, news([poll(1)]), true, 0)).toBe(view);
    expect(withPollNews(initialPolls, news([poll(1)], [], "moderators"), false, 0)).toBe(initialPolls);
  });

  // law: polls-answers
  test("an answer that was taken stands for the one before, and goes with its poll", () => {
    let view = withPollList({ type: "poll_list", id: 1, polls: [poll(1, { left: 5_000 })], answers: [], scores: [] }, 1_000);
    expect(view.polls[0]?.closes).toBe(6_000);
    view = withAnswer(withAnswer(view, { poll: 1, question: 0, choices: [0] }), { poll: 1, question: 0, choices: [1] });
    expect(answerTo(view, 1, 0)).toEqual([1]);
    expect(answerTo(view, 1, 1)).toEqual([]);
    expect(withPollNews(view, news([], [1]), false, 0).answers).toEqual([]);
  });
});
