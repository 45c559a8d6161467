import { describe, expect, test } from "vitest";
import { Fake, entered, inside, me, onStage, settled, state } from "./testing";

const ice = { ufrag: "new", pwd: "a new password" };

/** Somebody whose media goes on, whatever becomes of the session. */
async function alive() {
  const scene = await inside("stage");
  scene.fake.peer().alive = true;
  return scene;
}

/** The server lets them come back to their media. */
async function comeBack(fake: Fake) {
  fake.welcome({ onStage: true, lost: true });
  const request = await fake.request();
  fake.say(entered(request.id, state([me(onStage())]), { answer: null, ice }));
  await settled();
  return request;
}

describe("a session that is lost while media goes on", () => {
  test("comes back to the same media, and nobody notices", async () => {
    const { fake, room } = await alive();
    const seen: string[] = [];
    room.subscribe(() => seen.push(room.view.connection));
    fake.drop();
    fake.environment.pass(0);
    expect(await comeBack(fake)).toMatchObject({ type: "enter", keepMedia: true, place: "stage" });
    expect(seen.every((connection) => connection === "up")).toBe(true);
    expect(room.view).toMatchObject({ media: 0, notice: null });
    expect(fake.peers).toHaveLength(1);
    expect(fake.peer()).toMatchObject({ closed: false, restarts: [], answers: ["an answer"] });
    fake.environment.pass(10_000);
    expect(room.view.connection, "what was to be shown is not").toBe("up");
  });

  test("does not keep anybody from what they do", async () => {
    const { fake, room } = await alive();
    fake.drop();
    const raising = room.raiseHand();
    fake.environment.pass(0);
    await comeBack(fake);
    const { id, type } = await fake.request();
    expect(type).toBe("raise_hand");
    fake.say({ type: "ok", id });
    await raising;
    fake.drop();
    const refused = expect(room.raiseHand()).rejects.toMatchObject({ failure: { code: "connection_lost" } });
    fake.environment.pass(10_000);
    await refused;
  });

  test("is shown when it lasts", async () => {
    const { fake, room } = await alive();
    fake.drop();
    fake.environment.pass(300);
    fake.drop();
    expect(room.view.connection).toBe("up");
    fake.environment.pass(2_000);
    expect(room.view.connection).toBe("lost");
    await comeBack(fake);
    expect(room.view).toMatchObject({ connection: "up", notice: { notice: { kind: "connection_back" } } });
  });

  test("enters anew where the server has the media no more", async () => {
    const { fake, room } = await alive();
    fake.drop();
    fake.environment.pass(0);
    fake.welcome({ onStage: true, lost: true });
    const { id } = await fake.request();
    fake.say({ type: "error", id, code: "media_lost", text: "Gone." });
    const request = await fake.request();
    expect(request).toMatchObject({ type: "enter", offer: "an offer" });
    fake.say(entered(request.id, state([me(onStage())])));
    await settled();
    expect(room.view).toMatchObject({ phase: { at: "room" }, media: 1 });
    expect(fake.peers.map(({ closed }) => closed)).toEqual([true, false]);
  });
});

describe("a network that changes", () => {
  test("is noticed when the old one is gone: another session, and another way for the same media", async () => {
    const { fake, room } = await alive();
    const { time } = fake.environment;
    fake.environment.network(false);
    fake.environment.pass(0);
    fake.drop();
    fake.environment.pass(300);
    expect(fake.attempts.slice(1)).toEqual([time, time + 300]);
    await comeBack(fake);
    expect(fake.peer().restarts).toEqual(["new"]);
    expect(room.view).toMatchObject({ connection: "up", media: 0, notice: null });
    fake.drop();
    fake.environment.pass(7_000);
    await comeBack(fake);
    expect(fake.peer().restarts, "once").toEqual(["new"]);
  });

  test("an attempt that was begun without a network is begun again", async () => {
    const { fake } = await alive();
    fake.environment.network(false);
    fake.environment.pass(0);
    expect(fake.attempts).toHaveLength(2);
    fake.environment.network(true);
    expect(fake.attempts).toHaveLength(3);
  });

  /** Media has come, and comes no more. */
  async function stalled() {
    const scene = await alive();
    scene.fake.peer().bytes = 1_000;
    for (let n = 0; n < 4; n += 1) {
      scene.fake.environment.pass(250);
      await settled();
    }
    return scene;
  }

  test("is noticed when neither media comes nor an answer", async () => {
    const { fake } = await stalled();
    expect(await fake.request()).toMatchObject({ type: "watch" });
    fake.environment.pass(800);
    expect(fake.attempts).toHaveLength(2);
    await comeBack(fake);
    expect(fake.peer().restarts).toEqual(["new"]);
  });

  test("has not changed where the server answers: the stage has fallen silent", async () => {
    const { fake, room } = await stalled();
    const { id, type } = await fake.request();
    expect(type).toBe("watch");
    fake.say({ type: "ok", id });
    await settled();
    for (let n = 0; n < 20; n += 1) {
      fake.environment.pass(250);
      await settled();
    }
    expect(fake.attempts).toHaveLength(1);
    expect((await fake.request()).id, "asked once").toBe(id);
    expect(room.view.connection).toBe("up");
  });

  test("leads media another way when the browser hears nothing of the server", async () => {
    const { fake, room } = await alive();
    fake.peer().stray();
    const { id, type } = await fake.request();
    expect(type).toBe("restart_ice");
    fake.say({ type: "ice", id, ice });
    await settled();
    expect(fake.peer().restarts).toEqual(["new"]);
    fake.peer().fail();
    expect(room.view.connection, "there is none").toBe("lost");
  });
});
