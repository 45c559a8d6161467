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

/** What a tile of so many CSS pixels is said to show, in device pixels: in steps, so that little changes say nothing. */
export function shownHeight(height: number, pixelRatio: number): number {
  const step = 20;
  return Math.min(4_320, Math.ceil((height * pixelRatio) / step) * step);
}

/** How tiles are arranged: all alike, or whoever speaks large and the others below. */
export type Layout = "gallery" | "speaker";

/** Where a tile stands, in pixels from the upper left of the stage. */
export interface Place extends TileSize {
  left: number;
  top: number;
}

/** Share of the height that the others have below the large tile, by how many they are. */
const strip = (others: number) => (others <= 8 ? 0.2 : others <= 24 ? 0.28 : 0.38);

/** Rows of tiles of one size in the middle of a box; the last row may be shorter. */
function rows(count: number, left: number, top: number, width: number, height: number, gap: number): Place[] {
  const size = tileSize(count, width, height, gap);
  const columns = Math.max(1, Math.min(count, Math.floor((width + gap) / (size.width + gap))));
  const lines = Math.ceil(count / columns);
  const above = top + (height - lines * size.height - (lines - 1) * gap) / 2;
  return Array.from({ length: count }, (_, n) => {
    const line = Math.floor(n / columns);
    const inLine = Math.min(columns, count - line * columns);
    const before = left + (width - inLine * size.width - (inLine - 1) * gap) / 2;
    return {
      ...size,
      left: Math.round(before + (n - line * columns) * (size.width + gap)),
      top: Math.round(above + line * (size.height + gap)),
    };
  });
}

/** Places for `count` tiles in `width` by `height` pixels. In the speaker layout tile number `large` is the large one. */
export function arrange(layout: Layout, count: number, large: number, width: number, height: number, gap: number): Place[] {
  if (layout === "gallery" || count < 2) return rows(count, 0, 0, width, height, gap);
  const below = Math.round(height * strip(count - 1));
  const above = Math.min(height - below - gap, Math.floor(width / ASPECT));
  // On a phone that is less than there is: the two parts stay together.
  const top = Math.max(0, Math.floor((height - above - gap - below) / 2));
  const [featured] = rows(1, 0, top, width, above, gap);
  const others = rows(count - 1, 0, top + above + gap, width, below, gap);
  return featured === undefined ? others : [...others.slice(0, large), featured, ...others.slice(large)];
}

/**
 * Whose tile is the large one: who speaks most, else whoever was before, else who came first. Nobody needs to see
 * themselves large while others are there.
 */
export function inFront(people: readonly { id: number }[], dominant: number | null, before: number | null, own: number | null): number | null {
  const others = people.filter(({ id }) => id !== own);
  const wanted = [dominant, before].find((id) => others.some((person) => person.id === id));
  return wanted ?? (others[0] ?? people[0])?.id ?? null;
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
