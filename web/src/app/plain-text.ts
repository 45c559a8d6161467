/** What people type, cut into text and addresses. Nothing else is made of it. */

export interface Piece {
  text: string;
  /** Set where it is a link. */
  href: string | null;
}

/** Addresses of pages, without the punctuation after them. Other schemes stay text: `javascript:` is one of them. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"]*[^\s<>"'.,:;!?()[\]{}]/giu;

export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    if (!URL.canParse(match[0])) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index), href: null });
    found.push({ text: match[0], href: new URL(match[0]).href });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: null });
  return found;
}
