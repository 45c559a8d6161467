/** Presenting: a screen before everybody, one at a time. */

import { AxeBuilder } from "@axe-core/playwright";
import { Person, expect, expectLive, test } from "./dais";
import { FirefoxPerson } from "./firefox";
import { picture } from "./pictures";
import { PORTRAITS } from "./portraits";
import { presentSlides } from "./slides";

const slides = `(${String(presentSlides)})()`;

const screenOf = (person: Person, name: string) => person.tile(`${name} presents`);

/** The screen of `name` is seen, and is not black. */
async function expectScreen(person: Person, name: string): Promise<void> {
  const video = screenOf(person, name).locator("video.seen");
  await expect(video).toBeVisible();
  const light = () =>
    video.evaluate((element: HTMLVideoElement) => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
      const pen = canvas.getContext("2d");
      pen?.drawImage(element, 0, 0, 8, 8);
      return Math.max(...(pen?.getImageData(0, 0, 8, 8).data.filter((_, n) => n % 4 !== 3) ?? [0]));
    });
  await expect.poll(light).toBeGreaterThan(100);
}

// law: present-who, present-one, present-stop, viewer-takes-part
test("a speaker presents with what the browser captures, a host takes over, and a moderator ends it", async ({ server, open }) => {
  const host = await open("Host", "Maya Levin");
  const speaker = await open("Speaker", "Noa Bar");
  const viewer = await open("Participant", "Lee Park");
  await host.join("Join stage");
  await speaker.join("Join as viewer");
  await viewer.join("Join as viewer");
  await expect(viewer.button("Present your screen")).toHaveCount(0);

  await speaker.button("Present your screen").click();
  await expect(speaker.tile("You are presenting")).toBeVisible();
  await expect(viewer.notices().getByText("Noa Bar presents now.")).toBeVisible();
  await expectScreen(viewer, "Noa Bar");
  // What the browser captures has a sound of its own.
  await expectLive(viewer, 2, 2);
  const late = await open("Participant", "Sam Diaz");
  await late.join("Join as viewer");
  await expectScreen(late, "Noa Bar");

  // Taking over is asked about first.
  await host.button("Present your screen").click();
  const question = host.page.getByRole("dialog", { name: "Noa Bar is presenting" });
  await question.getByRole("button", { name: "Not now" }).click();
  await expect(screenOf(host, "Noa Bar")).toBeVisible();
  await host.button("Present your screen").click();
  await question.getByRole("button", { name: "Present instead" }).click();
  await expect(host.tile("You are presenting")).toBeVisible();
  await expect(speaker.notices().getByText("Maya Levin presents now, in your place.")).toBeVisible();
  await expect(speaker.button("Maya Levin is presenting")).toBeDisabled();
  await expectScreen(viewer, "Maya Levin");
  await expectScreen(speaker, "Maya Levin");

  await host.toolbar().getByRole("button", { name: "Stop presenting" }).click();
  await expect(screenOf(viewer, "Maya Levin")).toHaveCount(0);
  await speaker.button("Present your screen").click();
  await screenOf(host, "Noa Bar").hover();
  await host.menu("More about the screen of Noa Bar", "Stop presenting");
  await expect(speaker.notices().getByText("Maya Levin stopped your presentation.")).toBeVisible();
  await expect(speaker.button("Present your screen")).toBeEnabled();

  // After a reload there is nothing to show any more: it ends, rather than stand still.
  await speaker.button("Present your screen").click();
  await expectScreen(viewer, "Noa Bar");
  await speaker.page.reload();
  await expect(screenOf(viewer, "Noa Bar")).toHaveCount(0);
  for (const person of [host, viewer]) expect((await person.negotiations()).errors).toEqual([]);
  expect(await server.metric("dais_stage_events_total", "presenting_started")).toBe(4);
});

// law: present-who
test("a screen that changes once a second stays, sharp and with its sound", async ({ browser, server }) => {
  const host = await Person.open(browser, server.links.Host, "Maya Levin", `${PORTRAITS.maya};${slides}`);
  const viewer = await Person.open(browser, server.links.Participant, "Jonas Weber", PORTRAITS.jonas);
  await host.join("Join stage");
  await viewer.join("Join as viewer");
  await host.button("Present your screen").click();
  await expectScreen(viewer, "Maya Levin");
  // A camera and a voice, the slide and its tone.
  await expectLive(viewer, 2, 2);
  const size = () => screenOf(viewer, "Maya Levin").locator("video").evaluate((video: HTMLVideoElement) => video.videoHeight);
  await expect.poll(size, { timeout: 30_000 }).toBe(1_080);
  await expect(viewer.page.getByText("Paused: your connection is slow")).toHaveCount(0);
  const { violations } = await new AxeBuilder({ page: viewer.page }).analyze();
  expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id }) => id)).toEqual([]);
  await viewer.page.screenshot(picture("presenting"));
  await host.page.screenshot(picture("presenting-own"));
  await viewer.button("People").click();
  await viewer.page.setViewportSize({ width: 360, height: 740 });
  await viewer.page.screenshot(picture("presenting-phone"));
  await host.close();
  await viewer.close();
});

// law: present-who
test("Chromium and Firefox present to each other", async ({ browser, server }) => {
  const host = await Person.open(browser, server.links.Host, "Maya Levin", slides);
  const ama = await FirefoxPerson.open(server.links.Speaker, "Ama Owusu", presentSlides);
  try {
    await host.join("Join stage");
    await ama.join("Join as viewer");
    await ama.click("Present your screen");
    await expectScreen(host, "Ama Owusu");
    await ama.click("Stop presenting");
    await expect(screenOf(host, "Ama Owusu")).toHaveCount(0);
    await host.button("Present your screen").click();
    await ama.page.locator(".tile.screen video.seen").setTimeout(20_000).wait();
    await expectLive(ama, 2, 2);
  } finally {
    await ama.close();
    await host.close();
  }
});
