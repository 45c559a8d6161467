/** What the page's own script takes with a full stage, a crowd that reacts, and thousands in the list. */

import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { crowd } from "./crowd";
import { expect, test } from "./dais";

const [TILES, MANY, REACTIONS_PER_SECOND, MEASURED_MS] = [25, 5_000, 200, 10_000];
const LOAD = process.env["DAIS_LOAD_BIN"] ?? resolve("../../target/release/dais-load");

/** An event of the browser's trace; times are in µs. */
interface Traced {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  /** Processor time. */
  tdur?: number;
  args: { name?: string };
}

/** What runs script of the page: each of these may have others within it. */
const SCRIPT = new Set(["FunctionCall", "EvaluateScript", "RunMicrotasks", "TimerFire", "FireAnimationFrame", "EventDispatch", "v8.callFunction"]);
const TASK = "RunTask";
/** A sixtieth of a second. */
const FRAME_US = 1_000_000 / 60;

/** Those of `events` that are within no other. */
function outermost(events: Traced[]): Traced[] {
  let end = 0;
  return events.sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0)).filter(({ ts, dur = 0 }) => {
    const outer = ts >= end;
    if (outer) end = ts + dur;
    return outer;
  });
}

/** Processor time where the browser tells it: other programs share the machine. */
const took = ({ tdur, dur = 0 }: Traced): number => (tdur ?? dur) / 1_000;

test("script of the page, with 25 tiles, 200 reactions a second and 5,000 people in the list", async ({ browser, server, open }) => {
  test.setTimeout(300_000);
  const token = new URL(server.links.Participant).hash.replace("#token=", "");
  const where = ["--url", server.origin, "--token", token];
  const publishing = spawn(LOAD, ["publish", ...where, "--cameras", `${TILES}`, "--microphones", "3", "--layers", "150000", "--seconds", "200"], { stdio: "ignore" });
  const people = await crowd(server, Array.from({ length: MANY }, (_, n) => `Viewer ${n + 1}`));
  const host = await open("Host", "Maya Levin");
  await host.join("Join as viewer");
  await expect(host.page.locator("main article")).toHaveCount(TILES);
  await expect(host.list("Viewers").getByRole("listitem").first()).toBeVisible();
  let reactions = 0;
  const reacting = setInterval(() => {
    // Twenty every tenth of a second, no viewer more than once in five.
    for (let n = 0; n < REACTIONS_PER_SECOND / 10; n += 1) {
      people.say(reactions % 1_000, { type: "react", id: 10 + reactions, reaction: ["applause", "love", "wow"][reactions % 3] });
      reactions += 1;
    }
  }, 100);
  await host.page.waitForTimeout(2_000);
  await browser.startTracing(host.page, { categories: ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel", "__metadata"] });
  await host.page.waitForTimeout(MEASURED_MS);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: Traced[] };
  clearInterval(reacting);
  publishing.kill();

  // The page's main thread is the one with most script.
  const mains = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const of = ({ pid, tid }: Traced) => traceEvents.filter((event) => event.pid === pid && event.tid === tid && event.ph === "X");
  const scriptOf = (events: Traced[]) => outermost(events.filter(({ name }) => SCRIPT.has(name)));
  const total = (events: Traced[]) => scriptOf(events).reduce((sum, event) => sum + took(event), 0);
  const page = mains.map(of).sort((a, b) => total(b) - total(a))[0] ?? [];
  const script = scriptOf(page);
  const perFrame: number[] = Array.from({ length: Math.floor((MEASURED_MS * 1_000) / FRAME_US) }, () => 0);
  for (const event of script) {
    const frame = Math.floor((event.ts - (script[0]?.ts ?? 0)) / FRAME_US);
    if (frame < perFrame.length) perFrame[frame] = (perFrame[frame] ?? 0) + took(event);
  }
  perFrame.sort((a, b) => a - b);
  const at = (share: number) => (perFrame[Math.min(perFrame.length - 1, Math.floor(share * perFrame.length))] ?? 0).toFixed(1);
  const tasks = page.filter(({ name }) => name.endsWith(TASK)).map(took).sort((a, b) => b - a);
  console.log(`script in a frame, ms: median ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)} (${perFrame.length} frames in ${MEASURED_MS / 1_000} s)`);
  console.log(`longest tasks, ms: ${tasks.slice(0, 5).map((ms) => ms.toFixed(1)).join(", ")}; over 50 ms: ${tasks.filter((ms) => ms > 50).length}`);
  people.leave();
  expect(perFrame.filter((ms) => ms > 0).length, "frames with script").toBeGreaterThan(100);
});
