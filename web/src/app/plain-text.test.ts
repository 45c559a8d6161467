import { describe, expect, test } from "vitest";
import { pieces } from "./plain-text";

const links = (text: string) => pieces(text).filter(({ href }) => href !== null).map(({ href }) => href);
const whole = (text: string) => pieces(text).map((piece) => piece.text).join("");

describe("text that people typed", () => {
  // law: chat-text
  test("addresses of pages are links, without the punctuation after them", () => {
    expect(links("See https://example.org/a?b=c, and (http://example.com).")).toEqual(["https://example.org/a?b=c", "http://example.com/"]);
  });

  test("a bracket that closes one of the address's own belongs to it", () => {
    const article = "https://example.org/wiki/Stage_(theatre)";
    expect(links(`${article} (${article}), [${article}].`)).toEqual([article, article, article]);
  });

  // law: chat-text
  test("everything else is text", () => {
    for (const text of ["javascript:alert(1)", "data:text/html,x", "<img src=x onerror=alert(1)>", "http://", "ftp://example.org"]) {
      expect(links(text), text).toEqual([]);
      expect(whole(text)).toBe(text);
    }
  });

  test("nothing is lost or added", () => {
    const text = "a https://example.org/\"><script> b\nhttps://[ c";
    expect(whole(text)).toBe(text);
    expect(links(text)).toEqual(["https://example.org/"]);
  });
});
