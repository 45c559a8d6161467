import { describe, expect, test } from "vitest";
import type { Attendance } from "../sdk";
import { duration, line, presence } from "./attendance";

const at = (second: number) => new Date(second * 1_000).toISOString();
const person = (...visits: [number, number | null][]): Attendance => ({
  identity: "x",
  name: "X",
  role: "participant",
  visits: visits.map(([entered, left]) => ({ entered: at(entered), left: left === null ? null : at(left) })),
  presentSeconds: 0,
  stageSeconds: 0,
  speakingSeconds: 0,
});

describe("attendance", () => {
  test("counts who was there at each moment, through to the end", () => {
    const steps = presence([person([1, 3], [5, null]), person([2, 5])], 0, 9_000);
    expect(steps).toEqual([[0, 0], [1_000, 1], [2_000, 2], [3_000, 1], [5_000, 2], [5_000, 1], [9_000, 1]]);
  });

  test("is drawn as steps within its box", () => {
    expect(line([[0, 0], [5, 2], [10, 2]], 100, 50)).toBe("0.0,50.0 0.0,50.0 50.0,50.0 50.0,0.0 100.0,0.0 100.0,0.0");
    expect(line([], 100, 50)).toBe("");
  });

  test("says how long something was", () => {
    expect([0, 65, 3_909].map(duration)).toEqual(["0:00", "1:05", "1:05:09"]);
  });
});
