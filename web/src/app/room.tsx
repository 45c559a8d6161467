/** The room: stage, list and toolbar. */

import { Chat, HeardChat } from "./chat";
import { OpenDialog } from "./dialogs";
import { LockIcon } from "./icons";
import { People } from "./people";
import { PollCard } from "./poll-card";
import { Polls } from "./polls";
import { Floats } from "./reactions";
import { Stage, Voices } from "./stage";
import { entry, moderating, side, view } from "./state";
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
    <div class={side.value !== null ? "room" : "room alone"}>
      <Top />
      <Stage />
      <Floats />
      <PollCard />
      <People />
      <Chat />
      <HeardChat />
      <Polls />
      <Toolbar />
      <Voices />
      <OpenDialog />
    </div>
  );
}
