import { describe, expect, test } from "vitest";
import { initialView } from "../sdk";
import type { Entry, Participant, Phase, View } from "../sdk";
import { news, nothingTold } from "./embedded-events";

const entry = { room: { id: "class", title: "Class" }, role: "participant", name: "Ann", mayJoinStage: true, present: null } as unknown as Entry;
const ann = (onStage: Participant["onStage"] = null) => ({ id: 7, name: "Ann", role: "participant", onStage, hand: null }) as unknown as Participant;
const at = (phase: Phase, more: Partial<View> = {}): View => ({ ...initialView, phase, ...more });
const room = (me: Participant, onStage: number, viewers: number) => at({ at: "room", entry, you: 7 }, { people: new Map([[7, me]]), onStage, viewers });
const closed = (code: string) => at({ at: "closed", failure: { code, text: "Over." } });

/** Names of the events of a story, and the details of the last one. */
function story(...views: View[]): { names: string[]; last: unknown } {
  let told = nothingTold;
  const events = views.flatMap((view) => {
    const now = news(told, view);
    told = now.told;
    return now.events;
  });
  return { names: events.map(({ name }) => name), last: events.at(-1)?.detail };
}

describe("the page around is told", () => {
  test("nothing while it connects", () => {
    expect(story(initialView, at({ at: "connecting", failure: { code: "connection_lost", text: "Lost." } })).names).toEqual([]);
  });

  test("of the entry window once, then of coming in, and of how many there are", () => {
    const { names, last } = story(at({ at: "entry", entry }), at({ at: "entry", entry }), room(ann(), 1, 2), room(ann(), 1, 2));
    expect(names).toEqual(["ready", "entered", "presencechange"]);
    expect(last).toEqual({ count: 3, onStage: 1, viewers: 2 });
  });

  test("of the own place on stage when it changes", () => {
    const on = ann({ order: 1, mic: true, speaking: false, camera: "shown" });
    const speaking = ann({ order: 1, mic: true, speaking: true, camera: "shown" });
    const inside = [at({ at: "entry", entry }), room(ann(), 0, 1)];
    expect(story(...inside, room(on, 0, 1), room(speaking, 0, 1))).toEqual({
      names: ["ready", "entered", "presencechange", "stagechange"],
      last: { onStage: true, mic: true, camera: "shown" },
    });
    expect(story(...inside, room(on, 0, 1), room(ann(), 0, 1)).last).toEqual({ onStage: false, mic: false, camera: "off" });
  });

  test("of coming back without an entry window", () => {
    expect(story(at({ at: "resuming", entry }), room(ann(), 0, 1)).names).toEqual(["ready", "entered", "presencechange"]);
  });

  test("how it ended: left, ended for them, or never begun", () => {
    const inside = room(ann(), 0, 1);
    expect(story(inside, closed("left"), closed("left")).names.slice(3)).toEqual(["left"]);
    expect(story(inside, closed("removed_from_room"))).toMatchObject({ last: { code: "removed_from_room" } });
    expect(story(inside, closed("removed_from_room")).names.at(-1)).toBe("ended");
    expect(story(at({ at: "entry", entry }), closed("session_ended")).names).toEqual(["ready", "ended"]);
    expect(story(closed("token_invalid")).names).toEqual(["error"]);
  });
});
