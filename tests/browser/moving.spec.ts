/** People whose network changes under them, or whose laptop sleeps. */

import { chromium, test } from "@playwright/test";
import type { Browser } from "@playwright/test";
import { expect, expectLive, Person, Server } from "./dais";
import { House } from "./house";

/** Media is back within this time of a change of address, ms. */
const BACK_WITHIN_MS = 1_000;
/** What looking costs on two cores that also run two browsers, ms. */
const LOOKING_MS = 1_000;
/** A laptop sleeps longer than a connection lasts without consent (RFC 7675), and than the grace time. */
const ASLEEP_MS = 45_000;

interface Scene {
  house: House;
  server: Server;
  /** On stage, outside. */
  ann: Person;
  /** Watches, inside the house. */
  ben: Person;
  inside: Browser;
}

/** Somebody on stage, and somebody who watches from a house. */
async function scene(play: (scene: Scene) => Promise<void>): Promise<void> {
  const house = new House();
  const browsers: Browser[] = [];
  let server: Server | undefined;
  try {
    server = await Server.start(["--demo", "--token-secret", "a secret for the tests, of 32 bytes"], `${house.server}:0`);
    const { origin, links } = server;
    const launch = async (executablePath?: string) => {
      const { args = [], executablePath: usual } = test.info().project.use.launchOptions ?? {};
      // Devices are given to pages that came safely, which is said of this server.
      const safe = `--unsafely-treat-insecure-origin-as-secure=${origin}`;
      const browser = await chromium.launch({ executablePath: executablePath ?? usual, args: [...args, safe] });
      browsers.push(browser);
      return browser;
    };
    const [outside, inside] = [await launch(), await launch(house.chromium)];
    const ann = await Person.open(outside, links.Participant, "Ann Lee");
    const ben = await Person.open(inside, links.Participant, "Ben Okoro");
    await ann.join("Join stage");
    await ben.join("Join as viewer");
    await expectLive(ben, 1, 1);
    await play({ house, server, ann, ben, inside });
  } finally {
    for (const browser of browsers) await browser.close();
    await server?.stop();
    house.remove();
  }
}

/** Frames decoded so far over the current connection. */
async function frames(person: Person): Promise<number> {
  const received = await person.received().catch(() => []);
  return received.reduce((sum, { frames }) => sum + frames, 0);
}

/** Waits until ten more frames than at `since` have come, and says how long that took, ms. */
async function untilMoving(person: Person, timeout: number): Promise<number> {
  const [start, before] = [Date.now(), await frames(person)];
  await expect.poll(async () => (await frames(person)) >= before + 10, { intervals: [50], timeout }).toBe(true);
  return Date.now() - start;
}

test("media goes on over another network within a second, over the same connection", async () => {
  await scene(async ({ house, ben }) => {
    const { local } = await ben.negotiations();
    house.use(1);
    const took = await untilMoving(ben, 20_000);
    console.log(`pictures again ${took} ms after the change of network`);
    expect(took).toBeLessThan(BACK_WITHIN_MS + LOOKING_MS);
    expect((await ben.negotiations()).local, "the same connection").toBe(local);
    await expectLive(ben, 1, 1);
  });
});

test("a laptop that slept is back by itself", async () => {
  test.setTimeout(180_000);
  await scene(async ({ ben, house }) => {
    house.sleep(true);
    await new Promise((done) => setTimeout(done, ASLEEP_MS));
    house.sleep(false);
    // Either their place was kept, or they are told and come in again with one click.
    await expect(ben.page.getByText("Connection lost. Reconnecting…")).toHaveCount(0, { timeout: 30_000 });
    await expectLive(ben, 1, 1);
  });
});
