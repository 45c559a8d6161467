/** How messages travel. The session knows only the interface, so that tests can bring their own. */

import type { ClientMessage, ServerMessage } from "./protocol.gen";

export interface Transport {
  send(message: ClientMessage): void;
  close(): void;
}

export interface TransportEvents {
  open(): void;
  message(message: ServerMessage): void;
  /** The transport is gone; nothing follows. */
  closed(): void;
}

export type Connect = (events: TransportEvents) => Transport;

/** A WebSocket to the session of `room` on the server that `base` names. */
export function webSocket(base: URL, room: string): Connect {
  return (events) => {
    const url = new URL(`/v1/rooms/${encodeURIComponent(room)}/session`, base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.onopen = () => events.open();
    socket.onmessage = ({ data }) => events.message(JSON.parse(String(data)) as ServerMessage);
    socket.onclose = () => events.closed();
    return {
      send: (message) => socket.send(JSON.stringify(message)),
      close: () => socket.close(),
    };
  };
}
