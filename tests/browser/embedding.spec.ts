/** Rooms within other people's pages, in Chromium and in Firefox. */

import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContextOptions, Page } from "@playwright/test";
import type { Frame, Page as FirefoxPage } from "puppeteer-core";
import { Person, expect } from "./dais";
import type { Server } from "./dais";
import { PASSWORD, test } from "./embedding";
import { FirefoxPerson } from "./firefox";
import { picture } from "./pictures";
import { PORTRAITS } from "./portraits";

/** What the bare page keeps. */
interface Told {
  name: string;
  detail: Record<string, unknown>;
}
type Bare = typeof globalThis & { told: Told[]; refusal(promise: Promise<void>): Promise<{ code: string; message: string } | null> };
type Room = HTMLElement & { enter(place?: string): Promise<void>; leave(): Promise<void>; mute(): Promise<void>; setCamera(on: boolean): Promise<void>; raiseHand(): Promise<void> };

async function visit(browser: Browser, address: string, script?: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ permissions: ["camera", "microphone"], ...options });
  if (script !== undefined) await context.addInitScript(script);
  const page = await context.newPage();
  await page.goto(address);
  return page;
}

const room = (page: Page) => page.locator("dais-room iframe").contentFrame();

async function clean(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), where).toEqual([]);
}

/** Nothing is wider than the window. */
async function fits(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
}

const tokenOf = async (server: Server, role: string, name?: string): Promise<string> =>
  String((await server.api("POST", "/v1/rooms/demo/tokens", { role, ...(name !== undefined && { name }) }))["token"]);

const lastTold = (page: Page, name: string) => page.evaluate((event) => (globalThis as Bare).told.findLast((one) => one.name === event)?.detail, name);
const namesTold = (page: Page) => page.evaluate(() => (globalThis as Bare).told.map(({ name }) => name));

/** Calls a method of the element; what it was refused with. */
const call = (page: Page, method: "enter" | "leave" | "mute" | "setCamera" | "raiseHand", value?: string | boolean) =>
  page.evaluate(
    ([name, argument]) => {
      const element = document.querySelector("dais-room") as Room;
      return (globalThis as Bare).refusal((element[name] as (given?: unknown) => Promise<void>).call(element, argument ?? undefined));
    },
    [method, value ?? null] as const,
  );

test("an event page: visitors watch beside the agenda, the organiser has the stage", async ({ browser, pages }) => {
  const visitor = await visit(browser, pages.event);
  await visitor.getByLabel("Your name").fill('Ann <Lee> & "Co"');
  await clean(visitor, "landing page");
  await visitor.getByRole("button", { name: "Watch the event" }).click();
  await expect(visitor.getByText("The room is open.")).toBeVisible();
  const host = await visit(browser, `${pages.event}/organiser`, PORTRAITS.maya);
  await host.getByLabel("Password").fill("a guess");
  await host.getByRole("button", { name: "Go to the stage" }).click();
  await expect(host.getByRole("alert")).toHaveText("That is not the password.");
  await clean(host, "login");
  await host.getByLabel("Password").fill(PASSWORD);
  await host.getByRole("button", { name: "Go to the stage" }).click();
  await expect(host.getByText("You come in as the host.")).toBeVisible();
  const join = room(host).getByRole("button", { name: "Join stage" });
  await expect(join).toBeEnabled();
  await join.click();
  await expect(host.getByText("1 person here")).toBeVisible();

  await visitor.getByRole("button", { name: "Watch now" }).click();
  await expect(visitor.getByText("2 people here")).toBeVisible();
  await expect(room(visitor).getByRole("article", { name: "Maya Levin" }).locator("video.seen")).toBeVisible();
  await visitor.getByRole("button", { name: "Raise hand" }).first().click();
  await expect(visitor.getByText("Your hand is raised.")).toBeVisible();
  await expect(room(host).getByText("raised a hand").first()).toBeVisible();
  await expect(room(host).getByText('Ann <Lee> & "Co"').first()).toBeVisible();
  await clean(visitor, "the event");
  await visitor.screenshot(picture("event-live"));
  const guest = await visit(browser, pages.event);
  await expect(guest.getByText("Live now · 2 people are here")).toBeVisible();
  await guest.screenshot(picture("event-landing"));

  await room(visitor).getByRole("button", { name: "People", exact: true }).click();
  await visitor.setViewportSize({ width: 360, height: 740 });
  await fits(visitor);
  await visitor.screenshot(picture("event-phone"));
  await clean(visitor, "the event on a phone");
  await guest.setViewportSize({ width: 360, height: 740 });
  await fits(guest);

  await room(host).getByRole("button", { name: "Settings" }).click();
  await room(host).getByRole("menuitem", { name: "End the session for all" }).click();
  await room(host).getByRole("dialog").getByRole("button", { name: "End the session" }).click();
  await expect(visitor.getByRole("status").first()).toContainText("ended");
  for (const page of [visitor, host, guest]) await page.context().close();
});

test("a video portal: rooms with their counts, a host of each, light or dark", async ({ browser, pages }) => {
  const logIn = async (page: Page, name: string) => {
    await page.getByLabel("Your name").fill(name);
    await page.getByRole("button", { name: "Log in" }).click();
  };
  const maya = await visit(browser, pages.portal, PORTRAITS.maya);
  await clean(maya, "login");
  await logIn(maya, "Maya Levin");
  await expect(maya.getByText("No room is open. Make the first one.")).toBeVisible();
  await maya.getByLabel("Name", { exact: true }).fill("Thursday <i>stand-up</i>");
  await maya.getByRole("button", { name: "Create the room" }).click();
  await expect(maya.getByRole("heading", { name: "Thursday <i>stand-up</i>" })).toBeVisible();
  const join = room(maya).getByRole("button", { name: "Join stage" });
  await expect(join).toBeEnabled();
  await join.click();
  await expect(maya.getByText("You are the host · 1 person here, 1 on stage")).toBeVisible();

  const jonas = await visit(browser, pages.portal, PORTRAITS.jonas, { colorScheme: "dark" });
  await logIn(jonas, "Jonas Weber");
  await expect(jonas.getByText("1 person here")).toBeVisible();
  await clean(jonas, "list");
  await jonas.screenshot(picture("portal-list"));
  await jonas.getByRole("link", { name: /^Open/ }).click();
  await expect(jonas.getByText("You are a participant")).toBeVisible();
  const joinToo = room(jonas).getByRole("button", { name: "Join stage" });
  await expect(joinToo).toBeEnabled();
  await joinToo.click();
  await expect(maya.getByText("2 people here, 2 on stage")).toBeVisible();
  await expect(room(maya).locator(".tile video.seen")).toHaveCount(2);
  await expect(room(jonas).locator(".tile video.seen")).toHaveCount(2);
  expect(await room(jonas).locator("html").evaluate((root) => getComputedStyle(root).colorScheme)).toBe("dark");
  expect(await room(maya).locator("html").evaluate((root) => getComputedStyle(root).colorScheme)).toBe("light");
  await clean(maya, "a room in light colours");
  await clean(jonas, "a room in dark colours");
  await maya.screenshot(picture("portal-room"));
  // The page around changes its colours, and the room follows.
  await jonas.emulateMedia({ colorScheme: "light" });
  await expect.poll(() => room(jonas).locator("html").evaluate((root) => getComputedStyle(root).colorScheme)).toBe("light");
  await jonas.emulateMedia({ colorScheme: "dark" });
  await room(jonas).getByRole("button", { name: "People", exact: true }).click();
  await jonas.setViewportSize({ width: 360, height: 740 });
  await fits(jonas);
  await jonas.screenshot(picture("portal-phone"));
  expect((await jonas.request.post(`${jonas.url()}/end`)).status(), "only for who made it").toBe(403);

  await maya.getByRole("button", { name: "End for all" }).click();
  await expect(jonas.getByRole("status").first()).toContainText("ended");
  await expect(maya.getByText("No room is open. Make the first one.")).toBeVisible();
  for (const page of [maya, jonas]) await page.context().close();
});

test("the element: events, methods with the server's refusals, colours and language", async ({ browser, pages, server }) => {
  const page = await visit(browser, `${pages.bare}/#${await tokenOf(server, "participant")}`);
  await expect.poll(() => namesTold(page)).toEqual(["ready"]);
  expect(await lastTold(page, "ready")).toMatchObject({ role: "participant" });
  expect((await call(page, "raiseHand"))?.code).toBe("not_entered");
  expect(await call(page, "enter", "stage")).toBeNull();
  expect(await lastTold(page, "entered")).toMatchObject({ name: "Ann Lee", role: "participant" });
  await expect.poll(() => lastTold(page, "stagechange")).toEqual({ onStage: true, mic: true, camera: "shown" });
  expect(await lastTold(page, "presencechange")).toEqual({ count: 1, onStage: 1, viewers: 0 });
  expect(await call(page, "mute")).toBeNull();
  expect(await call(page, "setCamera", false)).toBeNull();
  await expect.poll(() => lastTold(page, "stagechange")).toEqual({ onStage: true, mic: false, camera: "off" });
  expect((await call(page, "mute"))?.code).toBe("mic_unchanged");
  expect(await call(page, "enter"), "they are in").toBeNull();

  const look = () => room(page).locator("html").evaluate((root: HTMLElement) => {
    const style = getComputedStyle(root);
    return { lang: root.lang, scheme: style.colorScheme, accent: style.getPropertyValue("--accent"), text: style.getPropertyValue("--text") };
  });
  const chosen = await look();
  expect(chosen, "the texts are English").toMatchObject({ lang: "en", scheme: "light", accent: "#663399" });
  expect(chosen.text, "red cannot be read well enough").not.toBe("#ff0000");
  await page.evaluate(() => (document.querySelector("dais-room") as Room).style.setProperty("--dais-background", "#101820"));
  await expect.poll(async () => (await look()).scheme).toBe("dark");
  const box = await page.locator("dais-room").boundingBox();
  expect((box?.width ?? 0) / (box?.height ?? 1), "by default 16:10").toBeCloseTo(1.6, 1);

  expect(await call(page, "leave")).toBeNull();
  await expect.poll(() => lastTold(page, "left")).toMatchObject({ code: "left" });
  expect((await call(page, "raiseHand"))?.code).toBe("left");
  // Another token is another room; one that is not valid says so.
  await page.evaluate((token) => document.querySelector("dais-room")?.setAttribute("token", token), `${await tokenOf(server, "participant")}x`);
  await expect.poll(() => lastTold(page, "error")).toMatchObject({ code: "token_invalid" });
  await page.evaluate(() => document.querySelector("dais-room")?.setAttribute("token", "nonsense"));
  await expect(page.getByText("The token cannot be read, and names no room.")).toBeVisible();
  await page.context().close();
});

test("a page that is not listed: it is told so, it is counted, and nobody else notices", async ({ browser, pages, server }) => {
  const inside = await Person.open(browser, server.links.Participant, "Ben Okoro");
  await inside.join("Join as viewer");
  const page = await visit(browser, `${pages.stranger}/#${await tokenOf(server, "participant")}`);
  await expect(page.getByRole("alert")).toContainText(`does not let pages of ${pages.stranger} show its rooms`);
  expect(await lastTold(page, "error")).toMatchObject({ code: "embedding_refused" });
  expect((await call(page, "enter"))?.code).toBe("embedding_refused");
  await page.setViewportSize({ width: 360, height: 740 });
  await fits(page);
  const told = await page.evaluate(
    (url) => new Promise<string>((done) => (new WebSocket(url).onmessage = ({ data }) => done(String(data)))),
    `${server.origin.replace("http", "ws")}/v1/rooms/demo/session`,
  );
  expect(JSON.parse(told)).toMatchObject({ type: "closed", code: "origin_not_allowed" });
  await expect.poll(() => server.metric("dais_refused_total", '"origin_not_allowed"')).toBe(1);
  await inside.button("Raise hand").click();
  await expect(inside.button("Lower hand")).toBeVisible();
  await inside.close();
  await page.context().close();
});

test("in Firefox: the event page, the portal, the element, and the page that is not listed", async ({ pages, server }) => {
  const person = await FirefoxPerson.open(pages.event, "Ama Owusu");
  const page = person.page;
  const click = (name: string, where: FirefoxPage | Frame = page) => where.locator(`::-p-aria([name="${name}"][role="button"])`).setTimeout(15_000).click();
  const says = (selector: string, text: string, where: FirefoxPage | Frame = page) => expect.poll(() => where.$eval(selector, (node) => node.textContent ?? "").catch(() => "")).toContain(text);
  const inner = async (): Promise<Frame> => page.waitForFrame((frame) => frame.url().includes("/r/"), { timeout: 15_000 });
  try {
    await page.locator("#name").fill("Ama Owusu");
    await click("Watch the event");
    await says("#state", "The room is open.");
    await click("Watch now");
    await says("#state", "1 person here");
    await page.locator("#hand").click();
    await says("#state", "Your hand is raised.");

    await page.goto(pages.portal);
    await page.locator("#name").fill("Ama Owusu");
    await click("Log in");
    await page.locator("#title").fill("Tea");
    await click("Create the room");
    await says("#state", "You are the host");
    const frame = await inner();
    await frame.locator("main.scene button.primary:not(:disabled)").setTimeout(15_000).click();
    await says("#state", "1 person here, 1 on stage");
    await expect.poll(() => frame.$$eval(".tile video.seen", (videos) => videos.length)).toBe(1);
    mkdirSync("test-results/images", { recursive: true });
    await page.screenshot({ path: resolve("test-results/images/portal-firefox.png") });
    await click("End for all");
    await says("h1", "Live rooms");

    const token = await tokenOf(server, "participant");
    await page.goto(`${pages.bare}/#${token}`);
    const told = () => page.evaluate(() => (globalThis as Bare).told.map(({ name }) => name));
    await expect.poll(told).toEqual(["ready"]);
    const ask = (code: string) => page.evaluate(`refusal(document.querySelector("dais-room").${code})`);
    expect(await ask("raiseHand()")).toMatchObject({ code: "not_entered" });
    expect(await ask('enter("stage")')).toBeNull();
    expect(await ask("setCamera(false)")).toBeNull();
    expect(await ask("mute()")).toBeNull();
    expect(await ask("leave()")).toBeNull();
    await expect.poll(told).toContain("left");

    await page.goto(`${pages.stranger}/#${token}`);
    await expect.poll(told).toEqual(["error"]);
    expect(await ask("enter()")).toMatchObject({ code: "embedding_refused" });
  } finally {
    await person.close();
  }
});
