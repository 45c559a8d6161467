/**
 * Finds out when the line upwards has room again.
 *
 * A browser that has met the limit of a line grows by 8 % a second from there, and takes half a minute to give a camera back
 * what it had. It does try at once what it may send at most when that is raised. So while the line keeps a camera small, the most is
 * lowered to 1.5 times what the line is believed to carry, and every few seconds raised to 2 times that.
 */

/** Between two looks, ms: a try takes a round trip. */
export const LOOK_MS = 1_000;
/** A connection begins with a search of the browser's own, and what falls may be back at once, ms. */
const FIRST_MS = 4_000;
/** After a try that found no room, ms, */
const AGAIN_MS = 5_000;
/** and after a minute of them: the line is what it is. To agree anew takes the page 60 ms. */
const [LONG_MS, LATER_MS] = [60_000, 15_000];
/** On less than this a try would hold up voices, bit/s. */
const AVAILABLE_MIN = 250_000;
/** While nothing is tried the most is so many times what there is. */
const REST = 1.5;
/** What is tried. */
const TRY = 2;
/** From this part of what was tried on there was room, and more is tried at once. */
const FOUND = 0.7;
/** From this part of what is wanted on nothing is missing. */
const ENOUGH = 0.9;

/** The line upwards. */
export interface Uplink {
  /** What the browser believes it carries, bit/s. */
  available: number;
  /** What cameras would take, bit/s. */
  wanted: number;
  /** It keeps a camera small. */
  narrow: boolean;
  /** The most that may be sent, bit/s; `null` where the browser is left to itself. */
  most: number | null;
}

export class Upload {
  #narrowSince: number | null = null;
  #triedAt = -Infinity;
  #trying = false;

  /** What may be sent at most from `now`, in ms, on. */
  next(now: number, { available, wanted, narrow, most }: Uplink): number | null {
    if (available >= ENOUGH * wanted || (most === null && !narrow)) {
      [this.#narrowSince, this.#trying] = [null, false];
      return null;
    }
    this.#narrowSince ??= now;
    const narrowFor = now - this.#narrowSince;
    if (available < AVAILABLE_MIN || narrowFor < FIRST_MS) return most;
    const rest = Math.round(available * REST);
    if (most === null) return rest;
    if (this.#trying && available < FOUND * most) {
      this.#trying = false;
      return rest;
    }
    if (!this.#trying && now - this.#triedAt < (narrowFor < LONG_MS ? AGAIN_MS : LATER_MS)) return most;
    // Only what is more than before is tried.
    if (available * TRY <= most) return rest;
    [this.#trying, this.#triedAt] = [true, now];
    return Math.round(available * TRY);
  }
}
