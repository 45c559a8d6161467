/** Invitations by e-mail: to whom, as what, when, and what became of them. */

import { useEffect, useState } from "preact/hooks";
import type { Invitation, Language, Role } from "../sdk";
import { addressesIn } from "./addresses";
import { ROLES, address } from "./role-links";
import { attempt, view } from "./state";
import { ROLE_LABELS, invitationText } from "./texts";

const LANGUAGES: Record<Language, string> = { en: "English", de: "Deutsch" };
/** Most addresses at once: the server's limit. */
const ADDRESSES_MAX = 100;
const MINUTES_MAX = 1_440;

const ownLanguage = (): Language => (navigator.language.startsWith("de") ? "de" : "en");

function Invite() {
  const [text, setText] = useState("");
  const [role, setRole] = useState<Role>("speaker");
  const [start, setStart] = useState("");
  const [minutes, setMinutes] = useState("60");
  const [language, setLanguage] = useState<Language>(ownLanguage);
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState("");
  const addresses = addressesIn(text);
  const tooMany = addresses.length > ADDRESSES_MAX;
  const { sendsMail } = view.value.invitations;
  const invite = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setDone("");
    const at = start === "" ? {} : { start: new Date(start), minutes: Number(minutes) };
    await attempt(async (room) => {
      const made = await room.inviteByMail({ addresses, role, language, ...at });
      setText("");
      setDone(made.length === 1 ? "1 person is invited." : `${made.length} people are invited.`);
    });
    setBusy(false);
  };
  return (
    <form class="make-link" onSubmit={(event) => void invite(event)}>
      {sendsMail === false && <p class="note">This server sends no mail: everybody gets a link of their own, for you to copy.</p>}
      <div class="fields">
        <label>
          Addresses
          <textarea
            rows={3}
            required
            spellcheck={false}
            placeholder="ann@example.org, Ben Okoro <ben@example.org>"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
      </div>
      <div class="fields across">
        <label>
          Role
          <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
            {ROLES.map((one) => <option key={one} value={one}>{ROLE_LABELS[one]}</option>)}
          </select>
        </label>
        <label>
          Language of the mail
          <select value={language} onChange={(event) => setLanguage(event.currentTarget.value as Language)}>
            {Object.entries(LANGUAGES).map(([one, label]) => <option key={one} value={one} lang={one}>{label}</option>)}
          </select>
        </label>
      </div>
      <div class="fields across when">
        <label>
          Begins (if you know)
          <input type="datetime-local" value={start} onInput={(event) => setStart(event.currentTarget.value)} />
        </label>
        <label>
          Minutes
          <input type="number" min={1} max={MINUTES_MAX} required value={minutes} disabled={start === ""} onInput={(event) => setMinutes(event.currentTarget.value)} />
        </label>
      </div>
      <button type="submit" class="primary" disabled={busy || addresses.length === 0 || tooMany}>
        {addresses.length > 1 ? `Invite ${addresses.length} people` : "Invite"}
      </button>
      <p class="says" role="status">{tooMany ? `At most ${ADDRESSES_MAX} at once.` : done}</p>
    </form>
  );
}

function Row({ invitation }: { invitation: Invitation }) {
  const [copied, setCopied] = useState(false);
  const { link, token, name } = invitation;
  const copy = (of: string) =>
    attempt(async () => {
      await navigator.clipboard.writeText(address(of));
      setCopied(true);
    });
  const whom = invitation.address;
  return (
    <li class={token === null ? "over" : ""}>
      <span class="who">
        {name === null ? whom : `${name} <${whom}>`}
        <small>{ROLE_LABELS[invitation.role]} · {invitationText(invitation)}</small>
      </span>
      {token !== null && (
        <span class="choices">
          <button type="button" aria-label={`Copy the link of ${whom}`} onClick={() => void copy(token)}>{copied ? "Copied" : "Copy link"}</button>
          <button type="button" aria-label={`Withdraw the invitation of ${whom}`} onClick={() => void attempt((room) => room.revokeLink(link))}>Withdraw</button>
        </span>
      )}
    </li>
  );
}

export function Invitations() {
  const { connection, invitations } = view.value;
  // What was told while the connection was lost is not told again.
  useEffect(() => {
    if (connection === "up") void attempt((room) => room.listInvitations());
  }, [connection]);
  return (
    <>
      <Invite />
      <h2>Invited so far</h2>
      {invitations.sendsMail !== null && invitations.list.length === 0 && <p class="says">Nobody yet.</p>}
      <ul class="link-list invited" aria-label="Invited so far">
        {[...invitations.list].reverse().map((invitation) => <Row key={invitation.link} invitation={invitation} />)}
      </ul>
    </>
  );
}
