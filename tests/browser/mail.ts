/** A real mail server for a test: the one of tests/mail, which keeps what it takes. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "@playwright/test";
import { test as base } from "./dais";

/** A mail it has taken, as Python's library reads it. */
export interface Mail {
  recipients: string[];
  headers: Record<string, string>;
  text: string;
  html: string;
  calendar: string | null;
}

export class MailServer {
  private constructor(
    private readonly process: ChildProcess,
    readonly port: number,
    private readonly folder: string,
  ) {}

  static async start(): Promise<MailServer> {
    const folder = mkdtempSync(join(tmpdir(), "dais-mail-"));
    const child = spawn(resolve("../../target/venv/bin/python"), [resolve("../mail/server.py"), folder], { stdio: ["ignore", "pipe", "inherit"] });
    const port = await new Promise<number>((done, failed) => {
      child.once("error", failed);
      child.once("exit", (code) => failed(new Error(`the mail server ended with ${code}`)));
      let printed = "";
      child.stdout.on("data", (data: Buffer) => {
        printed += data.toString();
        const port = /^port (\d+)\n/u.exec(printed)?.[1];
        if (port !== undefined) done(Number(port));
      });
    });
    return new MailServer(child, port, folder);
  }

  /** What was sent to `address`, once it is there. */
  async mailTo(address: string): Promise<Mail> {
    let found: Mail | undefined;
    await expect(() => {
      found = this.all().find(({ recipients }) => recipients.includes(address));
      expect(found, `a mail to ${address}`).toBeDefined();
    }).toPass({ timeout: 15_000 });
    return found as Mail;
  }

  private all(): Mail[] {
    const mails: Mail[] = [];
    for (let n = 1; existsSync(join(this.folder, `${n}.json`)); n += 1) mails.push(JSON.parse(readFileSync(join(this.folder, `${n}.json`), "utf8")) as Mail);
    return mails;
  }

  stop(): void {
    this.process.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The address of the link in a mail. */
export function linkIn(mail: Mail): string {
  const link = /http\S+#token=\S+/u.exec(mail.text)?.[0];
  if (link === undefined) throw new Error(`no link in ${mail.text}`);
  return link;
}

/** With a server that sends mail. */
export const test = base.extend<{ mails: MailServer; /** Arguments of the server besides. */ settings: string[] }>({
  settings: [[], { option: true }],
  // Playwright reads from the pattern what a fixture needs: nothing.
  mails: async ({}, use) => {
    const mails = await MailServer.start();
    await use(mails);
    mails.stop();
  },
  args: async ({ mails, settings }, use) => use(["--smtp-url", `smtp://127.0.0.1:${mails.port}`, "--mail-from", "The stage <stage@example.net>", ...settings]),
});
