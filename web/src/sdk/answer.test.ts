import { expect, it } from "vitest";
import { mostIn, withMost, withRedundancy } from "./answer";

it("limits one section of an answer, and frees it again", () => {
  const section = (mid: string) => `m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:${mid}\r\n`;
  const answer = `v=0\r\n${section("1")}${section("12")}`;
  const limited = withMost(answer, "1", 700_000);
  expect(limited).toBe(answer.replace("c=IN IP4 0.0.0.0\r\na=mid:1\r\n", "c=IN IP4 0.0.0.0\r\nb=TIAS:700000\r\na=mid:1\r\n"));
  expect(withMost(limited, "1", 800_000)).toBe(limited.replace("700000", "800000"));
  expect([mostIn(limited, "1"), mostIn(limited, "12")]).toEqual([700_000, null]);
  expect(withMost(limited, "1", null)).toBe(answer);
});

it("asks for redundant audio in one section of an answer, and for plain again", () => {
  const section = (mid: string) =>
    `m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\na=mid:${mid}\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n`;
  const answer = `v=0\r\n${section("0")}${section("10")}`;
  const redundant = withRedundancy(answer, "0", true);
  expect(redundant).toBe(answer.replace("SAVPF 111 63", "SAVPF 63 111"));
  expect(withRedundancy(redundant, "0", true)).toBe(redundant);
  expect(withRedundancy(redundant, "0", false)).toBe(answer);
});

it("leaves an answer alone in which redundant audio cannot be had", () => {
  const answer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 109\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtpmap:109 opus/48000/2\r\n";
  expect(withRedundancy(answer, "0", true)).toBe(answer);
});
