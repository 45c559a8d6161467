import { describe, expect, test } from "vitest";
import { Refused } from "./room";
import { Fake, camera, entered, entry, inside, me, mic, onStage, settled, state, update } from "./testing";

describe("a room", () => {
  test("says hello first, and enters with its offer in one message", async () => {
    const { fake, request } = await inside("stage");
    expect(fake.sent[0]).toEqual({ type: "hello", protocol: 2, token: "a link", phone: false });
    expect(request).toEqual({ type: "enter", id: 1, place: "stage", mic: true, camera: true, offer: "an offer" });
    expect(fake.peer().answers).toEqual(["an answer"]);
    expect(fake.peer().live).toEqual({ mic, camera });
  });

  test("makes its media connection with the relays it is told of", async () => {
    const fake = new Fake();
    const room = fake.room();
    const relays = [{ urls: ["turn:192.0.2.1"], username: "1:a", credential: "secret" }];
    fake.open();
    fake.say(entry({ iceServers: relays }));
    expect(fake.peers.map(({ iceServers, closed }) => ({ iceServers, closed }))).toEqual([
      { iceServers: [], closed: true },
      { iceServers: relays, closed: false },
    ]);
    expect(room.peer).toBe(fake.peer());
    void room.enter("viewer", null, { mic: false, camera: false });
    const { id } = await fake.request();
    fake.say(entered(id, state([me(null)])));
    await settled();
    expect(fake.peer().answers).toEqual(["an answer"]);
    // After a loss: new credentials for a new connection, while the old one is still shown.
    const fresh = [{ urls: ["turn:192.0.2.1"], username: "2:b", credential: "another" }];
    const shown = room.peer as unknown as { closed: boolean };
    fake.drop();
    fake.environment.pass(1_000);
    fake.open();
    fake.say(entry({ iceServers: fresh, present: { onStage: false, lost: true } }));
    expect(fake.peer().iceServers).toEqual(fresh);
    expect(room.peer).toBe(shown);
    expect(shown.closed).toBe(false);
  });

  // law: entry-phone
  test("says that it is on a phone", () => {
    const fake = new Fake();
    fake.room(true);
    fake.open();
    expect(fake.sent[0]).toMatchObject({ phone: true });
  });

  // law: entry-viewer-sends-nothing
  test("sends nothing as a viewer, and what the stage lets through afterwards", async () => {
    const { fake } = await inside("viewer");
    expect(fake.peer().live).toEqual({ mic: null, camera: null });
    fake.say(update([me(onStage())]));
    expect(fake.peer().live).toEqual({ mic, camera });
    fake.say(update([me(onStage({ mic: false }))]));
    expect(fake.peer().live).toEqual({ mic: null, camera });
    fake.say(update([me(null)]));
    expect(fake.peer().live).toEqual({ mic: null, camera: null });
  });

  // law: cameras-waiting
  test("does not encode a camera that waits for its place", async () => {
    const { fake } = await inside("stage");
    fake.say(update([me(onStage({ camera: "waiting" }))]));
    expect(fake.peer().live.camera).toBeNull();
    fake.say(update([me(onStage())]));
    expect(fake.peer().live.camera).toBe(camera);
  });

  test("turns off what is on without a device, once it is known that there is none", async () => {
    const fake = new Fake();
    const room = fake.room();
    fake.welcome();
    void room.enter("stage", null, { mic: true, camera: true });
    const { id } = await fake.request();
    fake.say(entered(id, state([me(onStage())])));
    await settled();
    expect(fake.sent.filter(({ type }) => !type.startsWith("list_")).at(-1)?.type, "nothing is known yet").toBe("enter");
    void room.useDevices({ mic: null, camera });
    await settled();
    expect(fake.sent.at(-1)).toMatchObject({ type: "set_mic", on: false });
    expect(fake.peer().live.camera).toBe(camera);
  });

  // law: join-no-right
  test("a refused request says why", async () => {
    const { fake, room } = await inside("viewer");
    const asking = room.joinStage({ mic: true, camera: true });
    const { id } = await fake.request();
    fake.say({ type: "error", id, code: "ask_first", text: "Ask to join the stage first." });
    await expect(asking).rejects.toEqual(new Refused({ code: "ask_first", text: "Ask to join the stage first." }));
  });

  test("a refused entry can be tried again, with the same offer", async () => {
    const fake = new Fake();
    const room = fake.room();
    fake.welcome();
    const first = room.enter("viewer", "A name that is too long", { mic: false, camera: false });
    const { id } = await fake.request();
    fake.say({ type: "error", id, code: "name_too_long", text: "That name is too long." });
    await expect(first).rejects.toMatchObject({ failure: { code: "name_too_long" } });
    expect(room.view.phase.at).toBe("entry");
    void room.enter("viewer", "Ann", { mic: false, camera: false });
    expect(await fake.request()).toMatchObject({ type: "enter", name: "Ann", offer: "an offer" });
    expect(fake.peers).toHaveLength(1);
  });

  // law: entry-server-decides
  test("whoever asked for the stage and is let in as a viewer is told why", async () => {
    const fake = new Fake();
    const room = fake.room();
    fake.welcome();
    void room.enter("stage", null, { mic: false, camera: false });
    const { id } = await fake.request();
    fake.say(entered(id, state([me(null)]), { refused: { code: "stage_not_at_entry", text: "In this room you come in as a viewer." } }));
    expect(room.view.phase.at).toBe("room");
    expect(room.view.notice?.notice).toEqual({ kind: "let_in_as_viewer", code: "stage_not_at_entry", text: "In this room you come in as a viewer." });
  });

  test("pages of viewers and links come as answers", async () => {
    const { fake, room } = await inside("viewer");
    const listing = room.listViewers(7, "ann");
    const { id } = await fake.request();
    expect(fake.sent.at(-1)).toEqual({ type: "list_viewers", id, after: 7, search: "ann" });
    fake.say({ type: "viewers", id, participants: [me(null)], more: true, matching: 12 });
    expect(await listing).toMatchObject({ participants: [{ id: 1 }], more: true, matching: 12 });
    const all = room.listViewers(0);
    const asked = await fake.request();
    expect(asked, "without a search the server does not search").toEqual({ type: "list_viewers", id: asked.id, after: 0 });
    fake.say({ type: "viewers", id: asked.id, participants: [], more: false, matching: 0 });
    await all;
    const making = room.makeLink("speaker", 86_400, true);
    fake.say({ type: "link_made", id: (await fake.request()).id, link: 3, token: "a role token" });
    expect(await making).toBe("a role token");
  });

  test("offers the codec of its room, and sends what everyone in it decodes", async () => {
    const fake = new Fake();
    const room = fake.room();
    fake.open();
    fake.say(entry({ codec: "h264" }));
    expect(fake.peers.map(({ codec, closed }) => ({ codec, closed }))).toEqual([
      { codec: "vp8", closed: true },
      { codec: "h264", closed: false },
    ]);
    void room.enter("stage", null, { mic: false, camera: false });
    const { id } = await fake.request();
    fake.say(entered(id, state([me(onStage())]), { codec: "vp8" }));
    fake.say({ type: "codec", codec: "h264" });
    expect(fake.peer().codecs).toEqual(["vp8", "h264"]);
    // Back after a loss, it offers the same again.
    fake.drop();
    fake.environment.pass(60_000);
    fake.open();
    fake.say(entry({ codec: "h264", present: { onStage: true, lost: true } }));
    await settled();
    expect(fake.peer()).toMatchObject({ codec: "h264", closed: false });
  });

  test("only the layers somebody gets are encoded", async () => {
    const { fake } = await inside("stage");
    fake.say({ type: "demand", screen: false, layers: [true, false, false] });
    expect(fake.peer().layers).toEqual([true, false, false]);
    fake.say({ type: "demand", screen: true, layers: [false, false, false] });
    expect(fake.peer().layers).toEqual([true, false, false]);
    expect(fake.peer().screenLayers).toEqual([false, false, false]);
  });

  test("what is shown is said in the room, and again after a lost connection", async () => {
    const { fake, room } = await inside("viewer");
    room.watch([{ slot: 2, height: 360 }]);
    expect(await fake.request()).toMatchObject({ type: "watch", cameras: [{ slot: 2, height: 360 }] });
    const said = () => fake.sent.filter(({ type }) => type === "watch").length;
    fake.drop();
    fake.environment.pass(5_000);
    fake.welcome({ onStage: false, lost: true });
    const { id } = await fake.request();
    expect(said()).toBe(1);
    fake.say(entered(id, state([me(null)])));
    await fake.request();
    expect(said()).toBe(2);
  });
});
