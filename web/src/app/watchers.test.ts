import { describe, expect, test } from "vitest";
import { ViewerList, initialView } from "../sdk";
import type { Participant, View } from "../sdk";
import { onStage, person, settled } from "../sdk/testing";
import { watchers } from "./watchers";

const room = (people: Participant[], change: Partial<View> = {}): View => ({ ...initialView, people: new Map(people.map((one) => [one.id, one])), ...change });
const raised = (...ids: number[]): View["queue"] => ({ ...initialView.queue, hands: ids.map((id) => ({ participant: id, name: `Person ${id}`, since: 0 })) });

/** A list of which the first page was read. */
async function read(participants: Participant[], more: boolean, matching: number): Promise<ViewerList> {
  const list = new ViewerList(async () => ({ participants, more, matching }), () => undefined, { now: () => 0, after: () => () => undefined });
  list.look(0, 0);
  await settled();
  return list;
}

const ids = ({ at, count }: ReturnType<typeof watchers>) => Array.from({ length: count }, (_, place) => at(place)?.id ?? null);

describe("viewers", () => {
  test("of a small room are those it tells of: hands first, then by name, as far as a search finds them", () => {
    const small = room([person(1, { name: "Zoë" }), person(2, { name: "Ann" }), person(3, { name: "Ben", hand: 4 }), person(4, { name: "Eve", onStage: onStage() })]);
    expect(ids(watchers(small, false, null, ""))).toEqual([3, 2, 1]);
    expect(ids(watchers(small, false, null, "ZO"))).toEqual([1]);
  });

  test("of a large room are those read, in order of entry, after oneself, and places for those who are not read yet", async () => {
    const large = room([person(2)], { complete: false });
    expect(ids(watchers(large, false, null, "")), "nothing is read yet").toEqual([2]);
    const list = await read([person(1), person(2), person(3)], true, 6);
    const listed = watchers(large, false, list, "");
    expect(ids(listed)).toEqual([2, 1, 3, null, null, null]);
    expect([listed.told, listed.leftOut]).toEqual([1, 1]);
  });

  test("who came on stage since they were read are not among them", async () => {
    const list = await read([person(1), person(2), person(3)], false, 3);
    const large = room([person(1, { onStage: onStage() }), person(9)], { complete: false });
    expect(ids(watchers(large, false, list, ""))).toEqual([9, 2, 3]);
  });

  test("are for moderators those with raised hands first, as the queue has them, whatever was read", async () => {
    const list = await read([person(1), person(2, { hand: 7 }), person(3, { chatBlocked: true })], true, 90);
    const { at } = watchers(room([person(50)], { complete: false, queue: raised(70, 3) }), true, list, "");
    const top = [0, 1, 2, 3, 4].map(at);
    expect(top.map((one) => [one?.id, one?.hand])).toEqual([[70, 0], [3, 1], [50, null], [1, null], [2, null]]);
    expect(top[1]?.chatBlocked, "what is known of them").toBe(true);
  });

  test("that a search does not find stand nowhere, not even with a raised hand", async () => {
    const list = await read([person(31), person(32)], false, 2);
    const large = room([person(50)], { complete: false, queue: raised(70, 39) });
    expect(ids(watchers(large, true, list, "person 3"))).toEqual([39, 31, 32]);
  });
});
