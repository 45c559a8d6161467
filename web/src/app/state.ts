/** What the page knows: the room's view as a signal, and what is open on the screen. */

import { computed, signal } from "@preact/signals";
import { Refused, Room, self, webSocket } from "../sdk";
import type { Failure, Notice, View } from "../sdk";
import { initialView } from "../sdk";
import { cameraTrack, micTrack, release } from "./devices";

/** A notice on the screen. */
export interface Toast {
  key: number;
  text: string;
  detail?: string;
}

export const view = signal<View>(initialView);
export const toasts = signal<Toast[]>([]);
export const peopleOpen = signal(window.matchMedia("(min-width: 901px)").matches);
export const dialog = signal<"none" | "devices" | "get-ready">("none");
export const me = computed(() => self(view.value));
/** Who moderates in this room, for texts. */
export const entry = computed(() => {
  const { phase } = view.value;
  return phase.at === "entry" || phase.at === "room" ? phase.entry : null;
});

/** Most toasts on the screen; older ones give way. */
const TOASTS_MAX = 3;
let nextKey = 1;

export function tell(text: string, detail?: string): void {
  const toast: Toast = { key: nextKey++, text, ...(detail !== undefined && { detail }) };
  toasts.value = [...toasts.value, toast].slice(-TOASTS_MAX);
  setTimeout(() => dismiss(toast.key), 9_000);
}

export function dismiss(key: number): void {
  toasts.value = toasts.value.filter((toast) => toast.key !== key);
}

/** The text of a notice, for the person it is about. */
export function noticeText(notice: Notice): string {
  switch (notice.kind) {
    case "removed_from_stage":
      return `${notice.by} removed you from the stage. You are a viewer now.`;
    case "stage_full":
      return `The stage was full, and you had been silent the longest: ${notice.admitted} has your place. You are a viewer now and can join again.`;
    case "muted":
      return `${notice.by} muted your microphone.`;
    case "camera_stopped":
      return `${notice.by} stopped your camera.`;
    case "camera_waiting":
      return "Your camera is waiting: more recent cameras have all the places. It will be shown again when one is free.";
    case "camera_shown_again":
      return "Your camera is shown again.";
    default:
      return notice satisfies never;
  }
}

/** The address of this page: the room in its path, the token in its fragment. */
export function address(): { room: string; token: string } | null {
  const room = /^\/r\/([^/]+)$/u.exec(location.pathname)?.[1];
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  return room !== undefined && token !== null ? { room: decodeURIComponent(room), token } : null;
}

let current: Room | null = null;

/** The room, once {@link connect} was called. */
export function room(): Room {
  if (current === null) throw new Error("not connected");
  return current;
}

export function connect(where: { room: string; token: string }): void {
  const opened = new Room(webSocket(new URL(location.href), where.room), where.token);
  current = opened;
  let noticed = 0;
  opened.subscribe(() => {
    view.value = opened.view;
    if (opened.view.phase.at === "closed") release();
    const { notice } = opened.view;
    if (notice !== null && notice.seq !== noticed) {
      noticed = notice.seq;
      tell(noticeText(notice.notice));
    }
  });
  const use = () => void opened.useDevices({ mic: micTrack.value, camera: cameraTrack.value });
  micTrack.subscribe(use);
  cameraTrack.subscribe(use);
}

/** Does something in the room; a refusal is told. Resolves to whether it was done. */
export async function attempt(action: (room: Room) => Promise<void>): Promise<boolean> {
  try {
    await action(room());
    return true;
  } catch (error) {
    const failure: Failure = error instanceof Refused ? error.failure : { code: "page_error", text: String(error) };
    tell(failure.text, failure.code);
    return false;
  }
}
