/** Time, chance and the network as a room sees them, so that tests can bring their own. */

export interface Environment {
  /** Milliseconds since any fixed moment. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  /** Runs `then` after `ms` milliseconds. Returns what prevents it. */
  after(ms: number, then: () => void): () => void;
  /** Runs `then` whenever the network is back. Returns what ends that. */
  onOnline(then: () => void): () => void;
}

export const browserEnvironment: Environment = {
  now: () => Date.now(),
  random: () => Math.random(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
  onOnline: (then) => {
    addEventListener("online", then);
    return () => removeEventListener("online", then);
  },
};
