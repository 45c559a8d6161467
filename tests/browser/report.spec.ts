/** The page that dais-load leaves of a run: looked at from its file, as its reader does. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test as base } from "@playwright/test";
import type { Page } from "@playwright/test";
import { Server } from "./dais";

const RESULT = resolve("../../load/tests/data/sample.json");
const LOAD = process.env["DAIS_LOAD_BIN"] ?? resolve("../../target/debug/dais-load");

interface Opened {
  page: Page;
  /** What the console and the browser complained about. */
  complaints: string[];
  /** Every address the page asked for. */
  requests: string[];
}

const test = base.extend<{ report: Opened }>({
  report: async ({ page }, use) => {
    const folder = mkdtempSync(join(tmpdir(), "dais-report-"));
    const file = join(folder, "report.html");
    execFileSync(LOAD, ["report", RESULT, "--html", file], { stdio: ["ignore", "ignore", "inherit"] });
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await use({ page, complaints, requests });
    rmSync(folder, { recursive: true });
  },
});

async function clean(page: Page, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`), where).toEqual([]);
}

test("the page needs nothing but its file, and complains about nothing", async ({ report }) => {
  const { page, complaints, requests } = report;
  await expect(page.getByRole("heading", { level: 1, name: "hd" })).toBeVisible();
  await expect(page.getByText("1 of 7 thresholds not met.")).toBeVisible();
  await page.getByRole("img", { name: /^Packets received/ }).hover();
  expect(requests).toEqual([page.url()]);
  expect(complaints).toEqual([]);
});

test("every plot is drawn, with axes and a name", async ({ report: { page } }) => {
  const plots = page.getByRole("img");
  await expect(plots).toHaveCount(9);
  const seen = await plots.evaluateAll((charts) =>
    charts.map((chart) => {
      const { width, height } = chart.getBoundingClientRect();
      const marks = [...chart.querySelectorAll<SVGGraphicsElement>("path, rect.bar, rect.to-p50")];
      const numbers = marks.flatMap((mark) => (mark.getAttribute("d") ?? "").match(/-?[\d.]+|NaN|inf/g) ?? []).map(Number);
      const boxes = marks.map((mark) => mark.getBoundingClientRect());
      return {
        name: chart.getAttribute("aria-label") ?? "",
        large: width > 300 && height > 100,
        marks: marks.length,
        finite: numbers.every(Number.isFinite),
        drawn: boxes.some((box) => box.width > 10 && box.height > 10),
        labels: chart.querySelectorAll("text").length,
      };
    }),
  );
  for (const { name, marks, labels, ...rest } of seen) {
    expect(rest, name).toEqual({ large: true, finite: true, drawn: true });
    expect(marks, name).toBeGreaterThan(0);
    expect(labels, name).toBeGreaterThan(5);
    expect(name).toMatch(/^[A-Z].*\d/);
  }
});

test("a run on a real server leaves a page with its plots", async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), "dais-report-"));
  const server = await Server.start();
  try {
    const html = join(folder, "report.html");
    const token = new URL(server.links.Participant).hash.replace("#token=", "");
    const small = ["--viewers", "5", "--seconds", "4"];
    const where = ["--url", server.origin, "--token", token, "--metrics", server.metrics, "--quiet", "--html", html];
    // A machine that does something else meanwhile may miss the threshold of latency: the page is what is looked at.
    spawnSync(LOAD, ["run", "hd", ...small, ...where], { stdio: ["ignore", "ignore", "inherit"] });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(pathToFileURL(html).href);
    await expect(page.getByText("1 sending, 5 viewing")).toBeVisible();
    const lines = await page.locator(".chart .line").evaluateAll((paths) => paths.map((path) => path.getAttribute("d") ?? ""));
    expect(lines.filter((line) => line.split("L").length > 3).length, "lines of several points").toBeGreaterThan(2);
    expect(lines.join(" ")).not.toMatch(/NaN|inf/);
    expect(complaints).toEqual([]);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
});

test("pointing at a second reads it out in every plot", async ({ report: { page } }) => {
  const plot = page.getByRole("figure").filter({ hasText: "One-way latency" });
  const value = plot.locator("[data-column]").last();
  await expect(value).toHaveText("2.26 ms");
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.getByRole("img").boundingBox();
  if (box === null) throw new Error("the plot has no place");
  // Second 33 of 60 has the one outlier.
  await page.mouse.move(box.x + (box.width * 32.5) / 60, box.y + 20);
  await expect(value).toHaveText("33 s: 6.12 ms");
  await expect(page.getByRole("figure").filter({ hasText: "Packets received" }).locator("[data-column]")).toHaveText(/^33 s: \d\d,\d{3}$/);
  await page.mouse.move(0, 0);
  await expect(value).toHaveText("2.26 ms");
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing serious in ${colorScheme} colours`, async ({ report: { page } }) => {
    await page.emulateMedia({ colorScheme });
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(background).toBe(colorScheme === "dark" ? "rgb(15, 17, 21)" : "rgb(246, 247, 249)");
    for (const table of await page.locator("summary").all()) await table.click();
    await expect(page.getByRole("region", { name: "Table of seconds" }).getByRole("row")).toHaveCount(61);
    await clean(page, colorScheme);
    // axe does not look into pictures: lines and labels need contrast with the card too (WCAG 2.2, 1.4.3 and 1.4.11).
    const contrasts = await page.evaluate(() => {
      const luminance = (color: string) => {
        const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map((part) => {
          const value = Number(part) / 255;
          return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      };
      const contrast = (one: string, other: string) => {
        const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
      };
      const card = getComputedStyle(document.querySelector(".plot") as Element).backgroundColor;
      const of = (selector: string, property: "stroke" | "fill") =>
        [...document.querySelectorAll(selector)].map((element) => contrast(getComputedStyle(element)[property], card));
      return { lines: of(".chart .line", "stroke"), labels: of(".chart text", "fill") };
    });
    expect(Math.min(...contrasts.lines)).toBeGreaterThanOrEqual(3);
    expect(Math.min(...contrasts.labels)).toBeGreaterThanOrEqual(4.5);
  });
}

test("nothing is cut off from 360 pixels up", async ({ report: { page } }) => {
  for (const width of [360, 480, 861, 1360]) {
    await page.setViewportSize({ width, height: 800 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(over, `at ${width} px`).toBeLessThanOrEqual(0);
    const cut = await page.locator(".chart").evaluateAll((charts) =>
      charts.flatMap((chart) => {
        const card = (chart.closest("figure") as Element).getBoundingClientRect();
        const texts = [...chart.querySelectorAll("text")].map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
        return texts.filter(({ box }) => box.left < card.left || box.right > card.right).map(({ text }) => text);
      }),
    );
    expect(cut, `labels at ${width} px`).toEqual([]);
  }
});
