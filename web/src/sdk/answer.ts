/** What is edited in an answer when the page agrees upon it with itself. */

/** The most that may be sent in the section `mid` of the answer `sdp`, bit/s; `null` without a limit. */
export function mostIn(sdp: string, mid: string): number | null {
  const most = sectionsOf(sdp).find(isOf(mid))?.match(/^b=TIAS:(\d+)/m)?.[1];
  return most === undefined ? null : Number(most);
}

/** The answer `sdp`, where the section `mid` may be sent at most `bitrate` bit/s (RFC 3890); without a limit for `null`. */
export function withMost(sdp: string, mid: string, bitrate: number | null): string {
  return withSection(sdp, mid, (section) => {
    const free = section.replace(/^b=TIAS:\d+\r\n/m, "");
    return bitrate === null ? free : free.replace(/^(c=.*\r\n)/m, `$1b=TIAS:${bitrate}\r\n`);
  });
}

/** The answer `sdp`, where the section `mid` asks for redundant audio, or for plain. The first format is what a browser sends. */
export function withRedundancy(sdp: string, mid: string, on: boolean): string {
  return withSection(sdp, mid, (section) => {
    const redundant = redundantOf(section);
    if (redundant === null) return section;
    const others = formatsOf(section).filter((format) => format !== redundant);
    const formats = on ? [redundant, ...others] : [...others, redundant];
    return section.replace(FORMATS, `$1 ${formats.join(" ")}`);
  });
}

/** The line a section begins with, whose last part are its formats. */
const FORMATS = /^(m=audio \d+ \S+)((?: \d+)+)/;

const formatsOf = (section: string) => section.match(FORMATS)?.[2]?.trim().split(" ") ?? [];
const redundantOf = (section: string) => section.match(/^a=rtpmap:(\d+) red\/48000\/2/m)?.[1] ?? null;

function withSection(sdp: string, mid: string, edit: (section: string) => string): string {
  return sectionsOf(sdp).map((section) => (isOf(mid)(section) ? edit(section) : section)).join("");
}

const sectionsOf = (sdp: string) => sdp.split(/(?=^m=)/m);
const isOf = (mid: string) => (section: string) => section.includes(`a=mid:${mid}\r\n`);
