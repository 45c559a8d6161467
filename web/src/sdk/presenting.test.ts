import { describe, expect, test } from "vitest";
import { Presenting } from "./presenting";
import type { Presentation } from "./protocol.gen";

class FakeTrack {
  stopped = false;
  #ended: (() => void)[] = [];
  addEventListener = (_: string, then: () => void) => void this.#ended.push(then);
  stop = () => void (this.stopped = true);
  end = () => this.#ended.forEach((then) => then());
}

const capture = (picture: FakeTrack, sound?: FakeTrack) =>
  ({ getVideoTracks: () => [picture], getAudioTracks: () => (sound ? [sound] : []) }) as unknown as MediaStream;
const by = (participant: number | null): Presentation => ({ participant, name: "Ann", sound: true, generation: 1 });

function room(refuse = false) {
  const asked: unknown[] = [];
  const presenting = new Presenting(async (request) => {
    asked.push(request);
    if (refuse) throw new Error("somebody_presents");
  });
  return { asked, presenting };
}

describe("presenting", () => {
  test("what is captured is sent while the server says that it is presented, and is released then", async () => {
    const { asked, presenting } = room();
    const [picture, sound] = [new FakeTrack(), new FakeTrack()];
    await presenting.start(capture(picture, sound));
    expect(asked).toEqual([{ type: "present", sound: true }]);
    expect(presenting.settle(by(null), 1)).toEqual({ picture: null, sound: null });
    expect(picture.stopped).toBe(false);
    expect(presenting.settle(by(1), 1)).toEqual({ picture, sound });
    // A moderator took over.
    expect(presenting.settle(by(2), 1)).toEqual({ picture: null, sound: null });
    expect([picture.stopped, sound.stopped]).toEqual([true, true]);
    expect(asked).toHaveLength(1);
  });

  test("the browser's own button ends it", async () => {
    const { asked, presenting } = room();
    const picture = new FakeTrack();
    await presenting.start(capture(picture));
    presenting.settle(by(1), 1);
    picture.end();
    expect(asked).toEqual([{ type: "present", sound: false }, { type: "stop_presenting", participant: 1 }]);
  });

  test("a refusal ends the capture", async () => {
    const { presenting } = room(true);
    const picture = new FakeTrack();
    await expect(presenting.start(capture(picture))).rejects.toThrow("somebody_presents");
    expect(picture.stopped).toBe(true);
  });

  test("whoever comes back with nothing to show stops", () => {
    const { asked, presenting } = room();
    expect(presenting.settle(by(1), 1)).toEqual({ picture: null, sound: null });
    expect(asked).toEqual([{ type: "stop_presenting", participant: 1 }]);
  });

  test("whoever is out of the room releases what they captured", async () => {
    const { presenting } = room();
    const picture = new FakeTrack();
    await presenting.start(capture(picture));
    presenting.settle(by(1), 1);
    presenting.settle(by(1), null);
    expect(picture.stopped).toBe(true);
  });
});
