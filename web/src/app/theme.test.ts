import { describe, expect, test } from "vitest";
import { contrast, parse, theme } from "./theme";

/** Every text of the page, and what it stands on. */
const TEXTS = ["--text", "--dim", "--accent", "--go", "--stop", "--stop-text", "--warn"];
const GROUNDS = ["--bg", "--panel", "--raise", "--raise-2", "--tint", "--selected"];
const PAIRS = [["--on-accent", "--accent"], ["--on-stop", "--stop"], ["--on-warn", "--warn"], ["--warn-text", "--warn-ground"], ["--on-accent", "--accent-hover"], ["--on-stop", "--stop-hover"], ["--on-warn", "--warn-hover"]] as const;

function expectReadable(properties: Record<string, string>): void {
  const read = (text: string, ground: string) =>
    expect(contrast(properties[text] ?? "", properties[ground] ?? ""), `${text} ${properties[text]} on ${ground} ${properties[ground]}`).toBeGreaterThanOrEqual(4.5);
  for (const text of TEXTS) for (const ground of GROUNDS) read(text, ground);
  for (const [text, ground] of PAIRS) read(text, ground);
}

test("contrast is that of WCAG", () => {
  expect(contrast("#ffffff", "#000000")).toBeCloseTo(21);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
  expect(contrast("#123456", "#123456")).toBe(1);
});

test.each(["red", "#fff", "#12345g", "url(x)", "#123456; background: url(x)", 7, null, undefined])("%s is no colour", (text) => {
  expect(parse(text)).toBeNull();
});

describe("whatever is chosen, everything can be read", () => {
  const parts = ["00", "66", "99", "ff"];
  const colours = parts.flatMap((red) => parts.flatMap((green) => parts.map((blue) => `#${red}${green}${blue}`)));

  test.each(["dark", "light"] as const)("without a choice, %s", (scheme) => {
    expectReadable(theme(scheme, {}));
    expect(theme(scheme, {})["color-scheme"]).toBe(scheme);
  });

  test.each(colours)("background and text %s", (colour) => {
    for (const accent of ["#000000", "#ffffff", "#6ea8fe", "#ff0000", colour]) expectReadable(theme("dark", { background: colour, text: colour, accent }));
  });

  test.each(colours)("accent and panel %s", (colour) => {
    for (const background of ["#ffffff", "#0f1115", "#fdf6e3"]) expectReadable(theme("light", { background, panel: colour, accent: colour }));
  });
});

test("what can be read is taken as it is", () => {
  const chosen = theme("dark", { background: "#ffffff", accent: "#7a1fa2", text: "#222222" });
  expect([chosen["--bg"], chosen["--accent"], chosen["--text"], chosen["color-scheme"]]).toEqual(["#ffffff", "#7a1fa2", "#222222", "light"]);
});

test("what is no colour is as if it were not there", () => {
  expect(theme("dark", { accent: "red; --x: 1", background: "" })).toEqual(theme("dark", {}));
});
