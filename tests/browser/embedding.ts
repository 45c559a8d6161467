/** Other people's pages: the examples of deploy/examples, and a page with nothing but the element. */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { API_KEY, Server, test as base } from "./dais";

export const PASSWORD = "a password for the organiser";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** A back end of deploy/examples, started as its README says. */
async function example(name: string, port: number, dais: string): Promise<ChildProcess> {
  const env = { ...process.env, DAIS_URL: dais, DAIS_API_KEY: API_KEY, PORT: String(port), ORGANISER_PASSWORD: PASSWORD };
  const child = spawn(process.execPath, [resolve(`../../deploy/examples/${name}/server.js`)], { stdio: ["ignore", "pipe", "inherit"], env });
  await new Promise<void>((done, failed) => {
    child.once("exit", (code) => failed(new Error(`${name} ended with ${code}`)));
    child.stdout.on("data", (data: Buffer) => void (data.toString().includes("http://") && done()));
  });
  return child;
}

/** A page with nothing but the element, which keeps the events it was told. The token is in the fragment. */
const BARE = (server: string) => `<!doctype html><html lang="de-AT"><meta charset="utf-8"><title>Bare</title><body>
<style>dais-room { --dais-background: oklch(0.97 0.02 100); --dais-accent: rebeccapurple; --dais-text: red; x: url(}</style>
<script type="module" src="${server}/dais-room.js"></script>
<script type="module">
  globalThis.told = [];
  for (const name of ["ready", "entered", "stagechange", "presencechange", "left", "ended", "error"]) {
    document.addEventListener(name, ({ detail }) => told.push({ name, detail }));
  }
  globalThis.refusal = (promise) => promise.then(() => null, ({ code, message }) => ({ code, message }));
  const room = document.createElement("dais-room");
  room.setAttribute("token", location.hash.slice(1));
  room.setAttribute("name", "Ann Lee");
  document.body.append(room);
</script></body></html>`;

async function bare(port: number, server: string): Promise<() => Promise<void>> {
  const pages = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end(BARE(server)));
  pages.listen(port, "127.0.0.1");
  await new Promise((done) => pages.once("listening", done));
  return async () => {
    pages.closeAllConnections();
    await new Promise((done) => pages.close(done));
  };
}

/** Origins of the pages around. */
export interface Pages {
  event: string;
  portal: string;
  bare: string;
  /** The same as `bare`, but not listed. */
  stranger: string;
}

export const test = base.extend<{ ports: number[]; pages: Pages }>({
  ports: async ({}, use) => use([await freePort(), await freePort(), await freePort(), await freePort()]),
  server: async ({ ports }, use) => {
    const listed = ports.slice(0, 3).map((port) => `http://127.0.0.1:${port}`);
    const server = await Server.start(["--embed-origin", listed.join(",")]);
    await use(server);
    await server.stop();
  },
  pages: async ({ ports, server }, use) => {
    const [event = 0, portal = 0, plain = 0, stranger = 0] = ports;
    const children = [await example("event-page", event, server.origin), await example("video-portal", portal, server.origin)];
    const close = [await bare(plain, server.origin), await bare(stranger, server.origin)];
    const at = (port: number) => `http://127.0.0.1:${port}`;
    await use({ event: at(event), portal: at(portal), bare: at(plain), stranger: at(stranger) });
    for (const child of children) child.removeAllListeners("exit").kill();
    for (const end of close) await end();
  },
});
