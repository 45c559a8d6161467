/** What any WHIP or WHEP script in a browser does, from a page of another origin than the server's. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "@playwright/test";
import { expect, test } from "./dais";
import type { Server } from "./dais";

/** An empty page, served from a port of its own. */
async function foreignOrigin(): Promise<{ url: string; close: () => void }> {
  const web = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>Studio</title>"));
  await new Promise<void>((listening) => web.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${(web.address() as AddressInfo).port}/`, close: () => web.close() };
}

/** A page of another origin with a connection it negotiates over HTTP. */
class Studio {
  private constructor(
    readonly page: Page,
    private readonly errors: string[],
  ) {}

  static async open(browser: Browser, url: string): Promise<Studio> {
    const context = await browser.newContext({ permissions: ["camera", "microphone"] });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(url);
    return new Studio(page, errors);
  }

  /** Publishes camera and microphone, or plays one picture and one voice. Candidates are trickled. */
  async start(endpoint: string, token: string, publishes: boolean): Promise<void> {
    await this.page.evaluate(
      async ({ endpoint, token, publishes }) => {
        const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
        if (publishes) {
          const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
          stream.getTracks().forEach((track) => connection.addTransceiver(track, { direction: "sendonly", streams: [stream] }));
        } else {
          const video = document.body.appendChild(document.createElement("video"));
          video.autoplay = true;
          connection.addTransceiver("audio", { direction: "recvonly" });
          connection.addTransceiver("video", { direction: "recvonly" });
          connection.addEventListener("track", ({ streams: [stream] }) => (video.srcObject = stream ?? null));
        }
        const candidates: RTCIceCandidate[] = [];
        const gathered = new Promise<void>((done) => {
          connection.addEventListener("icecandidate", ({ candidate }) => (candidate === null ? done() : candidates.push(candidate)));
        });
        await connection.setLocalDescription();
        const authorization = `Bearer ${token}`;
        const body = connection.localDescription?.sdp ?? "";
        const created = await fetch(endpoint, { method: "POST", headers: { authorization, "content-type": "application/sdp" }, body });
        if (created.status !== 201) throw new Error(`${created.status} ${await created.text()}`);
        const session = new URL(created.headers.get("location") ?? "", endpoint).href;
        const tag = created.headers.get("etag") ?? "";
        await connection.setRemoteDescription({ type: "answer", sdp: await created.text() });
        await gathered;

        const part = (sdp: string) => ["ice-ufrag", "ice-pwd"].map((key) => new RegExp(`^a=${key}:.*$`, "m").exec(sdp)?.[0] ?? "");
        const change = (match: string, sdp: string, found: RTCIceCandidate[]) => {
          const lines = ["m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", ...part(sdp), ...found.map(({ candidate }) => `a=${candidate}`)];
          const headers = { authorization, "content-type": "application/trickle-ice-sdpfrag", "if-match": match };
          return fetch(session, { method: "PATCH", headers, body: lines.map((line) => `${line}\r\n`).join("") });
        };
        const trickled = await change(tag, body, candidates);
        if (trickled.status !== 204) throw new Error(`${trickled.status} ${await trickled.text()}`);
        const restart = async () => {
          connection.restartIce();
          await connection.setLocalDescription();
          const restarted = await change("*", connection.localDescription?.sdp ?? "", []);
          if (restarted.status !== 200) throw new Error(`${restarted.status} ${await restarted.text()}`);
          const [ufrag = "", pwd = ""] = part(await restarted.text());
          const before = connection.remoteDescription?.sdp ?? "";
          const sdp = before.replace(/^a=ice-ufrag:.*$/gm, ufrag.trim()).replace(/^a=ice-pwd:.*$/gm, pwd.trim());
          await connection.setRemoteDescription({ type: "answer", sdp });
          return ufrag;
        };
        const end = async () => (await fetch(session, { method: "DELETE", headers: { authorization } })).status;
        Object.assign(globalThis, { whip: { connection, restart, end } });
      },
      { endpoint, token, publishes },
    );
  }

  /** Frames decoded and sound heard so far, as one player has them, and whether both come in one stream. */
  played(): Promise<{ frames: number; energy: number; together: boolean }> {
    return this.page.evaluate(async () => {
      const { whip } = globalThis as unknown as { whip: { connection: RTCPeerConnection } };
      const reports = [...(await whip.connection.getStats()).values()].filter((report) => report.type === "inbound-rtp");
      const sum = (key: string) => reports.reduce((total, report) => total + ((report[key] as number | undefined) ?? 0), 0);
      const stream = document.querySelector("video")?.srcObject as MediaStream | null;
      return { frames: sum("framesDecoded"), energy: sum("totalAudioEnergy"), together: stream?.getTracks().length === 2 };
    });
  }

  /** Restarts ICE and returns what the server's user fragment is then. */
  restart(): Promise<string> {
    return this.page.evaluate(() => (globalThis as unknown as { whip: { restart: () => Promise<string> } }).whip.restart());
  }

  /** Status of the end of the session. */
  end(): Promise<number> {
    return this.page.evaluate(() => (globalThis as unknown as { whip: { end: () => Promise<number> } }).whip.end());
  }

  /** The server's user fragment in the pair in use. */
  ufragInUse(): Promise<string> {
    return this.page.evaluate(async () => {
      const { whip } = globalThis as unknown as { whip: { connection: RTCPeerConnection } };
      const stats = await whip.connection.getStats();
      const transport = [...stats.values()].find((report) => report.type === "transport") as { selectedCandidatePairId?: string } | undefined;
      const pair = stats.get(transport?.selectedCandidatePairId ?? "") as { remoteCandidateId?: string } | undefined;
      const remote = stats.get(pair?.remoteCandidateId ?? "") as { usernameFragment?: string } | undefined;
      return remote?.usernameFragment ?? "";
    });
  }

  async close(): Promise<void> {
    expect(this.errors).toEqual([]);
    await this.page.context().close();
  }
}

async function token(server: Server, role: string, name: string): Promise<string> {
  return (await server.api("POST", "/v1/rooms/demo/tokens", { role, name }))["token"] as string;
}

async function expectPlaying(player: Studio): Promise<void> {
  const before = await player.played();
  await expect
    .poll(async () => {
      const { frames, energy, together } = await player.played();
      return { moves: frames > before.frames + 5, sounds: energy > before.energy, together };
    })
    .toEqual({ moves: true, sounds: true, together: true });
}

test("a page of another origin publishes by WHIP, and another one plays it by WHEP", async ({ browser, server }) => {
  const origin = await foreignOrigin();
  const studio = await Studio.open(browser, origin.url);
  const screen = await Studio.open(browser, origin.url);
  const rooms = `${server.origin}/v1/rooms/demo`;
  await studio.start(`${rooms}/whip`, await token(server, "speaker", "Studio"), true);
  await screen.start(`${rooms}/whep`, await token(server, "participant", "Screen"), false);
  await expectPlaying(screen);
  expect(await server.api("GET", "/v1/rooms/demo")).toMatchObject({ onStage: 1, viewers: 1 });

  // Both restart ICE; pictures and sound go on over the new session.
  for (const page of [studio, screen]) {
    const ufrag = (await page.restart()).replace("a=ice-ufrag:", "").trim();
    await expect.poll(() => page.ufragInUse()).toBe(ufrag);
  }
  await expectPlaying(screen);

  expect(await studio.end()).toBe(200);
  expect(await screen.end()).toBe(200);
  expect(await server.api("GET", "/v1/rooms/demo")).toMatchObject({ onStage: 0, viewers: 0 });
  await studio.close();
  await screen.close();
  origin.close();
});

test("a page is told why it may not publish", async ({ browser, server }) => {
  await server.api("PATCH", "/v1/rooms/demo", { access: "request" });
  const origin = await foreignOrigin();
  const studio = await Studio.open(browser, origin.url);
  const guest = await token(server, "participant", "Guest");
  const started = studio.start(`${server.origin}/v1/rooms/demo/whip`, guest, true);
  await expect(started).rejects.toThrow(/403 .*stage_not_at_entry/);
  await studio.close();
  origin.close();
});
