/** Addresses as people type or paste them. */

/** A name in quotation marks, an address in angle brackets, what separates, or anything else. */
const PIECES = /"[^"]*"|<[^<>]*>|[\s,;]+|[^\s,;<>"]+|[<>"]/gu;

/**
 * The addresses in `text`, between commas, semicolons, spaces and lines: `ann@example.org` or `Ann Lee <ann@example.org>`.
 * What is none comes out as it stands: the server says what is wrong with it.
 */
export function addressesIn(text: string): string[] {
  const found: string[] = [];
  /** What may be the name of an address that follows. */
  let name: string[] = [];
  const end = () => {
    if (name.length > 0) found.push(name.join(" "));
    name = [];
  };
  for (const [piece] of text.matchAll(PIECES)) {
    if (/^[\s,;]+$/u.test(piece)) {
      if (/[,;\n]/u.test(piece)) end();
    } else if (piece.startsWith("<") && piece.endsWith(">") && piece.length > 1) {
      found.push([...name, piece].join(" "));
      name = [];
    } else if (piece.includes("@") && !piece.startsWith('"')) {
      end();
      found.push(piece);
    } else {
      name.push(piece);
    }
  }
  end();
  return found;
}
