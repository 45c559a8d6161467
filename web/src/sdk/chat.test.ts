import { describe, expect, test } from "vitest";
import { CHAT_SHOWN, initialChat, missed, pageBefore, withNews, withPage } from "./chat";
import type { ChatView } from "./chat";
import type { ChatMessage, ServerMessage } from "./protocol.gen";

const message = (number: number): ChatMessage => ({ message: number, participant: 1, name: "Ann", role: "participant", age: 500, text: `text ${number}` });
type News = Extract<ServerMessage, { type: "chat" }>;
const news = (change: Partial<News>): News => ({ type: "chat", channel: "everyone", messages: [], deleted: [], cleared: false, pin: null, ...change });
type Page = Extract<ServerMessage, { type: "chat_page" }>;
const page = (numbers: number[], more: boolean): Page => ({ type: "chat_page", id: 1, channel: "everyone", messages: numbers.map(message), more, pinned: null });
const numbers = (chat: ChatView) => chat.everyone.messages.map(({ message: number }) => number);

describe("the chat", () => {
  // law: chat-history
  test("a page goes before what is there, and a message that came both ways is there once", () => {
    let chat = withNews(initialChat, news({ messages: [message(9)] }), 1_000);
    chat = withPage(chat, page([7, 8, 9], true), 1_000);
    chat = withPage(chat, page([5, 6], false), 1_000);
    chat = withNews(chat, news({ messages: [message(9), message(10)] }), 1_000);
    expect(numbers(chat)).toEqual([5, 6, 7, 8, 9, 10]);
    expect(chat.everyone.messages[0]?.at).toBe(500);
    expect(pageBefore(chat.everyone)).toBe(5);
  });

  test("after something was missed the newest page stands for everything", () => {
    let chat = withPage(initialChat, page([1, 2, 3], false), 0);
    chat = missed(chat);
    expect(pageBefore(chat.everyone)).toBe(0);
    chat = withPage(chat, page([3, 5], true), 0);
    expect(numbers(chat)).toEqual([3, 5]);
    expect(chat.everyone.more).toBe(true);
  });

  // law: chat-moderate
  test("what was deleted or cleared while the connection was lost is gone", () => {
    const before = withPage(initialChat, page([1, 2, 3], false), 0);
    expect(numbers(withPage(missed(before), page([1, 2], false), 0)), "the newest was deleted").toEqual([1, 2]);
    expect(numbers(withPage(missed(before), page([], false), 0)), "all was cleared").toEqual([]);
  });

  // law: chat-moderate
  test("deleted and cleared is gone, and what is pinned is on top until told otherwise", () => {
    let chat = withPage(initialChat, page([1, 2, 3], false), 0);
    chat = withNews(chat, news({ deleted: [2], pin: { message: message(3) } }), 0);
    expect(numbers(chat)).toEqual([1, 3]);
    expect(chat.pinned?.message).toBe(3);
    chat = withNews(chat, news({ cleared: true, messages: [message(4)], pin: { message: null } }), 0);
    expect(numbers(chat)).toEqual([4]);
    expect(chat.pinned).toBeNull();
  });

  test("of a long chat the newest are kept, and the older ones can be asked for", () => {
    let chat = withPage(initialChat, page([1], false), 0);
    for (let number = 2; number <= CHAT_SHOWN + 5; number++) chat = withNews(chat, news({ messages: [message(number)] }), 0);
    expect(chat.everyone.messages).toHaveLength(CHAT_SHOWN);
    expect(chat.everyone.messages[0]?.message).toBe(6);
    expect(chat.everyone.more).toBe(true);
  });
});
