/** The server is killed, and pages come back by themselves. */

import { expect, expectLive, growing, test } from "./dais";
import type { Person } from "./dais";

/** Kills in the long test. */
const KILLS = 50;

/** Milliseconds until `person` gets `pictures` moving pictures and as many voices over a new connection. */
async function backWithin(person: Person, pictures: number, since: number): Promise<number> {
  let before = await person.received().catch(() => []);
  for (;;) {
    await person.page.waitForTimeout(150);
    const after = await person.received().catch(() => []);
    const grown = growing(before, after);
    if (grown.pictures >= pictures && grown.voices >= pictures) return Date.now() - since;
    if (Date.now() - since > 15_000) throw new Error(`${person.name} gets ${JSON.stringify(grown)}`);
    if (grown.pictures === 0) before = after;
  }
}

// law: back-restart, back-in-time
test("killed at fifty random moments, every page is back where it was, with media, within five seconds", async ({ server, open }) => {
  test.setTimeout(15 * 60_000);
  const seed = Number(process.env["DAIS_SEED"] ?? Date.now() % 1_000_000);
  console.log(`DAIS_SEED=${seed}`);
  let state = seed;
  const below = (n: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % n;
  };
  const host = await open("Host", "Maya Levin");
  const ann = await open("Participant", "Ann Lee");
  const ben = await open("Participant", "Ben Okoro");
  await host.join("Join as viewer");
  await ann.join("Join stage");
  await ben.join("Join as viewer");
  await expectLive(host, 1, 1);
  const times: number[] = [];
  let raised = false;
  for (let kill = 0; kill < KILLS; kill += 1) {
    // Something happens and is acknowledged, and the server dies at a moment of its own.
    const label = raised ? "Lower hand" : "Raise hand";
    await ben.toolbar().getByRole("button", { name: label }).click();
    raised = !raised;
    await expect(ben.toolbar().getByRole("button", { name: raised ? "Lower hand" : "Raise hand" })).toBeVisible();
    await host.page.waitForTimeout(1_000 + below(500));
    await server.kill();
    await server.restart();
    const since = Date.now();
    times.push(await backWithin(host, 1, since), await backWithin(ben, 1, since));
    await expect(ann.list("On stage").getByText("Ann Lee (you)")).toBeVisible();
    await expect(ben.toolbar().getByRole("button", { name: raised ? "Lower hand" : "Raise hand" })).toBeVisible();
    await expect(host.page.getByRole("heading", { name: "On stage · 1 of 100" })).toBeVisible();
  }
  times.sort((a, b) => a - b);
  console.log(`${KILLS} kills; media again after ${times[0]} to ${times.at(-1)} ms, median ${times[times.length >> 1]} ms`);
  expect(times.at(-1)).toBeLessThan(5_000);
  // Whoever is back before they notice is told nothing; nobody is told twice.
  expect(await host.notices().getByText("You are back.").count()).toBeLessThanOrEqual(1);
  for (const person of [host, ann, ben]) {
    const { local, remote, errors } = await person.negotiations();
    expect([local, remote], "once for each connection").toEqual([local, local]);
    expect(errors).toEqual([]);
  }
});

test.describe("a webinar", () => {
  test.use({ args: ["--preset", "webinar", "--capacity", "1"] });

  // law: back-restart, told-participants
  test("requests, invitations and the right to return outlive the server", async ({ server, open }) => {
    const host = await open("Host", "Maya Levin");
    const ann = await open("Participant", "Ann Lee");
    const ben = await open("Participant", "Ben Okoro");
    for (const person of [host, ann, ben]) await person.join("Join as viewer");
    await ann.toolbar().getByRole("button", { name: "Ask to join stage" }).click();
    await host.menu("More about Ben Okoro", "Invite on stage");
    await expect(ben.notices().getByText("You have been invited to join the stage")).toBeVisible();
    await expect(host.list("Wants to join the stage").getByRole("listitem")).toHaveCount(1);
    await server.kill();
    await expect(host.page.getByText("Connection lost. Reconnecting…")).toBeVisible();
    await server.restart();
    for (const person of [host, ann, ben]) await expect(person.notices().getByText("You are back.")).toBeVisible();
    await expect(ben.notices().getByText("You have been invited to join the stage")).toBeVisible();
    await ben.notices().getByRole("button", { name: "Join stage" }).click();
    await ben.getReady();
    await host.list("Wants to join the stage").getByRole("button", { name: /Bring to stage/ }).click();
    await ann.notices().getByRole("button", { name: "Join stage" }).click();
    await ann.getReady();
    await expect(ben.toolbar().getByRole("button", { name: "Join stage" }), "dropped from the full stage").toBeVisible();
    await server.kill();
    // Else the page may not have noticed yet, and be back only later.
    await expect(ben.page.getByText("Connection lost. Reconnecting…")).toBeVisible();
    await server.restart();
    await expect(ben.page.getByText("Connection lost. Reconnecting…")).toHaveCount(0);
    await ben.toolbar().getByRole("button", { name: "Join stage" }).click();
    await ben.getReady();
    await expectLive(host, 1, 1);
  });
});
