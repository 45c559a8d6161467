/** The toolbar: in its middle the one thing a person can do about the stage or, on it, microphone and camera. */

import { useState } from "preact/hooks";
import { stageAction } from "../sdk";
import type { OnStage, Room } from "../sdk";
import { settingsEntries } from "./actions";
import { cameraTrack, micTrack } from "./devices";
import { CameraIcon, CameraOffIcon, ChatIcon, HandIcon, LeaveIcon, MicIcon, MicOffIcon, PeopleIcon, PollIcon, SettingsIcon } from "./icons";
import { Menu } from "./menu";
import { unread } from "./chat-state";
import { waitsForAnswer } from "./poll-state";
import { Present } from "./presenting";
import { Reactions } from "./reactions";
import { attempt, dialog, may, me, moderating, now, room, side, view } from "./state";
import { ago } from "./texts";
import { Switch } from "./ui";

function OwnDevices({ onStage }: { onStage: OnStage }) {
  const camera = onStage.camera !== "off";
  return (
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
  );
}

function AboutTheStage() {
  const [busy, setBusy] = useState(false);
  const send = async (request: (room: Room) => Promise<void>) => {
    setBusy(true);
    await attempt(request);
    setBusy(false);
  };
  const action = stageAction(view.value);
  switch (action) {
    case "none":
      return null;
    case "join":
      return <button type="button" class="primary" onClick={() => (dialog.value = { kind: "get-ready" })}>Join stage</button>;
    case "ask":
      return <button type="button" class="primary" disabled={busy} onClick={() => void send((r) => r.askToJoin())}>Ask to join stage</button>;
    case "cancel": {
      const { relation } = view.value;
      return (
        <span class="pending">
          <button type="button" disabled={busy} onClick={() => void send((r) => r.cancelRequest())}>Cancel request</button>
          {relation.kind === "asked" && <small>asked {ago(now.value - relation.since)} ago</small>}
        </span>
      );
    }
    default:
      return action satisfies never;
  }
}

function Hand() {
  const myself = me.value;
  if (myself === null || myself.onStage !== null) return null;
  const raised = myself.hand !== null;
  if (!raised && !may.value("raiseHand")) return null;
  const label = raised ? "Lower hand" : "Raise hand";
  const toggle = () => void attempt((r) => (raised ? r.act("lower_hand", myself.id) : r.raiseHand()));
  return (
    <button type="button" class={raised ? "round raised" : "round"} aria-pressed={raised} aria-label={label} title={label} onClick={toggle}>
      <HandIcon />
    </button>
  );
}

const toggle = (panel: NonNullable<typeof side.value>) => void (side.value = side.value === panel ? null : panel);

export function Toolbar() {
  const onStage = me.value?.onStage ?? null;
  const pending = moderating.value ? view.value.queue.pending : 0;
  const people = pending > 0 ? `People, ${pending} ${pending === 1 ? "wants" : "want"} to join the stage` : "People";
  const fresh = unread.value.everyone + unread.value.moderators;
  const polls = waitsForAnswer.value ? "Polls, one waits for your answer" : "Polls";
  const chat = fresh > 0 ? `Chat, ${fresh} unread` : "Chat";
  return (
    <footer class="bar">
      <div />
      <div>
        {onStage !== null ? <OwnDevices onStage={onStage} /> : <AboutTheStage />}
        <Present />
      </div>
      <div>
        <Reactions />
        <Hand />
        <button
          type="button"
          class="round"
          aria-label={people}
          title={people}
          aria-expanded={side.value === "people"}
          aria-controls="people"
          onClick={() => toggle("people")}
        >
          <PeopleIcon />
          {pending > 0 && <span class="count" aria-hidden="true">{pending > 99 ? "99+" : pending}</span>}
        </button>
        <button
          type="button"
          class="round"
          aria-label={chat}
          title={chat}
          aria-expanded={side.value === "chat"}
          aria-controls="chat"
          onClick={() => toggle("chat")}
        >
          <ChatIcon />
          {fresh > 0 && <span class="count" aria-hidden="true">{fresh > 99 ? "99+" : fresh}</span>}
        </button>
        <button
          type="button"
          class="round polls-button"
          aria-label={polls}
          title={polls}
          aria-expanded={side.value === "polls"}
          aria-controls="polls"
          onClick={() => toggle("polls")}
        >
          <PollIcon />
          {waitsForAnswer.value && <span class="count" aria-hidden="true">1</span>}
        </button>
        <Menu label="Settings" icon={SettingsIcon} look="round" entries={settingsEntries()} />
        <button type="button" class="leave" aria-label="Leave the room" title="Leave the room" onClick={() => room().leave()}>
          <LeaveIcon /><span class="wide">Leave</span>
        </button>
      </div>
    </footer>
  );
}
