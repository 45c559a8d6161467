/** Links that carry a role. */

import { useEffect, useState } from "preact/hooks";
import type { Link, Role } from "../sdk";
import { CloseIcon } from "./icons";
import { Invitations } from "./invitations";
import { ROLES, address } from "./role-links";
import { attempt, me } from "./state";
import { ROLE_LABELS, validFor } from "./texts";
import { Dialog } from "./ui";

const DAY_SECONDS = 86_400;
const VALIDITIES = [[1, "1 day"], [7, "7 days"], [30, "30 days"]] as const;
function MakeLink({ onMade }: { onMade(): void }) {
  const [role, setRole] = useState<Role>("speaker");
  const [days, setDays] = useState<number>(VALIDITIES[1][0]);
  const [personal, setPersonal] = useState(true);
  const [made, setMade] = useState<string | null>(null);
  const [copied, setCopied] = useState(false);
  const roles = ROLES.filter((one) => one !== "host" || me.value?.role === "host");
  const make = async (event: Event) => {
    event.preventDefault();
    setCopied(false);
    await attempt(async (room) => setMade(address(await room.makeLink(role, days * DAY_SECONDS, personal))));
    onMade();
  };
  const copy = async (link: string) => {
    await attempt(async () => navigator.clipboard.writeText(link));
    setCopied(true);
  };
  return (
    <form class="make-link" onSubmit={(event) => void make(event)}>
      <div class="fields across">
        <label>
          Role
          <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
            {roles.map((one) => <option key={one} value={one}>{ROLE_LABELS[one]}</option>)}
          </select>
        </label>
        <label>
          Valid for
          <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
            {VALIDITIES.map(([count, label]) => <option key={count} value={count}>{label}</option>)}
          </select>
        </label>
      </div>
      <label class="tick">
        <input type="checkbox" checked={personal} onChange={(event) => setPersonal(event.currentTarget.checked)} />
        For one person
      </label>
      <button type="submit" class="primary">Make a link</button>
      <div class="made" role="status">
        {made !== null && (
          <div class="beside">
            <input type="text" readOnly aria-label="The link" value={made} onFocus={(event) => event.currentTarget.select()} />
            <button type="button" onClick={() => void copy(made)}>{copied ? "Copied" : "Copy"}</button>
          </div>
        )}
      </div>
    </form>
  );
}

function stateOf({ personal, used, over, validSeconds }: Link): string {
  const whom = personal ? "for one person" : "for anyone who has it";
  if (over) return `${whom} · no longer valid`;
  return [whom, used && "used", `valid ${validFor(validSeconds)}`].filter(Boolean).join(" · ");
}

function Links() {
  const [links, setLinks] = useState<Link[] | null>(null);
  const load = () => attempt(async (room) => setLinks(await room.listLinks()));
  useEffect(() => void load(), []);
  const withdraw = async (link: number) => {
    await attempt((room) => room.revokeLink(link));
    await load();
  };
  // Only a host withdraws a host's link.
  const mayWithdraw = (link: Link) => !link.over && (link.role !== "host" || me.value?.role === "host");
  return (
    <>
      <MakeLink onMade={() => void load()} />
      <h2>Links made so far</h2>
      {links?.length === 0 && <p class="says">None yet.</p>}
      <ul class="link-list" aria-label="Links made so far">
        {[...(links ?? [])].reverse().map((link) => (
          <li key={link.link} class={link.over ? "over" : ""}>
            <span class="who">
              {ROLE_LABELS[link.role]} · link {link.link}
              <small>{stateOf(link)}</small>
            </span>
            {mayWithdraw(link) && <button type="button" aria-label={`Withdraw link ${link.link}`} onClick={() => void withdraw(link.link)}>Withdraw</button>}
          </li>
        ))}
      </ul>
    </>
  );
}

export function LinksDialog({ onClose }: { onClose(): void }) {
  const [byMail, setByMail] = useState(false);
  return (
    <Dialog label="Role links" onClose={onClose}>
      <section class="card small links">
        <h1>
          Role links
          <small>Whoever opens a link comes in with its role</small>
        </h1>
        <button type="button" class="round corner" aria-label="Close" onClick={onClose}><CloseIcon /></button>
        {me.value?.role === "host" && (
          <div class="channels" role="group" aria-label="How people get their links">
            <button type="button" aria-pressed={!byMail} onClick={() => setByMail(false)}>Links to copy</button>
            <button type="button" aria-pressed={byMail} onClick={() => setByMail(true)}>Invite by e-mail</button>
          </div>
        )}
        {byMail ? <Invitations /> : <Links />}
      </section>
    </Dialog>
  );
}
