/** Sizes tiles so that they fill the space they have. */

const ASPECT = 16 / 9;

export interface TileSize {
  width: number;
  height: number;
}

/** The largest 16:9 tiles of which `count` fit into `width` by `height` pixels with `gap` between. */
export function tileSize(count: number, width: number, height: number, gap: number): TileSize {
  let best: TileSize = { width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const wide = (width - gap * (columns - 1)) / columns;
    const tall = (height - gap * (rows - 1)) / rows;
    const tileWidth = Math.floor(Math.min(wide, tall * ASPECT));
    if (tileWidth > best.width) best = { width: tileWidth, height: Math.floor(tileWidth / ASPECT) };
  }
  return best;
}

/** One or two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined];
  return letters.map((word) => [...(word ?? "")][0] ?? "").join("").toUpperCase();
}

/** How many colours the style sheet has for initials. */
const HUES = 6;

/** Which of the colours stands for a name; always the same one. */
export function hue(name: string): number {
  // FNV-1a; its upper bits are the well mixed ones.
  const hash = [...name].reduce((sum, letter) => Math.imul(sum ^ (letter.codePointAt(0) ?? 0), 16_777_619), 2_166_136_261);
  return ((hash >>> 16) & 0xffff) % HUES;
}
