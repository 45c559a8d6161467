import { describe, expect, test } from "vitest";
import { onlyOver, trying, verdict } from "./connectivity";
import type { Outcome, Outcomes } from "./connectivity";

const works: Outcome = { at: "works", ms: 12 };
const fails: Outcome = { at: "fails", why: "No path was found." };
const absent: Outcome = { at: "not_offered" };

describe("what works from here", () => {
  test.each<[string, Partial<Outcomes>, string]>([
    ["something is still being tried", { turn: { at: "trying" } }, "trying"],
    ["everything", {}, "good"],
    ["UDP is enough", { tcp: absent, turn: absent }, "good"],
    ["UDP is enough, whatever else fails", { tcp: fails, turn: fails }, "good"],
    ["TCP alone", { udp: fails, turn: fails }, "slower"],
    ["a relay alone", { udp: fails, tcp: fails }, "relay_only"],
    ["nothing for media", { udp: fails, tcp: fails, turn: absent }, "no_media"],
    ["no room without its socket", { socket: fails }, "nothing"],
  ])("%s", (_, outcomes, expected) => {
    expect(verdict({ socket: works, udp: works, tcp: works, turn: works, ...outcomes })).toBe(expected);
  });

  test("nothing is known at first", () => {
    expect(verdict(trying())).toBe("trying");
  });

  test("an answer is left with the candidates of one transport", () => {
    const udp = "a=candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host";
    const tcp = "a=candidate:2 1 tcp 1520435199 192.0.2.1 7000 typ host tcptype passive";
    const sdp = ["v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", udp, tcp, "a=end-of-candidates", ""].join("\r\n");
    expect(onlyOver("udp", sdp)).toBe(sdp.replace(`${tcp}\r\n`, ""));
    expect(onlyOver("tcp", sdp)).toBe(sdp.replace(`${udp}\r\n`, ""));
  });
});
