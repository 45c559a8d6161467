/** **Set devices**: the window a person meets first. */

import { useState } from "preact/hooks";
import type { Entry } from "../sdk";
import { choice, choose, ready } from "./devices";
import { DevicesCard } from "./set-devices";
import { attempt } from "./state";

const ROLE_TEXT = { host: "as the host", moderator: "as a moderator", speaker: "as a speaker", participant: "" } as const;

export function EntryScene({ entry }: { entry: Entry }) {
  const [busy, setBusy] = useState(false);
  const typed = choice.value.name;
  const name = entry.name ?? typed;
  const nameless = name.trim() === "";
  const enter = async (place: "viewer" | "stage") => {
    setBusy(true);
    const { micOn, cameraOn } = choice.value;
    const asked = entry.name === null ? typed : null;
    await attempt((room) => room.enter(place, asked, { mic: micOn, camera: cameraOn }));
    setBusy(false);
  };
  const role = ROLE_TEXT[entry.role];
  const known = entry.name !== null ? `you come in as ${entry.name}` : "you come in";
  return (
    <main class="scene">
      <DevicesCard
        title="Set devices"
        subtitle={`${entry.room.title} · ${known}${role && ` ${role}`}`}
        name={name || "?"}
        actions={
          <>
            <button type="button" disabled={busy || nameless} onClick={() => void enter("viewer")}>Join as viewer</button>
            {entry.mayJoinStage && (
              <button type="button" class="primary" disabled={busy || nameless || !ready.value} onClick={() => void enter("stage")}>
                Join stage
              </button>
            )}
          </>
        }
      >
        {entry.name === null && (
          <label>
            Your name
            <input
              type="text"
              maxLength={64}
              autocomplete="name"
              placeholder="How others will see you"
              value={typed}
              onInput={(event) => choose({ name: event.currentTarget.value })}
            />
          </label>
        )}
      </DevicesCard>
    </main>
  );
}
