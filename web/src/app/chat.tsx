/** The chat: to everyone, and the back channel of those who moderate. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { pageBefore } from "../sdk";
import type { Channel, Said } from "../sdk";
import { channel, noteRead, unread, unreadSince } from "./chat-state";
import { heard } from "./heard";
import { CloseIcon, PinIcon, SendIcon } from "./icons";
import { locales } from "./locale";
import { Menu } from "./menu";
import type { MenuEntry } from "./menu";
import { pieces } from "./plain-text";
import { attempt, inSight, may, me, moderating, side, view } from "./state";
import { ROLE_LABELS } from "./texts";

/** Longest message, characters. */
const CHARS_MAX = 2_000;
/** How close to its end the list counts as read to the end, px. */
const NEAR = 60;

/** Between two times that a closed chat is read out, ms: hundreds may write at once. */
const READ_OUT_EVERY_MS = 3_000;

/** What comes while the chat is closed, for screen readers. An open one reads itself. */
export function HeardChat() {
  const [text, setText] = useState("");
  useEffect(() => {
    const fresh = unreadSince();
    const timer = setInterval(() => {
      const messages = fresh();
      if (side.value !== "chat" && messages.length > 0) setText(heard(messages));
    }, READ_OUT_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return <div class="hidden" role="log" aria-label="New in the chat">{text}</div>;
}

const LABELS: Record<Channel, string> = { everyone: "Everyone", moderators: "Hosts and moderators" };

function Text({ text }: { text: string }) {
  return (
    <p class="said">
      {pieces(text).map((piece) => (piece.href === null ? piece.text : <a href={piece.href} target="_blank" rel="noopener noreferrer nofollow ugc">{piece.text}</a>))}
    </p>
  );
}

function messageEntries(said: Said): MenuEntry[] {
  const item = (label: string, run: () => void): MenuEntry => ({ kind: "item", label, run });
  const entries: MenuEntry[] = [];
  const pinned = view.value.chat.pinned?.message === said.message;
  if (channel.value === "everyone") {
    entries.push(pinned ? item("Unpin", () => void attempt((room) => room.pinMessage(null))) : item("Pin on top", () => void attempt((room) => room.pinMessage(said.message))));
  }
  entries.push({ kind: "item", label: "Delete message", grave: true, run: () => void attempt((room) => room.deleteMessage(said.message)) });
  return entries;
}

const clock = (at: number) => new Date(at).toLocaleTimeString(locales(), { hour: "2-digit", minute: "2-digit" });

function Message({ said }: { said: Said }) {
  const own = said.participant === me.value?.id;
  return (
    <li class={own ? "message own" : "message"}>
      <header>
        <strong>{said.name}{own && " (you)"}</strong>
        {said.role !== "participant" && <small>{ROLE_LABELS[said.role]}</small>}
        <time dateTime={new Date(said.at).toISOString()}>{clock(said.at)}</time>
        {moderating.value && <Menu label={`More about the message of ${said.name}`} entries={messageEntries(said)} />}
      </header>
      <Text text={said.text} />
    </li>
  );
}

function Pinned({ said }: { said: Said }) {
  return (
    <section class="pinned" aria-label="Pinned message">
      <PinIcon />
      <div>
        <strong>{said.name}</strong>
        <Text text={said.text} />
      </div>
      {moderating.value && (
        <button type="button" class="round" aria-label="Unpin" title="Unpin" onClick={() => void attempt((room) => room.pinMessage(null))}><CloseIcon /></button>
      )}
    </section>
  );
}

/** The messages, which stay at their end while somebody reads there. */
function Messages({ which }: { which: Channel }) {
  const { messages, more } = view.value.chat[which];
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  /** How far from the end somebody reads, px, who waits for what was said before. */
  const fromEnd = useRef<number | null>(null);
  const [fetching, setFetching] = useState(false);
  const first = messages[0]?.message ?? 0;
  const last = messages.at(-1)?.message ?? 0;
  const open = side.value === "chat";
  useLayoutEffect(() => {
    const { current } = list;
    if (current !== null && fromEnd.current !== null) current.scrollTop = current.scrollHeight - fromEnd.current;
    fromEnd.current = null;
  }, [first]);
  useLayoutEffect(() => {
    const { current } = list;
    if (current !== null && atEnd.current) current.scrollTop = current.scrollHeight;
  }, [last, which, open]);
  const earlier = async () => {
    const { current } = list;
    if (current === null || fetching) return;
    fromEnd.current = current.scrollHeight - current.scrollTop;
    setFetching(true);
    await attempt((room) => room.listChat(which, pageBefore(view.value.chat[which])));
    requestAnimationFrame(() => {
      fromEnd.current = null;
      setFetching(false);
      // The button is gone with the last page.
      if (document.activeElement === document.body) current.focus();
    });
  };
  const seen = open && inSight.value;
  useEffect(() => {
    if (seen) noteRead(which, last);
  }, [seen, which, last]);
  const scrolled = ({ currentTarget: at }: { currentTarget: HTMLDivElement }) => {
    atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < NEAR;
  };
  return (
    // What was said before is read when somebody goes there: it is no news.
    <div class="scroll talk" ref={list} onScroll={scrolled} tabIndex={0} role="log" aria-live={fetching ? "off" : "polite"} aria-label={`Chat with ${LABELS[which].toLowerCase()}`}>
      {more && (
        <button type="button" class="show-more" onClick={() => void earlier()}>Show earlier</button>
      )}
      <ol class="messages">
        {messages.map((said) => <Message key={said.message} said={said} />)}
      </ol>
      {messages.length === 0 && <p class="none">Nothing was said yet</p>}
    </div>
  );
}

function Write({ which }: { which: Channel }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  if (which === "everyone" && me.value?.chatBlocked === true) return <p class="none closed">A moderator has blocked you from the chat.</p>;
  if (which === "everyone" && !may.value("chat")) return <p class="none closed">The chat is closed for you: read only.</p>;
  const left = CHARS_MAX - [...text.trim()].length;
  const send = async () => {
    if (text.trim() === "" || left < 0 || busy) return;
    setBusy(true);
    // What was refused stays to be sent again.
    if (await attempt((room) => room.say(which, text))) setText("");
    setBusy(false);
    field.current?.focus();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void send();
  };
  return (
    <form class="write" onSubmit={(event) => (event.preventDefault(), void send())}>
      <textarea
        ref={field}
        rows={text.length > 60 || text.includes("\n") ? 3 : 1}
        aria-label={`Message to ${LABELS[which].toLowerCase()}`}
        placeholder={`Message to ${LABELS[which].toLowerCase()}`}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={pressed}
      />
      <button type="submit" class="round primary" aria-label="Send" title="Send" disabled={text.trim() === "" || left < 0 || busy}><SendIcon /></button>
      {left < 200 && <small role="status" class={left < 0 ? "over" : ""}>{left < 0 ? `${-left} characters too long` : `${left} characters left`}</small>}
    </form>
  );
}

function Channels() {
  return (
    <div class="channels" role="group" aria-label="Who reads it">
      {(["everyone", "moderators"] as const).map((which) => (
        <button key={which} type="button" aria-pressed={channel.value === which} onClick={() => (channel.value = which)}>
          {which === "everyone" ? "Everyone" : "Moderators"}
          {unread.value[which] > 0 && <span class="badge">{unread.value[which]}<span class="hidden"> unread</span></span>}
        </button>
      ))}
    </div>
  );
}

export function Chat() {
  const which = moderating.value ? channel.value : "everyone";
  const { pinned } = view.value.chat;
  const clear: MenuEntry = { kind: "item", label: "Clear the chat", grave: true, run: () => void attempt((room) => room.clearChat()) };
  return (
    <aside class="side" id="chat" aria-label="Chat" hidden={side.value !== "chat"}>
      <header>
        <h2>Chat</h2>
        {moderating.value && which === "everyone" && <Menu label="More about the chat" entries={[clear]} />}
        <button type="button" class="round" aria-label="Close the chat" onClick={() => (side.value = null)}><CloseIcon /></button>
      </header>
      {moderating.value && <Channels />}
      {which === "everyone" && pinned !== null && <Pinned said={pinned} />}
      <Messages key={which} which={which} />
      <Write key={`write-${which}`} which={which} />
    </aside>
  );
}
