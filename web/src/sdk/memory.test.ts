import { describe, expect, test } from "vitest";
import { LINKS_MAX, forgetfulStore, memoryOf } from "./memory";
import type { Store } from "./memory";

describe("what a browser remembers", () => {
  test("a personal token goes with its link, for all windows", () => {
    const windows = forgetfulStore();
    memoryOf("link a", windows, forgetfulStore()).keep("token a");
    memoryOf("link b", windows, forgetfulStore()).keep("token b");
    expect(memoryOf("link a", windows, forgetfulStore()).token()).toBe("token a");
    expect(memoryOf("link b", windows, forgetfulStore()).token()).toBe("token b");
    expect(memoryOf("link c", windows, forgetfulStore()).token()).toBeNull();
    memoryOf("link a", windows, forgetfulStore()).forget();
    expect(memoryOf("link a", windows, forgetfulStore()).token()).toBeNull();
    expect(memoryOf("link b", windows, forgetfulStore()).token()).toBe("token b");
  });

  test("a newer token replaces the older, and the oldest link gives way", () => {
    const windows = forgetfulStore();
    memoryOf("first", windows, forgetfulStore()).keep("1");
    memoryOf("second", windows, forgetfulStore()).keep("2");
    memoryOf("first", windows, forgetfulStore()).keep("3");
    for (let n = 0; n < LINKS_MAX - 1; n += 1) memoryOf(`link ${n}`, windows, forgetfulStore()).keep("x");
    expect(memoryOf("first", windows, forgetfulStore()).token()).toBe("3");
    expect(memoryOf("second", windows, forgetfulStore()).token()).toBeNull();
  });

  test("whether this window was inside is about one link", () => {
    const window = forgetfulStore();
    memoryOf("a", forgetfulStore(), window).setInside(true);
    expect(memoryOf("a", forgetfulStore(), window).wasInside()).toBe(true);
    expect(memoryOf("b", forgetfulStore(), window).wasInside()).toBe(false);
    memoryOf("a", forgetfulStore(), window).setInside(false);
    expect(memoryOf("a", forgetfulStore(), window).wasInside()).toBe(false);
  });

  test("rubbish, and storage that throws, count as nothing", () => {
    const rubbish = (value: string): Store => ({ getItem: () => value, setItem: () => undefined, removeItem: () => undefined });
    for (const value of ["{", "{}", "[1]", '[["a"]]', '[["a", 1]]']) expect(memoryOf("a", rubbish(value), rubbish(value)).token()).toBeNull();
    const no = () => {
      throw new DOMException("", "SecurityError");
    };
    const memory = memoryOf("a", { getItem: no, setItem: no, removeItem: no }, { getItem: no, setItem: no, removeItem: no });
    memory.keep("token");
    memory.setInside(true);
    memory.forget();
    expect([memory.token(), memory.wasInside()]).toEqual([null, false]);
  });
});
