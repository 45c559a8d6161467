import { Person, expect, test } from "./dais";

/** Entries measured; the first ones warm the browser up. */
const [WARM_UP, RUNS] = [2, 15];

/**
 * From the click on **Join stage**, devices ready, to the first decoded frame in another browser context on the same
 * machine: connection of signaling is up, ICE and DTLS are not.
 */
test("time from Join stage to the first frame elsewhere", async ({ browser, server }) => {
  test.setTimeout(300_000);
  // The viewer leaves the fake camera to the guest.
  const noDevices = `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotFoundError"));`;
  const viewer = await Person.open(browser, server.links.Participant, "Viewer", noDevices);
  await viewer.join("Join as viewer");
  const times: number[] = [];
  for (let run = 0; run < WARM_UP + RUNS; run += 1) {
    const name = `Guest ${run}`;
    const guest = await Person.open(browser, server.links.Participant, name);
    await guest.page.getByLabel("Your name").fill(name);
    await expect(guest.page.locator(".preview video.seen")).toBeVisible();
    const seen = viewer.page.evaluate(
      (who) =>
        new Promise<number>((done) => {
          const watch = () => {
            const video = document.querySelector<HTMLVideoElement>(`article[aria-label="${who}"] video`);
            if (video === null) return void setTimeout(watch, 1);
            video.requestVideoFrameCallback(() => done(performance.timeOrigin + performance.now()));
          };
          watch();
        }),
      name,
    );
    const clicked = await guest.page.evaluate(() => {
      const button = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Join stage");
      const at = performance.timeOrigin + performance.now();
      button?.click();
      return at;
    });
    const time = (await seen) - clicked;
    if (run >= WARM_UP) times.push(time);
    await guest.close();
  }
  await viewer.close();
  times.sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0);
  console.log(`join to first frame elsewhere, ms: min ${at(0)}, median ${at(0.5)}, p90 ${at(0.9)}, max ${at(1)} (${times.length} runs)`);
  expect(times).toHaveLength(RUNS);
});
