/** The participants list of a large room. */

import { AxeBuilder } from "@axe-core/playwright";
import { crowd } from "./crowd";
import { expect, test } from "./dais";
import { picture } from "./pictures";
import { PORTRAITS } from "./portraits";

/** Viewers without a page. */
const MANY = 5_000;

// law: viewer-listed
test("of 5,000 viewers a host reaches the last, finds one, brings them on stage and removes another, with few rows in the page", async ({ server, open }) => {
  test.setTimeout(300_000);
  const host = await open("Host", "Maya Levin", PORTRAITS.maya);
  await host.join("Join stage");
  const { leave } = await crowd(server, Array.from({ length: MANY }, (_, n) => `Viewer ${n + 1}`));
  const ann = await open("Participant", "Zoë Özdemir");
  await ann.join("Join as viewer");
  await expect(host.page.getByRole("heading", { name: `Viewers · ${MANY + 1}` })).toBeVisible();
  const viewers = host.list("Viewers");
  const row = (name: string) => viewers.getByRole("listitem").filter({ hasText: name });
  const rows = () => host.page.locator("#people li").count();
  await expect(row("Viewer 1").first()).toBeVisible();
  expect(await rows()).toBeLessThan(100);
  await host.page.screenshot(picture("viewers"));

  // With the keyboard alone to the end, and back.
  const scroller = host.page.getByRole("group", { name: "Lists of people" });
  // The end is that of the list as it was read last, which is every few seconds.
  await expect(row("Viewer 1").first()).toHaveAttribute("aria-setsize", `${MANY + 1}`);
  await scroller.focus();
  await host.page.keyboard.press("End");
  await expect(row("Zoë Özdemir"), "the last of all").toBeInViewport();
  await expect(row("Zoë Özdemir")).toHaveAttribute("aria-posinset", `${MANY + 1}`);
  await expect(row("Zoë Özdemir")).toHaveAttribute("aria-setsize", `${MANY + 1}`);
  await expect(viewers.getByText("Loading…")).toHaveCount(0);
  expect(await rows()).toBeLessThan(100);
  await host.page.keyboard.press("Home");
  await expect(row("Viewer 1").first()).toBeInViewport();

  // The focus stays with whoever has it, however far the list is scrolled.
  await viewers.getByRole("listitem").first().getByRole("button").focus();
  const focused = await host.page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
  await scroller.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
  await expect(viewers.getByRole("listitem").nth(5)).toHaveAttribute("aria-posinset", /^2\d\d\d$/);
  expect(await host.page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe(focused);

  // A search finds one of them all, whatever was read before, and moderating works on who was found.
  const search = host.page.getByRole("searchbox", { name: "Search people" });
  await search.fill("öZDEM");
  await expect(host.page.getByRole("status").filter({ hasText: "1 person found" })).toBeVisible();
  await expect(viewers.getByRole("listitem")).toHaveCount(1);
  await host.menu("More about Zoë Özdemir", "Invite on stage");
  await expect(row("Zoë Özdemir")).toContainText("invited");
  await ann.notices().getByRole("button", { name: "Join stage" }).click();
  await ann.getReady();
  await expect(host.list("On stage").getByText("Zoë Özdemir")).toBeVisible();
  await expect(viewers.getByRole("listitem")).toHaveCount(0);
  await search.fill("viewer 4321");
  await expect(viewers.getByRole("listitem")).toHaveText([/^V?\d?.*Viewer 4321/]);
  await host.menu("More about Viewer 4321", "Block from chat");
  await expect(row("Viewer 4321"), "read again by itself").toContainText("blocked from chat");
  await host.menu("More about Viewer 4321", "Remove from the room");
  await host.page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(host.page.getByRole("status").filter({ hasText: "Nobody found" })).toBeVisible();
  await search.fill("viewer");
  await expect(host.page.getByRole("status").filter({ hasText: `${MANY - 1} people found` })).toBeVisible();
  await search.fill("");
  await expect(host.page.getByRole("heading", { name: `Viewers · ${MANY - 1}` })).toBeVisible();
  await expect(row("Viewer 1").first()).toBeVisible();

  const { violations } = await new AxeBuilder({ page: host.page }).analyze();
  expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id }) => id)).toEqual([]);
  await host.page.setViewportSize({ width: 360, height: 740 });
  await expect(viewers.getByRole("listitem").nth(3)).toBeVisible();
  expect(await host.page.evaluate(() => document.documentElement.scrollWidth), "nothing is cut off").toBe(360);
  await host.page.screenshot(picture("viewers-phone"));
  expect((await host.negotiations()).errors).toEqual([]);
  leave();
});
