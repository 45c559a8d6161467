/** The participants list: who wants to join, **On stage** and **Viewers**. */

import { useEffect, useState } from "preact/hooks";
import { inViewersOrder, claimOf, stagePeople, viewerPeople } from "../sdk";
import type { Participant, StagePerson, Waits } from "../sdk";
import { everyoneEntries, personEntries } from "./actions";
import { micTrack } from "./devices";
import { CloseIcon, HandIcon } from "./icons";
import { Menu } from "./menu";
import { VoiceMark } from "./stage";
import { attempt, me, moderating, now, side, view } from "./state";
import { ROLE_LABELS, ago } from "./texts";
import { Avatar } from "./ui";

/** People listed without a search field. */
const SEARCH_OVER = 20;

function Who({ person, raised = false, more = null }: { person: Participant; raised?: boolean; more?: string | null }) {
  const role = person.role === "participant" ? null : ROLE_LABELS[person.role];
  const presents = view.value.presentation.participant === person.id && "presents";
  const details = [person.lost && "reconnecting…", role, presents, more, moderating.value && person.chatBlocked === true && "blocked from chat"].filter(Boolean).join(" · ");
  return (
    <span class="who">
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
      <Menu label={`More about ${person.name}`} entries={personEntries(person)} />
    </li>
  );
}

const CLAIM_TEXT = { asked: "wants to join the stage", invited: "invited", may_return: "may return to the stage", none: null } as const;

function ViewerRow({ person }: { person: Participant }) {
  const claim = moderating.value ? claimOf(view.value, person.id) : "none";
  const raised = person.hand !== null;
  const own = person.id === me.value?.id;
  const invitable = raised && moderating.value && !own && (claim === "none" || claim === "may_return");
  return (
    <li class="person">
      <Avatar name={person.name} />
      <Who person={person} raised={raised} more={CLAIM_TEXT[claim]} />
      {invitable && (
        <button type="button" class="little" aria-label={`Invite on stage ${person.name}`} onClick={() => void attempt((r) => r.act("invite", person.id))}>
          Invite on stage
        </button>
      )}
      <Menu label={`More about ${person.name}`} entries={personEntries(person)} />
    </li>
  );
}

/** Viewers of a large room, which come in pages; the list is as of when it was opened. */
function usePages(): { listed: Participant[]; more: boolean; load(): void } {
  const { complete } = view.value;
  const [listed, setListed] = useState<Participant[]>([]);
  const [more, setMore] = useState(false);
  const load = async (after: number, before: Participant[]) => {
    await attempt(async (room) => {
      const page = await room.listViewers(after);
      setListed([...before, ...page.participants]);
      setMore(page.more);
    });
  };
  const open = side.value === "people" && !complete;
  useEffect(() => {
    if (open) void load(0, []);
  }, [open]);
  if (complete) return { listed: [], more: false, load: () => {} };
  return { listed, more, load: () => void load(listed.at(-1)?.id ?? 0, listed) };
}

/** Everyone who is known to watch: those of the view and, in a large room, the pages loaded so far and raised hands. */
function watching(pages: Participant[]): Participant[] {
  const { people, complete, queue } = view.value;
  if (complete) return viewerPeople(view.value);
  // Whoever came on stage since, and oneself, are known better by the view.
  const known = new Map(pages.filter(({ id }) => !people.has(id)).map((person) => [person.id, person]));
  viewerPeople(view.value).forEach((person) => known.set(person.id, person));
  if (moderating.value) {
    // Hands go up and down after a page was loaded; moderators are told of each.
    known.forEach((person, id) => known.set(id, { ...person, hand: null }));
    queue.hands.forEach(({ participant: id, name }, hand) => {
      const person = known.get(id) ?? { id, name, role: "participant", lost: false, onStage: null };
      known.set(id, { ...person, hand });
    });
  }
  return inViewersOrder([...known.values()]);
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
  const pages = usePages();
  const { onStage, viewers, rules } = view.value;
  const counts = moderating.value ? `${onStage} of ${rules.capacity}` : `${onStage}`;
  const [live, watchers] = [stagePeople(view.value), watching(pages.listed)];
  const searchable = live.length + watchers.length > SEARCH_OVER;
  const wanted = searchable ? search.trim().toLocaleLowerCase() : "";
  const found = <P extends Participant>(people: P[]): P[] => people.filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  const [liveFound, watchersFound] = [found(live), found(watchers)];
  return (
    <aside class="side" id="people" aria-label="Participants" hidden={side.value !== "people"}>
      <header>
        <h2>People{moderating.value && view.value.queue.pending > 0 && <span class="badge">{view.value.queue.pending}<span class="hidden"> waiting</span></span>}</h2>
        {moderating.value && <Menu label="Moderate everyone" entries={everyoneEntries()} />}
        <button type="button" class="round" aria-label="Close the list" onClick={() => (side.value = null)}><CloseIcon /></button>
      </header>
      {searchable && (
        <input class="search" type="search" aria-label="Search people" placeholder="Search people" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
      )}
      <div class="scroll" tabIndex={-1}>
        {wanted === "" && <Requests />}
        <h3>On stage · {counts}</h3>
        <ul class="people" aria-label="On stage">
          {liveFound.map((person) => <OnStageRow key={person.id} person={person} />)}
        </ul>
        {liveFound.length === 0 && <p class="none">{wanted === "" ? "Nobody yet" : "Nobody with this name"}</p>}
        <h3>Viewers · {viewers}</h3>
        <ul class="people" aria-label="Viewers">
          {watchersFound.map((person) => <ViewerRow key={person.id} person={person} />)}
        </ul>
        {watchersFound.length === 0 && <p class="none">{wanted === "" ? "Nobody yet" : "Nobody with this name"}</p>}
        {pages.more && <button type="button" class="show-more" onClick={pages.load}>Show more</button>}
      </div>
    </aside>
  );
}
