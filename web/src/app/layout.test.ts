import { describe, expect, test } from "vitest";
import { hue, initials, tileSize } from "./layout";

describe("tiles", () => {
  test("one tile takes the height or the width, whichever is less", () => {
    expect(tileSize(1, 1600, 900, 12)).toEqual({ width: 1600, height: 900 });
    expect(tileSize(1, 1600, 450, 12)).toEqual({ width: 800, height: 450 });
  });

  test("all of them fit, and 25 stand in a square", () => {
    for (let count = 1; count <= 100; count += 1) {
      const { width, height } = tileSize(count, 1000, 700, 10);
      const columns = Math.floor((1000 + 10) / (width + 10));
      expect(Math.ceil(count / columns) * (height + 10) - 10).toBeLessThanOrEqual(700);
    }
    const { width } = tileSize(25, 1640, 940, 10);
    expect(Math.floor(1650 / (width + 10))).toBe(5);
  });

  test("nobody needs no space", () => {
    expect(tileSize(0, 100, 100, 10)).toEqual({ width: 0, height: 0 });
  });
});

describe("initials", () => {
  test.each([
    ["Maya Levin", "ML"],
    ["Ana de la Cruz", "AC"],
    ["ama", "A"],
    ["Żaneta Øst", "ŻØ"],
    ["😀 Smile", "😀S"],
    ["  ", ""],
  ])("%s is %s", (name, expected) => expect(initials(name)).toBe(expected));
});

test("a name always has the same colour, and names differ", () => {
  const names = ["Maya Levin", "Jonas Weber", "Lin Zhao", "Kenji Tanaka", "Olivia Fox", "Ama Owusu"];
  expect(names.map(hue)).toEqual(names.map(hue));
  expect(new Set(names.map(hue)).size).toBeGreaterThan(2);
});
