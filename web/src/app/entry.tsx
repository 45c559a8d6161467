/** **Set devices**: the window a person meets first. */

import { useState } from "preact/hooks";
import type { Entry } from "../sdk";
import { choice, choose, ready } from "./devices";
import { DevicesCard } from "./set-devices";
import { attempt, onPhone } from "./state";

const ROLE_TEXT = { host: "as the host", moderator: "as a moderator", speaker: "as a speaker", participant: "" } as const;
const ELSEWHERE = "You are in this room in another window. Coming in here closes it there.";

export function EntryScene({ entry }: { entry: Entry }) {
  const [busy, setBusy] = useState(false);
  const typed = choice.value.name;
  const { present } = entry;
  const asksName = entry.name === null && present === null;
  const name = entry.name ?? typed;
  const nameless = asksName && name.trim() === "";
  const enter = async (place: "viewer" | "stage") => {
    setBusy(true);
    const { micOn, cameraOn } = choice.value;
    await attempt((room) => room.enter(place, entry.name === null && typed !== "" ? typed : null, { mic: micOn, camera: cameraOn }));
    setBusy(false);
  };
  const role = ROLE_TEXT[entry.role];
  const known = [entry.name !== null && `as ${entry.name}`, role].filter(Boolean).join(" ");
  // Whoever is inside already comes back to the place they have.
  const asViewer = present === null || !present.onStage;
  const onStage = present === null ? entry.mayJoinStage : present.onStage;
  return (
    <main class={onPhone ? "scene phone" : "scene"}>
      <DevicesCard
        title="Set devices"
        subtitle={known === "" ? entry.room.title : `${entry.room.title} · you come in ${known}`}
        name={name || "?"}
        {...(present !== null && { note: present.lost ? "You are still in this room: your place is kept for a moment." : ELSEWHERE })}
        actions={
          <>
            {asViewer && (
              <button type="button" class={onStage ? "" : "primary"} disabled={busy || nameless} onClick={() => void enter("viewer")}>
                Join as viewer
              </button>
            )}
            {onStage && (
              <button type="button" class="primary" disabled={busy || nameless || !ready.value} onClick={() => void enter("stage")}>
                Join stage
              </button>
            )}
          </>
        }
      >
        {asksName && (
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
