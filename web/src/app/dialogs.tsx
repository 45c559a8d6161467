/** Windows over the room. */

import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Participant } from "../sdk";
import { choice, ready } from "./devices";
import { LinksDialog } from "./links";
import { PermissionsDialog } from "./permissions";
import { PollEditor } from "./poll-editor";
import { TakeOverDialog } from "./presenting";
import { DevicesCard } from "./set-devices";
import { StatisticsDialog } from "./statistics";
import { SummaryDialog } from "./summary";
import { attempt, dialog, me, view } from "./state";
import { Dialog } from "./ui";

const close = () => void (dialog.value = null);

function GetReady() {
  const [busy, setBusy] = useState(false);
  const join = async () => {
    setBusy(true);
    const { micOn, cameraOn } = choice.value;
    if (await attempt((room) => room.joinStage({ mic: micOn, camera: cameraOn }))) close();
    setBusy(false);
  };
  return (
    <Dialog label="Get ready to join the stage" onClose={close}>
      <DevicesCard
        title="Get ready to join the stage"
        subtitle="Everyone in the room will see and hear you"
        name={me.value?.name ?? ""}
        actions={
          <>
            <button type="button" onClick={close}>Not now</button>
            <button type="button" class="primary" disabled={busy || !ready.value} onClick={() => void join()}>Join stage</button>
          </>
        }
      />
    </Dialog>
  );
}

function DevicesDialog() {
  return (
    <Dialog label="Set devices" onClose={close}>
      <DevicesCard
        title="Set devices"
        subtitle="Changes are saved by themselves"
        name={me.value?.name ?? ""}
        actions={<button type="button" class="primary" onClick={close}>Done</button>}
      />
    </Dialog>
  );
}

/** A number of `input`, or nothing if it is none within `min` and `max`. */
const whole = (input: string, min: number, max: number): number | null => {
  const value = Number(input);
  return input.trim() !== "" && Number.isInteger(value) && value >= min && value <= max ? value : null;
};

/** Most places a stage can have, and most cameras it can show: the server's limits. */
const [CAPACITY_MAX, CAMERAS_MAX] = [1_000, 25];

function SizeDialog() {
  const { capacity, cameraLimit } = view.value.rules;
  const [places, setPlaces] = useState(String(capacity));
  const [cameras, setCameras] = useState(String(cameraLimit));
  const [busy, setBusy] = useState(false);
  const wanted = { places: whole(places, 1, CAPACITY_MAX), cameras: whole(cameras, 0, CAMERAS_MAX) };
  const save = async (event: Event) => {
    event.preventDefault();
    const { places: size, cameras: limit } = wanted;
    if (size === null || limit === null) return;
    setBusy(true);
    const sized = size === view.value.rules.capacity || (await attempt((room) => room.setCapacity(size)));
    const limited = limit === view.value.rules.cameraLimit || (await attempt((room) => room.setCameraLimit(limit)));
    setBusy(false);
    if (sized && limited) close();
  };
  const fewer = wanted.places !== null && wanted.places < view.value.onStage ? view.value.onStage - wanted.places : 0;
  return (
    <Dialog label="Stage size" onClose={close}>
      <form class="card small" onSubmit={(event) => void save(event)}>
        <h1>Stage size</h1>
        <div class="fields">
          <label>
            Places on stage
            <input type="number" min={1} max={CAPACITY_MAX} required value={places} onInput={(event) => setPlaces(event.currentTarget.value)} />
          </label>
          <label>
            Cameras shown
            <input type="number" min={0} max={CAMERAS_MAX} required value={cameras} onInput={(event) => setCameras(event.currentTarget.value)} />
          </label>
        </div>
        {fewer > 0 && <p class="note" role="status">{fewer === 1 ? "One person goes" : `${fewer} people go`} off the stage: whoever has been silent the longest.</p>}
        <div class="actions">
          <button type="button" onClick={close}>Cancel</button>
          <button type="submit" class="primary" disabled={busy || wanted.places === null || wanted.cameras === null}>Save</button>
        </div>
      </form>
    </Dialog>
  );
}

interface ConfirmProps {
  title: string;
  children: ComponentChildren;
  yes: string;
  onYes(): Promise<boolean>;
}

/** What cannot be undone asks once. */
function Confirm({ title, children, yes, onYes }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    await onYes();
    close();
  };
  return (
    <Dialog label={title} onClose={close}>
      <section class="card small">
        <h1>{title}</h1>
        <p class="says">{children}</p>
        <div class="actions">
          <button type="button" onClick={close}>Cancel</button>
          <button type="button" class="danger" disabled={busy} onClick={() => void go()}>{yes}</button>
        </div>
      </section>
    </Dialog>
  );
}

const RemoveDialog = ({ person }: { person: Participant }) => (
  <Confirm title={`Remove ${person.name} from the room?`} yes="Remove" onYes={() => attempt((room) => room.act("remove_from_room", person.id))}>
    They cannot come back with their link.
  </Confirm>
);

const EndDialog = () => (
  <Confirm title="End the session for all?" yes="End the session" onYes={() => attempt((room) => room.endSession())}>
    Everyone leaves the room, and nobody can come back in.
  </Confirm>
);

export function OpenDialog() {
  const open = dialog.value;
  switch (open?.kind) {
    case undefined:
      return null;
    case "devices":
      return <DevicesDialog />;
    case "get-ready":
      return <GetReady />;
    case "statistics":
      return <StatisticsDialog onClose={close} />;
    case "size":
      return <SizeDialog />;
    case "permissions":
      return <PermissionsDialog onClose={close} />;
    case "poll":
    case "quiz":
      return <PollEditor kind={open.kind} onClose={close} />;
    case "links":
      return <LinksDialog onClose={close} />;
    case "summary":
      return <SummaryDialog onClose={close} />;
    case "take-over":
      return <TakeOverDialog onClose={close} />;
    case "end":
      return <EndDialog />;
    case "remove":
      return "person" in open ? <RemoveDialog person={open.person} /> : null;
    default:
      return open satisfies never;
  }
}
