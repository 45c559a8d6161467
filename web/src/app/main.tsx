/** The room's page. */

import { render } from "preact";
import type { Failure } from "../sdk";
import { open } from "./devices";
import { EntryScene } from "./entry";
import { Notices, RoomScene } from "./room";
import { address, connect, room, view } from "./state";

declare global {
  /** For support: what the page is connected to. */
  var dais: { room: ReturnType<typeof room> } | undefined;
}

/** Codes after which loading the page again does not help. */
const FINAL = new Set(["token_invalid", "token_expired", "unknown_room", "no_link"]);

function MessageScene({ failure }: { failure: Failure }) {
  const left = failure.code === "left";
  const title = left ? "You have left the room" : FINAL.has(failure.code) ? "This link does not work" : "You are disconnected";
  return (
    <main class="scene">
      <section class="card message" role="alert">
        <h1>{title}</h1>
        {!left && <p>{failure.text}</p>}
        {!FINAL.has(failure.code) && (
          <div class="actions">
            <button type="button" class="primary" onClick={() => location.reload()}>Come back in</button>
          </div>
        )}
        {!left && <code>{failure.code}</code>}
      </section>
    </main>
  );
}

function Page() {
  const { phase } = view.value;
  switch (phase.at) {
    case "connecting":
      return (
        <main class="scene">
          <section class="card message" role="status"><div class="spin" /><p>Connecting to the room…</p></section>
        </main>
      );
    case "entry":
      return <><EntryScene entry={phase.entry} /><Notices /></>;
    case "room":
      return <><RoomScene /><Notices /></>;
    case "closed":
      return <MessageScene failure={phase.failure} />;
    default:
      return phase satisfies never;
  }
}

const where = address();
const root = document.getElementById("app");
if (root !== null) {
  if (where === null) {
    const failure = { code: "no_link", text: "Open the link of your invitation: it names the room and lets you in." };
    render(<MessageScene failure={failure} />, root);
  } else {
    connect(where);
    view.subscribe(({ phase }) => {
      if ("entry" in phase) document.title = phase.entry.room.title;
    });
    // Another link pasted into this window is another room, or another role.
    addEventListener("hashchange", () => location.reload());
    globalThis.dais = { room: room() };
    void open();
    render(<Page />, root);
  }
}
