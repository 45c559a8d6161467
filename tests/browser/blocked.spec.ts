/** People whose network lets no UDP through. */

import type { Browser } from "@playwright/test";
import { test } from "./network";
import { Person, expect, expectLive } from "./dais";
import type { Server } from "./dais";

/** How the media of a page travels: the pair of candidates in use. */
function path(person: Person): Promise<{ protocol: string; local: string; remote: string; relay: string | null }> {
  return person.page.evaluate(async () => {
    const peer = (globalThis as unknown as { dais: { room: { peer: { connection: RTCPeerConnection } } } }).dais.room.peer;
    const stats = await peer.connection.getStats();
    const all = [...stats.values()];
    const transport = all.find((report) => report.type === "transport");
    const pair = stats.get(transport.selectedCandidatePairId);
    const [local, remote] = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
    return { protocol: local.protocol, local: local.candidateType, remote: remote.candidateType, relay: local.relayProtocol ?? null };
  });
}

/** Two people on stage, each of whom sees and hears the other. */
async function meet(browser: Browser, server: Server): Promise<[Person, Person]> {
  const maya = await Person.open(browser, server.links.Host, "Maya Levin");
  await maya.join("Join stage");
  const jonas = await Person.open(browser, server.links.Speaker, "Jonas Weber");
  await jonas.join("Join stage");
  await expectLive(maya, 1, 1);
  await expectLive(jonas, 1, 1);
  return [maya, jonas];
}

test.describe("with a TCP port for media", () => {
  test.use({ args: ["--media-tcp-port", "7000"] });

  test("people see and hear each other over TCP", async ({ network, inside, server }) => {
    network.blockUdp();
    for (const person of await meet(inside, server)) {
      expect(await path(person)).toMatchObject({ protocol: "tcp", relay: null });
      expect(await person.negotiations()).toEqual({ local: 1, remote: 1, errors: [] });
      await person.close();
    }
  });
});

test.describe("with a TURN server", () => {
  test.use({ args: ["--turn-port", "3478"] });

  test("people see and hear each other over a relay they reach by TCP", async ({ network, inside, server }) => {
    network.blockUdp();
    const [maya, jonas] = await meet(inside, server);
    for (const person of [maya, jonas]) {
      expect(await path(person)).toMatchObject({ local: "relay", relay: "tcp" });
      expect(await person.negotiations()).toMatchObject({ remote: 1, errors: [] });
    }
    // A page that is loaded again has a new relay.
    await jonas.page.reload();
    await expect(jonas.page.getByRole("main", { name: "Stage" })).toBeVisible();
    await expectLive(maya, 1, 1);
    expect(await path(jonas)).toMatchObject({ local: "relay", relay: "tcp" });
    await maya.close();
    await jonas.close();
  });
});
