/** Networks of their own: the server and a browser, each in a network namespace. */

import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import type { Browser } from "@playwright/test";
import { Server, expect, test as base } from "./dais";
import config from "./playwright.config";

/** Where `ip` is. */
const PATHS = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };

/** The server's address; in a namespace of its own no port is taken. */
const SERVER = "10.99.0.1:8080";

/** Two namespaces with two lines between them, of which the browser uses the first. */
const SETUP = `
ip link set lo up
ip addr add 10.99.0.1/32 dev lo
: > "$1"
unshare --net sh -c 'echo ready; exec sleep infinity' > "$1" &
browser=$!
while ! grep -q ready "$1"; do sleep 0.01; done
inside() { nsenter --target $browser --net -- "$@"; }
inside ip link set lo up
for n in 1 2; do
  ip link add line$n type veth peer name line$n netns $browser
  ip addr add 10.99.$n.1/24 dev line$n
  ip link set line$n up
done
inside ip link set line1 up
inside ip addr add 10.99.1.2/24 dev line1
inside ip route add default via 10.99.1.1
echo "processes $$ $browser"
wait
`;

export class Network {
  private constructor(
    private readonly process: ChildProcess,
    /** A process at either end. */
    private readonly ends: { server: string; browser: string },
    private readonly folder: string,
  ) {}

  static async make(): Promise<Network> {
    const folder = mkdtempSync(join(tmpdir(), "dais-network-"));
    const args = ["--user", "--map-root-user", "--net", "--kill-child", "--fork", "--", "sh", "-ec", SETUP, "sh", join(folder, "ready")];
    const child = spawn("unshare", args, { stdio: ["ignore", "pipe", "inherit"], env: PATHS });
    let printed = "";
    const ends = await new Promise<{ server: string; browser: string }>((done, failed) => {
      child.once("error", failed);
      child.once("exit", (code) => failed(new Error(`unshare (util-linux) and ip (iproute2) are needed: ${code}`)));
      child.stdout.on("data", (data: Buffer) => {
        printed += data.toString();
        const [, server, browser] = /processes (\d+) (\d+)/.exec(printed) ?? [];
        if (server && browser) done({ server, browser });
      });
    });
    return new Network(child, ends, folder);
  }

  /** What a command begins with to run at one end. */
  at(end: "server" | "browser"): string[] {
    return ["nsenter", "--target", this.ends[end], "--user", "--preserve-credentials", "--net", "--"];
  }

  /** No UDP leaves the browser's end, as behind a company's firewall. */
  blockUdp(): void {
    this.ip("rule", "add", "pref", "100", "ipproto", "udp", "prohibit");
  }

  /** UDP leaves again. */
  allowUdp(): void {
    this.ip("rule", "del", "pref", "100");
  }

  /** Everything goes over line `n` from here on, from another address; the other line is gone. */
  use(n: 1 | 2): void {
    this.ip("addr", "flush", "dev", `line${3 - n}`);
    this.ip("link", "set", `line${3 - n}`, "down");
    this.ip("link", "set", `line${n}`, "up");
    this.ip("addr", "replace", `10.99.${n}.2/24`, "dev", `line${n}`);
    this.ip("route", "replace", "default", "via", `10.99.${n}.1`);
  }

  /** From here on line 1 carries so many kbit/s towards the browser; with null everything. */
  narrow(kbits: number | null): void {
    const shape = kbits === null ? ["del", "dev", "line1", "root"] : ["replace", "dev", "line1", "root", "tbf", "rate", `${kbits}kbit`, "burst", "10kb", "latency", "300ms"];
    const [command = "", ...rest] = [...this.at("server"), "tc", "qdisc", ...shape];
    execFileSync(command, rest, { stdio: ["ignore", "ignore", "inherit"], env: PATHS });
  }

  /** Stops everything that runs at the browser's end, as a laptop does when it is closed, or lets it go on. */
  sleep(asleep: boolean): void {
    for (const id of this.processes()) process.kill(id, asleep ? "SIGSTOP" : "SIGCONT");
  }

  /** A Chromium at one end. */
  async chromium(end: "server" | "browser"): Promise<Browser> {
    const { launchOptions } = config.use ?? {};
    const wrapper = join(this.folder, `chromium-${end}`);
    writeFileSync(wrapper, `#!/bin/sh\nexec ${this.at(end).join(" ")} ${launchOptions?.executablePath ?? ""} "$@"\n`);
    chmodSync(wrapper, 0o755);
    // Camera and microphone are for secure origins; of others, for those that are named.
    const args = [...(launchOptions?.args ?? []), `--unsafely-treat-insecure-origin-as-secure=http://${SERVER}`];
    return chromium.launch({ ...launchOptions, args, executablePath: wrapper });
  }

  end(): void {
    this.process.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  private ip(...args: string[]): void {
    const [command = "", ...rest] = [...this.at("browser"), "ip", ...args];
    execFileSync(command, rest, { stdio: ["ignore", "ignore", "inherit"], env: PATHS });
  }

  /** Everything that runs at the browser's end. */
  private processes(): number[] {
    const netOf = (id: string) => {
      try {
        return readlinkSync(`/proc/${id}/ns/net`);
      } catch {
        return null;
      }
    };
    const net = netOf(this.ends.browser);
    const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return all.filter((id) => id !== this.ends.browser && netOf(id) === net).map(Number);
  }
}

interface Fixtures {
  network: Network;
  /** A browser at its end. */
  inside: Browser;
  /** One beside the server, whose network does not change. */
  beside: Browser;
}

const SECRET = "a secret of more than thirty-two bytes";

/** Tests whose server and browser have a network of their own. */
export const test = base.extend<Fixtures>({
  network: async ({}, use) => {
    const network = await Network.make();
    await use(network);
    network.end();
  },
  server: async ({ network, args }, use) => {
    const server = await Server.start(["--demo", "--token-secret", SECRET, ...args], SERVER, network.at("server"));
    await use(server);
    expect(await server.stop()).toBe(0);
  },
  inside: async ({ network }, use) => {
    const browser = await network.chromium("browser");
    await use(browser);
    await browser.close();
  },
  beside: async ({ network }, use) => {
    const browser = await network.chromium("server");
    await use(browser);
    await browser.close();
  },
});
