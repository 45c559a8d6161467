import { describe, expect, test } from "vitest";
import { initialView } from "../sdk";
import type { OwnRelation, View } from "../sdk";
import { TOASTS_MAX, plain, shown, withNotice, withView } from "./toasts";
import type { Toast } from "./toasts";

const me = { id: 1, name: "Ann", role: "participant", hand: null, lost: false, onStage: null } as const;
const phase: View["phase"] = { at: "room", you: 1, entry: { room: { id: "r", title: "R" }, role: "participant", name: null, mayJoinStage: true, present: null } };
const room = (relation: OwnRelation, requests: number[] = []): View => ({
  ...initialView,
  phase,
  people: new Map([[1, me]]),
  relation,
  queue: { ...initialView.queue, requests: requests.map((participant) => ({ participant, name: "Sara", since: 0 })), pending: requests.length },
});
const NONE: OwnRelation = { kind: "none" };
const arrived = (participant: number) => ({ kind: "request_arrived", participant, name: "Sara" }) as const;
const kinds = (toasts: readonly Toast[]) => toasts.map(({ kind }) => kind);

describe("notices on the screen", () => {
  // law: join-request, join-decided-once
  test("a request stays until somebody has decided, whichever message comes first", () => {
    let toasts = withView(withNotice([], arrived(7), "k"), room(NONE));
    expect(kinds(toasts)).toEqual(["request"]);
    toasts = withView(toasts, room(NONE, [7]));
    expect(kinds(toasts)).toEqual(["request"]);
    expect(withView(toasts, room(NONE))).toEqual([]);
  });

  test("a request that is taken back says so once", () => {
    const toasts = withNotice(withNotice([], arrived(7), "a"), { kind: "request_cancelled", participant: 7, name: "Sara" }, "b");
    expect(kinds(toasts)).toEqual(["plain"]);
  });

  // law: join-request, join-invite, back-in-time
  test("an invitation stands as long as it is open, after a reload too, and once", () => {
    const invited = room({ kind: "invited", by: "Maya" });
    const toasts = withView(withNotice([], { kind: "invited", by: "Maya" }, "k"), invited);
    expect(kinds(toasts)).toEqual(["invitation"]);
    expect(kinds(withView(toasts, invited))).toEqual(["invitation"]);
    expect(withView(toasts, room(NONE))).toEqual([]);
  });

  // law: moderate-actions
  test("being asked to unmute ends with the microphone on, or off the stage", () => {
    const live = (mic: boolean): View => ({ ...room(NONE), people: new Map([[1, { ...me, onStage: { order: 1, mic, speaking: false, camera: "off" } }]]) });
    const asked = withView(withNotice([], { kind: "asked_to_unmute", by: "Maya" }, "k"), live(false));
    expect(asked).toMatchObject([{ kind: "unmute", text: "Maya asks you to unmute" }]);
    expect(withView(asked, live(true))).toEqual([]);
    expect(withView(asked, room(NONE))).toEqual([]);
  });

  test("three at most, decisions first, and the newest of the others always seen", () => {
    let toasts: Toast[] = [];
    for (const id of [1, 2, 3, 4]) toasts = withNotice(toasts, arrived(id), "");
    expect(shown(toasts)).toMatchObject({ toasts: [{ participant: 1 }, { participant: 2 }, { participant: 3 }], hidden: 1 });
    toasts = plain(plain(toasts, "a", "older"), "b", "already decided by Maya");
    expect(shown(toasts)).toMatchObject({ toasts: [{ participant: 1 }, { participant: 2 }, { text: "already decided by Maya" }], hidden: 2 });
    expect(shown(toasts).toasts).toHaveLength(TOASTS_MAX);
  });
});
