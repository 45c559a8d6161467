import { expect, expectLive, test } from "./dais";
import type { Person, Server } from "./dais";
import { FirefoxPerson } from "./firefox";

/** Somebody with either browser. */
type Somebody = Pick<Person, "name" | "received" | "pictures" | "show" | "negotiations">;

/** Longest time without a new picture, ms: all encoders and decoders share two cores. */
const STILL_MS_MAX = 3_000;

test.slow();

async function expectCodec(people: Somebody[], codec: string): Promise<void> {
  for (const person of people) {
    const codecs = async () => (({ sends, receives }) => ({ sends, receives }))(await person.pictures());
    await expect.poll(codecs, { message: person.name, timeout: 30_000 }).toEqual({ sends: [codec], receives: [codec] });
  }
}

/**
 * Watches `person`'s pictures until they are as wanted. They must not stand still meanwhile. A browser on a busy machine takes
 * a while to believe that its line carries more than the smallest layer.
 */
async function expectHeight(person: Somebody, isRight: (height: number) => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  let grewAt = Date.now();
  for (;;) {
    const { height, receives } = await person.pictures();
    if (receives.length > 0) grewAt = Date.now();
    expect(Date.now() - grewAt, "the picture stands still").toBeLessThan(STILL_MS_MAX);
    if (isRight(height)) return;
    expect(Date.now(), `the picture stays ${height} pixels high`).toBeLessThan(deadline);
  }
}

/** Pictures flow both ways in `codec`. */
async function expectRoomOf(codec: string, first: Somebody, second: Somebody, server: Server): Promise<void> {
  await expectLive(first, 1, 1);
  await expectLive(second, 1, 1);
  await expectCodec([first, second], codec);
  expect(await server.metric("dais_media_dropped_total", "payload_malformed")).toBe(0);
  expect(await server.metric("dais_media_undecodable_packets_total")).toBe(0);
  for (const person of [first, second]) {
    expect(await person.negotiations(), person.name).toMatchObject({ remote: 1, errors: [] });
  }
}

/**
 * Layers change, up and down, and no picture stands still. Between Chromiums: a Firefox on a busy machine makes its layers
 * smaller, and their height tells nothing.
 */
async function expectLayers(people: Person[]): Promise<void> {
  const small = (height: number) => height > 0 && height <= 180;
  const large = (height: number) => height > 180;
  for (const [height, isRight] of [[360, large], [100, small], [360, large]] as const) {
    for (const person of people) {
      await person.show(height);
      await expectHeight(person, isRight);
    }
  }
}

for (const [codec, name] of [["vp8", "VP8"], ["h264", "H264"], ["vp9", "VP9"], ["av1", "AV1"]] as const) {
  test.describe(`in a room of ${name}`, () => {
    test.use({ args: ["--codec", codec] });

    test("two Chromiums, and one that comes late", async ({ server, open }) => {
      const maya = await open("Host", "Maya Levin");
      await maya.join("Join stage");
      const noa = await open("Speaker", "Noa Bar");
      await noa.join("Join stage");
      await expectRoomOf(name, maya, noa, server);
      await expectLayers([maya, noa]);
      const late = await open("Participant", "Lee Park");
      await late.join("Join as viewer");
      await expectLive(late, 2, 2);
      expect((await late.pictures()).receives).toEqual([name]);
    });

    // Debian's Firefox has no H.264.
    if (codec === "h264") return;

    test("two Firefoxes", async ({ server }) => {
      const people: FirefoxPerson[] = [];
      try {
        for (const [link, who] of [[server.links.Host, "Maya Levin"], [server.links.Speaker, "Ama Owusu"]] as const) {
          const person = await FirefoxPerson.open(link, who);
          people.push(person);
          await person.join("Join stage");
        }
        const [maya, ama] = people as [FirefoxPerson, FirefoxPerson];
        await expectRoomOf(name, maya, ama, server);
      } finally {
        for (const person of people) await person.close();
      }
    });

    test("a Chromium and a Firefox", async ({ server, open }) => {
      const maya = await open("Host", "Maya Levin");
      await maya.join("Join stage");
      const ama = await FirefoxPerson.open(server.links.Speaker, "Ama Owusu");
      try {
        await ama.join("Join stage");
        await expectRoomOf(name, maya, ama, server);
      } finally {
        await ama.close();
      }
    });
  });
}

test.describe("in a room of H264, when somebody does not decode that", () => {
  test.use({ args: ["--codec", "h264"] });

  test("everybody sends VP8, and H264 again when they have left", async ({ server, open }) => {
    const maya = await open("Host", "Maya Levin");
    await maya.join("Join stage");
    const noa = await open("Speaker", "Noa Bar");
    await noa.join("Join stage");
    await expectCodec([maya, noa], "H264");
    const ama = await FirefoxPerson.open(server.links.Speaker, "Ama Owusu");
    try {
      await ama.join("Join stage");
      await expectLive(ama, 2, 2);
      await expectLive(maya, 2, 2);
      await expectLive(noa, 2, 2);
      await expectCodec([maya, noa, ama], "VP8");
    } finally {
      await ama.close();
    }
    await expectCodec([maya, noa], "H264");
    await expectLive(maya, 1, 1);
    for (const person of [maya, noa]) {
      expect(await person.negotiations(), person.name).toMatchObject({ remote: 1, errors: [] });
    }
  });
});
