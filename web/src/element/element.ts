/** `<dais-room token="…">`: a room within any page. docs/embedding.md describes it for those who use it. */

import { look } from "./colours";
import type { ElementHello, Failure, PageHello, RoomEvents, Settings, ToElement, ToPage, Wish } from "./messages";

/** How long the page has to say hello once the frame is loaded, ms: its script has run by then. */
const HELLO_MS_MAX = 4_000;
/** How long the frame may take to load, ms. */
const LOAD_MS_MAX = 30_000;

/** What the page within may use, all of it for the room's server alone. */
const ALLOW = "camera; microphone; display-capture; autoplay; fullscreen; speaker-selection";

const STYLE = `
  :host { display: block; position: relative; width: 100%; aspect-ratio: 16 / 10; min-height: 480px; overflow: hidden; }
  :host([hidden]) { display: none; }
  iframe { position: absolute; inset: 0; width: 100%; height: 100%; border: 0; opacity: 0; transition: opacity 0.15s; }
  iframe.connected { opacity: 1; }
  div { position: absolute; inset: 0; display: grid; place-content: center; gap: 8px; padding: 24px; text-align: center; font: 15px/1.5 system-ui, sans-serif; background: #171a21; color: #e8ebf2; }
  strong { font-size: 18px; }
  p { margin: 0; max-width: 46ch; }
  code { color: #a3acbe; font-size: 12px; }
`;

/** Why a method did not do what was asked: `code` is stable, the message is for people. */
export class RoomError extends Error {
  override readonly name = "RoomError";
  readonly code: string;

  constructor({ code, text }: Failure) {
    super(text);
    this.code = code;
  }
}

/** An event of the element. */
export type RoomElementEvent<Name extends keyof RoomEvents> = CustomEvent<RoomEvents[Name]>;

/** The room in a token, which says where it leads; nothing where it cannot be read. */
export function roomIn(token: string): string | null {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { room } = JSON.parse(atob(payload)) as { room?: unknown };
    return typeof room === "string" ? room : null;
  } catch {
    return null;
  }
}

/** The address of the page in the frame. The token stands in the fragment, which browsers keep to themselves. */
export function frameAddress(server: string, room: string, token: string, around: string): string {
  const fragment = new URLSearchParams({ token, embed: around });
  return `${server}/r/${encodeURIComponent(room)}#${fragment}`;
}

interface Asked {
  wish: Wish;
  resolve(): void;
  reject(error: RoomError): void;
}

export class DaisRoomElement extends HTMLElement {
  static readonly observedAttributes = ["token", "room", "server", "lang", "name"];
  /** Where rooms are without the attribute `server`: where this module came from. */
  static server: string | null = null;

  readonly #shadow: ShadowRoot;
  #frame: HTMLIFrameElement | null = null;
  #port: MessagePort | null = null;
  /** Asked, and not answered yet; before the page is there, not even sent. */
  readonly #asked = new Map<number, Asked>();
  #nextId = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #opening = false;
  #failure: Failure | null = null;
  #told = "";
  readonly #around = new MutationObserver(() => this.#tellSettings());
  readonly #onScheme = () => this.#tellSettings();
  readonly #onMessage = (event: MessageEvent) => this.#greeted(event);

  constructor() {
    super();
    this.#shadow = this.attachShadow({ mode: "open" });
    // A sheet made by a script is not held up by the content security policy of the page around.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.#shadow.adoptedStyleSheets = [sheet];
  }

  connectedCallback(): void {
    addEventListener("message", this.#onMessage);
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", this.#onScheme);
    const looks = { attributes: true, attributeFilter: ["class", "style", "lang", "data-theme"] };
    for (const node of [this, document.documentElement, document.body]) this.#around.observe(node, looks);
    this.#openSoon();
  }

  disconnectedCallback(): void {
    removeEventListener("message", this.#onMessage);
    matchMedia("(prefers-color-scheme: light)").removeEventListener("change", this.#onScheme);
    this.#around.disconnect();
    this.#close({ code: "element_removed", text: "The room was taken off the page." });
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now || !this.isConnected) return;
    if (name === "lang" || name === "name") this.#tellSettings();
    else this.#openSoon();
  }

  /** Comes into the room, with the devices chosen in the entry window. Resolves when they are in. */
  enter(place: "viewer" | "stage" = "viewer"): Promise<void> {
    return this.#ask({ do: "enter", place });
  }

  /** Leaves the room for good. */
  leave(): Promise<void> {
    return this.#ask({ do: "leave" });
  }

  /** Turns the microphone off. */
  mute(): Promise<void> {
    return this.#ask({ do: "mic", on: false });
  }

  /** Turns the microphone on or off, on stage. */
  setMicrophone(on: boolean): Promise<void> {
    return this.#ask({ do: "mic", on });
  }

  /** Turns the camera on or off, on stage. */
  setCamera(on: boolean): Promise<void> {
    return this.#ask({ do: "camera", on });
  }

  raiseHand(): Promise<void> {
    return this.#ask({ do: "raise_hand" });
  }

  /** Attributes are often set one after the other: the room is opened once for all of them. */
  #openSoon(): void {
    if (this.#opening) return;
    this.#opening = true;
    queueMicrotask(() => {
      this.#opening = false;
      if (this.isConnected) this.#open();
    });
  }

  #open(): void {
    const token = this.getAttribute("token") ?? "";
    const room = this.getAttribute("room") ?? roomIn(token);
    this.#close({ code: "interrupted", text: "Another room was opened." });
    this.#failure = null;
    // Not there yet: a page may set it later.
    if (token === "") return;
    if (room === null) return this.#fail({ code: "token_malformed", text: "The token cannot be read, and names no room." });
    const server = this.#server();
    if (server === null) return this.#fail({ code: "server_missing", text: "The attribute server must be the address of a dais server." });
    const frame = document.createElement("iframe");
    frame.allow = ALLOW;
    frame.referrerPolicy = "no-referrer";
    frame.title = this.getAttribute("aria-label") ?? "Room";
    frame.src = frameAddress(server, room, token, location.origin);
    frame.onload = () => this.#expectHello(HELLO_MS_MAX);
    this.#expectHello(LOAD_MS_MAX);
    this.#frame = frame;
    this.#shadow.append(frame);
  }

  #server(): string | null {
    const given = this.getAttribute("server");
    if (given === null) return DaisRoomElement.server;
    try {
      return new URL(given, location.href).origin;
    } catch {
      return null;
    }
  }

  /** A browser does not tell that a page refuses to be shown here. What is certain is that it says nothing. */
  #expectHello(within: number): void {
    clearTimeout(this.#timer);
    if (this.#port !== null) return;
    this.#timer = setTimeout(() => {
      const text = `${this.#server()} does not answer, or does not let pages of ${location.origin} show its rooms.`;
      this.#fail({ code: "embedding_refused", text });
    }, within);
  }

  /** The page in the frame says that it is there: once, and again whenever it is loaded again. */
  #greeted({ source, origin, data }: MessageEvent): void {
    const frame = this.#frame;
    const server = this.#server();
    if (frame === null || server === null || source !== frame.contentWindow || origin !== server) return;
    if ((data as Partial<PageHello> | null)?.dais !== "page") return;
    clearTimeout(this.#timer);
    this.#port?.close();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data: message }: MessageEvent<ToElement>) => this.#heard(message);
    const settings = this.#settings();
    this.#told = JSON.stringify(settings);
    frame.contentWindow?.postMessage({ dais: "element", settings } satisfies ElementHello, server, [port2]);
    // What was asked before the page was there, or before it was loaded again.
    for (const [id, { wish }] of this.#asked) this.#say({ kind: "wish", id, wish });
    frame.classList.add("connected");
  }

  #heard(message: ToElement): void {
    if (message.kind === "answer") {
      const asked = this.#asked.get(message.id);
      this.#asked.delete(message.id);
      if (message.failure === null) asked?.resolve();
      else asked?.reject(new RoomError(message.failure));
    } else {
      this.#dispatch(message.event.name, message.event.detail);
    }
  }

  #dispatch<Name extends keyof RoomEvents>(name: Name, detail: RoomEvents[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #ask(wish: Wish): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(new RoomError(this.#failure));
      const id = this.#nextId++;
      this.#asked.set(id, { wish, resolve, reject });
      this.#say({ kind: "wish", id, wish });
    });
  }

  #say(message: ToPage): void {
    this.#port?.postMessage(message);
  }

  #settings(): Settings {
    const lang = this.closest<HTMLElement>("[lang]")?.lang ?? "";
    return { lang, name: this.getAttribute("name") ?? "", ...look(this) };
  }

  #tellSettings(): void {
    if (this.#port === null) return;
    const settings = this.#settings();
    const text = JSON.stringify(settings);
    if (text === this.#told) return;
    this.#told = text;
    this.#say({ kind: "settings", settings });
  }

  #fail(failure: Failure): void {
    this.#close(failure);
    this.#failure = failure;
    const scene = document.createElement("div");
    scene.setAttribute("role", "alert");
    const lines = [["strong", "The room cannot be shown here"], ["p", failure.text], ["code", failure.code]] as const;
    for (const [tag, text] of lines) scene.append(Object.assign(document.createElement(tag), { textContent: text }));
    this.#shadow.replaceChildren(scene);
    this.#dispatch("error", failure);
  }

  #close(failure: Failure): void {
    clearTimeout(this.#timer);
    this.#port?.close();
    this.#port = null;
    this.#frame = null;
    this.#shadow.replaceChildren();
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    asked.forEach(({ reject }) => reject(new RoomError(failure)));
  }
}

/** Makes `<dais-room>` known, with rooms of `server` where none is named. */
export function define(server: string | null): void {
  DaisRoomElement.server = server;
  if (customElements.get("dais-room") === undefined) customElements.define("dais-room", DaisRoomElement);
}

declare global {
  interface HTMLElementTagNameMap {
    "dais-room": DaisRoomElement;
  }
}
