/** The chat as a client sees it: a pure function of the server's messages. */

import type { Channel, ChatMessage, ServerMessage } from "./protocol.gen";

/** {@link ChatMessage} with the moment, by the clock of the client, instead of an age. */
export type Said = Omit<ChatMessage, "age"> & { at: number };

export interface ChannelView {
  /** The oldest first. */
  messages: readonly Said[];
  /** There is more before the first one. */
  more: boolean;
  /** Something may have been missed: the next page stands for everything. */
  stale: boolean;
}

export interface ChatView {
  everyone: ChannelView;
  /** The back channel; empty for those who do not moderate. */
  moderators: ChannelView;
  /** On top of the chat of everyone. */
  pinned: Said | null;
}

/** Messages kept of a channel while people go on writing; older ones can be asked for again. */
export const CHAT_SHOWN = 300;

const NOTHING: ChannelView = { messages: [], more: false, stale: true };
export const initialChat: ChatView = { everyone: NOTHING, moderators: NOTHING, pinned: null };

const dated = ({ age, ...message }: ChatMessage, now: number): Said => ({ ...message, at: now - age });

/** The connection was lost, or the session could not keep up. */
export function missed(chat: ChatView): ChatView {
  return { ...chat, everyone: { ...chat.everyone, stale: true }, moderators: { ...chat.moderators, stale: true } };
}

/** News of a channel. A message may be told twice; its number says so. */
export function withNews(chat: ChatView, news: Extract<ServerMessage, { type: "chat" }>, now: number): ChatView {
  const before = chat[news.channel];
  const gone = new Set(news.deleted);
  const kept = news.cleared ? [] : before.messages.filter(({ message }) => !gone.has(message));
  const last = kept.at(-1)?.message ?? 0;
  const fresh = news.messages.filter(({ message }) => message > last).map((message) => dated(message, now));
  const messages = [...kept, ...fresh];
  const more = (before.more && !news.cleared) || messages.length > CHAT_SHOWN;
  const pinned = news.pin === null ? chat.pinned : news.pin.message && dated(news.pin.message, now);
  return { ...chat, pinned, [news.channel]: { ...before, messages: messages.length > CHAT_SHOWN ? messages.slice(-CHAT_SHOWN) : messages, more } };
}

/** A page: the newest one after something was missed, else the one before what is there. */
export function withPage(chat: ChatView, page: Extract<ServerMessage, { type: "chat_page" }>, now: number): ChatView {
  const before = chat[page.channel];
  const listed = page.messages.map((message) => dated(message, now));
  const last = listed.at(-1)?.message ?? 0;
  // What was deleted or cleared meanwhile is not in the newest page, and nobody says so any more.
  const newer = before.stale ? [] : before.messages.filter(({ message }) => message > last);
  const messages = [...listed, ...newer];
  const pinned = page.channel === "everyone" ? page.pinned && dated(page.pinned, now) : chat.pinned;
  return { ...chat, pinned, [page.channel]: { messages, more: page.more, stale: false } };
}

/** The number of the first message there is; 0 asks for the newest page. */
export function pageBefore({ messages, stale }: ChannelView): number {
  return stale ? 0 : (messages[0]?.message ?? 0);
}

export const CHANNELS: readonly Channel[] = ["everyone", "moderators"];
