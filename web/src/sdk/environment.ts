/** Time, chance and the network as a room sees them, so that tests can bring their own. */

export interface Environment {
  /** Milliseconds since any fixed moment. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  /** Runs `then` after `ms` milliseconds. Returns what prevents it. */
  after(ms: number, then: () => void): () => void;
  /** Runs `then` whenever the network is gone, or back. Returns what ends that. */
  onNetwork(then: (online: boolean) => void): () => void;
}

export const browserEnvironment: Environment = {
  now: () => Date.now(),
  random: () => Math.random(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
  onNetwork: (then) => {
    const [online, offline] = [() => then(true), () => then(false)];
    addEventListener("online", online);
    addEventListener("offline", offline);
    return () => {
      removeEventListener("online", online);
      removeEventListener("offline", offline);
    };
  },
};
