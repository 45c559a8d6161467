/**
 * Whether a voice is sent with redundancy: every packet carries the one before it once more, so that one that is lost is not missed.
 * That doubles what a voice takes, and is worth it only while the line upwards loses packets.
 */

/** Losses that are heard, as a part of the packets. One in 50, which a report of a second of a voice cannot tell from none, is not. */
const LOSSY = 0.03;
/** Losses come in waves, and to agree anew takes the page 60 ms: for so long after the last it stays, ms. */
const KEEP_MS = 30_000;

export class Redundancy {
  #lostAt = -Infinity;

  /** Whether the voice is to be sent with redundancy from `now`, in ms, on, where of what is sent `loss` is lost. */
  next(now: number, loss: number): boolean {
    if (loss >= LOSSY) this.#lostAt = now;
    return now - this.#lostAt < KEEP_MS;
  }
}
