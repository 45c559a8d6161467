/** How dates and times are written. */

import { signal } from "@preact/signals";

/** BCP 47; empty for that of the browser. */
export const locale = signal("");

/** For `toLocaleString` and its like: what the browser does not know is its own. */
export function locales(): string[] {
  try {
    return locale.value === "" ? [] : Intl.getCanonicalLocales(locale.value);
  } catch {
    return [];
  }
}
