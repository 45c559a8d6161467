import { defineConfig } from "@playwright/test";

/** Measurements are part of `cargo xtask bench`, and somebody on stage behind a line of `cargo xtask net`. */
const measured = process.env["DAIS_MEASURE"] ? "*.measure.ts" : "*.spec.ts";

export default defineConfig({
  testDir: ".",
  testMatch: process.env["DAIS_LINK"] ? "publisher.net.ts" : measured,
  // Several pages with video share two cores: one test at a time.
  workers: 1,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  forbidOnly: true,
  // Chromium's fake camera, opened by several contexts at once, now and then delivers no frame at all to one of them.
  // A test that passes only the second time is reported as flaky.
  retries: 1,
  reporter: "list",
  use: {
    actionTimeout: 15_000,
    viewport: { width: 1360, height: 800 },
    launchOptions: {
      executablePath: process.env["DAIS_CHROMIUM"] ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-renderer-backgrounding",
        "--disable-backgrounding-occluded-windows",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        "--autoplay-policy=no-user-gesture-required",
      ],
    },
  },
});
