/** Tells the server what is shown: when that changes, not too often, and anew in every session. */

import type { Environment } from "./environment";
import type { Watched } from "./protocol.gen";

/** Between two messages, ms: a window being resized changes with every frame. */
const PAUSE_MS = 250;

export class Watching {
  readonly #environment: Pick<Environment, "after">;
  readonly #say: (cameras: Watched[]) => Promise<void>;
  #shown: Watched[] | null = null;
  /** What was said last in this session; `null` where nothing was. */
  #said: string | null = null;
  #inside = false;
  #pausing = false;

  constructor(environment: Pick<Environment, "after">, say: (cameras: Watched[]) => Promise<void>) {
    this.#environment = environment;
    this.#say = say;
  }

  /** This is shown from here on. */
  show(cameras: Watched[]): void {
    this.#shown = [...cameras].sort((a, b) => a.slot - b.slot);
    this.#settle();
  }

  /** A session is open that knows nothing yet. */
  begin(): void {
    this.#inside = true;
    this.#said = null;
    this.#settle();
  }

  /** Says once more what is shown, to see whether anybody answers. */
  again(): Promise<void> {
    return this.#say(this.#shown ?? []);
  }

  /** The session is over. */
  end(): void {
    this.#inside = false;
  }

  #settle(): void {
    if (!this.#inside || this.#pausing || this.#shown === null) return;
    const shown = JSON.stringify(this.#shown);
    if (shown === this.#said) return;
    this.#said = shown;
    void this.#say(this.#shown).catch(() => undefined);
    this.#pausing = true;
    this.#environment.after(PAUSE_MS, () => {
      this.#pausing = false;
      this.#settle();
    });
  }
}
