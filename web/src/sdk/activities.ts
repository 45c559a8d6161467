/** What people do together around the stage, as requests to the room. */

import type { Ability, Allowed, ClientMessage, NewPoll, Poll, QuickPoll, Reaction } from "./protocol.gen";

/** Requests that are answered by no more than that they were carried out. */
type Activity = Extract<
  ClientMessage,
  { type: "set_permission" | "react" | "make_poll" | "quick_poll" | "advance_poll" | "delete_poll" | "answer_poll" }
>;

/** An activity whose number is given when it is sent. */
export type ActivityRequest = Activity extends infer Message ? (Message extends { id: number } ? Omit<Message, "id"> : never) : never;

export class Activities {
  readonly #do: (request: ActivityRequest) => Promise<void>;

  constructor(carryOut: (request: ActivityRequest) => Promise<void>) {
    this.#do = carryOut;
  }

  /** Hosts: who may do something from now on. */
  permit = (ability: Ability, allowed: Allowed): Promise<void> => this.#do({ type: "set_permission", ability, allowed });

  /** Sends a sign up over the stage. */
  react = (reaction: Reaction): Promise<void> => this.#do({ type: "react", reaction });

  /** Moderators: makes a draft. */
  makePoll = (poll: NewPoll): Promise<void> => this.#do({ type: "make_poll", poll });

  /** A poll that is open at once; the question may be empty. */
  quickPoll = (kind: QuickPoll, text: string): Promise<void> => this.#do({ type: "quick_poll", kind, text });

  /** To the next step. Refused where somebody was faster. */
  advancePoll = ({ poll, step, question }: Pick<Poll, "poll" | "step" | "question">): Promise<void> =>
    this.#do({ type: "advance_poll", poll, step, question });

  deletePoll = (poll: number): Promise<void> => this.#do({ type: "delete_poll", poll });

  /** Answers the open question, or answers it differently. */
  answerPoll = (poll: number, question: number, choices: number[]): Promise<void> => this.#do({ type: "answer_poll", poll, question, choices });
}
