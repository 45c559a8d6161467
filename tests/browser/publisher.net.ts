/**
 * No test: somebody on stage for `cargo xtask net`, whose browser is behind the line. The network is that of the namespace this
 * runs in.
 */

import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { chromium, test } from "@playwright/test";
import { Person } from "./dais";
import config from "./playwright.config";

const LINK = process.env["DAIS_LINK"] ?? "";
/** Where the camera's film is put; they stay on stage for as long as it is there. */
const FILM = process.env["DAIS_FILM"] ?? "";
const [WIDTH, HEIGHT, FRAMES] = [1280, 720, 30];

/**
 * A film of a second for the camera, which is shown over and over: a wall that moves and crackles. What hardly moves, such as the
 * browser's own test picture, is less than the layers could take.
 */
function film(file: string): void {
  const out = openSync(file, "w");
  writeSync(out, `YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FRAMES}:1 Ip A1:1 C420jpeg\n`);
  let random = 1;
  const noise = Uint8Array.from({ length: 1 << 20 }, () => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return random >>> 27;
  });
  const luma = Buffer.alloc(WIDTH * HEIGHT);
  const chroma = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  for (let frame = 0; frame < FRAMES; frame += 1) {
    for (let y = 0; y < HEIGHT; y += 1) {
      for (let x = 0; x < WIDTH; x += 1) {
        const wall = 100 + 60 * Math.sin((2 * Math.PI * (x + (y >> 1))) / 320 + (2 * Math.PI * frame) / FRAMES);
        luma[y * WIDTH + x] = wall + (noise[((y >> 1) * 911 + (x >> 1) + frame * 7_919) & (noise.length - 1)] ?? 0);
      }
    }
    writeSync(out, "FRAME\n");
    writeSync(out, luma);
    writeSync(out, chroma);
  }
  closeSync(out);
}

test("publishes", async () => {
  test.setTimeout(600_000);
  film(FILM);
  const { launchOptions } = config.use ?? {};
  const insecure = `--unsafely-treat-insecure-origin-as-secure=${new URL(LINK).origin}`;
  const args = [...(launchOptions?.args ?? []), insecure, `--use-file-for-fake-video-capture=${FILM}`];
  const browser = await chromium.launch({ ...launchOptions, args });
  try {
    const person = await Person.open(browser, LINK, "Maya Levin");
    await person.join("Join stage");
    console.log("publishing");
    while (existsSync(FILM)) await person.page.waitForTimeout(100);
  } finally {
    await browser.close();
  }
});
