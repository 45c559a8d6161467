/** How media comes and goes, out of what the browser counts: two looks, and what happened between them. */

/** How good a picture is for whoever watches it. */
export type Quality = "good" | "fair" | "poor";

/** A stream between two looks. */
export interface StreamStatistics {
  kind: "audio" | "video";
  /** Bit/s, without headers. */
  bitrate: number;
  /** `VP8`, `opus`. */
  codec: string | null;
  /** Pixels and frames a second of a picture that moves. */
  picture: { width: number; height: number; framesPerSecond: number } | null;
}

export interface ReceivedStream extends StreamStatistics {
  /** Share of packets that did not come, 0 to 1. What was sent again in time has come. */
  loss: number;
  /** Share of the time in which the picture stood still for too long, 0 to 1; 0 where the browser does not tell. */
  frozen: number;
  quality: Quality;
}

export interface SentStream extends StreamStatistics {
  /** Name of the simulcast layer. */
  layer: string | null;
  /** Why the browser sends less than it could. */
  limited: "cpu" | "bandwidth" | null;
}

export interface Statistics {
  /** To the server and back, ms. */
  roundTripMs: number | null;
  /** What the browser believes the line upwards carries, bit/s. */
  available: number | null;
  /** By section. */
  received: Map<string, ReceivedStream>;
  sent: SentStream[];
}

/** The members of the browser's reports that are read (W3C webrtc-stats). */
interface Report {
  id: string;
  type: string;
  /** ms; of what the server reports, when it did. */
  timestamp?: number;
  kind?: "audio" | "video";
  mid?: string;
  rid?: string;
  codecId?: string;
  mimeType?: string;
  bytesReceived?: number;
  bytesSent?: number;
  packetsReceived?: number;
  packetsLost?: number;
  framesDecoded?: number;
  framesEncoded?: number;
  frameWidth?: number;
  frameHeight?: number;
  totalFreezesDuration?: number;
  qualityLimitationReason?: string;
  /** The stream that it reports of. */
  localId?: string;
  packetsSent?: number;
  nominated?: boolean;
  state?: string;
  currentRoundTripTime?: number;
  availableOutgoingBitrate?: number;
  /** Of a transport. */
  selectedCandidatePairId?: string;
}

/** One look. */
export interface Look {
  /** ms. */
  at: number;
  reports: Map<string, Report>;
}

export function look(reports: Iterable<unknown>, at: number): Look {
  return { at, reports: new Map([...(reports as Iterable<Report>)].map((report) => [report.id, report])) };
}

/** Losses that are heard and seen, and those that spoil it: from 3 % on pictures wait for what is sent again. */
const [LOSS_FAIR, LOSS_POOR] = [0.03, 0.1];
/** Standing still, as a share of the time. */
const [FROZEN_FAIR, FROZEN_POOR] = [0.02, 0.15];

export function quality(loss: number, frozen: number): Quality {
  if (loss >= LOSS_POOR || frozen >= FROZEN_POOR) return "poor";
  return loss >= LOSS_FAIR || frozen >= FROZEN_FAIR ? "fair" : "good";
}

/** What happened from `before` to `after`. Streams that carried nothing are left out. */
export function statistics(before: Look, after: Look): Statistics {
  const seconds = Math.max(after.at - before.at, 1) / 1_000;
  const received = new Map<string, ReceivedStream>();
  const sent: SentStream[] = [];
  for (const now of after.reports.values()) {
    const then = before.reports.get(now.id);
    /** How much a count has grown; one that starts anew counts from the next look on. */
    const grown = (name: "bytesReceived" | "bytesSent" | "packetsReceived" | "packetsLost" | "framesDecoded" | "framesEncoded" | "totalFreezesDuration") =>
      Math.max(0, (now[name] ?? 0) - (then?.[name] ?? 0));
    const stream = (bytes: number, frames: number): StreamStatistics => ({
      kind: now.kind ?? "video",
      bitrate: (bytes * 8) / seconds,
      codec: after.reports.get(now.codecId ?? "")?.mimeType?.split("/")[1] ?? null,
      picture:
        now.frameWidth !== undefined && now.frameHeight !== undefined && frames > 0
          ? { width: now.frameWidth, height: now.frameHeight, framesPerSecond: frames / seconds }
          : null,
    });
    if (now.type === "inbound-rtp" && now.mid !== undefined && grown("packetsReceived") > 0) {
      const [came, lost] = [grown("packetsReceived"), grown("packetsLost")];
      const loss = lost / (came + lost);
      const frozen = Math.min(1, grown("totalFreezesDuration") / seconds);
      received.set(now.mid, { ...stream(grown("bytesReceived"), grown("framesDecoded")), loss, frozen, quality: quality(loss, frozen) });
    } else if (now.type === "outbound-rtp" && grown("bytesSent") > 0) {
      const reason = now.qualityLimitationReason;
      const limited = reason === "cpu" || reason === "bandwidth" ? reason : null;
      sent.push({ ...stream(grown("bytesSent"), grown("framesEncoded")), layer: now.rid || null, limited });
    }
  }
  return { ...selectedPair(after), received, sent };
}

/** Whether the line keeps a picture small. */
export function isNarrow({ reports }: Look): boolean {
  return [...reports.values()].some(({ type, qualityLimitationReason }) => type === "outbound-rtp" && qualityLimitationReason === "bandwidth");
}

/** Packets. */
export interface Losses {
  sent: number;
  lost: number;
}

/** What was sent from `before` to `after`, and lost on its way: of the streams that the server has reported of since. */
export function lossesUpwards(before: Look, after: Look): Losses {
  const losses = { sent: 0, lost: 0 };
  for (const { id, type, timestamp, localId = "", packetsLost = 0 } of after.reports.values()) {
    const then = before.reports.get(id);
    if (type !== "remote-inbound-rtp" || then === undefined || then.timestamp === timestamp) continue;
    losses.sent += (after.reports.get(localId)?.packetsSent ?? 0) - (before.reports.get(localId)?.packetsSent ?? 0);
    // The server counts anew after a gate was closed.
    losses.lost += Math.max(0, packetsLost - (then.packetsLost ?? 0));
  }
  return losses;
}

/** What is known of the path in use. */
export function selectedPair({ reports }: Look): Pick<Statistics, "roundTripMs" | "available"> {
  const all = [...reports.values()];
  const pairs = all.filter(({ type, nominated, state }) => type === "candidate-pair" && (nominated || state === "succeeded"));
  // The transport knows which pair is in use; of several that were, only the last one is.
  const transport = all.find(({ selectedCandidatePairId }) => selectedCandidatePairId !== undefined);
  const selected = reports.get(transport?.selectedCandidatePairId ?? "");
  const pair = selected ?? pairs.find(({ nominated }) => nominated) ?? pairs.at(-1);
  const roundTrip = pair?.currentRoundTripTime;
  return { roundTripMs: roundTrip === undefined ? null : roundTrip * 1_000, available: pair?.availableOutgoingBitrate ?? null };
}
