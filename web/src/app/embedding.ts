/**
 * The page within another page, which has the element `dais-room` around it. The browser shows it only in pages the server
 * lists (`frame-ancestors`). It talks to its parent alone, and only if that is of the origin in its own address: whoever
 * wrote the address holds the token too.
 */

import type { ElementHello, PageHello, RoomEvents, Settings, ToElement, ToPage, Wish } from "../element/messages";
import { Refused } from "../sdk";
import type { Failure, Phase } from "../sdk";
import { choice, ready } from "./devices";
import { news, nothingTold } from "./embedded-events";
import { locale } from "./locale";
import { room, view } from "./state";
import { theme } from "./theme";

/** Longest name that is proposed; as long as the entry window takes. */
const NAME_LENGTH_MAX = 64;

/** Waits until `signal` has a value that is of use. */
function once<T, R>(signal: { subscribe(listener: (value: T) => void): () => void }, use: (value: T) => R | null): Promise<R> {
  return new Promise((resolve) => {
    let stop: (() => void) | null = null;
    let done = false;
    stop = signal.subscribe((value) => {
      const used = done ? null : use(value);
      if (used === null) return;
      done = true;
      resolve(used);
      stop?.();
    });
    if (done) stop();
  });
}

type Settled = Extract<Phase, { at: "entry" | "room" | "closed" }>;
const settled = (phase: Phase): Settled | null => (phase.at === "connecting" || phase.at === "resuming" ? null : phase);

async function enter(place: "viewer" | "stage"): Promise<void> {
  const phase = await once(view, (now) => settled(now.phase));
  if (phase.at === "closed") throw new Refused(phase.failure);
  if (phase.at === "room") return;
  if (place === "stage") await once(ready, (known) => known || null);
  const { name, micOn, cameraOn } = choice.value;
  await room().enter(place, phase.entry.name === null && name !== "" ? name : null, { mic: micOn, camera: cameraOn });
}

function carryOut(wish: Wish): Promise<void> {
  switch (wish.do) {
    case "enter":
      return enter(wish.place === "stage" ? "stage" : "viewer");
    case "leave":
      return Promise.resolve(room().leave());
    case "mic":
      return room().setMic(wish.on === true);
    case "camera":
      return room().setCamera(wish.on === true);
    case "raise_hand":
      return room().raiseHand();
    default: {
      const unknown: Failure = { code: "wish_unknown", text: "The page does not know what was asked for: the element is of another version." };
      return Promise.reject(new Refused((wish satisfies never, unknown)));
    }
  }
}

/** Looks as it is to look. What is no colour, no language or no name is left out. */
function apply({ lang, scheme, colours, name }: Partial<Settings>): void {
  locale.value = typeof lang === "string" ? lang : "";
  const root = document.documentElement;
  // The texts are English: a screen reader that takes them for another language cannot be understood.
  root.lang = /^en\b/iu.test(locale.value) ? locale.value : "en";
  const properties = theme(scheme === "light" ? "light" : "dark", colours ?? {});
  for (const [property, value] of Object.entries(properties)) root.style.setProperty(property, value);
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", properties["--bg"] ?? "");
  if (typeof name === "string" && name !== "") choice.value = { ...choice.value, name: name.slice(0, NAME_LENGTH_MAX) };
}

function converse(port: MessagePort): void {
  const say = (message: ToElement) => port.postMessage(message);
  port.onmessage = ({ data }: MessageEvent<ToPage>) => {
    if (data.kind === "settings") return apply(data.settings);
    const { id, wish } = data;
    carryOut(wish).then(
      () => say({ kind: "answer", id, failure: null }),
      (error: unknown) => {
        const failure = error instanceof Refused ? error.failure : { code: "page_error", text: String(error) };
        say({ kind: "answer", id, failure });
      },
    );
  };
  let told = nothingTold;
  const tell = () => {
    const now = news(told, view.value);
    told = now.told;
    now.events.forEach((event) => say({ kind: "event", event }));
  };
  view.subscribe(tell);
}

/** What a link without its token leads to, told to the page around. */
export function embed(refused: RoomEvents["error"] | null = null): void {
  const around = new URLSearchParams(location.hash.slice(1)).get("embed");
  if (around === null || parent === window) return;
  const greeted = ({ source, origin, data, ports }: MessageEvent) => {
    const hello = data as Partial<ElementHello> | null;
    const [port] = ports;
    if (source !== parent || origin !== around || hello?.dais !== "element" || port === undefined) return;
    removeEventListener("message", greeted);
    apply(hello.settings ?? {});
    if (refused === null) converse(port);
    else port.postMessage({ kind: "event", event: { name: "error", detail: refused } } satisfies ToElement);
  };
  addEventListener("message", greeted);
  try {
    parent.postMessage({ dais: "page" } satisfies PageHello, around);
  } catch {
    // Not an origin: nobody is there to be told.
  }
}
