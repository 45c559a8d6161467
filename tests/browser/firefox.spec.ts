import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { expect, expectLive, test } from "./dais";
import { FirefoxPerson, withoutUdp } from "./firefox";

test("Firefox and Chromium see and hear each other in one room, with one negotiation each", async ({ server, open }) => {
  const maya = await open("Host", "Maya Levin");
  await maya.join("Join stage");
  const ama = await FirefoxPerson.open(server.links.Speaker, "Ama Owusu");
  try {
    await ama.join("Join stage");
    await expectLive(maya, 1, 1);
    await expectLive(ama, 1, 1);
    await expect(maya.tile("Ama Owusu").locator("video.seen")).toBeVisible();
    await ama.sees(2);

    // Off and on again, at both ends.
    await ama.click("Turn camera off");
    await expectLive(maya, 0, 1);
    await ama.click("Turn camera on");
    await expectLive(maya, 1, 1);
    await maya.choose("Ama Owusu", "Remove from stage");
    await expectLive(maya, 0, 0);
    await expectLive(ama, 1, 1);
    // The toolbar's button, then that of the window it opens.
    await ama.click("Join stage");
    await ama.page.locator("[role=dialog] button.primary").click();
    await expectLive(maya, 1, 1);

    await ama.click("Settings");
    await ama.page.locator("::-p-aria(Statistics)").click();
    const row = ama.page.locator("[role=dialog] tr ::-p-text(Maya Levin)");
    await row.setTimeout(15_000).wait();
    await expect.poll(() => ama.page.$eval("[role=dialog]", (window) => window.textContent)).toContain("VP8");
    mkdirSync("test-results/images", { recursive: true });
    await ama.page.screenshot({ path: resolve("test-results/images/firefox.png") });

    expect(await server.metric("dais_media_dropped_total", "srtp_")).toBe(0);
    expect(await server.metric("dais_media_dropped_total", "malformed")).toBe(0);
    for (const person of [maya, ama]) {
      expect(await person.negotiations(), person.name).toEqual({ local: 1, remote: 1, errors: [] });
    }
  } finally {
    await ama.close();
  }
});

test.describe("with a TCP port for media", () => {
  test.use({ args: ["--media-tcp-port", "0"] });

  test("Firefox without UDP and Chromium see and hear each other", async ({ server, open }) => {
    const maya = await open("Host", "Maya Levin");
    await maya.join("Join stage");
    const ama = await FirefoxPerson.open(server.links.Speaker, "Ama Owusu", withoutUdp);
    try {
      await ama.join("Join stage");
      await expectLive(maya, 1, 1);
      await expectLive(ama, 1, 1);
      expect(await server.metric("dais_media_tcp_connections ")).toBeGreaterThan(0);
      expect(await ama.negotiations()).toEqual({ local: 1, remote: 1, errors: [] });
    } finally {
      await ama.close();
    }
  });
});

test.describe("with a TURN server", () => {
  test.use({ args: ["--turn-port", "0"] });

  test("Firefox over a relay and Chromium see and hear each other", async ({ server, open }) => {
    const maya = await open("Host", "Maya Levin");
    await maya.join("Join stage");
    const relayOnly = { "media.peerconnection.ice.relay_only": true };
    const ama = await FirefoxPerson.open(server.links.Speaker, "Ama Owusu", undefined, relayOnly);
    try {
      await ama.join("Join stage");
      await expectLive(maya, 1, 1);
      await expectLive(ama, 1, 1);
      await expect.poll(() => server.metric("dais_turn_relayed_datagrams_total")).toBeGreaterThan(1_000);
      expect(await ama.negotiations()).toMatchObject({ remote: 1, errors: [] });
    } finally {
      await ama.close();
    }
  });
});
