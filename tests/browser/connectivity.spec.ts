/** The connection test: what works from where a person sits, whom no room knows. */

import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { test as blockedTest } from "./network";
import { expect, test } from "./dais";
import { picture } from "./pictures";

const EVERYTHING = ["--media-tcp-port", "0", "--turn-port", "0"];

const row = (page: Page, way: string) => page.getByRole("listitem").filter({ hasText: way });

/** Waits for the end of the test, and expects of each way what is said of it. */
async function expectOutcomes(page: Page, expected: Record<string, RegExp>): Promise<void> {
  await expect(page.getByRole("heading", { name: "Connection test" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Copy report" })).toBeEnabled();
  for (const [way, outcome] of Object.entries(expected)) await expect(row(page, way), way).toContainText(outcome);
}

async function clean(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
}

const WORKS = /works, \d+ ms/;

test.describe("with everything a server can offer", () => {
  test.use({ args: EVERYTHING });

  test("each way is tried by itself, without a device, and the report can be copied", async ({ browser, server }) => {
    // No permission for camera or microphone, and none is asked for.
    const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", ({ message }) => errors.push(message));
    await page.goto(`${server.origin}/connectivity`);
    await expectOutcomes(page, {
      "(WebSocket)": WORKS,
      "(UDP)": WORKS,
      "over TCP": WORKS,
      "(TURN)": WORKS,
    });
    await expect(page.getByText("Everything you need works from here.")).toBeVisible();
    await page.getByRole("button", { name: "Copy report" }).click();
    await expect(page.getByText("The report is on the clipboard.")).toBeVisible();
    const report = await page.evaluate(() => navigator.clipboard.readText());
    expect(report).toMatch(/^Connection test of 127\.0\.0\.1:\d+, \d{4}-.*\nEverything you need works from here\.\n\nsocket: works, \d+ ms\nudp: works, /);
    await clean(page);
    // Again, and at any width.
    await page.getByRole("button", { name: "Test again" }).click();
    await expectOutcomes(page, { "(WebSocket)": WORKS, "(UDP)": WORKS });
    for (const width of [360, 390, 720, 1360]) {
      await page.setViewportSize({ width, height: 780 });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(over, `at ${width} px`).toBeLessThanOrEqual(0);
    }
    expect(errors).toEqual([]);
    expect(await server.metric("dais_participants"), "nobody was in any room").toBe(0);
    await context.close();
  });
});

test("what the server does not offer is not called broken", async ({ browser, server }) => {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/connectivity`);
  const absent = /not offered by this server/;
  await expectOutcomes(page, { "(UDP)": WORKS, "over TCP": absent, "(TURN)": absent });
  await expect(page.getByText("Everything you need works from here.")).toBeVisible();
  await page.close();
});

test("where joining fails there is a way to the test", async ({ browser, server }) => {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/r/demo#token=nonsense`);
  const opened = page.waitForEvent("popup");
  await page.getByRole("link", { name: "Test your connection" }).click();
  await expect((await opened).getByRole("heading", { name: "Connection test" })).toBeVisible();
  await page.close();
});

blockedTest.describe("in a network without UDP", () => {
  blockedTest.use({ args: EVERYTHING });

  blockedTest("a person learns what is blocked and what is left", async ({ network, inside, server }) => {
    network.blockUdp();
    const context = await inside.newContext({ viewport: { width: 1000, height: 720 } });
    const page = await context.newPage();
    await page.goto(`${server.origin}/connectivity`);
    await expectOutcomes(page, {
      "(WebSocket)": WORKS,
      "(UDP)": /does not work/,
      "over TCP": WORKS,
      "(TURN)": WORKS,
    });
    await expect(page.getByText("Your network lets no UDP through, so sound and picture go over TCP")).toBeVisible();
    await clean(page);
    await page.screenshot(picture("connectivity"));
  });
});
