import { describe, expect, test } from "vitest";
import { addressesIn } from "./addresses";

describe("addresses", () => {
  test("stand between commas, semicolons, spaces and lines", () => {
    const text = " ann@example.org, ben@example.org;cat@example.org\n\n dan@example.org eve@example.org ,";
    expect(addressesIn(text)).toEqual(["ann", "ben", "cat", "dan", "eve"].map((name) => `${name}@example.org`));
    expect(addressesIn(" \n, ")).toEqual([]);
  });

  test("may have names before them, as mail programs write them", () => {
    const text = 'Ann Lee <ann@example.org>, "Okoro, Ben" <ben@example.org>\ncat@example.org Zoë Łuk <zoe@example.org>;<dan@example.org>';
    expect(addressesIn(text)).toEqual([
      "Ann Lee <ann@example.org>",
      '"Okoro, Ben" <ben@example.org>',
      "cat@example.org",
      "Zoë Łuk <zoe@example.org>",
      "<dan@example.org>",
    ]);
  });

  test("what is none is not lost: whoever typed it is to hear of it", () => {
    expect(addressesIn("ann, Ben Okoro; cat@example.org <")).toEqual(["ann", "Ben Okoro", "cat@example.org", "<"]);
  });
});
