/**
 * What a browser remembers of a person, by the link they came with: their personal token, for all windows, so that
 * another window is the same person and somebody who was removed stays out; and whether this window was in the room.
 */

/** The part of the browser's `Storage` that is needed. Each call may throw: private windows keep nothing. */
export type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export interface Memory {
  /** The personal token, if one is kept. */
  token(): string | null;
  keep(token: string): void;
  forget(): void;
  /** Whether this window was in the room, and has not left it. */
  wasInside(): boolean;
  setInside(inside: boolean): void;
}

const TOKENS = "dais.tokens";
const INSIDE = "dais.inside";
/** Links remembered; the one kept longest ago gives way. A token is some 300 bytes, a browser gives 5 MB. */
export const LINKS_MAX = 50;

type Kept = [link: string, token: string][];

export function memoryOf(link: string, windows: Store, window: Store): Memory {
  const others = (): Kept => kept(windows).filter(([other]) => other !== link);
  return {
    token: () => kept(windows).find(([other]) => other === link)?.[1] ?? null,
    keep: (token) => write(windows, TOKENS, JSON.stringify([...others(), [link, token]].slice(-LINKS_MAX))),
    forget: () => write(windows, TOKENS, JSON.stringify(others())),
    wasInside: () => read(window, INSIDE) === link,
    setInside: (inside) => write(window, INSIDE, inside ? link : null),
  };
}

/** Remembers for the life of the page. */
export function forgetfulStore(): Store {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

function kept(store: Store): Kept {
  try {
    const value: unknown = JSON.parse(read(store, TOKENS) ?? "[]");
    const isPair = (pair: unknown): pair is Kept[number] =>
      Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string");
    return Array.isArray(value) ? value.filter(isPair) : [];
  } catch {
    return [];
  }
}

function read(store: Store, key: string): string | null {
  try {
    return store.getItem(key);
  } catch {
    return null;
  }
}

function write(store: Store, key: string, value: string | null): void {
  try {
    if (value === null) store.removeItem(key);
    else store.setItem(key, value);
  } catch {
    // Nothing can be kept: a reload is another person then, and everything else works.
  }
}
