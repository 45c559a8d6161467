/** A viewer whose line has no room for all frames of a layer has half of them. */

import { Person, expect, expectLive } from "./dais";
import { test } from "./network";

/** The page's own objects that tests look at. */
interface Globals {
  dais: { room: { peer: { connection: RTCPeerConnection } } };
}

/** Of the camera that somebody is shown, as the browser counts: per second over `seconds`. */
async function shown(person: Person, seconds: number): Promise<{ height: number; frames: number; freezes: number }> {
  const look = () =>
    person.page.evaluate(async () => {
      const { connection } = (globalThis as unknown as Globals).dais.room.peer;
      const reports = [...(await connection.getStats()).values()];
      const inbound = reports.filter((report) => report.type === "inbound-rtp" && report.kind === "video" && report.framesDecoded > 0);
      return inbound.map(({ frameHeight, framesDecoded, freezeCount }) => ({ height: frameHeight, frames: framesDecoded, freezes: freezeCount }))[0];
    });
  const before = await look();
  await person.page.waitForTimeout(1_000 * seconds);
  const after = await look();
  if (before === undefined || after === undefined) throw new Error("no picture");
  return { height: after.height, frames: (after.frames - before.frames) / seconds, freezes: after.freezes - before.freezes };
}

test("a line between two layers carries half of the frames of the larger one, without a freeze, and all of them when it is wider", async ({ network, inside, beside, server }) => {
  test.setTimeout(180_000);
  const ann = await Person.open(beside, server.links.Host, "Ann Lee");
  await ann.join("Join stage");
  const ben = await Person.open(inside, server.links.Participant, "Ben Okoro");
  await ben.join("Join as viewer");
  await expectLive(ben, 1, 1);
  const whole = await shown(ben, 3);
  console.log("without bounds", whole);

  const isHalf = ({ frames }: { frames: number }) => frames < 0.65 * whole.frames && frames > 0.35 * whole.frames;
  // A time in which the line has just become narrower may have a freeze; then the next one counts.
  let [kbits, half, frozen] = [1_000, whole, 0];
  const heights = new Set<number>();
  while (!isHalf(half) || half.freezes > 0) {
    heights.add(half.height);
    frozen += isHalf(half) ? 1 : 0;
    expect(frozen, "times with half of the frames and a freeze").toBeLessThan(2);
    kbits = Math.round(kbits * 0.8);
    expect(kbits, "half of the frames at some rate").toBeGreaterThan(100);
    network.narrow(kbits);
    await ben.page.waitForTimeout(3_000);
    half = await shown(ben, 5);
    console.log(`at ${kbits} kbit/s`, half);
  }
  expect([...heights], "a layer that was there with all frames").toContain(half.height);

  network.narrow(null);
  await expect.poll(async () => (await shown(ben, 1)).frames, { timeout: 30_000 }).toBeGreaterThan(0.85 * whole.frames);
  const again = await shown(ben, 3);
  console.log("without bounds again", again);
  expect(again.freezes).toBe(0);
  await ann.close();
  await ben.close();
});
