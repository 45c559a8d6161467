/** What the page knows: the room's view as a signal, and what is open on the screen. */

import { computed, effect, signal } from "@preact/signals";
import { Refused, Room, forgetfulStore, initialView, memoryOf, moderates, permits, self, webSocket } from "../sdk";
import type { Failure, Memory, Participant, Store, View } from "../sdk";
import { cameraTrack, micTrack, ready, release } from "./devices";
import { plain, withNotice, withView, without } from "./toasts";
import type { Toast } from "./toasts";

/** The window over the page. */
export type OpenDialog =
  | { kind: "devices" | "get-ready" | "statistics" | "size" | "links" | "permissions" | "poll" | "quiz" | "summary" | "take-over" | "end" }
  | { kind: "remove"; person: Participant };

export const view = signal<View>(initialView);
export const toasts = signal<Toast[]>([]);
/** The side holds one panel at a time. */
export const side = signal<"people" | "chat" | "polls" | null>(window.matchMedia("(min-width: 901px)").matches ? "people" : null);
export const dialog = signal<OpenDialog | null>(null);
export const me = computed(() => self(view.value));
/** What this person may do around the stage. */
export const may = computed(() => {
  const { permissions } = view.value.rules;
  const role = me.value?.role;
  return (ability: keyof typeof permissions) => role !== undefined && permits(permissions[ability], role);
});
export const moderating = computed(() => me.value !== null && moderates(me.value.role));
export const entry = computed(() => {
  const { phase } = view.value;
  return "entry" in phase ? phase.entry : null;
});
/** The time, for "asked 20 s ago"; as coarse as what it is for. */
export const now = signal(Date.now());

/** How long a toast that needs no decision stays, ms. */
const TOAST_MS = 9_000;
let nextKey = 1;

export function tell(text: string, detail?: string): void {
  const key = leaving();
  toasts.value = plain(toasts.value, key, text, detail);
}

export function dismiss(key: string): void {
  toasts.value = without(toasts.value, key);
}

/** The key of a toast that leaves by itself. */
function leaving(): string {
  const key = `plain-${nextKey++}`;
  setTimeout(() => dismiss(key), TOAST_MS);
  return key;
}

/** The address of this page: the room in its path, the token in its fragment. */
export function address(): { room: string; token: string } | null {
  const room = /^\/r\/([^/]+)$/u.exec(location.pathname)?.[1];
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  return room !== undefined && token !== null ? { room: decodeURIComponent(room), token } : null;
}

interface DeviceHints {
  userAgentData?: { mobile?: boolean };
}

/** A phone enters as a viewer. */
export const onPhone =
  (navigator as DeviceHints).userAgentData?.mobile === true ||
  (window.matchMedia("(pointer: coarse)").matches && Math.min(screen.width, screen.height) < 600);

/** A page that nobody has seen for this long shows nothing, ms: switching tabs for a moment costs no picture. */
const OUT_OF_SIGHT_MS = 5_000;

/** Somebody may be looking at the page. */
export const inSight = signal(true);

let leavingSight: ReturnType<typeof setTimeout> | undefined;
document.addEventListener("visibilitychange", () => {
  clearTimeout(leavingSight);
  if (document.hidden) leavingSight = setTimeout(() => (inSight.value = false), OUT_OF_SIGHT_MS);
  else inSight.value = true;
});

let current: Room | null = null;
let memory: Memory | null = null;

/** The room, once {@link connect} was called. */
export function room(): Room {
  if (current === null) throw new Error("not connected");
  return current;
}

/** Storage that a browser refuses to hand out keeps nothing. */
function store(get: () => Store): Store {
  try {
    return get();
  } catch {
    return forgetfulStore();
  }
}

export function connect(where: { room: string; token: string }): void {
  memory = memoryOf(where.token, store(() => localStorage), store(() => sessionStorage));
  const opened = new Room({ connect: webSocket(new URL(location.href), where.room), token: where.token, phone: onPhone, memory });
  current = opened;
  let noticed = 0;
  opened.subscribe(() => {
    view.value = opened.view;
    const { notice, phase } = opened.view;
    if (phase.at === "closed") release();
    if (phase.at !== "room" && dialog.value?.kind !== "summary") dialog.value = null;
    let told: Toast[] = toasts.value;
    if (notice !== null && notice.seq !== noticed) {
      noticed = notice.seq;
      told = withNotice(told, notice.notice, leaving());
    }
    toasts.value = withView(told, opened.view);
  });
  // Until the browser has answered, nobody knows whether there are devices.
  effect(() => {
    const devices = { mic: micTrack.value, camera: cameraTrack.value };
    if (ready.value) void opened.useDevices(devices);
  });
  setInterval(() => (now.value = Date.now()), 1_000);
}

/** The room, and the token this person has for it. */
export function access(): { room: string; token: string } {
  const where = address();
  if (where === null) throw new Error("no room in the address");
  return { room: where.room, token: memory?.token() ?? where.token };
}

/** Takes the room over from another window. */
export function useHere(): void {
  memory?.setInside(true);
  location.reload();
}

/** Does something in the room; a refusal is told. Resolves to whether it was done. */
export async function attempt(action: (room: Room) => Promise<unknown>): Promise<boolean> {
  try {
    await action(room());
    return true;
  } catch (error) {
    const failure: Failure = error instanceof Refused ? error.failure : { code: "page_error", text: String(error) };
    tell(failure.text, failure.code);
    return false;
  }
}
