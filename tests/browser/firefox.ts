/** People with Firefox: Debian's, over WebDriver BiDi. */

import { launch } from "puppeteer-core";
import type { Browser, Page } from "puppeteer-core";
import { countNegotiations, expect, readNegotiations, readPictures, readReceived, showSoHigh } from "./dais";
import type { Negotiations, Pictures, Received } from "./dais";

/** In the page: it learns of no UDP candidate, so that only TCP is left. */
export function withoutUdp(): void {
  const original = RTCPeerConnection.prototype.setRemoteDescription as (description: RTCSessionDescriptionInit) => Promise<void>;
  RTCPeerConnection.prototype.setRemoteDescription = function (this: RTCPeerConnection, { type, sdp }: RTCSessionDescriptionInit) {
    return original.call(this, { type, sdp: (sdp ?? "").replace(/^a=candidate:\S+ 1 udp .*\r\n/gm, "") });
  };
}

/** Fake devices without a question, and ICE on loopback. */
const PREFERENCES = {
  "media.autoplay.default": 0,
  "media.navigator.permission.disabled": true,
  "media.navigator.streams.fake": true,
  "media.peerconnection.ice.loopback": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "permissions.default.camera": 1,
  "permissions.default.microphone": 1,
};

export class FirefoxPerson {
  private constructor(
    readonly page: Page,
    readonly name: string,
    private readonly browser: Browser,
  ) {}

  /** Opens a link; `script` runs in the page before anything else. */
  static async open(link: string, name: string, script?: () => void, preferences: Record<string, boolean> = {}): Promise<FirefoxPerson> {
    const executablePath = process.env["DAIS_FIREFOX"] ?? "/usr/bin/firefox-esr";
    const browser = await launch({ browser: "firefox", executablePath, headless: true, extraPrefsFirefox: { ...PREFERENCES, ...preferences } });
    try {
      const page = await browser.newPage();
      await page.setViewport({ width: 1360, height: 800 });
      await page.evaluateOnNewDocument(countNegotiations);
      if (script !== undefined) await page.evaluateOnNewDocument(script);
      await page.goto(link);
      return new FirefoxPerson(page, name, browser);
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  /** Clicks what has this name, once it can be clicked. */
  async click(name: string): Promise<void> {
    await this.page.locator(`::-p-aria([name="${name}"][role="button"])`).setTimeout(15_000).click();
  }

  /** Types the name, and comes in. */
  async join(how: "Join as viewer" | "Join stage"): Promise<void> {
    await this.page.locator("::-p-aria(Your name)").fill(this.name);
    await this.click(how);
    await this.page.locator("main.stage").setTimeout(15_000).wait();
  }

  /** Waits until so many pictures of others, and the own one, are shown. */
  async sees(pictures: number): Promise<void> {
    await expect.poll(() => this.page.$$eval(".tile video.seen", (videos) => videos.length)).toBe(pictures);
  }

  received(): Promise<Received[]> {
    return this.page.evaluate(readReceived);
  }

  pictures(): Promise<Pictures> {
    return this.page.evaluate(readPictures);
  }

  /** Shows cameras so high, in pixels. */
  show(height: number): Promise<void> {
    return this.page.evaluate(showSoHigh, height);
  }

  negotiations(): Promise<Negotiations> {
    return this.page.evaluate(readNegotiations);
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}
