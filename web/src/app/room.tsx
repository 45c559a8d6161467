/** The room: stage, list and toolbar. */

import { Chat } from "./chat";
import { chatOpen } from "./chat-state";
import { OpenDialog } from "./dialogs";
import { LockIcon } from "./icons";
import { People } from "./people";
import { Stage, Voices } from "./stage";
import { entry, moderating, peopleOpen, view } from "./state";
import { useStatistics } from "./statistics";
import { ACCESS_LABELS } from "./texts";
import { Toolbar } from "./toolbar";

function Top() {
  const { onStage, viewers, rules, connection } = view.value;
  const of = moderating.value ? ` of ${rules.capacity}` : "";
  return (
    <header class="top">
      <h1>{entry.value?.room.title}</h1>
      {connection === "up" && <span class="pill live">● Live</span>}
      <span class="pill wide">{onStage}{of} on stage</span>
      <span class="pill wide">{viewers} {viewers === 1 ? "viewer" : "viewers"}</span>
      <span class="grow" />
      {rules.locked && <span class="pill lock"><LockIcon />Locked</span>}
      <span class="pill wide">{ACCESS_LABELS[rules.access]}</span>
    </header>
  );
}

export function RoomScene() {
  useStatistics();
  return (
    <div class={peopleOpen.value || chatOpen.value ? "room" : "room alone"}>
      <Top />
      <Stage />
      <People />
      <Chat />
      <Toolbar />
      <Voices />
      <OpenDialog />
    </div>
  );
}
