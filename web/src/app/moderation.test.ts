import { describe, expect, test } from "vitest";
import { initialView } from "../sdk";
import type { OnStage, Participant, Role, View } from "../sdk";
import { offeredDeeds } from "./moderation";

const live: OnStage = { order: 1, mic: true, speaking: false, camera: "shown" };
const somebody = (role: Role, onStage: OnStage | null = null, hand: number | null = null): Participant => ({ id: 2, name: "Sara", role, hand, lost: false, onStage });

/** What `who` is offered about `person`, as it stands in the menu. */
function labels(who: Role, person: Participant, queue: Partial<View["queue"]> = {}): string[] {
  const me: Participant = { id: 1, name: "Ann", role: who, hand: null, lost: false, onStage: null };
  const entry = { room: { id: "r", title: "R" }, role: who, name: null, mayJoinStage: true, present: null };
  const view: View = { ...initialView, phase: { at: "room", you: 1, entry }, people: new Map([[1, me]]), queue: { ...initialView.queue, ...queue } };
  return offeredDeeds(view, person).map(({ label }) => label);
}
const waits = [{ participant: 2, name: "Sara", since: 0 }];
const REMOVE = "Remove from the room";
const BLOCK = "Block from chat";

describe("the three dots beside a name", () => {
  test("offer nothing to those who do not moderate", () => {
    for (const who of ["participant", "speaker"] as const) expect(labels(who, somebody("participant", live))).toEqual([]);
  });

  // law: moderate-actions
  test("on stage", () => {
    expect(labels("moderator", somebody("participant", live))).toEqual(["Mute", "Stop camera", "Remove from stage", BLOCK, REMOVE]);
    expect(labels("moderator", somebody("speaker", { ...live, mic: false, camera: "off" }))).toEqual(["Ask to unmute", "Remove from stage", BLOCK, REMOVE]);
    expect(labels("moderator", somebody("participant", { ...live, camera: "waiting" }))).toContain("Stop camera");
  });

  // law: join-invite, invite-any-mode, join-request, join-right-to-return
  test("a viewer, by what connects them with the stage", () => {
    expect(labels("moderator", somebody("participant"))).toEqual(["Invite on stage", BLOCK, REMOVE]);
    expect(labels("moderator", somebody("participant"), { invited: waits })).toEqual(["Withdraw invitation", BLOCK, REMOVE]);
    expect(labels("moderator", somebody("participant"), { requests: waits })).toEqual(["Bring to stage", "Decline", BLOCK, REMOVE]);
    expect(labels("moderator", somebody("participant"), { mayReturn: waits })).toEqual(["Invite on stage", "Take back the right to return", BLOCK, REMOVE]);
    expect(labels("moderator", somebody("participant", null, 3))).toEqual(["Invite on stage", "Lower hand", BLOCK, REMOVE]);
  });

  // law: moderate-hosts
  test("only a host removes a host from the room; on the stage anyone is acted on", () => {
    expect(labels("moderator", somebody("host", live))).toEqual(["Mute", "Stop camera", "Remove from stage"]);
    expect(labels("host", somebody("host", live))).toContain(REMOVE);
  });

  // law: chat-block
  test("whoever is blocked from the chat can be let back", () => {
    expect(labels("moderator", { ...somebody("participant"), chatBlocked: true })).toEqual(["Invite on stage", "Let chat again", REMOVE]);
  });

  // law: stage-moderators-remove
  test("about oneself: off the stage, but neither out of the room nor invited", () => {
    const own = (onStage: OnStage | null) => labels("host", { ...somebody("host", onStage), id: 1 });
    expect(own(live)).toEqual(["Mute", "Stop camera", "Remove from stage"]);
    expect(own(null)).toEqual([]);
  });
});
