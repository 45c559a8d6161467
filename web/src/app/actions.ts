/** What people do on the page, as entries of menus. */

import type { Access, Participant } from "../sdk";
import { chooseLayout, layout } from "./arrangement";
import type { Layout } from "./layout";
import type { MenuEntry } from "./menu";
import { offeredDeeds } from "./moderation";
import { presentEntries } from "./presenting";
import { attempt, dialog, me, moderating, side, view } from "./state";
import { ACCESS_LABELS } from "./texts";

const ACCESSES: Access[] = ["everyone", "request", "invite"];

/** **Stage access**: one of three. */
export function accessEntries(): MenuEntry[] {
  const { access } = view.value.rules;
  const choices = ACCESSES.map((choice) => ({
    label: ACCESS_LABELS[choice],
    checked: choice === access,
    run: () => void (choice === access || attempt((room) => room.setAccess(choice))),
  }));
  return [{ kind: "radios", label: "Stage access", choices }];
}

/** What a moderator does to everyone at once, and **Stage access**: the menu at the top of the participants list. */
export function everyoneEntries(): MenuEntry[] {
  const item = (label: string, run: () => void): MenuEntry => ({ kind: "item", label, run });
  return [
    item("Mute everyone else", () => void attempt((room) => room.muteAll())),
    item("Stop all other cameras", () => void attempt((room) => room.stopAllCameras())),
    item("Lower all hands", () => void attempt((room) => room.lowerAllHands())),
    ...accessEntries(),
  ];
}

const LAYOUT_LABELS: Record<Layout, string> = { gallery: "Gallery", speaker: "Speaker in front" };

/** How the stage is arranged: for oneself alone. */
function layoutEntry(): MenuEntry {
  const choices = (["gallery", "speaker"] as const).map((choice) => ({
    label: LAYOUT_LABELS[choice],
    checked: layout.value === choice,
    run: () => chooseLayout(choice),
  }));
  return { kind: "radios", label: "Layout", choices };
}

/** The settings menu. */
export function settingsEntries(): MenuEntry[] {
  const item = (label: string, run: () => void): MenuEntry => ({ kind: "item", label, run });
  const devices = item("Set devices", () => (dialog.value = { kind: "devices" }));
  const statistics = item("Statistics", () => (dialog.value = { kind: "statistics" }));
  const polls = item("Polls", () => (side.value = "polls"));
  if (!moderating.value) return [devices, layoutEntry(), polls, ...presentEntries(), statistics];
  const { locked } = view.value.rules;
  return [
    devices,
    layoutEntry(),
    polls,
    ...presentEntries(),
    statistics,
    ...accessEntries(),
    item(locked ? "Unlock the room" : "Lock the room", () => void attempt((room) => room.setLock(!locked))),
    item("Stage size…", () => (dialog.value = { kind: "size" })),
    ...(me.value?.role === "host"
      ? [item("Permissions…", () => (dialog.value = { kind: "permissions" })), item("Session report…", () => (dialog.value = { kind: "summary" }))]
      : []),
    item("Role links…", () => (dialog.value = { kind: "links" })),
    { kind: "item", label: "End the session for all", grave: true, run: () => (dialog.value = { kind: "end" }) },
  ];
}

/** The three dots beside a name. */
export function personEntries(person: Participant): MenuEntry[] {
  return offeredDeeds(view.value, person).map(({ deed, label }): MenuEntry => {
    if (deed === "remove_from_room") return { kind: "item", label, grave: true, run: () => (dialog.value = { kind: "remove", person }) };
    return { kind: "item", label, run: () => void attempt((room) => room.act(deed, person.id)) };
  });
}
