/** The room's page. */

import { render } from "preact";
import { roleIn } from "../sdk";
import type { Failure } from "../sdk";
import { open } from "./devices";
import { EntryScene } from "./entry";
import { embed } from "./embedding";
import { ConnectionBanner, Notices } from "./notices";
import { RoomScene } from "./room";
import { OpenDialog } from "./dialogs";
import { access, address, connect, dialog, room, useHere, view } from "./state";
import { ending } from "./texts";
import { TestLink } from "./ui";

declare global {
  /** For support: what the page is connected to. */
  var dais: { room: ReturnType<typeof room> } | undefined;
}

function EndScene({ failure }: { failure: Failure }) {
  const { title, text, code, wayOn } = ending(failure);
  const reportable = (failure.code === "session_ended" || failure.code === "left") && roleIn(access().token) === "host";
  return (
    <main class="scene">
      <section class="card message" role="alert">
        <h1>{title}</h1>
        {text !== "" && <p>{text}</p>}
        {wayOn !== null && (
          <div class="actions">
            <button type="button" class="primary" onClick={() => (wayOn.how === "use_here" ? useHere() : location.reload())}>{wayOn.label}</button>
          </div>
        )}
        {reportable && (
          <div class="actions">
            <button type="button" class="primary" onClick={() => (dialog.value = { kind: "summary" })}>Session report</button>
          </div>
        )}
        {code !== null && <code>{code}</code>}
        {code !== null && <TestLink />}
      </section>
      <OpenDialog />
    </main>
  );
}

function Waiting({ text, failure = null }: { text: string; failure?: Failure | null }) {
  return (
    <main class="scene">
      <section class="card message" role="status">
        <div class="spin" />
        <h1>{text}</h1>
        {failure !== null && (
          <>
            <p>{failure.text} Check your network; the page goes on trying by itself.</p>
            <code>{failure.code}</code>
            <TestLink />
          </>
        )}
      </section>
    </main>
  );
}

function Scene() {
  const { phase } = view.value;
  switch (phase.at) {
    case "connecting":
      return <Waiting text="Connecting to the room…" failure={phase.failure} />;
    case "resuming":
      return <Waiting text="Going back to your place…" />;
    case "entry":
      return <EntryScene entry={phase.entry} />;
    case "room":
      return <RoomScene />;
    case "closed":
      return <EndScene failure={phase.failure} />;
    default:
      return phase satisfies never;
  }
}

/** The regions that announce things stay; the scene beside them changes. */
function Page() {
  const over = view.value.phase.at === "closed";
  return (
    <>
      <ConnectionBanner />
      {!over && <Notices />}
      <Scene />
    </>
  );
}

const where = address();
const root = document.getElementById("app");
if (root !== null) {
  if (location.pathname === "/connectivity") {
    document.title = "Connection test";
    // Hardly anybody needs it: it comes in a file of its own.
    void import("./connectivity").then(({ ConnectivityScene }) => render(<ConnectivityScene />, root));
  } else if (where === null) {
    const failure = { code: "no_link", text: "Open the link of your invitation: it names the room and lets you in." };
    render(<EndScene failure={failure} />, root);
    embed(failure);
  } else {
    connect(where);
    view.subscribe(({ phase }) => {
      if ("entry" in phase) document.title = phase.entry.room.title;
    });
    // Another link pasted into this window is another room, or another role.
    addEventListener("hashchange", () => location.reload());
    globalThis.dais = { room: room() };
    embed();
    void open();
    render(<Page />, root);
  }
}
