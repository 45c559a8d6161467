import { expect, it } from "vitest";
import { Redundancy } from "./redundancy";

const SENT = 50;

/** Whether it is redundant in each second of a voice of which `loses` says how much is lost. */
function seconds(count: number, loses: (second: number) => number): boolean[] {
  const redundancy = new Redundancy();
  return Array.from({ length: count }, (_, second) => redundancy.next(second * 1_000, { sent: SENT, lost: loses(second) }));
}

it("a voice is redundant from the first losses until half a minute after the last", () => {
  const redundant = seconds(90, (second) => (second >= 20 && second < 30 ? 5 : 0));
  expect(redundant.indexOf(true)).toBe(21);
  // The last losses are looked at for five seconds.
  expect(redundant.lastIndexOf(true)).toBe(29 + 3 + 29);
  expect(redundant.slice(21, 62).every(Boolean)).toBe(true);
});

it("a line that loses one packet in 200 needs none, however they fall, and one that loses one in 20 does", () => {
  let state = 7;
  const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x7fffffff;
  const lost = (part: number) => Array.from({ length: SENT }, random).filter((drawn) => drawn < part).length;
  const share = (part: number) => seconds(2_000, () => lost(part)).filter(Boolean).length / 2_000;
  expect(share(0.005)).toBeLessThan(0.05);
  expect(share(0.05)).toBeGreaterThan(0.99);
});

it("a voice of which next to nothing was sent is not judged", () => {
  expect(new Redundancy().next(0, { sent: 3, lost: 2 })).toBe(false);
  expect(new Redundancy().next(0, { sent: 25, lost: 1 })).toBe(false);
  expect(new Redundancy().next(0, { sent: 25, lost: 2 })).toBe(true);
});
