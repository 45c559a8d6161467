/** What the page around is told: the difference between what it knows and what there is. */

import { self } from "../sdk";
import type { View } from "../sdk";
import type { RoomEvent, RoomEvents } from "../element/messages";

/** What the page around knows. */
export interface Told {
  at: "outside" | "entry" | "room" | "closed";
  stage: RoomEvents["stagechange"];
  presence: RoomEvents["presencechange"] | null;
}

const OFF_STAGE: RoomEvents["stagechange"] = { onStage: false, mic: false, camera: "off" };

export const nothingTold: Told = { at: "outside", stage: OFF_STAGE, presence: null };

const differs = (a: object | null, b: object | null) => JSON.stringify(a) !== JSON.stringify(b);

/** What is to be told of `view`, and what is known then. */
export function news(told: Told, view: View): { events: RoomEvent[]; told: Told } {
  const { phase } = view;
  const events: RoomEvent[] = [];
  const ready = (title: string, role: string) => {
    if (told.at === "outside") events.push({ name: "ready", detail: { title, role } });
  };
  switch (phase.at) {
    case "connecting":
    case "resuming":
      return { events, told };
    case "entry":
      ready(phase.entry.room.title, phase.entry.role);
      return { events, told: { ...nothingTold, at: "entry" } };
    case "closed": {
      if (told.at === "closed") return { events, told };
      const { code } = phase.failure;
      const wasIn = told.at === "room" || code === "session_ended";
      const name = code === "left" ? "left" : wasIn ? "ended" : "error";
      events.push({ name, detail: phase.failure });
      return { events, told: { ...told, at: "closed" } };
    }
    case "room": {
      const me = self(view);
      // Until the room is told, nobody is in it.
      if (me === null) return { events, told };
      ready(phase.entry.room.title, phase.entry.role);
      if (told.at !== "room") events.push({ name: "entered", detail: { participant: me.id, name: me.name, role: me.role } });
      const stage = me.onStage === null ? OFF_STAGE : { onStage: true, mic: me.onStage.mic, camera: me.onStage.camera };
      const presence = { count: view.onStage + view.viewers, onStage: view.onStage, viewers: view.viewers };
      if (differs(told.stage, stage)) events.push({ name: "stagechange", detail: stage });
      if (differs(told.presence, presence)) events.push({ name: "presencechange", detail: presence });
      return { events, told: { at: "room", stage, presence } };
    }
    default:
      return phase satisfies never;
  }
}
