/** The window in which a person checks camera, microphone and speakers. */

import { useEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { available, cameraTrack, change, choice, choose, micTrack, problem, testSpeakers, watchLevel } from "./devices";
import type { DeviceKind } from "./devices";
import { CameraIcon, CameraOffIcon, MicIcon, MicOffIcon, WarnIcon } from "./icons";
import { attempt, me } from "./state";
import { Avatar, Switch, Video } from "./ui";

const KINDS: Record<DeviceKind, MediaDeviceKind> = { camera: "videoinput", mic: "audioinput", speaker: "audiooutput" };

interface PickProps {
  kind: DeviceKind;
  label: string;
  onPick(id: string): void;
}

function Pick({ kind, label, onPick }: PickProps) {
  const devices = available.value.filter((device) => device.kind === KINDS[kind]);
  const selected = choice.value[kind] ?? devices[0]?.deviceId ?? "";
  return (
    <select aria-label={label} value={selected} disabled={devices.length === 0} onChange={(event) => onPick(event.currentTarget.value)}>
      {devices.length === 0 && <option value="">{kind === "speaker" ? "System default" : `No ${label.toLowerCase()} found`}</option>}
      {devices.map((device, n) => (
        <option key={device.deviceId} value={device.deviceId}>{device.label || `${label} ${n + 1}`}</option>
      ))}
    </select>
  );
}

/** What is on: on stage what everyone sees and hears, before that what will be. */
function whatIsOn(): { mic: boolean; camera: boolean } {
  const onStage = me.value?.onStage ?? null;
  const { micOn, cameraOn } = choice.value;
  return onStage === null ? { mic: micOn, camera: cameraOn } : { mic: onStage.mic, camera: onStage.camera !== "off" };
}

function toggle(kind: "mic" | "camera"): void {
  const on = !whatIsOn()[kind];
  choose(kind === "mic" ? { micOn: on } : { cameraOn: on });
  const live = me.value?.onStage ?? null;
  if (live !== null) void attempt((room) => (kind === "mic" ? room.setMic(on) : room.setCamera(on)));
}

function MicLevel() {
  const [level, setLevel] = useState(0);
  const track = micTrack.value;
  useEffect(() => (track === null ? undefined : watchLevel(track, setLevel)), [track]);
  return <meter aria-label="Microphone level" min={0} max={1} value={whatIsOn().mic && track !== null ? level : 0} />;
}

function Preview({ name }: { name: string }) {
  const { camera: cameraOn, mic: micOn } = whatIsOn();
  const camera = cameraTrack.value;
  return (
    <div class="preview">
      <span class="hidden">{camera !== null && cameraOn ? "This is how you will look" : "Your camera is off"}</span>
      {camera !== null && cameraOn ? <Video track={camera} /> : <Avatar name={name} />}
      <div class="switches">
        <Switch
          on={micOn && micTrack.value !== null}
          label={micOn ? "Turn microphone off" : "Turn microphone on"}
          icons={[MicIcon, MicOffIcon]}
          disabled={micTrack.value === null}
          onToggle={() => toggle("mic")}
        />
        <Switch
          on={cameraOn && camera !== null}
          label={cameraOn ? "Turn camera off" : "Turn camera on"}
          icons={[CameraIcon, CameraOffIcon]}
          disabled={camera === null}
          onToggle={() => toggle("camera")}
        />
      </div>
    </div>
  );
}

interface CardProps {
  title: string;
  subtitle: string;
  name: string;
  /** What is to be known before going on. */
  note?: string;
  /** Fields above the devices. */
  children?: ComponentChildren;
  actions: ComponentChildren;
}

export function DevicesCard({ title, subtitle, name, note, children, actions }: CardProps) {
  return (
    <section class="card">
      <h1>
        {title}
        <small>{subtitle}</small>
      </h1>
      <Preview name={name} />
      <div class="fields">
        {children}
        <label>
          Camera
          <Pick kind="camera" label="Camera" onPick={(id) => void change("camera", id)} />
        </label>
        <label>
          Microphone
          <Pick kind="mic" label="Microphone" onPick={(id) => void change("mic", id)} />
          <MicLevel />
        </label>
        <div class="field">
          Speakers
          <div class="beside">
            <Pick kind="speaker" label="Speakers" onPick={(id) => choose({ speaker: id })} />
            <button type="button" onClick={() => void testSpeakers()}>Test</button>
          </div>
        </div>
      </div>
      {problem.value !== null && (
        <div class="problem" role="alert">
          <WarnIcon />
          <span>
            {problem.value.text}
            <code>{problem.value.code}</code>
          </span>
        </div>
      )}
      {note !== undefined && <p class="note">{note}</p>}
      <div class="actions">{actions}</div>
    </section>
  );
}
