import { describe, expect, test } from "vitest";
import { forgetfulStore, memoryOf } from "./memory";
import { RETRY_DELAYS_MS, passes, retryDelay } from "./retry";
import { Fake, camera, entered, inside, me, mic, onStage, settled, state } from "./testing";

/** What the person was told last. */
const told = (room: { view: { notice: { notice: { kind: string } } | null } }) => room.view.notice?.notice.kind;

describe("a lost connection", () => {
  // law: back-in-time, told-participants
  test("is taken up again: same place, media from a new connection, no entry window", async () => {
    const { fake, room } = await inside("stage");
    const phases: string[] = [];
    room.subscribe(() => phases.push(`${room.view.phase.at} ${room.view.connection}`));
    fake.drop();
    expect(room.view.connection).toBe("lost");
    expect(room.view.people.size, "everything stays on the screen").toBe(1);
    const before = fake.peer();
    expect(before.closed, "its last pictures too").toBe(false);
    fake.environment.pass(0);
    fake.welcome({ onStage: true, lost: true });
    expect(fake.sent.at(-1)).toMatchObject({ type: "hello", token: "a personal token" });
    const request = await fake.request();
    expect(request).toMatchObject({ type: "enter", place: "stage", name: "Ann", mic: true, camera: true });
    expect(fake.peers).toHaveLength(2);
    expect(fake.peer().live, "media flows as soon as the connection is up").toEqual({ mic, camera });
    fake.say(entered(request.id, state([me(onStage())])));
    await settled();
    expect(before.closed).toBe(true);
    expect(room.peer).toBe(fake.peer());
    expect(room.view.media).toBe(1);
    expect(fake.peer().answers).toEqual(["an answer"]);
    expect(told(room)).toBe("connection_back");
    expect(new Set(phases)).toEqual(new Set(["room lost", "room up"]));
  });

  // law: back-too-late
  test("too late: they have left, and are told so at the entry window", async () => {
    const { fake, room } = await inside("viewer");
    fake.drop();
    fake.environment.pass(0);
    fake.welcome(null);
    expect(room.view.phase).toMatchObject({ at: "entry", entry: { present: null } });
    expect(told(room)).toBe("away_too_long");
    expect(room.view.people.size).toBe(0);
    expect(fake.memory.wasInside()).toBe(false);
    void room.enter("viewer", null, { mic: false, camera: false });
    fake.say(entered((await fake.request()).id, state([me(null)])));
    expect(room.view).toMatchObject({ phase: { at: "room" }, connection: "up" });
  });

  test("a place that goes between hello and enter leads to the entry window too", async () => {
    const { fake, room } = await inside("viewer");
    fake.drop();
    fake.environment.pass(0);
    fake.welcome({ onStage: false, lost: true });
    const { id } = await fake.request();
    fake.say({ type: "error", id, code: "name_missing", text: "Please tell us your name." });
    await settled();
    expect(room.view.phase.at).toBe("entry");
    expect(told(room)).toBe("away_too_long");
  });

  test("is tried after 0, 0.3, 1.2, 2.7, 4.8, 7, 7 … seconds", async () => {
    const { fake } = await inside("viewer");
    const start = fake.environment.time;
    for (let attempt = 0; attempt < 8; attempt += 1) {
      fake.drop();
      fake.environment.pass(7_000);
    }
    const waits = fake.attempts.slice(1).map((at, n) => at - start - n * 7_000);
    expect(waits).toEqual([0, 300, 1_200, 2_700, 4_800, 7_000, 7_000, 7_000]);
  });

  test("each wait is up to a fifth shorter or longer", () => {
    expect(RETRY_DELAYS_MS.map((_, n) => Math.round(retryDelay(n, 0)))).toEqual([0, 240, 960, 2_160, 3_840, 5_600]);
    expect(RETRY_DELAYS_MS.map((_, n) => Math.round(retryDelay(n, 1)))).toEqual([0, 360, 1_440, 3_240, 5_760, 8_400]);
  });

  test("is tried at once when the network is back", async () => {
    const { fake } = await inside("viewer");
    for (let n = 0; n < 4; n += 1) {
      fake.drop();
      fake.environment.pass(n === 3 ? 0 : 7_000);
    }
    const { length } = fake.attempts;
    fake.environment.network(true);
    expect(fake.attempts).toHaveLength(length + 1);
    fake.environment.network(true);
    expect(fake.attempts, "one attempt at a time").toHaveLength(length + 1);
  });

  test("an attempt that is not answered is given up", async () => {
    const { fake } = await inside("viewer");
    fake.drop();
    fake.environment.pass(0);
    expect(fake.attempts).toHaveLength(2);
    fake.environment.pass(8_000 + 300);
    expect(fake.attempts).toHaveLength(3);
  });

  test("the waits start from the front once a connection has lasted", async () => {
    const { fake, room } = await inside("viewer");
    const comeBack = async () => {
      fake.environment.pass(7_000);
      fake.welcome({ onStage: false, lost: true });
      fake.say(entered((await fake.request()).id, state([me(null)])));
    };
    fake.drop();
    await comeBack();
    fake.environment.pass(10_000);
    const { time } = fake.environment;
    fake.drop();
    fake.environment.pass(0);
    expect(fake.attempts.at(-1)).toBe(time);
    await comeBack();
    fake.drop();
    fake.environment.pass(0);
    expect(fake.attempts.at(-1), "one that has not lasted is not hurried after").not.toBe(fake.environment.time);
    expect(room.view.connection).toBe("lost");
  });

  test("ends what was asked for, and what is asked for meanwhile", async () => {
    const { fake, room } = await inside("viewer");
    const asking = room.setMic(true);
    fake.drop();
    await expect(asking).rejects.toMatchObject({ failure: { code: "connection_lost" } });
    await expect(room.raiseHand()).rejects.toMatchObject({ failure: { code: "connection_lost" } });
  });

  test("media that cannot be had any more is a lost connection", async () => {
    const { fake, room } = await inside("stage");
    fake.peer().fail();
    expect(room.view).toMatchObject({ phase: { at: "room" }, connection: "lost" });
  });

  test("before the room: connecting again, and after three failed attempts with what is wrong", async () => {
    const fake = new Fake();
    const room = fake.room();
    for (let n = 0; n < 2; n += 1) {
      fake.drop();
      expect(room.view.phase).toEqual({ at: "connecting", failure: null });
      fake.environment.pass(7_000);
    }
    fake.drop();
    expect(room.view.phase).toMatchObject({ at: "connecting", failure: { code: "connection_lost" } });
    fake.environment.pass(7_000);
    fake.welcome();
    expect(room.view.phase.at).toBe("entry");
    expect(fake.peers, "the offer prepared at first is still good").toHaveLength(1);
  });

  test.each(["shutting_down", "media_lost", "journal_failed", "internal", "too_slow", "connection_lost"])("%s passes", async (code) => {
    const { fake, room } = await inside("viewer");
    fake.say({ type: "closed", code, text: "Wait." });
    expect(room.view).toMatchObject({ phase: { at: "room" }, connection: "lost" });
  });

  // law: told-participants
  test.each([
    "token_invalid", "token_expired", "unknown_room", "protocol_version", "replaced", "session_ended", "removed_from_room", "rate_limited",
    "room_locked", "room_full", "link_revoked", "link_expired", "link_used", "link_unknown", "a_code_of_later",
  ])("%s is final", async (code) => {
    const fake = new Fake(memoryOf("a link", forgetfulStore(), forgetfulStore()));
    const room = fake.room();
    fake.open();
    fake.say({ type: "closed", code, text: "Over." });
    expect(room.view.phase).toEqual({ at: "closed", failure: { code, text: "Over." } });
    fake.environment.pass(60_000);
    expect(fake.attempts).toHaveLength(1);
    expect(passes({ code, text: "" })).toBe(false);
    await expect(room.setMic(true)).rejects.toMatchObject({ failure: { code } });
  });

  test("leaving does not come back", async () => {
    const { fake, room } = await inside("viewer");
    room.leave();
    fake.drop();
    fake.environment.network(true);
    fake.environment.pass(60_000);
    expect(fake.sent.at(-1)).toEqual({ type: "leave" });
    expect(fake.attempts).toHaveLength(1);
    expect(fake.memory.wasInside()).toBe(false);
    expect(fake.memory.token(), "the same person may come in again").toBe("a personal token");
  });
});

describe("a page that is loaded again", () => {
  /** A browser in which somebody was inside. */
  async function remembered() {
    const stores = [forgetfulStore(), forgetfulStore()] as const;
    const memory = () => memoryOf("a link", ...stores);
    await inside("stage", new Fake(memory()));
    return { stores, memory };
  }

  // law: back-in-time, back-restart
  test("goes back to its place without an entry window", async () => {
    const { memory } = await remembered();
    const fake = new Fake(memory());
    const room = fake.room();
    fake.welcome({ onStage: true, lost: true });
    expect(fake.sent[0]).toMatchObject({ type: "hello", token: "a personal token" });
    expect(room.view.phase.at).toBe("resuming");
    const { id } = await fake.request();
    fake.say(entered(id, state([me(onStage())])));
    expect(room.view.phase.at).toBe("room");
    expect(room.view.notice, "whoever loaded the page knows").toBeNull();
    await room.useDevices({ mic, camera });
    expect(fake.peer().live, "once there are devices").toEqual({ mic, camera });
  });

  test("another window of the same browser asks first", async () => {
    const { stores } = await remembered();
    const fake = new Fake(memoryOf("a link", stores[0], forgetfulStore()));
    const room = fake.room();
    fake.welcome({ onStage: true, lost: false });
    expect(fake.sent[0]).toMatchObject({ token: "a personal token" });
    await settled();
    expect(room.view.phase).toMatchObject({ at: "entry", entry: { present: { onStage: true } } });
    expect(fake.sent).toHaveLength(1);
  });

  test.each(["token_expired", "token_invalid"])("a personal token that is refused with %s is forgotten, and the link tried once", async (code) => {
    const { memory } = await remembered();
    const fake = new Fake(memory());
    const room = fake.room();
    fake.open();
    fake.say({ type: "closed", code, text: "No." });
    fake.open();
    expect(fake.sent.at(-1)).toMatchObject({ type: "hello", token: "a link" });
    expect(memory().token()).toBeNull();
    fake.say({ type: "closed", code, text: "No." });
    expect(room.view.phase.at).toBe("closed");
    expect(fake.attempts).toHaveLength(2);
  });

  test("somebody who was removed stays out", async () => {
    const { memory } = await remembered();
    const fake = new Fake(memory());
    const room = fake.room();
    fake.open();
    fake.say({ type: "closed", code: "removed_from_room", text: "Removed." });
    expect(room.view.phase.at).toBe("closed");
    expect(memory().token(), "the token stays, so that the link is no way round").toBe("a personal token");
  });
});
