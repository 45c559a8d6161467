/** The viewers of a large room, or those a search finds: what is looked at is read, page by page, and again when it is old. */

import type { Environment } from "./environment";
import type { Participant } from "./protocol.gen";

/** Viewers who entered one after the other. */
export interface ViewersPage {
  participants: Participant[];
  /** There are more after the last one. */
  more: boolean;
  /** How many there are in all. */
  matching: number;
}

/** Who is looked at and was read this long ago is read again, ms. */
const OLD_MS = 10_000;
/** Until what could not be read is tried again, ms: the connection is lost, or many people search. */
const RETRY_MS = 1_000;

const NEVER = Number.NEGATIVE_INFINITY;

export class ViewerList {
  /** Those read so far, in order of entry: everybody up to the last who was looked at, and the rest of their page. */
  people: readonly Participant[] = [];
  /** There are more after them. */
  more = true;
  /** Who was read when, ms. */
  #readAt = new Map<number, number>();
  #matching: number | null = null;
  /** First and last place that is looked at. */
  #looked: [number, number] | null = null;
  #reading = false;
  #closed = false;
  #cancelRetry = () => {};

  /** `read` asks for those who entered after `after`, `changed` is called when {@link people} have changed. */
  constructor(
    readonly read: (after: number) => Promise<ViewersPage>,
    readonly changed: () => void,
    readonly environment: Pick<Environment, "now" | "after">,
  ) {}

  /** How many there are; `null` until the server has said so. */
  get count(): number | null {
    if (this.#matching === null) return null;
    return this.more ? Math.max(this.#matching, this.people.length + 1) : this.people.length;
  }

  /** These places, counted from 0, are looked at from here on. */
  look(first: number, last: number): void {
    this.#looked = [first, last];
    this.#settle();
  }

  /** Reads anew who is looked at. */
  refresh(): void {
    this.#readAt.clear();
    this.#settle();
  }

  /** Reads no more. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry();
  }

  #settle(): void {
    const after = this.#due();
    if (after === null || this.#reading || this.#closed) return;
    this.#reading = true;
    const done = (then: () => void) => () => {
      this.#reading = false;
      if (!this.#closed) then();
    };
    this.read(after).then(
      (page) =>
        done(() => {
          this.#take(after, page);
          this.changed();
          this.#settle();
        })(),
      done(() => {
        // Until then nothing is asked for: the server has said that it is too much.
        this.#reading = true;
        this.#cancelRetry = this.environment.after(RETRY_MS, done(() => this.#settle()));
      }),
    );
  }

  /** After whom the next page is to be read. `null` where nothing is missing. */
  #due(): number | null {
    if (this.#looked === null) return null;
    const [first, last] = this.#looked;
    const after = (place: number) => this.people[place - 1]?.id ?? 0;
    const old = this.environment.now() - OLD_MS;
    const oldest = this.people.slice(first, last + 1).findIndex(({ id }) => (this.#readAt.get(id) ?? NEVER) <= old);
    if (oldest !== -1) return after(first + oldest);
    return this.more && last >= this.people.length ? after(this.people.length) : null;
  }

  /** Puts a page in place of those known to have entered where it is. */
  #take(after: number, { participants, more, matching }: ViewersPage): void {
    const now = this.environment.now();
    participants.forEach(({ id }) => this.#readAt.set(id, now));
    const end = participants.at(-1)?.id ?? after;
    const before = this.people.filter(({ id }) => id <= after);
    const behind = more ? this.people.filter(({ id }) => id > end) : [];
    this.people = [...before, ...participants, ...behind];
    this.#matching = matching;
    this.more = more && (behind.length === 0 || this.more || matching > this.people.length);
  }
}

const lowerCase = (text: string): string => text.toLowerCase().replaceAll("ς", "σ");

/** Whether a search finds a name, as the server has it. */
export function isFound(name: string, search: string): boolean {
  return lowerCase(name).includes(lowerCase(search.trim()));
}
