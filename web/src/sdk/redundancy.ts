/**
 * Whether a voice is sent with redundancy: every packet carries the one before it once more, so that one that is lost is not missed.
 * That doubles what a voice takes, and is worth it only while the line upwards loses packets.
 */

import type { Losses } from "./statistics";

/** Losses that are heard, as a part of the packets. */
const LOSSY = 0.03;
/** Looks that are taken together: of the 50 packets of a voice in a second two are lost now and then on a line that loses one in 100. */
const LOOKS = 5;
/** One packet that is lost says nothing, nor do the few of a silence: in this many two are a wave. */
const [TELLING_PACKETS, TELLING_LOSSES] = [20, 2];
/** Losses come in waves, and to agree anew takes the page 60 ms: for so long after the last wave it stays, ms. */
const KEEP_MS = 30_000;

export class Redundancy {
  #looks: Losses[] = [];
  #lossyAt = -Infinity;

  /** Whether the voice is to be sent with redundancy from `now`, in ms, on, where since the look before `losses` were reported. */
  next(now: number, losses: Losses): boolean {
    this.#looks = [...this.#looks, losses].slice(-LOOKS);
    const [sent, lost] = [this.#sum("sent"), this.#sum("lost")];
    if (sent >= TELLING_PACKETS && lost >= Math.max(TELLING_LOSSES, LOSSY * sent)) this.#lossyAt = now;
    return now - this.#lossyAt < KEEP_MS;
  }

  #sum(of: keyof Losses): number {
    return this.#looks.reduce((sum, look) => sum + look[of], 0);
  }
}
