/** How this person wants the stage arranged, and who stands in front. */

import { computed, signal } from "@preact/signals";
import { stagePeople } from "../sdk";
import { inFront } from "./layout";
import type { Layout } from "./layout";
import { me, view } from "./state";

const KEY = "dais.layout";

function remembered(): Layout {
  try {
    return localStorage.getItem(KEY) === "speaker" ? "speaker" : "gallery";
  } catch {
    return "gallery";
  }
}

export const layout = signal<Layout>(remembered());

export function chooseLayout(chosen: Layout): void {
  layout.value = chosen;
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // Private windows may keep nothing; the choice holds for this visit.
  }
}

let before: number | null = null;
/** Whose tile is the large one. */
export const front = computed(() => {
  before = inFront(stagePeople(view.value), view.value.dominant, before, me.value?.id ?? null);
  return before;
});
