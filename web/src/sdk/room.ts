/** A client in a room: session, media and the view of both, through lost connections too. Knows no user interface. */

import { Activities } from "./activities";
import type { ActivityRequest } from "./activities";
import { CHANNELS } from "./chat";
import { browserEnvironment } from "./environment";
import type { Environment } from "./environment";
import { inviting } from "./invitations";
import type { NewInvitations } from "./invitations";
import { forgetfulStore, memoryOf } from "./memory";
import type { Memory } from "./memory";
import { Peer } from "./peer";
import { withAnswer } from "./polls";
import { Presenting } from "./presenting";
import { PROTOCOL } from "./protocol.gen";
import type { Access, Channel, ClientMessage, Codec, IceServer, Invitation, Link, Participant, Place, Poll, Role, ServerMessage, Watched } from "./protocol.gen";
import { Pulse } from "./pulse";
import { ANSWER_MS_MAX, ATTEMPT_MS_MAX, LOST, MEDIA_LOST, QUIET_MS, SHOWN_AFTER, STEADY_AFTER_MS, passes, retryDelay } from "./retry";
import { moderates, self } from "./select";
import type { Connect, Transport } from "./transport";
import type { ViewersPage } from "./viewers";
import { Watching } from "./watching";
import { awayTooLong, closed, initialView, lost, reduce, resuming } from "./view";
import type { Failure, View } from "./view";

/** A request the server refused, or that was lost with the connection. */
export class Refused extends Error {
  constructor(readonly failure: Failure) {
    super(failure.text);
  }
}

/** Tracks of this person's own devices. */
export interface Devices {
  mic: MediaStreamTrack | null;
  camera: MediaStreamTrack | null;
}

/** What is on, or is to be. */
interface On {
  mic: boolean;
  camera: boolean;
}

/** A request: a client message whose number is given when it is sent. */
type Request = ClientMessage extends infer Message
  ? Message extends { id: number }
    ? Omit<Message, "id">
    : never
  : never;

/** Requests about one person. */
type About = Extract<Request, { participant: number }>["type"];

/** The part of {@link Peer} that a room needs; tests bring their own. */
export type MediaPeer = Pick<Peer, "offer" | "accept" | "setMic" | "setCamera" | "setScreen" | "sendLayers" | "sendCodec" | "camera" | "cameraSource" | "screen" | "screenSource" | "cameraMid" | "voices" | "look" | "isAlive" | "received" | "restart" | "onTrouble" | "close">;

export interface RoomOptions {
  connect: Connect;
  /** The token of the link. A personal token in `memory` goes before it. */
  token: string;
  /** On a phone, which enters as a viewer. */
  phone?: boolean;
  memory?: Memory;
  environment?: Environment;
  /** Makes a media connection; each session has a new one. */
  peer?: (iceServers: IceServer[], codec: Codec) => MediaPeer;
}

/** A media connection that is ready to enter with. */
interface Ready {
  peer: MediaPeer;
  offer: Promise<string>;
  /** The server has seen the offer: another session needs another one. */
  sent: boolean;
}

interface Asked {
  resolve(answer: ServerMessage): void;
  reject(error: Refused): void;
}

/** The session that is open, or is being opened. */
interface Session {
  transport: Transport | null;
  token: string;
  open: boolean;
  /** Begun without a network. */
  blind: boolean;
}

export class Room {
  view: View = initialView;
  /** Polls, reactions, permissions. */
  readonly activities = new Activities((request) => this.#act(request));
  /** The screen that this person presents. */
  readonly presenting = new Presenting((request) => this.#do(request));
  readonly #options: Required<RoomOptions>;
  readonly #listeners = new Set<() => void>();
  readonly #asked = new Map<number, Asked>();
  readonly #offNetwork: () => void;
  /** The media connection whose tracks are on the screen: after a loss the old one, until the new one has entered. */
  #peer: MediaPeer;
  #ready: Ready | null;
  #session: Session | null = null;
  #nextId = 1;
  /** Attempts since the connection was steady. */
  #attempts = 0;
  /** Prevents the next attempt, or the giving up of the one under way. */
  #cancelTimer = () => {};
  #cancelSteady = () => {};
  /** Prevents that a loss is shown, while that is put off. */
  #cancelLost: (() => void) | null = null;
  /** Requests made meanwhile, which wait for what comes of it. */
  #waiting: (() => void)[] = [];
  /** Where the session has come in. */
  #inSession = false;
  #offline = false;
  /** The way that media took may not be there any more. */
  #strayed = false;
  #retryPending = false;
  /** Relays of this server, with credentials of this person. */
  #iceServers: IceServer[] = [];
  /** Of the room, once that is known. */
  #codec: Codec = "vp8";
  /** `null` until it is known which devices there are. */
  #devices: Devices | null = null;
  readonly #watching: Watching;
  readonly #pulse: Pulse;

  /** Connects and says hello. The offer is prepared meanwhile, so that entering takes one round trip. */
  constructor(options: RoomOptions) {
    const { environment = browserEnvironment, phone = false, peer = (servers, codec) => new Peer(servers, codec) } = options;
    const { memory = memoryOf(options.token, forgetfulStore(), forgetfulStore()) } = options;
    this.#options = { ...options, environment, phone, peer, memory };
    // What is lost with the connection is said again in the next one.
    this.#watching = new Watching(environment, (cameras) => this.#do({ type: "watch", cameras }));
    this.#pulse = new Pulse(environment, () => void this.#check());
    this.#ready = this.#prepare();
    this.#peer = this.#ready.peer;
    this.#offNetwork = environment.onNetwork((online) => {
      if (online) return this.#online();
      this.#offline = true;
      this.#moved();
    });
    this.#connect();
  }

  /** The media connection in use. After a lost connection it is another one: `view.media` grows. */
  get peer(): MediaPeer {
    return this.#peer;
  }

  /** Calls `listener` after every change of {@link view}. Returns what takes it back. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Devices to send from; a change is live at once where they are being sent. What is on without a device goes off. */
  async useDevices(devices: Devices): Promise<void> {
    this.#devices = devices;
    await this.#sendWhatIsOn();
  }

  /** Comes into the room. On stage, microphone and camera are on if there are any and they are wanted. */
  async enter(place: Place, name: string | null, on: On): Promise<void> {
    await this.#enter(place, name, this.#wanted(place === "stage", on));
  }

  /** Comes on stage. */
  async joinStage(on: On): Promise<void> {
    await this.#do({ type: "join_stage", ...this.#wanted(true, on) });
  }

  /** What is shown of cameras, and how high, in device pixels: the server sends what fills it, and nothing else. */
  watch(cameras: Watched[]): void {
    this.#watching.show(cameras);
  }

  askToJoin = (): Promise<void> => this.#do({ type: "ask_to_join" });
  cancelRequest = (): Promise<void> => this.#do({ type: "cancel_request" });
  declineInvitation = (): Promise<void> => this.#do({ type: "decline_invitation" });
  raiseHand = (): Promise<void> => this.#do({ type: "raise_hand" });
  setMic = (on: boolean): Promise<void> => this.#do({ type: "set_mic", on });
  setCamera = (on: boolean): Promise<void> => this.#do({ type: "set_camera", on });

  /** Everything that is done to one person; all of it but lowering the own hand needs a moderator. */
  act = (type: About, participant: number): Promise<void> => this.#do({ type, participant });

  muteAll = (): Promise<void> => this.#do({ type: "mute_all" });
  stopAllCameras = (): Promise<void> => this.#do({ type: "stop_all_cameras" });
  lowerAllHands = (): Promise<void> => this.#do({ type: "lower_all_hands" });
  setAccess = (access: Access): Promise<void> => this.#do({ type: "set_access", access });
  setCapacity = (capacity: number): Promise<void> => this.#do({ type: "set_capacity", capacity });
  setCameraLimit = (limit: number): Promise<void> => this.#do({ type: "set_camera_limit", limit });
  setLock = (locked: boolean): Promise<void> => this.#do({ type: "set_lock", locked });
  revokeLink = (link: number): Promise<void> => this.#do({ type: "revoke_link", link });
  endSession = (): Promise<void> => this.#do({ type: "end_session" });

  /** Says something in the chat: plain text, up to 2,000 characters. */
  say = (channel: Channel, text: string): Promise<void> => this.#do({ type: "say", channel, text });
  deleteMessage = (message: number): Promise<void> => this.#do({ type: "delete_message", message });
  /** Pins a message on top of the chat, or takes the pinned one down. */
  pinMessage = (message: number | null): Promise<void> => this.#do({ type: "pin_message", ...(message !== null && { message }) });
  clearChat = (): Promise<void> => this.#do({ type: "clear_chat" });

  /** A page of what was said before a message, 0 for the newest; it goes into the view. */
  async listChat(channel: Channel, before: number): Promise<void> {
    await this.#ask({ type: "list_chat", channel, before }, "chat_page");
  }

  /** Polls as they are, with what this person answered; they go into the view. */
  async listPolls(): Promise<void> {
    await this.#ask({ type: "list_polls" }, "poll_list");
  }

  /** Makes a role link; answers with its token. */
  async makeLink(role: Role, validSeconds: number, personal: boolean): Promise<string> {
    return (await this.#ask({ type: "make_link", role, validSeconds, personal }, "link_made")).token;
  }

  async listLinks(): Promise<Link[]> {
    return (await this.#ask({ type: "list_links" }, "links")).links;
  }

  /** Invites people by e-mail, each with a role link of their own. Resolves when their mails are on disk; the view has them. */
  async inviteByMail(wanted: NewInvitations): Promise<Invitation[]> {
    return (await this.#ask({ type: "invite_by_mail", ...inviting(wanted) }, "invitations")).invitations;
  }

  /** Everybody invited by e-mail; they go into the view. */
  async listInvitations(): Promise<void> {
    await this.#ask({ type: "list_invitations" }, "invitations");
  }

  /** A page of the viewers who entered after `after`: of all, or of those with `search` in their names. */
  async listViewers(after: number, search = ""): Promise<ViewersPage> {
    return this.#ask({ type: "list_viewers", after, ...(search !== "" && { search }) }, "viewers");
  }

  /** Finds another way for media, over which the same streams go on. */
  async restartMedia(): Promise<void> {
    const { ice } = await this.#ask({ type: "restart_ice" }, "ice");
    await this.#peer.restart(ice, this.#iceServers);
  }

  /** Leaves the room for good. */
  leave(): void {
    if (this.#session?.open) this.#session.transport?.send({ type: "leave" });
    this.#end({ code: "left", text: "You have left the room." });
  }

  #connect(): void {
    const { connect, environment, memory, phone, token: link } = this.#options;
    this.#cancelTimer();
    this.#retryPending = false;
    if (!this.#peer.isAlive()) this.#ready ??= this.#prepare();
    const session: Session = { transport: null, token: memory.token() ?? link, open: false, blind: this.#offline };
    this.#session = session;
    // What an abandoned session still says is about nothing any more.
    const current = () => this.#session === session;
    session.transport = connect({
      open: () => {
        if (!current()) return;
        session.open = true;
        session.transport?.send({ type: "hello", protocol: PROTOCOL, token: session.token, phone });
      },
      message: (message) => {
        if (current()) this.#receive(message);
      },
      closed: () => {
        if (current()) this.#lose(LOST);
      },
    });
    this.#cancelTimer = environment.after(ATTEMPT_MS_MAX, () => this.#lose(LOST));
  }

  #prepare(): Ready {
    const peer = this.#options.peer(this.#iceServers, this.#codec);
    const offer = peer.offer();
    offer.catch(() => undefined);
    const current = () => this.#peer === peer && this.#inSession;
    peer.onTrouble(
      () => void (current() && this.restartMedia().catch(() => undefined)),
      () => void (current() && this.#lose(MEDIA_LOST)),
    );
    return { peer, offer, sent: false };
  }

  #receive(message: ServerMessage): void {
    const now = this.#options.environment.now();
    switch (message.type) {
      case "closed":
        return this.#closedBy({ code: message.code, text: message.text });
      case "entry":
        return this.#welcome(message, now);
      case "entered":
        this.#inside(message, now);
        break;
      case "demand":
        // Where a browser refuses, everything goes on being sent.
        void this.#peer.sendLayers(message.layers, message.screen).catch(() => undefined);
        return;
      case "codec":
        void this.#peer.sendCodec(message.codec).catch(() => undefined);
        return;
      default:
        this.#set(reduce(this.view, message, now));
        if (message.type === "state") this.#readWhatIsKept();
        // Everyone's places are in the ranking of a few; one's own is asked for.
        if (message.type === "polls" && this.#hasTaken(message.polls)) void this.listPolls().catch(() => undefined);
    }
    if ("id" in message && message.id !== null) {
      const asked = this.#asked.get(message.id);
      this.#asked.delete(message.id);
      if (message.type === "error") asked?.reject(new Refused({ code: message.code, text: message.text }));
      else asked?.resolve(message);
    }
  }

  /** Hello was answered: to the entry window or, if this window was inside a moment ago, back to the place. */
  #welcome(message: Extract<ServerMessage, { type: "entry" }>, now: number): void {
    const { memory } = this.#options;
    if (message.iceServers.length > 0 || message.codec !== this.#codec) this.#prepareAgain(message);
    const back = message.present !== null && (this.view.phase.at === "room" || memory.wasInside());
    const view = reduce(this.view, message, now);
    if (!back) {
      memory.setInside(false);
      // In the entry window people take their time.
      this.#cancelTimer();
    }
    this.#steadySoon();
    this.#set(back ? resuming(view) : view);
    if (back) void this.#comeBack();
  }

  /** Relays and codecs are in the offer of a media connection: one made before they were known is made again. */
  #prepareAgain({ iceServers, codec }: Extract<ServerMessage, { type: "entry" }>): void {
    this.#iceServers = iceServers;
    this.#codec = codec;
    if (this.#ready === null) return;
    const before = this.#ready.peer;
    this.#ready = this.#prepare();
    before.close();
    if (before === this.#peer) this.#peer = this.#ready.peer;
  }

  #inside(message: Extract<ServerMessage, { type: "entered" }>, now: number): void {
    const { memory } = this.#options;
    memory.keep(message.token);
    memory.setInside(true);
    this.#cancelTimer();
    this.#showNothing();
    const before = this.#peer;
    if (message.ice === null) {
      this.#peer = this.#ready?.peer ?? before;
      this.#ready = null;
      if (before !== this.#peer) before.close();
      this.#pulse.watch(() => this.#peer.received());
    } else if (this.#strayed) {
      void this.#peer.restart(message.ice, this.#iceServers).catch(() => undefined);
    }
    this.#strayed = false;
    this.#inSession = true;
    if (this.#codec !== "vp8") void this.#peer.sendCodec(message.codec).catch(() => undefined);
    const media = this.view.media + (before === this.#peer ? 0 : 1);
    this.#set(reduce({ ...this.view, media }, message, now));
    this.#watching.begin();
    void this.#sendWhatIsOn();
    this.#readWhatIsKept();
  }

  /** Carries out an activity; an answer that was taken is in the view. */
  async #act(request: ActivityRequest): Promise<void> {
    await this.#do(request);
    if (request.type !== "answer_poll") return;
    const { poll, question, choices } = request;
    this.#set({ ...this.view, polls: withAnswer(this.view.polls, { poll, question, choices }) });
  }

  #hasTaken(polls: Poll[]): boolean {
    const { answers } = this.view.polls;
    return polls.some(({ kind, step, poll }) => kind === "quiz" && step === "published" && answers.some((answer) => answer.poll === poll));
  }

  /** Polls, and the newest page of the chat, stand for everything that was missed. Lost with the connection, they are read in the next one. */
  #readWhatIsKept(): void {
    void this.listPolls().catch(() => undefined);
    const me = self(this.view);
    const channels = CHANNELS.filter((channel) => channel === "everyone" || (me !== null && moderates(me.role)));
    for (const channel of channels) void this.listChat(channel, 0).catch(() => undefined);
  }

  async #comeBack(): Promise<void> {
    const { phase } = this.view;
    if (phase.at !== "room" && phase.at !== "resuming") return;
    const me = self(this.view);
    const on = { mic: me?.onStage?.mic ?? false, camera: me?.onStage?.camera === "shown" };
    const place = phase.entry.present?.onStage === true ? "stage" : "viewer";
    const name = me?.name ?? null;
    const live = this.#wanted(place === "stage", on);
    try {
      if (await this.#keepMedia(place, name, live)) return;
      await this.#enter(place, name, live);
    } catch (error) {
      // Lost again: the next attempt is on its way. Anything else means that the place is gone.
      if (error instanceof Refused && !passes(error.failure)) this.#set(awayTooLong(this.view, phase.entry));
    }
  }

  /** Comes back to the media connection that is still there. False where it is not. */
  async #keepMedia(place: Place, name: string | null, live: On): Promise<boolean> {
    if (this.view.phase.at !== "room" || !this.#peer.isAlive()) return false;
    try {
      await this.#ask({ type: "enter", place, ...live, keepMedia: true, ...(name !== null && { name }) }, "entered");
      return true;
    } catch (error) {
      if (error instanceof Refused && error.failure.code === MEDIA_LOST.code) return false;
      throw error;
    }
  }

  async #enter(place: Place, name: string | null, live: On): Promise<void> {
    const ready = (this.#ready ??= this.#prepare());
    const session = this.#session;
    // The senders have their tracks before the answer comes: media flows as soon as the connection is up.
    await Promise.all([
      ready.peer.setMic(live.mic ? (this.#devices?.mic ?? null) : null),
      ready.peer.setCamera(live.camera ? (this.#devices?.camera ?? null) : null),
    ]);
    const offer = await ready.offer;
    if (session !== this.#session) throw new Refused(LOST);
    ready.sent = true;
    const { answer } = await this.#ask({ type: "enter", place, ...live, offer, ...(name !== null && { name }) }, "entered");
    if (answer === null) return;
    try {
      await ready.peer.accept(answer);
    } catch {
      if (session === this.#session) this.#lose(MEDIA_LOST);
    }
  }

  #wanted(onStage: boolean, on: On): On {
    const has = (kind: keyof Devices) => (this.#devices?.[kind] ?? null) !== null;
    return { mic: onStage && on.mic && has("mic"), camera: onStage && on.camera && has("camera") };
  }

  async #do(request: Request): Promise<void> {
    await this.#ask(request, "ok");
  }

  async #ask<Type extends ServerMessage["type"]>(request: Request, expected: Type): Promise<Extract<ServerMessage, { type: Type }>> {
    // A loss that nobody has seen is nothing a click could know of.
    if (this.#cancelLost !== null && request.type !== "enter") await new Promise<void>((go) => this.#waiting.push(go));
    const id = this.#nextId++;
    const answer = await new Promise<ServerMessage>((resolve, reject) => {
      if (this.view.phase.at === "closed") return reject(new Refused(this.view.phase.failure));
      if (!this.#session?.open) return reject(new Refused(LOST));
      this.#asked.set(id, { resolve, reject });
      this.#session.transport?.send({ ...request, id } as ClientMessage);
    });
    if (answer.type !== expected) throw new Refused({ code: "answer_unexpected", text: "The server answered something else." });
    return answer as Extract<ServerMessage, { type: Type }>;
  }

  #set(view: View): void {
    const sent = ({ presentation }: View, me: Participant | null) => [presentation, me?.id, me?.onStage?.mic, me?.onStage?.camera];
    const before = sent(this.view, self(this.view));
    this.view = view;
    if (sent(view, self(view)).some((now, n) => now !== before[n])) void this.#sendWhatIsOn();
    this.#listeners.forEach((listener) => listener());
  }

  /**
   * Sends exactly what the server lets through: a camera that waits for its place is not even encoded. What is on at
   * the server but has no device here, after a reload without permission for example, is turned off.
   */
  async #sendWhatIsOn(): Promise<void> {
    const me = self(this.view);
    const onStage = me?.onStage ?? null;
    const devices = this.#devices;
    const { picture, sound } = this.presenting.settle(this.view.presentation, me?.id ?? null);
    void this.#peer.setScreen(picture, sound).catch(() => undefined);
    if (this.view.phase.at !== "room" || devices === null) return;
    const unfit = async (turnOff: (on: boolean) => Promise<void>) => turnOff(false).catch(() => undefined);
    await Promise.all([
      this.#peer.setMic(onStage?.mic ? devices.mic : null),
      this.#peer.setCamera(onStage?.camera === "shown" ? devices.camera : null),
      onStage?.mic && devices.mic === null && unfit(this.setMic),
      onStage !== null && onStage.camera !== "off" && devices.camera === null && unfit(this.setCamera),
    ]);
  }

  #closedBy(failure: Failure): void {
    const { memory, token: link } = this.#options;
    const refused = failure.code === "token_expired" || failure.code === "token_invalid";
    if (refused && this.#session !== null && this.#session.token !== link) {
      // A personal token of no use any more; the link itself may well be.
      memory.forget();
      this.#abandon();
      this.#connect();
    } else if (passes(failure)) {
      this.#lose(failure);
    } else {
      this.#end(failure);
    }
  }

  /** The network is back: what was begun without it may never be answered. */
  #online(): void {
    this.#offline = false;
    // A browser cuts off what is begun while its network changes: the next wait is short.
    this.#attempts = 0;
    if (this.#session?.blind && !this.#session.open) this.#lose(LOST);
    if (this.#retryPending) this.#connect();
  }

  /** The network has changed. The old way leads nowhere, and a socket says so only after minutes. */
  #moved(): void {
    this.#strayed = true;
    if (this.#inSession) this.#lose(LOST);
  }

  /** Nothing comes any more: the stage has fallen silent, or the network has changed. */
  async #check(): Promise<void> {
    if (!this.#inSession) return;
    const { environment } = this.#options;
    const session = this.#session;
    // Chance, as thousands may have seen the same.
    const cancel = environment.after(ANSWER_MS_MAX * (1 + environment.random()), () => {
      if (this.#session === session) this.#moved();
    });
    await this.#watching.again().catch(() => undefined);
    cancel();
  }

  /** The connection is gone; it is tried again. While pictures go on, nobody needs to know. */
  #lose(failure: Failure): void {
    const { environment } = this.#options;
    const goesOn = this.#inSession && this.#peer.isAlive() && failure !== MEDIA_LOST;
    this.#abandon();
    const attempt = this.#attempts++;
    const show = () => {
      this.#showNothing();
      this.#set(lost(this.view, attempt + 1 >= SHOWN_AFTER ? failure : null));
    };
    if (goesOn) this.#cancelLost ??= environment.after(QUIET_MS, show);
    else if (this.#cancelLost === null) show();
    this.#retryPending = true;
    this.#cancelTimer = environment.after(retryDelay(attempt, environment.random()), () => this.#connect());
  }

  /** What was to be shown is not. */
  #showNothing(): void {
    this.#cancelLost?.();
    this.#cancelLost = null;
    this.#waiting.splice(0).forEach((go) => go());
  }

  #steadySoon(): void {
    this.#cancelSteady();
    this.#cancelSteady = this.#options.environment.after(STEADY_AFTER_MS, () => (this.#attempts = 0));
  }

  /** Nothing more is heard of the session, and what was asked in it is lost. */
  #abandon(failure: Failure = LOST): void {
    const session = this.#session;
    this.#session = null;
    this.#inSession = false;
    this.#watching.end();
    session?.transport?.close();
    this.#cancelTimer();
    this.#cancelSteady();
    if (this.#ready?.sent) {
      if (this.#ready.peer !== this.#peer) this.#ready.peer.close();
      this.#ready = null;
    }
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    asked.forEach(({ reject }) => reject(new Refused(failure)));
  }

  #end(failure: Failure): void {
    if (this.view.phase.at === "closed") return;
    this.#offNetwork();
    this.#pulse.end();
    this.#showNothing();
    this.#retryPending = false;
    this.#abandon(failure);
    this.#ready?.peer.close();
    this.#ready = null;
    this.#peer.close();
    this.#options.memory.setInside(false);
    this.#set(closed(this.view, failure));
  }
}
