/** The participants list: who wants to join, **On stage** and **Viewers**. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { claimOf, isFound, stagePeople } from "../sdk";
import type { Participant, StagePerson, Waits } from "../sdk";
import { everyoneEntries, personEntries } from "./actions";
import { micTrack } from "./devices";
import { CloseIcon, HandIcon } from "./icons";
import { LongList } from "./long-list";
import type { Row } from "./long-list";
import { Menu } from "./menu";
import { VoiceMark } from "./stage";
import { attempt, me, moderating, now, side, view } from "./state";
import { ROLE_LABELS, ago } from "./texts";
import { Avatar } from "./ui";
import { useViewerList } from "./viewer-list";
import { watchers } from "./watchers";

/** People listed without a search field. */
const SEARCH_OVER = 20;
/** Longest search, characters: no name is longer. */
const SEARCH_CHARS_MAX = 64;
/** A search is said to a screen reader, and asked of the server, when nothing was typed for this long, ms. */
const TYPED_MS = 250;

function Who({ person, raised = false, more = null }: { person: Participant; raised?: boolean; more?: string | null }) {
  const role = person.role === "participant" ? null : ROLE_LABELS[person.role];
  const presents = view.value.presentation.participant === person.id && "presents";
  const details = [person.lost && "reconnecting…", role, presents, more, moderating.value && person.chatBlocked === true && "blocked from chat"].filter(Boolean).join(" · ");
  return (
    <span class="who" title={person.name}>
      {person.name}
      {person.id === me.value?.id && " (you)"}
      {raised && <small class="raised"><HandIcon />raised a hand</small>}
      {details !== "" && <small>{details}</small>}
    </span>
  );
}

function Asking({ asks }: { asks: Waits }) {
  const [busy, setBusy] = useState(false);
  const decide = async (deed: "approve" | "decline") => {
    setBusy(true);
    await attempt((room) => room.act(deed, asks.participant));
    setBusy(false);
  };
  return (
    <li class="person ask">
      <Avatar name={asks.name} />
      <span class="who">
        {asks.name}
        <small>asked {ago(now.value - asks.since)} ago</small>
      </span>
      <span class="choices">
        <button type="button" class="little" disabled={busy} aria-label={`Decline ${asks.name}`} onClick={() => void decide("decline")}>Decline</button>
        <button type="button" class="little primary" disabled={busy} aria-label={`Bring to stage ${asks.name}`} onClick={() => void decide("approve")}>
          Bring to stage
        </button>
      </span>
    </li>
  );
}

function OnStageRow({ person }: { person: StagePerson }) {
  const own = person.id === me.value?.id;
  const { mic } = person.onStage;
  const label = mic ? "Turn microphone off" : "Turn microphone on";
  return (
    <>
      <Avatar name={person.name} />
      <Who person={person} />
      {own ? (
        <button type="button" class="icon" aria-label={label} title={label} disabled={micTrack.value === null} onClick={() => void attempt((r) => r.setMic(!mic))}>
          <VoiceMark person={person} />
        </button>
      ) : (
        <span class="icon"><VoiceMark person={person} /></span>
      )}
      <Menu label={`More about ${person.name}`} entries={personEntries(person)} />
    </>
  );
}

const CLAIM_TEXT = { asked: "wants to join the stage", invited: "invited", may_return: "may return to the stage", none: null } as const;

function ViewerRow({ person }: { person: Participant }) {
  const claim = moderating.value ? claimOf(view.value, person.id) : "none";
  const raised = person.hand !== null;
  const own = person.id === me.value?.id;
  const invitable = raised && moderating.value && !own && (claim === "none" || claim === "may_return");
  return (
    <>
      <Avatar name={person.name} />
      <Who person={person} raised={raised} more={CLAIM_TEXT[claim]} />
      {invitable && (
        <button type="button" class="little" aria-label={`Invite on stage ${person.name}`} onClick={() => void attempt((r) => r.act("invite", person.id))}>
          Invite on stage
        </button>
      )}
      <Menu label={`More about ${person.name}`} entries={personEntries(person)} />
    </>
  );
}

/** Stands for somebody who is not read yet. */
const unread = (place: number): Row => ({ key: `unread-${place}`, content: [<span class="avatar" aria-hidden="true" />, <span class="who unread">Loading…</span>] });
const stageRow = (person: StagePerson | undefined, place: number): Row => (person ? { key: person.id, content: <OnStageRow person={person} /> } : unread(place));
const viewerRow = (person: Participant | null, place: number): Row => (person ? { key: person.id, content: <ViewerRow person={person} /> } : unread(place));

/** What a search came to. */
const foundText = (count: number): string => (count === 0 ? "Nobody found" : count === 1 ? "1 person found" : `${count} people found`);

/** `value` once it has not changed for a moment. */
function useTyped(value: string): string {
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setTyped(value), TYPED_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return typed;
}

/** For moderators: who wants to join the stage, oldest first. */
function Requests() {
  const { requests, pending } = view.value.queue;
  if (!moderating.value || pending === 0) return null;
  return (
    <>
      <h3>Wants to join the stage · {pending}</h3>
      <ul class="people" aria-label="Wants to join the stage">
        {requests.map((asks) => <Asking key={asks.participant} asks={asks} />)}
      </ul>
      {pending > requests.length && <p class="none">and {pending - requests.length} more</p>}
    </>
  );
}

export function People() {
  const [search, setSearch] = useState("");
  const { onStage, viewers, rules, complete } = view.value;
  const searchable = onStage + viewers > SEARCH_OVER;
  const wanted = searchable ? search.trim() : "";
  const typed = useTyped(wanted);
  const found = useViewerList(typed);
  const live = stagePeople(view.value).filter(({ name }) => isFound(name, wanted));
  // In a large room the list is that of the last search that was answered.
  const answered = complete ? wanted : (found?.search ?? typed);
  const { count, at, told, leftOut } = watchers(view.value, moderating.value, found?.list ?? null, answered);
  const look = useCallback((first: number, last: number) => found?.list.look(Math.max(0, first - told), last + leftOut), [found, told, leftOut]);
  const nobody = wanted === "" ? "Nobody yet" : "Nobody with this name";
  const counts = moderating.value ? `${onStage} of ${rules.capacity}` : `${onStage}`;
  const settled = wanted !== "" && typed === wanted && (complete || found?.search === wanted);
  return (
    <aside class="side" id="people" aria-label="Participants" hidden={side.value !== "people"}>
      <header>
        <h2>People{moderating.value && view.value.queue.pending > 0 && <span class="badge">{view.value.queue.pending}<span class="hidden"> waiting</span></span>}</h2>
        {moderating.value && <Menu label="Moderate everyone" entries={everyoneEntries()} />}
        <button type="button" class="round" aria-label="Close the list" onClick={() => (side.value = null)}><CloseIcon /></button>
      </header>
      {searchable && (
        <input class="search" type="search" aria-label="Search people" placeholder="Search people" maxLength={SEARCH_CHARS_MAX} value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
      )}
      <p class="found" role="status">{settled && foundText(live.length + count)}</p>
      <div class="scroll" tabIndex={0} role="group" aria-label="Lists of people">
        {wanted === "" && <Requests />}
        <h3>On stage · {counts}</h3>
        <LongList label="On stage" count={live.length} row={(place) => stageRow(live[place], place)} />
        {live.length === 0 && <p class="none">{nobody}</p>}
        <h3>Viewers · {viewers}</h3>
        <LongList label="Viewers" count={count} row={(place) => viewerRow(at(place), place)} onLook={look} />
        {count === 0 && <p class="none">{complete || found !== null ? nobody : "Loading…"}</p>}
      </div>
    </aside>
  );
}
