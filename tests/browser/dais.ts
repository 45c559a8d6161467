/** A real server, and people who open its page. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test as base } from "@playwright/test";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "@playwright/test";

export type Role = "Host" | "Speaker" | "Participant";

export const API_KEY = "a key for the tests, of 32 bytes or more";

/** Starts the binary, after a command that runs others, and reads the links it prints, as a person would. */
async function launch(args: string[], runner: string[] = []): Promise<{ child: ChildProcess; links: Record<Role, string>; metrics: string }> {
  const binary = process.env["DAIS_BIN"] ?? resolve("../../target/debug/dais");
  const [command = binary, ...rest] = [...runner, binary, ...args];
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, DAIS_API_KEY: API_KEY } });
  let printed = "";
  return await new Promise((done, failed) => {
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`the server ended with ${code}`)));
    child.stdout?.on("data", (data: Buffer) => {
      printed += data.toString();
      const link = (role: Role) => new RegExp(`${role} +(http\\S+)`).exec(printed)?.[1];
      const [Host, Speaker, Participant] = [link("Host"), link("Speaker"), link("Participant")];
      const metrics = /Metrics: (\S+)/.exec(printed)?.[1];
      if (!Host || !Speaker || !Participant || !metrics || !printed.includes("Ctrl-C")) return;
      done({ child, links: { Host, Speaker, Participant }, metrics });
    });
  });
}

/** A server process with a demo room. */
export class Server {
  private constructor(
    private process: ChildProcess,
    readonly links: Record<Role, string>,
    /** Where its metrics are. */
    public metrics: string,
    private readonly args: string[],
    private readonly data: string,
  ) {}

  /** `runner` begins the command. */
  static async start(args: string[] = [], listen = "127.0.0.1:0", runner: string[] = []): Promise<Server> {
    const data = mkdtempSync(join(tmpdir(), "dais-browser-"));
    const { child, links, metrics } = await launch(["--listen", listen, "--data", data, ...args], runner);
    return new Server(child, links, metrics, args, data);
  }

  /** SIGKILL: it has no time to do anything. */
  async kill(): Promise<void> {
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGKILL");
    await ended;
  }

  /** Starts it again at the same address, with the same journal. */
  async restart(): Promise<void> {
    const again = ["--listen", new URL(this.origin).host, "--metrics-listen", "127.0.0.1:0", "--data", this.data];
    const { child, metrics } = await launch([...again, ...this.args]);
    this.process = child;
    this.metrics = metrics;
  }

  /** A request to the HTTP API. */
  async api(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const headers = { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" };
    const response = await fetch(`${this.origin}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  get origin(): string {
    return new URL(this.links.Host).origin;
  }

  /** The sum of a metric over the label values that match. */
  async metric(name: string, label = ""): Promise<number> {
    const text = await (await fetch(this.metrics)).text();
    const lines = text.split("\n").filter((line) => line.startsWith(name) && line.includes(label));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  async stop(): Promise<number | null> {
    const ended = new Promise<number | null>((done) => this.process.once("exit", done));
    this.process.kill("SIGINT");
    const code = await ended;
    rmSync(this.data, { recursive: true, force: true });
    return code;
  }
}

/** What a page received in its slots, by kind. */
export interface Received {
  kind: "audio" | "video";
  mid: string;
  packets: number;
  frames: number;
  energy: number;
}

/** What a page sends and receives pictures in at the moment: names of codecs, each once. */
export interface Pictures {
  sends: string[];
  receives: string[];
  /** Of the highest one received, pixels. */
  height: number;
}

/** How often a page has agreed upon session descriptions, and what went wrong in it. */
export interface Negotiations {
  local: number;
  remote: number;
  errors: string[];
}

// These run in the page: they see nothing of this module.

/**
 * Before anything else: counts every session description of the page, but for those it agrees upon with itself, where only the bit rate
 * is another.
 */
export function countNegotiations(): void {
  const count: Negotiations = { local: 0, remote: 0, errors: [] };
  Object.assign(globalThis, { negotiations: count });
  const agreed = new Set<string>();
  const unlimited = (sdp: string) => sdp.replace(/^b=.*\r\n/gm, "");
  type Describe = (this: RTCPeerConnection, ...args: [RTCSessionDescriptionInit?]) => Promise<void>;
  const { setLocalDescription, setRemoteDescription } = RTCPeerConnection.prototype as unknown as Record<string, Describe>;
  Object.assign(RTCPeerConnection.prototype, {
    setLocalDescription(this: RTCPeerConnection, ...args: [RTCSessionDescriptionInit?]) {
      count.local += 1;
      return setLocalDescription?.apply(this, args);
    },
    async setRemoteDescription(this: RTCPeerConnection, answer: RTCSessionDescriptionInit) {
      if (agreed.has(unlimited(answer.sdp ?? ""))) count.local -= 1;
      else count.remote += 1;
      await setRemoteDescription?.call(this, answer);
      // As the browser writes it.
      agreed.add(unlimited(this.remoteDescription?.sdp ?? ""));
    },
  });
  addEventListener("error", (event) => count.errors.push(event.message));
  addEventListener("unhandledrejection", (event) => count.errors.push(String(event.reason)));
}

export const readNegotiations = (): Negotiations => (globalThis as unknown as { negotiations: Negotiations }).negotiations;

export async function readReceived(): Promise<Received[]> {
  const peer = (globalThis as unknown as { dais: { room: { peer: { connection: RTCPeerConnection } } } }).dais.room.peer;
  const stats = await peer.connection.getStats();
  return [...stats.values()]
    .filter((report) => report.type === "inbound-rtp" && report.packetsReceived > 0)
    .map((report) => ({
      kind: report.kind,
      mid: report.mid,
      packets: report.packetsReceived,
      frames: report.framesDecoded ?? 0,
      energy: report.totalAudioEnergy ?? 0,
    }));
}

export async function readPictures(): Promise<Pictures> {
  const peer = (globalThis as unknown as { dais: { room: { peer: { connection: RTCPeerConnection } } } }).dais.room.peer;
  const before = await peer.connection.getStats();
  await new Promise((done) => setTimeout(done, 500));
  const stats = await peer.connection.getStats();
  const reports = [...stats.values()].filter((report) => report.kind === "video");
  const grew = (report: Record<string, unknown>, what: string): boolean => {
    const earlier = (before.get(String(report["id"])) ?? {}) as Record<string, unknown>;
    return Number(report[what] ?? 0) > Number(earlier[what] ?? 0);
  };
  const codecs = (some: { codecId?: string }[]): string[] => {
    const mimes = some.map(({ codecId }) => (codecId === undefined ? undefined : stats.get(codecId)?.mimeType) as string | undefined);
    return [...new Set(mimes.filter((mime) => mime !== undefined))].map((mime) => mime.replace("video/", "")).sort();
  };
  const sent = reports.filter((report) => report.type === "outbound-rtp" && grew(report, "framesEncoded"));
  const received = reports.filter((report) => report.type === "inbound-rtp" && grew(report, "framesDecoded"));
  return {
    sends: codecs(sent),
    receives: codecs(received),
    height: Math.max(0, ...received.map((report) => report.frameHeight ?? 0)),
  };
}

/** Shows the first two cameras so high, whatever the size of their tiles. */
export function showSoHigh(height: number): void {
  const { room } = (globalThis as unknown as { dais: { room: { watch(cameras: { slot: number; height: number }[]): void } } }).dais;
  room.watch([0, 1].map((slot) => ({ slot, height })));
}

/** Somebody with a browser of their own. */
export class Person {
  private constructor(
    readonly page: Page,
    readonly name: string,
    private readonly context: BrowserContext,
  ) {}

  /** Opens a link and waits for the entry window. Counts every session description of the page. */
  static async open(browser: Browser, link: string, name: string, script?: string, options: BrowserContextOptions = {}): Promise<Person> {
    const context = await browser.newContext({ permissions: ["camera", "microphone"], ...options });
    await context.addInitScript(countNegotiations);
    if (script !== undefined) await context.addInitScript(script);
    const page = await context.newPage();
    await page.goto(link);
    await expect(page.getByRole("heading", { name: "Set devices" })).toBeVisible();
    return new Person(page, name, context);
  }

  /** Types the name, waits for the camera, and comes in. */
  async join(how: "Join as viewer" | "Join stage"): Promise<void> {
    await this.page.getByLabel("Your name").fill(this.name);
    const button = this.page.getByRole("button", { name: how });
    await expect(button).toBeEnabled();
    await button.click();
    await expect(this.page.getByRole("main", { name: "Stage" })).toBeVisible();
  }

  button(name: string) {
    return this.page.getByRole("button", { name, exact: true });
  }

  toolbar() {
    return this.page.getByRole("contentinfo");
  }

  notices() {
    return this.page.getByRole("status", { name: "Notices" });
  }

  /** Through the window **Get ready to join the stage**. */
  async getReady(): Promise<void> {
    const ready = this.page.getByRole("dialog", { name: "Get ready to join the stage" });
    const join = ready.getByRole("button", { name: "Join stage" });
    await expect(join).toBeEnabled();
    await join.click();
    await expect(ready).toHaveCount(0);
  }

  /** Chooses an entry of the menu that a button opens. */
  async menu(button: string, item: string, role: "menuitem" | "menuitemradio" = "menuitem"): Promise<void> {
    await this.button(button).first().click();
    await this.page.getByRole(role, { name: item, exact: true }).click();
  }

  tile(name: string) {
    return this.page.getByRole("article", { name });
  }

  list(title: "On stage" | "Viewers" | "Wants to join the stage") {
    return this.page.getByRole("list", { name: title, exact: true });
  }

  /** Clicks an entry of the three-dots menu on somebody's tile. */
  async choose(name: string, item: string): Promise<void> {
    const tile = this.tile(name);
    await tile.hover();
    await tile.getByRole("button", { name: `More about ${name}` }).click();
    await this.page.getByRole("menuitem", { name: item }).click();
  }

  /** What has come in so far, slot by slot. */
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

  /** Whether the browser believes that it may send over 1 Mbit/s, how many layers it sends, and NACKs it sent. */
  uplink(): Promise<{ wide: boolean; layers: number; nacks: number }> {
    return this.page.evaluate(async () => {
      const peer = (globalThis as unknown as { dais: { room: { peer: { connection: RTCPeerConnection } } } }).dais.room.peer;
      const stats = [...(await peer.connection.getStats()).values()];
      const pair = stats.find((report) => report.type === "candidate-pair" && report.nominated);
      const sending = stats.filter((report) => report.type === "outbound-rtp" && report.kind === "video" && report.framesEncoded > 0);
      const receiving = stats.filter((report) => report.type === "inbound-rtp");
      return {
        wide: (pair?.availableOutgoingBitrate ?? 0) > 1_000_000,
        layers: sending.length,
        nacks: receiving.reduce((sum, report) => sum + (report.nackCount ?? 0), 0),
      };
    });
  }

  /** Session descriptions agreed upon, and errors of the page. */
  negotiations(): Promise<Negotiations> {
    return this.page.evaluate(readNegotiations);
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

/** How many slots grew in pictures, and how many in sound, between two looks. */
export function growing(before: Received[], after: Received[]): { pictures: number; voices: number } {
  const grew = (kind: "audio" | "video", what: "frames" | "energy") =>
    after.filter((now) => now.kind === kind && now[what] > (before.find(({ mid }) => mid === now.mid)?.[what] ?? 0)).length;
  return { pictures: grew("video", "frames"), voices: grew("audio", "energy") };
}

/** Waits until `person` decodes that many moving pictures and hears that many voices. */
export async function expectLive(person: Pick<Person, "received">, pictures: number, voices: number): Promise<void> {
  let before = await person.received();
  await expect
    .poll(
      async () => {
        const after = await person.received();
        const result = growing(before, after);
        before = after;
        return result;
      },
      { intervals: [1_500], timeout: 30_000 },
    )
    .toEqual({ pictures, voices });
}

interface Fixtures {
  /** Arguments of the server. */
  args: string[];
  server: Server;
  open: (role: Role, name: string, script?: string) => Promise<Person>;
}

export const test = base.extend<Fixtures>({
  args: [[], { option: true }],
  server: async ({ args }, use) => {
    const server = await Server.start(args);
    await use(server);
    expect(await server.stop()).toBe(0);
  },
  open: async ({ browser, server }, use) => {
    const people: Person[] = [];
    await use(async (role, name, script) => {
      const person = await Person.open(browser, server.links[role], name, script);
      people.push(person);
      return person;
    });
    for (const person of people) await person.close();
  },
});

export { expect };
