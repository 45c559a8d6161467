/** People whose network changes under them, and laptops that sleep. */

import { createServer, connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { Browser } from "@playwright/test";
import { Person, expect, expectLive, test as plain } from "./dais";
import type { Server } from "./dais";
import { test } from "./network";

/**
 * Media is back within this time of a change, ms; docs/networks.md has what it takes, about a second. A browser left to
 * itself takes twelve.
 */
const BACK_WITHIN_MS = 5_000;
/** A laptop sleeps longer than a connection lasts without consent (30 s, RFC 7675), and its place is kept for longer. */
const ASLEEP_MS = 35_000;
/** Frames come every 33 to 100 ms; whoever looks every 50 ms sees them. */
const GAP_MS = 500;

/** The page's own objects that tests look at. */
interface Globals {
  dais: { room: { peer: { connection: RTCPeerConnection }; restartMedia(): Promise<void>; view: { connection: string; media: number } } };
  seen: Set<string>;
}

/** What a person has seen and heard, as the browser counts. */
interface Picture {
  frames: number;
  freezes: number;
  /** The credentials of ICE and the state of DTLS. */
  ufrag: string;
  dtls: string;
  /** How many media connections there were before this one. */
  media: number;
}

function picture(person: Person): Promise<Picture> {
  return person.page.evaluate(async () => {
    const { room } = (globalThis as unknown as Globals).dais;
    const { connection } = room.peer;
    const reports = [...(await connection.getStats()).values()];
    const inbound = reports.filter((report) => report.type === "inbound-rtp" && report.kind === "video");
    const sum = (key: string) => inbound.reduce((total, report) => total + (report[key] ?? 0), 0);
    const transport = reports.find((report) => report.type === "transport");
    const ufrag = /a=ice-ufrag:(\S+)/.exec(connection.localDescription?.sdp ?? "")?.[1] ?? "";
    return { frames: sum("framesDecoded"), freezes: sum("freezeCount"), ufrag, dtls: transport?.dtlsState ?? "", media: room.view.media };
  });
}

/** Notes every word about the connection that is shown from here on, and everybody who seems to be gone. */
async function watchWords(person: Person): Promise<void> {
  await person.page.evaluate(() => {
    const words = new Set<string>();
    (globalThis as unknown as Globals).seen = words;
    const look = () => {
      const banner = document.querySelector('[aria-label="Connection"]')?.textContent ?? "";
      if (banner !== "") words.add(banner);
      document.querySelectorAll(".tile.lost").forEach(() => words.add("a tile of somebody lost"));
      document.querySelectorAll(".notices").forEach((notices) => {
        if (/connection/i.test(notices.textContent ?? "")) words.add(notices.textContent ?? "");
      });
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
}

const words = (person: Person) => person.page.evaluate(() => [...(globalThis as unknown as Globals).seen]);

/** The longest time without a new frame while `until` is not over, ms. */
async function longestGap(person: Person, until: Promise<unknown>): Promise<number> {
  let [over, longest, frames, since] = [false, 0, (await picture(person)).frames, Date.now()];
  void until.finally(() => (over = true));
  while (!over) {
    const now = await picture(person);
    longest = Math.max(longest, Date.now() - since);
    if (now.frames !== frames) [frames, since] = [now.frames, Date.now()];
    await person.page.waitForTimeout(50);
  }
  return longest;
}

/** Waits until two more frames than now have come, and says how long that took, ms. */
async function untilMoving(person: Person, timeout: number): Promise<number> {
  const [start, before] = [Date.now(), await picture(person)];
  const moves = async () => {
    const now = await picture(person);
    return now.media !== before.media ? now.frames >= 2 : now.frames >= before.frames + 2;
  };
  await expect.poll(moves, { intervals: [50], timeout }).toBe(true);
  return Date.now() - start;
}

/** Somebody on stage, and somebody who watches. */
async function scene(stage: Browser, audience: Browser, links: Server["links"], speaker = links.Host): Promise<[Person, Person]> {
  const ann = await Person.open(stage, speaker, "Ann Lee");
  await ann.join("Join stage");
  const ben = await Person.open(audience, links.Participant, "Ben Okoro");
  await ben.join("Join as viewer");
  await expectLive(ben, 1, 1);
  return [ann, ben];
}

test("a viewer sees on over another network, over the same connection", async ({ network, inside, beside, server }) => {
  const [ann, ben] = await scene(beside, inside, server.links);
  await watchWords(ben);
  const before = await picture(ben);
  network.use(2);
  const took = await untilMoving(ben, 20_000);
  console.log(`pictures again ${took} ms after a viewer's network changed`);
  expect(took).toBeLessThan(BACK_WITHIN_MS);
  expect(await picture(ben)).toMatchObject({ media: before.media, dtls: "connected" });
  await expectLive(ben, 1, 1);
  expect(await words(ben)).toEqual([]);
  // Back again, as a train leaves the tunnel.
  network.use(1);
  await untilMoving(ben, 20_000);
  await expectLive(ben, 1, 1);
  await ann.close();
  await ben.close();
});

test("somebody on stage is seen on over another network, and nobody else notices more than a pause", async ({ network, inside, beside, server }) => {
  const [ann, ben] = await scene(inside, beside, server.links);
  await Promise.all([watchWords(ann), watchWords(ben)]);
  network.use(2);
  const took = await untilMoving(ben, 20_000);
  console.log(`pictures again ${took} ms after a publisher's network changed`);
  expect(took).toBeLessThan(BACK_WITHIN_MS);
  await expectLive(ben, 1, 1);
  expect([await words(ann), await words(ben)]).toEqual([[], []]);
  await ann.close();
  await ben.close();
});

plain("ICE restarts under pictures that do not stop", async ({ browser, server }) => {
  const [ann, ben] = await scene(browser, browser, server.links);
  const before = await picture(ben);
  const restart = async () => {
    await ben.page.evaluate(() => (globalThis as unknown as Globals).dais.room.restartMedia());
    await ann.page.evaluate(() => (globalThis as unknown as Globals).dais.room.restartMedia());
    await untilMoving(ben, 5_000);
  };
  const gap = await longestGap(ben, restart());
  const after = await picture(ben);
  console.log(`longest time without a frame over the restart: ${gap} ms`);
  expect(gap).toBeLessThan(GAP_MS);
  expect(after.ufrag).not.toBe(before.ufrag);
  expect(after).toMatchObject({ media: before.media, dtls: "connected", freezes: before.freezes });
  await expectLive(ben, 1, 1);
  await ann.close();
  await ben.close();
});

/** Passes TCP on to a server, until it cuts everything off. */
async function proxy(target: URL): Promise<{ origin: string; accepted: () => number; cut: () => void; close: () => void }> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((from) => {
    accepted += 1;
    const to = connect(Number(target.port), target.hostname);
    for (const socket of [from, to]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        [from, to].forEach((other) => other.destroy());
      });
    }
    from.pipe(to).pipe(from);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const cut = () => sockets.forEach((socket) => socket.destroy());
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, accepted: () => accepted, cut, close: () => void (cut(), server.close()) };
}

plain("a WebSocket that is lost is nothing anybody sees or hears", async ({ browser, server }) => {
  const through = await proxy(new URL(server.origin));
  const links = { ...server.links, Participant: server.links.Participant.replace(server.origin, through.origin) };
  const [ann, ben] = await scene(browser, browser, links, server.links.Host.replace(server.origin, through.origin));
  await Promise.all([watchWords(ann), watchWords(ben)]);
  const before = await picture(ben);
  const cut = async () => {
    const accepted = through.accepted();
    through.cut();
    await expect.poll(through.accepted).toBeGreaterThanOrEqual(accepted + 2);
    await untilMoving(ben, 5_000);
  };
  const gap = await longestGap(ben, cut());
  console.log(`longest time without a frame while the WebSocket was lost: ${gap} ms`);
  expect(gap).toBeLessThan(GAP_MS);
  expect(await picture(ben)).toMatchObject({ ufrag: before.ufrag, media: before.media, freezes: before.freezes });
  // The new sessions work, and everybody is where they were.
  await ann.toolbar().getByRole("button", { name: "Turn microphone off" }).click();
  await expect(ben.tile("Ann Lee").getByText("Ann Lee · muted")).toBeVisible();
  expect([await words(ann), await words(ben)]).toEqual([[], []]);
  await ann.close();
  await ben.close();
  through.close();
});

test("media that is lost while the WebSocket lives comes back by itself", async ({ network, inside, beside, server }) => {
  const [ann, ben] = await scene(beside, inside, server.links);
  const before = await picture(ben);
  network.blockUdp();
  const state = () => ben.page.evaluate(() => (globalThis as unknown as Globals).dais.room.peer.connection.connectionState);
  await expect.poll(state).toBe("disconnected");
  network.allowUdp();
  await untilMoving(ben, 10_000);
  // ICE was restarted; had the browser come back by its own checks, nothing would have been.
  const after = await picture(ben);
  expect(after.ufrag !== before.ufrag || after.media > before.media).toBe(true);
  await expectLive(ben, 1, 1);
  await ann.close();
  await ben.close();
});

test("a laptop that slept is back by itself, on stage and in the audience", async ({ network, inside, server }) => {
  plain.setTimeout(180_000);
  const [ann, ben] = await scene(inside, inside, server.links);
  network.sleep(true);
  await new Promise((done) => setTimeout(done, ASLEEP_MS));
  network.sleep(false);
  // Their connections were given up meanwhile, and their places kept.
  for (const person of [ann, ben]) await expect.poll(async () => (await picture(person)).media, { timeout: 30_000 }).toBe(1);
  await expectLive(ben, 1, 1);
  await ann.close();
  await ben.close();
});
