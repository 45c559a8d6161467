/** What this person presents: a screen, a window or a tab, with its sound where they share that. */

import type { Presentation } from "./protocol.gen";

/** The requests of somebody who presents. */
type Ask = (request: { type: "present"; sound: boolean } | { type: "stop_presenting"; participant: number }) => Promise<void>;

/** What is sent of a screen. */
export interface ScreenTracks {
  picture: MediaStreamTrack | null;
  sound: MediaStreamTrack | null;
}

const NOTHING: ScreenTracks = { picture: null, sound: null };

export class Presenting {
  readonly #ask: Ask;
  #tracks = NOTHING;
  /** The server has said that this person presents. */
  #begun = false;
  /** Their number, while the server has them as who presents. */
  #own: number | null = null;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Presents what the browser captures. Refused, or over, the capture ends. */
  async start(capture: MediaStream): Promise<void> {
    this.#release();
    const [picture = null, sound = null] = [capture.getVideoTracks()[0], capture.getAudioTracks()[0]];
    const tracks = (this.#tracks = { picture, sound });
    // The browser has a button of its own that ends a capture.
    picture?.addEventListener("ended", () => void (this.#tracks === tracks && this.#over()));
    try {
      await this.#ask({ type: "present", sound: sound !== null });
    } catch (error) {
      if (this.#tracks === tracks) this.#release();
      throw error;
    }
  }

  /** Ends the presentation of `participant`: one's own or, for moderators, anybody's. */
  stop(participant: number): Promise<void> {
    return this.#ask({ type: "stop_presenting", participant });
  }

  /**
   * What is to be sent, with `presentation` as the server has it. Somebody who presents and has nothing to show, after a
   * reload for example, stops.
   */
  settle(presentation: Presentation, you: number | null): ScreenTracks {
    const presents = you !== null && presentation.participant === you;
    this.#own = presents ? you : null;
    if (!presents && this.#begun) this.#release();
    this.#begun = presents;
    if (presents && this.#tracks.picture === null) this.#over();
    return presents ? this.#tracks : NOTHING;
  }

  #over(): void {
    this.#release();
    if (this.#own !== null) void this.stop(this.#own).catch(() => undefined);
  }

  #release(): void {
    const { picture, sound } = this.#tracks;
    this.#tracks = NOTHING;
    picture?.stop();
    sound?.stop();
  }
}
