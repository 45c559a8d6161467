/** After which ends a client comes back by itself, and when. */

import type { Failure } from "./view";

export const LOST: Failure = { code: "connection_lost", text: "The connection to the server was lost." };
export const MEDIA_LOST: Failure = { code: "media_lost", text: "The connection for sound and pictures was lost." };

/** Ends that pass by themselves. After every other one, codes of later versions too, coming back would change nothing. */
const PASSING: ReadonlySet<string> = new Set([
  LOST.code,
  MEDIA_LOST.code,
  "shutting_down",
  "journal_failed",
  "room_gone",
  "internal",
  "too_slow",
]);

export const passes = (failure: Failure): boolean => PASSING.has(failure.code);

/**
 * Waits before the attempts, ms; the last one repeats. The first follows at once, because most losses are a moment's;
 * nine tenths of the grace time of 30 s lie within seven attempts (LiveKit's client waits the same).
 */
export const RETRY_DELAYS_MS = [0, 300, 1_200, 2_700, 4_800, 7_000] as const;

/** Share by which a wait is shorter or longer, so that a room of thousands does not come back in one instant. */
const JITTER = 0.2;

/** Wait before the attempt number `attempt` (from 0), ms; `chance` is from 0 to 1. */
export function retryDelay(attempt: number, chance: number): number {
  const delay = RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length - 1)] ?? 0;
  return delay * (1 - JITTER + 2 * JITTER * chance);
}

/** An attempt that has not been answered by then is given up: a socket without a network tries for minutes, ms. */
export const ATTEMPT_MS_MAX = 8_000;
/** While pictures go on, a loss that is over by then is not shown, ms. */
export const QUIET_MS = 2_000;
/** An answer is here by then, or the network has changed, ms; twice that at the most. */
export const ANSWER_MS_MAX = 400;
/** A connection that lasts this long counts as one; before, the next attempt waits longer than the last, ms. */
export const STEADY_AFTER_MS = 1_000;
/** Failed attempts after which a person who waits to come in is shown what is wrong. */
export const SHOWN_AFTER = 3;
