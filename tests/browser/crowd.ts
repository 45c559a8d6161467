/** Thousands of viewers in one room: sessions without a page and without media. */

import { WebSocket } from "ws";
import type { Server } from "./dais";

/** How many come in at the same time. */
const AT_ONCE = 50;

/** Viewers who are in the room. */
export interface Crowd {
  /** Sends a message by viewer number `n`, counted from 0. */
  say(n: number, message: object): void;
  /** Takes all of them away again. */
  leave(): void;
}

/** Somebody who comes in, says nothing by themselves, and stays. */
function viewer(url: string, token: string, name: string): Promise<WebSocket> {
  return new Promise((done, failed) => {
    const socket = new WebSocket(url);
    const say = (message: object) => socket.send(JSON.stringify(message));
    socket.once("error", failed);
    socket.once("open", () => say({ type: "hello", protocol: 2, token }));
    socket.on("message", (data: Buffer) => {
      const { type, code } = JSON.parse(data.toString()) as { type: string; code?: string };
      if (type === "entry") return say({ type: "enter", id: 1, name, place: "viewer", mic: false, camera: false });
      if (type === "error" || type === "closed") failed(new Error(`${name}: ${code}`));
      if (type !== "entered") return;
      // What they are told from here on is read and forgotten.
      socket.removeAllListeners("message");
      socket.on("message", () => undefined);
      done(socket);
    });
  });
}

/** Fills the room with viewers of these names. */
export async function crowd(server: Server, names: string[]): Promise<Crowd> {
  const link = new URL(server.links.Participant);
  const token = new URLSearchParams(link.hash.slice(1)).get("token") ?? "";
  const url = `${link.origin.replace("http", "ws")}/v1/rooms/${link.pathname.split("/").at(-1)}/session`;
  const sockets: WebSocket[] = [];
  const waiting = [...names];
  const comeIn = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) sockets.push(await viewer(url, token, name));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, comeIn));
  return {
    say: (n, message) => sockets[n]?.send(JSON.stringify(message)),
    leave: () => sockets.forEach((socket) => socket.close()),
  };
}
