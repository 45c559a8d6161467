import { describe, expect, it } from "vitest";
import { LOOK_MS, Upload } from "./upload";

const WANTED = 3_000_000;

/**
 * What is tried, as seconds and bit/s, while the line carries `carries` at each second. The browser finds what it tries, as far as
 * there is room, and else stays where it is.
 */
function tries(seconds: number, carries: (second: number) => number, narrow = true): [number, number][] {
  const upload = new Upload();
  const tried: [number, number][] = [];
  let available = carries(0);
  let most: number | null = null;
  for (let second = 0; second < seconds; second += LOOK_MS / 1_000) {
    available = Math.min(available, carries(second));
    const next = upload.next(second * 1_000, { available, wanted: WANTED, narrow, most });
    const raised: boolean = most !== null && next !== null && next > most;
    most = next;
    if (most === null) continue;
    expect(most, `${second} s: less than there is`).toBeGreaterThanOrEqual(available);
    if (!raised) continue;
    tried.push([second, most]);
    available = Math.min(most, carries(second));
  }
  return tried;
}

describe("a line upwards", () => {
  it("is left alone while it carries what is wanted, and where it is not what keeps cameras small", () => {
    expect(tries(100, () => 0.95 * WANTED)).toEqual([]);
    expect(tries(100, () => WANTED / 3, false)).toEqual([]);
  });

  it("has no limit any more once it carries enough, or nothing is wanted", () => {
    const narrow = { available: 2_000_000, wanted: WANTED, narrow: true, most: 3_000_000 };
    expect(new Upload().next(0, narrow)).toBe(3_000_000);
    expect(new Upload().next(0, { ...narrow, available: 2_800_000 })).toBeNull();
    expect(new Upload().next(0, { ...narrow, available: 0, wanted: 0 })).toBeNull();
  });

  it("that is narrow is tried with twice what it carries, less often the longer it is", () => {
    const tried = tries(120, () => 1_000_000);
    expect(tried.every(([, most]) => most === 2_000_000)).toBe(true);
    const pauses = tried.slice(1).map(([second], n) => second - (tried[n]?.[0] ?? 0));
    expect([pauses[0], pauses[8], pauses.at(-1)]).toEqual([5, 5, 15]);
  });

  it("that has room again is used within ten seconds", () => {
    const back = 24;
    const tried = tries(60, (second) => (second < back ? 500_000 : 5_000_000));
    const last = tried.at(-1);
    expect(last?.[1]).toBeGreaterThanOrEqual(0.9 * WANTED);
    expect(last?.[0]).toBeLessThanOrEqual(back + 8);
  });

  it("is not tried in the first seconds of a connection, nor where voices would be held up", () => {
    expect(tries(4, () => 500_000)).toEqual([]);
    expect(tries(60, () => 100_000)).toEqual([]);
  });
});
