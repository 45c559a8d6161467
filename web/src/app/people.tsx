/** The participants list: **On stage** and **Viewers**. */

import { moderates, stagePeople, viewerPeople } from "../sdk";
import type { Participant, StagePerson } from "../sdk";
import { micTrack } from "./devices";
import { CloseIcon } from "./icons";
import { VoiceMark, moderationItems } from "./stage";
import { attempt, me, peopleOpen, view } from "./state";
import { Avatar, Menu } from "./ui";

const ROLES = { host: "Host", moderator: "Moderator", speaker: "Speaker", participant: null } as const;

function Who({ person }: { person: Participant }) {
  const role = ROLES[person.role];
  return (
    <span class="who">
      {person.name}
      {person.id === me.value?.id && " (you)"}
      {role !== null && <small>{role}</small>}
    </span>
  );
}

function OnStageRow({ person }: { person: StagePerson }) {
  const own = person.id === me.value?.id;
  const { mic } = person.onStage;
  const label = mic ? "Turn microphone off" : "Turn microphone on";
  return (
    <li class="person">
      <Avatar name={person.name} />
      <Who person={person} />
      {own ? (
        <button type="button" class="icon" aria-label={label} title={label} disabled={micTrack.value === null} onClick={() => void attempt((r) => r.setMic(!mic))}>
          <VoiceMark person={person} />
        </button>
      ) : (
        <span class="icon"><VoiceMark person={person} /></span>
      )}
      <Menu label={`More about ${person.name}`} items={moderationItems(person)} />
    </li>
  );
}

export function People() {
  const { onStage, viewers, capacity } = view.value;
  const myself = me.value;
  const counts = myself !== null && moderates(myself.role) ? `${onStage} of ${capacity}` : `${onStage}`;
  const watching = viewerPeople(view.value);
  return (
    <aside class="side" id="people" aria-label="Participants" hidden={!peopleOpen.value}>
      <header>
        <h2>People</h2>
        <button type="button" class="round" aria-label="Close the list" onClick={() => (peopleOpen.value = false)}><CloseIcon /></button>
      </header>
      <div class="scroll">
        <h3>On stage · {counts}</h3>
        <ul class="people" aria-label="On stage">
          {stagePeople(view.value).map((person) => <OnStageRow key={person.id} person={person} />)}
        </ul>
        {onStage === 0 && <p class="none">Nobody yet</p>}
        <h3>Viewers · {viewers}</h3>
        <ul class="people" aria-label="Viewers">
          {watching.map((person) => (
            <li key={person.id} class="person">
              <Avatar name={person.name} />
              <Who person={person} />
            </li>
          ))}
        </ul>
        {viewers === 0 && <p class="none">Nobody yet</p>}
      </div>
    </aside>
  );
}
