import { describe, expect, test, vi } from "vitest";
import { hex, schemeOf } from "./colours";

// What a page has and Node does not.
vi.stubGlobal("HTMLElement", class {});
const { frameAddress, roomIn } = await import("./element");

const token = (payload: object) => `x.${btoa(JSON.stringify(payload)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}.y`;

describe("the room in a token", () => {
  test("is read from it", () => {
    expect(roomIn(token({ room: "class", name: "ÿþý~~~???" }))).toBe("class");
  });

  test.each(["", "nonsense", "a.b.c", token({}), token({ room: 7 })])("is none in %s", (text) => {
    expect(roomIn(text)).toBeNull();
  });
});

test("the token stands in the fragment, and nothing of it before", () => {
  const address = new URL(frameAddress("https://stage.example", "a b", "t.o&k=en", "https://portal.example:8443"));
  expect([address.origin, address.pathname, address.search]).toEqual(["https://stage.example", "/r/a%20b", ""]);
  expect(Object.fromEntries(new URLSearchParams(address.hash.slice(1)))).toEqual({ token: "t.o&k=en", embed: "https://portal.example:8443" });
});

test("a colour is opaque, or none", () => {
  expect(hex([1, 171, 255, 255])).toBe("#01abff");
  expect(hex([1, 171, 255, 254])).toBeNull();
});

test("a colour scheme is dark unless it is light, or the person prefers light", () => {
  const schemes = ["normal", "dark", "light", "light dark", "only light"];
  expect(schemes.map((value) => schemeOf(value, false))).toEqual(["dark", "dark", "light", "dark", "light"]);
  expect(schemes.map((value) => schemeOf(value, true))).toEqual(["dark", "dark", "light", "light", "light"]);
});
