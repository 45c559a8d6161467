/** The room: stage, list, toolbar, notices. */

import { useState } from "preact/hooks";
import { moderates } from "../sdk";
import { cameraTrack, choice, micTrack, ready } from "./devices";
import { CameraIcon, CameraOffIcon, CloseIcon, LeaveIcon, MicIcon, MicOffIcon, PeopleIcon, SettingsIcon } from "./icons";
import { People } from "./people";
import { DevicesCard } from "./set-devices";
import { Stage, Voices } from "./stage";
import { attempt, dialog, dismiss, entry, me, peopleOpen, room, toasts, view } from "./state";
import { Dialog, Switch } from "./ui";

function Top() {
  const { onStage, viewers, capacity } = view.value;
  const myself = me.value;
  const of = myself !== null && moderates(myself.role) ? ` of ${capacity}` : "";
  return (
    <header class="top">
      <h1>{entry.value?.room.title}</h1>
      <span class="pill live">● Live</span>
      <span class="pill wide">{onStage}{of} on stage</span>
      <span class="pill wide">{viewers} {viewers === 1 ? "viewer" : "viewers"}</span>
    </header>
  );
}

function Toolbar() {
  const onStage = me.value?.onStage ?? null;
  const camera = onStage !== null && onStage.camera !== "off";
  return (
    <footer class="bar">
      <div />
      <div>
        {onStage === null ? (
          <button type="button" class="primary" onClick={() => (dialog.value = "get-ready")}>Join stage</button>
        ) : (
          <>
            <Switch
              on={onStage.mic}
              label={onStage.mic ? "Turn microphone off" : "Turn microphone on"}
              icons={[MicIcon, MicOffIcon]}
              disabled={micTrack.value === null}
              onToggle={() => void attempt((r) => r.setMic(!onStage.mic))}
            />
            <Switch
              on={camera}
              label={camera ? "Turn camera off" : "Turn camera on"}
              icons={[CameraIcon, CameraOffIcon]}
              disabled={cameraTrack.value === null}
              onToggle={() => void attempt((r) => r.setCamera(!camera))}
            />
          </>
        )}
      </div>
      <div>
        <button
          type="button"
          class="round"
          aria-label="People"
          title="People"
          aria-expanded={peopleOpen.value}
          aria-controls="people"
          onClick={() => (peopleOpen.value = !peopleOpen.value)}
        >
          <PeopleIcon />
        </button>
        <button type="button" class="round" aria-label="Set devices" title="Set devices" onClick={() => (dialog.value = "devices")}>
          <SettingsIcon />
        </button>
        <button type="button" class="leave" aria-label="Leave the room" title="Leave the room" onClick={() => room().leave()}>
          <LeaveIcon /><span class="wide">Leave</span>
        </button>
      </div>
    </footer>
  );
}

function GetReady() {
  const [busy, setBusy] = useState(false);
  const close = () => (dialog.value = "none");
  const join = async () => {
    setBusy(true);
    const { micOn, cameraOn } = choice.value;
    if (await attempt((r) => r.joinStage({ mic: micOn, camera: cameraOn }))) close();
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
  const close = () => (dialog.value = "none");
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

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div key={toast.key} class="toast">
          <p>
            {toast.text}
            {toast.detail !== undefined && <small>{toast.detail}</small>}
          </p>
          <button type="button" aria-label="Dismiss" onClick={() => dismiss(toast.key)}><CloseIcon /></button>
        </div>
      ))}
    </div>
  );
}

export function RoomScene() {
  return (
    <div class={peopleOpen.value ? "room" : "room alone"}>
      <Top />
      <Stage />
      <People />
      <Toolbar />
      <Voices />
      {dialog.value === "get-ready" && <GetReady />}
      {dialog.value === "devices" && <DevicesDialog />}
    </div>
  );
}
