/** How many people were there at each moment: a pure function of their visits. */

import type { Attendance } from "../sdk";

/** From a moment on, ms, so many people. */
export type Step = [at: number, count: number];

/** The steps from `from` to `to`, both ms; the last one is at `to`. */
export function presence(people: readonly Attendance[], from: number, to: number): Step[] {
  const changes = people.flatMap(({ visits }) =>
    visits.flatMap(({ entered, left }): Step[] => [[Date.parse(entered), 1], ...(left === null ? [] : [[Date.parse(left), -1] as Step])]),
  );
  changes.sort(([a, up], [b, down]) => a - b || down - up);
  let count = 0;
  const steps: Step[] = [[from, 0]];
  for (const [at, change] of changes) {
    count += change;
    steps.push([Math.min(Math.max(at, from), to), count]);
  }
  steps.push([to, count]);
  return steps;
}

/** Points of a line of steps in a box `width` by `height`, as SVG has them. */
export function line(steps: readonly Step[], width: number, height: number): string {
  const [from, to] = [steps[0]?.[0] ?? 0, steps.at(-1)?.[0] ?? 0];
  const most = Math.max(1, ...steps.map(([, count]) => count));
  const x = (at: number) => (to === from ? 0 : ((at - from) / (to - from)) * width);
  const y = (count: number) => height - (count / most) * height;
  const points = steps.flatMap(([at, count], index) => {
    const before = steps[index - 1]?.[1] ?? count;
    return [[x(at), y(before)], [x(at), y(count)]];
  });
  return points.map(([left, top]) => `${(left ?? 0).toFixed(1)},${(top ?? 0).toFixed(1)}`).join(" ");
}

/** A length of time: "1:05:09", "5:09". */
export function duration(seconds: number): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
