/** Which notices stand on the screen: a pure function of what was told and of the room. */

import { self } from "../sdk";
import type { Notice, OwnNotice, View } from "../sdk";
import { noticeText } from "./texts";

/** A notice on the screen. */
export type Toast =
  /** Leaves by itself. */
  | { kind: "plain"; key: string; text: string; detail?: string }
  /** Somebody wants to join the stage; stays until somebody has decided. */
  | { kind: "request"; key: string; participant: number; name: string; /** The queue had it. */ queued: boolean }
  /** This person is invited; stays as long as they are. */
  | { kind: "invitation"; key: string; by: string }
  /** This person is asked to unmute; stays until they have, or have said no. */
  | { kind: "unmute"; key: string; text: string };

/** Most toasts on the screen. */
export const TOASTS_MAX = 3;
/** Toasts kept for the screen: a room in which a thousand people ask at once. The list has them all. */
const KEPT_MAX = 50;

const put = (toasts: readonly Toast[], toast: Toast): Toast[] => [...toasts.filter(({ key }) => key !== toast.key), toast].slice(-KEPT_MAX);

export const plain = (toasts: readonly Toast[], key: string, text: string, detail?: string): Toast[] =>
  put(toasts, { kind: "plain", key, text, ...(detail !== undefined && { detail }) });

/** The toasts once `notice` is told; `key` is for one that leaves by itself. */
export function withNotice(toasts: readonly Toast[], notice: Notice | OwnNotice, key: string): Toast[] {
  switch (notice.kind) {
    case "request_arrived": {
      const { participant, name } = notice;
      return put(toasts, { kind: "request", key: `request-${participant}`, participant, name, queued: false });
    }
    case "asked_to_unmute":
      return put(toasts, { kind: "unmute", key: "unmute", text: noticeText(notice) });
    case "invited":
      // Follows from the relation, after a reload too.
      return [...toasts];
    case "request_cancelled":
      return plain(without(toasts, `request-${notice.participant}`), key, noticeText(notice));
    case "connection_back":
      // Of a connection that comes and goes only the last time is news.
      return plain(toasts, notice.kind, noticeText(notice));
    case "let_in_as_viewer":
      return plain(toasts, key, noticeText(notice), notice.code);
    default:
      return plain(toasts, key, noticeText(notice));
  }
}

/** The toasts that still fit the room. */
export function withView(toasts: readonly Toast[], view: View): Toast[] {
  const me = self(view);
  const asking = new Set(view.queue.requests.map(({ participant }) => participant));
  const kept = toasts.flatMap((toast): Toast[] => {
    switch (toast.kind) {
      case "plain":
        return [toast];
      case "request":
        // The notice may come before the queue does; what the queue had and has not any more is decided.
        if (asking.has(toast.participant)) return [{ ...toast, queued: true }];
        return toast.queued ? [] : [toast];
      case "unmute":
        return me?.onStage && !me.onStage.mic ? [toast] : [];
      case "invitation":
        return [];
      default:
        return toast satisfies never;
    }
  });
  const { relation } = view;
  if (relation.kind !== "invited" || me === null || me.onStage !== null) return kept;
  return [{ kind: "invitation", key: "invitation", by: relation.by }, ...kept];
}

export const without = (toasts: readonly Toast[], key: string): Toast[] => toasts.filter((toast) => toast.key !== key);

/** What is on the screen: decisions first; the newest of the others always has a place. */
export function shown(toasts: readonly Toast[]): { toasts: Toast[]; hidden: number } {
  const decisions = toasts.filter(({ kind }) => kind !== "plain");
  const others = toasts.filter(({ kind }) => kind === "plain");
  const first = decisions.slice(0, others.length > 0 ? TOASTS_MAX - 1 : TOASTS_MAX);
  return { toasts: [...first, ...others.slice(-(TOASTS_MAX - first.length))], hidden: decisions.length - first.length };
}
