import { expect, test } from "vitest";
import { placesInSight } from "./places";

test.each([
  ["at the top", 0, 560, 5_000, [0, 18]],
  ["further down", 56_000, 560, 5_000, [992, 1_018]],
  ["at the end", 279_440, 560, 5_000, [4_982, 4_999]],
  ["still below the window", -2_000, 560, 5_000, [0, 0]],
  ["partly below it", -280, 560, 5_000, [0, 13]],
  ["all above it", 300_000, 560, 5_000, [4_999, 4_999]],
  ["shorter than the window", 0, 560, 5, [0, 4]],
  ["empty", 0, 560, 0, [0, 0]],
  ["hidden", 0, 0, 5_000, [0, 8]],
])("a list %s", (_, above, height, count, places) => {
  expect(placesInSight(above, height, count)).toEqual(places);
});
