import { describe, expect, test } from "vitest";
import { arrange, hue, inFront, initials, shownHeight, tileSize } from "./layout";
import type { Place } from "./layout";

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

describe("places", () => {
  const apart = (a: Place, b: Place) => a.left + a.width <= b.left || b.left + b.width <= a.left || a.top + a.height <= b.top || b.top + b.height <= a.top;

  test.each(["gallery", "speaker"] as const)("in the %s layout no tile leaves the stage or covers another", (layout) => {
    for (const count of [1, 2, 3, 5, 9, 10, 25, 26, 100]) {
      for (const [width, height] of [[1_300, 650], [390, 560], [900, 900]] as const) {
        const places = arrange(layout, count, count - 1, width, height, 10);
        expect(places).toHaveLength(count);
        for (const place of places) {
          expect(place.width).toBeGreaterThan(0);
          expect(place.left).toBeGreaterThanOrEqual(0);
          expect(place.top).toBeGreaterThanOrEqual(0);
          // Places are rounded to whole pixels.
          expect(place.left + place.width).toBeLessThanOrEqual(width + 1);
          expect(place.top + place.height).toBeLessThanOrEqual(height + 1);
        }
        places.forEach((a, n) => places.slice(n + 1).forEach((b) => expect(apart(a, b) || apart({ ...a, left: a.left - 1, top: a.top - 1 }, b)).toBe(true)));
      }
    }
  });

  test("the large tile is the one asked for, and the others keep their order", () => {
    const places = arrange("speaker", 4, 2, 1_300, 650, 10);
    const widths = places.map(({ width }) => width);
    expect(Math.max(...widths)).toBe(widths[2]);
    expect(widths[2]).toBeGreaterThan(3 * (widths[0] ?? 0));
    expect(places[0]?.left).toBeLessThan(places[1]?.left ?? 0);
    expect(places[1]?.left).toBeLessThan(places[3]?.left ?? 0);
  });

  test("somebody alone fills the stage in both layouts", () => {
    expect(arrange("speaker", 1, 0, 1_600, 900, 10)).toEqual(arrange("gallery", 1, 0, 1_600, 900, 10));
    expect(arrange("speaker", 0, 0, 1_600, 900, 10)).toEqual([]);
  });
});

describe("who stands in front", () => {
  const people = [1, 2, 3].map((id) => ({ id }));

  test("whoever speaks most, and they stay when nobody speaks", () => {
    expect(inFront(people, 3, null, 1)).toBe(3);
    expect(inFront(people, null, 3, 1)).toBe(3);
    expect(inFront(people, 2, 3, 1)).toBe(2);
  });

  test("nobody sees themselves there while others are", () => {
    expect(inFront(people, 1, 3, 1)).toBe(3);
    expect(inFront(people, 1, null, 1)).toBe(2);
    expect(inFront(people.slice(0, 1), 1, null, 1)).toBe(1);
  });

  test("whoever has left gives way to who came first", () => {
    expect(inFront(people, null, 9, null)).toBe(1);
    expect(inFront([], 2, 2, null)).toBeNull();
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

describe("what a tile shows", () => {
  test("is said in device pixels and in steps", () => {
    expect(shownHeight(180, 1)).toBe(180);
    expect(shownHeight(181, 1)).toBe(200);
    expect(shownHeight(180, 2)).toBe(360);
    expect(shownHeight(100_000, 3)).toBe(4_320);
  });
});
