import { describe, expect, test } from "vitest";
import { look, lossesUpwards, quality, statistics } from "./statistics";

const codec = { id: "c", type: "codec", mimeType: "video/VP8" };
const camera = { id: "v", type: "inbound-rtp", kind: "video", mid: "4", codecId: "c", frameWidth: 640, frameHeight: 360 };
const counts = (bytes: number, packets: number, lost: number, frames: number, freezes: number) => ({
  ...camera,
  bytesReceived: bytes,
  packetsReceived: packets,
  packetsLost: lost,
  framesDecoded: frames,
  totalFreezesDuration: freezes,
});

describe("what happened between two looks", () => {
  test("a picture has a bit rate, a size, a rhythm, a codec, losses and freezes", () => {
    const before = look([codec, counts(1_000, 100, 5, 10, 1)], 10_000);
    const after = look([codec, counts(126_000, 195, 10, 60, 1.1)], 12_000);
    expect(statistics(before, after).received.get("4")).toEqual({
      kind: "video",
      bitrate: 500_000,
      codec: "VP8",
      picture: { width: 640, height: 360, framesPerSecond: 25 },
      loss: 0.05,
      frozen: expect.closeTo(0.05),
      quality: "fair",
    });
  });

  test("a slot that carried nothing is left out, and one that starts anew begins with nothing", () => {
    const idle = look([codec, counts(1_000, 100, 0, 10, 0)], 1_000);
    expect(statistics(look([codec, counts(1_000, 100, 0, 10, 0)], 0), idle).received.size).toBe(0);
    const restarted = statistics(look([counts(9_000, 900, 0, 90, 0)], 0), look([counts(9_100, 901, 0, 91, 0)], 1_000));
    expect(restarted.received.get("4")?.bitrate).toBe(800);
    expect(statistics(look([], 0), idle).received.get("4")?.bitrate).toBe(8_000);
  });

  test("a layer that is sent has its name and says what limits it", () => {
    const layer = { id: "o", type: "outbound-rtp", kind: "video", rid: "h", qualityLimitationReason: "bandwidth" };
    const { sent } = statistics(look([{ ...layer, bytesSent: 0 }], 0), look([{ ...layer, bytesSent: 1_000, framesEncoded: 0 }], 1_000));
    expect(sent).toEqual([{ kind: "video", bitrate: 8_000, codec: null, picture: null, layer: "h", limited: "bandwidth" }]);
  });

  test("the pair in use tells the round trip", () => {
    const pair = (id: string, nominated: boolean, time: number) => ({ id, type: "candidate-pair", state: "succeeded", nominated, currentRoundTripTime: time });
    const { roundTripMs } = statistics(look([], 0), look([pair("a", true, 0.02), pair("b", false, 0.5)], 1_000));
    expect(roundTripMs).toBeCloseTo(20);
    const transport = { id: "t", type: "transport", selectedCandidatePairId: "b" };
    const moved = statistics(look([], 0), look([pair("a", true, 0.02), pair("b", true, 0.5), transport], 1_000));
    expect(moved.roundTripMs).toBeCloseTo(500);
    expect(statistics(look([], 0), look([], 1)).roundTripMs).toBeNull();
  });
});

test.each([
  [0, 0, "good"],
  [0.029, 0.019, "good"],
  [0.03, 0, "fair"],
  [0, 0.02, "fair"],
  [0.1, 0, "poor"],
  [0, 0.15, "poor"],
])("%d lost and %d frozen is %s", (loss, frozen, expected) => {
  expect(quality(loss, frozen)).toBe(expected);
});

test("losses upwards are those of all streams, as they were reported since", () => {
  const sent = (voice: number, picture: number, lost: number, reported: number) =>
    look(
      [
        { id: "v", type: "outbound-rtp", packetsSent: voice },
        { id: "p", type: "outbound-rtp", packetsSent: picture },
        { id: "rv", type: "remote-inbound-rtp", localId: "v", packetsLost: lost, timestamp: reported },
        { id: "rp", type: "remote-inbound-rtp", localId: "p", packetsLost: 9, timestamp: 7 },
        { id: "in", type: "inbound-rtp", packetsLost: 100 },
      ],
      0,
    );
  const before = sent(100, 1_000, 5, 1);
  expect(lossesUpwards(before, sent(150, 1_450, 15, 2))).toEqual({ sent: 50, lost: 10 });
  expect(lossesUpwards(before, sent(150, 1_450, 5, 1))).toEqual({ sent: 0, lost: 0 });
  expect(lossesUpwards(before, sent(150, 1_450, 0, 2)), "counted anew").toEqual({ sent: 50, lost: 0 });
  expect(lossesUpwards(look([], 0), sent(150, 450, 15, 1)), "nothing to compare with").toEqual({ sent: 0, lost: 0 });
});
