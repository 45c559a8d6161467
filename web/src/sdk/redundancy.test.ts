import { expect, it } from "vitest";
import { Redundancy } from "./redundancy";

it("a voice is redundant from the first loss until half a minute after the last", () => {
  const redundancy = new Redundancy();
  const losses: Record<number, number> = { 10: 0.05, 11: 0.02, 20: 0.2 };
  const redundant = Array.from({ length: 60 }, (_, second) => redundancy.next(second * 1_000, losses[second] ?? 0));
  expect(redundant.indexOf(true)).toBe(10);
  expect(redundant.lastIndexOf(true)).toBe(49);
  expect(redundant.filter(Boolean)).toHaveLength(40);
});

it("a line that loses one packet in a hundred needs none", () => {
  expect(new Redundancy().next(0, 0.01)).toBe(false);
});
