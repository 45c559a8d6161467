/** What the element `dais-room` and the page within it say to each other. Types alone: each side is a file of its own. */

/** A refusal, or the end of a session: a stable code, and a sentence for a person. */
export interface Failure {
  code: string;
  text: string;
}

/** Colours that the page around may choose. */
export type ColourName = "accent" | "background" | "panel" | "text";

/** How the page is to look and speak. */
export interface Settings {
  /** BCP 47, for dates and numbers. */
  lang: string;
  scheme: "dark" | "light";
  /** Each `#rrggbb`. */
  colours: Partial<Record<ColourName, string>>;
  /** Proposed where the token has none. */
  name: string;
}

/** The first words, from window to window: the page asks, the element answers with a port. */
export interface PageHello {
  dais: "page";
}
export interface ElementHello {
  dais: "element";
  settings: Settings;
}

/** What the element may ask of the page. */
export type Wish =
  | { do: "enter"; place: "viewer" | "stage" }
  | { do: "leave" }
  | { do: "mic"; on: boolean }
  | { do: "camera"; on: boolean }
  | { do: "raise_hand" };

export type ToPage = { kind: "settings"; settings: Settings } | { kind: "wish"; id: number; wish: Wish };

/** Details of the events, by name. */
export interface RoomEvents {
  /** The page is there, and the server has let them as far as the entry window. */
  ready: { title: string; role: string };
  entered: { participant: number; name: string; role: string };
  stagechange: { onStage: boolean; mic: boolean; camera: "off" | "waiting" | "shown" };
  /** How many are in the room. */
  presencechange: { count: number; onStage: number; viewers: number };
  /** They have left. */
  left: Failure;
  /** The session was ended for them: over, removed, replaced by another window. */
  ended: Failure;
  /** They could not come in: a token that is not valid, a page that may not show the room. */
  error: Failure;
}

/** One event with its details. */
export type RoomEvent = { [Name in keyof RoomEvents]: { name: Name; detail: RoomEvents[Name] } }[keyof RoomEvents];

export type ToElement = { kind: "event"; event: RoomEvent } | { kind: "answer"; id: number; failure: Failure | null };
