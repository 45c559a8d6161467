import { describe, expect, it } from "vitest";
import type { Watched } from "./protocol.gen";
import { FakeEnvironment } from "./testing";
import { Watching } from "./watching";

function watching() {
  const environment = new FakeEnvironment();
  const said: Watched[][] = [];
  return { watching: new Watching(environment, async (cameras) => void said.push(cameras)), environment, said };
}

const small = { slot: 0, height: 180 };
const large = { slot: 0, height: 720 };
const other = { slot: 3, height: 180 };

describe("watching", () => {
  it("says what is shown once somebody listens, and nothing twice", () => {
    const { watching: w, environment, said } = watching();
    w.show([other, small]);
    expect(said).toEqual([]);
    w.begin();
    environment.pass(1_000);
    w.show([small, other]);
    expect(said).toEqual([[small, other]]);
  });

  it("says the last of many changes after a pause", () => {
    const { watching: w, environment, said } = watching();
    w.begin();
    w.show([small]);
    w.show([]);
    w.show([large]);
    expect(said).toEqual([[small]]);
    environment.pass(250);
    expect(said).toEqual([[small], [large]]);
  });

  it("says it again in the next session", () => {
    const { watching: w, environment, said } = watching();
    w.begin();
    w.show([small]);
    environment.pass(1_000);
    w.end();
    w.show([large]);
    w.begin();
    expect(said).toEqual([[small], [large]]);
    environment.pass(1_000);
    w.end();
    w.begin();
    expect(said).toEqual([[small], [large], [large]]);
  });
});
