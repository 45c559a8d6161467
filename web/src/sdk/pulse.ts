/** Notices that nothing arrives any more, seconds before a browser does. */

import type { Environment } from "./environment";

/** Between two looks, ms. */
const LOOK_MS = 250;
/** Nothing for this long is unusual where something came before, ms: reports and keep-alives come between pictures. */
const STALL_MS = 500;

export class Pulse {
  readonly #environment: Pick<Environment, "after" | "now">;
  readonly #stalled: () => void;
  #stop = () => {};

  /** Calls `stalled` once each time that what came before comes no more. That a stage has fallen silent looks the same. */
  constructor(environment: Pick<Environment, "after" | "now">, stalled: () => void) {
    this.#environment = environment;
    this.#stalled = stalled;
  }

  /** Watches a connection in place of the one before; `received` is the bytes that have come over it. */
  watch(received: () => Promise<number>): void {
    this.#stop();
    let [bytes, since, told, stopped] = [0, this.#environment.now(), true, false];
    const look = async () => {
      const now = await received().catch(() => bytes);
      if (stopped) return;
      if (now !== bytes) [bytes, since, told] = [now, this.#environment.now(), false];
      else if (!told && this.#environment.now() - since >= STALL_MS) {
        told = true;
        this.#stalled();
      }
      next();
    };
    let cancel = () => {};
    const next = () => void (cancel = this.#environment.after(LOOK_MS, () => void look()));
    next();
    this.#stop = () => {
      stopped = true;
      cancel();
    };
  }

  end(): void {
    this.#stop();
  }
}
