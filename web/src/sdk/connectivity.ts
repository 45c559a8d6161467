/** What works from where somebody sits: each way to the server tried by itself, without a room or a device. */

import type { IceServer } from "./protocol.gen";

/** Ways to the server: the WebSocket, and media over UDP, over TCP and over a relay. */
export const WAYS = ["socket", "udp", "tcp", "turn"] as const;
export type Way = (typeof WAYS)[number];

export type Outcome =
  | { at: "trying" }
  /** `ms` until it was there. */
  | { at: "works"; ms: number }
  | { at: "fails"; why: string }
  | { at: "not_offered" };

export type Outcomes = Record<Way, Outcome>;

/** What the server offers beside UDP. */
interface Offered {
  tcp: boolean;
  iceServers: IceServer[];
}

/** A way that has not come about by then does not work, ms. People wait for it. */
const PATIENCE_MS = 10_000;

export const trying = (): Outcomes => ({ socket: { at: "trying" }, udp: { at: "trying" }, tcp: { at: "trying" }, turn: { at: "trying" } });

/** Tries all ways at once and tells each outcome as it comes. `base` is the server's origin. */
export async function tryWays(base: string, tell: (way: Way, outcome: Outcome) => void): Promise<void> {
  const tried = (way: Way, attempt: () => Promise<number>) =>
    attempt().then(
      (ms) => tell(way, { at: "works", ms }),
      (error: unknown) => tell(way, { at: "fails", why: error instanceof Error ? error.message : String(error) }),
    );
  const media = async () => {
    let offered: Offered;
    try {
      offered = await askOffered(base);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      (["udp", "tcp", "turn"] as const).forEach((way) => tell(way, { at: "fails", why }));
      return;
    }
    if (!offered.tcp) tell("tcp", { at: "not_offered" });
    if (offered.iceServers.length === 0) tell("turn", { at: "not_offered" });
    await Promise.all([
      tried("udp", () => tryMedia(base, {}, "udp")),
      offered.tcp && tried("tcp", () => tryMedia(base, {}, "tcp")),
      offered.iceServers.length > 0 && tried("turn", () => tryMedia(base, { iceServers: offered.iceServers, iceTransportPolicy: "relay" }, "udp")),
    ]);
  };
  await Promise.all([tried("socket", () => trySocket(base)), media()]);
}

async function askOffered(base: string): Promise<Offered> {
  const response = await fetch(`${base}/v1/connectivity`, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`The server answered with status ${response.status}.`);
  return (await response.json()) as Offered;
}

/** Opens a WebSocket and waits for its first word. */
function trySocket(base: string): Promise<number> {
  const start = performance.now();
  const socket = new WebSocket(`${base.replace(/^http/, "ws")}/v1/connectivity/socket`);
  return new Promise<number>((resolve, reject) => {
    socket.addEventListener("message", () => resolve(performance.now() - start));
    for (const event of ["error", "close"]) socket.addEventListener(event, () => reject(new Error("The connection could not be opened.")));
    setTimeout(() => reject(new Error(`Nothing came within ${PATIENCE_MS / 1_000} s.`)), PATIENCE_MS);
  }).finally(() => socket.close());
}

/** Makes a media connection that learns only of the server's candidates over `transport`. */
async function tryMedia(base: string, configuration: RTCConfiguration, transport: "udp" | "tcp"): Promise<number> {
  const connection = new RTCPeerConnection({ ...configuration, bundlePolicy: "max-bundle" });
  try {
    connection.addTransceiver("audio", { direction: "recvonly" });
    await connection.setLocalDescription();
    const headers = { "content-type": "application/sdp" };
    const body = connection.localDescription?.sdp ?? "";
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(`${base}/v1/connectivity/media`, { method: "POST", headers, body, signal });
    if (!response.ok) throw new Error(await refusal(response));
    const start = performance.now();
    const connected = until(connection);
    await connection.setRemoteDescription({ type: "answer", sdp: onlyOver(transport, await response.text()) });
    await connected;
    return performance.now() - start;
  } finally {
    connection.close();
  }
}

function until(connection: RTCPeerConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.addEventListener("connectionstatechange", () => {
      if (connection.connectionState === "connected") resolve();
      if (connection.connectionState === "failed") reject(new Error("No path was found."));
    });
    setTimeout(() => reject(new Error(`No path was found within ${PATIENCE_MS / 1_000} s.`)), PATIENCE_MS);
  });
}

async function refusal(response: Response): Promise<string> {
  try {
    return ((await response.json()) as { text: string }).text;
  } catch {
    return `The server answered with status ${response.status}.`;
  }
}

/** The answer with the candidates of one transport alone. */
export function onlyOver(transport: "udp" | "tcp", sdp: string): string {
  const lines = sdp.split("\r\n");
  return lines.filter((line) => !line.startsWith("a=candidate:") || line.split(" ")[2]?.toLowerCase() === transport).join("\r\n");
}

/** What the outcomes mean for somebody who wants to take part. */
export type Verdict = "trying" | "good" | "slower" | "relay_only" | "no_media" | "nothing";

export function verdict({ socket, udp, tcp, turn }: Outcomes): Verdict {
  const works = (outcome: Outcome) => outcome.at === "works";
  if ([socket, udp, tcp, turn].some(({ at }) => at === "trying")) return "trying";
  if (!works(socket)) return "nothing";
  if (works(udp)) return "good";
  if (works(tcp)) return "slower";
  return works(turn) ? "relay_only" : "no_media";
}
