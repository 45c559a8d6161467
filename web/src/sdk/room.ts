/** A client in a room: session, media and the view of both. Knows no user interface. */

import { PROTOCOL } from "./protocol.gen";
import type { ClientMessage, ServerMessage } from "./protocol.gen";
import { Peer } from "./peer";
import type { Connect, Transport } from "./transport";
import { closed, initialView, reduce, self } from "./view";
import type { Failure, View } from "./view";

/** A request the server refused. */
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

/** A request: a client message whose number is given when it is sent. */
type Request = ClientMessage extends infer Message
  ? Message extends { id: number }
    ? Omit<Message, "id">
    : never
  : never;

/** The part of {@link Peer} that a room needs; tests bring their own. */
export type MediaPeer = Pick<Peer, "offer" | "accept" | "setMic" | "setCamera" | "camera" | "cameraSource" | "voices" | "onFailed" | "close">;

interface Waiting {
  resolve(answer: ServerMessage): void;
  reject(error: Refused): void;
}

const LOST: Failure = { code: "connection_lost", text: "The connection to the server was lost." };

export class Room {
  view: View = initialView;
  readonly peer: MediaPeer;
  readonly #transport: Transport;
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #offer: Promise<string>;
  #nextId = 1;
  #devices: Devices = { mic: null, camera: null };

  /** Connects and says hello. The offer is prepared meanwhile, so that entering takes one round trip. */
  constructor(connect: Connect, token: string, peer: MediaPeer = new Peer()) {
    this.peer = peer;
    this.#offer = peer.offer();
    this.#offer.catch(() => undefined);
    peer.onFailed(() => this.#end(LOST));
    this.#transport = connect({
      open: () => this.#transport.send({ type: "hello", protocol: PROTOCOL, token }),
      message: (message) => this.#receive(message),
      closed: () => this.#end(LOST),
    });
  }

  /** Calls `listener` after every change of {@link view}. Returns what takes it back. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Devices to send from; a change is live at once where they are being sent. */
  async useDevices(devices: Devices): Promise<void> {
    this.#devices = devices;
    await this.#sendWhatIsOn();
  }

  /** Comes into the room. On stage, microphone and camera are on if there are any and they are wanted. */
  async enter(place: "viewer" | "stage", name: string | null, on: { mic: boolean; camera: boolean }): Promise<void> {
    const live = this.#wanted(place === "stage", on);
    // The senders have their tracks before the answer comes: media flows as soon as the connection is up.
    await Promise.all([
      this.peer.setMic(live.mic ? this.#devices.mic : null),
      this.peer.setCamera(live.camera ? this.#devices.camera : null),
    ]);
    const offer = await this.#offer;
    const request: Request = { type: "enter", place, ...live, offer, ...(name !== null && { name }) };
    const entered = await this.#request(request);
    if (entered.type === "entered" && entered.answer !== null) await this.peer.accept(entered.answer);
  }

  /** Comes on stage. */
  async joinStage(on: { mic: boolean; camera: boolean }): Promise<void> {
    await this.#request({ type: "join_stage", ...this.#wanted(true, on) });
  }

  async setMic(on: boolean): Promise<void> {
    await this.#request({ type: "set_mic", on });
  }

  async setCamera(on: boolean): Promise<void> {
    await this.#request({ type: "set_camera", on });
  }

  async removeFromStage(participant: number): Promise<void> {
    await this.#request({ type: "remove_from_stage", participant });
  }

  async mute(participant: number): Promise<void> {
    await this.#request({ type: "mute", participant });
  }

  async stopCamera(participant: number): Promise<void> {
    await this.#request({ type: "stop_camera", participant });
  }

  /** Leaves the room for good. */
  leave(): void {
    if (this.view.phase.at !== "closed") this.#transport.send({ type: "leave" });
    this.#end({ code: "left", text: "You have left the room." });
  }

  #wanted(onStage: boolean, on: { mic: boolean; camera: boolean }): { mic: boolean; camera: boolean } {
    const { mic, camera } = this.#devices;
    return { mic: onStage && on.mic && mic !== null, camera: onStage && on.camera && camera !== null };
  }

  #request(request: Request): Promise<ServerMessage> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.view.phase.at === "closed") return reject(new Refused(this.view.phase.failure));
      this.#waiting.set(id, { resolve, reject });
      this.#transport.send({ ...request, id } as ClientMessage);
    });
  }

  #receive(message: ServerMessage): void {
    if (message.type === "closed") return this.#end({ code: message.code, text: message.text });
    this.#set(reduce(this.view, message));
    if ("id" in message && message.id !== null) {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.type === "error") waiting?.reject(new Refused({ code: message.code, text: message.text }));
      else waiting?.resolve(message);
    }
  }

  #set(view: View): void {
    const before = self(this.view)?.onStage;
    this.view = view;
    const now = self(view)?.onStage;
    if (before?.mic !== now?.mic || before?.camera !== now?.camera) void this.#sendWhatIsOn();
    this.#listeners.forEach((listener) => listener());
  }

  /** Sends exactly what the server lets through: a camera that waits for its place is not even encoded. */
  async #sendWhatIsOn(): Promise<void> {
    const onStage = self(this.view)?.onStage;
    if (this.view.phase.at !== "room") return;
    await Promise.all([
      this.peer.setMic(onStage?.mic ? this.#devices.mic : null),
      this.peer.setCamera(onStage?.camera === "shown" ? this.#devices.camera : null),
    ]);
  }

  #end(failure: Failure): void {
    this.#waiting.forEach(({ reject }) => reject(new Refused(failure)));
    this.#waiting.clear();
    this.peer.close();
    this.#set(closed(this.view, failure));
    this.#transport.close();
  }
}
