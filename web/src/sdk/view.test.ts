import { describe, expect, test } from "vitest";
import type { Access, Participant, Role, ServerMessage } from "./protocol.gen";
import { cameraSlotOf, claimOf, self, stageAction, stagePeople, viewerPeople } from "./select";
import { entered, entry, onStage, person, rules, state, update } from "./testing";
import { initialView, lost, reduce } from "./view";
import type { OwnRelation, View } from "./view";

const NOW = 100_000;
const after = (messages: ServerMessage[], view = initialView): View => messages.reduce((seen, message) => reduce(seen, message, NOW), view);

const people = [
  person(1, { onStage: onStage({ order: 2 }) }),
  person(2, { onStage: onStage({ order: 1 }) }),
  person(3),
  person(4, { hand: 8 }),
  person(5, { name: "Aaron" }),
  person(6, { hand: 7 }),
];
const slots = [{ kind: "camera", index: 4, generation: 3, participant: 1 } as const];
const inRoom = (change = {}): View => after([entry(), entered(1, state(people, { slots, ...change }), { you: 3 })]);

describe("the view", () => {
  test("goes from connecting over the entry to the room", () => {
    expect(after([entry()]).phase.at).toBe("entry");
    expect(inRoom().phase.at).toBe("room");
    expect(self(inRoom())?.name).toBe("Person 3");
    expect(inRoom()).toMatchObject({ rules, onStage: 2, viewers: 4, relation: { kind: "none" } });
  });

  // law: viewer-listed
  test("lists the stage in the order people came, viewers with raised hands first, then by name", () => {
    expect(stagePeople(inRoom()).map(({ id }) => id)).toEqual([2, 1]);
    expect(viewerPeople(inRoom()).map(({ id }) => id)).toEqual([6, 4, 5, 3]);
  });

  test("follows updates, and never goes back to an older mapping", () => {
    const moved = (generation: number, participant: number) =>
      update([person(2)], { left: [3], slots: [{ kind: "camera", index: 4, generation, participant }], viewers: 1 });
    const view = after([moved(5, 9), moved(4, 1)], inRoom());
    expect(stagePeople(view).map(({ id }) => id)).toEqual([1]);
    expect(view.people.has(3)).toBe(false);
    expect(cameraSlotOf(view, 9)).toBe(4);
    expect(cameraSlotOf(view, 1)).toBeNull();
  });

  test("rules and who speaks most stay until they change; nobody can speak most", () => {
    const view = after([update([], { rules: { ...rules, locked: true }, dominant: { participant: 2 } })], inRoom());
    expect(view).toMatchObject({ rules: { locked: true }, dominant: 2 });
    expect(after([update([])], view)).toMatchObject({ rules: { locked: true }, dominant: 2 });
    expect(after([update([], { dominant: { participant: null } })], view).dominant).toBeNull();
  });

  test("in a large room whoever leaves the stage is not known any more, but oneself", () => {
    const view = after([update([person(1), person(3, { hand: 1 }), person(7)])], inRoom({ complete: false }));
    expect(view.people.has(1) || view.people.has(7)).toBe(false);
    expect(view.people.get(3)?.hand).toBe(1);
    expect(after([update([person(1), person(7)])], inRoom()).people.has(7)).toBe(true);
  });

  test("a whole state replaces everything", () => {
    const view = after([{ type: "state", state: state([person(8)]) }], inRoom());
    expect([...view.people.keys()]).toEqual([8]);
    expect(cameraSlotOf(view, 1)).toBeNull();
  });

  test("cameras the line does not carry are named, until the next connection", () => {
    const view = after([{ type: "held", cameras: [3, 7], undecodable: [2], screen: true }], inRoom());
    expect([...view.held]).toEqual([3, 7]);
    expect(view.screenHeld).toBe(true);
    expect([...view.undecodable]).toEqual([2]);
    expect([...after([entered(1, state([person(1)]))], view).held]).toEqual([]);
  });

  test("ages become moments", () => {
    const view = after([{ type: "relation", relation: { kind: "asked", age: 20_000 } }], inRoom());
    expect(view.relation).toEqual({ kind: "asked", since: NOW - 20_000 });
    expect(after([{ type: "relation", relation: { kind: "invited", by: "Maya" } }], view).relation).toEqual({ kind: "invited", by: "Maya" });
  });

  // law: join-request
  test("moderators see who waits, oldest first, and since when", () => {
    const waits = (participant: number, age: number) => ({ participant, name: `Person ${participant}`, age });
    const queue: ServerMessage = { type: "queue", requests: [waits(3, 900), waits(4, 500)], hands: [], invited: [waits(5, 1)], mayReturn: [waits(6, 1)], pending: 2 };
    const view = after([queue], inRoom());
    expect(view.queue.requests).toEqual([
      { participant: 3, name: "Person 3", since: NOW - 900 },
      { participant: 4, name: "Person 4", since: NOW - 500 },
    ]);
    expect(view.queue.pending).toBe(2);
    expect([3, 5, 6, 1].map((id) => claimOf(view, id))).toEqual(["asked", "invited", "may_return", "none"]);
  });

  test("notices are numbered, so that two of a kind are two", () => {
    const told: ServerMessage = { type: "notice", notice: { kind: "camera_waiting" } };
    expect(after([told, told], inRoom()).notice).toEqual({ seq: 2, notice: { kind: "camera_waiting" } });
  });

  test("answers to requests change nothing", () => {
    const view = inRoom();
    const answers: ServerMessage[] = [
      { type: "ok", id: 1 },
      { type: "answer", id: 1, sdp: "" },
      { type: "error", id: 1, code: "x", text: "" },
      { type: "viewers", id: 1, participants: [person(9)], more: false, matching: 1 },
      { type: "link_made", id: 1, link: 1, token: "t" },
      { type: "links", id: 1, links: [] },
    ];
    expect(after(answers, view)).toBe(view);
  });

  test("a lost connection changes nothing but that", () => {
    const view = inRoom();
    expect(lost(view, null)).toEqual({ ...view, connection: "lost" });
  });

  test("the first reason for the end stands", () => {
    const closed = (code: string): ServerMessage => ({ type: "closed", code, text: "" });
    expect(after([closed("replaced"), closed("session_ended")], inRoom()).phase).toEqual({ at: "closed", failure: { code: "replaced", text: "" } });
  });
});

describe("the one thing a viewer can do about the stage", () => {
  const none: OwnRelation = { kind: "none" };
  const asked: OwnRelation = { kind: "asked", since: 0 };
  const invited: OwnRelation = { kind: "invited", by: "Maya" };
  const mayReturn: OwnRelation = { kind: "may_return" };
  const action = (access: Access, role: Role, relation: OwnRelation, place: Participant["onStage"] = null) => {
    const view = after([entry(), entered(1, state([person(1, { role, onStage: place })], { rules: { ...rules, access } }))]);
    return stageAction({ ...view, relation });
  };

  // law: join-everyone, join-request, join-invite, join-always, join-right-to-return, full-told
  test.each([
    ["everyone", "participant", none, "join"],
    ["request", "participant", none, "ask"],
    ["request", "participant", asked, "cancel"],
    ["request", "participant", invited, "join"],
    ["request", "participant", mayReturn, "join"],
    ["invite", "participant", none, "none"],
    ["invite", "participant", invited, "join"],
    ["invite", "participant", mayReturn, "join"],
    ["request", "speaker", none, "join"],
    ["invite", "speaker", none, "join"],
    ["invite", "moderator", none, "join"],
    ["invite", "host", none, "join"],
  ] as const)("%s, %s, %o: %s", (access, role, relation, expected) => {
    expect(action(access, role, relation)).toBe(expected);
  });

  // law: stage-no-leaving
  test("on stage there is none, not even leaving it", () => {
    for (const role of ["participant", "speaker", "moderator", "host"] as const) expect(action("everyone", role, none, onStage())).toBe("none");
  });

  test("outside the room there is none", () => expect(stageAction(initialView)).toBe("none"));
});
