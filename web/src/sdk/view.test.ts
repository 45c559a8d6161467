import { describe, expect, test } from "vitest";
import type { Participant, RoomState, ServerMessage } from "./protocol.gen";
import { cameraSlotOf, initialView, reduce, self, stagePeople, viewerPeople } from "./view";
import type { View } from "./view";

const person = (id: number, order: number | null): Participant => ({
  id,
  name: `Person ${id}`,
  role: "participant",
  onStage: order === null ? null : { order, mic: true, speaking: false, camera: "shown" },
});

const state: RoomState = {
  participants: [person(1, 2), person(2, 1), person(3, null)],
  slots: [{ kind: "camera", index: 4, generation: 3, participant: 1 }],
  onStage: 2,
  viewers: 1,
  capacity: 100,
};

const entry: ServerMessage = {
  type: "entry",
  protocol: 1,
  room: { id: "demo", title: "Demo" },
  role: "participant",
  name: null,
  mayJoinStage: true,
};

const inRoom = (): View =>
  [entry, { type: "entered", id: 1, you: 3, state, answer: null } satisfies ServerMessage].reduce<View>(reduce, initialView);

describe("the view", () => {
  test("goes from connecting over the entry to the room", () => {
    expect(reduce(initialView, entry).phase.at).toBe("entry");
    expect(inRoom().phase.at).toBe("room");
    expect(self(inRoom())?.name).toBe("Person 3");
  });

  test("lists the stage in the order people came, and viewers by name", () => {
    expect(stagePeople(inRoom()).map(({ id }) => id)).toEqual([2, 1]);
    expect(viewerPeople(inRoom()).map(({ id }) => id)).toEqual([3]);
  });

  test("follows updates, and never goes back to an older mapping", () => {
    const update = (generation: number, participant: number): ServerMessage => ({
      type: "update",
      participants: [person(2, null)],
      left: [3],
      slots: [{ kind: "camera", index: 4, generation, participant }],
      onStage: 1,
      viewers: 1,
    });
    const after = reduce(reduce(inRoom(), update(5, 9)), update(4, 1));
    expect(stagePeople(after).map(({ id }) => id)).toEqual([1]);
    expect(after.people.has(3)).toBe(false);
    expect(cameraSlotOf(after, 9)).toBe(4);
    expect(cameraSlotOf(after, 1)).toBeNull();
  });

  test("a whole state replaces everything", () => {
    const fresh = { ...state, participants: [person(8, null)], slots: [] };
    const after = reduce(inRoom(), { type: "state", state: fresh });
    expect([...after.people.keys()]).toEqual([8]);
    expect(cameraSlotOf(after, 1)).toBeNull();
  });

  test("the first reason for the end stands", () => {
    const once = reduce(inRoom(), { type: "closed", code: "media_lost", text: "Lost." });
    const twice = reduce(once, { type: "closed", code: "shutting_down", text: "Down." });
    expect(twice.phase).toEqual({ at: "closed", failure: { code: "media_lost", text: "Lost." } });
  });
});
