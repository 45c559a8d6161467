/** What people type, cut into text and addresses. Nothing else is made of it. */

export interface Piece {
  text: string;
  /** Set where it is a link. */
  href: string | null;
}

/** Addresses of pages. Other schemes stay text: `javascript:` is one of them. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"]+/giu;
const PUNCTUATION = ".,:;!?'([{";
const BRACKETS: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

/** An address without the punctuation after it. A bracket that closes one of the address's own belongs to it. */
function trimmed(address: string): string {
  let end = address.length;
  for (; end > 0; end--) {
    const last = address.charAt(end - 1);
    const opening = BRACKETS[last];
    if (opening === undefined ? !PUNCTUATION.includes(last) : closes(address.slice(0, end), opening, last)) break;
  }
  return address.slice(0, end);
}

function closes(address: string, opening: string, closing: string): boolean {
  return address.split(opening).length >= address.split(closing).length;
}

export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    if (!URL.canParse(address)) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index), href: null });
    found.push({ text: address, href: new URL(address).href });
    end = match.index + address.length;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: null });
  return found;
}
