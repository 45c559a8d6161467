export { LAYOUT, Peer } from "./peer";
export type * from "./protocol.gen";
export { Refused, Room } from "./room";
export type { Devices } from "./room";
export { webSocket } from "./transport";
export type { Connect, Transport, TransportEvents } from "./transport";
export * from "./view";
