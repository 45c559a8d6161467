/** Reads what the page around has chosen. */

import type { ColourName, Settings } from "./messages";

const NAMES: ColourName[] = ["accent", "background", "panel", "text"];

/** A colour as `#rrggbb`, from its bytes; nothing where something shines through it. */
export function hex(pixel: ArrayLike<number>): string | null {
  const [red = 0, green = 0, blue = 0, alpha = 0] = Array.from(pixel);
  if (alpha < 255) return null;
  return `#${[red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** What the browser makes of a CSS colour, in whatever notation. */
function resolved(value: string, canvas: CanvasRenderingContext2D): string | null {
  if (!CSS.supports("color", value)) return null;
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = value;
  canvas.fillRect(0, 0, 1, 1);
  return hex(canvas.getImageData(0, 0, 1, 1).data);
}

/** `color-scheme` of an element: of several the one the person prefers, dark without one. */
export function schemeOf(value: string, prefersLight: boolean): "dark" | "light" {
  const named = value.split(/\s+/u);
  const [dark, light] = [named.includes("dark"), named.includes("light")];
  if (dark && light) return prefersLight ? "light" : "dark";
  return light ? "light" : "dark";
}

/** Colours and colour scheme of `element`, from its computed style. */
export function look(element: HTMLElement): Pick<Settings, "scheme" | "colours"> {
  const style = getComputedStyle(element);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colours: Settings["colours"] = {};
  for (const name of NAMES) {
    const value = style.getPropertyValue(`--dais-${name}`).trim();
    const colour = value === "" || canvas === null ? null : resolved(value, canvas);
    if (colour !== null) colours[name] = colour;
  }
  return { scheme: schemeOf(style.colorScheme, matchMedia("(prefers-color-scheme: light)").matches), colours };
}
