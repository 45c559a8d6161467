/** A server, media connections, time and chance in memory, for tests. */

import type { Environment } from "./environment";
import { forgetfulStore, memoryOf } from "./memory";
import type { Memory } from "./memory";
import type { ClientMessage, Codec, IceCredentials, IceServer, OnStage, Participant, Permissions, Presence, RoomState, Rules, ServerMessage } from "./protocol.gen";
import { Room } from "./room";
import type { MediaPeer } from "./room";
import { look } from "./statistics";
import type { Connect, TransportEvents } from "./transport";

export const mic = { kind: "audio" } as MediaStreamTrack;
export const camera = { kind: "video" } as MediaStreamTrack;
const permissions: Permissions = { chat: "everyone", react: "everyone", raiseHand: "everyone", answerPolls: "everyone", quickPoll: "moderators", present: "speakers" };
export const rules: Rules = { access: "everyone", capacity: 9, cameraLimit: 4, locked: false, permissions };

export const person = (id: number, change: Partial<Participant> = {}): Participant => ({
  id,
  name: `Person ${id}`,
  role: "participant",
  hand: null,
  lost: false,
  onStage: null,
  ...change,
});

export const onStage = (change: Partial<OnStage> = {}): OnStage => ({ order: 1, mic: true, speaking: false, camera: "shown", ...change });

export const state = (participants: Participant[], change: Partial<RoomState> = {}): RoomState => ({
  participants,
  complete: true,
  slots: [],
  rules,
  dominant: null,
  presentation: { participant: null, name: "", sound: false, generation: 0 },
  onStage: participants.filter((one) => one.onStage !== null).length,
  viewers: participants.filter((one) => one.onStage === null).length,
  ...change,
});

export const entry = (change: Partial<Extract<ServerMessage, { type: "entry" }>> = {}): ServerMessage => ({
  type: "entry",
  protocol: 2,
  room: { id: "r", title: "R" },
  role: "participant",
  name: "Ann",
  mayJoinStage: true,
  present: null,
  iceServers: [],
  codec: "vp8",
  ...change,
});

export const entered = (id: number, room: RoomState, change: Partial<Extract<ServerMessage, { type: "entered" }>> = {}): ServerMessage => ({
  type: "entered",
  id,
  you: 1,
  token: "a personal token",
  relation: { kind: "none" },
  state: room,
  answer: "an answer",
  ice: null,
  refused: null,
  codec: "vp8",
  ...change,
});

export const update = (participants: Participant[], change: Partial<Extract<ServerMessage, { type: "update" }>> = {}): ServerMessage => ({
  type: "update",
  participants,
  left: [],
  slots: [],
  rules: null,
  dominant: null,
  presentation: null,
  onStage: 1,
  viewers: 0,
  ...change,
});

/** Time that passes when a test says so. */
export class FakeEnvironment implements Environment {
  time = 1_000;
  chance = 0.5;
  network: (online: boolean) => void = () => {};
  #timers: { at: number; then: () => void }[] = [];

  now = () => this.time;
  random = () => this.chance;
  after = (ms: number, then: () => void) => {
    const timer = { at: this.time + ms, then };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  };
  onNetwork = (then: (online: boolean) => void) => {
    this.network = then;
    return () => void (this.network = () => {});
  };

  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.time = Math.max(this.time, next.at);
      next.then();
    }
    this.time = end;
  }
}

export class FakePeer implements MediaPeer {
  constructor(
    readonly iceServers: IceServer[],
    readonly codec: Codec,
  ) {}

  live = { mic: null as MediaStreamTrack | null, camera: null as MediaStreamTrack | null };
  screenLive: (MediaStreamTrack | null)[] = [null, null];
  layers: readonly boolean[] = [true, true, true];
  screenLayers: readonly boolean[] = [true, true, true];
  /** What it was told to send pictures in. */
  codecs: Codec[] = [];
  answers: string[] = [];
  closed = false;
  /** Whether it still carries something, and how much it has. */
  alive = false;
  bytes = 0;
  restarts: string[] = [];
  fail = () => {};
  stray = () => {};

  offer = async () => "an offer";
  accept = async (answer: string) => void this.answers.push(answer);
  setMic = async (track: MediaStreamTrack | null) => void (this.live.mic = track);
  setCamera = async (track: MediaStreamTrack | null) => void (this.live.camera = track);
  setScreen = async (...tracks: (MediaStreamTrack | null)[]) => void (this.screenLive = tracks);
  sendLayers = async (layers: readonly boolean[], screen: boolean) => void (this[screen ? "screenLayers" : "layers"] = layers);
  sendCodec = async (codec: Codec) => void this.codecs.push(codec);
  camera = () => null;
  cameraSource = () => null;
  screen = () => camera;
  screenSource = () => null;
  cameraMid = () => null;
  look = async () => look([], 0);
  voices = () => [];
  isAlive = () => this.alive;
  received = async () => this.bytes;
  restart = async ({ ufrag }: IceCredentials) => void this.restarts.push(ufrag);
  onTrouble = (stray: () => void, lost: () => void) => void ([this.stray, this.fail] = [stray, lost]);
  close = () => void (this.closed = true);
}

/** A server that says what the test says, to a room that is real. */
export class Fake {
  readonly environment = new FakeEnvironment();
  readonly peers: FakePeer[] = [];
  /** When each connection was asked for. */
  readonly attempts: number[] = [];
  sent: ClientMessage[] = [];
  #events: TransportEvents | undefined;

  constructor(readonly memory: Memory = memoryOf("a link", forgetfulStore(), forgetfulStore())) {}

  readonly connect: Connect = (events) => {
    this.#events = events;
    this.attempts.push(this.environment.time);
    return { send: (message) => void this.sent.push(message), close: () => undefined };
  };

  room(phone = false): Room {
    const { connect, memory, environment } = this;
    const peer = (...known: [IceServer[], Codec]) => this.peers[this.peers.push(new FakePeer(...known)) - 1] as FakePeer;
    return new Room({ connect, token: "a link", phone, memory, environment, peer });
  }

  open = () => this.#events?.open();
  say = (message: ServerMessage) => this.#events?.message(message);
  drop = () => this.#events?.closed();
  peer = () => this.peers.at(-1) as FakePeer;

  /** The socket opens, and hello is answered. */
  welcome(present: Presence | null = null): void {
    this.open();
    this.say(entry({ present }));
  }

  /** The last request that was sent. */
  async request(): Promise<Extract<ClientMessage, { id: number }>> {
    await settled();
    const last = this.sent.at(-1);
    if (last === undefined || !("id" in last)) throw new Error("no request was sent");
    return last;
  }
}

/** Everything that was promised has happened. */
export const settled = () => new Promise((resolve) => setTimeout(resolve));

/** Somebody inside, with devices. */
export async function inside(place: "viewer" | "stage", fake = new Fake()) {
  const room = fake.room();
  fake.welcome();
  await room.useDevices({ mic, camera });
  const entering = room.enter(place, null, { mic: true, camera: true });
  const request = await fake.request();
  fake.say(entered(request.id, state([me(place === "stage" ? onStage() : null)])));
  await entering;
  return { fake, room, request };
}

export const me = (place: OnStage | null): Participant => person(1, { name: "Ann", onStage: place });
