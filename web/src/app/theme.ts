/**
 * Colours of the page that another page chose. What they are mixed from is checked, so that every text can be read:
 * contrast as in WCAG 2.2, at least 4.5 to 1 for text.
 */

import type { ColourName } from "../element/messages";

type Rgb = readonly [number, number, number];
export type Scheme = "dark" | "light";
export type Colours = Partial<Record<ColourName, string>>;

const TEXT_CONTRAST = 4.5;
const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];

/** Where nothing is chosen. Those of the dark scheme are the page's own. */
const BASE: Record<Scheme, Record<"background" | "panel" | "text" | "accent" | "go" | "stop" | "warn", string>> = {
  dark: { background: "#0f1115", panel: "#171a21", text: "#e8ebf2", accent: "#6ea8fe", go: "#37c978", stop: "#f0616d", warn: "#f2b84b" },
  light: { background: "#f3f5f9", panel: "#ffffff", text: "#1a1f2b", accent: "#2160c4", go: "#137a43", stop: "#c2273a", warn: "#8a5a00" },
};

/** A colour; nothing where it is not `#rrggbb`. */
export function parse(text: unknown): Rgb | null {
  if (typeof text !== "string" || !/^#[0-9a-f]{6}$/iu.test(text)) return null;
  const part = (at: number) => Number.parseInt(text.slice(at, at + 2), 16);
  return [part(1), part(3), part(5)];
}

const written = (colour: Rgb): string => `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

/** In whole parts, as colours are written: what is checked is what is shown. */
function mix([red, green, blue]: Rgb, to: Rgb, share: number): Rgb {
  const part = (from: number, target: number) => Math.round(from + (target - from) * share);
  return [part(red, to[0]), part(green, to[1]), part(blue, to[2])];
}

/** Relative luminance, 0 to 1. */
function luminance(colour: Rgb): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** 1 to 21. */
export function contrast(a: string, b: string): number {
  return ratio(parse(a) ?? BLACK, parse(b) ?? BLACK);
}

function ratio(a: Rgb, b: Rgb): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

/** The colour nearest to `wanted`, on its way to white or black, that can be read on all of `grounds`, and on what is made of itself. */
function readable(wanted: Rgb, grounds: Rgb[], pole: Rgb, own: (colour: Rgb) => Rgb[] = () => []): Rgb {
  const fits = (colour: Rgb) => [...grounds, ...own(colour)].every((ground) => ratio(colour, ground) >= TEXT_CONTRAST);
  for (let share = 0; share < 1; share += 0.04) {
    const colour = mix(wanted, pole, share);
    if (fits(colour)) return colour;
  }
  return pole;
}

/** Black or white, whichever can be read on `ground`: one of them always can. */
const onto = (ground: Rgb): Rgb => (ratio(WHITE, ground) >= ratio(BLACK, ground) ? WHITE : BLACK);

/** What is chosen of the surfaces, as long as text can be read on everything made of it. */
function surfaces(scheme: Scheme, chosen: Colours): { scheme: Scheme; background: Rgb; panel: Rgb } {
  const background = parse(chosen.background);
  const base = (of: Scheme) => ({ scheme: of, background: parse(BASE[of].background) ?? BLACK, panel: parse(BASE[of].panel) ?? BLACK });
  if (background === null) return base(scheme);
  const own: Scheme = onto(background) === WHITE ? "dark" : "light";
  const pole = own === "dark" ? WHITE : BLACK;
  // The greys in the middle leave no room for a second shade.
  if (ratio(background, pole) < 9) return base(scheme);
  const panel = parse(chosen.panel);
  const near = panel !== null && ratio(panel, pole) >= 9 ? panel : mix(background, WHITE, own === "dark" ? 0.04 : 0.7);
  return { scheme: own, background, panel: near };
}

/** Custom properties of the page's style sheet, and `color-scheme`. */
export function theme(wished: Scheme, chosen: Colours): Record<string, string> {
  const { scheme, background, panel } = surfaces(wished, chosen);
  const base = BASE[scheme];
  const pole = scheme === "dark" ? WHITE : BLACK;
  const of = (name: keyof typeof base) => parse(base[name]) ?? pole;
  const raise = mix(panel, pole, 0.06);
  const raised = mix(panel, pole, 0.12);
  const grounds = [background, panel, raise, raised];
  const tinted = (colour: Rgb): [Rgb, Rgb] => [mix(panel, colour, 0.08), mix(panel, colour, 0.15)];
  const accent = readable(parse(chosen.accent) ?? of("accent"), grounds, pole, tinted);
  const [tint, selected] = tinted(accent);
  const all = [...grounds, tint, selected];
  const text = readable(parse(chosen.text) ?? of("text"), all, pole);
  const [go, stop, warn] = [readable(of("go"), all, pole), readable(of("stop"), all, pole), readable(of("warn"), all, pole)];
  const warned = mix(panel, warn, 0.1);
  const colours: Record<string, Rgb> = {
    bg: background,
    panel,
    raise,
    "raise-2": raised,
    line: mix(panel, pole, 0.16),
    text,
    dim: readable(mix(text, panel, 0.4), all, pole),
    accent,
    "accent-hover": mix(accent, onto(accent) === BLACK ? WHITE : BLACK, 0.14),
    "on-accent": onto(accent),
    go,
    stop,
    "stop-hover": mix(stop, onto(stop) === BLACK ? WHITE : BLACK, 0.14),
    "stop-text": stop,
    "on-stop": onto(stop),
    warn,
    "on-warn": onto(warn),
    "warn-hover": mix(warn, onto(warn) === BLACK ? WHITE : BLACK, 0.14),
    "warn-ground": warned,
    "warn-line": mix(panel, warn, 0.4),
    "warn-text": readable(mix(warn, pole, 0.4), [warned], pole),
    tint,
    "tint-line": mix(panel, accent, 0.45),
    "tint-text": text,
    selected,
  };
  const properties = Object.entries(colours).map(([name, colour]) => [`--${name}`, written(colour)] as const);
  return { ...Object.fromEntries(properties), "color-scheme": scheme };
}
