import { Person, expect, expectLive, test } from "./dais";
import type { Server } from "./dais";
import { picture } from "./pictures";
import { PORTRAITS } from "./portraits";
import type { Browser } from "@playwright/test";

/** Three people on stage, of whom Jonas speaks, and somebody who watches. */
async function panel(browser: Browser, server: Server): Promise<{ kenji: Person; others: Person[] }> {
  const enter = async (role: keyof typeof server.links, name: string, script?: string) => Person.open(browser, server.links[role], name, script);
  const maya = await enter("Host", "Maya Levin", PORTRAITS.maya);
  await maya.join("Join stage");
  await maya.toolbar().getByRole("button", { name: "Turn microphone off" }).click();
  const jonas = await enter("Speaker", "Jonas Weber", PORTRAITS.jonas);
  await jonas.join("Join stage");
  const lin = await enter("Participant", "Lin Zhao", PORTRAITS.lin);
  await lin.join("Join stage");
  await lin.toolbar().getByRole("button", { name: "Turn microphone off" }).click();
  const kenji = await enter("Participant", "Kenji Tanaka");
  await kenji.join("Join as viewer");
  await expectLive(kenji, 3, 1);
  return { kenji, others: [maya, jonas, lin] };
}

const width = async (person: Person, name: string) => (await person.tile(name).boundingBox())?.width ?? 0;

test("whoever speaks stands in front in the speaker layout, which is remembered, and everybody is alike in the gallery", async ({ browser, server }) => {
  const { kenji, others } = await panel(browser, server);
  await expect(kenji.page.locator(".tile.dominant")).toHaveCount(1);
  const alike = new Set(await Promise.all(["Maya Levin", "Jonas Weber", "Lin Zhao"].map((name) => width(kenji, name))));
  expect(alike.size, "one size in the gallery").toBe(1);

  await kenji.menu("Settings", "Speaker in front", "menuitemradio");
  await expect.poll(async () => (await width(kenji, "Jonas Weber")) > 3 * (await width(kenji, "Maya Levin"))).toBe(true);
  await expect(kenji.page.locator(".tile video.seen")).toHaveCount(3);
  await kenji.page.screenshot(picture("room-speaker"));
  // Nobody looks at themselves: for Jonas the first of the others stands in front.
  const jonas = others[1] as Person;
  await jonas.menu("Settings", "Speaker in front", "menuitemradio");
  await expect.poll(async () => (await width(jonas, "Maya Levin")) > 3 * (await width(jonas, "Jonas Weber"))).toBe(true);

  await kenji.page.reload();
  await expect(kenji.page.getByRole("main", { name: "Stage" })).toBeVisible();
  await expect.poll(async () => (await width(kenji, "Jonas Weber")) > 3 * (await width(kenji, "Maya Levin"))).toBe(true);
  await kenji.page.setViewportSize({ width: 390, height: 780 });
  await expect.poll(async () => (await width(kenji, "Jonas Weber")) > 1.8 * (await width(kenji, "Maya Levin"))).toBe(true);
  await kenji.button("Close the list").click();
  await kenji.page.screenshot(picture("room-speaker-phone"));
  await kenji.menu("Settings", "Gallery", "menuitemradio");
  await expect.poll(async () => new Set(await Promise.all(["Maya Levin", "Jonas Weber"].map((name) => width(kenji, name)))).size).toBe(1);
  for (const person of [kenji, ...others]) {
    expect((await person.negotiations()).errors, person.name).toEqual([]);
    await person.close();
  }
});

/** The page's own objects that the next test looks at. */
interface Globals {
  dais: { room: { view: { dominant: number | null; people: Map<number, { name: string }> } } };
  seen: { told: number | null; larger: number | null };
}

test("whoever begins to speak is seen larger soon after", async ({ browser, server }) => {
  const { kenji, others } = await panel(browser, server);
  const [maya, jonas, lin] = others as [Person, Person, Person];
  await kenji.menu("Settings", "Speaker in front", "menuitemradio");
  const height = (name: string) => kenji.tile(name).locator("video").evaluate((video) => (video as HTMLVideoElement).videoHeight);
  await expect.poll(() => height("Jonas Weber")).toBeGreaterThan(180);
  await expect.poll(() => height("Lin Zhao")).toBeLessThanOrEqual(180);
  // From the moment the page hears who speaks most to the first frame of the larger picture.
  await kenji.page.evaluate(() => {
    const globals = globalThis as unknown as Globals;
    globals.seen = { told: null, larger: null };
    const look = () => {
      const { seen, dais } = globals;
      const { dominant, people } = dais.room.view;
      if (dominant !== null && people.get(dominant)?.name === "Lin Zhao") seen.told ??= performance.now();
      const tile = [...document.querySelectorAll(".tile")].find((tile) => tile.textContent?.includes("Lin Zhao"));
      if ((tile?.querySelector("video")?.videoHeight ?? 0) > 180) seen.larger ??= performance.now();
      if (seen.larger === null) setTimeout(look, 10);
    };
    look();
  });
  await jonas.toolbar().getByRole("button", { name: "Turn microphone off" }).click();
  await lin.toolbar().getByRole("button", { name: "Turn microphone on" }).click();
  const seen = () => kenji.page.evaluate(() => (globalThis as unknown as Globals).seen);
  await expect.poll(async () => (await seen()).larger).not.toBeNull();
  const { told, larger } = await seen();
  const took = (larger ?? 0) - (told ?? 0);
  console.log(`a larger picture ${took.toFixed(0)} ms after the page heard who speaks`);
  expect(told).not.toBeNull();
  expect(took).toBeLessThan(5_000);
  for (const person of [kenji, maya, jonas, lin]) await person.close();
});

test("statistics say how every picture and voice comes in, and what is sent", async ({ browser, server }) => {
  const { kenji, others } = await panel(browser, server);
  await expect(kenji.tile("Jonas Weber").getByTitle("good picture")).toBeVisible();
  await kenji.menu("Settings", "Statistics");
  const window = kenji.page.getByRole("dialog", { name: "Statistics" });
  for (const name of ["Maya Levin", "Jonas Weber", "Lin Zhao"]) {
    const row = window.getByRole("row", { name });
    await expect(row).toContainText(/[1-9]\d* kbit\/s|\d\.\d Mbit\/s/);
    await expect(row).toContainText(/\d+ × \d+, [1-9]\d*\/s/);
    await expect(row).toContainText("VP8");
    await expect(row).toContainText("good picture");
  }
  await expect(window.getByRole("row", { name: "Voice 1" })).toContainText("Opus");
  await expect(window.getByText(/^\d+ ms$/)).toBeVisible();
  await expect(window.getByText("Sent", { exact: true }), "a viewer sends nothing").toHaveCount(0);

  const jonas = others[1] as Person;
  await jonas.menu("Settings", "Statistics");
  const own = jonas.page.getByRole("dialog", { name: "Statistics" });
  // The layer that fills everybody's tiles; others are not sent for long.
  await expect(own.getByRole("row", { name: "Camera, middle" })).toContainText("VP8");
  await expect(own.getByRole("row", { name: "Microphone" })).toContainText("Opus");
  await jonas.page.screenshot(picture("statistics"));
  await jonas.page.setViewportSize({ width: 390, height: 780 });
  await jonas.page.screenshot(picture("statistics-phone"));
  await jonas.page.keyboard.press("Escape");
  await expect(own).toHaveCount(0);
  for (const person of [kenji, ...others]) await person.close();
});
