import { describe, expect, test } from "vitest";
import type { Participant } from "./protocol.gen";
import { FakeEnvironment, person, settled } from "./testing";
import { ViewerList, isFound } from "./viewers";

/** As the server's. */
const PAGE = 100;

/** A server with a room whose viewers come and go. */
class FakeRoom {
  readonly environment = new FakeEnvironment();
  readonly asked: number[] = [];
  fails = 0;
  changes = 0;
  viewers: Participant[] = [];
  list = new ViewerList(
    async (after) => {
      this.asked.push(after);
      if (this.fails-- > 0) throw new Error("rate_limited");
      const behind = this.viewers.filter(({ id }) => id > after);
      return { participants: behind.slice(0, PAGE), more: behind.length > PAGE, matching: this.viewers.length };
    },
    () => void this.changes++,
    this.environment,
  );

  constructor(count: number) {
    this.viewers = Array.from({ length: count }, (_, n) => person(n + 1));
  }

  leave(...ids: number[]): void {
    this.viewers = this.viewers.filter(({ id }) => !ids.includes(id));
  }

  async look(first: number, last: number): Promise<void> {
    this.list.look(first, last);
    await settled();
  }

  get ids(): number[] {
    return this.list.people.map(({ id }) => id);
  }
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

describe("the viewers of a large room", () => {
  test("are read where they are looked at, and counted from the first page on", async () => {
    const room = new FakeRoom(5_000);
    expect([room.list.count, room.asked]).toEqual([null, []]);
    await room.look(0, 20);
    expect([room.list.count, room.ids, room.asked]).toEqual([5_000, numbers(1, 100), [0]]);
    await room.look(70, 99);
    expect(room.asked, "nothing is missing").toEqual([0]);
    await room.look(80, 110);
    expect([room.ids, room.asked]).toEqual([numbers(1, 200), [0, 100]]);
  });

  test("are all there when the last is looked at", async () => {
    const room = new FakeRoom(5_000);
    await room.look(4_980, 4_999);
    expect([room.ids, room.asked.length, room.list.more, room.list.count]).toEqual([numbers(1, 5_000), 50, false, 5_000]);
  });

  test("who came and went are each there once, whatever was read before", async () => {
    const room = new FakeRoom(250);
    await room.look(0, 120);
    room.leave(3, 100, 101, 200, 201);
    room.viewers.push(person(251), person(252));
    await room.look(230, 260);
    expect(new Set(room.ids).size).toBe(room.ids.length);
    expect(room.ids.filter((id) => id > 200)).toEqual(numbers(202, 252));
    expect(room.list.more).toBe(false);
    room.environment.pass(10_000);
    await room.look(0, 20);
    expect(room.ids.slice(0, 100), "what is old is read again, a page of it").toEqual(room.viewers.slice(0, 100).map(({ id }) => id));
    expect(room.ids.slice(100), "and nothing else").toEqual([...numbers(104, 200), ...numbers(202, 252)]);
  });

  test("that come later are found at the end", async () => {
    const room = new FakeRoom(120);
    await room.look(0, 119);
    expect([room.list.more, room.list.count]).toEqual([false, 120]);
    room.viewers.push(person(121));
    room.list.refresh();
    await settled();
    expect([room.ids, room.list.count]).toEqual([numbers(1, 121), 121]);
    room.leave(...numbers(50, 121));
    room.list.refresh();
    await settled();
    expect([room.ids, room.list.count, room.list.more]).toEqual([numbers(1, 49), 49, false]);
  });

  test("that change are seen when they are read again", async () => {
    const room = new FakeRoom(300);
    await room.look(150, 170);
    room.viewers[160] = person(161, { chatBlocked: true });
    await room.look(155, 175);
    expect(room.list.people[160]?.chatBlocked).toBeUndefined();
    room.list.refresh();
    await settled();
    expect([room.list.people[160]?.chatBlocked, room.asked.at(-1), room.ids]).toEqual([true, 155, numbers(1, 255)]);
  });

  test("are read page by page where more are looked at than a page has", async () => {
    const room = new FakeRoom(300);
    await room.look(0, 249);
    room.list.refresh();
    await settled();
    expect(room.asked).toEqual([0, 100, 200, 0, 100, 200]);
  });

  test("that cannot be read are tried again after a second, and not before", async () => {
    const room = new FakeRoom(150);
    room.fails = 2;
    await room.look(0, 20);
    await room.look(0, 21);
    expect([room.asked.length, room.list.count]).toEqual([1, null]);
    room.environment.pass(1_000);
    await settled();
    expect(room.asked.length).toBe(2);
    room.environment.pass(1_000);
    await settled();
    expect([room.asked.length, room.list.count]).toEqual([3, 150]);
  });

  test("are read no more once the list is closed, and an answer on its way changes nothing", async () => {
    const room = new FakeRoom(150);
    room.list.look(0, 20);
    room.list.close();
    await settled();
    await room.look(0, 140);
    expect([room.asked, room.ids, room.changes]).toEqual([[0], [], 0]);
  });

  test("an empty room is one page that has nobody", async () => {
    const room = new FakeRoom(0);
    await room.look(0, 20);
    await room.look(0, 30);
    expect([room.asked, room.list.count, room.list.more]).toEqual([[0], 0, false]);
  });
});

test.each([
  ["ann", "Ann Lee", true],
  ["  LEE ", "Ann Lee", true],
  ["ΟΔΟΣ", "Μεγάλη οδος", true],
  ["öz", "Zoë Özdemir", true],
  ["leo", "Ann Lee", false],
])("%j in the name %j: %j", (search, name, found) => {
  expect(isFound(name, search)).toBe(found);
});
