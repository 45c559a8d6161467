/** Ways in: both entry windows, a phone, links for a role, another window, and ways out. */

import { devices } from "@playwright/test";
import { Person, expect, expectLive, test } from "./dais";

// law: entry-window, entry-remembered, entry-participants
test("Set devices opens first, offers the stage, and remembers what was chosen", async ({ open }) => {
  const ann = await open("Participant", "Ann Lee");
  const { page } = ann;
  await expect(page.locator(".preview video.seen")).toBeVisible();
  await expect(page.getByRole("meter", { name: "Microphone level" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Test" })).toBeVisible();
  for (const kind of ["Camera", "Microphone", "Speakers"]) await expect(page.getByLabel(kind, { exact: true })).toBeVisible();
  await expect(ann.button("Join as viewer")).toBeVisible();
  await page.getByRole("button", { name: "Turn camera off" }).click();
  await ann.join("Join stage");
  await expect(ann.tile("Ann Lee").locator("video")).toHaveCount(0);
  // Another visit of the same browser.
  await ann.button("Leave the room").click();
  await ann.button("Come back in").click();
  await expect(page.getByRole("heading", { name: "Set devices" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Turn camera on" })).toBeVisible();
  await expect(page.getByLabel("Your name")).toHaveValue("Ann Lee");
});

test.describe("a panel", () => {
  test.use({ args: ["--preset", "webinar"] });

  // law: entry-participants, entry-moderators-speakers, join-always
  test("participants are offered to watch, speakers and hosts the stage", async ({ open }) => {
    const ann = await open("Participant", "Ann Lee");
    const sue = await open("Speaker", "Sue Park");
    await expect(ann.button("Join as viewer")).toBeVisible();
    await expect(ann.button("Join stage")).toHaveCount(0);
    await expect(sue.button("Join stage")).toBeVisible();
    await sue.join("Join stage");
    await ann.join("Join as viewer");
    await expect(ann.toolbar().getByRole("button", { name: "Ask to join stage" })).toBeVisible();
    await expectLive(ann, 1, 1);
  });
});

// law: entry-phone
test("on a phone people come in as viewers, and join from inside", async ({ browser, server, open }) => {
  const host = await open("Host", "Maya Levin");
  await host.join("Join stage");
  const { defaultBrowserType: _, ...pixel } = devices["Pixel 7"];
  const ann = await Person.open(browser, server.links.Participant, "Ann Lee", undefined, pixel);
  await expect(ann.button("Join as viewer")).toBeVisible();
  await expect(ann.button("Join stage")).toHaveCount(0);
  await ann.join("Join as viewer");
  await expectLive(ann, 1, 1);
  await ann.toolbar().getByRole("button", { name: "Join stage" }).click();
  await ann.getReady();
  await expectLive(host, 1, 1);
  const over = await ann.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(over, "nothing is cut off").toBeLessThanOrEqual(0);
  expect(await ann.negotiations()).toEqual({ local: 1, remote: 1, errors: [] });
  await ann.close();
});

// law: entry-ways
test("a moderator makes a link for a speaker, and withdraws it", async ({ browser, server, open }) => {
  const host = await open("Host", "Maya Levin");
  await host.join("Join as viewer");
  await host.menu("Settings", "Role links…");
  const links = host.page.getByRole("dialog", { name: "Role links" });
  await links.getByRole("combobox").first().selectOption("speaker");
  await links.getByRole("button", { name: "Make a link" }).click();
  const made = await links.getByRole("textbox").first().inputValue();
  expect(made).toContain(`${server.origin}/r/demo#token=`);
  const sue = await Person.open(browser, made, "Sue Park");
  await expect(sue.page.getByText(/as a speaker/)).toBeVisible();
  await sue.join("Join stage");
  // It was for one person.
  const thief = await browser.newContext();
  const page = await thief.newPage();
  await page.goto(made);
  await expect(page.getByText("link_used")).toBeVisible();
  await thief.close();
  await links.getByRole("button", { name: /Withdraw/ }).first().click();
  await expect(links.getByText(/no longer valid/)).toBeVisible();
  await expect(sue.tile("Sue Park"), "whoever is inside stays").toBeVisible();
  await sue.close();
});

test("another window takes over, and says so", async ({ open }) => {
  const ann = await open("Participant", "Ann Lee");
  await ann.join("Join stage");
  const newer = await ann.page.context().newPage();
  await newer.goto(ann.page.url());
  await expect(newer.getByText("You are in this room in another window.")).toBeVisible();
  await newer.getByRole("button", { name: "Join stage", exact: true }).click();
  await expect(newer.getByRole("main", { name: "Stage" })).toBeVisible();
  await expect(ann.page.getByText("replaced")).toBeVisible();
});

// law: moderate-actions, moderate-hosts
test("removed from the room is out for good; locked is locked; ended is over", async ({ browser, server, open }) => {
  const host = await open("Host", "Maya Levin");
  const ann = await open("Participant", "Ann Lee");
  await host.join("Join as viewer");
  await ann.join("Join stage");
  await host.tile("Ann Lee").hover();
  await host.tile("Ann Lee").getByRole("button", { name: "More about Ann Lee" }).click();
  await host.page.getByRole("menuitem", { name: "Remove from the room" }).click();
  await host.page.getByRole("dialog").getByRole("button", { name: /Remove/ }).click();
  await expect(ann.page.getByRole("heading", { name: "You were removed from the room" })).toBeVisible();
  await ann.page.reload();
  await expect(ann.page.getByRole("heading", { name: "You were removed from the room" })).toBeVisible();
  const again = await ann.page.context().newPage();
  await again.goto(server.links.Participant);
  await expect(again.getByRole("heading", { name: "You were removed from the room" }), "nor in another tab").toBeVisible();

  await host.menu("Settings", "Lock the room");
  await expect(host.page.getByText("Locked").first()).toBeVisible();
  const context = await browser.newContext();
  const late = await context.newPage();
  await late.goto(server.links.Participant);
  await expect(late.getByText("room_locked")).toBeVisible();
  await context.close();
  await host.menu("Settings", "End the session for all");
  await host.page.getByRole("dialog").getByRole("button", { name: /End/ }).click();
  await expect(host.page.getByRole("heading", { name: "The session has ended" })).toBeVisible();
});
