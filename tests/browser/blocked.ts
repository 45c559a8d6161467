/** A network that lets no UDP through: the server and a browser, each in a network namespace of its own. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import type { Browser } from "@playwright/test";
import { Server, expect, test as base } from "./dais";
import config from "./playwright.config";

/** The server's address; in a namespace of its own no port is taken. */
const SERVER = "10.99.0.1:8080";

/** Two namespaces with a line between them. The browser's has a rule that prohibits UDP, as a company's firewall would. */
const SETUP = `
ip link set lo up
: > "$1"
unshare --net sh -c 'echo ready; exec sleep infinity' > "$1" &
browser=$!
while ! grep -q ready "$1"; do sleep 0.01; done
ip link add server type veth peer name browser netns $browser
ip addr add 10.99.0.1/24 dev server
ip link set server up
inside() { nsenter --target $browser --net -- "$@"; }
inside ip link set lo up
inside ip addr add 10.99.0.2/24 dev browser
inside ip link set browser up
inside ip rule add pref 100 ipproto udp prohibit
echo "processes $$ $browser"
wait
`;

class BlockedNetwork {
  private constructor(
    private readonly process: ChildProcess,
    /** A process at either end. */
    private readonly ends: { server: string; browser: string },
    private readonly folder: string,
  ) {}

  static async make(): Promise<BlockedNetwork> {
    const folder = mkdtempSync(join(tmpdir(), "dais-blocked-"));
    const args = ["--user", "--map-root-user", "--net", "--kill-child", "--fork", "--", "sh", "-ec", SETUP, "sh", join(folder, "ready")];
    const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
    const child = spawn("unshare", args, { stdio: ["ignore", "pipe", "inherit"], env });
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
    return new BlockedNetwork(child, ends, folder);
  }

  /** What a command begins with to run at one end. */
  at(end: "server" | "browser"): string[] {
    return ["nsenter", "--target", this.ends[end], "--user", "--preserve-credentials", "--net", "--"];
  }

  /** A Chromium that reaches the server over TCP alone. */
  async chromium(): Promise<Browser> {
    const { launchOptions } = config.use ?? {};
    const wrapper = join(this.folder, "chromium");
    writeFileSync(wrapper, `#!/bin/sh\nexec ${this.at("browser").join(" ")} ${launchOptions?.executablePath ?? ""} "$@"\n`);
    chmodSync(wrapper, 0o755);
    // Camera and microphone are for secure origins; of others, for those that are named.
    const args = [...(launchOptions?.args ?? []), `--unsafely-treat-insecure-origin-as-secure=http://${SERVER}`];
    return chromium.launch({ ...launchOptions, args, executablePath: wrapper });
  }

  end(): void {
    this.process.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface Fixtures {
  network: BlockedNetwork;
  /** A browser that UDP does not leave. */
  blocked: Browser;
}

const SECRET = "a secret of more than thirty-two bytes";

/** Tests whose server is reached over TCP alone. */
export const test = base.extend<Fixtures>({
  network: async ({}, use) => {
    const network = await BlockedNetwork.make();
    await use(network);
    network.end();
  },
  server: async ({ network, args }, use) => {
    const server = await Server.start(["--demo", "--token-secret", SECRET, ...args], SERVER, network.at("server"));
    await use(server);
    expect(await server.stop()).toBe(0);
  },
  blocked: async ({ network }, use) => {
    const browser = await network.chromium();
    await use(browser);
    await browser.close();
  },
});
