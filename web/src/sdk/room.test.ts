import { describe, expect, test } from "vitest";
import type { ClientMessage, Participant, ServerMessage } from "./protocol.gen";
import { Refused, Room } from "./room";
import type { MediaPeer } from "./room";
import type { Connect, TransportEvents } from "./transport";

/** A server and a media connection in memory. */
class Fake {
  sent: ClientMessage[] = [];
  live = { mic: null as MediaStreamTrack | null, camera: null as MediaStreamTrack | null };
  answers: string[] = [];
  fail = () => {};
  #events: TransportEvents | undefined;

  readonly connect: Connect = (events) => {
    this.#events = events;
    return { send: (message) => void this.sent.push(message), close: () => undefined };
  };

  readonly peer: MediaPeer = {
    offer: async () => "an offer",
    accept: async (answer) => void this.answers.push(answer),
    setMic: async (track) => void (this.live.mic = track),
    setCamera: async (track) => void (this.live.camera = track),
    camera: () => null,
    cameraSource: () => null,
    onFailed: (lost) => void (this.fail = lost),
    voices: () => [],
    close: () => undefined,
  };

  open = () => this.#events?.open();
  say = (message: ServerMessage) => this.#events?.message(message);
  drop = () => this.#events?.closed();

  /** The last request that was sent. */
  async request(): Promise<Extract<ClientMessage, { id: number }>> {
    await new Promise((resolve) => setTimeout(resolve));
    const last = this.sent.at(-1);
    if (last === undefined || !("id" in last)) throw new Error("no request was sent");
    return last;
  }
}

const mic = { kind: "audio" } as MediaStreamTrack;
const camera = { kind: "video" } as MediaStreamTrack;

const me = (onStage: Participant["onStage"]): Participant => ({ id: 1, name: "Ann", role: "participant", onStage });
const onStage = (change: Partial<NonNullable<Participant["onStage"]>> = {}) =>
  ({ order: 1, mic: true, speaking: false, camera: "shown", ...change }) as const;

async function entered(place: "viewer" | "stage") {
  const fake = new Fake();
  const room = new Room(fake.connect, "a token", fake.peer);
  fake.open();
  fake.say({ type: "entry", protocol: 1, room: { id: "r", title: "R" }, role: "participant", name: "Ann", mayJoinStage: true });
  await room.useDevices({ mic, camera });
  const entering = room.enter(place, null, { mic: true, camera: true });
  const request = await fake.request();
  const state = { participants: [me(place === "stage" ? onStage() : null)], slots: [], onStage: 1, viewers: 0, capacity: 9 };
  fake.say({ type: "entered", id: request.id, you: 1, state, answer: "an answer" });
  await entering;
  return { fake, room, request };
}

const update = (person: Participant): ServerMessage => ({ type: "update", participants: [person], left: [], slots: [], onStage: 1, viewers: 0 });

describe("a room", () => {
  test("says hello first, and enters with its offer in one message", async () => {
    const { fake, request } = await entered("stage");
    expect(fake.sent[0]).toEqual({ type: "hello", protocol: 1, token: "a token" });
    expect(request).toEqual({ type: "enter", id: 1, place: "stage", mic: true, camera: true, offer: "an offer" });
    expect(fake.answers).toEqual(["an answer"]);
    expect(fake.live).toEqual({ mic, camera });
  });

  test("sends nothing as a viewer, and what the stage lets through afterwards", async () => {
    const { fake } = await entered("viewer");
    expect(fake.live).toEqual({ mic: null, camera: null });
    fake.say(update(me(onStage())));
    expect(fake.live).toEqual({ mic, camera });
    fake.say(update(me(onStage({ mic: false }))));
    expect(fake.live).toEqual({ mic: null, camera });
    fake.say(update(me(null)));
    expect(fake.live).toEqual({ mic: null, camera: null });
  });

  test("does not encode a camera that waits for its place", async () => {
    const { fake } = await entered("stage");
    fake.say(update(me(onStage({ camera: "waiting" }))));
    expect(fake.live.camera).toBeNull();
    fake.say(update(me(onStage())));
    expect(fake.live.camera).toBe(camera);
  });

  test("a refused request says why", async () => {
    const { fake, room } = await entered("viewer");
    const asking = room.removeFromStage(7);
    const { id } = await fake.request();
    fake.say({ type: "error", id, code: "moderators_only", text: "Only a host or a moderator can do this." });
    await expect(asking).rejects.toEqual(new Refused({ code: "moderators_only", text: "Only a host or a moderator can do this." }));
  });

  test("media that cannot be had any more ends the session, and says so", async () => {
    const { fake, room } = await entered("stage");
    fake.fail();
    expect(room.view.phase).toMatchObject({ at: "closed", failure: { code: "connection_lost" } });
  });

  test("a lost connection ends everything that was asked for", async () => {
    const { fake, room } = await entered("viewer");
    const asking = room.setMic(true);
    fake.drop();
    await expect(asking).rejects.toBeInstanceOf(Refused);
    expect(room.view.phase).toMatchObject({ at: "closed", failure: { code: "connection_lost" } });
    await expect(room.setMic(true)).rejects.toBeInstanceOf(Refused);
  });
});
