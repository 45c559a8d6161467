/**
 * A house with two ways out, for a browser that moves between networks: a network namespace with two lines to this
 * machine, on which the server has an address of its own. Needs root and iproute2.
 */

import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Documentation addresses (RFC 5737): nothing else on the machine has them. */
const SERVER = "192.0.2.1";
const LINES = ["198.51.100", "203.0.113"] as const;

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
}

export class House {
  readonly server = SERVER;
  readonly #name = `dais-house-${process.pid}`;
  readonly #folder = mkdtempSync(join(tmpdir(), "dais-house-"));

  constructor() {
    ip("netns", "add", this.#name);
    ip("link", "add", this.#dummy, "type", "dummy");
    ip("addr", "add", `${SERVER}/32`, "dev", this.#dummy);
    ip("link", "set", this.#dummy, "up");
    this.#inside("link", "set", "lo", "up");
    LINES.forEach((net, n) => {
      const [outer, inner] = this.#line(n);
      ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", this.#name);
      ip("addr", "add", `${net}.1/24`, "dev", outer);
      ip("link", "set", outer, "up");
      this.#inside("addr", "add", `${net}.2/24`, "dev", inner);
    });
    this.use(0);
    // A program that starts the browser inside.
    writeFileSync(this.chromium, `#!/bin/sh\nexec ip netns exec ${this.#name} "\${DAIS_CHROMIUM:-/usr/bin/chromium}" "$@"\n`);
    chmodSync(this.chromium, 0o755);
  }

  get chromium(): string {
    return join(this.#folder, "chromium");
  }

  /** Everything goes over line `n`, 0 or 1, from here on; the other one is gone. */
  use(n: 0 | 1): void {
    const [, other] = this.#line(1 - n);
    const [, inner] = this.#line(n);
    this.#inside("link", "set", other, "down");
    this.#inside("link", "set", inner, "up");
    this.#inside("route", "replace", "default", "via", `${LINES[n]}.1`);
  }

  /** Stops everything that runs inside, as a laptop does when it is closed, or lets it go on. */
  sleep(asleep: boolean): void {
    const pids = execFileSync("ip", ["netns", "pids", this.#name]).toString().split("\n").filter(Boolean).map(Number);
    pids.forEach((pid) => process.kill(pid, asleep ? "SIGSTOP" : "SIGCONT"));
  }

  remove(): void {
    LINES.forEach((_, n) => ip("link", "del", this.#line(n)[0]));
    ip("link", "del", this.#dummy);
    ip("netns", "del", this.#name);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #dummy(): string {
    return `dais${process.pid % 100_000}s`;
  }

  #line(n: number): [string, string] {
    return [`dais${process.pid % 100_000}o${n}`, `dais${process.pid % 100_000}i${n}`];
  }

  #inside(...args: string[]): void {
    ip("-n", this.#name, ...args);
  }
}
